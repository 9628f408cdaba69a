/* SPDX-License-Identifier: MIT */
/* Frames: a length, a sum of what follows, and the frame's numbers; then padding
 * that both sides know. */
#include "sim/sim.h"

#include <string.h>

#define WORDS       6 /* the sum, kind, id, attempt, number, length of padding */
#define HEAD_BYTES  4 /* how much follows */
#define BODY_BYTES  (WORDS * 4)
#define LIMIT_BYTES 8192

static void put(char *at, uint32_t n) {
  int i;
  for (i = 0; i < 4; i++) at[i] = (char)(n >> (24 - 8 * i));
}

static uint32_t get(const char *at) {
  uint32_t n = 0;
  int i;
  for (i = 0; i < 4; i++) n = n << 8 | (unsigned char)at[i];
  return n;
}

static uint32_t sum_of(const char *data, size_t length) {
  uint32_t sum = 2166136261u;
  size_t i;
  for (i = 0; i < length; i++) sum = (sum ^ (unsigned char)data[i]) * 16777619u;
  return sum;
}

vow_bytes_t *sim_frame_write(const sim_frame_t *f) {
  size_t length = HEAD_BYTES + BODY_BYTES + f->padding_bytes;
  char *at;
  vow_bytes_t *b = vow_bytes_new(length, &at);
  size_t i;
  if (b == NULL) return NULL;
  put(at, (uint32_t)(length - HEAD_BYTES));
  put(at + 8, (uint32_t)f->kind);
  put(at + 12, f->id);
  put(at + 16, f->attempt);
  put(at + 20, f->number);
  put(at + 24, f->padding_bytes);
  for (i = HEAD_BYTES + BODY_BYTES; i < length; i++)
    at[i] = (char)(f->id + i * 7);
  put(at + 4, sum_of(at + 8, length - 8));
  return b;
}

vow_future_t *sim_frame_send(vow_stream_t *s, vow_bytes_t *b) {
  char *at = (char *)vow_bytes_data(b); /* uv_buf_t is not const */
  size_t length = vow_bytes_length(b), first, second;
  uv_buf_t parts[3];
  if (sim_chance(50)) return vow_stream_write_bytes(s, b);
  first = sim_below((uint32_t)length);
  second = first + sim_below((uint32_t)(length - first));
  parts[0] = uv_buf_init(at, (unsigned)first);
  parts[1] = uv_buf_init(at + first, (unsigned)(second - first));
  parts[2] = uv_buf_init(at + second, (unsigned)(length - second));
  return vow_stream_writev(s, parts, 3);
}

static void unref(void *s) {
  vow_stream_unref(s);
}

static vow_future_t *read_body(vow_stream_t *s, const vow_bytes_t *head) {
  uint32_t length = get(vow_bytes_data(head));
  MUST(length >= BODY_BYTES);
  MUST(length <= LIMIT_BYTES);
  return vow_stream_read_exactly(s, length);
}

static vow_value_t on_head(vow_future_t *in, void *s) {
  return vow_follow(read_body(s, vow_bytes_get(in)));
}

vow_future_t *sim_frame_read(vow_stream_t *s) {
  return vow_then(vow_stream_read_exactly(s, HEAD_BYTES), on_head,
                  vow_stream_ref(s), unref);
}

vow_value_t sim_frame_await(vow_stream_t *s, int64_t tick_ms) {
  vow_value_t head;
  vow_future_t *body;
  for (;;) {
    head =
        vow_await(vow_timeout(vow_stream_read_exactly(s, HEAD_BYTES), tick_ms));
    if (vow_value_code(head) != UV_ETIMEDOUT) break;
    vow_value_destroy(head);
  }
  if (vow_value_is_failure(head)) return head;
  body = read_body(s, vow_value_get(head, &vow_type_bytes));
  vow_value_destroy(head);
  return vow_await(body);
}

sim_frame_t sim_frame_parse(const vow_bytes_t *b) {
  const char *at = vow_bytes_data(b);
  size_t length = vow_bytes_length(b);
  sim_frame_t f;
  MUST(length >= BODY_BYTES);
  MUST_MSG(get(at) == sum_of(at + 4, length - 4), "a torn frame");
  f.kind = (sim_kind_t)get(at + 4);
  f.id = get(at + 8);
  f.attempt = get(at + 12);
  f.number = get(at + 16);
  f.padding_bytes = get(at + 20);
  MUST(length == BODY_BYTES + f.padding_bytes);
  return f;
}

/* SPDX-License-Identifier: MIT */
/* Frames whose bytes follow from their head, and chance. */
#include <string.h>

#include "soak/soak.h"

static uint64_t state;

void soak_seed(uint64_t seed) {
  state = seed;
}

/* Steele, Lea, Flood: splitmix64. */
uint64_t soak_below(uint64_t bound) {
  uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (z ^ (z >> 31)) % bound;
}

static char byte_of(const soak_frame_t *f, size_t i) {
  return (char)(f->length * 31 + f->delay_ms + i * 7);
}

vow_bytes_t *soak_frame_write(const soak_frame_t *f) {
  char *at;
  vow_bytes_t *b = vow_bytes_new(SOAK_HEAD_BYTES + f->length, &at);
  size_t i;
  if (b == NULL) return NULL;
  memcpy(at, &f->length, 4);
  memcpy(at + 4, &f->delay_ms, 4);
  for (i = 0; i < f->length; i++) at[SOAK_HEAD_BYTES + i] = byte_of(f, i);
  return b;
}

typedef struct reading {
  vow_stream_t *stream;
  soak_frame_t *frame;
} reading_t;

static void reading_free(void *arg) {
  vow_stream_unref(((reading_t *)arg)->stream);
  vow_release(arg);
}

static vow_value_t wrong(void) {
  soak_counts.wrong++;
  return vow_fail(UV_EPROTO);
}

static vow_value_t on_head(vow_future_t *in, void *arg) {
  const reading_t *r = arg;
  const char *at = vow_bytes_data(vow_bytes_get(in));
  memcpy(&r->frame->length, at, 4);
  memcpy(&r->frame->delay_ms, at + 4, 4);
  if (r->frame->length == 0 || r->frame->length > SOAK_LIMIT_BYTES)
    return wrong();
  return vow_follow(vow_stream_read_exactly(r->stream, r->frame->length));
}

static vow_value_t on_body(vow_future_t *in, void *frame) {
  const char *at = vow_bytes_data(vow_bytes_get(in));
  size_t i, n = vow_bytes_length(vow_bytes_get(in));
  for (i = 0; i < n; i++)
    if (at[i] != byte_of(frame, i)) return wrong();
  return vow_outcome(in);
}

vow_future_t *soak_frame_read(vow_stream_t *s, soak_frame_t *ret_frame) {
  reading_t *r = vow_alloc(sizeof *r);
  vow_future_t *f;
  if (r == NULL) return vow_ready(vow_stream_loop(s), vow_fail(UV_ENOMEM));
  r->stream = vow_stream_ref(s);
  r->frame = ret_frame;
  f = vow_then(vow_stream_read_exactly(s, SOAK_HEAD_BYTES), on_head, r,
               reading_free);
  return vow_then(f, on_body, ret_frame);
}

/* SPDX-License-Identifier: MIT */
/* Where the bytes of fuzz_stream.c come from: a transport of its own, or the
 * other end of a pair. All that was sent stays in one array.
 *
 * How this works. The transport pushes pieces as they were sent: at once, or,
 * when it is obedient, only while it was told to read. For the pair a piece is
 * a write. */
#ifndef VOW_TEST_FUZZ_STREAM_SOURCE_H
#define VOW_TEST_FUZZ_STREAM_SOURCE_H

#include "fuzz/fuzz.h"

#include <string.h>
#include <uv.h>
#include <vow/stream_class.h>

#define SENT_MAX   ((size_t)200 * 1024)
#define PIECES_MAX 1024
#define WRITES_MAX 64

typedef struct source source_t;

typedef struct transport {
  vow_stream_t base;
  source_t *source;
} transport_t;

struct source {
  vow_loop_t *loop;
  vow_stream_t *s;    /* what is read from */
  vow_stream_t *peer; /* the other end of a pair; NULL: a transport, or gone */
  bool is_pair, obedient;
  bool reading, pumping;
  char *sent;
  size_t sent_bytes;
  size_t pushed_bytes;
  size_t piece_end[PIECES_MAX]; /* of the transport's, in sent */
  size_t pieces, pieces_pushed;
  int end; /* behind all that; 0: not yet */
  bool end_told;
  vow_future_t *writes[WRITES_MAX];
  size_t write_bytes[WRITES_MAX];
};

static char source_memory[SENT_MAX];

/* ---- the transport ---------------------------------------------------------
 */

/* A piece of memory of its own, or out of the middle of a larger one. */
static vow_bytes_t *source_bytes(const char *data, size_t n) {
  vow_bytes_t *whole, *b;
  char *room;
  if (n % 3 != 0) return vow_bytes_copy(data, n);
  whole = vow_bytes_new(n + 2, &room);
  if (whole == NULL) return NULL;
  memset(room, '#', n + 2);
  memcpy(room + 1, data, n);
  b = vow_bytes_slice(whole, 1, n);
  vow_bytes_unref(whole);
  return b;
}

static int source_push_one(source_t *x) {
  size_t end = x->piece_end[x->pieces_pushed];
  size_t n = end - x->pushed_bytes;
  bool reserved = n % 2 == 0 && vow_stream_reserve(x->s) == 0;
  vow_bytes_t *b = source_bytes(x->sent + x->pushed_bytes, n);
  if (b == NULL) return UV_ENOMEM;
  /* What this sets off may come here again, and finds pumping. */
  x->pushed_bytes = end;
  x->pieces_pushed++;
  if (vow_stream_push(x->s, b) == 0) return 0;
  REQUIRE(!reserved);
  vow_bytes_unref(b);
  x->pushed_bytes = end - n;
  x->pieces_pushed--;
  return UV_ENOMEM;
}

static int source_pump(source_t *x) {
  int err = 0;
  if (x->pumping || x->end_told) return 0;
  x->pumping = true;
  while (err == 0 && x->pieces_pushed < x->pieces &&
         (x->reading || !x->obedient))
    err = source_push_one(x);
  if (x->pieces_pushed == x->pieces && x->end != 0) {
    x->end_told = true;
    vow_stream_end(x->s, x->end);
  }
  x->pumping = false;
  return err;
}

static int transport_read_start(vow_stream_t *s) {
  source_t *x = ((transport_t *)(void *)s)->source;
  int err;
  REQUIRE(!x->reading);
  x->reading = true;
  err = source_pump(x);
  if (err != 0) x->reading = false;
  return err;
}

static void transport_read_stop(vow_stream_t *s) {
  source_t *x = ((transport_t *)(void *)s)->source;
  REQUIRE(x->reading);
  x->reading = false;
}

static vow_future_t *transport_write(const char *site, vow_stream_t *s,
                                     const uv_buf_t bufs[], unsigned n) {
  (void)bufs;
  (void)n;
  return vow_ready_at(site, vow_stream_loop(s), vow_fail(UV_EPIPE));
}

static vow_future_t *transport_shutdown(const char *site, vow_stream_t *s) {
  return vow_ready_at(site, vow_stream_loop(s), vow_fail(UV_ENOTCONN));
}

static vow_future_t *transport_close(const char *site, vow_stream_t *s,
                                     int code) {
  source_t *x = ((transport_t *)(void *)s)->source;
  (void)code;
  x->end_told = true;
  if (site == NULL) return NULL;
  return vow_ready_at(site, vow_stream_loop(s), vow_nil());
}

static const vow_stream_class_t transport_class = {"fuzz",
                                                   sizeof(transport_t),
                                                   transport_read_start,
                                                   transport_read_stop,
                                                   transport_write,
                                                   NULL,
                                                   NULL,
                                                   transport_shutdown,
                                                   transport_close,
                                                   NULL,
                                                   NULL};

/* ---- both ------------------------------------------------------------------
 */

static bool source_open(source_t *x, bool is_pair, size_t capacity_bytes) {
  x->sent = source_memory;
  x->is_pair = is_pair;
  if (is_pair)
    return vow_stream_pair(x->loop, capacity_bytes, &x->s, &x->peer) == 0;
  x->s = vow_stream_new(x->loop, &transport_class);
  if (x->s != NULL) ((transport_t *)(void *)x->s)->source = x;
  return x->s != NULL;
}

/* One of several ways of writing the last n bytes of sent. */
static vow_future_t *source_write(source_t *x, size_t n, unsigned way) {
  char *data = x->sent + x->sent_bytes;
  uv_buf_t bufs[3] = {{data, n / 2}, {data + n / 2, 0}, {data, n - n / 2}};
  vow_bytes_t *b;
  vow_future_t *f;
  bufs[2].base = data + n / 2;
  switch (way % 4) {
  case 0:
    return vow_stream_write(x->peer, data, n);
  case 1:
    return vow_stream_writev(x->peer, bufs, 3);
  case 2:
    return vow_stream_write_borrowed(x->peer, data, n);
  default:
    b = vow_bytes_copy(data, n);
    if (b == NULL) return vow_ready(x->loop, vow_fail(UV_ENOMEM));
    f = vow_stream_write_bytes(x->peer, b);
    vow_bytes_unref(b);
    return f;
  }
}

static void source_keep_write(source_t *x, vow_future_t *f, size_t n) {
  size_t i = 0;
  while (i < WRITES_MAX && x->writes[i] != NULL) i++;
  if (i == WRITES_MAX) {
    vow_drop(f);
    return;
  }
  x->writes[i] = f;
  x->write_bytes[i] = n;
}

/* Sends n bytes, which lie behind those that were sent. */
static void source_send(source_t *x, size_t n, unsigned way) {
  if (x->end != 0 || n == 0) return;
  if (x->is_pair) {
    vow_future_t *f;
    if (x->peer == NULL) return;
    f = source_write(x, n, way);
    if (vow_is_settled(f) && vow_status(f) != 0) /* for want of memory */
      vow_drop(f);
    else
      x->sent_bytes += n, source_keep_write(x, f, n);
    return;
  }
  if (x->pieces == PIECES_MAX) return;
  x->sent_bytes += n;
  x->piece_end[x->pieces++] = x->sent_bytes;
  if (source_pump(x) != 0) {
    if (x->obedient) x->reading = false;
    vow_stream_stall(x->s, UV_ENOMEM);
    x->reading = false;
  }
}

/* What the other end has not got is lost. at: where its reader is. */
static void source_lose(source_t *x, size_t at) {
  x->sent_bytes = at + vow_stream_buffered(x->s);
  x->end_told = true;
}

/* Ends it: in order, or with an error. */
static void source_end(source_t *x, size_t at, unsigned way) {
  if (x->end != 0) return;
  if (!x->is_pair) {
    x->end = way % 3 == 2 ? UV_ECONNRESET : UV_EOF;
    (void)source_pump(x);
    return;
  }
  if (x->peer == NULL) return;
  if (way % 3 == 0) {
    vow_future_t *f = vow_stream_shutdown(x->peer);
    if (!vow_is_settled(f) || vow_status(f) == 0) x->end = UV_EOF;
    vow_drop(f); /* which takes nothing back */
    return;
  }
  source_lose(x, at);
  x->end = way % 3 == 1 ? UV_EOF : UV_ECONNABORTED;
  vow_drop(way % 3 == 1 ? vow_stream_close(x->peer)
                        : vow_stream_reset(x->peer, UV_ECONNABORTED));
}

/* Writes that have settled have done all they were to. */
static void source_look(source_t *x) {
  for (size_t i = 0; i < WRITES_MAX; i++) {
    vow_future_t *f = x->writes[i];
    if (f == NULL || !vow_is_settled(f)) continue;
    if (vow_status(f) == 0)
      REQUIRE((size_t)vow_get_int(f) == x->write_bytes[i]);
    x->writes[i] = NULL;
    vow_drop(f);
  }
}

static void source_drop_writes(source_t *x) {
  for (size_t i = 0; i < WRITES_MAX; i++) {
    vow_drop(x->writes[i]);
    x->writes[i] = NULL;
  }
}

#endif

/* SPDX-License-Identifier: MIT */
/* One end of a connection as fuzz_peer.c uses it, in a task: what is written
 * and what is read are patterns, told by their place alone, so that a byte that
 * is lost, doubled or out of order shows. */
#ifndef VOW_TEST_FUZZ_PEER_CONN_H
#define VOW_TEST_FUZZ_PEER_CONN_H

#include "fuzz/fuzz.h"

#include <stdarg.h>
#include <string.h>
#include <uv.h>
#include <vow/check_net.h>

#define PATTERN_BYTES ((size_t)16 * 1024)

static char up[PATTERN_BYTES];   /* from the client */
static char down[PATTERN_BYTES]; /* to it */

static inline void fill_patterns(void) {
  static bool filled;
  for (size_t i = 0; i < PATTERN_BYTES && !filled; i++) {
    up[i] = (char)(i % 251 + i / 256 * 3 + 1);
    down[i] = (char)(255 - i % 253 - i / 256);
  }
  filled = true;
}

/* ---- instead of the test kit's --------------------------------------------
 */

static struct {
  uint64_t random;
  unsigned complaints;
} kit;

uint64_t __wrap_vow_check_random(uint64_t bound);
void __wrap_vow_check_complain(const char *site, const char *fmt, ...);

uint64_t __wrap_vow_check_random(uint64_t bound) {
  kit.random ^= kit.random << 13;
  kit.random ^= kit.random >> 7;
  kit.random ^= kit.random << 17;
  return bound > 0 ? kit.random % bound : 0;
}

/* A script may be in a state that it complains of; but the bytes that it gets
 * are never others than those that were sent. */
void __wrap_vow_check_complain(const char *site, const char *fmt, ...) {
  char text[2048];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  REQUIRE(site != NULL);
  REQUIRE(strstr(text, "VOW_EXPECT(") == NULL ||
          strstr(text, ": got ") == NULL);
  kit.complaints++;
}

/* ---- one end --------------------------------------------------------------
 */

typedef struct conn {
  vow_stream_t *s;
  const char *out, *in; /* the patterns */
  size_t written, got;
  uint64_t patience_ms; /* with a read; 0: without limit */
} conn_t;

/** Writes n bytes in pieces. */
static int conn_write(conn_t *c, size_t n, size_t piece) {
  while (n > 0) {
    size_t part = piece > 0 && piece < n ? piece : n;
    int err;
    if (c->written + part > PATTERN_BYTES) return UV_EMSGSIZE;
    /* What was begun may arrive, even if this fails. */
    err = vow_await_status(vow_stream_write(c->s, c->out + c->written, part));
    if (err != 0) return err;
    c->written += part;
    n -= part;
  }
  return 0;
}

static int conn_compare(conn_t *c, const vow_bytes_t *b) {
  size_t n = vow_bytes_length(b);
  REQUIRE(c->got + n <= PATTERN_BYTES);
  REQUIRE(memcmp(vow_bytes_data(b), c->in + c->got, n) == 0);
  return (int)n;
}

/* A read that was not given the time has taken nothing. */
static vow_future_t *with_patience(conn_t *c, vow_future_t *f) {
  if (c->patience_ms == 0) return f;
  f = vow_timeout(f, (int64_t)c->patience_ms);
  c->patience_ms *= 2;
  if (c->patience_ms > 1000) c->patience_ms = 0;
  return f;
}

static vow_future_t *conn_begin_read(conn_t *c, unsigned way, size_t n) {
  switch (way % 3) {
  case 0:
    return vow_stream_read_exactly(c->s, n);
  case 1:
    return vow_stream_read(c->s, n);
  default:
    return vow_stream_peek(c->s, n);
  }
}

/** Reads something, of at most n bytes, in one of several ways: how many bytes,
 *  0 when it was only a look at them; or the error. */
static int conn_read_some(conn_t *c, unsigned way, size_t n) {
  vow_value_t v;
  int length;
  do {
    v = vow_await(with_patience(c, conn_begin_read(c, way, n)));
    length = vow_value_is_failure(v) ? vow_value_code(v) : 0;
    vow_value_destroy(length != 0 ? v : vow_nil());
  } while (length == UV_ETIMEDOUT);
  if (length != 0) return length;
  length = conn_compare(c, vow_value_get(v, &vow_type_bytes));
  vow_value_destroy(v);
  if (way % 3 == 2) return 0;
  c->got += (size_t)length;
  return length;
}

/** Reads all of n bytes. */
static int conn_read(conn_t *c, unsigned way, size_t n) {
  while (n > 0) {
    int got = conn_read_some(c, way, n);
    if (got < 0) return got;
    if (got == 0) way = 1; /* it was seen; now take it */
    n -= (size_t)got;
  }
  return 0;
}

/** Reads until the end, or an error, which is given. */
static int conn_read_end(conn_t *c) {
  int got;
  do {
    got = conn_read_some(c, 1, 0);
  } while (got > 0);
  return got;
}

#endif

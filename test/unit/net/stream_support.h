/* SPDX-License-Identifier: MIT */
/* What the tests of streams share: a pair in memory on a manual driver, and
 * saying what a read must give. Header only. */
#ifndef VOW_TEST_STREAM_SUPPORT_H
#define VOW_TEST_STREAM_SUPPORT_H

#include <vow/op.h>
#include <vow/stream.h>

#include "support/fault.h"
#include "support/manual.h"
#include "support/test.h"

typedef struct duo {
  vow_loop_t *loop;
  vow_stream_t *a;
  vow_stream_t *b;
} duo_t;

static inline duo_t duo_on(vow_loop_t *loop, size_t capacity_bytes) {
  duo_t d = {loop, NULL, NULL};
  ck_assert_int_eq(vow_stream_pair(loop, capacity_bytes, &d.a, &d.b), 0);
  return d;
}

static inline duo_t duo_open(size_t capacity_bytes) {
  return duo_on(manual_loop(), capacity_bytes);
}

static inline void duo_done(duo_t *d) {
  vow_stream_unref(d->a);
  vow_stream_unref(d->b);
  manual_drain(d->loop);
  manual_done(d->loop);
}

/* Writes text; nobody waits for it. */
static inline void say(vow_stream_t *s, const char *text) {
  vow_future_t *f = vow_stream_write(s, text, strlen(text));
  ck_assert(vow_status(f) == 0 || vow_status(f) == UV_EAGAIN);
  vow_drop(f);
}

/* f has succeeded with these bytes; it is dropped. */
static inline void gives(vow_future_t *f, const char *text) {
  vow_bytes_t *b;
  ck_assert_int_eq(vow_status(f), 0);
  b = vow_bytes_get(f);
  ck_assert_ptr_nonnull(b);
  ck_assert_uint_eq(vow_bytes_length(b), strlen(text));
  ck_assert_int_eq(memcmp(vow_bytes_data(b), text, strlen(text)), 0);
  vow_drop(f);
}

/* f has settled with code (0: success); it is dropped. */
static inline void ends(vow_future_t *f, int code) {
  ck_assert_int_eq(vow_status(f), code);
  vow_drop(f);
}

/* f has failed with code, and text is in its message; it is dropped. */
static inline void fails(vow_future_t *f, int code, const char *text) {
  ck_assert_int_eq(vow_status(f), code);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), text));
  vow_drop(f);
}

static inline bool is_pending(vow_future_t *f) {
  return vow_state(f) == VOW_PENDING;
}

#endif

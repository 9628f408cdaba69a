/* SPDX-License-Identifier: MIT */
/* What the tests of iterator tools share: callbacks, and short ways to ask. */
#ifndef VOW_TEST_COMBINE_ITER_HELPERS_H
#define VOW_TEST_COMBINE_ITER_HELPERS_H

#include "support/tap.h"
#include "unit/combine/helpers.h"

#include <vow/iter_sources.h>
#include <vow/iter_tools.h>

/** A new loop, and the counters at 0. */
static inline vow_loop_t *fresh_loop(void) {
  things_live = arg_drops = 0;
  return manual_loop();
}

/** Numbers from 0 to n - 1. */
static inline vow_iter_t *upto(vow_loop_t *loop, int64_t n) {
  return vow_iter_range(loop, 0, n, 1);
}

/** The next outcome, with what is ready run meanwhile; the caller drops it. */
static inline vow_future_t *next_of(vow_loop_t *loop, vow_iter_t *it) {
  vow_future_t *f = vow_iter_next(it);
  manual_drain(loop);
  return f;
}

#define NEXT_INT(loop, it, i)    EXPECT_INT(next_of((loop), (it)), (i))
#define NEXT_FAILED(loop, it, c) EXPECT_FAILED(next_of((loop), (it)), (c))
#define NEXT_IS_END(loop, it)    EXPECT_FAILED(next_of((loop), (it)), UV_EOF)
#define NEXT_PENDING(f)          ck_assert_int_eq(vow_state(f), VOW_PENDING)

/** Closes it, checks that this succeeds, and frees it. */
static inline void close_ok(vow_loop_t *loop, vow_iter_t *it) {
  vow_future_t *f = vow_iter_close(it);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  vow_iter_free(it);
}

/** What a callback does, and what it saw. */
typedef struct script {
  vow_loop_t *loop;
  int calls;
  int64_t last;      /* the last number it saw */
  bool follow;       /* follows a promise, which ends when the test says so */
  vow_promise_t *p;  /* the last of them */
  int asked;         /* how often one was asked to end */
  int fail;          /* fails with this */
  vow_iter_t *frees; /* frees this, once */
  vow_future_t *cancels;
} script_t;

static inline vow_value_t run_script(vow_future_t *in, void *arg) {
  script_t *s = arg;
  vow_iter_t *it = s->frees;
  vow_future_t *f;
  s->calls++;
  s->last = vow_get_int(in);
  s->frees = NULL;
  if (it != NULL) vow_iter_free(it);
  if (s->cancels != NULL) vow_cancel(s->cancels);
  if (s->fail != 0) return vow_fail(s->fail);
  if (!s->follow) return vow_int(s->last * 10);
  f = vow_promise_new(s->loop, &s->p);
  vow_promise_on_cancel(s->p, note_cancel, &s->asked);
  return vow_follow(f);
}

/** Ends what the script followed last. */
static inline void answer(script_t *s, vow_value_t v) {
  vow_promise_finish(s->p, v);
  manual_drain(s->loop);
}

/** The number is odd. */
static inline vow_value_t odd(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_int(vow_get_int(in) % 2);
}

/** The number is below *arg. */
static inline vow_value_t below(vow_future_t *in, void *arg) {
  return vow_int(vow_get_int(in) < *(int64_t *)arg);
}

#endif

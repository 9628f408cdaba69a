/* SPDX-License-Identifier: MIT */
/* What the tests of the combinators share: counted values, promises in pairs,
 * checks of an outcome, and a body run with each allocation failing. */
#ifndef VOW_TEST_COMBINE_HELPERS_H
#define VOW_TEST_COMBINE_HELPERS_H

#include "support/fault.h"
#include "support/manual.h"
#include "support/test.h"

#include <uv.h>
#include <vow/time.h>

/* ---- values that are counted ----------------------------------------------
 */

static int things_live;

static inline void thing_destroy(void *p) {
  (void)p;
  things_live--;
}

static inline void *thing_ref(void *p) {
  things_live++;
  return p;
}

static const vow_type_t type_thing = {"thing", thing_destroy, NULL, NULL};
static const vow_type_t type_shared = {"shared thing", thing_destroy, thing_ref,
                                       NULL};

/** A value that must be destroyed once and cannot be shared. */
static inline vow_value_t thing(void) {
  things_live++;
  return vow_ptr(&things_live, &type_thing);
}

/** The same, but it can be shared. */
static inline vow_value_t shared_thing(void) {
  things_live++;
  return vow_ptr(&things_live, &type_shared);
}

/* ---- args that are counted ------------------------------------------------
 */

static int arg_drops;

static inline void count_drop(void *arg) {
  (void)arg;
  arg_drops++;
}

/* ---- futures --------------------------------------------------------------
 */

typedef struct pair {
  vow_future_t *f;
  vow_promise_t *p;
} pair_t;

static inline pair_t pair(vow_loop_t *loop) {
  pair_t x;
  x.f = vow_promise_new(loop, &x.p);
  return x;
}

static inline void note_cancel(vow_promise_t *p, void *arg) {
  (void)p;
  if (arg != NULL) ++*(int *)arg;
}

/** A promise that does not end before the test finishes it, also when it is
 *  cancelled; that raises *asked. */
static inline pair_t slow_pair(vow_loop_t *loop, int *asked) {
  pair_t x = pair(loop);
  vow_promise_on_cancel(x.p, note_cancel, asked);
  return x;
}

static inline vow_future_t *ok(vow_loop_t *loop, int64_t i) {
  return vow_ready(loop, vow_int(i));
}

static inline vow_future_t *bad(vow_loop_t *loop, int code) {
  return vow_ready(loop, vow_fail(code));
}

/* ---- outcomes; each consumes f --------------------------------------------
 */

#define EXPECT_INT(f, i)                    \
  do {                                      \
    vow_future_t *f_ = (f);                 \
    ck_assert_int_eq(vow_status(f_), 0);    \
    ck_assert_int_eq(vow_get_int(f_), (i)); \
    vow_drop(f_);                           \
  } while (0)

#define EXPECT_FAILED(f, code)                   \
  do {                                           \
    vow_future_t *f_ = (f);                      \
    ck_assert_int_eq(vow_status(f_), (code));    \
    ck_assert_int_eq(vow_state(f_), VOW_FAILED); \
    vow_drop(f_);                                \
  } while (0)

#define EXPECT_CANCELLED(f)                         \
  do {                                              \
    vow_future_t *f_ = (f);                         \
    ck_assert_int_eq(vow_state(f_), VOW_CANCELLED); \
    vow_drop(f_);                                   \
  } while (0)

/** Fails with UV_EINVAL, and the message has text in it. */
#define EXPECT_MISUSE(f, text)                                              \
  do {                                                                      \
    vow_future_t *f_ = (f);                                                 \
    ck_assert_int_eq(vow_status(f_), UV_EINVAL);                            \
    ck_assert_msg(strstr(vow_error_message(vow_error(f_)), (text)) != NULL, \
                  "'%s' lacks '%s'", vow_error_message(vow_error(f_)),      \
                  (text));                                                  \
    vow_drop(f_);                                                           \
  } while (0)

/* ---- loops that count what nobody saw -------------------------------------
 */

static int unhandled;

static inline void count_unhandled(vow_future_t *f, void *arg) {
  (void)f;
  (void)arg;
  unhandled++;
}

static inline vow_loop_t *counting_loop(bool probe_cells) {
  vow_loop_options_t options = {0};
  options.probe_cells = probe_cells;
  options.on_unhandled = count_unhandled;
  unhandled = 0;
  return manual_loop_with(&options);
}

/* ---- want of memory -------------------------------------------------------
 */

static inline bool run_starved(void (*body)(vow_loop_t *loop), size_t n,
                               bool from_then_on, int drops) {
  vow_loop_t *loop;
  bool hit;
  fault_install();
  loop = counting_loop(true);
  ck_assert_ptr_nonnull(loop);
  arg_drops = 0;
  if (from_then_on)
    fault_fail_from(n);
  else
    fault_fail_at(n);
  body(loop);
  hit = fault_failed() > 0;
  fault_off();
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(arg_drops, drops);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return hit;
}

/** Runs body on a fresh loop with its 1st, 2nd, ... allocation failing, alone
 *  and with all after it, until none is hit. Each time all values must be
 *  destroyed, all memory released, and count_drop called drops times. */
static inline void starve(void (*body)(vow_loop_t *loop), int drops) {
  size_t n = 1;
  while (run_starved(body, n, false, drops)) n++;
  ck_assert_uint_gt(n, 1);
  for (n = 1; run_starved(body, n, true, drops);) n++;
}

#endif

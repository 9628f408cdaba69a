/* SPDX-License-Identifier: MIT */
/* Tests of two loops on one thread: which of them a failure without a loop is
 * handled on; and of what a loop counts as its own. */
#include "unit/core/helpers.h"

#include <vow/token.h>

/* A chain on a failure that was made where no loop was known. */
static vow_future_t *handled(arg_t *a) {
  *a = returns(vow_nil());
  return vow_handle(vow_then(NULL, same, NULL), arg_run, a, arg_drop);
}

static void expect_handled_on(vow_loop_t *loop) {
  arg_t a;
  vow_future_t *f = handled(&a);
  ck_assert_ptr_eq(vow_loop_of(f), loop);
  manual_drain(loop);
  EXPECT_RAN(a);
  ck_assert_int_eq(a.status, UV_EINVAL);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
}

TEST(test_two_loops_failure_without_a_loop_goes_to_the_newest) {
  vow_loop_t *a = manual_loop(), *b = manual_loop();
  expect_handled_on(b);
  manual_done(b);
  manual_done(a);
}

TEST(test_two_loops_failure_goes_to_the_older_when_the_newest_is_closed) {
  vow_loop_t *a = manual_loop(), *b = manual_loop();
  manual_done(b);
  expect_handled_on(a);
  manual_done(a);
}

TEST(test_two_loops_failure_goes_to_the_newest_when_the_older_is_closed) {
  vow_loop_t *a = manual_loop(), *b = manual_loop();
  manual_done(a);
  expect_handled_on(b);
  manual_done(b);
}

TEST(test_two_loops_of_three_the_middle_may_be_closed_first) {
  vow_loop_t *a = manual_loop(), *b = manual_loop(), *c = manual_loop();
  manual_done(b);
  expect_handled_on(c);
  manual_done(c);
  expect_handled_on(a);
  manual_done(a);
}

TEST(test_two_loops_failure_after_both_are_closed_stays_a_failure) {
  vow_loop_t *a = manual_loop(), *b = manual_loop();
  arg_t arg;
  vow_future_t *f;
  manual_done(a);
  manual_done(b);
  f = handled(&arg);
  EXPECT_SKIPPED(arg);
  EXPECT_FAILED(f, UV_EINVAL);
}

/* ---- what a loop counts ---------------------------------------------------
 */

static void count_each(vow_future_t *f, const char *what, const char *site,
                       vow_state_t state, void *arg) {
  (void)f;
  ck_assert_str_eq(what, "watch");
  EXPECT_HAS(site, "test_two_loops.c:");
  ck_assert_int_eq(state, VOW_PENDING);
  ++*(size_t *)arg;
}

/* vow_loop_each shows all that vow_loop_live counts. */
TEST(test_two_loops_each_visits_as_many_as_are_live) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  size_t seen = 0;
  vow_token_watch(t, note_watch, "w");
  vow_loop_each(loop, count_each, &seen);
  ck_assert_uint_eq(seen, 1);
  ck_assert_uint_eq(vow_loop_live(loop), seen);
  vow_token_free(t);
  manual_done(loop);
}

SUITE(core_two_loops) {
  ADD(test_two_loops_failure_without_a_loop_goes_to_the_newest);
  ADD(test_two_loops_failure_goes_to_the_older_when_the_newest_is_closed);
  ADD(test_two_loops_failure_goes_to_the_newest_when_the_older_is_closed);
  ADD(test_two_loops_of_three_the_middle_may_be_closed_first);
  ADD(test_two_loops_failure_after_both_are_closed_stays_a_failure);
  ADD(test_two_loops_each_visits_as_many_as_are_live);
}

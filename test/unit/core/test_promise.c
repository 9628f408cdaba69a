/* SPDX-License-Identifier: MIT */
/* Tests of promises: rules 3 and 4, and the hook that is told of a
 * cancellation. */
#include "unit/core/helpers.h"

TEST(test_promise_resolve_settles_the_future) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  ck_assert(vow_promise_is_wanted(x.p));
  ck_assert_int_eq(vow_resolve(x.p, vow_int(5)), 0);
  ck_assert(!vow_promise_is_wanted(x.p));
  vow_promise_drop(x.p);
  EXPECT_INT(x.f, 5);
  manual_done(loop);
}

TEST(test_promise_reject_fails_the_future) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  ck_assert_int_eq(vow_reject(x.p, UV_EIO), 0);
  vow_promise_drop(x.p);
  EXPECT_FAILED(x.f, UV_EIO);
  x = pair(loop);
  ck_assert_int_eq(vow_reject(x.p, 3), 0);
  vow_promise_drop(x.p);
  EXPECT_FAILED(x.f, UV_EINVAL);
  manual_done(loop);
}

TEST(test_promise_finish_settles_and_gives_up) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  ck_assert_int_eq(vow_promise_finish(x.p, once()), 0);
  ck_assert_ptr_nonnull(vow_get(x.f, &type_once));
  vow_drop(x.f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

/* Rule 3: settle once; a second settle is an error and changes nothing. */
TEST(test_promise_second_settle_is_an_error_and_changes_nothing) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_resolve(x.p, vow_int(1));
  ck_assert_int_eq(vow_resolve(x.p, once()), VOW_ESETTLED);
  EXPECT_HAS(vow_last_message(), "vow_resolve");
  EXPECT_HAS(vow_last_message(), vow_site(x.f));
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(vow_reject(x.p, UV_EIO), VOW_ESETTLED);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_int(2)), VOW_ESETTLED);
  EXPECT_INT(x.f, 1);
  manual_done(loop);
}

/* Rule 3: a promise that adopted another future is locked in. */
TEST(test_promise_that_follows_is_locked_in) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop), y = pair(loop);
  ck_assert_int_eq(vow_resolve(x.p, vow_follow(y.f)), 0);
  ck_assert_int_eq(vow_state(x.f), VOW_PENDING);
  ck_assert_int_eq(vow_resolve(x.p, once()), VOW_ESETTLED);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(vow_promise_on_cancel(x.p, raise_count, NULL), VOW_ESETTLED);
  vow_promise_drop(x.p);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(x.f), VOW_PENDING);
  vow_promise_finish(y.p, vow_int(9));
  manual_drain(loop);
  EXPECT_INT(x.f, 9);
  manual_done(loop);
}

TEST(test_promise_that_follows_is_wanted_until_cancelled) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop), y = pair(loop);
  vow_resolve(x.p, vow_follow(y.f));
  ck_assert(vow_promise_is_wanted(x.p));
  vow_drop(x.f);
  ck_assert(!vow_promise_is_wanted(y.p));
  ck_assert_int_eq(vow_promise_finish(y.p, once()), UV_ECANCELED);
  vow_promise_drop(x.p);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

/* Rule 4: a promise dropped unsettled breaks, naming the promise's site. */
TEST(test_promise_dropped_unsettled_is_broken_and_names_its_site) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  const char *site = vow_site(x.f);
  vow_promise_drop(x.p);
  ck_assert(vow_is_settled(x.f));
  EXPECT_HAS(vow_error_message(vow_error(x.f)), "broken promise");
  EXPECT_HAS(vow_error_message(vow_error(x.f)), site);
  ck_assert_str_eq(vow_error_site(vow_error(x.f)), site);
  EXPECT_FAILED(x.f, VOW_EBROKEN);
  manual_done(loop);
}

/* Rule 4 */
TEST(test_promise_broken_without_memory_keeps_the_code) {
  vow_loop_t *loop;
  pair_t x;
  fault_install();
  loop = manual_loop();
  x = pair(loop);
  fault_fail_from(1);
  vow_promise_drop(x.p);
  EXPECT_FAILED(x.f, VOW_EBROKEN);
  fault_off();
  manual_done(loop);
  fault_remove();
}

TEST(test_promise_null_is_an_error_and_destroys_the_value) {
  ck_assert_int_eq(vow_resolve(NULL, once()), UV_EINVAL);
  EXPECT_HAS(vow_last_message(), "vow_resolve: the promise is NULL");
  ck_assert_int_eq(vow_promise_finish(NULL, once()), UV_EINVAL);
  ck_assert_int_eq(vow_reject(NULL, UV_EIO), UV_EINVAL);
  ck_assert_int_eq(things_live, 0);
  vow_promise_drop(NULL);
  ck_assert(!vow_promise_is_wanted(NULL));
  ck_assert_int_eq(vow_promise_on_cancel(NULL, raise_count, NULL), UV_EINVAL);
}

TEST(test_promise_new_without_memory_gives_no_handle) {
  vow_loop_t *loop;
  vow_future_t *f;
  vow_promise_t *p = (vow_promise_t *)(void *)&loop;
  fault_install();
  loop = manual_loop_probe();
  fault_fail_from(1);
  f = vow_promise_new(loop, &p);
  ck_assert_ptr_null(p);
  EXPECT_FAILED(f, UV_ENOMEM);
  fault_off();
  manual_done(loop);
  fault_remove();
}

/* ---- cancelled ------------------------------------------------------------
 */

TEST(test_promise_cancelled_without_hook_settles_at_once) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_cancel(x.f);
  ck_assert(vow_is_cancelled(x.f));
  ck_assert(!vow_promise_is_wanted(x.p));
  ck_assert_int_eq(vow_resolve(x.p, once()), UV_ECANCELED);
  ck_assert_int_eq(things_live, 0);
  vow_promise_drop(x.p);
  EXPECT_CANCELLED(x.f, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_promise_dropped_future_tells_the_handle) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_drop(x.f);
  ck_assert(!vow_promise_is_wanted(x.p));
  ck_assert_int_eq(vow_promise_finish(x.p, once()), UV_ECANCELED);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_promise_hook_is_queued_once_and_the_future_waits) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_cancel(x.f);
  vow_cancel(x.f);
  ck_assert_int_eq(asked, 0); /* Rule 1 */
  ck_assert(!vow_promise_is_wanted(x.p));
  manual_drain(loop);
  vow_cancel(x.f);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(x.f), VOW_PENDING);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_fail(UV_ECANCELED)), 0);
  EXPECT_CANCELLED(x.f, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_promise_hook_runs_for_a_dropped_future) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_drop(x.f);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_uint_eq(vow_loop_live(loop), 1);
  ck_assert_int_eq(vow_promise_finish(x.p, once()), 0);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_promise_with_hook_may_succeed_all_the_same) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_cancel(x.f);
  manual_drain(loop);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_int(8)), 0);
  EXPECT_INT(x.f, 8);
  manual_done(loop);
}

TEST(test_promise_settled_before_its_hook_ran_never_runs_it) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_cancel(x.f);
  vow_promise_finish(x.p, vow_int(8));
  manual_drain(loop);
  ck_assert_int_eq(asked, 0);
  EXPECT_INT(x.f, 8);
  manual_done(loop);
}

TEST(test_promise_with_hook_dropped_settles_as_cancelled) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_cancel(x.f);
  vow_promise_drop(x.p);
  manual_drain(loop);
  EXPECT_CANCELLED(x.f, UV_ECANCELED);
  ck_assert_int_eq(asked, 0);
  manual_done(loop);
}

TEST(test_promise_hook_set_after_the_cancellation_is_queued) {
  vow_loop_t *loop = manual_loop();
  int first = 0, second = 0;
  pair_t x = slow_pair(loop, &first);
  vow_cancel(x.f);
  manual_drain(loop);
  ck_assert_int_eq(vow_promise_on_cancel(x.p, raise_count, &second), 0);
  ck_assert_int_eq(second, 0);
  manual_drain(loop);
  ck_assert_int_eq(first, 1);
  ck_assert_int_eq(second, 1);
  vow_promise_drop(x.p);
  EXPECT_CANCELLED(x.f, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_promise_hook_replaced_before_it_ran_runs_the_new_one_only) {
  vow_loop_t *loop = manual_loop();
  int first = 0, second = 0;
  pair_t x = slow_pair(loop, &first);
  vow_cancel(x.f);
  ck_assert_int_eq(vow_promise_on_cancel(x.p, raise_count, &second), 0);
  manual_drain(loop);
  ck_assert_int_eq(first, 0);
  ck_assert_int_eq(second, 1);
  vow_promise_drop(x.p);
  vow_drop(x.f);
  manual_done(loop);
}

TEST(test_promise_hook_on_settled_is_an_error) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  ck_assert_int_eq(vow_promise_on_cancel(x.p, NULL, NULL), UV_EINVAL);
  EXPECT_HAS(vow_last_message(), "vow_promise_on_cancel");
  vow_resolve(x.p, vow_nil());
  ck_assert_int_eq(vow_promise_on_cancel(x.p, raise_count, NULL), VOW_ESETTLED);
  vow_promise_drop(x.p);
  vow_drop(x.f);
  manual_done(loop);
}

static void finish_in_hook(vow_promise_t *p, void *arg) {
  vow_drop(arg);
  vow_promise_finish(p, vow_cancelled(UV_EINTR));
}

TEST(test_promise_hook_may_finish_and_drop_everything) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_promise_on_cancel(x.p, finish_in_hook, x.f);
  vow_cancel(x.f);
  manual_drain(loop);
  manual_done(loop);
}

TEST(test_promise_settled_cannot_be_cancelled_any_more) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_promise_finish(x.p, vow_int(1));
  ck_assert_int_eq(vow_cancel(x.f), 0);
  manual_drain(loop);
  ck_assert_int_eq(asked, 0);
  EXPECT_INT(x.f, 1);
  manual_done(loop);
}

SUITE(core_promise) {
  ADD(test_promise_resolve_settles_the_future);
  ADD(test_promise_reject_fails_the_future);
  ADD(test_promise_finish_settles_and_gives_up);
  ADD(test_promise_second_settle_is_an_error_and_changes_nothing);
  ADD(test_promise_that_follows_is_locked_in);
  ADD(test_promise_that_follows_is_wanted_until_cancelled);
  ADD(test_promise_dropped_unsettled_is_broken_and_names_its_site);
  ADD(test_promise_broken_without_memory_keeps_the_code);
  ADD(test_promise_null_is_an_error_and_destroys_the_value);
  ADD(test_promise_new_without_memory_gives_no_handle);
  ADD(test_promise_cancelled_without_hook_settles_at_once);
  ADD(test_promise_dropped_future_tells_the_handle);
  ADD(test_promise_hook_is_queued_once_and_the_future_waits);
  ADD(test_promise_hook_runs_for_a_dropped_future);
  ADD(test_promise_with_hook_may_succeed_all_the_same);
  ADD(test_promise_settled_before_its_hook_ran_never_runs_it);
  ADD(test_promise_with_hook_dropped_settles_as_cancelled);
  ADD(test_promise_hook_set_after_the_cancellation_is_queued);
  ADD(test_promise_hook_replaced_before_it_ran_runs_the_new_one_only);
  ADD(test_promise_hook_on_settled_is_an_error);
  ADD(test_promise_hook_may_finish_and_drop_everything);
  ADD(test_promise_settled_cannot_be_cancelled_any_more);
}

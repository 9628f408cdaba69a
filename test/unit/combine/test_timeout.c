/* SPDX-License-Identifier: MIT */
/* Tests of timeout, deadline and shield: rule 9, clause by clause. */
#include "unit/combine/helpers.h"

#include <vow/timeout.h>

static const char *message(vow_future_t *f) {
  return vow_error_message(vow_error(f));
}

/* ---- timeout --------------------------------------------------------------
 */

TEST(test_timeout_in_time_gives_the_value_and_leaves_no_timer) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_future_t *f = vow_timeout(a.f, 100);
  manual_advance(loop, 99);
  vow_promise_finish(a.p, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(f, 1);
  ck_assert(vow_loop_next_ms(loop) == UINT64_MAX);
  manual_done(loop);
}

TEST(test_timeout_error_in_time_passes_unchanged) {
  vow_loop_t *loop = manual_loop();
  vow_value_t v = vow_failf(UV_EIO, "x");
  vow_future_t *f = vow_timeout(vow_ready(loop, v), 100);
  manual_drain(loop);
  ck_assert_ptr_eq(vow_value_error(vow_peek(f)), vow_value_error(v));
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

/* Rule 9: a timeout is never classed as a cancellation */
TEST(test_timeout_expired_fails_with_etimedout_and_its_site) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_timeout(vow_never(loop), 500);
  manual_advance(loop, 499);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 1);
  ck_assert_str_eq(message(f), "timed out after 500 ms");
  ck_assert_str_eq(vow_error_site(vow_error(f)), vow_site(f));
  ck_assert(!vow_is_cancelled(f));
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  manual_done(loop);
}

/* Rule 9: cleanup finishes before the error is delivered */
TEST(test_timeout_error_waits_for_clean_up) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t a = slow_pair(loop, &asked);
  vow_future_t *f = vow_timeout(a.f, 10);
  manual_advance(loop, 50);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_drop(a.p);
  manual_drain(loop);
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  manual_done(loop);
}

/* Rule 9: an input that completes all the same delivers its value */
TEST(test_timeout_value_after_expiry_is_delivered) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL);
  vow_future_t *f = vow_timeout(a.f, 10);
  manual_advance(loop, 10);
  vow_promise_finish(a.p, vow_int(3));
  manual_drain(loop);
  EXPECT_INT(f, 3);
  manual_done(loop);
}

/* Rule 9: the same when it completes at the very instant */
TEST(test_timeout_value_at_the_same_instant_is_delivered) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_timeout(vow_sleep(loop, 10), 10);
  manual_advance(loop, 10);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  manual_done(loop);
}

static vow_value_t fail_clean_up(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_failf(UV_EIO, "flush failed");
}

/* Rule 9: one that fails in cleanup delivers that error with the timeout as
 * cause */
TEST(test_timeout_clean_up_failure_has_the_timeout_as_cause) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f =
      vow_timeout(vow_finally(vow_never(loop), fail_clean_up, NULL), 10);
  vow_value_t cause;
  manual_advance(loop, 10);
  ck_assert_str_eq(message(f), "flush failed");
  ck_assert_ptr_nonnull(strstr(vow_error_site(vow_error(f)), "test_timeout"));
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_ETIMEDOUT);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_timeout_clean_up_failure_keeps_its_own_causes) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL);
  vow_future_t *f = vow_timeout(a.f, 10);
  vow_value_t cause, below;
  manual_advance(loop, 10);
  vow_promise_finish(
      a.p, vow_fail_cause(UV_EIO, vow_failf(UV_ENOSPC, "full"), "flush"));
  manual_drain(loop);
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_ENOSPC);
  ck_assert(vow_error_cause(vow_value_error(cause), &below));
  ck_assert_int_eq(vow_value_code(below), UV_ETIMEDOUT);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_timeout_plain_clean_up_code_has_the_timeout_as_cause) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL);
  vow_future_t *f = vow_timeout(a.f, 10);
  vow_value_t cause;
  manual_advance(loop, 10);
  vow_promise_finish(a.p, vow_fail(UV_EIO));
  manual_drain(loop);
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_ETIMEDOUT);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

/* Rule 9: <= 0 on a settled input gives its value */
TEST(test_timeout_zero_or_less_on_settled_gives_its_value) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_timeout(ok(loop, 1), 0);
  vow_future_t *g = vow_timeout(ok(loop, 2), INT64_MIN);
  manual_drain(loop);
  EXPECT_INT(f, 1);
  EXPECT_INT(g, 2);
  manual_done(loop);
}

static vow_value_t must_not_run(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  ck_abort_msg("ran");
  return vow_nil();
}

/* Rule 9: on a pending one it times out without starting more */
TEST(test_timeout_zero_on_pending_starts_nothing) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_timeout(vow_then(ok(loop, 1), must_not_run, NULL), 0);
  vow_future_t *g = vow_timeout(vow_never(loop), -5);
  manual_drain(loop);
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  EXPECT_FAILED(g, UV_ETIMEDOUT);
  manual_done(loop);
}

/* Rule 9: of nested timeouts the outer one reports when it fires first */
TEST(test_timeout_nested_outer_first_outer_reports) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_timeout(vow_timeout(vow_never(loop), 20), 10);
  manual_advance(loop, 10);
  ck_assert_str_eq(message(f), "timed out after 10 ms");
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  ck_assert(vow_loop_next_ms(loop) == UINT64_MAX);
  manual_done(loop);
}

TEST(test_timeout_nested_inner_first_inner_reports) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_timeout(vow_timeout(vow_never(loop), 10), 20);
  manual_advance(loop, 30);
  ck_assert_str_eq(message(f), "timed out after 10 ms");
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  manual_done(loop);
}

static vow_future_t *nested_equal(vow_loop_t *loop, vow_future_t *f,
                                  const char **ret_site, uint64_t ms) {
  f = vow_timeout(f, (int64_t)ms);
  f = vow_timeout(f, (int64_t)ms);
  f = vow_deadline(f, vow_loop_now_ms(loop) + ms);
  *ret_site = vow_site(f);
  return f;
}

/* Rule 9: equal deadlines: the outermost */
TEST(test_timeout_equal_deadlines_the_outermost_reports) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *shared = vow_never(loop);
  for (int k = 0; k < 3; k++) {
    const char *site;
    vow_future_t *in = k == 0 ? vow_ref(shared) : vow_never(loop);
    vow_future_t *f = nested_equal(loop, in, &site, k == 2 ? 0 : 10);
    manual_advance(loop, 10);
    ck_assert_str_eq(vow_error_site(vow_error(f)), site);
    EXPECT_FAILED(f, UV_ETIMEDOUT);
  }
  vow_drop(shared);
  manual_done(loop);
}

/* Rule 9: the same when there is no input to wait for */
TEST(test_timeout_nested_zero_on_shared_the_outermost_reports) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *shared = vow_never(loop);
  vow_future_t *f = vow_timeout(vow_timeout(vow_ref(shared), 0), 0);
  manual_advance(loop, 1);
  ck_assert_str_eq(vow_error_site(vow_error(f)), vow_site(f));
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  vow_drop(shared);
  manual_done(loop);
}

/* Rule 9: nested, and the input completes all the same */
TEST(test_timeout_nested_value_passes_both) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL);
  vow_future_t *f = vow_timeout(vow_timeout(a.f, 10), 10);
  manual_advance(loop, 10);
  vow_promise_finish(a.p, vow_int(8));
  manual_drain(loop);
  EXPECT_INT(f, 8);
  manual_done(loop);
}

/* Rule 9: an outside cancellation at the same instant wins */
TEST(test_timeout_outside_cancel_at_the_same_instant_wins) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t a = slow_pair(loop, &asked);
  vow_future_t *f = vow_timeout(a.f, 10);
  manual_advance(loop, 10);
  vow_cancel(f);
  vow_promise_drop(a.p);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

/* Rule 9: the same when there is no input to wait for */
TEST(test_timeout_shared_input_cancelled_at_the_same_instant) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *shared = vow_never(loop);
  vow_future_t *f = vow_timeout(vow_ref(shared), 0);
  vow_cancel(f);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(vow_state(shared), VOW_PENDING);
  vow_drop(shared);
  manual_done(loop);
}

TEST(test_timeout_cancel_before_cancels_input_and_timer) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_timeout(vow_never(loop), 1000);
  vow_cancel(f);
  ck_assert(vow_loop_next_ms(loop) == UINT64_MAX);
  manual_drain(loop);
  vow_cancel(f); /* after */
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_timeout_cancelled_input_cancels_the_result) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_timeout(bad(loop, UV_ECANCELED), 1000);
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_timeout_dropped_early_cancels_input_and_timer) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_drop(vow_timeout(a.f, 1000));
  ck_assert(!vow_promise_is_wanted(a.p));
  vow_promise_drop(a.p);
  manual_drain(loop);
  ck_assert(vow_loop_next_ms(loop) == UINT64_MAX);
  manual_done(loop);
}

/* Rules 8 and 9 */
TEST(test_timeout_shared_input_is_left_to_the_others) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_future_t *f = vow_timeout(vow_ref(a.f), 10);
  manual_advance(loop, 10);
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  ck_assert(vow_promise_is_wanted(a.p));
  vow_promise_finish(a.p, vow_int(1));
  EXPECT_INT(a.f, 1);
  manual_done(loop);
}

TEST(test_timeout_huge_delay_is_kept_within_the_clock) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_timeout(vow_never(loop), INT64_MAX);
  vow_future_t *g = vow_deadline(vow_never(loop), UINT64_MAX - 1);
  ck_assert(vow_loop_next_ms(loop) <= VOW_MS_MAX);
  vow_drop(f);
  vow_drop(g);
  manual_drain(loop);
  manual_done(loop);
}

TEST(test_timeout_null_is_refused_by_name) {
  vow_loop_t *loop = manual_loop();
  EXPECT_MISUSE(vow_timeout(NULL, 1), "vow_timeout: the future is NULL");
  EXPECT_MISUSE(vow_deadline(NULL, 1), "vow_deadline: the future is NULL");
  EXPECT_MISUSE(vow_shield(NULL), "vow_shield: the future is NULL");
  manual_done(loop);
}

static void starved_timeout(vow_loop_t *loop) {
  vow_future_t *shared = vow_never(loop);
  vow_future_t *f = vow_timeout(
      vow_finally(vow_never(loop), fail_clean_up, NULL, count_drop), 10);
  vow_future_t *g = vow_timeout(vow_timeout(vow_ref(shared), 10), 10);
  vow_future_t *h = vow_timeout(vow_ready(loop, thing()), 10);
  manual_advance(loop, 20);
  ck_assert(vow_is_settled(f) && vow_is_settled(g) && vow_is_settled(h));
  ck_assert_int_eq(vow_state(f), VOW_FAILED);
  ck_assert_int_eq(vow_state(g), VOW_FAILED);
  vow_drop(f);
  vow_drop(g);
  vow_drop(h);
  vow_drop(shared);
}

TEST(test_timeout_out_of_memory_loses_nothing) {
  starve(starved_timeout, 1);
}

/* Rule 9: and it is a timeout even when there is no memory for its message */
TEST(test_timeout_without_memory_is_still_a_timeout) {
  vow_loop_t *loop;
  vow_future_t *f, *g, *shared;
  fault_install();
  loop = counting_loop(true);
  shared = vow_never(loop);
  f = vow_timeout(vow_never(loop), 10);
  g = vow_timeout(vow_ref(shared), 10);
  fault_fail_from(1);
  manual_advance(loop, 10);
  ck_assert_int_eq(vow_status(f), UV_ETIMEDOUT);
  ck_assert_int_eq(vow_status(g), UV_ETIMEDOUT);
  fault_off();
  vow_drop(f);
  vow_drop(g);
  vow_drop(shared);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- deadline -------------------------------------------------------------
 */

TEST(test_deadline_expires_at_its_time) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_deadline(vow_never(loop), vow_loop_now_ms(loop) + 30);
  manual_advance(loop, 29);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 1);
  ck_assert_ptr_nonnull(strstr(message(f), "deadline"));
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  manual_done(loop);
}

TEST(test_deadline_past_gives_settled_value_and_times_out_pending) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_deadline(ok(loop, 1), 1);
  vow_future_t *g = vow_deadline(vow_never(loop), 0);
  manual_drain(loop);
  EXPECT_INT(f, 1);
  EXPECT_FAILED(g, UV_ETIMEDOUT);
  manual_done(loop);
}

TEST(test_deadline_never_arms_no_timer) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_deadline(vow_never(loop), UINT64_MAX);
  ck_assert(vow_loop_next_ms(loop) == UINT64_MAX);
  vow_drop(f);
  manual_drain(loop);
  manual_done(loop);
}

/* ---- shield ---------------------------------------------------------------
 */

TEST(test_shield_passes_value_error_and_cancellation) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_shield(ok(loop, 1));
  vow_future_t *g = vow_shield(bad(loop, UV_EIO));
  vow_future_t *h = vow_shield(bad(loop, UV_ECANCELED));
  manual_drain(loop);
  EXPECT_INT(f, 1);
  EXPECT_FAILED(g, UV_EIO);
  EXPECT_CANCELLED(h);
  manual_done(loop);
}

TEST(test_shield_cancel_settles_at_once_and_inner_goes_on) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_future_t *f = vow_shield(a.f);
  vow_cancel(f);
  EXPECT_CANCELLED(f);
  ck_assert(vow_promise_is_wanted(a.p));
  vow_promise_finish(a.p, thing());
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_shield_dropped_lets_inner_go_on_and_reports_its_failure) {
  vow_loop_t *loop = counting_loop(false);
  pair_t a = pair(loop);
  vow_drop(vow_shield(a.f));
  ck_assert(vow_promise_is_wanted(a.p));
  vow_promise_finish(a.p, vow_fail(UV_EIO));
  ck_assert_int_eq(unhandled, 1);
  manual_done(loop);
}

TEST(test_shield_in_a_timeout_is_not_waited_for) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_future_t *f = vow_timeout(vow_shield(a.f), 10);
  manual_advance(loop, 10);
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  ck_assert(vow_promise_is_wanted(a.p));
  vow_promise_finish(a.p, vow_nil());
  manual_done(loop);
}

static void starved_shield(vow_loop_t *loop) {
  vow_future_t *f = vow_shield(vow_ready(loop, thing()));
  vow_future_t *g = vow_shield(vow_sleep(loop, 5));
  manual_drain(loop);
  vow_drop(g);
  manual_advance(loop, 5);
  ck_assert(vow_is_settled(f));
  vow_drop(f);
}

TEST(test_shield_out_of_memory_loses_nothing) {
  starve(starved_shield, 0);
}

/* ---- failures that belong to no loop --------------------------------------
 */

TEST(test_timeout_and_shield_of_a_failure_without_a_loop_pass_it_on) {
  vow_future_t *bad = vow_then(NULL, NULL, NULL), *f;
  ck_assert_ptr_null(vow_loop_of(bad));
  f = vow_timeout(bad, 10);
  ck_assert_ptr_eq(f, bad);
  f = vow_shield(f);
  ck_assert_ptr_eq(f, bad);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
}

SUITE(combine_timeout) {
  ADD(test_timeout_in_time_gives_the_value_and_leaves_no_timer);
  ADD(test_timeout_error_in_time_passes_unchanged);
  ADD(test_timeout_expired_fails_with_etimedout_and_its_site);
  ADD(test_timeout_error_waits_for_clean_up);
  ADD(test_timeout_value_after_expiry_is_delivered);
  ADD(test_timeout_value_at_the_same_instant_is_delivered);
  ADD(test_timeout_clean_up_failure_has_the_timeout_as_cause);
  ADD(test_timeout_clean_up_failure_keeps_its_own_causes);
  ADD(test_timeout_plain_clean_up_code_has_the_timeout_as_cause);
  ADD(test_timeout_zero_or_less_on_settled_gives_its_value);
  ADD(test_timeout_zero_on_pending_starts_nothing);
  ADD(test_timeout_nested_outer_first_outer_reports);
  ADD(test_timeout_nested_inner_first_inner_reports);
  ADD(test_timeout_equal_deadlines_the_outermost_reports);
  ADD(test_timeout_nested_zero_on_shared_the_outermost_reports);
  ADD(test_timeout_nested_value_passes_both);
  ADD(test_timeout_outside_cancel_at_the_same_instant_wins);
  ADD(test_timeout_shared_input_cancelled_at_the_same_instant);
  ADD(test_timeout_cancel_before_cancels_input_and_timer);
  ADD(test_timeout_cancelled_input_cancels_the_result);
  ADD(test_timeout_dropped_early_cancels_input_and_timer);
  ADD(test_timeout_shared_input_is_left_to_the_others);
  ADD(test_timeout_huge_delay_is_kept_within_the_clock);
  ADD(test_timeout_null_is_refused_by_name);
  ADD(test_timeout_out_of_memory_loses_nothing);
  ADD(test_timeout_without_memory_is_still_a_timeout);
  ADD(test_deadline_expires_at_its_time);
  ADD(test_deadline_past_gives_settled_value_and_times_out_pending);
  ADD(test_deadline_never_arms_no_timer);
  ADD(test_shield_passes_value_error_and_cancellation);
  ADD(test_shield_cancel_settles_at_once_and_inner_goes_on);
  ADD(test_shield_dropped_lets_inner_go_on_and_reports_its_failure);
  ADD(test_shield_in_a_timeout_is_not_waited_for);
  ADD(test_shield_out_of_memory_loses_nothing);
  ADD(test_timeout_and_shield_of_a_failure_without_a_loop_pass_it_on);
}

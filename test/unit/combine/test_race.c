/* SPDX-License-Identifier: MIT */
/* Tests of race and any: rules 7 and 8. */
#include "unit/combine/helpers.h"

#include <vow/race.h>

/* ---- race -----------------------------------------------------------------
 */

/* Rule 7 */
TEST(test_race_first_to_settle_wins) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop), b = pair(loop);
  vow_future_t *f = vow_race_of(loop, a.f, b.f);
  vow_promise_finish(b.p, vow_int(2));
  vow_promise_finish(a.p, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(f, 2);
  manual_done(loop);
}

/* Rule 7 */
TEST(test_race_first_error_wins_unchanged) {
  vow_loop_t *loop = manual_loop();
  vow_value_t v = vow_failf(UV_EIO, "lost");
  vow_future_t *f = vow_race_of(loop, vow_never(loop), vow_ready(loop, v));
  manual_drain(loop);
  ck_assert_ptr_eq(vow_value_error(vow_peek(f)), vow_value_error(v));
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

/* Rule 7 */
TEST(test_race_first_cancellation_wins) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_future_t *f = vow_race_of(loop, vow_ref(a.f), vow_never(loop));
  vow_cancel(a.f);
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  EXPECT_CANCELLED(a.f);
  vow_promise_drop(a.p);
  manual_done(loop);
}

/* Rule 7 */
TEST(test_race_tie_goes_to_the_first_argument) {
  vow_loop_t *loop = counting_loop(false);
  pair_t a = pair(loop), b = pair(loop);
  vow_future_t *f;
  vow_promise_finish(b.p, vow_int(2)); /* both before there is a race */
  vow_promise_finish(a.p, vow_int(1));
  f = vow_race_of(loop, a.f, b.f, bad(loop, UV_EIO));
  manual_drain(loop);
  EXPECT_INT(f, 1);
  ck_assert_int_eq(unhandled, 0); /* the failure lost, it was not overlooked */
  manual_done(loop);
}

/* Rule 7 */
TEST(test_race_losers_are_cancelled_and_awaited) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t a = slow_pair(loop, &asked), b = slow_pair(loop, &asked);
  vow_future_t *f = vow_race_of(loop, a.f, vow_ready(loop, thing()), b.f);
  manual_drain(loop);
  ck_assert_int_eq(asked, 2);
  vow_promise_finish(a.p, thing()); /* ends with a value all the same */
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(things_live, 1);
  vow_promise_finish(b.p, vow_fail(UV_EIO));
  manual_drain(loop);
  ck_assert_ptr_eq(vow_peek(f).type, &type_thing);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

/* Rule 7 */
TEST(test_race_and_any_of_nothing_fail_with_einval) {
  vow_loop_t *loop = manual_loop();
  EXPECT_MISUSE(vow_race(loop, 0, NULL), "vow_race: there is no future");
  EXPECT_MISUSE(vow_any(loop, 0, NULL), "vow_any: there is no future");
  manual_done(loop);
}

TEST(test_race_input_given_twice_wins_once) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_future_t *f = vow_race_of(loop, a.f, vow_ref(a.f));
  vow_promise_finish(a.p, shared_thing());
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_race_cancel_before_awaits_inputs_and_is_cancelled) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL);
  vow_future_t *f = vow_race_of(loop, a.f, vow_ready(loop, thing()));
  vow_value_t cause;
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(a.p, vow_fail(UV_EIO));
  manual_drain(loop);
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EIO);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_race_cancel_during_unwinding_keeps_the_winner) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL);
  vow_future_t *f = vow_race_of(loop, a.f, ok(loop, 4));
  manual_drain(loop);
  vow_cancel(f);
  vow_promise_drop(a.p);
  manual_drain(loop);
  vow_cancel(f); /* after */
  EXPECT_INT(f, 4);
  manual_done(loop);
}

TEST(test_race_dropped_early_cancels_inputs) {
  vow_loop_t *loop = manual_loop();
  vow_drop(vow_race_of(loop, vow_never(loop), vow_sleep(loop, 10)));
  manual_drain(loop);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  manual_done(loop);
}

/* Rule 8 */
TEST(test_race_million_against_one_never_leave_memory_flat) {
  vow_loop_t *loop;
  vow_future_t *never;
  size_t live, n = test_scale(1000000);
  long blocks = 0, bytes = 0;
  fault_install();
  loop = manual_loop();
  never = vow_never(loop);
  live = vow_loop_live(loop);
  for (size_t i = 0; i < n; i++) {
    vow_future_t *f = vow_race_of(loop, vow_ref(never), ok(loop, (int64_t)i));
    manual_drain(loop);
    EXPECT_INT(f, (int64_t)i);
    if (i == 10) blocks = fault_live(), bytes = fault_live_bytes();
    if (i == n / 2 || i == n - 1) {
      ck_assert_uint_eq(vow_loop_live(loop), live);
      ck_assert_int_eq(fault_live(), blocks);
      ck_assert_int_eq(fault_live_bytes(), bytes);
    }
  }
  vow_drop(never);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_race_bad_arguments_are_refused_by_name) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  vow_future_t *in[2] = {vow_never(loop), NULL};
  EXPECT_MISUSE(vow_race(loop, 2, in), "vow_race: future 1 is NULL");
  in[0] = vow_never(other);
  EXPECT_MISUSE(vow_any(loop, 1, in), "vow_any: future 0 is of another loop");
  EXPECT_MISUSE(vow_any(loop, (size_t)-1, in), "too many");
  EXPECT_MISUSE(vow_race(loop, 3, NULL), "array is NULL");
  in[0] = vow_never(loop);
  EXPECT_MISUSE(vow_race(NULL, 1, in), "loop is NULL");
  manual_done(loop);
  manual_done(other);
}

static void starved_race(vow_loop_t *loop) {
  pair_t a = slow_pair(loop, NULL), b = slow_pair(loop, NULL);
  vow_future_t *f = vow_race_of(loop, a.f, vow_sleep(loop, 5), vow_never(loop));
  vow_future_t *g = vow_race_of(loop, b.f, vow_never(loop));
  manual_advance(loop, 5);
  vow_cancel(g);
  vow_promise_finish(a.p, thing());
  vow_promise_finish(b.p, vow_failf(UV_EIO, "x"));
  manual_drain(loop);
  ck_assert(vow_is_settled(f) && vow_is_settled(g));
  ck_assert_int_ne(vow_state(g), VOW_SUCCEEDED);
  vow_drop(f);
  vow_drop(g);
}

TEST(test_race_out_of_memory_loses_nothing) {
  starve(starved_race, 0);
}

/* ---- any ------------------------------------------------------------------
 */

/* Rule 7 */
TEST(test_any_first_success_wins_over_failures) {
  vow_loop_t *loop = counting_loop(false);
  pair_t a = pair(loop), b = pair(loop);
  vow_future_t *f = vow_any_of(loop, bad(loop, UV_EIO), a.f, b.f);
  vow_promise_finish(b.p, vow_failf(UV_EPIPE, "x"));
  manual_drain(loop);
  vow_promise_finish(a.p, thing());
  manual_drain(loop);
  ck_assert_ptr_eq(vow_peek(f).type, &type_thing);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(unhandled, 0);
  manual_done(loop);
}

/* Rule 7 */
TEST(test_any_all_fail_gives_every_cause_in_argument_order) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop), b = pair(loop);
  vow_future_t *f = vow_any_of(loop, a.f, bad(loop, UV_ECANCELED), b.f);
  const vow_error_t *e;
  vow_promise_finish(b.p, vow_fail(UV_EPIPE));
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(a.p, vow_failf(UV_EIO, "x"));
  manual_drain(loop);
  e = vow_error(f);
  ck_assert_uint_eq(vow_error_count(e), 3);
  ck_assert_int_eq(vow_value_code(vow_error_nth(e, 0)), UV_EIO);
  ck_assert_int_eq(vow_value_code(vow_error_nth(e, 1)), UV_ECANCELED);
  ck_assert_int_eq(vow_value_code(vow_error_nth(e, 2)), UV_EPIPE);
  EXPECT_FAILED(f, VOW_EMULTI);
  manual_done(loop);
}

/* Rule 7 */
TEST(test_any_losers_are_cancelled_and_awaited) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t a = slow_pair(loop, &asked);
  vow_future_t *f = vow_any_of(loop, a.f, bad(loop, UV_EIO), ok(loop, 1));
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_drop(a.p);
  manual_drain(loop);
  EXPECT_INT(f, 1);
  manual_done(loop);
}

TEST(test_any_value_that_cannot_be_shared_counts_as_failure) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *a = vow_ready(loop, thing());
  vow_future_t *f = vow_any_of(loop, vow_ref(a), ok(loop, 2));
  manual_drain(loop);
  EXPECT_INT(f, 2);
  vow_drop(a);
  manual_done(loop);
}

TEST(test_any_cancel_after_some_failed_is_cancelled) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_future_t *f = vow_any_of(loop, bad(loop, UV_EIO), a.f);
  manual_drain(loop);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  vow_promise_drop(a.p);
  manual_done(loop);
}

TEST(test_any_dropped_early_cancels_inputs) {
  vow_loop_t *loop = manual_loop();
  vow_drop(vow_any_of(loop, vow_never(loop), bad(loop, UV_ECANCELED)));
  manual_drain(loop);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  manual_done(loop);
}

/* Rule 8 */
TEST(test_any_shared_loser_is_left_to_the_others) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_future_t *f = vow_any_of(loop, vow_ref(a.f), ok(loop, 1));
  manual_drain(loop);
  EXPECT_INT(f, 1);
  ck_assert(vow_promise_is_wanted(a.p));
  vow_drop(a.f);
  vow_promise_drop(a.p);
  manual_done(loop);
}

static void starved_any(vow_loop_t *loop) {
  vow_future_t *f = vow_any_of(loop, vow_ready(loop, vow_failf(UV_EIO, "a")),
                               vow_ready(loop, vow_failf(UV_EIO, "b")));
  vow_future_t *g = vow_any_of(loop, vow_ready(loop, vow_failf(UV_EIO, "a")),
                               vow_ready(loop, thing()));
  vow_future_t *h = vow_any_of(loop, vow_ready(loop, vow_failf(UV_EIO, "a")),
                               vow_never(loop));
  manual_drain(loop);
  vow_cancel(h);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_FAILED);
  ck_assert(vow_is_settled(g) && vow_is_settled(h));
  vow_drop(f);
  vow_drop(g);
  vow_drop(h);
}

TEST(test_any_out_of_memory_loses_nothing) {
  starve(starved_any, 0);
}

SUITE(combine_race) {
  ADD(test_race_first_to_settle_wins);
  ADD(test_race_first_error_wins_unchanged);
  ADD(test_race_first_cancellation_wins);
  ADD(test_race_tie_goes_to_the_first_argument);
  ADD(test_race_losers_are_cancelled_and_awaited);
  ADD(test_race_and_any_of_nothing_fail_with_einval);
  ADD(test_race_input_given_twice_wins_once);
  ADD(test_race_cancel_before_awaits_inputs_and_is_cancelled);
  ADD(test_race_cancel_during_unwinding_keeps_the_winner);
  ADD(test_race_dropped_early_cancels_inputs);
  ADD(test_race_million_against_one_never_leave_memory_flat);
  ADD(test_race_bad_arguments_are_refused_by_name);
  ADD(test_race_out_of_memory_loses_nothing);
  ADD(test_any_first_success_wins_over_failures);
  ADD(test_any_all_fail_gives_every_cause_in_argument_order);
  ADD(test_any_losers_are_cancelled_and_awaited);
  ADD(test_any_value_that_cannot_be_shared_counts_as_failure);
  ADD(test_any_cancel_after_some_failed_is_cancelled);
  ADD(test_any_dropped_early_cancels_inputs);
  ADD(test_any_shared_loser_is_left_to_the_others);
  ADD(test_any_out_of_memory_loses_nothing);
}

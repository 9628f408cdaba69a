/* SPDX-License-Identifier: MIT */
/* Tests of giving up: dropping cancels up the chain, clean-up runs all the
 * same, detached work goes on, and failures nobody saw are reported (rule 5).
 */
#include "unit/core/helpers.h"

#include <vow/time.h>

TEST(test_drop_cancels_up_the_chain) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_nil()), b = returns(vow_nil());
  vow_future_t *f = vow_then(x.f, arg_run, &a, arg_drop);
  f = vow_catch(f, arg_run, &b, arg_drop);
  ck_assert(vow_promise_is_wanted(x.p));
  vow_drop(f);
  ck_assert(!vow_promise_is_wanted(x.p));
  EXPECT_SKIPPED(a); /* in the call */
  EXPECT_SKIPPED(b);
  vow_promise_drop(x.p);
  manual_done(loop);
}

TEST(test_drop_while_ready_skips_the_callback) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_nil());
  vow_future_t *f = vow_then(vow_ready(loop, once()), arg_run, &a, arg_drop);
  vow_drop(f);
  EXPECT_SKIPPED(a);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_drop_of_one_of_two_references_changes_nothing) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *f = vow_then(x.f, add_one, NULL);
  vow_drop(vow_ref(f));
  ck_assert(vow_promise_is_wanted(x.p));
  vow_promise_finish(x.p, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(f, 2);
  manual_done(loop);
}

TEST(test_drop_by_one_consumer_never_cancels_for_the_others) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *f = vow_then(vow_ref(x.f), add_one, NULL);
  vow_future_t *g = vow_then(x.f, add_one, NULL);
  vow_drop(f);
  ck_assert(vow_promise_is_wanted(x.p));
  vow_promise_finish(x.p, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(g, 2);
  manual_done(loop);
}

TEST(test_drop_by_the_last_consumer_cancels) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *f = vow_then(vow_ref(x.f), add_one, NULL);
  vow_future_t *g = vow_then(x.f, add_one, NULL);
  vow_drop(g);
  vow_drop(f);
  ck_assert(!vow_promise_is_wanted(x.p));
  vow_promise_drop(x.p);
  manual_done(loop);
}

TEST(test_drop_of_a_running_timer_stops_it) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_then(vow_sleep(loop, 100), add_one, NULL);
  vow_drop(f);
  ck_assert_uint_eq(vow_loop_next_ms(loop), UINT64_MAX);
  manual_done(loop);
}

/* ---- orphans: clean-up runs though nobody waits ---------------------------
 */

TEST(test_drop_still_runs_handle_and_finally) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_nil()), b = returns(vow_nil()), c = returns(vow_nil());
  vow_future_t *f = vow_handle(vow_never(loop), arg_run, &a, arg_drop);
  f = vow_then(f, arg_run, &c, arg_drop);
  f = vow_finally(f, arg_run, &b, arg_drop);
  vow_drop(f);
  ck_assert_int_eq(a.runs + b.runs, 0); /* Rule 1 */
  manual_drain(loop);
  EXPECT_RAN(a);
  EXPECT_RAN(b);
  ck_assert_int_eq(a.seen, VOW_CANCELLED);
  EXPECT_SKIPPED(c);
  manual_done(loop);
}

TEST(test_drop_with_a_settled_source_still_runs_cleanup) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(once());
  vow_drop(vow_handle(ok(loop, 3), arg_run, &a, arg_drop));
  manual_drain(loop);
  EXPECT_RAN(a);
  ck_assert_int_eq(a.seen, VOW_SUCCEEDED);
  ck_assert_int_eq(a.number, 3);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_drop_still_awaits_what_finally_returned) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_follow(x.f)), b = returns(vow_nil());
  vow_future_t *f = vow_finally(vow_never(loop), arg_run, &a, arg_drop);
  f = vow_finally(f, arg_run, &b, arg_drop);
  vow_drop(f);
  manual_drain(loop);
  EXPECT_RAN(a);
  ck_assert_int_eq(b.runs, 0);
  ck_assert(vow_promise_is_wanted(x.p));
  vow_promise_finish(x.p, vow_nil());
  manual_drain(loop);
  EXPECT_RAN(b);
  manual_done(loop);
}

TEST(test_drop_while_finally_awaits_keeps_awaiting) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_follow(x.f));
  vow_future_t *f = vow_finally(vow_ready(loop, once()), arg_run, &a, arg_drop);
  manual_drain(loop);
  vow_drop(f);
  ck_assert(vow_promise_is_wanted(x.p));
  ck_assert_int_eq(things_live, 1);
  vow_promise_finish(x.p, vow_nil());
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

/* What a dropped handle returns nobody wants. */
TEST(test_drop_of_handle_drops_the_future_it_returns) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_follow(x.f));
  vow_drop(vow_handle(ok(loop, 1), arg_run, &a, arg_drop));
  manual_drain(loop);
  EXPECT_RAN(a);
  ck_assert(!vow_promise_is_wanted(x.p));
  vow_promise_drop(x.p);
  manual_done(loop);
}

/* ---- detach ---------------------------------------------------------------
 */

TEST(test_detach_goes_on_and_frees_itself) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(once());
  vow_detach(vow_then(x.f, arg_run, &a, arg_drop));
  ck_assert(vow_promise_is_wanted(x.p));
  vow_promise_finish(x.p, vow_int(1));
  manual_drain(loop);
  EXPECT_RAN(a);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_detach_follows_what_its_callback_returns) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop), y = pair(loop);
  arg_t a = returns(vow_follow(y.f));
  vow_detach(vow_then(x.f, arg_run, &a, arg_drop));
  vow_promise_finish(x.p, vow_int(1));
  manual_drain(loop);
  ck_assert(vow_promise_is_wanted(y.p));
  vow_promise_finish(y.p, once());
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_detach_of_settled_or_shared_is_a_drop) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_detach(vow_ready(loop, once()));
  ck_assert_int_eq(things_live, 0);
  vow_detach(vow_ref(x.f));
  vow_drop(x.f); /* the last one cancels */
  ck_assert(!vow_promise_is_wanted(x.p));
  vow_promise_drop(x.p);
  manual_done(loop);
}

TEST(test_detach_is_ended_by_closing_the_loop) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_nil()), b = returns(vow_nil());
  vow_detach(vow_then(vow_never(loop), arg_run, &a, arg_drop));
  vow_detach(vow_finally(vow_sleep(loop, 1000), arg_run, &b, arg_drop));
  manual_close(loop);
  EXPECT_SKIPPED(a);
  EXPECT_RAN(b);
}

/* ---- Rule 5: failures that nobody saw -------------------------------------
 */

/* Rule 5: reported when the last reference goes, once. */
TEST(test_drop_of_unseen_failure_is_reported_once) {
  vow_loop_t *loop = hooked_loop(false);
  vow_future_t *f = vow_ref(bad(loop, UV_EIO));
  vow_drop(f);
  ck_assert_int_eq(unhandled, 0);
  vow_drop(f);
  ck_assert_int_eq(unhandled, 1);
  ck_assert_int_eq(unhandled_code, UV_EIO);
  manual_done(loop);
}

/* Rule 5: at the end of a chain, not once for each link. */
TEST(test_drop_of_failed_chain_is_reported_once) {
  vow_loop_t *loop = hooked_loop(false);
  vow_future_t *f = bad(loop, UV_EIO);
  for (int i = 0; i < 5; i++) f = vow_then(f, add_one, NULL);
  manual_drain(loop);
  ck_assert_int_eq(unhandled, 0);
  vow_drop(f);
  ck_assert_int_eq(unhandled, 1);
  manual_done(loop);
}

/* Rule 5: whoever reads it has seen it. */
TEST(test_drop_of_seen_failure_is_not_reported) {
  vow_loop_t *loop = hooked_loop(false);
  vow_future_t *f[6];
  for (int i = 0; i < 6; i++) f[i] = bad(loop, UV_EIO);
  vow_status(f[0]);
  vow_error(f[1]);
  vow_value_destroy(vow_outcome(f[2]));
  vow_peek(f[3]);
  f[4] = vow_handle(f[4], note_run, "seen");
  f[5] = vow_catch(f[5], note_run, "seen");
  manual_drain(loop);
  for (int i = 0; i < 6; i++) vow_drop(f[i]);
  ck_assert_int_eq(unhandled, 0);
  manual_done(loop);
}

/* Rule 5: looking at the state is not seeing the failure. */
TEST(test_drop_of_failure_of_which_only_the_state_was_read_is_reported) {
  vow_loop_t *loop = hooked_loop(false);
  vow_future_t *f = bad(loop, UV_EIO);
  ck_assert_int_eq(vow_state(f), VOW_FAILED);
  ck_assert(vow_is_settled(f));
  vow_drop(f);
  ck_assert_int_eq(unhandled, 1);
  manual_done(loop);
}

/* Rule 5: cancellation is never reported so. */
TEST(test_drop_of_cancellation_is_never_reported) {
  vow_loop_t *loop = hooked_loop(false);
  vow_future_t *f = vow_then(vow_never(loop), add_one, NULL);
  vow_cancel(f);
  manual_drain(loop);
  vow_drop(f);
  vow_drop(vow_ready(loop, vow_cancelled(UV_EINTR)));
  vow_drop(bad(loop, UV_ECANCELED));
  vow_drop(vow_finally(vow_never(loop), note_run, ""));
  manual_drain(loop);
  ck_assert_int_eq(unhandled, 0);
  manual_done(loop);
}

/* Rule 5 */
TEST(test_detach_reports_its_failure_when_it_settles) {
  vow_loop_t *loop = hooked_loop(false);
  pair_t x = pair(loop);
  vow_detach(vow_then(x.f, add_one, NULL));
  vow_promise_finish(x.p, vow_fail(UV_EIO));
  ck_assert_int_eq(unhandled, 0);
  manual_drain(loop);
  ck_assert_int_eq(unhandled, 1);
  manual_done(loop);
}

/* Rule 5: one branch that sees it speaks for itself only. */
TEST(test_drop_of_the_branch_that_did_not_look_is_reported) {
  vow_loop_t *loop = hooked_loop(false);
  vow_future_t *f = bad(loop, UV_EIO);
  vow_future_t *a = vow_catch(vow_ref(f), note_run, "");
  vow_future_t *b = vow_then(f, add_one, NULL);
  manual_drain(loop);
  vow_drop(a);
  ck_assert_int_eq(unhandled, 0);
  vow_drop(b);
  ck_assert_int_eq(unhandled, 1);
  manual_done(loop);
}

static vow_future_t *kept;

static void keep_it(vow_future_t *f, void *arg) {
  (void)arg;
  kept = vow_ref(f);
}

/* Rule 5 */
TEST(test_drop_hook_may_keep_the_future) {
  vow_loop_options_t options = {0};
  vow_loop_t *loop;
  options.on_unhandled = keep_it;
  loop = manual_loop_with(&options);
  vow_drop(bad(loop, UV_EIO));
  EXPECT_FAILED(kept, UV_EIO);
  manual_done(loop);
}

/* Rule 5: by default to stderr, with the async backtrace. */
TEST(test_drop_default_hook_prints_the_backtrace) {
  char text[2048];
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, vow_failf(UV_EIO, "disk"));
  capture_t c;
  f = vow_then(f, add_one, NULL);
  manual_drain(loop);
  capture_begin(&c);
  vow_drop(f);
  capture_end(&c, text, sizeof text);
  EXPECT_HAS(text, "disk (EIO)");
  EXPECT_HAS(text, "at " __FILE__);
  EXPECT_HAS(text, "via " __FILE__);
  manual_done(loop);
}

/* ---- deep -----------------------------------------------------------------
 */

TEST(test_drop_of_a_chain_of_a_million_does_not_recurse) {
  vow_loop_t *loop = manual_loop();
  size_t n = test_scale(1000000);
  vow_future_t *f = vow_never(loop);
  for (size_t i = 0; i < n; i++) f = vow_then(f, add_one, NULL);
  vow_drop(f);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  manual_done(loop);
}

SUITE(core_drop) {
  ADD(test_drop_cancels_up_the_chain);
  ADD(test_drop_while_ready_skips_the_callback);
  ADD(test_drop_of_one_of_two_references_changes_nothing);
  ADD(test_drop_by_one_consumer_never_cancels_for_the_others);
  ADD(test_drop_by_the_last_consumer_cancels);
  ADD(test_drop_of_a_running_timer_stops_it);
  ADD(test_drop_still_runs_handle_and_finally);
  ADD(test_drop_with_a_settled_source_still_runs_cleanup);
  ADD(test_drop_still_awaits_what_finally_returned);
  ADD(test_drop_while_finally_awaits_keeps_awaiting);
  ADD(test_drop_of_handle_drops_the_future_it_returns);
  ADD(test_detach_goes_on_and_frees_itself);
  ADD(test_detach_follows_what_its_callback_returns);
  ADD(test_detach_of_settled_or_shared_is_a_drop);
  ADD(test_detach_is_ended_by_closing_the_loop);
  ADD(test_drop_of_unseen_failure_is_reported_once);
  ADD(test_drop_of_failed_chain_is_reported_once);
  ADD(test_drop_of_seen_failure_is_not_reported);
  ADD(test_drop_of_failure_of_which_only_the_state_was_read_is_reported);
  ADD(test_drop_of_cancellation_is_never_reported);
  ADD(test_detach_reports_its_failure_when_it_settles);
  ADD(test_drop_of_the_branch_that_did_not_look_is_reported);
  ADD(test_drop_hook_may_keep_the_future);
  ADD(test_drop_default_hook_prints_the_backtrace);
  ADD(test_drop_of_a_chain_of_a_million_does_not_recurse);
}

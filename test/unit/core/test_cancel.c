/* SPDX-License-Identifier: MIT */
/* Tests of vow_cancel: how far the request runs, and what settles when. */
#include "unit/core/helpers.h"

#include <vow/op.h>
#include <vow/time.h>

TEST(test_cancel_runs_up_the_chain_and_skips_callbacks) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_nil()), b = returns(vow_nil());
  vow_future_t *f = vow_then(x.f, arg_run, &a, arg_drop);
  f = vow_catch(f, arg_run, &b, arg_drop);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(!vow_promise_is_wanted(x.p));
  ck_assert_int_eq(vow_state(f), VOW_PENDING); /* Rule 1 */
  manual_drain(loop);
  EXPECT_SKIPPED(a);
  EXPECT_SKIPPED(b);
  vow_promise_drop(x.p);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_cancel_runs_handle_and_finally) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_int(1)), b = returns(vow_nil());
  vow_future_t *f = vow_finally(vow_never(loop), arg_run, &b, arg_drop), *g;
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_RAN(b);
  ck_assert_int_eq(b.seen, VOW_CANCELLED);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  g = vow_handle(vow_never(loop), arg_run, &a, arg_drop);
  vow_cancel(g);
  manual_drain(loop);
  EXPECT_RAN(a);
  ck_assert_int_eq(a.seen, VOW_CANCELLED);
  EXPECT_INT(g, 1);
  manual_done(loop);
}

TEST(test_cancel_waits_for_the_operation_to_unwind) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_future_t *f = vow_then(x.f, add_one, NULL);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(x.p, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_cancel_skips_a_then_whose_source_succeeded_already) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_nil());
  vow_future_t *f = vow_then(vow_ready(loop, once()), arg_run, &a, arg_drop);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_SKIPPED(a);
  ck_assert_int_eq(things_live, 0);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_cancel_skips_a_catch_whose_source_failed_already) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_nil());
  vow_future_t *f = vow_catch(bad(loop, UV_EIO), arg_run, &a, arg_drop);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_SKIPPED(a);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_cancel_of_settled_or_cancelled_does_nothing) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_future_t *f = ok(loop, 1);
  ck_assert_int_eq(vow_cancel(f), 0);
  EXPECT_INT(f, 1);
  vow_cancel(x.f);
  manual_drain(loop);
  vow_cancel(x.f);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  vow_promise_drop(x.p);
  EXPECT_CANCELLED(x.f, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_cancel_settles_for_everybody_who_waits) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_never(loop);
  vow_future_t *a = vow_then(vow_ref(f), add_one, NULL);
  vow_future_t *b = vow_finally(vow_ref(f), same, NULL);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_CANCELLED(a, UV_ECANCELED);
  EXPECT_CANCELLED(b, UV_ECANCELED);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

/* ---- what others share ----------------------------------------------------
 */

TEST(test_cancel_by_one_consumer_leaves_the_source_to_the_others) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_nil()), b = returns(vow_int(2));
  vow_future_t *f = vow_then(vow_ref(x.f), arg_run, &a, arg_drop);
  vow_future_t *g = vow_then(x.f, arg_run, &b, arg_drop);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_SKIPPED(a);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  ck_assert(vow_promise_is_wanted(x.p));
  vow_promise_finish(x.p, vow_int(1));
  manual_drain(loop);
  EXPECT_RAN(b);
  EXPECT_INT(g, 2);
  manual_done(loop);
}

TEST(test_cancel_by_all_consumers_in_turn_reaches_the_source) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *f = vow_then(vow_ref(x.f), add_one, NULL);
  vow_future_t *g = vow_then(x.f, add_one, NULL);
  vow_cancel(f);
  ck_assert(vow_promise_is_wanted(x.p));
  vow_cancel(g);
  ck_assert(!vow_promise_is_wanted(x.p));
  manual_drain(loop);
  vow_promise_drop(x.p);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  EXPECT_CANCELLED(g, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_cancel_of_cleanup_on_a_shared_source_runs_it_as_cancelled) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_int(4)), b = returns(vow_nil());
  vow_future_t *f = vow_handle(vow_ref(x.f), arg_run, &a, arg_drop);
  vow_future_t *g = vow_finally(vow_ref(x.f), arg_run, &b, arg_drop);
  vow_cancel(f);
  vow_cancel(g);
  manual_drain(loop);
  EXPECT_RAN(a);
  EXPECT_RAN(b);
  ck_assert_int_eq(a.seen, VOW_CANCELLED);
  ck_assert_int_eq(b.seen, VOW_CANCELLED);
  EXPECT_INT(f, 4);
  EXPECT_CANCELLED(g, UV_ECANCELED);
  vow_promise_finish(x.p, vow_int(1));
  EXPECT_INT(x.f, 1);
  manual_done(loop);
}

static vow_value_t keep_input(vow_future_t *in, void *arg) {
  *(vow_future_t **)arg = vow_ref(in);
  ck_assert_int_eq(vow_error_code(vow_error(in)), UV_ECANCELED);
  return vow_outcome(in);
}

/* The input of such a callback is one for all; it must stand being kept. */
TEST(test_cancel_input_kept_by_cleanup_stays_readable) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *in = NULL;
  vow_future_t *f = vow_handle(vow_ref(x.f), keep_input, &in);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  EXPECT_CANCELLED(in, UV_ECANCELED);
  f = vow_then(vow_ref(x.f), add_one, NULL);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  vow_promise_drop(x.p);
  vow_status(x.f);
  vow_drop(x.f);
  manual_done(loop);
}

/* ---- clean-up that takes its time -----------------------------------------
 */

TEST(test_cancel_does_not_reach_what_finally_awaits) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_follow(x.f));
  vow_future_t *f = vow_finally(vow_never(loop), arg_run, &a, arg_drop);
  f = vow_then(f, add_one, NULL);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_RAN(a);
  vow_cancel(f);
  ck_assert(vow_promise_is_wanted(x.p));
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(x.p, vow_nil());
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_cancel_then_finally_that_sleeps_delays_the_outcome) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_follow(vow_sleep(loop, 50)));
  vow_future_t *f = vow_finally(vow_never(loop), arg_run, &a, arg_drop);
  vow_cancel(f);
  manual_advance(loop, 49);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 1);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_cancel_then_handle_that_starts_something_new_is_awaited) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_follow(x.f));
  vow_future_t *f = vow_handle(vow_never(loop), arg_run, &a, arg_drop);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert(vow_promise_is_wanted(x.p));
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_cancel(f); /* this one is meant for what was started */
  ck_assert(!vow_promise_is_wanted(x.p));
  manual_drain(loop);
  vow_promise_drop(x.p);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

/* ---- from within a callback -----------------------------------------------
 */

static vow_value_t cancel_other(vow_future_t *in, void *arg) {
  (void)in;
  vow_cancel(arg);
  return vow_int(1);
}

TEST(test_cancel_from_a_callback_stops_what_is_ready_but_has_not_run) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_nil());
  vow_future_t *first = ok(loop, 1), *g;
  vow_future_t *f = vow_then(ok(loop, 1), add_one, NULL);
  f = vow_then(f, arg_run, &a, arg_drop);
  g = vow_then(first, cancel_other, f);
  manual_drain(loop);
  EXPECT_SKIPPED(a);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  EXPECT_INT(g, 1);
  manual_done(loop);
}

typedef struct myself {
  vow_future_t *f;
} myself_t;

static vow_value_t cancel_myself(vow_future_t *in, void *arg) {
  (void)in;
  vow_cancel(((myself_t *)arg)->f);
  return vow_int(5);
}

TEST(test_cancel_of_oneself_in_the_callback_keeps_its_value) {
  vow_loop_t *loop = manual_loop();
  myself_t m;
  m.f = vow_then(ok(loop, 1), cancel_myself, &m);
  manual_drain(loop);
  EXPECT_INT(m.f, 5);
  manual_done(loop);
}

/* ---- deep -----------------------------------------------------------------
 */

TEST(test_cancel_of_a_chain_of_a_million_does_not_recurse) {
  vow_loop_t *loop = manual_loop();
  size_t n = test_scale(1000000);
  vow_future_t *f = vow_never(loop);
  for (size_t i = 0; i < n; i++) f = vow_then(f, add_one, NULL);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

/* An operation that passes on what it is given, as combinators do. */
typedef struct pass_op {
  vow_op_t op;
  vow_waiter_t waiter;
} pass_op_t;

static void pass_cancel(void *op) {
  pass_op_t *p = op;
  if (!vow_waiter_cancel(&p->waiter)) vow_op_settle(p, vow_cancelled(0));
}

static void pass_ready(void *op, vow_waiter_t *w) {
  vow_future_t *f = vow_waiter_take(w);
  vow_value_t v = vow_outcome(f);
  vow_drop(f);
  vow_op_settle(op, v);
}

static const vow_op_class_t pass_class = {
    "pass", sizeof(pass_op_t), pass_cancel, NULL, pass_ready, NULL};

static vow_future_t *nested_around(vow_loop_t *loop, vow_future_t *f,
                                   size_t depth) {
  for (size_t i = 0; i < depth; i++) {
    pass_op_t *p = vow_op_new_at(VOW_SITE, loop, &pass_class);
    ck_assert_ptr_nonnull(p);
    vow_waiter_start(&p->waiter, p, f);
    f = vow_op_future(p);
  }
  return f;
}

static vow_future_t *nested(vow_loop_t *loop, size_t depth) {
  return nested_around(loop, vow_never(loop), depth);
}

TEST(test_cancel_of_100000_nested_operations_does_not_recurse) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = nested(loop, test_scale(100000));
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_cancel_drop_of_100000_nested_operations_does_not_recurse) {
  vow_loop_t *loop = manual_loop();
  vow_drop(nested(loop, test_scale(100000)));
  manual_drain(loop);
  manual_done(loop);
}

/* A cancel goes 64 operations deep at once; the next one's is queued. */
TEST(test_cancel_put_off_by_depth_is_forgotten_when_the_operation_settles) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *inner = nested(loop, 136), *f;
  pass_op_t *p = vow_op_of(inner, &pass_class);
  f = nested_around(loop, inner, 64);
  vow_cancel(f);
  ck_assert(vow_op_is_pending(p));
  vow_waiter_release(&p->waiter);
  vow_op_settle(p, vow_int(3));
  manual_drain(loop);
  EXPECT_INT(f, 3);
  manual_done(loop);
}

SUITE(core_cancel) {
  ADD(test_cancel_runs_up_the_chain_and_skips_callbacks);
  ADD(test_cancel_runs_handle_and_finally);
  ADD(test_cancel_waits_for_the_operation_to_unwind);
  ADD(test_cancel_skips_a_then_whose_source_succeeded_already);
  ADD(test_cancel_skips_a_catch_whose_source_failed_already);
  ADD(test_cancel_of_settled_or_cancelled_does_nothing);
  ADD(test_cancel_settles_for_everybody_who_waits);
  ADD(test_cancel_by_one_consumer_leaves_the_source_to_the_others);
  ADD(test_cancel_by_all_consumers_in_turn_reaches_the_source);
  ADD(test_cancel_of_cleanup_on_a_shared_source_runs_it_as_cancelled);
  ADD(test_cancel_input_kept_by_cleanup_stays_readable);
  ADD(test_cancel_does_not_reach_what_finally_awaits);
  ADD(test_cancel_then_finally_that_sleeps_delays_the_outcome);
  ADD(test_cancel_then_handle_that_starts_something_new_is_awaited);
  ADD(test_cancel_from_a_callback_stops_what_is_ready_but_has_not_run);
  ADD(test_cancel_of_oneself_in_the_callback_keeps_its_value);
  ADD(test_cancel_of_a_chain_of_a_million_does_not_recurse);
  ADD(test_cancel_of_100000_nested_operations_does_not_recurse);
  ADD(test_cancel_drop_of_100000_nested_operations_does_not_recurse);
  ADD(test_cancel_put_off_by_depth_is_forgotten_when_the_operation_settles);
}

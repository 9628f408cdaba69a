/* SPDX-License-Identifier: MIT */
/* Promises/A+ (promisesaplus.com, version 1.1), clauses 2.1, 2.2, 2.3.1, 2.3.2
 * and 2.3.4 as far as C can express them. What their words are here:
 *
 *   fulfilled, rejected   succeeded; failed or cancelled
 *   onFulfilled           the callback of vow_then
 *   onRejected            the callback of vow_catch (vow_handle for both)
 *   "throw e"             return vow_fail(e)
 *   "return x"            return a value, or vow_follow(x) for a promise x
 *   then, twice           vow_ref first: a reference for each
 *
 * Not expressible: optional arguments that are not functions (2.2.1, 2.2.7.3,
 * 2.2.7.4 are tested as "skipped", which is what they mean), `this` (2.2.5),
 * and 2.3.3, thenables of other libraries. */
#include "unit/core/helpers.h"

/* ---- 2.1 states -----------------------------------------------------------
 */

/* 2.1.1.1 When pending, a promise may transition to either other state. */
TEST(test_aplus_2_1_1_1_pending_may_become_fulfilled_or_rejected) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop), y = pair(loop);
  ck_assert_int_eq(vow_state(x.f), VOW_PENDING);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_int(1)), 0);
  ck_assert_int_eq(vow_promise_finish(y.p, vow_fail(UV_EIO)), 0);
  EXPECT_INT(x.f, 1);
  EXPECT_FAILED(y.f, UV_EIO);
  manual_done(loop);
}

/* 2.1.2.1, 2.1.2.2 When fulfilled, it must not transition, and has a value
 * that must not change. */
TEST(test_aplus_2_1_2_fulfilled_never_changes) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_nil()), b = returns(vow_nil());
  vow_future_t *f = vow_then(vow_ref(x.f), arg_run, &a);
  vow_future_t *g = vow_catch(vow_ref(x.f), arg_run, &b);
  vow_resolve(x.p, vow_int(1));
  ck_assert_int_eq(vow_resolve(x.p, vow_int(2)), VOW_ESETTLED);
  ck_assert_int_eq(vow_reject(x.p, UV_EIO), VOW_ESETTLED);
  manual_drain(loop);
  ck_assert_int_eq(vow_reject(x.p, UV_EIO), VOW_ESETTLED);
  vow_promise_drop(x.p);
  ck_assert_int_eq(a.runs, 1);
  ck_assert_int_eq(a.number, 1);
  ck_assert_int_eq(b.runs, 0);
  vow_drop(f);
  vow_drop(g);
  EXPECT_INT(x.f, 1);
  manual_done(loop);
}

/* 2.1.3.1, 2.1.3.2 When rejected, it must not transition, and has a reason
 * that must not change. */
TEST(test_aplus_2_1_3_rejected_never_changes) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_nil()), b = returns(vow_nil());
  vow_future_t *f = vow_then(vow_ref(x.f), arg_run, &a);
  vow_future_t *g = vow_catch(vow_ref(x.f), arg_run, &b);
  vow_reject(x.p, UV_EIO);
  ck_assert_int_eq(vow_reject(x.p, UV_EPIPE), VOW_ESETTLED);
  ck_assert_int_eq(vow_resolve(x.p, vow_int(1)), VOW_ESETTLED);
  manual_drain(loop);
  vow_promise_drop(x.p);
  ck_assert_int_eq(a.runs, 0);
  ck_assert_int_eq(b.runs, 1);
  ck_assert_int_eq(b.status, UV_EIO);
  EXPECT_FAILED(f, UV_EIO);
  vow_drop(g);
  EXPECT_FAILED(x.f, UV_EIO);
  manual_done(loop);
}

/* ---- 2.2 then -------------------------------------------------------------
 */

/* 2.2.1 Both callbacks are optional: one that is not given is skipped. */
TEST(test_aplus_2_2_1_callbacks_are_optional) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f =
      vow_then(vow_then(bad(loop, UV_EIO), add_one, NULL), add_one, NULL);
  vow_future_t *g = vow_catch(ok(loop, 3), note_run, "never");
  manual_drain(loop);
  EXPECT_EVENTS("");
  EXPECT_FAILED(f, UV_EIO);
  EXPECT_INT(g, 3);
  manual_done(loop);
}

static void settle(pair_t x, bool well) {
  vow_promise_finish(x.p, well ? vow_int(5) : vow_fail(UV_EIO));
}

typedef vow_future_t *(*on_fn)(const char *site, vow_future_t *f,
                               vow_then_cb cb, void *arg, vow_drop_cb drop);

static on_fn on(bool well) {
  return well ? vow_then_at : vow_catch_at;
}

/* 2.2.2.1, 2.2.3.1 It must be called after the promise is settled, with its
 * value or reason. */
/* 2.2.2.2, 2.2.3.2 It must not be called before. */
/* 2.2.2.3, 2.2.3.3 It must not be called more than once. */
static void check_called_once_after(bool well, bool before) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_nil());
  vow_future_t *f;
  if (before) settle(x, well);
  f = on(well)(VOW_SITE, x.f, arg_run, &a, NULL);
  if (!before) {
    manual_drain(loop);
    ck_assert_int_eq(a.runs, 0);
    settle(x, well);
  }
  manual_drain(loop);
  manual_drain(loop);
  ck_assert_int_eq(a.runs, 1);
  ck_assert_int_eq(a.status, well ? 0 : UV_EIO);
  if (well) ck_assert_int_eq(a.number, 5);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_aplus_2_2_2_on_fulfilled_runs_once_after_with_the_value) {
  check_called_once_after(true, true);
  check_called_once_after(true, false);
}

TEST(test_aplus_2_2_3_on_rejected_runs_once_after_with_the_reason) {
  check_called_once_after(false, true);
  check_called_once_after(false, false);
}

/* 2.2.2.3, 2.2.3.3 when then is called at several times. */
TEST(test_aplus_2_2_2_3_each_of_several_callbacks_runs_once) {
  for (int well = 0; well < 2; well++) {
    vow_loop_t *loop = manual_loop();
    pair_t x = pair(loop);
    arg_t a[3];
    vow_future_t *f[3];
    for (int i = 0; i < 3; i++) a[i] = returns(vow_nil());
    f[0] = on(well)(VOW_SITE, vow_ref(x.f), arg_run, &a[0], NULL);
    manual_drain(loop);
    f[1] = on(well)(VOW_SITE, vow_ref(x.f), arg_run, &a[1], NULL);
    settle(x, well);
    manual_drain(loop);
    f[2] = on(well)(VOW_SITE, x.f, arg_run, &a[2], NULL);
    manual_drain(loop);
    for (int i = 0; i < 3; i++) {
      ck_assert_int_eq(a[i].runs, 1);
      vow_drop(f[i]);
    }
    manual_done(loop);
  }
}

/* 2.2.4 No callback may be called until only platform code is on the stack. */
TEST(test_aplus_2_2_4_callbacks_run_with_a_clean_stack) {
  for (int well = 0; well < 2; well++) {
    vow_loop_t *loop = manual_loop();
    pair_t x = pair(loop), y = pair(loop);
    vow_future_t *f, *g;
    settle(x, well);
    f = on(well)(VOW_SITE, x.f, note_run, "ready", NULL);
    g = on(well)(VOW_SITE, y.f, note_run, "pending", NULL);
    settle(y, well);
    EXPECT_EVENTS("");
    manual_drain(loop);
    EXPECT_EVENTS("ready pending");
    vow_drop(f);
    vow_drop(g);
    manual_done(loop);
  }
}

typedef struct inner {
  vow_future_t *source, *result;
  pair_t later;
} inner_t;

static vow_value_t chain_inside(vow_future_t *in, void *arg) {
  inner_t *s = arg;
  (void)in;
  note("outer");
  s->result = vow_then(vow_ref(s->source), note_run, "inner");
  settle(s->later, true);
  note("end");
  return vow_nil();
}

/* 2.2.4 the same when called, or settled, from a callback. */
TEST(test_aplus_2_2_4_callbacks_never_nest) {
  vow_loop_t *loop = manual_loop();
  inner_t s = {ok(loop, 1), NULL, pair(loop)};
  vow_future_t *g = vow_then(s.later.f, note_run, "later");
  vow_future_t *f = vow_then(ok(loop, 1), chain_inside, &s);
  manual_drain(loop);
  EXPECT_EVENTS("outer end inner later");
  vow_drop(s.source);
  vow_drop(s.result);
  vow_drop(f);
  vow_drop(g);
  manual_done(loop);
}

/* 2.2.6.1, 2.2.6.2 then may be called many times; the callbacks run in the
 * order of the calls. */
TEST(test_aplus_2_2_6_callbacks_run_in_the_order_of_then) {
  for (int well = 0; well < 2; well++) {
    vow_loop_t *loop = manual_loop();
    pair_t x = pair(loop);
    arg_t broken = returns(vow_fail(UV_EPIPE));
    vow_future_t *f[4];
    f[0] = on(well)(VOW_SITE, vow_ref(x.f), note_run, "1", NULL);
    f[1] = on(well)(VOW_SITE, vow_ref(x.f), arg_run, &broken, NULL);
    f[2] = on(well)(VOW_SITE, vow_ref(x.f), note_run, "2", NULL);
    settle(x, well);
    f[3] = on(well)(VOW_SITE, x.f, note_run, "3", NULL);
    manual_drain(loop);
    EXPECT_EVENTS("1 2 3"); /* one that fails keeps nobody from running */
    EXPECT_FAILED(f[1], UV_EPIPE);
    vow_drop(f[0]);
    vow_drop(f[2]);
    vow_drop(f[3]);
    manual_done(loop);
  }
}

/* 2.2.7 then must return a promise. */
TEST(test_aplus_2_2_7_then_returns_another_promise) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *x = vow_never(loop), *f = vow_then(vow_ref(x), add_one, NULL);
  ck_assert_ptr_nonnull(f);
  ck_assert_ptr_ne(f, x);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_drop(x);
  vow_drop(f);
  manual_done(loop);
}

/* 2.2.7.1 If a callback returns x, the resolution procedure runs with it. */
TEST(test_aplus_2_2_7_1_returned_value_settles_the_result) {
  for (int well = 0; well < 2; well++) {
    vow_loop_t *loop = manual_loop();
    pair_t x = pair(loop);
    arg_t a = returns(vow_int(7));
    vow_future_t *f = on(well)(VOW_SITE, x.f, arg_run, &a, NULL);
    settle(x, well);
    manual_drain(loop);
    EXPECT_INT(f, 7); /* also after onRejected: the failure is handled */
    manual_done(loop);
  }
}

/* 2.2.7.2 If a callback throws e, the result is rejected with e. */
TEST(test_aplus_2_2_7_2_returned_failure_rejects_the_result) {
  for (int well = 0; well < 2; well++) {
    vow_loop_t *loop = manual_loop();
    pair_t x = pair(loop);
    arg_t a = returns(vow_fail(UV_EPIPE));
    vow_future_t *f = on(well)(VOW_SITE, x.f, arg_run, &a, NULL);
    settle(x, well);
    manual_drain(loop);
    EXPECT_FAILED(f, UV_EPIPE);
    manual_done(loop);
  }
}

/* 2.2.7.3 Without onFulfilled the result is fulfilled with the same value.
 * 2.2.7.4 Without onRejected it is rejected with the same reason. */
TEST(test_aplus_2_2_7_3_2_2_7_4_without_a_callback_it_passes_through) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop), y = pair(loop);
  vow_future_t *f = vow_catch(x.f, note_run, "never");
  vow_future_t *g = vow_then(y.f, note_run, "never");
  settle(x, true);
  settle(y, false);
  manual_drain(loop);
  EXPECT_EVENTS("");
  EXPECT_INT(f, 5);
  EXPECT_FAILED(g, UV_EIO);
  manual_done(loop);
}

/* ---- 2.3 the resolution procedure -----------------------------------------
 */

static vow_value_t follow_itself(vow_future_t *in, void *arg) {
  (void)in;
  return vow_follow(vow_ref(*(vow_future_t **)arg));
}

/* 2.3.1 If promise and x are the same object, reject with a TypeError. */
TEST(test_aplus_2_3_1_following_itself_is_rejected) {
  for (int well = 0; well < 2; well++) {
    vow_loop_t *loop = manual_loop();
    pair_t x = pair(loop);
    vow_future_t *f;
    settle(x, well);
    f = on(well)(VOW_SITE, x.f, follow_itself, &f, NULL);
    manual_drain(loop);
    EXPECT_FAILED(f, VOW_ECYCLE);
    manual_done(loop);
  }
}

/* How x is returned, and then whether it is settled before or after. */
static void check_adopts(bool well, bool before, vow_value_t outcome,
                         vow_state_t state) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop), y = pair(loop);
  arg_t a = returns(vow_follow(y.f));
  vow_future_t *f = on(well)(VOW_SITE, x.f, arg_run, &a, NULL);
  settle(x, well);
  if (before) vow_promise_finish(y.p, outcome);
  manual_drain(loop);
  if (!before) {
    /* 2.3.2.1 If x is pending, promise must remain pending until it is not. */
    ck_assert_int_eq(vow_state(f), VOW_PENDING);
    vow_promise_finish(y.p, outcome);
    manual_drain(loop);
  }
  ck_assert_int_eq(vow_state(f), state);
  ck_assert_int_eq(vow_status(f), vow_value_code(outcome));
  if (state == VOW_SUCCEEDED) ck_assert_int_eq(vow_get_int(f), 9);
  vow_drop(f);
  manual_done(loop);
}

/* 2.3.2.1, 2.3.2.2 When x is fulfilled, fulfill with the same value. */
TEST(test_aplus_2_3_2_2_adopts_the_value) {
  for (int i = 0; i < 4; i++)
    check_adopts(i & 1, i & 2, vow_int(9), VOW_SUCCEEDED);
}

/* 2.3.2.1, 2.3.2.3 When x is rejected, reject with the same reason. */
TEST(test_aplus_2_3_2_3_adopts_the_reason) {
  for (int i = 0; i < 4; i++) {
    check_adopts(i & 1, i & 2, vow_fail(UV_EPIPE), VOW_FAILED);
    check_adopts(i & 1, i & 2, vow_cancelled(UV_EINTR), VOW_CANCELLED);
  }
}

/* 2.3.4 If x is not an object or function, fulfill with x. */
TEST(test_aplus_2_3_4_fulfills_with_any_other_value) {
  vow_loop_t *loop = manual_loop();
  vow_value_t values[5];
  values[0] = vow_nil();
  values[1] = vow_int(0);
  values[2] = vow_double(0.5);
  values[3] = vow_cstr("text");
  values[4] = many();
  for (int i = 0; i < 10; i++) {
    pair_t x = pair(loop);
    arg_t a = returns(vow_nil());
    vow_future_t *f = on(i % 2)(VOW_SITE, x.f, arg_run, &a, NULL);
    vow_value_share(values[i / 2], &a.result);
    settle(x, i % 2);
    manual_drain(loop);
    ck_assert_int_eq(vow_status(f), 0);
    ck_assert_ptr_eq(vow_peek(f).type, values[i / 2].type);
    ck_assert_int_eq(vow_peek(f).as.i, values[i / 2].as.i);
    vow_drop(f);
  }
  vow_value_destroy(values[4]);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

SUITE(conformance_aplus) {
  ADD(test_aplus_2_1_1_1_pending_may_become_fulfilled_or_rejected);
  ADD(test_aplus_2_1_2_fulfilled_never_changes);
  ADD(test_aplus_2_1_3_rejected_never_changes);
  ADD(test_aplus_2_2_1_callbacks_are_optional);
  ADD(test_aplus_2_2_2_on_fulfilled_runs_once_after_with_the_value);
  ADD(test_aplus_2_2_3_on_rejected_runs_once_after_with_the_reason);
  ADD(test_aplus_2_2_2_3_each_of_several_callbacks_runs_once);
  ADD(test_aplus_2_2_4_callbacks_run_with_a_clean_stack);
  ADD(test_aplus_2_2_4_callbacks_never_nest);
  ADD(test_aplus_2_2_6_callbacks_run_in_the_order_of_then);
  ADD(test_aplus_2_2_7_then_returns_another_promise);
  ADD(test_aplus_2_2_7_1_returned_value_settles_the_result);
  ADD(test_aplus_2_2_7_2_returned_failure_rejects_the_result);
  ADD(test_aplus_2_2_7_3_2_2_7_4_without_a_callback_it_passes_through);
  ADD(test_aplus_2_3_1_following_itself_is_rejected);
  ADD(test_aplus_2_3_2_2_adopts_the_value);
  ADD(test_aplus_2_3_2_3_adopts_the_reason);
  ADD(test_aplus_2_3_4_fulfills_with_any_other_value);
}

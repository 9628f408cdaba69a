/* SPDX-License-Identifier: MIT */
/* Tests of following: a future that settles as another does, constant memory,
 * cycles. Rule 3. */
#include "unit/core/helpers.h"

#include <vow/time.h>

static vow_value_t follow_it(vow_future_t *in, void *arg) {
  (void)in;
  return vow_follow(arg);
}

TEST(test_follow_settles_as_the_other_does) {
  vow_loop_t *loop = manual_loop();
  vow_value_t outcomes[3];
  int64_t codes[3] = {0, UV_EIO, UV_EINTR};
  outcomes[0] = vow_int(4);
  outcomes[1] = vow_fail(UV_EIO);
  outcomes[2] = vow_cancelled(UV_EINTR);
  for (int i = 0; i < 3; i++) {
    pair_t x = pair(loop);
    vow_future_t *f = vow_then(ok(loop, 1), follow_it, x.f);
    manual_drain(loop);
    ck_assert_int_eq(vow_state(f), VOW_PENDING);
    vow_promise_finish(x.p, outcomes[i]);
    manual_drain(loop);
    ck_assert_int_eq(vow_status(f), codes[i]);
    ck_assert_int_eq(vow_is_cancelled(f), i == 2);
    vow_drop(f);
  }
  manual_done(loop);
}

TEST(test_follow_of_settled_takes_its_value) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_then(ok(loop, 1), follow_it, vow_ready(loop, once()));
  manual_drain(loop);
  ck_assert_ptr_nonnull(vow_get(f, &type_once));
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_follow_of_shared_leaves_the_others_their_value) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *f = vow_then(ok(loop, 1), follow_it, vow_ref(x.f));
  manual_drain(loop);
  vow_promise_finish(x.p, many());
  manual_drain(loop);
  ck_assert_ptr_eq(vow_get(f, &type_many), vow_get(x.f, &type_many));
  vow_drop(f);
  vow_drop(x.f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_follow_null_is_a_failure) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_then(ok(loop, 1), follow_it, NULL);
  manual_drain(loop);
  EXPECT_MISUSE(f, UV_EINVAL, "vow_follow: the future is NULL");
  manual_done(loop);
}

TEST(test_follow_of_another_loops_future_is_a_failure) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  vow_future_t *f = vow_then(ok(loop, 1), follow_it, ok(other, 1));
  manual_drain(loop);
  EXPECT_MISUSE(f, UV_EINVAL, "another loop");
  manual_done(loop);
  manual_done(other);
}

TEST(test_follow_ready_made_with_it_waits) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *f = vow_ready(loop, vow_follow(x.f));
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(x.p, vow_int(6));
  manual_drain(loop);
  EXPECT_INT(f, 6);
  manual_done(loop);
}

TEST(test_follow_cancel_reaches_the_followed) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_future_t *f = vow_then(ok(loop, 1), follow_it, x.f);
  manual_drain(loop);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_drop(x.p);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

/* ---- constant memory ------------------------------------------------------
 */

typedef struct steps {
  size_t left;
  size_t live_max;
  long blocks_max;
  bool pending;   /* each step waits for a tick */
  vow_then_cb cb; /* of the next step; NULL: again */
} steps_t;

static vow_value_t again(vow_future_t *in, void *arg) {
  steps_t *s = arg;
  vow_loop_t *loop = vow_loop_of(in);
  vow_future_t *next;
  if (vow_loop_live(loop) > s->live_max) s->live_max = vow_loop_live(loop);
  if (fault_live() > s->blocks_max) s->blocks_max = fault_live();
  if (s->left-- == 0) return vow_int(77);
  next = s->pending ? vow_sleep(loop, 0) : ok(loop, 1);
  return vow_follow(vow_then(next, s->cb != NULL ? s->cb : again, s));
}

static void check_flat(vow_future_t *(*wrap)(vow_future_t *f), bool pending) {
  steps_t s = {test_scale(1000000), 0, 0, pending, NULL};
  vow_loop_t *loop;
  vow_future_t *f;
  long before;
  fault_install();
  loop = manual_loop();
  before = fault_live();
  f = wrap(vow_then(ok(loop, 1), again, &s));
  manual_drain(loop);
  EXPECT_INT(f, 77);
  ck_assert_uint_le(s.live_max, 6);
  ck_assert_int_le(s.blocks_max, before + 1);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static vow_future_t *plain(vow_future_t *f) {
  return f;
}

static vow_future_t *more_links(vow_future_t *f) {
  return vow_handle(vow_finally(f, same, NULL), same, NULL);
}

TEST(test_follow_chain_that_follows_itself_runs_in_constant_memory) {
  check_flat(plain, true);
  check_flat(plain, false);
}

TEST(test_follow_chain_that_follows_itself_below_others_stays_flat) {
  check_flat(more_links, true);
}

static vow_value_t again_shared(vow_future_t *in, void *arg) {
  return again(in, arg);
}

/* The outer one is waited for by two: the first link is kept, no more. */
TEST(test_follow_chain_that_follows_itself_for_two_stays_flat) {
  steps_t s = {test_scale(100000), 0, 0, true, NULL};
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_then(ok(loop, 1), again_shared, &s);
  vow_future_t *a = vow_then(vow_ref(f), add_one, NULL);
  vow_future_t *b = vow_then(f, add_one, NULL);
  manual_drain(loop);
  ck_assert_uint_le(s.live_max, 8);
  EXPECT_INT(a, 78);
  EXPECT_INT(b, 78);
  manual_done(loop);
}

TEST(test_follow_promise_that_follows_a_loop_stays_flat) {
  steps_t s = {test_scale(100000), 0, 0, true, NULL};
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_promise_finish(x.p, vow_follow(vow_then(ok(loop, 1), again, &s)));
  manual_drain(loop);
  ck_assert_uint_le(s.live_max, 8);
  EXPECT_INT(x.f, 77);
  manual_done(loop);
}

static vow_value_t again_by_promise(vow_future_t *in, void *arg) {
  pair_t x = pair(vow_loop_of(in));
  vow_promise_finish(x.p, again(in, arg));
  return vow_follow(x.f);
}

TEST(test_follow_chain_through_finished_promises_stays_flat) {
  steps_t s = {test_scale(100000), 0, 0, true, again_by_promise};
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = ok(loop, 1);
  f = vow_then(f, again_by_promise, &s);
  manual_drain(loop);
  ck_assert_uint_le(s.live_max, 8);
  EXPECT_INT(f, 77);
  manual_done(loop);
}

/* ---- cycles ---------------------------------------------------------------
 */

/* Rule 3: following oneself is an error. */
TEST(test_follow_oneself_is_an_error) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  ck_assert_int_eq(vow_resolve(x.p, vow_follow(vow_ref(x.f))), 0);
  EXPECT_FAILED(x.f, VOW_ECYCLE);
  vow_promise_drop(x.p);
  manual_done(loop);
}

typedef struct self {
  vow_future_t *f;
} self_t;

static vow_value_t follow_self(vow_future_t *in, void *arg) {
  (void)in;
  return vow_follow(vow_ref(((self_t *)arg)->f));
}

TEST(test_follow_oneself_from_the_callback_is_an_error) {
  vow_loop_t *loop = manual_loop();
  self_t s;
  s.f = vow_then(ok(loop, 1), follow_self, &s);
  manual_drain(loop);
  EXPECT_FAILED(s.f, VOW_ECYCLE);
  s.f = vow_handle(ok(loop, 1), follow_self, &s);
  manual_drain(loop);
  EXPECT_FAILED(s.f, VOW_ECYCLE);
  manual_done(loop);
}

TEST(test_follow_oneself_from_finally_is_an_error) {
  vow_loop_t *loop = manual_loop();
  self_t s;
  s.f = vow_finally(vow_ready(loop, once()), follow_self, &s);
  manual_drain(loop);
  EXPECT_FAILED(s.f, VOW_ECYCLE);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

/* Rule 3: also through a cycle. */
TEST(test_follow_cycle_through_then_is_an_error) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_nil());
  vow_future_t *g = vow_then(vow_ref(x.f), arg_run, &a, arg_drop);
  g = vow_catch(g, same, NULL);
  vow_promise_finish(x.p, vow_follow(vow_ref(g)));
  manual_drain(loop);
  EXPECT_FAILED(x.f, VOW_ECYCLE);
  EXPECT_FAILED(g, VOW_ECYCLE);
  EXPECT_SKIPPED(a);
  manual_done(loop);
}

TEST(test_follow_cycle_whose_waiters_nobody_holds_is_an_error) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_nil());
  vow_future_t *g = vow_then(vow_ref(x.f), arg_run, &a, arg_drop);
  vow_promise_finish(x.p, vow_follow(g));
  manual_drain(loop);
  EXPECT_FAILED(x.f, VOW_ECYCLE);
  EXPECT_SKIPPED(a);
  manual_done(loop);
}

TEST(test_follow_cycle_of_two_promises_is_an_error) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop), y = pair(loop);
  vow_promise_finish(x.p, vow_follow(vow_ref(y.f)));
  vow_promise_finish(y.p, vow_follow(vow_ref(x.f)));
  manual_drain(loop);
  EXPECT_FAILED(x.f, VOW_ECYCLE);
  EXPECT_FAILED(y.f, VOW_ECYCLE);
  manual_done(loop);
}

TEST(test_follow_cycle_through_finally_is_an_error) {
  vow_loop_t *loop = manual_loop();
  self_t s;
  vow_future_t *f = vow_finally(ok(loop, 1), follow_self, &s);
  s.f = vow_then(vow_ref(f), add_one, NULL);
  manual_drain(loop);
  EXPECT_FAILED(f, VOW_ECYCLE);
  EXPECT_FAILED(s.f, VOW_ECYCLE);
  manual_done(loop);
}

/* ---- being cancelled while the callback runs ------------------------------
 */

typedef struct inside {
  vow_future_t *self; /* borrowed */
  vow_future_t *next;
  bool drop;
} inside_t;

static vow_value_t end_self_then_follow(vow_future_t *in, void *arg) {
  inside_t *s = arg;
  (void)in;
  if (s->drop)
    vow_drop(s->self);
  else
    vow_cancel(s->self);
  return vow_follow(s->next);
}

TEST(test_follow_by_one_that_cancelled_itself_cancels_the_followed) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  inside_t s = {NULL, x.f, false};
  s.self = vow_then(ok(loop, 1), end_self_then_follow, &s);
  manual_drain(loop);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_int(1)), UV_ECANCELED);
  EXPECT_CANCELLED(s.self, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_follow_by_one_that_dropped_itself_drops_the_followed) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  inside_t s = {NULL, x.f, true};
  s.self = vow_then(ok(loop, 1), end_self_then_follow, &s);
  manual_drain(loop);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_int(1)), UV_ECANCELED);
  manual_done(loop);
}

/* The inner one cancels itself while only an outer one waits for it, and
 * follows what others share. */
TEST(test_follow_by_one_that_cancelled_itself_leaves_the_shared) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  inside_t s = {NULL, vow_ref(x.f), false};
  vow_future_t *outer;
  s.self = vow_then(vow_sleep(loop, 0), end_self_then_follow, &s);
  outer = vow_ready(loop, vow_follow(s.self));
  manual_drain(loop);
  EXPECT_CANCELLED(outer, UV_ECANCELED);
  ck_assert_int_eq(vow_state(x.f), VOW_PENDING);
  vow_promise_finish(x.p, vow_int(1));
  EXPECT_INT(x.f, 1);
  manual_done(loop);
}

/* The same with one that nobody shares: it is not forgotten when the inner one
 * is bypassed. */
TEST(test_follow_by_one_that_cancelled_itself_below_another_cancels_it) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  inside_t s = {NULL, x.f, false};
  vow_future_t *outer;
  s.self = vow_then(vow_sleep(loop, 0), end_self_then_follow, &s);
  outer = vow_ready(loop, vow_follow(s.self));
  manual_drain(loop);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_int(1)), UV_ECANCELED);
  EXPECT_CANCELLED(outer, UV_ECANCELED);
  manual_done(loop);
}

SUITE(core_follow) {
  ADD(test_follow_settles_as_the_other_does);
  ADD(test_follow_of_settled_takes_its_value);
  ADD(test_follow_of_shared_leaves_the_others_their_value);
  ADD(test_follow_null_is_a_failure);
  ADD(test_follow_of_another_loops_future_is_a_failure);
  ADD(test_follow_ready_made_with_it_waits);
  ADD(test_follow_cancel_reaches_the_followed);
  ADD(test_follow_chain_that_follows_itself_runs_in_constant_memory);
  ADD(test_follow_chain_that_follows_itself_below_others_stays_flat);
  ADD(test_follow_chain_that_follows_itself_for_two_stays_flat);
  ADD(test_follow_promise_that_follows_a_loop_stays_flat);
  ADD(test_follow_chain_through_finished_promises_stays_flat);
  ADD(test_follow_oneself_is_an_error);
  ADD(test_follow_oneself_from_the_callback_is_an_error);
  ADD(test_follow_oneself_from_finally_is_an_error);
  ADD(test_follow_cycle_through_then_is_an_error);
  ADD(test_follow_cycle_whose_waiters_nobody_holds_is_an_error);
  ADD(test_follow_cycle_of_two_promises_is_an_error);
  ADD(test_follow_cycle_through_finally_is_an_error);
  ADD(test_follow_by_one_that_cancelled_itself_cancels_the_followed);
  ADD(test_follow_by_one_that_dropped_itself_drops_the_followed);
  ADD(test_follow_by_one_that_cancelled_itself_leaves_the_shared);
  ADD(test_follow_by_one_that_cancelled_itself_below_another_cancels_it);
}

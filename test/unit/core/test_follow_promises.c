/* SPDX-License-Identifier: MIT */
/* Tests of chains that follow themselves through promises: constant memory,
 * as those have that follow themselves through callbacks. */
#include "unit/core/helpers.h"

#include <vow/time.h>

typedef struct relay {
  vow_promise_t *p; /* the next step settles it */
  size_t left;
  uint64_t pause_ms; /* before each step */
  size_t live_max;
  long blocks_max;
} relay_t;

/* Hands the promise over to a new one, to be settled by the next step. */
static vow_value_t pass_on(vow_future_t *in, void *arg) {
  relay_t *r = arg;
  vow_loop_t *loop = vow_loop_of(in);
  vow_promise_t *p = r->p;
  vow_future_t *f;
  if (vow_loop_live(loop) > r->live_max) r->live_max = vow_loop_live(loop);
  if (fault_live() > r->blocks_max) r->blocks_max = fault_live();
  if (r->left-- == 0) {
    ck_assert_int_eq(vow_promise_finish(p, vow_int(7)), 0);
    return vow_nil();
  }
  f = vow_promise_new(loop, &r->p);
  ck_assert_int_eq(vow_promise_finish(p, vow_follow(f)), 0);
  vow_detach(vow_then(vow_sleep(loop, r->pause_ms), pass_on, r));
  return vow_nil();
}

static vow_future_t *start(vow_loop_t *loop, relay_t *r, size_t steps) {
  vow_future_t *f = vow_promise_new(loop, &r->p);
  r->left = steps;
  r->pause_ms = 0;
  r->live_max = 0;
  r->blocks_max = 0;
  vow_detach(vow_then(vow_sleep(loop, 0), pass_on, r));
  return f;
}

TEST(test_follow_promises_chain_of_them_stays_flat) {
  vow_loop_t *loop;
  vow_future_t *f;
  relay_t r;
  long before;
  fault_install();
  loop = manual_loop();
  before = fault_live();
  f = start(loop, &r, test_scale(100000));
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  ck_assert_uint_le(r.live_max, 8);
  ck_assert_int_le(r.blocks_max - before, 8);
  EXPECT_INT(f, 7);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_follow_promises_chain_below_a_then_stays_flat) {
  vow_loop_t *loop = manual_loop();
  relay_t r;
  vow_future_t *f = start(loop, &r, test_scale(100000));
  f = vow_then(f, add_one, NULL);
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  ck_assert_uint_le(r.live_max, 8);
  EXPECT_INT(f, 8);
  manual_done(loop);
}

/* The request to end passes all that were bypassed. */
TEST(test_follow_promises_cancel_reaches_the_last_one) {
  vow_loop_t *loop = manual_loop();
  relay_t r;
  vow_future_t *f = start(loop, &r, 1000);
  r.pause_ms = 1;
  manual_advance(loop, 10);
  ck_assert_uint_lt(r.left, 1000);
  ck_assert(vow_promise_is_wanted(r.p));
  vow_cancel(f);
  ck_assert(!vow_promise_is_wanted(r.p));
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_close(loop);
  vow_promise_drop(r.p);
}

TEST(test_follow_promises_finish_that_follows_the_settled_settles) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_follow(ok(loop, 3))), 0);
  EXPECT_INT(x.f, 3);
  manual_done(loop);
}

TEST(test_follow_promises_finish_of_a_dropped_one_drops_the_followed) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop), y = pair(loop);
  vow_drop(x.f);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_follow(y.f)), UV_ECANCELED);
  ck_assert(!vow_promise_is_wanted(y.p));
  vow_promise_drop(y.p);
  manual_done(loop);
}

TEST(test_follow_promises_finish_that_follows_itself_is_a_cycle) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *f = vow_then(vow_ref(x.f), add_one, NULL);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_follow(f)), 0);
  manual_drain(loop);
  EXPECT_FAILED(x.f, VOW_ECYCLE);
  manual_done(loop);
}

SUITE(core_follow_promises) {
  ADD(test_follow_promises_chain_of_them_stays_flat);
  ADD(test_follow_promises_chain_below_a_then_stays_flat);
  ADD(test_follow_promises_cancel_reaches_the_last_one);
  ADD(test_follow_promises_finish_that_follows_the_settled_settles);
  ADD(test_follow_promises_finish_of_a_dropped_one_drops_the_followed);
  ADD(test_follow_promises_finish_that_follows_itself_is_a_cycle);
}

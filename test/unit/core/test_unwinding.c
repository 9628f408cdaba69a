/* SPDX-License-Identifier: MIT */
/* Tests of unwinding to the very end: token close, and closing a loop without
 * any grace time, with rings, and with other threads coming late. */
#include "unit/core/helpers.h"

#include <pthread.h>
#include <vow/map.h>
#include <vow/op.h>
#include <vow/repeat.h>
#include <vow/retry.h>
#include <vow/time.h>
#include <vow/timeout.h>
#include <vow/token.h>

/* ---- token close ----------------------------------------------------------
 */

/* The operation may still use what the closer is about to free. */
TEST(test_unwinding_token_close_awaits_a_dropped_bound_operation) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_future_t *closed;
  vow_drop(vow_with_token(x.f, t));
  closed = vow_token_close(t);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(closed), VOW_PENDING);
  vow_promise_drop(x.p);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(closed), VOW_SUCCEEDED);
  vow_drop(closed);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_unwinding_token_close_awaits_what_is_dropped_meanwhile) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_future_t *bound = vow_with_token(x.f, t);
  vow_future_t *closed = vow_token_close(t);
  vow_drop(bound);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(closed), VOW_PENDING);
  vow_promise_finish(x.p, once());
  manual_drain(loop);
  ck_assert_int_eq(vow_state(closed), VOW_SUCCEEDED);
  ck_assert_int_eq(things_live, 0);
  vow_drop(closed);
  vow_token_free(t);
  manual_done(loop);
}

/* ---- closing without grace ------------------------------------------------
 */

static int stuck;

static void count_stuck(const char *what, const char *site, void *arg) {
  (void)what;
  (void)site;
  (void)arg;
  stuck++;
}

static vow_loop_t *quiet_loop(void) {
  vow_loop_options_t options = {0};
  options.on_stuck = count_stuck;
  stuck = 0;
  return manual_loop_with(&options);
}

TEST(test_unwinding_close_at_once_ends_a_shared_source) {
  vow_loop_t *loop = quiet_loop();
  vow_future_t *s = vow_sleep(loop, 1000);
  vow_future_t *f = vow_then(vow_ref(s), add_one, NULL);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(stuck, 0);
  EXPECT_CANCELLED(s, UV_ECANCELED);
  EXPECT_CANCELLED(f, UV_ECANCELED);
}

TEST(test_unwinding_close_at_once_ends_a_shared_source_that_is_derived) {
  vow_loop_t *loop = quiet_loop();
  vow_future_t *s = vow_then(vow_sleep(loop, 1000), add_one, NULL);
  vow_future_t *f = vow_then(vow_ref(s), add_one, NULL);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(stuck, 0);
  EXPECT_CANCELLED(s, UV_ECANCELED);
  EXPECT_CANCELLED(f, UV_ECANCELED);
}

TEST(test_unwinding_close_at_once_ends_what_a_shield_protects) {
  vow_loop_t *loop = quiet_loop();
  vow_future_t *f = vow_shield(vow_sleep(loop, 1000));
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(stuck, 0);
  EXPECT_CANCELLED(f, UV_ECANCELED);
}

/* More continuations than a step budget. */
TEST(test_unwinding_close_at_once_unwinds_2000_thens) {
  vow_loop_t *loop = quiet_loop();
  vow_future_t *s = vow_sleep(loop, 1000), *f = vow_ref(s);
  for (int i = 0; i < 2000; i++) f = vow_then(f, add_one, NULL);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(stuck, 0);
  EXPECT_CANCELLED(s, UV_ECANCELED);
  EXPECT_CANCELLED(f, UV_ECANCELED);
}

static vow_value_t nap(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_follow(vow_sleep(vow_loop_of(in), 1));
}

/* What needs time is not waited for. */
TEST(test_unwinding_close_at_once_does_not_wait_for_clean_up) {
  vow_loop_t *loop = quiet_loop();
  vow_future_t *f = vow_finally(vow_never(loop), nap, NULL);
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  ck_assert_uint_eq(vow_loop_now_ms(loop), 1000);
  ck_assert_int_gt(stuck, 0);
  ck_assert_int_eq(vow_loop_close(loop, 10), 0);
  EXPECT_CANCELLED(f, UV_ECANCELED);
}

static bool fed;

static vow_value_t feed_itself(vow_future_t *in, void *arg) {
  ++*(int *)arg;
  if (!fed) return vow_nil();
  vow_detach(vow_finally(ok(vow_loop_of(in), 1), feed_itself, arg));
  return vow_nil();
}

/* Nor is a chain that feeds itself, though it is always ready. */
TEST(test_unwinding_close_at_once_gives_up_on_a_chain_that_feeds_itself) {
  vow_loop_t *loop = quiet_loop();
  int runs = 0;
  fed = true;
  vow_detach(vow_finally(ok(loop, 1), feed_itself, &runs));
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  ck_assert_int_gt(runs, 1);
  ck_assert_int_gt(stuck, 0);
  fed = false;
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
}

/* ---- rings ----------------------------------------------------------------
 */

static vow_future_t *result; /* borrowed */

static vow_future_t *wait_for_result(void) {
  return vow_then(vow_ref(result), same, NULL);
}

static vow_future_t *retry_result(vow_loop_t *loop, uint32_t n, void *arg) {
  (void)loop;
  (void)n;
  ++*(int *)arg;
  return wait_for_result();
}

static vow_future_t *repeat_result(vow_loop_t *loop, uint64_t n, void *arg) {
  (void)loop;
  (void)n;
  ++*(int *)arg;
  return wait_for_result();
}

static vow_future_t *map_result(vow_loop_t *loop, size_t i, void *arg) {
  (void)loop;
  (void)i;
  ++*(int *)arg;
  return wait_for_result();
}

static void expect_ring_is_refused(vow_loop_t *loop, vow_future_t *f,
                                   const int *calls) {
  result = f;
  manual_drain(loop);
  ck_assert_int_eq(*calls, 1);
  EXPECT_MISUSE(f, VOW_ECYCLE, "a future that waits for the result");
  manual_done(loop);
}

TEST(test_unwinding_retry_of_what_waits_for_it_is_a_cycle) {
  vow_loop_t *loop = manual_loop();
  int calls = 0;
  vow_future_t *f = vow_retry(loop, retry_result, &calls, NULL, NULL);
  expect_ring_is_refused(loop, f, &calls);
}

TEST(test_unwinding_repeat_of_what_waits_for_it_is_a_cycle) {
  vow_loop_t *loop = manual_loop();
  int calls = 0;
  vow_future_t *f = vow_repeat(loop, repeat_result, &calls);
  expect_ring_is_refused(loop, f, &calls);
}

TEST(test_unwinding_map_of_what_waits_for_it_is_a_cycle) {
  vow_loop_t *loop = manual_loop();
  int calls = 0;
  vow_future_t *f = vow_map(loop, 3, 1, map_result, &calls);
  expect_ring_is_refused(loop, f, &calls);
}

typedef struct ring_op {
  vow_op_t op;
  vow_waiter_t waiter;
} ring_op_t;

static int ring_destroys;

static void ring_cancel(void *op) {
  vow_waiter_release(&((ring_op_t *)op)->waiter);
  vow_op_settle(op, vow_cancelled(0));
}

static void ring_destroy(void *op) {
  ring_destroys++;
  vow_waiter_release(&((ring_op_t *)op)->waiter);
}

static void ring_ready(void *op, vow_waiter_t *w) {
  vow_waiter_release(w);
  vow_op_settle(op, vow_nil());
}

/* Without sources nobody can see the ring. */
static const vow_op_class_t ring_class = {
    "ring", sizeof(ring_op_t), ring_cancel, ring_destroy, ring_ready, NULL};

static ring_op_t *ring_op(vow_loop_t *loop) {
  ring_op_t *r = vow_op_new_at(VOW_SITE, loop, &ring_class);
  ck_assert_ptr_nonnull(r);
  ring_destroys = 0;
  return r;
}

TEST(test_unwinding_close_ends_a_ring_of_raw_waiters) {
  vow_loop_t *loop;
  ring_op_t *a, *b;
  fault_install();
  loop = quiet_loop();
  a = ring_op(loop);
  b = ring_op(loop);
  vow_waiter_start(&a->waiter, a, vow_op_future(b));
  vow_waiter_start(&b->waiter, b, vow_op_future(a)); /* nobody else's now */
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(stuck, 0);
  ck_assert_int_eq(ring_destroys, 2);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_unwinding_close_ends_a_ring_through_a_then) {
  vow_loop_t *loop;
  ring_op_t *a;
  arg_t ran = returns(vow_nil());
  vow_future_t *f;
  fault_install();
  loop = quiet_loop();
  a = ring_op(loop);
  f = vow_then(vow_ref(vow_op_future(a)), arg_run, &ran, arg_drop);
  vow_waiter_start(&a->waiter, a, f);
  ck_assert_int_eq(vow_loop_close(loop, 100), 0);
  ck_assert_int_eq(stuck, 0);
  EXPECT_CANCELLED(vow_op_future(a), UV_ECANCELED);
  ck_assert_int_eq(ring_destroys, 1);
  EXPECT_SKIPPED(ran);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- other threads --------------------------------------------------------
 */

static int (*driver_close)(vow_driver_t *d, vow_stuck_cb stuck, void *arg);
static vow_remote_t *remote;
static int settled_with, closes_refused;

static void *settle_remote(void *arg) {
  (void)arg;
  settled_with = vow_remote_settle(remote, once());
  return NULL;
}

static void settle_elsewhere(void) {
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, settle_remote, NULL), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static int settle_then_close(vow_driver_t *d, vow_stuck_cb cb, void *arg) {
  settle_elsewhere();
  return driver_close(d, cb, arg);
}

static int refuse_once(vow_driver_t *d, vow_stuck_cb cb, void *arg) {
  if (closes_refused++ == 0) return UV_EBUSY;
  return driver_close(d, cb, arg);
}

/* A loop with a remote promise whose future is dropped, if not in ret_f. */
static vow_loop_t *remote_loop(vow_future_t **ret_f) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  remote = vow_promise_remote(x.p);
  ck_assert_ptr_nonnull(remote);
  if (ret_f == NULL)
    vow_drop(x.f);
  else
    *ret_f = x.f;
  driver_close = vow_loop_driver(loop)->close;
  return loop;
}

/* The mailbox is closed, the loop not yet. */
TEST(test_unwinding_remote_of_dropped_future_settled_while_driver_closes) {
  vow_loop_t *loop;
  fault_install();
  loop = remote_loop(NULL);
  vow_loop_driver(loop)->close = settle_then_close;
  ck_assert_int_eq(vow_loop_close(loop, 10), 0);
  ck_assert_int_eq(settled_with, VOW_ESHUTDOWN);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_unwinding_remote_of_dropped_future_settled_after_close) {
  vow_loop_t *loop;
  fault_install();
  loop = remote_loop(NULL);
  ck_assert_int_eq(vow_loop_close(loop, 10), 0);
  settle_elsewhere();
  ck_assert_int_eq(settled_with, VOW_ESHUTDOWN);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* The first close cuts it off; its value is destroyed on the loop's thread. */
TEST(test_unwinding_remote_settled_after_a_close_that_was_refused) {
  vow_loop_t *loop;
  vow_future_t *f;
  fault_install();
  loop = remote_loop(&f);
  closes_refused = 0;
  vow_loop_driver(loop)->close = refuse_once;
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  settle_elsewhere();
  ck_assert_int_eq(settled_with, 0);
  ck_assert_int_eq(things_live, 1);
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(core_unwinding) {
  ADD(test_unwinding_token_close_awaits_a_dropped_bound_operation);
  ADD(test_unwinding_token_close_awaits_what_is_dropped_meanwhile);
  ADD(test_unwinding_close_at_once_ends_a_shared_source);
  ADD(test_unwinding_close_at_once_ends_a_shared_source_that_is_derived);
  ADD(test_unwinding_close_at_once_ends_what_a_shield_protects);
  ADD(test_unwinding_close_at_once_unwinds_2000_thens);
  ADD(test_unwinding_close_at_once_does_not_wait_for_clean_up);
  ADD(test_unwinding_close_at_once_gives_up_on_a_chain_that_feeds_itself);
  ADD(test_unwinding_retry_of_what_waits_for_it_is_a_cycle);
  ADD(test_unwinding_repeat_of_what_waits_for_it_is_a_cycle);
  ADD(test_unwinding_map_of_what_waits_for_it_is_a_cycle);
  ADD(test_unwinding_close_ends_a_ring_of_raw_waiters);
  ADD(test_unwinding_close_ends_a_ring_through_a_then);
  ADD(test_unwinding_remote_of_dropped_future_settled_while_driver_closes);
  ADD(test_unwinding_remote_of_dropped_future_settled_after_close);
  ADD(test_unwinding_remote_settled_after_a_close_that_was_refused);
}

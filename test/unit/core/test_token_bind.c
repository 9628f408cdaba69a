/* SPDX-License-Identifier: MIT */
/* Tests of futures bound to tokens, of vow_token_future, and of closing. Rule
 * 15, and the parts of 12 and 14 that concern bound futures. */
#include "unit/core/helpers.h"

#include <vow/op.h>
#include <vow/token.h>

TEST(test_token_bind_passes_the_outcome_through) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_future_t *a = vow_with_token(vow_ready(loop, once()), t);
  vow_future_t *b = vow_with_token(bad(loop, UV_EIO), t);
  vow_future_t *c = vow_with_token(vow_ready(loop, vow_cancelled(UV_EINTR)), t);
  ck_assert_int_eq(vow_state(a), VOW_PENDING);
  manual_drain(loop);
  ck_assert_ptr_nonnull(vow_get(a, &type_once));
  vow_drop(a);
  EXPECT_FAILED(b, UV_EIO);
  EXPECT_CANCELLED(c, UV_EINTR);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_bind_cancel_fails_it_with_the_reason) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *u = vow_token_new(loop);
  pair_t x = pair(loop);
  vow_future_t *f = vow_with_token(x.f, t);
  vow_future_t *g = vow_with_token(vow_never(loop), u);
  vow_token_cancel(t, UV_EINTR);
  ck_assert(!vow_promise_is_wanted(x.p));
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_token_cancel(u, UV_ETIMEDOUT);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_EINTR);
  EXPECT_FAILED(g, UV_ETIMEDOUT); /* never classed as a cancellation */
  vow_promise_drop(x.p);
  vow_token_free(t);
  vow_token_free(u);
  manual_done(loop);
}

TEST(test_token_bind_waits_until_the_future_has_unwound) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  int asked = 0;
  pair_t x = slow_pair(loop, &asked), y = slow_pair(loop, &asked);
  pair_t z = slow_pair(loop, &asked);
  vow_future_t *f = vow_with_token(x.f, t), *g = vow_with_token(y.f, t);
  vow_future_t *h = vow_with_token(z.f, t);
  vow_value_t cause;
  vow_token_cancel(t, UV_EINTR);
  manual_drain(loop);
  ck_assert_int_eq(asked, 3);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(x.p, vow_int(1));       /* succeeds all the same */
  vow_promise_finish(y.p, vow_fail(UV_EIO)); /* fails in clean-up */
  vow_promise_drop(z.p);
  manual_drain(loop);
  EXPECT_INT(f, 1);
  ck_assert(vow_error_cause(vow_error(g), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EINTR);
  EXPECT_FAILED(g, UV_EIO);
  EXPECT_CANCELLED(h, UV_EINTR);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_bind_to_a_cancelled_token_cancels_at_once) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  pair_t x = pair(loop);
  vow_future_t *f, *g;
  vow_token_cancel(t, UV_EINTR);
  f = vow_with_token(x.f, t);
  g = vow_with_token(ok(loop, 4), t);
  ck_assert(!vow_promise_is_wanted(x.p));
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_EINTR);
  EXPECT_INT(g, 4); /* had succeeded */
  vow_promise_drop(x.p);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_bind_of_a_shared_future_leaves_it_to_the_others) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  pair_t x = pair(loop);
  vow_future_t *f = vow_with_token(vow_ref(x.f), t);
  vow_token_cancel(t, UV_EINTR);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_EINTR);
  ck_assert(vow_promise_is_wanted(x.p));
  vow_promise_finish(x.p, vow_int(1));
  EXPECT_INT(x.f, 1);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_bind_cancel_of_the_future_itself_is_its_own) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_future_t *f = vow_with_token(vow_never(loop), t);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  vow_drop(vow_with_token(vow_never(loop), t));
  manual_drain(loop);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_bind_deadline_times_out) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *d = vow_token_deadline(t, 50);
  vow_future_t *f = vow_with_token(vow_never(loop), d);
  manual_advance(loop, 49);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 1);
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  vow_token_free(d);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_bind_without_memory_drops_the_future) {
  vow_loop_t *loop;
  vow_token_t *t;
  vow_future_t *f;
  fault_install();
  loop = manual_loop_probe();
  t = vow_token_new(loop);
  f = vow_ready(loop, once());
  fault_fail_from(1);
  EXPECT_FAILED(vow_with_token(f, t), UV_ENOMEM);
  ck_assert_int_eq(things_live, 0);
  EXPECT_FAILED(vow_token_future(t), UV_ENOMEM);
  EXPECT_FAILED(vow_token_close(t), UV_ENOMEM);
  fault_off();
  vow_token_free(t);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- Rule 12, 14: freeing tokens that have something bound -----------------
 */

/* Rule 14: bound futures go over to the parent. */
TEST(test_token_bind_free_of_middle_hands_futures_to_the_parent) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *mid = vow_token_child(t);
  vow_token_t *low = vow_token_child(mid);
  vow_future_t *f = vow_with_token(vow_never(loop), mid);
  vow_future_t *g = vow_with_token(vow_never(loop), low);
  vow_token_free(mid);
  vow_token_free(low);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_token_cancel(t, UV_EINTR);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_EINTR);
  EXPECT_CANCELLED(g, UV_EINTR);
  vow_token_free(t);
  manual_done(loop);
}

/* Rule 14: without a parent they go on, bound to nothing. */
TEST(test_token_bind_free_of_root_lets_futures_go_on) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  pair_t x = pair(loop);
  vow_future_t *f = vow_with_token(x.f, t);
  vow_token_free(t);
  ck_assert(vow_promise_is_wanted(x.p));
  vow_promise_finish(x.p, vow_int(5));
  manual_drain(loop);
  EXPECT_INT(f, 5);
  manual_done(loop);
}

TEST(test_token_bind_freed_linked_token_still_cancels_its_futures) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *source[2], *t;
  vow_future_t *f;
  source[0] = vow_token_new(loop);
  source[1] = vow_token_new(loop);
  t = vow_token_linked(2, source);
  f = vow_with_token(vow_never(loop), t);
  vow_token_free(t);
  vow_token_cancel(source[1], UV_EINTR);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_EINTR);
  vow_token_free(source[0]);
  vow_token_free(source[1]);
  manual_done(loop);
}

TEST(test_token_bind_freed_while_its_futures_unwind) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *child = vow_token_child(t);
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_future_t *f = vow_with_token(x.f, child);
  vow_token_cancel(t, UV_EINTR);
  vow_token_free(child);
  vow_token_free(t);
  manual_drain(loop);
  vow_promise_drop(x.p);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_EINTR);
  manual_done(loop);
}

static vow_token_t *doomed[3];

static void free_doomed(void *arg) {
  (void)arg;
  for (size_t i = 0; i < 3; i++) vow_token_free(doomed[i]);
  memset(doomed, 0, sizeof doomed);
}

typedef struct gone_op {
  vow_op_t op;
  vow_waiter_t waiter;
} gone_op_t;

static void gone_cancel(void *op) {
  vow_waiter_release(&((gone_op_t *)op)->waiter); /* drops; args go with it */
  vow_op_settle(op, vow_cancelled(0));
}

static const vow_op_class_t gone_class = {
    "gone", sizeof(gone_op_t), gone_cancel, NULL, NULL, NULL};

/* An operation whose being cancelled runs drop(NULL) at once. */
static vow_future_t *op_that_runs(vow_loop_t *loop, vow_drop_cb drop) {
  gone_op_t *g = vow_op_new_at(VOW_SITE, loop, &gone_class);
  vow_future_t *f = vow_then(vow_never(loop), note_run, NULL, drop);
  vow_waiter_start(&g->waiter, g, f);
  return vow_op_future(g);
}

/* Rule 12: what a cancel sets off may free any token on its way. */
TEST(test_token_bind_tokens_freed_in_the_middle_of_a_cancel) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f, *g, *h;
  doomed[0] = vow_token_new(loop);
  doomed[1] = vow_token_child(doomed[0]);
  doomed[2] = vow_token_child(doomed[1]);
  f = vow_with_token(op_that_runs(loop, free_doomed), doomed[0]);
  g = vow_with_token(vow_never(loop), doomed[1]);
  h = vow_with_token(vow_never(loop), doomed[2]);
  vow_token_watch(doomed[2], note_watch, "w", note_drop);
  vow_token_cancel(doomed[0], UV_EINTR);
  manual_drain(loop);
  EXPECT_EVENTS("-w"); /* freed before it was its turn */
  EXPECT_CANCELLED(f, UV_EINTR);
  EXPECT_CANCELLED(g, UV_EINTR);
  EXPECT_CANCELLED(h, UV_EINTR);
  manual_done(loop);
}

/* ---- Rule 15: nothing stays behind, and quiescence -------------------------
 */

/* Rule 15: a million operations under one long-lived token: memory flat. */
TEST(test_token_bind_of_a_million_operations_leaves_memory_flat) {
  vow_loop_t *loop;
  vow_token_t *t;
  size_t n = test_scale(1000000);
  long blocks;
  fault_install();
  loop = manual_loop();
  t = vow_token_new(loop);
  blocks = fault_live();
  for (size_t i = 0; i < n; i++) {
    pair_t x = pair(loop);
    vow_future_t *f = vow_with_token(x.f, t);
    switch (i % 3) {
    case 0:
      vow_promise_finish(x.p, vow_int(1));
      manual_drain(loop);
      vow_drop(f);
      break;
    case 1:
      vow_drop(f);
      vow_promise_drop(x.p);
      manual_drain(loop);
      break;
    default:
      vow_cancel(f);
      manual_drain(loop);
      vow_drop(f);
      vow_promise_drop(x.p);
    }
    ck_assert_uint_eq(vow_loop_live(loop), 0);
    ck_assert_int_le(fault_live(), blocks + 1);
  }
  vow_token_free(t);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* Rule 15: close settles when all that was bound has unwound. */
TEST(test_token_close_settles_when_all_has_unwound) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *low = vow_token_child(t);
  int asked = 0;
  pair_t x = slow_pair(loop, &asked), y = slow_pair(loop, &asked);
  vow_future_t *f = vow_with_token(x.f, t), *g = vow_with_token(y.f, low), *c;
  c = vow_token_close(t);
  ck_assert_int_eq(vow_token_reason(low), UV_ECANCELED);
  manual_drain(loop);
  ck_assert_int_eq(asked, 2);
  vow_promise_drop(x.p);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(c), VOW_PENDING);
  vow_promise_drop(y.p);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(c), 0);
  vow_drop(c);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  EXPECT_CANCELLED(g, UV_ECANCELED);
  vow_token_free(low);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_close_of_a_quiet_token_has_settled) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_future_t *c;
  vow_token_cancel(t, UV_EINTR);
  c = vow_token_close(t);
  ck_assert_int_eq(vow_status(c), 0);
  ck_assert_int_eq(vow_token_reason(t), UV_EINTR);
  vow_drop(c);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_close_cancelled_or_dropped_does_not_take_it_back) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_future_t *f = vow_with_token(x.f, t), *c = vow_token_close(t);
  vow_drop(vow_token_close(t));
  vow_cancel(c);
  EXPECT_CANCELLED(c, UV_ECANCELED);
  ck_assert(vow_token_is_cancelled(t));
  manual_drain(loop);
  vow_promise_drop(x.p);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_future_fails_with_the_reason) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_future_t *f = vow_token_future(t), *g;
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_token_cancel(t, UV_EINTR);
  g = vow_token_future(t);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_EINTR);
  EXPECT_CANCELLED(g, UV_EINTR);
  vow_token_free(t);
  manual_done(loop);
}

SUITE(core_token_bind) {
  ADD(test_token_bind_passes_the_outcome_through);
  ADD(test_token_bind_cancel_fails_it_with_the_reason);
  ADD(test_token_bind_waits_until_the_future_has_unwound);
  ADD(test_token_bind_to_a_cancelled_token_cancels_at_once);
  ADD(test_token_bind_of_a_shared_future_leaves_it_to_the_others);
  ADD(test_token_bind_cancel_of_the_future_itself_is_its_own);
  ADD(test_token_bind_deadline_times_out);
  ADD(test_token_bind_without_memory_drops_the_future);
  ADD(test_token_bind_free_of_middle_hands_futures_to_the_parent);
  ADD(test_token_bind_free_of_root_lets_futures_go_on);
  ADD(test_token_bind_freed_linked_token_still_cancels_its_futures);
  ADD(test_token_bind_freed_while_its_futures_unwind);
  ADD(test_token_bind_tokens_freed_in_the_middle_of_a_cancel);
  ADD(test_token_bind_of_a_million_operations_leaves_memory_flat);
  ADD(test_token_close_settles_when_all_has_unwound);
  ADD(test_token_close_of_a_quiet_token_has_settled);
  ADD(test_token_close_cancelled_or_dropped_does_not_take_it_back);
  ADD(test_token_future_fails_with_the_reason);
}

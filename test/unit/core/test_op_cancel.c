/* SPDX-License-Identifier: MIT */
/* Tests of cancelling for a reason: vow_op_cancel, and what an operation hears of
 * it by vow_op_cancel_reason. */
#include "unit/core/helpers.h"

#include <pthread.h>

#include <vow/gather.h>
#include <vow/op.h>

typedef struct witness {
  vow_op_t op;
} witness_t;

static int heard; /* the reason that the last witness was cancelled for */

static void witness_cancel(void *op) {
  heard = vow_op_cancel_reason(op);
  vow_op_settle(op, vow_cancelled(heard));
}

static const vow_op_class_t witness_class = {
    .name = "witness",
    .size_bytes = sizeof(witness_t),
    .cancel = witness_cancel,
};

static vow_future_t *witness(vow_loop_t *loop) {
  void *op = vow_op_new_at(VOW_SITE, loop, &witness_class);
  ck_assert_ptr_nonnull(op);
  heard = 0;
  return vow_op_future(op);
}

static vow_value_t pass_on(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_outcome(in);
}

TEST(test_op_cancel_tells_the_operation_the_reason) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = witness(loop);
  ck_assert_int_eq(vow_op_cancel(f, UV_ECONNRESET), 0);
  ck_assert_int_eq(heard, UV_ECONNRESET);
  EXPECT_CANCELLED(f, UV_ECONNRESET);
  manual_done(loop);
}

TEST(test_op_cancel_reason_reaches_through_chains_and_combinators) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_then(witness(loop), pass_on, NULL);
  vow_future_t *fs[] = {f, vow_never(loop)};
  vow_future_t *both = vow_gather(loop, 2, fs);
  ck_assert_int_eq(vow_op_cancel(both, UV_EINTR), 0);
  ck_assert_int_eq(heard, UV_EINTR);
  manual_drain(loop);
  vow_drop(both);
  manual_done(loop);
}

TEST(test_op_cancel_reason_ends_with_the_call) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = witness(loop), *g;
  vow_op_cancel(f, UV_EINTR);
  vow_drop(f);
  f = witness(loop);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(heard, UV_ECANCELED);
  vow_drop(f);
  g = witness(loop);
  vow_op_cancel(g, 17); /* no code: the usual one */
  ck_assert_int_eq(heard, UV_ECANCELED);
  vow_drop(g);
  manual_done(loop);
}

TEST(test_op_cancel_settled_or_missing_future_changes_nothing) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = ok(loop, 3);
  ck_assert_int_eq(vow_op_cancel(NULL, UV_EINTR), UV_EINVAL);
  ck_assert_int_eq(vow_op_cancel(f, UV_EINTR), 0);
  EXPECT_INT(f, 3);
  manual_done(loop);
}

static void *cancel_elsewhere(void *f) {
  ck_assert_int_eq(vow_op_cancel(f, UV_EINTR), VOW_ETHREAD);
  return NULL;
}

TEST(test_op_cancel_on_another_thread_is_refused) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = witness(loop);
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, cancel_elsewhere, f), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  ck_assert_int_eq(heard, 0);
  ck_assert(!vow_is_settled(f));
  vow_drop(f);
  ck_assert_int_eq(heard, UV_ECANCELED);
  manual_done(loop);
}

SUITE(core_op_cancel) {
  ADD(test_op_cancel_tells_the_operation_the_reason);
  ADD(test_op_cancel_reason_reaches_through_chains_and_combinators);
  ADD(test_op_cancel_reason_ends_with_the_call);
  ADD(test_op_cancel_settled_or_missing_future_changes_nothing);
  ADD(test_op_cancel_on_another_thread_is_refused);
}

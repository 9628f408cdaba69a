/* SPDX-License-Identifier: MIT */
/* Tests of operations and waiters, as those use them who write futures of
 * their own kind. */
#include "unit/core/helpers.h"

#include <pthread.h>
#include <vow/op.h>

typedef struct plain_op {
  vow_op_t op;
  vow_waiter_t waiter;
  int zeroed;
  bool keep; /* its cancel leaves it pending */
} plain_op_t;

static int cancels, destroys, readies;

static void plain_cancel(void *op) {
  cancels++;
  if (!((plain_op_t *)op)->keep) vow_op_settle(op, vow_cancelled(0));
}

static void plain_destroy(void *op) {
  plain_op_t *p = op;
  destroys++;
  vow_waiter_release(&p->waiter);
}

static void plain_ready(void *op, vow_waiter_t *w) {
  ck_assert_ptr_eq(w, &((plain_op_t *)op)->waiter);
  ck_assert(vow_is_settled(vow_waiter_future(w)));
  readies++;
}

static void plain_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                          void *arg) {
  vow_future_t *f = vow_waiter_future(&((plain_op_t *)op)->waiter);
  if (f != NULL) visit(f, arg);
}

static const vow_op_class_t plain_class = {"plain",      sizeof(plain_op_t),
                                           plain_cancel, plain_destroy,
                                           plain_ready,  plain_sources};

static const vow_op_class_t deaf_class = {
    "deaf", sizeof(plain_op_t), NULL, plain_destroy, plain_ready, NULL};

static plain_op_t *new_op(vow_loop_t *loop) {
  plain_op_t *p = vow_op_new_at(VOW_SITE, loop, &plain_class);
  ck_assert_ptr_nonnull(p);
  cancels = destroys = readies = 0;
  return p;
}

TEST(test_op_is_pending_zeroed_and_of_its_class) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_future_t *f = vow_op_future(p), *other = ok(loop, 1);
  ck_assert_int_eq(p->zeroed, 0);
  ck_assert(vow_op_is_pending(p));
  ck_assert_ptr_eq(vow_op_loop(p), loop);
  ck_assert_ptr_eq(vow_op_of(f, &plain_class), p);
  ck_assert_ptr_null(vow_op_of(f, &deaf_class));
  ck_assert_ptr_null(vow_op_of(other, &plain_class));
  ck_assert_ptr_null(vow_op_of(NULL, &plain_class));
  vow_op_settle(p, vow_nil());
  vow_drop(f);
  vow_drop(other);
  manual_done(loop);
}

TEST(test_op_settles_once_and_is_destroyed_once) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_future_t *f = vow_then(vow_op_future(p), add_one, NULL);
  ck_assert_int_eq(vow_op_settle(p, vow_int(1)), 0);
  ck_assert(!vow_op_is_pending(p));
  ck_assert_int_eq(vow_op_settle(p, once()), VOW_ESETTLED);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(destroys, 0);
  manual_drain(loop);
  ck_assert_int_eq(destroys, 1);
  EXPECT_INT(f, 2);
  manual_done(loop);
}

TEST(test_op_cancel_is_called_at_most_once) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_future_t *f = vow_op_future(p);
  p->keep = true;
  vow_cancel(f);
  vow_cancel(f);
  vow_drop(f);
  ck_assert_int_eq(cancels, 1);
  ck_assert_int_eq(destroys, 0);
  vow_op_settle(p, vow_cancelled(0));
  ck_assert_int_eq(destroys, 1);
  manual_done(loop);
}

TEST(test_op_dropped_is_cancelled_and_destroyed) {
  vow_loop_t *loop = manual_loop();
  vow_drop(vow_op_future(new_op(loop)));
  ck_assert_int_eq(cancels, 1);
  ck_assert_int_eq(destroys, 1);
  manual_done(loop);
}

TEST(test_op_without_cancel_runs_on_when_dropped) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = vow_op_new_at(VOW_SITE, loop, &deaf_class);
  vow_future_t *f = vow_op_future(p);
  destroys = 0;
  vow_cancel(f);
  vow_drop(f);
  ck_assert(vow_op_is_pending(p));
  vow_op_settle(p, once());
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(destroys, 1);
  manual_done(loop);
}

TEST(test_op_pins_keep_the_memory) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_op_pin(p);
  vow_op_pin(p);
  vow_drop(vow_op_future(p));
  ck_assert_int_eq(cancels, 1);
  vow_op_unpin(p);
  ck_assert_int_eq(destroys, 0);
  vow_op_unpin(p);
  ck_assert_int_eq(destroys, 1);
  p = new_op(loop);
  for (int i = 0; i < 255; i++) vow_op_pin(p);
  vow_op_settle(p, vow_nil());
  vow_drop(vow_op_future(p));
  for (int i = 0; i < 255; i++) vow_op_unpin(p);
  ck_assert_int_eq(destroys, 1);
  manual_done(loop);
}

TEST(test_op_may_settle_as_another_future_does) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  pair_t x = pair(loop);
  vow_future_t *f = vow_op_future(p);
  ck_assert_int_eq(vow_op_settle(p, vow_follow(x.f)), 0);
  ck_assert(!vow_op_is_pending(p));
  ck_assert_int_eq(vow_op_settle(p, vow_nil()), VOW_ESETTLED);
  vow_promise_finish(x.p, vow_int(3));
  manual_drain(loop);
  EXPECT_INT(f, 3);
  ck_assert_int_eq(destroys, 1);
  p = new_op(loop);
  x = pair(loop);
  vow_op_settle(p, vow_follow(x.f));
  vow_drop(vow_op_future(p)); /* now this reaches the followed one */
  ck_assert_int_eq(cancels, 0);
  ck_assert(!vow_promise_is_wanted(x.p));
  vow_promise_drop(x.p);
  manual_drain(loop);
  ck_assert_int_eq(destroys, 1);
  manual_done(loop);
}

TEST(test_op_without_memory_gives_the_failure_to_return) {
  vow_loop_t *loop;
  fault_install();
  loop = manual_loop_probe();
  fault_fail_from(1);
  ck_assert_ptr_null(vow_op_new_at("s", loop, &plain_class));
  EXPECT_FAILED(vow_op_failed("s", loop, "my_op"), UV_ENOMEM);
  EXPECT_FAILED(vow_misuse_at("s", loop, UV_EINVAL, "my_op: x"), UV_ENOMEM);
  ck_assert_str_eq(vow_last_message(), "my_op: x");
  fault_off();
  EXPECT_MISUSE(vow_op_failed("s", NULL, "my_op"), UV_EINVAL,
                "my_op: the loop is NULL");
  manual_done(loop);
  fault_remove();
}

/* ---- waiters --------------------------------------------------------------
 */

TEST(test_op_waiter_is_told_from_the_ready_queue) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_future_t *f;
  vow_waiter_start(&p->waiter, p, ok(loop, 7));
  ck_assert_int_eq(readies, 0); /* Rule 1 */
  manual_drain(loop);
  ck_assert_int_eq(readies, 1);
  f = vow_waiter_take(&p->waiter);
  EXPECT_INT(f, 7);
  ck_assert_ptr_null(vow_waiter_future(&p->waiter));
  ck_assert_ptr_null(vow_waiter_take(&p->waiter));
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

TEST(test_op_waiter_has_seen_the_failure) {
  vow_loop_t *loop = hooked_loop(false);
  plain_op_t *p = new_op(loop);
  vow_waiter_start(&p->waiter, p, bad(loop, UV_EIO));
  manual_drain(loop);
  vow_waiter_release(&p->waiter);
  vow_drop(vow_op_future(p));
  ck_assert_int_eq(unhandled, 0);
  manual_done(loop);
}

TEST(test_op_waiter_cancel_awaits_what_it_alone_wants) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_waiter_start(&p->waiter, p, x.f);
  ck_assert(vow_waiter_cancel(&p->waiter));
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(readies, 0);
  vow_promise_drop(x.p);
  manual_drain(loop);
  ck_assert_int_eq(readies, 1);
  ck_assert(vow_is_cancelled(vow_waiter_future(&p->waiter)));
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

TEST(test_op_waiter_cancel_leaves_what_others_want) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  pair_t x = pair(loop);
  vow_waiter_start(&p->waiter, p, vow_ref(x.f));
  ck_assert(!vow_waiter_cancel(&p->waiter));
  ck_assert_ptr_null(vow_waiter_future(&p->waiter));
  ck_assert(!vow_waiter_cancel(&p->waiter));
  ck_assert(vow_promise_is_wanted(x.p));
  vow_promise_finish(x.p, vow_int(1));
  manual_drain(loop);
  ck_assert_int_eq(readies, 0);
  EXPECT_INT(x.f, 1);
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

TEST(test_op_waiter_cancel_of_settled_releases_it) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_waiter_start(&p->waiter, p, vow_ready(loop, once()));
  ck_assert(!vow_waiter_cancel(&p->waiter));
  ck_assert_int_eq(things_live, 0);
  manual_drain(loop);
  ck_assert_int_eq(readies, 0);
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

TEST(test_op_waiter_release_of_pending_cancels_it_unawaited) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  pair_t x = pair(loop);
  vow_waiter_start(&p->waiter, p, x.f);
  vow_waiter_release(&p->waiter);
  ck_assert(!vow_promise_is_wanted(x.p));
  vow_waiter_release(&p->waiter); /* idle: nothing */
  vow_promise_drop(x.p);
  manual_drain(loop);
  ck_assert_int_eq(readies, 0);
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

TEST(test_op_waiter_takes_failures_without_a_loop) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_future_t *f = vow_misuse_at("s", NULL, UV_EINVAL, "no loop");
  ck_assert_int_eq(vow_op_check(f, loop), 0);
  vow_waiter_start(&p->waiter, p, f);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(vow_waiter_future(&p->waiter)), UV_EINVAL);
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

TEST(test_op_check_refuses_null_and_other_loops) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  vow_future_t *f = ok(loop, 1);
  ck_assert_int_eq(vow_op_check(NULL, loop), UV_EINVAL);
  ck_assert_int_eq(vow_op_check(f, loop), 0);
  ck_assert_int_eq(vow_op_check(f, other), UV_EINVAL);
  vow_drop(f);
  manual_done(other);
  manual_done(loop);
}

/* Rule 3: a cycle through an operation that tells its sources. */
TEST(test_op_cycle_through_its_sources_is_an_error) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  plain_op_t *p = new_op(loop);
  vow_future_t *f = vow_then(vow_op_future(p), add_one, NULL);
  vow_waiter_start(&p->waiter, p, vow_then(vow_ref(x.f), add_one, NULL));
  vow_promise_finish(x.p, vow_follow(vow_ref(f)));
  ck_assert_int_eq(vow_status(x.f), VOW_ECYCLE);
  vow_drop(x.f);
  vow_drop(f);
  manual_drain(loop);
  manual_done(loop);
}

/* ---- cycles, inputs of elsewhere ------------------------------------------ */

TEST(test_op_would_cycle_sees_itself_behind_chains_and_operations) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop), *inner = new_op(loop);
  vow_future_t *f = vow_then(vow_ref(vow_op_future(p)), add_one, NULL);
  vow_future_t *other = vow_never(loop);
  ck_assert(vow_op_would_cycle(p, vow_op_future(p)));
  ck_assert(vow_op_would_cycle(p, f));
  ck_assert(!vow_op_would_cycle(p, other));
  vow_waiter_start(&inner->waiter, inner, f);
  ck_assert(vow_op_would_cycle(p, vow_op_future(inner)));
  ck_assert(!vow_op_would_cycle(inner, vow_op_future(p)));
  vow_drop(other);
  vow_drop(vow_op_future(inner));
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

TEST(test_op_discard_drops_inputs_of_any_loop_of_this_thread) {
  vow_loop_t *a = manual_loop(), *b = manual_loop();
  vow_op_discard(NULL);
  vow_op_discard(vow_ready(a, once()));
  ck_assert_int_eq(things_live, 0);
  vow_op_discard(vow_op_future(new_op(b)));
  ck_assert_int_eq(cancels, 1);
  ck_assert_int_eq(destroys, 1);
  manual_done(b);
  manual_done(a);
}

static void *discard(void *f) {
  vow_op_discard(f);
  return NULL;
}

TEST(test_op_discard_on_another_thread_drops_on_the_futures_own) {
  vow_loop_t *loop = manual_loop();
  pthread_t thread;
  vow_future_t *f = vow_ready(loop, once());
  ck_assert_int_eq(pthread_create(&thread, NULL, discard, f), 0);
  pthread_join(thread, NULL);
  ck_assert_int_eq(things_live, 1);
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

SUITE(core_op) {
  ADD(test_op_is_pending_zeroed_and_of_its_class);
  ADD(test_op_settles_once_and_is_destroyed_once);
  ADD(test_op_cancel_is_called_at_most_once);
  ADD(test_op_dropped_is_cancelled_and_destroyed);
  ADD(test_op_without_cancel_runs_on_when_dropped);
  ADD(test_op_pins_keep_the_memory);
  ADD(test_op_may_settle_as_another_future_does);
  ADD(test_op_without_memory_gives_the_failure_to_return);
  ADD(test_op_waiter_is_told_from_the_ready_queue);
  ADD(test_op_waiter_has_seen_the_failure);
  ADD(test_op_waiter_cancel_awaits_what_it_alone_wants);
  ADD(test_op_waiter_cancel_leaves_what_others_want);
  ADD(test_op_waiter_cancel_of_settled_releases_it);
  ADD(test_op_waiter_release_of_pending_cancels_it_unawaited);
  ADD(test_op_waiter_takes_failures_without_a_loop);
  ADD(test_op_check_refuses_null_and_other_loops);
  ADD(test_op_cycle_through_its_sources_is_an_error);
  ADD(test_op_would_cycle_sees_itself_behind_chains_and_operations);
  ADD(test_op_discard_drops_inputs_of_any_loop_of_this_thread);
  ADD(test_op_discard_on_another_thread_drops_on_the_futures_own);
}

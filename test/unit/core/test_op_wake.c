/* SPDX-License-Identifier: MIT */
/* Tests of what operations need that take in any future at any time, as tasks
 * do: waking themselves, trying a waiter, consuming an outcome, labels. */
#include "unit/core/helpers.h"

#include <vow/op.h>
#include <vow/timeout.h>

typedef struct plain_op {
  vow_op_t op;
  vow_waiter_t waiter;
  bool keep; /* its cancel leaves it pending */
} plain_op_t;

static int cancels, destroys, readies, wakes;

static void plain_cancel(void *op) {
  cancels++;
  if (!((plain_op_t *)op)->keep) vow_op_settle(op, vow_cancelled(0));
}

static void plain_destroy(void *op) {
  destroys++;
  vow_waiter_release(&((plain_op_t *)op)->waiter);
}

static void plain_ready(void *op, vow_waiter_t *w) {
  if (w == NULL) {
    wakes++;
    return;
  }
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

static plain_op_t *new_op(vow_loop_t *loop) {
  plain_op_t *p = vow_op_new_at(VOW_SITE, loop, &plain_class);
  ck_assert_ptr_nonnull(p);
  cancels = destroys = readies = wakes = 0;
  return p;
}

/* ---- trying a waiter -------------------------------------------------------
 */

TEST(test_op_waiter_try_starts_on_a_pending_future) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  pair_t x = pair(loop);
  ck_assert_int_eq(vow_waiter_try(&p->waiter, p, x.f), 0);
  ck_assert_ptr_eq(vow_waiter_future(&p->waiter), x.f);
  vow_promise_finish(x.p, vow_int(3));
  ck_assert_int_eq(readies, 0);
  manual_drain(loop);
  ck_assert_int_eq(readies, 1);
  EXPECT_INT(vow_waiter_take(&p->waiter), 3);
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

TEST(test_op_waiter_try_leaves_settled_ones_to_the_caller) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_future_t *f = ok(loop, 3), *lost = bad(loop, UV_EIO);
  ck_assert_int_eq(vow_waiter_try(&p->waiter, p, f), 1);
  ck_assert_int_eq(vow_waiter_try(&p->waiter, p, lost), 1);
  ck_assert_ptr_null(vow_waiter_future(&p->waiter));
  EXPECT_INT(f, 3);
  EXPECT_FAILED(lost, UV_EIO);
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

TEST(test_op_waiter_try_refuses_and_takes_nothing) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_future_t *pending = vow_never(other), *settled = ok(other, 1);
  vow_future_t *f = vow_then(vow_ref(vow_op_future(p)), add_one, NULL);
  ck_assert_int_eq(vow_waiter_try(&p->waiter, p, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_waiter_try(&p->waiter, p, pending), UV_EINVAL);
  ck_assert_int_eq(vow_waiter_try(&p->waiter, p, settled), UV_EINVAL);
  ck_assert_int_eq(vow_waiter_try(&p->waiter, p, vow_op_future(p)), VOW_ECYCLE);
  ck_assert_int_eq(vow_waiter_try(&p->waiter, p, f), VOW_ECYCLE);
  ck_assert_ptr_null(vow_waiter_future(&p->waiter));
  vow_drop(f);
  vow_drop(vow_op_future(p));
  vow_drop(pending);
  vow_drop(settled);
  manual_drain(other);
  manual_done(other);
  manual_done(loop);
}

/* ---- waking ----------------------------------------------------------------
 */

TEST(test_op_wake_calls_ready_once_from_the_queue) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  for (int i = 0; i < 3; i++) vow_op_wake(p);
  ck_assert_int_eq(wakes, 0); /* Rule 1 */
  manual_drain(loop);
  ck_assert_int_eq(wakes, 1);
  vow_op_wake(p); /* and again */
  manual_drain(loop);
  ck_assert_int_eq(wakes, 2);
  ck_assert_int_eq(readies, 0);
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

TEST(test_op_wake_waits_behind_what_is_ready) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_detach(vow_then(ok(loop, 1), note_run, "before"));
  vow_op_wake(p);
  vow_loop_step(loop);
  EXPECT_EVENTS("before");
  ck_assert_int_eq(wakes, 0);
  vow_loop_step(loop);
  ck_assert_int_eq(wakes, 1);
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

TEST(test_op_wake_is_forgotten_when_it_settles) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_op_wake(p);
  vow_op_settle(p, vow_int(1));
  ck_assert(!vow_loop_has_ready(loop));
  vow_op_wake(p); /* settled: nothing */
  ck_assert(!vow_loop_has_ready(loop));
  EXPECT_INT(vow_op_future(p), 1);
  p = new_op(loop);
  vow_op_wake(p);
  vow_op_settle(p, vow_follow(vow_never(loop)));
  ck_assert(!vow_loop_has_ready(loop));
  vow_op_wake(p);
  ck_assert(!vow_loop_has_ready(loop));
  vow_drop(vow_op_future(p));
  p = new_op(loop);
  vow_op_wake(p);
  vow_drop(vow_op_future(p));
  ck_assert_int_eq(destroys, 1);
  manual_drain(loop);
  ck_assert_int_eq(wakes, 0);
  manual_done(loop);
}

TEST(test_op_wake_and_a_waiter_are_both_told) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_waiter_start(&p->waiter, p, ok(loop, 1));
  vow_op_wake(p);
  manual_drain(loop);
  ck_assert_int_eq(readies, 1);
  ck_assert_int_eq(wakes, 1);
  vow_drop(vow_op_future(p));
  manual_done(loop);
}

static void nest_cancel(void *op) {
  plain_op_t *p = op;
  cancels++;
  if (!vow_waiter_cancel(&p->waiter)) vow_op_settle(p, vow_cancelled(0));
}

static void nest_ready(void *op, vow_waiter_t *w) {
  plain_op_t *p = op;
  if (w == NULL)
    wakes++;
  else
    vow_op_settle(p, vow_op_consume("s", vow_waiter_take(w)));
}

static const vow_op_class_t nest_class = {
    "nest", sizeof(plain_op_t), nest_cancel, plain_destroy, nest_ready, NULL};

/* Beyond 64 levels a cancel goes through the ready queue: the same place in it
 * serves a wake. */
TEST(test_op_wake_of_one_whose_cancel_is_queued_comes_too) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *all[100];
  vow_future_t *f = vow_op_future(new_op(loop));
  all[0] = (plain_op_t *)(void *)f;
  all[0]->keep = true;
  for (int i = 1; i < 100; i++) {
    all[i] = vow_op_new_at(VOW_SITE, loop, &nest_class);
    vow_waiter_start(&all[i]->waiter, all[i], f);
    f = vow_op_future(all[i]);
  }
  vow_cancel(f);
  ck_assert_int_eq(cancels, 64);
  for (int i = 0; i < 100; i++) vow_op_wake(all[i]);
  manual_drain(loop);
  ck_assert_int_eq(cancels, 100);
  ck_assert_int_eq(wakes, 100);
  vow_op_settle(all[0], vow_cancelled(0));
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

/* ---- labels ----------------------------------------------------------------
 */

static void look_up(vow_future_t *f, const char *what, const char *site,
                    vow_state_t state, void *arg) {
  (void)f;
  (void)site;
  (void)state;
  *(const char **)arg = what;
}

static const char *what_is_listed(vow_loop_t *loop) {
  const char *what = "(none)";
  vow_loop_each(loop, look_up, &what);
  return what;
}

TEST(test_op_label_is_listed_while_it_is_pending) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  ck_assert_str_eq(what_is_listed(loop), "plain");
  vow_op_set_label(p, "mine");
  ck_assert_str_eq(what_is_listed(loop), "mine");
  vow_op_wake(p); /* has a place of its own in the cell */
  ck_assert_str_eq(what_is_listed(loop), "mine");
  manual_drain(loop);
  ck_assert_str_eq(what_is_listed(loop), "mine");
  vow_op_set_label(p, NULL);
  ck_assert_str_eq(what_is_listed(loop), "plain");
  vow_op_set_label(p, "mine");
  vow_op_settle(p, vow_int(1));
  ck_assert_str_eq(what_is_listed(loop), "plain");
  vow_op_set_label(p, "late"); /* must not touch the value */
  EXPECT_INT(vow_op_future(p), 1);
  manual_done(loop);
}

TEST(test_op_label_set_while_it_follows_changes_nothing) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  pair_t x = pair(loop);
  vow_op_set_label(p, "mine");
  vow_op_settle(p, vow_follow(x.f));
  vow_op_set_label(p, "late");
  vow_promise_finish(x.p, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(vow_op_future(p), 1);
  manual_done(loop);
}

/* ---- consuming -------------------------------------------------------------
 */

static int consumed_code(vow_future_t *f) {
  vow_value_t v = vow_op_consume("s:1", f);
  int code = vow_value_code(v);
  vow_value_destroy(v);
  return code;
}

TEST(test_op_consume_moves_what_nobody_else_holds) {
  vow_loop_t *loop = manual_loop();
  vow_value_t v = vow_op_consume("s:1", ok(loop, 3));
  ck_assert_int_eq(v.as.i, 3);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  v = vow_op_consume("s:1", vow_ready(loop, once()));
  ck_assert_ptr_eq(v.type, &type_once);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  vow_value_destroy(v);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_op_consume_shares_what_others_hold) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, many()), *g = ok(loop, 3);
  vow_future_t *one = vow_ready(loop, once());
  vow_future_t *poor = vow_ready(loop, thing_of(&type_poor, 0));
  vow_value_t v = vow_op_consume("s:1", vow_ref(f));
  ck_assert_ptr_eq(v.as.p, vow_peek(f).as.p);
  vow_value_destroy(v);
  v = vow_op_consume("s:1", vow_ref(g));
  ck_assert_int_eq(v.as.i, 3);
  EXPECT_INT(g, 3);
  ck_assert_int_eq(consumed_code(vow_ref(one)), VOW_EMOVED);
  ck_assert_int_eq(consumed_code(vow_ref(poor)), UV_ENOMEM);
  vow_drop(f);
  vow_drop(one);
  vow_drop(poor);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_op_consume_failure_is_seen_and_gets_the_site) {
  vow_loop_t *loop = hooked_loop(false);
  vow_value_t v = vow_op_consume("s:1", bad(loop, UV_EIO));
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  ck_assert_str_eq(vow_error_trail(vow_value_error(v), 0), "s:1");
  vow_value_destroy(v);
  ck_assert_int_eq(unhandled, 0);
  manual_done(loop);
}

TEST(test_op_consume_of_what_has_no_outcome_says_so) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *moved = vow_ready(loop, once());
  pair_t x = pair(loop);
  thing_destroy(vow_take(moved, &type_once));
  ck_assert_int_eq(consumed_code(moved), VOW_EMOVED);
  ck_assert_int_eq(consumed_code(NULL), UV_EINVAL);
  ck_assert_int_eq(consumed_code(x.f), UV_EAGAIN); /* and it was dropped */
  ck_assert(!vow_promise_is_wanted(x.p));
  vow_promise_drop(x.p);
  manual_done(loop);
}

TEST(test_op_consume_failure_without_a_loop_is_given) {
  vow_loop_t *loop;
  vow_future_t *f = vow_misuse_at("s", NULL, UV_EINVAL, "no loop");
  loop = manual_loop();
  ck_assert_int_eq(consumed_code(f), UV_EINVAL);
  ck_assert_int_eq(consumed_code(f), UV_EINVAL); /* it is static */
  manual_done(loop);
}

TEST(test_op_consume_leaves_a_promise_its_cell) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_value_t v;
  vow_resolve(x.p, vow_int(3));
  v = vow_op_consume("s:1", x.f);
  ck_assert_int_eq(v.as.i, 3);
  ck_assert_int_eq(vow_resolve(x.p, vow_int(4)), VOW_ESETTLED);
  vow_promise_drop(x.p);
  manual_done(loop);
}

/* ---- values ----------------------------------------------------------------
 */

TEST(test_value_followed_gives_the_future_of_such_a_value_only) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_never(loop);
  vow_value_t v = vow_follow(f);
  ck_assert_ptr_eq(vow_value_followed(v), f);
  vow_value_destroy(v);
  v = vow_follow(NULL); /* a failure */
  ck_assert_ptr_null(vow_value_followed(v));
  vow_value_destroy(v);
  ck_assert_ptr_null(vow_value_followed(vow_nil()));
  ck_assert_ptr_null(vow_value_followed(vow_int(1)));
  ck_assert_ptr_null(vow_value_followed(vow_fail(UV_EIO)));
  manual_drain(loop);
  manual_done(loop);
}

TEST(test_value_is_cancelled_tells_cancellations_from_failures) {
  vow_value_t v = vow_failf(UV_ECANCELED, "by hand");
  ck_assert(vow_value_is_cancelled(v));
  vow_value_destroy(v);
  v = vow_failf(UV_EIO, "no");
  ck_assert(!vow_value_is_cancelled(v));
  v = vow_fail_because(v, vow_cancelled(0)); /* a cause does not make it one */
  ck_assert(!vow_value_is_cancelled(v));
  vow_value_destroy(v);
  ck_assert(vow_value_is_cancelled(vow_cancelled(0)));
  ck_assert(vow_value_is_cancelled(vow_cancelled(UV_EIO)));
  ck_assert(vow_value_is_cancelled(vow_fail(UV_ECANCELED)));
  ck_assert(!vow_value_is_cancelled(vow_cancelled(UV_ETIMEDOUT)));
  ck_assert(!vow_value_is_cancelled(vow_fail(UV_EIO)));
  ck_assert(!vow_value_is_cancelled(vow_nil()));
  ck_assert(!vow_value_is_cancelled(vow_int(UV_ECANCELED)));
}

/* So deep down a cancel goes through the ready queue, like the wake. */
TEST(test_op_cancelled_from_deep_above_hears_of_no_wake) {
  vow_loop_t *loop = manual_loop();
  plain_op_t *p = new_op(loop);
  vow_future_t *f = vow_op_future(p);
  int i;
  for (i = 0; i < 64; i++) f = vow_timeout(f, 1000000);
  vow_op_wake(p);
  vow_cancel(f);
  ck_assert_int_eq(cancels, 0);
  manual_drain(loop);
  ck_assert_int_eq(cancels, 1);
  ck_assert_int_eq(wakes, 0);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

SUITE(core_op_wake) {
  ADD(test_op_waiter_try_starts_on_a_pending_future);
  ADD(test_op_waiter_try_leaves_settled_ones_to_the_caller);
  ADD(test_op_waiter_try_refuses_and_takes_nothing);
  ADD(test_op_wake_calls_ready_once_from_the_queue);
  ADD(test_op_wake_waits_behind_what_is_ready);
  ADD(test_op_wake_is_forgotten_when_it_settles);
  ADD(test_op_wake_and_a_waiter_are_both_told);
  ADD(test_op_wake_of_one_whose_cancel_is_queued_comes_too);
  ADD(test_op_label_is_listed_while_it_is_pending);
  ADD(test_op_label_set_while_it_follows_changes_nothing);
  ADD(test_op_consume_moves_what_nobody_else_holds);
  ADD(test_op_consume_shares_what_others_hold);
  ADD(test_op_consume_failure_is_seen_and_gets_the_site);
  ADD(test_op_consume_of_what_has_no_outcome_says_so);
  ADD(test_op_consume_failure_without_a_loop_is_given);
  ADD(test_op_consume_leaves_a_promise_its_cell);
  ADD(test_value_followed_gives_the_future_of_such_a_value_only);
  ADD(test_value_is_cancelled_tells_cancellations_from_failures);
  ADD(test_op_cancelled_from_deep_above_hears_of_no_wake);
}

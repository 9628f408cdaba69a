/* SPDX-License-Identifier: MIT */
/* Tests of the iterator protocol: nexts, what is kept, the end, closing. */
#include "support/fault.h"
#include "support/manual.h"
#include "support/tap.h"
#include "support/test.h"

#include <pthread.h>
#include <vow/time.h>

static int things;

static void thing_gone(void *p) {
  (void)p;
  things--;
}

static const vow_type_t type_thing = {"thing", thing_gone, NULL, NULL};

static vow_value_t thing(void) {
  things++;
  return vow_ptr(&things, &type_thing);
}

static void expect_int(vow_future_t *f, int64_t i) {
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(vow_get_int(f), i);
  vow_drop(f);
}

static void expect_code(vow_future_t *f, int code) {
  ck_assert_int_eq(vow_status(f), code);
  vow_drop(f);
}

static void expect_closed(vow_future_t *f) {
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  ck_assert_ptr_null(vow_peek(f).type);
  vow_drop(f);
}

/* ---- nexts --------------------------------------------------------------- */

TEST(test_iter_next_gives_what_the_class_gives_now_or_later) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {0};
  vow_iter_t *it = tap_new(loop, &t);
  vow_future_t *f = vow_iter_next(it);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  tap_give(&t, vow_int(7));
  expect_int(f, 7);
  t.numbers = 2;
  expect_int(vow_iter_next(it), 0);
  expect_int(vow_iter_next(it), 1);
  ck_assert_uint_eq(vow_iter_count(it), 3);
  ck_assert_ptr_eq(vow_iter_loop(it), loop);
  vow_iter_free(it);
  ck_assert_int_eq(t.closes, 1);
  ck_assert_ptr_null(t.it);
  manual_done(loop);
}

TEST(test_iter_end_is_told_ever_after_without_asking) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {.numbers = 1};
  vow_iter_t *it = tap_new(loop, &t);
  vow_future_t *f;
  expect_int(vow_iter_next(it), 0);
  for (int i = 0; i < 3; i++) {
    f = vow_iter_next(it);
    ck_assert(vow_iter_is_end(f));
    vow_drop(f);
  }
  ck_assert_int_eq(t.asked, 2);
  ck_assert_uint_eq(vow_iter_count(it), 1);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_failure_is_an_item_and_more_may_come) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {0};
  vow_iter_t *it = tap_new(loop, &t);
  vow_future_t *f = vow_iter_next(it);
  tap_give(&t, vow_fail(UV_EIO));
  ck_assert(!vow_iter_is_end(f));
  expect_code(f, UV_EIO);
  f = vow_iter_next(it);
  tap_give(&t, vow_int(1));
  expect_int(f, 1);
  ck_assert_uint_eq(vow_iter_count(it), 1);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_second_next_is_busy) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {0};
  vow_iter_t *it = tap_new(loop, &t);
  vow_future_t *f = vow_iter_next(it);
  expect_code(vow_iter_next(it), UV_EBUSY);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  tap_give(&t, vow_int(1));
  expect_int(f, 1);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_cancelled_next_asks_again_when_the_class_has_let_go) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {0};
  vow_iter_t *it = tap_new(loop, &t);
  vow_future_t *f = vow_iter_next(it);
  vow_cancel(f);
  ck_assert_int_eq(vow_state(f), VOW_CANCELLED);
  vow_drop(f);
  ck_assert_int_eq(t.unasked, 1);
  ck_assert(!vow_iter_is_asked(it));
  vow_iter_give(it, thing()); /* not asked: nobody can want it */
  ck_assert_int_eq(things, 0);
  f = vow_iter_next(it);
  ck_assert_int_eq(t.asked, 2);
  tap_give(&t, vow_int(1));
  expect_int(f, 1);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_item_for_a_dropped_next_is_kept_for_the_next_one) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {.keeps = true};
  vow_iter_t *it = tap_new(loop, &t);
  vow_future_t *f;
  vow_drop(vow_iter_next(it));
  ck_assert_int_eq(t.unasked, 1);
  ck_assert(vow_iter_is_asked(it));
  f = vow_iter_next(it); /* does not ask twice */
  ck_assert_int_eq(t.asked, 1);
  vow_drop(f);
  tap_give(&t, thing());
  ck_assert_int_eq(things, 1);
  ck_assert_uint_eq(vow_iter_count(it), 0);
  f = vow_iter_next(it);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  ck_assert_uint_eq(vow_iter_count(it), 1);
  vow_drop(f);
  ck_assert_int_eq(things, 0);
  vow_drop(vow_iter_next(it));
  tap_give(&t, vow_fail(UV_EOF)); /* the end is kept as well */
  expect_code(vow_iter_next(it), UV_EOF);
  expect_code(vow_iter_next(it), UV_EOF);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_kept_item_is_destroyed_with_the_iterator) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {.keeps = true};
  vow_iter_t *it = tap_new(loop, &t);
  vow_drop(vow_iter_next(it));
  tap_give(&t, thing());
  vow_iter_free(it);
  ck_assert_int_eq(things, 0);
  manual_done(loop);
}

/* ---- closing ------------------------------------------------------------- */

TEST(test_iter_close_cancels_the_pending_next_first) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {.slow_close = true};
  vow_iter_t *it = tap_new(loop, &t);
  vow_future_t *f = vow_iter_next(it), *end = vow_iter_close(it);
  ck_assert_int_eq(vow_state(f), VOW_CANCELLED);
  vow_drop(f);
  ck_assert_int_eq(t.unasked, 0); /* close does it all */
  ck_assert_int_eq(t.closes, 1);
  ck_assert_int_eq(vow_state(end), VOW_PENDING);
  ck_assert(vow_iter_is_closing(it));
  expect_code(vow_iter_next(it), VOW_ESHUTDOWN);
  tap_give(&t, thing()); /* too late */
  ck_assert_int_eq(things, 0);
  tap_closed(&t, vow_nil());
  expect_closed(end);
  expect_code(vow_iter_next(it), VOW_ESHUTDOWN);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_close_again_gives_the_first_outcome) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {.slow_close = true};
  vow_iter_t *it = tap_new(loop, &t);
  vow_future_t *a = vow_iter_close(it), *b = vow_iter_close(it);
  tap_closed(&t, vow_fail(UV_EIO));
  expect_code(a, UV_EIO);
  expect_code(b, UV_EIO);
  expect_code(vow_iter_close(it), UV_EIO);
  ck_assert_int_eq(t.closes, 1);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_cancelling_or_dropping_the_close_changes_nothing) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {.slow_close = true};
  vow_iter_t *it = tap_new(loop, &t);
  vow_future_t *a = vow_iter_close(it);
  vow_cancel(a);
  ck_assert_int_eq(vow_state(a), VOW_PENDING);
  vow_drop(a);
  a = vow_then(vow_iter_close(it), NULL, NULL);
  expect_code(a, UV_EINVAL); /* and the close was consumed */
  a = vow_iter_close(it);
  vow_iter_free(it); /* the close goes on without its owner */
  ck_assert_int_eq(vow_state(a), VOW_PENDING);
  tap_closed(&t, vow_nil());
  expect_closed(a);
  ck_assert_ptr_null(t.it);
  manual_done(loop);
}

static int unseen;

static void count_unseen(vow_future_t *f, void *arg) {
  (void)arg;
  ck_assert_int_eq(vow_status(f), UV_EIO);
  unseen++;
}

TEST(test_iter_free_closes_unawaited_and_reports_a_failure) {
  vow_loop_options_t options = {.on_unhandled = count_unseen};
  vow_loop_t *loop = manual_loop_with(&options);
  tap_t t = {.slow_close = true};
  unseen = 0;
  vow_iter_free(tap_new(loop, &t));
  ck_assert_int_eq(t.closes, 1);
  tap_closed(&t, vow_fail(UV_EIO));
  ck_assert_ptr_null(t.it);
  ck_assert_int_eq(unseen, 1);
  vow_iter_free(NULL);
  manual_done(loop);
}

TEST(test_iter_is_closed_with_its_loop) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {0};
  vow_iter_t *it = tap_new(loop, &t);
  vow_future_t *f = vow_iter_next(it);
  manual_close(loop);
  ck_assert_int_eq(t.closes, 1);
  ck_assert_int_eq(vow_state(f), VOW_CANCELLED);
  vow_drop(f);
  expect_code(vow_iter_next(it), VOW_ESHUTDOWN);
  expect_closed(vow_iter_close(it));
  vow_iter_free(it);
  ck_assert_ptr_null(t.it);
}

TEST(test_iter_without_close_hook_closes_at_once) {
  static void (*const no_next)(vow_iter_t *) = tap__next;
  static vow_iter_class_t cls = {
      .op = VOW_ITER_OP("bare", vow_iter_t, NULL, NULL)};
  vow_loop_t *loop = manual_loop();
  vow_iter_t *it;
  cls.next = no_next;
  it = vow_iter_new_at(VOW_SITE, loop, &cls);
  expect_closed(vow_iter_close(it));
  vow_iter_free(it);
  manual_done(loop);
}

/* A hook frees the iterator: close waits until the hook has returned. */
static int hook_closes;
static bool in_hook;

static void suicidal_next(vow_iter_t *it) {
  in_hook = true;
  vow_iter_free(it);
  ck_assert_int_eq(hook_closes, 0);
  ck_assert(vow_iter_is_closing(it));
  vow_iter_give(it, thing()); /* destroyed */
  ck_assert_int_eq(things, 0);
  in_hook = false;
}

static void noted_close(vow_iter_t *it) {
  ck_assert(!in_hook);
  hook_closes++;
  vow_iter_closed(it, vow_nil());
}

TEST(test_iter_freed_in_a_hook_closes_behind_it) {
  static const vow_iter_class_t cls = {
      .op = VOW_ITER_OP("suicidal", vow_iter_t, NULL, NULL),
      .next = suicidal_next,
      .close = noted_close};
  vow_loop_t *loop = manual_loop();
  vow_future_t *f;
  hook_closes = 0;
  f = vow_iter_next(vow_iter_new_at(VOW_SITE, loop, &cls));
  ck_assert_int_eq(vow_state(f), VOW_CANCELLED);
  vow_drop(f);
  ck_assert_int_eq(hook_closes, 1);
  manual_done(loop);
}

/* ---- those that could not be made ---------------------------------------- */

TEST(test_iter_failed_gives_its_failure_for_everything) {
  vow_loop_t *loop = manual_loop();
  vow_iter_t *it = vow_iter_failed(vow_ready(loop, vow_failf(UV_EIO, "no")));
  ck_assert_ptr_nonnull(vow_iter_failure(it));
  ck_assert_uint_eq(vow_iter_count(it), 0);
  expect_code(vow_iter_next(it), UV_EIO);
  expect_code(vow_iter_next(it), UV_EIO);
  expect_code(vow_iter_close(it), UV_EIO);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_null_is_misuse) {
  vow_loop_t *loop = manual_loop();
  expect_code(vow_iter_next(NULL), UV_EINVAL);
  expect_code(vow_iter_close(NULL), UV_EINVAL);
  ck_assert_ptr_null(vow_iter_failure(NULL));
  ck_assert_ptr_null(vow_iter_loop(NULL));
  ck_assert_uint_eq(vow_iter_count(NULL), 0);
  ck_assert(!vow_iter_is_end(NULL));
  manual_done(loop);
}

static void *on_another_thread(void *arg) {
  expect_code(vow_iter_next(arg), VOW_ETHREAD);
  expect_code(vow_iter_close(arg), VOW_ETHREAD);
  return NULL;
}

TEST(test_iter_on_another_thread_is_refused) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {.numbers = 1};
  vow_iter_t *it = tap_new(loop, &t);
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, on_another_thread, it), 0);
  pthread_join(thread, NULL);
  ck_assert_int_eq(t.asked + t.closes, 0);
  expect_int(vow_iter_next(it), 0);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_out_of_memory_loses_nothing) {
  vow_loop_t *loop;
  tap_t t = {.numbers = 2};
  vow_iter_t *it;
  fault_install();
  loop = manual_loop_probe();
  fault_fail_at(1);
  it = tap_new(loop, &t);
  fault_off();
  expect_code(vow_iter_next(it), UV_ENOMEM);
  expect_code(vow_iter_close(it), UV_ENOMEM);
  vow_iter_free(it);
  it = tap_new(loop, &t);
  fault_fail_from(1);
  expect_code(vow_iter_next(it), UV_ENOMEM);
  ck_assert_int_eq(t.asked, 0);
  fault_off();
  expect_int(vow_iter_next(it), 0);
  fault_fail_from(1); /* closing needs none */
  expect_closed(vow_iter_close(it));
  vow_iter_free(it);
  fault_off();
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_iter_as_a_value_is_freed_by_its_type) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {0};
  vow_future_t *f = vow_ready(loop, vow_ptr(tap_new(loop, &t), &vow_type_iter));
  vow_iter_t *it = vow_take(f, &vow_type_iter);
  ck_assert_ptr_eq(it, &t.it->it);
  vow_drop(f);
  vow_drop(vow_ready(loop, vow_ptr(it, &vow_type_iter)));
  ck_assert_ptr_null(t.it);
  manual_done(loop);
}

/* A promise is to follow what waits for a next that waits for the promise. */
static vow_value_t pass(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_outcome(in);
}

typedef struct waiting {
  vow_iter_t it;
  vow_waiter_t waiter;
} waiting_t;

static vow_future_t *awaited;

static void waiting_next(vow_iter_t *it) {
  vow_waiter_start(&((waiting_t *)(void *)it)->waiter, it, awaited);
}

static void waiting_ready(vow_iter_t *it, vow_waiter_t *w) {
  vow_iter_give(it, vow_op_consume(VOW_SITE, vow_waiter_take(w)));
}

static void waiting_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                            void *arg) {
  waiting_t *x = op;
  if (vow_waiter_future(&x->waiter) != NULL)
    visit(vow_waiter_future(&x->waiter), arg);
}

TEST(test_iter_circle_through_a_next_is_found) {
  static const vow_iter_class_t cls = {
      .op = VOW_ITER_OP("waiting", waiting_t, NULL, waiting_sources),
      .next = waiting_next,
      .ready = waiting_ready};
  vow_loop_t *loop = manual_loop();
  vow_promise_t *p;
  vow_iter_t *it = vow_iter_new_at(VOW_SITE, loop, &cls);
  vow_future_t *f, *g;
  awaited = vow_promise_new(loop, &p);
  g = vow_ref(awaited);
  f = vow_iter_next(it);
  vow_promise_finish(p, vow_follow(vow_then(f, pass, NULL)));
  manual_drain(loop);
  expect_code(g, VOW_ECYCLE);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_million_items_leave_memory_flat) {
  size_t n = test_scale(1000000);
  vow_loop_t *loop;
  tap_t t = {.numbers = INT64_MAX};
  vow_iter_t *it;
  long bytes;
  fault_install();
  loop = manual_loop();
  it = tap_new(loop, &t);
  vow_drop(vow_iter_next(it));
  bytes = fault_live_bytes();
  for (size_t i = 1; i < n; i++) {
    t.queued = i % 2;
    vow_future_t *f = vow_iter_next(it);
    if (t.queued) manual_drain(loop);
    expect_int(f, (int64_t)i);
  }
  ck_assert_int_eq(fault_live_bytes(), bytes);
  vow_iter_free(it);
  manual_done(loop);
  fault_remove();
}

/* ---- cycles --------------------------------------------------------------- */

TEST(test_iter_would_cycle_sees_the_iterator_and_the_next_that_is_pending) {
  vow_loop_t *loop = manual_loop();
  tap_t t = {0}, u = {0};
  vow_iter_t *it = tap_new(loop, &t), *other = tap_new(loop, &u);
  vow_future_t *next = vow_iter_next(it), *elsewhere = vow_iter_next(other);
  vow_future_t *closed = vow_iter_close(other);
  ck_assert(vow_iter_would_cycle(it, next));
  ck_assert(!vow_iter_would_cycle(it, elsewhere));
  ck_assert(!vow_iter_would_cycle(other, next));
  tap_give(&t, vow_int(1));
  expect_int(next, 1);
  vow_drop(elsewhere);
  next = vow_iter_close(it);
  ck_assert(!vow_iter_would_cycle(it, closed));
  vow_drop(next);
  vow_drop(closed);
  vow_iter_free(it);
  vow_iter_free(other);
  manual_done(loop);
}

SUITE(core_iter) {
  ADD(test_iter_next_gives_what_the_class_gives_now_or_later);
  ADD(test_iter_end_is_told_ever_after_without_asking);
  ADD(test_iter_failure_is_an_item_and_more_may_come);
  ADD(test_iter_second_next_is_busy);
  ADD(test_iter_cancelled_next_asks_again_when_the_class_has_let_go);
  ADD(test_iter_item_for_a_dropped_next_is_kept_for_the_next_one);
  ADD(test_iter_kept_item_is_destroyed_with_the_iterator);
  ADD(test_iter_close_cancels_the_pending_next_first);
  ADD(test_iter_close_again_gives_the_first_outcome);
  ADD(test_iter_cancelling_or_dropping_the_close_changes_nothing);
  ADD(test_iter_free_closes_unawaited_and_reports_a_failure);
  ADD(test_iter_is_closed_with_its_loop);
  ADD(test_iter_without_close_hook_closes_at_once);
  ADD(test_iter_freed_in_a_hook_closes_behind_it);
  ADD(test_iter_failed_gives_its_failure_for_everything);
  ADD(test_iter_null_is_misuse);
  ADD(test_iter_on_another_thread_is_refused);
  ADD(test_iter_out_of_memory_loses_nothing);
  ADD(test_iter_as_a_value_is_freed_by_its_type);
  ADD(test_iter_circle_through_a_next_is_found);
  ADD(test_iter_million_items_leave_memory_flat);
  ADD(test_iter_would_cycle_sees_the_iterator_and_the_next_that_is_pending);
}

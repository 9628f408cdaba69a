/* SPDX-License-Identifier: MIT */
/* Tests of what other threads may do: posting and remote promises. */
#include "unit/core/helpers.h"

#include <pthread.h>
#include <stdatomic.h>

static pthread_t start(void *(*fn)(void *), void *arg) {
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, fn, arg), 0);
  return thread;
}

static void finish(pthread_t thread) {
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* ---- posting --------------------------------------------------------------
 */

static void note_post(vow_loop_t *loop, void *arg) {
  (void)loop;
  note(arg);
}

TEST(test_post_runs_on_the_loops_thread_then_releases_the_arg) {
  vow_loop_t *loop = manual_loop();
  ck_assert_int_eq(vow_post(loop, note_post, "a", note_drop), 0);
  ck_assert_int_eq(vow_post(loop, note_post, "b"), 0);
  EXPECT_EVENTS("");
  ck_assert_uint_eq(manual_remote_count(loop), 1); /* woken once */
  manual_drain(loop);
  EXPECT_EVENTS("a -a b");
  manual_done(loop);
}

static void post_again(vow_loop_t *loop, void *arg) {
  note(arg);
  vow_post(loop, note_post, "again");
  EXPECT_EVENTS("first");
}

TEST(test_post_from_a_posted_function_runs_later) {
  vow_loop_t *loop = manual_loop();
  vow_post(loop, post_again, "first");
  manual_drain(loop);
  EXPECT_EVENTS("again");
  manual_done(loop);
}

TEST(test_post_bad_arguments_release_the_arg) {
  vow_loop_t *loop;
  ck_assert_int_eq(vow_post(NULL, note_post, "a", note_drop), UV_EINVAL);
  EXPECT_HAS(vow_last_message(), "vow_post: the loop is NULL");
  fault_install();
  loop = manual_loop();
  ck_assert_int_eq(vow_post(loop, NULL, "b", note_drop), UV_EINVAL);
  EXPECT_HAS(vow_last_message(), "vow_post: the function is NULL");
  fault_fail_from(1);
  ck_assert_int_eq(vow_post(loop, note_post, "c", note_drop), UV_ENOMEM);
  fault_off();
  EXPECT_EVENTS("-a -b -c");
  manual_done(loop);
  fault_remove();
}

TEST(test_post_to_a_closed_loop_releases_the_arg_in_the_caller) {
  vow_loop_t *loop = vow_loop_ref(manual_loop());
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(vow_post(loop, note_post, "a", note_drop), VOW_ESHUTDOWN);
  EXPECT_EVENTS("-a");
  vow_loop_unref(loop);
  ck_assert_ptr_null(vow_loop_ref(NULL));
  vow_loop_unref(NULL);
}

#define THREADS 4

typedef struct poster {
  vow_loop_t *loop;
  size_t n;
  size_t next;           /* touched on the loop's thread only */
  atomic_size_t dropped; /* on either thread */
  size_t refused;
} poster_t;

static void poster_init(poster_t *p, vow_loop_t *loop, size_t n) {
  memset(p, 0, sizeof *p);
  p->loop = vow_loop_ref(loop);
  p->n = n;
}

typedef struct numbered {
  poster_t *from;
  size_t number;
} numbered_t;

static void take_number(vow_loop_t *loop, void *arg) {
  numbered_t *m = arg;
  (void)loop;
  ck_assert_uint_eq(m->number, m->from->next);
  m->from->next++;
}

static void drop_number(void *arg) {
  ((numbered_t *)arg)->from->dropped++;
  free(arg);
}

static void *post_numbers(void *arg) {
  poster_t *p = arg;
  for (size_t i = 0; i < p->n; i++) {
    numbered_t *m = malloc(sizeof *m);
    m->from = p;
    m->number = i;
    if (vow_post(p->loop, take_number, m, drop_number) != 0) p->refused++;
  }
  vow_loop_unref(p->loop);
  return NULL;
}

TEST(test_post_from_several_threads_keeps_each_ones_order) {
  vow_loop_t *loop = manual_loop();
  poster_t p[THREADS];
  pthread_t thread[THREADS];
  vow_future_t *never = vow_never(loop);
  for (int i = 0; i < THREADS; i++) {
    poster_init(&p[i], loop, test_scale(20000));
    thread[i] = start(post_numbers, &p[i]);
  }
  /* Waits as long as one of them has a reference. */
  ck_assert_int_eq(vow_loop_run_until(loop, never), VOW_EIDLE);
  for (int i = 0; i < THREADS; i++) finish(thread[i]);
  manual_drain(loop);
  for (int i = 0; i < THREADS; i++) {
    ck_assert_uint_eq(p[i].next, p[i].n);
    ck_assert_uint_eq(p[i].dropped, p[i].n);
    ck_assert_uint_eq(p[i].refused, 0);
  }
  vow_drop(never);
  manual_done(loop);
}

/* Closes in the middle of it: each arg is released once, here or there. */
TEST(test_post_while_another_thread_closes_loses_nothing) {
  for (int round = 0; round < 30; round++) {
    vow_loop_t *loop = manual_loop();
    poster_t p;
    pthread_t thread;
    poster_init(&p, loop, 200);
    thread = start(post_numbers, &p);
    while (p.next < (size_t)round * 5) manual_drain(loop);
    ck_assert_int_eq(vow_loop_close(loop, 0), 0);
    finish(thread);
    ck_assert_uint_eq(p.dropped, p.n);
  }
}

static void *unref_later(void *arg) {
  vow_loop_unref(arg);
  return NULL;
}

TEST(test_post_last_unref_wakes_the_loop_without_memory) {
  vow_loop_t *loop;
  vow_future_t *f;
  pthread_t thread;
  fault_install();
  loop = manual_loop();
  f = vow_never(loop);
  fault_fail_from(1);
  thread = start(unref_later, vow_loop_ref(loop));
  ck_assert_int_eq(vow_loop_run_until(loop, f), VOW_EIDLE);
  finish(thread);
  fault_off();
  vow_drop(f);
  manual_done(loop);
  fault_remove();
}

/* ---- remote promises ------------------------------------------------------
 */

static void *settle_remote(void *arg) {
  ck_assert(vow_remote_is_wanted(arg));
  ck_assert_int_eq(vow_remote_settle(arg, vow_string("from afar")), 0);
  return NULL;
}

TEST(test_post_remote_promise_settles_on_its_loop) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  pthread_t thread = start(settle_remote, vow_promise_remote(x.p));
  ck_assert_int_eq(vow_loop_run_until(loop, x.f), 0);
  finish(thread);
  ck_assert_str_eq(vow_get_string(x.f), "from afar");
  vow_drop(x.f);
  manual_done(loop);
}

static void *drop_remote(void *arg) {
  vow_remote_drop(arg);
  return NULL;
}

TEST(test_post_remote_promise_dropped_is_broken) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  pthread_t thread = start(drop_remote, vow_promise_remote(x.p));
  ck_assert_int_eq(vow_loop_run_until(loop, x.f), 0);
  finish(thread);
  EXPECT_HAS(vow_error_message(vow_error(x.f)), vow_site(x.f));
  EXPECT_FAILED(x.f, VOW_EBROKEN);
  vow_remote_drop(NULL);
  manual_done(loop);
}

TEST(test_post_remote_promise_learns_that_nobody_wants_it) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop), y = pair(loop);
  vow_remote_t *r = vow_promise_remote(x.p), *s = vow_promise_remote(y.p);
  ck_assert(vow_remote_is_wanted(r));
  vow_cancel(x.f);
  vow_drop(y.f);
  ck_assert(!vow_remote_is_wanted(r));
  ck_assert(!vow_remote_is_wanted(s));
  EXPECT_CANCELLED(x.f, UV_ECANCELED);
  ck_assert_int_eq(vow_remote_settle(r, once()), 0);
  ck_assert_int_eq(things_live, 1);
  vow_remote_drop(s);
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0); /* on the loop's thread */
  ck_assert(!vow_remote_is_wanted(NULL));
  manual_done(loop);
}

TEST(test_post_remote_made_of_a_cancelled_promise_takes_its_hook_back) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t x = slow_pair(loop, &asked);
  vow_remote_t *r;
  vow_cancel(x.f);
  r = vow_promise_remote(x.p);
  ck_assert(!vow_remote_is_wanted(r));
  manual_drain(loop);
  ck_assert_int_eq(asked, 0);
  ck_assert_int_eq(vow_state(x.f), VOW_PENDING);
  vow_remote_drop(r);
  manual_drain(loop);
  EXPECT_CANCELLED(x.f, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_post_remote_settled_after_close_destroys_the_value_in_the_caller) {
  vow_loop_t *loop;
  pair_t x, y;
  vow_remote_t *r, *s;
  fault_install();
  loop = manual_loop();
  x = pair(loop);
  y = pair(loop);
  r = vow_promise_remote(x.p);
  s = vow_promise_remote(y.p);
  ck_assert_int_eq(vow_loop_close(loop, 10), 0);
  ck_assert(!vow_remote_is_wanted(r));
  EXPECT_CANCELLED(x.f, UV_ECANCELED);
  ck_assert_int_eq(vow_remote_settle(r, once()), VOW_ESHUTDOWN);
  ck_assert_int_eq(things_live, 0);
  vow_remote_drop(s);
  vow_drop(y.f);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_post_remote_bad_arguments_are_errors) {
  vow_loop_t *loop;
  pair_t x;
  ck_assert_ptr_null(vow_promise_remote(NULL));
  ck_assert_int_eq(vow_remote_settle(NULL, once()), UV_EINVAL);
  ck_assert_int_eq(things_live, 0);
  fault_install();
  loop = manual_loop();
  x = pair(loop);
  fault_fail_from(1);
  ck_assert_ptr_null(vow_promise_remote(x.p));
  fault_off();
  EXPECT_FAILED(x.f, VOW_EBROKEN);
  manual_done(loop);
  fault_remove();
}

TEST(test_post_remote_races_with_the_close) {
  for (int round = 0; round < 100; round++) {
    vow_loop_t *loop = manual_loop();
    pair_t x = pair(loop);
    pthread_t thread = start(drop_remote, vow_promise_remote(x.p));
    ck_assert_int_eq(vow_loop_close(loop, 0), 0);
    finish(thread);
    ck_assert(vow_is_settled(x.f));
    vow_status(x.f);
    vow_drop(x.f);
  }
}

SUITE(core_post) {
  ADD(test_post_runs_on_the_loops_thread_then_releases_the_arg);
  ADD(test_post_from_a_posted_function_runs_later);
  ADD(test_post_bad_arguments_release_the_arg);
  ADD(test_post_to_a_closed_loop_releases_the_arg_in_the_caller);
  ADD(test_post_from_several_threads_keeps_each_ones_order);
  ADD(test_post_while_another_thread_closes_loses_nothing);
  ADD(test_post_last_unref_wakes_the_loop_without_memory);
  ADD(test_post_remote_promise_settles_on_its_loop);
  ADD(test_post_remote_promise_dropped_is_broken);
  ADD(test_post_remote_promise_learns_that_nobody_wants_it);
  ADD(test_post_remote_made_of_a_cancelled_promise_takes_its_hook_back);
  ADD(test_post_remote_settled_after_close_destroys_the_value_in_the_caller);
  ADD(test_post_remote_bad_arguments_are_errors);
  ADD(test_post_remote_races_with_the_close);
}

/* SPDX-License-Identifier: MIT */
/* vow_call_blocking, and loops that close; calls between loops. */
#include <vow/virtual.h>

#include "unit/uv/thread_pool_call.h"

/* ---- loops that close ----------------------------------------------------- */

TEST(test_call_blocking_into_a_closed_loop_gives_eshutdown) {
  vow_loop_t *loop = loop_open();
  call_t c = call_of(vow_loop_ref(loop), never);
  uv_thread_t thread;
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(uv_thread_create(&thread, call_make, &c), 0);
  ck_assert_int_eq(uv_thread_join(&thread), 0);
  ck_assert_int_eq(c.status, VOW_ESHUTDOWN);
  vow_loop_unref(c.loop);
}

TEST(test_call_blocking_loop_closed_meanwhile_cancels_the_future) {
  vow_loop_options_t o = quiet_options(false);
  vow_loop_t *loop = NULL;
  call_t c;
  uv_thread_t thread;
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  c = call_of(vow_loop_ref(loop), never);
  ck_assert_int_eq(uv_thread_create(&thread, call_make, &c), 0);
  run_until_called(loop, &c);
  ck_assert_int_eq(vow_loop_close(loop, 30000), 0);
  ck_assert_int_eq(uv_thread_join(&thread), 0);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  vow_loop_unref(c.loop);
}

TEST(test_call_blocking_of_a_job_whose_loop_closes_ends) {
  vow_loop_options_t o = quiet_options(false);
  vow_loop_t *loop = NULL;
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, never);
  vow_future_t *f;
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  f = vow_thread_pool_run(pool, loop, call_job, &c);
  run_until_called(loop, &c);
  ck_assert_int_eq(vow_loop_close(loop, 30000), 0);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  vow_drop(f);
  pool_done(pool);
}

/* Calls until the loop is closed. */
static void call_on_and_on(void *arg) {
  call_t *c = arg;
  do call_make(c);
  while (c->status == 0);
}

TEST(test_call_blocking_while_the_loop_closes_ends_in_any_case) {
  size_t rounds = test_scale(200);
  while (rounds-- > 0) {
    vow_loop_t *loop = loop_open();
    call_t c = call_of(vow_loop_ref(loop), plain_value);
    uv_thread_t thread;
    ck_assert_int_eq(uv_thread_create(&thread, call_on_and_on, &c), 0);
    run_until_called(loop, &c);
    ck_assert_int_eq(vow_loop_close(loop, 30000), 0);
    ck_assert_int_eq(uv_thread_join(&thread), 0);
    ck_assert(c.status == VOW_ESHUTDOWN || c.status == UV_ECANCELED);
    vow_loop_unref(c.loop);
  }
}

/* ---- another loop --------------------------------------------------------- */

typedef struct other {
  uv_thread_t thread;
  vow_loop_t *loop;
  uv_sem_t ready;
  vow_future_t *until; /* runs until this settles */
  vow_promise_t *stop;
} other_t;

static void other_main(void *arg) {
  other_t *o = arg;
  vow_loop_options_t options = {0};
  ck_assert_int_eq(vow_loop_new(&options, &o->loop), 0);
  vow_loop_ref(o->loop);
  o->until = vow_promise_new(o->loop, &o->stop);
  uv_sem_post(&o->ready);
  ck_assert_int_eq(vow_loop_run_until(o->loop, o->until), 0);
  vow_drop(o->until);
  vow_promise_drop(o->stop);
  ck_assert_int_eq(vow_loop_run(o->loop), 0);
  ck_assert_uint_eq(vow_loop_live(o->loop), 0);
  ck_assert_int_eq(vow_loop_close(o->loop, 30000), 0);
}

static void other_begin(other_t *o) {
  ck_assert_int_eq(uv_sem_init(&o->ready, 0), 0);
  ck_assert_int_eq(uv_thread_create(&o->thread, other_main, o), 0);
  uv_sem_wait(&o->ready);
}

static void other_stop(vow_loop_t *loop, void *arg) {
  other_t *o = arg;
  (void)loop;
  vow_resolve(o->stop, vow_nil());
}

static void other_end(other_t *o) {
  ck_assert_int_eq(vow_post(o->loop, other_stop, o), 0);
  ck_assert_int_eq(uv_thread_join(&o->thread), 0);
  vow_loop_unref(o->loop);
  uv_sem_destroy(&o->ready);
}

TEST(test_call_blocking_from_a_job_into_another_loop) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  other_t o;
  call_t c;
  vow_future_t *f;
  other_begin(&o);
  c = call_of(o.loop, sleep_then_string);
  f = vow_thread_pool_run(pool, loop, call_job, &c);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_int_eq(c.status, 0);
  ck_assert(!on_this_thread(c.fn_on));
  vow_value_destroy(c.value);
  other_end(&o);
  both_done(pool, loop);
}

TEST(test_call_blocking_into_another_loop_ends_with_its_job) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  other_t o;
  call_t c;
  vow_future_t *f;
  other_begin(&o);
  c = call_of(o.loop, never);
  f = vow_thread_pool_run(pool, loop, call_job, &c);
  wait_for(&c.called);
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(c.status, UV_ECANCELED);
  other_end(&o);
  both_done(pool, loop);
}

TEST(test_call_blocking_from_a_loops_thread_into_another_loop) {
  vow_loop_t *loop = loop_open();
  other_t o;
  call_t c;
  other_begin(&o);
  c = call_of(o.loop, sleep_then_string);
  call_make(&c);
  ck_assert_int_eq(c.status, 0);
  vow_value_destroy(c.value);
  other_end(&o);
  loop_done(loop);
}

/* ---- virtual time ---------------------------------------------------------- */

static vow_future_t *sleep_for_a_day(vow_loop_t *loop, void *arg) {
  note_called(arg);
  return vow_sleep(loop, 24 * 3600 * 1000);
}

TEST(test_call_blocking_does_not_hold_the_virtual_clock) {
  vow_loop_options_t o = quiet_options(false);
  vow_loop_t *loop = NULL;
  vow_thread_pool_t *pool = pool_open(1);
  call_t c = call_of(NULL, sleep_for_a_day);
  ck_assert_int_eq(vow_loop_new_virtual(&o, &loop), 0);
  ck_assert_int_eq(
      settle_drop(loop, vow_thread_pool_run(pool, loop, call_job, &c)), 0);
  ck_assert_int_eq(c.status, 0);
  both_done(pool, loop);
}

static vow_value_t nap(vow_job_t *job, void *arg) {
  (void)job;
  (void)arg;
  uv_sleep(5);
  return vow_nil();
}

TEST(test_thread_pool_job_holds_the_virtual_clock) {
  vow_loop_options_t o = quiet_options(false);
  vow_loop_t *loop = NULL;
  vow_thread_pool_t *pool = pool_open(1);
  vow_future_t *f, *alarm;
  ck_assert_int_eq(vow_loop_new_virtual(&o, &loop), 0);
  f = vow_thread_pool_run(pool, loop, nap, NULL);
  alarm = vow_sleep(loop, 1);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert(!vow_is_settled(alarm));
  ck_assert_int_eq(settle_drop(loop, alarm), 0);
  both_done(pool, loop);
}

SUITE(uv_thread_pool_call_loops) {
  ADD(test_call_blocking_into_a_closed_loop_gives_eshutdown);
  ADD(test_call_blocking_loop_closed_meanwhile_cancels_the_future);
  ADD(test_call_blocking_of_a_job_whose_loop_closes_ends);
  ADD(test_call_blocking_while_the_loop_closes_ends_in_any_case);
  ADD(test_call_blocking_from_a_job_into_another_loop);
  ADD(test_call_blocking_into_another_loop_ends_with_its_job);
  ADD(test_call_blocking_from_a_loops_thread_into_another_loop);
  ADD(test_call_blocking_does_not_hold_the_virtual_clock);
  ADD(test_thread_pool_job_holds_the_virtual_clock);
}

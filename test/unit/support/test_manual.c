/* SPDX-License-Identifier: MIT */
/* The manual driver: its clock, its turns, posts from other threads. */
#include "support/test.h"
#include "support/manual.h"

#include <pthread.h>

static vow_value_t note(vow_future_t *in, void *arg) {
  (void)in;
  ++*(int *)arg;
  return vow_nil();
}

static vow_future_t *noted_sleep(vow_loop_t *loop, uint64_t ms, int *count) {
  return vow_then(vow_sleep(loop, ms), note, count);
}

TEST(test_manual_advance_fires_what_is_due_and_no_more) {
  vow_loop_t *loop = manual_loop();
  int early = 0;
  int late = 0;
  vow_future_t *a = noted_sleep(loop, 10, &early);
  vow_future_t *b = noted_sleep(loop, 11, &late);
  manual_advance(loop, 9);
  ck_assert_int_eq(early, 0);
  manual_advance(loop, 1);
  ck_assert_int_eq(early, 1);
  ck_assert_int_eq(late, 0);
  manual_advance(loop, 1);
  ck_assert_int_eq(late, 1);
  vow_drop(a);
  vow_drop(b);
  manual_done(loop);
}

static vow_value_t sleep_again(vow_future_t *in, void *arg) {
  vow_loop_t *loop = vow_loop_of(in);
  ++*(int *)arg;
  return vow_follow(noted_sleep(loop, 5, arg));
}

TEST(test_manual_advance_timers_started_on_the_way_are_fired_too) {
  vow_loop_t *loop = manual_loop();
  uint64_t start = vow_loop_now_ms(loop);
  int count = 0;
  vow_future_t *f = vow_then(vow_sleep(loop, 5), sleep_again, &count);
  manual_advance(loop, 9);
  ck_assert_int_eq(count, 1);
  manual_advance(loop, 91);
  ck_assert_int_eq(count, 2);
  ck_assert_uint_eq(vow_loop_now_ms(loop), start + 100);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_manual_run_until_jumps_over_an_hour) {
  vow_loop_t *loop = manual_loop();
  uint64_t start = vow_loop_now_ms(loop);
  vow_future_t *f = vow_sleep(loop, 3600000);
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  ck_assert_uint_eq(vow_loop_now_ms(loop), start + 3600000);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_manual_run_until_without_anything_to_do_is_idle) {
  vow_loop_t *loop = manual_loop();
  vow_promise_t *p;
  vow_future_t *f = vow_promise_new(loop, &p);
  ck_assert_int_eq(vow_loop_run_until(loop, f), VOW_EIDLE);
  vow_promise_finish(p, vow_nil());
  vow_drop(f);
  manual_done(loop);
}

TEST(test_manual_step_runs_one_continuation) {
  vow_loop_t *loop = manual_loop();
  int count = 0;
  vow_future_t *a = vow_then(vow_ready(loop, vow_nil()), note, &count);
  vow_future_t *b = vow_then(vow_ready(loop, vow_nil()), note, &count);
  ck_assert(vow_loop_step(loop));
  ck_assert_int_eq(count, 1);
  ck_assert(vow_loop_step(loop));
  ck_assert(!vow_loop_step(loop));
  ck_assert_int_eq(count, 2);
  vow_drop(a);
  vow_drop(b);
  manual_done(loop);
}

static void *settle_remote(void *arg) {
  vow_remote_settle(arg, vow_int(5));
  return NULL;
}

TEST(test_manual_run_until_waits_for_another_thread) {
  vow_loop_t *loop = manual_loop();
  vow_promise_t *p;
  vow_future_t *f = vow_promise_new(loop, &p);
  vow_remote_t *remote = vow_promise_remote(p);
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, settle_remote, remote), 0);
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 5);
  pthread_join(thread, NULL);
  ck_assert_uint_ge(manual_remote_count(loop), 1);
  vow_drop(f);
  manual_done(loop);
}

SUITE(support_manual) {
  ADD(test_manual_advance_fires_what_is_due_and_no_more);
  ADD(test_manual_advance_timers_started_on_the_way_are_fired_too);
  ADD(test_manual_run_until_jumps_over_an_hour);
  ADD(test_manual_run_until_without_anything_to_do_is_idle);
  ADD(test_manual_step_runs_one_continuation);
  ADD(test_manual_run_until_waits_for_another_thread);
}

/* SPDX-License-Identifier: MIT */
/* Tests with more than one thread, loop or task that does not end. */
#include "unit/check/report.h"

#include <vow/thread_pool.h>
#include <vow/time.h>
#include <vow/work.h>

#include <pthread.h>
#include <unistd.h>

/* ---- assertions on other threads -------------------------------------------- */

static vow_value_t fail_at_work(void *arg) {
  (void)arg;
  ck_abort_msg("at work");
  return vow_nil();
}

VOW_TEST(fail_in_pool) {
  vow_assert_ok(vow_queue_work(loop, fail_at_work, NULL));
}

static void *fail_alone(void *arg) {
  (void)arg;
  ck_abort_msg("alone");
  return NULL;
}

VOW_TEST(fail_in_thread) {
  pthread_t thread;
  (void)loop;
  ck_assert_int_eq(pthread_create(&thread, NULL, fail_alone, NULL), 0);
  pthread_join(thread, NULL);
}

VOW_TEST(pass) {
  vow_assert_nil(vow_sleep(loop, 1));
}

TEST(test_threads_assertion_on_another_thread_fails_the_test) {
  const TTest *const tests[] = {fail_in_pool, pass, fail_in_thread, pass, NULL};
  report_t *r;
  if (!report_may_start_threads()) return;
  r = malloc(sizeof *r);
  FAILS(fail_in_pool, 0, "on another thread: at work");
  FAILS(fail_in_thread, 0, "on another thread: alone");
  report_of(r, CK_NOFORK, NULL, tests);
  ck_assert_msg(r->run == 4 && r->failed == 2, "%s", r->text);
  free(r);
}

static void fail_alone_after_the_test(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, fail_alone, NULL);
  pthread_join(thread, NULL);
}

START_TEST(pass_and_fail_alone) {
  int null_fds[2];
  ck_assert_int_eq(pipe(null_fds), 0);
  dup2(null_fds[1], 2); /* what is told there */
  pass->fn(0);
  fail_alone_after_the_test();
}
END_TEST

TEST(test_threads_assertion_of_no_test_ends_the_thread) {
  if (report_may_start_threads()) passes_in_both(pass_and_fail_alone);
}

/* ---- threads that end -------------------------------------------------------- */

VOW_TEST(test_threads_pool_that_ends_is_waited_for) {
  vow_thread_pool_t *pool;
  (void)loop;
  ck_assert_int_eq(vow_thread_pool_new(NULL, &pool), 0);
  vow_thread_pool_free(pool);
}

static void *free_late(void *arg) {
  uv_sleep(20);
  vow_release(arg);
  return NULL;
}

VOW_TEST(test_threads_memory_is_waited_for) {
  pthread_t thread;
  (void)loop;
  ck_assert_int_eq(pthread_create(&thread, NULL, free_late, vow_alloc(1)), 0);
  pthread_detach(thread);
}

/* ---- tasks that do not end --------------------------------------------------- */

static vow_value_t poll_politely(void *arg) {
  (void)arg;
  while (vow_yield() == 0) {
  }
  return vow_nil();
}

static vow_value_t poll_rudely(void *arg) {
  (void)arg;
  for (;;) (void)vow_yield();
  return vow_nil();
}

VOW_TEST_WITH(fail_leaves_poll, .watchdog_ms = 30) {
  vow_detach(vow_go(loop, poll_politely, NULL));
}

VOW_TEST_WITH(fail_leaves_rude_poll, .watchdog_ms = 30) {
  vow_detach(vow_go(loop, poll_rudely, NULL));
}

TEST(test_threads_watchdog_stops_what_goes_on_after_the_body) {
  FAILS(fail_leaves_poll, 0, "has not ended after 30 ms", "task test/");
  FAILS(fail_leaves_rude_poll, 0, "has not ended after 30 ms", "task test/");
}

/* ---- other loops ------------------------------------------------------------- */

static vow_loop_t *second_loop(void) {
  vow_loop_options_t options = {0};
  vow_loop_t *second;
  vow_check_watch_loop(&options);
  ck_assert_int_eq(vow_loop_new(&options, &second), 0);
  return second;
}

VOW_TEST(fail_unseen_on_second_loop) {
  vow_loop_t *second = second_loop();
  (void)loop;
  vow_drop(vow_ready(second, vow_fail(UV_EPROTO)));
  ck_assert_int_eq(vow_loop_close(second, 0), 0);
}

static vow_future_t *kept;

VOW_TEST(fail_leaves_on_second_loop) {
  vow_loop_t *second = second_loop();
  (void)loop;
  kept = vow_sleep(second, 100);
  (void)vow_loop_close(second, 0);
}

VOW_TEST(test_threads_second_loop_that_is_sound_passes) {
  vow_loop_t *second = second_loop();
  (void)loop;
  vow_drop(vow_ready(second, vow_int(1)));
  ck_assert_int_eq(vow_loop_close(second, 0), 0);
}

START_TEST(fail_watches_without_a_test) {
  (void)second_loop();
}
END_TEST

TEST(test_threads_second_loop_that_is_watched_fails_the_test) {
  FAILS(fail_unseen_on_second_loop, 0, "nobody saw this failure", "EPROTO");
  FAILS(fail_leaves_on_second_loop, 0, "a loop of the test's leaves a future",
        "test_threads.c");
  FAILS(fail_watches_without_a_test, 0, "no test runs");
}

SUITE(check_threads) {
  ADD(test_threads_assertion_on_another_thread_fails_the_test);
  ADD(test_threads_assertion_of_no_test_ends_the_thread);
  ADD(test_threads_pool_that_ends_is_waited_for);
  ADD(test_threads_memory_is_waited_for);
  ADD(test_threads_watchdog_stops_what_goes_on_after_the_body);
  ADD(test_threads_second_loop_that_is_sound_passes);
  ADD(test_threads_second_loop_that_is_watched_fails_the_test);
}

/* SPDX-License-Identifier: MIT */
/* Tests that await: how they run, and how they fail. */
#include "unit/check/report.h"

#include <vow/gather.h>
#include <vow/group.h>
#include <vow/tcp.h>
#include <vow/time.h>
#include <vow/token.h>
#include <vow/work.h>

#include "support/capture.h"
#include "support/manual.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- that pass ------------------------------------------------------------ */

VOW_TEST(test_run_body_awaits_and_passes) {
  ck_assert_ptr_nonnull(vow_task_current());
  ck_assert_ptr_eq(vow_task_loop(), loop);
  ck_assert_int_eq(vow_await_status(vow_sleep(loop, 5)), 0);
}

VOW_TEST(test_run_hour_takes_no_time) {
  ck_assert(vow_loop_is_virtual(loop));
  ck_assert_uint_eq(vow_check_now_ms(), 0);
  ck_assert_int_eq(vow_await_status(vow_sleep(loop, 3600000)), 0);
  ck_assert_uint_eq(vow_check_now_ms(), 3600000);
}

VOW_TEST_WITH(test_run_real_time_takes_time, .real_time = true,
              .stack_bytes = (size_t)512 * 1024) {
  ck_assert(!vow_loop_is_virtual(loop));
  ck_assert_int_eq(vow_await_status(vow_sleep(loop, 2)), 0);
  ck_assert_uint_ge(vow_check_now_ms(), 2);
}

VOW_TEST(test_run_loop_test_gets_its_number) {
  ck_assert_int_ge(_i, 3);
  ck_assert_int_lt(_i, 5);
}

static vow_value_t sleep_long(void *arg) {
  VOW_TRY_NIL(vow_sleep(arg, 1000000));
  return vow_nil();
}

VOW_TEST(test_run_dropped_work_may_unwind) {
  vow_future_t *f = vow_go(loop, sleep_long, loop);
  vow_check_settle();
  vow_drop(f);
}

static vow_value_t count_up(void *arg) {
  ++*(int *)arg;
  return vow_nil();
}

static int cleaned;

static void note_end(void *arg) {
  cleaned = cleaned * 10 + *(int *)arg;
}

VOW_TEST(test_run_at_end_runs_last_first) {
  static int one = 1, two = 2;
  vow_check_at_end(note_end, &one);
  vow_check_at_end(note_end, &two);
  ck_assert_int_eq(cleaned, 0);
}

VOW_TEST(test_run_pool_works_in_a_test) {
  static int ran;
  vow_assert_ok(vow_queue_work(loop, count_up, &ran));
  ck_assert_int_eq(ran, 1);
}

/* ---- that fail at an assertion -------------------------------------------- */

static int clean_ups;

enum { LINE_OF_BODY = __LINE__ + 1 };
VOW_TEST(fail_in_body) {
  vow_defer(count_up, &clean_ups);
  vow_await_status(vow_sleep(loop, 1));
  ck_assert_int_eq(1 + 1, 3);
}

VOW_TEST(fail_unless_cleaned) {
  ck_assert_int_eq(clean_ups, 1);
}

TEST(test_run_failing_body_is_left_cleanly) {
  const TTest *const tests[] = {fail_in_body, fail_unless_cleaned, NULL};
  report_t *r = malloc(sizeof *r);
  FAILS(fail_in_body, LINE_OF_BODY + 3, "1 + 1 == 3", "test_run.c");
  report_of(r, CK_NOFORK, NULL, tests);
  ck_assert_int_eq(r->run, 2);
  ck_assert_int_eq(r->failed, 1);
  free(r);
}

static vow_value_t failing_task(void *arg) {
  vow_await_status(vow_sleep(arg, 1));
  ck_assert_str_eq("a task", "fails");
  return vow_nil();
}

VOW_TEST(fail_in_task) {
  vow_future_t *f = vow_go(loop, failing_task, loop);
  vow_await_status(vow_sleep(loop, 100));
  vow_drop(f);
}

VOW_TEST(pass) {
  ck_assert_int_eq(vow_await_status(vow_sleep(loop, 1)), 0);
}

TEST(test_run_failing_task_ends_the_test) {
  FAILS(fail_in_task, 0, "\"a task\" == \"fails\"");
}

static vow_value_t failing_callback(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  ck_abort_msg("callback number %d", 7);
  return vow_nil();
}

VOW_TEST(fail_in_callback) {
  vow_await_status(vow_then(vow_sleep(loop, 1), failing_callback, NULL));
}

TEST(test_run_failing_callback_ends_the_test) {
  FAILS(fail_in_callback, 0, "callback number 7");
}

VOW_TEST(fail_in_clean_up) {
  vow_defer(failing_task, loop);
}

TEST(test_run_failing_clean_up_ends_the_test) {
  FAILS(fail_in_clean_up, 0, "\"a task\" == \"fails\"");
}

static vow_value_t failing_scope(void *arg) {
  (void)arg;
  ck_abort_msg("in a scope");
  return vow_nil();
}

VOW_TEST(fail_in_shield) {
  vow_value_destroy(vow_shielded(failing_scope, NULL));
}

TEST(test_run_failing_in_a_shield_ends_the_test) {
  FAILS(fail_in_shield, 0, "in a scope");
}

TEST(test_run_tests_after_failures_run) {
  const TTest *const tests[] = {fail_in_task,
                                pass,
                                fail_in_callback,
                                pass,
                                fail_in_clean_up,
                                pass,
                                fail_in_body,
                                pass,
                                NULL};
  report_t *r = malloc(sizeof *r);
  report_of(r, CK_NOFORK, NULL, tests);
  ck_assert_msg(r->run == 8 && r->failed == 4, "%s", r->text);
  if (report_may_fork()) report_of(r, CK_FORK, NULL, tests);
  ck_assert_msg(r->run == 8 && r->failed == 4, "%s", r->text);
  free(r);
}

/* A file that does not include the kit's header. */
VOW_TEST(fail_without_the_header) {
#undef _ck_assert_failed
  ck_abort_msg("libcheck's own");
#define _ck_assert_failed vow_check_failed
}

TEST(test_run_libchecks_own_assertion_fails_the_test) {
  const TTest *const tests[] = {fail_without_the_header, pass, NULL};
  report_t *r = malloc(sizeof *r);
  FAILS(fail_without_the_header, 0, "libcheck's own");
  report_of(r, CK_NOFORK, NULL, tests);
  ck_assert_int_eq(r->failed, 2);
  ck_assert_ptr_nonnull(strstr(r->text, "does not include <vow/check.h>"));
  free(r);
}

/* ---- that wait in vain ---------------------------------------------------- */

VOW_TEST(fail_idle) {
  vow_future_t *f = vow_gather(
      loop, 2, ((vow_future_t *[]){vow_sleep(loop, 10), vow_never(loop)}));
  vow_await_status(f);
}

TEST(test_run_idle_fails_with_the_graph) {
  FAILS(fail_idle, 0, "nothing can ever happen again", "fail_idle", "gather",
        "test_run.c:");
}

VOW_TEST(fail_with_held_clock) {
  vow_check_hold_clock(true);
  vow_await_status(vow_sleep(loop, 1));
}

TEST(test_run_held_clock_fails_a_wait) {
  FAILS(fail_with_held_clock, 0, "held", "sleep");
}

VOW_TEST_WITH(fail_by_watchdog, .watchdog_ms = 30) {
  uv_async_t async;
  uv_async_init(vow_loop_uv(loop), &async, NULL);
  vow_await_status(vow_never(loop));
}

VOW_TEST_WITH(fail_for_ever, .watchdog_ms = 30) {
  while (vow_await_status(vow_sleep(loop, 100)) == 0) {
  }
}

TEST(test_run_watchdog_barks_with_the_graph) {
  FAILS(fail_by_watchdog, 0, "has not ended after 30 ms", "fail_by_watchdog");
  FAILS(fail_for_ever, 0, "has not ended after 30 ms", "sleep");
}

/* ---- that leave something ------------------------------------------------- */

static vow_future_t *kept;
static vow_token_t *kept_token;

VOW_TEST(fail_leaves_future) {
  kept = vow_sleep(loop, 5000);
}

VOW_TEST(fail_leaves_value) {
  kept = vow_ready(loop, vow_int(1));
}

VOW_TEST(fail_leaves_task) {
  vow_detach(vow_go(loop, sleep_long, loop));
}

VOW_TEST(fail_leaves_handle) {
  static uv_tcp_t *tcp;
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
}

VOW_TEST(fail_leaves_raw_handle) {
  static uv_timer_t timer;
  uv_timer_init(vow_loop_uv(loop), &timer);
}

VOW_TEST(fail_leaves_token) {
  kept_token = vow_token_new(loop);
}

static void on_token(int reason, void *arg) {
  (void)reason;
  (void)arg;
}

VOW_TEST(fail_leaves_watch) {
  kept_token = vow_token_new(loop);
  ck_assert_ptr_nonnull(vow_token_watch(kept_token, on_token, NULL));
}

TEST(test_run_leftovers_fail_with_their_sites) {
  FAILS(fail_leaves_future, 0, "leaves futures", "sleep, pending",
        "test_run.c:");
  FAILS(fail_leaves_value, 0, "leaves futures", "succeeded", "test_run.c:");
  FAILS(fail_leaves_task, 0, "leaves futures", "task, pending", "test_run.c:");
  FAILS(fail_leaves_handle, 0, "uv handle tcp", "test_run.c:");
  FAILS(fail_leaves_raw_handle, 0, "uv handle timer");
  FAILS(fail_leaves_watch, 0, "leaves futures", "watch", "test_run.c:");
}

TEST(test_run_left_token_fails) {
  FAILS(fail_leaves_token, 0, "leaves memory");
  if (system("addr2line --version >/dev/null 2>&1") == 0)
    FAILS(fail_leaves_token, 0, "what vow_token_new allocated for",
          "fail_leaves_token", "test_run.c:");
}

VOW_TEST_WITH(pass_keeps_token, .keeps_memory = true) {
  kept_token = vow_token_new(loop);
}

TEST(test_run_memory_may_be_kept) {
  passes_in_both(pass_keeps_token);
}

/* ---- what goes unseen ----------------------------------------------------- */

static vow_value_t fail_badly(void *arg) {
  (void)arg;
  return vow_failf(UV_EPROTO, "badly");
}

VOW_TEST(fail_unseen) {
  vow_detach(vow_go(loop, fail_badly, NULL));
}

TEST(test_run_unseen_failure_fails) {
  FAILS(fail_unseen, 0, "nobody saw this failure", "badly (EPROTO)",
        "test_run.c:");
}

VOW_TEST(fail_complains) {
  vow_check_complain("here.c:7", "one %d", 1);
  vow_check_complain("there.c:8", "two %d", 2);
}

TEST(test_run_complaints_are_collected) {
  FAILS(fail_complains, 7, "here.c", "one 1\ntwo 2");
}

/* ---- forked with threads -------------------------------------------------- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_at_gate(void *arg) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return arg;
}

static void start_thread(void) {
  pthread_t thread;
  pthread_mutex_lock(&gate);
  pthread_create(&thread, NULL, wait_at_gate, NULL);
}

static void start_thread_and_allow_it(void) {
  start_thread();
  vow_check_allow_threads(true);
}

TEST(test_run_fork_with_threads_is_a_loud_error) {
  const TTest *const tests[] = {pass, NULL};
  report_t *r;
  if (!report_may_fork()) return;
  r = malloc(sizeof *r);
  report_of(r, CK_FORK, start_thread, tests);
#ifndef __SANITIZE_THREAD__
  ck_assert_int_eq(r->failed, 1);
  ck_assert_ptr_nonnull(strstr(r->text, "1 more thread ran when"));
#endif
  report_of(r, CK_NOFORK, start_thread, tests);
  ck_assert_msg(r->failed == 0, "%s", r->text);
  report_of(r, CK_FORK, start_thread_and_allow_it, tests);
  ck_assert_msg(r->failed == 0, "%s", r->text);
  free(r);
}

/* ---- that leave much ------------------------------------------------------- */

VOW_TEST(fail_leaves_many_futures) {
  for (int i = 0; i < 100; i++) kept = vow_sleep(loop, 5000);
}

VOW_TEST(fail_leaves_much_memory) {
  for (int i = 0; i < 100; i++) kept_token = vow_token_new(loop);
}

/* For a while that is longer than the watchdog's patience. */
static vow_value_t stay_busy(void *arg) {
  uint64_t end_ns = uv_hrtime() + 100000000u;
  (void)arg;
  while (uv_hrtime() < end_ns && vow_yield() == 0) {
  }
  return vow_nil();
}

VOW_TEST_WITH(fail_works_on, .watchdog_ms = 30) {
  vow_detach(vow_go(loop, stay_busy, NULL)); /* the clock stands */
}

TEST(test_run_many_leftovers_are_counted) {
  FAILS(fail_leaves_many_futures, 0, "leaves futures", " more");
  FAILS(fail_leaves_much_memory, 0, "leaves memory", "more blocks of memory");
}

TEST(test_run_watchdog_barks_when_work_goes_on_after_the_body) {
  FAILS(fail_works_on, 0, "has not ended after 30 ms", "fail_works_on");
}

/* ---- that cannot begin ----------------------------------------------------- */

/* But one, for libcheck's file of messages. */
static void leave_one_descriptor(void) {
  struct rlimit limit;
  int lowest = dup(0);
  ck_assert_int_ge(lowest, 0);
  close(lowest);
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = (rlim_t)lowest + 1;
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(test_run_without_a_loop_says_so) {
  const TTest *const tests[] = {pass, NULL};
  report_t *r = malloc(sizeof *r);
  report_of(r, CK_NOFORK, leave_one_descriptor, tests);
  ck_assert_int_eq(r->failed, 1);
  ck_assert_msg(strstr(r->text, "no loop for pass: ") != NULL, "%s", r->text);
  free(r);
}

/* ---- outside of tests ------------------------------------------------------ */

TEST(test_run_complaint_outside_of_a_test_is_printed) {
  char text[128];
  capture_t c;
  capture_begin(&c);
  vow_check_complain("here.c:7", "no %s", "test");
  capture_end(&c, text, sizeof text);
  ck_assert_str_eq(text, "here.c:7: no test\n");
}

START_TEST(fail_holds_no_clock) {
  vow_check_hold_clock(true);
}
END_TEST

VOW_TEST_WITH(fail_holds_real_time, .real_time = true) {
  (void)loop;
  vow_check_hold_clock(true);
}

START_TEST(fail_settles_nothing) {
  vow_check_settle();
}
END_TEST

TEST(test_run_clock_can_be_held_in_tests_with_virtual_time_only) {
  FAILS(fail_holds_no_clock, 0, "vow_check_hold_clock: no test runs");
  FAILS(fail_holds_real_time, 0, "the test runs in real time");
  FAILS(fail_settles_nothing, 0, "vow_check_settle: no task runs here");
  ck_assert_uint_eq(vow_check_now_ms(), 0);
}

static vow_value_t settle_others(void *arg) {
  vow_future_t *f = vow_go(vow_task_loop(), count_up, arg);
  vow_check_settle();
  ck_assert_int_eq(*(int *)arg, 1);
  vow_drop(f);
  return vow_nil();
}

/* On any driver, also without libuv. */
TEST(test_run_settle_works_in_a_task_without_a_test) {
  vow_loop_t *manual = manual_loop();
  int ran = 0;
  vow_future_t *f = vow_go(manual, settle_others, &ran);
  manual_drain(manual);
  ck_assert(vow_is_settled(f));
  vow_drop(f);
  manual_done(manual);
}

SUITE(check_run) {
  ADD(test_run_body_awaits_and_passes);
  ADD(test_run_hour_takes_no_time);
  ADD(test_run_real_time_takes_time);
  tcase_add_loop_test(test_tcase, test_run_loop_test_gets_its_number, 3, 5);
  ADD(test_run_dropped_work_may_unwind);
  ADD(test_run_at_end_runs_last_first);
  ADD(test_run_pool_works_in_a_test);
  ADD(test_run_failing_body_is_left_cleanly);
  ADD(test_run_failing_task_ends_the_test);
  ADD(test_run_failing_callback_ends_the_test);
  ADD(test_run_failing_clean_up_ends_the_test);
  ADD(test_run_failing_in_a_shield_ends_the_test);
  ADD(test_run_tests_after_failures_run);
  ADD(test_run_libchecks_own_assertion_fails_the_test);
  ADD(test_run_idle_fails_with_the_graph);
  ADD(test_run_held_clock_fails_a_wait);
  ADD(test_run_watchdog_barks_with_the_graph);
  ADD(test_run_leftovers_fail_with_their_sites);
  ADD(test_run_left_token_fails);
  ADD(test_run_memory_may_be_kept);
  ADD(test_run_unseen_failure_fails);
  ADD(test_run_complaints_are_collected);
  ADD(test_run_fork_with_threads_is_a_loud_error);
  ADD(test_run_many_leftovers_are_counted);
  ADD(test_run_watchdog_barks_when_work_goes_on_after_the_body);
  ADD(test_run_without_a_loop_says_so);
  ADD(test_run_complaint_outside_of_a_test_is_printed);
  ADD(test_run_clock_can_be_held_in_tests_with_virtual_time_only);
  ADD(test_run_settle_works_in_a_task_without_a_test);
}

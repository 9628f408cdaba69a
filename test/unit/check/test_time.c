/* SPDX-License-Identifier: MIT */
/* A test's time: several who advance it, its end, and what happens after the
 * body. */
#include "unit/check/report.h"

#include <vow/time.h>

static vow_value_t advance_by(void *arg) {
  vow_check_advance(*(const uint64_t *)arg);
  return vow_nil();
}

static uint64_t ten = 10, hundred = 100;

VOW_TEST(test_time_is_held_again_when_the_last_has_advanced) {
  vow_future_t *f, *late;
  vow_check_hold_clock(true);
  f = vow_go(loop, advance_by, &ten);
  vow_check_advance(100);
  ck_assert_uint_eq(vow_check_now_ms(), 100);
  vow_assert_nil(f);
  late = vow_sleep(loop, 1);
  vow_assert_pending(late);
  vow_drop(late);
}

VOW_TEST(test_time_goes_on_while_another_task_advances_it) {
  vow_future_t *f;
  vow_check_hold_clock(true);
  f = vow_go(loop, advance_by, &hundred);
  vow_check_advance(10);
  vow_assert_nil(f);
  ck_assert_uint_eq(vow_check_now_ms(), 100);
}

VOW_TEST(test_time_is_held_when_who_advances_is_cancelled) {
  vow_future_t *f, *late;
  vow_check_hold_clock(true);
  f = vow_go(loop, advance_by, &hundred);
  vow_check_settle();
  vow_cancel(f);
  vow_drop(f);
  vow_check_settle();
  late = vow_sleep(loop, 1);
  vow_assert_pending(late);
  vow_drop(late);
}

static vow_value_t hold(void *arg) {
  (void)arg;
  vow_check_hold_clock(true);
  return vow_nil();
}

VOW_TEST(test_time_held_meanwhile_is_held_afterwards) {
  vow_future_t *f = vow_go(loop, hold, NULL), *late;
  vow_check_advance(10);
  ck_assert_uint_eq(vow_check_now_ms(), 10);
  vow_assert_nil(f);
  late = vow_sleep(loop, 1);
  vow_assert_pending(late);
  vow_drop(late);
  vow_check_hold_clock(false);
  vow_assert_nil(vow_sleep(loop, 1));
}

/* ---- the end of the clock --------------------------------------------------- */

VOW_TEST(fail_advances_for_ever) {
  (void)loop;
  vow_check_advance(UINT64_MAX);
}

VOW_TEST(fail_goes_back) {
  int64_t back_ms = -5;
  (void)loop;
  vow_check_advance(10);
  vow_check_advance((uint64_t)back_ms);
}

VOW_TEST(test_time_centuries_pass) {
  vow_check_advance(VOW_MS_MAX / 2);
  vow_assert_nil(vow_sleep(loop, 1000));
  ck_assert_uint_eq(vow_check_now_ms(), VOW_MS_MAX / 2 + 1000);
}

TEST(test_time_beyond_the_end_of_the_clock_fails) {
  FAILS(fail_advances_for_ever, 0, "beyond the end of the clock",
        "test_time.c");
  FAILS(fail_goes_back, 0, "-5 as a signed number", "test_time.c");
}

/* ---- after the body --------------------------------------------------------- */

static vow_value_t sleep_for_1_ms(void *arg) {
  VOW_TRY_NIL(vow_sleep(arg, 1));
  return vow_nil();
}

VOW_TEST(fail_leaves_short_sleep) {
  vow_detach(vow_go(loop, sleep_for_1_ms, loop));
}

static vow_value_t yield_often(void *arg) {
  int i;
  (void)arg;
  for (i = 0; i < 100; i++) vow_yield();
  return vow_nil();
}

VOW_TEST(test_time_what_needs_none_ends_after_the_body) {
  vow_detach(vow_go(loop, yield_often, NULL));
}

VOW_TEST(test_time_what_was_sent_arrives_after_the_body) {
  vow_check_wire_t wire = {.latency_ms = 1000};
  vow_check_net_t *net = vow_check_net_new(loop, &wire);
  vow_check_peer(net, "db:7", VOW_EXPECT("?"), VOW_EXPECT_END());
  {
    vow_future_t *f = vow_check_connect(loop, "db", "7", net);
    vow_stream_t *s = vow_assert_take(f, &vow_type_stream);
    vow_assert_ok(vow_stream_write(s, "?", 1));
    vow_stream_unref(s);
  }
}

TEST(test_time_a_millisecond_does_not_pass_after_the_body) {
  FAILS(fail_leaves_short_sleep, 0, "leaves futures", "task, pending");
}

/* ---- the watchdog's --------------------------------------------------------- */

VOW_TEST_WITH(fail_by_watchdog, .watchdog_ms = 20) {
  while (vow_await_status(vow_sleep(loop, 100)) == 0) {
  }
}

static void multiply(void) {
  setenv("CK_TIMEOUT_MULTIPLIER", "3", 1);
}

TEST(test_time_limits_are_multiplied) {
  const TTest *const tests[] = {fail_by_watchdog, NULL};
  report_t *r = malloc(sizeof *r);
  report_of(r, CK_NOFORK, multiply, tests);
  ck_assert_msg(strstr(r->text, "has not ended after 60 ms") != NULL, "%s",
                r->text);
  free(r);
}

SUITE(check_time) {
  ADD(test_time_is_held_again_when_the_last_has_advanced);
  ADD(test_time_goes_on_while_another_task_advances_it);
  ADD(test_time_is_held_when_who_advances_is_cancelled);
  ADD(test_time_held_meanwhile_is_held_afterwards);
  ADD(test_time_centuries_pass);
  ADD(test_time_beyond_the_end_of_the_clock_fails);
  ADD(test_time_what_needs_none_ends_after_the_body);
  ADD(test_time_what_was_sent_arrives_after_the_body);
  ADD(test_time_a_millisecond_does_not_pass_after_the_body);
  ADD(test_time_limits_are_multiplied);
}

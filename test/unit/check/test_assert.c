/* SPDX-License-Identifier: MIT */
/* Assertions on futures: each that holds, and each that does not. */
#include "unit/check/report.h"

#include <math.h>
#include <vow/time.h>
#include <vow/timeout.h>

static vow_value_t fail_later(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_failf(UV_EPROTO, "bad banner \"%s\"", "hi");
}

static vow_future_t *bad_banner(vow_loop_t *loop) {
  return vow_then(vow_sleep(loop, 3), fail_later, NULL);
}

static vow_value_t give_int(vow_future_t *in, void *arg) {
  (void)in;
  return vow_int(*(int *)arg);
}

static vow_future_t *later_int(vow_loop_t *loop, uint64_t ms, int *i) {
  return vow_then(vow_sleep(loop, ms), give_int, i);
}

typedef struct thing {
  int number;
} thing_t;

static void thing_free(thing_t *t) {
  free(t);
}
VOW_DEFINE_TYPE(thing, thing_t, thing_free);

static vow_future_t *ready_thing(vow_loop_t *loop) {
  thing_t *t = malloc(sizeof *t);
  ck_assert_ptr_nonnull(t);
  t->number = 9;
  return vow_ready(loop, thing_value(t));
}

static vow_future_t *ready_bytes(vow_loop_t *loop, const char *text) {
  vow_bytes_t *b = vow_bytes_copy(text, strlen(text));
  return vow_ready(loop, vow_ptr(b, &vow_type_bytes));
}

/* ---- that hold ------------------------------------------------------------ */

VOW_TEST(test_assert_settled_and_pending_hold) {
  int i = 42;
  static const char name[] = "name";
  thing_t *t;
  vow_assert_ok(vow_ready(loop, vow_int(1)));
  vow_assert_nil(vow_sleep(loop, 1));
  vow_assert_int(vow_ready(loop, vow_int(-1)), -1);
  vow_assert_int(later_int(loop, 3600000, &i), 42);
  vow_assert_double(vow_ready(loop, vow_double(0.5)), 0.5);
  vow_assert_string(vow_ready(loop, vow_cstr("ab")), "ab");
  vow_assert_string(vow_ready(loop, vow_string("ab")), "ab");
  vow_assert_string(ready_bytes(loop, "ab"), "ab");
  vow_assert_bytes(ready_bytes(loop, "ab"), "ab", 2);
  vow_assert_ptr(vow_ready(loop, vow_cstr(name)), name);
  t = vow_assert_take(ready_thing(loop), &thing_type);
  ck_assert_int_eq(t->number, 9);
  thing_free(t);
}

VOW_TEST(test_assert_failures_hold) {
  vow_future_t *f = vow_sleep(loop, 10);
  vow_assert_fails(bad_banner(loop), UV_EPROTO);
  vow_assert_fails_with(bad_banner(loop), UV_EPROTO, "banner \"hi\"");
  vow_cancel(f);
  vow_assert_cancelled(f);
  f = vow_sleep(loop, 10);
  vow_cancel(f);
  vow_assert_fails(f, UV_ECANCELED);
}

VOW_TEST(test_assert_times_hold) {
  int i = 7;
  vow_future_t *f = later_int(loop, 50, &i);
  vow_assert_pending(f);
  vow_check_advance(49);
  vow_assert_pending(f);
  ck_assert_uint_eq(vow_check_now_ms(), 49);
  vow_check_advance(1);
  vow_assert_int(f, 7);
  f = vow_assert_within(later_int(loop, 50, &i), 50);
  f = vow_assert_within(f, 0);
  vow_assert_int(f, 7);
  vow_assert_int(vow_assert_not_before(later_int(loop, 50, &i), 50), 7);
  ck_assert_uint_eq(vow_check_now_ms(), 150);
}

VOW_TEST(test_assert_held_clock_moves_by_hand) {
  vow_future_t *f = vow_sleep(loop, 50);
  vow_check_hold_clock(true);
  vow_check_settle();
  ck_assert_uint_eq(vow_check_now_ms(), 0);
  vow_assert_pending(f);
  vow_check_advance(50);
  vow_assert_nil(f);
  vow_check_hold_clock(false);
  vow_assert_nil(vow_sleep(loop, 10));
  ck_assert_uint_eq(vow_check_now_ms(), 60);
}

static vow_value_t note_time(vow_future_t *in, void *arg) {
  (void)in;
  vow_check_event("%s", (const char *)arg);
  return vow_nil();
}

static char a[] = "a", b[] = "b";

static vow_future_t *event_after(vow_loop_t *loop, uint64_t ms, char *name) {
  return vow_then(vow_sleep(loop, ms), note_time, name);
}

VOW_TEST(test_assert_events_hold) {
  vow_future_t *second = event_after(loop, 20, b);
  vow_assert_no_events();
  vow_assert_ok(event_after(loop, 10, a));
  vow_assert_ok(second);
  vow_assert_events("a", "b");
  vow_check_event("%d", 3);
  vow_assert_events("3");
  vow_check_event("not asked for");
}

TEST(test_assert_outside_of_a_task_runs_the_loop) {
  int i = 4;
  vow_loop_t *loop;
  vow_future_t *f;
  ck_assert_int_eq(vow_loop_new_virtual(NULL, &loop), 0);
  vow_assert_int(later_int(loop, 5, &i), 4);
  f = vow_sleep(loop, 5);
  vow_assert_pending(f);
  vow_assert_nil(vow_assert_within(f, 5));
  vow_assert_fails(bad_banner(loop), UV_EPROTO);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
}

/* ---- that do not ---------------------------------------------------------- */

VOW_TEST(fail_ok) {
  vow_assert_ok(bad_banner(loop));
}
VOW_TEST(fail_nil) {
  vow_assert_nil(vow_ready(loop, vow_int(5)));
}
VOW_TEST(fail_int) {
  vow_assert_int(vow_ready(loop, vow_int(5)), 6);
}
VOW_TEST(fail_int_of_string) {
  vow_assert_int(vow_ready(loop, vow_cstr("5")), 5);
}
VOW_TEST(fail_double) {
  vow_assert_double(vow_ready(loop, vow_double(1)), 1.5);
}
VOW_TEST(fail_string) {
  vow_assert_string(ready_bytes(loop, "a\n\001\""), "b\t");
}
VOW_TEST(fail_string_of_int) {
  vow_assert_string(vow_ready(loop, vow_int(1)), "1");
}
VOW_TEST(fail_ptr) {
  vow_assert_ptr(ready_thing(loop), NULL);
}
VOW_TEST(fail_take) {
  vow_assert_take(vow_ready(loop, vow_int(3)), &thing_type);
}
VOW_TEST(fail_fails) {
  vow_assert_fails(vow_ready(loop, vow_int(3)), UV_EPROTO);
}
VOW_TEST(fail_fails_otherwise) {
  vow_assert_fails(bad_banner(loop), UV_EIO);
}
VOW_TEST(fail_fails_with) {
  vow_assert_fails_with(bad_banner(loop), UV_EPROTO, "flag");
}
VOW_TEST(fail_cancelled) {
  vow_assert_cancelled(bad_banner(loop));
}
VOW_TEST(fail_pending) {
  vow_future_t *f = vow_sleep(loop, 0);
  vow_assert_pending(f);
}
VOW_TEST(fail_within) {
  vow_drop(vow_assert_within(vow_sleep(loop, 51), 50));
}
VOW_TEST(fail_not_before) {
  vow_drop(vow_assert_not_before(vow_sleep(loop, 49), 50));
}
VOW_TEST(fail_idle) {
  vow_assert_int(vow_never(loop), 1);
}
VOW_TEST(fail_null) {
  vow_assert_ok(NULL);
}
VOW_TEST(fail_events) {
  vow_check_event("one");
  vow_check_event("two");
  vow_assert_events("one", "three", "four");
}
VOW_TEST(fail_no_events) {
  vow_check_event("one");
  vow_assert_no_events();
}

TEST(test_assert_success_tells_both_operands) {
  FAILS(fail_ok, 0, "bad_banner(loop)", "expected success",
        "it failed: bad banner \"hi\" (EPROTO)", "at test/unit/check/test_as",
        "the future was made at test/unit/check/test_assert.c");
  FAILS(fail_nil, 0, "expected nil", "got int 5");
  FAILS(fail_int, 0, "vow_ready(loop, vow_int(5))", "expected int 6",
        "got int 5");
  FAILS(fail_int_of_string, 0, "expected int 5", "got string \"5\"");
  FAILS(fail_double, 0, "expected double 1.5", "got double 1");
  FAILS(fail_string, 0, "expected \"b\\t\"", "got bytes \"a\\n\\001\\\"\"");
  FAILS(fail_string_of_int, 0, "expected \"1\"", "got int 1");
  FAILS(fail_ptr, 0, "expected the pointer", "got thing_t");
  FAILS(fail_take, 0, "expected a value of type thing_t", "got int 3");
}

TEST(test_assert_failure_tells_both_operands) {
  FAILS(fail_fails, 0, "expected the failure EPROTO", "got int 3");
  FAILS(fail_fails_otherwise, 0, "expected the failure EIO",
        "it failed: bad banner");
  FAILS(fail_fails_with, 0, "with \"flag\" in its message", "bad banner");
  FAILS(fail_cancelled, 0, "expected a cancellation", "it failed: bad banner");
  FAILS(fail_null, 0, "NULL is NULL");
}

TEST(test_assert_time_tells_when) {
  FAILS(fail_pending, 0, "expected it to be pending", "got nil");
  FAILS(fail_within, 0, "settle within 50 ms", "it is pending",
        "what waits for what", "sleep test");
  FAILS(fail_not_before, 0, "not to settle before 50 ms", "after 49 ms");
  FAILS(fail_idle, 0, "nothing can ever happen again", "promise test");
}

TEST(test_assert_events_tell_both_lists) {
  FAILS(fail_events, 0, "    one (0 ms)", "> got two (0 ms)",
        "> expected three", "  expected four");
  FAILS(fail_no_events, 0, "> got one (0 ms)");
}

/* ---- that cannot wait ------------------------------------------------------ */

static vow_value_t assert_in_task(void *arg) {
  vow_assert_ok(vow_sleep(arg, 100));
  return vow_nil();
}

VOW_TEST(fail_in_a_cancelled_task) {
  vow_future_t *task = vow_go(loop, assert_in_task, loop);
  vow_check_settle();
  vow_cancel(task);
  vow_assert_cancelled(task);
}

static vow_value_t assert_in_callback(vow_future_t *in, void *arg) {
  (void)arg;
  vow_assert_ok(vow_sleep(vow_loop_of(in), 100));
  return vow_nil();
}

VOW_TEST(fail_in_a_callback) {
  vow_assert_ok(vow_then(vow_sleep(loop, 1), assert_in_callback, NULL));
}

START_TEST(fail_idle_outside) {
  vow_loop_t *loop;
  ck_assert_int_eq(vow_loop_new_virtual(NULL, &loop), 0);
  vow_assert_ok(vow_never(loop));
}
END_TEST

VOW_TEST(fail_take_shared) {
  vow_future_t *f = ready_thing(loop);
  (void)vow_ref(f);
  thing_free(vow_assert_take(f, &thing_type));
}

TEST(test_assert_that_cannot_wait_says_why) {
  FAILS(fail_in_a_cancelled_task, 0, "vow_sleep(arg, 100): the task that waits",
        "was cancelled (ECANCELED)");
  FAILS(fail_in_a_callback, 0, "cannot be waited for: ");
  FAILS(fail_idle_outside, 0, "expected success", "it is pending",
        "what waits for what");
}

TEST(test_assert_take_of_a_shared_value_says_so) {
  FAILS(fail_take_shared, 0, "a value of type thing_t to take (");
}

/* ---- numbers and long texts ------------------------------------------------ */

static vow_future_t *ready_double(vow_loop_t *loop, double d) {
  return vow_ready(loop, vow_double(d));
}

VOW_TEST(test_assert_double_holds_for_nan_and_infinity) {
  vow_assert_double(ready_double(loop, (double)NAN), (double)NAN);
  vow_assert_double(ready_double(loop, (double)INFINITY), (double)INFINITY);
  vow_assert_double(ready_double(loop, -0.0), 0.0);
}

VOW_TEST(fail_double_got_nan) {
  vow_assert_double(ready_double(loop, (double)NAN), 1.0);
}
VOW_TEST(fail_double_expected_nan) {
  vow_assert_double(ready_double(loop, 1.0), (double)NAN);
}
VOW_TEST(fail_double_nearly) {
  vow_assert_double(ready_double(loop, 0.1 + 0.2), 0.3);
}
VOW_TEST(fail_double_of_int) {
  vow_assert_double(vow_ready(loop, vow_int(2)), 2.0);
}

TEST(test_assert_double_tells_what_differs) {
  FAILS(fail_double_got_nan, 0, "expected double 1\n", "got double ", "nan");
  FAILS(fail_double_expected_nan, 0, "expected double nan", "got double 1\n");
  FAILS(fail_double_nearly, 0, "expected double 0.3\n",
        "got double 0.30000000000000004");
  FAILS(fail_double_of_int, 0, "expected double 2\n", "got int 2");
}

enum { LONG_BYTES = 9000, ODD_BYTE = 250 };

/* A long text; the other one differs at ODD_BYTE. */
static void two_texts(char *one, char *other) {
  memset(one, 'a', LONG_BYTES);
  one[LONG_BYTES - 1] = '\0';
  memcpy(other, one, LONG_BYTES);
  other[ODD_BYTE] = 'X';
}

VOW_TEST(fail_long_string) {
  static char one[LONG_BYTES], other[LONG_BYTES];
  two_texts(one, other);
  vow_assert_string(vow_ready(loop, vow_cstr(other)), one);
}
VOW_TEST(fail_longer_bytes) {
  static char one[LONG_BYTES], other[LONG_BYTES];
  two_texts(one, other);
  other[ODD_BYTE] = '\0';
  vow_assert_string(ready_bytes(loop, one), other);
}
VOW_TEST(fail_long_early) {
  static char one[LONG_BYTES], other[LONG_BYTES];
  two_texts(one, other);
  other[1] = 'X';
  vow_assert_string(vow_ready(loop, vow_cstr(other)), one);
}

TEST(test_assert_long_texts_are_shown_where_they_differ) {
  FAILS(fail_long_string, 0, "expected from byte 210 on \"aaa",
        "got string from byte 210 on \"aaa", "aXa", "(8999 bytes)",
        "they differ at byte 250");
  FAILS(fail_longer_bytes, 0, "expected from byte 210 on \"aaa",
        "aaa\" (250 bytes)", "(8999 bytes)", "they differ at byte 250");
  FAILS(fail_long_early, 0, "expected \"aaaa", "got string \"aXa",
        "\"... (8999 bytes)");
}

/* ---- NULL ------------------------------------------------------------------ */

VOW_TEST(test_assert_no_bytes_may_be_null) {
  vow_assert_bytes(vow_ready(loop, vow_cstr("")), NULL, 0);
}
VOW_TEST(fail_null_string) {
  vow_assert_string(vow_ready(loop, vow_int(3)), NULL);
}
VOW_TEST(fail_null_bytes) {
  vow_assert_bytes(bad_banner(loop), NULL, 3);
}
VOW_TEST(fail_null_type) {
  vow_assert_take(vow_ready(loop, vow_fail(UV_EIO)), NULL);
}

TEST(test_assert_null_that_is_expected_fails) {
  FAILS(fail_null_string, 0,
        "vow_ready(loop, vow_int(3)): the text that is expected is NULL");
  FAILS(fail_null_bytes, 0, "bad_banner(loop): the text that is expected is");
  FAILS(fail_null_type, 0, ": the type that is expected is NULL");
}

SUITE(check_assert) {
  ADD(test_assert_settled_and_pending_hold);
  ADD(test_assert_failures_hold);
  ADD(test_assert_times_hold);
  ADD(test_assert_held_clock_moves_by_hand);
  ADD(test_assert_events_hold);
  ADD(test_assert_outside_of_a_task_runs_the_loop);
  ADD(test_assert_success_tells_both_operands);
  ADD(test_assert_failure_tells_both_operands);
  ADD(test_assert_time_tells_when);
  ADD(test_assert_events_tell_both_lists);
  ADD(test_assert_that_cannot_wait_says_why);
  ADD(test_assert_take_of_a_shared_value_says_so);
  ADD(test_assert_double_holds_for_nan_and_infinity);
  ADD(test_assert_double_tells_what_differs);
  ADD(test_assert_long_texts_are_shown_where_they_differ);
  ADD(test_assert_no_bytes_may_be_null);
  ADD(test_assert_null_that_is_expected_fails);
}

/* SPDX-License-Identifier: MIT */
/* What a loop reports unasked: continuations that block it, futures that are
 * held when it closes. */
#include "unit/core/helpers.h"

#include <time.h>

static vow_loop_t *loop;
static int reports;
static char last_what[64], last_site[256];
static uint64_t last_ms;

static void on_blocked(const char *what, const char *site, uint64_t blocked_ms,
                       void *arg) {
  ck_assert_ptr_eq(arg, &reports);
  reports++;
  last_ms = blocked_ms;
  snprintf(last_what, sizeof last_what, "%s", what);
  snprintf(last_site, sizeof last_site, "%s", site);
}

static void on_leak(vow_future_t *f, const char *what, const char *site,
                    void *arg) {
  ck_assert_ptr_eq(arg, &reports);
  ck_assert_str_eq(vow_site(f), site);
  reports++;
  snprintf(last_what, sizeof last_what, "%s", what);
  snprintf(last_site, sizeof last_site, "%s", site);
}

static void begin(uint32_t limit_ms) {
  vow_loop_options_t options = {.block_limit_ms = limit_ms,
                                .on_blocked = on_blocked,
                                .on_blocked_arg = &reports,
                                .on_leak = on_leak,
                                .on_leak_arg = &reports};
  reports = 0;
  loop = manual_loop_with(&options);
}

static vow_value_t block(vow_future_t *in, void *arg) {
  const long *ms = arg;
  struct timespec time = {0, *ms * 1000000};
  (void)in;
  nanosleep(&time, NULL);
  return vow_nil();
}

TEST(test_watch_blocking_continuation_is_reported_with_site) {
  long ms = 20;
  begin(10);
  vow_future_t *f = vow_then(vow_ready(loop, vow_nil()), block, &ms);
  const char *site = vow_site(f);
  manual_drain(loop);
  ck_assert_int_eq(reports, 1);
  ck_assert_str_eq(last_what, "then");
  ck_assert_str_eq(last_site, site);
  ck_assert_uint_ge(last_ms, 20);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_watch_no_limit_reports_nothing) {
  long ms = 20;
  begin(VOW_NO_BLOCK_LIMIT);
  vow_future_t *f = vow_then(vow_ready(loop, vow_nil()), block, &ms);
  manual_drain(loop);
  ck_assert_int_eq(reports, 0);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_watch_budget_is_kept) {
  long ms = 0;
  vow_loop_options_t options = {.block_limit_ms = 60000, .step_budget = 2};
  loop = manual_loop_with(&options);
  vow_future_t *f[3];
  for (int i = 0; i < 3; i++)
    f[i] = vow_then(vow_ready(loop, vow_nil()), block, &ms);
  vow_loop_drain(loop);
  ck_assert(vow_is_settled(f[1]));
  ck_assert(!vow_is_settled(f[2]));
  for (int i = 0; i < 3; i++) vow_drop(f[i]);
  manual_done(loop);
}
END_TEST

TEST(test_watch_future_held_at_close_is_reported) {
  begin(0);
  vow_future_t *f = vow_ready(loop, vow_int(1));
  manual_close(loop);
  ck_assert_int_eq(reports, 1);
  ck_assert_str_eq(last_site, vow_site(f));
  ck_assert_int_eq(vow_get_int(f), 1); /* it may be read still */
  vow_drop(f);
}
END_TEST

TEST(test_watch_nothing_held_at_close_reports_nothing) {
  begin(0);
  vow_drop(vow_ready(loop, vow_int(1)));
  manual_close(loop);
  ck_assert_int_eq(reports, 0);
}
END_TEST

/* ---- what is printed by default -------------------------------------------- */

TEST(test_watch_by_default_a_blocking_continuation_is_printed) {
  vow_loop_options_t options = {.block_limit_ms = 5};
  long ms = 20;
  char text[512];
  capture_t c;
  loop = manual_loop_with(&options);
  vow_future_t *f =
      vow_then_at("slow.c:1", vow_ready(loop, vow_nil()), block, &ms, NULL);
  capture_begin(&c);
  manual_drain(loop);
  capture_end(&c, text, sizeof text);
  EXPECT_HAS(text, "vow: then made at slow.c:1 kept the loop from everything");
  vow_drop(f);
  manual_done(loop);
}
END_TEST

static void keep_on(vow_promise_t *p, void *arg) {
  (void)p;
  (void)arg;
}

static vow_future_t *close_with_two_left(char *text, size_t size_bytes) {
  vow_loop_options_t options = {0};
  vow_promise_t *p;
  vow_future_t *held, *f;
  capture_t c;
  loop = manual_loop_with(&options);
  held = vow_ready_at("held.c:2", loop, vow_int(1));
  f = vow_promise_new_at("stuck.c:3", loop, &p);
  vow_promise_on_cancel(p, keep_on, NULL);
  capture_begin(&c);
  ck_assert_int_eq(vow_loop_close(loop, 10), UV_EBUSY);
  vow_promise_finish(p, vow_cancelled(0));
  vow_drop(f);
  ck_assert_int_eq(vow_loop_close(loop, 10), 0);
  capture_end(&c, text, size_bytes);
  return held;
}

TEST(test_watch_what_is_left_is_printed_when_the_environment_asks) {
  char text[1024];
  vow_future_t *held;
  setenv("VOW_DEBUG", "1", 1);
  held = close_with_two_left(text, sizeof text);
  unsetenv("VOW_DEBUG");
  EXPECT_HAS(text, "still not ended: promise, made at stuck.c:3");
  EXPECT_HAS(text, "never awaited, or never dropped");
  EXPECT_HAS(text, "made at held.c:2; the loop has closed");
  vow_drop(held);
}
END_TEST

TEST(test_watch_what_is_left_is_not_printed_unasked) {
  char text[1024];
  vow_future_t *held;
  unsetenv("VOW_DEBUG");
  held = close_with_two_left(text, sizeof text);
  ck_assert_str_eq(text, "");
  vow_drop(held);
}
END_TEST

SUITE(core_watch) {
  ADD(test_watch_blocking_continuation_is_reported_with_site);
  ADD(test_watch_no_limit_reports_nothing);
  ADD(test_watch_budget_is_kept);
  ADD(test_watch_future_held_at_close_is_reported);
  ADD(test_watch_nothing_held_at_close_reports_nothing);
  ADD(test_watch_by_default_a_blocking_continuation_is_printed);
  ADD(test_watch_what_is_left_is_printed_when_the_environment_asks);
  ADD(test_watch_what_is_left_is_not_printed_unasked);
}

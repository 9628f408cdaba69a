/* SPDX-License-Identifier: MIT */
/* Closing a loop with tasks that do not heed their cancellation, and reading
 * what awaits gave. */
#include "unit/core/helpers.h"

#include <vow/task.h>

static vow_loop_t *loop;
static char stuck[64];

static void on_stuck(const char *what, const char *site, void *arg) {
  (void)site;
  (void)arg;
  snprintf(stuck, sizeof stuck, "%s", what);
}

/* Its awaits fail, each behind what is ready: it keeps the queue full. */
static vow_value_t spin(void *arg) {
  const bool *stop = arg;
  while (!*stop) (void)vow_await_status(vow_sleep(vow_task_loop(), 10));
  return vow_nil();
}

TEST(test_close_task_that_heeds_nothing_is_named_in_virtual_time) {
  vow_loop_options_t options = {.on_stuck = on_stuck, .step_budget = 16};
  vow_task_options_t task = {.name = "deaf"};
  bool stop = false;
  loop = manual_loop_with(&options);
  vow_detach(vow_go_with(loop, &task, spin, &stop));
  manual_drain(loop);
  ck_assert_int_eq(vow_loop_close(loop, 100), UV_EBUSY);
  ck_assert_str_eq(stuck, "deaf");
  stop = true;
  ck_assert_int_eq(vow_loop_close(loop, 100), 0);
}
END_TEST

static vow_value_t feed_itself(vow_future_t *in, void *arg) {
  const bool *stop = arg;
  if (*stop) return vow_nil();
  return vow_follow(
      vow_handle(vow_ready(vow_loop_of(in), vow_nil()), feed_itself, arg));
}

TEST(test_close_chain_that_feeds_itself_ends_though_the_clock_stands) {
  vow_loop_options_t options = {.on_stuck = on_stuck, .step_budget = 16};
  bool stop = false;
  loop = manual_loop_with(&options);
  vow_detach(vow_finally(vow_ready(loop, vow_nil()), feed_itself, &stop));
  vow_loop_step(loop);
  ck_assert_int_eq(vow_loop_close(loop, 100), UV_EBUSY);
  ck_assert_str_ne(stuck, "");
  stop = true;
  ck_assert_int_eq(vow_loop_close(loop, 100), 0);
}
END_TEST

static vow_value_t return_deferred(void *arg) {
  vow_value_t v = vow_defer_value(vow_await(arg));
  if (vow_value_is_failure(v)) return v;
  return vow_int(vow_value_int(v) + 1);
}

TEST(test_defer_value_gives_a_failure_back) {
  loop = manual_loop();
  vow_future_t *f =
      vow_go(loop, return_deferred, vow_ready(loop, vow_failf(UV_EIO, "disk")));
  vow_future_t *g = vow_go(loop, return_deferred, vow_ready(loop, vow_int(4)));
  manual_drain(loop);
  ck_assert_str_eq(vow_error_message(vow_error(f)), "disk");
  ck_assert_int_eq(vow_get_int(g), 5);
  vow_drop(f);
  vow_drop(g);
  manual_done(loop);
}
END_TEST

static vow_value_t try_codes(void *arg) {
  VOW_TRY_CODE(0);
  VOW_TRY_CODE(vow_await_status(arg));
  return vow_int(1);
}

TEST(test_try_code_tells_a_cancellation_from_a_failure) {
  loop = manual_loop();
  vow_future_t *f = vow_go(loop, try_codes, vow_ready(loop, vow_fail(UV_EIO)));
  vow_future_t *g = vow_go(loop, try_codes, vow_never(loop));
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), UV_EIO);
  ck_assert(!vow_is_cancelled(f));
  vow_task_cancel(g, UV_ECONNRESET);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(g), UV_ECONNRESET);
  ck_assert(vow_is_cancelled(g));
  vow_drop(f);
  vow_drop(g);
  manual_done(loop);
}
END_TEST

SUITE(task_close) {
  ADD(test_close_task_that_heeds_nothing_is_named_in_virtual_time);
  ADD(test_close_chain_that_feeds_itself_ends_though_the_clock_stands);
  ADD(test_defer_value_gives_a_failure_back);
  ADD(test_try_code_tells_a_cancellation_from_a_failure);
}

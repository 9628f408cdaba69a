/* SPDX-License-Identifier: MIT */
/* Tasks that wait: values, failures, order, misuse. */
#include <vow/gather.h>
#include <vow/task.h>

#include "unit/core/helpers.h"

static vow_loop_t *loop;

static vow_value_t give_seven(void *arg) {
  (void)arg;
  return vow_int(7);
}

static vow_value_t await_arg(void *arg) {
  return vow_await(arg);
}

static vow_value_t add_two(void *arg) {
  vow_future_t **two = arg;
  VOW_TRY(a, two[0]);
  VOW_TRY(b, two[1]);
  return vow_int(a.as.i + b.as.i);
}

TEST(test_go_body_returns_value_settles_future) {
  loop = manual_loop();
  vow_future_t *f = vow_go(loop, give_seven, NULL);
  ck_assert_int_eq(vow_state(f), VOW_PENDING); /* never in the call */
  manual_drain(loop);
  ck_assert_int_eq(vow_get_int(f), 7);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_await_pending_future_waits_for_its_value) {
  vow_promise_t *p[2];
  vow_future_t *two[2];
  loop = manual_loop();
  two[0] = vow_promise_new(loop, &p[0]);
  two[1] = vow_promise_new(loop, &p[1]);
  vow_future_t *f = vow_go(loop, add_two, two);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(p[1], vow_int(20));
  vow_promise_finish(p[0], vow_int(1));
  manual_drain(loop);
  ck_assert_int_eq(vow_get_int(f), 21);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_try_failure_returns_it_from_the_body) {
  vow_future_t *two[2];
  loop = manual_loop();
  two[0] = vow_ready(loop, vow_failf(UV_EPROTO, "bad banner"));
  two[1] = NULL; /* never looked at */
  vow_future_t *f = vow_go(loop, add_two, two);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), UV_EPROTO);
  ck_assert_str_eq(vow_error_message(vow_error(f)), "bad banner");
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_await_settled_future_gives_value_without_a_switch) {
  loop = manual_loop();
  vow_future_t *f = vow_go(loop, await_arg, vow_ready(loop, vow_int(3)));
  ck_assert(vow_loop_step(loop)); /* one step and it is done */
  ck_assert_int_eq(vow_get_int(f), 3);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_await_outside_of_a_task_fails) {
  loop = manual_loop();
  vow_value_t v = vow_await(vow_ready(loop, vow_int(3)));
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  vow_value_destroy(v);
  ck_assert_int_eq(vow_yield(), UV_EINVAL);
  ck_assert_ptr_null(vow_task_current());
  manual_done(loop);
}
END_TEST

static vow_value_t await_self(void *arg) {
  vow_future_t **self = arg;
  return vow_await(vow_ref(*self));
}

TEST(test_await_itself_fails_with_ecycle) {
  loop = manual_loop();
  vow_future_t *f = NULL;
  f = vow_go(loop, await_self, &f);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), VOW_ECYCLE);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

static vow_value_t count_down(void *arg) {
  int *left = arg;
  while ((*left)-- > 0) ck_assert_int_eq(vow_yield(), 0);
  return vow_nil();
}

TEST(test_yield_two_tasks_take_turns) {
  int left[2] = {3, 3};
  loop = manual_loop();
  vow_future_t *a = vow_go(loop, count_down, &left[0]);
  vow_future_t *b = vow_go(loop, count_down, &left[1]);
  vow_loop_step(loop);
  vow_loop_step(loop);
  ck_assert_int_eq(left[0], 2);
  ck_assert_int_eq(left[1], 2);
  manual_drain(loop);
  ck_assert(vow_is_settled(a) && vow_is_settled(b));
  vow_drop(a);
  vow_drop(b);
  manual_done(loop);
}
END_TEST

/* Deep calls, with locals in each frame that must survive the switches. */
static int64_t deep(int depth) {
  volatile int64_t mine[16];
  for (int i = 0; i < 16; i++) mine[i] = depth * i;
  if (depth == 0) return 0;
  if (depth % 7 == 0) vow_yield();
  int64_t below = deep(depth - 1), sum = 0;
  for (int i = 0; i < 16; i++) sum += mine[i];
  return below + sum;
}

static vow_value_t run_deep(void *arg) {
  double x = 1.5;
  int64_t n = deep(100);
  x *= 2;
  ck_assert(x == 3.0);
  (void)arg;
  return vow_int(n);
}

TEST(test_await_in_deep_calls_keeps_locals) {
  vow_future_t *f[8];
  loop = manual_loop();
  for (int i = 0; i < 8; i++) f[i] = vow_go(loop, run_deep, NULL);
  manual_drain(loop);
  for (int i = 0; i < 8; i++) {
    ck_assert_int_eq(vow_get_int(f[i]), 120 * 5050);
    vow_drop(f[i]);
  }
  manual_done(loop);
}
END_TEST

static vow_value_t sleep_for(void *arg) {
  uint64_t *ms = arg;
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), *ms));
  return vow_nil();
}

TEST(test_drop_task_that_sleeps_cancels_it) {
  uint64_t ms = 1000;
  loop = manual_loop();
  vow_future_t *f = vow_go(loop, sleep_for, &ms);
  manual_drain(loop);
  vow_drop(f);
  manual_drain(loop);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  manual_done(loop);
}
END_TEST

static int drops;

static void count_drop(void *arg) {
  (void)arg;
  drops++;
}

TEST(test_cancel_before_first_step_never_runs_body) { /* Rule 18 */
  int left = 5;
  drops = 0;
  loop = manual_loop();
  vow_future_t *f = vow_go(loop, count_down, &left, count_drop);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert(vow_is_cancelled(f));
  ck_assert_int_eq(left, 5);
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

static vow_value_t stubborn(void *arg) {
  int *codes = arg;
  uint64_t ms = 1000;
  for (int i = 0; i < 3; i++)
    codes[i] = vow_await_status(vow_sleep(vow_task_loop(), ms));
  codes[3] = vow_yield();
  codes[4] = vow_task_reason();
  return vow_int(1);
}

TEST(test_cancel_every_await_fails_with_the_reason) { /* Rule 17 */
  int codes[5] = {1, 1, 1, 1, 1};
  loop = manual_loop();
  vow_future_t *f = vow_go(loop, stubborn, codes);
  manual_drain(loop);
  ck_assert_int_eq(vow_task_cancel(f, UV_ECONNABORTED), 0);
  ck_assert_int_eq(vow_task_cancel(f, UV_EIO), 0); /* the first wins */
  manual_drain(loop);
  for (int i = 0; i < 5; i++) ck_assert_int_eq(codes[i], UV_ECONNABORTED);
  ck_assert_int_eq(vow_get_int(f), 1); /* it had its way */
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_cancel_what_was_granted_is_delivered) { /* Rule 17 */
  vow_promise_t *p;
  loop = manual_loop();
  vow_future_t *f = vow_go(loop, await_arg, vow_promise_new(loop, &p));
  manual_drain(loop);
  vow_promise_finish(p, vow_int(5));
  vow_cancel(f); /* settled, not yet delivered */
  manual_drain(loop);
  ck_assert_int_eq(vow_get_int(f), 5);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_cancel_leaves_shared_future_to_the_others) {
  vow_promise_t *p;
  loop = manual_loop();
  vow_future_t *shared = vow_promise_new(loop, &p);
  vow_future_t *f = vow_go(loop, await_arg, vow_ref(shared));
  manual_drain(loop);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  ck_assert_int_eq(vow_state(shared), VOW_PENDING);
  vow_promise_finish(p, vow_int(5));
  ck_assert_int_eq(vow_get_int(shared), 5);
  vow_drop(shared);
  manual_done(loop);
}
END_TEST

/* ---- clean-up ------------------------------------------------------------- */

static vow_value_t note_slowly(void *arg) {
  int code = vow_await_status(vow_sleep(vow_task_loop(), 50));
  note(code == 0 ? arg : "disturbed");
  return vow_nil();
}

static vow_value_t with_clean_up(void *arg) {
  (void)arg;
  vow_defer(note_slowly, "first");
  vow_defer(note_slowly, "second");
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 1000));
  note("body");
  return vow_nil();
}

TEST(test_defer_runs_last_first_on_success) {
  loop = manual_loop();
  vow_future_t *f = vow_go(loop, with_clean_up, NULL);
  manual_advance(loop, 1200);
  EXPECT_EVENTS("body second first");
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_defer_is_shielded_from_cancellation) { /* Rule 17 */
  loop = manual_loop();
  vow_future_t *f = vow_go(loop, with_clean_up, NULL);
  manual_drain(loop);
  vow_cancel(f);
  manual_advance(loop, 40);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 100);
  EXPECT_EVENTS("second first");
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_defer_grace_over_ends_clean_up) { /* Rule 17 */
  vow_task_options_t options = {.grace_ms = 20};
  loop = manual_loop();
  vow_future_t *f = vow_go_with(loop, &options, with_clean_up, NULL);
  manual_drain(loop);
  vow_cancel(f);
  manual_advance(loop, 21);
  EXPECT_EVENTS("disturbed disturbed");
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_loop_close_unwinds_tasks) {
  loop = manual_loop();
  vow_detach(vow_go(loop, with_clean_up, NULL));
  manual_drain(loop);
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
  EXPECT_EVENTS("second first");
}
END_TEST

TEST(test_go_out_of_memory_fails_and_drops_arg) {
  fault_install();
  drops = 0;
  for (unsigned n = 1;; n++) {
    int left = 1;
    vow_task_trim();
    loop = manual_loop_probe();
    fault_fail_at(n);
    vow_future_t *f = vow_go(loop, count_down, &left, count_drop);
    manual_drain(loop);
    fault_off();
    int code = vow_status(f);
    vow_drop(f);
    manual_done(loop);
    ck_assert_int_eq(drops, (int)n);
    if (code == 0) break;
    ck_assert_int_eq(code, UV_ENOMEM);
    ck_assert_int_eq(left, 1);
    ck_assert_uint_lt(n, 10);
  }
  vow_task_trim();
  ck_assert_int_eq(fault_live(), 0);
}
END_TEST

SUITE(task_await) {
  ADD(test_go_body_returns_value_settles_future);
  ADD(test_await_pending_future_waits_for_its_value);
  ADD(test_try_failure_returns_it_from_the_body);
  ADD(test_await_settled_future_gives_value_without_a_switch);
  ADD(test_await_outside_of_a_task_fails);
  ADD(test_await_itself_fails_with_ecycle);
  ADD(test_yield_two_tasks_take_turns);
  ADD(test_await_in_deep_calls_keeps_locals);
  ADD(test_drop_task_that_sleeps_cancels_it);
  ADD(test_cancel_before_first_step_never_runs_body);
  ADD(test_cancel_every_await_fails_with_the_reason);
  ADD(test_cancel_what_was_granted_is_delivered);
  ADD(test_cancel_leaves_shared_future_to_the_others);
  ADD(test_defer_runs_last_first_on_success);
  ADD(test_defer_is_shielded_from_cancellation);
  ADD(test_defer_grace_over_ends_clean_up);
  ADD(test_loop_close_unwinds_tasks);
  ADD(test_go_out_of_memory_fails_and_drops_arg);
}

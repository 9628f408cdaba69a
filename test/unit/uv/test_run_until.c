/* SPDX-License-Identifier: MIT */
/* Waiting for one future on a loop that has other things to wait for: whatever
 * phase of libuv's turn settles it, the poll behind that must not block. */
#include <vow/phase.h>
#include <vow/promise.h>
#include <vow/time.h>

#include "unit/uv/uv_support.h"

/* A handle that is active, and nothing ever happens on it. */
static uv_async_t other;

static void nothing(uv_async_t *async) {
  (void)async;
}

static vow_loop_t *busy_open(void) {
  vow_loop_t *loop = loop_open();
  uv_async_init(vow_loop_uv(loop), &other, nothing);
  return loop;
}

static void busy_done(vow_loop_t *loop) {
  uv_close((uv_handle_t *)&other, NULL);
  loop_done(loop);
}

TEST(test_run_until_timer_due_before_the_turn_does_not_block) {
  vow_loop_t *loop = busy_open();
  vow_future_t *f = vow_sleep(loop, 2);
  uv_sleep(4);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  busy_done(loop);
}

TEST(test_run_until_timer_due_within_the_turn_does_not_block) {
  vow_loop_t *loop = busy_open();
  ck_assert_int_eq(settle_drop(loop, vow_sleep(loop, 2)), 0);
  busy_done(loop);
}

static vow_value_t two_ms_later(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  uv_sleep(2);
  return vow_nil();
}

TEST(test_run_until_chain_behind_a_due_timer_does_not_block) {
  vow_loop_t *loop = busy_open();
  vow_future_t *f = vow_then(vow_sleep(loop, 2), two_ms_later, NULL);
  uv_sleep(4);
  ck_assert_int_eq(settle_drop(loop, vow_then(f, two_ms_later, NULL)), 0);
  busy_done(loop);
}

/* ---- by libuv's own callbacks -------------------------------------------- */

static vow_promise_t *promise;

static void keep(void *handle) {
  uv_close(handle, NULL);
  ck_assert_int_eq(vow_promise_finish(promise, vow_nil()), 0);
}

static void on_timer(uv_timer_t *timer) {
  keep(timer);
}

static void on_idle(uv_idle_t *idle) {
  keep(idle);
}

static void on_prepare(uv_prepare_t *prepare) {
  keep(prepare);
}

TEST(test_run_until_kept_by_a_raw_callback_does_not_block) {
  uv_timer_t timer;
  uv_idle_t idle;
  uv_prepare_t prepare;
  vow_loop_t *loop = busy_open();
  uv_loop_t *uv = vow_loop_uv(loop);
  vow_future_t *f = vow_promise_new(loop, &promise);
  if (_i % 2 == 1) f = vow_then(f, two_ms_later, NULL);
  if (_i / 2 == 0) {
    uv_timer_init(uv, &timer);
    uv_timer_start(&timer, on_timer, 0, 0);
  } else if (_i / 2 == 1) {
    uv_idle_init(uv, &idle);
    uv_idle_start(&idle, on_idle);
  } else {
    uv_prepare_init(uv, &prepare);
    uv_prepare_start(&prepare, on_prepare);
  }
  ck_assert_int_eq(settle_drop(loop, f), 0);
  turns(loop, 2);
  busy_done(loop);
}

/* What is not awaited lets the poll block as ever: this returns by the timer,
 * in its time, and not by turning round and round. */
TEST(test_run_until_of_another_future_waits_in_the_poll) {
  vow_loop_t *loop = busy_open();
  vow_future_t *done = vow_ready(loop, vow_nil());
  int turned = 0;
  vow_future_t *f = vow_sleep(loop, 20);
  while (!vow_is_settled(f)) {
    uv_run(vow_loop_uv(loop), UV_RUN_ONCE);
    ck_assert_int_lt(++turned, 20);
  }
  vow_drop(f);
  vow_drop(done);
  busy_done(loop);
}

SUITE(uv_run_until) {
  ADD(test_run_until_timer_due_before_the_turn_does_not_block);
  ADD(test_run_until_timer_due_within_the_turn_does_not_block);
  ADD(test_run_until_chain_behind_a_due_timer_does_not_block);
  tcase_add_loop_test(
      test_tcase, test_run_until_kept_by_a_raw_callback_does_not_block, 0, 6);
  ADD(test_run_until_of_another_future_waits_in_the_poll);
}

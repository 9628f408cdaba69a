/* SPDX-License-Identifier: MIT */
/* Intervals, mostly on a manual clock. */
#include <vow/interval.h>

#include "support/manual.h"
#include "unit/uv/uv_support.h"

static vow_interval_t *every(vow_loop_t *loop, uint64_t period_ms) {
  vow_interval_t *i = NULL;
  ck_assert_int_eq(vow_interval_new(loop, period_ms, &i), 0);
  return i;
}

/* f must have settled with this many ticks. */
static void expect_ticks(vow_future_t *f, int64_t ticks) {
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(vow_get_int(f), ticks);
  vow_drop(f);
}

TEST(test_interval_ticks_on_its_grid) {
  vow_loop_t *loop = manual_loop();
  vow_interval_t *i = every(loop, 10);
  vow_future_t *f = vow_interval_next(i);
  manual_advance(loop, 9);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 1);
  expect_ticks(f, 1);
  manual_advance(loop, 7); /* asked late: the grid does not move */
  f = vow_interval_next(i);
  manual_advance(loop, 2);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 1);
  expect_ticks(f, 1);
  vow_interval_free(i);
  manual_done(loop);
}

TEST(test_interval_missed_ticks_come_at_once_in_one_piece) {
  vow_loop_t *loop = manual_loop();
  vow_interval_t *i = every(loop, 10);
  vow_future_t *f;
  manual_advance(loop, 35);
  f = vow_interval_next(i);
  expect_ticks(f, 3);
  f = vow_interval_next(i);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 5);
  expect_ticks(f, 1);
  vow_interval_free(i);
  manual_done(loop);
}

TEST(test_interval_several_nexts_take_a_tick_each) {
  vow_loop_t *loop = manual_loop();
  vow_interval_t *i = every(loop, 10);
  vow_future_t *a = vow_interval_next(i), *b = vow_interval_next(i);
  manual_advance(loop, 10);
  expect_ticks(a, 1);
  ck_assert_int_eq(vow_state(b), VOW_PENDING);
  manual_advance(loop, 10);
  expect_ticks(b, 1);
  vow_interval_free(i);
  manual_done(loop);
}

TEST(test_interval_cancelled_next_leaves_the_tick) {
  vow_loop_t *loop = manual_loop();
  vow_interval_t *i = every(loop, 10);
  vow_future_t *a = vow_interval_next(i), *b = vow_interval_next(i);
  ck_assert_int_eq(vow_cancel(a), 0);
  ck_assert(vow_is_cancelled(a));
  vow_drop(a);
  manual_advance(loop, 10);
  expect_ticks(b, 1);
  vow_interval_free(i);
  manual_done(loop);
}

TEST(test_interval_without_a_next_arms_nothing) {
  vow_loop_t *loop = manual_loop();
  vow_interval_t *i = every(loop, 10);
  vow_future_t *f;
  manual_drain(loop);
  ck_assert_uint_eq(vow_loop_next_ms(loop), UINT64_MAX);
  f = vow_interval_next(i);
  ck_assert_uint_ne(vow_loop_next_ms(loop), UINT64_MAX);
  vow_drop(f);
  ck_assert_uint_eq(vow_loop_next_ms(loop), UINT64_MAX);
  vow_interval_free(i);
  manual_done(loop);
}

TEST(test_interval_free_fails_pending_nexts) {
  vow_loop_t *loop = manual_loop();
  vow_interval_t *i = every(loop, 10);
  vow_future_t *f = vow_interval_next(i);
  vow_interval_free(i);
  vow_interval_free(NULL);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  ck_assert_uint_eq(vow_loop_next_ms(loop), UINT64_MAX);
  manual_done(loop);
}

TEST(test_interval_may_be_freed_after_the_loop_was_closed) {
  vow_loop_t *loop = manual_loop();
  vow_interval_t *i = every(loop, 10);
  vow_future_t *f = vow_interval_next(i);
  manual_close(loop);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  vow_interval_free(i);
}

TEST(test_interval_bad_arguments_give_einval) {
  vow_loop_t *loop = manual_loop();
  vow_interval_t *i = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_interval_new(NULL, 1, &i), UV_EINVAL);
  ck_assert_int_eq(vow_interval_new(loop, 0, &i), UV_EINVAL);
  ck_assert_int_eq(vow_interval_new(loop, UINT64_MAX, &i), UV_EINVAL);
  ck_assert_int_eq(vow_interval_new(loop, 1, NULL), UV_EINVAL);
  ck_assert_ptr_null(i);
  f = vow_interval_next(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_interval_huge_period_never_overflows) {
  vow_loop_t *loop = manual_loop();
  vow_interval_t *i = every(loop, VOW_MS_MAX);
  vow_future_t *f = vow_interval_next(i);
  manual_advance(loop, 1000000);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_drop(f);
  vow_interval_free(i);
  manual_done(loop);
}

TEST(test_interval_out_of_memory_gives_enomem) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    vow_loop_t *loop;
    vow_interval_t *i = NULL;
    int err;
    ck_assert_uint_lt(n, 20);
    fault_install();
    loop = manual_loop_probe();
    fault_fail_at(n);
    err = vow_interval_new(loop, 10, &i);
    if (err == 0) {
      vow_future_t *f = vow_interval_next(i);
      manual_advance(loop, 10);
      err = vow_status(f);
      vow_drop(f);
    }
    failed = fault_failed() > 0;
    fault_off();
    ck_assert_int_eq(err, failed ? UV_ENOMEM : 0);
    vow_interval_free(i);
    manual_done(loop);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_gt(n, 3);
}

TEST(test_interval_on_libuv_is_never_early) {
  vow_loop_t *loop = loop_open();
  uint64_t start_ns = uv_hrtime();
  vow_interval_t *i = every(loop, 3);
  int64_t ticks = 0;
  while (ticks < 4) {
    vow_future_t *f = vow_interval_next(i);
    ck_assert_int_eq(settle(loop, f), 0);
    ticks += vow_get_int(f);
    vow_drop(f);
    ck_assert_uint_ge(uv_hrtime() - start_ns, (uint64_t)ticks * 3000000);
  }
  vow_interval_free(i);
  loop_done(loop);
}

/* The timer stands in the heap, which has to grow. */
TEST(test_interval_without_memory_for_its_timer_fails_all_who_wait) {
  vow_interval_t *i = NULL, *far[80];
  vow_future_t *f, *waiting[80];
  vow_loop_t *loop;
  size_t n = 0;
  int err = 0;
  fault_install();
  loop = manual_loop();
  ck_assert_int_eq(vow_interval_new(loop, 1000000, &i), 0);
  for (; n < 80 && err == 0; n++) {
    ck_assert_int_eq(vow_interval_new(loop, 1000000, &far[n]), 0);
    fault_fail_from(1);
    waiting[n] = vow_interval_next(far[n]);
    err = vow_is_settled(waiting[n]) ? vow_status(waiting[n]) : 0;
    fault_off();
  }
  ck_assert_int_eq(err, UV_ENOMEM);
  f = vow_interval_next(i); /* there is room again */
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_drop(f);
  while (n > 0) {
    vow_drop(waiting[--n]);
    vow_interval_free(far[n]);
  }
  vow_interval_free(i);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(uv_interval) {
  ADD(test_interval_ticks_on_its_grid);
  ADD(test_interval_missed_ticks_come_at_once_in_one_piece);
  ADD(test_interval_several_nexts_take_a_tick_each);
  ADD(test_interval_cancelled_next_leaves_the_tick);
  ADD(test_interval_without_a_next_arms_nothing);
  ADD(test_interval_free_fails_pending_nexts);
  ADD(test_interval_may_be_freed_after_the_loop_was_closed);
  ADD(test_interval_bad_arguments_give_einval);
  ADD(test_interval_huge_period_never_overflows);
  ADD(test_interval_out_of_memory_gives_enomem);
  ADD(test_interval_on_libuv_is_never_early);
  ADD(test_interval_without_memory_for_its_timer_fails_all_who_wait);
}

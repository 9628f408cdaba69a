/* SPDX-License-Identifier: MIT */
/* Tests of rate limiters, under virtual time. */
#include "unit/sync/helpers.h"

#include <vow/rate_limiter.h>

static void line_up(vow_rate_limiter_t *r, vow_future_t **f, size_t n) {
  for (size_t i = 0; i < n; i++) f[i] = vow_rate_limiter_acquire(r, 1);
}

TEST(test_rate_limiter_gives_the_burst_at_once_then_keeps_the_rate) {
  vow_loop_t *loop = manual_loop();
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 10, 1000, 3);
  vow_future_t *f[6];
  line_up(r, f, 6);
  ck_assert_str_eq(states(f, 6), "SSS...");
  ck_assert_uint_eq(vow_rate_limiter_waiting(r), 3);
  manual_advance(loop, 99);
  ck_assert_str_eq(states(f, 6), "SSS...");
  manual_advance(loop, 1);
  ck_assert_str_eq(states(f, 6), "SSSS..");
  manual_advance(loop, 150);
  ck_assert_str_eq(states(f, 6), "SSSSS.");
  manual_advance(loop, 50);
  ck_assert_str_eq(states(f, 6), "SSSSSS");
  drop_all(f, 6);
  vow_rate_limiter_free(r);
  manual_done(loop);
}

/* 7 in 1,000 ms cannot be told in whole milliseconds; nothing may be lost. */
TEST(test_rate_limiter_rounds_nothing_away) {
  vow_loop_t *loop = manual_loop();
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 7, 1000, 1);
  uint64_t start_ms = vow_loop_now_ms(loop);
  ck_assert(vow_rate_limiter_try_acquire(r, 1));
  for (uint64_t k = 1; k <= 70; k++) {
    vow_future_t *f = vow_rate_limiter_acquire(r, 1);
    ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
    ck_assert_uint_eq(vow_loop_now_ms(loop) - start_ms, (k * 1000 + 6) / 7);
    vow_drop(f);
  }
  ck_assert_uint_eq(vow_loop_now_ms(loop) - start_ms, 10000);
  vow_rate_limiter_free(r);
  manual_done(loop);
}

/* Five in a millisecond, of which the bucket holds one. */
TEST(test_rate_limiter_faster_than_the_clock_keeps_the_rate) {
  vow_loop_t *loop = manual_loop();
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 5000, 1000, 1);
  vow_future_t *f[11];
  line_up(r, f, 11);
  ck_assert_str_eq(states(f, 11), "S..........");
  manual_advance(loop, 1);
  ck_assert_str_eq(states(f, 11), "SSSSSS.....");
  manual_advance(loop, 1);
  ck_assert_str_eq(states(f, 11), "SSSSSSSSSSS");
  drop_all(f, 11);
  line_up(r, f, 1);
  ck_assert_str_eq(states(f, 1), ".");
  manual_advance(loop, 1);
  ck_assert_str_eq(states(f, 1), "S");
  ck_assert_uint_eq(vow_rate_limiter_available(r), 1);
  drop_all(f, 1);
  vow_rate_limiter_free(r);
  manual_done(loop);
}

TEST(test_rate_limiter_fills_up_to_the_burst_only) {
  vow_loop_t *loop = manual_loop();
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 5, 100, 0);
  ck_assert_uint_eq(vow_rate_limiter_available(r), 5);
  ck_assert(vow_rate_limiter_try_acquire(r, 4));
  ck_assert(!vow_rate_limiter_try_acquire(r, 2));
  ck_assert_uint_eq(vow_rate_limiter_available(r), 1);
  manual_advance(loop, 20);
  ck_assert_uint_eq(vow_rate_limiter_available(r), 2);
  manual_advance(loop, UINT64_C(1000000000000));
  ck_assert_uint_eq(vow_rate_limiter_available(r), 5);
  ck_assert(vow_rate_limiter_try_acquire(r, 5));
  ck_assert(!vow_rate_limiter_try_acquire(r, 1));
  vow_rate_limiter_free(r);
  manual_done(loop);
}

TEST(test_rate_limiter_of_the_largest_numbers_counts_right) {
  const uint64_t most = (uint64_t)1 << 31;
  vow_loop_t *loop = manual_loop();
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 1, most, most);
  ck_assert(vow_rate_limiter_try_acquire(r, most));
  manual_advance(loop, most * 4);
  ck_assert_uint_eq(vow_rate_limiter_available(r), 4);
  vow_rate_limiter_free(r);
  r = vow_rate_limiter_new(loop, most, most, most);
  ck_assert(vow_rate_limiter_try_acquire(r, most));
  manual_advance(loop, 5);
  ck_assert_uint_eq(vow_rate_limiter_available(r), 5);
  manual_advance(loop, most * most / 1024);
  ck_assert_uint_eq(vow_rate_limiter_available(r), most);
  vow_rate_limiter_free(r);
  manual_done(loop);
}

TEST(test_rate_limiter_rule_20_large_request_is_not_overtaken) {
  vow_loop_t *loop = manual_loop();
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 1, 10, 4);
  vow_future_t *f[3];
  f[0] = vow_rate_limiter_acquire(r, 3);
  f[1] = vow_rate_limiter_acquire(r, 4);
  f[2] = vow_rate_limiter_acquire(r, 1);
  ck_assert(!vow_rate_limiter_try_acquire(r, 1)); /* though one is there */
  ck_assert_str_eq(states(f, 3), "S..");
  manual_advance(loop, 29);
  ck_assert_str_eq(states(f, 3), "S..");
  manual_advance(loop, 1);
  ck_assert_str_eq(states(f, 3), "SS.");
  manual_advance(loop, 10);
  ck_assert_str_eq(states(f, 3), "SSS");
  drop_all(f, 3);
  vow_rate_limiter_free(r);
  manual_done(loop);
}

TEST(test_rate_limiter_cancelled_waiter_takes_nothing) {
  vow_loop_t *loop = manual_loop();
  for (size_t k = 0; k < 4; k++) {
    vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 1, 10, 1);
    vow_future_t *f[4];
    ck_assert(vow_rate_limiter_try_acquire(r, 1));
    line_up(r, f, 4);
    if (k % 2) {
      drop_at(f, k);
    } else {
      vow_cancel(f[k]);
      EXPECT_CANCELLED(f[k]);
      f[k] = NULL;
    }
    manual_advance(loop, 20);
    ck_assert_uint_eq(vow_rate_limiter_waiting(r), 1);
    manual_advance(loop, 10);
    for (size_t i = 0; i < 4; i++)
      if (f[i] != NULL) EXPECT_OK(f[i]);
    vow_rate_limiter_free(r);
  }
  manual_done(loop);
}

TEST(test_rate_limiter_large_one_that_leaves_frees_the_way) {
  vow_loop_t *loop = manual_loop();
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 1, 10, 5);
  vow_future_t *f[3];
  ck_assert(vow_rate_limiter_try_acquire(r, 3));
  f[0] = vow_rate_limiter_acquire(r, 5);
  f[1] = vow_rate_limiter_acquire(r, 2);
  f[2] = vow_rate_limiter_acquire(r, 1);
  ck_assert_str_eq(states(f, 3), "...");
  drop_at(f, 0);
  ck_assert_str_eq(states(f, 3), " S.");
  manual_advance(loop, 10);
  ck_assert_str_eq(states(f, 3), " SS");
  drop_all(f, 3);
  ck_assert_uint_eq(vow_loop_next_ms(loop), UINT64_MAX); /* no timer left */
  vow_rate_limiter_free(r);
  manual_done(loop);
}

TEST(test_rate_limiter_free_fails_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 1, 10, 1);
  vow_future_t *f[3];
  line_up(r, f, 3);
  vow_rate_limiter_free(r);
  EXPECT_SAYS(f[1], VOW_ESHUTDOWN, "rate limiter was freed");
  EXPECT_SAYS(f[2], VOW_ESHUTDOWN, "rate limiter was freed");
  vow_drop(f[0]);
  ck_assert_uint_eq(vow_loop_next_ms(loop), UINT64_MAX);
  manual_advance(loop, 100);
  manual_done(loop);
}

TEST(test_rate_limiter_misuse_is_told) {
  const uint64_t many = ((uint64_t)1 << 31) + 1;
  vow_loop_t *loop = manual_loop();
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 1, 10, 2);
  EXPECT_MISUSE(vow_rate_limiter_acquire(r, 3), "more tokens");
  EXPECT_MISUSE(vow_rate_limiter_acquire(r, 0), "no tokens");
  EXPECT_MISUSE(vow_rate_limiter_acquire(NULL, 1), "NULL");
  ck_assert(!vow_rate_limiter_try_acquire(r, 0));
  ck_assert(!vow_rate_limiter_try_acquire(NULL, 1));
  ck_assert_uint_eq(vow_rate_limiter_available(NULL), 0);
  ck_assert_uint_eq(vow_rate_limiter_waiting(NULL), 0);
  ck_assert_ptr_null(vow_rate_limiter_new(NULL, 1, 1, 1));
  ck_assert_ptr_null(vow_rate_limiter_new(loop, 0, 1, 1));
  ck_assert_ptr_null(vow_rate_limiter_new(loop, 1, 0, 1));
  ck_assert_ptr_null(vow_rate_limiter_new(loop, many, 1, 1));
  ck_assert_ptr_null(vow_rate_limiter_new(loop, 1, many, 1));
  ck_assert_ptr_null(vow_rate_limiter_new(loop, 1, 1, many));
  vow_rate_limiter_free(NULL);
  vow_rate_limiter_free(r);
  manual_done(loop);
}

TEST(test_rate_limiter_loop_that_closes_cancels_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 1, 10, 1);
  vow_future_t *f[3];
  line_up(r, f, 3);
  manual_close(loop);
  ck_assert_str_eq(states(f, 3), "SCC");
  drop_all(f, 3);
  ck_assert(!vow_rate_limiter_try_acquire(r, 1));
  vow_rate_limiter_free(r);
}

static void starved_body(vow_loop_t *loop) {
  /* Deadlines beyond the wheel, so that arming needs memory. */
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 1, 100000, 1);
  vow_future_t *f[4];
  if (r == NULL) return;
  line_up(r, f, 4);
  manual_advance(loop, 300000);
  for (size_t i = 0; i < 4; i++) ck_assert_int_ne(vow_status(f[i]), UV_EAGAIN);
  drop_all(f, 4);
  line_up(r, f, 2);
  vow_rate_limiter_free(r);
  for (size_t i = 0; i < 2; i++) ck_assert_int_ne(vow_status(f[i]), UV_EAGAIN);
  drop_all(f, 2);
}

TEST(test_rate_limiter_out_of_memory_anywhere_is_a_failure) {
  starve(starved_body, 0);
}

SUITE(sync_rate_limiter) {
  ADD(test_rate_limiter_gives_the_burst_at_once_then_keeps_the_rate);
  ADD(test_rate_limiter_rounds_nothing_away);
  ADD(test_rate_limiter_faster_than_the_clock_keeps_the_rate);
  ADD(test_rate_limiter_fills_up_to_the_burst_only);
  ADD(test_rate_limiter_of_the_largest_numbers_counts_right);
  ADD(test_rate_limiter_rule_20_large_request_is_not_overtaken);
  ADD(test_rate_limiter_cancelled_waiter_takes_nothing);
  ADD(test_rate_limiter_large_one_that_leaves_frees_the_way);
  ADD(test_rate_limiter_free_fails_those_who_wait);
  ADD(test_rate_limiter_misuse_is_told);
  ADD(test_rate_limiter_loop_that_closes_cancels_those_who_wait);
  ADD(test_rate_limiter_out_of_memory_anywhere_is_a_failure);
}

/* SPDX-License-Identifier: MIT */
/* Tests of take, skip, chunk and timeout over iterators. */
#include "unit/combine/iter_helpers.h"

/* ---- take ---------------------------------------------------------------- */

/* Rule 21 */
TEST(test_iter_take_closes_its_source_before_the_end) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.numbers = 9, .slow_close = true};
  vow_iter_t *it = vow_iter_take(tap_new(loop, &t), 2);
  vow_future_t *f;
  NEXT_INT(loop, it, 0);
  NEXT_INT(loop, it, 1);
  ck_assert_int_eq(t.closes, 0);
  f = next_of(loop, it);
  ck_assert_int_eq(t.closes, 1);
  ck_assert_int_eq(t.asked, 2);
  NEXT_PENDING(f);
  tap_closed(&t, vow_nil());
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EOF);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_take_close_that_fails_comes_before_the_end) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.numbers = 9, .slow_close = true};
  vow_iter_t *it = vow_iter_take(tap_new(loop, &t), 0);
  vow_future_t *f = next_of(loop, it);
  tap_closed(&t, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  NEXT_IS_END(loop, it);
  close_ok(loop, it); /* it has been told */
  manual_done(loop);
}

TEST(test_iter_take_closed_while_its_source_closes) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.numbers = 9, .slow_close = true};
  vow_iter_t *it = vow_iter_take(tap_new(loop, &t), 0);
  vow_future_t *f = next_of(loop, it), *end = vow_iter_close(it);
  EXPECT_CANCELLED(f);
  manual_drain(loop);
  NEXT_PENDING(end);
  ck_assert_int_eq(t.closes, 1);
  tap_closed(&t, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(end, UV_EIO);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_take_end_for_a_dropped_next_is_kept) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.numbers = 9, .slow_close = true};
  vow_iter_t *it = vow_iter_take(tap_new(loop, &t), 0);
  vow_drop(next_of(loop, it));
  tap_closed(&t, vow_nil());
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_take_does_not_count_failures) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_iter_t *it = vow_iter_take(tap_new(loop, &t), 1);
  vow_future_t *f = vow_iter_next(it);
  tap_give(&t, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  f = vow_iter_next(it);
  tap_give(&t, vow_int(4));
  manual_drain(loop);
  EXPECT_INT(f, 4);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

/* ---- skip ---------------------------------------------------------------- */

TEST(test_iter_skip_destroys_the_first_items) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_iter_t *it = vow_iter_skip(tap_new(loop, &t), 2);
  vow_future_t *f = vow_iter_next(it);
  tap_give(&t, thing());
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  tap_give(&t, vow_fail(UV_EIO)); /* not counted, and told */
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  f = vow_iter_next(it);
  tap_give(&t, vow_int(1));
  manual_drain(loop);
  NEXT_PENDING(f);
  tap_give(&t, vow_int(2));
  manual_drain(loop);
  EXPECT_INT(f, 2);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_skip_past_the_end_is_the_end) {
  vow_loop_t *loop = fresh_loop();
  vow_iter_t *it = vow_iter_skip(upto(loop, 3), 10);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  it = vow_iter_skip(upto(loop, 1), 0);
  NEXT_INT(loop, it, 0);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_skip_cancelled_meanwhile_goes_on_where_it_was) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_iter_t *it = vow_iter_skip(tap_new(loop, &t), 1);
  vow_future_t *f = vow_iter_next(it);
  tap_give(&t, vow_int(0));
  manual_drain(loop);
  vow_drop(f);
  ck_assert_int_eq(t.unasked, 1);
  f = vow_iter_next(it);
  tap_give(&t, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(f, 1);
  close_ok(loop, it);
  manual_done(loop);
}

static vow_iter_t *to_free;

static void free_it(void *p) {
  (void)p;
  vow_iter_free(to_free);
}

static const vow_type_t type_killer = {"killer", free_it, NULL, NULL};

TEST(test_iter_skip_freed_by_the_destructor_of_an_item) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_future_t *f;
  to_free = vow_iter_skip(tap_new(loop, &t), 2);
  f = vow_iter_next(to_free);
  tap_give(&t, vow_ptr(&t, &type_killer));
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(t.closes, 1);
  ck_assert_int_eq(t.asked, 1);
  manual_done(loop);
}

/* ---- chunk --------------------------------------------------------------- */

static void expect_list(vow_future_t *f, size_t n, int64_t first) {
  vow_list_t *l = vow_get_list(f);
  ck_assert_uint_eq(vow_list_length(l), n);
  for (size_t i = 0; i < n; i++)
    ck_assert_int_eq(vow_list_at(l, i).as.i, first + (int64_t)i);
  vow_drop(f);
}

TEST(test_iter_chunk_gives_lists_and_the_rest) {
  vow_loop_t *loop = fresh_loop();
  vow_iter_t *it = vow_iter_chunk(upto(loop, 7), 3);
  expect_list(next_of(loop, it), 3, 0);
  expect_list(next_of(loop, it), 3, 3);
  expect_list(next_of(loop, it), 1, 6);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  it = vow_iter_chunk(upto(loop, 100), 64); /* the list grows */
  expect_list(next_of(loop, it), 64, 0);
  expect_list(next_of(loop, it), 36, 64);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  it = vow_iter_chunk(upto(loop, 2), SIZE_MAX);
  expect_list(next_of(loop, it), 2, 0);
  close_ok(loop, it);
  it = vow_iter_chunk(upto(loop, 0), 2);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_chunk_failure_comes_first_and_loses_nothing) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_iter_t *it = vow_iter_chunk(tap_new(loop, &t), 2);
  vow_future_t *f = vow_iter_next(it);
  tap_give(&t, vow_int(0));
  manual_drain(loop);
  tap_give(&t, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  vow_drop(next_of(loop, it));
  f = vow_iter_next(it);
  tap_give(&t, vow_int(1));
  manual_drain(loop);
  expect_list(f, 2, 0);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_chunk_closed_destroys_what_was_gathered) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_iter_t *it = vow_iter_chunk(tap_new(loop, &t), 2);
  vow_future_t *f = vow_iter_next(it);
  tap_give(&t, thing());
  manual_drain(loop);
  close_ok(loop, it);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(things_live, 0);
  it = vow_iter_chunk(upto(loop, 1), 0);
  EXPECT_MISUSE(vow_iter_next(it), "vow_iter_chunk");
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_chunk_out_of_memory_for_a_list_loses_nothing) {
  vow_loop_t *loop;
  vow_iter_t *it;
  fault_install();
  loop = fresh_loop();
  it = vow_iter_chunk(upto(loop, 20), 20);
  fault_fail_at(1);
  NEXT_FAILED(loop, it, UV_ENOMEM);
  fault_fail_at(2);
  NEXT_FAILED(loop, it, UV_ENOMEM);
  fault_off();
  expect_list(next_of(loop, it), 20, 0);
  close_ok(loop, it);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- timeout ------------------------------------------------------------- */

TEST(test_iter_timeout_fails_a_next_and_keeps_the_item) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_iter_t *it = vow_iter_timeout(tap_new(loop, &t), 10);
  vow_future_t *f = vow_iter_next(it);
  manual_advance(loop, 9);
  NEXT_PENDING(f);
  manual_advance(loop, 1);
  ck_assert_int_eq(vow_status(f), UV_ETIMEDOUT);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "no item within 10 ms"));
  vow_drop(f);
  ck_assert_int_eq(t.unasked, 0);
  f = vow_iter_next(it); /* the time starts anew */
  ck_assert_int_eq(t.asked, 1);
  manual_advance(loop, 9);
  tap_give(&t, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(f, 1);
  manual_advance(loop, 100); /* the timer is idle */
  f = vow_iter_next(it);
  manual_advance(loop, 10);
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  tap_give(&t, vow_int(2)); /* nobody asks */
  manual_drain(loop);
  EXPECT_INT(vow_iter_next(it), 2);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_timeout_passes_what_is_there) {
  vow_loop_t *loop = fresh_loop();
  vow_iter_t *it = vow_iter_timeout(upto(loop, 2), 0);
  NEXT_INT(loop, it, 0);
  NEXT_INT(loop, it, 1);
  NEXT_IS_END(loop, it);
  manual_advance(loop, 5);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_timeout_cancelled_next_stops_the_clock) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_iter_t *it = vow_iter_timeout(tap_new(loop, &t), 10);
  vow_future_t *f = vow_iter_next(it);
  vow_drop(f);
  ck_assert_int_eq(t.unasked, 1);
  manual_advance(loop, 20);
  f = vow_iter_next(it);
  manual_advance(loop, 9);
  NEXT_PENDING(f);
  tap_give(&t, vow_int(1));
  vow_drop(f); /* on its way: kept */
  EXPECT_INT(next_of(loop, it), 1);
  f = vow_iter_next(it);
  close_ok(loop, it);
  EXPECT_CANCELLED(f);
  manual_advance(loop, 20);
  manual_done(loop);
}

TEST(test_iter_timeout_closed_with_its_loop) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_iter_t *it = vow_iter_timeout(tap_new(loop, &t), 10);
  vow_future_t *f = vow_iter_next(it);
  manual_close(loop);
  EXPECT_CANCELLED(f);
  vow_iter_free(it);
  ck_assert_ptr_null(t.it);
}

SUITE(combine_iter_cut) {
  ADD(test_iter_take_closes_its_source_before_the_end);
  ADD(test_iter_take_close_that_fails_comes_before_the_end);
  ADD(test_iter_take_closed_while_its_source_closes);
  ADD(test_iter_take_end_for_a_dropped_next_is_kept);
  ADD(test_iter_take_does_not_count_failures);
  ADD(test_iter_skip_destroys_the_first_items);
  ADD(test_iter_skip_past_the_end_is_the_end);
  ADD(test_iter_skip_cancelled_meanwhile_goes_on_where_it_was);
  ADD(test_iter_skip_freed_by_the_destructor_of_an_item);
  ADD(test_iter_chunk_gives_lists_and_the_rest);
  ADD(test_iter_chunk_failure_comes_first_and_loses_nothing);
  ADD(test_iter_chunk_closed_destroys_what_was_gathered);
  ADD(test_iter_chunk_out_of_memory_for_a_list_loses_nothing);
  ADD(test_iter_timeout_fails_a_next_and_keeps_the_item);
  ADD(test_iter_timeout_passes_what_is_there);
  ADD(test_iter_timeout_cancelled_next_stops_the_clock);
  ADD(test_iter_timeout_closed_with_its_loop);
}

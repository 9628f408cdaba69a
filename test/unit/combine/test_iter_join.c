/* SPDX-License-Identifier: MIT */
/* Tests of chain and merge: several iterators as one. */
#include "unit/combine/iter_helpers.h"

/* ---- chain --------------------------------------------------------------- */

TEST(test_iter_chain_gives_one_after_the_other) {
  vow_loop_t *loop = fresh_loop();
  vow_iter_t *it = vow_iter_chain_of(loop, upto(loop, 2), upto(loop, 0),
                                     vow_iter_range(loop, 5, 6, 1));
  NEXT_INT(loop, it, 0);
  NEXT_INT(loop, it, 1);
  NEXT_INT(loop, it, 5);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  it = vow_iter_chain(loop, 0, NULL);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_chain_closes_each_before_the_next_is_asked) {
  vow_loop_t *loop = fresh_loop();
  tap_t a = {.numbers = 1, .slow_close = true}, b = {.numbers = 1};
  vow_iter_t *it =
      vow_iter_chain_of(loop, tap_new(loop, &a), tap_new(loop, &b));
  vow_future_t *f;
  NEXT_INT(loop, it, 0);
  f = next_of(loop, it);
  ck_assert_int_eq(a.closes, 1);
  ck_assert_int_eq(b.asked, 0);
  NEXT_PENDING(f);
  tap_closed(&a, vow_nil());
  manual_drain(loop);
  ck_assert_ptr_null(a.it);
  EXPECT_INT(f, 0);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_chain_failures_are_items) {
  vow_loop_t *loop = fresh_loop();
  tap_t a = {.slow_close = true}, b = {.numbers = 1};
  vow_iter_t *it =
      vow_iter_chain_of(loop, tap_new(loop, &a), tap_new(loop, &b));
  vow_future_t *f = vow_iter_next(it);
  tap_give(&a, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  f = vow_iter_next(it);
  tap_give(&a, vow_fail(UV_EOF));
  manual_drain(loop);
  tap_closed(&a, vow_fail(UV_EPIPE)); /* of a close, too */
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EPIPE);
  NEXT_INT(loop, it, 0);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_chain_cancelled_next_loses_nothing) {
  vow_loop_t *loop = fresh_loop();
  tap_t a = {0}, b = {.numbers = 1};
  vow_iter_t *it =
      vow_iter_chain_of(loop, tap_new(loop, &a), tap_new(loop, &b));
  vow_future_t *f;
  vow_drop(vow_iter_next(it));
  ck_assert_int_eq(a.unasked, 1);
  f = vow_iter_next(it);
  tap_give(&a, vow_int(7));
  vow_drop(f); /* on its way */
  NEXT_INT(loop, it, 7);
  a.slow_close = true;
  f = vow_iter_next(it);
  tap_give(&a, vow_fail(UV_EOF));
  manual_drain(loop);
  vow_drop(f); /* while the first closes */
  tap_closed(&a, vow_nil());
  NEXT_INT(loop, it, 0);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_chain_close_closes_all_that_are_left) {
  vow_loop_t *loop = fresh_loop();
  tap_t a = {.slow_close = true}, b = {.slow_close = true}, c = {0};
  vow_iter_t *it = vow_iter_chain_of(loop, tap_new(loop, &a), tap_new(loop, &b),
                                     tap_new(loop, &c));
  vow_future_t *f = vow_iter_next(it), *end;
  vow_value_t cause;
  end = vow_iter_close(it);
  EXPECT_CANCELLED(f);
  manual_drain(loop);
  ck_assert_int_eq(a.closes + b.closes + c.closes, 3);
  tap_closed(&b, vow_fail(UV_EIO));
  manual_drain(loop);
  NEXT_PENDING(end);
  tap_closed(&a, vow_fail(UV_EPIPE));
  manual_drain(loop);
  ck_assert_int_eq(vow_status(end), UV_EIO);
  ck_assert(vow_error_cause(vow_error(end), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EPIPE);
  vow_drop(end);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_chain_closed_while_one_of_them_closes) {
  vow_loop_t *loop = fresh_loop();
  tap_t a = {.slow_close = true}, b = {0};
  vow_iter_t *it =
      vow_iter_chain_of(loop, tap_new(loop, &a), tap_new(loop, &b));
  vow_future_t *f = vow_iter_next(it), *end;
  tap_give(&a, vow_fail(UV_EOF));
  manual_drain(loop);
  end = vow_iter_close(it);
  EXPECT_CANCELLED(f);
  manual_drain(loop);
  NEXT_PENDING(end);
  ck_assert_int_eq(a.closes, 1);
  tap_closed(&a, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(end, UV_EIO);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_chain_bad_arguments_consume_all) {
  vow_loop_t *loop = fresh_loop(), *other = fresh_loop();
  tap_t t = {0};
  vow_iter_t *in[2] = {tap_new(loop, &t), NULL};
  vow_iter_t *it = vow_iter_chain(loop, 2, in);
  EXPECT_MISUSE(vow_iter_next(it), "vow_iter_chain: iterator 1 is NULL");
  vow_iter_free(it);
  ck_assert_ptr_null(t.it);
  in[0] = upto(other, 1);
  it = vow_iter_chain(loop, 1, in);
  EXPECT_MISUSE(vow_iter_next(it), "another loop");
  vow_iter_free(it);
  in[0] = tap_new(loop, &t);
  it = vow_iter_chain(NULL, 1, in);
  EXPECT_MISUSE(vow_iter_next(it), "the loop is NULL");
  vow_iter_free(it);
  it = vow_iter_merge(loop, 1, NULL);
  EXPECT_MISUSE(vow_iter_next(it), "vow_iter_merge: the array is NULL");
  vow_iter_free(it);
  it = vow_iter_chain(loop, SIZE_MAX, in);
  EXPECT_MISUSE(vow_iter_next(it), "too many");
  vow_iter_free(it);
  it = vow_iter_chain_of(loop, tap_new(loop, &t),
                         vow_iter_failed(bad(loop, UV_EIO)));
  EXPECT_FAILED(vow_iter_next(it), UV_EIO);
  vow_iter_free(it);
  ck_assert_ptr_null(t.it);
  manual_done(loop);
  manual_done(other);
}

/* ---- merge --------------------------------------------------------------- */

TEST(test_iter_merge_gives_what_comes_first) {
  vow_loop_t *loop = fresh_loop();
  tap_t a = {0}, b = {0};
  vow_iter_t *it =
      vow_iter_merge_of(loop, tap_new(loop, &a), tap_new(loop, &b));
  vow_future_t *f = vow_iter_next(it);
  tap_give(&b, vow_int(20));
  manual_drain(loop);
  EXPECT_INT(f, 20);
  ck_assert_int_eq(b.asked, 2); /* one ahead */
  tap_give(&b, vow_int(21));
  tap_give(&a, vow_int(10));
  manual_drain(loop);
  ck_assert_int_eq(b.asked, 2);
  NEXT_INT(loop, it, 21);
  NEXT_INT(loop, it, 10);
  tap_give(&a, vow_fail(UV_EIO)); /* an item's; goes on */
  NEXT_FAILED(loop, it, UV_EIO);
  ck_assert_int_eq(a.asked, 3);
  tap_give(&a, vow_fail(UV_EOF));
  manual_drain(loop);
  ck_assert_ptr_null(a.it); /* closed at its end */
  f = next_of(loop, it);
  NEXT_PENDING(f);
  tap_give(&b, vow_fail(UV_EOF));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EOF);
  close_ok(loop, it);
  it = vow_iter_merge(loop, 0, NULL);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_merge_of_sources_always_ready_is_fair) {
  vow_loop_t *loop = fresh_loop();
  vow_iter_t *it = vow_iter_merge_of(
      loop, upto(loop, 3), vow_iter_range(loop, 10, 13, 1), upto(loop, 0));
  for (int i = 0; i < 3; i++) {
    NEXT_INT(loop, it, i);
    NEXT_INT(loop, it, 10 + i);
  }
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_merge_cancelled_next_unasks_all_and_loses_nothing) {
  vow_loop_t *loop = fresh_loop();
  tap_t a = {0}, b = {0};
  vow_iter_t *it =
      vow_iter_merge_of(loop, tap_new(loop, &a), tap_new(loop, &b));
  vow_future_t *f = vow_iter_next(it);
  vow_drop(f);
  ck_assert_int_eq(a.unasked + b.unasked, 2);
  f = vow_iter_next(it);
  ck_assert_int_eq(a.asked + b.asked, 4);
  tap_give(&a, vow_int(1)); /* on its way */
  vow_drop(f);
  ck_assert_int_eq(a.unasked + b.unasked, 3);
  NEXT_INT(loop, it, 1);
  ck_assert_int_eq(b.asked, 3);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_merge_close_that_fails_is_an_item) {
  vow_loop_t *loop = fresh_loop();
  tap_t a = {.numbers = 1, .slow_close = true};
  vow_iter_t *it = vow_iter_merge_of(loop, tap_new(loop, &a), upto(loop, 1));
  vow_future_t *f;
  NEXT_INT(loop, it, 0);
  NEXT_INT(loop, it, 0);
  f = next_of(loop, it);
  NEXT_PENDING(f);
  tap_closed(&a, vow_fail(UV_EOF));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EPROTO);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_merge_closed_over_items_destroys_them) {
  vow_loop_t *loop = fresh_loop();
  tap_t a = {.slow_close = true}, b = {0}, c = {.slow_close = true};
  vow_iter_t *it = vow_iter_merge_of(loop, tap_new(loop, &a), tap_new(loop, &b),
                                     tap_new(loop, &c));
  vow_future_t *f = vow_iter_next(it), *end;
  tap_give(&a, thing());
  tap_give(&b, thing());
  tap_give(&c, vow_fail(UV_EOF));
  manual_drain(loop);
  vow_drop(f);
  tap_closed(&c, vow_fail(UV_EIO)); /* waits to be given */
  manual_drain(loop);
  end = vow_iter_close(it);
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  NEXT_PENDING(end);
  tap_closed(&a, vow_nil());
  manual_drain(loop);
  EXPECT_INT(end, 0);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_merge_closed_with_its_loop) {
  vow_loop_t *loop = fresh_loop();
  tap_t a = {0}, b = {0};
  vow_iter_t *it =
      vow_iter_merge_of(loop, tap_new(loop, &a), tap_new(loop, &b));
  vow_future_t *f = vow_iter_next(it);
  manual_close(loop);
  EXPECT_CANCELLED(f);
  vow_iter_free(it);
  ck_assert_ptr_null(a.it);
  ck_assert_ptr_null(b.it);
}

SUITE(combine_iter_join) {
  ADD(test_iter_chain_gives_one_after_the_other);
  ADD(test_iter_chain_closes_each_before_the_next_is_asked);
  ADD(test_iter_chain_failures_are_items);
  ADD(test_iter_chain_cancelled_next_loses_nothing);
  ADD(test_iter_chain_close_closes_all_that_are_left);
  ADD(test_iter_chain_closed_while_one_of_them_closes);
  ADD(test_iter_chain_bad_arguments_consume_all);
  ADD(test_iter_merge_gives_what_comes_first);
  ADD(test_iter_merge_of_sources_always_ready_is_fair);
  ADD(test_iter_merge_cancelled_next_unasks_all_and_loses_nothing);
  ADD(test_iter_merge_close_that_fails_is_an_item);
  ADD(test_iter_merge_closed_over_items_destroys_them);
  ADD(test_iter_merge_closed_with_its_loop);
}

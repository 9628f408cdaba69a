/* SPDX-License-Identifier: MIT */
/* Tests of buffered and buffered_unordered. */
#include "unit/combine/iter_helpers.h"

/* Work that the test ends by number. */
typedef struct desk {
  vow_loop_t *loop;
  vow_promise_t *work[16];
  int begun;
  int live;
  int most;
  int asked;
} desk_t;

static vow_value_t begin_work(vow_future_t *in, void *arg) {
  desk_t *d = arg;
  size_t i = (size_t)vow_get_int(in);
  vow_future_t *f = vow_promise_new(d->loop, &d->work[i]);
  vow_promise_on_cancel(d->work[i], note_cancel, &d->asked);
  d->begun++;
  if (++d->live > d->most) d->most = d->live;
  return vow_follow(f);
}

static void end_work(desk_t *d, size_t i, vow_value_t v) {
  d->live--;
  vow_promise_finish(d->work[i], v);
  manual_drain(d->loop);
}

TEST(test_iter_buffered_keeps_the_order) {
  vow_loop_t *loop = fresh_loop();
  desk_t d = {.loop = loop};
  vow_iter_t *it =
      vow_iter_buffered(upto(loop, 5), 3, begin_work, &d, count_drop);
  vow_future_t *f = vow_iter_next(it);
  ck_assert_int_eq(d.begun, 0);
  manual_drain(loop);
  ck_assert_int_eq(d.begun, 3);
  end_work(&d, 2, vow_int(2));
  ck_assert_int_eq(d.begun, 3); /* it has its slot until it is given */
  end_work(&d, 1, vow_int(1));
  NEXT_PENDING(f);
  end_work(&d, 0, vow_int(0));
  EXPECT_INT(f, 0);
  ck_assert_int_eq(d.begun, 4); /* ahead, without being asked */
  NEXT_INT(loop, it, 1);
  NEXT_INT(loop, it, 2);
  ck_assert_int_eq(d.begun, 5);
  end_work(&d, 4, vow_int(4));
  end_work(&d, 3, vow_fail(UV_EIO));
  NEXT_FAILED(loop, it, UV_EIO);
  NEXT_INT(loop, it, 4);
  NEXT_IS_END(loop, it);
  ck_assert_int_eq(d.most, 3);
  close_ok(loop, it);
  ck_assert_int_eq(arg_drops, 1);
  manual_done(loop);
}

TEST(test_iter_buffered_unordered_gives_what_is_finished) {
  vow_loop_t *loop = fresh_loop();
  desk_t d = {.loop = loop};
  vow_iter_t *it =
      vow_iter_buffered_unordered(upto(loop, 4), 2, begin_work, &d);
  vow_future_t *f = next_of(loop, it);
  end_work(&d, 1, vow_int(1));
  EXPECT_INT(f, 1);
  ck_assert_int_eq(d.begun, 3);
  end_work(&d, 2, vow_fail(UV_EOF)); /* not the end */
  NEXT_FAILED(loop, it, UV_EPROTO);
  end_work(&d, 3, vow_int(3));
  end_work(&d, 0, vow_int(0));
  NEXT_INT(loop, it, 3);
  NEXT_INT(loop, it, 0);
  NEXT_IS_END(loop, it);
  ck_assert_int_eq(d.most, 2);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_buffered_takes_values_that_are_there_at_once) {
  vow_loop_t *loop = fresh_loop();
  script_t s = {.loop = loop};
  vow_iter_t *it = vow_iter_buffered(upto(loop, 3), 2, run_script, &s);
  NEXT_INT(loop, it, 0);
  NEXT_INT(loop, it, 10);
  NEXT_INT(loop, it, 20);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  it = vow_iter_buffered_unordered(upto(loop, 3), 1, run_script, &s);
  NEXT_INT(loop, it, 0);
  NEXT_INT(loop, it, 10);
  NEXT_INT(loop, it, 20);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_buffered_failures_of_the_source_keep_their_place) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  desk_t d = {.loop = loop};
  vow_iter_t *it = vow_iter_buffered(tap_new(loop, &t), 3, begin_work, &d);
  vow_future_t *f = vow_iter_next(it);
  tap_give(&t, vow_int(0));
  manual_drain(loop);
  tap_give(&t, vow_fail(UV_EIO));
  manual_drain(loop);
  NEXT_PENDING(f);
  end_work(&d, 0, vow_int(0));
  EXPECT_INT(f, 0);
  NEXT_FAILED(loop, it, UV_EIO);
  tap_give(&t, vow_fail(UV_EOF));
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_buffered_cancelled_next_loses_nothing) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  desk_t d = {.loop = loop};
  vow_iter_t *it = vow_iter_buffered(tap_new(loop, &t), 2, begin_work, &d);
  vow_future_t *f = vow_iter_next(it);
  vow_drop(f);
  ck_assert_int_eq(t.unasked, 1);
  f = vow_iter_next(it);
  tap_give(&t, vow_int(0));
  vow_drop(f); /* on its way */
  manual_drain(loop);
  ck_assert_int_eq(d.begun, 1);
  end_work(&d, 0, vow_int(7));
  NEXT_INT(loop, it, 7);
  close_ok(loop, it);
  manual_done(loop);
}

/* Rule 21 */
TEST(test_iter_buffered_close_awaits_all_work_and_then_the_source) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.numbers = 9, .slow_close = true};
  desk_t d = {.loop = loop};
  vow_iter_t *it =
      vow_iter_buffered(tap_new(loop, &t), 3, begin_work, &d, count_drop);
  vow_future_t *f = next_of(loop, it), *end;
  end_work(&d, 1, thing()); /* waits to be given */
  end = vow_iter_close(it);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(things_live, 0);
  manual_drain(loop);
  ck_assert_int_eq(d.asked, 2);
  end_work(&d, 0, thing());
  ck_assert_int_eq(t.closes, 0);
  end_work(&d, 2, vow_fail(UV_EIO)); /* dropped */
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(t.closes, 1);
  ck_assert_int_eq(arg_drops, 0);
  NEXT_PENDING(end);
  tap_closed(&t, vow_nil());
  manual_drain(loop);
  EXPECT_INT(end, 0);
  ck_assert_int_eq(arg_drops, 1);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_buffered_closed_over_values_destroys_them) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  script_t s = {.loop = loop};
  vow_iter_t *it = vow_iter_buffered(tap_new(loop, &t), 3, run_script, &s);
  vow_future_t *f = vow_iter_next(it);
  tap_give(&t, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(f, 10);
  tap_give(&t, vow_failf(UV_EIO, "x"));
  manual_drain(loop);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_buffered_freed_by_its_callback) {
  vow_loop_t *loop = fresh_loop();
  for (int follow = 0; follow < 2; follow++) {
    tap_t t = {.numbers = 3};
    script_t s = {.loop = loop, .follow = follow};
    vow_future_t *f;
    s.frees = vow_iter_buffered(tap_new(loop, &t), 2, run_script, &s);
    f = next_of(loop, s.frees);
    EXPECT_CANCELLED(f);
    ck_assert_int_eq(s.calls, 1);
    if (follow) answer(&s, vow_nil());
    ck_assert_int_eq(t.closes, 1);
  }
  manual_done(loop);
}

TEST(test_iter_buffered_closed_with_its_loop) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  script_t s = {.loop = loop};
  vow_iter_t *it =
      vow_iter_buffered(tap_new(loop, &t), 2, run_script, &s, count_drop);
  vow_future_t *f = vow_iter_next(it);
  manual_close(loop);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(arg_drops, 1);
  vow_iter_free(it);
  ck_assert_ptr_null(t.it);
}

TEST(test_iter_buffered_bad_arguments_consume_all) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  script_t s = {.loop = loop};
  vow_iter_t *it =
      vow_iter_buffered(tap_new(loop, &t), 0, run_script, &s, count_drop);
  EXPECT_MISUSE(vow_iter_next(it), "vow_iter_buffered: the number is 0");
  vow_iter_free(it);
  it = vow_iter_buffered_unordered(tap_new(loop, &t), 1, NULL, &s, count_drop);
  EXPECT_MISUSE(vow_iter_next(it),
                "vow_iter_buffered_unordered: the callback is NULL");
  it = vow_iter_buffered(it, 1, run_script, &s, count_drop);
  EXPECT_FAILED(vow_iter_next(it), UV_EINVAL);
  vow_iter_free(it);
  it = vow_iter_buffered(upto(loop, 1), SIZE_MAX, run_script, &s, count_drop);
  EXPECT_MISUSE(vow_iter_next(it), "too many");
  vow_iter_free(it);
  it = vow_iter_buffered(NULL, 1, run_script, &s, count_drop);
  EXPECT_MISUSE(vow_iter_next(it), "the iterator is NULL");
  vow_iter_free(it);
  ck_assert_int_eq(arg_drops, 5);
  ck_assert_ptr_null(t.it);
  manual_done(loop);
}

SUITE(combine_iter_buffered) {
  ADD(test_iter_buffered_keeps_the_order);
  ADD(test_iter_buffered_unordered_gives_what_is_finished);
  ADD(test_iter_buffered_takes_values_that_are_there_at_once);
  ADD(test_iter_buffered_failures_of_the_source_keep_their_place);
  ADD(test_iter_buffered_cancelled_next_loses_nothing);
  ADD(test_iter_buffered_close_awaits_all_work_and_then_the_source);
  ADD(test_iter_buffered_closed_over_values_destroys_them);
  ADD(test_iter_buffered_freed_by_its_callback);
  ADD(test_iter_buffered_closed_with_its_loop);
  ADD(test_iter_buffered_bad_arguments_consume_all);
}

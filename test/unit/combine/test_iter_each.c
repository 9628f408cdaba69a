/* SPDX-License-Identifier: MIT */
/* Tests of each and collect: iterators taken to their end. */
#include "unit/combine/iter_helpers.h"

static vow_value_t count_call(vow_future_t *in, void *arg) {
  (void)in;
  ++*(int *)arg;
  return thing(); /* destroyed */
}

TEST(test_iter_each_calls_for_every_item_and_closes) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.numbers = 3, .slow_close = true};
  int calls = 0;
  vow_future_t *f =
      vow_iter_each(tap_new(loop, &t), count_call, &calls, count_drop);
  ck_assert_int_eq(calls, 0);
  manual_drain(loop);
  ck_assert_int_eq(calls, 3);
  ck_assert_int_eq(t.closes, 1);
  NEXT_PENDING(f);
  ck_assert_int_eq(arg_drops, 0);
  tap_closed(&t, vow_nil());
  manual_drain(loop);
  EXPECT_INT(f, 3);
  ck_assert_int_eq(arg_drops, 1);
  ck_assert_int_eq(things_live, 0);
  ck_assert_ptr_null(t.it);
  manual_done(loop);
}

TEST(test_iter_each_awaits_what_the_callback_follows) {
  vow_loop_t *loop = fresh_loop();
  script_t s = {.loop = loop, .follow = true};
  vow_future_t *f = vow_iter_each(upto(loop, 2), run_script, &s);
  manual_drain(loop);
  ck_assert_int_eq(s.calls, 1);
  answer(&s, vow_nil());
  ck_assert_int_eq(s.calls, 2);
  answer(&s, vow_nil());
  EXPECT_INT(f, 2);
  manual_done(loop);
}

static vow_value_t stop_at_1(vow_future_t *in, void *arg) {
  if (vow_get_int(in) < 1) return vow_nil();
  if (arg == NULL) return vow_iter_stop();
  return vow_follow(vow_ready(arg, vow_iter_stop()));
}

/* Rule 21 */
TEST(test_iter_each_stopped_awaits_the_close) {
  vow_loop_t *loop = fresh_loop();
  for (int follow = 0; follow < 2; follow++) {
    tap_t t = {.numbers = 9, .slow_close = true};
    vow_future_t *f =
        vow_iter_each(tap_new(loop, &t), stop_at_1, follow ? loop : NULL);
    manual_drain(loop);
    ck_assert_int_eq(t.closes, 1);
    NEXT_PENDING(f);
    tap_closed(&t, vow_nil());
    manual_drain(loop);
    EXPECT_INT(f, 2);
  }
  manual_done(loop);
}

TEST(test_iter_each_failure_ends_it_behind_the_close) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.slow_close = true};
  script_t s = {.loop = loop, .fail = UV_EIO};
  vow_future_t *f = vow_iter_each(tap_new(loop, &t), run_script, &s);
  tap_give(&t, vow_int(1));
  manual_drain(loop);
  NEXT_PENDING(f);
  tap_closed(&t, vow_nil());
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  f = vow_iter_each(tap_new(loop, &t), run_script, &s);
  tap_give(&t, vow_fail(UV_EPIPE)); /* an item's */
  manual_drain(loop);
  tap_closed(&t, vow_nil());
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EPIPE);
  ck_assert_int_eq(s.calls, 1);
  s.fail = 0;
  s.follow = true;
  f = vow_iter_each(upto(loop, 1), run_script, &s);
  manual_drain(loop);
  answer(&s, vow_fail(UV_EPERM));
  EXPECT_FAILED(f, UV_EPERM);
  manual_done(loop);
}

TEST(test_iter_each_close_that_fails_wins_with_the_failure_as_cause) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.slow_close = true, .numbers = 1};
  script_t s = {.loop = loop, .fail = UV_EIO};
  vow_future_t *f = vow_iter_each(tap_new(loop, &t), run_script, &s);
  vow_value_t cause;
  manual_drain(loop);
  tap_closed(&t, vow_fail(UV_EPIPE));
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), UV_EPIPE);
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EIO);
  vow_drop(f);
  s.fail = 0;
  t.given = 0;
  f = vow_iter_each(tap_new(loop, &t), run_script, &s);
  manual_drain(loop);
  tap_closed(&t, vow_fail(UV_EPIPE));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EPIPE); /* the number is no cause */
  manual_done(loop);
}

TEST(test_iter_each_cancelled_while_asking_closes_first) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.slow_close = true};
  script_t s = {.loop = loop};
  vow_future_t *f =
      vow_iter_each(tap_new(loop, &t), run_script, &s, count_drop);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(t.closes, 1);
  NEXT_PENDING(f);
  vow_cancel(f);
  ck_assert_int_eq(arg_drops, 0);
  tap_closed(&t, vow_nil());
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(arg_drops, 1);
  manual_done(loop);
}

TEST(test_iter_each_cancelled_in_its_work_awaits_it_and_closes) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.numbers = 9};
  script_t s = {.loop = loop, .follow = true};
  vow_future_t *f = vow_iter_each(tap_new(loop, &t), run_script, &s);
  manual_drain(loop);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(s.asked, 1);
  ck_assert_int_eq(t.closes, 0);
  answer(&s, thing());
  ck_assert_int_eq(t.closes, 1);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(things_live, 0);
  f = vow_iter_each(tap_new(loop, &t), run_script, &s);
  manual_drain(loop);
  vow_cancel(f);
  answer(&s, vow_fail(UV_EIO)); /* its clean-up fails */
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_iter_each_dropped_closes_all_the_same) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.slow_close = true};
  script_t s = {.loop = loop};
  vow_drop(vow_iter_each(tap_new(loop, &t), run_script, &s, count_drop));
  manual_drain(loop);
  ck_assert_int_eq(t.closes, 1);
  tap_closed(&t, vow_nil());
  manual_drain(loop);
  ck_assert_ptr_null(t.it);
  ck_assert_int_eq(arg_drops, 1);
  manual_done(loop);
}

TEST(test_iter_each_cancelled_by_its_callback) {
  vow_loop_t *loop = fresh_loop();
  for (int follow = 0; follow < 2; follow++) {
    tap_t t = {.numbers = 9};
    script_t s = {.loop = loop, .follow = follow};
    vow_future_t *f = vow_iter_each(tap_new(loop, &t), run_script, &s);
    s.cancels = f;
    manual_drain(loop);
    ck_assert_int_eq(s.asked, follow);
    if (follow) answer(&s, vow_nil());
    EXPECT_CANCELLED(f);
    ck_assert_int_eq(s.calls, 1);
    ck_assert_int_eq(t.closes, 1);
  }
  manual_done(loop);
}

TEST(test_iter_each_closed_with_its_loop) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  script_t s = {.loop = loop};
  vow_future_t *f =
      vow_iter_each(tap_new(loop, &t), run_script, &s, count_drop);
  manual_close(loop);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(t.closes, 1);
  ck_assert_int_eq(arg_drops, 1);
}

static vow_future_t *own;

static vow_value_t follow_own(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_follow(vow_ref(own));
}

TEST(test_iter_each_callback_that_waits_for_it_is_a_cycle) {
  vow_loop_t *loop = fresh_loop();
  own = vow_iter_each(upto(loop, 2), follow_own, NULL);
  manual_drain(loop);
  EXPECT_FAILED(own, VOW_ECYCLE);
  manual_done(loop);
}

TEST(test_iter_each_bad_arguments_consume_all) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  script_t s = {.loop = loop};
  EXPECT_MISUSE(vow_iter_each(tap_new(loop, &t), NULL, NULL, count_drop),
                "vow_iter_each: the callback is NULL");
  ck_assert_ptr_null(t.it);
  EXPECT_MISUSE(vow_iter_each(NULL, run_script, &s, count_drop),
                "the iterator is NULL");
  EXPECT_FAILED(vow_iter_each(vow_iter_failed(bad(loop, UV_EIO)), run_script,
                              &s, count_drop),
                UV_EIO);
  ck_assert_int_eq(arg_drops, 3);
  manual_done(loop);
}

/* ---- collect ------------------------------------------------------------- */

TEST(test_iter_collect_gives_the_list_of_all) {
  vow_loop_t *loop = fresh_loop();
  vow_future_t *f = vow_iter_collect(upto(loop, 100), SIZE_MAX);
  vow_list_t *l;
  manual_drain(loop);
  l = vow_get_list(f);
  ck_assert_uint_eq(vow_list_length(l), 100);
  for (size_t i = 0; i < 100; i++)
    ck_assert_int_eq(vow_list_at(l, i).as.i, (int64_t)i);
  vow_drop(f);
  f = vow_iter_collect(upto(loop, 0), 0);
  manual_drain(loop);
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), 0);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_iter_collect_beyond_its_limit_fails_and_closes) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.numbers = 3};
  vow_future_t *f = vow_iter_collect(tap_new(loop, &t), 3);
  manual_drain(loop);
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), 3);
  vow_drop(f);
  t.given = 0;
  f = vow_iter_collect(tap_new(loop, &t), 2);
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EMSGSIZE);
  ck_assert_int_eq(t.closes, 2);
  manual_done(loop);
}

TEST(test_iter_collect_failure_destroys_what_there_is) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_future_t *f = vow_iter_collect(tap_new(loop, &t), 9);
  tap_give(&t, thing());
  manual_drain(loop);
  tap_give(&t, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  ck_assert_int_eq(things_live, 0);
  f = vow_iter_collect(tap_new(loop, &t), 9);
  tap_give(&t, thing());
  manual_drain(loop);
  vow_drop(f);
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  ck_assert_ptr_null(t.it);
  manual_done(loop);
}

SUITE(combine_iter_each) {
  ADD(test_iter_each_calls_for_every_item_and_closes);
  ADD(test_iter_each_awaits_what_the_callback_follows);
  ADD(test_iter_each_stopped_awaits_the_close);
  ADD(test_iter_each_failure_ends_it_behind_the_close);
  ADD(test_iter_each_close_that_fails_wins_with_the_failure_as_cause);
  ADD(test_iter_each_cancelled_while_asking_closes_first);
  ADD(test_iter_each_cancelled_in_its_work_awaits_it_and_closes);
  ADD(test_iter_each_dropped_closes_all_the_same);
  ADD(test_iter_each_cancelled_by_its_callback);
  ADD(test_iter_each_closed_with_its_loop);
  ADD(test_iter_each_callback_that_waits_for_it_is_a_cycle);
  ADD(test_iter_each_bad_arguments_consume_all);
  ADD(test_iter_collect_gives_the_list_of_all);
  ADD(test_iter_collect_beyond_its_limit_fails_and_closes);
  ADD(test_iter_collect_failure_destroys_what_there_is);
}

/* SPDX-License-Identifier: MIT */
/* Tests of map, filter and take_while over iterators. */
#include "unit/combine/iter_helpers.h"

/* ---- map ----------------------------------------------------------------- */

TEST(test_iter_map_gives_what_the_callback_returns) {
  vow_loop_t *loop = fresh_loop();
  script_t s = {.loop = loop};
  vow_iter_t *it = vow_iter_map(upto(loop, 3), run_script, &s, count_drop);
  vow_future_t *f = vow_iter_next(it);
  ck_assert_int_eq(s.calls, 0); /* never within a call */
  manual_drain(loop);
  EXPECT_INT(f, 0);
  NEXT_INT(loop, it, 10);
  NEXT_INT(loop, it, 20);
  NEXT_IS_END(loop, it);
  ck_assert_uint_eq(vow_iter_count(it), 3);
  close_ok(loop, it);
  ck_assert_int_eq(arg_drops, 1);
  manual_done(loop);
}

static vow_value_t take_thing(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_ptr(vow_take(in, &type_thing), &type_thing);
}

TEST(test_iter_map_callback_may_take_the_item) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_iter_t *it = vow_iter_map(tap_new(loop, &t), take_thing, NULL);
  vow_future_t *f = vow_iter_next(it);
  tap_give(&t, thing());
  manual_drain(loop);
  ck_assert_ptr_eq(vow_peek(f).type, &type_thing);
  ck_assert_ptr_nonnull(vow_peek(f).as.p);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_map_awaits_what_the_callback_follows) {
  vow_loop_t *loop = fresh_loop();
  script_t s = {.loop = loop, .follow = true};
  vow_iter_t *it = vow_iter_map(upto(loop, 2), run_script, &s);
  vow_future_t *f = next_of(loop, it);
  NEXT_PENDING(f);
  answer(&s, vow_int(7));
  EXPECT_INT(f, 7);
  f = next_of(loop, it);
  answer(&s, vow_fail(UV_EIO)); /* fails one next */
  EXPECT_FAILED(f, UV_EIO);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_map_passes_failures_of_the_source) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  script_t s = {.loop = loop};
  vow_iter_t *it = vow_iter_map(tap_new(loop, &t), run_script, &s);
  vow_future_t *f = vow_iter_next(it);
  tap_give(&t, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  f = vow_iter_next(it);
  tap_give(&t, vow_fail(UV_ECANCELED));
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(s.calls, 0);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_map_callback_failing_with_the_end_is_another_failure) {
  vow_loop_t *loop = fresh_loop();
  script_t s = {.loop = loop, .fail = UV_EOF};
  vow_iter_t *it = vow_iter_map(upto(loop, 3), run_script, &s);
  vow_future_t *f = next_of(loop, it);
  vow_value_t cause;
  ck_assert_int_eq(vow_status(f), UV_EPROTO);
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EOF);
  vow_drop(f);
  s.fail = 0;
  NEXT_INT(loop, it, 10); /* goes on */
  s.follow = true;
  f = next_of(loop, it);
  answer(&s, vow_fail(UV_EOF));
  EXPECT_FAILED(f, UV_EPROTO);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_map_cancelled_next_unasks_the_source) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  script_t s = {.loop = loop};
  vow_iter_t *it = vow_iter_map(tap_new(loop, &t), run_script, &s);
  vow_future_t *f = vow_iter_next(it);
  vow_cancel(f);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(t.unasked, 1);
  f = vow_iter_next(it);
  ck_assert_int_eq(t.asked, 2);
  tap_give(&t, vow_int(1));
  vow_drop(f); /* the item is on its way: kept */
  f = vow_iter_next(it);
  ck_assert_int_eq(t.asked, 2);
  manual_drain(loop);
  EXPECT_INT(f, 10);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_map_cancelled_next_leaves_the_work_to_the_next_one) {
  vow_loop_t *loop = fresh_loop();
  script_t s = {.loop = loop, .follow = true};
  vow_iter_t *it = vow_iter_map(upto(loop, 2), run_script, &s);
  vow_future_t *f;
  vow_drop(next_of(loop, it));
  ck_assert_int_eq(s.asked, 0);
  answer(&s, vow_int(5)); /* nobody asks: kept */
  EXPECT_INT(vow_iter_next(it), 5);
  vow_drop(next_of(loop, it));
  f = next_of(loop, it);
  answer(&s, vow_int(6));
  EXPECT_INT(f, 6);
  ck_assert_int_eq(s.calls, 2);
  close_ok(loop, it);
  manual_done(loop);
}

/* Rule 21 */
TEST(test_iter_map_close_awaits_the_work_and_then_the_source) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.slow_close = true};
  script_t s = {.loop = loop, .follow = true};
  vow_iter_t *it = vow_iter_map(tap_new(loop, &t), run_script, &s, count_drop);
  vow_future_t *f = vow_iter_next(it), *end;
  tap_give(&t, vow_int(1));
  manual_drain(loop);
  end = vow_iter_close(it);
  EXPECT_CANCELLED(f);
  manual_drain(loop);
  ck_assert_int_eq(s.asked, 1);
  ck_assert_int_eq(t.closes, 0);
  answer(&s, vow_fail(UV_EIO)); /* of no interest any more */
  ck_assert_int_eq(t.closes, 1);
  ck_assert_int_eq(arg_drops, 0);
  NEXT_PENDING(end);
  tap_closed(&t, vow_fail(UV_EPIPE));
  manual_drain(loop);
  EXPECT_FAILED(end, UV_EPIPE);
  ck_assert_int_eq(arg_drops, 1);
  ck_assert_ptr_null(t.it);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_map_closed_while_the_source_is_asked) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  script_t s = {.loop = loop};
  vow_iter_t *it = vow_iter_map(tap_new(loop, &t), run_script, &s);
  vow_future_t *f = vow_iter_next(it);
  close_ok(loop, it);
  EXPECT_CANCELLED(f);
  it = vow_iter_map(tap_new(loop, &t), run_script, &s);
  f = vow_iter_next(it);
  tap_give(&t, thing());
  close_ok(loop, it); /* the item never comes to the callback */
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(s.calls, 0);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_iter_map_freed_by_its_callback) {
  vow_loop_t *loop = fresh_loop();
  for (int follow = 0; follow < 2; follow++) {
    tap_t t = {.numbers = 3};
    script_t s = {.loop = loop, .follow = follow};
    vow_future_t *f;
    s.frees = vow_iter_map(tap_new(loop, &t), run_script, &s, count_drop);
    arg_drops = 0;
    f = next_of(loop, s.frees);
    EXPECT_CANCELLED(f);
    ck_assert_int_eq(s.asked, follow);
    if (follow) answer(&s, vow_nil());
    ck_assert_int_eq(t.closes, 1);
    ck_assert_int_eq(arg_drops, 1);
  }
  manual_done(loop);
}

static vow_iter_t *own;

static vow_value_t ask_own(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_follow(vow_iter_next(own));
}

TEST(test_iter_map_callback_that_asks_its_own_iterator_is_told) {
  vow_loop_t *loop = fresh_loop();
  own = vow_iter_map(upto(loop, 3), ask_own, NULL);
  NEXT_FAILED(loop, own, UV_EBUSY);
  close_ok(loop, own);
  manual_done(loop);
}

static vow_future_t *own_next;

static vow_value_t follow_own(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_follow(vow_ref(own_next));
}

TEST(test_iter_map_callback_that_waits_for_its_own_next_is_a_cycle) {
  vow_loop_t *loop = fresh_loop();
  vow_iter_t *it = vow_iter_map(upto(loop, 3), follow_own, NULL);
  own_next = vow_iter_next(it);
  vow_future_t *waits = vow_then(vow_ref(own_next), take_thing, NULL);
  manual_drain(loop);
  EXPECT_FAILED(waits, VOW_ECYCLE);
  EXPECT_FAILED(own_next, VOW_ECYCLE);
  close_ok(loop, it);
  manual_done(loop);
}

static vow_value_t close_own(vow_future_t *in, void *arg) {
  vow_future_t *end = vow_iter_close(own);
  (void)in;
  if (arg != NULL) vow_iter_free(own);
  return vow_follow(end);
}

TEST(test_iter_map_callback_that_waits_for_its_own_close_is_a_cycle) {
  vow_loop_t *loop = fresh_loop();
  int frees = 1;
  own = vow_iter_map(upto(loop, 3), close_own, NULL);
  EXPECT_CANCELLED(next_of(loop, own));
  close_ok(loop, own);
  own = vow_iter_map(upto(loop, 3), close_own, &frees);
  EXPECT_CANCELLED(next_of(loop, own));
  manual_done(loop);
}

TEST(test_iter_map_bad_arguments_consume_all) {
  vow_loop_t *loop = fresh_loop(), *other = fresh_loop();
  tap_t t = {0};
  script_t s = {.loop = other, .follow = true};
  vow_iter_t *it = vow_iter_map(tap_new(loop, &t), NULL, NULL, count_drop);
  ck_assert_ptr_null(t.it);
  EXPECT_MISUSE(vow_iter_next(it), "vow_iter_map: the callback is NULL");
  it = vow_iter_map(it, run_script, &s, count_drop); /* stays failed */
  EXPECT_FAILED(vow_iter_next(it), UV_EINVAL);
  vow_iter_free(it);
  it = vow_iter_map(NULL, run_script, &s, count_drop);
  EXPECT_MISUSE(vow_iter_next(it), "the iterator is NULL");
  vow_iter_free(it);
  ck_assert_int_eq(arg_drops, 3);
  it = vow_iter_map(upto(loop, 2), run_script, &s);
  NEXT_FAILED(loop, it, UV_EINVAL); /* it follows a future of another loop */
  vow_promise_finish(s.p, vow_nil());
  close_ok(loop, it);
  manual_done(loop);
  manual_drain(other);
  manual_done(other);
}

/* ---- filter -------------------------------------------------------------- */

TEST(test_iter_filter_gives_what_the_callback_wants) {
  vow_loop_t *loop = fresh_loop();
  vow_iter_t *it = vow_iter_filter(upto(loop, 6), odd, NULL, count_drop);
  NEXT_INT(loop, it, 1);
  NEXT_INT(loop, it, 3);
  NEXT_INT(loop, it, 5);
  NEXT_IS_END(loop, it);
  ck_assert_uint_eq(vow_iter_count(it), 3);
  close_ok(loop, it);
  ck_assert_int_eq(arg_drops, 1);
  manual_done(loop);
}

static vow_value_t try_to_take(vow_future_t *in, void *arg) {
  (void)arg;
  ck_assert_ptr_null(vow_take(in, &type_thing));
  return vow_int(1);
}

TEST(test_iter_filter_callback_cannot_take_the_item) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  vow_iter_t *it = vow_iter_filter(tap_new(loop, &t), try_to_take, NULL);
  vow_future_t *f = vow_iter_next(it);
  tap_give(&t, thing());
  manual_drain(loop);
  ck_assert_ptr_nonnull(vow_take(f, &type_thing));
  vow_drop(f);
  ck_assert_int_eq(things_live, 1);
  things_live = 0;
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_filter_awaits_the_verdict) {
  vow_loop_t *loop = fresh_loop();
  script_t s = {.loop = loop, .follow = true};
  vow_iter_t *it = vow_iter_filter(upto(loop, 3), run_script, &s);
  vow_future_t *f = next_of(loop, it);
  answer(&s, vow_int(0)); /* not 0 */
  NEXT_PENDING(f);
  answer(&s, vow_int(1));
  EXPECT_INT(f, 1);
  f = next_of(loop, it);
  answer(&s, vow_fail(UV_EOF));
  EXPECT_FAILED(f, UV_EPROTO);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

static vow_value_t no_number(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return thing();
}

TEST(test_iter_filter_verdict_that_is_no_number_fails_the_next) {
  vow_loop_t *loop = fresh_loop();
  vow_iter_t *it = vow_iter_filter(upto(loop, 2), no_number, NULL);
  vow_future_t *f = next_of(loop, it);
  ck_assert_int_eq(vow_status(f), VOW_ETYPE);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), "gave thing"));
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_filter_closed_over_an_item_destroys_it) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {0};
  script_t s = {.loop = loop, .follow = true};
  vow_iter_t *it = vow_iter_filter(tap_new(loop, &t), run_script, &s);
  vow_future_t *f = vow_iter_next(it), *end;
  tap_give(&t, thing());
  manual_drain(loop);
  end = vow_iter_close(it);
  EXPECT_CANCELLED(f);
  manual_drain(loop);
  answer(&s, vow_int(1));
  EXPECT_INT(end, 0);
  ck_assert_int_eq(things_live, 0);
  vow_iter_free(it);
  manual_done(loop);
}

/* ---- take_while ---------------------------------------------------------- */

/* Rule 21 */
TEST(test_iter_take_while_ends_when_the_source_has_closed) {
  vow_loop_t *loop = fresh_loop();
  tap_t t = {.numbers = 9, .slow_close = true};
  int64_t limit = 2;
  vow_iter_t *it = vow_iter_take_while(tap_new(loop, &t), below, &limit);
  vow_future_t *f;
  NEXT_INT(loop, it, 0);
  NEXT_INT(loop, it, 1);
  f = next_of(loop, it);
  ck_assert_int_eq(t.closes, 1);
  NEXT_PENDING(f);
  tap_closed(&t, vow_nil());
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EOF);
  ck_assert_ptr_null(t.it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_take_while_of_all_ends_with_its_source) {
  vow_loop_t *loop = fresh_loop();
  int64_t limit = 9;
  vow_iter_t *it = vow_iter_take_while(upto(loop, 1), below, &limit);
  NEXT_INT(loop, it, 0);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

SUITE(combine_iter_map) {
  ADD(test_iter_map_gives_what_the_callback_returns);
  ADD(test_iter_map_callback_may_take_the_item);
  ADD(test_iter_map_awaits_what_the_callback_follows);
  ADD(test_iter_map_passes_failures_of_the_source);
  ADD(test_iter_map_callback_failing_with_the_end_is_another_failure);
  ADD(test_iter_map_cancelled_next_unasks_the_source);
  ADD(test_iter_map_cancelled_next_leaves_the_work_to_the_next_one);
  ADD(test_iter_map_close_awaits_the_work_and_then_the_source);
  ADD(test_iter_map_closed_while_the_source_is_asked);
  ADD(test_iter_map_freed_by_its_callback);
  ADD(test_iter_map_callback_that_asks_its_own_iterator_is_told);
  ADD(test_iter_map_callback_that_waits_for_its_own_next_is_a_cycle);
  ADD(test_iter_map_callback_that_waits_for_its_own_close_is_a_cycle);
  ADD(test_iter_map_bad_arguments_consume_all);
  ADD(test_iter_filter_gives_what_the_callback_wants);
  ADD(test_iter_filter_callback_cannot_take_the_item);
  ADD(test_iter_filter_awaits_the_verdict);
  ADD(test_iter_filter_verdict_that_is_no_number_fails_the_next);
  ADD(test_iter_filter_closed_over_an_item_destroys_it);
  ADD(test_iter_take_while_ends_when_the_source_has_closed);
  ADD(test_iter_take_while_of_all_ends_with_its_source);
}

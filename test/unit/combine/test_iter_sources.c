/* SPDX-License-Identifier: MIT */
/* Tests of iterators over numbers, lists, callbacks and as_completed. */
#include "unit/combine/iter_helpers.h"

#include <vow/gather.h>

/* ---- range --------------------------------------------------------------- */

TEST(test_iter_range_counts_up_and_down) {
  vow_loop_t *loop = fresh_loop();
  vow_iter_t *it = vow_iter_range(loop, 1, 8, 3);
  NEXT_INT(loop, it, 1);
  NEXT_INT(loop, it, 4);
  NEXT_INT(loop, it, 7);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  it = vow_iter_range(loop, 5, 1, -2);
  NEXT_INT(loop, it, 5);
  NEXT_INT(loop, it, 3);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  it = vow_iter_range(loop, 3, 3, 1);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_range_ends_at_the_edges_of_numbers) {
  vow_loop_t *loop = fresh_loop();
  vow_iter_t *it = vow_iter_range(loop, INT64_MAX - 1, INT64_MAX, INT64_MAX);
  NEXT_INT(loop, it, INT64_MAX - 1);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  it = vow_iter_range(loop, INT64_MAX, INT64_MIN, INT64_MIN);
  NEXT_INT(loop, it, INT64_MAX);
  NEXT_INT(loop, it, -1);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  it = vow_iter_range(loop, INT64_MIN, INT64_MAX, INT64_MAX);
  NEXT_INT(loop, it, INT64_MIN);
  NEXT_INT(loop, it, -1);
  NEXT_INT(loop, it, INT64_MAX - 1);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_range_bad_arguments_fail_the_nexts) {
  vow_loop_t *loop = fresh_loop();
  vow_iter_t *it = vow_iter_range(loop, 0, 1, 0);
  EXPECT_MISUSE(vow_iter_next(it), "vow_iter_range: the step is 0");
  vow_iter_free(it);
  it = vow_iter_range(NULL, 0, 1, 1);
  EXPECT_FAILED(vow_iter_next(it), UV_EINVAL);
  vow_iter_free(it);
  manual_done(loop);
}

/* ---- list ---------------------------------------------------------------- */

static vow_list_t *list_of(vow_future_t *f) {
  vow_list_t *l = vow_take_list(f);
  vow_drop(f);
  return l;
}

TEST(test_iter_of_list_gives_its_elements) {
  vow_loop_t *loop = fresh_loop();
  vow_future_t *f =
      vow_gather_settled_of(loop, ok(loop, 1), vow_ready(loop, thing()),
                            bad(loop, UV_EIO), bad(loop, UV_EOF), ok(loop, 2));
  vow_iter_t *it;
  manual_drain(loop);
  it = vow_iter_of_list(loop, list_of(f));
  NEXT_INT(loop, it, 1);
  f = vow_iter_next(it);
  ck_assert_ptr_eq(vow_peek(f).type, &type_thing);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  NEXT_FAILED(loop, it, UV_EIO);
  NEXT_FAILED(loop, it, UV_EPROTO); /* not the end */
  NEXT_INT(loop, it, 2);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_of_list_left_early_destroys_the_rest) {
  vow_loop_t *loop = fresh_loop();
  vow_future_t *f = vow_gather_of(loop, ok(loop, 1), vow_ready(loop, thing()));
  vow_iter_t *it;
  manual_drain(loop);
  it = vow_iter_of_list(loop, list_of(f));
  NEXT_INT(loop, it, 1);
  close_ok(loop, it);
  ck_assert_int_eq(things_live, 0);
  it = vow_iter_of_list(loop, NULL);
  EXPECT_FAILED(vow_iter_next(it), UV_EINVAL);
  vow_iter_free(it);
  manual_done(loop);
}

/* ---- from ---------------------------------------------------------------- */

typedef struct maker {
  int calls;
  int closes;
  bool follow;
  bool slow_close;
  int close_code;
  vow_promise_t *item;
  vow_promise_t *closing;
  int asked;
  vow_iter_t *frees;
  vow_future_t *cancels;
} maker_t;

static vow_value_t make(vow_loop_t *loop, uint64_t i, void *arg) {
  maker_t *m = arg;
  vow_future_t *f;
  m->calls++;
  if (m->frees != NULL) vow_iter_free(m->frees);
  m->frees = NULL;
  if (m->cancels != NULL) vow_cancel(m->cancels);
  m->cancels = NULL;
  if (!m->follow)
    return i < 3 ? vow_int((int64_t)i) : vow_failf(UV_EOF, "no more");
  vow_promise_drop(m->item);
  f = vow_promise_new(loop, &m->item);
  vow_promise_on_cancel(m->item, note_cancel, &m->asked);
  return vow_follow(f);
}

static vow_value_t unmake(vow_loop_t *loop, void *arg) {
  maker_t *m = arg;
  m->closes++;
  ck_assert_int_eq(arg_drops, 0);
  if (m->close_code != 0) return vow_fail(m->close_code);
  if (m->slow_close) return vow_follow(vow_promise_new(loop, &m->closing));
  return thing(); /* destroyed */
}

TEST(test_iter_from_gives_what_the_callback_makes) {
  vow_loop_t *loop = fresh_loop();
  maker_t m = {0};
  vow_iter_t *it = vow_iter_from(loop, make, unmake, &m, count_drop);
  vow_future_t *f = vow_iter_next(it);
  ck_assert_int_eq(m.calls, 0); /* never within a call */
  manual_drain(loop);
  EXPECT_INT(f, 0);
  NEXT_INT(loop, it, 1);
  NEXT_INT(loop, it, 2);
  NEXT_IS_END(loop, it);
  NEXT_IS_END(loop, it);
  ck_assert_int_eq(m.calls, 4);
  close_ok(loop, it);
  ck_assert_int_eq(m.closes, 1);
  ck_assert_int_eq(arg_drops, 1);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_iter_from_awaits_what_the_callback_follows) {
  vow_loop_t *loop = fresh_loop();
  maker_t m = {.follow = true};
  vow_iter_t *it = vow_iter_from(loop, make, NULL, &m, count_drop);
  vow_future_t *f = next_of(loop, it);
  NEXT_PENDING(f);
  vow_drop(f); /* the work goes on */
  manual_drain(loop);
  ck_assert_int_eq(m.asked, 0);
  f = vow_iter_next(it);
  vow_resolve(m.item, vow_int(5));
  manual_drain(loop);
  EXPECT_INT(f, 5);
  ck_assert_int_eq(m.calls, 1);
  f = next_of(loop, it);
  vow_resolve(m.item, vow_fail(UV_EOF)); /* the end, this way too */
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EOF);
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  vow_promise_drop(m.item);
  manual_done(loop);
}

TEST(test_iter_from_unasked_before_the_call_is_not_called) {
  vow_loop_t *loop = fresh_loop();
  maker_t m = {0};
  vow_iter_t *it = vow_iter_from(loop, make, NULL, &m);
  vow_drop(vow_iter_next(it));
  manual_drain(loop);
  ck_assert_int_eq(m.calls, 0);
  vow_drop(vow_iter_next(it));
  NEXT_INT(loop, it, 0);
  ck_assert_int_eq(m.calls, 1);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_from_close_unwinds_the_item_then_cleans_up) {
  vow_loop_t *loop = fresh_loop();
  maker_t m = {.follow = true, .slow_close = true};
  vow_iter_t *it = vow_iter_from(loop, make, unmake, &m, count_drop);
  vow_future_t *f = next_of(loop, it), *end = vow_iter_close(it);
  EXPECT_CANCELLED(f);
  manual_drain(loop);
  ck_assert_int_eq(m.asked, 1);
  ck_assert_int_eq(m.closes, 0);
  vow_promise_finish(m.item, thing());
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(m.closes, 1);
  vow_cancel(end); /* shielded */
  vow_iter_free(it);
  manual_drain(loop);
  ck_assert(vow_promise_is_wanted(m.closing));
  ck_assert_int_eq(arg_drops, 0);
  vow_promise_finish(m.closing, vow_nil());
  manual_drain(loop);
  ck_assert_int_eq(vow_status(end), 0);
  vow_drop(end);
  ck_assert_int_eq(arg_drops, 1);
  manual_done(loop);
}

TEST(test_iter_from_close_that_fails_is_the_failure) {
  vow_loop_t *loop = fresh_loop();
  maker_t m = {.close_code = UV_EIO};
  vow_iter_t *it = vow_iter_from(loop, make, unmake, &m);
  vow_future_t *end = vow_iter_close(it);
  manual_drain(loop);
  EXPECT_FAILED(end, UV_EIO);
  vow_iter_free(it);
  m = (maker_t){.slow_close = true};
  it = vow_iter_from(loop, make, unmake, &m);
  end = vow_iter_close(it);
  manual_drain(loop);
  vow_promise_finish(m.closing, vow_fail(UV_EPIPE));
  manual_drain(loop);
  EXPECT_FAILED(end, UV_EPIPE);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_from_freed_by_its_callback_cleans_up) {
  vow_loop_t *loop = fresh_loop();
  for (int follow = 0; follow < 2; follow++) {
    maker_t m = {.follow = follow};
    vow_iter_t *it = vow_iter_from(loop, make, unmake, &m, count_drop);
    vow_future_t *f;
    arg_drops = 0;
    m.frees = it;
    f = next_of(loop, it);
    EXPECT_CANCELLED(f);
    if (follow) {
      ck_assert_int_eq(m.closes, 0);
      vow_promise_finish(m.item, vow_nil());
      manual_drain(loop);
    }
    ck_assert_int_eq(m.closes, 1);
    ck_assert_int_eq(arg_drops, 1);
  }
  manual_done(loop);
}

TEST(test_iter_from_item_made_for_a_cancelled_next_is_kept) {
  vow_loop_t *loop = fresh_loop();
  maker_t m = {0};
  vow_iter_t *it = vow_iter_from(loop, make, NULL, &m);
  vow_future_t *f = vow_iter_next(it);
  m.cancels = f; /* from within the callback */
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  EXPECT_INT(vow_iter_next(it), 0);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_from_closed_with_its_loop_cleans_up) {
  vow_loop_t *loop = fresh_loop();
  maker_t m = {0};
  vow_iter_t *it = vow_iter_from(loop, make, unmake, &m, count_drop);
  manual_close(loop);
  ck_assert_int_eq(m.closes, 1);
  ck_assert_int_eq(arg_drops, 1);
  vow_iter_free(it);
}

TEST(test_iter_from_bad_arguments_fail_the_nexts) {
  vow_loop_t *loop = fresh_loop();
  maker_t m = {0};
  vow_iter_t *it = vow_iter_from(loop, NULL, unmake, &m, count_drop);
  EXPECT_MISUSE(vow_iter_next(it), "callback is NULL");
  vow_iter_free(it);
  it = vow_iter_from(NULL, make, unmake, &m, count_drop);
  EXPECT_FAILED(vow_iter_next(it), UV_EINVAL);
  vow_iter_free(it);
  ck_assert_int_eq(arg_drops, 2);
  ck_assert_int_eq(m.closes, 0);
  manual_done(loop);
}

/* ---- as_completed -------------------------------------------------------- */

TEST(test_iter_completed_gives_inputs_as_they_finish) {
  vow_loop_t *loop = fresh_loop();
  pair_t a = pair(loop), b = pair(loop), c = pair(loop);
  vow_completed_t *all = vow_as_completed_of(loop, a.f, b.f, c.f);
  vow_iter_t *it = vow_completed_iter(all);
  vow_future_t *f = vow_iter_next(it);
  vow_promise_finish(b.p, vow_int(2));
  manual_drain(loop);
  EXPECT_INT(f, 2);
  ck_assert_uint_eq(vow_completed_index(all), 1);
  vow_promise_finish(c.p, vow_fail(UV_EOF)); /* an input, not the end */
  vow_promise_finish(a.p, vow_fail(UV_ECANCELED));
  NEXT_FAILED(loop, it, UV_EPROTO);
  EXPECT_CANCELLED(next_of(loop, it));
  NEXT_IS_END(loop, it);
  close_ok(loop, it);
  manual_done(loop);
}

TEST(test_iter_completed_cancelled_next_loses_nothing) {
  vow_loop_t *loop = fresh_loop();
  pair_t a = pair(loop);
  vow_iter_t *it = vow_completed_iter(vow_as_completed_of(loop, a.f));
  vow_drop(next_of(loop, it));
  vow_promise_finish(a.p, vow_int(1));
  NEXT_INT(loop, it, 1);
  close_ok(loop, it);
  manual_done(loop);
}

/* Rule 21 */
TEST(test_iter_completed_close_awaits_the_inputs) {
  vow_loop_t *loop = fresh_loop();
  int asked = 0;
  pair_t a = slow_pair(loop, &asked);
  vow_iter_t *it =
      vow_completed_iter(vow_as_completed_of(loop, a.f, ok(loop, 1)));
  vow_future_t *end;
  NEXT_INT(loop, it, 1);
  vow_drop(next_of(loop, it));
  end = vow_iter_close(it);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  NEXT_PENDING(end);
  vow_promise_finish(a.p, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_INT(end, 0);
  vow_iter_free(it);
  it = vow_completed_iter(NULL);
  EXPECT_FAILED(vow_iter_next(it), UV_EINVAL);
  vow_iter_free(it);
  manual_done(loop);
}

/* ---- all ----------------------------------------------------------------- */

static void starved_sources(vow_loop_t *loop) {
  maker_t m = {.close_code = 0};
  vow_iter_t *its[4];
  vow_completed_t *all =
      vow_as_completed_of(loop, vow_ready(loop, thing()), vow_never(loop));
  vow_future_t *f = vow_gather_of(loop, vow_ready(loop, thing()));
  its[0] = upto(loop, 3);
  its[1] = vow_iter_from(loop, make, unmake, &m, count_drop);
  its[2] = vow_completed_iter(all);
  manual_drain(loop);
  its[3] = vow_iter_of_list(loop, list_of(f));
  for (int k = 0; k < 8; k++) {
    f = vow_iter_next(its[k % 4]);
    manual_drain(loop);
    vow_drop(f);
  }
  for (int k = 0; k < 4; k++) vow_iter_free(its[k]);
  manual_drain(loop);
  arg_drops = arg_drops > 0; /* unmake looks at it */
}

TEST(test_iter_sources_out_of_memory_release_all) {
  starve(starved_sources, 1);
}

SUITE(combine_iter_sources) {
  ADD(test_iter_range_counts_up_and_down);
  ADD(test_iter_range_ends_at_the_edges_of_numbers);
  ADD(test_iter_range_bad_arguments_fail_the_nexts);
  ADD(test_iter_of_list_gives_its_elements);
  ADD(test_iter_of_list_left_early_destroys_the_rest);
  ADD(test_iter_from_gives_what_the_callback_makes);
  ADD(test_iter_from_awaits_what_the_callback_follows);
  ADD(test_iter_from_unasked_before_the_call_is_not_called);
  ADD(test_iter_from_close_unwinds_the_item_then_cleans_up);
  ADD(test_iter_from_close_that_fails_is_the_failure);
  ADD(test_iter_from_freed_by_its_callback_cleans_up);
  ADD(test_iter_from_item_made_for_a_cancelled_next_is_kept);
  ADD(test_iter_from_closed_with_its_loop_cleans_up);
  ADD(test_iter_from_bad_arguments_fail_the_nexts);
  ADD(test_iter_completed_gives_inputs_as_they_finish);
  ADD(test_iter_completed_cancelled_next_loses_nothing);
  ADD(test_iter_completed_close_awaits_the_inputs);
  ADD(test_iter_sources_out_of_memory_release_all);
}

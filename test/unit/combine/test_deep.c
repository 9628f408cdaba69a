/* SPDX-License-Identifier: MIT */
/* Tests of combinators at their limits: lists in lists in lists, a value that
 * drops who asked for it, an iterator's input that waits for the iterator. */
#include "unit/combine/helpers.h"

#include <vow/as_completed.h>
#include <vow/gather.h>

/* ---- lists ----------------------------------------------------------------
 */

/* n lists, each in the next, the innermost holding f's value. */
static vow_future_t *nested(vow_loop_t *loop, vow_future_t *f, size_t n) {
  for (size_t i = 0; i < n; i++) f = vow_gather_of(loop, f);
  return f;
}

TEST(test_deep_lists_are_destroyed_without_recursion) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = nested(loop, vow_ready(loop, thing()), test_scale(1000000));
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(things_live, 1);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_deep_shared_inner_list_outlives_the_outer) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *inner = nested(loop, vow_ready(loop, thing()), 3);
  vow_future_t *f = nested(loop, vow_ref(inner), 3);
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  vow_drop(f);
  ck_assert_int_eq(things_live, 1);
  ck_assert_uint_eq(vow_list_length(vow_get(inner, &vow_type_list)), 1);
  vow_drop(inner);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_deep_lists_side_by_side_are_all_destroyed) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_gather_of(
      loop, nested(loop, vow_ready(loop, thing()), 2), vow_ready(loop, thing()),
      nested(loop, vow_ready(loop, thing()), 5),
      nested(loop, vow_gather(loop, 0, NULL), 2));
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(things_live, 3);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

/* ---- as_completed ---------------------------------------------------------
 */

static vow_future_t *asked;

static void *ref_drops_asked(void *p) {
  vow_drop(asked);
  asked = NULL;
  return thing_ref(p);
}

static const vow_type_t type_drops = {"drops", thing_destroy, ref_drops_asked,
                                      NULL};

/* The hook runs while the next is being given its value. */
TEST(test_deep_as_completed_value_may_drop_the_next_that_gets_it) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *kept = vow_ref(x.f);
  vow_completed_t *it = vow_as_completed_of(loop, x.f);
  asked = vow_completed_next(it);
  things_live = 1;
  vow_promise_finish(x.p, vow_ptr(&things_live, &type_drops));
  manual_drain(loop);
  ck_assert_ptr_null(asked);
  ck_assert_int_eq(things_live, 1); /* kept's */
  ck_assert_uint_eq(vow_completed_index(it), 0);
  vow_completed_free(it);
  vow_drop(kept);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_deep_as_completed_input_that_follows_its_next_is_a_cycle) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_completed_t *it = vow_as_completed_of(loop, vow_ref(x.f));
  vow_future_t *next = vow_completed_next(it);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_follow(next)), 0);
  ck_assert_int_eq(vow_loop_run_until(loop, x.f), 0);
  EXPECT_FAILED(x.f, VOW_ECYCLE);
  vow_completed_free(it);
  manual_done(loop);
}

/* An input asked for when it has finished already is out of the line. */
TEST(test_deep_as_completed_next_of_another_input_may_be_followed) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_completed_t *it = vow_as_completed_of(loop, ok(loop, 5), vow_ref(x.f));
  vow_future_t *next;
  manual_drain(loop);
  next = vow_completed_next(it);
  ck_assert_int_eq(vow_promise_finish(x.p, vow_follow(next)), 0);
  manual_drain(loop);
  EXPECT_INT(x.f, 5);
  vow_completed_free(it);
  manual_done(loop);
}

SUITE(combine_deep) {
  ADD(test_deep_lists_are_destroyed_without_recursion);
  ADD(test_deep_shared_inner_list_outlives_the_outer);
  ADD(test_deep_lists_side_by_side_are_all_destroyed);
  ADD(test_deep_as_completed_value_may_drop_the_next_that_gets_it);
  ADD(test_deep_as_completed_input_that_follows_its_next_is_a_cycle);
  ADD(test_deep_as_completed_next_of_another_input_may_be_followed);
}

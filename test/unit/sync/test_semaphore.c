/* SPDX-License-Identifier: MIT */
/* Tests of semaphores: rule 20 with weights. */
#include "unit/sync/helpers.h"

#include <vow/semaphore.h>

static void line_up(vow_semaphore_t *s, vow_future_t **f, const char *sizes) {
  for (size_t i = 0; sizes[i] != '\0'; i++)
    f[i] = vow_semaphore_acquire(s, (size_t)(sizes[i] - '0'));
}

static void expect_free(const vow_semaphore_t *s) {
  ck_assert_uint_eq(vow_semaphore_available(s), vow_semaphore_capacity(s));
  ck_assert_uint_eq(vow_semaphore_waiting(s), 0);
}

TEST(test_semaphore_lets_in_as_many_as_there_are_permits) {
  vow_loop_t *loop = manual_loop();
  vow_semaphore_t *s = vow_semaphore_new(loop, 3);
  vow_future_t *f[5];
  line_up(s, f, "11111");
  ck_assert_str_eq(states(f, 5), "SSS..");
  drop_at(f, 1);
  ck_assert_str_eq(states(f, 5), "S SS.");
  drop_all(f, 5);
  expect_free(s);
  vow_semaphore_free(s);
  manual_done(loop);
}

TEST(test_semaphore_rule_20_large_request_holds_up_those_behind) {
  vow_loop_t *loop = manual_loop();
  vow_semaphore_t *s = vow_semaphore_new(loop, 5);
  vow_future_t *f[5];
  line_up(s, f, "24112");
  ck_assert_str_eq(states(f, 5), "S....");
  ck_assert_uint_eq(vow_semaphore_available(s), 3);
  ck_assert(!vow_semaphore_try_acquire(s, 1)); /* nobody overtakes */
  drop_at(f, 0);
  ck_assert_str_eq(states(f, 5), " SS..");
  drop_at(f, 1);
  ck_assert_str_eq(states(f, 5), "  SSS");
  drop_all(f, 5);
  expect_free(s);
  vow_semaphore_free(s);
  manual_done(loop);
}

TEST(test_semaphore_rule_20_large_one_that_leaves_frees_the_way) {
  vow_loop_t *loop = manual_loop();
  vow_semaphore_t *s = vow_semaphore_new(loop, 5);
  for (int drop = 0; drop < 2; drop++) {
    vow_future_t *f[4];
    line_up(s, f, "2413");
    if (drop)
      drop_at(f, 1);
    else
      vow_cancel(f[1]);
    ck_assert_str_eq(states(f, 4), drop ? "S S." : "SCS.");
    drop_at(f, 2);
    ck_assert_str_eq(states(f, 4), drop ? "S  S" : "SC S");
    drop_all(f, 4);
    expect_free(s);
  }
  vow_semaphore_free(s);
  manual_done(loop);
}

TEST(test_semaphore_rule_20_cancel_at_any_place_loses_no_permit) {
  vow_loop_t *loop = manual_loop();
  for (size_t k = 0; k < 7; k++) {
    vow_semaphore_t *s = vow_semaphore_new(loop, 4);
    vow_future_t *f[7];
    ck_assert(vow_semaphore_try_acquire(s, 4));
    line_up(s, f, "1243121");
    vow_cancel(f[k]);
    EXPECT_CANCELLED(f[k]);
    f[k] = NULL;
    ck_assert_int_eq(vow_semaphore_release(s, 4), 0);
    for (size_t i = 0; i < 7; i++) {
      if (f[i] == NULL) continue;
      ck_assert_int_eq(vow_state(f[i]), VOW_SUCCEEDED);
      drop_at(f, i);
    }
    expect_free(s);
    vow_semaphore_free(s);
  }
  manual_done(loop);
}

TEST(test_semaphore_rule_20_granted_and_dropped_goes_to_the_next) {
  vow_loop_t *loop = manual_loop();
  vow_semaphore_t *s = vow_semaphore_new(loop, 2);
  vow_future_t *f[3];
  line_up(s, f, "222");
  drop_at(f, 0);
  vow_cancel(f[1]);
  ck_assert_str_eq(states(f, 3), " S.");
  drop_at(f, 1);
  ck_assert_str_eq(states(f, 3), "  S");
  drop_at(f, 2);
  expect_free(s);
  vow_semaphore_free(s);
  manual_done(loop);
}

TEST(test_semaphore_held_by_hand_is_given_back_in_parts) {
  vow_loop_t *loop = manual_loop();
  vow_semaphore_t *s = vow_semaphore_new(loop, 4);
  vow_future_t *f = vow_semaphore_acquire(s, 3), *g;
  size_t n = 0;
  ck_assert_ptr_eq(vow_semaphore_hold(vow_outcome(f), &n), s);
  ck_assert_uint_eq(n, 3);
  vow_drop(f);
  ck_assert_uint_eq(vow_semaphore_available(s), 1);
  g = vow_semaphore_acquire(s, 2);
  ck_assert_int_eq(vow_semaphore_release(s, 1), 0);
  ck_assert_int_eq(vow_state(g), VOW_SUCCEEDED);
  ck_assert_ptr_eq(vow_semaphore_hold(vow_outcome(g), NULL), s);
  vow_drop(g);
  ck_assert_int_eq(vow_semaphore_release(s, 4), 0);
  g = vow_semaphore_acquire(s, 1);
  ck_assert_ptr_eq(vow_semaphore_hold(vow_outcome(g), &n), s);
  ck_assert_uint_eq(n, 1);
  vow_drop(g);
  ck_assert_int_eq(vow_semaphore_release(s, 1), 0);
  expect_free(s);
  vow_semaphore_free(s);
  manual_done(loop);
}

TEST(test_semaphore_misuse_is_told) {
  vow_loop_t *loop = manual_loop();
  vow_semaphore_t *s = vow_semaphore_new(loop, 2);
  EXPECT_MISUSE(vow_semaphore_acquire(s, 3), "more permits");
  EXPECT_MISUSE(vow_semaphore_acquire(s, 0), "no permits");
  EXPECT_MISUSE(vow_semaphore_acquire(NULL, 1), "NULL");
  ck_assert(!vow_semaphore_try_acquire(s, 0));
  ck_assert(!vow_semaphore_try_acquire(s, 3));
  ck_assert(!vow_semaphore_try_acquire(NULL, 1));
  ck_assert_int_eq(vow_semaphore_release(s, 1), UV_EINVAL);
  ck_assert_int_eq(vow_semaphore_release(NULL, 1), UV_EINVAL);
  ck_assert(vow_semaphore_try_acquire(s, 1));
  ck_assert_int_eq(vow_semaphore_release(s, 2), UV_EINVAL);
  ck_assert_int_eq(vow_semaphore_release(s, 0), UV_EINVAL);
  ck_assert_int_eq(vow_semaphore_release(s, 1), 0);
  ck_assert_ptr_null(vow_semaphore_hold(thing(), NULL));
  ck_assert_int_eq(things_live, 0);
  ck_assert_uint_eq(vow_semaphore_capacity(NULL), 0);
  ck_assert_uint_eq(vow_semaphore_available(NULL), 0);
  ck_assert_uint_eq(vow_semaphore_waiting(NULL), 0);
  ck_assert_ptr_null(vow_semaphore_new(loop, 0));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "capacity"));
  ck_assert_ptr_null(vow_semaphore_new(NULL, 1));
  vow_semaphore_free(NULL);
  vow_semaphore_free(s);
  manual_done(loop);
}

TEST(test_semaphore_permits_outlive_free_in_any_order) {
  static const size_t order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  vow_loop_t *loop = manual_loop();
  for (size_t o = 0; o < 6; o++) {
    vow_semaphore_t *s = vow_semaphore_new(loop, 6);
    vow_future_t *f[5];
    line_up(s, f, "12361");
    vow_semaphore_free(s);
    ck_assert_str_eq(states(f, 5), "SSSFF");
    EXPECT_SAYS(f[3], VOW_ESHUTDOWN, "semaphore was freed");
    EXPECT_SAYS(f[4], VOW_ESHUTDOWN, "semaphore was freed");
    EXPECT_FAILED(vow_semaphore_acquire(s, 1), VOW_ESHUTDOWN);
    for (size_t i = 0; i < 3; i++) {
      ck_assert_uint_gt(vow_loop_live(loop), 0);
      vow_drop(f[order[o][i]]);
    }
    ck_assert_uint_eq(vow_loop_live(loop), 0);
  }
  manual_done(loop);
}

TEST(test_semaphore_waiter_that_failed_outlives_it) {
  vow_loop_t *loop = manual_loop();
  vow_semaphore_t *s = vow_semaphore_new(loop, 2);
  vow_future_t *f[2];
  ck_assert(vow_semaphore_try_acquire(s, 2));
  line_up(s, f, "12");
  vow_semaphore_free(s);
  vow_semaphore_release(s, 2); /* the memory goes */
  EXPECT_FAILED(f[0], VOW_ESHUTDOWN);
  EXPECT_FAILED(f[1], VOW_ESHUTDOWN);
  manual_done(loop);
}

TEST(test_semaphore_loop_that_closes_cancels_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_semaphore_t *s = vow_semaphore_new(loop, 2);
  vow_future_t *f[4];
  line_up(s, f, "2121");
  manual_close(loop);
  ck_assert_str_eq(states(f, 4), "SCCC");
  drop_all(f, 4);
  expect_free(s);
  vow_semaphore_free(s);
}

TEST(test_semaphore_many_waiters_nobody_wants_do_not_use_the_stack) {
  vow_loop_t *loop = manual_loop();
  vow_semaphore_t *s = vow_semaphore_new(loop, 3);
  size_t n = test_scale(200000);
  ck_assert(vow_semaphore_try_acquire(s, 3));
  for (size_t i = 0; i < n; i++)
    vow_detach(vow_semaphore_acquire(s, i % 3 + 1));
  vow_semaphore_release(s, 3);
  expect_free(s);
  vow_semaphore_free(s);
  manual_done(loop);
}

static void starved_body(vow_loop_t *loop) {
  vow_semaphore_t *s = vow_semaphore_new(loop, 3);
  vow_future_t *f[4];
  if (s == NULL) return;
  line_up(s, f, "2132");
  for (size_t i = 0; i < 4; i++) {
    ck_assert_int_ne(vow_status(f[i]), UV_EAGAIN);
    drop_at(f, i);
  }
  expect_free(s);
  line_up(s, f, "23");
  vow_semaphore_free(s);
  drop_all(f, 2);
}

TEST(test_semaphore_out_of_memory_anywhere_loses_no_permit) {
  starve(starved_body, 0);
}

SUITE(sync_semaphore) {
  ADD(test_semaphore_lets_in_as_many_as_there_are_permits);
  ADD(test_semaphore_rule_20_large_request_holds_up_those_behind);
  ADD(test_semaphore_rule_20_large_one_that_leaves_frees_the_way);
  ADD(test_semaphore_rule_20_cancel_at_any_place_loses_no_permit);
  ADD(test_semaphore_rule_20_granted_and_dropped_goes_to_the_next);
  ADD(test_semaphore_held_by_hand_is_given_back_in_parts);
  ADD(test_semaphore_misuse_is_told);
  ADD(test_semaphore_permits_outlive_free_in_any_order);
  ADD(test_semaphore_waiter_that_failed_outlives_it);
  ADD(test_semaphore_loop_that_closes_cancels_those_who_wait);
  ADD(test_semaphore_many_waiters_nobody_wants_do_not_use_the_stack);
  ADD(test_semaphore_out_of_memory_anywhere_loses_no_permit);
}

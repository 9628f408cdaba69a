/* SPDX-License-Identifier: MIT */
/* Tests of read-write locks: rule 20 for a line of readers and writers. */
#include "unit/sync/helpers.h"

#include <vow/rwlock.h>

/* A future for each letter: r or w. */
static size_t line_up(vow_rwlock_t *l, vow_future_t **f, const char *who) {
  size_t n = strlen(who);
  for (size_t i = 0; i < n; i++)
    f[i] = who[i] == 'w' ? vow_rwlock_write(l) : vow_rwlock_read(l);
  return n;
}

static void expect_free(const vow_rwlock_t *l) {
  ck_assert_uint_eq(vow_rwlock_readers(l), 0);
  ck_assert(!vow_rwlock_is_written(l));
  ck_assert_uint_eq(vow_rwlock_waiting(l), 0);
}

TEST(test_rwlock_readers_are_in_together_a_writer_is_alone) {
  vow_loop_t *loop = manual_loop();
  vow_rwlock_t *l = vow_rwlock_new(loop);
  vow_future_t *f[4];
  line_up(l, f, "rrww");
  ck_assert_str_eq(states(f, 4), "SS..");
  ck_assert_ptr_eq(vow_get(f[0], &vow_type_read_permit), l);
  ck_assert_uint_eq(vow_rwlock_readers(l), 2);
  drop_at(f, 0);
  ck_assert_str_eq(states(f, 4), " S..");
  drop_at(f, 1);
  ck_assert_str_eq(states(f, 4), "  S.");
  ck_assert_ptr_eq(vow_get(f[2], &vow_type_write_permit), l);
  ck_assert(vow_rwlock_is_written(l));
  drop_at(f, 2);
  ck_assert_str_eq(states(f, 4), "   S");
  drop_at(f, 3);
  expect_free(l);
  vow_rwlock_free(l);
  manual_done(loop);
}

TEST(test_rwlock_rule_20_reader_does_not_overtake_a_writer) {
  vow_loop_t *loop = manual_loop();
  vow_rwlock_t *l = vow_rwlock_new(loop);
  vow_future_t *f[7];
  line_up(l, f, "rwrrwrr");
  ck_assert_str_eq(states(f, 7), "S......");
  ck_assert(!vow_rwlock_try_read(l));
  ck_assert(!vow_rwlock_try_write(l));
  drop_at(f, 0);
  ck_assert_str_eq(states(f, 7), " S.....");
  drop_at(f, 1);
  ck_assert_str_eq(states(f, 7), "  SS..."); /* a batch */
  drop_at(f, 3);
  drop_at(f, 2);
  ck_assert_str_eq(states(f, 7), "    S..");
  drop_at(f, 4);
  ck_assert_str_eq(states(f, 7), "     SS");
  drop_all(f, 7);
  expect_free(l);
  vow_rwlock_free(l);
  manual_done(loop);
}

TEST(test_rwlock_rule_20_writer_that_leaves_lets_the_readers_in) {
  vow_loop_t *loop = manual_loop();
  vow_rwlock_t *l = vow_rwlock_new(loop);
  for (int drop = 0; drop < 2; drop++) {
    vow_future_t *f[5];
    line_up(l, f, "rwrrw");
    if (drop)
      drop_at(f, 1);
    else
      vow_cancel(f[1]);
    ck_assert_str_eq(states(f, 5), drop ? "S SS." : "SCSS.");
    drop_all(f, 4);
    ck_assert_str_eq(states(f, 5), "    S");
    drop_all(f, 5);
    expect_free(l);
  }
  vow_rwlock_free(l);
  manual_done(loop);
}

TEST(test_rwlock_rule_20_cancel_at_any_place_keeps_the_rest_in_order) {
  static const char who[] = "wrrwrwwr";
  vow_loop_t *loop = manual_loop();
  for (size_t k = 0; k < 8; k++) {
    vow_rwlock_t *l = vow_rwlock_new(loop);
    vow_future_t *f[8];
    ck_assert(vow_rwlock_try_write(l));
    line_up(l, f, who);
    vow_cancel(f[k]);
    EXPECT_CANCELLED(f[k]);
    f[k] = NULL;
    ck_assert_uint_eq(vow_rwlock_waiting(l), 7);
    ck_assert_int_eq(vow_rwlock_release_write(l), 0);
    for (size_t i = 0; i < 8; i++) {
      if (f[i] == NULL) continue;
      ck_assert_int_eq(vow_state(f[i]), VOW_SUCCEEDED);
      drop_at(f, i);
    }
    expect_free(l);
    vow_rwlock_free(l);
  }
  manual_done(loop);
}

TEST(test_rwlock_rule_20_granted_and_dropped_goes_on) {
  vow_loop_t *loop = manual_loop();
  vow_rwlock_t *l = vow_rwlock_new(loop);
  vow_future_t *f[4];
  line_up(l, f, "wwrr");
  drop_at(f, 0);
  ck_assert_str_eq(states(f, 4), " S..");
  drop_at(f, 1); /* never looked at */
  ck_assert_str_eq(states(f, 4), "  SS");
  drop_all(f, 4);
  expect_free(l);
  vow_rwlock_free(l);
  manual_done(loop);
}

TEST(test_rwlock_held_by_hand_in_both_ways) {
  vow_loop_t *loop = manual_loop();
  vow_rwlock_t *l = vow_rwlock_new(loop);
  vow_future_t *f;
  bool write = true;
  ck_assert(vow_rwlock_try_read(l));
  ck_assert(vow_rwlock_try_read(l));
  ck_assert(!vow_rwlock_try_write(l));
  ck_assert_int_eq(vow_rwlock_release_read(l), 0);
  ck_assert_int_eq(vow_rwlock_release_read(l), 0);
  ck_assert(vow_rwlock_try_write(l));
  ck_assert(!vow_rwlock_try_write(l));
  ck_assert(!vow_rwlock_try_read(l));
  ck_assert_int_eq(vow_rwlock_release_write(l), 0);
  f = vow_rwlock_read(l);
  ck_assert_ptr_eq(vow_rwlock_hold(vow_outcome(f), &write), l);
  ck_assert(!write);
  vow_drop(f);
  ck_assert_int_eq(vow_rwlock_release_read(l), 0);
  f = vow_rwlock_write(l);
  ck_assert_ptr_eq(vow_rwlock_hold(vow_outcome(f), &write), l);
  ck_assert(write);
  vow_drop(f);
  ck_assert_int_eq(vow_rwlock_release_write(l), 0);
  f = vow_rwlock_write(l);
  ck_assert_ptr_eq(vow_rwlock_hold(vow_outcome(f), NULL), l);
  vow_drop(f);
  ck_assert_int_eq(vow_rwlock_release_write(l), 0);
  vow_rwlock_free(l);
  manual_done(loop);
}

TEST(test_rwlock_misuse_is_told) {
  vow_loop_t *loop = manual_loop();
  vow_rwlock_t *l = vow_rwlock_new(loop);
  ck_assert_int_eq(vow_rwlock_release_read(l), UV_EINVAL);
  ck_assert_int_eq(vow_rwlock_release_write(l), UV_EINVAL);
  ck_assert_int_eq(vow_rwlock_release_read(NULL), UV_EINVAL);
  ck_assert_int_eq(vow_rwlock_release_write(NULL), UV_EINVAL);
  ck_assert(!vow_rwlock_try_read(NULL));
  ck_assert(!vow_rwlock_try_write(NULL));
  ck_assert_uint_eq(vow_rwlock_readers(NULL), 0);
  ck_assert_uint_eq(vow_rwlock_waiting(NULL), 0);
  ck_assert(!vow_rwlock_is_written(NULL));
  EXPECT_MISUSE(vow_rwlock_read(NULL), "vow_rwlock_read");
  EXPECT_MISUSE(vow_rwlock_write(NULL), "vow_rwlock_write");
  ck_assert_ptr_null(vow_rwlock_hold(thing(), NULL));
  ck_assert_int_eq(things_live, 0);
  ck_assert_ptr_null(vow_rwlock_new(NULL));
  vow_rwlock_free(NULL);
  vow_rwlock_free(l);
  manual_done(loop);
}

TEST(test_rwlock_free_fails_waiters_and_permits_stay_safe) {
  vow_loop_t *loop = manual_loop();
  for (size_t first = 0; first < 2; first++) {
    vow_rwlock_t *l = vow_rwlock_new(loop);
    vow_future_t *f[4];
    line_up(l, f, "rrwr");
    vow_rwlock_free(l);
    ck_assert_str_eq(states(f, 4), "SSFF");
    EXPECT_SAYS(f[2], VOW_ESHUTDOWN, "lock was freed");
    EXPECT_SAYS(f[3], VOW_ESHUTDOWN, "lock was freed");
    EXPECT_FAILED(vow_rwlock_read(l), VOW_ESHUTDOWN);
    ck_assert(!vow_rwlock_try_read(l));
    vow_drop(f[first]);
    vow_drop(f[1 - first]);
  }
  manual_done(loop);
}

TEST(test_rwlock_loop_that_closes_cancels_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_rwlock_t *l = vow_rwlock_new(loop);
  vow_future_t *f[4];
  line_up(l, f, "wrwr");
  manual_close(loop);
  ck_assert_str_eq(states(f, 4), "SCCC");
  drop_all(f, 4);
  expect_free(l);
  vow_rwlock_free(l);
}

TEST(test_rwlock_many_waiters_nobody_wants_do_not_use_the_stack) {
  vow_loop_t *loop = manual_loop();
  vow_rwlock_t *l = vow_rwlock_new(loop);
  size_t n = test_scale(200000);
  ck_assert(vow_rwlock_try_write(l));
  for (size_t i = 0; i < n; i++)
    vow_detach(i % 3 == 0 ? vow_rwlock_write(l) : vow_rwlock_read(l));
  vow_rwlock_release_write(l);
  expect_free(l);
  vow_rwlock_free(l);
  manual_done(loop);
}

static void starved_body(vow_loop_t *loop) {
  vow_rwlock_t *l = vow_rwlock_new(loop);
  vow_future_t *f[4];
  if (l == NULL) return;
  line_up(l, f, "rwrw");
  for (size_t i = 0; i < 4; i++) {
    ck_assert_int_ne(vow_status(f[i]), UV_EAGAIN);
    drop_at(f, i);
  }
  expect_free(l);
  line_up(l, f, "rw");
  vow_rwlock_free(l);
  drop_all(f, 2);
}

TEST(test_rwlock_out_of_memory_anywhere_loses_no_permit) {
  starve(starved_body, 0);
}

SUITE(sync_rwlock) {
  ADD(test_rwlock_readers_are_in_together_a_writer_is_alone);
  ADD(test_rwlock_rule_20_reader_does_not_overtake_a_writer);
  ADD(test_rwlock_rule_20_writer_that_leaves_lets_the_readers_in);
  ADD(test_rwlock_rule_20_cancel_at_any_place_keeps_the_rest_in_order);
  ADD(test_rwlock_rule_20_granted_and_dropped_goes_on);
  ADD(test_rwlock_held_by_hand_in_both_ways);
  ADD(test_rwlock_misuse_is_told);
  ADD(test_rwlock_free_fails_waiters_and_permits_stay_safe);
  ADD(test_rwlock_loop_that_closes_cancels_those_who_wait);
  ADD(test_rwlock_many_waiters_nobody_wants_do_not_use_the_stack);
  ADD(test_rwlock_out_of_memory_anywhere_loses_no_permit);
}

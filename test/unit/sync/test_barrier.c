/* SPDX-License-Identifier: MIT */
/* Tests of barriers. */
#include "unit/sync/helpers.h"

#include <vow/barrier.h>

static void come(vow_barrier_t *b, vow_future_t **f, size_t n) {
  for (size_t i = 0; i < n; i++) f[i] = vow_barrier_wait(b);
}

TEST(test_barrier_lets_all_through_with_their_numbers_again_and_again) {
  vow_loop_t *loop = manual_loop();
  vow_barrier_t *b = vow_barrier_new(loop, 3);
  ck_assert_uint_eq(vow_barrier_parties(b), 3);
  for (int round = 0; round < 3; round++) {
    vow_future_t *f[3];
    come(b, f, 2);
    ck_assert_str_eq(states(f, 2), "..");
    ck_assert_uint_eq(vow_barrier_waiting(b), 2);
    come(b, f + 2, 1);
    ck_assert_uint_eq(vow_barrier_waiting(b), 0);
    for (int i = 0; i < 3; i++) EXPECT_INT(f[i], i);
  }
  vow_barrier_free(b);
  manual_done(loop);
}

TEST(test_barrier_of_one_never_waits) {
  vow_loop_t *loop = manual_loop();
  vow_barrier_t *b = vow_barrier_new(loop, 1);
  EXPECT_INT(vow_barrier_wait(b), 0);
  EXPECT_INT(vow_barrier_wait(b), 0);
  vow_barrier_free(b);
  manual_done(loop);
}

TEST(test_barrier_party_that_leaves_breaks_it_at_any_place) {
  vow_loop_t *loop = manual_loop();
  for (size_t k = 0; k < 3; k++)
    for (int drop = 0; drop < 2; drop++) {
      vow_barrier_t *b = vow_barrier_new(loop, 4);
      vow_future_t *f[3];
      come(b, f, 3);
      if (drop)
        drop_at(f, k);
      else
        vow_cancel(f[k]);
      ck_assert(vow_barrier_is_broken(b));
      ck_assert_uint_eq(vow_barrier_waiting(b), 0);
      for (size_t i = 0; i < 3; i++)
        if (i != k) EXPECT_SAYS(f[i], VOW_EBROKEN, "a party was cancelled");
      if (!drop) EXPECT_CANCELLED(f[k]);
      EXPECT_SAYS(vow_barrier_wait(b), VOW_EBROKEN, "is broken");
      vow_barrier_reset(b);
      ck_assert(!vow_barrier_is_broken(b));
      come(b, f, 3);
      EXPECT_INT(vow_barrier_wait(b), 3);
      drop_all(f, 3);
      vow_barrier_free(b);
    }
  manual_done(loop);
}

TEST(test_barrier_cancel_after_the_last_came_is_too_late) {
  vow_loop_t *loop = manual_loop();
  vow_barrier_t *b = vow_barrier_new(loop, 2);
  vow_future_t *f[2];
  come(b, f, 2);
  vow_cancel(f[0]);
  EXPECT_INT(f[0], 0);
  EXPECT_INT(f[1], 1);
  ck_assert(!vow_barrier_is_broken(b));
  vow_barrier_free(b);
  manual_done(loop);
}

TEST(test_barrier_abort_breaks_it_until_reset) {
  vow_loop_t *loop = manual_loop();
  vow_barrier_t *b = vow_barrier_new(loop, 3);
  vow_future_t *f[2];
  come(b, f, 2);
  vow_barrier_abort(b);
  EXPECT_SAYS(f[0], VOW_EBROKEN, "aborted");
  EXPECT_SAYS(f[1], VOW_EBROKEN, "aborted");
  EXPECT_FAILED(vow_barrier_wait(b), VOW_EBROKEN);
  vow_barrier_reset(b);
  come(b, f, 2);
  vow_barrier_reset(b);
  EXPECT_SAYS(f[0], VOW_EBROKEN, "reset");
  EXPECT_SAYS(f[1], VOW_EBROKEN, "reset");
  come(b, f, 2);
  EXPECT_INT(vow_barrier_wait(b), 2);
  drop_all(f, 2);
  vow_barrier_free(b);
  manual_done(loop);
}

static vow_barrier_t *hook_barrier;
static vow_future_t *hook_wait;

static void wait_in_hook(vow_future_t *f, void *arg) {
  (void)arg;
  (void)vow_status(f);
  if (hook_wait == NULL) hook_wait = vow_barrier_wait(hook_barrier);
}

/* Who comes back while the others are told is of the next round. */
TEST(test_barrier_hook_may_wait_again_during_a_reset) {
  vow_loop_options_t options = {0};
  vow_loop_t *loop;
  vow_barrier_t *b;
  vow_future_t *f;
  options.on_unhandled = wait_in_hook;
  hook_wait = NULL;
  loop = manual_loop_with(&options);
  b = hook_barrier = vow_barrier_new(loop, 3);
  vow_detach(vow_barrier_wait(b));
  f = vow_barrier_wait(b);
  vow_barrier_reset(b);
  EXPECT_FAILED(f, VOW_EBROKEN);
  ck_assert_int_eq(vow_state(hook_wait), VOW_PENDING);
  ck_assert_uint_eq(vow_barrier_waiting(b), 1);
  f = vow_barrier_wait(b);
  EXPECT_INT(vow_barrier_wait(b), 2);
  EXPECT_INT(hook_wait, 0);
  EXPECT_INT(f, 1);
  vow_barrier_free(b);
  manual_done(loop);
}

TEST(test_barrier_hook_that_waits_while_it_is_freed_is_refused) {
  vow_loop_options_t options = {.on_unhandled = wait_in_hook};
  vow_loop_t *loop = manual_loop_with(&options);
  vow_barrier_t *b = hook_barrier = vow_barrier_new(loop, 3);
  hook_wait = NULL;
  vow_detach(vow_barrier_wait(b));
  vow_barrier_free(b);
  EXPECT_FAILED(hook_wait, VOW_EBROKEN);
  manual_done(loop);
}

TEST(test_barrier_free_fails_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_barrier_t *b = vow_barrier_new(loop, 3);
  vow_future_t *f[2];
  come(b, f, 2);
  vow_barrier_free(b);
  EXPECT_SAYS(f[0], VOW_ESHUTDOWN, "the barrier was freed");
  EXPECT_SAYS(f[1], VOW_ESHUTDOWN, "the barrier was freed");
  manual_done(loop);
}

TEST(test_barrier_misuse_is_told) {
  vow_loop_t *loop = manual_loop();
  EXPECT_MISUSE(vow_barrier_wait(NULL), "vow_barrier_wait");
  ck_assert_ptr_null(vow_barrier_new(loop, 0));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "parties"));
  ck_assert_ptr_null(vow_barrier_new(NULL, 1));
  ck_assert_uint_eq(vow_barrier_parties(NULL), 0);
  ck_assert_uint_eq(vow_barrier_waiting(NULL), 0);
  ck_assert(!vow_barrier_is_broken(NULL));
  vow_barrier_abort(NULL);
  vow_barrier_reset(NULL);
  vow_barrier_free(NULL);
  manual_done(loop);
}

TEST(test_barrier_loop_that_closes_ends_all_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_barrier_t *b = vow_barrier_new(loop, 3);
  vow_future_t *f[2];
  come(b, f, 2);
  manual_close(loop);
  for (int i = 0; i < 2; i++) {
    ck_assert_int_lt(vow_status(f[i]), 0);
    vow_drop(f[i]);
  }
  vow_barrier_free(b);
}

static void starved_body(vow_loop_t *loop) {
  vow_barrier_t *b = vow_barrier_new(loop, 3);
  vow_future_t *f[3];
  size_t failed = 0;
  if (b == NULL) return;
  come(b, f, 3);
  for (size_t i = 0; i < 3; i++) failed += vow_status(f[i]) == UV_ENOMEM;
  ck_assert_uint_eq(vow_barrier_waiting(b), failed > 0 ? 3 - failed : 0);
  vow_barrier_reset(b);
  for (size_t i = 0; i < 3; i++) ck_assert(vow_is_settled(f[i]));
  drop_all(f, 3);
  f[0] = vow_barrier_wait(b);
  f[1] = vow_barrier_wait(b);
  vow_cancel(f[0]);
  (void)vow_status(f[1]);
  f[2] = vow_barrier_wait(b);
  (void)vow_status(f[2]);
  vow_barrier_free(b);
  drop_all(f, 3);
}

TEST(test_barrier_out_of_memory_anywhere_is_no_arrival) {
  starve(starved_body, 0);
}

SUITE(sync_barrier) {
  ADD(test_barrier_hook_that_waits_while_it_is_freed_is_refused);
  ADD(test_barrier_lets_all_through_with_their_numbers_again_and_again);
  ADD(test_barrier_of_one_never_waits);
  ADD(test_barrier_party_that_leaves_breaks_it_at_any_place);
  ADD(test_barrier_cancel_after_the_last_came_is_too_late);
  ADD(test_barrier_abort_breaks_it_until_reset);
  ADD(test_barrier_hook_may_wait_again_during_a_reset);
  ADD(test_barrier_free_fails_those_who_wait);
  ADD(test_barrier_misuse_is_told);
  ADD(test_barrier_loop_that_closes_ends_all_who_wait);
  ADD(test_barrier_out_of_memory_anywhere_is_no_arrival);
}

/* SPDX-License-Identifier: MIT */
/* Tests of events. */
#include "unit/sync/helpers.h"

#include <vow/event.h>

TEST(test_event_set_wakes_all_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_event_t *e = vow_event_new(loop);
  vow_future_t *f[3] = {vow_event_wait(e), vow_event_wait(e),
                        vow_event_wait(e)};
  ck_assert(!vow_event_is_set(e));
  ck_assert_str_eq(states(f, 3), "...");
  vow_event_set(e);
  ck_assert(vow_event_is_set(e));
  ck_assert_str_eq(states(f, 3), "SSS");
  EXPECT_OK(vow_event_wait(e));
  vow_event_set(e);
  drop_all(f, 3);
  vow_event_free(e);
  manual_done(loop);
}

TEST(test_event_cleared_at_once_has_woken_who_waited) {
  vow_loop_t *loop = manual_loop();
  vow_event_t *e = vow_event_new(loop);
  vow_future_t *f[2] = {vow_event_wait(e), NULL};
  vow_event_set(e);
  vow_event_clear(e);
  f[1] = vow_event_wait(e);
  manual_drain(loop);
  ck_assert_str_eq(states(f, 2), "S.");
  vow_event_set(e);
  ck_assert_str_eq(states(f, 2), "SS");
  drop_all(f, 2);
  vow_event_free(e);
  manual_done(loop);
}

TEST(test_event_waiter_cancelled_at_any_place_leaves) {
  vow_loop_t *loop = manual_loop();
  for (size_t k = 0; k < 3; k++) {
    vow_event_t *e = vow_event_new(loop);
    vow_future_t *f[3] = {vow_event_wait(e), vow_event_wait(e),
                          vow_event_wait(e)};
    vow_cancel(f[k]);
    EXPECT_CANCELLED(f[k]);
    f[k] = NULL;
    vow_event_set(e);
    for (size_t i = 0; i < 3; i++)
      if (f[i] != NULL) EXPECT_OK(f[i]);
    vow_event_free(e);
  }
  manual_done(loop);
}

TEST(test_event_free_fails_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_event_t *e = vow_event_new(loop);
  vow_future_t *f = vow_event_wait(e);
  vow_event_free(e);
  EXPECT_SAYS(f, VOW_ESHUTDOWN, "the event was freed");
  manual_done(loop);
}

TEST(test_event_misuse_is_told) {
  vow_loop_t *loop = manual_loop();
  EXPECT_MISUSE(vow_event_wait(NULL), "vow_event_wait");
  ck_assert_ptr_null(vow_event_new(NULL));
  ck_assert(!vow_event_is_set(NULL));
  vow_event_set(NULL);
  vow_event_clear(NULL);
  vow_event_free(NULL);
  manual_done(loop);
}

TEST(test_event_loop_that_closes_cancels_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_event_t *e = vow_event_new(loop);
  vow_future_t *f = vow_event_wait(e);
  manual_close(loop);
  EXPECT_CANCELLED(f);
  vow_event_set(e);
  EXPECT_FAILED(vow_event_wait(e), VOW_ESHUTDOWN);
  vow_event_clear(e);
  EXPECT_FAILED(vow_event_wait(e), VOW_ESHUTDOWN);
  vow_event_free(e);
}

static void starved_body(vow_loop_t *loop) {
  vow_event_t *e = vow_event_new(loop);
  vow_future_t *f[2];
  if (e == NULL) return;
  f[0] = vow_event_wait(e);
  vow_event_set(e);
  f[1] = vow_event_wait(e);
  ck_assert_int_ne(vow_status(f[0]), UV_EAGAIN);
  ck_assert_int_ne(vow_status(f[1]), UV_EAGAIN);
  drop_all(f, 2);
  vow_event_clear(e);
  f[0] = vow_event_wait(e);
  vow_event_free(e);
  ck_assert_int_lt(vow_status(f[0]), 0);
  vow_drop(f[0]);
}

TEST(test_event_out_of_memory_anywhere_is_a_failure) {
  starve(starved_body, 0);
}

SUITE(sync_event) {
  ADD(test_event_set_wakes_all_who_wait);
  ADD(test_event_cleared_at_once_has_woken_who_waited);
  ADD(test_event_waiter_cancelled_at_any_place_leaves);
  ADD(test_event_free_fails_those_who_wait);
  ADD(test_event_misuse_is_told);
  ADD(test_event_loop_that_closes_cancels_those_who_wait);
  ADD(test_event_out_of_memory_anywhere_is_a_failure);
}

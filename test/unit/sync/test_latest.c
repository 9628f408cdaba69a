/* SPDX-License-Identifier: MIT */
/* Tests of values of which only the latest counts. */
#include "unit/sync/items.h"

#include <vow/latest.h>

static int latest_number(const vow_latest_t *l) {
  vow_value_t v = vow_latest_get(l, NULL);
  return ((const numbered_t *)v.as.p)->number;
}

TEST(test_latest_get_gives_what_was_set_last) {
  vow_loop_t *loop = manual_loop();
  vow_latest_t *l = vow_latest_new(loop, item(1));
  uint64_t version = 9;
  ck_assert_int_eq(latest_number(l), 1);
  (void)vow_latest_get(l, &version);
  ck_assert_uint_eq(version, 0);
  ck_assert_int_eq(vow_latest_set(l, item(2)), 0);
  ck_assert_int_eq(things_live, 1);
  ck_assert_int_eq(vow_latest_set(l, item(3)), 0);
  (void)vow_latest_get(l, &version);
  ck_assert_uint_eq(version, 2);
  ck_assert_int_eq(latest_number(l), 3);
  vow_latest_free(l);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_latest_changed_tells_all_who_wait_in_order) {
  vow_loop_t *loop = manual_loop();
  vow_latest_t *l = vow_latest_new(loop, vow_int(0));
  vow_future_t *f[3];
  for (int i = 0; i < 3; i++) f[i] = vow_latest_changed(l, 0);
  ck_assert_str_eq(states(f, 3), "...");
  ck_assert_int_eq(vow_latest_set(l, vow_int(7)), 0);
  for (int i = 0; i < 3; i++) EXPECT_INT(f[i], 1);
  vow_latest_free(l);
  manual_done(loop);
}

TEST(test_latest_sets_in_a_row_are_one_change) {
  vow_loop_t *loop = manual_loop();
  vow_latest_t *l = vow_latest_new(loop, vow_int(0));
  vow_future_t *f;
  uint64_t seen;
  for (int i = 1; i <= 5; i++) vow_latest_set(l, vow_int(i));
  EXPECT_INT(vow_latest_changed(l, 0), 5); /* at once */
  EXPECT_INT(vow_latest_changed(l, 3), 5);
  ck_assert_int_eq(vow_latest_get(l, &seen).as.i, 5);
  f = vow_latest_changed(l, seen);
  ck_assert(!vow_is_settled(f));
  vow_latest_set(l, vow_int(5)); /* the same value: a change all the same */
  EXPECT_INT(f, 6);
  vow_latest_free(l);
  manual_done(loop);
}

TEST(test_latest_cancelled_wait_leaves_the_others) {
  for (int i = 0; i < 6; i++) {
    vow_loop_t *loop = manual_loop();
    vow_latest_t *l = vow_latest_new(loop, vow_int(0));
    vow_future_t *f[3];
    for (int k = 0; k < 3; k++) f[k] = vow_latest_changed(l, 0);
    if (i < 3) {
      vow_cancel(f[i]);
      ck_assert_int_eq(vow_state(f[i]), VOW_CANCELLED);
    }
    drop_at(f, (size_t)i % 3);
    vow_latest_set(l, vow_int(1));
    for (int k = 0; k < 3; k++)
      if (f[k] != NULL) EXPECT_INT(f[k], 1);
    vow_latest_free(l);
    manual_done(loop);
  }
}

TEST(test_latest_closed_tells_the_last_value_then_fails) {
  vow_loop_t *loop = manual_loop();
  vow_latest_t *l = vow_latest_new(loop, item(0));
  vow_future_t *f;
  ck_assert_int_eq(vow_latest_set(l, item(1)), 0);
  f = vow_latest_changed(l, 1);
  ck_assert_int_eq(vow_latest_close(l), 0);
  EXPECT_SAYS(f, VOW_ESHUTDOWN, "the value was closed");
  EXPECT_INT(vow_latest_changed(l, 0), 1); /* has not seen it yet */
  EXPECT_FAILED(vow_latest_changed(l, 1), VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_latest_set(l, item(2)), VOW_ESHUTDOWN);
  ck_assert_int_eq(things_live, 1);
  ck_assert_int_eq(latest_number(l), 1);
  ck_assert_int_eq(vow_latest_close(l), 0);
  vow_latest_free(l);
  manual_done(loop);
}

TEST(test_latest_free_with_waiters_fails_them) {
  vow_loop_t *loop = manual_loop();
  vow_latest_t *l = vow_latest_new(loop, item(0));
  vow_future_t *f[2];
  f[0] = vow_latest_changed(l, 0);
  f[1] = vow_latest_changed(l, 0);
  vow_latest_free(l);
  ck_assert_int_eq(things_live, 0);
  EXPECT_FAILED(f[0], VOW_ESHUTDOWN);
  EXPECT_FAILED(f[1], VOW_ESHUTDOWN);
  vow_latest_free(NULL);
  manual_done(loop);
}

static vow_latest_t *meddled;

static void set_again(void *p) {
  (void)p;
  things_live--;
  if (vow_latest_set(meddled, vow_int(3)) == 0) vow_latest_free(meddled);
}

static const vow_type_t type_set_again = {"set again", set_again, NULL, NULL};

TEST(test_latest_value_that_sets_and_frees_when_destroyed) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f;
  things_live++;
  meddled = vow_latest_new(loop, vow_ptr(&meddled, &type_set_again));
  f = vow_latest_changed(meddled, 0);
  ck_assert_int_eq(vow_latest_set(meddled, vow_int(1)), 0);
  EXPECT_INT(f, 1);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_latest_loop_close_cancels_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_latest_t *l = vow_latest_new(loop, item(0));
  vow_future_t *f = vow_latest_changed(l, 0);
  manual_close(loop);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(vow_latest_set(l, item(1)), 0);
  EXPECT_FAILED(vow_latest_changed(l, 0), VOW_ESHUTDOWN);
  vow_latest_free(l);
  ck_assert_int_eq(things_live, 0);
}

TEST(test_latest_bad_arguments_are_refused) {
  vow_loop_t *loop = manual_loop();
  ck_assert_ptr_null(vow_latest_new(NULL, item(0)));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "vow_latest_new"));
  ck_assert_int_eq(vow_latest_set(NULL, item(0)), UV_EINVAL);
  ck_assert_int_eq(vow_latest_close(NULL), UV_EINVAL);
  ck_assert_ptr_null(vow_latest_get(NULL, NULL).type);
  EXPECT_MISUSE(vow_latest_changed(NULL, 0), "vow_latest_changed: the value");
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

static void starved_latest(vow_loop_t *loop) {
  vow_latest_t *l = vow_latest_new(loop, thing());
  vow_future_t *f[2] = {NULL};
  if (l == NULL) return;
  f[0] = vow_latest_changed(l, 0);
  vow_latest_set(l, thing());
  f[1] = vow_latest_changed(l, 1);
  vow_latest_free(l);
  for (int i = 0; i < 2; i++) {
    ck_assert(vow_is_settled(f[i]));
    (void)vow_status(f[i]);
  }
  drop_all(f, 2);
}

TEST(test_latest_out_of_memory_loses_nothing) {
  starve(starved_latest, 0);
}

SUITE(sync_latest) {
  ADD(test_latest_get_gives_what_was_set_last);
  ADD(test_latest_changed_tells_all_who_wait_in_order);
  ADD(test_latest_sets_in_a_row_are_one_change);
  ADD(test_latest_cancelled_wait_leaves_the_others);
  ADD(test_latest_closed_tells_the_last_value_then_fails);
  ADD(test_latest_free_with_waiters_fails_them);
  ADD(test_latest_value_that_sets_and_frees_when_destroyed);
  ADD(test_latest_loop_close_cancels_those_who_wait);
  ADD(test_latest_bad_arguments_are_refused);
  ADD(test_latest_out_of_memory_loses_nothing);
}

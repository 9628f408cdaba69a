/* SPDX-License-Identifier: MIT */
/* Groups whose members fail: all failures are kept, in whatever way it ends. */
#include "unit/core/helpers.h"

#include <vow/group.h>

static vow_loop_t *loop;
static vow_group_t *group;

static void begin(vow_group_policy_t policy) {
  loop = manual_loop();
  group = vow_group_new(loop, policy);
  ck_assert_ptr_nonnull(group);
}

static vow_value_t fail_later(void *ms) {
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), *(uint64_t *)ms));
  return vow_fail(UV_EIO);
}

/* Their failures need more room than there is at first; the last member is the
 * first to fail, as what lies behind that room is of the others. */
TEST(test_group_first_keeps_the_failures_of_many) {
  enum { MANY = 100 };
  static uint64_t ms[MANY];
  begin(VOW_GROUP_FIRST);
  for (int i = 0; i < MANY; i++) {
    ms[i] = (uint64_t)(MANY - i);
    ck_assert_int_eq(vow_group_go(group, fail_later, &ms[i]), 0);
  }
  vow_future_t *f = vow_group_join(group);
  manual_advance(loop, MANY);
  ck_assert_int_eq(vow_status(f), UV_EIO);
  ck_assert_uint_eq(vow_error_count(vow_error(f)), MANY);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

static vow_value_t fail_clean_up(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_fail(UV_EIO);
}

TEST(test_group_cancelled_keeps_clean_up_failures_as_cause) {
  vow_value_t cause;
  begin(VOW_GROUP_ALL);
  for (int i = 0; i < 2; i++)
    vow_group_add(group, vow_finally(vow_never(loop), fail_clean_up, NULL));
  vow_future_t *f = vow_group_join(group);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert(vow_is_cancelled(f));
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_uint_eq(vow_error_count(vow_value_error(cause)), 2);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

SUITE(task_group_failures) {
  ADD(test_group_first_keeps_the_failures_of_many);
  ADD(test_group_cancelled_keeps_clean_up_failures_as_cause);
}

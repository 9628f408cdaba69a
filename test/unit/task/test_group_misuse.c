/* SPDX-License-Identifier: MIT */
/* Groups: bad arguments, options of members, plain cancellations. */
#include "unit/task/group_helpers.h"

#include <pthread.h>

#include <vow/list.h>

static void *misuse_elsewhere(void *arg) {
  job_t *job = arg;
  vow_future_t *f;
  ck_assert_int_eq(vow_group_go(group, work, job, count_drop), VOW_ETHREAD);
  ck_assert_int_eq(vow_group_cancel(group, UV_EINTR), VOW_ETHREAD);
  f = vow_group_start(group, work, job, count_drop);
  EXPECT_FAILED(f, VOW_ETHREAD);
  EXPECT_HAS(vow_last_message(), "another thread");
  return NULL;
}

TEST(test_group_on_another_thread_is_refused_and_untouched) {
  job_t job = {10, 0, 0};
  pthread_t thread;
  begin(VOW_GROUP_ALL);
  ck_assert_int_eq(pthread_create(&thread, NULL, misuse_elsewhere, &job), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  ck_assert_int_eq(drops, 2);
  ck_assert_uint_eq(vow_group_live(group), 0);
  ck_assert_int_eq(vow_group_go(group, work, &job), 0);
  manual_advance(loop, 10);
  ck_assert_int_eq(job.ended, 1);
  vow_group_free(group);
  manual_done(loop);
}

TEST(test_group_bad_arguments_are_refused_and_args_dropped) {
  job_t job = {10, 0, 0};
  vow_future_t *f;
  begin(VOW_GROUP_ALL);
  ck_assert_int_eq(vow_group_go(NULL, work, &job, count_drop), UV_EINVAL);
  ck_assert_int_eq(vow_group_go(group, NULL, &job, count_drop), UV_EINVAL);
  ck_assert_int_eq(drops, 2);
  f = vow_group_start(NULL, work, &job, count_drop);
  EXPECT_MISUSE(f, UV_EINVAL, "the group is NULL");
  f = vow_group_start(group, NULL, &job, count_drop);
  EXPECT_MISUSE(f, UV_EINVAL, "the body is NULL");
  ck_assert_int_eq(drops, 4);
  ck_assert_int_eq(vow_group_add(NULL, vow_never(loop)), UV_EINVAL);
  ck_assert_int_eq(vow_group_add(group, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_group_cancel(NULL, 0), UV_EINVAL);
  ck_assert_uint_eq(vow_group_live(NULL), 0);
  ck_assert_uint_eq(vow_group_live(group), 0);
  f = vow_group_join(NULL);
  EXPECT_MISUSE(f, UV_EINVAL, "the group is NULL");
  vow_group_free(NULL);
  vow_group_free(group);
  manual_done(loop);
}
END_TEST

TEST(test_group_of_an_unknown_policy_is_refused_with_a_message) {
  loop = manual_loop();
  ck_assert_ptr_null(vow_group_new(loop, (vow_group_policy_t)9));
  EXPECT_HAS(vow_last_message(), "no such policy: 9");
  ck_assert_ptr_null(vow_group_new(NULL, VOW_GROUP_ALL));
  EXPECT_HAS(vow_last_message(), "vow_group_new");
  manual_done(loop);
}
END_TEST

static void find_name(const char *what, const char *site, void *arg) {
  (void)site;
  if (strcmp(what, "courier") == 0) ++*(int *)arg;
}

static void list_names(vow_future_t *f, const char *what, const char *site,
                       vow_state_t state, void *arg) {
  (void)f;
  if (state == VOW_PENDING) find_name(what, site, arg);
}

TEST(test_group_go_with_gives_the_member_its_options) {
  const vow_task_options_t options = {.name = "courier"};
  job_t job = {10, 0, 0};
  int found = 0;
  vow_future_t *f;
  begin(VOW_GROUP_ALL);
  ck_assert_int_eq(vow_group_go_with(group, &options, work, &job, count_drop),
                   0);
  vow_loop_each(loop, list_names, &found);
  ck_assert_int_eq(found, 1);
  f = vow_group_join(group);
  manual_advance(loop, 20);
  ck_assert_int_eq(vow_list_at(vow_get_list(f), 0).as.i, 10);
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_cancel_without_a_reason_is_a_plain_cancellation) {
  job_t job = {1000, 0, 0};
  vow_future_t *f;
  begin(VOW_GROUP_ALL);
  vow_group_go(group, work, &job);
  manual_drain(loop);
  ck_assert_int_eq(vow_group_cancel(group, 0), 0);
  ck_assert_int_eq(vow_group_cancel(group, UV_EIO), 0); /* the first counts */
  f = vow_group_join(group);
  manual_drain(loop);
  ck_assert_int_eq(job.ended, UV_ECANCELED);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_ptr_null(vow_list_at(vow_get_list(f), 0).type);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

SUITE(task_group_misuse) {
  ADD(test_group_on_another_thread_is_refused_and_untouched);
  ADD(test_group_bad_arguments_are_refused_and_args_dropped);
  ADD(test_group_of_an_unknown_policy_is_refused_with_a_message);
  ADD(test_group_go_with_gives_the_member_its_options);
  ADD(test_group_cancel_without_a_reason_is_a_plain_cancellation);
}

/* SPDX-License-Identifier: MIT */
/* Groups: policies, cancelling, adding late, waiting for a start. */
#include "unit/task/group_helpers.h"

#include <vow/list.h>
#include <vow/timeout.h>

TEST(test_group_all_gives_values_in_order_of_adding) { /* Rule 19 */
  job_t jobs[3] = {{30, 0, 0}, {10, 0, 0}, {20, 0, 0}};
  begin(VOW_GROUP_ALL);
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(vow_group_go(group, work, &jobs[i], count_drop), 0);
  ck_assert_uint_eq(vow_group_live(group), 3);
  vow_future_t *f = vow_group_join(group);
  manual_advance(loop, 29);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 1);
  vow_list_t *l = vow_get_list(f);
  ck_assert_uint_eq(vow_list_length(l), 3);
  for (size_t i = 0; i < 3; i++)
    ck_assert_int_eq(vow_list_at(l, i).as.i, (int64_t)jobs[i].ms);
  ck_assert_int_eq(drops, 3);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_all_first_failure_cancels_siblings) { /* Rule 19 */
  job_t jobs[3] = {{30, 0, 0}, {10, UV_EIO, 0}, {20, 0, 0}};
  begin(VOW_GROUP_ALL);
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(vow_group_go(group, work, &jobs[i]), 0);
  vow_future_t *f = vow_group_join(group);
  manual_advance(loop, 10);
  ck_assert_int_eq(vow_status(f), UV_EIO);
  ck_assert_int_eq(jobs[0].ended, UV_ECANCELED);
  ck_assert_int_eq(jobs[2].ended, UV_ECANCELED);
  ck_assert_int_eq(vow_group_go(group, work, &jobs[0], count_drop),
                   VOW_ESHUTDOWN); /* Rule 19: adding to a finished one */
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

/* Fails when it is cancelled, one after the other. */
static vow_value_t fail_late(void *arg) {
  const uint64_t *ms = arg;
  vow_await_status(vow_sleep(vow_task_loop(), 1000));
  return vow_failf(UV_EPIPE, "late %d", (int)*ms);
}

TEST(test_group_all_keeps_errors_in_order_of_arrival) { /* Rule 19 */
  uint64_t ms[2] = {1, 2};
  job_t job = {10, UV_EIO, 0};
  begin(VOW_GROUP_ALL);
  vow_group_go(group, fail_late, &ms[0]);
  vow_group_go(group, work, &job);
  vow_group_go(group, fail_late, &ms[1]);
  vow_future_t *f = vow_group_join(group);
  manual_advance(loop, 10);
  ck_assert_int_eq(vow_status(f), UV_EIO);
  const vow_error_t *e = vow_error(f);
  ck_assert_uint_eq(vow_error_count(e), 3);
  ck_assert_int_eq(vow_value_code(vow_error_nth(e, 0)), UV_EIO);
  ck_assert_str_eq(vow_error_message(vow_value_error(vow_error_nth(e, 1))),
                   "late 1");
  ck_assert_str_eq(vow_error_message(vow_value_error(vow_error_nth(e, 2))),
                   "late 2");
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_settled_keeps_every_outcome) {
  job_t jobs[2] = {{30, 0, 0}, {10, UV_EIO, 0}};
  begin(VOW_GROUP_SETTLED);
  for (int i = 0; i < 2; i++) vow_group_go(group, work, &jobs[i]);
  vow_future_t *f = vow_group_join(group);
  manual_advance(loop, 30);
  vow_list_t *l = vow_get_list(f);
  ck_assert_int_eq(vow_list_at(l, 0).as.i, 30);
  ck_assert_int_eq(vow_value_code(vow_list_at(l, 1)), UV_EIO);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_first_success_cancels_the_others) {
  job_t jobs[3] = {{30, 0, 0}, {10, UV_EIO, 0}, {20, 0, 0}};
  begin(VOW_GROUP_FIRST);
  for (int i = 0; i < 3; i++) vow_group_go(group, work, &jobs[i]);
  vow_future_t *f = vow_group_join(group);
  manual_advance(loop, 20);
  ck_assert_int_eq(vow_get_int(f), 20);
  ck_assert_int_eq(jobs[0].ended, UV_ECANCELED);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_first_all_fail_gives_every_cause) {
  job_t jobs[2] = {{30, UV_EPIPE, 0}, {10, UV_EIO, 0}};
  begin(VOW_GROUP_FIRST);
  for (int i = 0; i < 2; i++) vow_group_go(group, work, &jobs[i]);
  vow_future_t *f = vow_group_join(group);
  manual_advance(loop, 30);
  ck_assert_int_eq(vow_status(f), UV_EIO); /* arrived first */
  ck_assert_uint_eq(vow_error_count(vow_error(f)), 2);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_empty_settles_at_once) {
  begin(VOW_GROUP_ALL);
  vow_future_t *f = vow_group_join(group);
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), 0);
  vow_drop(f);
  group = vow_group_new(loop, VOW_GROUP_FIRST);
  f = vow_group_join(group);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_cancelled_member_is_no_failure) { /* Rule 19 */
  job_t job = {10, 0, 0};
  begin(VOW_GROUP_ALL);
  vow_future_t *member = vow_never(loop);
  vow_group_add(group, vow_ref(member));
  vow_group_go(group, work, &job);
  vow_future_t *f = vow_group_join(group);
  vow_cancel(member);
  vow_drop(member);
  manual_advance(loop, 10);
  vow_list_t *l = vow_get_list(f);
  ck_assert_ptr_null(vow_list_at(l, 0).type);
  ck_assert_int_eq(vow_list_at(l, 1).as.i, 10);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_cancel_reaches_members_with_the_reason) {
  job_t job = {10, 0, 0};
  begin(VOW_GROUP_ALL);
  vow_group_go(group, work, &job);
  manual_drain(loop);
  ck_assert_int_eq(vow_group_cancel(group, UV_ECONNRESET), 0);
  manual_drain(loop);
  ck_assert_int_eq(job.ended, UV_ECONNRESET);
  ck_assert_int_eq(vow_group_add(group, vow_never(loop)), VOW_ESHUTDOWN);
  vow_future_t *f = vow_group_join(group);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_drop_join_cancels_members) {
  job_t job = {10, 0, 0};
  begin(VOW_GROUP_ALL);
  vow_group_go(group, work, &job);
  manual_drain(loop);
  vow_drop(vow_group_join(group));
  manual_drain(loop);
  ck_assert_int_eq(job.ended, UV_ECANCELED);
  manual_done(loop);
}
END_TEST

TEST(test_group_free_cancels_members) {
  job_t job = {10, 0, 0};
  begin(VOW_GROUP_BACKGROUND);
  vow_group_go(group, work, &job);
  manual_drain(loop);
  vow_group_free(group);
  manual_drain(loop);
  ck_assert_int_eq(job.ended, UV_ECANCELED);
  manual_done(loop);
}
END_TEST

TEST(test_group_timeout_waits_for_members_to_unwind) {
  job_t job = {100, 0, 0};
  begin(VOW_GROUP_ALL);
  vow_group_go(group, work, &job);
  vow_future_t *f = vow_timeout(vow_group_join(group), 10);
  manual_advance(loop, 10);
  ck_assert_int_eq(vow_status(f), UV_ETIMEDOUT);
  ck_assert_int_eq(job.ended, UV_ECANCELED);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

static vow_value_t spawn_more(void *arg) {
  static job_t more = {5, 0, 0};
  (void)arg;
  if (vow_yield() != 0) return vow_nil();
  ck_assert_int_eq(vow_group_go(group, work, &more), 0);
  return vow_int(1);
}

TEST(test_group_member_adds_after_join) {
  begin(VOW_GROUP_ALL);
  vow_group_go(group, spawn_more, NULL);
  vow_future_t *f = vow_group_join(group);
  manual_advance(loop, 10);
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), 2);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

static vow_value_t await_arg(void *arg) {
  return vow_await(arg);
}

TEST(test_group_that_waits_for_itself_is_refused) {
  begin(VOW_GROUP_SETTLED);
  vow_future_t *f = vow_group_join(group);
  ck_assert(vow_is_settled(f)); /* so another one */
  vow_drop(f);
  group = vow_group_new(loop, VOW_GROUP_SETTLED);
  job_t job = {5, 0, 0};
  vow_group_go(group, work, &job);
  f = vow_group_join(group);
  vow_future_t *task = vow_go(loop, await_arg, vow_ref(f));
  manual_drain(loop);
  ck_assert_int_eq(vow_group_add(group, task), VOW_ECYCLE);
  manual_advance(loop, 10);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

static int reported;

static void count_report(vow_future_t *f, void *arg) {
  (void)arg;
  reported = vow_status(f);
}

TEST(test_group_background_reports_failures_and_stays_flat) {
  vow_loop_options_t options = {.on_unhandled = count_report};
  loop = manual_loop_with(&options);
  group = vow_group_new(loop, VOW_GROUP_BACKGROUND);
  job_t job = {1, UV_EIO, 0};
  vow_group_go(group, work, &job);
  manual_advance(loop, 1);
  ck_assert_int_eq(reported, UV_EIO);
  job.code = 0;
  fault_install();
  for (int i = 0; i < 1000; i++) {
    vow_group_go(group, work, &job);
    manual_advance(loop, 1);
  }
  long live = fault_live();
  for (int i = 0; i < 1000; i++) {
    vow_group_go(group, work, &job);
    manual_advance(loop, 1);
  }
  ck_assert_int_eq(fault_live(), live);
  vow_future_t *f = vow_group_join(group);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

/* ---- vow_group_start ------------------------------------------------------- */

static vow_value_t serve(void *arg) {
  job_t *job = arg;
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 10));
  if (job->code != 0) return vow_fail(job->code);
  if (job->ms == 0) return vow_nil(); /* forgets its word */
  ck_assert_int_eq(vow_task_started(vow_int(80)), 0);
  ck_assert_int_eq(vow_task_started(vow_int(81)), VOW_ESETTLED);
  return work(arg);
}

TEST(test_group_start_gives_the_word_of_the_task) {
  job_t job = {50, 0, 0};
  begin(VOW_GROUP_ALL);
  vow_future_t *word = vow_group_start(group, serve, &job, count_drop);
  manual_advance(loop, 10);
  ck_assert_int_eq(vow_get_int(word), 80);
  vow_drop(word); /* the task goes on */
  vow_future_t *f = vow_group_join(group);
  manual_advance(loop, 50);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(job.ended, 1);
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_start_failure_before_the_word_is_the_starters) {
  job_t job = {50, UV_EADDRINUSE, 0};
  begin(VOW_GROUP_ALL);
  vow_future_t *word = vow_group_start(group, serve, &job, count_drop);
  manual_advance(loop, 10);
  ck_assert_int_eq(vow_status(word), UV_EADDRINUSE);
  vow_drop(word);
  vow_future_t *f = vow_group_join(group);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_start_end_without_the_word_is_broken) {
  job_t job = {0, 0, 0};
  begin(VOW_GROUP_ALL);
  vow_future_t *word = vow_group_start(group, serve, &job, count_drop);
  manual_advance(loop, 10);
  ck_assert_int_eq(vow_status(word), VOW_EBROKEN);
  vow_drop(word);
  vow_drop(vow_group_join(group));
  manual_done(loop);
}
END_TEST

TEST(test_group_start_dropped_before_the_word_cancels_the_task) {
  job_t job = {50, 0, 0};
  begin(VOW_GROUP_ALL);
  vow_future_t *word = vow_group_start(group, serve, &job, count_drop);
  manual_advance(loop, 5);
  vow_drop(word);
  manual_drain(loop);
  ck_assert_int_eq(drops, 1);
  vow_future_t *f = vow_group_join(group);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_start_unwanted_before_the_first_step_never_runs) { /* Rule 18 */
  job_t job = {50, 0, 0};
  begin(VOW_GROUP_ALL);
  vow_future_t *word = vow_group_start(group, work, &job, count_drop);
  vow_drop(vow_group_start(group, work, &job, count_drop));
  vow_cancel(word);
  manual_advance(loop, 100);
  ck_assert(vow_is_cancelled(word));
  vow_drop(word);
  ck_assert_int_eq(job.ended, 0);
  ck_assert_int_eq(drops, 2);
  vow_future_t *f = vow_group_join(group);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

static vow_value_t start_unwanted(void *arg) {
  vow_future_t **word = arg;
  vow_cancel(*word);
  ck_assert_int_eq(vow_task_started(vow_int(1)), UV_ECANCELED);
  ck_assert_int_eq(vow_await_status(vow_sleep(loop, 50)), UV_ECANCELED);
  return vow_cancelled(0);
}

TEST(test_group_start_unwanted_as_the_word_is_given_is_cancelled) {
  vow_future_t *word;
  begin(VOW_GROUP_ALL);
  word = vow_group_start(group, start_unwanted, &word, count_drop);
  vow_future_t *f = vow_group_join(group);
  manual_drain(loop);
  ck_assert(vow_is_cancelled(word));
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(word);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_start_failure_is_no_success_of_the_group) {
  job_t bad = {50, UV_EADDRINUSE, 0}, good = {80, 0, 0};
  begin(VOW_GROUP_FIRST);
  vow_future_t *word = vow_group_start(group, serve, &bad, count_drop);
  vow_group_go(group, work, &good);
  vow_future_t *f = vow_group_join(group);
  manual_advance(loop, 100);
  ck_assert_int_eq(vow_status(word), UV_EADDRINUSE);
  ck_assert_int_eq(vow_get_int(f), 80);
  vow_drop(word);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_started_in_another_task_is_refused) {
  loop = manual_loop();
  ck_assert_int_eq(vow_task_started(vow_nil()), UV_EINVAL);
  manual_done(loop);
}
END_TEST

/* ---- vow_group_open -------------------------------------------------------- */

/* A member's job lies on the stack of the task that started it. */
static vow_value_t leave_early(void *arg) {
  job_t job = {1000, 0, 0};
  vow_group_t *g = vow_group_open(VOW_GROUP_ALL);
  vow_group_go(g, work, &job, count_drop);
  vow_await_status(vow_sleep(vow_task_loop(), 10));
  (void)arg;
  return vow_fail(UV_EPROTO);
}

TEST(test_group_open_early_return_waits_for_members) {
  loop = manual_loop();
  drops = 0;
  vow_future_t *f = vow_go(loop, leave_early, NULL);
  manual_advance(loop, 20);
  ck_assert_int_eq(vow_status(f), UV_EPROTO);
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

static vow_value_t join_in_scope(void *arg) {
  job_t jobs[2] = {{10, 0, 0}, {20, 0, 0}};
  int64_t *limit_ms = arg;
  vow_group_t *g = vow_group_open(VOW_GROUP_ALL);
  for (int i = 0; i < 2; i++) vow_group_go(g, work, &jobs[i]);
  return vow_await(vow_timeout(vow_group_join(g), *limit_ms));
}

TEST(test_group_open_join_gives_the_outcome) {
  int64_t limit_ms = 100;
  loop = manual_loop();
  vow_future_t *f = vow_go(loop, join_in_scope, &limit_ms);
  manual_advance(loop, 50);
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), 2);
  vow_drop(f);
  limit_ms = 15;
  f = vow_go(loop, join_in_scope, &limit_ms);
  manual_advance(loop, 50);
  ck_assert_int_eq(vow_status(f), UV_ETIMEDOUT);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_group_open_outside_of_a_task_is_refused) {
  ck_assert_ptr_null(vow_group_open(VOW_GROUP_ALL));
}
END_TEST

TEST(test_group_member_that_got_no_memory_fails_the_group) {
  job_t job = {10, 0, 0};
  fault_install();
  begin(VOW_GROUP_SETTLED);
  vow_group_go(group, work, &job);
  fault_fail_at(1);
  ck_assert_int_eq(vow_group_add(group, vow_never(loop)), UV_ENOMEM);
  fault_off();
  vow_future_t *f = vow_group_join(group);
  manual_advance(loop, 10);
  ck_assert_int_eq(vow_status(f), UV_ENOMEM);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

/* Everything of a group, with the nth allocation failing. */
static bool try_group(unsigned n) {
  job_t jobs[3] = {{10, 0, 0}, {20, 0, 0}, {30, 0, 0}};
  int added = 0, err = 0;
  vow_task_trim();
  loop = manual_loop_probe();
  drops = 0;
  fault_fail_at(n);
  group = vow_group_new(loop, VOW_GROUP_ALL);
  vow_future_t *word = NULL, *f = NULL;
  if (group != NULL) {
    for (int i = 0; i < 2; i++) {
      err |= vow_group_go(group, work, &jobs[i], count_drop);
      added++;
    }
    word = vow_group_start(group, serve, &jobs[2], count_drop);
    added++;
    f = vow_group_join(group);
  }
  manual_advance(loop, 100);
  fault_off();
  if (f != NULL) ck_assert(vow_is_settled(f));
  bool ok =
      f != NULL && err == 0 && vow_status(f) == 0 && vow_status(word) == 0;
  vow_drop(word);
  vow_drop(f);
  manual_done(loop);
  ck_assert_int_eq(drops, added);
  return ok;
}

TEST(test_group_out_of_memory_loses_nothing) {
  unsigned n = 1;
  fault_install();
  while (!try_group(n)) {
    n++;
    ck_assert_uint_lt(n, 100);
  }
  ck_assert_uint_gt(n, 10);
  vow_task_trim();
  ck_assert_int_eq(fault_live(), 0);
}
END_TEST

SUITE(task_group) {
  ADD(test_group_all_gives_values_in_order_of_adding);
  ADD(test_group_all_first_failure_cancels_siblings);
  ADD(test_group_all_keeps_errors_in_order_of_arrival);
  ADD(test_group_settled_keeps_every_outcome);
  ADD(test_group_first_success_cancels_the_others);
  ADD(test_group_first_all_fail_gives_every_cause);
  ADD(test_group_empty_settles_at_once);
  ADD(test_group_cancelled_member_is_no_failure);
  ADD(test_group_cancel_reaches_members_with_the_reason);
  ADD(test_group_drop_join_cancels_members);
  ADD(test_group_free_cancels_members);
  ADD(test_group_timeout_waits_for_members_to_unwind);
  ADD(test_group_member_adds_after_join);
  ADD(test_group_that_waits_for_itself_is_refused);
  ADD(test_group_background_reports_failures_and_stays_flat);
  ADD(test_group_start_gives_the_word_of_the_task);
  ADD(test_group_start_failure_before_the_word_is_the_starters);
  ADD(test_group_start_end_without_the_word_is_broken);
  ADD(test_group_start_dropped_before_the_word_cancels_the_task);
  ADD(test_group_start_unwanted_before_the_first_step_never_runs);
  ADD(test_group_start_unwanted_as_the_word_is_given_is_cancelled);
  ADD(test_group_start_failure_is_no_success_of_the_group);
  ADD(test_group_started_in_another_task_is_refused);
  ADD(test_group_out_of_memory_loses_nothing);
  ADD(test_group_open_early_return_waits_for_members);
  ADD(test_group_open_join_gives_the_outcome);
  ADD(test_group_open_outside_of_a_task_is_refused);
  ADD(test_group_member_that_got_no_memory_fails_the_group);
}

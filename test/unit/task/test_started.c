/* SPDX-License-Identifier: MIT */
/* Tests of vow_group_start where its word goes in circles, or memory is short. */
#include "support/fault.h"
#include "unit/task/helpers.h"

#include <vow/gather.h>
#include <vow/group.h>

static vow_group_t *group;
static vow_future_t *word;

static void begin_group(void) {
  begin();
  group = vow_group_new(loop, VOW_GROUP_ALL);
  ck_assert_ptr_nonnull(group);
}

/* The group ends well, and nothing is left. */
static void end_group(void) {
  vow_future_t *f = vow_group_join(group);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  done();
}

/* ---- circles -------------------------------------------------------------- */

static vow_value_t await_own_word(void *arg) {
  int *ret_code = arg;
  *ret_code = vow_await_status(vow_ref(word));
  vow_task_started(vow_int(5));
  return vow_nil();
}

TEST(test_group_start_task_that_awaits_its_own_word_is_told) {
  int code = 0;
  begin_group();
  word = vow_group_start(group, await_own_word, &code);
  manual_drain(loop);
  ck_assert_int_eq(code, VOW_ECYCLE);
  EXPECT_INT(word, 5);
  end_group();
}

static vow_value_t await_detour(void *arg) {
  int *ret_code = arg;
  *ret_code = vow_await_status(
      vow_gather_of(loop, vow_ref(word), vow_never(vow_task_loop())));
  vow_task_started(vow_int(5));
  return vow_nil();
}

TEST(test_group_start_task_that_awaits_its_word_by_a_detour_is_told) {
  int code = 0;
  begin_group();
  word = vow_group_start(group, await_detour, &code);
  manual_drain(loop);
  ck_assert_int_eq(code, VOW_ECYCLE);
  EXPECT_INT(word, 5);
  end_group();
}

/* ---- too late ------------------------------------------------------------- */

static vow_value_t give_word_late(void *arg) {
  *(int *)arg = vow_task_started(vow_int(5));
  return vow_nil();
}

static vow_value_t forget_word(void *arg) {
  VOW_TRY_CODE(vow_defer(give_word_late, arg));
  return vow_fail(UV_EPROTO);
}

TEST(test_group_start_word_in_clean_up_is_too_late) {
  int code = 0;
  begin_group();
  word = vow_group_start(group, forget_word, &code);
  manual_drain(loop);
  EXPECT_FAILED(word, UV_EPROTO);
  ck_assert_int_eq(code, VOW_ESETTLED);
  end_group();
}

/* ---- cancelled ------------------------------------------------------------ */

static vow_value_t unwind_slowly(void *arg) {
  VOW_TRY_CODE(vow_defer(note_slowly, "gone"));
  (void)arg;
  return vow_await(vow_never(loop));
}

TEST(test_group_start_cancelled_word_settles_when_the_task_has_unwound) {
  begin_group();
  word = vow_group_start(group, unwind_slowly, NULL, count_drop);
  drops = 0;
  manual_drain(loop);
  vow_cancel(word);
  manual_drain(loop);
  ck_assert(!vow_is_settled(word));
  manual_advance(loop, 50);
  ck_assert(vow_is_cancelled(word));
  ck_assert_int_eq(drops, 1);
  vow_drop(word);
  end_group();
}

/* ---- out of memory -------------------------------------------------------- */

static vow_value_t start_with_locals(void *arg) {
  static const vow_local_t key = {"inherited", true};
  size_t n = *(const size_t *)arg;
  VOW_TRY_CODE(vow_local_set(&key, vow_int(1)));
  fault_fail_at(n);
  word = vow_group_start(group, give_seven, NULL, count_drop);
  fault_off();
  return vow_nil();
}

/* True when nothing was left to fail. */
static bool try_start(size_t n) {
  vow_future_t *f;
  int code;
  loop = manual_loop_probe();
  drops = 0;
  group = vow_group_new(loop, VOW_GROUP_BACKGROUND);
  f = vow_go(loop, start_with_locals, &n);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  ck_assert_int_eq(drops, 1);
  code = vow_status(word);
  vow_drop(word);
  vow_group_free(group);
  manual_drain(loop);
  done();
  return code == VOW_EBROKEN;
}

TEST(test_group_start_out_of_memory_with_locals_loses_nothing) {
  size_t n = 1;
  fault_install();
  while (!try_start(n)) ck_assert_uint_lt(++n, 30);
  ck_assert_uint_gt(n, 4);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- destructors that interfere -------------------------------------------- */

static int late_code;

static void start_late(void *p) {
  (void)p;
  late_code = vow_task_started(vow_int(7));
}

static vow_value_t start_and_leave_a_local(void *arg) {
  static const vow_type_t type = {"late", start_late, NULL, NULL};
  static const vow_local_t key = {"late", false};
  VOW_TRY_CODE(vow_local_set(&key, vow_ptr(&late_code, &type)));
  (void)arg;
  vow_task_started(vow_int(1));
  vow_yield();
  return vow_nil();
}

static vow_value_t await_start(void *arg) {
  (void)arg;
  return vow_await(vow_group_start(group, start_and_leave_a_local, NULL));
}

/* By then nobody holds the word any more. */
TEST(test_group_start_word_in_a_destructor_is_too_late) {
  vow_future_t *f;
  begin_group();
  late_code = 0;
  f = vow_go(loop, await_start, NULL);
  manual_drain(loop);
  EXPECT_INT(f, 1);
  manual_drain(loop);
  ck_assert_int_eq(late_code, VOW_ESETTLED);
  end_group();
}

static void free_group(void *arg) {
  (void)arg;
  drops++;
  vow_group_free(group);
}

/* True when nothing was left to fail. */
static bool try_member(size_t n, bool start) {
  vow_future_t *f = NULL;
  bool failed;
  loop = manual_loop_probe();
  drops = 0;
  group = vow_group_new(loop, VOW_GROUP_ALL);
  fault_fail_at(n);
  if (start)
    f = vow_group_start(group, give_seven, NULL, free_group);
  else
    (void)vow_group_go(group, give_seven, NULL, free_group);
  failed = fault_failed() > 0;
  fault_off();
  manual_drain(loop);
  ck_assert_int_eq(drops, 1);
  vow_drop(f);
  manual_drain(loop);
  done();
  return !failed;
}

TEST(test_group_member_arg_that_gives_the_group_up_for_want_of_memory) {
  fault_install();
  for (int start = 0; start <= 1; start++) {
    size_t n = 1;
    while (!try_member(n, start != 0)) ck_assert_uint_lt(++n, 20);
    ck_assert_uint_gt(n, 2);
  }
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- without a body's end ---------------------------------------------------- */

static vow_value_t wait_for_ever(void *arg) {
  (void)arg;
  (void)vow_await_status(vow_never(vow_task_loop()));
  return vow_nil();
}

TEST(test_group_start_word_of_a_cancelled_group_is_cancelled) {
  begin_group();
  word = vow_group_start(group, wait_for_ever, NULL);
  manual_drain(loop);
  vow_group_cancel(group, UV_ECANCELED);
  manual_drain(loop);
  ck_assert(vow_is_cancelled(word));
  vow_drop(word);
  vow_group_free(group);
  manual_drain(loop);
  done();
}

TEST(test_group_start_without_a_stack_says_so) {
  fault_install();
  begin_group();
  vow_task_trim();
  word = vow_group_start(group, give_seven, NULL);
  fault_fail_at(1);
  manual_drain(loop);
  ck_assert_uint_eq(fault_failed(), 1);
  fault_off();
  EXPECT_FAILED(word, UV_ENOMEM);
  vow_group_free(group);
  manual_drain(loop);
  done();
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(task_started) {
  ADD(test_group_start_word_of_a_cancelled_group_is_cancelled);
  ADD(test_group_start_without_a_stack_says_so);
  ADD(test_group_start_word_in_a_destructor_is_too_late);
  ADD(test_group_member_arg_that_gives_the_group_up_for_want_of_memory);
  ADD(test_group_start_task_that_awaits_its_own_word_is_told);
  ADD(test_group_start_task_that_awaits_its_word_by_a_detour_is_told);
  ADD(test_group_start_word_in_clean_up_is_too_late);
  ADD(test_group_start_cancelled_word_settles_when_the_task_has_unwound);
  ADD(test_group_start_out_of_memory_with_locals_loses_nothing);
}

/* SPDX-License-Identifier: MIT */
/* What the tests of groups share: the group at hand, and members that sleep. */
#ifndef VOW_TEST_TASK_GROUP_HELPERS_H
#define VOW_TEST_TASK_GROUP_HELPERS_H

#include "unit/core/helpers.h"

#include <vow/group.h>

/** Of the test at hand. */
static vow_loop_t *loop;
static vow_group_t *group;

/** A member: sleeps for ms, and notes in ended how it went. */
typedef struct job {
  uint64_t ms;
  int code; /* 0: succeeds with ms */
  int ended;
} job_t;

static inline vow_value_t work(void *arg) {
  job_t *job = arg;
  int code = vow_await_status(vow_sleep(vow_task_loop(), job->ms));
  job->ended = code != 0 ? code : 1;
  if (code != 0) return vow_cancelled(code);
  return job->code != 0 ? vow_fail(job->code) : vow_int((int64_t)job->ms);
}

static int drops;

static inline void count_drop(void *arg) {
  (void)arg;
  drops++;
}

static inline void begin(vow_group_policy_t policy) {
  loop = manual_loop();
  drops = 0;
  group = vow_group_new(loop, policy);
  ck_assert_ptr_nonnull(group);
}

#endif

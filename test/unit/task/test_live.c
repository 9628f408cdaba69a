/* SPDX-License-Identifier: MIT */
/* Very many tasks: alive at once, and one after the other; and the memory that
 * they take. */
#include "unit/task/helpers.h"

#include "task/task.h"

/* Of a live idle task, beyond its cell. */
#define IDLE_BYTES_MAX 4608

static size_t resident_bytes(void) {
  size_t size = 0, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL) return 0;
  if (fscanf(file, "%zu %zu", &size, &resident) != 2) resident = 0;
  fclose(file);
  return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static vow_value_t await_shared(void *arg) {
  return vow_await(vow_ref(arg));
}

/* Starts n tasks that all await one promise; measures what begins with their
 * first step. */
static void be_idle(size_t n) {
  vow_future_t **f = malloc(n * sizeof(vow_future_t *));
  size_t before, bytes;
  pair_t x;
  begin();
  ck_assert_ptr_nonnull(f);
  x = pair(loop);
  for (size_t i = 0; i < n; i++) f[i] = vow_go(loop, await_shared, x.f);
  before = resident_bytes();
  manual_drain(loop);
  bytes = resident_bytes() - before;
  for (size_t i = 0; i < n; i++) ck_assert_int_eq(vow_state(f[i]), VOW_PENDING);
  /* Where numbers are small for being quick, tools have their own memory. */
  if (!test_is_quick()) ck_assert_uint_le(bytes / n, IDLE_BYTES_MAX);
  vow_promise_finish(x.p, vow_int(3));
  manual_drain(loop);
  for (size_t i = 0; i < n; i++) EXPECT_INT(f[i], 3);
  vow_drop(x.f);
  free(f);
  done();
}

TEST(test_live_100000_idle_tasks_on_one_loop) {
  be_idle(test_scale(100000));
}

TEST(test_live_100000_idle_tasks_where_guards_are_few) {
  atomic_store(&vow__stack_no_markers, true);
  be_idle(test_scale(100000));
  atomic_store(&vow__stack_no_markers, false);
}

TEST(test_live_100000_idle_tasks_are_cancelled_by_closing) {
  size_t n = test_scale(100000);
  begin();
  vow_future_t *never = vow_never(loop);
  for (size_t i = 0; i < n; i++) vow_detach(vow_go(loop, await_shared, never));
  manual_drain(loop);
  vow_drop(never);
  manual_close(loop);
  vow_task_trim();
}

/* ---- one after the other -------------------------------------------------- */

static vow_value_t yield_twice(void *arg) {
  vow_yield();
  vow_yield();
  ++*(size_t *)arg;
  return vow_nil();
}

/* n tasks, batch of them at a time. */
static void come_and_go(size_t n, size_t batch, vow_task_cb body) {
  size_t ended = 0, resident = 0;
  long bytes = 0;
  fault_install();
  begin();
  for (size_t i = 0; i < n; i += batch) {
    for (size_t k = 0; k < batch; k++) vow_detach(vow_go(loop, body, &ended));
    manual_drain(loop);
    if (i > 0) continue;
    bytes = fault_live_bytes();
    resident = resident_bytes();
  }
  ck_assert_int_eq(fault_live_bytes(), bytes);
  if (!test_is_quick())
    ck_assert_uint_le(resident_bytes(), resident + (1 << 20));
  ck_assert_uint_ge(ended, n);
  done();
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static vow_value_t count_one(void *arg) {
  ++*(size_t *)arg;
  return vow_nil();
}

TEST(test_live_1000000_tasks_that_end_at_once_leave_memory_flat) {
  come_and_go(test_scale(1000000), 100, count_one);
}

TEST(test_live_1000000_tasks_500_at_a_time_leave_memory_flat) {
  come_and_go(test_scale(1000000), 500, yield_twice);
}

TEST(test_live_tasks_in_bursts_beyond_what_is_kept_leave_memory_flat) {
  come_and_go(test_scale(200000), 5000, yield_twice);
}

SUITE(task_live) {
  ADD(test_live_100000_idle_tasks_on_one_loop);
  ADD(test_live_100000_idle_tasks_where_guards_are_few);
  ADD(test_live_100000_idle_tasks_are_cancelled_by_closing);
  ADD(test_live_1000000_tasks_that_end_at_once_leave_memory_flat);
  ADD(test_live_1000000_tasks_500_at_a_time_leave_memory_flat);
  ADD(test_live_tasks_in_bursts_beyond_what_is_kept_leave_memory_flat);
}

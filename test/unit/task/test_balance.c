/* SPDX-License-Identifier: MIT */
/* A program of tasks that uses every lock, channel and resource: each of its
 * tasks is cancelled at each step that it takes, the loop is closed at each
 * step, each allocation fails. Afterwards permits, items and resources balance,
 * and nothing is left. The tasks themselves are in balance.h. */
#include "unit/task/balance.h"

/* One more step of a test that takes all of them; larger ones under
 * valgrind. */
static size_t stride(void) {
  return test_is_quick() ? 13 : 1;
}

/* Nothing is held, waits or is left: rule 20. */
static void check(const world_t *w) {
  ck_assert(!vow_mutex_is_held(w->mutex));
  ck_assert_uint_eq(vow_mutex_waiting(w->mutex), 0);
  ck_assert_uint_eq(vow_rwlock_readers(w->rwlock), 0);
  ck_assert(!vow_rwlock_is_written(w->rwlock));
  ck_assert_uint_eq(vow_rwlock_waiting(w->rwlock), 0);
  ck_assert_uint_eq(vow_semaphore_available(w->semaphore), PERMITS);
  ck_assert_uint_eq(vow_semaphore_waiting(w->semaphore), 0);
  ck_assert_uint_eq(vow_condition_waiting(w->condition), 0);
  ck_assert_uint_eq(vow_queue_gets_waiting(w->queue), 0);
  ck_assert_uint_eq(vow_queue_puts_waiting(w->queue), 0);
  ck_assert_uint_eq(vow_broadcast_readers(w->channel), 0);
  ck_assert_int_eq(w->inside, 0);
  ck_assert_int_eq(w->opened, w->closed);
  ck_assert_int_eq(w->generators, 0);
  ck_assert_int_eq(items_made, items_freed + (int)vow_queue_length(w->queue));
}

/* With probe every cell asks vow's allocator. */
static vow_loop_t *loop_open(bool probe) {
  vow_loop_options_t options = {
      .step_budget = 1, .probe_cells = probe, .on_unhandled = ignore_unhandled};
  vow_loop_t *loop = NULL;
  ck_assert_int_eq(vow_loop_new_virtual(&options, &loop), 0);
  return loop;
}

/* Takes n steps; false when there are not so many. */
static bool run_steps(vow_loop_t *loop, size_t n) {
  vow_driver_t *d = vow_loop_driver(loop);
  while (n-- > 0)
    if (!vow_loop_step(loop) && !d->turn(d, true, false)) return false;
  return true;
}

static void run_out(vow_loop_t *loop) {
  while (run_steps(loop, 1000)) {
  }
}

static bool all_settled(const world_t *w) {
  for (size_t i = 0; i < TASKS; i++)
    if (!vow_is_settled(w->tasks[i])) return false;
  return true;
}

/* Nobody waits for what could be had. */
static void check_waiting(const world_t *w) {
  size_t free_permits = vow_semaphore_available(w->semaphore);
  size_t length = vow_queue_length(w->queue);
  if (vow_mutex_waiting(w->mutex) > 0) ck_assert(vow_mutex_is_held(w->mutex));
  if (vow_rwlock_waiting(w->rwlock) > 0)
    ck_assert(vow_rwlock_readers(w->rwlock) > 0 ||
              vow_rwlock_is_written(w->rwlock));
  if (vow_semaphore_waiting(w->semaphore) > 0)
    ck_assert_uint_lt(free_permits, PERMITS);
  if (vow_queue_gets_waiting(w->queue) > 0) ck_assert_uint_eq(length, 0);
  if (vow_queue_puts_waiting(w->queue) > 0)
    ck_assert_uint_eq(length, vow_queue_capacity(w->queue));
}

/* Some may wait in vain for one that was cancelled. */
static void end_all(world_t *w, vow_loop_t *loop) {
  run_out(loop);
  check_waiting(w);
  for (size_t i = 0; i < TASKS; i++) vow_cancel(w->tasks[i]);
  run_out(loop);
  ck_assert(all_settled(w));
  tasks_drop(w);
}

static void loop_done(vow_loop_t *loop) {
  run_out(loop);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  ck_assert_int_eq(vow_loop_close(loop, 60000), 0);
  vow_task_trim();
  ck_assert_int_eq(items_made, items_freed);
}

static vow_thread_pool_t *pool_new(void) {
  vow_thread_pool_options_t options = {.threads = 1, .name = "balance"};
  vow_thread_pool_t *pool = NULL;
  ck_assert_int_eq(vow_thread_pool_new(&options, &pool), 0);
  return pool;
}

static void pool_done(vow_thread_pool_t *pool) {
  ck_assert_int_eq(vow_thread_pool_close_blocking(pool, VOW_POOL_FINISH, 60000),
                   0);
  vow_thread_pool_free(pool);
}

/* For which of its objects somebody waits now, as bits. */
static unsigned waited_for(const world_t *w) {
  return (unsigned)(vow_mutex_waiting(w->mutex) > 0) |
         (unsigned)(vow_rwlock_waiting(w->rwlock) > 1) << 1 |
         (unsigned)(vow_semaphore_waiting(w->semaphore) > 1) << 2 |
         (unsigned)(vow_condition_waiting(w->condition) > 0) << 3 |
         (unsigned)(vow_queue_gets_waiting(w->queue) > 0) << 4 |
         (unsigned)(vow_queue_puts_waiting(w->queue) > 0) << 5;
}

TEST(test_balance_program_undisturbed_finishes) {
  unsigned waited = 0;
  vow_thread_pool_t *pool = pool_new();
  vow_loop_t *loop = loop_open(false);
  world_t w;
  ck_assert(world_begin(&w, loop, pool));
  tasks_begin(&w);
  while (run_steps(loop, 1)) waited |= waited_for(&w);
  ck_assert_uint_eq(waited, 0x3f); /* or else it is no test of them */
  for (size_t i = 0; i < TASKS; i++)
    ck_assert_msg(vow_status(w.tasks[i]) == 0, "task %zu: %s", i,
                  vow_error_message(vow_error(w.tasks[i])));
  ck_assert_int_eq(w.handled, ITEMS);
  ck_assert_int_eq(w.heard, ITEMS * READERS);
  ck_assert_int_eq(w.opened, WRITES);
  ck_assert_uint_eq(vow_queue_unfinished(w.queue), 0);
  tasks_drop(&w);
  check(&w);
  world_free(&w);
  loop_done(loop);
  pool_done(pool);
}
END_TEST

/* False when the program had ended before step n. */
static bool cancelled_after(vow_thread_pool_t *pool, size_t n, size_t task,
                            bool drop) {
  vow_loop_t *loop = loop_open(false);
  world_t w;
  bool hit;
  ck_assert(world_begin(&w, loop, pool));
  tasks_begin(&w);
  hit = run_steps(loop, n);
  vow_cancel(w.tasks[task]);
  if (drop) {
    vow_drop(w.tasks[task]);
    w.tasks[task] = vow_ready(loop, vow_nil());
  }
  end_all(&w, loop);
  check(&w);
  world_free(&w);
  loop_done(loop);
  return hit;
}

static void cancel_everywhere(bool drop) {
  vow_thread_pool_t *pool = pool_new();
  for (size_t task = 0; task < TASKS; task++) {
    size_t n = test_is_quick() ? task : 0;
    while (cancelled_after(pool, n, task, drop)) n += stride();
    ck_assert_uint_gt(n, 50);
  }
  pool_done(pool);
}

/* Rules 17, 18, 20, 21 */
TEST(test_balance_each_task_cancelled_at_each_step) {
  cancel_everywhere(false);
}
END_TEST

TEST(test_balance_each_task_dropped_at_each_step) {
  cancel_everywhere(true);
}
END_TEST

TEST(test_balance_all_tasks_cancelled_at_each_step) {
  vow_thread_pool_t *pool = pool_new();
  bool hit = true;
  for (size_t n = 0; hit; n += stride()) {
    vow_loop_t *loop = loop_open(false);
    world_t w;
    ck_assert(world_begin(&w, loop, pool));
    tasks_begin(&w);
    hit = run_steps(loop, n);
    for (size_t i = TASKS; i-- > 0;) vow_task_cancel(w.tasks[i], UV_EINTR);
    run_out(loop);
    ck_assert(all_settled(&w));
    tasks_drop(&w);
    check(&w);
    world_free(&w);
    loop_done(loop);
  }
  pool_done(pool);
}
END_TEST

TEST(test_balance_channels_shut_down_at_each_step) {
  vow_thread_pool_t *pool = pool_new();
  bool hit = true;
  for (size_t n = 0; hit; n += stride()) {
    vow_loop_t *loop = loop_open(false);
    world_t w;
    ck_assert(world_begin(&w, loop, pool));
    tasks_begin(&w);
    hit = run_steps(loop, n);
    ck_assert_int_eq(vow_queue_shutdown_now(w.queue), 0);
    ck_assert_int_eq(vow_broadcast_close(w.channel), 0);
    end_all(&w, loop);
    check(&w);
    world_free(&w);
    loop_done(loop);
  }
  pool_done(pool);
}
END_TEST

TEST(test_balance_loop_closed_at_each_step) { /* Rule 22 */
  vow_thread_pool_t *pool = pool_new();
  bool hit = true;
  for (size_t n = 0; hit; n += stride()) {
    vow_loop_t *loop = loop_open(false);
    world_t w;
    ck_assert(world_begin(&w, loop, pool));
    tasks_begin(&w);
    hit = run_steps(loop, n);
    ck_assert_int_eq(vow_loop_close(loop, 60000), 0);
    ck_assert(all_settled(&w));
    tasks_drop(&w);
    check(&w);
    world_free(&w);
    vow_task_trim();
    ck_assert_int_eq(items_made, items_freed);
  }
  pool_done(pool);
}
END_TEST

/* False when so many allocations were not tried. */
static bool starved_at(vow_thread_pool_t *pool, size_t n, bool for_good) {
  vow_loop_t *loop = loop_open(true);
  world_t w;
  bool hit;
  if (for_good)
    fault_fail_from(n);
  else
    fault_fail_at(n);
  if (world_begin(&w, loop, pool)) {
    tasks_begin(&w);
    end_all(&w, loop);
    check(&w);
  }
  hit = fault_failed() > 0;
  fault_off();
  world_free(&w);
  loop_done(loop);
  return hit;
}

static void starve_everywhere(bool for_good) {
  vow_thread_pool_t *pool;
  size_t n = 1;
  fault_install();
  pool = pool_new();
  while (starved_at(pool, n, for_good)) n += stride();
  ck_assert_uint_gt(n, 150);
  pool_done(pool);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_balance_each_allocation_fails) {
  starve_everywhere(false);
}
END_TEST

TEST(test_balance_each_allocation_and_all_behind_it_fail) {
  starve_everywhere(true);
}
END_TEST

SUITE(task_balance) {
  tcase_set_timeout(test_tcase, 120);
  ADD(test_balance_program_undisturbed_finishes);
  ADD(test_balance_each_task_cancelled_at_each_step);
  ADD(test_balance_each_task_dropped_at_each_step);
  ADD(test_balance_all_tasks_cancelled_at_each_step);
  ADD(test_balance_channels_shut_down_at_each_step);
  ADD(test_balance_loop_closed_at_each_step);
  ADD(test_balance_each_allocation_fails);
  ADD(test_balance_each_allocation_and_all_behind_it_fail);
}

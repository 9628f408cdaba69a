/* SPDX-License-Identifier: MIT */
/* The short cuts of tasks to locks and queues: with and without waiting, and
 * under cancellation. */
#include "unit/core/helpers.h"

#include <vow/task_sync.h>

static vow_loop_t *loop;
static vow_mutex_t *mutex;
static vow_semaphore_t *semaphore;
static vow_queue_t *queue;
static int inside, most, rounds;

static void begin(void) {
  loop = manual_loop();
  mutex = vow_mutex_new(loop);
  semaphore = vow_semaphore_new(loop, 3);
  queue = vow_queue_new(loop, VOW_FIFO, 4);
  inside = most = rounds = 0;
}

static void done(void) {
  ck_assert(!vow_mutex_is_held(mutex)); /* Rule 20 */
  ck_assert_uint_eq(vow_mutex_waiting(mutex), 0);
  ck_assert_uint_eq(vow_semaphore_available(semaphore), 3);
  ck_assert_uint_eq(vow_semaphore_waiting(semaphore), 0);
  vow_mutex_free(mutex);
  vow_semaphore_free(semaphore);
  vow_queue_free(queue);
  manual_done(loop);
}

static vow_value_t locked(void *arg) {
  (void)arg;
  for (int i = 0; i < 10; i++) {
    int code = vow_await_lock(mutex);
    if (code != 0) return vow_cancelled(code);
    if (++inside > most) most = inside;
    vow_yield();
    inside--;
    rounds++;
    ck_assert_int_eq(vow_mutex_release(mutex), 0);
  }
  return vow_nil();
}

static vow_value_t permitted(void *arg) {
  size_t n = *(size_t *)arg;
  int code = vow_await_permits(semaphore, n);
  if (code != 0) return vow_cancelled(code);
  inside += (int)n;
  if (inside > most) most = inside;
  vow_yield();
  inside -= (int)n;
  rounds++;
  ck_assert_int_eq(vow_semaphore_release(semaphore, n), 0);
  return vow_nil();
}

/* Runs n tasks; cancels each one that cancel_at counts out. */
static void run_many(vow_task_cb body, void *arg, int n, int cancel_at) {
  vow_future_t *f[16];
  begin();
  for (int i = 0; i < n; i++) f[i] = vow_go(loop, body, arg);
  for (int i = 0; i < 20; i++) vow_loop_step(loop);
  for (int i = 0; cancel_at > 0 && i < n; i += cancel_at) vow_cancel(f[i]);
  manual_drain(loop);
  for (int i = 0; i < n; i++) {
    ck_assert(vow_is_settled(f[i]));
    vow_drop(f[i]);
  }
}

TEST(test_await_lock_lets_one_in_at_a_time) {
  run_many(locked, NULL, 5, 0);
  ck_assert_int_eq(most, 1);
  ck_assert_int_eq(rounds, 50);
  done();
}
END_TEST

TEST(test_await_lock_cancelled_tasks_leave_it_free) {
  run_many(locked, NULL, 8, 2);
  ck_assert_int_eq(most, 1);
  ck_assert_int_ge(rounds, 40);
  done();
}
END_TEST

TEST(test_await_permits_keeps_to_the_number) {
  size_t n = 2;
  run_many(permitted, &n, 10, 0);
  ck_assert_int_eq(most, 2);
  ck_assert_int_eq(rounds, 10);
  n = 1;
  done();
  run_many(permitted, &n, 10, 3);
  ck_assert_int_eq(most, 3);
  done();
}
END_TEST

static vow_value_t produce(void *arg) {
  int n = *(int *)arg;
  for (int i = 0; i < n; i++) {
    int code = vow_await_put(queue, vow_int(i));
    if (code != 0) return vow_cancelled(code);
  }
  vow_queue_shutdown(queue);
  return vow_nil();
}

static vow_value_t consume(void *arg) {
  int64_t next = 0;
  (void)arg;
  for (;;) {
    vow_value_t v = vow_await_get(queue);
    if (vow_value_code(v) == VOW_ESHUTDOWN) {
      vow_value_destroy(v);
      return vow_int(next);
    }
    if (vow_value_is_failure(v)) return v;
    ck_assert_int_eq(v.as.i, next++);
  }
}

TEST(test_await_put_and_get_keep_the_order) {
  int n = 1000;
  begin();
  vow_future_t *p = vow_go(loop, produce, &n);
  vow_future_t *c = vow_go(loop, consume, NULL);
  manual_drain(loop);
  ck_assert_int_eq(vow_get_int(c), 1000);
  vow_drop(p);
  vow_drop(c);
  done();
}
END_TEST

static vow_value_t put_until_cancelled(void *arg) {
  int *puts = arg;
  vow_cancel(vow_task_current());
  for (int i = 0; i < 3; i++) *puts += vow_await_put(queue, once()) == 0;
  *puts += !vow_value_is_failure(vow_await_get(queue));
  *puts += vow_await_lock(mutex) == 0;
  *puts += vow_await_permits(semaphore, 1) == 0;
  return vow_nil();
}

TEST(test_await_short_cuts_feel_a_cancellation) { /* Rule 17 */
  int puts = 0;
  begin();
  vow_future_t *f = vow_go(loop, put_until_cancelled, &puts);
  manual_drain(loop);
  ck_assert_int_eq(puts, 0);
  ck_assert_int_eq(things_live, 0);
  vow_drop(f);
  done();
}
END_TEST

static vow_value_t count_round(vow_future_t *in, void *arg) {
  (void)in;
  *(int *)arg = rounds;
  return vow_nil();
}

/* Four refusals each, which it ignores. */
static vow_value_t go_on_and_on(void *arg) {
  vow_cancel(vow_task_current());
  for (; rounds < 100; rounds++) (void)put_until_cancelled(arg);
  return vow_nil();
}

TEST(test_await_short_cuts_refused_let_others_run) { /* Rule 17 */
  int puts = 0, seen = -1;
  begin();
  vow_future_t *f = vow_go(loop, go_on_and_on, &puts);
  vow_future_t *g = vow_then(ok(loop, 1), count_round, &seen);
  manual_drain(loop);
  ck_assert_int_eq(rounds, 100);
  ck_assert_int_eq(seen, 0);
  vow_drop(f);
  vow_drop(g);
  done();
}
END_TEST

TEST(test_await_short_cuts_outside_of_a_task_are_refused) {
  begin();
  ck_assert_int_eq(vow_await_lock(mutex), UV_EINVAL);
  ck_assert_int_eq(vow_await_permits(semaphore, 1), UV_EINVAL);
  ck_assert_int_eq(vow_await_put(queue, once()), UV_EINVAL);
  vow_value_t v = vow_await_get(queue);
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  vow_value_destroy(v);
  ck_assert_int_eq(vow_await_lock(NULL), UV_EINVAL);
  done();
}
END_TEST

SUITE(task_sync) {
  ADD(test_await_lock_lets_one_in_at_a_time);
  ADD(test_await_lock_cancelled_tasks_leave_it_free);
  ADD(test_await_permits_keeps_to_the_number);
  ADD(test_await_put_and_get_keep_the_order);
  ADD(test_await_short_cuts_feel_a_cancellation);
  ADD(test_await_short_cuts_refused_let_others_run);
  ADD(test_await_short_cuts_outside_of_a_task_are_refused);
}

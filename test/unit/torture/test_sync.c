/* SPDX-License-Identifier: MIT */
/* Locks and limits: whatever fails or is cancelled, in the end all is free and
 * nobody waits. */
#include "unit/torture/torture.h"

/* Starts a task in g, a thing with it. */
#define GO(g, body) \
  VOW_TRY_CODE(vow_group_go((g), (body), thing_arg(), thing_drop))

/* What the tasks of a scene share. */
static struct {
  vow_loop_t *loop;
  vow_mutex_t *mutex;
  vow_condition_t *condition;
  vow_semaphore_t *semaphore;
  vow_rwlock_t *rwlock;
  vow_event_t *event;
  vow_barrier_t *barrier;
  vow_rate_limiter_t *rate;
  vow_once_t *once;
  vow_limiter_t *limiter;
  int notified;
} at;

static vow_value_t hold_on(vow_value_t permit) {
  permit = vow_defer_value(permit);
  if (vow_value_is_failure(permit)) return permit;
  if (vow_yield() != 0) return vow_fail_status(vow_task_reason());
  return vow_await(vow_sleep(at.loop, 1));
}

/* ---- mutexes and conditions ------------------------------------------------ */

static vow_value_t end_mutex(void *arg) {
  (void)arg;
  ck_assert(!vow_mutex_is_held(at.mutex));
  ck_assert_uint_eq(vow_mutex_waiting(at.mutex), 0);
  vow_mutex_free(at.mutex);
  return vow_nil();
}

static vow_value_t unlock(void *arg) {
  (void)arg;
  ck_assert_int_eq(vow_mutex_release(at.mutex), 0);
  return vow_nil();
}

static vow_value_t lock_by_permit(void *arg) {
  (void)arg;
  return hold_on(vow_await(vow_mutex_acquire(at.mutex)));
}

static vow_value_t lock_by_hand(void *arg) {
  (void)arg;
  VOW_TRY_CODE(vow_await_lock(at.mutex));
  LATER(unlock, NULL);
  return vow_await(vow_sleep(at.loop, 1));
}

static vow_value_t lock_with_limit(void *arg) {
  vow_value_t v;
  (void)arg;
  v = vow_await(vow_timeout(vow_mutex_acquire(at.mutex), 1));
  if (vow_value_code(v) != UV_ETIMEDOUT) return hold_on(v);
  vow_value_destroy(v);
  return vow_nil();
}

SCENE(test_torture_mutex_is_free_in_the_end) {
  vow_group_t *g;
  at.loop = loop;
  NEED(at.mutex = vow_mutex_new(loop));
  LATER(end_mutex, NULL);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  GO(g, lock_by_permit);
  GO(g, lock_by_hand);
  GO(g, lock_with_limit);
  GO(g, lock_by_permit);
  VOW_TRY_NIL(vow_group_join(g));
  if (vow_mutex_try_acquire(at.mutex)) vow_mutex_release(at.mutex);
  return vow_nil();
}

static vow_value_t end_condition(void *arg) {
  (void)arg;
  ck_assert_uint_eq(vow_condition_waiting(at.condition), 0);
  vow_condition_free(at.condition);
  return vow_nil();
}

static vow_value_t wait_by_hand(void *arg) {
  (void)arg;
  VOW_TRY_CODE(vow_await_lock(at.mutex));
  LATER(unlock, NULL);
  while (!at.notified) VOW_TRY_NIL(vow_condition_wait(at.condition, at.mutex));
  return vow_nil();
}

static vow_value_t wait_on(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_follow(vow_condition_wait_permit(at.condition, vow_outcome(in)));
}

static vow_value_t wait_by_permit(void *arg) {
  (void)arg;
  VOW_TRY_NIL(vow_then(vow_mutex_acquire(at.mutex), wait_on, NULL));
  return vow_nil();
}

static vow_value_t notify_all(void *arg) {
  (void)arg;
  VOW_TRY_NIL(vow_sleep(at.loop, 2));
  VOW_TRY(permit, vow_mutex_acquire(at.mutex));
  at.notified = 1;
  vow_condition_notify(at.condition, 1);
  vow_condition_notify_all(at.condition);
  vow_value_destroy(permit);
  return vow_nil();
}

SCENE(test_torture_condition_gives_the_lock_back) {
  vow_group_t *g;
  at.loop = loop;
  at.notified = 0;
  NEED(at.mutex = vow_mutex_new(loop));
  LATER(end_mutex, NULL);
  NEED(at.condition = vow_condition_new(loop));
  LATER(end_condition, NULL);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  GO(g, wait_by_hand);
  GO(g, wait_by_permit);
  GO(g, wait_by_hand);
  GO(g, notify_all);
  VOW_TRY_NIL(vow_group_join(g));
  return vow_nil();
}

/* ---- semaphores ------------------------------------------------------------ */

static vow_value_t end_semaphore(void *arg) {
  (void)arg;
  ck_assert_uint_eq(vow_semaphore_available(at.semaphore), 3);
  ck_assert_uint_eq(vow_semaphore_waiting(at.semaphore), 0);
  vow_semaphore_free(at.semaphore);
  return vow_nil();
}

static vow_value_t take_two(void *arg) {
  (void)arg;
  return hold_on(vow_await(vow_semaphore_acquire(at.semaphore, 2)));
}

static vow_value_t give_three(void *arg) {
  (void)arg;
  vow_semaphore_release(at.semaphore, 3);
  return vow_nil();
}

static vow_value_t take_three(void *arg) {
  (void)arg;
  VOW_TRY_CODE(vow_await_permits(at.semaphore, 3));
  LATER(give_three, NULL);
  return vow_await(vow_sleep(at.loop, 1));
}

static vow_value_t take_one(void *arg) {
  size_t n = 0;
  (void)arg;
  if (vow_semaphore_try_acquire(at.semaphore, 1))
    vow_semaphore_release(at.semaphore, 1);
  VOW_TRY(permit, vow_semaphore_acquire(at.semaphore, 1));
  ck_assert_ptr_eq(vow_semaphore_hold(permit, &n), at.semaphore);
  vow_semaphore_release(at.semaphore, n);
  return vow_nil();
}

SCENE(test_torture_semaphore_has_all_permits_in_the_end) {
  vow_group_t *g;
  at.loop = loop;
  NEED(at.semaphore = vow_semaphore_new(loop, 3));
  LATER(end_semaphore, NULL);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  GO(g, take_two);
  GO(g, take_three);
  GO(g, take_one);
  GO(g, take_two);
  VOW_TRY_NIL(vow_group_join(g));
  return vow_nil();
}

/* ---- read-write locks ------------------------------------------------------ */

static vow_value_t end_rwlock(void *arg) {
  (void)arg;
  ck_assert_uint_eq(vow_rwlock_readers(at.rwlock), 0);
  ck_assert(!vow_rwlock_is_written(at.rwlock));
  ck_assert_uint_eq(vow_rwlock_waiting(at.rwlock), 0);
  vow_rwlock_free(at.rwlock);
  return vow_nil();
}

static vow_value_t read_it(void *arg) {
  (void)arg;
  return hold_on(vow_await(vow_rwlock_read(at.rwlock)));
}

static vow_value_t write_it(void *arg) {
  (void)arg;
  return hold_on(vow_await(vow_rwlock_write(at.rwlock)));
}

SCENE(test_torture_rwlock_is_free_in_the_end) {
  vow_group_t *g;
  at.loop = loop;
  NEED(at.rwlock = vow_rwlock_new(loop));
  LATER(end_rwlock, NULL);
  if (vow_rwlock_try_read(at.rwlock)) vow_rwlock_release_read(at.rwlock);
  if (vow_rwlock_try_write(at.rwlock)) vow_rwlock_release_write(at.rwlock);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  GO(g, read_it);
  GO(g, write_it);
  GO(g, read_it);
  GO(g, read_it);
  VOW_TRY_NIL(vow_group_join(g));
  return vow_nil();
}

/* ---- events and barriers --------------------------------------------------- */

ENDER(end_event, vow_event_t, vow_event_free)

static vow_value_t wait_event(void *arg) {
  (void)arg;
  return vow_await(vow_event_wait(at.event));
}

SCENE(test_torture_event_wakes_all) {
  vow_group_t *g;
  at.loop = loop;
  NEED(at.event = vow_event_new(loop));
  LATER(end_event, at.event);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  GO(g, wait_event);
  GO(g, wait_event);
  VOW_TRY_NIL(vow_sleep(loop, 1));
  vow_event_set(at.event);
  vow_event_clear(at.event);
  VOW_TRY_NIL(vow_group_join(g));
  return vow_nil();
}

static vow_value_t end_barrier(void *arg) {
  (void)arg;
  ck_assert_uint_eq(vow_barrier_waiting(at.barrier), 0);
  vow_barrier_free(at.barrier);
  return vow_nil();
}

static vow_value_t meet(void *arg) {
  (void)arg;
  VOW_TRY_NIL(vow_barrier_wait(at.barrier));
  return vow_await(vow_barrier_wait(at.barrier));
}

SCENE(test_torture_barrier_lets_all_go) {
  vow_group_t *g;
  at.loop = loop;
  NEED(at.barrier = vow_barrier_new(loop, 3));
  LATER(end_barrier, NULL);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  GO(g, meet);
  GO(g, meet);
  GO(g, meet);
  VOW_TRY_NIL(vow_group_join(g));
  return vow_nil();
}

/* ---- limiters -------------------------------------------------------------- */

static vow_value_t end_limiter(void *arg) {
  (void)arg;
  ck_assert_uint_eq(vow_limiter_running(at.limiter), 0);
  ck_assert_uint_eq(vow_limiter_waiting(at.limiter), 0);
  vow_limiter_free(at.limiter);
  return vow_nil();
}

static vow_future_t *call(vow_loop_t *loop, void *arg) {
  (void)arg;
  return vow_finally(thing_in(loop, 1), pause_a_moment, thing_arg(),
                     thing_drop);
}

static vow_future_t *limited(void) {
  return vow_limiter_run(at.limiter, call, thing_arg(), thing_drop);
}

SCENE(test_torture_limiter_has_all_slots_in_the_end) {
  NEED(at.limiter = vow_limiter_new(loop, 2));
  LATER(end_limiter, NULL);
  VOW_TRY_NIL(vow_gather_of(loop, limited(), limited(), limited(), limited()));
  return vow_nil();
}

static vow_value_t end_rate(void *arg) {
  (void)arg;
  ck_assert_uint_eq(vow_rate_limiter_waiting(at.rate), 0);
  vow_rate_limiter_free(at.rate);
  return vow_nil();
}

static vow_future_t *paced(uint64_t n) {
  return vow_rate_limiter_acquire(at.rate, n);
}

SCENE(test_torture_rate_limiter_serves_all) {
  NEED(at.rate = vow_rate_limiter_new(loop, 2, 10, 2));
  LATER(end_rate, NULL);
  (void)!vow_rate_limiter_try_acquire(at.rate, 1);
  VOW_TRY_NIL(vow_gather_of(loop, paced(2), paced(1), paced(2)));
  return vow_nil();
}

/* ---- once ------------------------------------------------------------------ */

ENDER(end_once, vow_once_t, vow_once_free)

static vow_value_t make_shared(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return shared_thing();
}

static vow_future_t *make_once(vow_loop_t *loop, void *arg) {
  (void)arg;
  return vow_then(vow_sleep(loop, 2), make_shared, thing_arg(), thing_drop);
}

static vow_future_t *wanted(void) {
  return vow_once_run(at.once, make_once, thing_arg(), thing_drop);
}

SCENE(test_torture_once_is_made_once) {
  vow_future_t *f;
  NEED(at.once = vow_once_new(loop));
  LATER(end_once, at.once);
  f = wanted();
  vow_cancel(f);
  vow_drop(f);
  VOW_TRY_NIL(
      vow_gather_of(loop, wanted(), wanted(), vow_timeout(wanted(), 9)));
  CALMLY(vow_once_is_done(at.once));
  return vow_nil();
}

SUITE(torture_sync) {
  ADD(test_torture_mutex_is_free_in_the_end);
  ADD(test_torture_condition_gives_the_lock_back);
  ADD(test_torture_semaphore_has_all_permits_in_the_end);
  ADD(test_torture_rwlock_is_free_in_the_end);
  ADD(test_torture_event_wakes_all);
  ADD(test_torture_barrier_lets_all_go);
  ADD(test_torture_limiter_has_all_slots_in_the_end);
  ADD(test_torture_rate_limiter_serves_all);
  ADD(test_torture_once_is_made_once);
}

/* SPDX-License-Identifier: MIT */
/* A waiter that nobody has a reference to fails while its lock is freed, and
 * the loop's hook for failures runs in the midst of that: it releases what is
 * held, and cancels others who wait. */
#include "unit/sync/helpers.h"

#include <vow/barrier.h>
#include <vow/condition.h>
#include <vow/limiter.h>
#include <vow/once.h>
#include <vow/rate_limiter.h>
#include <vow/rwlock.h>
#include <vow/semaphore.h>

static vow_semaphore_t *semaphore;
static vow_rwlock_t *rwlock;
static vow_mutex_t *mutex;
static vow_future_t *other; /* waits behind the one that fails */

static void hook(vow_future_t *f, void *arg) {
  (void)arg;
  unhandled++;
  (void)vow_status(f);
  vow_cancel(other);
  if (semaphore != NULL) vow_semaphore_release(semaphore, 2);
  if (rwlock != NULL) vow_rwlock_release_write(rwlock);
  if (mutex != NULL) vow_mutex_release(mutex);
  semaphore = NULL;
  rwlock = NULL;
  mutex = NULL;
}

static vow_loop_t *hooked_loop(void) {
  vow_loop_options_t options = {0};
  options.on_unhandled = hook;
  unhandled = 0;
  return manual_loop_with(&options);
}

static void expect_hooked(vow_loop_t *loop) {
  manual_drain(loop);
  ck_assert_int_eq(unhandled, 1);
  EXPECT_CANCELLED(other);
  other = NULL;
  manual_done(loop);
}

TEST(test_hooks_semaphore_may_be_released_while_it_is_freed) {
  vow_loop_t *loop = hooked_loop();
  vow_semaphore_t *s = semaphore = vow_semaphore_new(loop, 2);
  ck_assert(vow_semaphore_try_acquire(s, 2));
  vow_detach(vow_semaphore_acquire(s, 2));
  other = vow_semaphore_acquire(s, 1);
  vow_semaphore_free(s);
  expect_hooked(loop);
}

TEST(test_hooks_rwlock_may_be_released_while_it_is_freed) {
  vow_loop_t *loop = hooked_loop();
  vow_rwlock_t *l = rwlock = vow_rwlock_new(loop);
  ck_assert(vow_rwlock_try_write(l));
  vow_detach(vow_rwlock_read(l));
  other = vow_rwlock_write(l);
  vow_rwlock_free(l);
  expect_hooked(loop);
}

TEST(test_hooks_mutex_may_be_released_while_it_is_freed) {
  vow_loop_t *loop = hooked_loop();
  vow_mutex_t *m = mutex = vow_mutex_new(loop);
  ck_assert(vow_mutex_try_acquire(m));
  vow_detach(vow_mutex_acquire(m));
  other = vow_mutex_acquire(m);
  vow_mutex_free(m);
  expect_hooked(loop);
}

TEST(test_hooks_condition_wait_may_be_cancelled_while_it_is_freed) {
  vow_loop_t *loop = hooked_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_condition_t *c = vow_condition_new(loop);
  for (int i = 0; i < 2; i++) {
    ck_assert(vow_mutex_try_acquire(m));
    other = vow_condition_wait_permit(c, vow_mutex_permit(m));
    if (i == 0) vow_detach(other);
  }
  vow_condition_free(c);
  ck_assert(!vow_mutex_is_held(m));
  vow_mutex_free(m);
  expect_hooked(loop);
}

/* The wait that fails with its mutex held frees that, too. */
TEST(test_hooks_condition_wait_that_nobody_wants_gives_the_mutex_back) {
  vow_loop_t *loop = hooked_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_condition_t *c = vow_condition_new(loop);
  ck_assert(vow_mutex_try_acquire(m));
  vow_detach(vow_condition_wait(c, m));
  ck_assert(vow_mutex_try_acquire(m));
  other = vow_condition_wait_permit(c, vow_mutex_permit(m));
  ck_assert(vow_mutex_try_acquire(m));
  vow_condition_free(c);
  EXPECT_FAILED(other, VOW_ESHUTDOWN);
  other = vow_mutex_acquire(m);
  vow_mutex_release(m); /* the wait, the hook, its release, and it is free */
  ck_assert(!vow_mutex_is_held(m));
  vow_mutex_free(m);
  expect_hooked(loop);
}

TEST(test_hooks_barrier_wait_may_be_cancelled_while_it_breaks) {
  vow_loop_t *loop = hooked_loop();
  vow_barrier_t *b = vow_barrier_new(loop, 3);
  vow_detach(vow_barrier_wait(b));
  other = vow_barrier_wait(b);
  vow_barrier_reset(b);
  ck_assert(!vow_barrier_is_broken(b));
  vow_barrier_free(b);
  expect_hooked(loop);
}

TEST(test_hooks_rate_limiter_acquire_may_be_cancelled_while_it_is_freed) {
  vow_loop_t *loop = hooked_loop();
  vow_rate_limiter_t *r = vow_rate_limiter_new(loop, 1, 10, 1);
  ck_assert(vow_rate_limiter_try_acquire(r, 1));
  vow_detach(vow_rate_limiter_acquire(r, 1));
  other = vow_rate_limiter_acquire(r, 1);
  vow_rate_limiter_free(r);
  ck_assert_uint_eq(vow_loop_next_ms(loop), UINT64_MAX);
  expect_hooked(loop);
}

static vow_future_t *start(vow_loop_t *loop, void *arg) {
  (void)arg;
  return vow_ready(loop, vow_nil());
}

TEST(test_hooks_limiter_call_may_be_cancelled_while_it_is_freed) {
  vow_loop_t *loop = hooked_loop();
  vow_limiter_t *l = vow_limiter_new(loop, 1);
  vow_future_t *f = vow_limiter_run(l, start, NULL);
  vow_detach(vow_limiter_run(l, start, NULL));
  other = vow_limiter_run(l, start, NULL);
  vow_limiter_free(l);
  manual_drain(loop);
  EXPECT_OK(f);
  expect_hooked(loop);
}

TEST(test_hooks_once_run_may_be_cancelled_while_it_is_freed) {
  vow_loop_t *loop = hooked_loop();
  vow_once_t *o = vow_once_new(loop);
  vow_future_t *f = vow_once_run(o, start, NULL);
  vow_detach(vow_once_run(o, start, NULL));
  other = vow_once_run(o, start, NULL);
  vow_once_free(o);
  manual_drain(loop);
  EXPECT_FAILED(f, VOW_ESHUTDOWN);
  expect_hooked(loop);
}

SUITE(sync_hooks) {
  ADD(test_hooks_semaphore_may_be_released_while_it_is_freed);
  ADD(test_hooks_rwlock_may_be_released_while_it_is_freed);
  ADD(test_hooks_mutex_may_be_released_while_it_is_freed);
  ADD(test_hooks_condition_wait_may_be_cancelled_while_it_is_freed);
  ADD(test_hooks_condition_wait_that_nobody_wants_gives_the_mutex_back);
  ADD(test_hooks_barrier_wait_may_be_cancelled_while_it_breaks);
  ADD(test_hooks_rate_limiter_acquire_may_be_cancelled_while_it_is_freed);
  ADD(test_hooks_limiter_call_may_be_cancelled_while_it_is_freed);
  ADD(test_hooks_once_run_may_be_cancelled_while_it_is_freed);
}

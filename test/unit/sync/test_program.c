/* SPDX-License-Identifier: MIT */
/* A program of chains that uses every lock, given up at every step it takes,
 * and starved at every allocation: afterwards all permits are back, nobody
 * waits, and nothing is left. */
#include "unit/sync/helpers.h"

#include <vow/barrier.h>
#include <vow/condition.h>
#include <vow/event.h>
#include <vow/gather.h>
#include <vow/limiter.h>
#include <vow/once.h>
#include <vow/rate_limiter.h>
#include <vow/rwlock.h>
#include <vow/semaphore.h>

#define WORKERS 4

typedef struct world {
  vow_loop_t *loop;
  vow_once_t *once;
  vow_semaphore_t *semaphore;
  vow_mutex_t *mutex;
  vow_condition_t *condition;
  vow_rwlock_t *rwlock;
  vow_event_t *event;
  vow_rate_limiter_t *rate;
  vow_limiter_t *limiter;
  vow_barrier_t *barrier;
  vow_token_t *token;
  size_t counter; /* guarded by mutex */
  size_t finished;
} world_t;

/* ---- a worker, from its end to its beginning ------------------------------
 */

static vow_value_t at_the_end(vow_future_t *in, void *arg) {
  (void)in;
  ((world_t *)arg)->finished++;
  return vow_nil();
}

static vow_value_t to_the_barrier(vow_future_t *in, void *arg) {
  world_t *w = arg;
  (void)in;
  return vow_follow(vow_barrier_wait(w->barrier));
}

static vow_value_t waited_for_rate(vow_future_t *in, void *arg) {
  world_t *w = arg;
  (void)in;
  vow_event_set(w->event);
  return vow_follow(vow_event_wait(w->event));
}

static vow_value_t read_it(vow_future_t *in, void *arg) {
  world_t *w = arg;
  vow_rwlock_t *l = vow_get(in, &vow_type_read_permit);
  ck_assert_ptr_nonnull(l);
  return vow_follow(
      vow_then(vow_rate_limiter_acquire(w->rate, 1), waited_for_rate, w));
}

static vow_value_t wrote_it(vow_future_t *in, void *arg) {
  world_t *w = arg;
  ck_assert_ptr_nonnull(vow_get(in, &vow_type_write_permit));
  return vow_follow(vow_then(vow_rwlock_read(w->rwlock), read_it, w));
}

/* The counter has reached an even number; or else wait once more. */
static vow_value_t under_the_mutex(vow_future_t *in, void *arg) {
  world_t *w = arg;
  w->counter++;
  if (w->counter % 2 == 0) {
    vow_condition_notify(w->condition, 1);
    return vow_nil(); /* the permit goes with in */
  }
  return vow_follow(vow_timeout(
      vow_condition_wait_permit(w->condition, vow_outcome(in)), 20));
}

static vow_value_t past_the_mutex(vow_future_t *in, void *arg) {
  world_t *w = arg;
  (void)in;
  return vow_follow(vow_then(vow_rwlock_write(w->rwlock), wrote_it, w));
}

static vow_value_t with_permits(vow_future_t *in, void *arg) {
  world_t *w = arg;
  vow_future_t *f;
  (void)in;
  f = vow_then(vow_mutex_acquire(w->mutex), under_the_mutex, w);
  return vow_follow(vow_then(f, past_the_mutex, w));
}

static vow_future_t *in_a_slot(vow_loop_t *loop, void *arg) {
  world_t *w = arg;
  (void)loop;
  return vow_then(vow_semaphore_acquire(w->semaphore, 1 + w->counter % 3),
                  with_permits, w);
}

static vow_future_t *make(vow_loop_t *loop, void *arg) {
  (void)arg;
  return vow_sleep(loop, 1);
}

static vow_value_t made(vow_future_t *in, void *arg) {
  world_t *w = arg;
  (void)in;
  return vow_follow(vow_limiter_run(w->limiter, in_a_slot, w));
}

static vow_future_t *worker(world_t *w) {
  vow_future_t *f = vow_once_run(w->once, make, w);
  f = vow_then(f, made, w);
  f = vow_then(f, to_the_barrier, w);
  f = vow_then(f, at_the_end, w);
  return vow_with_token(f, w->token);
}

/* ---- the world ------------------------------------------------------------ */

static bool world_begin(world_t *w, vow_loop_t *loop) {
  memset(w, 0, sizeof *w);
  w->loop = loop;
  w->once = vow_once_new(loop);
  w->semaphore = vow_semaphore_new(loop, 3);
  w->mutex = vow_mutex_new(loop);
  w->condition = vow_condition_new(loop);
  w->rwlock = vow_rwlock_new(loop);
  w->event = vow_event_new(loop);
  w->rate = vow_rate_limiter_new(loop, 1, 2, 1);
  w->limiter = vow_limiter_new(loop, 3);
  w->barrier = vow_barrier_new(loop, WORKERS);
  w->token = vow_token_new(loop);
  return w->once != NULL && w->semaphore != NULL && w->mutex != NULL &&
         w->condition != NULL && w->rwlock != NULL && w->event != NULL &&
         w->rate != NULL && w->limiter != NULL && w->barrier != NULL &&
         w->token != NULL;
}

static void world_check(const world_t *w) {
  ck_assert_uint_eq(vow_semaphore_available(w->semaphore), 3);
  ck_assert_uint_eq(vow_semaphore_waiting(w->semaphore), 0);
  ck_assert(!vow_mutex_is_held(w->mutex));
  ck_assert_uint_eq(vow_mutex_waiting(w->mutex), 0);
  ck_assert_uint_eq(vow_condition_waiting(w->condition), 0);
  ck_assert_uint_eq(vow_rwlock_readers(w->rwlock), 0);
  ck_assert(!vow_rwlock_is_written(w->rwlock));
  ck_assert_uint_eq(vow_rwlock_waiting(w->rwlock), 0);
  ck_assert_uint_eq(vow_rate_limiter_waiting(w->rate), 0);
  ck_assert_uint_eq(vow_limiter_running(w->limiter), 0);
  ck_assert_uint_eq(vow_limiter_waiting(w->limiter), 0);
  ck_assert_uint_eq(vow_barrier_waiting(w->barrier), 0);
}

static void world_free(world_t *w) {
  vow_once_free(w->once);
  vow_semaphore_free(w->semaphore);
  vow_mutex_free(w->mutex);
  vow_condition_free(w->condition);
  vow_rwlock_free(w->rwlock);
  vow_event_free(w->event);
  vow_rate_limiter_free(w->rate);
  vow_limiter_free(w->limiter);
  vow_barrier_free(w->barrier);
  vow_token_free(w->token);
}

/* A loop of which a turn runs one continuation. */
static vow_loop_t *slow_loop(void) {
  vow_loop_options_t options = {0};
  options.step_budget = 1;
  return manual_loop_with(&options);
}

/* Runs n turns, moving the clock where there is nothing to do; false when there
 * are not so many. */
static bool run_steps(vow_loop_t *loop, size_t n) {
  vow_driver_t *d = vow_loop_driver(loop);
  while (n-- > 0)
    if (!d->turn(d, true, false)) return false;
  return true;
}

static void run_out(vow_loop_t *loop) {
  while (run_steps(loop, 1000)) {
  }
}

static vow_future_t *start_all(world_t *w) {
  vow_future_t *f[WORKERS];
  for (size_t i = 0; i < WORKERS; i++) f[i] = worker(w);
  return vow_gather(w->loop, WORKERS, f);
}

enum { ONE_WORKER, ALL_BY_TOKEN, CANCEL_ALL, DROP_ALL, FREE_LOCKS, WAYS };

/* How the program is given up after n steps; false when it had ended. */
static bool give_up_after(size_t n, int way) {
  vow_loop_t *loop = slow_loop();
  world_t w;
  vow_future_t *one, *all;
  bool hit;
  ck_assert(world_begin(&w, loop));
  one = worker(&w); /* one too many for the barrier, unless it leaves */
  all = start_all(&w);
  hit = run_steps(loop, n);
  if (way == ONE_WORKER) vow_cancel(one);
  if (way == ALL_BY_TOKEN || way == FREE_LOCKS)
    vow_token_cancel(w.token, UV_EINTR);
  if (way == CANCEL_ALL) vow_cancel(all);
  if (way == DROP_ALL) {
    (void)vow_status(all);
    vow_drop(all);
    all = NULL;
  }
  if (way == FREE_LOCKS) { /* while all unwinds */
    world_free(&w);
    run_out(loop);
  } else {
    run_out(loop);
    vow_barrier_abort(w.barrier); /* whoever is still there */
    run_out(loop);
    world_check(&w);
    world_free(&w);
  }
  ck_assert(vow_is_settled(one));
  ck_assert(all == NULL || vow_is_settled(all));
  (void)vow_status(one);
  (void)vow_status(all);
  vow_drop(one);
  vow_drop(all);
  manual_done(loop);
  return hit;
}

TEST(test_program_of_all_locks_finishes) {
  vow_loop_t *loop = slow_loop();
  world_t w;
  vow_future_t *all;
  ck_assert(world_begin(&w, loop));
  all = start_all(&w);
  ck_assert_int_eq(vow_loop_run_until(loop, all), 0);
  EXPECT_OK(all);
  ck_assert_uint_eq(w.finished, WORKERS);
  ck_assert_uint_eq(w.counter, WORKERS);
  world_check(&w);
  world_free(&w);
  manual_done(loop);
}

TEST(test_program_rule_20_given_up_at_any_step_gives_all_permits_back) {
  for (int way = 0; way < WAYS; way++) {
    size_t n = 0;
    while (give_up_after(n, way)) n++;
    ck_assert_uint_gt(n, 50);
  }
}

TEST(test_program_closed_at_any_step_gives_all_permits_back) {
  bool hit = true;
  for (size_t n = 0; hit; n += 3) {
    vow_loop_t *loop = slow_loop();
    world_t w;
    vow_future_t *all;
    ck_assert(world_begin(&w, loop));
    all = start_all(&w);
    hit = run_steps(loop, n);
    manual_close(loop);
    ck_assert(vow_is_settled(all));
    (void)vow_status(all);
    vow_drop(all);
    world_check(&w);
    world_free(&w);
  }
}

static void starved_body(vow_loop_t *loop) {
  world_t w;
  if (world_begin(&w, loop)) {
    vow_future_t *all = start_all(&w);
    run_out(loop);
    vow_barrier_abort(w.barrier);
    run_out(loop);
    ck_assert(vow_is_settled(all));
    (void)vow_status(all);
    vow_drop(all);
    run_out(loop);
    world_check(&w);
  }
  world_free(&w);
}

TEST(test_program_out_of_memory_anywhere_gives_all_permits_back) {
  starve(starved_body, 0);
}

SUITE(sync_program) {
  ADD(test_program_of_all_locks_finishes);
  ADD(test_program_rule_20_given_up_at_any_step_gives_all_permits_back);
  ADD(test_program_closed_at_any_step_gives_all_permits_back);
  ADD(test_program_out_of_memory_anywhere_gives_all_permits_back);
}

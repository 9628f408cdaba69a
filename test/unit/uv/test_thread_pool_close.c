/* SPDX-License-Identifier: MIT */
/* Closing thread pools: what becomes of queued and running jobs, the deadline,
 * who is named, and giving a pool up. */
#include "support/capture.h"
#include "unit/uv/thread_pool_support.h"

#include <unistd.h>

static vow_thread_pool_t *pool_open_noting(names_t *names, size_t limit) {
  vow_thread_pool_options_t o = {0};
  vow_thread_pool_t *pool = NULL;
  memset(names, 0, sizeof *names);
  o.threads = 1;
  o.name = "small";
  o.queue_limit = limit;
  o.on_stuck = note_name;
  o.on_stuck_arg = names;
  ck_assert_int_eq(vow_thread_pool_new(&o, &pool), 0);
  return pool;
}

/* A pool of one thread: a job that runs, and a queued one. */
typedef struct scene {
  vow_loop_t *loop;
  vow_thread_pool_t *pool;
  names_t names;
  gate_t running;
  gate_t queued;
  vow_future_t *first;
  vow_future_t *second;
} scene_t;

static void scene_open(scene_t *s) {
  s->loop = loop_open();
  s->pool = pool_open_noting(&s->names, 0);
  s->first = gate_begin(s->pool, s->loop, &s->running);
  gate_init(&s->queued);
  s->second =
      vow_thread_pool_run(s->pool, s->loop, gate_run, &s->queued, gate_drop);
}

static void scene_close(scene_t *s) {
  vow_thread_pool_free(s->pool);
  gate_done(&s->running);
  gate_done(&s->queued);
  loop_done(s->loop);
}

/* ---- as a future --------------------------------------------------------- */

TEST(test_thread_pool_close_finish_runs_what_is_queued) {
  scene_t s;
  vow_future_t *closed, *late;
  scene_open(&s);
  closed = vow_thread_pool_close(s.pool, s.loop, VOW_POOL_FINISH, 30000);
  late = vow_thread_pool_run(s.pool, s.loop, number_job, NULL);
  ck_assert_int_eq(settle_drop(s.loop, late), VOW_ESHUTDOWN);
  gate_open(&s.running);
  gate_open(&s.queued);
  ck_assert_int_eq(settle_drop(s.loop, closed), 0);
  ck_assert_int_eq(settle_drop(s.loop, s.first), 0);
  ck_assert_int_eq(settle_drop(s.loop, s.second), 0);
  ck_assert(!s.running.saw_cancel);
  ck_assert_int_eq(s.queued.destroyed, 1);
  ck_assert_int_eq(s.names.count, 0);
  scene_close(&s);
}

TEST(test_thread_pool_close_cancel_refuses_what_is_queued) {
  scene_t s;
  vow_future_t *closed;
  scene_open(&s);
  closed = vow_thread_pool_close(s.pool, s.loop, VOW_POOL_CANCEL, 30000);
  /* At once, while the other runs on. */
  ck_assert_int_eq(settle(s.loop, s.second), VOW_ESHUTDOWN);
  ck_assert_str_eq(vow_error_message(vow_error(s.second)),
                   "thread_pool_run: the pool is closed");
  vow_drop(s.second);
  ck_assert_int_eq(s.queued.drops, 1);
  ck_assert(!vow_is_settled(closed));
  gate_open(&s.running);
  ck_assert_int_eq(settle_drop(s.loop, closed), 0);
  ck_assert_int_eq(settle_drop(s.loop, s.first), 0);
  ck_assert(s.running.saw_cancel);
  ck_assert_int_eq(atomic_load(&s.queued.started), 0);
  scene_close(&s);
}

TEST(test_thread_pool_close_cancel_overrules_finish) {
  scene_t s;
  vow_future_t *finish, *cancel;
  scene_open(&s);
  finish = vow_thread_pool_close(s.pool, s.loop, VOW_POOL_FINISH, 30000);
  cancel = vow_thread_pool_close(s.pool, s.loop, VOW_POOL_CANCEL, 30000);
  ck_assert_int_eq(settle_drop(s.loop, s.second), VOW_ESHUTDOWN);
  gate_open(&s.running);
  ck_assert_int_eq(settle_drop(s.loop, finish), 0);
  ck_assert_int_eq(settle_drop(s.loop, cancel), 0);
  ck_assert_int_eq(settle_drop(s.loop, s.first), 0);
  scene_close(&s);
}

TEST(test_thread_pool_close_refuses_what_waits_for_a_place) {
  enum { LIMIT = 2, JOBS = 5 };
  vow_loop_t *loop = loop_open();
  names_t names;
  vow_thread_pool_t *pool = pool_open_noting(&names, LIMIT);
  gate_t g;
  vow_future_t *first = gate_begin(pool, loop, &g), *fs[JOBS], *closed;
  int i;
  for (i = 0; i < JOBS; i++)
    fs[i] = vow_thread_pool_run(pool, loop, number_job, NULL);
  vow_cancel(fs[0]); /* the third has a place now */
  closed = vow_thread_pool_close(pool, loop, VOW_POOL_FINISH, 30000);
  for (i = LIMIT + 1; i < JOBS; i++)
    ck_assert_int_eq(settle_drop(loop, fs[i]), VOW_ESHUTDOWN);
  gate_open(&g);
  ck_assert_int_eq(settle_drop(loop, closed), 0);
  ck_assert_int_eq(settle_drop(loop, first), 0);
  ck_assert_int_eq(settle_drop(loop, fs[0]), UV_ECANCELED);
  for (i = 1; i <= LIMIT; i++) ck_assert_int_eq(settle_drop(loop, fs[i]), 0);
  gate_done(&g);
  vow_thread_pool_free(pool);
  loop_done(loop);
}

TEST(test_thread_pool_close_after_the_deadline_names_what_is_stuck) {
  scene_t s;
  vow_future_t *closed;
  scene_open(&s);
  closed = vow_thread_pool_close(s.pool, s.loop, VOW_POOL_FINISH, 5);
  ck_assert_int_eq(settle(s.loop, closed), UV_EBUSY);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(closed)),
                               "1 jobs of the pool small still run, one made "
                               "at "));
  vow_drop(closed);
  ck_assert_int_eq(s.names.count, 1);
  ck_assert_str_eq(s.names.what, "small");
  ck_assert_ptr_nonnull(strstr(s.names.site, "thread_pool_support.h:"));
  ck_assert_int_eq(settle_drop(s.loop, s.second), VOW_ESHUTDOWN);
  ck_assert(!vow_is_settled(s.first));
  /* Once more, with an end to it. */
  gate_open(&s.running);
  closed = vow_thread_pool_close(s.pool, s.loop, VOW_POOL_FINISH, 30000);
  ck_assert_int_eq(settle_drop(s.loop, closed), 0);
  ck_assert_int_eq(settle_drop(s.loop, s.first), 0);
  ck_assert(s.running.saw_cancel);
  ck_assert_int_eq(s.names.count, 1);
  scene_close(&s);
}

TEST(test_thread_pool_close_idle_needs_no_grace) {
  vow_loop_t *loop = loop_open();
  names_t names;
  vow_thread_pool_t *pool = pool_open_noting(&names, 0);
  ck_assert_int_eq(
      settle_drop(loop, vow_thread_pool_close(pool, loop, VOW_POOL_FINISH, 0)),
      0);
  ck_assert_int_eq(
      settle_drop(loop, vow_thread_pool_close(pool, loop, VOW_POOL_CANCEL, 0)),
      0); /* again */
  ck_assert_int_eq(names.count, 0);
  vow_thread_pool_free(pool);
  loop_done(loop);
}

TEST(test_thread_pool_close_cancelled_closes_all_the_same) {
  scene_t s;
  vow_future_t *closed, *f;
  scene_open(&s);
  closed = vow_thread_pool_close(s.pool, s.loop, VOW_POOL_FINISH, 1);
  ck_assert_int_eq(vow_cancel(closed), 0);
  ck_assert(vow_is_cancelled(closed));
  vow_drop(closed);
  f = vow_thread_pool_run(s.pool, s.loop, number_job, NULL);
  ck_assert_int_eq(settle_drop(s.loop, f), VOW_ESHUTDOWN);
  gate_open(&s.running);
  gate_open(&s.queued);
  ck_assert_int_eq(settle_drop(s.loop, s.first), 0);
  ck_assert_int_eq(settle_drop(s.loop, s.second), 0); /* no deadline */
  ck_assert_int_eq(s.names.count, 0);
  scene_close(&s);
}

TEST(test_thread_pool_close_cancelled_when_the_threads_have_ended) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(2);
  vow_thread_pool_stats_t stats;
  vow_future_t *closed =
      vow_thread_pool_close(pool, loop, VOW_POOL_FINISH, 30000);
  do {
    uv_sleep(1);
    ck_assert_int_eq(vow_thread_pool_stats(pool, &stats), 0);
  } while (stats.threads > 0);
  ck_assert_int_eq(vow_cancel(closed), 0);
  ck_assert(vow_is_cancelled(closed));
  vow_drop(closed);
  vow_thread_pool_free(pool);
  loop_done(loop);
}

TEST(test_thread_pool_close_loop_closed_meanwhile_cancels_it) {
  vow_loop_options_t o = quiet_options(false);
  vow_loop_t *busy = loop_open(), *loop = NULL;
  vow_thread_pool_t *pool = pool_open(1);
  gate_t g;
  vow_future_t *first = gate_begin(pool, busy, &g), *closed;
  ck_assert_int_eq(vow_loop_new(&o, &loop), 0);
  closed = vow_thread_pool_close(pool, loop, VOW_POOL_FINISH, 30000);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert(vow_is_cancelled(closed));
  vow_drop(closed);
  gate_open(&g);
  ck_assert_int_eq(settle_drop(busy, first), 0);
  gate_done(&g);
  vow_thread_pool_free(pool);
  loop_done(busy);
}

TEST(test_thread_pool_close_bad_arguments_give_einval) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  vow_future_t *f;
  ck_assert_int_eq(
      settle_drop(loop, vow_thread_pool_close(NULL, loop, VOW_POOL_FINISH, 0)),
      UV_EINVAL);
  f = vow_thread_pool_close(pool, NULL, VOW_POOL_FINISH, 0);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  ck_assert_int_eq(vow_thread_pool_close_blocking(NULL, VOW_POOL_FINISH, 0),
                   UV_EINVAL);
  f = vow_thread_pool_run(pool, loop, number_job, NULL); /* nothing was done */
  ck_assert_int_eq(settle_drop(loop, f), 0);
  both_done(pool, loop);
}

/* False when there are not n allocations. */
static bool close_ends_with_enomem(size_t n) {
  vow_loop_t *loop;
  vow_thread_pool_t *pool;
  vow_future_t *f;
  int status;
  bool failed;
  fault_install();
  loop = loop_open_probe();
  pool = pool_open(1);
  fault_fail_at(n);
  /* Far enough for the heap, which allocates. */
  f = vow_thread_pool_close(pool, loop, VOW_POOL_FINISH, 3600000);
  status = vow_is_settled(f) ? vow_status(f) : settle(loop, f);
  failed = fault_failed() > 0;
  fault_off();
  ck_assert_int_eq(status, failed ? UV_ENOMEM : 0);
  vow_drop(f);
  if (failed) { /* nothing was done */
    f = vow_thread_pool_run(pool, loop, number_job, NULL);
    ck_assert_int_eq(settle_drop(loop, f), 0);
  }
  both_done(pool, loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return failed;
}

TEST(test_thread_pool_close_nth_allocation_fails_does_nothing) {
  size_t n;
  for (n = 1; close_ends_with_enomem(n); n++) ck_assert_uint_lt(n, 20);
  ck_assert_uint_ge(n, 5); /* the future, dock, lane, timer */
}

static void wait_in_hook(void *arg) {
  gate_t *g = arg;
  atomic_store(&g->started, 1);
  uv_sem_wait(&g->go);
}

TEST(test_thread_pool_close_names_a_hook_that_is_stuck) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_options_t o = {0};
  vow_thread_pool_t *pool = NULL;
  vow_thread_pool_stats_t stats;
  names_t names = {0, "", ""};
  gate_t g;
  vow_future_t *closed;
  gate_init(&g);
  o.threads = 1;
  o.on_thread_end = wait_in_hook;
  o.thread_arg = &g;
  o.on_stuck = note_name;
  o.on_stuck_arg = &names;
  ck_assert_int_eq(vow_thread_pool_new(&o, &pool), 0);
  closed = vow_thread_pool_close(pool, loop, VOW_POOL_FINISH, 30000);
  wait_for(&g.started);
  ck_assert_int_eq(vow_thread_pool_stats(pool, &stats), 0);
  ck_assert_uint_eq(stats.threads, 1);
  ck_assert_uint_eq(stats.running, 0);
  ck_assert_int_eq(
      settle_drop(loop, vow_thread_pool_close(pool, loop, VOW_POOL_FINISH, 1)),
      UV_EBUSY);
  ck_assert_str_eq(names.site, "(on_thread_start or on_thread_end)");
  gate_open(&g);
  ck_assert_int_eq(settle_drop(loop, closed), 0);
  gate_done(&g);
  vow_thread_pool_free(pool);
  loop_done(loop);
}

/* ---- blocking ------------------------------------------------------------ */

TEST(test_thread_pool_close_blocking_names_what_is_stuck) {
  scene_t s;
  scene_open(&s);
  ck_assert_int_eq(vow_thread_pool_close_blocking(s.pool, VOW_POOL_FINISH, 5),
                   UV_EBUSY);
  ck_assert_int_eq(s.names.count, 1);
  ck_assert_str_eq(s.names.what, "small");
  gate_open(&s.running);
  ck_assert_int_eq(
      vow_thread_pool_close_blocking(s.pool, VOW_POOL_FINISH, 30000), 0);
  ck_assert_int_eq(settle_drop(s.loop, s.first), 0);
  ck_assert_int_eq(settle_drop(s.loop, s.second), VOW_ESHUTDOWN);
  ck_assert(s.running.saw_cancel);
  scene_close(&s);
}

TEST(test_thread_pool_close_blocking_any_grace_is_taken) {
  vow_thread_pool_t *pool = pool_open(2);
  ck_assert_int_eq(
      vow_thread_pool_close_blocking(pool, VOW_POOL_CANCEL, UINT64_MAX), 0);
  ck_assert_int_eq(vow_thread_pool_close_blocking(pool, VOW_POOL_CANCEL, 0), 0);
  vow_thread_pool_free(pool);
}

static vow_value_t close_own_pool(vow_job_t *job, void *arg) {
  (void)job;
  return vow_int(vow_thread_pool_close_blocking(arg, VOW_POOL_FINISH, 30000));
}

TEST(test_thread_pool_close_blocking_on_its_own_thread_is_refused) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  vow_future_t *f = vow_thread_pool_run(pool, loop, close_own_pool, pool);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq((int)vow_get_int(f), UV_EBUSY);
  vow_drop(f);
  f = vow_thread_pool_run(pool, loop, number_job, NULL); /* nothing was done */
  ck_assert_int_eq(settle_drop(loop, f), 0);
  both_done(pool, loop);
}

/* ---- giving up ----------------------------------------------------------- */

TEST(test_thread_pool_free_lets_a_running_job_end) {
  vow_loop_t *loop;
  vow_thread_pool_t *pool;
  gate_t running, queued;
  vow_future_t *first, *second;
  loop = loop_open();
  pool = pool_open(1);
  first = gate_begin(pool, loop, &running);
  gate_init(&queued);
  second = vow_thread_pool_run(pool, loop, gate_run, &queued, gate_drop);
  vow_thread_pool_free(pool);
  ck_assert_int_eq(settle_drop(loop, second), VOW_ESHUTDOWN);
  ck_assert_int_eq(queued.drops, 1);
  ck_assert(!vow_is_settled(first));
  gate_open(&running);
  ck_assert_int_eq(settle(loop, first), 0);
  ck_assert_ptr_eq(vow_get(first, &gate_type), &running);
  ck_assert(running.saw_cancel);
  vow_drop(first);
  gate_done(&running);
  gate_done(&queued);
  loop_done(loop);
}

TEST(test_thread_pool_free_while_closing_goes_on_closing) {
  scene_t s;
  vow_future_t *closed;
  scene_open(&s);
  closed = vow_thread_pool_close(s.pool, s.loop, VOW_POOL_FINISH, 30000);
  vow_thread_pool_free(s.pool);
  s.pool = NULL;
  gate_open(&s.running);
  gate_open(&s.queued);
  ck_assert_int_eq(settle_drop(s.loop, closed), 0);
  ck_assert_int_eq(settle_drop(s.loop, s.first), 0);
  ck_assert_int_eq(settle_drop(s.loop, s.second), 0);
  scene_close(&s);
}

static vow_value_t free_own_pool(vow_job_t *job, void *arg) {
  vow_thread_pool_free(arg);
  return vow_int(vow_job_is_cancelled(job));
}

TEST(test_thread_pool_free_within_a_job_is_allowed) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  vow_future_t *f = vow_thread_pool_run(pool, loop, free_own_pool, pool);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 1);
  vow_drop(f);
  loop_done(loop);
}

/* ---- who is named by default ---------------------------------------------- */

/* What stderr gets when a job outlasts the closing of its pool. */
static void stuck_text(char *text, size_t size_bytes) {
  vow_loop_t *loop = loop_open();
  vow_thread_pool_t *pool = pool_open(1);
  gate_t g;
  vow_future_t *f = gate_begin(pool, loop, &g);
  capture_t c;
  capture_begin(&c);
  ck_assert_int_eq(vow_thread_pool_close_blocking(pool, VOW_POOL_FINISH, 5),
                   UV_EBUSY);
  capture_end(&c, text, size_bytes);
  gate_open(&g);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  gate_done(&g);
  both_done(pool, loop);
}

TEST(test_thread_pool_close_prints_what_is_stuck_when_the_environment_asks) {
  char text[512];
  setenv("VOW_DEBUG", "1", 1);
  stuck_text(text, sizeof text);
  unsetenv("VOW_DEBUG");
  ck_assert_ptr_nonnull(strstr(text, "vow: still running: a job of the pool "));
  ck_assert_ptr_nonnull(strstr(text, "thread_pool_support.h:"));
  stuck_text(text, sizeof text);
  ck_assert_str_eq(text, "");
}

SUITE(uv_thread_pool_close) {
  ADD(test_thread_pool_close_finish_runs_what_is_queued);
  ADD(test_thread_pool_close_cancel_refuses_what_is_queued);
  ADD(test_thread_pool_close_cancel_overrules_finish);
  ADD(test_thread_pool_close_refuses_what_waits_for_a_place);
  ADD(test_thread_pool_close_after_the_deadline_names_what_is_stuck);
  ADD(test_thread_pool_close_idle_needs_no_grace);
  ADD(test_thread_pool_close_cancelled_closes_all_the_same);
  ADD(test_thread_pool_close_cancelled_when_the_threads_have_ended);
  ADD(test_thread_pool_close_loop_closed_meanwhile_cancels_it);
  ADD(test_thread_pool_close_bad_arguments_give_einval);
  ADD(test_thread_pool_close_nth_allocation_fails_does_nothing);
  ADD(test_thread_pool_close_names_a_hook_that_is_stuck);
  ADD(test_thread_pool_close_blocking_names_what_is_stuck);
  ADD(test_thread_pool_close_blocking_any_grace_is_taken);
  ADD(test_thread_pool_close_blocking_on_its_own_thread_is_refused);
  ADD(test_thread_pool_free_lets_a_running_job_end);
  ADD(test_thread_pool_free_while_closing_goes_on_closing);
  ADD(test_thread_pool_free_within_a_job_is_allowed);
  ADD(test_thread_pool_close_prints_what_is_stuck_when_the_environment_asks);
}

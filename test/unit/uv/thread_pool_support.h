/* SPDX-License-Identifier: MIT */
/* What the tests of thread pools share: pools, and a job that waits until the
 * test lets it go. Header only. */
#ifndef VOW_TEST_UV_THREAD_POOL_SUPPORT_H
#define VOW_TEST_UV_THREAD_POOL_SUPPORT_H

#include <vow/thread_pool.h>

#include "unit/uv/uv_support.h"

#include <stdatomic.h>

static inline vow_thread_pool_t *pool_open(unsigned threads) {
  vow_thread_pool_options_t o = {0};
  vow_thread_pool_t *pool = NULL;
  o.threads = threads;
  ck_assert_int_eq(vow_thread_pool_new(&o, &pool), 0);
  return pool;
}

static inline vow_thread_pool_t *pool_open_bounded(unsigned threads,
                                                   size_t limit, bool fail) {
  vow_thread_pool_options_t o = {0};
  vow_thread_pool_t *pool = NULL;
  o.threads = threads;
  o.queue_limit = limit;
  o.fail_when_full = fail;
  ck_assert_int_eq(vow_thread_pool_new(&o, &pool), 0);
  return pool;
}

/* What is queued is run; nothing may be stuck. */
static inline void pool_done(vow_thread_pool_t *pool) {
  ck_assert_int_eq(vow_thread_pool_close_blocking(pool, VOW_POOL_FINISH, 30000),
                   0);
  vow_thread_pool_free(pool);
}

/* The pool first: what comes back then has gone its way when the loop goes. */
static inline void both_done(vow_thread_pool_t *pool, vow_loop_t *loop) {
  pool_done(pool);
  loop_done(loop);
}

static inline bool on_this_thread(uv_thread_t t) {
  uv_thread_t self = uv_thread_self();
  return uv_thread_equal(&t, &self) != 0;
}

/* A job that waits for the test, and a result that says when, and on which
 * thread, it is destroyed. */
typedef struct gate {
  uv_sem_t go;
  atomic_int started;
  atomic_int ended;
  bool saw_cancel; /* vow_job_is_cancelled, after go */
  uv_thread_t ran_on;
  int drops;
  uv_thread_t dropped_on;
  int destroyed;
  uv_thread_t destroyed_on;
} gate_t;

static inline void gate_destroy_result(void *p) {
  gate_t *g = p;
  g->destroyed++;
  g->destroyed_on = uv_thread_self();
}

static const vow_type_t gate_type = {"gate", gate_destroy_result, NULL, NULL};

static inline void gate_init(gate_t *g) {
  memset(g, 0, sizeof *g);
  ck_assert_int_eq(uv_sem_init(&g->go, 0), 0);
}

static inline void gate_open(gate_t *g) {
  uv_sem_post(&g->go);
}

static inline void gate_done(gate_t *g) {
  uv_sem_destroy(&g->go);
}

static inline vow_value_t gate_run(vow_job_t *job, void *arg) {
  gate_t *g = arg;
  g->ran_on = uv_thread_self();
  atomic_store(&g->started, 1);
  uv_sem_wait(&g->go);
  g->saw_cancel = vow_job_is_cancelled(job);
  atomic_store(&g->ended, 1);
  return vow_ptr(g, &gate_type);
}

static inline void gate_drop(void *arg) {
  gate_t *g = arg;
  g->drops++;
  g->dropped_on = uv_thread_self();
}

static inline void wait_for(atomic_int *flag) {
  while (!atomic_load(flag)) uv_sleep(1);
}

/* Until none of the pool's jobs runs. */
static inline void wait_idle(vow_thread_pool_t *pool) {
  vow_thread_pool_stats_t s;
  do {
    uv_sleep(1);
    ck_assert_int_eq(vow_thread_pool_stats(pool, &s), 0);
  } while (s.running + s.queued + s.waiting > 0);
}

/* A job that runs in g, and is running when this returns. */
static inline vow_future_t *gate_begin(vow_thread_pool_t *pool,
                                       vow_loop_t *loop, gate_t *g) {
  vow_future_t *f;
  gate_init(g);
  f = vow_thread_pool_run(pool, loop, gate_run, g, gate_drop);
  wait_for(&g->started);
  return f;
}

static inline vow_value_t number_job(vow_job_t *job, void *arg) {
  (void)job;
  return vow_int((int64_t)(intptr_t)arg);
}

/* An atomic counter is arg. */
static inline vow_value_t counting_job(vow_job_t *job, void *arg) {
  (void)job;
  atomic_fetch_add((atomic_int *)arg, 1);
  return vow_nil();
}

typedef struct names {
  int count;
  char what[64];
  char site[128];
} names_t;

static inline void note_name(const char *what, const char *site, void *arg) {
  names_t *n = arg;
  n->count++;
  snprintf(n->what, sizeof n->what, "%s", what);
  snprintf(n->site, sizeof n->site, "%s", site);
}

#endif

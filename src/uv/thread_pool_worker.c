/* SPDX-License-Identifier: MIT */
/* A thread pool's threads: start, run jobs, end. */
#define _GNU_SOURCE /* pthread_setname_np */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "uv/thread_pool.h"

/* What Linux takes, the zero included. */
#define OS_NAME_SIZE 16

static _Thread_local vow__worker_t *self;

vow__worker_t *vow__tp_self(void) {
  return self;
}

/* The number is kept, the name cut. */
static void set_name(const vow__worker_t *w) {
  char number[12];
  char name[OS_NAME_SIZE];
  int length = snprintf(number, sizeof number, "-%u", w->index);
  snprintf(name, sizeof name, "%.*s%s", OS_NAME_SIZE - 1 - length,
           w->pool->name, number);
#if defined(__linux__) || defined(__FreeBSD__) || defined(__NetBSD__)
  pthread_setname_np(pthread_self(), name);
#elif defined(__APPLE__)
  pthread_setname_np(name);
#else
  (void)name;
#endif
}

static void run(vow__worker_t *w, vow_job_t *job) {
  w->job = job;
  job->result = job->u.fn(job, job->arg);
  w->job = NULL;
  if (w->at < w->filled)
    atomic_store(&w->site, vow__claiming);
  else
    atomic_store_explicit(&w->site, NULL, memory_order_release);
  job->u.hint = w->recent[w->recent_at];
  w->recent[w->recent_at] = job;
  w->recent_at = (w->recent_at + 1) % VOW__RECENT;
  vow__tp_lane_give(w, job);
}

static void end(vow__worker_t *w) {
  vow_thread_pool_t *pool = w->pool;
  vow__tp_lock(pool);
  if (--pool->alive == 0) vow__tp_all_ended(w);
  vow__tp_unlock(pool);
  vow__tp_unref(pool);
}

static void call_hook(vow__worker_t *w, void (*hook)(void *arg)) {
  if (hook == NULL) return;
  atomic_store(&w->site, vow__in_hook);
  hook(w->pool->options.thread_arg);
  atomic_store(&w->site, NULL);
}

static void worker_main(void *arg) {
  vow__worker_t *w = arg;
  vow_job_t *job;
  self = w;
  set_name(w);
  call_hook(w, w->pool->options.on_thread_start);
  while ((job = vow__tp_next(w)) != NULL) run(w, job);
  call_hook(w, w->pool->options.on_thread_end);
  self = NULL;
  end(w);
}

static int start_one(vow_thread_pool_t *pool, unsigned index) {
  vow__worker_t *w = &pool->workers[index];
  uv_thread_options_t o = {UV_THREAD_HAS_STACK_SIZE, 0};
  int err;
  o.stack_size = pool->options.stack_size_bytes;
  w->pool = pool;
  w->index = index;
  atomic_fetch_add(&pool->refs, 1);
  pool->alive++;
  err = uv_thread_create_ex(&w->thread, &o, worker_main, w);
  if (err == 0) return 0;
  pool->alive--;
  atomic_fetch_sub(&pool->refs, 1);
  return err;
}

int vow__tp_start(vow_thread_pool_t *pool) {
  sigset_t all, before;
  unsigned n;
  int err = 0;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* which threads inherit */
  vow__tp_lock(pool); /* nobody ends before all are counted */
  for (n = 0; n < pool->count && err == 0; n++) err = start_one(pool, n);
  if (err != 0) vow__tp_shut(pool, VOW_POOL_CANCEL);
  vow__tp_unlock(pool);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (err != 0)
    while (--n > 0) uv_thread_join(&pool->workers[n - 1].thread);
  return err;
}

/* SPDX-License-Identifier: MIT */
/* Thread pools as users see them: making and freeing one, jobs as futures.
 * How it all works is in thread_pool.h. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "uv/request.h"
#include "uv/thread_pool.h"

#define THREADS_DEFAULT 4u
#define THREADS_MAX     1024u
#define NAME_DEFAULT    "vow"

/* ---- forks ----------------------------------------------------------------
 */

static atomic_uint forks;

static void on_fork(void) {
  atomic_fetch_add(&forks, 1);
}

static void watch_forks(void) {
  pthread_atfork(NULL, NULL, on_fork);
}

bool vow__tp_forked(const vow_thread_pool_t *pool) {
  return pool->forks != atomic_load_explicit(&forks, memory_order_relaxed);
}

/* ---- making and freeing ---------------------------------------------------
 */

static int init_locks(vow_thread_pool_t *pool) {
  int err = uv_mutex_init(&pool->lock);
  if (err != 0) return err;
  err = uv_cond_init(&pool->work);
  if (err != 0) goto fail_work;
  err = uv_cond_init(&pool->ended);
  if (err != 0) goto fail_ended;
  return 0;
fail_ended:
  uv_cond_destroy(&pool->work);
fail_work:
  uv_mutex_destroy(&pool->lock);
  return err;
}

void vow__tp_unref(vow_thread_pool_t *pool) {
  if (atomic_fetch_sub(&pool->refs, 1) > 1) return;
  uv_cond_destroy(&pool->ended);
  uv_cond_destroy(&pool->work);
  uv_mutex_destroy(&pool->lock);
  vow_release(pool->ring);
  vow_release(pool);
}

static vow_thread_pool_t *pool_alloc(const vow_thread_pool_options_t *options,
                                     unsigned threads) {
  size_t size_bytes =
      sizeof(vow_thread_pool_t) + (threads + 1) * sizeof(vow__worker_t);
  vow_thread_pool_t *pool = vow_alloc(size_bytes);
  if (pool == NULL) return NULL;
  memset(pool, 0, size_bytes);
  if (options != NULL) pool->options = *options;
  snprintf(pool->name, sizeof pool->name, "%s",
           pool->options.name != NULL ? pool->options.name : NAME_DEFAULT);
  pool->options.name = pool->name;
  pool->count = threads;
  pool->forks = atomic_load(&forks);
  atomic_init(&pool->refs, 1);
  return pool;
}

int vow_thread_pool_new(const vow_thread_pool_options_t *options,
                        vow_thread_pool_t **ret_pool) {
  static uv_once_t once = UV_ONCE_INIT;
  unsigned threads = options != NULL ? options->threads : 0;
  vow_thread_pool_t *pool;
  int err;
  if (threads == 0) threads = THREADS_DEFAULT;
  if (ret_pool == NULL || threads > THREADS_MAX) return UV_EINVAL;
  uv_once(&once, watch_forks);
  pool = pool_alloc(options, threads);
  if (pool == NULL) return UV_ENOMEM;
  err = init_locks(pool);
  if (err != 0) {
    vow_release(pool);
    return err;
  }
  err = vow__tp_start(pool);
  if (err != 0) {
    vow__tp_unref(pool);
    return err;
  }
  *ret_pool = pool;
  return 0;
}

void vow_thread_pool_free(vow_thread_pool_t *pool) {
  bool calls;
  if (pool == NULL || vow__tp_forked(pool)) return;
  vow__tp_lock(pool);
  calls = !pool->closing;
  if (calls) vow__tp_shut(pool, VOW_POOL_CANCEL);
  if (!pool->joined) {
    pool->joined = true;
    for (unsigned i = 0; i < pool->count; i++)
      pthread_detach(pool->workers[i].thread);
  }
  vow__tp_unlock(pool);
  if (calls) vow__tp_cancel_calls(pool);
  vow__tp_unref(pool);
}

static void count_site(const char *site, void *arg) {
  if (site != vow__in_hook) ++*(unsigned *)arg;
}

int vow_thread_pool_stats(vow_thread_pool_t *pool,
                          vow_thread_pool_stats_t *ret_stats) {
  vow_thread_pool_stats_t s = {0, 0, 0, 0};
  uint32_t limit;
  if (pool == NULL || ret_stats == NULL) return UV_EINVAL;
  if (!vow__tp_forked(pool)) {
    vow__tp_lock(pool);
    limit = vow__tp_limit(pool);
    s.threads = pool->alive;
    vow__tp_running(pool, count_site, &s.running);
    s.queued = pool->live < limit ? pool->live : limit;
    s.waiting = pool->live - s.queued;
    s.queued += vow__tp_in_trays(pool);
    vow__tp_unlock(pool);
  }
  *ret_stats = s;
  return 0;
}

/* ---- jobs -----------------------------------------------------------------
 */

/* Only a job that needs it has room for it. */
typedef struct dropping_job {
  vow_job_t job;
  vow_drop_cb arg_drop;
} dropping_job_t;

static void job_cancel(void *p);

static const vow_op_class_t plain_class = {
    "thread_pool_run", sizeof(vow_job_t), job_cancel, NULL, NULL, NULL};
static const vow_op_class_t dropping_class = {
    "thread_pool_run", sizeof(dropping_job_t), job_cancel, NULL, NULL, NULL};

static void drop_arg(vow_job_t *job) {
  dropping_job_t *d = (dropping_job_t *)(void *)job;
  vow_drop_cb drop;
  if (job->op.cls != &dropping_class) return;
  drop = d->arg_drop;
  d->arg_drop = NULL;
  if (drop != NULL) drop(job->arg);
}

static vow_value_t shutdown_failure(vow_job_t *job) {
  return vow_failf_at(vow_site(vow_op_future(job)), VOW_ESHUTDOWN,
                      "thread_pool_run: the pool is closed");
}

void vow__tp_job_back(vow_job_t *job) {
  if (job->op.cls == &vow__closer_class) {
    vow__closer_back((vow__closer_t *)(void *)job);
    return;
  }
  drop_arg(job);
  if (!job->refused)
    vow_op_settle(job, job->result);
  else if (vow_op_is_pending(job))
    vow_op_settle(job, shutdown_failure(job));
  vow_op_unpin(job);
}

/* The call that job's function is in, for us to end. Locked. */
static vow__call_t *call_of(vow_thread_pool_t *pool, const vow_job_t *job) {
  for (unsigned i = 0; i < pool->count; i++) {
    vow__worker_t *w = &pool->workers[i];
    if (w->call != NULL && w->job == job) return vow__tp_call_hold(w->call);
  }
  return NULL;
}

static void job_cancel(void *p) {
  vow_job_t *job = p;
  vow__tp_lane_t *lane = job->lane;
  vow_thread_pool_t *pool = lane->pool;
  vow__call_t *call = NULL;
  bool withdrawn = false;
  if (!vow__tp_forked(pool)) {
    vow__tp_lock(pool);
    withdrawn = vow__tp_withdraw(pool, job);
    atomic_store(&job->cancelled, true);
    if (!withdrawn) call = call_of(pool, job);
    vow__tp_unlock(pool);
  }
  if (withdrawn) {
    vow__tp_lane_less(lane);
    drop_arg(job);
  }
  vow__request_cancel(job);
  if (withdrawn) vow_op_unpin(job);
  if (call != NULL) vow__tp_call_cancel(call);
}

/* A job that was not queued settles with why. */
static vow_future_t *refused(vow_job_t *job, const vow_thread_pool_t *pool,
                             int err) {
  const char *site = vow_site(vow_op_future(job));
  drop_arg(job);
  if (err == UV_ENOMEM)
    vow_op_settle(job, vow_fail(err));
  else if (err == UV_ENOBUFS)
    vow_op_settle(job, vow_failf_at(site, err,
                                    "thread_pool_run: %zu jobs are queued in "
                                    "the pool %s",
                                    pool->options.queue_limit, pool->name));
  else if (vow__tp_forked(pool))
    vow_op_settle(job,
                  vow_failf_at(site, err,
                               "thread_pool_run: the threads of the pool %s "
                               "are in the parent process",
                               pool->name));
  else if (err == VOW_ESHUTDOWN)
    vow_op_settle(job, shutdown_failure(job));
  else
    vow_op_settle(
        job, vow_failf_at(site, err, "thread_pool_run: %s", vow_strerror(err)));
  return vow_op_future(job);
}

static int submit(vow__uv_t *d, vow_thread_pool_t *pool, vow_job_t *job) {
  vow__tp_lane_t *lane;
  int err = VOW_ESHUTDOWN;
  if (vow__tp_forked(pool)) return err;
  lane = vow__tp_lane_get(d, pool, &err);
  if (lane == NULL) return err;
  job->lane = lane;
  vow__tp_lane_more(lane);
  vow_op_pin(job);
  err = vow__tp_push(pool, job);
  if (err == 0) return 0;
  vow_op_unpin(job);
  vow__tp_lane_less(lane);
  return err;
}

static vow_job_t *job_new(const char *site, vow_loop_t *loop,
                          vow_drop_cb arg_drop, vow__uv_t **ret_d,
                          vow_future_t **ret_failed) {
  const vow_op_class_t *cls = arg_drop != NULL ? &dropping_class : &plain_class;
  vow_job_t *job = vow__op_new(site, loop, cls, ret_d, ret_failed);
  if (job != NULL && arg_drop != NULL)
    ((dropping_job_t *)(void *)job)->arg_drop = arg_drop;
  return job;
}

vow_future_t *vow_thread_pool_run_at(const char *site, vow_thread_pool_t *pool,
                                     vow_loop_t *loop, vow_job_cb fn, void *arg,
                                     vow_drop_cb arg_drop) {
  vow_future_t *failed = NULL;
  vow_job_t *job = NULL;
  vow__uv_t *d;
  int err;
  if (pool == NULL || fn == NULL)
    failed =
        vow_misuse_at(site, loop, UV_EINVAL, "thread_pool_run: the %s is NULL",
                      pool == NULL ? "pool" : "function");
  else
    job = job_new(site, loop, arg_drop, &d, &failed);
  if (job == NULL) {
    if (arg_drop != NULL) arg_drop(arg);
    return failed;
  }
  atomic_init(&job->link, (void *)(uintptr_t)site);
  job->u.fn = fn;
  job->arg = arg;
  err = submit(d, pool, job);
  return err == 0 ? vow_op_future(job) : refused(job, pool, err);
}

/* ---- within a job ---------------------------------------------------------
 */

bool vow_job_is_cancelled(const vow_job_t *job) {
  vow_job_t *j = (vow_job_t *)(uintptr_t)job;
  return j != NULL && (atomic_load(&j->cancelled) ||
                       atomic_load(&j->lane->pool->cancelling));
}

vow_loop_t *vow_job_loop(const vow_job_t *job) {
  return job != NULL ? job->lane->dock->d->loop : NULL;
}

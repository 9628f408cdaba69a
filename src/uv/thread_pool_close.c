/* SPDX-License-Identifier: MIT */
/* Closing a thread pool: what is queued, who waits, and what is stuck. */
#include <stdio.h>
#include <stdlib.h>

#include "uv/request.h"
#include "uv/thread_pool.h"

#define NS_PER_MS UINT64_C(1000000)

/* ---- what all ways of closing share --------------------------------------- */

void vow__tp_shut(vow_thread_pool_t *pool, vow_thread_pool_mode_t mode) {
  bool again = pool->closing;
  pool->closing = true;
  if (mode == VOW_POOL_CANCEL) {
    atomic_store(&pool->cancelling, true);
    vow__tp_refuse(pool, 0);
  } else if (!again) {
    vow__tp_refuse(pool, vow__tp_limit(pool));
  }
  uv_cond_broadcast(&pool->work);
}

void vow__tp_cancel_calls(vow_thread_pool_t *pool) {
  unsigned i = 0;
  while (i < pool->count) {
    vow__worker_t *w = &pool->workers[i];
    vow__call_t *call = NULL;
    vow__tp_lock(pool);
    if (atomic_load(&pool->cancelling) && w->call != NULL && !w->call_asked) {
      call = vow__tp_call_hold(w->call);
      w->call_asked = true;
    }
    vow__tp_unlock(pool);
    if (call != NULL)
      vow__tp_call_cancel(call);
    else
      i++;
  }
}

static void print_stuck(const char *what, const char *site, void *arg) {
  (void)arg;
  if (getenv("VOW_DEBUG") != NULL)
    fprintf(stderr, "vow: still running: a job of the pool %s, made at %s\n",
            what, site);
}

typedef struct report {
  vow_thread_pool_t *pool;
  unsigned count;
  const char *first;
} report_t;

static void name_stuck(const char *site, void *arg) {
  report_t *r = arg;
  const vow_thread_pool_options_t *o = &r->pool->options;
  vow_stuck_cb cb = o->on_stuck != NULL ? o->on_stuck : print_stuck;
  if (r->count++ == 0) r->first = site;
  cb(r->pool->name, site, o->on_stuck_arg);
}

/* The time is up: refuses what is queued, names what runs. Locked. */
static report_t give_up(vow_thread_pool_t *pool) {
  report_t r = {pool, 0, NULL};
  vow__tp_shut(pool, VOW_POOL_CANCEL);
  vow__tp_running(pool, name_stuck, &r);
  return r;
}

/* The threads have ended, or are about to return. */
static void join(vow_thread_pool_t *pool) {
  bool joined;
  vow__tp_lock(pool);
  joined = pool->joined;
  pool->joined = true;
  vow__tp_unlock(pool);
  for (unsigned i = 0; !joined && i < pool->count; i++)
    uv_thread_join(&pool->workers[i].thread);
}

/* ---- as a future ---------------------------------------------------------- */

static void list(vow_thread_pool_t *pool, vow__closer_t *closer) {
  closer->listed = true;
  closer->next = pool->closers;
  pool->closers = closer;
}

/* False when it is on its way back already. Locked. */
static bool unlist(vow_thread_pool_t *pool, vow__closer_t *closer) {
  vow__closer_t **link = &pool->closers;
  if (!closer->listed) return false;
  while (*link != closer) link = &(*link)->next;
  *link = closer->next;
  closer->listed = false;
  return true;
}

void vow__tp_all_ended(vow__worker_t *w) {
  vow_thread_pool_t *pool = w->pool;
  while (pool->closers != NULL) {
    vow__closer_t *closer = pool->closers;
    unlist(pool, closer);
    vow__tp_lane_give(w, &closer->job);
  }
  uv_cond_broadcast(&pool->ended);
}

/* Nobody else has closer any more. */
static void settle(vow__closer_t *closer, vow_value_t v) {
  vow_timer_stop(vow_op_loop(closer), &closer->timer);
  vow_op_settle(closer, v);
  vow_op_unpin(closer);
}

void vow__closer_back(vow__closer_t *closer) {
  join(closer->pool);
  settle(closer, vow_nil());
}

static void closer_cancel(void *p) {
  vow__closer_t *closer = p;
  vow_thread_pool_t *pool = closer->pool;
  bool ours;
  vow__tp_lock(pool);
  ours = unlist(pool, closer);
  vow__tp_unlock(pool);
  if (!ours) {
    vow__request_cancel(closer);
    return;
  }
  vow__tp_lane_less(closer->job.lane);
  settle(closer, vow_cancelled(UV_ECANCELED));
}

const vow_op_class_t vow__closer_class = {"thread_pool_close",
                                          sizeof(vow__closer_t),
                                          closer_cancel,
                                          NULL,
                                          NULL,
                                          NULL};

static vow_value_t busy_failure(const vow__closer_t *closer,
                                const report_t *r) {
  return vow_failf_at(
      vow_site(vow_op_future((void *)(uintptr_t)closer)), UV_EBUSY,
      "thread_pool_close: %u jobs of the pool %s still run, one made at %s",
      r->count, closer->pool->name, r->first);
}

static void expired(vow_timer_t *t) {
  vow__closer_t *closer = VOW__OF(t, vow__closer_t, timer);
  vow__tp_lane_t *lane = closer->job.lane;
  vow_thread_pool_t *pool = closer->pool;
  report_t r = {pool, 0, NULL};
  vow_value_t failure;
  vow__tp_lock(pool);
  if (closer->listed) r = give_up(pool);
  /* With nothing running the threads are about to end, and tell. */
  if (r.count > 0) unlist(pool, closer);
  vow__tp_unlock(pool);
  if (r.count == 0) return;
  vow__tp_cancel_calls(pool);
  failure = busy_failure(closer, &r);
  vow__tp_lane_less(lane);
  settle(closer, failure);
}

/* What can fail of closing; 0, with closer ready to be listed. */
static int prepare(vow__uv_t *d, vow__closer_t *closer, uint64_t grace_ms) {
  int err = UV_ENOMEM;
  vow__tp_lane_t *lane = vow__tp_lane_get(d, closer->pool, &err);
  if (lane == NULL) return err;
  err = vow_timer_start(d->loop, &closer->timer,
                        vow_deadline_ms(d->loop, grace_ms), expired);
  if (err != 0) {
    vow__tp_lane_release(lane);
    return err;
  }
  closer->job.lane = lane;
  vow__tp_lane_more(lane);
  vow_op_pin(closer);
  return 0;
}

static void begin(vow__closer_t *closer, vow_thread_pool_mode_t mode) {
  vow_thread_pool_t *pool = closer->pool;
  bool ended;
  vow__tp_lock(pool);
  vow__tp_shut(pool, mode);
  ended = pool->alive == 0;
  if (!ended) list(pool, closer);
  vow__tp_unlock(pool);
  vow__tp_cancel_calls(pool);
  if (!ended) return;
  join(pool);
  vow__tp_lane_less(closer->job.lane);
  settle(closer, vow_nil());
}

vow_future_t *vow_thread_pool_close_at(const char *site,
                                       vow_thread_pool_t *pool,
                                       vow_loop_t *loop,
                                       vow_thread_pool_mode_t mode,
                                       uint64_t grace_ms) {
  vow_future_t *failed, *result;
  vow__closer_t *closer;
  vow__uv_t *d;
  int err = 0;
  if (pool == NULL)
    return vow_misuse_at(site, loop, UV_EINVAL,
                         "thread_pool_close: the pool is NULL");
  closer = vow__op_new(site, loop, &vow__closer_class, &d, &failed);
  if (closer == NULL) return failed;
  closer->pool = pool;
  result = vow_op_future(closer);
  if (!vow__tp_forked(pool)) {
    err = prepare(d, closer, grace_ms);
    if (err == 0) {
      begin(closer, mode);
      return result;
    }
  }
  vow_op_settle(closer, err != 0 ? vow_fail(err) : vow_nil());
  return result;
}

/* ---- blocking ------------------------------------------------------------- */

/* Until all threads have ended; false when the time is up before. Locked. */
static bool wait_ended(vow_thread_pool_t *pool, uint64_t end_ns) {
  while (pool->alive > 0) {
    uint64_t now_ns = uv_hrtime();
    if (now_ns >= end_ns) return false;
    uv_cond_timedwait(&pool->ended, &pool->lock, end_ns - now_ns);
  }
  return true;
}

static int close_and_wait(vow_thread_pool_t *pool, vow_thread_pool_mode_t mode,
                          uint64_t end_ns) {
  report_t r = {pool, 0, NULL};
  vow__tp_lock(pool);
  vow__tp_shut(pool, mode);
  vow__tp_unlock(pool);
  vow__tp_cancel_calls(pool);
  vow__tp_lock(pool);
  if (!wait_ended(pool, end_ns)) r = give_up(pool);
  while (r.count == 0 && pool->alive > 0)
    uv_cond_wait(&pool->ended, &pool->lock);
  vow__tp_unlock(pool);
  if (r.count > 0) {
    vow__tp_cancel_calls(pool);
    return UV_EBUSY;
  }
  join(pool);
  return 0;
}

int vow_thread_pool_close_blocking(vow_thread_pool_t *pool,
                                   vow_thread_pool_mode_t mode,
                                   uint64_t grace_ms) {
  vow__worker_t *self = vow__tp_self();
  int err;
  if (pool == NULL) return UV_EINVAL;
  if (vow__tp_forked(pool)) return 0;
  if (self != NULL && self->pool == pool) return UV_EBUSY;
  if (grace_ms > VOW_MS_MAX) grace_ms = VOW_MS_MAX;
  atomic_fetch_add(&pool->refs, 1);
  err = close_and_wait(pool, mode, uv_hrtime() + grace_ms * NS_PER_MS);
  vow__tp_unref(pool);
  return err;
}

/* SPDX-License-Identifier: MIT */
/* Where a thread pool's jobs come back to their loop. Batches come by
 * themselves: the loop is woken once, however many ended before it looked. */
#include <sched.h>
#include <string.h>

#include "base/check.h"
#include "uv/thread_pool.h"

/* Jobs of a lane that come back in one turn of the loop: their continuations
 * find them in the cache, and the loop's other business waits no longer. */
#define BATCH_MAX 1024

/* ---- on any thread -------------------------------------------------------- */

void vow__tp_lane_give(vow__worker_t *w, vow_job_t *job) {
  vow__tp_lane_t *lane = job->lane;
  vow__dock_t *dock = lane->dock;
  vow_job_t *top = atomic_load_explicit(&lane->ended, memory_order_relaxed);
  atomic_store_explicit(&w->giving, lane, memory_order_release);
  do {
    atomic_store_explicit(&job->link, top, memory_order_relaxed);
  } while (!atomic_compare_exchange_weak_explicit(
      &lane->ended, &top, job, memory_order_acq_rel, memory_order_relaxed));
  if (top == NULL) uv_async_send(&dock->async);
  atomic_store_explicit(&w->giving, NULL, memory_order_release);
}

/* ---- lanes ---------------------------------------------------------------- */

void vow__tp_lane_more(vow__tp_lane_t *lane) {
  vow__dock_t *dock = lane->dock;
  lane->out++;
  if (dock->out++ == dock->paused) uv_ref((uv_handle_t *)&dock->async);
}

void vow__dock_pause(vow__dock_t *dock) {
  if (++dock->paused == dock->out) uv_unref((uv_handle_t *)&dock->async);
}

void vow__dock_resume(vow__dock_t *dock) {
  if (dock->paused-- == dock->out) uv_ref((uv_handle_t *)&dock->async);
}

static void count_off(vow__tp_lane_t *lane) {
  vow__dock_t *dock = lane->dock;
  lane->out--;
  if (--dock->out == dock->paused) uv_unref((uv_handle_t *)&dock->async);
}

/* Whether a thread has given the last job back, but is not done with that. */
static bool is_given_to(vow__tp_lane_t *lane) {
  vow_thread_pool_t *pool = lane->pool;
  if (vow__tp_forked(pool)) return false;
  for (unsigned i = 0; i <= pool->count; i++)
    if (atomic_load_explicit(&pool->workers[i].giving, memory_order_acquire) ==
        lane)
      return true;
  return false;
}

void vow__tp_lane_release(vow__tp_lane_t *lane) {
  vow__tp_lane_t **link = &lane->dock->lanes;
  if (lane->out > 0 || lane->busy || is_given_to(lane)) return;
  while (*link != lane) link = &(*link)->next;
  *link = lane->next;
  vow__tp_unref(lane->pool);
  vow_release(lane);
}

void vow__tp_lane_less(vow__tp_lane_t *lane) {
  count_off(lane);
  vow__tp_lane_release(lane);
}

/* ---- what came back ------------------------------------------------------- */

/* In the order in which the jobs ended. */
static vow_job_t *take_ended(vow__tp_lane_t *lane) {
  vow_job_t *list = NULL;
  vow_job_t *job =
      atomic_exchange_explicit(&lane->ended, NULL, memory_order_acq_rel);
  while (job != NULL) {
    vow_job_t *next = atomic_load_explicit(&job->link, memory_order_relaxed);
    if (job->u.hint != NULL)
      vow__prefetch((const char *)job->u.hint + sizeof(vow_op_t));
    atomic_store_explicit(&job->link, list, memory_order_relaxed);
    list = job;
    job = next;
  }
  return list;
}

/* Some of what came back; whether there is more. */
static bool collect(vow__tp_lane_t *lane) {
  size_t n;
  if (lane->back == NULL) lane->back = take_ended(lane);
  for (n = 0; n < BATCH_MAX && lane->back != NULL; n++) {
    vow_job_t *job = lane->back;
    lane->back = atomic_load_explicit(&job->link, memory_order_relaxed);
    if (lane->back != NULL) vow__prefetch(lane->back);
    count_off(lane);
    vow__tp_job_back(job);
  }
  /* Who pushed on ended since may have found us awake. */
  return lane->back != NULL || atomic_load(&lane->ended) != NULL;
}

static void on_async(uv_async_t *async) {
  vow__dock_t *dock = VOW__OF(async, vow__dock_t, async);
  vow_loop_t *loop = dock->d->loop;
  vow__tp_lane_t *lane = dock->lanes;
  bool more = false;
  while (lane != NULL) {
    vow__tp_lane_t *next;
    lane->busy = true; /* destructors may do anything, but for freeing it */
    if (collect(lane)) more = true;
    lane->busy = false;
    next = lane->next;
    vow__tp_lane_release(lane);
    lane = next;
  }
  if (more) uv_async_send(async); /* after others had their turn */
  vow_loop_drain(loop);
}

/* ---- docks ---------------------------------------------------------------- */

static vow__dock_t *dock_new(vow__uv_t *d, int *ret_err) {
  vow__dock_t *dock = vow_alloc(sizeof *dock);
  *ret_err = UV_ENOMEM;
  if (dock == NULL) return NULL;
  memset(dock, 0, sizeof *dock);
  dock->d = d;
  *ret_err = uv_async_init(d->uv, &dock->async, on_async);
  if (*ret_err != 0) {
    vow_release(dock);
    return NULL;
  }
  uv_unref((uv_handle_t *)&dock->async);
  d->dock = dock;
  return dock;
}

vow__tp_lane_t *vow__tp_lane_get(vow__uv_t *d, vow_thread_pool_t *pool,
                                 int *ret_err) {
  vow__dock_t *dock = d->dock != NULL ? d->dock : dock_new(d, ret_err);
  vow__tp_lane_t *lane;
  if (dock == NULL) return NULL;
  for (lane = dock->lanes; lane != NULL; lane = lane->next)
    if (lane->pool == pool) return lane;
  *ret_err = UV_ENOMEM;
  lane = vow_alloc(sizeof *lane);
  if (lane == NULL) return NULL;
  memset(lane, 0, sizeof *lane);
  atomic_fetch_add(&pool->refs, 1);
  lane->pool = pool;
  lane->dock = dock;
  lane->next = dock->lanes;
  dock->lanes = lane;
  return lane;
}

static void on_closed(uv_handle_t *handle) {
  vow_release(VOW__OF(handle, vow__dock_t, async));
}

void vow__dock_close(vow__uv_t *d) {
  vow__dock_t *dock = d->dock;
  if (dock == NULL) return;
  while (dock->lanes != NULL) {
    vow__tp_lane_release(dock->lanes);
    if (dock->lanes != NULL) sched_yield();
  }
  d->dock = NULL;
  uv_close((uv_handle_t *)&dock->async, on_closed);
}

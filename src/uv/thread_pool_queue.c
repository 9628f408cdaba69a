/* SPDX-License-Identifier: MIT */
/* A thread pool's queue: jobs in, out, taken back. What is done with a job is
 * not known here. */
#include <sched.h>

#include "base/check.h"
#include "uv/thread_pool.h"

/* Attempts at the lock before a thread sleeps for it: it is held briefly. */
#define SPIN_MAX 100

#define RING_MIN 64u
#define RING_MAX (UINT32_C(1) << 30)

/* A tray that was not emptied while each thread of the pool took this many
 * others belongs to a thread that is stuck. */
#define STALE_TAKES 4u

const char vow__claiming[] = "(claiming)";
const char vow__in_hook[] = "(on_thread_start or on_thread_end)";

void vow__tp_lock(vow_thread_pool_t *pool) {
  int tries = 0;
  while (uv_mutex_trylock(&pool->lock) != 0) {
    if (++tries < SPIN_MAX) continue;
    uv_mutex_lock(&pool->lock);
    return;
  }
}

void vow__tp_unlock(vow_thread_pool_t *pool) {
  uv_mutex_unlock(&pool->lock);
}

static vow_job_t **at(const vow_thread_pool_t *pool, uint32_t place) {
  return &pool->ring[place & (pool->capacity - 1)];
}

/* ---- waking ---------------------------------------------------------------
 */

/* Whether a sleeping thread should be woken. One at a time: it wakes the next
 * if there is more to do. */
static bool wake_one(vow_thread_pool_t *pool) {
  if (pool->live == 0 || pool->wakes > 0 || pool->sleepers == 0) return false;
  pool->wakes++;
  return true;
}

static void sleep_for_work(vow_thread_pool_t *pool) {
  pool->sleepers++;
  while (pool->wakes == 0 && !pool->closing)
    uv_cond_wait(&pool->work, &pool->lock);
  pool->sleepers--;
  if (pool->wakes > 0) pool->wakes--;
}

/* ---- in -------------------------------------------------------------------
 */

/* Moves the jobs together at the front of a ring of capacity places, which may
 * be the same. */
static void move_to(vow_thread_pool_t *pool, vow_job_t **ring,
                    uint32_t capacity) {
  uint32_t to = pool->head;
  for (uint32_t place = pool->head; place != pool->tail; place++) {
    vow_job_t *job = *at(pool, place);
    if (job == NULL) continue;
    if (place != to) job->place = to;
    ring[to++ & (capacity - 1)] = job;
  }
  pool->tail = to;
  if (ring == pool->ring) return;
  vow_release(pool->ring);
  pool->ring = ring;
  pool->capacity = capacity;
}

/* Room for one more; 0 or UV_ENOMEM. */
static int make_room(vow_thread_pool_t *pool) {
  uint32_t capacity = pool->capacity > 0 ? 2 * pool->capacity : RING_MIN;
  vow_job_t **ring = NULL;
  if (pool->tail - pool->head < pool->capacity) return 0;
  if (pool->live > pool->capacity / 2 || pool->capacity == 0) {
    if (capacity <= RING_MAX) ring = vow_alloc(capacity * sizeof(vow_job_t *));
    if (ring == NULL && pool->live == pool->capacity) return UV_ENOMEM;
  }
  if (ring != NULL)
    move_to(pool, ring, capacity);
  else
    move_to(pool, pool->ring, pool->capacity);
  return 0;
}

uint32_t vow__tp_limit(const vow_thread_pool_t *pool) {
  size_t limit = pool->options.queue_limit;
  if (limit == 0 || limit > RING_MAX) return RING_MAX;
  return (uint32_t)limit + pool->alive - pool->occupied;
}

int vow__tp_push(vow_thread_pool_t *pool, vow_job_t *job) {
  bool wake = false;
  int err = 0;
  vow__tp_lock(pool);
  if (pool->closing)
    err = VOW_ESHUTDOWN;
  else if (pool->options.fail_when_full && pool->live >= vow__tp_limit(pool))
    err = UV_ENOBUFS;
  else
    err = make_room(pool);
  if (err == 0) {
    job->place = pool->tail++;
    *at(pool, job->place) = job;
    pool->live++;
    wake = wake_one(pool);
  }
  vow__tp_unlock(pool);
  if (wake) uv_cond_signal(&pool->work);
  return err;
}

/* ---- out ------------------------------------------------------------------
 */

static vow_job_t *take_oldest(vow_thread_pool_t *pool) {
  vow_job_t *job;
  do job = *at(pool, pool->head++);
  while (job == NULL);
  pool->live--;
  return job;
}

/* The job in a slot of a tray, if nobody was faster. */
static vow_job_t *claim(_Atomic(vow_job_t *) *slot) {
  if (atomic_load_explicit(slot, memory_order_acquire) == NULL) return NULL;
  return atomic_exchange(slot, NULL);
}

static vow_job_t *steal_from(vow__worker_t *victim) {
  for (unsigned i = 0; i < VOW__TRAY_MAX; i++) {
    vow_job_t *job = claim(&victim->tray[i]);
    if (job != NULL) return job;
  }
  return NULL;
}

/* For who found the queue empty. */
static vow_job_t *steal(vow__worker_t *w) {
  vow_thread_pool_t *pool = w->pool;
  for (unsigned i = 1; i < pool->count; i++) {
    vow_job_t *job = steal_from(&pool->workers[(w->index + i) % pool->count]);
    if (job != NULL) return job;
  }
  return NULL;
}

/* Jobs must not lie behind one that takes for ever while the queue never
 * empties: each take looks at one tray. */
static vow_job_t *steal_stale(vow__worker_t *w) {
  vow_thread_pool_t *pool = w->pool;
  vow__worker_t *victim = &pool->workers[pool->takes++ % pool->count];
  if (victim == w ||
      pool->takes - victim->filled_when < STALE_TAKES * pool->count)
    return NULL;
  return steal_from(victim);
}

/* How many a thread may take at once. So many only that all threads are kept
 * busy by the rest; and one where the queue's length matters. */
static uint32_t portion(const vow_thread_pool_t *pool) {
  uint32_t n = pool->live / (2 * pool->count);
  if (pool->options.queue_limit > 0) return 1;
  return n < VOW__TRAY_MAX ? n : VOW__TRAY_MAX;
}

static vow_job_t *take(vow__worker_t *w) {
  vow_thread_pool_t *pool = w->pool;
  vow_job_t *first = pool->live > 0 ? steal_stale(w) : NULL;
  uint32_t n = portion(pool);
  if (first != NULL) return first;
  if (pool->live == 0) return steal(w);
  first = take_oldest(pool);
  w->at = w->filled = 0;
  w->filled_when = pool->takes;
  while (w->filled + 1 < n) {
    vow_job_t *job = take_oldest(pool);
    vow__prefetch((char *)job + sizeof(vow_op_t));
    atomic_store_explicit(&w->tray[w->filled++], job, memory_order_release);
  }
  return first;
}

static vow_job_t *from_tray(vow__worker_t *w) {
  vow_job_t *job = NULL;
  while (w->at < w->filled && job == NULL) job = claim(&w->tray[w->at++]);
  return job;
}

/* Locked: w has come for a job, or got one. */
static void set_occupied(vow__worker_t *w, bool occupied) {
  if (w->occupied && !occupied) w->pool->occupied--;
  if (!w->occupied && occupied) w->pool->occupied++;
  w->occupied = occupied;
}

static void set_site(vow__worker_t *w, const vow_job_t *job) {
  const char *site = NULL;
  if (job != NULL)
    site = atomic_load_explicit(&job->link, memory_order_relaxed);
  atomic_store_explicit(&w->site, site, memory_order_release);
}

vow_job_t *vow__tp_next(vow__worker_t *w) {
  vow_thread_pool_t *pool = w->pool;
  bool wake;
  vow_job_t *job = from_tray(w);
  set_site(w, job);
  if (job != NULL) return job;
  vow__tp_lock(pool);
  set_occupied(w, false);
  while ((job = take(w)) == NULL && !pool->closing) sleep_for_work(pool);
  set_occupied(w, job != NULL);
  set_site(w, job);
  wake = wake_one(pool);
  vow__tp_unlock(pool);
  if (wake) uv_cond_signal(&pool->work);
  return job;
}

/* ---- back -----------------------------------------------------------------
 */

bool vow__tp_withdraw(vow_thread_pool_t *pool, vow_job_t *job) {
  if (job->place - pool->head < pool->tail - pool->head &&
      *at(pool, job->place) == job) {
    *at(pool, job->place) = NULL;
    if (--pool->live == 0) pool->head = pool->tail;
    return true;
  }
  for (unsigned i = 0; i < pool->count; i++) {
    for (unsigned k = 0; k < VOW__TRAY_MAX; k++) {
      vow_job_t *found = job;
      if (atomic_compare_exchange_strong(&pool->workers[i].tray[k], &found,
                                         NULL))
        return true;
    }
  }
  return false;
}

static void refuse(vow_thread_pool_t *pool, vow_job_t *job) {
  job->refused = true;
  vow__tp_lane_give(&pool->workers[pool->count], job);
}

void vow__tp_refuse(vow_thread_pool_t *pool, uint32_t keep) {
  for (unsigned i = 0; keep == 0 && i < pool->count; i++) {
    vow_job_t *job;
    while ((job = steal_from(&pool->workers[i])) != NULL) refuse(pool, job);
  }
  for (uint32_t place = pool->head; place != pool->tail; place++) {
    vow_job_t *job = *at(pool, place);
    if (job == NULL) continue;
    if (keep > 0) {
      keep--;
      continue;
    }
    *at(pool, place) = NULL;
    pool->live--;
    refuse(pool, job);
  }
  if (pool->live == 0) pool->head = pool->tail;
}

uint32_t vow__tp_in_trays(vow_thread_pool_t *pool) {
  uint32_t n = 0;
  for (unsigned i = 0; i < pool->count; i++)
    for (unsigned k = 0; k < VOW__TRAY_MAX; k++)
      if (atomic_load(&pool->workers[i].tray[k]) != NULL) n++;
  return n;
}

void vow__tp_running(vow_thread_pool_t *pool,
                     void (*visit)(const char *site, void *arg), void *arg) {
  for (unsigned i = 0; i < pool->count; i++) {
    const char *site;
    while ((site = atomic_load(&pool->workers[i].site)) == vow__claiming)
      sched_yield();
    if (site != NULL) visit(site, arg);
  }
}

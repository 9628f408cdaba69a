/* SPDX-License-Identifier: MIT */
/* The runners of a loop and the two lists between them and the loop. */
#include "uv/crew.h"

#include <vow/op.h>

#include <stdlib.h>
#include <string.h>

/* Jobs that a runner does before others have their turn. */
#define RUN_MAX 64

/* Attempts at the queue's lock before a thread sleeps for it. */
#define SPIN_MAX 100

/* As libuv reads it: uv_queue_work has no way to ask. */
#define POOL_ENV     "UV_THREADPOOL_SIZE"
#define POOL_DEFAULT 4u
#define POOL_MAX     1024u

enum { JOB_QUEUED, JOB_TAKEN, JOB_WITHDRAWN };

typedef struct runner runner_t;
struct runner {
  uv_work_t req;
  vow__crew_t *crew;
  runner_t *next; /* in the list of idle ones */
};

struct vow__crew {
  vow__uv_t *d;
  vow__crew_hooks_t hooks;
  /* The loop's thread only. */
  runner_t *idle;
  unsigned runners;
  unsigned runners_max;
  unsigned flying; /* handed to libuv, callback not come */
  /* The queue: jobs are appended at newest, and taken at oldest. stub stands
   * in it whenever it would have no link left. */
  _Atomic(vow__job_t *) newest;
  vow__job_t *oldest; /* under lock */
  vow__job_t stub;
  uv_mutex_t lock;
  /* Jobs that ended, the last first. */
  _Atomic(vow__job_t *) ended;
};

/* ---- the queue ----------------------------------------------------------- */

static void queue_append(vow__crew_t *crew, vow__job_t *job) {
  vow__job_t *before;
  atomic_store_explicit(&job->next, NULL, memory_order_relaxed);
  before = atomic_exchange_explicit(&crew->newest, job, memory_order_acq_rel);
  atomic_store_explicit(&before->next, job, memory_order_release);
}

static vow__job_t *next_of(vow__job_t *job) {
  return atomic_load_explicit(&job->next, memory_order_acquire);
}

/* The oldest job; NULL when there is none, or it is just being appended: then
 * this runner's callback finds it. */
static vow__job_t *queue_take_locked(vow__crew_t *crew) {
  vow__job_t *job = crew->oldest;
  vow__job_t *next = next_of(job);
  if (job == &crew->stub) {
    if (next == NULL) return NULL;
    crew->oldest = job = next;
    next = next_of(job);
  }
  if (next == NULL) {
    if (job != atomic_load(&crew->newest)) return NULL;
    queue_append(crew, &crew->stub); /* so that job gets a link */
    next = next_of(job);
    if (next == NULL) return NULL;
  }
  crew->oldest = next;
  return job;
}

static vow__job_t *queue_take(vow__crew_t *crew) {
  vow__job_t *job;
  int tries = 0;
  /* Held for a few nanoseconds only; sleeping would cost far more. */
  while (uv_mutex_trylock(&crew->lock) != 0) {
    if (++tries < SPIN_MAX) continue;
    uv_mutex_lock(&crew->lock);
    break;
  }
  job = queue_take_locked(crew);
  uv_mutex_unlock(&crew->lock);
  return job;
}

static bool queue_is_empty(vow__crew_t *crew) {
  bool empty;
  uv_mutex_lock(&crew->lock);
  empty =
      crew->oldest == &crew->stub && atomic_load(&crew->newest) == &crew->stub;
  uv_mutex_unlock(&crew->lock);
  return empty;
}

/* ---- on the pool's threads ----------------------------------------------- */

static void job_ended(vow__crew_t *crew, vow__job_t *job) {
  vow__job_t *top = atomic_load_explicit(&crew->ended, memory_order_relaxed);
  do {
    atomic_store_explicit(&job->next, top, memory_order_relaxed);
  } while (!atomic_compare_exchange_weak_explicit(
      &crew->ended, &top, job, memory_order_release, memory_order_relaxed));
}

static void run(uv_work_t *req) {
  vow__crew_t *crew = VOW__OF(req, runner_t, req)->crew;
  int n;
  for (n = 0; n < RUN_MAX; n++) {
    int queued = JOB_QUEUED;
    vow__job_t *job = queue_take(crew);
    if (job == NULL) return;
    /* There is more to do: the loop shall not wait for our callback. */
    if (n > 0) uv_async_send(&crew->d->async);
    if (atomic_compare_exchange_strong(&job->state, &queued, JOB_TAKEN))
      crew->hooks.run(job);
    job_ended(crew, job);
  }
}

/* ---- on the loop's thread ------------------------------------------------ */

static void after(uv_work_t *req, int status);

static int fly(vow__crew_t *crew) {
  runner_t *r = crew->idle;
  int err = uv_queue_work(crew->d->uv, &r->req, run, after);
  if (err != 0) return err;
  crew->idle = r->next;
  crew->flying++;
  return 0;
}

/* Nobody will run them: libuv takes no request. */
static void refuse_all(vow__crew_t *crew) {
  vow__job_t *job, *first = NULL, *last = NULL, *next;
  while ((job = queue_take(crew)) != NULL) { /* back may push */
    (void)vow__crew_withdraw(job);
    atomic_store_explicit(&job->next, NULL, memory_order_relaxed);
    if (last != NULL)
      atomic_store_explicit(&last->next, job, memory_order_relaxed);
    else
      first = job;
    last = job;
  }
  for (job = first; job != NULL; job = next) {
    next = atomic_load_explicit(&job->next, memory_order_relaxed);
    crew->hooks.back(job, false);
  }
}

static void after(uv_work_t *req, int status) {
  runner_t *r = VOW__OF(req, runner_t, req);
  vow__crew_t *crew = r->crew;
  vow_loop_t *loop = crew->d->loop;
  (void)status;
  r->next = crew->idle;
  crew->idle = r;
  crew->flying--;
  if (!queue_is_empty(crew) && fly(crew) != 0 && crew->flying == 0)
    refuse_all(crew);
  vow__crew_collect(crew->d);
  vow_loop_drain(loop);
}

void vow__crew_collect(vow__uv_t *d) {
  vow__crew_t *crew = d->crew;
  vow__job_t *stack, *list = NULL;
  if (crew == NULL) return;
  if (atomic_load_explicit(&crew->ended, memory_order_relaxed) == NULL) return;
  stack = atomic_exchange_explicit(&crew->ended, NULL, memory_order_acquire);
  while (stack != NULL) { /* in the order in which they ended */
    vow__job_t *next = atomic_load_explicit(&stack->next, memory_order_relaxed);
    atomic_store_explicit(&stack->next, list, memory_order_relaxed);
    list = stack;
    stack = next;
  }
  while (list != NULL) {
    vow__job_t *next = atomic_load_explicit(&list->next, memory_order_relaxed);
    bool ran = atomic_load(&list->state) == JOB_TAKEN;
    crew->hooks.back(list, ran);
    list = next;
  }
}

bool vow__crew_withdraw(vow__job_t *job) {
  int queued = JOB_QUEUED;
  return atomic_compare_exchange_strong(&job->state, &queued, JOB_WITHDRAWN);
}

static unsigned pool_size(void) {
  const char *text = getenv(POOL_ENV);
  long size = text != NULL ? strtol(text, NULL, 10) : (long)POOL_DEFAULT;
  if (size < 1) return 1;
  return size > (long)POOL_MAX ? POOL_MAX : (unsigned)size;
}

static vow__crew_t *crew_new(vow__uv_t *d, const vow__crew_hooks_t *hooks) {
  vow__crew_t *crew = vow_alloc(sizeof *crew);
  if (crew == NULL) return NULL;
  memset(crew, 0, sizeof *crew);
  if (uv_mutex_init(&crew->lock) != 0) {
    vow_release(crew);
    return NULL;
  }
  crew->d = d;
  crew->hooks = *hooks;
  crew->runners_max = pool_size();
  crew->oldest = &crew->stub;
  atomic_init(&crew->newest, &crew->stub);
  return crew;
}

/* One runner more, while the pool has threads for it and memory allows. */
static void add_runner(vow__crew_t *crew) {
  runner_t *r;
  if (crew->runners == crew->runners_max) return;
  r = vow_alloc(sizeof *r);
  if (r == NULL) return;
  r->crew = crew;
  r->next = NULL;
  crew->idle = r;
  crew->runners++;
}

int vow__crew_push(vow__uv_t *d, const vow__crew_hooks_t *hooks,
                   vow__job_t *job) {
  vow__crew_t *crew = d->crew;
  int err;
  if (crew == NULL) crew = d->crew = crew_new(d, hooks);
  if (crew == NULL) return UV_ENOMEM;
  if (crew->idle == NULL) add_runner(crew);
  if (crew->runners == 0) return UV_ENOMEM;
  atomic_store_explicit(&job->state, JOB_QUEUED, memory_order_relaxed);
  queue_append(crew, job);
  err = crew->idle != NULL ? fly(crew) : 0;
  if (err == 0 || crew->flying > 0) return 0;
  (void)queue_take(crew); /* it is alone there */
  return err;
}

void vow__crew_close(vow__uv_t *d) {
  vow__crew_t *crew = d->crew;
  if (crew == NULL) return;
  while (crew->flying > 0) uv_run(d->uv, UV_RUN_ONCE);
  while (crew->idle != NULL) {
    runner_t *r = crew->idle;
    crew->idle = r->next;
    vow_release(r);
  }
  uv_mutex_destroy(&crew->lock);
  vow_release(crew);
  d->crew = NULL;
}

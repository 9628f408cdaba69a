/* SPDX-License-Identifier: MIT */
/* Jobs on libuv's thread pool, in large numbers. What a job does is its
 * owner's affair.
 *
 * How this works. uv_queue_work takes a lock and wakes a thread for every
 * request. Here as many requests as the pool has threads, the runners, each
 * serve a queue of the loop's own until it is empty, so that a burst of jobs
 * costs an atomic exchange each. After some jobs a runner goes to the end of
 * libuv's queue, for file and name requests to have their turn.
 *
 * The queue has one producer, the loop's thread, which takes no lock; runners
 * take jobs under one. A job that came to an end goes on a second, lock-free
 * list; the runner wakes the loop before it goes on to another job, and
 * otherwise its own request's callback tells. No job is forgotten: one that is
 * pushed while every runner is in flight is either taken by one of them, or
 * found by the callback of one that was about to end. */
#ifndef VOW_UV_CREW_H
#define VOW_UV_CREW_H

#include <stdatomic.h>

#include "uv/driver.h"

typedef struct vow__job vow__job_t;

/** Part of an operation. */
struct vow__job {
  _Atomic(vow__job_t *) next;
  atomic_int state;
};

/** What is done with the jobs of a loop. */
typedef struct vow__crew_hooks {
  /** On a thread of the pool, unless the job was withdrawn. */
  void (*run)(vow__job_t *job);
  /** On the loop's thread, once for each job; ran: whether it ran. It did not
   *  when it was withdrawn, or libuv took no request. job may be freed. The
   *  loop is drained afterwards. */
  void (*back)(vow__job_t *job, bool ran);
} vow__crew_hooks_t;

/** Hands job over; back will be called for it. UV_ENOMEM, or what uv_queue_work
 *  says (it will not), or 0. */
int vow__crew_push(vow__uv_t *d, const vow__crew_hooks_t *hooks,
                   vow__job_t *job);
/** Whether job, which is not back, is now certain never to run. */
bool vow__crew_withdraw(vow__job_t *job);
/** Calls back for the jobs that ended. */
void vow__crew_collect(vow__uv_t *d);
/** When no job is left: waits for the runners to end, and releases all. */
void vow__crew_close(vow__uv_t *d);

#endif

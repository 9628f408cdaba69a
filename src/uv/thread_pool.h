/* SPDX-License-Identifier: MIT */
/* The inside of thread pools: what the files thread_pool*.c share.
 *
 * How this works
 *
 * Jobs out (thread_pool_queue.c). The queue is a ring of pointers under the
 * pool's lock. From a long queue a thread takes several jobs at a time, into a
 * tray of its own, so that the lock is rarely contended. Whoever swaps a
 * pointer in a tray for NULL owns that job: its thread, another that has
 * nothing to do, or who cancels it. No thread sleeps while a job is queued or
 * lies in a tray, unless a wake-up is under way.
 *
 * Results back (thread_pool_dock.c). A loop has one dock with one uv_async_t,
 * referenced while jobs are out; and a lane for each pool that it has jobs in.
 * Ended jobs are pushed on the lane's stack without a lock; who finds it empty
 * wakes the loop, which takes all there is. What gives a job back says so in a
 * place (giving) that the loop looks at before it frees a lane.
 *
 * References. The owner, each thread, and each lane hold one to the pool. A
 * job keeps its lane, and with it pool and dock, until it is back. */
#ifndef VOW_UV_THREAD_POOL_H
#define VOW_UV_THREAD_POOL_H

#include <stdatomic.h>

#include <vow/op.h>
#include <vow/thread_pool.h>

#include "uv/driver.h"

#define VOW__TRAY_MAX  32u
#define VOW__RECENT    8u
#define VOW__NAME_SIZE 48

typedef struct vow__tp_lane vow__tp_lane_t;
typedef struct vow__dock vow__dock_t;
typedef struct vow__call vow__call_t;
typedef struct vow__worker vow__worker_t;

/** Its fields up to refused are what the worker touches: a cache line. */
struct vow_job {
  vow_op_t op;
  /* Until it is claimed: where it was made (const char *). Once it has ended:
   * the next in the lane's stack (vow_job_t *). */
  _Atomic(void *) link;
  union {
    vow_job_cb fn;
    /* Once it has ended: one that ended before it, or a stale address. Good
     * for prefetching only. */
    const void *hint;
  } u;
  void *arg;
  vow__tp_lane_t *lane;
  vow_value_t result;
  uint32_t place; /* in the ring; under the pool's lock */
  atomic_bool cancelled;
  bool refused; /* never ran */
};

struct vow__tp_lane {
  vow__tp_lane_t *next; /* of the same loop */
  vow__dock_t *dock;
  vow_thread_pool_t *pool;
  size_t out;      /* jobs that are not back */
  vow_job_t *back; /* taken off ended; the oldest first */
  bool busy;       /* being emptied: not to be freed */
  char apart[64];  /* from what other threads write */
  _Atomic(vow_job_t *) ended;
};

struct vow__dock {
  uv_async_t async;
  vow__uv_t *d;
  vow__tp_lane_t *lanes;
  size_t out;    /* the sum of theirs */
  size_t paused; /* of which so many wait for this very loop */
};

struct vow__worker {
  vow_thread_pool_t *pool;
  uv_thread_t thread;
  unsigned index;
  bool started;
  /* Where the job was made that runs, or vow__in_hook; NULL: none.
   * vow__claiming: it looks into its tray, and knows in a moment. */
  _Atomic(const char *) site;
  _Atomic(vow__tp_lane_t *) giving;
  /* Its own affair. */
  vow_job_t *job;
  unsigned at; /* in the tray */
  unsigned filled;
  unsigned recent_at;
  const void *recent[VOW__RECENT]; /* jobs that ended */
  /* Under the pool's lock. */
  uint32_t filled_when;
  bool occupied;
  vow__call_t *call; /* of job, in progress */
  bool call_asked;   /* to end, by the pool */
  _Atomic(vow_job_t *) tray[VOW__TRAY_MAX];
  char apart[64];
};

/** A future of vow_thread_pool_close, given back like a job. */
typedef struct vow__closer vow__closer_t;
struct vow__closer {
  vow_job_t job;
  vow_timer_t timer;
  vow_thread_pool_t *pool;
  vow__closer_t *next;
  uint64_t grace_ms;
  bool listed; /* in the pool's list; under its lock */
};

struct vow_thread_pool {
  vow_thread_pool_options_t options;
  char name[VOW__NAME_SIZE];
  unsigned forks; /* that this process had seen when the pool was made */
  atomic_uint refs;
  atomic_bool cancelling; /* everything that runs should end */

  uv_mutex_t lock; /* guards what follows, unless it says otherwise */
  uv_cond_t work;  /* a wake-up, or closing */
  uv_cond_t ended; /* alive is 0 */
  vow_job_t **ring;
  uint32_t capacity; /* a power of two */
  uint32_t head;     /* the oldest place in use; they count on for ever */
  uint32_t tail;
  uint32_t live; /* places with a job; a cancelled one leaves NULL */
  uint32_t takes;
  unsigned sleepers;
  unsigned wakes;    /* threads that were woken and do not know it yet */
  unsigned occupied; /* threads that have not come for another job */
  bool closing;
  bool joined; /* the threads were joined, or left to themselves */
  unsigned alive;
  vow__closer_t *closers;
  /* workers[count] is no thread: it stands for those who refuse jobs. */
  unsigned count;
  vow__worker_t workers[];
};

/* ---- thread_pool.c ---------------------------------------------------------
 */

/** Whether the pool's threads are in another process. */
bool vow__tp_forked(const vow_thread_pool_t *pool);
void vow__tp_unref(vow_thread_pool_t *pool);
/** On the loop's thread: job is back. */
void vow__tp_job_back(vow_job_t *job);

/* ---- thread_pool_queue.c --------------------------------------------------
 */

extern const char vow__claiming[];
extern const char vow__in_hook[];

void vow__tp_lock(vow_thread_pool_t *pool);
void vow__tp_unlock(vow_thread_pool_t *pool);
/** Queues job; VOW_ESHUTDOWN, UV_ENOBUFS, UV_ENOMEM, or 0. */
int vow__tp_push(vow_thread_pool_t *pool, vow_job_t *job);
/** Takes job out, if it was not claimed: it never runs then. Locked. */
bool vow__tp_withdraw(vow_thread_pool_t *pool, vow_job_t *job);
/** Gives back unrun the jobs that are queued, but for the first keep of them.
 *  Locked. */
void vow__tp_refuse(vow_thread_pool_t *pool, uint32_t keep);
/** The next job for w, which sleeps until there is one; NULL: w has to end. */
vow_job_t *vow__tp_next(vow__worker_t *w);
/** Jobs in trays; how many the queue takes now, for idle threads too. Locked. */
uint32_t vow__tp_in_trays(vow_thread_pool_t *pool);
uint32_t vow__tp_limit(const vow_thread_pool_t *pool);
/** Calls visit with the site of each job that runs. Locked. */
void vow__tp_running(vow_thread_pool_t *pool,
                     void (*visit)(const char *site, void *arg), void *arg);

/* ---- thread_pool_worker.c --------------------------------------------------
 */

/** Starts the threads: 0, or what uv_thread_create says, when those that were
 *  started have ended again. */
int vow__tp_start(vow_thread_pool_t *pool);
/** This thread as a worker; NULL when it is none. */
vow__worker_t *vow__tp_self(void);

/* ---- thread_pool_dock.c -----------------------------------------------------
 */

/** The lane between d's loop and pool; NULL for want of memory or, in *ret_err,
 *  something else. */
vow__tp_lane_t *vow__tp_lane_get(vow__uv_t *d, vow_thread_pool_t *pool,
                                 int *ret_err);
/** A job goes out; a job that went out is not there any more. The lane may be
 *  freed in the latter. */
void vow__tp_lane_more(vow__tp_lane_t *lane);
void vow__tp_lane_less(vow__tp_lane_t *lane);
/** Frees the lane, unless it is in use. */
void vow__tp_lane_release(vow__tp_lane_t *lane);
/** A job that is out waits for its own loop, which it does not keep busy
 *  meanwhile: with nothing else to do the loop is idle. */
void vow__dock_pause(vow__dock_t *dock);
void vow__dock_resume(vow__dock_t *dock);
/** Any thread, as w: job has come to its end. */
void vow__tp_lane_give(vow__worker_t *w, vow_job_t *job);

/* ---- thread_pool_close.c -----------------------------------------------------
 */

/** All threads have ended: tells those who wait. Locked, on the last thread. */
void vow__tp_all_ended(vow__worker_t *w);
/** Takes no more jobs. Locked. */
void vow__tp_shut(vow_thread_pool_t *pool, vow_thread_pool_mode_t mode);
/** After that, unlocked: asks calls in progress to end. */
void vow__tp_cancel_calls(vow_thread_pool_t *pool);
/** On the loop's thread: a closer is back. */
void vow__closer_back(vow__closer_t *closer);
extern const vow_op_class_t vow__closer_class;

/* ---- thread_pool_call.c ------------------------------------------------------
 */

/** A reference for vow__tp_call_cancel. Locked, while a worker has call. */
vow__call_t *vow__tp_call_hold(vow__call_t *call);
/** Asks the call to end, from any thread. Consumes the reference. */
void vow__tp_call_cancel(vow__call_t *call);

#endif

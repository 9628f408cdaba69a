/* SPDX-License-Identifier: MIT */
/* Thread pools of one's own, beside libuv's: for functions that block, so that
 * they cannot hold up files and names, which share libuv's few threads. And
 * the way back: calling into a loop from another thread, and waiting. */
#ifndef VOW_THREAD_POOL_H
#define VOW_THREAD_POOL_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** A pool. Any number of loops, in any threads, may give it jobs. */
typedef struct vow_thread_pool vow_thread_pool_t;

/** A job, as its function sees it: valid until that returns. */
typedef struct vow_job vow_job_t;

/** Runs on a thread of the pool. Of vow's functions it may call those whose
 *  contract says "Thread: any"; it must not return vow_follow. */
typedef vow_value_t (*vow_job_cb)(vow_job_t *job, void *arg);

/** Settings of a pool; zero a field for its default. */
typedef struct vow_thread_pool_options {
  /** How many; default 4, at most 1024. All are started at once. */
  unsigned threads;
  /** For messages, and for the threads ("name-0", ... cut to what the system
   *  takes). Copied, up to 47 characters. Default "vow". */
  const char *name;
  /** Of each thread; rounded up by libuv. Default: the system's. */
  size_t stack_size_bytes;
  /** Jobs that may be queued, beside those that run or have an idle thread
   *  waiting; default: no limit. A job beyond that waits for its place, in
   *  order of calls over all loops, its future pending. Waiting or queued it
   *  can be cancelled alike; the difference is what becomes of it when the pool
   *  is closed. */
  size_t queue_limit;
  /** A job beyond queue_limit fails at once, with UV_ENOBUFS. */
  bool fail_when_full;
  /** Called by each thread first and last of all, for libraries that want to
   *  know of threads. One that does not return is as stuck as a job. */
  void (*on_thread_start)(void *arg);
  void (*on_thread_end)(void *arg);
  void *thread_arg;
  /** Called with what would not end in time, see vow_thread_pool_close: what
   *  is the pool's name, site where the job was made. It must not call into
   *  vow. Default: prints a line to stderr when VOW_DEBUG is set. */
  vow_stuck_cb on_stuck;
  void *on_stuck_arg;
} vow_thread_pool_options_t;

/** vow_thread_pool_new(options, ret_pool)
 *  A pool with its threads, which have all signals blocked. options may be
 *  NULL.
 *  The threads are those of this process: in a child made by fork() without
 *  exec the pool takes no jobs (VOW_ESHUTDOWN), closing it gives success at
 *  once, and vow_thread_pool_free does nothing. Under libcheck, which forks,
 *  make pools within the test or in a checked fixture.
 *  Ownership: the caller owns *ret_pool until vow_thread_pool_free.
 *  Errors: UV_EINVAL (ret_pool is NULL, too many threads), UV_ENOMEM,
 *    UV_EAGAIN (the system has no more threads); 0.
 *  Thread: any. */
VOW_EXPORT int vow_thread_pool_new(const vow_thread_pool_options_t *options,
                                   vow_thread_pool_t **ret_pool);

/** vow_thread_pool_free(pool)
 *  Gives the pool up without waiting, closing it first if that was not done:
 *  what is queued fails with VOW_ESHUTDOWN, what runs goes on and its future
 *  settles, each thread ends by itself. The memory goes with the last of them.
 *  Ownership: consumes pool; NULL is allowed. A future of
 *    vow_thread_pool_close that is pending stays good.
 *  Errors: none.
 *  Thread: any. No function given by the user runs in this call. */
VOW_EXPORT void vow_thread_pool_free(vow_thread_pool_t *pool);

/** vow_thread_pool_run(pool, loop, fn, arg[, arg_drop])
 *  Calls fn(job, arg) on a thread of pool; the result settles, on loop, with
 *  what it returns, value or failure. Jobs are begun in the order of the calls
 *  (with several threads: nearly).
 *  Cancelled before fn began, it never starts, and its place is free at once.
 *  Cancelled while fn runs, the future settles at once, vow_job_is_cancelled
 *  says so, fn runs to its end, and what it returns is destroyed. Until then
 *  loop cannot be closed: vow_loop_close names the job.
 *  Ownership: pool is borrowed. arg belongs to fn from the call on;
 *    arg_drop(arg), when given, runs exactly once, on the loop's thread: when
 *    fn has returned, before the future settles; in the call that cancels or
 *    drops a job that never starts; or when it was refused. What fn returned
 *    is destroyed, if nobody takes it, once and on the loop's thread. The
 *    caller owns the result.
 *  Errors: UV_EINVAL (pool, loop or fn is NULL), UV_ENOTSUP (the loop is not on
 *    libuv), UV_ENOBUFS (see fail_when_full), UV_ENOMEM, VOW_ETHREAD,
 *    VOW_ESHUTDOWN (loop or pool is closed, or the pool was before fn began),
 *    through the result.
 *  Thread: the loop's. */
#define vow_thread_pool_run(...) VOW__POOL_RUN(__VA_ARGS__, NULL, 0)
#define VOW__POOL_RUN(pool, loop, fn, arg, arg_drop, ...) \
  vow_thread_pool_run_at(VOW_SITE, (pool), (loop), (fn), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_thread_pool_run_at(
    const char *site, vow_thread_pool_t *pool, vow_loop_t *loop, vow_job_cb fn,
    void *arg, vow_drop_cb arg_drop);

/** vow_job_is_cancelled(job)
 *  Whether the function should come to an end: the job's future was cancelled
 *  or dropped, or its pool was closed with VOW_POOL_CANCEL or is past the
 *  deadline of its closing. Once true it stays true.
 *  Ownership: job is borrowed.  Errors: false for NULL.
 *  Thread: the one that runs the job. */
VOW_EXPORT bool vow_job_is_cancelled(const vow_job_t *job);

/** vow_job_loop(job)
 *  The loop that the job's future belongs to, for vow_post and
 *  vow_call_blocking; open as long as the function runs.
 *  Ownership: borrowed.  Errors: NULL for NULL.
 *  Thread: the one that runs the job. */
VOW_EXPORT vow_loop_t *vow_job_loop(const vow_job_t *job);

/** What a pool is at. */
typedef struct vow_thread_pool_counts {
  unsigned threads; /* that have not ended */
  unsigned running; /* jobs being run */
  size_t queued;    /* jobs that have a place in the queue */
  size_t waiting;   /* jobs beyond queue_limit */
} vow_thread_pool_stats_t;

/** vow_thread_pool_stats(pool, ret_stats)
 *  Counts, true for the moment of the call.
 *  Ownership: pool is borrowed.
 *  Errors: UV_EINVAL when either is NULL; 0.  Thread: any. */
VOW_EXPORT int vow_thread_pool_stats(vow_thread_pool_t *pool,
                                     vow_thread_pool_stats_t *ret_stats);

/* ---- closing -------------------------------------------------------------- */

typedef enum vow_thread_pool_mode {
  /** What is queued is run. */
  VOW_POOL_FINISH,
  /** What is queued fails with VOW_ESHUTDOWN; to what runs
   *  vow_job_is_cancelled says true. */
  VOW_POOL_CANCEL
} vow_thread_pool_mode_t;

/** vow_thread_pool_close(pool, loop, mode, grace_ms)
 *  Takes no more jobs, refuses (VOW_ESHUTDOWN) those that wait for a place in
 *  the queue, does with the others as mode says, and succeeds with nil when all
 *  threads have ended.
 *  After grace_ms what is queued is refused, as with VOW_POOL_CANCEL; when
 *  jobs are running still, each is named to on_stuck, and the future fails with
 *  UV_EBUSY. They run on; the pool may be closed again, to wait for more.
 *  Closing may be asked for several times, from several loops; a later
 *  VOW_POOL_CANCEL overrules VOW_POOL_FINISH. Cancelling the future stops the
 *  waiting and the deadline, not the closing.
 *  Ownership: pool is borrowed, and may be freed at any time; the caller owns
 *    the result.
 *  Errors: UV_EBUSY, UV_EINVAL (pool or loop is NULL), UV_ENOTSUP (the loop is
 *    not on libuv), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN (the loop is closed),
 *    through the result; with all but the first nothing was done.
 *  Thread: the loop's. */
#define vow_thread_pool_close(pool, loop, mode, grace_ms) \
  vow_thread_pool_close_at(VOW_SITE, (pool), (loop), (mode), (grace_ms))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_thread_pool_close_at(
    const char *site, vow_thread_pool_t *pool, vow_loop_t *loop,
    vow_thread_pool_mode_t mode, uint64_t grace_ms);

/** vow_thread_pool_close_blocking(pool, mode, grace_ms)
 *  The same for threads without a loop, and for the end of main(): waits in
 *  this call. Results of jobs go to their loops as ever, once those run. Called
 *  on a loop's thread it holds the loop up: a job that waits for that loop
 *  (vow_call_blocking) will not end.
 *  Ownership: pool is borrowed.
 *  Errors: UV_EINVAL (NULL), UV_EBUSY (jobs are running still, and were named
 *    to on_stuck; or this is a thread of pool: nothing was done); 0.
 *  Thread: any but the pool's own. */
VOW_EXPORT int vow_thread_pool_close_blocking(vow_thread_pool_t *pool,
                                              vow_thread_pool_mode_t mode,
                                              uint64_t grace_ms);

/* ---- the way back ---------------------------------------------------------- */

/** Called on the loop's thread; the future it returns is consumed. */
typedef vow_future_t *(*vow_call_cb)(vow_loop_t *loop, void *arg);

/** vow_call_blocking(loop, fn, arg, ret_value)
 *  For threads that run no loop, a pool's above all: has fn(loop, arg) called
 *  on the loop's thread, blocks until the future it returned has settled, and
 *  gives its outcome as an owned value in *ret_value, failures included.
 *  ret_value may be NULL when the value is not wanted.
 *  Within a job it ends with the job's cancellation: before, fn is never
 *  called; meanwhile, the future is cancelled, and this returns when that has
 *  unwound (with the value, if it came all the same). For want of memory a
 *  cancellation may not reach a future on another loop than the job's.
 *  Somebody must run the loop. A job that waits for its own loop does not
 *  keep that running, nor does any other thread: the future has to.
 *  Ownership: loop is borrowed: a job's own, or one that the caller has a
 *    vow_loop_ref to. arg is borrowed until the return. The caller owns
 *    *ret_value, which is always written (a failure when there was no future).
 *    It changes threads: its type must be fit for that, and so must others who
 *    hold the value, if fn kept a reference to the future.
 *  Errors: UV_EINVAL (loop or fn is NULL, fn returned NULL or a future of
 *    another loop), UV_ENOTSUP (the loop is not on libuv), UV_EBUSY (this is
 *    the loop's own thread, which would wait for itself), UV_ENOMEM,
 *    UV_ECANCELED (the job was cancelled before), VOW_ESHUTDOWN (the loop is
 *    closed, or was before fn was called); otherwise the future's code:
 *    UV_ECANCELED when the loop was closed meanwhile.
 *  Thread: any but the loop's. fn runs on the loop's. */
#define vow_call_blocking(loop, fn, arg, ret_value) \
  vow_call_blocking_at(VOW_SITE, (loop), (fn), (arg), (ret_value))
VOW_EXPORT int vow_call_blocking_at(const char *site, vow_loop_t *loop,
                                    vow_call_cb fn, void *arg,
                                    vow_value_t *ret_value);

VOW_END_DECLS
#endif

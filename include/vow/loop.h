/* SPDX-License-Identifier: MIT */
/* Loops: running, closing, and calling in from other threads. How a loop is
 * made on libuv is in <vow/uv.h>. */
#ifndef VOW_LOOP_H
#define VOW_LOOP_H

#include <vow/promise.h>

VOW_BEGIN_DECLS

/** Called with a future that failed, unseen, when its last reference went. */
typedef void (*vow_unhandled_cb)(vow_future_t *f, void *arg);

/** Called with what would not end in time; see vow_loop_close. what is a
 *  class name ("sleep", "then", "uv handle tcp"), site where it was made. */
typedef void (*vow_stuck_cb)(const char *what, const char *site, void *arg);

/** Called with what kept the loop from everything else for blocked_ms: a
 *  continuation, or a task between two awaits. what and site as above. */
typedef void (*vow_blocked_cb)(const char *what, const char *site,
                               uint64_t blocked_ms, void *arg);

/** Called when the loop has closed for each future that somebody still holds:
 *  nobody awaited it, or it was never dropped. f may be read, not kept. */
typedef void (*vow_leak_cb)(vow_future_t *f, const char *what, const char *site,
                            void *arg);

/** vow_loop_options_t.block_limit_ms: never look at the clock. */
#define VOW_NO_BLOCK_LIMIT UINT32_MAX

/** Settings of a loop; zero a field for its default. */
typedef struct vow_loop_options {
  /** Continuations that run before libuv polls once; default 1024. */
  uint32_t step_budget;
  /** Default: prints the failure and its async backtrace to stderr. */
  vow_unhandled_cb on_unhandled;
  void *on_unhandled_arg;
  /** Default: prints a line to stderr when VOW_DEBUG is set. */
  vow_stuck_cb on_stuck;
  void *on_stuck_arg;
  /** A continuation or a task's step that takes longer is reported to
   *  on_blocked, by the clock of the wall. Default: none; 100 when VOW_DEBUG
   *  is in the environment. */
  uint32_t block_limit_ms;
  /** Default: prints a line to stderr. */
  vow_blocked_cb on_blocked;
  void *on_blocked_arg;
  /** Default: prints a line to stderr when VOW_DEBUG is set. */
  vow_leak_cb on_leak;
  void *on_leak_arg;
  /** For fault injection: every cell asks the allocator, so that "fail the
   *  nth allocation" reaches each one. Slower. */
  bool probe_cells;
  /** For tests that are to find what depends on an order by accident: not 0,
   *  what is ready runs in an order that follows from this number alone, instead
   *  of first in, first out. Kept are the orders that are promised elsewhere:
   *   - of the callbacks and waits on one future;
   *   - in which a combinator, a group or any operation hears of its inputs;
   *   - of watches on tokens;
   *   - what is said to run behind all that is ready (vow_yield, a sleep of 0,
   *     vow_op_wake, a task's start) does; others may overtake it.
   *  What settles in which order is as ever: timers, grants of locks, items of
   *  queues, reads of streams. Slower. */
  uint64_t shuffle_seed;
} vow_loop_options_t;

/** vow_loop_run(loop)
 *  Runs until idle: nothing ready, no timer, no active referenced handle.
 *  Ownership: loop is borrowed.
 *  Errors: UV_EINVAL (NULL), VOW_ETHREAD, VOW_ESHUTDOWN (closed), UV_EBUSY when
 *    called from a callback of a loop that is running; 0.
 *  Thread: the loop's. Callbacks run in this call. */
VOW_EXPORT int vow_loop_run(vow_loop_t *loop);

/** vow_loop_run_until(loop, f)
 *  Runs until f has settled. Does not wait for ever when that cannot happen:
 *  with nothing ready, timed, active, and no reference or remote promise in
 *  another thread's hands, it gives VOW_EIDLE and f is still pending.
 *  Ownership: f is borrowed.
 *  Errors: as vow_loop_run; UV_EINVAL when f is of another loop; VOW_EIDLE; 0
 *    whatever f's outcome is.
 *  Thread: the loop's. Callbacks run in this call. */
VOW_EXPORT int vow_loop_run_until(vow_loop_t *loop, vow_future_t *f);

/** vow_await_blocking(f, ret_value)
 *  For main(): vow_loop_run_until on f's loop, then f's outcome as an owned
 *  value in *ret_value, failures included; f is dropped. ret_value may be NULL
 *  when the value is not wanted.
 *  Ownership: consumes f, always; the caller owns *ret_value, which is always
 *    written (nil on an error of the run).
 *  Errors: as vow_loop_run_until, UV_EINVAL when f is NULL; otherwise f's code.
 *  Thread: the loop's. Callbacks run in this call. */
VOW_EXPORT int vow_await_blocking(vow_future_t *f, vow_value_t *ret_value);

/** vow_loop_close(loop, grace_ms)
 *  Cancels everything pending, runs until all has unwound or grace_ms has
 *  passed, closes vow's own handles, and, when vow made the uv_loop_t, closes
 *  that. Clean-up that starts new work is waited for.
 *  What is left is given to on_stuck and the loop stays open and usable: stop
 *  what is stuck, and close again.
 *  Settled futures may be read and dropped after the close; new ones fail with
 *  VOW_ESHUTDOWN.
 *  Ownership: the caller's loop reference is consumed when it returns 0; the
 *    memory goes when the last future and thread reference have gone.
 *  Errors: UV_EINVAL (NULL), VOW_ETHREAD, UV_EBUSY when something is left, or
 *    when called from a callback of the running loop; 0.
 *  Thread: the loop's. Callbacks run in this call. */
VOW_EXPORT int vow_loop_close(vow_loop_t *loop, uint64_t grace_ms);

/** vow_loop_now_ms(loop)
 *  The loop's clock: monotonic milliseconds, read afresh; virtual under a
 *  manual driver.
 *  Ownership: none.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT uint64_t vow_loop_now_ms(vow_loop_t *loop);

/** vow_loop_live(loop)
 *  How many futures exist, pending or settled.
 *  Ownership: none.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_loop_live(const vow_loop_t *loop);

/** vow_loop_each(loop, cb, arg)
 *  Calls cb for every live future: what it is, where it was made, its state.
 *  cb must not call into vow, except to read f.
 *  Ownership: f is borrowed during the call.
 *  Errors: none.  Thread: the loop's. cb runs in this call. */
typedef void (*vow_each_cb)(vow_future_t *f, const char *what, const char *site,
                            vow_state_t state, void *arg);
VOW_EXPORT void vow_loop_each(vow_loop_t *loop, vow_each_cb cb, void *arg);

/* ---- from other threads ------------------------------------------------ */

/** vow_loop_ref(loop), vow_loop_unref(loop)
 *  A reference for another thread: keeps the memory (not the loop open), and
 *  keeps vow_loop_run_until waiting for what that thread may post.
 *  Ownership: the caller owns the reference.  Errors: NULL is allowed.
 *  Thread: any (vow_loop_ref: one that has a reference already). */
VOW_EXPORT vow_loop_t *vow_loop_ref(vow_loop_t *loop);
VOW_EXPORT void vow_loop_unref(vow_loop_t *loop);

/** vow_post(loop, fn, arg[, arg_drop])
 *  Has fn(loop, arg) called once on the loop's thread, in the order of posting
 *  per thread. A loop that is attached and otherwise idle is woken up.
 *  Ownership: arg_drop(arg), when given, runs exactly once: after fn, or in
 *    this call on an error, or on the loop's thread when it closes first.
 *  Errors: UV_EINVAL (loop or fn is NULL), UV_ENOMEM, VOW_ESHUTDOWN (closed);
 *    0.
 *  Thread: any. */
typedef void (*vow_post_cb)(vow_loop_t *loop, void *arg);
#define vow_post(...) VOW__POST(__VA_ARGS__, NULL, 0)
#define VOW__POST(loop, fn, arg, arg_drop, ...) \
  vow_post_drop((loop), (fn), (arg), (arg_drop))
VOW_EXPORT int vow_post_drop(vow_loop_t *loop, vow_post_cb fn, void *arg,
                             vow_drop_cb arg_drop);

/** A promise that any one thread may settle. */
typedef struct vow_remote vow_remote_t;

/** vow_promise_remote(p)
 *  Turns p into a handle for another thread. vow_loop_run_until waits while
 *  one exists.
 *  Ownership: consumes p, also on error (the promise is then broken); the
 *    caller owns the result.
 *  Errors: NULL for want of memory or when p is NULL.
 *  Thread: the loop's. */
VOW_EXPORT vow_remote_t *vow_promise_remote(vow_promise_t *p);

/** vow_remote_settle(r, v)
 *  Settles the future with v on its loop's thread, and gives up r. v must not
 *  hold a future, and its destroy must be fit for the loop's thread.
 *  Ownership: consumes r and v. When the loop is closed v is destroyed in the
 *    caller.
 *  Errors: VOW_ESHUTDOWN (the loop is closed), UV_EINVAL (r is NULL; v is a
 *    followed future: it is left alone and leaks, having no thread to be
 *    dropped on); 0. Never fails for want of memory.
 *  Thread: any. */
VOW_EXPORT int vow_remote_settle(vow_remote_t *r, vow_value_t v);

/** vow_remote_is_wanted(r)
 *  False once the future was cancelled or dropped.
 *  Ownership: r is borrowed.  Errors: false for NULL.  Thread: any. */
VOW_EXPORT bool vow_remote_is_wanted(const vow_remote_t *r);

/** vow_remote_drop(r)
 *  Gives up r unsettled: the future fails with VOW_EBROKEN.
 *  Ownership: consumes r; NULL is allowed.  Errors: none.  Thread: any. */
VOW_EXPORT void vow_remote_drop(vow_remote_t *r);

VOW_END_DECLS
#endif

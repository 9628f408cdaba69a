/* SPDX-License-Identifier: MIT */
/* Operations: for writing futures of your own kind. A wrapper of a request, a
 * combinator, a lock: a struct that begins with vow_op_t and a class that says
 * how it is cancelled and destroyed. All of vow above its core is written with
 * nothing else. Users of futures do not need this header.
 *
 * Life of an operation:
 *   vow_op_new           pending; one reference, the caller's
 *   class->cancel        at most once, when nobody wants it any more or on
 *                        vow_cancel; the operation must then settle, now or
 *                        when it has unwound
 *   vow_op_settle        once; waiters are queued
 *   class->destroy       once, when settled, unreferenced and unpinned; the
 *                        memory goes right after
 * ready is called from the ready queue and may run a user's callback; the other
 * hooks, and those of timers, must not. */
#ifndef VOW_OP_H
#define VOW_OP_H

#include <vow/token.h>

VOW_BEGIN_DECLS

typedef struct vow_waiter vow_waiter_t;
typedef struct vow_timer vow_timer_t;

typedef struct vow_op_class {
  /** For messages and lists of what is pending. */
  const char *name;
  /** sizeof the operation's struct; at most VOW_OP_SIZE_MAX. */
  size_t size_bytes;
  /** Asked to end. May settle at once. NULL: cannot be cancelled, runs on. */
  void (*cancel)(void *op);
  /** Releases what the struct holds; NULL when that is nothing. */
  void (*destroy)(void *op);
  /** A future that w waited for has settled: read vow_waiter_future(w); or,
   *  with a NULL w, vow_op_wake was called. Called from the ready queue. NULL
   *  when the class has neither. */
  void (*ready)(void *op, vow_waiter_t *w);
  /** Calls visit for each future the operation waits for, for cycle checks and
   *  graphs. NULL when the class has no waiters. */
  void (*sources)(void *op, void (*visit)(vow_future_t *f, void *arg),
                  void *arg);
} vow_op_class_t;

#define VOW_OP_SIZE_MAX 2048

/** The head of every operation; its fields are vow's. */
typedef struct vow_op {
  void *vow__private[8];
  const vow_op_class_t *cls;
} vow_op_t;

/** vow_op_new_at(site, loop, cls)
 *  A pending operation, zeroed after its head.
 *  Ownership: the caller owns the one reference; hand it out as
 *    vow_op_future(op).
 *  Errors: NULL when loop is NULL, closed, of another thread, or for want of
 *    memory: return vow_op_failed(site, loop, what) then.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE void *vow_op_new_at(const char *site, vow_loop_t *loop,
                                            const vow_op_class_t *cls);

/** vow_op_failed(site, loop, what)
 *  The future to return when vow_op_new_at(site, loop, ..) gave NULL: UV_EINVAL
 *  and the like with a message that begins with what, or UV_ENOMEM, for which
 *  nothing is allocated.
 *  Ownership: the caller owns the result.  Errors: itself.  Thread: any. */
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_op_failed(const char *site,
                                                    vow_loop_t *loop,
                                                    const char *what);

/** vow_op_refusal(loop, what)
 *  Why nothing may be done with loop here, also recorded for vow_fail_last in a
 *  message that begins with what; for functions that touch their own data before
 *  they make an operation.
 *  Ownership: none.
 *  Errors: UV_EINVAL (loop is NULL), VOW_ESHUTDOWN, VOW_ETHREAD; 0.
 *  Thread: any. */
VOW_EXPORT VOW_MUST_USE int vow_op_refusal(const vow_loop_t *loop,
                                           const char *what);

/** vow_misuse_at(site, loop, code, fmt, ...)
 *  A future failed with code and a message, for bad arguments; also recorded
 *  for vow_fail_last. loop may be NULL.
 *  Ownership: the caller owns the result.
 *  Errors: out of memory the result says UV_ENOMEM.  Thread: any. */
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_misuse_at(const char *site,
                                                    vow_loop_t *loop, int code,
                                                    const char *fmt, ...)
    VOW_PRINTF(4, 5);

/** vow_op_check(f, loop)
 *  0 when f may be an input on loop; UV_EINVAL when it is NULL or of another
 *  loop. A failure made where no loop was known suits every loop.
 *  Ownership: borrowed.  Errors: as said.  Thread: the loop's. */
VOW_EXPORT int vow_op_check(const vow_future_t *f, const vow_loop_t *loop);

/** vow_op_would_cycle(op, f)
 *  Whether op would wait for itself if it waited for f: for operations that
 *  take in futures after they were handed out.
 *  Ownership: borrowed.  Errors: false beyond 65,536 futures or 1,000 nested
 *    operations.  Thread: the loop's. */
VOW_EXPORT bool vow_op_would_cycle(const void *op, vow_future_t *f);

/** vow_op_discard(f)
 *  vow_drop for an input that turned out to be of another loop, and perhaps of
 *  another thread: then it is dropped there.
 *  Ownership: consumes f. NULL is allowed.
 *  Errors: none; for want of memory a future of another thread leaks.
 *  Thread: any. */
VOW_EXPORT void vow_op_discard(vow_future_t *f);

/** vow_op_consume(site, f)
 *  The outcome of f, which has settled and is dropped; a failure counts as
 *  seen, and gets site on its trail.
 *  Ownership: consumes f; the caller owns the value.
 *  Errors: the failure VOW_EMOVED, UV_ENOMEM; UV_EINVAL when f is NULL,
 *    UV_EAGAIN while it is pending.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_value_t vow_op_consume(const char *site,
                                                   vow_future_t *f);

/** vow_value_followed(v)
 *  The future in a value that vow_follow made; NULL when v is another.
 *  Ownership: still v's.  Errors: none.  Thread: any. */
VOW_EXPORT vow_future_t *vow_value_followed(vow_value_t v);

/** vow_op_future(op), vow_op_of(f, cls)
 *  The same object as a future; and back: NULL when f is no operation of cls.
 *  Ownership: borrowed.  Errors: none.  Thread: the loop's. */
VOW_EXPORT vow_future_t *vow_op_future(void *op);
VOW_EXPORT void *vow_op_of(vow_future_t *f, const vow_op_class_t *cls);

/** vow_op_loop(op)
 *  The operation's loop.
 *  Ownership: borrowed.  Errors: none.  Thread: the loop's. */
VOW_EXPORT vow_loop_t *vow_op_loop(const void *op);

/** vow_op_settle(op, v)
 *  Settles op with v (a value or a failure; vow_follow is allowed). Once
 *  settled further calls destroy v and change nothing. op may be freed in
 *  this call when it is neither referenced nor pinned.
 *  Ownership: consumes v.
 *  Errors: VOW_ESETTLED; 0.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT int vow_op_settle(void *op, vow_value_t v);

/** vow_op_cancel(f, reason)
 *  vow_cancel with a reason, a negative code; 0 or more means UV_ECANCELED.
 *  Operations that are asked to end see it in vow_op_cancel_reason.
 *  Ownership: f is borrowed.  Errors: as vow_cancel.  Thread: the loop's. */
VOW_EXPORT int vow_op_cancel(vow_future_t *f, int reason);

/** vow_op_cancel_reason(op)
 *  In class->cancel: why; the reason of the token that op is bound to, or of
 *  vow_op_cancel, through whatever stands between, else UV_ECANCELED; that also
 *  for a token's UV_ETIMEDOUT, which counts as no cancellation. A cancel that
 *  went through the ready queue, for being nested very deep (64 operations that
 *  wait for each other), has lost it; a vow_cancel by a destructor that runs in
 *  the course of another cancel has that one's.
 *  Ownership: none.  Errors: none.  Thread: the loop's. */
VOW_EXPORT int vow_op_cancel_reason(const void *op);

/** vow_op_set_label(op, label)
 *  What this very operation is called in lists and graphs while it is pending,
 *  instead of its class's name; NULL undoes it.
 *  Ownership: label is borrowed until op has settled.
 *  Errors: none; nothing happens to a settled op.  Thread: the loop's. */
VOW_EXPORT void vow_op_set_label(void *op, const char *label);

/** vow_op_wake(op)
 *  Has op's class->ready called with a NULL waiter from the ready queue, once,
 *  behind what is ready now; never in this call. Until then further calls do
 *  nothing. Not called any more when op has settled before.
 *  Ownership: none.  Errors: none; nothing happens to a settled op.
 *  Thread: the loop's. */
VOW_EXPORT void vow_op_wake(void *op);

/** vow_op_is_pending(op)
 *  True until op has settled.
 *  Ownership: borrowed.  Errors: none.  Thread: the loop's. */
VOW_EXPORT bool vow_op_is_pending(const void *op);

/** vow_op_pin(op), vow_op_unpin(op)
 *  Keeps op's memory though it may be settled and dropped: while libuv holds a
 *  request that lives in it. At most 255 at a time. op may be freed in unpin.
 *  Ownership: none.  Errors: none.  Thread: the loop's. */
VOW_EXPORT void vow_op_pin(void *op);
VOW_EXPORT void vow_op_unpin(void *op);

/** A place in a future's list of waiters; part of an operation's struct, zeroed
 *  when idle. */
struct vow_waiter {
  void *vow__private[5];
};

/** vow_waiter_start(w, op, f)
 *  Has op's class->ready called once f has settled; never in this call.
 *  Ownership: consumes f into w. w must be idle and must not move or go
 *    while it waits.
 *  Errors: none; f must have passed vow_op_check.
 *  Thread: the loop's. */
VOW_EXPORT void vow_waiter_start(vow_waiter_t *w, void *op, vow_future_t *f);

/** vow_waiter_try(w, op, f)
 *  What comes before vow_waiter_start when f may be anything: checks f and
 *  starts w, unless f has settled already.
 *  Ownership: consumes f into w when it gives 0, otherwise f is untouched.
 *  Errors: UV_EINVAL (f is NULL or of another loop), VOW_ECYCLE (f waits for
 *    op); 1 when f has settled; 0.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE int vow_waiter_try(vow_waiter_t *w, void *op,
                                           vow_future_t *f);

/** vow_waiter_future(w)
 *  The future that w holds, settled or not; NULL when w is idle.
 *  Ownership: borrowed from w.  Errors: none.  Thread: the loop's. */
VOW_EXPORT vow_future_t *vow_waiter_future(const vow_waiter_t *w);

/** vow_waiter_cancel(w)
 *  Withdraws op's interest. When it is the only one, f is asked to end and w
 *  goes on waiting until it has: true. When others share f, or it has settled
 *  but ready was not called yet, w is released: false.
 *  Ownership: with false, w no longer holds f.
 *  Errors: none; an idle w gives false.
 *  Thread: the loop's. */
VOW_EXPORT bool vow_waiter_cancel(vow_waiter_t *w);

/** vow_waiter_release(w)
 *  Takes w out of the list, drops the future, and leaves w idle. On a pending
 *  future that nobody else wants this cancels it, unawaited.
 *  Ownership: drops what w holds.  Errors: none.  Thread: the loop's. */
VOW_EXPORT void vow_waiter_release(vow_waiter_t *w);

/** vow_waiter_take(w)
 *  Takes w out of the list and hands over the future it held; w is idle.
 *  Ownership: the caller owns the result.  Errors: NULL when idle.
 *  Thread: the loop's. */
VOW_EXPORT vow_future_t *vow_waiter_take(vow_waiter_t *w);

/** A timer on the loop's heap; part of an operation's struct, zeroed when
 *  idle. fn is called from the loop when it is due; it must not run a user's
 *  callback (settling an operation is what it is for). */
struct vow_timer {
  void (*vow__fn)(vow_timer_t *t);
  uint64_t vow__deadline_ms;
  vow_timer_t *vow__next, *vow__prev; /* in the wheel */
  size_t vow__index;                  /* in the heap; 0: not there */
};

/** vow_timer_start(loop, t, deadline_ms, fn), vow_timer_stop(loop, t)
 *  Has fn(t) called once the loop's clock reaches deadline_ms: never early,
 *  and in arming order among equals. Starting an armed timer moves it. Stop
 *  is allowed on an idle timer.
 *  Ownership: t must stay until it fired or was stopped.
 *  Errors: start: UV_ENOMEM, the timer is idle then; 0.
 *  Thread: the loop's. */
VOW_EXPORT int vow_timer_start(vow_loop_t *loop, vow_timer_t *t,
                               uint64_t deadline_ms,
                               void (*fn)(vow_timer_t *t));
VOW_EXPORT void vow_timer_stop(vow_loop_t *loop, vow_timer_t *t);

/** vow_deadline_ms(loop, delay_ms)
 *  The deadline delay_ms from now, rounded up so that it is never early, and
 *  kept within VOW_MS_MAX.
 *  Ownership: none.  Errors: none.  Thread: the loop's. */
VOW_EXPORT uint64_t vow_deadline_ms(vow_loop_t *loop, uint64_t delay_ms);

/** vow_alloc(size_bytes), vow_release(p)
 *  Memory from vow's allocator, not zeroed.
 *  Ownership: the caller owns it.  Errors: NULL.  Thread: any. */
VOW_EXPORT VOW_MUST_USE void *vow_alloc(size_t size_bytes);
VOW_EXPORT void vow_release(void *p);

VOW_END_DECLS
#endif

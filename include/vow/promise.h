/* SPDX-License-Identifier: MIT */
/* Promises: the writing end of a future, for code that vow did not write. */
#ifndef VOW_PROMISE_H
#define VOW_PROMISE_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** Told that nobody wants p's future any more; see vow_promise_on_cancel. */
typedef void (*vow_cancel_cb)(vow_promise_t *p, void *arg);

/** vow_promise_new(loop, ret_promise)
 *  A pending future, and in *ret_promise the handle that settles it.
 *  Ownership: the caller owns the future, and the handle until
 *    vow_promise_drop.
 *  Errors: as vow_ready, through the result; *ret_promise is NULL then, which
 *    the functions below accept (they destroy what they are given and return
 *    UV_EINVAL).
 *  Thread: the loop's; vow_promise_remote makes one for other threads. */
#define vow_promise_new(loop, ret_promise) \
  vow_promise_new_at(VOW_SITE, (loop), (ret_promise))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_promise_new_at(
    const char *site, vow_loop_t *loop, vow_promise_t **ret_promise);

/** vow_resolve(p, v)
 *  Settles the future with v: a value, a failure, or vow_follow(f), which
 *  locks the promise to f's outcome. Safe in any libuv callback: takes effect
 *  in the same loop iteration (one from a close callback: in the next).
 *  Ownership: consumes v, also on error; p is borrowed.
 *  Errors: VOW_ESETTLED when settled or locked before, UV_ECANCELED when the
 *    future was cancelled meanwhile, UV_EINVAL when p is NULL, VOW_ETHREAD;
 *    nothing changes then.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT int vow_resolve(vow_promise_t *p, vow_value_t v);

/** vow_reject(p, code)
 *  vow_resolve(p, vow_fail(code)).
 *  Ownership, Errors, Thread: as vow_resolve. */
VOW_EXPORT int vow_reject(vow_promise_t *p, int code);

/** vow_promise_drop(p)
 *  Gives up the handle. When the future is still pending it fails with
 *  VOW_EBROKEN, naming the promise's site; when it was cancelled and the
 *  promise has an on-cancel hook, it settles as cancelled.
 *  Ownership: consumes p. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT void vow_promise_drop(vow_promise_t *p);

/** vow_promise_finish(p, v)
 *  vow_resolve, then vow_promise_drop: the last line of a legacy callback.
 *  Ownership: consumes p and v.
 *  Errors: as vow_resolve.  Thread: the loop's. */
VOW_EXPORT int vow_promise_finish(vow_promise_t *p, vow_value_t v);

/** vow_promise_on_cancel(p, cb, arg)
 *  Without a hook a cancelled promise's future settles at once. With one, cb
 *  is queued when the future is cancelled, runs exactly once, and the future
 *  stays pending until the promise is settled or dropped: combinators wait
 *  for the operation to unwind. A hook set after the cancellation is queued
 *  at once if the future is still pending.
 *  Ownership: arg is borrowed until the promise is settled or dropped.
 *  Errors: UV_EINVAL (p or cb is NULL), VOW_ESETTLED, VOW_ETHREAD; 0.
 *  Thread: the loop's. cb never runs in this call. */
VOW_EXPORT int vow_promise_on_cancel(vow_promise_t *p, vow_cancel_cb cb,
                                     void *arg);

/** vow_promise_is_wanted(p)
 *  False once the future is settled or cancelled: the work may stop.
 *  Ownership: p is borrowed.  Errors: false for NULL.  Thread: the loop's. */
VOW_EXPORT bool vow_promise_is_wanted(const vow_promise_t *p);

VOW_END_DECLS
#endif

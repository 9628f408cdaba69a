/* SPDX-License-Identifier: MIT */
/* Cancellation tokens: a tree that says "stop" to everything below it. */
#ifndef VOW_TOKEN_H
#define VOW_TOKEN_H

#include <vow/time.h>

VOW_BEGIN_DECLS

/** vow_token_new(loop)
 *  A token without a parent.
 *  Ownership: the caller owns it until vow_token_free.
 *  Errors: NULL for want of memory, when loop is NULL, closed, or of another
 *    thread (vow_last_message says which).
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_token_t *vow_token_new(vow_loop_t *loop);

/** vow_token_child(parent)
 *  A token that is cancelled with its parent, never the other way round. A
 *  child of a cancelled token is born cancelled, with its reason.
 *  Ownership: the caller owns it; parent is borrowed and may be freed first.
 *  Errors: NULL, as vow_token_new.  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_token_t *vow_token_child(vow_token_t *parent);

/** vow_token_linked(n, tokens)
 *  A token that is cancelled by whichever of n tokens is cancelled first, with
 *  its reason.
 *  Ownership: the caller owns it; the tokens are borrowed and may be freed
 *    first.
 *  Errors: NULL, as vow_token_new; also when n is 0, a token is NULL, or they
 *    are of different loops.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_token_t *vow_token_linked(size_t n,
                                                      vow_token_t *const *t);

/** vow_token_deadline(parent, delay_ms)
 *  A child that cancels itself delay_ms from now with reason UV_ETIMEDOUT.
 *  Ownership, Errors, Thread: as vow_token_child. */
VOW_EXPORT VOW_MUST_USE vow_token_t *vow_token_deadline(vow_token_t *parent,
                                                        uint64_t delay_ms);

/** vow_token_deadline_ms(t)
 *  The effective deadline on the loop's clock: the least of t's own and its
 *  ancestors' (linked sources included); UINT64_MAX when there is none.
 *  Ownership: t is borrowed.  Errors: UINT64_MAX for NULL.
 *  Thread: the loop's. */
VOW_EXPORT uint64_t vow_token_deadline_ms(const vow_token_t *t);

/** vow_token_free(t)
 *  Gives the token up. Cancels nothing: children and bound futures go over to
 *  the parent, watches are forgotten (those that a cancel queued before still
 *  run), a deadline of its own no longer counts.
 *  Ownership: consumes t. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. The args of watches are released in this call. */
VOW_EXPORT void vow_token_free(vow_token_t *t);

/** vow_token_cancel(t, reason)
 *  Cancels t and everything below it. The whole subtree is marked first; then
 *  bound futures are asked to end and watches are queued, a token's own in
 *  registration order, before those of its children, depth first in creation
 *  order. The first reason wins: cancelling again does nothing.
 *  reason is a negative code; 0 or more means UV_ECANCELED.
 *  Ownership: t is borrowed; any token may be freed by what this sets off.
 *  Errors: UV_EINVAL when t is NULL, VOW_ETHREAD; 0.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT int vow_token_cancel(vow_token_t *t, int reason);

/** vow_token_cancel_post(t, reason)
 *  The same from any thread, carried out on the loop's.
 *  Ownership: t is borrowed; the caller holds a vow_token_ref or knows that t
 *    lives until this returns.
 *  Errors: UV_EINVAL (NULL), UV_ENOMEM, VOW_ESHUTDOWN; 0 when posted.
 *  Thread: any. */
VOW_EXPORT int vow_token_cancel_post(vow_token_t *t, int reason);

/** vow_token_is_cancelled(t), vow_token_reason(t)
 *  Whether t is cancelled, and its reason (0 when it is not).
 *  Ownership: t is borrowed.  Errors: false, 0 for NULL.
 *  Thread: any, while t is alive or a vow_token_ref is held. */
VOW_EXPORT bool vow_token_is_cancelled(const vow_token_t *t);
VOW_EXPORT int vow_token_reason(const vow_token_t *t);

/** vow_token_ref(t), vow_token_unref(t)
 *  Keeps t's memory for reading in another thread. Says nothing about the
 *  owner's vow_token_free, after which a token is never cancelled any more.
 *  Ownership: the caller owns the reference.  Errors: NULL is allowed.
 *  Thread: any. */
VOW_EXPORT vow_token_t *vow_token_ref(vow_token_t *t);
VOW_EXPORT void vow_token_unref(vow_token_t *t);

/** A registration. */
typedef struct vow_watch vow_watch_t;
typedef void (*vow_watch_cb)(int reason, void *arg);

/** vow_token_watch(t, cb, arg[, arg_drop])
 *  Queues cb(reason, arg) once when t is cancelled; on a token that is
 *  cancelled already, at once.
 *  Ownership: arg_drop(arg), when given, runs exactly once on every path. The
 *    result is valid until cb has returned, vow_token_unwatch, t is freed, or
 *    the loop has closed.
 *  Errors: NULL when t or cb is NULL, for want of memory, on another thread;
 *    arg is released then.
 *  Thread: the loop's. cb never runs in this call. */
#define vow_token_watch(...) VOW__WATCH(__VA_ARGS__, NULL, 0)
#define VOW__WATCH(t, cb, arg, arg_drop, ...) \
  vow_token_watch_at(VOW_SITE, (t), (cb), (arg), (arg_drop))
VOW_EXPORT vow_watch_t *vow_token_watch_at(const char *site, vow_token_t *t,
                                           vow_watch_cb cb, void *arg,
                                           vow_drop_cb arg_drop);

/** vow_token_unwatch(w)
 *  Takes a registration back: cb will not run, even if it was queued. Never
 *  blocks. From within cb itself it does nothing.
 *  Ownership: consumes w; its arg is released in this call. NULL is allowed.
 *  Errors: none.  Thread: the loop's. */
VOW_EXPORT void vow_token_unwatch(vow_watch_t *w);

/** vow_with_token(f, t)
 *  f, bound to t: when t is cancelled f is, and the result, once f has
 *  unwound, fails with t's reason. The reason counts as a cancellation unless
 *  it is UV_ETIMEDOUT. When f succeeds all the same its value is delivered;
 *  when it fails in clean-up, that error, with the reason as its cause. The
 *  binding is undone when f settles.
 *  Ownership: consumes f; t is borrowed and may be freed first.
 *  Errors: UV_EINVAL (f or t is NULL, or of different loops), UV_ENOMEM,
 *    VOW_ETHREAD, through the result.
 *  Thread: the loop's. */
#define vow_with_token(f, t) vow_with_token_at(VOW_SITE, (f), (t))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_with_token_at(const char *site,
                                                        vow_future_t *f,
                                                        vow_token_t *t);

/** vow_token_future(t)
 *  A future that fails with t's reason when t is cancelled, and is pending
 *  until then. For race and any.
 *  Ownership: the caller owns the result; t is borrowed.
 *  Errors: as vow_with_token.  Thread: the loop's. */
#define vow_token_future(t) vow_token_future_at(VOW_SITE, (t))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_token_future_at(const char *site,
                                                          vow_token_t *t);

/** vow_token_close(t)
 *  Cancels t (reason UV_ECANCELED, unless it was cancelled before) and
 *  succeeds with nil when everything that was bound to t or below has unwound:
 *  then what those operations used may be freed. Dropping the future does not
 *  take the cancellation back. What is bound to t must not wait for this in its
 *  clean-up or in a shield: that waits for itself, which nothing finds out.
 *  Ownership: t is borrowed until the future has settled; the caller owns the
 *    result.
 *  Errors: as vow_with_token; UV_ECANCELED when the future itself is cancelled.
 *  Thread: the loop's. */
#define vow_token_close(t) vow_token_close_at(VOW_SITE, (t))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_token_close_at(const char *site,
                                                         vow_token_t *t);

VOW_END_DECLS
#endif

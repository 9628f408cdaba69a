/* SPDX-License-Identifier: MIT */
/* Futures: chaining, reading, sharing, giving up, cancelling.
 *
 * Rules that hold for every function of vow:
 *  - A function that takes a vow_future_t * and returns one consumes its
 *    input: the caller's reference is gone. vow_ref first to keep one.
 *  - Such a function never returns NULL. Bad arguments and want of memory are
 *    failed futures; inputs and args are consumed all the same.
 *  - No callback runs inside a call of vow's. Ready continuations run first
 *    in, first out over the whole loop, before control returns to libuv.
 *  - A future belongs to its loop's thread. */
#ifndef VOW_FUTURE_H
#define VOW_FUTURE_H

#include <vow/error.h>

VOW_BEGIN_DECLS

/** A continuation. in has settled and is borrowed: read it with vow_get and
 *  friends, move its value out with vow_take, or vow_ref it. What is returned
 *  settles the new future: a value, a failure, or vow_follow(f). */
typedef vow_value_t (*vow_then_cb)(vow_future_t *in, void *arg);

/** Releases an arg. */
typedef void (*vow_drop_cb)(void *arg);

typedef enum vow_state {
  VOW_PENDING,
  VOW_SUCCEEDED,
  VOW_FAILED,
  VOW_CANCELLED
} vow_state_t;

/* ---- references ------------------------------------------------------- */

/** vow_ref(f)
 *  One more reference, and so one more interest, to f. Returns f.
 *  Ownership: the caller owns the new reference.
 *  Errors: none; NULL gives NULL.  Thread: the loop's. */
VOW_EXPORT vow_future_t *vow_ref(vow_future_t *f);

/** vow_drop(f)
 *  Gives up a reference. When it was the last to a pending future, nobody is
 *  interested any more: the future is cancelled, up the chain to the libuv
 *  operation. `handle` and `finally` callbacks on the way still run. When it
 *  was the last to a settled future its value is destroyed; a failure nobody
 *  saw is reported to the loop's hook.
 *  Ownership: consumes the reference. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. Destructors of args and values may run in this call,
 *    continuations never do. */
VOW_EXPORT void vow_drop(vow_future_t *f);

/** vow_detach(f)
 *  Gives up a reference without giving up the work: f goes on, and is freed
 *  when it has settled. A failure nobody saw is reported then.
 *  Ownership: consumes the reference. NULL is allowed.
 *  Errors: none.  Thread: the loop's. */
VOW_EXPORT void vow_detach(vow_future_t *f);

/** vow_cancel(f)
 *  Asks f to end, for everybody who waits for it. The request runs up the
 *  chain to the operation, past futures of which f's chain holds the only
 *  interest; one that others share is left to them and f settles as cancelled
 *  by itself. f stays pending until the operation and all clean-up have
 *  unwound. A `then` or `catch` callback that has not run yet never will. A
 *  second cancel, or one of a settled future, does nothing.
 *  Ownership: f is borrowed.
 *  Errors: UV_EINVAL when f is NULL, VOW_ETHREAD; 0 otherwise.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT int vow_cancel(vow_future_t *f);

/* ---- making ----------------------------------------------------------- */

/** vow_ready(loop, v)
 *  A future that has settled with v already (v may be a failure, or
 *  vow_follow).
 *  Ownership: consumes v; the caller owns the result.
 *  Errors: UV_ENOMEM, UV_EINVAL (loop is NULL), VOW_ETHREAD, VOW_ESHUTDOWN (the
 *    loop is closed), through the result; v is destroyed then.
 *  Thread: the loop's. */
#define vow_ready(loop, v) vow_ready_at(VOW_SITE, (loop), (v))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_ready_at(const char *site,
                                                   vow_loop_t *loop,
                                                   vow_value_t v);

/** vow_never(loop)
 *  A future that stays pending until it is cancelled.
 *  Ownership: the caller owns the result.
 *  Errors: as vow_ready.  Thread: the loop's. */
#define vow_never(loop) vow_never_at(VOW_SITE, (loop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_never_at(const char *site,
                                                   vow_loop_t *loop);

/* ---- chaining --------------------------------------------------------- */

/** vow_then(f, cb, arg[, arg_drop])
 *  Calls cb once when f succeeds; the result settles as cb's return says. If
 *  f fails or is cancelled the result does alike and cb is never called.
 *  Ownership: consumes f; the caller owns the result. arg_drop(arg), when
 *    given, runs exactly once on every path: right after cb and before
 *    anything downstream, or when it is certain that cb will not run.
 *  Errors: UV_ENOMEM; UV_EINVAL when f or cb is NULL; VOW_ETHREAD;
 *    VOW_ESHUTDOWN when f's loop is closed; through the result.
 *  Thread: the loop's. cb never runs before this returns. */
#define vow_then(...) VOW__CHAIN(vow_then_at, __VA_ARGS__, NULL, 0)

/** vow_catch(f, cb, arg[, arg_drop])
 *  Calls cb once when f fails, but not when it was cancelled; success and
 *  cancellation pass through.
 *  Ownership, Errors, Thread: as vow_then. */
#define vow_catch(...) VOW__CHAIN(vow_catch_at, __VA_ARGS__, NULL, 0)

/** vow_handle(f, cb, arg[, arg_drop])
 *  Calls cb exactly once, on any outcome; the result settles as cb says. It
 *  runs even when the result was cancelled or dropped, so that what f
 *  acquired can be released; a future that it follows is then dropped, too:
 *  clean-up that takes time belongs in vow_finally.
 *  Ownership, Errors, Thread: as vow_then. For want of memory cb cannot run;
 *    arg_drop does. */
#define vow_handle(...) VOW__CHAIN(vow_handle_at, __VA_ARGS__, NULL, 0)

/** vow_finally(f, cb, arg[, arg_drop])
 *  Calls cb exactly once, on any outcome, and passes the outcome through. If
 *  cb returns a failure, that wins and the former failure becomes its cause.
 *  If cb returns vow_follow(g), g is awaited first and shielded: cancelling
 *  or dropping the result does not reach it. Any other value of cb's is
 *  destroyed.
 *  Ownership, Errors, Thread: as vow_handle. */
#define vow_finally(...) VOW__CHAIN(vow_finally_at, __VA_ARGS__, NULL, 0)

/** vow_keep(f, arg, arg_drop)
 *  f's outcome; arg_drop(arg) runs exactly once when f has settled, before
 *  anything downstream. For what a whole chain uses: give it to the last step.
 *  Ownership, Errors, Thread: as vow_finally. */
#define vow_keep(f, arg, arg_drop) vow_keep_at(VOW_SITE, (f), (arg), (arg_drop))

#define VOW__CHAIN(fn, ...) VOW__CHAIN2(fn, __VA_ARGS__)
#define VOW__CHAIN2(fn, f, cb, arg, arg_drop, ...) \
  fn(VOW_SITE, (f), (cb), (arg), (arg_drop))

VOW_EXPORT VOW_MUST_USE vow_future_t *vow_then_at(const char *site,
                                                  vow_future_t *f,
                                                  vow_then_cb cb, void *arg,
                                                  vow_drop_cb arg_drop);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_catch_at(const char *site,
                                                   vow_future_t *f,
                                                   vow_then_cb cb, void *arg,
                                                   vow_drop_cb arg_drop);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_handle_at(const char *site,
                                                    vow_future_t *f,
                                                    vow_then_cb cb, void *arg,
                                                    vow_drop_cb arg_drop);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_finally_at(const char *site,
                                                     vow_future_t *f,
                                                     vow_then_cb cb, void *arg,
                                                     vow_drop_cb arg_drop);

VOW_EXPORT VOW_MUST_USE vow_future_t *vow_keep_at(const char *site,
                                                  vow_future_t *f, void *arg,
                                                  vow_drop_cb arg_drop);

/** vow_follow(f)
 *  As a callback's return value, or settling a promise: settle as f does.
 *  A chain that follows itself for ever runs in constant memory.
 *  Ownership: consumes f; the value owns it.
 *  Errors: when f is NULL the value is a failure UV_EINVAL; a future that would
 *    wait for itself, also through others (65,536 futures are searched, 1,000
 *    nested operations), fails with VOW_ECYCLE; one of another loop with
 *    UV_EINVAL.
 *  Thread: the loop's. */
VOW_EXPORT vow_value_t vow_follow(vow_future_t *f);

/* ---- reading a settled future ------------------------------------------ */

/** vow_state(f), vow_is_settled(f), vow_is_cancelled(f)
 *  What became of f; NULL counts as pending.
 *  Ownership: f is borrowed.  Errors: none.  Thread: the loop's. */
VOW_EXPORT vow_state_t vow_state(const vow_future_t *f);
VOW_EXPORT bool vow_is_settled(const vow_future_t *f);
VOW_EXPORT bool vow_is_cancelled(const vow_future_t *f);

/** vow_status(f)
 *  0 when f succeeded, its error code when it failed or was cancelled,
 *  UV_EAGAIN while it is pending, UV_EINVAL for NULL. A failure counts as seen
 *  from then on.
 *  Ownership: f is borrowed.  Errors: as said.  Thread: the loop's. */
VOW_EXPORT int vow_status(vow_future_t *f);

/** vow_error(f)
 *  The error object of a failure, made on demand for a plain code; NULL when
 *  f has not failed, or for want of memory. Counts as seen.
 *  Ownership: borrowed from f.  Errors: as said.  Thread: the loop's. */
VOW_EXPORT const vow_error_t *vow_error(vow_future_t *f);

/** vow_outcome(f)
 *  f's outcome, value or failure, as a value of your own, as vow_value_share
 *  gives it; a failure counts as seen. `return vow_outcome(in);` passes on.
 *  When you hold the only reference the value is moved.
 *  Ownership: f is borrowed; the caller owns the value.
 *  Errors: the failure UV_EAGAIN while pending, VOW_EMOVED, UV_ENOMEM.
 *  Thread: the loop's. */
VOW_EXPORT vow_value_t vow_outcome(vow_future_t *f);

/** vow_peek(f)
 *  f's outcome, borrowed: valid as long as f is; nil while pending.
 *  Ownership: borrowed.  Errors: none.  Thread: the loop's. */
VOW_EXPORT vow_value_t vow_peek(vow_future_t *f);

/** vow_get(f, type)
 *  The pointer that f succeeded with, borrowed.
 *  Ownership: borrowed; it lives as long as f, or until it is moved out.
 *  Errors: NULL when f is pending, failed, moved from, or of another type;
 *    vow_fail_last() then says which, naming both types.
 *  Thread: the loop's. */
VOW_EXPORT void *vow_get(vow_future_t *f, const vow_type_t *type);

/** vow_get_int(f), vow_get_double(f), vow_get_string(f)
 *  The number or string (vow_cstr or vow_string) that f succeeded with.
 *  Ownership: a string is borrowed from f.
 *  Errors: 0 or NULL, and vow_fail_last() says why, as vow_get.
 *  Thread: the loop's. */
VOW_EXPORT int64_t vow_get_int(vow_future_t *f);
VOW_EXPORT double vow_get_double(vow_future_t *f);
VOW_EXPORT const char *vow_get_string(vow_future_t *f);

/** vow_take(f, type)
 *  Moves the pointer that f succeeded with out to the caller when nobody else
 *  holds a reference to f; otherwise a second one through the type's ref.
 *  Ownership: the caller owns what is returned; f is borrowed.
 *  Errors: NULL, and vow_fail_last() says why: as vow_get; VOW_EMOVED when
 *    others are interested and the type has no ref.
 *  Thread: the loop's. */
VOW_EXPORT void *vow_take(vow_future_t *f, const vow_type_t *type);

/** vow_take_value(f, ret_value)
 *  The same for any type: the value that f succeeded with.
 *  Ownership: the caller owns *ret_value, written on success only.
 *  Errors: UV_EAGAIN while pending, f's code when it failed, VOW_EMOVED,
 *    UV_ENOMEM, UV_EINVAL when f is NULL.
 *  Thread: the loop's. */
VOW_EXPORT int vow_take_value(vow_future_t *f, vow_value_t *ret_value);

/* ---- where from -------------------------------------------------------- */

/** vow_loop_of(f)
 *  The loop f belongs to. NULL for NULL, and for a failure that was made
 *  where no loop was known.
 *  Ownership: borrowed.  Errors: none.  Thread: the loop's. */
VOW_EXPORT vow_loop_t *vow_loop_of(const vow_future_t *f);

/** vow_site(f)
 *  Where f was made, "file:line"; "(null)" for NULL.
 *  Ownership: static string.  Errors: none.  Thread: the loop's. */
VOW_EXPORT const char *vow_site(const vow_future_t *f);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Tasks: straight-line asynchronous code. A task is a function on a stack of
 * its own; vow_await leaves it until a future has settled, and other tasks and
 * callbacks of the loop run meanwhile.
 *
 *   static vow_value_t greet(void *arg) {
 *     VOW_TRY(line, vow_stream_read_line(arg));
 *     ...
 *     return vow_nil();
 *   }
 *   vow_future_t *f = vow_go(loop, greet, stream);
 *
 * A task runs on its loop's thread only, from the ready queue, and is left
 * only in vow_await, vow_yield and what is made of them. It must not be left
 * by longjmp, and must not await in a destructor or, in C++, in a catch block.
 *
 * Cancelling: a flag, not a pulse. A task that was cancelled (by vow_cancel, by
 * a token, by dropping its future, by its group) has every await fail with the
 * reason from then on, except in deferred clean-up. What was granted already
 * (a value that had settled) is delivered first. */
#ifndef VOW_TASK_H
#define VOW_TASK_H

#include <vow/op.h>

VOW_BEGIN_DECLS

/** A task's function: what it returns settles the task's future (a value, a
 *  failure, vow_follow(f)). */
typedef vow_value_t (*vow_task_cb)(void *arg);

/** Zero a field for its default. */
typedef struct vow_task_options {
  /** For lists and messages; borrowed until the task has ended. */
  const char *name;
  /** At least so much stack; default VOW_STACK_BYTES. Rounded up to a power of
   *  two, a page of which is the guard; memory is used as it is touched. */
  size_t stack_bytes;
  /** How long deferred clean-up may go on after a cancellation before its
   *  awaits fail as well, with UV_ETIMEDOUT; default: as long as it takes. The
   *  clean-up of each vow_scope has it anew. */
  uint64_t grace_ms;
} vow_task_options_t;

#define VOW_STACK_BYTES 65536

/** vow_go(loop, body, arg[, arg_drop])
 *  Starts a task: body(arg) runs on a stack of its own, from the ready queue;
 *  never in this call. Dropping the future cancels the task; vow_detach leaves
 *  it to itself. A task that is cancelled before it has begun never runs.
 *  Ownership: the caller owns the result. arg_drop(arg), when given, runs
 *    exactly once: when body and its deferred clean-up have ended, or when it
 *    is certain that body will not run.
 *  Errors: UV_ENOMEM (also for want of a stack), UV_EINVAL (loop or body is
 *    NULL, stack_bytes is absurd), VOW_ETHREAD, VOW_ESHUTDOWN, through the
 *    result.
 *  Thread: the loop's. */
#define vow_go(...) VOW__GO(__VA_ARGS__, NULL, 0)
#define VOW__GO(loop, body, arg, arg_drop, ...) \
  vow_go_at(VOW_SITE, (loop), NULL, (body), (arg), (arg_drop))

/** vow_go_with(loop, options, body, arg[, arg_drop])
 *  The same with options, which are copied and may be NULL.
 *  Ownership, Errors, Thread: as vow_go. */
#define vow_go_with(...) VOW__GO_WITH(__VA_ARGS__, NULL, 0)
#define VOW__GO_WITH(loop, options, body, arg, arg_drop, ...) \
  vow_go_at(VOW_SITE, (loop), (options), (body), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_go_at(
    const char *site, vow_loop_t *loop, const vow_task_options_t *options,
    vow_task_cb body, void *arg, vow_drop_cb arg_drop);

/* ---- waiting ------------------------------------------------------------ */

/** vow_await(f)
 *  Waits for f and gives its outcome, value or failure. One that has settled
 *  already is given at once, without a switch. A failure's trail gets this
 *  line. When the task is cancelled meanwhile, f is asked to end if nobody
 *  else wants it, and waited for until it has unwound, so that memory lent to
 *  it is free again; then the reason is given, or f's value if it had one all
 *  the same, or the error of its clean-up. Once the task is cancelled, f is
 *  cancelled, what is ready runs first, and the reason is given whatever value
 *  f came to; or the error of its clean-up, with the reason as its cause.
 *  Where over 64 operations wait for each other the reason may have been lost
 *  on its way (see vow_op_cancel_reason), and is UV_ECANCELED.
 *  Ownership: consumes f; the caller owns the value.
 *  Errors: a failure UV_EINVAL: f is NULL or of another loop, or no task runs
 *    here; VOW_ECYCLE: f waits for this task; VOW_EMOVED; and the above.
 *  Thread: the loop's, in a task. Everything else may run meanwhile. */
#define vow_await(f) vow_await_at(VOW_SITE, (f))
VOW_EXPORT VOW_MUST_USE vow_value_t vow_await_at(const char *site,
                                                 vow_future_t *f);

/** vow_await_status(f)
 *  vow_await for the outcome only: 0 or the failure's code. The value stays f's:
 *  when others have references to f it need not be one that can be shared.
 *  Ownership: consumes f.
 *  Errors, Thread: as vow_await, as the code. */
#define vow_await_status(f) vow_await_status_at(VOW_SITE, (f))
VOW_EXPORT int vow_await_status_at(const char *site, vow_future_t *f);

/** VOW_TRY(name, f), VOW_TRY_NIL(f)
 *  Await f; on failure return it from the function, else go on: with its value
 *  as `vow_value_t name`, which is yours, or with the value destroyed. The only
 *  macros of vow that return. */
#define VOW_TRY(name, f)             \
  vow_value_t name = vow_await((f)); \
  if (vow_value_is_failure(name)) return name

#define VOW_TRY_NIL(f)                                           \
  do {                                                           \
    vow_value_t vow__outcome = vow_await((f));                   \
    if (vow_value_is_failure(vow__outcome)) return vow__outcome; \
    vow_value_destroy(vow__outcome);                             \
  } while (0)

/** VOW_TRY_CODE(code)
 *  Evaluates code, and returns it from the function as vow_fail_status would
 *  when it is negative. */
#define VOW_TRY_CODE(code)                                \
  do {                                                    \
    int vow__code = (code);                               \
    if (vow__code < 0) return vow_fail_status(vow__code); \
  } while (0)

/** vow_fail_status(code)
 *  What to return for a code that vow_await_status and its like gave: a
 *  cancellation when it is the reason why the task that runs here was
 *  cancelled, else vow_fail(code).
 *  Ownership: the caller owns the value.  Errors: as vow_fail.
 *  Thread: the loop's. */
VOW_EXPORT vow_value_t vow_fail_status(int code);

/** vow_yield()
 *  Lets all that is ready now run first.
 *  Ownership: none.
 *  Errors: UV_EINVAL outside of a task, the reason when the task is cancelled;
 *    0.
 *  Thread: the loop's, in a task. */
VOW_EXPORT int vow_yield(void);

/* ---- the task itself ------------------------------------------------------ */

/** vow_task_current()
 *  The future of the task that runs here; NULL outside of one.
 *  Ownership: borrowed.  Errors: as said.  Thread: any. */
VOW_EXPORT vow_future_t *vow_task_current(void);

/** vow_task_loop()
 *  Its loop; NULL outside of a task.
 *  Ownership: borrowed.  Errors: as said.  Thread: any. */
VOW_EXPORT vow_loop_t *vow_task_loop(void);

/** vow_task_name(f)
 *  The name a task was given, "task" without one and once it has ended; NULL
 *  when f is no task.
 *  Ownership: borrowed from the options.  Errors: as said.
 *  Thread: the loop's. */
VOW_EXPORT const char *vow_task_name(vow_future_t *f);

/** vow_task_cancel(f, reason)
 *  vow_cancel for a task with a reason of one's own, a negative code; 0 or more
 *  means UV_ECANCELED. The first reason wins.
 *  Ownership: f is borrowed.
 *  Errors: UV_EINVAL when f is NULL or no task; as vow_cancel.
 *  Thread: the loop's. */
VOW_EXPORT int vow_task_cancel(vow_future_t *f, int reason);

/** vow_task_reason()
 *  The reason why the task that runs here was cancelled; 0 when it was not, or
 *  no task runs here. Reads the flag even in clean-up.
 *  Ownership: none.  Errors: as said.  Thread: the loop's. */
VOW_EXPORT int vow_task_reason(void);

/* ---- clean-up ------------------------------------------------------------- */

/** vow_defer(cleanup, arg)
 *  Has cleanup(arg) called when the task's body (or the innermost vow_scope)
 *  has returned, last registered first, on every way out. It may await:
 *  cancellation does not reach it, unless the task's grace has run out. When
 *  it returns a failure that becomes the outcome, with the former failure as
 *  its cause.
 *  Ownership: arg is borrowed until then; a variable of the function that has
 *    returned is gone by then, one of a function that called vow_scope is not.
 *  Errors: UV_EINVAL (no task runs here, cleanup is NULL); UV_ENOMEM:
 *    cleanup(arg) was called in this call, and its value destroyed; 0.
 *  Thread: the loop's, in a task. */
VOW_EXPORT int vow_defer(vow_task_cb cleanup, void *arg);

/** vow_defer_value(v)
 *  Destroys v, which is yours, when vow_defer would clean up; returns it,
 *  borrowed: `v = vow_defer_value(vow_await(f))`. A failure is given back as it
 *  is, still yours.
 *  Ownership: consumes v, unless it is a failure.
 *  Errors: a failure UV_EINVAL, UV_ENOMEM as vow_defer; v is destroyed then.
 *  Thread: the loop's, in a task. */
VOW_EXPORT vow_value_t vow_defer_value(vow_value_t v);

/** vow_undefer(cleanup, arg)
 *  Takes back the last vow_defer(cleanup, arg) of this task that has not run.
 *  Ownership: arg is the caller's again.
 *  Errors: false when there is none.  Thread: the loop's, in a task. */
VOW_EXPORT bool vow_undefer(vow_task_cb cleanup, void *arg);

/** vow_scope(body, arg)
 *  Calls body(arg) here, then what it deferred, and returns the outcome: for
 *  clean-up before the task ends, in a loop say.
 *  Ownership: the caller owns the value; arg is borrowed.
 *  Errors: a failure UV_EINVAL when no task runs here or body is NULL.
 *  Thread: the loop's, in a task. */
VOW_EXPORT VOW_MUST_USE vow_value_t vow_scope(vow_task_cb body, void *arg);

/** vow_shielded(body, arg)
 *  vow_scope in which cancellation is not felt: it waits until this returns.
 *  Ownership, Errors, Thread: as vow_scope. */
VOW_EXPORT VOW_MUST_USE vow_value_t vow_shielded(vow_task_cb body, void *arg);

/* ---- task-local values ---------------------------------------------------- */

/** A key, known by its address: define one static per purpose. */
typedef struct vow_local {
  const char *name;
  /** Tasks started by a task get a share of its value, when its type can be
   *  shared. */
  bool inherited;
} vow_local_t;

/** vow_local_set(key, v)
 *  Makes v the task's value for key until it ends; the former one is destroyed.
 *  Ownership: consumes v.
 *  Errors: UV_EINVAL (no task runs here, key is NULL), UV_ENOMEM; v is
 *    destroyed then; 0.
 *  Thread: the loop's, in a task. */
VOW_EXPORT int vow_local_set(const vow_local_t *key, vow_value_t v);

/** vow_local_get(key)
 *  The task's value for key; nil when there is none.
 *  Ownership: borrowed until it is set again.  Errors: nil outside of a task.
 *  Thread: the loop's, in a task. */
VOW_EXPORT vow_value_t vow_local_get(const vow_local_t *key);

/* ---- stacks --------------------------------------------------------------- */

/** vow_task_trim()
 *  Gives the memory of stacks that no task of this thread uses back.
 *  Ownership: none.  Errors: none.  Thread: any, for itself. */
VOW_EXPORT void vow_task_trim(void);

/** vow_task_report_overflow()
 *  From now on a task of this thread that runs over the end of its stack is
 *  named on stderr, before the signal does what it did before. Takes over
 *  SIGSEGV and SIGBUS, and gives the thread a signal stack unless it has one.
 *  Done by itself when VOW_DEBUG is in the environment.
 *  Ownership: none.
 *  Errors: UV_ENOMEM, libuv's code for what sigaction said; 0, also when done
 *    before.
 *  Thread: each thread that runs tasks. */
VOW_EXPORT int vow_task_report_overflow(void);

/** vow_task_switch_name()
 *  What switches stacks in this build: "x86-64", "aarch64" or "ucontext".
 *  Ownership: static string.  Errors: none.  Thread: any. */
VOW_EXPORT const char *vow_task_switch_name(void);

VOW_END_DECLS
#endif

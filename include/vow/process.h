/* SPDX-License-Identifier: MIT */
/* Child processes. A child is the future of its exit. */
#ifndef VOW_PROCESS_H
#define VOW_PROCESS_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** How a child ended. */
typedef struct vow_exit {
  int64_t status;  /* what it gave to exit(); 0 when a signal ended it */
  int term_signal; /* that signal; 0 when it ended by itself */
} vow_exit_t;

/** The type of a vow_exit_t *, ended by vow_release. It can be shared. */
VOW_EXPORT extern const vow_type_t vow_type_exit;

/** vow_spawn(loop, options)
 *  Starts a child; succeeds with its exit (vow_exit_get) once it has ended and
 *  is reaped, whatever its status. Its pipes may still hold output then. The
 *  child is running when this returns, unless the result has failed already.
 *  Cancelled, or dropped by the last who is interested, it kills the child with
 *  SIGKILL, and settles when that is reaped: as cancelled when it was killed,
 *  with the exit when it ended before. So no child becomes a zombie, and none
 *  is left behind: closing the loop waits for it. vow_detach lets a child run
 *  to its end; vow_process_kill sends another signal.
 *  With UV_PROCESS_DETACHED among the flags cancelling does not kill: it
 *  settles at once, and the child goes on without anybody to reap it.
 *  Ownership: options and what it points to are only read during the call; the
 *    streams in options->stdio stay yours, also on an error, when some of them
 *    may be open already: close them. options->exit_cb is ignored. The caller
 *    owns the result.
 *  Errors: UV_ENOENT, UV_EACCES and so on, with a message that names the file;
 *    UV_EAGAIN, UV_EMFILE; UV_EBUSY (a UV_CREATE_PIPE stream that is open
 *    already); UV_EINVAL (NULL, no file, no args, unknown flags), UV_ENOTSUP
 *    (the loop is not on libuv), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN; through
 *    the result. A child that somebody else reaps, with waitpid(-1), is never
 *    heard of: the result stays pending until it is cancelled.
 *  Thread: the loop's; and only one loop of the process may have children.
 *    Source: uv_spawn. */
#define vow_spawn(loop, options) vow_spawn_at(VOW_SITE, (loop), (options))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_spawn_at(
    const char *site, vow_loop_t *loop, const uv_process_options_t *options);

/** vow_exit_get(f)
 *  vow_get with the type of exits.
 *  Ownership, Errors, Thread: as vow_get. */
VOW_EXPORT const vow_exit_t *vow_exit_get(vow_future_t *f);

/** vow_process_pid(child)
 *  The process number of a child: of the future that vow_spawn gave, pending or
 *  settled, not of one made from it.
 *  Ownership: child is borrowed.
 *  Errors: UV_EINVAL (NULL, or another future), UV_ESRCH (it was never
 *    started).
 *  Thread: the loop's. Source: uv_process_get_pid. */
VOW_EXPORT int vow_process_pid(vow_future_t *child);

/** vow_process_kill(child, signum)
 *  Sends a signal to a child; the future settles when it has ended.
 *  Ownership: child is borrowed; see vow_process_pid.
 *  Errors: UV_ESRCH (it has ended: never does this reach a stranger who got the
 *    number since), UV_EINVAL (NULL, another future, no such signal),
 *    UV_EPERM; 0.
 *  Thread: the loop's. Source: uv_process_kill. */
VOW_EXPORT int vow_process_kill(vow_future_t *child, int signum);

VOW_END_DECLS
#endif

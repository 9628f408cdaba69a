/* SPDX-License-Identifier: MIT */
/* Programs with input and output: a child whose ends are streams, and running
 * one to its end, with all it prints. Children as such are in process.h. */
#ifndef VOW_RUN_H
#define VOW_RUN_H

#include <vow/process.h>
#include <vow/stream.h>

VOW_BEGIN_DECLS

/* ---- what to run --------------------------------------------------------- */

/** What a child's descriptor 0, 1 or 2 is. */
typedef enum vow_stdio {
  VOW_STDIO_PIPE,    /* a pipe to this process */
  VOW_STDIO_NULL,    /* /dev/null */
  VOW_STDIO_INHERIT, /* this process's own */
  VOW_STDIO_MERGE    /* err only: where out goes, in the order of writing */
} vow_stdio_t;

/** A program and its surroundings; zero a field for its default. It is read
 *  during the call that it is given to. */
typedef struct vow_command {
  /** The words, the program's name first, NULL behind the last. */
  const char *const *args;
  /** What to execute, looked for in PATH when it has no slash; default
   *  args[0]. */
  const char *file;
  /** Its environment, "NAME=value" each and NULL at the end; default: that of
   *  this process. */
  const char *const *env;
  /** Its working directory; default: that of this process. */
  const char *cwd;
  /** An or of UV_PROCESS_SETUID, UV_PROCESS_SETGID, UV_PROCESS_DETACHED. */
  unsigned flags;
  uv_uid_t uid;
  uv_gid_t gid;
  vow_stdio_t in;
  vow_stdio_t out;
  vow_stdio_t err;
} vow_command_t;

/* ---- a child with streams ------------------------------------------------ */

/** This process's ends of a child's pipes; NULL where it has none. */
typedef struct vow_child_streams {
  vow_stream_t *in; /* to be written; vow_stream_shutdown gives it its end */
  vow_stream_t *out;
  vow_stream_t *err;
} vow_child_streams_t;

/** vow_spawn_streams(loop, command, ret_streams)
 *  vow_spawn with streams for those of 0, 1 and 2 that are VOW_STDIO_PIPE.
 *  The result is the child as vow_spawn gives it: it succeeds with the exit
 *  (vow_exit_get), takes vow_process_pid, vow_process_kill and
 *  vow_process_stop, and kills when it is dropped. It and the streams go their
 *  own ways: output may still come after the exit, and from a grandchild long
 *  after; UV_EOF comes when nobody has the pipe any more.
 *  in is a local socket, to be closed in halves; the others are pipes.
 *  Ownership: command is only read during the call. The caller owns the result,
 *    and each of *ret_streams until vow_stream_unref; what is none is NULL, all
 *    of them when there is no child.
 *  Errors: as vow_spawn, with a message that names the program, or the
 *    directory that could not be entered; UV_EINVAL (no command, no args, a
 *    stdio that is none, VOW_STDIO_MERGE for another than err), UV_EMFILE;
 *    through the result.
 *  Thread: as vow_spawn. Source: uv_spawn. */
#define vow_spawn_streams(loop, command, ret_streams) \
  vow_spawn_streams_at(VOW_SITE, (loop), (command), (ret_streams))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_spawn_streams_at(
    const char *site, vow_loop_t *loop, const vow_command_t *command,
    vow_child_streams_t *ret_streams);

/** vow_process_stop(child, signum, grace_ms)
 *  Has a child end: sends it signum (0: SIGTERM), and SIGKILL when it has not
 *  ended grace_ms from now (UINT64_MAX: never). Settles as child does: with its
 *  exit, which tells by what it ended. Cancelled, it does not wait any longer
 *  and kills, as vow_spawn does.
 *  Ownership: consumes child: the future that vow_spawn gave, or one of
 *    vow_spawn_streams. The caller owns the result.
 *  Errors: UV_EINVAL (NULL, another future, no such signal; it is dropped
 *    then); UV_ENOMEM: the child is killed at once, and the loop's closing
 *    waits for that; through the result. One that may not be signalled
 *    (UV_EPERM) is waited for.
 *  Thread: the loop's. */
#define vow_process_stop(child, signum, grace_ms) \
  vow_process_stop_at(VOW_SITE, (child), (signum), (grace_ms))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_process_stop_at(const char *site,
                                                          vow_future_t *child,
                                                          int signum,
                                                          uint64_t grace_ms);

/* ---- running to the end -------------------------------------------------- */

/** Settings of a run; zero a field for its default. */
typedef struct vow_run_options {
  /** What the program reads from its descriptor 0, when that is
   *  VOW_STDIO_PIPE, and then UV_EOF. Read during the call; what the pipe does
   *  not take at once is copied. Default: nothing, as from /dev/null. */
  const void *input;
  size_t input_bytes;
  /** The same without a copy, instead: a reference is taken. */
  vow_bytes_t *input_shared;
  /** More output than this is a failure; default 64 MiB each, SIZE_MAX: no
   *  limit. */
  size_t max_out_bytes;
  size_t max_err_bytes;
  /** The signal that asks the program to end; default SIGTERM. */
  int stop_signal;
  /** So long after it SIGKILL comes; default 500, UINT64_MAX: never. Let the
   *  grace of vow_loop_close be longer. */
  uint64_t grace_ms;
  /** When others, started by the program, still hold its output so long after
   *  its exit, what came until then is the output. Default: waits for their
   *  end, as a shell's $(..) does. */
  uint64_t linger_ms;
} vow_run_options_t;

/** What became of a run; counted. */
typedef struct vow_run vow_run_t;

/** The type of futures of runs. It can be shared. */
VOW_EXPORT extern const vow_type_t vow_type_run;

/** vow_run(loop, command, options)
 *  Runs a program: feeds it its input while it reads what it prints. Succeeds
 *  with a vow_run_t (vow_run_get) when it has ended, whatever its status, and
 *  its output has: every process that has the pipes has closed them, or
 *  options' linger_ms are over. By then the child is reaped and every
 *  descriptor closed.
 *   - A program that does not read all of its input is no failure; see
 *     vow_run_fed_bytes. No SIGPIPE reaches this process.
 *   - Cancelled, dropped, timed out (vow_timeout), or on a failure: the program
 *     gets the stop signal, and SIGKILL after the grace; meanwhile its output
 *     is read and thrown away. When it is reaped the pipes are closed, whoever
 *     has the other ends, and only then does the result settle. So no zombie is
 *     left, and nothing waits for grandchildren.
 *   - With UV_PROCESS_DETACHED among the flags the program leads a session and
 *     group of its own, and both signals go to all of the group; that is safe
 *     while the program itself lives: who outlives it is left alone. The run is
 *     waited for like any other.
 *  Ownership: command and options, which may be NULL, are only read during the
 *    call. The caller owns the result.
 *  Errors: UV_ENOENT, UV_EACCES and so on, with a message that names the
 *    program, or the directory that could not be entered; UV_EMSGSIZE (more
 *    output than the limit); UV_EMFILE, UV_EAGAIN; UV_EINVAL (no command, no
 *    args, a stdio that is none, unknown flags, input twice, or input for
 *    another descriptor 0 than a pipe), UV_ENOTSUP (the loop is not on libuv),
 *    UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN; through the result. A child that
 *    may not be signalled (UV_EPERM) is waited for.
 *  Thread: the loop's; and only one loop of the process may have children.
 *    Source: uv_spawn. */
#define vow_run(loop, command, options) \
  vow_run_at(VOW_SITE, (loop), (command), (options))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_run_at(
    const char *site, vow_loop_t *loop, const vow_command_t *command,
    const vow_run_options_t *options);

/** vow_run_get(f), vow_run_take(f)
 *  vow_get and vow_take with the type of runs.
 *  Ownership, Errors, Thread: as those; give what was taken to
 *    vow_run_unref. */
VOW_EXPORT vow_run_t *vow_run_get(vow_future_t *f);
VOW_EXPORT vow_run_t *vow_run_take(vow_future_t *f);

/** vow_run_ref(r), vow_run_unref(r)
 *  Counts r up and down. The loop may be closed before the last goes.
 *  Ownership: ref: the caller owns the new reference; unref consumes one.
 *  Errors: none; NULL is allowed.
 *  Thread: the loop's. */
VOW_EXPORT vow_run_t *vow_run_ref(vow_run_t *r);
VOW_EXPORT void vow_run_unref(vow_run_t *r);

/** vow_run_succeeded(r)
 *  Whether the program ended by itself, with status 0.
 *  Ownership: r is borrowed.  Errors: false for NULL.
 *  Thread: any that holds a reference. */
VOW_EXPORT bool vow_run_succeeded(const vow_run_t *r);

/** vow_run_status(r), vow_run_signal(r)
 *  What the program gave to exit(), and the signal that ended it: one of them
 *  is 0.
 *  Ownership: r is borrowed.  Errors: UV_EINVAL for NULL.
 *  Thread: any that holds a reference. */
VOW_EXPORT int64_t vow_run_status(const vow_run_t *r);
VOW_EXPORT int vow_run_signal(const vow_run_t *r);

/** vow_run_out(r), vow_run_err(r)
 *  What it printed; perhaps nothing. vow_bytes_data does not end in a zero.
 *  Ownership: borrowed from r; take it along with vow_bytes_ref.
 *  Errors: NULL for NULL, and for what was not VOW_STDIO_PIPE.
 *  Thread: any that holds a reference. */
VOW_EXPORT vow_bytes_t *vow_run_out(const vow_run_t *r);
VOW_EXPORT vow_bytes_t *vow_run_err(const vow_run_t *r);

/** vow_run_fed_bytes(r)
 *  How much of the input went into the pipe. Less than all: the program ended,
 *  or closed its descriptor 0, before.
 *  Ownership: r is borrowed.  Errors: 0 for NULL.
 *  Thread: any that holds a reference. */
VOW_EXPORT size_t vow_run_fed_bytes(const vow_run_t *r);

/** vow_run_is_cut(r)
 *  Whether others still held the output when linger_ms were over.
 *  Ownership: r is borrowed.  Errors: false for NULL.
 *  Thread: any that holds a reference. */
VOW_EXPORT bool vow_run_is_cut(const vow_run_t *r);

VOW_END_DECLS
#endif

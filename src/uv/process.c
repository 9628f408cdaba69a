/* SPDX-License-Identifier: MIT */
/* Child processes.
 *
 * How this works. A uv_process_t that is closed before its child has ended
 * leaves a zombie, so it is closed from the exit callback only, and until then
 * the operation is pinned. A failed uv_spawn leaves a handle that must be
 * closed, though no child of it may be running. */
#include <vow/process.h>

#include "uv/request.h"

#include <signal.h>

typedef struct spawn_op {
  vow__request_t base;
  uv_process_t handle;
  vow_timer_t timer; /* until it is certain that no exit will be told */
  vow_exit_t *exit;  /* allocated first, so that no exit is lost */
  int pid;           /* 0: never started */
  bool running;
  bool detached; /* UV_PROCESS_DETACHED */
  bool killed;   /* by a cancel */
} spawn_op_t;

static void *exit_copy(void *p) {
  vow_exit_t *copy = vow_alloc(sizeof *copy);
  if (copy != NULL) *copy = *(vow_exit_t *)p;
  return copy;
}

const vow_type_t vow_type_exit = {"exit", vow_release, exit_copy, NULL};

const vow_exit_t *vow_exit_get(vow_future_t *f) {
  return vow_get(f, &vow_type_exit);
}

static void on_closed(uv_handle_t *handle) {
  vow_op_unpin(VOW__OF(handle, spawn_op_t, handle));
}

static void let_go(spawn_op_t *op) {
  op->running = false;
  vow_timer_stop(vow_op_loop(op), &op->timer);
  uv_close((uv_handle_t *)&op->handle, on_closed);
}

static void give_up(vow_timer_t *t) {
  spawn_op_t *op = VOW__OF(t, spawn_op_t, timer);
  let_go(op);
  vow_op_settle(op, vow_cancelled(UV_ECANCELED));
}

static void spawn_cancel(void *p) {
  spawn_op_t *op = p;
  vow_loop_t *loop = vow_op_loop(op);
  if (op->detached) {
    give_up(&op->timer);
    return;
  }
  op->killed = true;
  if (uv_process_kill(&op->handle, SIGKILL) != UV_ESRCH)
    return; /* on_exit_of settles */
  /* It is reaped: by libuv, which tells of several children one by one, or by
   * somebody else, and then libuv never tells. */
  if (vow_timer_start(loop, &op->timer, vow_deadline_ms(loop, 1), give_up) != 0)
    give_up(&op->timer);
}

static void spawn_destroy(void *p) {
  spawn_op_t *op = p;
  vow_release(op->exit);
}

static const vow_op_class_t spawn_class = {
    "spawn", sizeof(spawn_op_t), spawn_cancel, spawn_destroy, NULL, NULL};

static void on_exit_of(uv_process_t *handle, int64_t status, int term_signal) {
  spawn_op_t *op = VOW__OF(handle, spawn_op_t, handle);
  vow_loop_t *loop = vow_op_loop(op);
  vow_exit_t *end = op->exit;
  if (!op->running) return; /* reaped before it was given up, told after */
  let_go(op);
  if (op->killed && term_signal == SIGKILL) {
    vow_op_settle(op, vow_cancelled(UV_ECANCELED));
  } else {
    op->exit = NULL;
    end->status = status;
    end->term_signal = term_signal;
    vow_op_settle(op, vow_ptr(end, &vow_type_exit));
  }
  vow_loop_drain(loop);
}

/* ---- starting ------------------------------------------------------------ */

#define KNOWN_FLAGS                                                  \
  (UV_PROCESS_SETUID | UV_PROCESS_SETGID | UV_PROCESS_DETACHED |     \
   UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS | UV_PROCESS_WINDOWS_HIDE | \
   UV_PROCESS_WINDOWS_HIDE_CONSOLE | UV_PROCESS_WINDOWS_HIDE_GUI)

#define KNOWN_STDIO (UV_CREATE_PIPE | UV_INHERIT_FD | UV_INHERIT_STREAM)

/* libuv aborts for the first two, and for the third starts a child that nobody
 * knows of. */
static int check_stdio(const uv_stdio_container_t *c) {
  int kind = c->flags & KNOWN_STDIO;
  uv_os_fd_t fd;
  if ((kind & (kind - 1)) != 0) return UV_EINVAL;
  if ((kind == UV_CREATE_PIPE || kind == UV_INHERIT_STREAM) &&
      c->data.stream == NULL)
    return UV_EINVAL;
  if (kind == UV_CREATE_PIPE &&
      uv_fileno((const uv_handle_t *)c->data.stream, &fd) == 0)
    return UV_EBUSY;
  return 0;
}

static int check_options(const uv_process_options_t *o) {
  int err = 0;
  int i;
  if (o->args == NULL || (o->flags & ~(unsigned)KNOWN_FLAGS) != 0 ||
      o->stdio_count < 0 || (o->stdio_count > 0 && o->stdio == NULL))
    return UV_EINVAL;
  for (i = 0; i < o->stdio_count && err == 0; i++)
    err = check_stdio(&o->stdio[i]);
  return err;
}

static vow_future_t *start(spawn_op_t *op,
                           const uv_process_options_t *options) {
  uv_process_options_t o = *options;
  int err;
  o.exit_cb = on_exit_of;
  vow_op_pin(op);
  err = uv_spawn(op->base.d->uv, &op->handle, &o);
  if (err == 0) {
    op->pid = op->handle.pid;
    op->running = true;
    op->detached = (o.flags & UV_PROCESS_DETACHED) != 0;
  } else {
    let_go(op);
    vow_op_settle(op, vow__request_failure(op, err, o.file));
  }
  return vow_op_future(op);
}

vow_future_t *vow_spawn_at(const char *site, vow_loop_t *loop,
                           const uv_process_options_t *options) {
  vow_future_t *failed;
  spawn_op_t *op;
  int err;
  if (options == NULL || options->file == NULL)
    return vow_misuse_at(site, loop, UV_EINVAL, "spawn: %s",
                         options == NULL ? "the options are NULL"
                                         : "no file is given");
  op = vow__request_new(site, loop, &spawn_class, &failed);
  if (op == NULL) return failed;
  err = check_options(options);
  if (err != 0) return vow__request_start_for(op, err, options->file);
  op->exit = vow_alloc(sizeof *op->exit);
  if (op->exit == NULL) return vow__request_start(op, UV_ENOMEM);
  return start(op, options);
}

/* ---- a child that was started -------------------------------------------- */

static spawn_op_t *child_of(vow_future_t *f) {
  return f != NULL ? vow_op_of(f, &spawn_class) : NULL;
}

int vow_process_pid(vow_future_t *child) {
  spawn_op_t *op = child_of(child);
  if (op == NULL) return UV_EINVAL;
  return op->pid != 0 ? op->pid : UV_ESRCH;
}

int vow_process_kill(vow_future_t *child, int signum) {
  spawn_op_t *op = child_of(child);
  if (op == NULL) return UV_EINVAL;
  return op->running ? uv_process_kill(&op->handle, signum) : UV_ESRCH;
}

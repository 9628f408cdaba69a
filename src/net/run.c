/* SPDX-License-Identifier: MIT */
/* Running a program to its end.
 *
 * How this works. A run waits for several things at once: the child's exit, the
 * end of each output, room for more input. It is RUNNING until it knows how it
 * will settle. With the exit and all output it is CLOSING. A failure or a
 * cancellation makes it STOPPING: the child is asked to end, the outputs are
 * drained so that it can, and the exit is waited for. Either way the last thing
 * is that the streams close, and only then does it settle. Stopping allocates
 * nothing that it could not do without. */
#include "net/child.h"
#include "net/input.h"
#include "net/run.h"

#include <vow/op.h>
#include <vow/phase.h>

#include <signal.h>
#include <stdio.h>

#define MAX_BYTES  ((size_t)64 * 1024 * 1024)
#define GRACE_MS   500
#define NAME_BYTES 64

typedef enum phase { RUNNING, STOPPING, CLOSING, SETTLED } phase_t;

typedef struct output {
  vow_waiter_t waiter;  /* a read, or the close */
  vow_stream_t *stream; /* NULL: not captured, or closed */
  size_t max_bytes;
} output_t;

typedef struct run_op {
  vow_op_t op;
  vow_waiter_t child;
  vow_waiter_t room; /* for more input */
  vow_waiter_t look; /* the last one before an output is cut */
  output_t outputs[2];
  vow__input_t input;
  vow_timer_t timer; /* the grace, or the linger */
  vow_run_t *result;
  vow_value_t failure; /* when STOPPING */
  uint64_t grace_ms;
  uint64_t linger_ms;
  int stop_signal;
  phase_t phase;
  bool group;            /* signals go to the child's group */
  bool closing;          /* the streams do */
  char name[NAME_BYTES]; /* for messages */
} run_op_t;

static const char *site_of(run_op_t *r) {
  return vow_site(vow_op_future(r));
}

/* ---- the end ------------------------------------------------------------- */

/* Whatever was awaited: a failure that is on its way counts as seen. */
static void forget(vow_waiter_t *w) {
  vow_future_t *f = vow_waiter_future(w);
  if (f != NULL && vow_is_settled(f)) (void)vow_status(f);
  vow_waiter_release(w);
}

static void close_output(run_op_t *r, output_t *o) {
  vow_stream_t *stream = o->stream;
  if (stream == NULL) return;
  o->stream = NULL;
  forget(&o->waiter);
  vow_waiter_start(&o->waiter, r, vow_stream_close_at(site_of(r), stream));
  vow_stream_unref(stream);
}

static bool is_waiting(const run_op_t *r) {
  return vow_waiter_future(&r->outputs[0].waiter) != NULL ||
         vow_waiter_future(&r->outputs[1].waiter) != NULL;
}

static void settle(run_op_t *r) {
  vow_value_t v = r->failure;
  if (r->phase == CLOSING) {
    v = vow_ptr(r->result, &vow_type_run);
    r->result = NULL;
  }
  r->failure = vow_nil();
  r->phase = SETTLED;
  vow_op_settle(r, v);
}

/* Takes the way to the end as far as it goes; r may be gone then. */
static void advance(run_op_t *r) {
  if (r->phase == SETTLED || vow_waiter_future(&r->child) != NULL) return;
  if (r->phase == RUNNING) {
    if (is_waiting(r)) return;
    r->phase = CLOSING;
  }
  if (!r->closing) {
    r->closing = true;
    vow_timer_stop(vow_op_loop(r), &r->timer);
    forget(&r->look);
    forget(&r->room);
    r->result->fed_bytes = r->input.sent;
    vow__input_close(&r->input);
    close_output(r, &r->outputs[0]);
    close_output(r, &r->outputs[1]);
  }
  if (!is_waiting(r)) settle(r);
}

/* ---- stopping ------------------------------------------------------------ */

/* As vow_process_kill. The number of a child that is not reaped yet cannot be
 * that of another's group. */
static int send_signal(run_op_t *r, int signum) {
  vow_future_t *child = vow_waiter_future(&r->child);
  int err = vow_process_kill(child, r->group ? 0 : signum);
  if (err != 0 || !r->group) return err;
  return uv_kill(-vow_process_pid(child), signum);
}

static void on_grace_over(vow_timer_t *t) {
  send_signal((run_op_t *)(void *)((char *)t - offsetof(run_op_t, timer)),
              SIGKILL);
}

static void ask_to_end(run_op_t *r) {
  vow_loop_t *loop = vow_op_loop(r);
  int err = send_signal(r, r->stop_signal);
  if (err == 0 && r->grace_ms != UINT64_MAX)
    err = vow_timer_start(loop, &r->timer, vow_deadline_ms(loop, r->grace_ms),
                          on_grace_over);
  if (err == UV_ESRCH) /* reaped; perhaps by others, and nobody will tell */
    (void)vow_waiter_cancel(&r->child);
  else if (err != 0)
    send_signal(r, SIGKILL);
}

/* Reads what nobody wants any more. */
static void drain(run_op_t *r, output_t *o) {
  forget(&o->waiter);
  if (o->stream != NULL)
    vow_waiter_start(&o->waiter, r,
                     vow_stream_read_at(site_of(r), o->stream, 0));
}

/* failure is consumed. Followed by advance. */
static void stop(run_op_t *r, vow_value_t failure) {
  vow_future_t *child = vow_waiter_future(&r->child);
  if (r->phase != RUNNING) {
    vow_value_destroy(failure);
    return;
  }
  r->phase = STOPPING;
  r->failure = failure;
  vow_timer_stop(vow_op_loop(r), &r->timer);
  forget(&r->look);
  forget(&r->room);
  vow__input_close(&r->input);
  if (child == NULL || vow_is_settled(child)) return;
  drain(r, &r->outputs[0]);
  drain(r, &r->outputs[1]);
  ask_to_end(r);
}

static void run_cancel(void *op) {
  stop(op, vow_cancelled(UV_ECANCELED));
  advance(op);
}

/* ---- input --------------------------------------------------------------- */

/* status is the poll's: with an error on the pipe writing must not be in vain.
 */
static void feed(run_op_t *r, int status) {
  int err = vow__input_write(&r->input);
  if (err == 0) {
    vow__input_close(&r->input);
    return;
  }
  if (err == UV_EAGAIN && status != 0) err = status;
  if (err != UV_EAGAIN)
    stop(r, vow_failf_at(site_of(r), err, "run %s: writing its input: %s",
                         r->name, vow_strerror(err)));
  else
    vow_waiter_start(&r->room, r,
                     vow__input_wait(site_of(r), vow_op_loop(r), &r->input));
}

/* ---- output -------------------------------------------------------------- */

static void on_output(run_op_t *r, output_t *o, vow_future_t *f) {
  bool is_out = o == &r->outputs[0];
  int err = vow_status(f);
  if (r->phase == STOPPING && !r->closing) {
    if (err == 0) drain(r, o);
  } else if (r->phase == RUNNING && err == 0) {
    r->result->output[is_out ? 0 : 1] = vow_bytes_take(f);
  } else if (r->phase == RUNNING && err == UV_EMSGSIZE) {
    stop(r, vow_failf_at(site_of(r), err, "run %s: more than %zu bytes of %s",
                         r->name, o->max_bytes, is_out ? "output" : "errors"));
  } else if (r->phase == RUNNING) {
    stop(r, vow_outcome(f));
  }
}

/* Others hold the pipe: what came until now is all. */
static void cut(run_op_t *r, output_t *o) {
  vow_future_t *f = vow_waiter_future(&o->waiter);
  if (f == NULL || vow_is_settled(f)) return;
  forget(&o->waiter); /* leaves the bytes in the stream */
  vow_waiter_start(&o->waiter, r,
                   vow_stream_read_exactly_at(site_of(r), o->stream,
                                              vow_stream_buffered(o->stream)));
  r->result->cut = true;
}

static void on_look(run_op_t *r, vow_future_t *f) {
  if (vow_status(f) != 0) {
    stop(r, vow_outcome(f));
    return;
  }
  cut(r, &r->outputs[0]);
  cut(r, &r->outputs[1]);
}

/* What is in the pipe already counts: a turn, so that it is read. */
static void on_linger_over(vow_timer_t *t) {
  run_op_t *r = (run_op_t *)(void *)((char *)t - offsetof(run_op_t, timer));
  vow_waiter_start(&r->look, r, vow_next_check_at(site_of(r), vow_op_loop(r)));
}

static void on_exit_of(run_op_t *r, vow_future_t *f) {
  vow_loop_t *loop = vow_op_loop(r);
  const vow_exit_t *end = vow_exit_get(f);
  int err = 0;
  if (end == NULL) {
    stop(r, vow_outcome(f));
    return;
  }
  r->result->exit = *end;
  if (r->phase == RUNNING && r->linger_ms > 0 && is_waiting(r))
    err = vow_timer_start(loop, &r->timer, vow_deadline_ms(loop, r->linger_ms),
                          on_linger_over);
  if (err != 0) stop(r, vow_fail(err));
}

/* ---- the operation ------------------------------------------------------- */

static void run_ready(void *op, vow_waiter_t *w) {
  run_op_t *r = op;
  vow_future_t *f = vow_waiter_take(w);
  int err = vow_status(f);
  if (w == &r->child)
    on_exit_of(r, f);
  else if (w == &r->room)
    feed(r, err);
  else if (w == &r->look)
    on_look(r, f);
  else
    on_output(r, (output_t *)(void *)w, f);
  vow_drop(f);
  advance(r);
}

static void run_destroy(void *op) {
  run_op_t *r = op;
  vow_run_unref(r->result);
}

static void run_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                        void *arg) {
  const run_op_t *r = op;
  const vow_waiter_t *const all[] = {&r->child, &r->room, &r->look,
                                     &r->outputs[0].waiter,
                                     &r->outputs[1].waiter};
  size_t i;
  for (i = 0; i < sizeof all / sizeof all[0]; i++)
    if (vow_waiter_future(all[i]) != NULL)
      visit(vow_waiter_future(all[i]), arg);
}

static const vow_op_class_t run_class = {
    .name = "run",
    .size_bytes = sizeof(run_op_t),
    .cancel = run_cancel,
    .destroy = run_destroy,
    .ready = run_ready,
    .sources = run_sources,
};

/* ---- beginning ----------------------------------------------------------- */

static const char *complaint(const vow_command_t *command,
                             const vow_run_options_t *o) {
  const char *bad = vow__command_complaint(command);
  bool given = o->input != NULL || o->input_shared != NULL;
  if (bad != NULL) return bad;
  if (o->input == NULL && o->input_bytes > 0) return "the input is NULL";
  if (o->input != NULL && o->input_shared != NULL)
    return "there is input twice";
  if (given && command->in != VOW_STDIO_PIPE)
    return "there is input, but no pipe for it";
  if (o->stop_signal < 0) return "the stop signal is none";
  return NULL;
}

static void set_options(run_op_t *r, const vow_command_t *command,
                        const vow_run_options_t *o) {
  vow_bytes_t *shared = o->input_shared;
  r->input.fd = -1;
  r->input.data = o->input;
  r->input.left = o->input_bytes;
  if (shared != NULL) {
    r->input.kept = vow_bytes_ref(shared);
    r->input.data = vow_bytes_data(shared);
    r->input.left = vow_bytes_length(shared);
  }
  r->outputs[0].max_bytes = o->max_out_bytes > 0 ? o->max_out_bytes : MAX_BYTES;
  r->outputs[1].max_bytes = o->max_err_bytes > 0 ? o->max_err_bytes : MAX_BYTES;
  r->stop_signal = o->stop_signal > 0 ? o->stop_signal : SIGTERM;
  r->grace_ms = o->grace_ms > 0 ? o->grace_ms : GRACE_MS;
  r->linger_ms = o->linger_ms;
  r->group = (command->flags & UV_PROCESS_DETACHED) != 0;
  snprintf(r->name, sizeof r->name, "%s", vow__command_name(command));
}

/* Starts the child; NULL, and r has failed. */
static vow_future_t *start_child(run_op_t *r, vow_command_t command,
                                 vow__stdio_t *io) {
  const char *site = site_of(r);
  vow_future_t *child;
  int err;
  if (r->input.left == 0 && command.in == VOW_STDIO_PIPE)
    command.in = VOW_STDIO_NULL;
  err = vow__stdio_open(site, vow_op_loop(r), &command, VOW__STDIN_FD, io);
  if (err != 0) {
    vow_op_settle(
        r, vow_failf_at(site, err, "run %s: %s", r->name, vow_strerror(err)));
    return NULL;
  }
  child = vow__child_spawn(site, vow_op_loop(r), &command, io);
  if (!vow_is_settled(child)) return child;
  vow_op_settle(r, vow_outcome(child));
  vow_drop(child);
  return NULL;
}

static void read_output(run_op_t *r, output_t *o, vow_stream_t *stream) {
  o->stream = stream;
  if (stream != NULL)
    vow_waiter_start(
        &o->waiter, r,
        vow_stream_read_to_end_at(site_of(r), stream, o->max_bytes));
}

static void start(run_op_t *r, const vow_command_t *command) {
  vow__stdio_t io;
  vow_future_t *child;
  r->result = vow__run_new();
  if (r->result == NULL) {
    vow_op_settle(r, vow_fail(UV_ENOMEM));
    return;
  }
  child = start_child(r, *command, &io);
  if (child == NULL) return;
  vow_waiter_start(&r->child, r, child);
  read_output(r, &r->outputs[0], io.streams[1]);
  read_output(r, &r->outputs[1], io.streams[2]);
  r->input.fd = io.input;
  if (r->input.fd >= 0) feed(r, 0);
}

vow_future_t *vow_run_at(const char *site, vow_loop_t *loop,
                         const vow_command_t *command,
                         const vow_run_options_t *options) {
  const vow_run_options_t none = {0};
  const vow_run_options_t *o = options != NULL ? options : &none;
  const char *bad = complaint(command, o);
  run_op_t *r;
  if (bad != NULL) return vow_misuse_at(site, loop, UV_EINVAL, "run: %s", bad);
  r = vow_op_new_at(site, loop, &run_class);
  if (r == NULL) return vow_op_failed(site, loop, run_class.name);
  set_options(r, command, o);
  start(r, command);
  if (vow_is_settled(vow_op_future(r))) vow__input_close(&r->input);
  return vow_op_future(r);
}

/* SPDX-License-Identifier: MIT */
/* Having a child end: a signal, patience, SIGKILL. */
#include <vow/op.h>
#include <vow/run.h>

#include <signal.h>

typedef struct stop_op {
  vow_op_t op;
  vow_waiter_t child;
  vow_timer_t timer;
} stop_op_t;

static void end(stop_op_t *s, vow_value_t v) {
  vow_timer_stop(vow_op_loop(s), &s->timer);
  vow_op_settle(s, v);
}

static void stop_ready(void *op, vow_waiter_t *w) {
  vow_future_t *f = vow_waiter_take(w);
  end(op, vow_outcome(f));
  vow_drop(f);
}

static void stop_cancel(void *op) {
  stop_op_t *s = op;
  vow_future_t *f = vow_waiter_future(&s->child);
  if (vow_is_settled(f)) return; /* on its way to us */
  vow_timer_stop(vow_op_loop(s), &s->timer);
  if (!vow_waiter_cancel(&s->child)) end(s, vow_cancelled(UV_ECANCELED));
}

static void stop_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                         void *arg) {
  const stop_op_t *s = op;
  if (vow_waiter_future(&s->child) != NULL)
    visit(vow_waiter_future(&s->child), arg);
}

static const vow_op_class_t stop_class = {
    .name = "process_stop",
    .size_bytes = sizeof(stop_op_t),
    .cancel = stop_cancel,
    .ready = stop_ready,
    .sources = stop_sources,
};

static void on_patience_over(vow_timer_t *t) {
  stop_op_t *s = (stop_op_t *)(void *)((char *)t - offsetof(stop_op_t, timer));
  if (vow_process_kill(vow_waiter_future(&s->child), SIGKILL) == UV_ESRCH)
    stop_cancel(s); /* reaped by somebody else: nobody will tell */
}

static vow_future_t *refuse(const char *site, vow_future_t *child,
                            const char *why) {
  vow_loop_t *loop = vow_loop_of(child);
  vow_drop(child);
  return vow_misuse_at(site, loop, UV_EINVAL, "process_stop: %s", why);
}

vow_future_t *vow_process_stop_at(const char *site, vow_future_t *child,
                                  int signum, uint64_t grace_ms) {
  vow_loop_t *loop = vow_loop_of(child);
  stop_op_t *s;
  if (vow_process_pid(child) == UV_EINVAL)
    return refuse(site, child, "the future is no child");
  if (vow_is_settled(child)) return child;
  s = vow_op_new_at(site, loop, &stop_class);
  if (s == NULL) {
    vow_drop(child);
    return vow_op_failed(site, loop, stop_class.name);
  }
  if (vow_process_kill(child, signum != 0 ? signum : SIGTERM) == UV_EINVAL) {
    vow_op_settle(s, vow_nil());
    vow_drop(vow_op_future(s));
    return refuse(site, child, "there is no such signal");
  }
  if (grace_ms != UINT64_MAX &&
      vow_timer_start(loop, &s->timer, vow_deadline_ms(loop, grace_ms),
                      on_patience_over) != 0)
    vow_process_kill(child, SIGKILL);
  vow_waiter_start(&s->child, s, child);
  return vow_op_future(s);
}

/* SPDX-License-Identifier: MIT */
/* Starting a task in a group and waiting for its word that it has started: an
 * operation that waits for the task in a way, so that a task which awaits its
 * own word is told of the circle. It is pinned while there is the task, which
 * finds it in a task-local value. */
#include "base/errno.h"
#include "task/group.h"
#include "task/task.h"

#include <vow/op.h>

typedef struct start {
  vow_op_t op;
  vow_future_t *task; /* borrowed; NULL: not begun yet, or gone */
  vow_task_cb body;
  void *arg;
  vow_drop_cb arg_drop;
  vow_value_t failure; /* what the body ended with, without the word */
  bool unwanted;       /* was asked to end */
  bool ended;          /* the body has: it is too late for the word */
} start_t;

static const vow_local_t start_key = {"start", false};
static const vow_type_t start_type = {"start", vow_op_unpin, NULL, NULL};

/* Settles when the task has unwound. */
static void start_cancel(void *op) {
  start_t *s = op;
  s->unwanted = true;
  if (s->task != NULL) (void)vow_op_cancel(s->task, vow_op_cancel_reason(op));
}

static void start_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                          void *arg) {
  start_t *s = op;
  if (s->task != NULL) visit(s->task, arg);
}

static const vow_op_class_t start_class = {
    .name = "group_start",
    .size_bytes = sizeof(start_t),
    .cancel = start_cancel,
    .sources = start_sources,
};

/* What the word comes to without the body: cancelled, or there was no stack. */
static vow_value_t unbegun(start_t *s) {
  const vow__task_t *t =
      s->task != NULL ? vow_op_of(s->task, &vow__task_class) : NULL;
  return t != NULL && t->reason == 0 ? vow_fail(UV_ENOMEM) : vow_cancelled(0);
}

/* The task has unwound, or will never begin. */
static void start_end(void *arg) {
  start_t *s = arg;
  vow_value_t v = s->ended ? s->failure : unbegun(s);
  s->task = NULL;
  if (vow_op_is_pending(s)) vow_op_settle(s, v);
  if (s->arg_drop != NULL) s->arg_drop(s->arg);
  vow_op_unpin(s);
}

static vow_value_t run(void *arg) {
  start_t *s = arg;
  vow_value_t v;
  int err;
  vow_op_pin(s); /* for the local: destructors of others may look at it */
  err = vow_local_set(&start_key, vow_ptr(s, &start_type));
  if (err != 0) {
    s->ended = true;
    s->failure = vow_fail(err);
    return vow_cancelled(0);
  }
  v = s->body(s->arg);
  if (vow_value_followed(v) != NULL) v = vow_await(vow_value_followed(v));
  if (!vow_op_is_pending(s)) return v;
  s->ended = true;
  if (vow_value_is_failure(v)) {
    s->failure = v; /* the starter's, not the group's */
    return vow_cancelled(0);
  }
  s->failure = s->unwanted || vow_task_reason() != 0
                   ? vow_cancelled(0)
                   : vow_failf_at(vow_site(vow_task_current()), VOW_EBROKEN,
                                  "the task ended without vow_task_started");
  return v;
}

int vow_task_started(vow_value_t v) {
  vow_value_t local = vow_local_get(&start_key);
  start_t *s = local.type == &start_type ? local.as.p : NULL;
  if (s == NULL) {
    vow_value_destroy(v);
    return UV_EINVAL;
  }
  if (s->ended) {
    vow_value_destroy(v);
    return VOW_ESETTLED;
  }
  if (vow_op_is_pending(s) && s->unwanted) {
    vow_op_settle(s, vow_cancelled(0));
    vow_value_destroy(v);
    return UV_ECANCELED;
  }
  return vow_op_settle(s, v);
}

static vow_future_t *refuse(const char *site, vow_group_t *g, int err,
                            void *arg, vow_drop_cb arg_drop) {
  vow_loop_t *loop = g != NULL ? vow_op_loop(g) : NULL;
  if (arg_drop != NULL) arg_drop(arg);
  return vow_misuse_at(site, loop, err, "vow_group_start: %s",
                       g == NULL              ? "the group is NULL"
                       : err == VOW_ESHUTDOWN ? "the group takes no more"
                       : err == UV_ENOMEM     ? "out of memory"
                       : err == VOW_ETHREAD   ? "the group is another thread's"
                                              : "the body is NULL");
}

vow_future_t *vow_group_start_at(const char *site, vow_group_t *g,
                                 vow_task_cb body, void *arg,
                                 vow_drop_cb arg_drop) {
  vow_future_t *task;
  start_t *s;
  vow_loop_t *loop = g != NULL ? vow_op_loop(g) : NULL;
  int err = vow__group_check(g);
  if (err == 0 && body == NULL) err = UV_EINVAL;
  s = err == 0 ? vow_op_new_at(site, vow_op_loop(g), &start_class) : NULL;
  if (err == 0 && s == NULL) err = UV_ENOMEM;
  if (err != 0) return refuse(site, g, err, arg, arg_drop);
  vow_op_pin(g); /* arg_drop may give g up */
  s->body = body;
  s->arg = arg;
  s->arg_drop = arg_drop;
  vow_op_pin(s);
  task = vow_go_at(site, vow_op_loop(g), NULL, run, s, start_end);
  if (vow_is_settled(task)) { /* a failure */
    vow_drop(vow_op_future(s));
    vow_op_unpin(g);
    return task;
  }
  s->task = task;
  err = vow_group_add(g, task);
  vow_op_unpin(g);
  if (err != 0) { /* and so the task was dropped */
    vow_drop(vow_op_future(s));
    return vow_misuse_at(site, loop, err, "vow_group_start: out of memory");
  }
  return vow_op_future(s);
}

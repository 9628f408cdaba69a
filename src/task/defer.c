/* SPDX-License-Identifier: MIT */
/* Deferred clean-up of a task, and scopes, which clean up before it ends. */
#include "task/task.h"

struct vow__defer {
  vow__defer_t *next;
  vow_task_cb cleanup; /* NULL: value is to be destroyed */
  union {
    void *arg;
    vow_value_t value;
  };
};

/* ---- grace ---------------------------------------------------------------- */

static void grace_is_over(vow_timer_t *timer) {
  vow__task_t *t = vow__container_of(timer, vow__task_t, grace);
  t->grace_over = true;
  vow__task_interrupt(t);
}

void vow__grace_begin(vow__task_t *t) {
  vow_loop_t *loop = vow_op_loop(t);
  if (t->reason == 0 || t->grace_ms == 0 || t->grace_runs) return;
  t->grace_runs = true;
  /* Without memory for a timer clean-up gets no grace rather than too much. */
  if (vow_timer_start(loop, &t->grace, vow_deadline_ms(loop, t->grace_ms),
                      grace_is_over) != 0)
    grace_is_over(&t->grace);
}

/* ---- running -------------------------------------------------------------- */

static vow_value_t clean_up(vow__defer_t *d) {
  vow_value_t v = vow_nil();
  if (d->cleanup != NULL)
    v = d->cleanup(d->arg);
  else
    vow_value_destroy(d->value);
  return v;
}

/* What a body or clean-up returned may be a future to follow: awaited here, so
 * that it comes under the same shield. */
static vow_value_t outcome(vow_value_t v) {
  vow_future_t *f = vow_value_followed(v);
  return f != NULL ? vow_await(f) : v;
}

static vow_value_t merge(vow_value_t former, vow_value_t v) {
  if (!vow_value_is_failure(v)) {
    vow_value_destroy(v);
    return former;
  }
  if (vow_value_is_failure(former)) return vow_fail_because(v, former);
  vow_value_destroy(former);
  return v;
}

vow_value_t vow__defer_run(vow__task_t *t, vow__defer_t *mark, vow_value_t v) {
  bool outermost = !t->cleaning;
  v = outcome(v); /* before what it needs is cleaned up */
  t->shields++;
  t->cleaning = true;
  vow__grace_begin(t);
  while (t->defers != mark) {
    vow__defer_t d = *t->defers;
    vow_release(t->defers);
    t->defers = d.next;
    v = merge(v, outcome(clean_up(&d)));
  }
  t->shields--;
  if (outermost) {
    t->cleaning = t->grace_runs = t->grace_over = false;
    vow_timer_stop(vow_op_loop(t), &t->grace);
  }
  return v;
}

/* ---- registering ---------------------------------------------------------- */

static vow__defer_t *defer_new(vow__task_t *t) {
  vow__defer_t *d = vow_alloc(sizeof(*d));
  if (d == NULL) return NULL;
  d->next = t->defers;
  t->defers = d;
  return d;
}

int vow_defer(vow_task_cb cleanup, void *arg) {
  vow__task_t *t = vow__task_self;
  vow__defer_t *d;
  if (t == NULL || cleanup == NULL) return UV_EINVAL;
  d = defer_new(t);
  if (d == NULL) {
    t->shields++;
    vow_value_destroy(outcome(cleanup(arg)));
    t->shields--;
    return UV_ENOMEM;
  }
  d->cleanup = cleanup;
  d->arg = arg;
  return 0;
}

vow_value_t vow_defer_value(vow_value_t v) {
  vow__task_t *t = vow__task_self;
  vow__defer_t *d = t != NULL ? defer_new(t) : NULL;
  if (d == NULL) {
    vow_value_destroy(v);
    return vow_fail(t != NULL ? UV_ENOMEM : UV_EINVAL);
  }
  d->cleanup = NULL;
  d->value = v;
  return v;
}

bool vow_undefer(vow_task_cb cleanup, void *arg) {
  vow__task_t *t = vow__task_self;
  if (t == NULL || cleanup == NULL) return false;
  for (vow__defer_t **at = &t->defers; *at != NULL; at = &(*at)->next) {
    vow__defer_t *d = *at;
    if (d->cleanup != cleanup || d->arg != arg) continue;
    *at = d->next;
    vow_release(d);
    return true;
  }
  return false;
}

/* ---- scopes --------------------------------------------------------------- */

vow_value_t vow_scope(vow_task_cb body, void *arg) {
  vow__task_t *t = vow__task_self;
  vow__defer_t *mark;
  vow_value_t v;
  if (t == NULL || body == NULL)
    return vow_failf(UV_EINVAL, "vow_scope: %s",
                     t == NULL ? "no task runs here" : "the body is NULL");
  mark = t->defers;
  v = body(arg);
  return t->defers != mark ? vow__defer_run(t, mark, v) : outcome(v);
}

vow_value_t vow_shielded(vow_task_cb body, void *arg) {
  vow__task_t *t = vow__task_self;
  vow_value_t v;
  if (t != NULL) t->shields++;
  v = vow_scope(body, arg);
  if (t != NULL) t->shields--;
  return v;
}

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
  uint32_t depth; /* of the scope that it was registered in */
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

static const char *site_of(vow__task_t *t) {
  return vow_site(vow_op_future(t));
}

/* What a body or clean-up returned may be a future to follow: awaited here, so
 * that it comes under the same shield. */
static vow_value_t outcome(vow__task_t *t, vow_value_t v) {
  vow_future_t *f = vow_value_followed(v);
  return f != NULL ? vow_await_at(site_of(t), f) : v;
}

static vow_value_t merge(vow__task_t *t, vow_value_t former, vow_value_t v) {
  if (!vow_value_is_failure(v)) {
    vow_value_destroy(v);
    return former;
  }
  if (vow_value_is_failure(former))
    return vow_fail_because_at(site_of(t), v, former);
  vow_value_destroy(former);
  return v;
}

/* Cancellation is not felt from here on, but for the end of the grace. Returns
 * whether this is the outermost clean-up. */
static bool begin(vow__task_t *t) {
  bool outermost = !t->cleaning;
  t->shields++;
  t->cleaning = true;
  vow__grace_begin(t);
  return outermost;
}

static void end(vow__task_t *t, bool outermost) {
  t->shields--;
  if (!outermost) return;
  t->cleaning = t->grace_runs = t->grace_over = false;
  vow_timer_stop(vow_op_loop(t), &t->grace);
}

/* Registered in that scope, or in one that was left by an exception. */
static bool is_inside(const vow__defer_t *d, uint32_t depth) {
  return d != NULL && d->depth >= depth;
}

vow_value_t vow__defer_run(vow__task_t *t, uint32_t depth, vow_value_t v) {
  bool outermost;
  v = outcome(t, v); /* before what it needs is cleaned up */
  outermost = begin(t);
  while (is_inside(t->defers, depth)) {
    vow__defer_t d = *t->defers;
    vow_release(t->defers);
    t->defers = d.next;
    v = merge(t, v, outcome(t, clean_up(&d)));
  }
  end(t, outermost);
  return v;
}

/* ---- registering ---------------------------------------------------------- */

static vow__defer_t *defer_new(vow__task_t *t) {
  vow__defer_t *d = vow_alloc(sizeof(*d));
  if (d == NULL) return NULL;
  d->depth = t->depth;
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
    bool outermost = begin(t);
    vow_value_destroy(outcome(t, cleanup(arg)));
    end(t, outermost);
    return UV_ENOMEM;
  }
  d->cleanup = cleanup;
  d->arg = arg;
  return 0;
}

vow_value_t vow_defer_value(vow_value_t v) {
  vow__task_t *t = vow__task_self;
  vow__defer_t *d;
  if (vow_value_is_failure(v)) return v; /* to be returned, most likely */
  d = t != NULL ? defer_new(t) : NULL;
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
  uint32_t depth;
  vow_value_t v;
  if (t == NULL || body == NULL)
    return vow_failf(UV_EINVAL, "vow_scope: %s",
                     t == NULL ? "no task runs here" : "the body is NULL");
  depth = ++t->depth;
  v = body(arg);
  v = is_inside(t->defers, depth) ? vow__defer_run(t, depth, v) : outcome(t, v);
  t->depth = depth - 1;
  return v;
}

vow_value_t vow_shielded(vow_task_cb body, void *arg) {
  vow__task_t *t = vow__task_self;
  vow_value_t v;
  if (t != NULL) t->shields++;
  v = vow_scope(body, arg);
  if (t != NULL) t->shields--;
  return v;
}

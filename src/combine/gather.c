/* SPDX-License-Identifier: MIT */
/* gather and gather_settled: one operation with a waiter per input, and the
 * list that it fills.
 *
 * How this works: left counts the inputs whose end is still awaited. The
 * operation settles when it reaches 0, whatever the phase; the phase says
 * what is done with what comes in until then. Failures stand in the list, at
 * their input's place. Reading or dropping an input may run a user's
 * destructor, and that may cancel us: left is lowered after it, so we cannot
 * settle under our own feet. */
#include "combine/inputs.h"
#include "combine/values.h"

#include "base/errno.h"
#include <vow/gather.h>

enum {
  RUNNING,   /* values are collected */
  UNWINDING, /* decided or cancelled: only failures are of interest */
  FINISHED
};

typedef struct gather {
  vow_op_t op;
  size_t n;
  size_t left;
  size_t first;  /* the input that failed first */
  size_t failed; /* failures in the list that make the result fail */
  vow_list_t *list;
  vow_waiter_t *waiters;
  vow_value_t why; /* the cancellation that decided, or nil */
  uint8_t phase;
  bool settled; /* gather_settled: failures are elements */
} gather_t;

static void gather_finish(gather_t *g) {
  const char *site = vow_site(vow_op_future(g));
  bool running = g->phase == RUNNING;
  vow_list_t *list = g->list;
  vow_value_t v;
  g->phase = FINISHED;
  g->list = NULL;
  vow_release(g->waiters);
  g->waiters = NULL;
  if (running) {
    v = vow_ptr(list, &vow_type_list);
  } else if (g->failed > 0) {
    v = vow__values_failure(site, list, g->first);
    if (vow_value_is_failure(g->why))
      v = vow__cancelled_because(site, g->why, v);
  } else {
    vow_list_drop(list);
    v = g->why;
  }
  vow_op_settle(g, v);
}

static void keep_failure(gather_t *g, size_t i, vow_value_t failure) {
  if (g->failed++ == 0) g->first = i;
  g->list->items[i] = failure;
}

/* The inputs that are pending are asked to end; what has settled already is
 * on its way to us. */
static void stop_pending(gather_t *g) {
  for (size_t i = 0; i < g->n; i++) {
    vow_waiter_t *w = &g->waiters[i];
    vow_future_t *f = vow_waiter_future(w);
    if (f == NULL || vow_is_settled(f)) continue;
    if (!vow_waiter_cancel(w)) g->left--;
  }
}

/* An outcome while RUNNING. */
static void collect(gather_t *g, size_t i, vow_future_t *f) {
  vow_value_t v = vow_outcome(f);
  if (g->phase != RUNNING) { /* the value's ref cancelled us */
    vow_value_destroy(v);
    return;
  }
  if (g->settled || !vow_value_is_failure(v)) {
    g->list->items[i] = v;
    return;
  }
  g->phase = UNWINDING;
  if (vow_is_cancelled(f))
    g->why = v;
  else
    keep_failure(g, i, v);
  stop_pending(g);
}

static void gather_ready(void *op, vow_waiter_t *w) {
  gather_t *g = op;
  size_t i = (size_t)(w - g->waiters);
  vow_future_t *f = vow_waiter_take(w);
  if (g->phase == RUNNING)
    collect(g, i, f);
  else if (vow_state(f) == VOW_FAILED)
    keep_failure(g, i, vow_outcome(f));
  vow_drop(f);
  if (--g->left == 0) gather_finish(g);
}

/* What gather_settled has collected is of no use any more, failures
 * included: they were seen. */
static void forget_collected(gather_t *g) {
  for (size_t i = 0; g->settled && i < g->n; i++) {
    vow_value_t v = g->list->items[i];
    g->list->items[i] = vow_nil();
    vow_value_destroy(v);
  }
}

static void gather_cancel(void *op) {
  gather_t *g = op;
  if (g->phase != RUNNING) return;
  g->phase = UNWINDING;
  g->why = vow_fail(UV_ECANCELED);
  g->left++; /* nothing settles us before the end of this function */
  forget_collected(g);
  stop_pending(g);
  if (--g->left == 0) gather_finish(g);
}

static void gather_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                           void *arg) {
  const gather_t *g = op;
  vow__waiters_visit(g->waiters, g->n, visit, arg);
}

static const vow_op_class_t gather_class = {
    .name = "gather",
    .size_bytes = sizeof(gather_t),
    .cancel = gather_cancel,
    .ready = gather_ready,
    .sources = gather_sources,
};

static const vow_op_class_t settled_class = {
    .name = "gather_settled",
    .size_bytes = sizeof(gather_t),
    .cancel = gather_cancel,
    .ready = gather_ready,
    .sources = gather_sources,
};

static vow_future_t *gather_empty(const char *site, vow_loop_t *loop,
                                  const char *fn) {
  vow_list_t *list = vow__values_new(0);
  if (list == NULL) return vow_op_failed(site, loop, fn);
  return vow_ready_at(site, loop, vow_ptr(list, &vow_type_list));
}

static vow_future_t *gather(const char *site, vow_loop_t *loop, size_t n,
                            vow_future_t *const *futures, const char *fn,
                            const vow_op_class_t *cls) {
  gather_t *g = NULL;
  vow_list_t *list;
  vow_waiter_t *waiters;
  vow_future_t *bad =
      vow__inputs_refuse(site, loop, fn, n, futures, sizeof(vow_waiter_t));
  if (bad != NULL) return bad;
  if (n == 0) return gather_empty(site, loop, fn);
  list = vow__values_new(n);
  waiters = vow__waiters_new(n, 0);
  if (list != NULL && waiters != NULL) g = vow_op_new_at(site, loop, cls);
  if (g == NULL) {
    vow_list_drop(list);
    vow_release(waiters);
    return vow__inputs_failed(site, loop, fn, n, futures);
  }
  vow__values_grow(list, n);
  g->n = g->left = n;
  g->list = list;
  g->waiters = waiters;
  g->settled = cls == &settled_class;
  vow__waiters_start(waiters, g, n, futures);
  return vow_op_future(g);
}

vow_future_t *vow_gather_at(const char *site, vow_loop_t *loop, size_t n,
                            vow_future_t *const *futures) {
  return gather(site, loop, n, futures, "vow_gather", &gather_class);
}

vow_future_t *vow_gather_settled_at(const char *site, vow_loop_t *loop,
                                    size_t n, vow_future_t *const *futures) {
  return gather(site, loop, n, futures, "vow_gather_settled", &settled_class);
}

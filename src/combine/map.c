/* SPDX-License-Identifier: MIT */
/* map and map_settled: a gather whose inputs are made on the way, by a user's
 * function, into a limited number of slots.
 *
 * How this works: active counts the slots whose waiter is in use. The
 * operation settles when it reaches 0; it is lowered only after what may run a
 * user's function, so that a cancel from in there cannot settle us. The list
 * is as long as the number of items begun. Slot 0 first waits for nothing but
 * its turn in the ready queue. */
#include "combine/values.h"

#include "base/errno.h"
#include <vow/map.h>
#include <vow/op.h>

#include <string.h>

enum {
  RUNNING,   /* items are begun, values collected */
  UNWINDING, /* decided or cancelled: only failures are of interest */
  FINISHED
};

#define KICK SIZE_MAX /* the item of a slot that waits for its turn only */

typedef struct slot {
  vow_waiter_t waiter;
  size_t item;
} slot_t;

typedef struct map {
  vow_op_t op;
  size_t n;
  size_t slots_length;
  size_t active;
  size_t first;  /* the item that failed first */
  size_t failed; /* failures in the list that make the result fail */
  vow_list_t *list;
  slot_t *slots;
  vow_map_cb fn;
  void *arg;
  vow_drop_cb arg_drop;
  vow_value_t why; /* the cancellation that decided, or nil */
  uint8_t phase;
  bool settled; /* map_settled: failures are elements */
  bool calling; /* fn is on the stack */
  bool doomed;  /* map: a failed item is on its way to us */
} map_t;

static void map_finish(map_t *m) {
  const char *site = vow_site(vow_op_future(m));
  bool running = m->phase == RUNNING;
  vow_value_t v = m->why;
  m->phase = FINISHED;
  if (running) {
    v = vow_ptr(m->list, &vow_type_list);
  } else if (m->failed > 0) {
    v = vow__values_failure(site, m->list, m->first);
    if (vow_value_is_failure(m->why))
      v = vow__cancelled_because(site, m->why, v);
  } else {
    vow_list_drop(m->list);
  }
  vow_release(m->slots);
  m->slots = NULL;
  if (m->arg_drop != NULL) m->arg_drop(m->arg);
  vow_op_settle(m, v);
}

static void keep_failure(map_t *m, size_t i, vow_value_t failure) {
  if (m->failed++ == 0) m->first = i;
  m->list->items[i] = failure;
}

/* What is pending is asked to end; what has settled is on its way to us. */
static void stop_pending(map_t *m) {
  for (size_t k = 0; k < m->slots_length; k++) {
    vow_waiter_t *w = &m->slots[k].waiter;
    vow_future_t *f = vow_waiter_future(w);
    if (f == NULL || vow_is_settled(f)) continue;
    if (!vow_waiter_cancel(w)) m->active--;
  }
}

/* An outcome while RUNNING. */
static void collect(map_t *m, size_t i, vow_future_t *f) {
  vow_value_t v = vow_outcome(f);
  if (m->phase != RUNNING) { /* the value's ref cancelled us */
    vow_value_destroy(v);
    return;
  }
  if (m->settled || !vow_value_is_failure(v)) {
    m->list->items[i] = v;
    return;
  }
  m->phase = UNWINDING;
  if (vow_is_cancelled(f))
    m->why = v;
  else
    keep_failure(m, i, v);
  stop_pending(m);
}

/* What fn returned for item i, or the failure to use instead. */
static vow_future_t *checked(map_t *m, size_t i, vow_future_t *f) {
  const char *site = vow_site(vow_op_future(m));
  const char *fn = m->settled ? "vow_map_settled" : "vow_map";
  const char *what = NULL;
  int err = vow_op_check(f, vow_op_loop(m));
  if (err == 0 && vow_op_would_cycle(m, f)) {
    err = VOW_ECYCLE;
    what = "a future that waits for the result";
  } else if (err != 0) {
    what = f == NULL ? "NULL" : "a future of another loop";
  }
  if (what == NULL) return f;
  vow_op_discard(f);
  return vow_misuse_at(site, vow_op_loop(m), err,
                       "%s: the callback returned %s for item %zu", fn, what,
                       i);
}

/* Begins the next item in slot s. */
static void begin_next(map_t *m, slot_t *s) {
  size_t i = m->list->length;
  vow_future_t *f;
  vow__values_grow(m->list, i + 1);
  m->active++;
  m->calling = true;
  f = m->fn(vow_op_loop(m), i, m->arg);
  m->calling = false;
  f = checked(m, i, f);
  s->item = i;
  vow_waiter_start(&s->waiter, m, f);
  if (m->phase != RUNNING) { /* fn cancelled us */
    if (!vow_is_settled(f) && !vow_waiter_cancel(&s->waiter)) m->active--;
  } else if (!m->settled && vow_is_settled(f)) {
    m->doomed = vow_state(f) != VOW_SUCCEEDED;
  }
}

static bool may_begin(const map_t *m) {
  return m->phase == RUNNING && !m->doomed && m->list->length < m->n;
}

static void begin_all(map_t *m, vow_future_t *kick) {
  if (vow_state(kick) != VOW_SUCCEEDED) { /* no memory for it */
    m->why = vow_outcome(kick);
    m->phase = UNWINDING;
    return;
  }
  for (size_t k = 0; k < m->slots_length && may_begin(m); k++)
    begin_next(m, &m->slots[k]);
}

static void map_ready(void *op, vow_waiter_t *w) {
  map_t *m = op;
  slot_t *s = (slot_t *)(void *)w;
  vow_future_t *f = vow_waiter_take(w);
  bool kick = s->item == KICK;
  if (kick)
    begin_all(m, f);
  else if (m->phase == RUNNING)
    collect(m, s->item, f);
  else if (vow_state(f) == VOW_FAILED)
    keep_failure(m, s->item, vow_outcome(f));
  vow_drop(f);
  if (!kick && may_begin(m)) begin_next(m, s);
  if (--m->active == 0) map_finish(m);
}

/* What map_settled has collected is of no use any more. */
static void forget_collected(map_t *m) {
  for (size_t i = 0; m->settled && i < m->list->length; i++) {
    vow_value_t v = m->list->items[i];
    m->list->items[i] = vow_nil();
    vow_value_destroy(v);
  }
}

static void map_cancel(void *op) {
  map_t *m = op;
  if (m->phase != RUNNING) return;
  m->phase = UNWINDING;
  m->why = vow_fail(UV_ECANCELED);
  m->active++; /* nothing settles us before the end of this function */
  if (m->slots[0].item == KICK && vow_waiter_future(&m->slots[0].waiter)) {
    vow_waiter_release(&m->slots[0].waiter);
    m->active--;
  }
  forget_collected(m);
  stop_pending(m);
  if (--m->active == 0) map_finish(m);
}

static void map_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                        void *arg) {
  const map_t *m = op;
  for (size_t k = 0; m->slots != NULL && k < m->slots_length; k++)
    if (vow_waiter_future(&m->slots[k].waiter) != NULL)
      visit(vow_waiter_future(&m->slots[k].waiter), arg);
}

static const vow_op_class_t map_class = {
    .name = "map",
    .size_bytes = sizeof(map_t),
    .cancel = map_cancel,
    .ready = map_ready,
    .sources = map_sources,
};

static const vow_op_class_t settled_class = {
    .name = "map_settled",
    .size_bytes = sizeof(map_t),
    .cancel = map_cancel,
    .ready = map_ready,
    .sources = map_sources,
};

/* A map without its function; NULL for want of memory or a usable loop. */
static map_t *map_new(const char *site, vow_loop_t *loop, size_t n,
                      size_t limit, const vow_op_class_t *cls) {
  size_t slots_length = limit < n ? limit : n;
  vow_list_t *list = vow__values_new(n);
  slot_t *slots = vow_alloc(slots_length * sizeof(*slots));
  map_t *m = NULL;
  if (list != NULL && slots != NULL) m = vow_op_new_at(site, loop, cls);
  if (m == NULL) {
    vow_list_drop(list);
    vow_release(slots);
    return NULL;
  }
  memset(slots, 0, slots_length * sizeof(*slots));
  m->n = n;
  m->slots_length = slots_length;
  m->slots = slots;
  m->list = list;
  m->settled = cls == &settled_class;
  m->active = 1;
  slots[0].item = KICK;
  vow_waiter_start(&slots[0].waiter, m, vow_ready_at(site, loop, vow_nil()));
  return m;
}

static vow_future_t *map_empty(const char *site, vow_loop_t *loop,
                               const char *name) {
  vow_list_t *list = vow__values_new(0);
  if (list == NULL) return vow_op_failed(site, loop, name);
  return vow_ready_at(site, loop, vow_ptr(list, &vow_type_list));
}

static vow_future_t *map_start(const char *site, vow_loop_t *loop, size_t n,
                               size_t limit, vow_map_cb fn, void *arg,
                               vow_drop_cb arg_drop, const char *name,
                               const vow_op_class_t *cls) {
  vow_future_t *result;
  map_t *m = NULL;
  const char *wrong = NULL;
  if (loop == NULL) wrong = "the loop is NULL";
  if (fn == NULL) wrong = "the callback is NULL";
  if (limit == 0) wrong = "the limit is 0";
  if (n > (size_t)PTRDIFF_MAX / sizeof(slot_t)) wrong = "too many items";
  if (wrong != NULL) {
    result = vow_misuse_at(site, loop, UV_EINVAL, "%s: %s", name, wrong);
  } else if (n == 0) {
    result = map_empty(site, loop, name);
  } else {
    m = map_new(site, loop, n, limit, cls);
    result = m != NULL ? vow_op_future(m) : vow_op_failed(site, loop, name);
  }
  if (m == NULL) {
    if (arg_drop != NULL) arg_drop(arg);
    return result;
  }
  m->fn = fn;
  m->arg = arg;
  m->arg_drop = arg_drop;
  return result;
}

vow_future_t *vow_map_at(const char *site, vow_loop_t *loop, size_t n,
                         size_t limit, vow_map_cb fn, void *arg,
                         vow_drop_cb arg_drop) {
  return map_start(site, loop, n, limit, fn, arg, arg_drop, "vow_map",
                   &map_class);
}

vow_future_t *vow_map_settled_at(const char *site, vow_loop_t *loop, size_t n,
                                 size_t limit, vow_map_cb fn, void *arg,
                                 vow_drop_cb arg_drop) {
  return map_start(site, loop, n, limit, fn, arg, arg_drop, "vow_map_settled",
                   &settled_class);
}

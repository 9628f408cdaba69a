/* SPDX-License-Identifier: MIT */
/* Once: a line of calls of which the first, current, is out of the line and
 * makes the value for all.
 *
 * How this works: who leaves hands on. The future of a start that runs moves
 * to the next in the line together with its arg, for which that one gives its
 * own; a start that has not been called is left, and the next one's is called.
 * Each call refers to the once until it ends. Whatever releases an arg or
 * shares the value may free the once, or run it again. */
#include "sync/turn.h"

#include "base/errno.h"
#include <vow/once.h>

typedef struct call {
  vow__turn_t base;
  uint64_t number;
} call_t;

struct vow_once {
  vow_op_t cell;
  vow__link_t line; /* of call_t */
  call_t *current;  /* makes the value now */
  uint64_t calls;   /* there have been */
  vow_value_t value;
  bool done;
  bool closed; /* freed */
};

static const char freed[] = "the once was freed";

static const vow_op_class_t once_class = {
    .name = "once",
    .size_bytes = sizeof(vow_once_t),
};

vow_once_t *vow_once_new_at(const char *site, vow_loop_t *loop) {
  vow_once_t *o = vow__lock_new(site, loop, &once_class, "vow_once_new");
  if (o != NULL) vow__list_init(&o->line);
  return o;
}

static call_t *first(const vow_once_t *o) {
  return (call_t *)(void *)vow__turn_first(&o->line);
}

/* The call is in no line. */
static void end(call_t *c, vow_value_t v) {
  vow_once_t *o = c->base.ask.owner;
  vow__turn_end(&c->base, v);
  vow__lock_unref(o);
}

static vow_value_t freed_failure(call_t *c) {
  return vow_failf_at(vow_site(vow_op_future(c)), VOW_ESHUTDOWN, "%s", freed);
}

static void begin(vow_once_t *o) {
  if (o->current != NULL || o->done || o->closed) return;
  o->current = first(o);
  if (o->current != NULL) vow__turn_kick(&o->current->base);
}

/* Ends the current call, and lets the next one try. */
static void end_current(call_t *c, vow_value_t v) {
  vow_once_t *o = c->base.ask.owner;
  vow__lock_ref(o);
  o->current = NULL;
  end(c, v);
  begin(o);
  vow__lock_unref(o);
}

/* ---- success ------------------------------------------------------------- */

static vow_value_t shared(const vow_once_t *o) {
  vow_value_t v;
  int err = vow_value_share(o->value, &v);
  if (err == VOW_EMOVED) return vow_nil();
  return err == 0 ? v : vow_fail(err);
}

static void succeed(call_t *c, vow_value_t v) {
  vow_once_t *o = c->base.ask.owner;
  vow__lock_ref(o);
  o->current = NULL;
  o->value = v;
  o->done = true;
  end(c, shared(o));
  while ((c = first(o)) != NULL) {
    vow__list_remove(&c->base.ask.link);
    end(c, shared(o));
  }
  vow__lock_unref(o);
}

/* ---- leaving ------------------------------------------------------------- */

/* The future of c's start, and what it uses, go over to next. */
static void hand_on(call_t *c, call_t *next) {
  vow__turn_t *from = &c->base, *to = &next->base;
  void *arg = to->arg;
  vow_drop_cb arg_drop = to->arg_drop;
  to->arg = from->arg;
  to->arg_drop = from->arg_drop;
  from->arg = arg;
  from->arg_drop = arg_drop;
  vow__list_remove(&to->ask.link);
  vow__turn_adopt(to, vow_waiter_take(&from->waiter));
}

/* The current call, of which start has been called, is wanted no more. */
static void leave(call_t *c, vow_value_t why) {
  vow_once_t *o = c->base.ask.owner;
  vow_future_t *f = vow_waiter_future(&c->base.waiter);
  call_t *next = first(o);
  if (next != NULL && f != NULL && !vow_is_settled(f) &&
      !vow_op_would_cycle(next, f)) {
    o->current = next;
    hand_on(c, next);
    end(c, why);
  } else if (vow__turn_stop(&c->base)) {
    vow_value_destroy(why); /* it ends as f does */
  } else {
    end_current(c, why);
  }
}

static void call_cancel(void *op) {
  call_t *c = op;
  c->base.cancelled = true;
  switch (c->base.phase) {
  case VOW__TURN_WAITING:
    vow__list_remove(&c->base.ask.link);
    end(c, vow_fail(UV_ECANCELED));
    break;
  case VOW__TURN_KICKED:
    vow_waiter_release(&c->base.waiter);
    end_current(c, vow_fail(UV_ECANCELED));
    break;
  case VOW__TURN_RUNNING:
    leave(c, vow_fail(UV_ECANCELED));
    break;
  default:
    break;
  }
}

/* ---- making -------------------------------------------------------------- */

/* Whether f waits for a call that was made while start ran. */
static bool waits_for_us(const vow_once_t *o, uint64_t since, vow_future_t *f) {
  for (vow__link_t *it = o->line.prev; it != &o->line; it = it->prev) {
    call_t *c = (call_t *)(void *)vow__ask_of(it);
    if (c->number < since) break;
    if (vow_op_would_cycle(c, f)) return true;
  }
  return false;
}

static void make(call_t *c) {
  vow_once_t *o = c->base.ask.owner;
  uint64_t since = o->calls;
  const char *fn = "vow_once_run";
  vow_future_t *f = vow__turn_start(&c->base, fn);
  if (waits_for_us(o, since, f)) {
    vow_drop(f);
    f = vow_misuse_at(vow_site(vow_op_future(c)), vow_op_loop(c), VOW_ECYCLE,
                      "%s: the callback returned a future that waits for "
                      "the same once",
                      fn);
  }
  vow__turn_adopt(&c->base, f);
  if (o->closed)
    leave(c, freed_failure(c));
  else if (c->base.cancelled)
    leave(c, vow_fail(UV_ECANCELED));
}

static void call_ready(void *op, vow_waiter_t *w) {
  call_t *c = op;
  const vow_once_t *o = c->base.ask.owner;
  vow_future_t *f = vow_waiter_take(w);
  bool succeeded = vow_state(f) == VOW_SUCCEEDED;
  vow_value_t v;
  if (c->base.phase == VOW__TURN_KICKED && succeeded) {
    vow_drop(f);
    make(c);
    return;
  }
  v = vow_outcome(f);
  vow_drop(f);
  if (o->closed) {
    vow_value_destroy(v);
    end_current(c, freed_failure(c));
  } else if (vow_value_is_failure(v)) {
    end_current(c, v);
  } else {
    succeed(c, v);
  }
}

static const vow_op_class_t call_class = {
    .name = "once run",
    .size_bytes = sizeof(call_t),
    .cancel = call_cancel,
    .ready = call_ready,
    .sources = vow__turn_sources,
};

/* ---- the once ------------------------------------------------------------ */

void vow_once_free(vow_once_t *o) {
  vow_value_t v;
  call_t *c;
  if (o == NULL) return;
  o->closed = true;
  while ((c = first(o)) != NULL) {
    vow__list_remove(&c->base.ask.link);
    end(c, freed_failure(c));
  }
  c = o->current;
  if (c != NULL && c->base.phase == VOW__TURN_KICKED) {
    vow_waiter_release(&c->base.waiter);
    end_current(c, freed_failure(c));
  } else if (c != NULL && c->base.phase == VOW__TURN_RUNNING) {
    leave(c, freed_failure(c));
  }
  v = o->value;
  o->value = vow_nil();
  o->done = false;
  vow_value_destroy(v);
  vow__lock_unref(o);
}

/* Fails before there is a call. */
static vow_future_t *refuse(const char *site, vow_once_t *o, const char *wrong,
                            void *arg, vow_drop_cb arg_drop) {
  vow_future_t *f = wrong != NULL
                        ? vow__lock_refuse(site, o, "vow_once_run", wrong)
                        : vow__lock_freed(site, o, freed);
  if (arg_drop != NULL) arg_drop(arg);
  return f;
}

vow_future_t *vow_once_run_at(const char *site, vow_once_t *o,
                              vow_once_cb start, void *arg,
                              vow_drop_cb arg_drop) {
  call_t *c;
  if (o == NULL) return refuse(site, o, "the once is NULL", arg, arg_drop);
  if (start == NULL)
    return refuse(site, o, "the callback is NULL", arg, arg_drop);
  if (o->closed) return refuse(site, o, NULL, arg, arg_drop);
  if (o->done) {
    vow_future_t *f = vow_ready_at(site, vow_op_loop(o), shared(o));
    if (arg_drop != NULL) arg_drop(arg);
    return f;
  }
  c = vow__turn_new(site, o, &call_class, &o->line, start, arg, arg_drop);
  if (c == NULL) return vow__ask_failed(site, o, "vow_once_run");
  c->number = o->calls++;
  vow__lock_ref(o);
  begin(o);
  return vow_op_future(c);
}

bool vow_once_is_done(const vow_once_t *o) {
  return o != NULL && o->done;
}

vow_value_t vow_once_value(const vow_once_t *o) {
  return o != NULL ? o->value : vow_nil();
}

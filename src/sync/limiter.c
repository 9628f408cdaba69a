/* SPDX-License-Identifier: MIT */
/* Concurrency limiters: a line of calls, and a count of those that have a slot.
 */
#include "sync/turn.h"

#include "base/errno.h"
#include <vow/limiter.h>

struct vow_limiter {
  vow_op_t cell;
  vow__link_t line; /* of vow__turn_t */
  size_t limit;
  size_t running;
  bool closed; /* freed; no call gets a slot any more */
};

static const vow_op_class_t limiter_class = {
    .name = "limiter",
    .size_bytes = sizeof(vow_limiter_t),
};

vow_limiter_t *vow_limiter_new_at(const char *site, vow_loop_t *loop,
                                  size_t limit) {
  const char *fn = "vow_limiter_new";
  vow_limiter_t *l;
  if (limit == 0) {
    (void)vow__lock_misuse(NULL, fn, "the limit is 0");
    return NULL;
  }
  l = vow__lock_new(site, loop, &limiter_class, fn);
  if (l == NULL) return NULL;
  vow__list_init(&l->line);
  l->limit = limit;
  return l;
}

static void serve(vow_limiter_t *l) {
  vow__turn_t *c;
  while (!l->closed && l->running < l->limit &&
         (c = vow__turn_first(&l->line)) != NULL) {
    l->running++;
    vow__turn_kick(c);
  }
}

/* Ends a call that has a slot. Its own end comes first, so that it is seen
 * before the next call starts. */
static void end(vow__turn_t *c, vow_value_t v) {
  vow_limiter_t *l = c->ask.owner;
  vow__turn_end(c, v);
  l->running--;
  if (l->closed && l->running == 0)
    vow__lock_unref(l);
  else
    serve(l);
}

static void call_cancel(void *op) {
  vow__turn_t *c = op;
  c->cancelled = true;
  switch (c->phase) {
  case VOW__TURN_WAITING:
    vow__list_remove(&c->ask.link);
    vow__turn_end(c, vow_fail(UV_ECANCELED));
    break;
  case VOW__TURN_KICKED:
    vow_waiter_release(&c->waiter);
    end(c, vow_fail(UV_ECANCELED));
    break;
  case VOW__TURN_RUNNING:
    if (!vow__turn_stop(c)) end(c, vow_fail(UV_ECANCELED));
    break;
  default:
    break;
  }
}

static void call_ready(void *op, vow_waiter_t *w) {
  vow__turn_t *c = op;
  vow_future_t *f = vow_waiter_take(w);
  if (c->phase == VOW__TURN_KICKED && vow_state(f) == VOW_SUCCEEDED) {
    vow_drop(f);
    vow__turn_adopt(c, vow__turn_start(c, "vow_limiter_run"));
    if (c->cancelled && !vow__turn_stop(c)) end(c, vow_fail(UV_ECANCELED));
  } else {
    vow_value_t v = vow_outcome(f);
    vow_drop(f);
    end(c, v);
  }
}

static const vow_op_class_t call_class = {
    .name = "limiter run",
    .size_bytes = sizeof(vow__turn_t),
    .cancel = call_cancel,
    .ready = call_ready,
    .sources = vow__turn_sources,
};

/* A callback may come to free what still waits; but no call joins any more. */
void vow_limiter_free(vow_limiter_t *l) {
  vow__turn_t *c;
  if (l == NULL) return;
  l->closed = true;
  l->running++; /* keeps l */
  while ((c = vow__turn_first(&l->line)) != NULL) {
    const char *site = vow_site(vow_op_future(c));
    vow__list_remove(&c->ask.link);
    vow__turn_end(c,
                  vow_failf_at(site, VOW_ESHUTDOWN, "the limiter was freed"));
  }
  if (--l->running == 0) vow__lock_unref(l);
}

vow_future_t *vow_limiter_run_at(const char *site, vow_limiter_t *l,
                                 vow_limiter_cb start, void *arg,
                                 vow_drop_cb arg_drop) {
  const char *fn = "vow_limiter_run", *wrong = NULL;
  vow_future_t *f;
  vow__turn_t *c;
  if (l == NULL) wrong = "the limiter is NULL";
  if (start == NULL) wrong = "the callback is NULL";
  if (wrong != NULL || l->closed) {
    f = wrong != NULL ? vow__lock_refuse(site, l, fn, wrong)
                      : vow__lock_freed(site, l, "the limiter was freed");
    if (arg_drop != NULL) arg_drop(arg);
    return f;
  }
  c = vow__turn_new(site, l, &call_class, &l->line, start, arg, arg_drop);
  if (c == NULL) return vow__ask_failed(site, l, fn);
  serve(l);
  return vow_op_future(c);
}

size_t vow_limiter_running(const vow_limiter_t *l) {
  return l != NULL ? l->running : 0;
}

size_t vow_limiter_waiting(const vow_limiter_t *l) {
  return l != NULL ? vow__line_length(&l->line) : 0;
}

/* SPDX-License-Identifier: MIT */
/* Operations that call a user's function once it is their turn. */
#include "sync/turn.h"

#include "base/errno.h"

void *vow__turn_new(const char *site, void *owner, const vow_op_class_t *cls,
                    vow__link_t *line, vow__start_cb start, void *arg,
                    vow_drop_cb arg_drop) {
  vow__turn_t *c = vow__ask_new(site, owner, cls, line);
  if (c == NULL) {
    if (arg_drop != NULL) arg_drop(arg);
    return NULL;
  }
  c->start = start;
  c->arg = arg;
  c->arg_drop = arg_drop;
  return c;
}

void vow__turn_kick(vow__turn_t *c) {
  const char *site = vow_site(vow_op_future(c));
  vow__list_remove(&c->ask.link);
  c->phase = VOW__TURN_KICKED;
  vow_waiter_start(&c->waiter, c,
                   vow_ready_at(site, vow_op_loop(c), vow_nil()));
}

vow_future_t *vow__turn_start(vow__turn_t *c, const char *fn) {
  const char *what = "NULL";
  vow_future_t *f;
  int err;
  c->phase = VOW__TURN_STARTING;
  f = c->start(vow_op_loop(c), c->arg);
  err = vow_op_check(f, vow_op_loop(c));
  if (f != NULL) what = "a future of another loop";
  if (err == 0 && vow_op_would_cycle(c, f)) {
    err = VOW_ECYCLE;
    what = "a future that waits for the result";
  }
  if (err == 0) return f;
  vow_op_discard(f);
  return vow_misuse_at(vow_site(vow_op_future(c)), vow_op_loop(c), err,
                       "%s: the callback returned %s", fn, what);
}

void vow__turn_adopt(vow__turn_t *c, vow_future_t *f) {
  c->phase = VOW__TURN_RUNNING;
  vow_waiter_start(&c->waiter, c, f);
}

bool vow__turn_stop(vow__turn_t *c) {
  vow_future_t *f = vow_waiter_future(&c->waiter);
  if (f == NULL || vow_is_settled(f)) return true;
  return vow_waiter_cancel(&c->waiter);
}

void vow__turn_end(vow__turn_t *c, vow_value_t v) {
  c->phase = VOW__TURN_ENDED;
  if (c->arg_drop != NULL) c->arg_drop(c->arg);
  vow_op_settle(c, v);
}

void vow__turn_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                       void *arg) {
  const vow__turn_t *c = op;
  if (vow_waiter_future(&c->waiter) != NULL)
    visit(vow_waiter_future(&c->waiter), arg);
}

/* SPDX-License-Identifier: MIT */
/* Operations in steps: waiting, cancelling, unwinding. */
#include "net/steps.h"

#include <uv.h>

void vow__steps_await(vow__steps_t *s, vow_future_t *f, unsigned how,
                      vow__step_fn next) {
  s->next = next;
  s->how = how;
  vow_waiter_start(&s->waiter, s, f);
}

void vow__steps_finish(vow__steps_t *s, vow_value_t v) {
  s->unwinding = true;
  s->outcome = v;
  s->unwind(s);
}

static void unwind_on(vow__steps_t *s, vow_future_t *f) {
  (void)f;
  s->unwind(s);
}

void vow__steps_unwind_after(vow__steps_t *s, vow_future_t *f) {
  vow__steps_await(s, f, VOW__STEP_FIRM | VOW__STEP_ANY, unwind_on);
}

void vow__steps_end(vow__steps_t *s) {
  vow_value_t v = s->outcome;
  s->outcome = vow_nil();
  vow_op_settle(s, v);
}

void vow__steps_ready(void *op, vow_waiter_t *w) {
  vow__steps_t *s = op;
  vow_future_t *f = vow_waiter_take(w);
  int err = vow_status(f); /* the failure counts as seen */
  bool late = s->cancelled && !s->committed;
  if ((s->how & VOW__STEP_ANY) || (err == 0 && !late))
    s->next(s, f);
  else
    vow__steps_finish(s, late ? vow_cancelled(UV_ECANCELED) : vow_outcome(f));
  vow_drop(f);
}

void vow__steps_cancel(void *op) {
  vow__steps_t *s = op;
  vow_future_t *f = vow_waiter_future(&s->waiter);
  s->cancelled = true;
  /* One that has settled is on its way to us. */
  if (f == NULL || vow_is_settled(f)) return;
  if (!s->committed && !(s->how & VOW__STEP_FIRM))
    vow_waiter_cancel(&s->waiter); /* ours alone: goes on until it has ended */
}

void vow__steps_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                        void *arg) {
  const vow__steps_t *s = op;
  if (vow_waiter_future(&s->waiter) != NULL)
    visit(vow_waiter_future(&s->waiter), arg);
}

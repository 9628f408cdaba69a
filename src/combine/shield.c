/* SPDX-License-Identifier: MIT */
/* shield: an operation that waits for its input and lets no cancellation
 * through. */
#include "base/errno.h"
#include <vow/op.h>
#include <vow/timeout.h>

typedef struct shield {
  vow_op_t op;
  vow_waiter_t input;
} shield_t;

static void shield_cancel(void *op) {
  shield_t *s = op;
  vow_future_t *f = vow_waiter_take(&s->input);
  if (f == NULL) return; /* its outcome is being handed on */
  vow_op_settle(s, vow_fail(UV_ECANCELED));
  vow_detach(f);
}

static void shield_ready(void *op, vow_waiter_t *w) {
  vow_future_t *f = vow_waiter_take(w);
  vow_value_t v = vow_outcome(f);
  vow_drop(f);
  vow_op_settle(op, v);
}

static void shield_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                           void *arg) {
  const shield_t *s = op;
  if (vow_waiter_future(&s->input) != NULL)
    visit(vow_waiter_future(&s->input), arg);
}

static const vow_op_class_t shield_class = {
    .name = "shield",
    .size_bytes = sizeof(shield_t),
    .cancel = shield_cancel,
    .ready = shield_ready,
    .sources = shield_sources,
};

vow_future_t *vow_shield_at(const char *site, vow_future_t *f) {
  vow_loop_t *loop = vow_loop_of(f);
  shield_t *s;
  if (f == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "vow_shield: the future is NULL");
  if (loop == NULL) return f; /* a failure that belongs to no loop */
  s = vow_op_new_at(site, loop, &shield_class);
  if (s == NULL) {
    vow_future_t *failed = vow_op_failed(site, loop, "vow_shield");
    if (vow_status(failed) == UV_ENOMEM)
      vow_detach(f);
    else
      vow_op_discard(f); /* another thread's */
    return failed;
  }
  vow_waiter_start(&s->input, s, f);
  return vow_op_future(s);
}

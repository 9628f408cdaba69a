/* SPDX-License-Identifier: MIT */
/* Checks of what callbacks of iterators return. */
#include "combine/iter_call.h"

#include "base/errno.h"

/* f, which *v holds, unless err says what is wrong with it. */
static vow_future_t *followed(void *op, const char *fn, vow_value_t *v,
                              vow_future_t *f, int err) {
  if (err == 0) {
    *v = vow_nil();
    return f;
  }
  vow_op_discard(f);
  *v = vow_failf_at(
      vow_site(vow_op_future(op)), err, "%s: the callback follows a future %s",
      fn, err == VOW_ECYCLE ? "that waits for it" : "of another loop");
  return NULL;
}

vow_future_t *vow__call_followed(void *op, const char *fn, vow_value_t *v) {
  vow_future_t *f = vow_value_followed(*v);
  int err;
  if (f == NULL) return NULL;
  err = vow_op_check(f, vow_op_loop(op));
  if (err == 0 && vow_op_would_cycle(op, f)) err = VOW_ECYCLE;
  return followed(op, fn, v, f, err);
}

vow_future_t *vow__iter_followed(vow_iter_t *it, const char *fn,
                                 vow_value_t *v) {
  vow_future_t *f = vow_value_followed(*v);
  int err;
  if (f == NULL) return NULL;
  err = vow_op_check(f, vow_op_loop(it));
  if (err == 0 && vow_iter_would_cycle(it, f)) err = VOW_ECYCLE;
  return followed(it, fn, v, f, err);
}

vow_value_t vow__call_item(void *op, const char *fn, vow_value_t v) {
  if (vow_value_code(v) != UV_EOF) return v;
  return vow_fail_cause_at(vow_site(vow_op_future(op)), UV_EPROTO, v,
                           "%s: an item failed with the end of something "
                           "else",
                           fn);
}

vow_value_t vow__call_failure(void *op, vow_future_t *f) {
  if (vow_state(f) == VOW_FAILED)
    return vow_op_consume(vow_site(vow_op_future(op)), f);
  vow_drop(f);
  return vow_nil();
}

void vow__call_forget(vow_waiter_t *w) {
  (void)vow_status(vow_waiter_future(w));
  vow_waiter_release(w);
}

bool vow__call_cancel(vow_waiter_t *w) {
  (void)vow_status(vow_waiter_future(w));
  return vow_waiter_cancel(w);
}

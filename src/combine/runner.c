/* SPDX-License-Identifier: MIT */
/* Operations that call a user's function again and again: cancelling, adopting
 * what the function returned, releasing its arg. When to call it is up to
 * retry.c and repeat.c. */
#include "combine/runner.h"

#include "base/errno.h"
#include <vow/time.h>

void *vow__runner_new(const char *site, vow_loop_t *loop,
                      const vow_op_class_t *cls, const char *fn, void *arg,
                      vow_drop_cb arg_drop, vow_future_t **ret_failed) {
  vow__runner_t *r = vow_op_new_at(site, loop, cls);
  if (r == NULL) {
    *ret_failed = vow_op_failed(site, loop, fn);
    if (arg_drop != NULL) arg_drop(arg);
    return NULL;
  }
  r->arg = arg;
  r->arg_drop = arg_drop;
  vow__runner_pause(r, 0);
  return r;
}

vow_future_t *vow__runner_refuse(const char *site, vow_loop_t *loop,
                                 const char *fn, const char *what, void *arg,
                                 vow_drop_cb arg_drop) {
  vow_future_t *bad = vow_misuse_at(site, loop, UV_EINVAL, "%s: %s", fn, what);
  if (arg_drop != NULL) arg_drop(arg);
  return bad;
}

void vow__runner_pause(vow__runner_t *r, uint64_t delay_ms) {
  const char *site = vow_site(vow_op_future(r));
  r->pausing = true;
  vow_waiter_start(&r->waiter, r, vow_sleep_at(site, vow_op_loop(r), delay_ms));
}

/* Asks what r waits for to end. A success is delivered all the same. */
static void stop(vow__runner_t *r) {
  vow_future_t *f = vow_waiter_future(&r->waiter);
  if (f == NULL) return; /* in its ready hook, which looks at cancelled */
  if (r->pausing) {
    vow_waiter_release(&r->waiter);
  } else {
    if (vow_state(f) == VOW_SUCCEEDED) return;
    (void)vow_status(f); /* a failure that would have been read */
    if (vow_waiter_cancel(&r->waiter)) return;
  }
  vow__runner_finish(r, vow_fail(UV_ECANCELED));
}

void vow__runner_adopt(vow__runner_t *r, vow_future_t *f, const char *fn) {
  const char *site = vow_site(vow_op_future(r));
  int err = vow_op_check(f, vow_op_loop(r));
  const char *what = f == NULL ? "NULL" : "a future of another loop";
  if (err == 0 && vow_op_would_cycle(r, f)) {
    err = VOW_ECYCLE;
    what = "a future that waits for the result";
  }
  if (err != 0) {
    vow_op_discard(f);
    vow__runner_finish(
        r, vow_failf_at(site, err, "%s: the callback returned %s", fn, what));
    return;
  }
  r->pausing = false;
  vow_waiter_start(&r->waiter, r, f);
  if (r->cancelled) stop(r);
}

vow_future_t *vow__runner_take(vow__runner_t *r, bool *ret_paused) {
  vow_future_t *f = vow_waiter_take(&r->waiter);
  vow_value_t v;
  *ret_paused = r->pausing;
  if (!r->pausing) return f;
  r->pausing = false;
  if (vow_status(f) == 0) return f;
  v = vow_outcome(f);
  vow_drop(f);
  vow__runner_finish(r, v);
  return NULL;
}

void vow__runner_finish(vow__runner_t *r, vow_value_t v) {
  vow_drop_cb arg_drop = r->arg_drop;
  r->finished = true;
  r->arg_drop = NULL;
  if (arg_drop != NULL) arg_drop(r->arg);
  vow_op_settle(r, v);
}

void vow__runner_cancel(void *op) {
  vow__runner_t *r = op;
  r->cancelled = true;
  if (!r->finished && !r->calling) stop(r);
}

void vow__runner_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                         void *arg) {
  const vow__runner_t *r = op;
  if (vow_waiter_future(&r->waiter) != NULL)
    visit(vow_waiter_future(&r->waiter), arg);
}

/* SPDX-License-Identifier: MIT */
/* Waiting in a task: for a future, or for a turn of the ready queue; and how a
 * cancellation ends a wait. */
#include "task/task.h"

/* ---- cancelled ------------------------------------------------------------ */

void vow__task_interrupt(vow__task_t *t) {
  vow_future_t *f;
  if (t == vow__task_self || t->ended) return;
  f = vow_waiter_future(&t->wait);
  /* Without one it was woken already, and one that has settled is granted. */
  if (f == NULL || vow_is_settled(f)) return;
  if (!vow_waiter_cancel(&t->wait)) vow_op_wake(t); /* others want it */
}

vow_value_t vow__await_refuse(const char *site, vow_future_t *f, int code) {
  const char *why = "no task runs here";
  vow_value_t v;
  if (f == NULL)
    why = "the future is NULL";
  else if (code == VOW_ECYCLE)
    why = "the future would wait for the task that awaits it";
  else if (vow__task_self != NULL)
    why = "the future is of another loop";
  v = vow_failf_at(site, code, "vow_await: %s", why);
  vow_op_discard(f);
  return v;
}

/* The task feels a cancellation already: f is given up, and waited for only
 * until it has unwound. Others run meanwhile in any case, or a task that goes
 * on and on in spite of its cancellation would stop the whole loop. */
static VOW__NOINLINE vow_value_t give_up(const char *site, vow__task_t *t,
                                         vow_future_t *f, int reason) {
  vow_value_t v = vow_cancelled(reason), clean_up;
  int settled = vow_waiter_try(&t->wait, t, f);
  if (settled < 0) return vow__await_refuse(site, f, settled);
  if (settled > 0) vow_value_destroy(vow_op_consume(site, f));
  if (!vow_waiter_cancel(&t->wait)) vow_op_wake(t);
  vow__task_suspend(t);
  f = vow_waiter_take(&t->wait);
  if (f == NULL) return v;
  clean_up = vow_op_consume(site, f);
  if (vow_value_is_failure(clean_up) && !vow_value_is_cancelled(clean_up))
    return vow_fail_because_at(site, clean_up, v);
  vow_value_destroy(clean_up);
  return v;
}

/* ---- awaiting ------------------------------------------------------------- */

bool vow__await_is_over(vow_future_t *f) {
  bool over = f == NULL || vow_state(f) == VOW_CANCELLED;
  if (over) vow_drop(f);
  return over;
}

vow_value_t vow_await_at(const char *site, vow_future_t *f) {
  vow__task_t *t = vow__task_self;
  int reason;
  if (VOW__UNLIKELY(t == NULL)) return vow__await_refuse(site, f, UV_EINVAL);
  reason = vow__task_felt(t);
  if (VOW__UNLIKELY(reason != 0)) return give_up(site, t, f, reason);
  return vow__await(site, t, f);
}

static VOW__NOINLINE int code_of(vow_value_t v) {
  int code = vow_value_code(v);
  vow_value_destroy(v);
  return code;
}

/* The value stays where it is: others may share it though it cannot be. */
int vow_await_status_at(const char *site, vow_future_t *f) {
  vow__task_t *t = vow__task_self;
  vow_value_t v;
  int code;
  if (VOW__UNLIKELY(t == NULL || vow__task_felt(t) != 0))
    return code_of(vow_await_at(site, f));
  if (VOW__UNLIKELY(!vow__await_end(site, t, f, &f, &v))) return code_of(v);
  code = vow_status(f);
  vow_drop(f);
  return code;
}

vow_value_t vow_fail_status(int code) {
  vow__task_t *t = vow__task_self;
  return t != NULL && t->reason != 0 && t->reason == code ? vow_cancelled(code)
                                                          : vow_fail(code);
}

int vow_yield(void) {
  vow__task_t *t = vow__task_self;
  if (t == NULL) return UV_EINVAL;
  vow_op_wake(t);
  vow__task_suspend(t);
  return vow__task_felt(t);
}

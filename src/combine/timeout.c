/* SPDX-License-Identifier: MIT */
/* timeout and deadline: one operation with a waiter on its input and a timer.
 *
 * How this works: when the time is up the input is asked to end, and its own
 * end, coming through the waiter, settles us: expired and cancelled say then
 * how to read it. All timers that are due fire before any continuation runs,
 * so of timeouts in each other with one deadline the inner is cancelled by the
 * outer before it has settled, and the outer reports. Only an input that
 * others share leaves us nothing to wait for; we then arm the timer once more,
 * behind those that are due, to keep that order. */
#include "base/check.h"
#include "base/errno.h"
#include <vow/op.h>
#include <vow/time.h>
#include <vow/timeout.h>

#include <inttypes.h>

typedef struct limit {
  vow_op_t op;
  vow_waiter_t input;
  vow_timer_t timer;
  int64_t delay_ms;  /* for the message */
  bool absolute;     /* vow_deadline: the message has no delay */
  bool expired;      /* the input was asked to end by the timer */
  bool cancelled;    /* we were asked to end; wins over expired */
  bool stopping;     /* the input has been asked to end */
  bool disconnected; /* others share the input; only the timer is left */
} limit_t;

static vow_value_t timed_out(limit_t *t) {
  const char *site = vow_site(vow_op_future(t));
  if (t->absolute)
    return vow_failf_at(site, UV_ETIMEDOUT,
                        "timed out: the deadline has passed");
  return vow_failf_at(site, UV_ETIMEDOUT, "timed out after %" PRId64 " ms",
                      t->delay_ms);
}

static void limit_settle_alone(limit_t *t) {
  vow_op_settle(t, t->cancelled ? vow_fail(UV_ECANCELED) : timed_out(t));
}

static void limit_disconnected(vow_timer_t *timer) {
  limit_settle_alone(vow__container_of(timer, limit_t, timer));
}

/* Asks the input to end. One that has settled is on its way to us. */
static void stop_input(limit_t *t) {
  vow_loop_t *loop = vow_op_loop(t);
  if (t->stopping || vow_is_settled(vow_waiter_future(&t->input))) return;
  t->stopping = true;
  if (vow_waiter_cancel(&t->input)) return;
  t->disconnected = true;
  if (t->cancelled || vow_timer_start(loop, &t->timer, vow_loop_now_ms(loop),
                                      limit_disconnected) != 0)
    limit_settle_alone(t);
}

static void limit_expire(limit_t *t) {
  if (vow_is_settled(vow_waiter_future(&t->input))) return;
  t->expired = true;
  stop_input(t);
}

static void limit_due(vow_timer_t *timer) {
  limit_expire(vow__container_of(timer, limit_t, timer));
}

static void limit_cancel(void *op) {
  limit_t *t = op;
  t->cancelled = true;
  vow_timer_stop(vow_op_loop(t), &t->timer);
  if (t->disconnected)
    limit_settle_alone(t);
  else if (vow_waiter_future(&t->input) != NULL)
    stop_input(t);
}

static void limit_ready(void *op, vow_waiter_t *w) {
  limit_t *t = op;
  vow_future_t *f = vow_waiter_take(w);
  vow_state_t state = vow_state(f);
  vow_value_t v = vow_outcome(f);
  bool late = t->expired && !t->cancelled;
  vow_timer_stop(vow_op_loop(t), &t->timer);
  vow_drop(f);
  if (late && state == VOW_CANCELLED) {
    vow_value_destroy(v);
    v = timed_out(t);
  } else if (late && state == VOW_FAILED) {
    v = vow_fail_because_at(vow_site(vow_op_future(t)), v, timed_out(t));
  }
  vow_op_settle(t, v);
}

static void limit_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                          void *arg) {
  const limit_t *t = op;
  if (vow_waiter_future(&t->input) != NULL)
    visit(vow_waiter_future(&t->input), arg);
}

static const vow_op_class_t limit_class = {
    .name = "timeout",
    .size_bytes = sizeof(limit_t),
    .cancel = limit_cancel,
    .ready = limit_ready,
    .sources = limit_sources,
};

/* An operation that waits for f, without a timer; or the future to return
 * instead, in *ret_other. f is consumed. */
static limit_t *limit_new(const char *site, vow_future_t *f, const char *fn,
                          vow_future_t **ret_other) {
  vow_loop_t *loop = vow_loop_of(f);
  limit_t *t;
  if (f == NULL) {
    *ret_other =
        vow_misuse_at(site, NULL, UV_EINVAL, "%s: the future is NULL", fn);
    return NULL;
  }
  if (loop == NULL) { /* a failure that belongs to no loop */
    *ret_other = f;
    return NULL;
  }
  t = vow_op_new_at(site, loop, &limit_class);
  if (t == NULL) {
    *ret_other = vow_op_failed(site, loop, fn);
    vow_op_discard(f);
    return NULL;
  }
  vow_waiter_start(&t->input, t, f);
  return t;
}

/* Arms t's timer; for want of memory t fails and its input is given up. */
static vow_future_t *limit_arm(limit_t *t, uint64_t deadline_ms) {
  int err = vow_timer_start(vow_op_loop(t), &t->timer, deadline_ms, limit_due);
  if (err != 0) {
    vow_waiter_release(&t->input);
    vow_op_settle(t, vow_fail(err));
  }
  return vow_op_future(t);
}

vow_future_t *vow_timeout_at(const char *site, vow_future_t *f,
                             int64_t delay_ms) {
  vow_future_t *other;
  limit_t *t = limit_new(site, f, "vow_timeout", &other);
  if (t == NULL) return other;
  t->delay_ms = delay_ms > 0 ? delay_ms : 0;
  if (delay_ms > 0)
    return limit_arm(t, vow_deadline_ms(vow_op_loop(t), (uint64_t)delay_ms));
  limit_expire(t);
  return vow_op_future(t);
}

vow_future_t *vow_deadline_at(const char *site, vow_future_t *f,
                              uint64_t deadline_ms) {
  vow_future_t *other;
  limit_t *t = limit_new(site, f, "vow_deadline", &other);
  if (t == NULL) return other;
  t->absolute = true;
  if (deadline_ms == UINT64_MAX) return vow_op_future(t);
  if (deadline_ms > VOW_MS_MAX) deadline_ms = VOW_MS_MAX;
  if (deadline_ms > vow_loop_now_ms(vow_op_loop(t)))
    return limit_arm(t, deadline_ms);
  limit_expire(t);
  return vow_op_future(t);
}

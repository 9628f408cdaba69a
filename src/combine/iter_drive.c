/* SPDX-License-Identifier: MIT */
/* Driving an iterator: next, item, next, and the close at the end. What is done
 * with an item is the owner's affair. */
#include "combine/iter_drive.h"

#include "base/errno.h"
#include "combine/iter_call.h"

static const char *site_of(vow__drive_t *d) {
  return vow_site(vow_op_future(d));
}

void vow__drive_leave(vow__drive_t *d, vow_value_t v) {
  d->outcome = v;
  d->phase = VOW__DRIVE_CLOSING;
  vow_waiter_start(&d->waiter, d, vow_iter_close(d->it));
}

static void leave_cancelled(vow__drive_t *d) {
  vow__drive_leave(d, vow_fail(UV_ECANCELED));
}

void vow__drive_ask(vow__drive_t *d) {
  if (d->cancelled) {
    leave_cancelled(d);
    return;
  }
  d->phase = VOW__DRIVE_ASKING;
  vow_waiter_start(&d->waiter, d, vow_iter_next_at(site_of(d), d->it));
}

void vow__drive_work(vow__drive_t *d, vow_future_t *f) {
  vow_waiter_start(&d->waiter, d, f);
  if (d->cancelled && !vow__call_cancel(&d->waiter)) leave_cancelled(d);
}

/* The iterator has closed. */
static void finish(vow__drive_t *d, vow_future_t *f) {
  vow_value_t failure = vow__call_failure(d, f);
  vow_value_t v = d->outcome;
  vow_iter_t *it = d->it;
  d->outcome = vow_nil();
  d->it = NULL;
  d->phase = VOW__DRIVE_FINISHED;
  if (vow_value_is_failure(failure))
    v = vow_fail_because_at(site_of(d), failure, v);
  vow_op_pin(d); /* what follows may drop it */
  vow_iter_free(it);
  if (d->release != NULL) d->release(d);
  vow_op_settle(d, v);
  vow_op_unpin(d);
}

void vow__drive_ready(void *op, vow_waiter_t *w) {
  vow__drive_t *d = op;
  vow_future_t *f = vow_waiter_take(w);
  bool asking = d->phase == VOW__DRIVE_ASKING;
  if (d->phase == VOW__DRIVE_CLOSING) {
    finish(d, f);
  } else if (d->cancelled || vow_state(f) != VOW_SUCCEEDED) {
    vow_value_t v;
    if (asking && !d->cancelled && vow_iter_is_end(f)) {
      vow_drop(f);
      v = d->result(d);
    } else if (d->cancelled && vow_state(f) == VOW_SUCCEEDED) {
      vow_drop(f);
      v = vow_fail(UV_ECANCELED);
    } else {
      v = vow_op_consume(site_of(d), f);
    }
    vow__drive_leave(d, v);
  } else {
    d->phase = VOW__DRIVE_BUSY;
    if (asking)
      d->item(d, f);
    else
      d->worked(d, f);
  }
}

void vow__drive_cancel(void *op) {
  vow__drive_t *d = op;
  d->cancelled = true;
  if (d->phase >= VOW__DRIVE_CLOSING) return;
  if (vow_waiter_future(&d->waiter) == NULL) return; /* in a hook */
  if (!vow__call_cancel(&d->waiter)) leave_cancelled(d);
}

void vow__drive_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                        void *arg) {
  const vow__drive_t *d = op;
  if (vow_waiter_future(&d->waiter) != NULL)
    visit(vow_waiter_future(&d->waiter), arg);
}

void *vow__drive_new(const char *site, vow_iter_t *it,
                     const vow_op_class_t *cls, const char *fn,
                     const char *wrong, vow_future_t **ret_failed) {
  vow_future_t *failed = vow_iter_failure(it);
  vow__drive_t *d = NULL;
  if (failed != NULL) {
    *ret_failed = failed; /* the iterator's reference */
    return NULL;
  }
  if (it == NULL) wrong = "the iterator is NULL";
  if (wrong != NULL)
    *ret_failed =
        vow_misuse_at(site, vow_iter_loop(it), UV_EINVAL, "%s: %s", fn, wrong);
  else if ((d = vow_op_new_at(site, vow_iter_loop(it), cls)) == NULL)
    *ret_failed = vow_op_failed(site, vow_iter_loop(it), fn);
  if (d == NULL)
    vow_iter_free(it);
  else
    d->it = it;
  return d;
}

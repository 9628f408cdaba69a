/* SPDX-License-Identifier: MIT */
/* using: open, use, close.
 *
 * How this works: one waiter, which holds what is awaited; the future of the
 * resource stays beside it from when it has succeeded. The user's functions are
 * called from the ready hook; where a cancellation leads to a call, by way of
 * vow_op_wake. Nothing is allocated on the way to the close. */
#include "combine/iter_call.h"

#include "base/errno.h"
#include <vow/using.h>

enum {
  OPENING,   /* the waiter holds open */
  USING,     /* use is on the stack, or the waiter holds what it followed */
  CLOSE_DUE, /* close is to be called */
  CLOSING,   /* it is on the stack, or the waiter holds what it followed */
  FINISHED
};

typedef struct using {
  vow_op_t op;
  vow_waiter_t waiter;
  vow_future_t *resource;
  vow_then_cb use;
  vow_then_cb close;
  void *arg;
  vow_drop_cb arg_drop;
  vow_value_t outcome; /* from CLOSE_DUE on */
  uint8_t phase;
  bool cancelled;
}
using_t;

static const char *site_of(using_t *u) {
  return vow_site(vow_op_future(u));
}

static void finish(using_t *u, vow_value_t v) {
  vow_future_t *resource = u->resource;
  vow_drop_cb arg_drop = u->arg_drop;
  u->phase = FINISHED;
  u->resource = NULL;
  u->arg_drop = NULL;
  vow_op_pin(u); /* what follows may drop it */
  vow_drop(resource);
  if (arg_drop != NULL) arg_drop(u->arg);
  vow_op_settle(u, v);
  vow_op_unpin(u);
}

/* The close has ended, with failure or nil. */
static void closed(using_t *u, vow_value_t failure) {
  vow_value_t v = u->outcome;
  u->outcome = vow_nil();
  if (vow_value_is_failure(failure))
    v = vow_fail_because_at(site_of(u), failure, v);
  else
    vow_value_destroy(failure);
  finish(u, v);
}

static void call_close(using_t *u) {
  vow_value_t v;
  vow_future_t *f;
  u->phase = CLOSING;
  v = u->close(u->resource, u->arg);
  f = vow__call_followed(u, "vow_using", &v);
  if (f != NULL)
    vow_waiter_start(&u->waiter, u, f);
  else
    closed(u, v);
}

/* Nothing is awaited any more; v is the outcome unless the close fails. */
static void used(using_t *u, vow_value_t v) {
  u->outcome = v;
  u->phase = CLOSE_DUE;
  vow_op_wake(u);
}

static void call_use(using_t *u) {
  vow_value_t v;
  vow_future_t *f;
  u->phase = USING;
  vow_ref(u->resource); /* so that use cannot take it */
  v = u->use(u->resource, u->arg);
  vow_drop(u->resource);
  f = vow__call_followed(u, "vow_using", &v);
  if (f == NULL) {
    used(u, v);
    return;
  }
  vow_waiter_start(&u->waiter, u, f);
  if (u->cancelled && !vow_is_settled(f) && !vow_waiter_cancel(&u->waiter))
    used(u, vow_fail(UV_ECANCELED));
}

static void opened(using_t *u, vow_future_t *f) {
  if (vow_state(f) != VOW_SUCCEEDED) {
    finish(u, vow_op_consume(site_of(u), f));
    return;
  }
  u->resource = f;
  if (u->cancelled)
    used(u, vow_fail(UV_ECANCELED));
  else
    call_use(u);
}

static void using_ready(void *op, vow_waiter_t *w) {
  using_t *u = op;
  vow_future_t *f;
  if (w == NULL) {
    if (u->phase == CLOSE_DUE) call_close(u);
    return;
  }
  f = vow_waiter_take(w);
  if (u->phase == OPENING)
    opened(u, f);
  else if (u->phase == USING)
    used(u, vow_op_consume(site_of(u), f));
  else
    closed(u, vow_op_consume(site_of(u), f));
}

/* What has settled is on its way to us. */
static void using_cancel(void *op) {
  using_t *u = op;
  vow_future_t *f = vow_waiter_future(&u->waiter);
  u->cancelled = true;
  if (u->phase > USING || f == NULL || vow_is_settled(f)) return;
  if (vow_waiter_cancel(&u->waiter)) return;
  if (u->phase == OPENING)
    finish(u, vow_fail(UV_ECANCELED)); /* open is left to others */
  else
    used(u, vow_fail(UV_ECANCELED));
}

static void using_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                          void *arg) {
  const using_t *u = op;
  if (vow_waiter_future(&u->waiter) != NULL)
    visit(vow_waiter_future(&u->waiter), arg);
}

static const vow_op_class_t using_class = {
    .name = "using",
    .size_bytes = sizeof(using_t),
    .cancel = using_cancel,
    .ready = using_ready,
    .sources = using_sources,
};

vow_future_t *vow_using_at(const char *site, vow_future_t *open,
                           vow_then_cb use, vow_then_cb close, void *arg,
                           vow_drop_cb arg_drop) {
  vow_loop_t *loop = vow_loop_of(open);
  vow_future_t *failed = NULL;
  using_t *u = NULL;
  const char *wrong = NULL;
  if (use == NULL || close == NULL) wrong = "a callback is NULL";
  if (open == NULL) wrong = "the future is NULL";
  if (wrong != NULL)
    failed = vow_misuse_at(site, loop, UV_EINVAL, "vow_using: %s", wrong);
  else if (loop == NULL) { /* a failure that belongs to no loop */
    failed = open;
    open = NULL;
  } else if ((u = vow_op_new_at(site, loop, &using_class)) == NULL)
    failed = vow_op_failed(site, loop, "vow_using");
  if (u == NULL) {
    vow_op_discard(open);
    if (arg_drop != NULL) arg_drop(arg);
    return failed;
  }
  u->use = use;
  u->close = close;
  u->arg = arg;
  u->arg_drop = arg_drop;
  vow_waiter_start(&u->waiter, u, open);
  return vow_op_future(u);
}

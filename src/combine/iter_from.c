/* SPDX-License-Identifier: MIT */
/* Iterators whose items a callback makes, with a clean-up of the user's. */
#include "combine/iter_call.h"

#include "base/errno.h"
#include <vow/iter_class.h>
#include <vow/iter_sources.h>

enum {
  IDLE,
  DUE,       /* next is to be called */
  BUSY,      /* it is on the stack, or what it followed is awaited */
  UNWINDING, /* closing: that was cancelled */
  CLOSE_DUE, /* close is to be called */
  CLOSING    /* it was */
};

typedef struct from {
  vow_iter_t it;
  vow_waiter_t waiter;
  uint64_t i;
  vow_iter_cb next;
  vow_iter_close_cb close;
  void *arg;
  vow_drop_cb arg_drop;
  uint8_t phase;
} from_t;

static from_t *from_of(vow_iter_t *it) {
  return (from_t *)(void *)it;
}

/* ---- items --------------------------------------------------------------- */

/* Calls come through the ready queue. */
static void from_next(vow_iter_t *it) {
  from_of(it)->phase = DUE;
  vow_op_wake(it);
}

static bool from_unasked(vow_iter_t *it) {
  from_t *s = from_of(it);
  if (s->phase != DUE) return false;
  s->phase = IDLE;
  return true;
}

static void call_next(from_t *s) {
  vow_value_t v;
  vow_future_t *f;
  s->phase = BUSY;
  v = s->next(vow_op_loop(s), s->i++, s->arg);
  f = vow__iter_followed(&s->it, "vow_iter_from", &v);
  if (f != NULL)
    vow_waiter_start(&s->waiter, s, f);
  else
    vow_iter_give(&s->it, v);
}

/* ---- closing ------------------------------------------------------------- */

static void finish(from_t *s, vow_value_t failure) {
  vow_drop_cb arg_drop = s->arg_drop;
  s->arg_drop = NULL;
  if (vow_value_is_cancelled(failure) || !vow_value_is_failure(failure)) {
    vow_value_destroy(failure);
    failure = vow_nil();
  }
  if (arg_drop != NULL) arg_drop(s->arg);
  vow_iter_closed(&s->it, failure);
}

static void call_close(from_t *s) {
  vow_value_t v = vow_nil();
  vow_future_t *f = NULL;
  s->phase = CLOSING;
  if (s->close != NULL) {
    v = s->close(vow_op_loop(s), s->arg);
    f = vow__iter_followed(&s->it, "vow_iter_from", &v);
  }
  if (f != NULL)
    vow_waiter_start(&s->waiter, s, f);
  else
    finish(s, v);
}

static void from_close(vow_iter_t *it) {
  from_t *s = from_of(it);
  if (vow__call_cancel(&s->waiter)) {
    s->phase = UNWINDING;
  } else if (s->close != NULL) {
    s->phase = CLOSE_DUE;
    vow_op_wake(it);
  } else {
    s->phase = CLOSING;
    finish(s, vow_nil());
  }
}

/* ---- both ---------------------------------------------------------------- */

static void from_ready(vow_iter_t *it, vow_waiter_t *w) {
  from_t *s = from_of(it);
  if (w == NULL) {
    if (s->phase == DUE)
      call_next(s);
    else if (s->phase == CLOSE_DUE)
      call_close(s);
  } else if (s->phase == BUSY) {
    vow_iter_give(
        it, vow_op_consume(vow_site(vow_op_future(s)), vow_waiter_take(w)));
  } else if (s->phase == UNWINDING) {
    vow_drop(vow_waiter_take(w));
    call_close(s);
  } else {
    finish(s, vow__call_failure(s, vow_waiter_take(w)));
  }
}

static void from_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                         void *arg) {
  const from_t *s = op;
  if (vow_waiter_future(&s->waiter) != NULL)
    visit(vow_waiter_future(&s->waiter), arg);
}

static const vow_iter_class_t from_class = {
    .op = VOW_ITER_OP("iter_from", from_t, NULL, from_sources),
    .next = from_next,
    .unasked = from_unasked,
    .ready = from_ready,
    .close = from_close,
};

vow_iter_t *vow_iter_from_at(const char *site, vow_loop_t *loop,
                             vow_iter_cb next, vow_iter_close_cb close,
                             void *arg, vow_drop_cb arg_drop) {
  vow_future_t *why;
  from_t *s = NULL;
  if (next == NULL)
    why = vow_misuse_at(site, loop, UV_EINVAL,
                        "vow_iter_from: the callback is NULL");
  else if ((s = vow_iter_new_at(site, loop, &from_class)) == NULL)
    why = vow_op_failed(site, loop, "vow_iter_from");
  if (s == NULL) {
    if (arg_drop != NULL) arg_drop(arg);
    return vow_iter_failed(why);
  }
  s->next = next;
  s->close = close;
  s->arg = arg;
  s->arg_drop = arg_drop;
  return &s->it;
}

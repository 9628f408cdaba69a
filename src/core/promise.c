/* SPDX-License-Identifier: MIT */
/* Promises. A promise is its future's own cell, held by a pin instead of a
 * reference: the memory stays for the handle, but a promise is no interest. */
#include "core/settle.h"

static vow_future_t *cell_of(const vow_promise_t *p) {
  return (vow_future_t *)(uintptr_t)p;
}

static VOW__INLINE vow_future_t *begin(vow_future_t *f, const char *site,
                                       vow_promise_t **ret_promise) {
  vow__cell_begin(f, VOW__PROMISE, 0, site);
  f->node.pins = 1;
  f->u.promise.hook = NULL;
  f->u.promise.arg = NULL;
  *ret_promise = (vow_promise_t *)f;
  return f;
}

static VOW__NOINLINE vow_future_t *new_slow(const char *site, vow_loop_t *loop,
                                            vow_promise_t **ret_promise) {
  vow_future_t *f;
  int err;
  if (ret_promise == NULL)
    return vow_misuse_at(site, loop, UV_EINVAL,
                         "vow_promise_new: ret_promise is NULL");
  *ret_promise = NULL;
  err = vow__loop_refusal(loop, "vow_promise_new");
  if (err != 0) return vow_misuse_at(site, NULL, err, "%s", vow_last_message());
  f = vow__cell_alloc(loop, 0);
  return f != NULL ? begin(f, site, ret_promise) : vow__enomem(loop);
}

vow_future_t *vow_promise_new_at(const char *site, vow_loop_t *loop,
                                 vow_promise_t **ret_promise) {
  vow_future_t *f;
  if (VOW__UNLIKELY(ret_promise == NULL || loop == NULL ||
                    !vow__loop_ok(loop)) ||
      VOW__UNLIKELY((f = vow__cell_try(loop, 0)) == NULL))
    return new_slow(site, loop, ret_promise);
  return begin(f, site, ret_promise);
}

/* v is destroyed last: it may take the promise along. */
static VOW__NOINLINE int refuse(vow_future_t *f, vow_value_t v, int err) {
  if (err == 0)
    err = f->node.state == VOW__CANCELLED ? UV_ECANCELED : VOW_ESETTLED;
  if (f == NULL)
    vow__record(err, "(null)", "vow_resolve: the promise is NULL");
  else if (err == VOW_ETHREAD || err == VOW_ESHUTDOWN)
    vow__record(err, f->site, "vow_resolve: %s", vow_strerror(err));
  else
    vow__record(err, f->site,
                "vow_resolve: the promise made at %s is settled already",
                f->site);
  vow__value_destroy(v);
  return err;
}

static VOW__NOINLINE int resolve_slow(vow_promise_t *p, vow_value_t v) {
  vow_future_t *f = cell_of(p);
  vow_loop_t *loop;
  if (f == NULL) return refuse(NULL, v, UV_EINVAL);
  loop = vow__loop_of(f);
  if (!vow__loop_ok(loop))
    return refuse(f, v, loop->closed ? VOW_ESHUTDOWN : VOW_ETHREAD);
  if (f->node.state != VOW__PENDING || f->node.kind != VOW__PROMISE)
    return refuse(f, v, 0);
  if (f->node.flags & VOW__F_QUEUED) {
    f->node.flags &= (uint8_t)~VOW__F_QUEUED;
    vow__unlink(&f->node);
  }
  vow__complete(loop, f, v);
  return 0;
}

static VOW__NOINLINE int wake_and_reap(vow_loop_t *loop, vow_future_t *f) {
  if (vow_loop_has_ready(loop)) vow__wake(loop);
  vow__reap(f);
  return 0;
}

/* The common case, pending and settled with a value; slow is for the others.
 * pins of the cell's are given up in the same stroke. As in chain.c, what needs
 * a call comes last. */
static VOW__INLINE int resolve(vow_promise_t *p, vow_value_t v, uint32_t pins,
                               int (*slow)(vow_promise_t *p, vow_value_t v)) {
  vow_future_t *f = cell_of(p);
  vow_loop_t *loop;
  vow__node_t *w;
  uint32_t word;
  if (VOW__UNLIKELY(f == NULL)) return slow(p, v);
  loop = vow__loop_of(f);
  word = f->node.word;
  if (VOW__UNLIKELY(!vow__loop_ok(loop) ||
                    (word & VOW__WORD(0xff, 0xff, VOW__F_QUEUED, 0)) !=
                        VOW__WORD(VOW__PROMISE, VOW__PENDING, 0, 0) ||
                    vow__is_failure(v) || v.type == &vow__type_follow))
    return slow(p, v);
  f->u.value.as.i = v.as.i;
  f->u.value.type = v.type;
  word ^= VOW__WORD(0, VOW__PENDING ^ VOW__DONE, 0, 0);
  if (v.type == &vow_type_int || v.type == NULL)
    word |= VOW__WORD(0, 0, VOW__F_PLAIN, 0);
  f->node.word = word - pins;
  w = f->waiters;
  if (w != NULL) {
    f->waiters = NULL;
    vow__ready_append(loop, w);
  }
  if (VOW__UNLIKELY(f->node.refs == 0 || (w != NULL && !loop->awake)))
    return wake_and_reap(loop, f);
  return 0;
}

int vow_resolve(vow_promise_t *p, vow_value_t v) {
  return resolve(p, v, 0, resolve_slow);
}

int vow_reject(vow_promise_t *p, int code) {
  return vow_resolve(p, vow_fail(code));
}

static VOW__NOINLINE void break_promise(vow_future_t *f) {
  vow_promise_t *p = (vow_promise_t *)f;
  if (f->node.flags & VOW__F_CANCEL)
    vow_resolve(p, vow_cancelled(0));
  else
    vow_resolve(p, vow_failf_at(f->site, VOW_EBROKEN,
                                "broken promise: made at %s, dropped unsettled",
                                f->site));
}

static inline void unpin(vow_future_t *f) {
  uint32_t word = f->node.word - VOW__WORD(0, 0, 0, 1);
  f->node.word = word;
  if (f->node.refs > 0) return;
  if (VOW__LIKELY((word & VOW__FREE_MASK) == VOW__FREE_MATCH))
    vow__cell_free(f);
  else
    vow__reap(f);
}

void vow_promise_drop(vow_promise_t *p) {
  vow_future_t *f = cell_of(p);
  if (f == NULL) return;
  vow__debug_check(f->node.pins > 0, "promise dropped twice", f->site);
  /* Settled or not comes first: together with the kind it would be one wide
   * load right behind a narrow store, which stalls. */
  if (VOW__UNLIKELY(!vow__settled(f)) && f->node.kind == VOW__PROMISE)
    break_promise(f);
  unpin(f);
}

/* Following goes without the pin: so a chain that follows itself through
 * promises is bypassed like any other. */
static VOW__NOINLINE int finish_slow(vow_promise_t *p, vow_value_t v) {
  vow_future_t *f = cell_of(p);
  int err;
  if (f != NULL && v.type == &vow__type_follow && f->node.refs > 0 &&
      f->node.pins == 1 && vow_promise_is_wanted(p) &&
      f->node.kind == VOW__PROMISE && vow__loop_ok(vow__loop_of(f))) {
    f->node.pins = 0;
    vow__complete(vow__loop_of(f), f, v);
    return 0;
  }
  err = resolve_slow(p, v);
  vow_promise_drop(p);
  return err;
}

int vow_promise_finish(vow_promise_t *p, vow_value_t v) {
  return resolve(p, v, VOW__WORD(0, 0, 0, 1), finish_slow);
}

int vow_promise_on_cancel(vow_promise_t *p, vow_cancel_cb cb, void *arg) {
  vow_future_t *f = cell_of(p);
  vow_loop_t *loop;
  if (f == NULL || cb == NULL) {
    vow__record(UV_EINVAL, f != NULL ? f->site : "(null)",
                "vow_promise_on_cancel: the %s is NULL",
                f == NULL ? "promise" : "callback");
    return UV_EINVAL;
  }
  loop = vow__loop_of(f);
  if (!vow__loop_ok(loop))
    return vow__loop_refusal(loop, "vow_promise_on_cancel");
  if (f->node.state != VOW__PENDING || f->node.kind != VOW__PROMISE)
    return VOW_ESETTLED;
  f->u.promise.hook = cb;
  f->u.promise.arg = arg;
  if ((f->node.flags & VOW__F_CANCEL) && !(f->node.flags & VOW__F_QUEUED)) {
    f->node.flags |= VOW__F_QUEUED; /* cancelled before */
    vow__ready_push(loop, &f->node);
  }
  return 0;
}

bool vow_promise_is_wanted(const vow_promise_t *p) {
  const vow_future_t *f = cell_of(p);
  return f != NULL && !vow__settled(f) && !(f->node.flags & VOW__F_CANCEL);
}

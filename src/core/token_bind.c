/* SPDX-License-Identifier: MIT */
/* What hangs on a token: watches, bound futures, and those who wait until all
 * that is bound has unwound. */
#include "core/token.h"

vow_future_t *vow__bound_cell(vow__link_t *link) {
  return vow__container_of(link, vow_future_t, u.bound);
}

/* ---- watches
 * ------------------------------------------------------------------ */

/* A watch is a cell of class 1. It stands in the token's list, then in the
 * ready queue, and is never seen as a future. */
typedef struct watch_cell {
  vow_future_t f; /* u.value.as.i: the reason, once queued */
  vow_watch_cb cb;
  void *arg;
  vow_drop_cb arg_drop;
} watch_cell_t;

vow_watch_t *vow_token_watch_at(const char *site, vow_token_t *t,
                                vow_watch_cb cb, void *arg,
                                vow_drop_cb arg_drop) {
  watch_cell_t *w = NULL;
  if (t == NULL || cb == NULL)
    vow__record(UV_EINVAL, site, "vow_token_watch: the %s is NULL",
                t == NULL ? "token" : "callback");
  else if (vow__loop_refusal(t->loop, "vow_token_watch") == 0 &&
           (w = vow__cell_alloc(t->loop, 1)) == NULL)
    vow__record(UV_ENOMEM, site, "vow_token_watch: out of memory");
  if (w == NULL) {
    if (arg_drop != NULL) arg_drop(arg);
    return NULL;
  }
  vow__cell_begin(&w->f, VOW__WATCH, 0, site);
  w->cb = cb;
  w->arg = arg;
  w->arg_drop = arg_drop;
  if (vow_token_is_cancelled(t)) {
    w->f.u.value.as.i = vow_token_reason(t);
    w->f.node.flags |= VOW__F_QUEUED;
    vow__ready_push(t->loop, &w->f.node);
  } else {
    vow__list_append(&t->watches, (vow__link_t *)(void *)&w->f.node);
  }
  return (vow_watch_t *)w;
}

void vow__watch_forget(vow_future_t *f) {
  watch_cell_t *w = (watch_cell_t *)f;
  vow_drop_cb arg_drop = w->arg_drop;
  void *arg = w->arg;
  vow__unlink(&f->node);
  vow__cell_free(f);
  if (arg_drop != NULL) arg_drop(arg);
}

void vow_token_unwatch(vow_watch_t *watch) {
  vow_future_t *f = (vow_future_t *)(void *)watch;
  /* One whose callback is on the stack is on its way out already. */
  if (f != NULL && f->node.state == VOW__PENDING) vow__watch_forget(f);
}

void vow__watch_run(vow_future_t *f) {
  watch_cell_t *w = (watch_cell_t *)f;
  vow_drop_cb arg_drop = w->arg_drop;
  void *arg = w->arg;
  f->node.state = VOW__RUNNING;
  w->cb((int)f->u.value.as.i, arg);
  vow__cell_free(f);
  if (arg_drop != NULL) arg_drop(arg);
}

/* ---- bound futures
 * ---------------------------------------------------------------- */

vow_future_t *vow_with_token_at(const char *site, vow_future_t *f,
                                vow_token_t *t) {
  vow_loop_t *loop;
  vow_future_t *d;
  const char *wrong = f == NULL                       ? "the future is NULL"
                      : t == NULL                     ? "the token is NULL"
                      : vow_op_check(f, t->loop) != 0 ? "future and token are "
                                                        "of different loops"
                                                      : NULL;
  if (VOW__UNLIKELY(wrong != NULL)) {
    loop = vow_loop_of(f);
    vow__drop_anywhere(f);
    return vow_misuse_at(site, loop, UV_EINVAL, "vow_with_token: %s", wrong);
  }
  if (f->node.flags & VOW__F_STATIC) return f;
  loop = t->loop;
  if (VOW__UNLIKELY(!vow__loop_ok(loop))) {
    int err = vow__loop_refusal(loop, "vow_with_token");
    vow__drop_anywhere(f);
    return vow_misuse_at(site, NULL, err, "%s", vow_last_message());
  }
  d = vow__cell_alloc(loop, 0);
  if (d == NULL) {
    vow__release(f);
    return vow__enomem(loop);
  }
  vow__cell_begin(d, VOW__BOUND, 0, site);
  vow__wait_on(loop, &d->node, f);
  if (VOW__UNLIKELY(vow_token_is_cancelled(t))) {
    d->u.unwinding.null = NULL;
    d->u.unwinding.token = t;
    t->unwinding++;
    if (!t->busy) vow__token_changed(t);
    vow__token_withdraw(t, d);
  } else {
    vow__list_append(&t->bound, &d->u.bound);
    if (!t->busy) vow__token_changed(t);
  }
  return d;
}

/* Unhooks f. Returns the token, referenced, when it may be quiet now: it is to
 * be told, once f has settled. */
static vow_token_t *unhook(vow_future_t *f) {
  vow__link_t at = f->u.bound;
  vow_token_t *t;
  if (at.next == NULL) { /* f->u.unwinding */
    t = f->u.unwinding.token;
    return t != NULL && --t->unwinding == 0 ? vow_token_ref(t) : NULL;
  }
  at.prev->next = at.next;
  at.next->prev = at.prev;
  if (at.prev != at.next) return NULL;
  /* Both neighbours the same: either one other future, or the list's head, and
   * nothing is left in it. Only a head points at itself now. */
  if (at.prev->next != at.prev) return NULL;
  t = vow__container_of(at.prev, vow_token_t, bound);
  return vow_token_ref(t);
}

static void tell(vow_token_t *t) {
  if (t == NULL) return;
  vow__token_changed(t);
  vow_token_unref(t);
}

void vow__bound_run(vow_loop_t *loop, vow_future_t *f) {
  vow_future_t *src = f->node.source;
  bool told = f->u.bound.next == NULL && f->u.unwinding.token != NULL;
  int reason = told ? vow_token_reason(f->u.unwinding.token) : 0;
  uint8_t state = src->node.state;
  vow_token_t *t = unhook(f);
  vow_value_t v;
  f->node.state = VOW__RUNNING;
  v = vow__take_outcome(src, f->site);
  f->node.source = NULL;
  vow__release(src);
  if (reason != 0 && state == VOW__CANCELLED) {
    vow__value_destroy(v);
    v = reason == UV_ETIMEDOUT
            ? vow_failf_at(f->site, reason, "the token's deadline has passed")
            : vow_cancelled(reason);
  } else if (reason != 0 && state == VOW__FAILED) {
    v = vow__error_because(v, f->site, vow_cancelled(reason));
  }
  vow__settle(loop, f, v);
  tell(t);
}

vow_future_t *vow_token_future_at(const char *site, vow_token_t *t) {
  if (t == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "vow_token_future: the token is NULL");
  return vow_with_token_at(site, vow_never_at(site, t->loop), t);
}

/* ---- closing
 * ------------------------------------------------------------------------ */

typedef struct close_op {
  vow_op_t op;
  vow__link_t link;
  vow_token_t *token;
} close_op_t;

static void close_leave(close_op_t *c) {
  vow_token_t *t = c->token;
  if (t == NULL) return;
  c->token = NULL;
  vow__list_remove(&c->link);
  vow_token_unref(t);
}

static void close_cancel(void *op) {
  close_op_t *c = op;
  vow_token_t *t = vow_token_ref(c->token);
  close_leave(c);
  vow_op_settle(c, vow_cancelled(0));
  if (t != NULL) vow__token_changed(t);
  vow_token_unref(t);
}

static const vow_op_class_t close_class = {
    "token close", sizeof(close_op_t), close_cancel, NULL, NULL, NULL};

void vow__token_quiet(vow_token_t *t) {
  while (!vow__list_empty(&t->closers)) {
    close_op_t *c = vow__container_of(t->closers.next, close_op_t, link);
    close_leave(c);
    vow_op_settle(c, vow_nil());
  }
}

vow_future_t *vow_token_close_at(const char *site, vow_token_t *t) {
  close_op_t *c;
  if (t == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "vow_token_close: the token is NULL");
  c = vow_op_new_at(site, t->loop, &close_class);
  if (c == NULL) return vow_op_failed(site, t->loop, "vow_token_close");
  vow__token_cancel(t, UV_ECANCELED);
  c->token = vow_token_ref(t);
  vow__list_append(&t->closers, &c->link);
  if (!t->busy) vow__token_quiet(t);
  return vow_op_future(c);
}

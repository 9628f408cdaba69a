/* SPDX-License-Identifier: MIT */
/* then, catch, handle, finally: each makes one derived cell. What the cells do
 * when they come up is in settle.c. */
#include "core/loop.h"

static const char *const names[] = {"vow_then", "vow_catch", "vow_handle",
                                    "vow_finally"};

static void drop_arg(void *arg, vow_drop_cb arg_drop) {
  if (arg_drop != NULL) arg_drop(arg);
}

/* A failure that belongs to no loop: handed on, or, for those who want to see
 * failures, made anew on the thread's loop. */
static vow_future_t *chain_static(const char *site, vow_future_t *f,
                                  vow_then_cb cb, void *arg,
                                  vow_drop_cb arg_drop, uint8_t kind) {
  vow_future_t *copy;
  vow_loop_t *loop = vow__thread_loop;
  if (kind == VOW__THEN || loop == NULL || !vow__loop_ok(loop)) {
    drop_arg(arg, arg_drop);
    return f;
  }
  copy = vow_ready_at(f->site, loop, vow_peek(f));
  if (kind == VOW__CATCH) return vow_catch_at(site, copy, cb, arg, arg_drop);
  if (kind == VOW__HANDLE) return vow_handle_at(site, copy, cb, arg, arg_drop);
  return vow_finally_at(site, copy, cb, arg, arg_drop);
}

/* Fills the cell in. One eight-byte store for the counts and flags. */
static VOW__INLINE vow_future_t *begin(vow_loop_t *loop, vow_future_t *d,
                                       const char *site, vow_future_t *f,
                                       vow_then_cb cb, void *arg,
                                       uint8_t kind) {
  vow__cell_begin(d, kind, 0, site);
  d->u.todo.cb = cb;
  d->u.todo.arg = arg;
  return vow__wait_and_return(loop, d, f);
}

/* What the fast path does not serve: an arg with a destructor, a full slab, and
 * everything that is wrong. */
static VOW__NOINLINE vow_future_t *chain_slow(const char *site, vow_future_t *f,
                                              vow_then_cb cb, void *arg,
                                              vow_drop_cb arg_drop,
                                              uint8_t kind) {
  const char *fn = names[kind];
  vow_loop_t *loop = NULL;
  vow_future_t *d;
  int err = f != NULL && cb != NULL ? 0 : UV_EINVAL;
  if (err == 0 && (f->node.flags & VOW__F_STATIC))
    return chain_static(site, f, cb, arg, arg_drop, kind);
  if (err == 0) {
    loop = vow__loop_of(f);
    err = vow__loop_refusal(loop, fn);
    vow__debug_check(err != VOW_ETHREAD, "chained on another thread", f->site);
  } else {
    vow__record(err, site, "%s: the %s is NULL", fn,
                f == NULL ? "future" : "callback");
  }
  d = err == 0 ? vow__cell_alloc(loop, arg_drop != NULL) : NULL;
  if (d == NULL) {
    drop_arg(arg, arg_drop);
    vow__drop_anywhere(f);
    if (err == 0) return vow__enomem(loop);
    return vow_misuse_at(site, NULL, err, "%s", vow_last_message());
  }
  d = begin(loop, d, site, f, cb, arg, kind);
  if (arg_drop != NULL) {
    d->node.flags = VOW__F_DROP;
    ((vow__chain_cell_t *)d)->arg_drop = arg_drop;
  }
  return d;
}

/* Leaves all that needs a call to chain_slow, as its last act: so nothing has
 * to be saved on the stack here. */
static VOW__INLINE vow_future_t *chain(const char *site, vow_future_t *f,
                                       vow_then_cb cb, void *arg,
                                       vow_drop_cb arg_drop, uint8_t kind) {
  vow_loop_t *loop;
  vow_future_t *d;
  if (VOW__UNLIKELY(f == NULL || cb == NULL || arg_drop != NULL ||
                    (f->node.flags & VOW__F_STATIC)))
    return chain_slow(site, f, cb, arg, arg_drop, kind);
  loop = vow__loop_of(f);
  if (VOW__UNLIKELY(!vow__loop_ok(loop)) ||
      VOW__UNLIKELY((d = vow__cell_try(loop, 0)) == NULL))
    return chain_slow(site, f, cb, arg, arg_drop, kind);
  return begin(loop, d, site, f, cb, arg, kind);
}

vow_future_t *vow_then_at(const char *site, vow_future_t *f, vow_then_cb cb,
                          void *arg, vow_drop_cb arg_drop) {
  return chain(site, f, cb, arg, arg_drop, VOW__THEN);
}

vow_future_t *vow_catch_at(const char *site, vow_future_t *f, vow_then_cb cb,
                           void *arg, vow_drop_cb arg_drop) {
  return chain(site, f, cb, arg, arg_drop, VOW__CATCH);
}

vow_future_t *vow_handle_at(const char *site, vow_future_t *f, vow_then_cb cb,
                            void *arg, vow_drop_cb arg_drop) {
  return chain(site, f, cb, arg, arg_drop, VOW__HANDLE);
}

vow_future_t *vow_finally_at(const char *site, vow_future_t *f, vow_then_cb cb,
                             void *arg, vow_drop_cb arg_drop) {
  return chain(site, f, cb, arg, arg_drop, VOW__FINALLY);
}

static vow_value_t keep_nothing(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_nil();
}

vow_future_t *vow_keep_at(const char *site, vow_future_t *f, void *arg,
                          vow_drop_cb arg_drop) {
  return vow_finally_at(site, f, keep_nothing, arg, arg_drop);
}

vow_future_t *vow_value_followed(vow_value_t v) {
  return v.type == &vow__type_follow ? v.as.p : NULL;
}

vow_value_t vow_follow(vow_future_t *f) {
  if (f == NULL)
    return vow_failf_at(VOW_SITE, UV_EINVAL, "vow_follow: the future is NULL");
  return vow_ptr(f, &vow__type_follow);
}

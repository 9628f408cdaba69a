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

/* What the fast path does not serve. */
static VOW__NOINLINE vow_future_t *chain_slow(const char *site, vow_future_t *f,
                                              vow_then_cb cb, void *arg,
                                              vow_drop_cb arg_drop,
                                              uint8_t kind) {
  const char *fn = names[kind];
  int err;
  if (f != NULL && cb != NULL && (f->node.flags & VOW__F_STATIC))
    return chain_static(site, f, cb, arg, arg_drop, kind);
  drop_arg(arg, arg_drop);
  if (f == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL, "%s: the future is NULL", fn);
  if (cb == NULL) {
    vow_loop_t *loop = vow_loop_of(f);
    vow__drop_anywhere(f);
    return vow_misuse_at(site, loop, UV_EINVAL, "%s: the callback is NULL", fn);
  }
  err = vow__loop_refusal(vow__loop_of(f), fn);
  vow__debug_check(err != VOW_ETHREAD, "chained on another thread", f->site);
  vow__drop_anywhere(f);
  return vow_misuse_at(site, NULL, err, "%s", vow_last_message());
}

static VOW__INLINE vow_future_t *chain(const char *site, vow_future_t *f,
                                       vow_then_cb cb, void *arg,
                                       vow_drop_cb arg_drop, uint8_t kind) {
  vow_loop_t *loop;
  vow_future_t *d;
  if (VOW__UNLIKELY(f == NULL || cb == NULL ||
                    (f->node.flags & VOW__F_STATIC) ||
                    !vow__loop_ok(loop = vow__loop_of(f))))
    return chain_slow(site, f, cb, arg, arg_drop, kind);
  d = vow__cell_alloc(loop, arg_drop != NULL);
  if (VOW__UNLIKELY(d == NULL)) {
    drop_arg(arg, arg_drop);
    vow__release(f);
    return vow__enomem(loop);
  }
  vow__cell_begin(d, kind, 0, site);
  d->u.todo.cb = cb;
  d->u.todo.arg = arg;
  if (arg_drop != NULL) {
    d->node.flags = VOW__F_DROP;
    ((vow__chain_cell_t *)d)->arg_drop = arg_drop;
  }
  vow__wait_on(loop, &d->node, f);
  return d;
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

vow_value_t vow_follow(vow_future_t *f) {
  if (f == NULL)
    return vow_failf_at(VOW_SITE, UV_EINVAL, "vow_follow: the future is NULL");
  return vow_ptr(f, &vow__type_follow);
}

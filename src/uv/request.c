/* SPDX-License-Identifier: MIT */
/* What all wrappers of libuv requests share. */
#include "uv/request.h"

static const char *name_of(const vow__request_t *r) {
  return r->op.cls->name;
}

void *vow__op_new(const char *site, vow_loop_t *loop, const vow_op_class_t *cls,
                  vow__uv_t **ret_d, vow_future_t **ret_failed) {
  void *op = vow_op_new_at(site, loop, cls);
  if (op == NULL) {
    *ret_failed = vow_op_failed(site, loop, cls->name);
    return NULL;
  }
  *ret_d = vow__uv_of(loop);
  if (*ret_d != NULL) return op;
  vow_op_settle(op,
                vow_failf_at(site, UV_ENOTSUP,
                             "%s: the loop does not run on libuv", cls->name));
  *ret_failed = vow_op_future(op);
  return NULL;
}

void *vow__request_new(const char *site, vow_loop_t *loop,
                       const vow_op_class_t *cls, vow_future_t **ret_failed) {
  vow__uv_t *d;
  vow__request_t *r = vow__op_new(site, loop, cls, &d, ret_failed);
  if (r != NULL) r->d = d;
  return r;
}

vow_value_t vow__request_failure(void *op, int err, const char *detail) {
  vow__request_t *r = op;
  const char *site;
  if (!vow_op_is_pending(op)) return vow_fail(err);
  if (err == UV_ECANCELED) err = VOW_ESHUTDOWN;
  site = vow_site(vow_op_future(op));
  if (detail == NULL)
    return vow_failf_at(site, err, "%s: %s", name_of(r), vow_strerror(err));
  return vow_failf_at(site, err, "%s %s: %s", name_of(r), detail,
                      vow_strerror(err));
}

vow_future_t *vow__request_start_for(void *op, int err, const char *detail) {
  if (err < 0) {
    vow_op_settle(op, vow__request_failure(op, err, detail));
    return vow_op_future(op);
  }
  vow_op_pin(op);
  return vow_op_future(op);
}

vow_future_t *vow__request_start(void *op, int err) {
  return vow__request_start_for(op, err, NULL);
}

void vow__request_done(void *op, vow_value_t v) {
  vow_loop_t *loop = vow_op_loop(op);
  vow_op_settle(op, v);
  vow_op_unpin(op);
  vow_loop_drain(loop);
}

void vow__request_cancel(void *op) {
  vow_op_settle(op, vow_cancelled(UV_ECANCELED));
}

/* SPDX-License-Identifier: MIT */
/* What all uv_fs_* requests share: from the operation to its outcome. */
#include "uv/fs.h"

#include <stdio.h>

static const vow__fs_kind_t *kind_of(const vow__fs_t *op) {
  return (const vow__fs_kind_t *)(const void *)op->base.op.cls;
}

void vow__fs_destroy(void *p) {
  vow__fs_t *op = p;
  if (op->held != NULL) kind_of(op)->release(op->held);
}

void vow__fs_cancel(void *p) {
  vow__fs_t *op = p;
  uv_cancel((uv_req_t *)&op->req);
  vow__request_cancel(op);
}

void vow__fs_cancel_wait(void *p) {
  vow__fs_t *op = p;
  uv_cancel((uv_req_t *)&op->req);
}

vow__fs_t *vow__fs_new(const char *site, vow_loop_t *loop,
                       const vow__fs_kind_t *kind, vow_future_t **ret_failed) {
  return vow__request_new(site, loop, &kind->cls, ret_failed);
}

vow__fs_t *vow__fs_path(const char *site, vow_loop_t *loop,
                        const vow__fs_kind_t *kind, const char *path,
                        vow_future_t **ret_failed) {
  if (path != NULL) return vow__fs_new(site, loop, kind, ret_failed);
  *ret_failed = vow_misuse_at(site, loop, UV_EINVAL, "%s: the path is NULL",
                              kind->cls.name);
  return NULL;
}

vow__fs_t *vow__fs_paths(const char *site, vow_loop_t *loop,
                         const vow__fs_kind_t *kind, const char *path,
                         const char *new_path, vow_future_t **ret_failed) {
  return vow__fs_path(site, loop, kind, new_path != NULL ? path : NULL,
                      ret_failed);
}

vow_future_t *vow__fs_start(vow__fs_t *op, int err) {
  if (err < 0) uv_fs_req_cleanup(&op->req);
  return vow__request_start(op, err);
}

/* libuv keeps copies of the paths until the clean-up. */
static vow_value_t failure(vow__fs_t *op, int err) {
  const uv_fs_t *req = &op->req;
  const char *detail = op->detail != NULL ? op->detail : req->path;
  char both[512];
  if (req->path != NULL && req->new_path != NULL) {
    snprintf(both, sizeof both, "%s -> %s", req->path, req->new_path);
    detail = both;
  }
  return vow__request_failure(op, err, detail);
}

vow_value_t vow__fs_outcome(vow__fs_t *op) {
  int err = op->req.result < 0 ? (int)op->req.result : 0;
  if (err == 0) return kind_of(op)->result(op);
  /* Only a cancel of ours can be behind this one. */
  if (err == UV_ECANCELED) return vow_cancelled(UV_ECANCELED);
  return failure(op, err);
}

void vow__fs_finish(vow__fs_t *op, vow_value_t v) {
  uv_fs_req_cleanup(&op->req);
  vow__request_done(op, v);
}

void vow__fs_on(uv_fs_t *req) {
  vow__fs_t *op = VOW__OF(req, vow__fs_t, req);
  vow__fs_finish(op, vow__fs_outcome(op));
}

vow_value_t vow__fs_nil(vow__fs_t *op) {
  (void)op;
  return vow_nil();
}

vow_value_t vow__fs_count(vow__fs_t *op) {
  return vow_int(op->req.result);
}

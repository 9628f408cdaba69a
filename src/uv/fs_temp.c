/* SPDX-License-Identifier: MIT */
/* Files and folders with a name of their own. What is made when nobody wants
 * it any more is removed again. */
#include <vow/fs_temp.h>

#include "uv/fs.h"

#include <string.h>

/* ---- files --------------------------------------------------------------- */

void vow_temp_free(vow_temp_t *t) {
  uv_fs_t req;
  if (t == NULL) return;
  if (t->file >= 0) {
    uv_fs_close(NULL, &req, t->file, NULL);
    uv_fs_req_cleanup(&req);
  }
  if (t->path[0] != '\0') {
    uv_fs_unlink(NULL, &req, t->path, NULL);
    uv_fs_req_cleanup(&req);
  }
  vow_release(t);
}

static void temp_destroy(void *p) {
  vow_temp_free(p);
}

const vow_type_t vow_type_temp = {"temp", temp_destroy, NULL, NULL};

const vow_temp_t *vow_temp_get(vow_future_t *f) {
  return vow_get(f, &vow_type_temp);
}

vow_temp_t *vow_temp_take(vow_future_t *f) {
  return vow_take(f, &vow_type_temp);
}

/* Made before the file is, so that none is lost for want of memory. */
static vow_temp_t *temp_new(const char *tpl) {
  size_t size_bytes = strlen(tpl) + 1;
  vow_temp_t *t = vow_alloc(sizeof *t + size_bytes);
  if (t == NULL) return NULL;
  t->file = -1;
  t->path = memcpy(t + 1, tpl, size_bytes);
  return t;
}

static vow_value_t result_temp(vow__fs_t *op) {
  vow_temp_t *t = op->held;
  op->held = NULL;
  t->file = (uv_file)op->req.result;
  memcpy(t + 1, op->req.path, strlen(t->path) + 1);
  return vow_ptr(t, &vow_type_temp);
}

static const vow__fs_kind_t mkstemp_kind =
    VOW__FS_KIND("fs_mkstemp", vow__fs_cancel, result_temp, vow_release);

vow_future_t *vow_fs_mkstemp_at(const char *site, vow_loop_t *loop,
                                const char *tpl) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &mkstemp_kind, tpl, &failed);
  vow_temp_t *t;
  if (op == NULL) return failed;
  t = temp_new(tpl);
  if (t == NULL) return vow__request_start(op, UV_ENOMEM);
  op->held = t;
  op->detail = t->path; /* libuv clears its copy when it fails */
  return vow__fs_start(
      op, uv_fs_mkstemp(vow__fs_uv(op), &op->req, tpl, vow__fs_on));
}

/* ---- folders ------------------------------------------------------------- */

static vow_value_t result_folder(vow__fs_t *op) {
  const char *path = op->req.path;
  vow_value_t v =
      vow_op_is_pending(op) ? vow_string(path) : vow_cancelled(UV_ECANCELED);
  if (vow_value_is_failure(v)) {
    uv_fs_t req;
    uv_fs_rmdir(NULL, &req, path, NULL);
    uv_fs_req_cleanup(&req);
  }
  return v;
}

static const vow__fs_kind_t mkdtemp_kind =
    VOW__FS_KIND("fs_mkdtemp", vow__fs_cancel, result_folder, NULL);

vow_future_t *vow_fs_mkdtemp_at(const char *site, vow_loop_t *loop,
                                const char *tpl) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &mkdtemp_kind, tpl, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_mkdtemp(vow__fs_uv(op), &op->req, tpl, vow__fs_on));
}

/* SPDX-License-Identifier: MIT */
/* What the file system knows of a file, and of itself. */
#include <vow/fs_stat.h>

#include "uv/fs.h"

#include <string.h>

const vow_type_t vow_type_stat = {"stat", vow_release, NULL, NULL};
const vow_type_t vow_type_statfs = {"statfs", vow_release, NULL, NULL};

static vow_value_t copy_of(const void *data, size_t size_bytes,
                           const vow_type_t *type) {
  void *p = vow_alloc(size_bytes);
  if (p == NULL) return vow_fail(UV_ENOMEM);
  memcpy(p, data, size_bytes);
  return vow_ptr(p, type);
}

static vow_value_t result_stat(vow__fs_t *op) {
  return copy_of(&op->req.statbuf, sizeof op->req.statbuf, &vow_type_stat);
}

static vow_value_t result_statfs(vow__fs_t *op) {
  return copy_of(op->req.ptr, sizeof(uv_statfs_t), &vow_type_statfs);
}

static const vow__fs_kind_t stat_kind =
    VOW__FS_KIND("fs_stat", vow__fs_cancel, result_stat, NULL);
static const vow__fs_kind_t lstat_kind =
    VOW__FS_KIND("fs_lstat", vow__fs_cancel, result_stat, NULL);
static const vow__fs_kind_t fstat_kind =
    VOW__FS_KIND("fs_fstat", vow__fs_cancel, result_stat, NULL);
static const vow__fs_kind_t statfs_kind =
    VOW__FS_KIND("fs_statfs", vow__fs_cancel, result_statfs, NULL);

vow_future_t *vow_fs_stat_at(const char *site, vow_loop_t *loop,
                             const char *path) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &stat_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op,
                       uv_fs_stat(vow__fs_uv(op), &op->req, path, vow__fs_on));
}

vow_future_t *vow_fs_lstat_at(const char *site, vow_loop_t *loop,
                              const char *path) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &lstat_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op,
                       uv_fs_lstat(vow__fs_uv(op), &op->req, path, vow__fs_on));
}

vow_future_t *vow_fs_fstat_at(const char *site, vow_loop_t *loop,
                              uv_file file) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_new(site, loop, &fstat_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op,
                       uv_fs_fstat(vow__fs_uv(op), &op->req, file, vow__fs_on));
}

vow_future_t *vow_fs_statfs_at(const char *site, vow_loop_t *loop,
                               const char *path) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &statfs_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_statfs(vow__fs_uv(op), &op->req, path, vow__fs_on));
}

const uv_stat_t *vow_stat_get(vow_future_t *f) {
  return vow_get(f, &vow_type_stat);
}

const uv_statfs_t *vow_statfs_get(vow_future_t *f) {
  return vow_get(f, &vow_type_statfs);
}

/* SPDX-License-Identifier: MIT */
/* Changing what the file system knows of a file: mode, owner, times. */
#include <vow/fs_attr.h>

#include "uv/fs.h"

static const vow__fs_kind_t chmod_kind =
    VOW__FS_KIND("fs_chmod", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t fchmod_kind =
    VOW__FS_KIND("fs_fchmod", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t chown_kind =
    VOW__FS_KIND("fs_chown", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t fchown_kind =
    VOW__FS_KIND("fs_fchown", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t lchown_kind =
    VOW__FS_KIND("fs_lchown", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t utime_kind =
    VOW__FS_KIND("fs_utime", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t futime_kind =
    VOW__FS_KIND("fs_futime", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t lutime_kind =
    VOW__FS_KIND("fs_lutime", vow__fs_cancel, vow__fs_nil, NULL);

vow_future_t *vow_fs_chmod_at(const char *site, vow_loop_t *loop,
                              const char *path, int mode) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &chmod_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_chmod(vow__fs_uv(op), &op->req, path, mode, vow__fs_on));
}

vow_future_t *vow_fs_fchmod_at(const char *site, vow_loop_t *loop, uv_file file,
                               int mode) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_new(site, loop, &fchmod_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_fchmod(vow__fs_uv(op), &op->req, file, mode, vow__fs_on));
}

vow_future_t *vow_fs_chown_at(const char *site, vow_loop_t *loop,
                              const char *path, uv_uid_t uid, uv_gid_t gid) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &chown_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_chown(vow__fs_uv(op), &op->req, path, uid, gid, vow__fs_on));
}

vow_future_t *vow_fs_fchown_at(const char *site, vow_loop_t *loop, uv_file file,
                               uv_uid_t uid, uv_gid_t gid) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_new(site, loop, &fchown_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_fchown(vow__fs_uv(op), &op->req, file, uid, gid, vow__fs_on));
}

vow_future_t *vow_fs_lchown_at(const char *site, vow_loop_t *loop,
                               const char *path, uv_uid_t uid, uv_gid_t gid) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &lchown_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_lchown(vow__fs_uv(op), &op->req, path, uid, gid, vow__fs_on));
}

vow_future_t *vow_fs_utime_at(const char *site, vow_loop_t *loop,
                              const char *path, double atime, double mtime) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &utime_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op, uv_fs_utime(vow__fs_uv(op), &op->req, path, atime,
                                       mtime, vow__fs_on));
}

vow_future_t *vow_fs_futime_at(const char *site, vow_loop_t *loop, uv_file file,
                               double atime, double mtime) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_new(site, loop, &futime_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op, uv_fs_futime(vow__fs_uv(op), &op->req, file, atime,
                                        mtime, vow__fs_on));
}

vow_future_t *vow_fs_lutime_at(const char *site, vow_loop_t *loop,
                               const char *path, double atime, double mtime) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &lutime_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op, uv_fs_lutime(vow__fs_uv(op), &op->req, path, atime,
                                        mtime, vow__fs_on));
}

/* SPDX-License-Identifier: MIT */
/* Names in the file system: making, moving, linking and removing them. */
#include <vow/fs_path.h>

#include "uv/fs.h"

/* What readlink and realpath found. */
static vow_value_t result_path(vow__fs_t *op) {
  return vow_string(op->req.ptr);
}

static const vow__fs_kind_t unlink_kind =
    VOW__FS_KIND("fs_unlink", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t rmdir_kind =
    VOW__FS_KIND("fs_rmdir", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t mkdir_kind =
    VOW__FS_KIND("fs_mkdir", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t rename_kind =
    VOW__FS_KIND("fs_rename", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t link_kind =
    VOW__FS_KIND("fs_link", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t symlink_kind =
    VOW__FS_KIND("fs_symlink", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t copyfile_kind =
    VOW__FS_KIND("fs_copyfile", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t access_kind =
    VOW__FS_KIND("fs_access", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t readlink_kind =
    VOW__FS_KIND("fs_readlink", vow__fs_cancel, result_path, NULL);
static const vow__fs_kind_t realpath_kind =
    VOW__FS_KIND("fs_realpath", vow__fs_cancel, result_path, NULL);

vow_future_t *vow_fs_unlink_at(const char *site, vow_loop_t *loop,
                               const char *path) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &unlink_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_unlink(vow__fs_uv(op), &op->req, path, vow__fs_on));
}

vow_future_t *vow_fs_rmdir_at(const char *site, vow_loop_t *loop,
                              const char *path) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &rmdir_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op,
                       uv_fs_rmdir(vow__fs_uv(op), &op->req, path, vow__fs_on));
}

vow_future_t *vow_fs_mkdir_at(const char *site, vow_loop_t *loop,
                              const char *path, int mode) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &mkdir_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_mkdir(vow__fs_uv(op), &op->req, path, mode, vow__fs_on));
}

vow_future_t *vow_fs_access_at(const char *site, vow_loop_t *loop,
                               const char *path, int mode) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &access_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_access(vow__fs_uv(op), &op->req, path, mode, vow__fs_on));
}

vow_future_t *vow_fs_rename_at(const char *site, vow_loop_t *loop,
                               const char *path, const char *new_path) {
  vow_future_t *failed;
  vow__fs_t *op =
      vow__fs_paths(site, loop, &rename_kind, path, new_path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_rename(vow__fs_uv(op), &op->req, path, new_path, vow__fs_on));
}

vow_future_t *vow_fs_link_at(const char *site, vow_loop_t *loop,
                             const char *path, const char *new_path) {
  vow_future_t *failed;
  vow__fs_t *op =
      vow__fs_paths(site, loop, &link_kind, path, new_path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_link(vow__fs_uv(op), &op->req, path, new_path, vow__fs_on));
}

vow_future_t *vow_fs_symlink_at(const char *site, vow_loop_t *loop,
                                const char *path, const char *new_path,
                                int flags) {
  vow_future_t *failed;
  vow__fs_t *op =
      vow__fs_paths(site, loop, &symlink_kind, path, new_path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op, uv_fs_symlink(vow__fs_uv(op), &op->req, path,
                                         new_path, flags, vow__fs_on));
}

vow_future_t *vow_fs_copyfile_at(const char *site, vow_loop_t *loop,
                                 const char *path, const char *new_path,
                                 int flags) {
  vow_future_t *failed;
  vow__fs_t *op =
      vow__fs_paths(site, loop, &copyfile_kind, path, new_path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op, uv_fs_copyfile(vow__fs_uv(op), &op->req, path,
                                          new_path, flags, vow__fs_on));
}

vow_future_t *vow_fs_readlink_at(const char *site, vow_loop_t *loop,
                                 const char *path) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &readlink_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_readlink(vow__fs_uv(op), &op->req, path, vow__fs_on));
}

vow_future_t *vow_fs_realpath_at(const char *site, vow_loop_t *loop,
                                 const char *path) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &realpath_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_realpath(vow__fs_uv(op), &op->req, path, vow__fs_on));
}

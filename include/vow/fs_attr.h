/* SPDX-License-Identifier: MIT */
/* Changing what the file system knows of a file: mode, owner, times. On
 * libuv's thread pool. */
#ifndef VOW_FS_ATTR_H
#define VOW_FS_ATTR_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** vow_fs_chmod(loop, path, mode)
 *  vow_fs_fchmod(loop, file, mode)
 *  Sets the permission bits of a file by name or descriptor. Succeeds with nil.
 *  Cancelled, this and all others here settle at once; a request that runs goes
 *  on.
 *  Ownership: path is copied; file is borrowed until libuv is done, see
 *    vow_fs_read. The caller owns the result.
 *  Errors: UV_ENOENT, UV_EPERM, UV_EROFS, UV_EBADF and so on, with a message
 *    that names path; UV_EINVAL (NULL), UV_ENOTSUP (the loop is not on libuv),
 *    UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN; through the result.
 *  Thread: the loop's. Source: uv_fs_chmod, uv_fs_fchmod. */
#define vow_fs_chmod(loop, path, mode) \
  vow_fs_chmod_at(VOW_SITE, (loop), (path), (mode))
#define vow_fs_fchmod(loop, file, mode) \
  vow_fs_fchmod_at(VOW_SITE, (loop), (file), (mode))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_chmod_at(const char *site,
                                                      vow_loop_t *loop,
                                                      const char *path,
                                                      int mode);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_fchmod_at(const char *site,
                                                       vow_loop_t *loop,
                                                       uv_file file, int mode);

/** vow_fs_chown(loop, path, uid, gid)
 *  vow_fs_fchown(loop, file, uid, gid)
 *  vow_fs_lchown(loop, path, uid, gid)
 *  Sets owner and group; (uv_uid_t)-1 and (uv_gid_t)-1 leave them. lchown does
 *  not follow a symbolic link at the end of path. Succeeds with nil.
 *  Ownership, Errors, Thread: as vow_fs_chmod. Source: uv_fs_chown,
 *    uv_fs_fchown, uv_fs_lchown. */
#define vow_fs_chown(loop, path, uid, gid) \
  vow_fs_chown_at(VOW_SITE, (loop), (path), (uid), (gid))
#define vow_fs_fchown(loop, file, uid, gid) \
  vow_fs_fchown_at(VOW_SITE, (loop), (file), (uid), (gid))
#define vow_fs_lchown(loop, path, uid, gid) \
  vow_fs_lchown_at(VOW_SITE, (loop), (path), (uid), (gid))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_chown_at(const char *site,
                                                      vow_loop_t *loop,
                                                      const char *path,
                                                      uv_uid_t uid,
                                                      uv_gid_t gid);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_fchown_at(const char *site,
                                                       vow_loop_t *loop,
                                                       uv_file file,
                                                       uv_uid_t uid,
                                                       uv_gid_t gid);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_lchown_at(const char *site,
                                                       vow_loop_t *loop,
                                                       const char *path,
                                                       uv_uid_t uid,
                                                       uv_gid_t gid);

/** vow_fs_utime(loop, path, atime, mtime)
 *  vow_fs_futime(loop, file, atime, mtime)
 *  vow_fs_lutime(loop, path, atime, mtime)
 *  Sets the times of last access and change, in seconds since 1970. lutime does
 *  not follow a symbolic link at the end of path. Succeeds with nil.
 *  Ownership, Errors, Thread: as vow_fs_chmod. Source: uv_fs_utime,
 *    uv_fs_futime, uv_fs_lutime. */
#define vow_fs_utime(loop, path, atime, mtime) \
  vow_fs_utime_at(VOW_SITE, (loop), (path), (atime), (mtime))
#define vow_fs_futime(loop, file, atime, mtime) \
  vow_fs_futime_at(VOW_SITE, (loop), (file), (atime), (mtime))
#define vow_fs_lutime(loop, path, atime, mtime) \
  vow_fs_lutime_at(VOW_SITE, (loop), (path), (atime), (mtime))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_utime_at(const char *site,
                                                      vow_loop_t *loop,
                                                      const char *path,
                                                      double atime,
                                                      double mtime);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_futime_at(const char *site,
                                                       vow_loop_t *loop,
                                                       uv_file file,
                                                       double atime,
                                                       double mtime);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_lutime_at(const char *site,
                                                       vow_loop_t *loop,
                                                       const char *path,
                                                       double atime,
                                                       double mtime);

VOW_END_DECLS
#endif

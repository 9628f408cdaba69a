/* SPDX-License-Identifier: MIT */
/* What the file system knows of a file, and of itself. On libuv's thread
 * pool. */
#ifndef VOW_FS_STAT_H
#define VOW_FS_STAT_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** The types of a uv_stat_t * and of a uv_statfs_t *, both ended by
 *  vow_release. */
VOW_EXPORT extern const vow_type_t vow_type_stat;
VOW_EXPORT extern const vow_type_t vow_type_statfs;

/** vow_fs_stat(loop, path)
 *  vow_fs_lstat(loop, path)
 *  Succeeds with what is known of the file at path: vow_stat_get; lstat does
 *  not follow a symbolic link at its end. Cancelled, it settles at once.
 *  Ownership: path is copied. The caller owns the result.
 *  Errors: UV_ENOENT, UV_EACCES, UV_ENOTDIR, UV_ELOOP and so on, with a message
 *    that names path; UV_EINVAL (NULL), UV_ENOTSUP (the loop is not on libuv),
 *    UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN; through the result.
 *  Thread: the loop's. Source: uv_fs_stat, uv_fs_lstat. */
#define vow_fs_stat(loop, path)  vow_fs_stat_at(VOW_SITE, (loop), (path))
#define vow_fs_lstat(loop, path) vow_fs_lstat_at(VOW_SITE, (loop), (path))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_stat_at(const char *site,
                                                     vow_loop_t *loop,
                                                     const char *path);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_lstat_at(const char *site,
                                                      vow_loop_t *loop,
                                                      const char *path);

/** vow_fs_fstat(loop, file)
 *  The same for an open file.
 *  Ownership: file is borrowed until libuv is done, see vow_fs_read. The caller
 *    owns the result.
 *  Errors: UV_EBADF; as vow_fs_stat.
 *  Thread: the loop's. Source: uv_fs_fstat. */
#define vow_fs_fstat(loop, file) vow_fs_fstat_at(VOW_SITE, (loop), (file))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_fstat_at(const char *site,
                                                      vow_loop_t *loop,
                                                      uv_file file);

/** vow_stat_get(f)
 *  vow_get with the type of stats.
 *  Ownership, Errors, Thread: as vow_get. */
VOW_EXPORT const uv_stat_t *vow_stat_get(vow_future_t *f);

/** vow_fs_statfs(loop, path)
 *  Succeeds with what is known of the file system that path is on:
 *  vow_statfs_get.
 *  Ownership, Errors, Thread: as vow_fs_stat. Source: uv_fs_statfs. */
#define vow_fs_statfs(loop, path) vow_fs_statfs_at(VOW_SITE, (loop), (path))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_statfs_at(const char *site,
                                                       vow_loop_t *loop,
                                                       const char *path);

/** vow_statfs_get(f)
 *  vow_get with the type of what vow_fs_statfs gives.
 *  Ownership, Errors, Thread: as vow_get. */
VOW_EXPORT const uv_statfs_t *vow_statfs_get(vow_future_t *f);

VOW_END_DECLS
#endif

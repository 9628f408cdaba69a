/* SPDX-License-Identifier: MIT */
/* Names in the file system: making, moving, linking and removing them. On
 * libuv's thread pool. */
#ifndef VOW_FS_PATH_H
#define VOW_FS_PATH_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** vow_fs_unlink(loop, path)
 *  vow_fs_rmdir(loop, path)
 *  Removes a name of a file, or an empty folder. Succeeds with nil.
 *  Cancelled, this and all others here settle at once; a request that runs goes
 *  on and may take effect.
 *  Ownership: path is copied. The caller owns the result.
 *  Errors: UV_ENOENT, UV_EACCES, UV_EPERM, UV_EISDIR, UV_ENOTDIR,
 *    UV_ENOTEMPTY, UV_EBUSY and so on, with a message that names path;
 *    UV_EINVAL (NULL), UV_ENOTSUP (the loop is not on libuv), UV_ENOMEM,
 *    VOW_ETHREAD, VOW_ESHUTDOWN; through the result.
 *  Thread: the loop's. Source: uv_fs_unlink, uv_fs_rmdir. */
#define vow_fs_unlink(loop, path) vow_fs_unlink_at(VOW_SITE, (loop), (path))
#define vow_fs_rmdir(loop, path)  vow_fs_rmdir_at(VOW_SITE, (loop), (path))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_unlink_at(const char *site,
                                                       vow_loop_t *loop,
                                                       const char *path);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_rmdir_at(const char *site,
                                                      vow_loop_t *loop,
                                                      const char *path);

/** vow_fs_mkdir(loop, path, mode)
 *  Makes a folder; mode is cut by the umask. Succeeds with nil.
 *  Ownership, Thread: as vow_fs_unlink. Source: uv_fs_mkdir.
 *  Errors: UV_EEXIST; as vow_fs_unlink. */
#define vow_fs_mkdir(loop, path, mode) \
  vow_fs_mkdir_at(VOW_SITE, (loop), (path), (mode))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_mkdir_at(const char *site,
                                                      vow_loop_t *loop,
                                                      const char *path,
                                                      int mode);

/** vow_fs_rename(loop, path, new_path)
 *  vow_fs_link(loop, path, new_path)
 *  Gives a file another name, in one step replacing what had it; or a second
 *  name. Succeeds with nil.
 *  Ownership, Thread: as vow_fs_unlink. Source: uv_fs_rename, uv_fs_link.
 *  Errors: UV_EXDEV (another file system), UV_EEXIST (link); as vow_fs_unlink,
 *    with a message that names both. */
#define vow_fs_rename(loop, path, new_path) \
  vow_fs_rename_at(VOW_SITE, (loop), (path), (new_path))
#define vow_fs_link(loop, path, new_path) \
  vow_fs_link_at(VOW_SITE, (loop), (path), (new_path))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_rename_at(const char *site,
                                                       vow_loop_t *loop,
                                                       const char *path,
                                                       const char *new_path);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_link_at(const char *site,
                                                     vow_loop_t *loop,
                                                     const char *path,
                                                     const char *new_path);

/** vow_fs_symlink(loop, path, new_path, flags)
 *  Makes new_path a symbolic link that says path. flags matter on Windows only:
 *  UV_FS_SYMLINK_DIR, UV_FS_SYMLINK_JUNCTION. Succeeds with nil.
 *  Ownership, Thread: as vow_fs_unlink. Source: uv_fs_symlink.
 *  Errors: UV_EEXIST; as vow_fs_unlink. */
#define vow_fs_symlink(loop, path, new_path, flags) \
  vow_fs_symlink_at(VOW_SITE, (loop), (path), (new_path), (flags))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_symlink_at(const char *site,
                                                        vow_loop_t *loop,
                                                        const char *path,
                                                        const char *new_path,
                                                        int flags);

/** vow_fs_copyfile(loop, path, new_path, flags)
 *  Copies a file's content and mode. flags: UV_FS_COPYFILE_EXCL (new_path must
 *  not exist), UV_FS_COPYFILE_FICLONE, UV_FS_COPYFILE_FICLONE_FORCE. Succeeds
 *  with nil. libuv removes what it made of new_path when it fails.
 *  Ownership, Thread: as vow_fs_unlink. Source: uv_fs_copyfile.
 *  Errors: UV_EEXIST, UV_ENOTSUP (no clones), UV_ENOSPC, UV_EINVAL (unknown
 *    flags); as vow_fs_unlink. */
#define vow_fs_copyfile(loop, path, new_path, flags) \
  vow_fs_copyfile_at(VOW_SITE, (loop), (path), (new_path), (flags))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_copyfile_at(const char *site,
                                                         vow_loop_t *loop,
                                                         const char *path,
                                                         const char *new_path,
                                                         int flags);

/** vow_fs_readlink(loop, path)
 *  vow_fs_realpath(loop, path)
 *  What a symbolic link says; path without links, dots and double slashes.
 *  Succeeds with a string: vow_get_string.
 *  Ownership, Thread: as vow_fs_unlink. Source: uv_fs_readlink, uv_fs_realpath.
 *  Errors: UV_EINVAL (readlink: not a link), UV_ELOOP; as vow_fs_unlink. */
#define vow_fs_readlink(loop, path) vow_fs_readlink_at(VOW_SITE, (loop), (path))
#define vow_fs_realpath(loop, path) vow_fs_realpath_at(VOW_SITE, (loop), (path))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_readlink_at(const char *site,
                                                         vow_loop_t *loop,
                                                         const char *path);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_realpath_at(const char *site,
                                                         vow_loop_t *loop,
                                                         const char *path);

/** vow_fs_access(loop, path, mode)
 *  Whether this process may do what mode says: F_OK, R_OK | W_OK | X_OK.
 *  Succeeds with nil when it may.
 *  Ownership, Thread: as vow_fs_unlink. Source: uv_fs_access.
 *  Errors: UV_EACCES, UV_EROFS; as vow_fs_unlink. */
#define vow_fs_access(loop, path, mode) \
  vow_fs_access_at(VOW_SITE, (loop), (path), (mode))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_access_at(const char *site,
                                                       vow_loop_t *loop,
                                                       const char *path,
                                                       int mode);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* What is in a folder: all at once, or some at a time. On libuv's thread
 * pool. */
#ifndef VOW_FS_DIR_H
#define VOW_FS_DIR_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** Names in a folder, and what they are: uv_dirent_t. One block of memory;
 *  counted, and of a type that can be shared. */
typedef struct vow_dirents vow_dirents_t;
VOW_EXPORT extern const vow_type_t vow_type_dirents;

/** vow_fs_scandir(loop, path, flags)
 *  Succeeds with all that is in the folder path, sorted, without . and ..:
 *  vow_dirents_get. flags must be 0. Cancelled, it settles at once.
 *  Ownership: path is copied. The caller owns the result.
 *  Errors: UV_ENOENT, UV_ENOTDIR, UV_EACCES and so on, with a message that
 *    names path; UV_EINVAL (NULL), UV_ENOTSUP (the loop is not on libuv),
 *    UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN; through the result.
 *  Thread: the loop's. Source: uv_fs_scandir. */
#define vow_fs_scandir(loop, path, flags) \
  vow_fs_scandir_at(VOW_SITE, (loop), (path), (flags))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_scandir_at(const char *site,
                                                        vow_loop_t *loop,
                                                        const char *path,
                                                        int flags);

/** vow_dirents_count(d), vow_dirents_at(d, i)
 *  How many there are; the i-th, whose type may be UV_DIRENT_UNKNOWN on some
 *  file systems.
 *  Ownership: borrowed from d.
 *  Errors: 0 for NULL; NULL past the end and for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_dirents_count(const vow_dirents_t *d);
VOW_EXPORT const uv_dirent_t *vow_dirents_at(const vow_dirents_t *d, size_t i);

/** vow_dirents_get(f), vow_dirents_take(f)
 *  vow_get and vow_take with the type of dirents.
 *  Ownership, Errors, Thread: as those; give what was taken to
 *    vow_dirents_unref. */
VOW_EXPORT const vow_dirents_t *vow_dirents_get(vow_future_t *f);
VOW_EXPORT vow_dirents_t *vow_dirents_take(vow_future_t *f);

/** vow_dirents_unref(d)
 *  Gives up what was taken.
 *  Ownership: consumes a reference. NULL is allowed.  Errors: none.
 *  Thread: the loop's. */
VOW_EXPORT void vow_dirents_unref(vow_dirents_t *d);

/** A folder that is open, and its type; what nobody takes is closed. */
typedef struct vow_dir vow_dir_t;
VOW_EXPORT extern const vow_type_t vow_type_dir;

/** vow_fs_opendir(loop, path)
 *  Succeeds with a folder that is open: vow_dir_get, vow_dir_take. Cancelled,
 *  it settles at once; a folder that opens later is closed.
 *  Ownership: path is copied. The caller owns the result; a folder nobody takes
 *    is closed.
 *  Errors, Thread: as vow_fs_scandir. Source: uv_fs_opendir. */
#define vow_fs_opendir(loop, path) vow_fs_opendir_at(VOW_SITE, (loop), (path))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_opendir_at(const char *site,
                                                        vow_loop_t *loop,
                                                        const char *path);

/** vow_dir_get(f), vow_dir_take(f)
 *  vow_get and vow_take with the type of open folders.
 *  Ownership, Errors, Thread: as those; what was taken is the caller's to
 *    close: vow_fs_closedir, or vow_dir_free. */
VOW_EXPORT vow_dir_t *vow_dir_get(vow_future_t *f);
VOW_EXPORT vow_dir_t *vow_dir_take(vow_future_t *f);

/** vow_fs_readdir(loop, dir, max)
 *  Succeeds with the next entries, at most max, unsorted; none at the end.
 *  Cancelled, it settles at once; what a read that runs has taken from the
 *  folder is lost.
 *  Ownership: dir may be closed or freed at any time. The caller owns the
 *    result.
 *  Errors: UV_EBUSY (a read of dir is under way, cancelled ones included),
 *    UV_EINVAL (dir is NULL; max is 0 or above 65536); as vow_fs_scandir.
 *  Thread: the loop's. Source: uv_fs_readdir. */
#define vow_fs_readdir(loop, dir, max) \
  vow_fs_readdir_at(VOW_SITE, (loop), (dir), (max))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_readdir_at(const char *site,
                                                        vow_loop_t *loop,
                                                        vow_dir_t *dir,
                                                        size_t max);

/** vow_fs_closedir(loop, dir)
 *  Closes a folder, once a read under way has ended; succeeds with nil. It
 *  cannot be cancelled.
 *  Ownership: consumes dir, unless submitting fails (UV_ENOMEM, UV_EINVAL,
 *    VOW_ETHREAD, VOW_ESHUTDOWN). The caller owns the result.
 *  Errors: as vow_fs_scandir.
 *  Thread: the loop's. Source: uv_fs_closedir. */
#define vow_fs_closedir(loop, dir) vow_fs_closedir_at(VOW_SITE, (loop), (dir))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_closedir_at(const char *site,
                                                         vow_loop_t *loop,
                                                         vow_dir_t *dir);

/** vow_dir_free(dir)
 *  Closes a folder in this call, or when a read under way has ended.
 *  Ownership: consumes dir. NULL is allowed.  Errors: none.
 *  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_dir_free(vow_dir_t *dir);

VOW_END_DECLS
#endif

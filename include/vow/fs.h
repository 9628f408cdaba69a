/* SPDX-License-Identifier: MIT */
/* Files, on libuv's thread pool. */
#ifndef VOW_FS_H
#define VOW_FS_H

#include <vow/bytes.h>
#include <vow/uv.h>

VOW_BEGIN_DECLS

/** The type of an open file, which owns its descriptor (vow_file_get), and of
 *  a uv_stat_t *, ended by vow_release. */
VOW_EXPORT extern const vow_type_t vow_type_file;
VOW_EXPORT extern const vow_type_t vow_type_stat;

/** vow_fs_open(loop, path, flags, mode)
 *  Opens path; succeeds with a file: vow_file_get, vow_file_take.
 *  Cancelled, the future settles at once; a file that opens later is closed.
 *  Ownership: path is copied. The caller owns the result; a file nobody takes
 *    is closed (in the destroying call).
 *  Errors: UV_ENOENT, UV_EACCES and so on, with a message that names path;
 *    UV_EINVAL (NULL), UV_ENOTSUP (the loop is not on libuv), UV_ENOMEM,
 *    VOW_ETHREAD, VOW_ESHUTDOWN; through the result.
 *  Thread: the loop's. Source: uv_fs_open. */
#define vow_fs_open(loop, path, flags, mode) \
  vow_fs_open_at(VOW_SITE, (loop), (path), (flags), (mode))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_open_at(const char *site,
                                                     vow_loop_t *loop,
                                                     const char *path,
                                                     int flags, int mode);

/** vow_file_get(f), vow_file_take(f)
 *  The descriptor f succeeded with, borrowed or moved out.
 *  Ownership: a descriptor taken is the caller's to close: vow_fs_close.
 *  Errors: -1, and vow_fail_last() says why, as vow_get and vow_take.
 *  Thread: the loop's. */
VOW_EXPORT uv_file vow_file_get(vow_future_t *f);
VOW_EXPORT uv_file vow_file_take(vow_future_t *f);

/** vow_fs_close(loop, file)
 *  Closes a descriptor; succeeds with nil. It cannot be cancelled: dropping
 *  the future does not keep the file open.
 *  Ownership: consumes file, unless submitting fails (UV_ENOMEM, UV_EINVAL,
 *    VOW_ETHREAD, VOW_ESHUTDOWN). The caller owns the result.
 *  Errors: UV_EBADF, UV_EIO, and as vow_fs_open.
 *  Thread: the loop's. Source: uv_fs_close. */
#define vow_fs_close(loop, file) vow_fs_close_at(VOW_SITE, (loop), (file))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_close_at(const char *site,
                                                      vow_loop_t *loop,
                                                      uv_file file);

/** vow_fs_read(loop, file, size_bytes, offset)
 *  Reads up to size_bytes at offset (-1: at the file's position); succeeds
 *  with the bytes, which may be fewer, and none at the end of the file.
 *  Cancelled, it settles at once; a read that runs goes on in memory of its
 *  own.
 *  Ownership: file is borrowed until libuv is done: close it with
 *    vow_fs_close, after the future settled uncancelled. The caller owns the
 *    result.
 *  Errors: UV_EBADF, UV_EISDIR, UV_EIO; UV_EINVAL (a size above INT32_MAX); as
 *    vow_fs_open.
 *  Thread: the loop's. Source: uv_fs_read. */
#define vow_fs_read(loop, file, size_bytes, offset) \
  vow_fs_read_at(VOW_SITE, (loop), (file), (size_bytes), (offset))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_read_at(const char *site,
                                                     vow_loop_t *loop,
                                                     uv_file file,
                                                     size_t size_bytes,
                                                     int64_t offset);

/** vow_fs_read_into(loop, file, ret_data, size_bytes, offset)
 *  The same into the caller's memory; succeeds with the number of bytes.
 *  Cancelled, it settles when libuv has let go of that memory: as cancelled
 *  when the read never began, with its outcome when it did.
 *  Ownership: ret_data is borrowed until the future has settled. Do not drop
 *    the future before: nothing else tells when libuv has let go.
 *  Errors, Thread: as vow_fs_read. */
#define vow_fs_read_into(loop, file, ret_data, size_bytes, offset)        \
  vow_fs_read_into_at(VOW_SITE, (loop), (file), (ret_data), (size_bytes), \
                      (offset))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_read_into_at(
    const char *site, vow_loop_t *loop, uv_file file, void *ret_data,
    size_t size_bytes, int64_t offset);

/** vow_fs_write(loop, file, data, size_bytes, offset)
 *  Writes at offset (-1: at the file's position); succeeds with the number of
 *  bytes, which may be fewer.
 *  Cancelled, it settles at once; a write that runs goes on.
 *  Ownership: data is copied. file as vow_fs_read. The caller owns the result.
 *  Errors: UV_ENOSPC, UV_EBADF; as vow_fs_read.
 *  Thread: the loop's. Source: uv_fs_write. */
#define vow_fs_write(loop, file, data, size_bytes, offset) \
  vow_fs_write_at(VOW_SITE, (loop), (file), (data), (size_bytes), (offset))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_write_at(
    const char *site, vow_loop_t *loop, uv_file file, const void *data,
    size_t size_bytes, int64_t offset);

/** vow_fs_write_borrowed(loop, file, data, size_bytes, offset)
 *  The same without a copy. Cancelled, it settles as vow_fs_read_into does.
 *  Ownership: data is borrowed until the future has settled.
 *  Errors, Thread: as vow_fs_write. */
#define vow_fs_write_borrowed(loop, file, data, size_bytes, offset)        \
  vow_fs_write_borrowed_at(VOW_SITE, (loop), (file), (data), (size_bytes), \
                           (offset))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_write_borrowed_at(
    const char *site, vow_loop_t *loop, uv_file file, const void *data,
    size_t size_bytes, int64_t offset);

/** vow_fs_stat(loop, path)
 *  Succeeds with what uv_fs_stat tells about path: vow_stat_get.
 *  Ownership: path is copied. The caller owns the result.
 *  Errors: as vow_fs_open.
 *  Thread: the loop's. Source: uv_fs_stat. */
#define vow_fs_stat(loop, path) vow_fs_stat_at(VOW_SITE, (loop), (path))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_stat_at(const char *site,
                                                     vow_loop_t *loop,
                                                     const char *path);

/** vow_stat_get(f)
 *  vow_get with the type of stats.
 *  Ownership, Errors, Thread: as vow_get. */
VOW_EXPORT const uv_stat_t *vow_stat_get(vow_future_t *f);

VOW_END_DECLS
#endif

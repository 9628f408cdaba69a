/* SPDX-License-Identifier: MIT */
/* Open files: descriptors, their bytes, and getting these to the disk. On
 * libuv's thread pool. */
#ifndef VOW_FS_FILE_H
#define VOW_FS_FILE_H

#include <vow/bytes.h>
#include <vow/uv.h>

VOW_BEGIN_DECLS

/** The type of an open file, which owns its descriptor; see vow_file_get. */
VOW_EXPORT extern const vow_type_t vow_type_file;

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

/** vow_fs_readv_into(loop, file, bufs, nbufs, offset)
 *  vow_fs_read_into for several pieces of memory, filled one after the other.
 *  Ownership: what bufs point to is borrowed as vow_fs_read_into says; the
 *    array is copied.
 *  Errors: UV_EINVAL (no buffers); as vow_fs_read.
 *  Thread: the loop's. Source: uv_fs_read. */
#define vow_fs_readv_into(loop, file, bufs, nbufs, offset) \
  vow_fs_readv_into_at(VOW_SITE, (loop), (file), (bufs), (nbufs), (offset))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_readv_into_at(
    const char *site, vow_loop_t *loop, uv_file file, const uv_buf_t bufs[],
    unsigned nbufs, int64_t offset);

/** vow_fs_writev_borrowed(loop, file, bufs, nbufs, offset)
 *  vow_fs_write_borrowed of several pieces of memory, one after the other.
 *  Ownership: what bufs point to is borrowed until the future has settled; the
 *    array is copied.
 *  Errors: UV_EINVAL (no buffers); as vow_fs_write.
 *  Thread: the loop's. Source: uv_fs_write. */
#define vow_fs_writev_borrowed(loop, file, bufs, nbufs, offset) \
  vow_fs_writev_borrowed_at(VOW_SITE, (loop), (file), (bufs), (nbufs), (offset))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_writev_borrowed_at(
    const char *site, vow_loop_t *loop, uv_file file, const uv_buf_t bufs[],
    unsigned nbufs, int64_t offset);

/** vow_fs_fsync(loop, file)
 *  vow_fs_fdatasync(loop, file)
 *  Has what was written to file reach the disk, with all that the file system
 *  knows of it, or with what is needed to read it again. Succeeds with nil.
 *  Cancelled, it settles at once; one that runs goes on.
 *  Ownership: file as vow_fs_read. The caller owns the result.
 *  Errors: UV_EBADF, UV_EINVAL (no such thing for this kind of file), UV_EIO,
 *    UV_ENOSPC; as vow_fs_open.
 *  Thread: the loop's. Source: uv_fs_fsync, uv_fs_fdatasync. */
#define vow_fs_fsync(loop, file) vow_fs_fsync_at(VOW_SITE, (loop), (file))
#define vow_fs_fdatasync(loop, file) \
  vow_fs_fdatasync_at(VOW_SITE, (loop), (file))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_fsync_at(const char *site,
                                                      vow_loop_t *loop,
                                                      uv_file file);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_fdatasync_at(const char *site,
                                                          vow_loop_t *loop,
                                                          uv_file file);

/** vow_fs_ftruncate(loop, file, size_bytes)
 *  Makes file exactly that long: cuts it, or adds zeros. Succeeds with nil.
 *  Cancelled, it settles at once; one that runs goes on.
 *  Ownership: file as vow_fs_read. The caller owns the result.
 *  Errors: UV_EBADF, UV_EINVAL (not open for writing, or below 0), UV_EFBIG; as
 *    vow_fs_open.
 *  Thread: the loop's. Source: uv_fs_ftruncate. */
#define vow_fs_ftruncate(loop, file, size_bytes) \
  vow_fs_ftruncate_at(VOW_SITE, (loop), (file), (size_bytes))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_ftruncate_at(const char *site,
                                                          vow_loop_t *loop,
                                                          uv_file file,
                                                          int64_t size_bytes);

/** vow_fs_sendfile(loop, out, in, in_offset, length)
 *  Copies up to length bytes from in_offset of in to the position of out;
 *  succeeds with their number, which may be smaller, and 0 at the end of in.
 *  Cancelled, it settles at once; one that runs goes on.
 *  Ownership: both descriptors as vow_fs_read. The caller owns the result.
 *  Errors: UV_EBADF, UV_EINVAL, UV_ENOSPC, UV_EAGAIN (out is a socket without
 *    room); as vow_fs_open.
 *  Thread: the loop's. Source: uv_fs_sendfile. */
#define vow_fs_sendfile(loop, out, in, in_offset, length) \
  vow_fs_sendfile_at(VOW_SITE, (loop), (out), (in), (in_offset), (length))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_sendfile_at(
    const char *site, vow_loop_t *loop, uv_file out, uv_file in,
    int64_t in_offset, size_t length);

VOW_END_DECLS
#endif

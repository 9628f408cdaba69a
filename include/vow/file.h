/* SPDX-License-Identifier: MIT */
/* Whole files, their lines, and all that is below a folder: what is usually
 * wanted of <vow/fs.h>, in one call each. */
#ifndef VOW_FILE_H
#define VOW_FILE_H

#include <vow/fs.h>

VOW_BEGIN_DECLS

/* ---- whole files --------------------------------------------------------- */

/** vow_file_read_all(loop, path, max_bytes)
 *  Reads a file to its end; succeeds with the bytes: vow_bytes_get. max_bytes
 *  SIZE_MAX means no limit.
 *  Cancelled, this and the two below settle when libuv has let go of the file
 *  and it is closed: at once, or when the read or write under way has ended.
 *  Ownership: path is copied. The caller owns the result.
 *  Errors: UV_EFBIG (more than max_bytes); as vow_fs_open, vow_fs_read;
 *    through the result.
 *  Thread: the loop's. */
#define vow_file_read_all(loop, path, max_bytes) \
  vow_file_read_all_at(VOW_SITE, (loop), (path), (max_bytes))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_file_read_all_at(const char *site,
                                                           vow_loop_t *loop,
                                                           const char *path,
                                                           size_t max_bytes);

/** vow_file_write_all(loop, path, data, size_bytes, flags, mode)
 *  Opens path for writing, creating it with mode (cut by the umask) when there
 *  is none, writes all of data, and closes it; succeeds with nil. flags says
 *  what is done with a file that exists: O_TRUNC, O_APPEND, O_EXCL, or 0 for
 *  overwriting its beginning. A failure or a cancellation may leave a part
 *  written; see vow_file_replace.
 *  Ownership: path and data are copied. The caller owns the result.
 *  Errors: UV_ENOSPC, UV_EDQUOT, UV_EIO, UV_EEXIST (O_EXCL), UV_EINVAL (data is
 *    NULL); as vow_fs_open, vow_fs_write, vow_fs_close; through the result.
 *  Thread: the loop's. */
#define vow_file_write_all(loop, path, data, size_bytes, flags, mode)   \
  vow_file_write_all_at(VOW_SITE, (loop), (path), (data), (size_bytes), \
                        (flags), (mode))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_file_write_all_at(
    const char *site, vow_loop_t *loop, const char *path, const void *data,
    size_t size_bytes, int flags, int mode);

/** vow_file_write_all_borrowed(loop, path, data, size_bytes, flags, mode)
 *  The same without a copy.
 *  Ownership: path is copied; data is borrowed until the future has settled. Do
 *    not drop the future before: nothing else tells when libuv has let go.
 *  Errors, Thread: as vow_file_write_all. */
#define vow_file_write_all_borrowed(loop, path, data, size_bytes, flags, mode) \
  vow_file_write_all_borrowed_at(VOW_SITE, (loop), (path), (data),             \
                                 (size_bytes), (flags), (mode))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_file_write_all_borrowed_at(
    const char *site, vow_loop_t *loop, const char *path, const void *data,
    size_t size_bytes, int flags, int mode);

/** vow_file_replace(loop, path, data, size_bytes, mode)
 *  Has path hold exactly data, in one step: whoever opens it, also after a
 *  crash, sees the old content or the new. Written to a file in the same
 *  folder (.vow-XXXXXX), which is synced, given mode (not cut by the umask; -1:
 *  that of the old file, 0600 when there is none), renamed to path, and the
 *  folder is synced. Succeeds with nil.
 *  On every failure before the renaming, and on a cancellation, the temporary
 *  file is unlinked and path is as before. Once the renaming has begun a
 *  cancellation is too late: the outcome is that of the work.
 *  A symbolic link at path is replaced, not followed. The new file belongs to
 *  this process's user.
 *  Ownership: path and data are copied. The caller owns the result.
 *  Errors: UV_EACCES, UV_EROFS (the folder), UV_EISDIR, UV_ENOSPC, UV_EIO,
 *    UV_EINVAL (NULL); as vow_fs_open; through the result.
 *  Thread: the loop's. */
#define vow_file_replace(loop, path, data, size_bytes, mode) \
  vow_file_replace_at(VOW_SITE, (loop), (path), (data), (size_bytes), (mode))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_file_replace_at(
    const char *site, vow_loop_t *loop, const char *path, const void *data,
    size_t size_bytes, int mode);

/* ---- lines --------------------------------------------------------------- */

typedef struct vow_lines vow_lines_t;

/** vow_file_lines(loop, path, max_line_bytes, ret_lines)
 *  The lines of a file, one by one: vow_lines_next. The file is opened by the
 *  first.
 *  Ownership: path is copied. The caller owns *ret_lines until vow_lines_free.
 *  Errors: UV_EINVAL (NULL), UV_ENOMEM; *ret_lines is not written then. 0.
 *  Thread: the loop's. */
#define vow_file_lines(loop, path, max_line_bytes, ret_lines) \
  vow_file_lines_at(VOW_SITE, (loop), (path), (max_line_bytes), (ret_lines))
VOW_EXPORT int vow_file_lines_at(const char *site, vow_loop_t *loop,
                                 const char *path, size_t max_line_bytes,
                                 vow_lines_t **ret_lines);

/** vow_lines_next(lines)
 *  Succeeds with the next line as bytes, without its newline (a carriage return
 *  stays); the last line may lack one. A line is a slice of a chunk of up to
 *  1 MiB, or what a longer line takes, which is kept as long as one of its
 *  lines is: copy what is kept long. Several may be pending: each gets a line,
 *  in order. Cancelling one takes no line away.
 *  Ownership: the caller owns the result.
 *  Errors: UV_EOF (no more lines); UV_EMSGSIZE (a line is longer than
 *    max_line_bytes) and what opening and reading fail with: all of these again
 *    from then on. UV_ENOMEM: no line is lost. VOW_ESHUTDOWN (freed meanwhile),
 *    UV_EINVAL (NULL), UV_ENOTSUP, VOW_ETHREAD; through the result.
 *  Thread: the loop's. */
#define vow_lines_next(lines) vow_lines_next_at(VOW_SITE, (lines))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_lines_next_at(const char *site,
                                                        vow_lines_t *lines);

/** vow_lines_free(lines)
 *  Ends it and closes the file, as soon as a read under way has ended. Pending
 *  nexts fail with VOW_ESHUTDOWN; lines that were taken stay.
 *  Ownership: consumes lines. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_lines_free(vow_lines_t *lines);

/* ---- all below a folder -------------------------------------------------- */

/** What a walk comes by. */
typedef struct vow_dir_entry {
  const char *path; /* begins with the path that was given to vow_dir_walk */
  const char *name; /* its last part */
  uv_dirent_type_t type;
  size_t depth; /* 1: directly in that folder */
} vow_dir_entry_t;

/** The type of a vow_dir_entry_t *, one block of memory, ended by
 *  vow_release. */
VOW_EXPORT extern const vow_type_t vow_type_dir_entry;

typedef struct vow_walk vow_walk_t;

/** For vow_dir_walk. */
enum {
  /** Goes into folders through symbolic links, and gives the type of what a
   *  link leads to; one that leads nowhere is a link. */
  VOW_WALK_FOLLOW = 1
};

/** vow_dir_walk(loop, path, flags, ret_walk)
 *  All that is below the folder path, one by one: vow_walk_next. The folder is
 *  read by the first. flags: 0 or VOW_WALK_FOLLOW.
 *  Ownership: path is copied. The caller owns *ret_walk until vow_walk_free.
 *  Errors: UV_EINVAL (NULL, unknown flags), UV_ENOMEM; *ret_walk is not written
 *    then. 0.
 *  Thread: the loop's. */
#define vow_dir_walk(loop, path, flags, ret_walk) \
  vow_dir_walk_at(VOW_SITE, (loop), (path), (flags), (ret_walk))
VOW_EXPORT int vow_dir_walk_at(const char *site, vow_loop_t *loop,
                               const char *path, unsigned flags,
                               vow_walk_t **ret_walk);

/** vow_walk_next(walk)
 *  Succeeds with the next entry: vow_dir_entry_get. Depth first, a folder
 *  before what is in it, names sorted within each. Several may be pending.
 *  A folder that cannot be read is a failure of one next; the walk goes on
 *  behind it. Cancelling a next takes no entry away.
 *  Ownership: the caller owns the result.
 *  Errors: UV_EOF (no more; again from then on); UV_EACCES, UV_ENOENT and so
 *    on, UV_ELOOP (a folder that is within itself through a link), each with a
 *    message that names the path; UV_ENOMEM (a folder may have been left out).
 *    VOW_ESHUTDOWN (freed meanwhile), UV_EINVAL (NULL), UV_ENOTSUP,
 *    VOW_ETHREAD; through the result.
 *  Thread: the loop's. Source: uv_fs_scandir. */
#define vow_walk_next(walk) vow_walk_next_at(VOW_SITE, (walk))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_walk_next_at(const char *site,
                                                       vow_walk_t *walk);

/** vow_walk_free(walk)
 *  Ends it, as soon as what is under way has ended. Pending nexts fail with
 *  VOW_ESHUTDOWN.
 *  Ownership: consumes walk. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_walk_free(vow_walk_t *walk);

/** vow_dir_entry_get(f), vow_dir_entry_take(f)
 *  vow_get and vow_take with the type of entries.
 *  Ownership, Errors, Thread: as those; give what was taken to vow_release. */
VOW_EXPORT const vow_dir_entry_t *vow_dir_entry_get(vow_future_t *f);
VOW_EXPORT vow_dir_entry_t *vow_dir_entry_take(vow_future_t *f);

VOW_END_DECLS
#endif

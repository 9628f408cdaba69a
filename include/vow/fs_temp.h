/* SPDX-License-Identifier: MIT */
/* Files and folders with a name of their own. On libuv's thread pool. */
#ifndef VOW_FS_TEMP_H
#define VOW_FS_TEMP_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** A file that vow_fs_mkstemp made. */
typedef struct vow_temp {
  uv_file file;     /* open for reading and writing */
  const char *path; /* part of the same memory */
} vow_temp_t;

/** The type of a vow_temp_t *. What nobody takes is closed and unlinked. */
VOW_EXPORT extern const vow_type_t vow_type_temp;

/** vow_fs_mkstemp(loop, tpl)
 *  Makes and opens a file, mode 0600, whose name is tpl with its last six
 *  characters, which must be XXXXXX, replaced; succeeds with a vow_temp_t.
 *  Cancelled, the future settles at once; a file that is made later is closed
 *  and unlinked.
 *  Ownership: tpl is copied. The caller owns the result; a file nobody takes is
 *    closed and unlinked (in the destroying call).
 *  Errors: UV_EINVAL (tpl is NULL or does not end so), UV_ENOENT, UV_EACCES and
 *    so on, with a message that names tpl; UV_ENOTSUP (the loop is not on
 *    libuv), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN; through the result.
 *  Thread: the loop's. Source: uv_fs_mkstemp. */
#define vow_fs_mkstemp(loop, tpl) vow_fs_mkstemp_at(VOW_SITE, (loop), (tpl))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_mkstemp_at(const char *site,
                                                        vow_loop_t *loop,
                                                        const char *tpl);

/** vow_temp_get(f), vow_temp_take(f)
 *  vow_get and vow_take with the type of temporary files.
 *  Ownership, Errors, Thread: as those. Who took it closes the descriptor
 *    (vow_fs_close), unlinks or renames the file as wanted, and gives the
 *    vow_temp_t to vow_release; or leaves all of it to vow_temp_free. */
VOW_EXPORT const vow_temp_t *vow_temp_get(vow_future_t *f);
VOW_EXPORT vow_temp_t *vow_temp_take(vow_future_t *f);

/** vow_temp_free(t)
 *  Closes and unlinks the file, blocking. A descriptor of -1, or a path whose
 *  first byte is zero, is left out.
 *  Ownership: consumes t. NULL is allowed.  Errors: none.  Thread: any. */
VOW_EXPORT void vow_temp_free(vow_temp_t *t);

/** vow_fs_mkdtemp(loop, tpl)
 *  Makes a folder, mode 0700, named alike; succeeds with its path:
 *  vow_get_string. Cancelled, the future settles at once; a folder that is made
 *  later is removed.
 *  Ownership: tpl is copied. The caller owns the result, which is but the name:
 *    the folder stays.
 *  Errors, Thread: as vow_fs_mkstemp. Source: uv_fs_mkdtemp. */
#define vow_fs_mkdtemp(loop, tpl) vow_fs_mkdtemp_at(VOW_SITE, (loop), (tpl))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_mkdtemp_at(const char *site,
                                                        vow_loop_t *loop,
                                                        const char *tpl);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Watching a file by looking at it every so often: works where the kernel tells
 * nothing, as on network file systems. */
#ifndef VOW_FS_POLL_H
#define VOW_FS_POLL_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** Looks at one path. */
typedef struct vow_fs_poll vow_fs_poll_t;

/** What changed, from when to when. */
typedef struct vow_fs_diff {
  uv_stat_t before;
  uv_stat_t after;
} vow_fs_diff_t;

/** The type of a vow_fs_diff_t *, ended by vow_release. */
VOW_EXPORT extern const vow_type_t vow_type_fs_diff;

/** vow_fs_poll_new(loop, path, interval_ms, ret_poll)
 *  Looks at path now, and then every interval_ms (0: 1). It keeps the loop
 *  alive only while a next is pending.
 *  Ownership: path is copied. The caller owns *ret_poll until
 *    vow_fs_poll_free.
 *  Errors: UV_EINVAL (NULL), UV_ENOTSUP (the loop is not on libuv), UV_ENOMEM,
 *    VOW_ETHREAD; *ret_poll is not written then. 0. A path that does not exist
 *    is no error here.
 *  Thread: the loop's. Source: uv_fs_poll_start. */
#define vow_fs_poll_new(loop, path, interval_ms, ret_poll) \
  vow_fs_poll_new_at(VOW_SITE, (loop), (path), (interval_ms), (ret_poll))
VOW_EXPORT int vow_fs_poll_new_at(const char *site, vow_loop_t *loop,
                                  const char *path, unsigned interval_ms,
                                  vow_fs_poll_t **ret_poll);

/** vow_fs_poll_next(poll)
 *  Succeeds with the next change (vow_fs_diff_get); at once when there was one
 *  since the last that was told, and several in one piece: from before the
 *  first to after the last. A path that comes into being changes from zeros.
 *  Several nexts may be pending; they are served in order.
 *  Ownership: the caller owns the result.
 *  Errors: UV_ENOENT and so on, once, when path cannot be looked at (any more):
 *    looking goes on. VOW_ESHUTDOWN (freed meanwhile), UV_EINVAL (NULL),
 *    UV_ENOMEM (nothing is lost), VOW_ETHREAD; through the result.
 *  Thread: the loop's. */
#define vow_fs_poll_next(poll) vow_fs_poll_next_at(VOW_SITE, (poll))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_poll_next_at(const char *site,
                                                          vow_fs_poll_t *poll);

/** vow_fs_diff_get(f)
 *  vow_get with the type of these changes.
 *  Ownership, Errors, Thread: as vow_get. */
VOW_EXPORT const vow_fs_diff_t *vow_fs_diff_get(vow_future_t *f);

/** vow_fs_poll_free(poll)
 *  Stops looking. Pending nexts fail with VOW_ESHUTDOWN.
 *  Ownership: consumes poll. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. A loop of vow's own does not close before; on an
 *    attached one also after it was closed. */
VOW_EXPORT void vow_fs_poll_free(vow_fs_poll_t *poll);

VOW_END_DECLS
#endif

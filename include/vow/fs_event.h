/* SPDX-License-Identifier: MIT */
/* Watching a file or folder by what the kernel tells (inotify). */
#ifndef VOW_FS_EVENT_H
#define VOW_FS_EVENT_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** Watches one path. */
typedef struct vow_fs_event vow_fs_event_t;

/** What happened. */
typedef struct vow_fs_change {
  int events;       /* UV_RENAME, UV_CHANGE or both */
  const char *name; /* of the file, without its folder; "" when not told */
} vow_fs_change_t;

/** The type of a vow_fs_change_t *, ended by vow_release. */
VOW_EXPORT extern const vow_type_t vow_type_fs_change;

/** vow_fs_event_new(loop, path, flags, ret_event)
 *  Watches path, and if that is a folder what is in it (not below), from now
 *  on. Up to 1024 changes wait for vow_fs_event_next. flags are those of
 *  uv_fs_event_start, or 0. It keeps the loop alive only while a next is
 *  pending.
 *  Ownership: path is copied. The caller owns *ret_event until
 *    vow_fs_event_free.
 *  Errors: UV_ENOENT, UV_EACCES, UV_ENOSPC (too many watches) and so on;
 *    UV_EINVAL (NULL), UV_ENOTSUP (the loop is not on libuv), UV_ENOMEM,
 *    VOW_ETHREAD; *ret_event is not written then. 0.
 *  Thread: the loop's. Source: uv_fs_event_start. */
#define vow_fs_event_new(loop, path, flags, ret_event) \
  vow_fs_event_new_at(VOW_SITE, (loop), (path), (flags), (ret_event))
VOW_EXPORT int vow_fs_event_new_at(const char *site, vow_loop_t *loop,
                                   const char *path, unsigned flags,
                                   vow_fs_event_t **ret_event);

/** vow_fs_event_next(event)
 *  Succeeds with the next change (vow_fs_change_get), at once when one waits.
 *  Several may be pending; they are served in order.
 *  Ownership: the caller owns the result.
 *  Errors: UV_ENOBUFS, once, where changes were lost for want of room or
 *    memory: look for yourself, and ask again. What libuv reports fails one
 *    next. VOW_ESHUTDOWN (freed meanwhile), UV_EINVAL (NULL), UV_ENOMEM
 *    (nothing is lost), VOW_ETHREAD; through the result.
 *  Thread: the loop's. */
#define vow_fs_event_next(event) vow_fs_event_next_at(VOW_SITE, (event))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_fs_event_next_at(
    const char *site, vow_fs_event_t *event);

/** vow_fs_change_get(f)
 *  vow_get with the type of changes.
 *  Ownership, Errors, Thread: as vow_get. */
VOW_EXPORT const vow_fs_change_t *vow_fs_change_get(vow_future_t *f);

/** vow_fs_event_free(event)
 *  Stops watching. Pending nexts fail with VOW_ESHUTDOWN.
 *  Ownership: consumes event. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. A loop of vow's own does not close before; on an
 *    attached one also after it was closed. */
VOW_EXPORT void vow_fs_event_free(vow_fs_event_t *event);

VOW_END_DECLS
#endif

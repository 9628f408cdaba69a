/* SPDX-License-Identifier: MIT */
/* Readiness of a descriptor that somebody else reads and writes, such as
 * another library. */
#ifndef VOW_POLL_H
#define VOW_POLL_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** Watches one descriptor. */
typedef struct vow_poll vow_poll_t;

/** vow_poll_new(loop, fd, events, ret_poll)
 *  Watches fd for events, an or of UV_READABLE, UV_WRITABLE, UV_DISCONNECT and
 *  UV_PRIORITIZED. It keeps the loop alive only while a next is pending.
 *  Ownership: fd is borrowed until vow_poll_free; close it after that. libuv
 *    makes it non-blocking. The caller owns *ret_poll until vow_poll_free.
 *  Errors: UV_EINVAL (NULL, no or unknown events), UV_EPERM (not for files),
 *    UV_EEXIST (it is watched on this loop), UV_EBADF, UV_ENOTSUP (the loop is
 *    not on libuv), UV_ENOMEM, VOW_ETHREAD; *ret_poll is not written then. 0.
 *  Thread: the loop's. Source: uv_poll_init. */
#define vow_poll_new(loop, fd, events, ret_poll) \
  vow_poll_new_at(VOW_SITE, (loop), (fd), (events), (ret_poll))
VOW_EXPORT int vow_poll_new_at(const char *site, vow_loop_t *loop, int fd,
                               int events, vow_poll_t **ret_poll);

/** vow_poll_next(poll)
 *  Succeeds with the events (vow_get_int) that fd is ready for, once it is.
 *  What was so before does not count, only what is so at the next look: so do
 *  your reading and writing until UV_EAGAIN, or less, and ask again. Several
 *  may be pending; they are served in order, one a look.
 *  Ownership: the caller owns the result.
 *  Errors: UV_EBADF, for all that are pending, when fd has an error: ask it
 *    (getsockopt SO_ERROR); a later next looks afresh. VOW_ESHUTDOWN (freed
 *    meanwhile), UV_EINVAL (NULL), UV_EEXIST, UV_ENOMEM, VOW_ETHREAD; through
 *    the result.
 *  Thread: the loop's. Source: uv_poll_start. */
#define vow_poll_next(poll) vow_poll_next_at(VOW_SITE, (poll))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_poll_next_at(const char *site,
                                                       vow_poll_t *poll);

/** vow_poll_set(poll, events)
 *  Watches for other events from now on, also for nexts that are pending.
 *  Ownership: poll is borrowed.
 *  Errors: UV_EINVAL (NULL, no or unknown events), VOW_ESHUTDOWN (the loop is
 *    closed), UV_EEXIST; nothing changes then. 0.
 *  Thread: the loop's. */
VOW_EXPORT int vow_poll_set(vow_poll_t *poll, int events);

/** vow_poll_free(poll)
 *  Stops watching, in this call: fd may be closed then. Pending nexts fail with
 *  VOW_ESHUTDOWN.
 *  Ownership: consumes poll. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. A loop of vow's own does not close before; on an
 *    attached one also after it was closed. */
VOW_EXPORT void vow_poll_free(vow_poll_t *poll);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* What holds for every libuv handle: closing it. */
#ifndef VOW_HANDLE_H
#define VOW_HANDLE_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** vow_close(handle)
 *  Closes a handle; succeeds with nil when libuv has let go of it and its
 *  memory may be reused. Readers and listeners on it end with VOW_ESHUTDOWN,
 *  and so do its queued writes and connects. Closing it again meanwhile gives
 *  a future that settles with the first.
 *  Ownership: handle is borrowed until the future has settled; cancelling or
 *    dropping the future changes nothing about that. The caller owns the
 *    result.
 *  Errors: UV_EINVAL (NULL, or no vow loop on its uv_loop_t), UV_EALREADY
 *    (closed by uv_close, or before), UV_ENOMEM (it stays open), VOW_ETHREAD,
 *    VOW_ESHUTDOWN, through the result.
 *  Thread: the loop's. Source: uv_close. */
#define vow_close(handle) vow_close_at(VOW_SITE, (handle))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_close_at(const char *site,
                                                   uv_handle_t *handle);

VOW_END_DECLS
#endif

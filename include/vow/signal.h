/* SPDX-License-Identifier: MIT */
/* Signals of the operating system. */
#ifndef VOW_SIGNAL_H
#define VOW_SIGNAL_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** Catches one signal, over and over. */
typedef struct vow_signal vow_signal_t;

/** vow_signal_new(loop, signum, ret_signal)
 *  Catches signum from now on: its default action (ending the process) no
 *  longer happens. It keeps the loop alive only while a next is pending.
 *  Ownership: the caller owns *ret_signal until vow_signal_free.
 *  Errors: UV_EINVAL (NULL, or a number that cannot be caught), UV_ENOTSUP (the
 *    loop is not on libuv), UV_ENOMEM; *ret_signal is not written then. 0.
 *  Thread: the loop's. Source: uv_signal_start. */
#define vow_signal_new(loop, signum, ret_signal) \
  vow_signal_new_at(VOW_SITE, (loop), (signum), (ret_signal))
VOW_EXPORT int vow_signal_new_at(const char *site, vow_loop_t *loop, int signum,
                                 vow_signal_t **ret_signal);

/** vow_signal_next(signal)
 *  Succeeds with the signal's number when it comes; at once when it came since
 *  the last one (once, however often it came).
 *  Ownership: the caller owns the result.
 *  Errors: VOW_ESHUTDOWN (freed meanwhile), UV_EINVAL (NULL), UV_ENOMEM
 *    (nothing is lost), VOW_ETHREAD; through the result.
 *  Thread: the loop's. */
#define vow_signal_next(signal) vow_signal_next_at(VOW_SITE, (signal))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_signal_next_at(const char *site,
                                                         vow_signal_t *signal);

/** vow_signal_free(signal)
 *  Stops catching. Pending nexts fail with VOW_ESHUTDOWN.
 *  Ownership: consumes signal. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. A loop of vow's own does not close before; on an
 *    attached one also after it was closed. */
VOW_EXPORT void vow_signal_free(vow_signal_t *signal);

/** vow_signal_once(loop, signum)
 *  Succeeds with signum when it comes for the first time, and catches it only
 *  until then. Pending, it keeps the loop alive.
 *  Ownership: the caller owns the result.
 *  Errors: as vow_signal_new and vow_ready, through the result.
 *  Thread: the loop's. Source: uv_signal_start_oneshot. */
#define vow_signal_once(loop, signum) \
  vow_signal_once_at(VOW_SITE, (loop), (signum))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_signal_once_at(const char *site,
                                                         vow_loop_t *loop,
                                                         int signum);

VOW_END_DECLS
#endif

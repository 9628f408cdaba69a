/* SPDX-License-Identifier: MIT */
/* Intervals: a tick every so often, on a fixed grid. */
#ifndef VOW_INTERVAL_H
#define VOW_INTERVAL_H

#include <vow/time.h>

VOW_BEGIN_DECLS

typedef struct vow_interval vow_interval_t;

/** vow_interval_new(loop, period_ms, ret_interval)
 *  Ticks period_ms, 2 * period_ms, ... from now, whatever the time between the
 *  calls of vow_interval_next: it does not drift. It keeps the loop alive only
 *  while a next is pending, and costs nothing otherwise.
 *  Ownership: the caller owns *ret_interval until vow_interval_free.
 *  Errors: UV_EINVAL (NULL, or period_ms is 0 or above VOW_MS_MAX), UV_ENOMEM;
 *    *ret_interval is not written then. 0.
 *  Thread: the loop's. Works on any driver. */
VOW_EXPORT int vow_interval_new(vow_loop_t *loop, uint64_t period_ms,
                                vow_interval_t **ret_interval);

/** vow_interval_next(interval)
 *  Succeeds at the next tick with the number of ticks since the one before
 *  that was delivered: 1, or more when some were missed. Missed ticks come in
 *  one piece and at once, never in a burst, and the grid stays. Several may be
 *  pending: each takes one tick.
 *  Ownership: the caller owns the result.
 *  Errors: VOW_ESHUTDOWN (freed meanwhile), UV_EINVAL (NULL), UV_ENOMEM,
 *    VOW_ETHREAD; through the result.
 *  Thread: the loop's. */
#define vow_interval_next(interval) vow_interval_next_at(VOW_SITE, (interval))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_interval_next_at(
    const char *site, vow_interval_t *interval);

/** vow_interval_free(interval)
 *  Ends it. Pending nexts fail with VOW_ESHUTDOWN.
 *  Ownership: consumes interval. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_interval_free(vow_interval_t *interval);

VOW_END_DECLS
#endif

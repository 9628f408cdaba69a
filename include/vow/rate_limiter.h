/* SPDX-License-Identifier: MIT */
/* Rate limiters: so many in an interval, by a token bucket. */
#ifndef VOW_RATE_LIMITER_H
#define VOW_RATE_LIMITER_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** A bucket that holds at most burst tokens, into which n flow evenly in every
 *  interval. An acquire takes tokens out; nothing puts them back. Requests are
 *  served strictly in their order, on the loop's clock, whose steps are
 *  milliseconds. */
typedef struct vow_rate_limiter vow_rate_limiter_t;

/** vow_rate_limiter_new(loop, n, interval_ms, burst)
 *  A bucket of burst tokens, full; a burst of 0 means n.
 *  Ownership: the caller owns it until vow_rate_limiter_free; it counts among
 *    the loop's live futures until then.
 *  Errors: NULL, as vow_mutex_new; also when n or interval_ms is 0, or one of
 *    the numbers is more than 2^31.
 *  Thread: the loop's. */
#define vow_rate_limiter_new(loop, n, interval_ms, burst) \
  vow_rate_limiter_new_at(VOW_SITE, (loop), (n), (interval_ms), (burst))
VOW_EXPORT VOW_MUST_USE vow_rate_limiter_t *vow_rate_limiter_new_at(
    const char *site, vow_loop_t *loop, uint64_t n, uint64_t interval_ms,
    uint64_t burst);

/** vow_rate_limiter_free(r)
 *  Gives the limiter up: those who wait fail with VOW_ESHUTDOWN.
 *  Ownership: consumes r. NULL is allowed.
 *  Errors: none.  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_rate_limiter_free(vow_rate_limiter_t *r);

/** vow_rate_limiter_acquire(r, n)
 *  Succeeds with nil when n tokens have been taken out; at once when they are
 *  there and nobody waits. Who is cancelled or dropped while waiting takes
 *  none.
 *  Ownership: r is borrowed; the caller owns the result.
 *  Errors: UV_EINVAL (r is NULL; n is 0 or more than the burst), VOW_ESHUTDOWN,
 *    UV_ENOMEM, VOW_ETHREAD, through the result.
 *  Thread: the loop's. */
#define vow_rate_limiter_acquire(r, n) \
  vow_rate_limiter_acquire_at(VOW_SITE, (r), (n))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_rate_limiter_acquire_at(
    const char *site, vow_rate_limiter_t *r, uint64_t n);

/** vow_rate_limiter_try_acquire(r, n)
 *  Takes n tokens out when they are there and nobody waits.
 *  Ownership: none.
 *  Errors: false when they are not to be had, n is 0, or r is NULL.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE bool vow_rate_limiter_try_acquire(vow_rate_limiter_t *r,
                                                          uint64_t n);

/** vow_rate_limiter_available(r), vow_rate_limiter_waiting(r)
 *  How many whole tokens are in the bucket now; how many requests wait (they
 *  are counted one by one).
 *  Ownership: r is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT uint64_t vow_rate_limiter_available(vow_rate_limiter_t *r);
VOW_EXPORT size_t vow_rate_limiter_waiting(const vow_rate_limiter_t *r);

VOW_END_DECLS
#endif

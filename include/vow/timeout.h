/* SPDX-License-Identifier: MIT */
/* Limits in time for any future, and the shield against cancellation. */
#ifndef VOW_TIMEOUT_H
#define VOW_TIMEOUT_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** vow_timeout(f, delay_ms)
 *  Settles as f does, but when f is still pending delay_ms from now it is
 *  cancelled and the result fails with UV_ETIMEDOUT, this line as its origin.
 *   - Clean-up first: the error is delivered when f has unwound.
 *   - If f succeeds all the same its value is delivered; if it fails in its
 *     clean-up, that error, with the timeout as its cause.
 *   - delay_ms <= 0: a settled f is delivered, a pending one is cancelled in
 *     this call, so that nothing more is started.
 *   - Timeouts in each other: whichever fires first asks f to end, and while f
 *     unwinds, an outer one that fires as well takes over; so with equal
 *     deadlines the outermost reports.
 *   - When the result is cancelled before it has settled f is cancelled and
 *     the result settles as f does, as cancelled where the timeout would have
 *     been reported.
 *  A timeout is a failure, never a cancellation. One f that others share is
 *  left to them when the time is up.
 *  Ownership: consumes f; the caller owns the result.
 *  Errors: UV_ETIMEDOUT; UV_EINVAL when f is NULL, UV_ENOMEM, VOW_ETHREAD,
 *    VOW_ESHUTDOWN, through the result. The timeout stays UV_ETIMEDOUT for
 *    want of memory; only its message is lost.
 *  Thread: the loop's. */
#define vow_timeout(f, delay_ms) vow_timeout_at(VOW_SITE, (f), (delay_ms))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_timeout_at(const char *site,
                                                     vow_future_t *f,
                                                     int64_t delay_ms);

/** vow_deadline(f, deadline_ms)
 *  The same up to a time of vow_loop_now_ms. One that has passed counts as a
 *  delay of 0; UINT64_MAX means never (as vow_token_deadline_ms gives it).
 *  Ownership, Errors, Thread: as vow_timeout. */
#define vow_deadline(f, deadline_ms) \
  vow_deadline_at(VOW_SITE, (f), (deadline_ms))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_deadline_at(const char *site,
                                                      vow_future_t *f,
                                                      uint64_t deadline_ms);

/** vow_shield(f)
 *  Settles as f does, but cancelling or dropping the result does not reach f:
 *  the result is cancelled at once, and f goes on, detached.
 *  Ownership: consumes f; the caller owns the result.
 *  Errors: as vow_timeout, without UV_ETIMEDOUT; when the shield cannot be
 *    made, f goes on detached as well.
 *  Thread: the loop's. */
#define vow_shield(f) vow_shield_at(VOW_SITE, (f))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_shield_at(const char *site,
                                                    vow_future_t *f);

VOW_END_DECLS
#endif

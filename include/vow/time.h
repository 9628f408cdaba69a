/* SPDX-License-Identifier: MIT */
/* Time: sleeping. Deadlines for other futures are in <vow/timeout.h>. */
#ifndef VOW_TIME_H
#define VOW_TIME_H

#include <vow/loop.h>

VOW_BEGIN_DECLS

/** The largest delay and deadline in milliseconds (about 292 years); a larger
 *  one is taken as this. */
#define VOW_MS_MAX ((uint64_t)INT64_MAX / 1000000u)

/** vow_sleep(loop, delay_ms)
 *  Succeeds with nil after delay_ms, never early, measured from now (the clock
 *  is read afresh). Sleeps with equal deadlines end in the order in which they
 *  were started. 0 goes through the ready queue: after what is ready already,
 *  without a turn of libuv.
 *  Ownership: the caller owns the result.
 *  Errors: as vow_ready.
 *  Thread: the loop's. Source: one uv_timer_t for all. */
#define vow_sleep(loop, delay_ms) vow_sleep_at(VOW_SITE, (loop), (delay_ms))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_sleep_at(const char *site,
                                                   vow_loop_t *loop,
                                                   uint64_t delay_ms);

/** vow_sleep_until(loop, deadline_ms)
 *  The same up to a time of vow_loop_now_ms; at once when that has passed.
 *  Ownership, Errors, Thread: as vow_sleep. */
#define vow_sleep_until(loop, deadline_ms) \
  vow_sleep_until_at(VOW_SITE, (loop), (deadline_ms))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_sleep_until_at(const char *site,
                                                         vow_loop_t *loop,
                                                         uint64_t deadline_ms);

VOW_END_DECLS
#endif

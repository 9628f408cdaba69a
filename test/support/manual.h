/* SPDX-License-Identifier: MIT */
/* A driver without the world: a virtual clock that only moves when a test says
 * so, or, while a loop runs, when nothing else is left to do. Posting from
 * other threads works. */
#ifndef VOW_TEST_SUPPORT_MANUAL_H
#define VOW_TEST_SUPPORT_MANUAL_H

#include <vow/driver.h>

/** A new loop on a manual driver. Its clock starts at 1,000 ms. */
vow_loop_t *manual_loop(void);

/** The same with probe_cells: every cell asks vow's allocator. */
vow_loop_t *manual_loop_probe(void);

/** The same with options of the test's; NULL for want of memory. */
vow_loop_t *manual_loop_with(const vow_loop_options_t *options);

/** Moves the clock ms forward; on the way fires timers in order of deadline,
 *  and after each runs what became ready. */
void manual_advance(vow_loop_t *loop, uint64_t ms);

/** Runs ready continuations, and what other threads have posted by now, until
 *  there are none. The clock stands. */
void manual_drain(vow_loop_t *loop);

/** Checks that no future is left, then closes the loop. */
void manual_done(vow_loop_t *loop);

/** Closes the loop, futures or not, and checks that this gave 0. */
void manual_close(vow_loop_t *loop);

/** How often the driver was asked for a wake-up: wake_soon, wake_remote. */
size_t manual_soon_count(vow_loop_t *loop);
size_t manual_remote_count(vow_loop_t *loop);

/** The deadline of the last wake_at, UINT64_MAX when there is none. */
uint64_t manual_wish_ms(vow_loop_t *loop);

#endif

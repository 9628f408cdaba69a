/* SPDX-License-Identifier: MIT */
/* Virtual time: a loop on libuv whose clock jumps to the next deadline when
 * nothing else is left to do. For tests, and for showing in a moment what takes
 * hours. */
#ifndef VOW_VIRTUAL_H
#define VOW_VIRTUAL_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** vow_loop_new_virtual(options, ret_loop)
 *  vow_loop_new with a virtual clock, which all of vow's timers go by: sleep,
 *  timeout, deadlines, intervals, retries. It stands still while callbacks run
 *  and while there is real work under way: requests to libuv (files, names,
 *  connects, writes), jobs in threads, child processes, what another thread may
 *  post. When all that is quiet and there is nothing to read, it jumps to the
 *  next deadline. Bytes that are on their way from another process do not hold
 *  it; those from the same one are there at once.
 *  Raw uv_timer_t go by the real clock, as ever.
 *  Ownership, Errors, Thread: as vow_loop_new. */
VOW_EXPORT int vow_loop_new_virtual(const vow_loop_options_t *options,
                                    vow_loop_t **ret_loop);

/** vow_loop_is_virtual(loop)
 *  Whether loop was made by vow_loop_new_virtual.
 *  Ownership: borrowed.  Errors: false for NULL.  Thread: the loop's. */
VOW_EXPORT bool vow_loop_is_virtual(vow_loop_t *loop);

/** vow_loop_hold_clock(loop, hold)
 *  With hold the clock moves by vow_loop_advance only; without it jumps by
 *  itself again. While it is held a run that waits for nothing but timers ends
 *  as if there were none: vow_loop_run_until with VOW_EIDLE.
 *  Ownership: borrowed.
 *  Errors: UV_EINVAL (NULL), UV_ENOTSUP (not virtual), VOW_ETHREAD; 0.
 *  Thread: the loop's. */
VOW_EXPORT int vow_loop_hold_clock(vow_loop_t *loop, bool hold);

/** vow_loop_advance(loop, ms)
 *  Moves the clock ms forward; on the way fires timers in order of deadline,
 *  and after each does all that is ready, real work included.
 *  Ownership: borrowed.
 *  Errors: UV_EINVAL (NULL), UV_ENOTSUP (not virtual), VOW_ETHREAD, UV_EBUSY
 *    (called from a callback or a task of this loop); 0.
 *  Thread: the loop's. Callbacks run in this call. */
VOW_EXPORT int vow_loop_advance(vow_loop_t *loop, uint64_t ms);

VOW_END_DECLS
#endif

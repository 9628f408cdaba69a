/* SPDX-License-Identifier: MIT */
/* repeat: loops of asynchronous steps, in constant memory. */
#ifndef VOW_REPEAT_H
#define VOW_REPEAT_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** One step, iteration counting from 0. The result is consumed; it must be of
 *  loop. The callback may cancel or drop the loop's own future. */
typedef vow_future_t *(*vow_step_cb)(vow_loop_t *loop, uint64_t iteration,
                                     void *arg);

/** vow_again()
 *  What a step of vow_repeat succeeds with when there shall be another one.
 *  Ownership: none; never allocates.  Errors: none.  Thread: any. */
VOW_EXPORT vow_value_t vow_again(void);

/** vow_repeat(loop, step, arg[, arg_drop])
 *  Calls step, and again as long as the future it returns succeeds with
 *  vow_again(); any other outcome is the result's. Each step runs from the
 *  ready queue, never in this call, and memory does not grow with their
 *  number.
 *  Cancelling the result cancels the running step's future, awaits it, and
 *  starts none any more. The result settles as that future does; as cancelled
 *  when it says vow_again().
 *  Ownership: arg_drop(arg), when given, runs exactly once: after the last
 *    step has ended, before the result settles. The caller owns the result.
 *  Errors: UV_EINVAL through the result when loop or step is NULL, when step
 *    returns NULL or a future of another loop; VOW_ECYCLE when it returns
 *    one that waits for the result. UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN.
 *  Thread: the loop's. */
#define vow_repeat(...) VOW__REPEAT(__VA_ARGS__, NULL, 0)
#define VOW__REPEAT(loop, step, arg, arg_drop, ...) \
  vow_repeat_at(VOW_SITE, (loop), (step), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_repeat_at(const char *site,
                                                    vow_loop_t *loop,
                                                    vow_step_cb step, void *arg,
                                                    vow_drop_cb arg_drop);

/** vow_repeat_times(loop, n, step, arg[, arg_drop])
 *  Calls step n times, each when the one before has succeeded, whatever with
 *  (those values are destroyed), and then succeeds with nil; at once when n is
 *  0. A step that fails or is cancelled ends it, and is the result's outcome.
 *  Ownership, Errors, Thread: as vow_repeat. */
#define vow_repeat_times(...) VOW__REPEAT_TIMES(__VA_ARGS__, NULL, 0)
#define VOW__REPEAT_TIMES(loop, n, step, arg, arg_drop, ...) \
  vow_repeat_times_at(VOW_SITE, (loop), (n), (step), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_repeat_times_at(
    const char *site, vow_loop_t *loop, uint64_t n, vow_step_cb step, void *arg,
    vow_drop_cb arg_drop);

VOW_END_DECLS
#endif

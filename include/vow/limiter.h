/* SPDX-License-Identifier: MIT */
/* Concurrency limiters: so many calls at once, from wherever they come. For
 * the calls of one function see <vow/map.h>. */
#ifndef VOW_LIMITER_H
#define VOW_LIMITER_H

#include <vow/future.h>

VOW_BEGIN_DECLS

typedef struct vow_limiter vow_limiter_t;

/** Starts a call. The result is consumed; it must be of loop. The callback may
 *  do anything to the limiter and to the call's own future. */
typedef vow_future_t *(*vow_limiter_cb)(vow_loop_t *loop, void *arg);

/** vow_limiter_new(loop, limit)
 *  A limiter with limit slots.
 *  Ownership: the caller owns it until vow_limiter_free; it counts among the
 *    loop's live futures until then.
 *  Errors: NULL, as vow_mutex_new; also when limit is 0.
 *  Thread: the loop's. */
#define vow_limiter_new(loop, limit) \
  vow_limiter_new_at(VOW_SITE, (loop), (limit))
VOW_EXPORT VOW_MUST_USE vow_limiter_t *vow_limiter_new_at(const char *site,
                                                          vow_loop_t *loop,
                                                          size_t limit);

/** vow_limiter_free(l)
 *  Gives the limiter up: calls that wait for a slot fail with VOW_ESHUTDOWN,
 *  those that have one go on.
 *  Ownership: consumes l. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. Destructors of args may
 *    run in this call. */
VOW_EXPORT void vow_limiter_free(vow_limiter_t *l);

/** vow_limiter_run(l, start, arg[, arg_drop])
 *  Calls start once there is a free slot and all who came before have had
 *  theirs, and settles as the future it returns. The slot is taken until that
 *  has ended. start runs from the ready queue, never in this call.
 *  Cancelling the result: one that waits leaves the line, its start is never
 *  called; one that runs is cancelled and awaited.
 *  Ownership: arg_drop(arg), when given, runs exactly once, before the result
 *    settles. l is borrowed; the caller owns the result.
 *  Errors: those of start's future. UV_EINVAL (l or start is NULL; start
 *    returned NULL or a future of another loop), VOW_ECYCLE (one that waits
 *    for the result), VOW_ESHUTDOWN (l was freed, or the loop is closed),
 *    UV_ENOMEM, VOW_ETHREAD, through the result.
 *  Thread: the loop's. */
#define vow_limiter_run(...) VOW__LIMITER(__VA_ARGS__, NULL, 0)
#define VOW__LIMITER(l, start, arg, arg_drop, ...) \
  vow_limiter_run_at(VOW_SITE, (l), (start), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_limiter_run_at(const char *site,
                                                         vow_limiter_t *l,
                                                         vow_limiter_cb start,
                                                         void *arg,
                                                         vow_drop_cb arg_drop);

/** vow_limiter_running(l), vow_limiter_waiting(l)
 *  How many slots are taken; how many calls wait for one (they are counted one
 *  by one).
 *  Ownership: l is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_limiter_running(const vow_limiter_t *l);
VOW_EXPORT size_t vow_limiter_waiting(const vow_limiter_t *l);

VOW_END_DECLS
#endif

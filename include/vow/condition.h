/* SPDX-License-Identifier: MIT */
/* Conditions: waiting, without the mutex, for something that is changed under
 * it. */
#ifndef VOW_CONDITION_H
#define VOW_CONDITION_H

#include <vow/mutex.h>

VOW_BEGIN_DECLS

/** A condition. It belongs to no mutex: each wait brings the one it holds. */
typedef struct vow_condition vow_condition_t;

/** vow_condition_new(loop)
 *  A condition that nobody waits for.
 *  Ownership: the caller owns it until vow_condition_free; it counts among the
 *    loop's live futures until then.
 *  Errors: NULL, as vow_mutex_new.
 *  Thread: the loop's. */
#define vow_condition_new(loop) vow_condition_new_at(VOW_SITE, (loop))
VOW_EXPORT VOW_MUST_USE vow_condition_t *vow_condition_new_at(const char *site,
                                                              vow_loop_t *loop);

/** vow_condition_free(c)
 *  Gives the condition up: those who wait for it fail with VOW_ESHUTDOWN, those
 *  of vow_condition_wait when they have their mutex again.
 *  Ownership: consumes c. NULL is allowed.
 *  Errors: none.  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_condition_free(vow_condition_t *c);

/** vow_condition_wait(c, m)
 *  For a mutex that is held by hand. Releases m, waits for a notify, and
 *  acquires m again. Whatever the outcome, when the result has settled the
 *  caller holds m as before: a wait that is cancelled waits for m all the same
 *  and settles as cancelled then. A notify that came to it goes to the next.
 *  Being woken says that something may have changed: look again, in a loop.
 *  Ownership: m is borrowed, and is the caller's again when the result has
 *    settled. Cancel and await a result that you do not want: when it is
 *    dropped pending, m is acquired and released again, and the caller holds
 *    it no more. The caller owns the result.
 *  Errors: UV_EINVAL (c or m is NULL, m is not held, they are of different
 *    loops), UV_ENOMEM, VOW_ETHREAD: m was never released then. VOW_ESHUTDOWN
 *    when c was freed, or m was: only in that case the caller does not hold m.
 *    Through the result.
 *  Thread: the loop's. */
#define vow_condition_wait(c, m) vow_condition_wait_at(VOW_SITE, (c), (m))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_condition_wait_at(const char *site,
                                                            vow_condition_t *c,
                                                            vow_mutex_t *m);

/** vow_condition_wait_permit(c, permit)
 *  For chains, where a mutex is held by a value: the same, and succeeds with a
 *  permit again. As a failure cannot hold a permit, a wait that fails or is
 *  cancelled settles at once, and m is left to others.
 *    return vow_follow(vow_condition_wait_permit(c, vow_outcome(in)));
 *  Ownership: consumes permit, also on error (m is released then); the caller
 *    owns the result.
 *  Errors: as vow_condition_wait; a permit that is a failure is the result's;
 *    UV_EINVAL when it is of another type.
 *  Thread: the loop's. */
#define vow_condition_wait_permit(c, permit) \
  vow_condition_wait_permit_at(VOW_SITE, (c), (permit))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_condition_wait_permit_at(
    const char *site, vow_condition_t *c, vow_value_t permit);

/** vow_condition_notify(c, n), vow_condition_notify_all(c)
 *  Wakes the first n who wait, or all: each now waits for its mutex. Returns
 *  how many were woken. When one of the n is cancelled before it has its
 *  mutex, the next is woken instead. The caller should hold the mutex, but
 *  need not.
 *  Ownership: c is borrowed.  Errors: 0 for NULL.
 *  Thread: the loop's. No continuation runs in these calls. */
VOW_EXPORT size_t vow_condition_notify(vow_condition_t *c, size_t n);
VOW_EXPORT size_t vow_condition_notify_all(vow_condition_t *c);

/** vow_condition_waiting(c)
 *  How many wait to be woken (they are counted one by one).
 *  Ownership: c is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_condition_waiting(const vow_condition_t *c);

VOW_END_DECLS
#endif

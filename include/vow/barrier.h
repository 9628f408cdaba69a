/* SPDX-License-Identifier: MIT */
/* Barriers: a number of parties that wait for each other. */
#ifndef VOW_BARRIER_H
#define VOW_BARRIER_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** A barrier. When all parties have come they all go on, and it begins anew.
 *  A party that leaves before breaks it, for the others would wait in vain. */
typedef struct vow_barrier vow_barrier_t;

/** vow_barrier_new(loop, parties)
 *  A barrier for that many parties.
 *  Ownership: the caller owns it until vow_barrier_free; it counts among the
 *    loop's live futures until then.
 *  Errors: NULL, as vow_mutex_new; also when parties is 0.
 *  Thread: the loop's. */
#define vow_barrier_new(loop, parties) \
  vow_barrier_new_at(VOW_SITE, (loop), (parties))
VOW_EXPORT VOW_MUST_USE vow_barrier_t *vow_barrier_new_at(const char *site,
                                                          vow_loop_t *loop,
                                                          size_t parties);

/** vow_barrier_free(b)
 *  Gives the barrier up: those who wait fail with VOW_ESHUTDOWN.
 *  Ownership: consumes b. NULL is allowed.
 *  Errors: none.  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_barrier_free(vow_barrier_t *b);

/** vow_barrier_wait(b)
 *  Succeeds when the last party has come, with a number: 0 for the first that
 *  came, parties - 1 for the last. Cancelling or dropping it while it waits
 *  breaks the barrier.
 *  Ownership: b is borrowed; the caller owns the result.
 *  Errors: VOW_EBROKEN (the barrier is or gets broken, or is reset),
 *    UV_EINVAL (b is NULL), VOW_ESHUTDOWN, UV_ENOMEM, VOW_ETHREAD, through the
 *    result.
 *  Thread: the loop's. */
#define vow_barrier_wait(b) vow_barrier_wait_at(VOW_SITE, (b))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_barrier_wait_at(const char *site,
                                                          vow_barrier_t *b);

/** vow_barrier_abort(b), vow_barrier_reset(b)
 *  Both fail those who wait with VOW_EBROKEN. After an abort the barrier stays
 *  broken, until a reset; after a reset it is as new.
 *  Ownership: b is borrowed.  Errors: none; NULL is allowed.
 *  Thread: the loop's. No continuation runs in these calls. */
VOW_EXPORT void vow_barrier_abort(vow_barrier_t *b);
VOW_EXPORT void vow_barrier_reset(vow_barrier_t *b);

/** vow_barrier_parties(b), vow_barrier_waiting(b), vow_barrier_is_broken(b)
 *  How many parties it is for; how many wait; whether it is broken.
 *  Ownership: b is borrowed.  Errors: 0, false for NULL.  Thread: the loop's.
 */
VOW_EXPORT size_t vow_barrier_parties(const vow_barrier_t *b);
VOW_EXPORT size_t vow_barrier_waiting(const vow_barrier_t *b);
VOW_EXPORT bool vow_barrier_is_broken(const vow_barrier_t *b);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Semaphores: a number of permits, taken one or several at a time. */
#ifndef VOW_SEMAPHORE_H
#define VOW_SEMAPHORE_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** A semaphore. Requests are served strictly in their order: a large one at
 *  the head of the line holds up smaller ones behind it. */
typedef struct vow_semaphore vow_semaphore_t;

/** The type of what an acquire succeeds with, some permits in one value; see
 *  vow_semaphore_hold. It cannot be shared. */
VOW_EXPORT extern const vow_type_t vow_type_semaphore_permit;

/** vow_semaphore_new(loop, capacity)
 *  A semaphore with capacity permits, all of them free.
 *  Ownership: the caller owns it until vow_semaphore_free; it counts among the
 *    loop's live futures until then.
 *  Errors: NULL, as vow_mutex_new; also when capacity is 0.
 *  Thread: the loop's. */
#define vow_semaphore_new(loop, capacity) \
  vow_semaphore_new_at(VOW_SITE, (loop), (capacity))
VOW_EXPORT VOW_MUST_USE vow_semaphore_t *vow_semaphore_new_at(const char *site,
                                                              vow_loop_t *loop,
                                                              size_t capacity);

/** vow_semaphore_free(s)
 *  Gives the semaphore up: those who wait fail with VOW_ESHUTDOWN; the memory
 *  goes when all permits are back.
 *  Ownership: consumes s; only what is held may still be released. NULL is
 *    allowed.
 *  Errors: none.  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_semaphore_free(vow_semaphore_t *s);

/** vow_semaphore_acquire(s, n)
 *  Succeeds with a value that holds n permits, once they are the caller's; at
 *  once when they are free and nobody waits. Destroying the value gives them
 *  back. A cancelled or dropped future leaves the line, or passes on what it
 *  was given.
 *  Ownership: s is borrowed; the caller owns the result.
 *  Errors: UV_EINVAL (s is NULL; n is 0 or more than the capacity),
 *    VOW_ESHUTDOWN (s was freed while held, or the loop is closed), UV_ENOMEM,
 *    VOW_ETHREAD, through the result.
 *  Thread: the loop's. */
#define vow_semaphore_acquire(s, n) vow_semaphore_acquire_at(VOW_SITE, (s), (n))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_semaphore_acquire_at(
    const char *site, vow_semaphore_t *s, size_t n);

/** vow_semaphore_try_acquire(s, n)
 *  Takes n permits by hand when they are free and nobody waits; never
 *  allocates.
 *  Ownership: with true, the caller holds them until vow_semaphore_release.
 *  Errors: false when they cannot be had, n is 0, or s is NULL.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE bool vow_semaphore_try_acquire(vow_semaphore_t *s,
                                                       size_t n);

/** vow_semaphore_release(s, n)
 *  Gives back n permits that are held by hand, all at once or in parts.
 *  Ownership: ends the caller's hold of them.
 *  Errors: UV_EINVAL when s is NULL, n is 0 or more than are held; 0.
 *  Thread: the loop's; also after the loop was closed. No continuation runs in
 *    this call. */
VOW_EXPORT int vow_semaphore_release(vow_semaphore_t *s, size_t n);

/** vow_semaphore_hold(permit, ret_n)
 *  Turns the value of an acquire into a hold by hand; *ret_n says of how many
 *  permits, unless ret_n is NULL.
 *  Ownership: consumes permit; the caller holds them, until
 *    vow_semaphore_release.
 *  Errors: NULL when the value is of another type (vow_fail_last says which);
 *    it is destroyed then, and *ret_n is not written.
 *  Thread: the loop's. */
VOW_EXPORT vow_semaphore_t *vow_semaphore_hold(vow_value_t permit,
                                               size_t *ret_n);

/** vow_semaphore_capacity(s), vow_semaphore_available(s),
 *  vow_semaphore_waiting(s)
 *  How many permits there are; how many nobody holds; how many requests wait
 *  (they are counted one by one).
 *  Ownership: s is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_semaphore_capacity(const vow_semaphore_t *s);
VOW_EXPORT size_t vow_semaphore_available(const vow_semaphore_t *s);
VOW_EXPORT size_t vow_semaphore_waiting(const vow_semaphore_t *s);

VOW_END_DECLS
#endif

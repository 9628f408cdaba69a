/* SPDX-License-Identifier: MIT */
/* Mutexes: one holder at a time, over steps that wait in between. For the
 * tasks and chains of one loop; nothing here blocks a thread. */
#ifndef VOW_MUTEX_H
#define VOW_MUTEX_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** A mutex. Those who wait for it get it in the order in which they asked:
 *  it is handed to the first, and nobody overtakes one that waits. It is held
 *  either by a permit, a value that releases it when it is destroyed, or by
 *  hand, until vow_mutex_release. */
typedef struct vow_mutex vow_mutex_t;

/** The type of a permit; its payload is the mutex. It cannot be shared. */
VOW_EXPORT extern const vow_type_t vow_type_mutex_permit;

/** vow_mutex_new(loop)
 *  A mutex that nobody holds.
 *  Ownership: the caller owns it until vow_mutex_free. Until then it counts
 *    among the loop's live futures, as one that has succeeded.
 *  Errors: NULL for want of memory, when loop is NULL, closed, or of another
 *    thread (vow_last_message says which).
 *  Thread: the loop's. */
#define vow_mutex_new(loop) vow_mutex_new_at(VOW_SITE, (loop))
VOW_EXPORT VOW_MUST_USE vow_mutex_t *vow_mutex_new_at(const char *site,
                                                      vow_loop_t *loop);

/** vow_mutex_free(m)
 *  Gives the mutex up: those who wait for it fail with VOW_ESHUTDOWN. Who holds
 *  it goes on holding it; the memory goes when it is released.
 *  Ownership: consumes m; only what is held may still be released. NULL is
 *    allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_mutex_free(vow_mutex_t *m);

/** vow_mutex_acquire(m)
 *  Succeeds with a permit once m is the caller's; at once when it is free.
 *  Destroying the permit, for example by dropping the future, releases m. A
 *  cancelled or dropped future leaves the line, or, when it was given the
 *  permit already, passes that on.
 *  Ownership: m is borrowed; the caller owns the result.
 *  Errors: VOW_ESHUTDOWN (m was freed while held, or the loop is closed),
 *    UV_EINVAL (m is NULL), UV_ENOMEM, VOW_ETHREAD, through the result.
 *  Thread: the loop's. */
#define vow_mutex_acquire(m) vow_mutex_acquire_at(VOW_SITE, (m))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_mutex_acquire_at(const char *site,
                                                           vow_mutex_t *m);

/** vow_mutex_try_acquire(m)
 *  Takes m by hand when it is free; never allocates.
 *  Ownership: with true, the caller holds m until vow_mutex_release.
 *  Errors: false when m is held, or NULL.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE bool vow_mutex_try_acquire(vow_mutex_t *m);

/** vow_mutex_release(m)
 *  Releases what is held by hand: the first who waits holds m when this
 *  returns.
 *  Ownership: ends the caller's hold.
 *  Errors: UV_EINVAL when m is NULL or not held; 0.
 *  Thread: the loop's; also after the loop was closed. No continuation runs in
 *    this call. */
VOW_EXPORT int vow_mutex_release(vow_mutex_t *m);

/** vow_mutex_hold(permit)
 *  Turns a permit into a hold by hand; nothing is released or acquired.
 *    vow_mutex_t *m = vow_mutex_hold(vow_outcome(in));
 *  Ownership: consumes permit; the caller holds the result, until
 *    vow_mutex_release.
 *  Errors: NULL when the value is no permit (vow_fail_last says what it is);
 *    it is destroyed then.
 *  Thread: the loop's. */
VOW_EXPORT vow_mutex_t *vow_mutex_hold(vow_value_t permit);

/** vow_mutex_permit(m)
 *  The way back: a hold by hand as a permit.
 *  Ownership: the value now holds m.
 *  Errors: none; m must be held by the caller.
 *  Thread: the loop's. */
static inline vow_value_t vow_mutex_permit(vow_mutex_t *m) {
  return vow_ptr(m, &vow_type_mutex_permit);
}

/** vow_mutex_is_held(m), vow_mutex_waiting(m)
 *  Whether somebody holds m; how many wait for it (they are counted one by
 *  one).
 *  Ownership: m is borrowed.  Errors: false, 0 for NULL.  Thread: the loop's.
 */
VOW_EXPORT bool vow_mutex_is_held(const vow_mutex_t *m);
VOW_EXPORT size_t vow_mutex_waiting(const vow_mutex_t *m);

VOW_END_DECLS
#endif

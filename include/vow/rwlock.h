/* SPDX-License-Identifier: MIT */
/* Read-write locks: many readers or one writer. */
#ifndef VOW_RWLOCK_H
#define VOW_RWLOCK_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** A read-write lock. Readers and writers stand in one line: a reader that
 *  comes after a waiting writer waits for it, so writers do not starve, and
 *  readers that stand together are let in together. It is held by permits, or
 *  by hand, as a mutex is. */
typedef struct vow_rwlock vow_rwlock_t;

/** The types of its permits; the payload is the lock. They cannot be shared. */
VOW_EXPORT extern const vow_type_t vow_type_read_permit;
VOW_EXPORT extern const vow_type_t vow_type_write_permit;

/** vow_rwlock_new(loop)
 *  A lock that nobody holds.
 *  Ownership: the caller owns it until vow_rwlock_free; it counts among the
 *    loop's live futures until then.
 *  Errors: NULL, as vow_mutex_new.
 *  Thread: the loop's. */
#define vow_rwlock_new(loop) vow_rwlock_new_at(VOW_SITE, (loop))
VOW_EXPORT VOW_MUST_USE vow_rwlock_t *vow_rwlock_new_at(const char *site,
                                                        vow_loop_t *loop);

/** vow_rwlock_free(l)
 *  Gives the lock up, as vow_mutex_free does.
 *  Ownership: consumes l. NULL is allowed.
 *  Errors: none.  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_rwlock_free(vow_rwlock_t *l);

/** vow_rwlock_read(l), vow_rwlock_write(l)
 *  Succeeds with a read or write permit once the lock is the caller's; at once
 *  when it can be had and nobody waits. Cancelling, dropping: as
 *  vow_mutex_acquire.
 *  Ownership: l is borrowed; the caller owns the result.
 *  Errors: as vow_mutex_acquire.
 *  Thread: the loop's. */
#define vow_rwlock_read(l) vow_rwlock_read_at(VOW_SITE, (l))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_rwlock_read_at(const char *site,
                                                         vow_rwlock_t *l);
#define vow_rwlock_write(l) vow_rwlock_write_at(VOW_SITE, (l))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_rwlock_write_at(const char *site,
                                                          vow_rwlock_t *l);

/** vow_rwlock_try_read(l), vow_rwlock_try_write(l)
 *  Takes l by hand when it can be had at once and nobody waits; never
 *  allocates.
 *  Ownership: with true, the caller holds l until vow_rwlock_release_read or
 *    vow_rwlock_release_write.
 *  Errors: false when it cannot be had, or l is NULL.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE bool vow_rwlock_try_read(vow_rwlock_t *l);
VOW_EXPORT VOW_MUST_USE bool vow_rwlock_try_write(vow_rwlock_t *l);

/** vow_rwlock_release_read(l), vow_rwlock_release_write(l)
 *  Releases what is held by hand, and lets in who may come in now.
 *  Ownership: ends the caller's hold.
 *  Errors: UV_EINVAL when l is NULL or not held in that way; 0.
 *  Thread: the loop's; also after the loop was closed. No continuation runs in
 *    this call. */
VOW_EXPORT int vow_rwlock_release_read(vow_rwlock_t *l);
VOW_EXPORT int vow_rwlock_release_write(vow_rwlock_t *l);

/** vow_rwlock_hold(permit)
 *  Turns a read or write permit into a hold by hand of the same kind; *ret_write
 *  says which, unless ret_write is NULL.
 *  Ownership: consumes permit; the caller holds the result.
 *  Errors: NULL when the value is no such permit (vow_fail_last says what it
 *    is); it is destroyed then.
 *  Thread: the loop's. */
VOW_EXPORT vow_rwlock_t *vow_rwlock_hold(vow_value_t permit, bool *ret_write);

/** vow_rwlock_readers(l), vow_rwlock_is_written(l), vow_rwlock_waiting(l)
 *  How many hold l as readers; whether a writer does; how many wait (they are
 *  counted one by one).
 *  Ownership: l is borrowed.  Errors: 0, false for NULL.  Thread: the loop's.
 */
VOW_EXPORT size_t vow_rwlock_readers(const vow_rwlock_t *l);
VOW_EXPORT bool vow_rwlock_is_written(const vow_rwlock_t *l);
VOW_EXPORT size_t vow_rwlock_waiting(const vow_rwlock_t *l);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Short cuts for tasks: waiting for a lock, permits, room or an item without a
 * future when there is nothing to wait for. Each does what vow_await of the
 * future does, order of asking and cancellation included. */
#ifndef VOW_TASK_SYNC_H
#define VOW_TASK_SYNC_H

#include <vow/mutex.h>
#include <vow/queue.h>
#include <vow/semaphore.h>
#include <vow/task.h>

VOW_BEGIN_DECLS

/** vow_await_lock(m)
 *  Acquires m by hand: vow_mutex_release ends it. vow_defer or a permit from
 *  vow_mutex_acquire make sure of that on every way out.
 *  Ownership: m is borrowed; the caller holds it after 0.
 *  Errors: as vow_mutex_acquire and vow_await, as the code; 0.
 *  Thread: the loop's, in a task. */
#define vow_await_lock(m) vow_await_lock_at(VOW_SITE, (m))
VOW_EXPORT VOW_MUST_USE int vow_await_lock_at(const char *site, vow_mutex_t *m);

/** vow_await_permits(s, n)
 *  Acquires n permits by hand: vow_semaphore_release(s, n) ends it.
 *  Ownership: s is borrowed; the caller holds the permits after 0.
 *  Errors: as vow_semaphore_acquire and vow_await, as the code; 0.
 *  Thread: the loop's, in a task. */
#define vow_await_permits(s, n) vow_await_permits_at(VOW_SITE, (s), (n))
VOW_EXPORT VOW_MUST_USE int vow_await_permits_at(const char *site,
                                                 vow_semaphore_t *s, size_t n);

/** vow_await_put(q, v)
 *  vow_await_status(vow_queue_put(q, v)).
 *  Ownership: consumes v, also on error; q is borrowed.
 *  Errors: as vow_queue_put and vow_await, as the code; 0.
 *  Thread: the loop's, in a task. */
#define vow_await_put(q, v) vow_await_put_at(VOW_SITE, (q), (v))
VOW_EXPORT int vow_await_put_at(const char *site, vow_queue_t *q,
                                vow_value_t v);

/** vow_await_get(q)
 *  vow_await(vow_queue_get(q)).
 *  Ownership: q is borrowed; the caller owns the item.
 *  Errors: as vow_queue_get and vow_await, as a failure.
 *  Thread: the loop's, in a task. */
#define vow_await_get(q) vow_await_get_at(VOW_SITE, (q))
VOW_EXPORT VOW_MUST_USE vow_value_t vow_await_get_at(const char *site,
                                                     vow_queue_t *q);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Queues: items on their way from who makes them to who works on them, in a
 * bounded number. For the tasks and chains of one loop. */
#ifndef VOW_QUEUE_H
#define VOW_QUEUE_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** A queue of values. Whoever waits is served in the order of asking: an item
 *  goes straight to the first get that waits, room to the first put, and
 *  nobody overtakes.
 *  No item is lost: each one that is put is got, or comes back to who put it,
 *  or is destroyed, once. It is destroyed where a contract below says so.
 *  An item may be a failure: the get that it comes to fails with it. */
typedef struct vow_queue vow_queue_t;

/** Which item is next. */
typedef enum vow_queue_order {
  VOW_FIFO,    /* the oldest */
  VOW_LIFO,    /* the newest */
  VOW_PRIORITY /* that of the smallest priority, the oldest of equals */
} vow_queue_order_t;

/** As a capacity: as many as there is memory for. */
#define VOW_UNBOUNDED SIZE_MAX

/** vow_queue_new(loop, order, capacity)
 *  An empty queue. With capacity 0 nothing is ever stored: a put waits for its
 *  get. A bounded queue takes the memory for all its items now, and needs none
 *  later.
 *  Ownership: the caller owns it until vow_queue_free. Until then it counts
 *    among the loop's live futures, as one that has succeeded.
 *  Errors: NULL for want of memory, when loop is NULL, closed, or of another
 *    thread, order is none, or capacity is beyond all memory (vow_last_message
 *    says which).
 *  Thread: the loop's. */
#define vow_queue_new(loop, order, capacity) \
  vow_queue_new_at(VOW_SITE, (loop), (order), (capacity))
VOW_EXPORT VOW_MUST_USE vow_queue_t *vow_queue_new_at(const char *site,
                                                      vow_loop_t *loop,
                                                      vow_queue_order_t order,
                                                      size_t capacity);

/** vow_queue_free(q)
 *  vow_queue_shutdown_now, and gives the queue up. Joins that still wait fail
 *  with VOW_ESHUTDOWN.
 *  Ownership: consumes q. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. Destructors of items may
 *    run in this call. */
VOW_EXPORT void vow_queue_free(vow_queue_t *q);

/* ---- putting ------------------------------------------------------------ */

/** vow_queue_put(q, v), vow_queue_put_priority(q, v, priority)
 *  Succeeds with nil once v is in the queue, or in the hands of a get; at once
 *  when there is room. The priority, 0 in the first form, matters to a queue of
 *  VOW_PRIORITY only. Those who wait for room get it in the order of asking,
 *  whatever their priority.
 *  A put that was cancelled or has failed has not put anything: it keeps v for
 *  vow_reclaim, and destroys it when the future goes.
 *  Ownership: consumes v, also on error; q is borrowed; the caller owns the
 *    result.
 *  Errors: VOW_ESHUTDOWN (the queue was shut down, before or while waiting),
 *    UV_ENOMEM (an unbounded queue cannot grow), through a result that keeps
 *    v; UV_EINVAL (q is NULL), VOW_ESHUTDOWN (the loop is closed), UV_ENOMEM,
 *    VOW_ETHREAD, through one that cannot: v is destroyed at once.
 *  Thread: the loop's. */
#define vow_queue_put(q, v) vow_queue_put_at(VOW_SITE, (q), (v), 0)
#define vow_queue_put_priority(q, v, priority) \
  vow_queue_put_at(VOW_SITE, (q), (v), (priority))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_queue_put_at(const char *site,
                                                       vow_queue_t *q,
                                                       vow_value_t v,
                                                       int64_t priority);

/** vow_queue_try_put(q, v), vow_queue_try_put_priority(q, v, priority)
 *  Puts v when that needs no waiting. Allocates nothing, except that an
 *  unbounded queue grows now and then.
 *  Ownership: consumes v when the result is 0; otherwise v stays the caller's.
 *  Errors: UV_EAGAIN (full), VOW_ESHUTDOWN (shut down), UV_ENOMEM (cannot
 *    grow), UV_EINVAL (q is NULL); 0.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT VOW_MUST_USE int vow_queue_try_put(vow_queue_t *q, vow_value_t v);
VOW_EXPORT VOW_MUST_USE int vow_queue_try_put_priority(vow_queue_t *q,
                                                       vow_value_t v,
                                                       int64_t priority);

/** vow_reclaim(f, ret_item)
 *  The item of a vow_queue_put or vow_broadcast_send that failed or was
 *  cancelled, or of the first put among the cases of a vow_select that did; of
 *  a select's next one when called again. f is that very future, not one made
 *  from it: have it in hand, or be in the callback of a vow_handle or vow_catch
 *  right behind it. f's failure counts as seen.
 *  Ownership: f is borrowed; the caller owns *ret_item, written on success only.
 *  Errors: UV_EAGAIN (f is pending), UV_ENOENT (there is no such item: f
 *    succeeded, had none, or it was reclaimed already), UV_EINVAL (f or
 *    ret_item is NULL); 0.
 *  Thread: the loop's. */
VOW_EXPORT int vow_reclaim(vow_future_t *f, vow_value_t *ret_item);

/* ---- getting ------------------------------------------------------------ */

/** vow_queue_get(q)
 *  Succeeds with the next item; at once when there is one. A get that is
 *  cancelled or dropped while it waits leaves the line and takes nothing. One
 *  that was given its item owns it: when the future goes before anybody has
 *  taken the item, that is destroyed, and counts as unfinished all the same.
 *  To wait for an item or something else, whichever comes first, use
 *  vow_select, or vow_timeout, which delivers what came: with them no item goes
 *  that way.
 *  Ownership: q is borrowed; the caller owns the result, and that the item.
 *  Errors: VOW_ESHUTDOWN (the queue was shut down and is empty, or the loop is
 *    closed), UV_EINVAL (q is NULL), UV_ENOMEM (no item was taken),
 *    VOW_ETHREAD, through the result.
 *  Thread: the loop's. */
#define vow_queue_get(q) vow_queue_get_at(VOW_SITE, (q))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_queue_get_at(const char *site,
                                                       vow_queue_t *q);

/** vow_queue_try_get(q, ret_item)
 *  Takes the next item when there is one. Never allocates.
 *  Ownership: the caller owns *ret_item, written on success only.
 *  Errors: UV_EAGAIN (empty), VOW_ESHUTDOWN (empty, and shut down), UV_EINVAL
 *    (q or ret_item is NULL); 0.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT VOW_MUST_USE int vow_queue_try_get(vow_queue_t *q,
                                              vow_value_t *ret_item);

/* ---- knowing when all is done ------------------------------------------- */

/** vow_queue_task_done(q)
 *  Says that the work on an item that was got is done. Each item is unfinished
 *  from its put until then; those that vow_queue_shutdown_now destroys cease to
 *  be.
 *  Ownership: q is borrowed.
 *  Errors: UV_EINVAL when q is NULL, or every item that was got is done
 *    already (vow_last_message says which); 0.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT int vow_queue_task_done(vow_queue_t *q);

/** vow_queue_join(q)
 *  Succeeds with nil once no item is unfinished; at once when none is.
 *  Ownership: q is borrowed; the caller owns the result.
 *  Errors: VOW_ESHUTDOWN (q was freed meanwhile, or the loop is closed),
 *    UV_EINVAL (q is NULL), UV_ENOMEM, VOW_ETHREAD, through the result.
 *  Thread: the loop's. */
#define vow_queue_join(q) vow_queue_join_at(VOW_SITE, (q))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_queue_join_at(const char *site,
                                                        vow_queue_t *q);

/** vow_queue_shutdown(q), vow_queue_shutdown_now(q)
 *  Ends the queue. Puts fail with VOW_ESHUTDOWN from now on, those that wait
 *  too. After the first form gets go on until the queue is empty, and fail
 *  then; the second destroys the items, so that gets fail at once. Gets that
 *  wait find an empty queue and fail. Joins go on waiting for the items that
 *  were got. The second form may follow the first.
 *  Ownership: q is borrowed.
 *  Errors: UV_EINVAL when q is NULL; 0, also for a queue that was shut down
 *    before.
 *  Thread: the loop's. No continuation runs in these calls; destructors of
 *    items may run in the second. */
VOW_EXPORT int vow_queue_shutdown(vow_queue_t *q);
VOW_EXPORT int vow_queue_shutdown_now(vow_queue_t *q);

/* ---- looking ------------------------------------------------------------ */

/** vow_queue_length(q), vow_queue_capacity(q), vow_queue_unfinished(q)
 *  How many items are in the queue; how many it holds at most; how many are
 *  unfinished.
 *  Ownership: q is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_queue_length(const vow_queue_t *q);
VOW_EXPORT size_t vow_queue_capacity(const vow_queue_t *q);
VOW_EXPORT size_t vow_queue_unfinished(const vow_queue_t *q);

/** vow_queue_gets_waiting(q), vow_queue_puts_waiting(q)
 *  How many gets, or puts, wait (they are counted one by one).
 *  Ownership: q is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_queue_gets_waiting(const vow_queue_t *q);
VOW_EXPORT size_t vow_queue_puts_waiting(const vow_queue_t *q);

/** vow_queue_is_shut_down(q)
 *  Whether it was shut down, in whichever way.
 *  Ownership: q is borrowed.  Errors: false for NULL.  Thread: the loop's. */
VOW_EXPORT bool vow_queue_is_shut_down(const vow_queue_t *q);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Queues and broadcast channels as iterators. */
#ifndef VOW_ITER_SYNC_H
#define VOW_ITER_SYNC_H

#include <vow/broadcast.h>
#include <vow/iter.h>
#include <vow/queue.h>

VOW_BEGIN_DECLS

/** vow_queue_iter(q)
 *  The items of q as vow_queue_get gives them, up to the end of a queue that
 *  was shut down. Several iterators share the items out. An item that a
 *  cancelled next was given is there for the following one; one that is there
 *  when the iterator is closed is destroyed.
 *  Ownership: q is borrowed until the iterator has closed; the caller owns the
 *    result.
 *  Errors: UV_EINVAL (NULL), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN (the loop is
 *    closed), through the nexts.
 *  Thread: the loop's. */
#define vow_queue_iter(q) vow_queue_iter_at(VOW_SITE, (q))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_queue_iter_at(const char *site,
                                                      vow_queue_t *q);

/** vow_subscription_iter(s)
 *  The values that s reads, up to the end of a channel that was closed.
 *  Ownership: consumes s, also on error, and frees it when the iterator is
 *    closed; the caller owns the result.
 *  Errors: as vow_queue_iter; UV_ENOBUFS as an item when s was too slow.
 *  Thread: the loop's. */
#define vow_subscription_iter(s) vow_subscription_iter_at(VOW_SITE, (s))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_subscription_iter_at(
    const char *site, vow_subscription_t *s);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Asynchronous iterators: one protocol for whatever comes piece by piece. How
 * one is written is in iter_class.h; ready-made ones are in iter_sources.h,
 * iter_uv.h and iter_net.h, and what is put on top of them in iter_tools.h.
 *
 * Rules that hold for all iterators:
 *  - An iterator has one owner. A function that takes one and returns one
 *    consumes its input.
 *  - Such a function never returns NULL. On bad arguments or want of memory it
 *    returns an iterator of which every vow_iter_next fails with why; it is
 *    closed and freed like any other.
 *  - One next at a time.
 *  - A failure is an item: more may come behind it. Only UV_EOF is the end.
 *  - Cancelling or dropping a next takes no item away.
 *  - Nothing is left behind: who leaves early awaits vow_iter_close. Closing
 *    cannot be cancelled, and needs no memory. */
#ifndef VOW_ITER_H
#define VOW_ITER_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** What gives values, one after the other. It is one pending future of its
 *  loop until it has closed; closing the loop closes it. */
typedef struct vow_iter vow_iter_t;

/** The type of a value that is an iterator, for futures and lists of them:
 *  vow_ptr(it, &vow_type_iter), vow_take(f, &vow_type_iter). Ended by
 *  vow_iter_free. */
VOW_EXPORT extern const vow_type_t vow_type_iter;

/** vow_iter_next(it)
 *  Succeeds with the next item. Cancelled, it settles at once; work on the item
 *  that is under way goes on, and what it gives is there for the next next.
 *  Nothing of the iterator is waited for otherwise while nobody asks, but for
 *  those that say that they run ahead.
 *  Ownership: it is borrowed; the caller owns the result.
 *  Errors: UV_EOF at the end and ever after; what the source fails with, for
 *    one item; UV_EBUSY (a next is pending); VOW_ESHUTDOWN (closed); what was
 *    wrong when it was made, each time; UV_ENOMEM: nothing is lost, ask again,
 *    unless the maker says otherwise; UV_EINVAL (NULL), VOW_ETHREAD; through
 *    the result.
 *  Thread: the loop's. */
#define vow_iter_next(it) vow_iter_next_at(VOW_SITE, (it))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_iter_next_at(const char *site,
                                                       vow_iter_t *it);

/** vow_iter_close(it)
 *  Ends it: a pending next is cancelled first, then what is under way, and all
 *  that it was made from is closed. Succeeds with nil when that has unwound.
 *  Called again, the result is that of the first time. Cancelling or dropping
 *  the result changes nothing.
 *  Ownership: it is borrowed: give it to vow_iter_free, now or later. The
 *    caller owns the result.
 *  Errors: failures of the clean-up: the first, others as its causes; what was
 *    wrong when it was made; UV_EINVAL (NULL), VOW_ETHREAD; through the result.
 *    It allocates nothing.
 *  Thread: the loop's; also after the loop was closed. No continuation runs in
 *    this call. */
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_iter_close(vow_iter_t *it);

/** vow_iter_free(it)
 *  Gives it up. One that was not closed is closed, with nobody to wait: a
 *  failure of that is reported to the loop's hook.
 *  Ownership: consumes it. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. Destructors of values
 *    and args may run in this call, continuations never do. */
VOW_EXPORT void vow_iter_free(vow_iter_t *it);

/** vow_iter_count(it)
 *  How many items it has given, failures not counted: in the callback of an
 *  item, one more than its index.
 *  Ownership: it is borrowed.
 *  Errors: 0 for NULL, and for one that could not be made.
 *  Thread: the loop's. */
VOW_EXPORT uint64_t vow_iter_count(const vow_iter_t *it);

/** vow_iter_is_end(f)
 *  Whether f, a next, has settled with the end. That counts as seen.
 *  Ownership: f is borrowed.  Errors: false for NULL.  Thread: the loop's. */
VOW_EXPORT bool vow_iter_is_end(vow_future_t *f);

/** vow_iter_loop(it)
 *  Its loop.
 *  Ownership: borrowed.
 *  Errors: NULL for NULL, and perhaps for one that could not be made.
 *  Thread: the loop's. */
VOW_EXPORT vow_loop_t *vow_iter_loop(const vow_iter_t *it);

VOW_END_DECLS
#endif

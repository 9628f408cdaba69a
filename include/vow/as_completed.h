/* SPDX-License-Identifier: MIT */
/* as_completed: many futures, one after the other as they finish. */
#ifndef VOW_AS_COMPLETED_H
#define VOW_AS_COMPLETED_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** Gives out inputs as they finish. */
typedef struct vow_completed vow_completed_t;

/** vow_as_completed(loop, n, futures)
 *  An iterator over the inputs in the order in which they settle; those that
 *  have settled already come first, in argument order. It counts as one
 *  pending future of the loop until every input was given out.
 *  Ownership: consumes the n futures, not the array, also on error (but does
 *    not touch an array that cannot be one); the caller owns the result.
 *  Errors: NULL, and vow_last_message says why: loop is NULL, closed or of
 *    another thread, a future is NULL or of another loop, the array is NULL
 *    while n is not 0, n cannot be a count, want of memory.
 *  Thread: the loop's. */
#define vow_as_completed(loop, n, futures) \
  vow_as_completed_at(VOW_SITE, (loop), (n), (futures))
VOW_EXPORT VOW_MUST_USE vow_completed_t *vow_as_completed_at(
    const char *site, vow_loop_t *loop, size_t n, vow_future_t *const *futures);

#ifndef __cplusplus
/** vow_as_completed_of(loop, a, b, ...)
 *  The same for a fixed few. In C only.
 *  Ownership, Errors, Thread: as the array form. */
#define vow_as_completed_of(loop, ...)                          \
  vow_as_completed_at(VOW_SITE, (loop),                         \
                      sizeof((vow_future_t *[]){__VA_ARGS__}) / \
                          sizeof(vow_future_t *),               \
                      (vow_future_t *[]){__VA_ARGS__})
#endif

/** vow_completed_next(it)
 *  Settles as the next input to finish does, value, failure or cancellation.
 *  Several at a time are served in the order in which they were asked for.
 *  Cancelling one that is pending loses nothing: the input goes to the next
 *  one asked for.
 *  Ownership: it is borrowed; the caller owns the result.
 *  Errors: UV_EOF when every input was given out; VOW_ESHUTDOWN when the
 *    iterator was freed, or its loop closed; UV_EINVAL when it is NULL,
 *    UV_ENOMEM (nothing is lost), VOW_ETHREAD; through the result.
 *  Thread: the loop's. */
#define vow_completed_next(it) vow_completed_next_at(VOW_SITE, (it))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_completed_next_at(
    const char *site, vow_completed_t *it);

/** vow_completed_index(it)
 *  The argument index of the input that was given out last. With one `next`
 *  pending at a time it is that of the last `next` to settle.
 *  Ownership: it is borrowed.
 *  Errors: SIZE_MAX before the first, and for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_completed_index(const vow_completed_t *it);

/** vow_completed_free(it)
 *  Ends the iterator. Inputs that were not given out are cancelled and
 *  dropped, a pending next fails with VOW_ESHUTDOWN.
 *  Ownership: consumes it. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT void vow_completed_free(vow_completed_t *it);

VOW_END_DECLS
#endif

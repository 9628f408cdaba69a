/* SPDX-License-Identifier: MIT */
/* gather: many futures, one list. Inputs are consumed, and what is cancelled
 * is awaited before the result settles. */
#ifndef VOW_GATHER_H
#define VOW_GATHER_H

#include <vow/list.h>

VOW_BEGIN_DECLS

/** vow_gather(loop, n, futures)
 *  Succeeds with a list (vow_type_list) of the inputs' values in argument
 *  order; for n == 0 with an empty one. The first input to fail, or to be
 *  cancelled, decides: the others are cancelled, and when all have unwound
 *  the result fails. Its failure is that of the deciding input, as it is; if
 *  other inputs failed too (were not just cancelled) an aggregate with its
 *  code and message, which holds it first and the others in argument order.
 *  Cancelling the result cancels the inputs; it settles as cancelled when they
 *  have unwound, failures in their clean-up as its cause. After an input has
 *  decided a cancellation changes nothing.
 *  An input given twice (with a reference for each) is run once; both places
 *  are filled, through its type's ref.
 *  Ownership: consumes the n futures, not the array; the caller owns the
 *    result.
 *  Errors: UV_EINVAL through the result when loop is NULL, a future is NULL or
 *    of another loop (the rest are dropped); or when the array is NULL or n
 *    cannot be a count, negative ones included (the array is not touched).
 *    UV_ENOMEM, VOW_ESHUTDOWN, VOW_ETHREAD; VOW_EMOVED when a value is shared
 *    and its type cannot be.
 *  Thread: the loop's. */
#define vow_gather(loop, n, futures) \
  vow_gather_at(VOW_SITE, (loop), (n), (futures))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_gather_at(
    const char *site, vow_loop_t *loop, size_t n, vow_future_t *const *futures);

/** vow_gather_settled(loop, n, futures)
 *  Succeeds, when all inputs have settled, with a list of their outcomes in
 *  argument order; failures and cancellations are elements and count as seen.
 *  Cancelling the result itself is not swallowed: it cancels the inputs and
 *  the result is cancelled when they have unwound, as with vow_gather.
 *  Ownership, Errors, Thread: as vow_gather; a value that cannot be shared
 *    leaves a failure VOW_EMOVED in its place. */
#define vow_gather_settled(loop, n, futures) \
  vow_gather_settled_at(VOW_SITE, (loop), (n), (futures))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_gather_settled_at(
    const char *site, vow_loop_t *loop, size_t n, vow_future_t *const *futures);

#ifndef __cplusplus
/** vow_gather_of(loop, a, b, ...), vow_gather_settled_of(loop, a, b, ...)
 *  The same for a fixed few. In C only.
 *  Ownership, Errors, Thread: as the array forms. */
#define vow_gather_of(loop, ...)                              \
  vow_gather_at(VOW_SITE, (loop), VOW__COUNT_OF(__VA_ARGS__), \
                (vow_future_t *[]){__VA_ARGS__})
#define vow_gather_settled_of(loop, ...)                              \
  vow_gather_settled_at(VOW_SITE, (loop), VOW__COUNT_OF(__VA_ARGS__), \
                        (vow_future_t *[]){__VA_ARGS__})

/* How many futures stand there; evaluates none of them. */
#define VOW__COUNT_OF(...) \
  (sizeof((vow_future_t *[]){__VA_ARGS__}) / sizeof(vow_future_t *))
#endif

VOW_END_DECLS
#endif

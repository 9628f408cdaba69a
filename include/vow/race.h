/* SPDX-License-Identifier: MIT */
/* race and any: many futures, one outcome. Inputs are consumed, losers are
 * cancelled and awaited, and nothing stays behind on inputs that others
 * share. */
#ifndef VOW_RACE_H
#define VOW_RACE_H

#include <vow/gather.h>

VOW_BEGIN_DECLS

/** vow_race(loop, n, futures)
 *  Settles as the first input to settle does: value, failure or cancellation.
 *  Of inputs that have settled before the race is made the first in argument
 *  order wins; after that the order in which they settle decides. The losers
 *  are cancelled, and the result settles when all have unwound. What they end
 *  with counts as seen and is dropped. One that others share is left to them,
 *  at once.
 *  Cancelling the result cancels the inputs; it settles as cancelled when they
 *  have unwound, the first failure in their clean-up as its cause. After an
 *  input has won a cancellation changes nothing.
 *  Ownership: consumes the n futures, not the array; the caller owns the
 *    result.
 *  Errors: UV_EINVAL through the result when n is 0; otherwise as vow_gather.
 *  Thread: the loop's. */
#define vow_race(loop, n, futures) vow_race_at(VOW_SITE, (loop), (n), (futures))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_race_at(const char *site,
                                                  vow_loop_t *loop, size_t n,
                                                  vow_future_t *const *futures);

/** vow_any(loop, n, futures)
 *  Succeeds as the first input to succeed does; order and losers as vow_race.
 *  When none succeeds it fails with VOW_EMULTI, and vow_error_nth gives every
 *  input's failure, cancellations included, in argument order.
 *  Cancelling the result: as vow_race.
 *  Ownership, Errors, Thread: as vow_race. */
#define vow_any(loop, n, futures) vow_any_at(VOW_SITE, (loop), (n), (futures))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_any_at(const char *site,
                                                 vow_loop_t *loop, size_t n,
                                                 vow_future_t *const *futures);

#ifndef __cplusplus
/** vow_race_of(loop, a, b, ...), vow_any_of(loop, a, b, ...)
 *  The same for a fixed few. In C only.
 *  Ownership, Errors, Thread: as the array forms. */
#define vow_race_of(loop, ...)                              \
  vow_race_at(VOW_SITE, (loop), VOW__COUNT_OF(__VA_ARGS__), \
              (vow_future_t *[]){__VA_ARGS__})
#define vow_any_of(loop, ...)                              \
  vow_any_at(VOW_SITE, (loop), VOW__COUNT_OF(__VA_ARGS__), \
             (vow_future_t *[]){__VA_ARGS__})
#endif

VOW_END_DECLS
#endif

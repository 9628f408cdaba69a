/* SPDX-License-Identifier: MIT */
/* retry: do it again when it fails, with growing pauses. */
#ifndef VOW_RETRY_H
#define VOW_RETRY_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** Starts an attempt, the first being 1. The result is consumed; it must be of
 *  loop. The callback may cancel or drop the retry's own future. */
typedef vow_future_t *(*vow_retry_cb)(vow_loop_t *loop, uint32_t attempt,
                                      void *arg);

/** Whether to go on after failure, which is borrowed. */
typedef bool (*vow_retry_if_cb)(vow_value_t failure, void *arg);

/** Settings of a retry; zero a field for its default. */
typedef struct vow_retry_options {
  /** Attempts in all, the first included; default 3. */
  uint32_t attempts;
  /** Pause after the first failure in milliseconds; 0: none, the next attempt
   *  goes through the ready queue. */
  uint64_t delay_ms;
  /** What the pause is multiplied by after each further failure; default 2. */
  double factor;
  /** No pause is longer; default: no limit. */
  uint64_t max_delay_ms;
  /** How much of a pause is left to chance, 0 to 1: it is drawn evenly from
   *  (1 - jitter) * pause to pause. */
  double jitter;
  /** Where chance begins: the same seed draws the same pauses. 0: another one
   *  each time. */
  uint64_t seed;
  /** Asked before each further attempt; false ends the retry with that
   *  failure. Default: always true. It gets the retry's arg. */
  vow_retry_if_cb retry_if;
} vow_retry_options_t;

/** vow_retry(loop, start, arg, arg_drop, options)
 *  Calls start until the future it returns succeeds, and succeeds alike.
 *  start never runs in this call. A cancelled attempt is not tried again: the
 *  result is cancelled.
 *  When attempts are used up, or retry_if says no, the result fails. After one
 *  attempt only that is its failure as it is. After several, an error with the
 *  code of the last failure and a message ("gave up after 3 attempts: ..."),
 *  whose cause is an aggregate: the last failure first, then those before it,
 *  the oldest first; the last 8 are kept.
 *  Cancelling the result stops at once: a pause ends, a running attempt is
 *  cancelled and awaited, and none is started any more. If the attempt
 *  succeeds all the same its value is delivered, if it fails in its clean-up
 *  that failure.
 *  Ownership: arg_drop(arg), when given, runs exactly once: after the last
 *    attempt has ended, before the result settles. options may be NULL; it is
 *    copied. The caller owns the result.
 *  Errors: UV_EINVAL through the result when loop or start is NULL, factor is
 *    negative or not finite, jitter is outside 0 to 1; or, with no further
 *    attempt, when start returns NULL or a future of another loop; VOW_ECYCLE
 *    when it returns a future that waits for the result. UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN.
 *  Thread: the loop's. */
#define vow_retry(loop, start, arg, arg_drop, options) \
  vow_retry_at(VOW_SITE, (loop), (start), (arg), (arg_drop), (options))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_retry_at(
    const char *site, vow_loop_t *loop, vow_retry_cb start, void *arg,
    vow_drop_cb arg_drop, const vow_retry_options_t *options);

VOW_END_DECLS
#endif

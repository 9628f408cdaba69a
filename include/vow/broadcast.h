/* SPDX-License-Identifier: MIT */
/* Broadcast channels: what is sent comes to everybody who has subscribed. */
#ifndef VOW_BROADCAST_H
#define VOW_BROADCAST_H

#include <vow/queue.h>

VOW_BEGIN_DECLS

/** A channel. It keeps each value until all who had subscribed when it was
 *  sent have read it, and at most a fixed number of values. */
typedef struct vow_broadcast vow_broadcast_t;

/** A reader of one channel, with a position of its own. */
typedef struct vow_subscription vow_subscription_t;

/** What happens when a value is sent while the channel is full, because the
 *  slowest reader has not read the oldest value yet. */
typedef enum vow_lag {
  VOW_LAG_SKIP, /* the oldest goes; a reader that had not read it skips it, and
                 * vow_subscription_missed counts */
  VOW_LAG_WAIT, /* the sender waits for the reader */
  VOW_LAG_FAIL  /* the oldest goes; a reader that had not read it fails with
                 * UV_ENOBUFS, now and ever after */
} vow_lag_t;

/** vow_broadcast_new(loop, capacity, lag)
 *  A channel without readers, for at most capacity values at a time. The memory
 *  for them is taken now.
 *  Ownership: the caller owns it until vow_broadcast_free. Until then it counts
 *    among the loop's live futures, as one that has succeeded; so do
 *    subscriptions.
 *  Errors: NULL, as vow_queue_new; also when capacity is 0.
 *  Thread: the loop's. */
#define vow_broadcast_new(loop, capacity, lag) \
  vow_broadcast_new_at(VOW_SITE, (loop), (capacity), (lag))
VOW_EXPORT VOW_MUST_USE vow_broadcast_t *vow_broadcast_new_at(const char *site,
                                                              vow_loop_t *loop,
                                                              size_t capacity,
                                                              vow_lag_t lag);

/** vow_broadcast_close(b)
 *  Ends the sending: sends fail with VOW_ESHUTDOWN from now on, those that wait
 *  too. Readers go on until they have read all that was sent, and then their
 *  nexts fail with VOW_ESHUTDOWN; those that wait have, and fail now.
 *  Ownership: b is borrowed.
 *  Errors: UV_EINVAL when b is NULL; 0, also for one that was closed before.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT int vow_broadcast_close(vow_broadcast_t *b);

/** vow_broadcast_free(b)
 *  vow_broadcast_close, and gives the channel up. Who has subscribed may go on
 *  reading; the memory goes with the last subscription.
 *  Ownership: consumes b. NULL is allowed.
 *  Errors: none.  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_broadcast_free(vow_broadcast_t *b);

/* ---- sending ------------------------------------------------------------ */

/** vow_broadcast_send(b, v)
 *  Succeeds with nil once v is in the channel: at once, except that with
 *  VOW_LAG_WAIT it waits while the channel is full. Readers get copies through
 *  the type's ref, the last one v itself. Without readers v is destroyed.
 *  A send that was cancelled or has failed keeps v for vow_reclaim.
 *  Ownership: consumes v, also on error; b is borrowed; the caller owns the
 *    result.
 *  Errors: VOW_ESHUTDOWN (the channel was closed, before or while waiting),
 *    VOW_EMOVED (v's type has a destroy and no ref), through a result that
 *    keeps v; UV_EINVAL (b is NULL), VOW_ESHUTDOWN (the loop is closed),
 *    UV_ENOMEM, VOW_ETHREAD, through one that cannot: v is destroyed at once.
 *  Thread: the loop's. Refs and destructors of values may run in this call. */
#define vow_broadcast_send(b, v) vow_broadcast_send_at(VOW_SITE, (b), (v))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_broadcast_send_at(const char *site,
                                                            vow_broadcast_t *b,
                                                            vow_value_t v);

/** vow_broadcast_try_send(b, v)
 *  Sends v when that needs no waiting. Never allocates, unless the type's ref
 *  does.
 *  Ownership: consumes v when the result is 0; otherwise v stays the caller's.
 *  Errors: UV_EAGAIN (full), VOW_ESHUTDOWN (closed), VOW_EMOVED (v's type has a
 *    destroy and no ref), UV_EINVAL (b is NULL); 0.
 *  Thread: the loop's. No continuation runs in this call; refs and destructors
 *    of values may. */
VOW_EXPORT VOW_MUST_USE int vow_broadcast_try_send(vow_broadcast_t *b,
                                                   vow_value_t v);

/** vow_broadcast_length(b), vow_broadcast_readers(b)
 *  How many values are kept for some reader; how many subscriptions there are.
 *  Ownership: b is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_broadcast_length(const vow_broadcast_t *b);
VOW_EXPORT size_t vow_broadcast_readers(const vow_broadcast_t *b);

/* ---- reading ------------------------------------------------------------ */

/** vow_broadcast_subscribe(b)
 *  A reader of all that is sent from now on. On a closed channel there is
 *  nothing to come.
 *  Ownership: b is borrowed; the caller owns the result until
 *    vow_subscription_free.
 *  Errors: NULL, as vow_queue_new; also when b is NULL.
 *  Thread: the loop's. */
#define vow_broadcast_subscribe(b) vow_broadcast_subscribe_at(VOW_SITE, (b))
VOW_EXPORT VOW_MUST_USE vow_subscription_t *vow_broadcast_subscribe_at(
    const char *site, vow_broadcast_t *b);

/** vow_subscription_free(s)
 *  Gives up reading: the channel need not keep anything for s any more. Nexts
 *  that wait fail with VOW_ESHUTDOWN.
 *  Ownership: consumes s. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. Destructors of values may
 *    run in this call. */
VOW_EXPORT void vow_subscription_free(vow_subscription_t *s);

/** vow_subscription_next(s)
 *  Succeeds with the next value that s has not read; at once when there is one.
 *  Several that wait are served in the order of asking, each with a value of
 *  its own. A next that is cancelled or dropped while it waits takes nothing.
 *  One that was given a value owns it, as a vow_queue_get does.
 *  Ownership: s is borrowed; the caller owns the result.
 *  Errors: VOW_ESHUTDOWN (closed and read to the end, s was freed, or the loop
 *    is closed), UV_ENOBUFS (s was too slow; see VOW_LAG_FAIL), UV_ENOMEM (also
 *    when the type's ref gave NULL; the value is still the next then),
 *    UV_EINVAL (s is NULL), VOW_ETHREAD, through the result.
 *  Thread: the loop's. Refs and destructors of values may run in this call. */
#define vow_subscription_next(s) vow_subscription_next_at(VOW_SITE, (s))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_subscription_next_at(
    const char *site, vow_subscription_t *s);

/** vow_subscription_try_next(s, ret_value)
 *  Reads the next value when there is one. Never allocates, unless the type's
 *  ref does.
 *  Ownership: the caller owns *ret_value, written on success only.
 *  Errors: UV_EAGAIN (nothing there), VOW_ESHUTDOWN, UV_ENOBUFS, UV_ENOMEM, as
 *    above; UV_EINVAL (s or ret_value is NULL); 0.
 *  Thread: the loop's. No continuation runs in this call; refs and destructors
 *    of values may. */
VOW_EXPORT VOW_MUST_USE int vow_subscription_try_next(vow_subscription_t *s,
                                                      vow_value_t *ret_value);

/** vow_subscription_missed(s)
 *  How many values s has skipped since it was asked last: they were sent
 *  before the next one that it will read.
 *  Ownership: s is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT uint64_t vow_subscription_missed(vow_subscription_t *s);

VOW_END_DECLS
#endif

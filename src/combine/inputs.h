/* SPDX-License-Identifier: MIT */
/* What the combinators over an array of futures have in common: checking the
 * array, consuming it when nothing comes of it, waiters for it. */
#ifndef VOW_COMBINE_INPUTS_H
#define VOW_COMBINE_INPUTS_H

#include <vow/op.h>

/** NULL when fn may work on these inputs; otherwise they are consumed, and the
 *  result says what was wrong. n must leave room for item_bytes each. */
vow_future_t *vow__inputs_refuse(const char *site, vow_loop_t *loop,
                                 const char *fn, size_t n,
                                 vow_future_t *const *futures,
                                 size_t item_bytes);

/** The inputs are consumed and vow_op_failed(site, loop, fn) returned. */
vow_future_t *vow__inputs_failed(const char *site, vow_loop_t *loop,
                                 const char *fn, size_t n,
                                 vow_future_t *const *futures);

/** n idle waiters and extra_bytes behind them; NULL for want of memory. Ended
 *  with vow_release. */
vow_waiter_t *vow__waiters_new(size_t n, size_t extra_bytes);

/** Starts the waiters on the inputs, in order. */
void vow__waiters_start(vow_waiter_t *waiters, void *op, size_t n,
                        vow_future_t *const *futures);

/** Withdraws from every input; returns how many waiters were released. The
 *  others go on waiting until their input has unwound. op must not settle
 *  meanwhile. */
size_t vow__waiters_cancel(vow_waiter_t *waiters, size_t n);

/** A class's sources, over n waiters; waiters may be NULL. */
void vow__waiters_visit(const vow_waiter_t *waiters, size_t n,
                        void (*visit)(vow_future_t *f, void *arg), void *arg);

#endif

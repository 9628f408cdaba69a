/* SPDX-License-Identifier: MIT */
/* Select: waiting for the first of several things, of which only that one
 * happens. */
#ifndef VOW_SELECT_H
#define VOW_SELECT_H

#include <vow/broadcast.h>
#include <vow/latest.h>

VOW_BEGIN_DECLS

/** One of the things that a select waits for; made by the functions below and
 *  used once. Its fields are vow's. */
typedef struct vow_case {
  const struct vow_case_class *vow__cls;
  void *vow__object;
  vow_value_t vow__item;
  int64_t vow__number;
} vow_case_t;

/** vow_case_get(q), vow_case_put(q, v), vow_case_put_priority(q, v, priority)
 *  Getting an item from a queue; putting one: as vow_queue_get and
 *  vow_queue_put, but what does not win has taken nothing and put nothing.
 *  Ownership: v belongs to the case; q is borrowed until the select is decided.
 *  Errors: none; a NULL is refused by vow_select.
 *  Thread: the loop's. */
VOW_EXPORT vow_case_t vow_case_get(vow_queue_t *q);
VOW_EXPORT vow_case_t vow_case_put(vow_queue_t *q, vow_value_t v);
VOW_EXPORT vow_case_t vow_case_put_priority(vow_queue_t *q, vow_value_t v,
                                            int64_t priority);

/** vow_case_next(s), vow_case_send(b, v)
 *  Reading the next value of a channel; sending one.
 *  Ownership, Errors, Thread: as vow_case_get and vow_case_put. */
VOW_EXPORT vow_case_t vow_case_next(vow_subscription_t *s);
VOW_EXPORT vow_case_t vow_case_send(vow_broadcast_t *b, vow_value_t v);

/** vow_case_changed(l, seen)
 *  As vow_latest_changed.
 *  Ownership, Errors, Thread: as vow_case_get. */
VOW_EXPORT vow_case_t vow_case_changed(vow_latest_t *l, uint64_t seen);

/** vow_case_future(f)
 *  Any future: a timer, an acquire, a token's.
 *  Ownership: the case owns f.
 *  Errors: none; a NULL is refused by vow_select.
 *  Thread: the loop's. */
VOW_EXPORT vow_case_t vow_case_future(vow_future_t *f);

/** The type of what a select succeeds with; for vow_selected only. It cannot be
 *  shared. */
VOW_EXPORT extern const vow_type_t vow_type_selected;

/** vow_select(loop, n, cases)
 *  Waits for the first case to be ready, value or failure, and succeeds with
 *  what vow_selected reads. Of cases that are ready at the call the first in
 *  argument order wins; later the one that is ready first. Only the winner has
 *  any effect. The others leave their lines at once, so that nobody behind them
 *  waits for nothing; the items of puts that lost are there for
 *  vow_selected_reclaim. Futures that lost are cancelled, and the result
 *  settles when they have unwound; what they end with is dropped, and one that
 *  others share is left to them.
 *  Cancelling or dropping the result takes all cases back, with vow_reclaim for
 *  the items; once a case has won, a cancellation changes nothing. Dropping it
 *  unread destroys what the winner got.
 *  Ownership: consumes what the n cases own, also on error, not the array; the
 *    caller owns the result.
 *  Errors: UV_EINVAL (n is 0, cases is NULL, an object is NULL or of another
 *    loop; loop is NULL), UV_ENOMEM, VOW_ESHUTDOWN (the loop is closed),
 *    VOW_ETHREAD, through the result; the items are destroyed then.
 *  Thread: the loop's. No continuation runs in this call. */
#define vow_select(loop, n, cases) vow_select_at(VOW_SITE, (loop), (n), (cases))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_select_at(const char *site,
                                                    vow_loop_t *loop, size_t n,
                                                    const vow_case_t *cases);

#ifndef __cplusplus
/** vow_select_of(loop, case, case, ...)
 *  The same for a fixed few. In C only.
 *    f = vow_select_of(loop, vow_case_get(jobs),
 *                      vow_case_future(vow_token_future(stop)));
 *  Ownership, Errors, Thread: as vow_select. */
#define vow_select_of(loop, ...)                              \
  vow_select_at(VOW_SITE, (loop), VOW__CASES_OF(__VA_ARGS__), \
                (vow_case_t[]){__VA_ARGS__})

/* How many cases stand there; evaluates none of them. */
#define VOW__CASES_OF(...) \
  (sizeof((vow_case_t[]){__VA_ARGS__}) / sizeof(vow_case_t))
#endif

/** vow_selected(selected, ret_index)
 *  Opens what a select has given: the number of the case that won goes to
 *  *ret_index, unless that is NULL, and its outcome is returned, a failure if it
 *  failed. Of a select that failed or was cancelled itself the failure is
 *  returned, and *ret_index is SIZE_MAX.
 *    v = vow_selected(vow_outcome(in), &which);
 *  Ownership: consumes selected, with the items of puts that lost; the caller
 *    owns the result.
 *  Errors: VOW_ETYPE when selected is neither (it is destroyed, *ret_index is
 *    SIZE_MAX).
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_value_t vow_selected(vow_value_t selected,
                                                 size_t *ret_index);

/** vow_selected_reclaim(selected, ret_item)
 *  Before that: the item of the first put or send that has not put it; when
 *  called again, of the next one.
 *  Ownership: selected is borrowed; the caller owns *ret_item, written on
 *    success only.
 *  Errors: UV_ENOENT (no more), UV_EINVAL (selected is of another type); 0.
 *  Thread: the loop's. */
VOW_EXPORT int vow_selected_reclaim(vow_value_t selected,
                                    vow_value_t *ret_item);

VOW_END_DECLS
#endif

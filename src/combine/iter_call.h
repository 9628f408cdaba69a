/* SPDX-License-Identifier: MIT */
/* What a user's callback returned, when it was called by us and not by the
 * engine. */
#ifndef VOW_COMBINE_ITER_CALL_H
#define VOW_COMBINE_ITER_CALL_H

#include <vow/iter_class.h>

/** The future that *v, which a callback of fn returned to op, says to follow;
 *  the caller owns it, and *v is nil. NULL when *v is a value; when it cannot
 *  be followed *v is the failure that says why. */
vow_future_t *vow__call_followed(void *op, const char *fn, vow_value_t *v);
/** The same for a callback of an iterator. */
vow_future_t *vow__iter_followed(vow_iter_t *it, const char *fn,
                                 vow_value_t *v);

/** v, an outcome that is to be an item. UV_EOF would pass for the end of the
 *  iteration: it becomes the cause of another failure. */
vow_value_t vow__call_item(void *op, const char *fn, vow_value_t v);

/** vow_waiter_release and vow_waiter_cancel; when the future that w holds has
 *  failed already that counts as seen. */
void vow__call_forget(vow_waiter_t *w);
bool vow__call_cancel(vow_waiter_t *w);

/** f's failure, or nil; f is consumed. A cancellation is none. */
vow_value_t vow__call_failure(void *op, vow_future_t *f);

#endif

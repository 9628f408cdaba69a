/* SPDX-License-Identifier: MIT */
/* Events: a flag that one can wait for. */
#ifndef VOW_EVENT_H
#define VOW_EVENT_H

#include <vow/future.h>

VOW_BEGIN_DECLS

typedef struct vow_event vow_event_t;

/** vow_event_new(loop)
 *  An event that is not set.
 *  Ownership: the caller owns it until vow_event_free; it counts among the
 *    loop's live futures until then.
 *  Errors: NULL, as vow_mutex_new.
 *  Thread: the loop's. */
#define vow_event_new(loop) vow_event_new_at(VOW_SITE, (loop))
VOW_EXPORT VOW_MUST_USE vow_event_t *vow_event_new_at(const char *site,
                                                      vow_loop_t *loop);

/** vow_event_free(e)
 *  Gives the event up: those who wait fail with VOW_ESHUTDOWN.
 *  Ownership: consumes e. NULL is allowed.
 *  Errors: none.  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_event_free(vow_event_t *e);

/** vow_event_wait(e)
 *  Succeeds with nil when e is set; at once when it is already. Who waited
 *  when it was set is woken, though it be cleared before the callback runs.
 *  Ownership: e is borrowed; the caller owns the result.
 *  Errors: UV_EINVAL (e is NULL), VOW_ESHUTDOWN, UV_ENOMEM, VOW_ETHREAD,
 *    through the result.
 *  Thread: the loop's. */
#define vow_event_wait(e) vow_event_wait_at(VOW_SITE, (e))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_event_wait_at(const char *site,
                                                        vow_event_t *e);

/** vow_event_set(e), vow_event_clear(e)
 *  Sets e, and wakes all who wait, in the order in which they came; makes those
 *  wait who come from now on. Doing it twice is the same as once.
 *  Ownership: e is borrowed.  Errors: none; NULL is allowed.
 *  Thread: the loop's. No continuation runs in these calls. */
VOW_EXPORT void vow_event_set(vow_event_t *e);
VOW_EXPORT void vow_event_clear(vow_event_t *e);

/** vow_event_is_set(e)
 *  Whether it is.
 *  Ownership: e is borrowed.  Errors: false for NULL.  Thread: the loop's. */
VOW_EXPORT bool vow_event_is_set(const vow_event_t *e);

VOW_END_DECLS
#endif

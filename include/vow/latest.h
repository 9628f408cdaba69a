/* SPDX-License-Identifier: MIT */
/* A value of which only the latest counts: a configuration, a state, progress.
 * Who watches it is told that it has changed, not each change. */
#ifndef VOW_LATEST_H
#define VOW_LATEST_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** A value, and its version: how often it was set. */
typedef struct vow_latest vow_latest_t;

/** vow_latest_new(loop, initial)
 *  One that holds initial, as version 0.
 *  Ownership: consumes initial, also on error; the caller owns the result until
 *    vow_latest_free. Until then it counts among the loop's live futures, as
 *    one that has succeeded.
 *  Errors: NULL for want of memory, when loop is NULL, closed, or of another
 *    thread (vow_last_message says which).
 *  Thread: the loop's. */
#define vow_latest_new(loop, initial) \
  vow_latest_new_at(VOW_SITE, (loop), (initial))
VOW_EXPORT VOW_MUST_USE vow_latest_t *vow_latest_new_at(const char *site,
                                                        vow_loop_t *loop,
                                                        vow_value_t initial);

/** vow_latest_close(l)
 *  Says that there will be no other value. The last one can still be read;
 *  who has not seen it yet is still told.
 *  Ownership: l is borrowed.
 *  Errors: UV_EINVAL when l is NULL; 0, also for one that was closed before.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT int vow_latest_close(vow_latest_t *l);

/** vow_latest_free(l)
 *  Closes l and destroys the value.
 *  Ownership: consumes l. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_latest_free(vow_latest_t *l);

/** vow_latest_set(l, v)
 *  Replaces the value, whether it differs or not; the former one is destroyed.
 *  All who wait for a change are told.
 *  Ownership: consumes v, also on error.
 *  Errors: UV_EINVAL (l is NULL), VOW_ESHUTDOWN (closed); v is destroyed then;
 *    0.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT int vow_latest_set(vow_latest_t *l, vow_value_t v);

/** vow_latest_get(l, ret_version)
 *  The value. Its version is written to *ret_version unless that is NULL.
 *  Ownership: borrowed from l, until it is set or freed; vow_value_share makes
 *    a copy of your own.
 *  Errors: nil for NULL.  Thread: the loop's. */
VOW_EXPORT vow_value_t vow_latest_get(const vow_latest_t *l,
                                      uint64_t *ret_version);

/** vow_latest_changed(l, seen)
 *  Succeeds with the version (vow_int) once that is another than seen; at once
 *  when it is. Sets in a row are one change. The loop that misses nothing:
 *    await vow_latest_changed(l, seen);
 *    v = vow_latest_get(l, &seen);
 *  Ownership: l is borrowed; the caller owns the result.
 *  Errors: VOW_ESHUTDOWN (closed and seen, or the loop is closed), UV_EINVAL (l
 *    is NULL), UV_ENOMEM, VOW_ETHREAD, through the result.
 *  Thread: the loop's. */
#define vow_latest_changed(l, seen) vow_latest_changed_at(VOW_SITE, (l), (seen))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_latest_changed_at(const char *site,
                                                            vow_latest_t *l,
                                                            uint64_t seen);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Resources with an asynchronous open and close: whatever happens in between,
 * what was opened is closed, once, and that is awaited. */
#ifndef VOW_USING_H
#define VOW_USING_H

#include <vow/future.h>

VOW_BEGIN_DECLS

/** vow_using(open, use, close, arg[, arg_drop])
 *  When open succeeds calls use(open, arg), awaits what it follows, calls
 *  close(open, arg), awaits what that follows, and settles as use did.
 *   - Once open has succeeded close runs, exactly once, on every way out: use
 *     failed, the result was cancelled or dropped, the loop is being closed. It
 *     needs no memory of vow's.
 *   - close, and what it follows, is shielded: no cancellation reaches it.
 *   - When close fails that is the result's failure, with use's as its cause; a
 *     value that use gave is destroyed. Other values of close's are.
 *   - When open fails or is cancelled so is the result; neither callback runs.
 *   - Cancelled while open is pending: open is asked to end. If it succeeds all
 *     the same close runs, and use does not. While use is under way, that is
 *     asked to end, and awaited, before close. A use that succeeds all the same
 *     is delivered.
 *  Both callbacks get open, which has succeeded: use looks at the resource
 *  (vow_get), close may take it (vow_take); what it leaves is destroyed behind
 *  the close.
 *  Ownership: consumes open; arg_drop(arg), when given, runs exactly once, when
 *    close has ended, before the result settles. The caller owns the result.
 *  Errors: UV_EINVAL (open or a callback is NULL), UV_ENOMEM, VOW_ETHREAD,
 *    VOW_ESHUTDOWN, through the result: then neither runs and open is dropped,
 *    its value ended by its type; one with a callback that follows a future of
 *    another loop fails with UV_EINVAL, one that waits for the result with
 *    VOW_ECYCLE.
 *  Thread: the loop's. The callbacks run from the ready queue. */
#define vow_using(...) VOW__USING(__VA_ARGS__, NULL, 0)
#define VOW__USING(open, use, close, arg, arg_drop, ...) \
  vow_using_at(VOW_SITE, (open), (use), (close), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_using_at(const char *site,
                                                   vow_future_t *open,
                                                   vow_then_cb use,
                                                   vow_then_cb close, void *arg,
                                                   vow_drop_cb arg_drop);

VOW_END_DECLS
#endif

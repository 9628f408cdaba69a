/* SPDX-License-Identifier: MIT */
/* Once: something that is made asynchronously, one time, for all who need it.
 */
#ifndef VOW_ONCE_H
#define VOW_ONCE_H

#include <vow/future.h>

VOW_BEGIN_DECLS

typedef struct vow_once vow_once_t;

/** Starts the making. The result is consumed; it must be of loop. The callback
 *  may do anything to the once and to the futures that wait for it. */
typedef vow_future_t *(*vow_once_cb)(vow_loop_t *loop, void *arg);

/** vow_once_new(loop)
 *  One that is not made yet.
 *  Ownership: the caller owns it until vow_once_free; it counts among the
 *    loop's live futures until then.
 *  Errors: NULL, as vow_mutex_new.
 *  Thread: the loop's. */
#define vow_once_new(loop) vow_once_new_at(VOW_SITE, (loop))
VOW_EXPORT VOW_MUST_USE vow_once_t *vow_once_new_at(const char *site,
                                                    vow_loop_t *loop);

/** vow_once_free(o)
 *  Destroys the value. Those who wait fail with VOW_ESHUTDOWN; what is being
 *  made is cancelled and awaited first.
 *  Ownership: consumes o. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. Destructors of args and
 *    of the value may run in this call. */
VOW_EXPORT void vow_once_free(vow_once_t *o);

/** vow_once_run(o, start, arg[, arg_drop])
 *  The value, made if need be: the first caller's start is called, from the
 *  ready queue, and when its future has succeeded that value is kept in o and
 *  shared among all who wait and will come. When it fails, so does the
 *  caller's result, and the start of the next who waits is called.
 *  A result that is cancelled leaves the others alone: what it has started
 *  goes on for the next who waits. When nobody waits it is cancelled and
 *  awaited.
 *  A value whose type cannot be shared stays in o, and the results succeed
 *  with nil: read it with vow_once_value.
 *  Ownership: arg_drop(arg), when given, runs exactly once: when the future of
 *    start has ended, or when it is certain that start will not be called;
 *    before the result settles, unless the result was cancelled. o is borrowed;
 *    the caller owns the result.
 *  Errors: those of start's future. UV_EINVAL (o or start is NULL; start
 *    returned NULL or a future of another loop), VOW_ECYCLE (a future that
 *    waits for o or for the result), VOW_ESHUTDOWN (o was freed), UV_ENOMEM,
 *    VOW_ETHREAD.
 *  Thread: the loop's. */
#define vow_once_run(...) VOW__ONCE(__VA_ARGS__, NULL, 0)
#define VOW__ONCE(o, start, arg, arg_drop, ...) \
  vow_once_run_at(VOW_SITE, (o), (start), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_once_run_at(const char *site,
                                                      vow_once_t *o,
                                                      vow_once_cb start,
                                                      void *arg,
                                                      vow_drop_cb arg_drop);

/** vow_once_is_done(o), vow_once_value(o)
 *  Whether the value is there; the value, nil before.
 *  Ownership: the value is borrowed from o: see vow_value_get.
 *  Errors: false, nil for NULL.  Thread: the loop's. */
VOW_EXPORT bool vow_once_is_done(const vow_once_t *o);
VOW_EXPORT vow_value_t vow_once_value(const vow_once_t *o);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Work on libuv's thread pool. */
#ifndef VOW_WORK_H
#define VOW_WORK_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** Runs on a thread of the pool. Of vow's functions it may call those whose
 *  contract says "Thread: any"; it must not return vow_follow. */
typedef vow_value_t (*vow_work_cb)(void *arg);

/** vow_queue_work(loop, cb, arg[, arg_drop])
 *  Calls cb(arg) on libuv's thread pool; the result settles with what it
 *  returns, value or failure.
 *  As many functions of a loop run at a time as the pool has threads
 *  (UV_THREADPOOL_SIZE, 4), started in the order of the calls.
 *  Cancelled before cb began, it never starts. Cancelled while cb runs, the
 *  future settles at once, cb runs to its end, and what it returns is
 *  destroyed.
 *  Ownership: arg belongs to cb from the call on; arg_drop(arg), when given,
 *    runs exactly once, on the loop's thread: when cb has returned, or is
 *    certain never to start. What cb returned is destroyed, if nobody takes
 *    it, once and on the loop's thread. The caller owns the result.
 *  Errors: UV_EINVAL (loop or cb is NULL), UV_ENOTSUP (the loop is not on
 *    libuv), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN, through the result; what
 *    uv_queue_work says, or UV_EAGAIN for those behind, should it ever refuse.
 *  Thread: the loop's. Source: uv_queue_work. */
#define vow_queue_work(...) VOW__WORK(__VA_ARGS__, NULL, 0)
#define VOW__WORK(loop, cb, arg, arg_drop, ...) \
  vow_queue_work_at(VOW_SITE, (loop), (cb), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_queue_work_at(const char *site,
                                                        vow_loop_t *loop,
                                                        vow_work_cb cb,
                                                        void *arg,
                                                        vow_drop_cb arg_drop);

VOW_END_DECLS
#endif

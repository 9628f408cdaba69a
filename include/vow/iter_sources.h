/* SPDX-License-Identifier: MIT */
/* Iterators over what there is already, or what a callback makes. */
#ifndef VOW_ITER_SOURCES_H
#define VOW_ITER_SOURCES_H

#include <vow/as_completed.h>
#include <vow/iter.h>
#include <vow/list.h>

VOW_BEGIN_DECLS

/** vow_iter_range(loop, first, end, step)
 *  Gives the numbers first, first + step, ... as long as they are before end:
 *  below it, or above it when step is negative.
 *  Ownership: the caller owns the result.
 *  Errors: UV_EINVAL (loop is NULL, step is 0), UV_ENOMEM, VOW_ETHREAD,
 *    VOW_ESHUTDOWN, through the nexts.
 *  Thread: the loop's. */
#define vow_iter_range(loop, first, end, step) \
  vow_iter_range_at(VOW_SITE, (loop), (first), (end), (step))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_range_at(const char *site,
                                                      vow_loop_t *loop,
                                                      int64_t first,
                                                      int64_t end,
                                                      int64_t step);

/** vow_iter_of_list(loop, list)
 *  Gives the elements of a list, as vow_list_take does; those that are failures
 *  are failures of nexts, UV_EOF as UV_EPROTO.
 *  Ownership: consumes list; the caller owns the result.
 *  Errors: UV_EINVAL (NULL), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN, through the
 *    nexts; VOW_EMOVED for an element of a list that has other holders and
 *    cannot be shared.
 *  Thread: the loop's. */
#define vow_iter_of_list(loop, list) \
  vow_iter_of_list_at(VOW_SITE, (loop), (list))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_of_list_at(const char *site,
                                                        vow_loop_t *loop,
                                                        vow_list_t *list);

/** Makes item i, counting from 0 over all calls: a value, a failure of one
 *  next, vow_follow of a future, or the end, vow_fail(UV_EOF), in either way. */
typedef vow_value_t (*vow_iter_cb)(vow_loop_t *loop, uint64_t i, void *arg);

/** Cleans up; may return vow_follow of a future, which is awaited and cannot be
 *  cancelled. */
typedef vow_value_t (*vow_iter_close_cb)(vow_loop_t *loop, void *arg);

/** vow_iter_from(loop, next, close, arg[, arg_drop])
 *  Calls next for each item that is asked for; and, when close is not NULL,
 *  close once when it is being closed, whether next was ever called or not,
 *  when the future of the last next has unwound. Both run from the ready queue.
 *  Ownership: arg_drop(arg), when given, runs exactly once, behind close, before
 *    the closing settles. The caller owns the result.
 *  Errors: UV_EINVAL (loop or next is NULL), UV_ENOMEM, VOW_ETHREAD,
 *    VOW_ESHUTDOWN, through the nexts: then close is not called. What close
 *    fails with is the failure of vow_iter_close.
 *  Thread: the loop's. */
#define vow_iter_from(...) VOW__ITER_FROM(__VA_ARGS__, NULL, 0)
#define VOW__ITER_FROM(loop, next, close, arg, arg_drop, ...) \
  vow_iter_from_at(VOW_SITE, (loop), (next), (close), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_from_at(
    const char *site, vow_loop_t *loop, vow_iter_cb next,
    vow_iter_close_cb close, void *arg, vow_drop_cb arg_drop);

/** vow_completed_iter(completed)
 *  Gives what vow_completed_next does: the inputs as they settle, failures and
 *  cancellations as such; an input that failed with UV_EOF as UV_EPROTO.
 *  Closing it cancels the inputs that were not given, and awaits them.
 *  Ownership: consumes completed; the caller owns the result. Until it is
 *    closed vow_completed_index may be asked.
 *  Errors: UV_EINVAL (NULL), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN, through the
 *    nexts.
 *  Thread: the loop's. */
#define vow_completed_iter(completed) \
  vow_completed_iter_at(VOW_SITE, (completed))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_completed_iter_at(
    const char *site, vow_completed_t *completed);

VOW_END_DECLS
#endif

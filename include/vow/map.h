/* SPDX-License-Identifier: MIT */
/* map: one function over many items, so many at once. Also serves batches. */
#ifndef VOW_MAP_H
#define VOW_MAP_H

#include <vow/list.h>

VOW_BEGIN_DECLS

/** Starts the work for item i. The result is consumed; it must be of loop. The
 *  callback may cancel or drop the map's own future. */
typedef vow_future_t *(*vow_map_cb)(vow_loop_t *loop, size_t i, void *arg);

/** vow_map(loop, n, limit, fn, arg[, arg_drop])
 *  Calls fn for 0 to n - 1 in order, with at most limit of the futures it
 *  returned pending at any time, and succeeds with a list of their values in
 *  the order of the items; for n == 0 with an empty one. fn runs from the
 *  ready queue, never in this call.
 *  The first future to fail, or to be cancelled, decides as with vow_gather:
 *  fn is not called any more, what runs is cancelled and awaited, further
 *  failures are kept in an aggregate. Cancelling the result: as vow_gather.
 *  Memory: a value for each item, a waiter for each of the limit.
 *  Ownership: arg_drop(arg), when given, runs exactly once: when all that was
 *    started has ended, before the result settles. The caller owns the result.
 *  Errors: UV_EINVAL through the result when loop or fn is NULL, limit is 0 or
 *    n cannot be a count. An item fails with UV_EINVAL when fn returns NULL or
 *    a future of another loop, with VOW_ECYCLE when it returns one that
 *    waits for the result. UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN; VOW_EMOVED as vow_gather.
 *  Thread: the loop's. */
#define vow_map(...)     VOW__MAP(vow_map_at, __VA_ARGS__, NULL, 0)
#define VOW__MAP(f, ...) VOW__MAP2(f, __VA_ARGS__)
#define VOW__MAP2(f, loop, n, limit, fn, arg, arg_drop, ...) \
  f(VOW_SITE, (loop), (n), (limit), (fn), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_map_at(const char *site,
                                                 vow_loop_t *loop, size_t n,
                                                 size_t limit, vow_map_cb fn,
                                                 void *arg,
                                                 vow_drop_cb arg_drop);

/** vow_map_settled(loop, n, limit, fn, arg[, arg_drop])
 *  The same, but failures and cancellations are elements of the list, and
 *  count as seen; every item is worked on. Cancelling the result itself is not
 *  swallowed: as vow_gather_settled.
 *  Ownership, Errors, Thread: as vow_map. */
#define vow_map_settled(...) VOW__MAP(vow_map_settled_at, __VA_ARGS__, NULL, 0)
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_map_settled_at(
    const char *site, vow_loop_t *loop, size_t n, size_t limit, vow_map_cb fn,
    void *arg, vow_drop_cb arg_drop);

VOW_END_DECLS
#endif

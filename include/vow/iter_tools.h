/* SPDX-License-Identifier: MIT */
/* Iterators on top of iterators, and what runs one to its end.
 *
 * What holds for all of them:
 *  - The iterators that go in are consumed; closing the result closes them,
 *    and awaits that.
 *  - A failure of a source is given in its place, and more may come behind it.
 *  - Callbacks are vow_then_cbs: in is the source's next, which has succeeded,
 *    and they return a value, a failure, or vow_follow of a future, which is
 *    awaited. They run from the ready queue, one at a time unless said
 *    otherwise, and may close or free the iterator.
 *  - A callback that fails fails one next. UV_EOF would pass for the end of the
 *    iteration; as an item's failure it comes as UV_EPROTO, with UV_EOF as its
 *    cause.
 *  - Closing cancels what callbacks have started and awaits it; what that ends
 *    with is dropped.
 *  - arg_drop(arg), when given, runs exactly once: when all has been closed,
 *    before the close settles.
 *  - UV_EINVAL (an iterator or a callback is NULL, a number is 0), UV_ENOMEM,
 *    VOW_ETHREAD, VOW_ESHUTDOWN come through the nexts of the result; all that
 *    was passed is consumed then, closed with nobody to wait. */
#ifndef VOW_ITER_TOOLS_H
#define VOW_ITER_TOOLS_H

#include <vow/iter.h>
#include <vow/list.h>

VOW_BEGIN_DECLS

#define VOW__ITER_CB(f, ...) VOW__ITER_CB2(f, __VA_ARGS__)
#define VOW__ITER_CB2(f, it, cb, arg, arg_drop, ...) \
  f(VOW_SITE, (it), (cb), (arg), (arg_drop))
#define VOW__ITER_NCB(f, ...) VOW__ITER_NCB2(f, __VA_ARGS__)
#define VOW__ITER_NCB2(f, it, n, cb, arg, arg_drop, ...) \
  f(VOW_SITE, (it), (n), (cb), (arg), (arg_drop))

/* ---- item by item -------------------------------------------------------- */

/** vow_iter_map(it, cb, arg[, arg_drop])
 *  Gives what cb returns for each item. cb may take the item out of in.
 *  Ownership: consumes it; the caller owns the result.
 *  Errors: as above.  Thread: the loop's. */
#define vow_iter_map(...) VOW__ITER_CB(vow_iter_map_at, __VA_ARGS__, NULL, 0)
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_map_at(const char *site,
                                                    vow_iter_t *it,
                                                    vow_then_cb cb, void *arg,
                                                    vow_drop_cb arg_drop);

/** vow_iter_filter(it, cb, arg[, arg_drop])
 *  Gives the items for which cb returns a number that is not 0. cb can look at
 *  the item, but not take it, unless its type can be shared.
 *  Ownership: as vow_iter_map.
 *  Errors: as above; VOW_ETYPE for an item for which cb returned no number; the
 *    item is lost.
 *  Thread: the loop's. */
#define vow_iter_filter(...) \
  VOW__ITER_CB(vow_iter_filter_at, __VA_ARGS__, NULL, 0)
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_filter_at(const char *site,
                                                       vow_iter_t *it,
                                                       vow_then_cb cb,
                                                       void *arg,
                                                       vow_drop_cb arg_drop);

/** vow_iter_take_while(it, cb, arg[, arg_drop])
 *  Gives the items up to the first for which cb returns 0; that one is
 *  destroyed, it is closed, and then comes the end.
 *  Ownership, Errors, Thread: as vow_iter_filter. A failure of that close comes
 *    before the end. */
#define vow_iter_take_while(...) \
  VOW__ITER_CB(vow_iter_take_while_at, __VA_ARGS__, NULL, 0)
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_take_while_at(
    const char *site, vow_iter_t *it, vow_then_cb cb, void *arg,
    vow_drop_cb arg_drop);

/** vow_iter_take(it, n)
 *  Gives the first n items, failures not counted. The next behind them closes
 *  it, and when that has unwound comes the end.
 *  Ownership: consumes it; the caller owns the result.
 *  Errors: as above, but n may be 0. A failure of that close comes before the
 *    end.
 *  Thread: the loop's. */
#define vow_iter_take(it, n) vow_iter_take_at(VOW_SITE, (it), (n))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_take_at(const char *site,
                                                     vow_iter_t *it,
                                                     uint64_t n);

/** vow_iter_skip(it, n)
 *  Destroys the first n items, failures not counted, and gives the others.
 *  Ownership: consumes it; the caller owns the result.
 *  Errors: as above, but n may be 0.  Thread: the loop's. */
#define vow_iter_skip(it, n) vow_iter_skip_at(VOW_SITE, (it), (n))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_skip_at(const char *site,
                                                     vow_iter_t *it,
                                                     uint64_t n);

/** vow_iter_chunk(it, n)
 *  Gives lists (vow_take_list) of n items each, and at the end of what is left,
 *  if anything is. A failure is given at once; what was gathered until then
 *  begins the next list.
 *  Ownership: consumes it; the caller owns the result.
 *  Errors: as above. For want of memory for a list nothing is lost.
 *  Thread: the loop's. */
#define vow_iter_chunk(it, n) vow_iter_chunk_at(VOW_SITE, (it), (n))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_chunk_at(const char *site,
                                                      vow_iter_t *it, size_t n);

/** vow_iter_timeout(it, delay_ms)
 *  Gives the items of it. One that has not come delay_ms after it was asked for
 *  fails that next with UV_ETIMEDOUT; it is still waited for, and given to a
 *  later one.
 *  Ownership: consumes it; the caller owns the result.
 *  Errors: UV_ETIMEDOUT; as above, but delay_ms may be 0.
 *  Thread: the loop's. */
#define vow_iter_timeout(it, delay_ms) \
  vow_iter_timeout_at(VOW_SITE, (it), (delay_ms))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_timeout_at(const char *site,
                                                        vow_iter_t *it,
                                                        uint64_t delay_ms);

/* ---- several at a time --------------------------------------------------- */

/** vow_iter_buffered(it, n, cb, arg[, arg_drop])
 *  vow_iter_map with the futures of up to n callbacks pending at a time; what
 *  they give comes in the order of the items. From the first next on it runs
 *  ahead: it asks for items, and begins them, until n are pending or wait to be
 *  given.
 *  Ownership: consumes it; the caller owns the result.
 *  Errors: as above.  Thread: the loop's. */
#define vow_iter_buffered(...) \
  VOW__ITER_NCB(vow_iter_buffered_at, __VA_ARGS__, NULL, 0)
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_buffered_at(
    const char *site, vow_iter_t *it, size_t n, vow_then_cb cb, void *arg,
    vow_drop_cb arg_drop);

/** vow_iter_buffered_unordered(it, n, cb, arg[, arg_drop])
 *  The same, but items come as they are finished.
 *  Ownership, Errors, Thread: as vow_iter_buffered. */
#define vow_iter_buffered_unordered(...) \
  VOW__ITER_NCB(vow_iter_buffered_unordered_at, __VA_ARGS__, NULL, 0)
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_buffered_unordered_at(
    const char *site, vow_iter_t *it, size_t n, vow_then_cb cb, void *arg,
    vow_drop_cb arg_drop);

/* ---- several sources ----------------------------------------------------- */

/** vow_iter_chain(loop, n, its)
 *  Gives all items of the first, then of the second, and so on. One that has
 *  ended is closed, and that awaited, before the next is asked.
 *  Ownership: consumes the n iterators, not the array, also on error (but does
 *    not touch an array that cannot be one); the caller owns the result.
 *  Errors: as above: also when the loop or the array is NULL or an iterator is
 *    of another loop; n may be 0. When one could not be made neither could the
 *    result. A failure of a close comes as an item's.
 *  Thread: the loop's. */
#define vow_iter_chain(loop, n, its) \
  vow_iter_chain_at(VOW_SITE, (loop), (n), (its))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_chain_at(const char *site,
                                                      vow_loop_t *loop,
                                                      size_t n,
                                                      vow_iter_t *const *its);

/** vow_iter_merge(loop, n, its)
 *  Gives the items of all of them as they come; ends when all have. From the
 *  first next on each is asked ahead for one item. One that has ended is
 *  closed.
 *  Ownership, Errors, Thread: as vow_iter_chain. */
#define vow_iter_merge(loop, n, its) \
  vow_iter_merge_at(VOW_SITE, (loop), (n), (its))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_iter_merge_at(const char *site,
                                                      vow_loop_t *loop,
                                                      size_t n,
                                                      vow_iter_t *const *its);

#ifndef __cplusplus
/** vow_iter_chain_of(loop, a, b, ...), vow_iter_merge_of(loop, a, b, ...)
 *  The same for a fixed few. In C only.
 *  Ownership, Errors, Thread: as the array forms. */
#define vow_iter_chain_of(loop, ...)                                 \
  vow_iter_chain_at(VOW_SITE, (loop), VOW__ITERS_COUNT(__VA_ARGS__), \
                    (vow_iter_t *[]){__VA_ARGS__})
#define vow_iter_merge_of(loop, ...)                                 \
  vow_iter_merge_at(VOW_SITE, (loop), VOW__ITERS_COUNT(__VA_ARGS__), \
                    (vow_iter_t *[]){__VA_ARGS__})

/* How many iterators stand there; evaluates none of them. */
#define VOW__ITERS_COUNT(...) \
  (sizeof((vow_iter_t *[]){__VA_ARGS__}) / sizeof(vow_iter_t *))
#endif

/* ---- to the end ---------------------------------------------------------- */

/** vow_iter_each(it, cb, arg[, arg_drop])
 *  Calls cb for each item, one after the other, each when what the one before
 *  returned has succeeded (whatever with; those values are destroyed). Succeeds
 *  with the number of items when they have come to their end. What is returned
 *  as vow_iter_stop() ends it there, with success.
 *  The first failure, of an item or of cb, ends it and is the result's; so does
 *  a cancellation. Cancelled, it cancels what is under way and awaits it.
 *  On every way out the iterator is closed, and that is awaited; nothing
 *  cancels that. When it fails that failure is the result's, with the former
 *  one as its cause.
 *  Ownership: consumes it; arg_drop(arg), when given, runs exactly once, behind
 *    the close, before the result settles. The caller owns the result.
 *  Errors: UV_EINVAL through the result when it or cb is NULL; what was wrong
 *    when it was made; UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN. it is freed then.
 *  Thread: the loop's. */
#define vow_iter_each(...) VOW__ITER_CB(vow_iter_each_at, __VA_ARGS__, NULL, 0)
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_iter_each_at(const char *site,
                                                       vow_iter_t *it,
                                                       vow_then_cb cb,
                                                       void *arg,
                                                       vow_drop_cb arg_drop);

/** vow_iter_stop()
 *  What the callback of vow_iter_each returns, or its future succeeds with, to
 *  leave early.
 *  Ownership: none; never allocates.  Errors: none.  Thread: any. */
VOW_EXPORT vow_value_t vow_iter_stop(void);

/** vow_iter_collect(it, max)
 *  Succeeds with a list (vow_take_list) of all items, at most max (SIZE_MAX: no
 *  limit). Ends, and closes it, as vow_iter_each does.
 *  Ownership: consumes it; the caller owns the result.
 *  Errors: UV_EMSGSIZE when there are more than max; to have the first ones
 *    only, use vow_iter_take. Otherwise as vow_iter_each.
 *  Thread: the loop's. */
#define vow_iter_collect(it, max) vow_iter_collect_at(VOW_SITE, (it), (max))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_iter_collect_at(const char *site,
                                                          vow_iter_t *it,
                                                          size_t max);

VOW_END_DECLS
#endif

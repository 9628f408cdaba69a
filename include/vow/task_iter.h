/* SPDX-License-Identifier: MIT */
/* Iterators and tasks: walking one with a loop, and making one of a task that
 * emits its items. */
#ifndef VOW_TASK_ITER_H
#define VOW_TASK_ITER_H

#include <vow/iter.h>
#include <vow/task.h>

VOW_BEGIN_DECLS

/* ---- walking --------------------------------------------------------------- */

#if defined(__GNUC__) || defined(__clang__)
/** VOW_FOR(step, it, ret_failure) { ... }
 *  In a task: runs the block for each item of it, step.item. Leaving it in any
 *  way (the end, break, return, goto) closes the iterator, waits until that is
 *  done, and frees it. A failure ends the walk, and so does a failure of the
 *  closing; *ret_failure is then that, else nil.
 *    vow_value_t failure;
 *    VOW_FOR(step, it, &failure) { use(step.item); }
 *    if (vow_value_is_failure(failure)) return failure;
 *  An item is destroyed when its turn is over, unless vow_step_take took it.
 *  Consumes the iterator; the caller owns *ret_failure, which is written when
 *  the walk begins and when it has ended. A cancelled task ends the walk with
 *  the reason; the closing is shielded, as clean-up is. */
#define VOW_FOR(step, it, ret_failure)                          \
  for (vow_step_t step __attribute__((cleanup(vow_step_end))) = \
           vow_step_begin((it), (ret_failure));                 \
       vow_step_next_at(VOW_SITE, &step);)
#endif

/** A walk, while it lasts. */
typedef struct vow_step {
  /** The item; borrowed. */
  vow_value_t item;
  vow_iter_t *vow__it;
  vow_value_t *vow__failure;
} vow_step_t;

/** vow_step_begin(it, ret_failure), vow_step_next(step), vow_step_end(step)
 *  What VOW_FOR is made of: next waits for an item and is false when there is
 *  none, end closes and frees the iterator.
 *  Ownership: begin consumes it; *ret_failure must stay until the end.
 *  Errors: in *ret_failure.  Thread: the loop's, in a task. */
VOW_EXPORT vow_step_t vow_step_begin(vow_iter_t *it, vow_value_t *ret_failure);
#define vow_step_next(step) vow_step_next_at(VOW_SITE, (step))
VOW_EXPORT bool vow_step_next_at(const char *site, vow_step_t *step);
VOW_EXPORT void vow_step_end(vow_step_t *step);

/** vow_step_take(step)
 *  Moves the item out; step.item is nil then.
 *  Ownership: the caller owns the result.
 *  Errors: none.  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_value_t vow_step_take(vow_step_t *step);

/* ---- making ---------------------------------------------------------------- */

/** vow_generator(loop, body, arg[, arg_drop])
 *  An iterator over what body, run as a task, gives to vow_emit. It begins with
 *  the first next, and runs from one vow_emit to the following only while
 *  somebody asks. When body returns, that is the end; a failure that it returns
 *  is an item before. Closing cancels the task, and waits for its clean-up.
 *  The body must not wait for its own iterator: no next comes, and as closing
 *  it cannot be cancelled, neither ends.
 *  Ownership: the caller owns the result; arg_drop as in vow_go, also when the
 *    generator is closed before it has begun.
 *  Errors: UV_EINVAL (loop or body is NULL), UV_ENOMEM, VOW_ETHREAD,
 *    VOW_ESHUTDOWN, through its nexts.
 *  Thread: the loop's. */
#define vow_generator(...) VOW__GENERATOR(__VA_ARGS__, NULL, 0)
#define VOW__GENERATOR(loop, body, arg, arg_drop, ...) \
  vow_generator_at(VOW_SITE, (loop), (body), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_generator_at(const char *site,
                                                     vow_loop_t *loop,
                                                     vow_task_cb body,
                                                     void *arg,
                                                     vow_drop_cb arg_drop);

/** vow_emit(v)
 *  In a generator's body: gives v, which may be a failure, to whoever asked,
 *  and waits until the next item is asked for.
 *  Ownership: consumes v.
 *  Errors: UV_EINVAL (no generator's body runs here); the reason when the
 *    generator is being closed: return then; 0.
 *  Thread: the loop's, in a generator's task, in its clean-up refused once the
 *    generator is being closed. */
#define vow_emit(v) vow_emit_at(VOW_SITE, (v))
VOW_EXPORT VOW_MUST_USE int vow_emit_at(const char *site, vow_value_t v);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Groups: tasks, and other futures, that begin and end together (structured
 * concurrency). Nothing of a group outlives it. */
#ifndef VOW_GROUP_H
#define VOW_GROUP_H

#include <vow/task.h>

VOW_BEGIN_DECLS

typedef struct vow_group vow_group_t;

typedef enum vow_group_policy {
  /** The first failure cancels the others; vow_group_join fails with it. A
   *  success gives a list of the members' values in order of adding. */
  VOW_GROUP_ALL,
  /** A failure disturbs nobody; a list of the members' outcomes, failures and
   *  cancellations included. */
  VOW_GROUP_SETTLED,
  /** The first success cancels the others and is the value; when all have
   *  failed, all failures; with no member at all UV_EINVAL. */
  VOW_GROUP_FIRST,
  /** An owner for work in the background: values are destroyed, failures
   *  reported as unseen ones are, and memory stays flat however many members
   *  come and go. The value is nil. */
  VOW_GROUP_BACKGROUND
} vow_group_policy_t;

/** vow_group_new(loop, policy)
 *  An empty group.
 *  Ownership: the caller owns it until vow_group_join or vow_group_free.
 *    Members that add to their group borrow it: it is there while they are.
 *  Errors: NULL for want of memory, when loop is NULL, closed, or of another
 *    thread, when there is no such policy (vow_last_message says which).
 *  Thread: the loop's. */
#define vow_group_new(loop, policy) vow_group_new_at(VOW_SITE, (loop), (policy))
VOW_EXPORT VOW_MUST_USE vow_group_t *vow_group_new_at(
    const char *site, vow_loop_t *loop, vow_group_policy_t policy);

/** vow_group_open(policy)
 *  vow_group_new for the task that runs here, closed with its innermost
 *  vow_scope or the task itself (vow_defer): on every way out, joined or not,
 *  the members are cancelled and waited for, so that they may use what lives on
 *  this task's stack. A failure in their clean-up becomes the outcome.
 *  Ownership: the scope owns it; vow_group_join may be called once, and what
 *    that gives be dropped; do not call vow_group_free.
 *  Errors: NULL, as vow_group_new; also when no task runs here.
 *  Thread: the loop's, in a task. */
#define vow_group_open(policy) vow_group_open_at(VOW_SITE, (policy))
VOW_EXPORT VOW_MUST_USE vow_group_t *vow_group_open_at(
    const char *site, vow_group_policy_t policy);

/** vow_group_go(g, body, arg[, arg_drop])
 *  Starts a task in g. Members may do so, too, also after vow_group_join.
 *  Ownership: g is borrowed; arg_drop as in vow_go, also on error.
 *  Errors: VOW_ESHUTDOWN when g has been decided, cancelled, or has settled;
 *    UV_EINVAL (g or body is NULL), VOW_ETHREAD; UV_ENOMEM, which counts as a
 *    failure of the group, too, so that it may be ignored here; 0. What goes
 *    wrong later is the member's failure.
 *  Thread: the loop's. body never runs in this call. */
#define vow_group_go(...) VOW__GROUP_GO(__VA_ARGS__, NULL, 0)
#define VOW__GROUP_GO(g, body, arg, arg_drop, ...) \
  vow_group_go_at(VOW_SITE, (g), NULL, (body), (arg), (arg_drop))

/** vow_group_go_with(g, options, body, arg[, arg_drop])
 *  The same with options for the task.
 *  Ownership, Errors, Thread: as vow_group_go. */
#define vow_group_go_with(...) VOW__GROUP_GO_WITH(__VA_ARGS__, NULL, 0)
#define VOW__GROUP_GO_WITH(g, options, body, arg, arg_drop, ...) \
  vow_group_go_at(VOW_SITE, (g), (options), (body), (arg), (arg_drop))
VOW_EXPORT int vow_group_go_at(const char *site, vow_group_t *g,
                               const vow_task_options_t *options,
                               vow_task_cb body, void *arg,
                               vow_drop_cb arg_drop);

/** vow_group_add(g, f)
 *  Makes any future a member. When g cancels its members f is cancelled for
 *  everybody (vow_cancel); keep a vow_ref to read its value as well.
 *  Ownership: consumes f, also on error; g is borrowed.
 *  Errors: as vow_group_go; UV_EINVAL when f is NULL or of another loop,
 *    VOW_ECYCLE when it waits for g.
 *  Thread: the loop's. */
VOW_EXPORT int vow_group_add(vow_group_t *g, vow_future_t *f);

/** vow_group_start(g, body, arg[, arg_drop])
 *  Starts a task in g and succeeds once that has called vow_task_started,
 *  with the value it gave: a server that listens, say. When the task ends
 *  before, the result fails with its failure (which is then none of the
 *  group's), or VOW_EBROKEN. Cancelling or dropping the result before then
 *  cancels the task, and so does g; then it is cancelled, whatever the reason. It
 *  settles when the body, and the clean-up that it registered, has ended; so a
 *  task that awaits its own result is refused, with VOW_ECYCLE.
 *  Ownership: g is borrowed; arg_drop as in vow_go; the caller owns the result.
 *  Errors: as vow_group_go, through the result.
 *  Thread: the loop's. */
#define vow_group_start(...) VOW__GROUP_START(__VA_ARGS__, NULL, 0)
#define VOW__GROUP_START(g, body, arg, arg_drop, ...) \
  vow_group_start_at(VOW_SITE, (g), (body), (arg), (arg_drop))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_group_start_at(const char *site,
                                                         vow_group_t *g,
                                                         vow_task_cb body,
                                                         void *arg,
                                                         vow_drop_cb arg_drop);

/** vow_task_started(v)
 *  In a task that vow_group_start began: it has started, and v is what the
 *  starter gets.
 *  Ownership: consumes v, also on error.
 *  Errors: UV_EINVAL in any other task or outside of one, VOW_ESETTLED the
 *    second time, UV_ECANCELED when nobody waits for it; 0.
 *  Thread: the loop's, in a task. */
VOW_EXPORT int vow_task_started(vow_value_t v);

/** vow_group_cancel(g, reason)
 *  Asks all members to end, tasks with that reason (a negative code; 0 or more
 *  means UV_ECANCELED; UV_ETIMEDOUT is never a cancellation, so members that
 *  return it have failed), and takes no more. A cancelled member is no failure:
 *  vow_group_join gives what there was, nil in the place of those.
 *  Ownership: g is borrowed.
 *  Errors: UV_EINVAL when g is NULL, VOW_ETHREAD; 0.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT int vow_group_cancel(vow_group_t *g, int reason);

/** vow_group_live(g)
 *  How many members have not ended.
 *  Ownership: g is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_group_live(const vow_group_t *g);

/** vow_group_join(g)
 *  Settles when all members have ended, as the policy says. The failure that
 *  decided has the others beside it, in order of arrival; cancelled members are
 *  none. Cancelling or dropping the result cancels the members, and it settles
 *  when they have unwound, failures in their clean-up as its cause.
 *  Ownership: consumes g (members may go on using it); the caller owns the
 *    result.
 *  Errors: as said; UV_EINVAL when g is NULL, UV_ENOMEM.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_group_join(vow_group_t *g);

/** vow_group_free(g)
 *  Gives the group up: its members are cancelled, and it goes with the last of
 *  them, unawaited.
 *  Ownership: consumes g. NULL is allowed.  Errors: none.
 *  Thread: the loop's. */
VOW_EXPORT void vow_group_free(vow_group_t *g);

VOW_END_DECLS
#endif

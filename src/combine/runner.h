/* SPDX-License-Identifier: MIT */
/* What retry and repeat are made of: an operation that calls a user's function
 * from the ready queue, and waits for the future it gives, one at a time. */
#ifndef VOW_COMBINE_RUNNER_H
#define VOW_COMBINE_RUNNER_H

#include <vow/op.h>

/** The head of such an operation. The holder's class uses vow__runner_cancel
 *  and vow__runner_sources; its ready hook begins with vow__runner_take.
 *
 *  A user's function may cancel or drop the operation. It stays pending all
 *  the same until vow__runner_finish, and with it its memory: cancelled says
 *  afterwards what happened. */
typedef struct vow__runner {
  vow_op_t op;
  vow_waiter_t waiter;
  void *arg;
  vow_drop_cb arg_drop;
  bool pausing;   /* the waiter holds a future of ours, not the user's */
  bool calling;   /* a user's function is on the stack */
  bool cancelled; /* asked to end */
  bool finished;  /* about to settle */
} vow__runner_t;

/** A runner of class cls that pauses for no time; or NULL, and the future to
 *  return is in *ret_failed. arg is consumed. */
void *vow__runner_new(const char *site, vow_loop_t *loop,
                      const vow_op_class_t *cls, const char *fn, void *arg,
                      vow_drop_cb arg_drop, vow_future_t **ret_failed);

/** Refuses bad arguments: arg is released, and the future to return made. */
vow_future_t *vow__runner_refuse(const char *site, vow_loop_t *loop,
                                 const char *fn, const char *what, void *arg,
                                 vow_drop_cb arg_drop);

/** Comes to the ready hook after delay_ms, with pausing set; 0: through the
 *  ready queue. */
void vow__runner_pause(vow__runner_t *r, uint64_t delay_ms);

/** Waits for f, which a user's function has returned to fn. Anything may have
 *  happened to r in that function. */
void vow__runner_adopt(vow__runner_t *r, vow_future_t *f, const char *fn);

/** For the ready hook: takes the settled future, to be dropped by the caller.
 *  NULL after a pause that was cut short; r has finished then. *ret_paused
 *  says that a pause has ended. */
vow_future_t *vow__runner_take(vow__runner_t *r, bool *ret_paused);

/** Releases arg, then settles r with v, once. r may be gone afterwards. */
void vow__runner_finish(vow__runner_t *r, vow_value_t v);

void vow__runner_cancel(void *op);
void vow__runner_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                         void *arg);

#endif

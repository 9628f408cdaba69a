/* SPDX-License-Identifier: MIT */
/* A task as the files of this folder see it. */
#ifndef VOW_TASK_TASK_H
#define VOW_TASK_TASK_H

#include "base/errno.h"
#include "task/fiber.h"

#include <vow/task.h>

typedef struct vow__defer vow__defer_t;
typedef struct vow__local vow__local_t;

typedef struct vow__task {
  vow_op_t op;
  vow__fiber_t fiber;
  vow_task_cb body;
  void *arg;
  vow_drop_cb arg_drop;
  union {
    vow_waiter_t wait;  /* what it awaits */
    vow_value_t result; /* once ended */
  };
  vow_timer_t grace;
  vow__defer_t *defers; /* last first */
  vow__local_t *locals;
  const char *name;
  uint32_t grace_ms;
  int reason;       /* not 0: cancelled */
  uint32_t depth;   /* of vow_scope calls on its stack */
  uint32_t shields; /* vow_shielded calls, and clean-up, on its stack */
  uint8_t stack_log2;
  bool ended : 1;
  bool cleaning : 1; /* runs deferred clean-up */
  bool grace_runs : 1;
  bool grace_over : 1; /* clean-up feels the end, too */
} vow__task_t;

/** The task that runs on this thread; NULL: none. */
extern _Thread_local vow__task_t *vow__task_self
    __attribute__((tls_model("initial-exec")));

extern const vow_op_class_t vow__task_class;

/** Why its awaits fail; 0: they do not. */
static inline int vow__task_felt(const vow__task_t *t) {
  if (VOW__LIKELY(t->reason == 0)) return 0;
  if (t->grace_over) return UV_ETIMEDOUT;
  return t->shields == 0 ? t->reason : 0;
}

/** Leaves the task until it is resumed. */
static VOW__INLINE void vow__task_suspend(vow__task_t *t) {
  /* Where guards have run out, this is what is left to notice. */
  vow__assert((char *)__builtin_frame_address(0) > t->fiber.stack->base);
  vow__fiber_suspend(&t->fiber);
}

/** await.c: what an await gives that cannot be. Consumes f. */
VOW__NOINLINE vow_value_t vow__await_refuse(const char *site, vow_future_t *f,
                                            int code);
/** Whether a cancelled task's await of f gives nothing: f is NULL, which it has
 *  left, or cancelled, and dropped. Otherwise f's outcome counts. */
VOW__NOINLINE bool vow__await_is_over(vow_future_t *f);

/** Waits in t, which runs and feels no cancellation, until f has settled: true;
 *  false when the wait ended otherwise, in *ret_v. Inline in whatever waits:
 *  each frame between a user's call and the switch costs a return that is
 *  predicted wrongly. Consumes f into *ret_f. */
static VOW__INLINE bool vow__await_end(const char *site, vow__task_t *t,
                                       vow_future_t *f, vow_future_t **ret_f,
                                       vow_value_t *ret_v) {
  int code = vow_waiter_try(&t->wait, t, f);
  if (VOW__LIKELY(code == 0)) {
    vow__task_suspend(t);
    f = vow_waiter_take(&t->wait);
    code = vow__task_felt(t);
    if (VOW__UNLIKELY(code != 0) && vow__await_is_over(f)) {
      *ret_v = vow_cancelled(code);
      return false;
    }
  } else if (VOW__UNLIKELY(code < 0)) {
    *ret_v = vow__await_refuse(site, f, code);
    return false;
  }
  *ret_f = f;
  return true;
}

/** vow_await in such a task. */
static VOW__INLINE vow_value_t vow__await(const char *site, vow__task_t *t,
                                          vow_future_t *f) {
  vow_value_t v;
  if (VOW__UNLIKELY(!vow__await_end(site, t, f, &f, &v))) return v;
  return vow_op_consume(site, f);
}

/** await.c: the task's awaits fail now: wakes it up if it waits. */
void vow__task_interrupt(vow__task_t *t);

/** defer.c: runs the clean-up of scopes from depth on, 0 for all; the outcome,
 *  v unless that failed. */
vow_value_t vow__defer_run(vow__task_t *t, uint32_t depth, vow_value_t v);

/** The grace begins, if the task is cleaning up and was cancelled. */
void vow__grace_begin(vow__task_t *t);

/** local.c */
int vow__locals_inherit(vow__task_t *child, const vow__task_t *parent);
void vow__locals_destroy(vow__task_t *t);

/** overflow.c: looks at the environment, once a thread. */
void vow__overflow_begin(void);

#endif

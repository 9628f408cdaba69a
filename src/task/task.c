/* SPDX-License-Identifier: MIT */
/* Tasks: starting, resuming, ending, cancelling. Waiting is in await.c,
 * clean-up in defer.c.
 *
 * How this works: a task is an operation whose class is woken from the ready
 * queue, to begin and after each wait, and then runs its fiber until that
 * suspends or ends. Its future settles back on the resumer's stack, when the
 * fiber is gone. Nothing is ever resumed from another place than the ready
 * queue, so that the stack below a task is always the loop's. */
#include "task/task.h"

/* 4 GiB, where addresses are wide enough. */
#define STACK_BYTES_MAX ((size_t)1 << (sizeof(size_t) > 4 ? 32 : 28))

_Thread_local vow__task_t *vow__task_self;

/* ---- ending --------------------------------------------------------------- */

static void release_arg(vow__task_t *t) {
  vow_drop_cb drop = t->arg_drop;
  t->arg_drop = NULL;
  if (drop != NULL) drop(t->arg);
}

/* After the body; a destructor may register clean-up of its own. */
static VOW__NOINLINE vow_value_t release_all(vow__task_t *t, vow_value_t v) {
  do {
    if (t->defers != NULL) v = vow__defer_run(t, 0, v);
    release_arg(t);
    vow__locals_destroy(t);
  } while (t->defers != NULL);
  return v;
}

/* The first frame on the task's stack. */
static void run(void *arg) {
  vow__task_t *t = arg;
  vow_value_t v;
  vow__fiber_entered(&t->fiber);
  v = t->body(t->arg);
  if (VOW__UNLIKELY(t->defers != NULL || t->locals != NULL ||
                    t->arg_drop != NULL))
    v = release_all(t, v);
  t->result = v;
  t->ended = true;
  vow__fiber_exit(&t->fiber);
}

/* Ends one that has not begun. What is released may drop the task. */
static void end_unbegun(vow__task_t *t, vow_value_t v) {
  vow_op_pin(t);
  vow__locals_destroy(t);
  release_arg(t);
  vow_op_settle(t, v);
  vow_op_unpin(t);
}

/* ---- running -------------------------------------------------------------- */

static bool begin(vow__task_t *t) {
  size_t bytes = (size_t)1 << t->stack_log2;
  if (vow__fiber_begin(&t->fiber, bytes, run, t) == 0) return true;
  end_unbegun(t,
              vow_failf_at(vow_site(vow_op_future(t)), UV_ENOMEM,
                           "no memory for a task's stack of %zu bytes", bytes));
  return false;
}

static void ready(void *op, vow_waiter_t *w) {
  vow__task_t *t = op, *resumer = vow__task_self;
  (void)w;
  if (VOW__UNLIKELY(t->fiber.stack == NULL) && !begin(t)) return;
  vow__task_self = t;
  vow__fiber_resume(&t->fiber);
  vow__task_self = resumer;
  if (!t->ended) return;
  vow__fiber_end(&t->fiber);
  vow_op_settle(t, t->result);
}

static void cancel(void *op) {
  vow__task_t *t = op;
  if (t->reason == 0) t->reason = vow_op_cancel_reason(op);
  if (t->fiber.stack == NULL)
    end_unbegun(t, vow_cancelled(t->reason));
  else if (t->cleaning)
    vow__grace_begin(t);
  else if (t->shields == 0)
    vow__task_interrupt(t);
}

static void sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                    void *arg) {
  vow__task_t *t = op;
  vow_future_t *f = t->ended ? NULL : vow_waiter_future(&t->wait);
  if (f != NULL) visit(f, arg);
}

const vow_op_class_t vow__task_class = {.name = "task",
                                        .size_bytes = sizeof(vow__task_t),
                                        .cancel = cancel,
                                        .ready = ready,
                                        .sources = sources};

/* ---- starting ------------------------------------------------------------- */

static uint8_t log2_of(size_t bytes) {
  uint8_t log2 = 14;
  while (((size_t)1 << log2) < bytes) log2++;
  return log2;
}

#if defined(VOW__TASK_ASAN) || defined(VOW__TASK_TSAN)
#define DEFAULT_LOG2 18 /* their frames are larger */
#else
#define DEFAULT_LOG2 16
#endif
_Static_assert(VOW_STACK_BYTES == 1 << 16, "the default has changed");

static vow_future_t *refuse(const char *site, vow_loop_t *loop, int err,
                            const char *why, void *arg, vow_drop_cb arg_drop) {
  if (arg_drop != NULL) arg_drop(arg);
  return vow_misuse_at(site, loop, err, "vow_go: %s", why);
}

static vow_future_t *go_failed(const char *site, vow_loop_t *loop, void *arg,
                               vow_drop_cb arg_drop) {
  if (arg_drop != NULL) arg_drop(arg);
  return vow_op_failed(site, loop, "vow_go");
}

vow_future_t *vow_go_at(const char *site, vow_loop_t *loop,
                        const vow_task_options_t *options, vow_task_cb body,
                        void *arg, vow_drop_cb arg_drop) {
  vow__task_t *t;
  if (VOW__UNLIKELY(body == NULL))
    return refuse(site, loop, UV_EINVAL, "the body is NULL", arg, arg_drop);
  if (VOW__UNLIKELY(options != NULL && options->stack_bytes > STACK_BYTES_MAX))
    return refuse(site, loop, UV_EINVAL, "so large a stack cannot be", arg,
                  arg_drop);
  t = vow_op_new_at(site, loop, &vow__task_class);
  if (VOW__UNLIKELY(t == NULL)) return go_failed(site, loop, arg, arg_drop);
  t->body = body;
  t->arg = arg;
  t->arg_drop = arg_drop;
  t->stack_log2 = DEFAULT_LOG2;
  if (options != NULL) {
    vow_op_set_label(t, t->name = options->name);
    t->grace_ms = options->grace_ms < UINT32_MAX ? (uint32_t)options->grace_ms
                                                 : UINT32_MAX;
    if (options->stack_bytes > 0) t->stack_log2 = log2_of(options->stack_bytes);
  }
  vow__overflow_begin();
  if (VOW__UNLIKELY(vow__task_self != NULL && vow__task_self->locals != NULL) &&
      vow__locals_inherit(t, vow__task_self) != 0) {
    end_unbegun(t, vow_fail(UV_ENOMEM));
    return vow_op_future(t);
  }
  vow_op_wake(t);
  return vow_op_future(t);
}

/* ---- looking, cancelling -------------------------------------------------- */

vow_future_t *vow_task_current(void) {
  return vow__task_self != NULL ? vow_op_future(vow__task_self) : NULL;
}

vow_loop_t *vow_task_loop(void) {
  return vow__task_self != NULL ? vow_op_loop(vow__task_self) : NULL;
}

const char *vow_task_name(vow_future_t *f) {
  vow__task_t *t = vow_op_of(f, &vow__task_class);
  if (t == NULL) return NULL;
  /* Once it has ended the name may be gone. */
  return vow_op_is_pending(t) && t->name != NULL ? t->name
                                                 : vow__task_class.name;
}

int vow_task_cancel(vow_future_t *f, int reason) {
  vow__task_t *t = vow_op_of(f, &vow__task_class);
  return t != NULL ? vow_op_cancel(f, reason) : UV_EINVAL;
}

int vow_task_reason(void) {
  return vow__task_self != NULL ? vow__task_self->reason : 0;
}

void vow_task_trim(void) {
  vow__stack_trim();
}

const char *vow_task_switch_name(void) {
  return VOW__CONTEXT;
}

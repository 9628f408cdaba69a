/* SPDX-License-Identifier: MIT */
/* Work on the thread pool. The thread touches arg and result only; all else
 * happens on the loop's thread. How jobs get there is in crew.h. */
#include <vow/work.h>

#include "uv/crew.h"
#include "uv/request.h"

typedef struct work_op {
  vow_op_t op;
  vow__job_t job;
  vow_work_cb cb;
  void *arg;
  vow_drop_cb arg_drop;
  vow_value_t result;
} work_op_t;

static void drop_arg(work_op_t *op) {
  vow_drop_cb drop = op->arg_drop;
  op->arg_drop = NULL;
  if (drop != NULL) drop(op->arg);
}

static void work_cancel(void *p) {
  work_op_t *op = p;
  /* Withdrawn, it never starts; otherwise the thread still has arg. Either way
   * the job comes back later, and is pinned until then. */
  if (vow__crew_withdraw(&op->job)) drop_arg(op);
  vow__request_cancel(op);
}

static const vow_op_class_t work_class = {
    "queue_work", sizeof(work_op_t), work_cancel, NULL, NULL, NULL};

static void work_run(vow__job_t *job) {
  work_op_t *op = VOW__OF(job, work_op_t, job);
  op->result = op->cb(op->arg);
}

static void work_back(vow__job_t *job, bool ran) {
  work_op_t *op = VOW__OF(job, work_op_t, job);
  drop_arg(op);
  if (ran)
    vow_op_settle(op, op->result);
  else if (vow_op_is_pending(op))
    vow_op_settle(op, vow_fail(UV_EAGAIN));
  vow_op_unpin(op);
}

static const vow__crew_hooks_t work_hooks = {work_run, work_back};

vow_future_t *vow_queue_work_at(const char *site, vow_loop_t *loop,
                                vow_work_cb cb, void *arg,
                                vow_drop_cb arg_drop) {
  vow_future_t *failed = NULL;
  work_op_t *op = NULL;
  vow__uv_t *d;
  int err;
  if (cb == NULL)
    failed = vow_misuse_at(site, loop, UV_EINVAL,
                           "queue_work: the function is NULL");
  else
    op = vow__op_new(site, loop, &work_class, &d, &failed);
  if (op == NULL) {
    if (arg_drop != NULL) arg_drop(arg);
    return failed;
  }
  op->cb = cb;
  op->arg = arg;
  op->arg_drop = arg_drop;
  err = vow__crew_push(d, &work_hooks, &op->job);
  if (err != 0) {
    drop_arg(op);
    vow_op_settle(op, vow_fail(err));
  } else {
    vow_op_pin(op);
  }
  return vow_op_future(op);
}

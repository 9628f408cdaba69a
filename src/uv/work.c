/* SPDX-License-Identifier: MIT */
/* Work on the thread pool. The thread touches arg and result only; all else
 * happens on the loop's thread. */
#include <vow/work.h>

#include "uv/request.h"

typedef struct work_op {
  vow__request_t base;
  uv_work_t req;
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
  /* Taken back from the queue, it never starts; otherwise the thread still has
   * arg. */
  if (uv_cancel((uv_req_t *)&op->req) == 0) drop_arg(op);
  vow__request_cancel(op);
}

static const vow_op_class_t work_class = {
    "queue_work", sizeof(work_op_t), work_cancel, NULL, NULL, NULL};

static void run_work(uv_work_t *req) {
  work_op_t *op = VOW__OF(req, work_op_t, req);
  op->result = op->cb(op->arg);
}

static void on_work(uv_work_t *req, int status) {
  work_op_t *op = VOW__OF(req, work_op_t, req);
  drop_arg(op);
  vow__request_done(op, status == 0 ? op->result : vow_fail(status));
}

vow_future_t *vow_queue_work_at(const char *site, vow_loop_t *loop,
                                vow_work_cb cb, void *arg,
                                vow_drop_cb arg_drop) {
  vow_future_t *failed = NULL;
  work_op_t *op = NULL;
  int err;
  if (cb == NULL)
    failed = vow_misuse_at(site, loop, UV_EINVAL,
                           "queue_work: the function is NULL");
  else
    op = vow__request_new(site, loop, &work_class, &failed);
  if (op == NULL) {
    if (arg_drop != NULL) arg_drop(arg);
    return failed;
  }
  op->cb = cb;
  op->arg = arg;
  op->arg_drop = arg_drop;
  err = uv_queue_work(op->base.d->uv, &op->req, run_work, on_work);
  if (err < 0) drop_arg(op);
  return vow__request_start(op, err);
}

/* SPDX-License-Identifier: MIT */
/* Random bytes. */
#include <vow/random.h>

#include "uv/pool.h"
#include "uv/request.h"

typedef struct random_op {
  vow__request_t base;
  uv_random_t req;
  vow_bytes_t *bytes; /* NULL: the memory is the caller's */
} random_op_t;

static void random_destroy(void *p) {
  random_op_t *op = p;
  vow_bytes_unref(op->bytes);
}

static void random_cancel(void *p) {
  random_op_t *op = p;
  uv_cancel((uv_req_t *)&op->req);
  vow__request_cancel(op);
}

/* The memory is the caller's: settle when libuv says so. */
static void random_cancel_wait(void *p) {
  random_op_t *op = p;
  uv_cancel((uv_req_t *)&op->req);
}

static const vow_op_class_t random_class = {
    "random", sizeof(random_op_t), random_cancel, random_destroy, NULL, NULL};

static const vow_op_class_t into_class = {
    "random_into", sizeof(random_op_t), random_cancel_wait, NULL, NULL, NULL};

static vow_value_t outcome(random_op_t *op, int status, size_t size_bytes) {
  vow_bytes_t *b = op->bytes;
  /* Only a cancel of ours can be behind this one. */
  if (status == UV_ECANCELED) return vow_cancelled(UV_ECANCELED);
  if (status < 0) return vow__request_failure(op, status, NULL);
  if (b == NULL) return vow_int((int64_t)size_bytes);
  op->bytes = NULL;
  vow__bytes_fill(b, size_bytes);
  return vow_ptr(b, &vow_type_bytes);
}

static void on_random(uv_random_t *req, int status, void *data,
                      size_t size_bytes) {
  random_op_t *op = VOW__OF(req, random_op_t, req);
  (void)data;
  vow__request_done(op, outcome(op, status, size_bytes));
}

static vow_future_t *start(random_op_t *op, void *data, size_t size_bytes) {
  return vow__request_start(
      op, uv_random(op->base.d->uv, &op->req, data, size_bytes, 0, on_random));
}

vow_future_t *vow_random_at(const char *site, vow_loop_t *loop,
                            size_t size_bytes) {
  vow_future_t *failed;
  random_op_t *op = vow__request_new(site, loop, &random_class, &failed);
  if (op == NULL) return failed;
  if (size_bytes > INT32_MAX) return vow__request_start(op, UV_E2BIG);
  op->bytes = vow__bytes_new(size_bytes);
  if (op->bytes == NULL) return vow__request_start(op, UV_ENOMEM);
  return start(op, vow__bytes_room(op->bytes), size_bytes);
}

vow_future_t *vow_random_into_at(const char *site, vow_loop_t *loop,
                                 void *ret_data, size_t size_bytes) {
  vow_future_t *failed;
  random_op_t *op;
  if (ret_data == NULL)
    return vow_misuse_at(site, loop, UV_EINVAL,
                         "random_into: the memory is NULL");
  op = vow__request_new(site, loop, &into_class, &failed);
  if (op == NULL) return failed;
  return start(op, ret_data, size_bytes);
}

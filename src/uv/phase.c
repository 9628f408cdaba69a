/* SPDX-License-Identifier: MIT */
/* The next idle, prepare or check phase. An operation has a handle of its kind,
 * which starts, fires once and closes; it is pinned until that is closed. The
 * others than idle have an idle handle besides, or the poll could block. */
#include <vow/phase.h>

#include "uv/request.h"

typedef struct phase_op {
  vow__request_t base;
  union {
    uv_handle_t any;
    uv_idle_t idle;
    uv_prepare_t prepare;
    uv_check_t check;
  } handle;
  uv_idle_t awake; /* not of an idle one */
} phase_op_t;

static void on_awake(uv_idle_t *idle) {
  (void)idle; /* it only keeps the poll from blocking */
}

static void on_awake_closed(uv_handle_t *handle) {
  vow_op_unpin(VOW__OF(handle, phase_op_t, awake));
}

static void on_closed(uv_handle_t *handle) {
  vow_op_unpin(VOW__OF(handle, phase_op_t, handle));
}

static void phase_end(phase_op_t *op, vow_value_t v) {
  uv_close(&op->handle.any, on_closed);
  if (op->handle.any.type != UV_IDLE)
    uv_close((uv_handle_t *)&op->awake, on_awake_closed);
  vow_op_settle(op, v);
}

static void phase_cancel(void *p) {
  phase_end(p, vow_cancelled(UV_ECANCELED));
}

static void reached(void *handle) {
  phase_op_t *op = VOW__OF(handle, phase_op_t, handle);
  vow_loop_t *loop = vow_op_loop(op);
  phase_end(op, vow_nil());
  vow_loop_drain(loop);
}

static void on_idle(uv_idle_t *handle) {
  reached(handle);
}

static void on_prepare(uv_prepare_t *handle) {
  reached(handle);
}

static void on_check(uv_check_t *handle) {
  reached(handle);
}

static const vow_op_class_t idle_class = {
    "next_idle", sizeof(phase_op_t), phase_cancel, NULL, NULL, NULL};
static const vow_op_class_t prepare_class = {
    "next_prepare", sizeof(phase_op_t), phase_cancel, NULL, NULL, NULL};
static const vow_op_class_t check_class = {
    "next_check", sizeof(phase_op_t), phase_cancel, NULL, NULL, NULL};

/* The inits and starts of these handles cannot fail. */

static vow_future_t *start_awake(phase_op_t *op) {
  uv_idle_init(op->base.d->uv, &op->awake);
  uv_idle_start(&op->awake, on_awake);
  vow_op_pin(op);
  return vow__request_start(op, 0);
}

vow_future_t *vow_next_idle_at(const char *site, vow_loop_t *loop) {
  vow_future_t *failed;
  phase_op_t *op = vow__request_new(site, loop, &idle_class, &failed);
  if (op == NULL) return failed;
  uv_idle_init(op->base.d->uv, &op->handle.idle);
  uv_idle_start(&op->handle.idle, on_idle);
  return vow__request_start(op, 0);
}

vow_future_t *vow_next_prepare_at(const char *site, vow_loop_t *loop) {
  vow_future_t *failed;
  phase_op_t *op = vow__request_new(site, loop, &prepare_class, &failed);
  if (op == NULL) return failed;
  uv_prepare_init(op->base.d->uv, &op->handle.prepare);
  uv_prepare_start(&op->handle.prepare, on_prepare);
  return start_awake(op);
}

vow_future_t *vow_next_check_at(const char *site, vow_loop_t *loop) {
  vow_future_t *failed;
  phase_op_t *op = vow__request_new(site, loop, &check_class, &failed);
  if (op == NULL) return failed;
  uv_check_init(op->base.d->uv, &op->handle.check);
  uv_check_start(&op->handle.check, on_check);
  return start_awake(op);
}

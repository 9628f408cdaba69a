/* SPDX-License-Identifier: MIT */
/* Signals, over and over or once. Both own their uv_signal_t. */
#include <vow/signal.h>

#include "uv/request.h"
#include "uv/source.h"

/* ---- over and over ------------------------------------------------------- */

struct vow_signal {
  vow__source_t base;
  uv_signal_t handle;
};

static const vow_op_class_t next_class = VOW__NEXT_CLASS("signal_next");

static void stop(vow__source_t *s) {
  uv_signal_stop(&VOW__OF(s, vow_signal_t, base)->handle);
}

static void on_signal(uv_signal_t *handle, int signum) {
  vow_signal_t *s = VOW__OF(handle, vow_signal_t, handle);
  /* One that waits stands for all. */
  if (!vow__source_is_live(&s->base) || s->base.feed.count > 0) return;
  vow__feed_push(&s->base.feed, vow_int(signum));
  vow__source_told(s);
}

static void on_failed_closed(uv_handle_t *handle) {
  vow_release(VOW__OF(handle, vow_signal_t, handle));
}

int vow_signal_new_at(const char *site, vow_loop_t *loop, int signum,
                      vow_signal_t **ret_signal) {
  vow__uv_t *d;
  vow_signal_t *s;
  int err = ret_signal == NULL ? UV_EINVAL : vow__uv_check(loop, &d);
  if (err != 0) return err;
  s = vow__source_new(sizeof *s, loop, &next_class, stop);
  if (s == NULL) return UV_ENOMEM;
  err = uv_signal_init(d->uv, &s->handle);
  if (err != 0) {
    vow_release(s);
    return err;
  }
  err = uv_signal_start(&s->handle, on_signal, signum);
  if (err != 0) {
    uv_close((uv_handle_t *)&s->handle, on_failed_closed);
    return err;
  }
  vow__source_add(site, d, s, &s->handle);
  *ret_signal = s;
  return 0;
}

vow_future_t *vow_signal_next_at(const char *site, vow_signal_t *signal) {
  if (signal == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "signal_next: the signal is NULL");
  return vow__source_next(site, signal);
}

void vow_signal_free(vow_signal_t *signal) {
  vow__source_free(signal);
}

/* ---- once ---------------------------------------------------------------- */

/* Pinned from uv_signal_init until the handle is closed. */
typedef struct once_op {
  vow__request_t base;
  uv_signal_t handle;
} once_op_t;

static void on_once_closed(uv_handle_t *handle) {
  once_op_t *op = VOW__OF(handle, once_op_t, handle);
  vow_op_unpin(op);
}

static void once_end(once_op_t *op, vow_value_t v) {
  uv_close((uv_handle_t *)&op->handle, on_once_closed);
  vow_op_settle(op, v);
}

static void once_cancel(void *p) {
  once_end(p, vow_cancelled(UV_ECANCELED));
}

static const vow_op_class_t once_class = {
    "signal_once", sizeof(once_op_t), once_cancel, NULL, NULL, NULL};

static void on_once(uv_signal_t *handle, int signum) {
  once_op_t *op = VOW__OF(handle, once_op_t, handle);
  vow_loop_t *loop = vow_op_loop(op);
  if (!vow_op_is_pending(op)) return;
  once_end(op, vow_int(signum));
  vow_loop_drain(loop);
}

vow_future_t *vow_signal_once_at(const char *site, vow_loop_t *loop,
                                 int signum) {
  vow_future_t *failed;
  once_op_t *op = vow__request_new(site, loop, &once_class, &failed);
  int err;
  if (op == NULL) return failed;
  err = uv_signal_init(op->base.d->uv, &op->handle);
  if (err != 0) {
    vow_op_settle(op, vow__request_failure(op, err, NULL));
    return vow_op_future(op);
  }
  vow_op_pin(op);
  err = uv_signal_start_oneshot(&op->handle, on_once, signum);
  if (err != 0) once_end(op, vow__request_failure(op, err, NULL));
  return vow_op_future(op);
}

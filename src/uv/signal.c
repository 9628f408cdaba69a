/* SPDX-License-Identifier: MIT */
/* Signals, over and over or once. Both own their uv_signal_t. */
#include <vow/signal.h>

#include "uv/feed.h"
#include "uv/owned.h"
#include "uv/request.h"

#include <string.h>

/* ---- over and over ------------------------------------------------------- */

struct vow_signal {
  vow__feed_t feed;
  uv_signal_t handle;
  vow__owned_t owned;
};

static const vow_op_class_t next_class = VOW__NEXT_CLASS("signal_next");

static void on_signal(uv_signal_t *handle, int signum) {
  vow_signal_t *s = VOW__OF(handle, vow_signal_t, handle);
  vow_loop_t *loop = s->feed.loop;
  /* One that waits stands for all. */
  if (s->owned.link == NULL || s->feed.count > 0) return;
  vow__feed_push(&s->feed, vow_int(signum));
  if (!vow__feed_is_wanted(&s->feed)) uv_unref((uv_handle_t *)handle);
  vow_loop_drain(loop); /* s may be gone now */
}

static void signal_unwanted(vow__feed_t *feed) {
  vow_signal_t *s = VOW__OF(feed, vow_signal_t, feed);
  uv_unref((uv_handle_t *)&s->handle);
}

static void on_signal_closed(uv_handle_t *handle) {
  vow_release(VOW__OF(handle, vow_signal_t, handle));
}

/* The handle stays on the program's loop until vow_signal_free. */
static void signal_forget(vow__owned_t *o) {
  vow_signal_t *s = VOW__OF(o, vow_signal_t, owned);
  uv_signal_stop(&s->handle);
  vow__feed_close(&s->feed, VOW_ESHUTDOWN);
}

static int signal_check(vow_loop_t *loop, vow__uv_t **ret_d) {
  vow__uv_t *d = vow__uv_of(loop);
  if (loop == NULL) return UV_EINVAL;
  if (d == NULL) return UV_ENOTSUP;
  if (vow__uv_find(d->uv) != d) return VOW_ETHREAD;
  *ret_d = d;
  return 0;
}

int vow_signal_new_at(const char *site, vow_loop_t *loop, int signum,
                      vow_signal_t **ret_signal) {
  vow__uv_t *d;
  vow_signal_t *s;
  int err = ret_signal == NULL ? UV_EINVAL : signal_check(loop, &d);
  if (err != 0) return err;
  s = vow_alloc(sizeof *s);
  if (s == NULL) return UV_ENOMEM;
  memset(s, 0, sizeof *s);
  vow__feed_init(&s->feed, loop, &next_class);
  s->feed.unwanted = signal_unwanted;
  err = uv_signal_init(d->uv, &s->handle);
  if (err != 0) {
    vow_release(s);
    return err;
  }
  err = uv_signal_start(&s->handle, on_signal, signum);
  uv_unref((uv_handle_t *)&s->handle);
  if (err != 0) {
    uv_close((uv_handle_t *)&s->handle, on_signal_closed);
    return err;
  }
  s->owned.forget = signal_forget;
  vow__owned_add(d, &s->owned, &s->handle, site);
  *ret_signal = s;
  return 0;
}

vow_future_t *vow_signal_next_at(const char *site, vow_signal_t *signal) {
  vow_future_t *f;
  if (signal == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "signal_next: the signal is NULL");
  f = vow__feed_next(site, &signal->feed);
  if (vow__feed_is_wanted(&signal->feed))
    uv_ref((uv_handle_t *)&signal->handle);
  return f;
}

void vow_signal_free(vow_signal_t *signal) {
  if (signal == NULL) return;
  vow__owned_remove(&signal->owned);
  vow__feed_close(&signal->feed, VOW_ESHUTDOWN);
  uv_close((uv_handle_t *)&signal->handle, on_signal_closed);
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

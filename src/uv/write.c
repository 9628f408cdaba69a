/* SPDX-License-Identifier: MIT */
/* Writing to streams, and shutting them down. uv_write of libuv 1.44 costs an
 * epoll_ctl a message even when the kernel takes it at once; so uv_try_write
 * first, and only the rest is queued. uv_try_write refuses while something is
 * queued, which keeps the order. */
#include <vow/stream_io.h>

#include "uv/bufs.h"
#include "uv/request.h"

#include <string.h>

#define FEW_BUFS 16

typedef struct write_op {
  vow__request_t base;
  uv_write_t req;
  size_t total_bytes;
  char *copy; /* NULL when borrowed */
} write_op_t;

static void write_destroy(void *p) {
  write_op_t *op = p;
  vow_release(op->copy);
}

static const vow_op_class_t write_class = {
    "write", sizeof(write_op_t), vow__request_cancel, write_destroy, NULL,
    NULL};

/* No cancel: libuv cannot give the memory back early. */
static const vow_op_class_t borrowed_class = {
    "write_borrowed", sizeof(write_op_t), NULL, write_destroy, NULL, NULL};

static void on_write(uv_write_t *req, int status) {
  write_op_t *op = VOW__OF(req, write_op_t, req);
  vow__request_done(op, status < 0 ? vow__request_failure(op, status, NULL)
                                   : vow_int((int64_t)op->total_bytes));
}

static int queue_copy(write_op_t *op, uv_stream_t *stream,
                      const uv_buf_t bufs[], unsigned n, size_t sent) {
  size_t rest = op->total_bytes - sent;
  uv_buf_t buf;
  op->copy = vow_alloc(rest);
  if (op->copy == NULL) return UV_ENOMEM;
  vow__bufs_copy(op->copy, bufs, n, sent);
  buf.base = op->copy;
  buf.len = rest;
  return uv_write(&op->req, stream, &buf, 1, on_write);
}

/* libuv copies the array, so ours is only needed for the call. */
static int queue_borrowed(write_op_t *op, uv_stream_t *stream,
                          const uv_buf_t bufs[], unsigned n, size_t sent) {
  uv_buf_t few[FEW_BUFS];
  uv_buf_t *rest = few;
  int err;
  while (sent >= bufs->len) {
    sent -= bufs->len;
    bufs++;
    n--;
  }
  if (n > FEW_BUFS) rest = vow_alloc(n * sizeof *rest);
  if (rest == NULL) return UV_ENOMEM;
  memcpy(rest, bufs, n * sizeof *rest);
  rest->base += sent;
  rest->len -= sent;
  err = uv_write(&op->req, stream, rest, n, on_write);
  if (rest != few) vow_release(rest);
  return err;
}

static vow_future_t *write_rest(const char *site, vow__uv_t *d,
                                const vow_op_class_t *cls, uv_stream_t *stream,
                                const uv_buf_t bufs[], unsigned n, size_t total,
                                size_t sent) {
  vow_future_t *failed;
  write_op_t *op = vow__request_new(site, d->loop, cls, &failed);
  int err;
  if (op == NULL) return failed;
  op->total_bytes = total;
  err = cls == &write_class ? queue_copy(op, stream, bufs, n, sent)
                            : queue_borrowed(op, stream, bufs, n, sent);
  return vow__request_start(op, err);
}

static vow_future_t *write_bufs(const char *site, const vow_op_class_t *cls,
                                uv_stream_t *stream, const uv_buf_t bufs[],
                                unsigned n) {
  vow_future_t *failed;
  vow__uv_t *d = vow__uv_for(site, stream, cls->name, &failed);
  size_t total;
  int sent;
  if (d == NULL) return failed;
  if (bufs == NULL && n > 0)
    return vow_misuse_at(site, d->loop, UV_EINVAL, "%s: bufs is NULL",
                         cls->name);
  if (uv_is_closing((uv_handle_t *)stream))
    return vow_misuse_at(site, d->loop, VOW_ESHUTDOWN,
                         "%s: the stream is closed", cls->name);
  total = vow__bufs_total(bufs, n);
  if (n == 0 || total == 0) return vow_ready_at(site, d->loop, vow_int(0));
  sent = uv_try_write(stream, bufs, n);
  if (sent >= 0 && (size_t)sent == total)
    return vow_ready_at(site, d->loop, vow_int(sent));
  if (sent < 0 && sent != UV_EAGAIN && sent != UV_ENOBUFS)
    return vow_ready_at(
        site, d->loop,
        vow_failf_at(site, sent, "%s: %s", cls->name, vow_strerror(sent)));
  return write_rest(site, d, cls, stream, bufs, n, total,
                    sent < 0 ? 0 : (size_t)sent);
}

vow_future_t *vow_write_at(const char *site, uv_stream_t *stream,
                           const uv_buf_t bufs[], unsigned n) {
  return write_bufs(site, &write_class, stream, bufs, n);
}

vow_future_t *vow_write_borrowed_at(const char *site, uv_stream_t *stream,
                                    const uv_buf_t bufs[], unsigned n) {
  return write_bufs(site, &borrowed_class, stream, bufs, n);
}

int vow_try_write(uv_stream_t *stream, const uv_buf_t bufs[], unsigned n) {
  vow__uv_t *d;
  int err = vow__uv_get(stream, &d);
  if (err != 0) return err;
  if (bufs == NULL && n > 0) return UV_EINVAL;
  if (uv_is_closing((uv_handle_t *)stream)) return VOW_ESHUTDOWN;
  if (vow__bufs_total(bufs, n) == 0) return 0;
  return uv_try_write(stream, bufs, n);
}

/* ---- shutdown ------------------------------------------------------------ */

typedef struct shutdown_op {
  vow__request_t base;
  uv_shutdown_t req;
} shutdown_op_t;

static const vow_op_class_t shutdown_class = {
    "shutdown", sizeof(shutdown_op_t), vow__request_cancel, NULL, NULL, NULL};

static void on_shutdown(uv_shutdown_t *req, int status) {
  shutdown_op_t *op = VOW__OF(req, shutdown_op_t, req);
  vow__request_done(op, status < 0 ? vow__request_failure(op, status, NULL)
                                   : vow_nil());
}

vow_future_t *vow_shutdown_at(const char *site, uv_stream_t *stream) {
  vow_future_t *failed;
  vow__uv_t *d = vow__uv_for(site, stream, "shutdown", &failed);
  shutdown_op_t *op;
  if (d == NULL) return failed;
  if (uv_is_closing((uv_handle_t *)stream))
    return vow_misuse_at(site, d->loop, VOW_ESHUTDOWN,
                         "shutdown: the stream is closed");
  op = vow__request_new(site, d->loop, &shutdown_class, &failed);
  if (op == NULL) return failed;
  return vow__request_start(op, uv_shutdown(&op->req, stream, on_shutdown));
}

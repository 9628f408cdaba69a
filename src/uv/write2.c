/* SPDX-License-Identifier: MIT */
/* Writing with a handle that goes along. As in write.c the kernel is tried
 * first; the handle goes with the first byte that it takes. */
#include <vow/pipe.h>

#include "uv/bufs.h"
#include "uv/request.h"

typedef struct write2_op {
  vow__request_t base;
  uv_write_t req;
  size_t total_bytes;
  char *copy;
} write2_op_t;

static void write2_destroy(void *p) {
  write2_op_t *op = p;
  vow_release(op->copy);
}

/* No cancel: libuv reads the handle until it is sent. */
static const vow_op_class_t write2_class = {
    "write2", sizeof(write2_op_t), NULL, write2_destroy, NULL, NULL};

static void on_write2(uv_write_t *req, int status) {
  write2_op_t *op = VOW__OF(req, write2_op_t, req);
  vow__request_done(op, status < 0 ? vow__request_failure(op, status, NULL)
                                   : vow_int((int64_t)op->total_bytes));
}

static vow_future_t *write_rest(const char *site, vow__uv_t *d,
                                uv_stream_t *pipe, const uv_buf_t bufs[],
                                unsigned n, size_t sent, uv_stream_t *handle) {
  vow_future_t *failed;
  write2_op_t *op = vow__request_new(site, d->loop, &write2_class, &failed);
  uv_buf_t buf;
  if (op == NULL) return failed;
  op->total_bytes = vow__bufs_total(bufs, n);
  buf.len = op->total_bytes - sent;
  op->copy = buf.base = vow_alloc(buf.len);
  if (op->copy == NULL) return vow__request_start(op, UV_ENOMEM);
  vow__bufs_copy(op->copy, bufs, n, sent);
  /* With the first bytes the handle has gone already. */
  return vow__request_start(
      op, sent > 0 ? uv_write(&op->req, pipe, &buf, 1, on_write2)
                   : uv_write2(&op->req, pipe, &buf, 1, handle, on_write2));
}

/* Why libuv must not be asked: uv_try_write2 does not look itself, and aborts.
 * 0: it may. */
static int refusal(const uv_stream_t *pipe, const uv_stream_t *handle) {
  uv_os_fd_t fd;
  if (pipe->type != UV_NAMED_PIPE ||
      !((const uv_pipe_t *)(const void *)pipe)->ipc)
    return UV_EINVAL;
  return uv_fileno((const uv_handle_t *)handle, &fd);
}

static vow_future_t *failure(const char *site, vow__uv_t *d, int err) {
  return vow_ready_at(site, d->loop,
                      vow_failf_at(site, err, "write2: %s", vow_strerror(err)));
}

vow_future_t *vow_write2_at(const char *site, uv_stream_t *pipe,
                            const uv_buf_t bufs[], unsigned n,
                            uv_stream_t *handle) {
  vow_future_t *failed;
  vow__uv_t *d = vow__uv_for(site, pipe, "write2", &failed);
  size_t total;
  int sent;
  if (d == NULL) return failed;
  if (handle == NULL || (bufs == NULL && n > 0))
    return vow_misuse_at(site, d->loop, UV_EINVAL, "write2: %s is NULL",
                         handle == NULL ? "the handle to send" : "bufs");
  if (uv_is_closing((uv_handle_t *)pipe))
    return vow_misuse_at(site, d->loop, VOW_ESHUTDOWN,
                         "write2: the stream is closed");
  total = vow__bufs_total(bufs, n);
  if (total == 0)
    return vow_misuse_at(site, d->loop, UV_EINVAL,
                         "write2: a handle needs a byte to go with");
  sent = refusal(pipe, handle);
  if (sent != 0) return failure(site, d, sent);
  sent = uv_try_write2(pipe, bufs, n, handle);
  if (sent >= 0 && (size_t)sent == total)
    return vow_ready_at(site, d->loop, vow_int(sent));
  if (sent < 0 && sent != UV_EAGAIN && sent != UV_ENOBUFS)
    return failure(site, d, sent);
  return write_rest(site, d, pipe, bufs, n, sent < 0 ? 0 : (size_t)sent,
                    handle);
}

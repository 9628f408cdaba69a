/* SPDX-License-Identifier: MIT */
/* Files. Every function fills in an fs_op and says what its result becomes; the
 * rest is the same for all of them. */
#include <vow/fs.h>

#include "uv/pool.h"
#include "uv/request.h"

#include <stdio.h>
#include <string.h>

typedef struct fs_op fs_op_t;
struct fs_op {
  vow__request_t base;
  uv_fs_t req;
  /* The value of a request that succeeded. */
  vow_value_t (*result)(fs_op_t *op);
  vow_bytes_t *bytes; /* memory that libuv reads into or writes from, or NULL */
  char path[256];     /* for the message; may be cut, "" for none */
};

/* ---- the one pattern ----------------------------------------------------- */

static void fs_destroy(void *p) {
  fs_op_t *op = p;
  vow_bytes_unref(op->bytes);
}

static void fs_cancel(void *p) {
  fs_op_t *op = p;
  uv_cancel((uv_req_t *)&op->req);
  vow__request_cancel(op);
}

/* The memory is the caller's: settle when libuv says so. */
static void fs_cancel_wait(void *p) {
  fs_op_t *op = p;
  uv_cancel((uv_req_t *)&op->req);
}

#define FS_CLASS(name, cancel) \
  { (name), sizeof(fs_op_t), (cancel), fs_destroy, NULL, NULL }

static const vow_op_class_t open_class = FS_CLASS("fs_open", fs_cancel);
static const vow_op_class_t close_class = FS_CLASS("fs_close", NULL);
static const vow_op_class_t read_class = FS_CLASS("fs_read", fs_cancel);
static const vow_op_class_t read_into_class =
    FS_CLASS("fs_read_into", fs_cancel_wait);
static const vow_op_class_t write_class = FS_CLASS("fs_write", fs_cancel);
static const vow_op_class_t write_borrowed_class =
    FS_CLASS("fs_write_borrowed", fs_cancel_wait);
static const vow_op_class_t stat_class = FS_CLASS("fs_stat", fs_cancel);

static vow_value_t fs_outcome(fs_op_t *op) {
  int err;
  if (op->req.result >= 0) return op->result(op);
  err = (int)op->req.result;
  /* Only a cancel of ours can be behind this one. */
  if (err == UV_ECANCELED) return vow_cancelled(UV_ECANCELED);
  return vow__request_failure(op, err, op->path[0] != '\0' ? op->path : NULL);
}

static void on_fs(uv_fs_t *req) {
  fs_op_t *op = VOW__OF(req, fs_op_t, req);
  vow_value_t v = fs_outcome(op);
  uv_fs_req_cleanup(req);
  vow__request_done(op, v);
}

static fs_op_t *fs_new(const char *site, vow_loop_t *loop,
                       const vow_op_class_t *cls,
                       vow_value_t (*result)(fs_op_t *op), const char *path,
                       vow_future_t **ret_failed) {
  fs_op_t *op = vow__request_new(site, loop, cls, ret_failed);
  if (op == NULL) return NULL;
  op->result = result;
  if (path != NULL) snprintf(op->path, sizeof op->path, "%s", path);
  return op;
}

static vow_future_t *fs_start(fs_op_t *op, int err) {
  if (err < 0) uv_fs_req_cleanup(&op->req);
  return vow__request_start_for(op, err, op->path[0] != '\0' ? op->path : NULL);
}

static vow_value_t result_nil(fs_op_t *op) {
  (void)op;
  return vow_nil();
}

static vow_value_t result_count(fs_op_t *op) {
  return vow_int(op->req.result);
}

/* ---- open, close --------------------------------------------------------- */

/* A file's payload is its descriptor plus one, so that it is never NULL. */
static void file_destroy(void *p) {
  uv_fs_t req;
  uv_fs_close(NULL, &req, (uv_file)((intptr_t)p - 1), NULL);
  uv_fs_req_cleanup(&req);
}

static void file_describe(const void *p, char *buf, size_t size_bytes) {
  snprintf(buf, size_bytes, "descriptor %d", (int)((intptr_t)p - 1));
}

const vow_type_t vow_type_file = {"file", file_destroy, NULL, file_describe};

uv_file vow_file_get(vow_future_t *f) {
  return (uv_file)((intptr_t)vow_get(f, &vow_type_file) - 1);
}

uv_file vow_file_take(vow_future_t *f) {
  return (uv_file)((intptr_t)vow_take(f, &vow_type_file) - 1);
}

static vow_value_t result_file(fs_op_t *op) {
  return vow_ptr((void *)(intptr_t)(op->req.result + 1), &vow_type_file);
}

static vow_future_t *no_path(const char *site, vow_loop_t *loop,
                             const vow_op_class_t *cls) {
  return vow_misuse_at(site, loop, UV_EINVAL, "%s: the path is NULL",
                       cls->name);
}

vow_future_t *vow_fs_open_at(const char *site, vow_loop_t *loop,
                             const char *path, int flags, int mode) {
  vow_future_t *failed;
  fs_op_t *op;
  if (path == NULL) return no_path(site, loop, &open_class);
  op = fs_new(site, loop, &open_class, result_file, path, &failed);
  if (op == NULL) return failed;
  return fs_start(
      op, uv_fs_open(op->base.d->uv, &op->req, path, flags, mode, on_fs));
}

vow_future_t *vow_fs_close_at(const char *site, vow_loop_t *loop,
                              uv_file file) {
  vow_future_t *failed;
  fs_op_t *op = fs_new(site, loop, &close_class, result_nil, NULL, &failed);
  if (op == NULL) return failed;
  return fs_start(op, uv_fs_close(op->base.d->uv, &op->req, file, on_fs));
}

/* ---- read, write --------------------------------------------------------- */

static vow_value_t result_bytes(fs_op_t *op) {
  vow_bytes_t *b = op->bytes;
  op->bytes = NULL;
  vow__bytes_fill(b, (size_t)op->req.result);
  return vow_ptr(b, &vow_type_bytes);
}

static bool is_transfer(const void *data, size_t size_bytes) {
  return size_bytes <= INT32_MAX && (data != NULL || size_bytes == 0);
}

static vow_future_t *bad_transfer(const char *site, vow_loop_t *loop,
                                  const vow_op_class_t *cls, const void *data) {
  return vow_misuse_at(site, loop, UV_EINVAL, "%s: %s", cls->name,
                       data == NULL ? "the memory is NULL"
                                    : "the size is above INT32_MAX");
}

/* data NULL: memory of op's own. */
static vow_future_t *start_read(fs_op_t *op, uv_file file, void *data,
                                size_t size_bytes, int64_t offset) {
  uv_buf_t buf = uv_buf_init(data, (unsigned)size_bytes);
  if (data == NULL) {
    op->bytes = vow__bytes_new(size_bytes);
    if (op->bytes == NULL) return vow__request_start(op, UV_ENOMEM);
    buf.base = vow__bytes_room(op->bytes);
  }
  return fs_start(
      op, uv_fs_read(op->base.d->uv, &op->req, file, &buf, 1, offset, on_fs));
}

vow_future_t *vow_fs_read_at(const char *site, vow_loop_t *loop, uv_file file,
                             size_t size_bytes, int64_t offset) {
  vow_future_t *failed;
  fs_op_t *op;
  if (!is_transfer("", size_bytes))
    return bad_transfer(site, loop, &read_class, "");
  op = fs_new(site, loop, &read_class, result_bytes, NULL, &failed);
  if (op == NULL) return failed;
  return start_read(op, file, NULL, size_bytes, offset);
}

vow_future_t *vow_fs_read_into_at(const char *site, vow_loop_t *loop,
                                  uv_file file, void *ret_data,
                                  size_t size_bytes, int64_t offset) {
  vow_future_t *failed;
  fs_op_t *op;
  if (ret_data == NULL || !is_transfer(ret_data, size_bytes))
    return bad_transfer(site, loop, &read_into_class, ret_data);
  op = fs_new(site, loop, &read_into_class, result_count, NULL, &failed);
  if (op == NULL) return failed;
  return start_read(op, file, ret_data, size_bytes, offset);
}

static vow_future_t *start_write(fs_op_t *op, uv_file file, const void *data,
                                 size_t size_bytes, int64_t offset) {
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)size_bytes);
  return fs_start(
      op, uv_fs_write(op->base.d->uv, &op->req, file, &buf, 1, offset, on_fs));
}

vow_future_t *vow_fs_write_at(const char *site, vow_loop_t *loop, uv_file file,
                              const void *data, size_t size_bytes,
                              int64_t offset) {
  vow_future_t *failed;
  fs_op_t *op;
  if (!is_transfer(data, size_bytes))
    return bad_transfer(site, loop, &write_class, data);
  op = fs_new(site, loop, &write_class, result_count, NULL, &failed);
  if (op == NULL) return failed;
  op->bytes = vow__bytes_new(size_bytes);
  if (op->bytes == NULL) return vow__request_start(op, UV_ENOMEM);
  if (size_bytes > 0) memcpy(vow__bytes_room(op->bytes), data, size_bytes);
  return start_write(op, file, vow__bytes_room(op->bytes), size_bytes, offset);
}

vow_future_t *vow_fs_write_borrowed_at(const char *site, vow_loop_t *loop,
                                       uv_file file, const void *data,
                                       size_t size_bytes, int64_t offset) {
  vow_future_t *failed;
  fs_op_t *op;
  if (!is_transfer(data, size_bytes))
    return bad_transfer(site, loop, &write_borrowed_class, data);
  op = fs_new(site, loop, &write_borrowed_class, result_count, NULL, &failed);
  if (op == NULL) return failed;
  return start_write(op, file, data, size_bytes, offset);
}

/* ---- stat ---------------------------------------------------------------- */

const vow_type_t vow_type_stat = {"stat", vow_release, NULL, NULL};

static vow_value_t result_stat(fs_op_t *op) {
  uv_stat_t *st = vow_alloc(sizeof *st);
  if (st == NULL) return vow_fail(UV_ENOMEM);
  *st = op->req.statbuf;
  return vow_ptr(st, &vow_type_stat);
}

vow_future_t *vow_fs_stat_at(const char *site, vow_loop_t *loop,
                             const char *path) {
  vow_future_t *failed;
  fs_op_t *op;
  if (path == NULL) return no_path(site, loop, &stat_class);
  op = fs_new(site, loop, &stat_class, result_stat, path, &failed);
  if (op == NULL) return failed;
  return fs_start(op, uv_fs_stat(op->base.d->uv, &op->req, path, on_fs));
}

const uv_stat_t *vow_stat_get(vow_future_t *f) {
  return vow_get(f, &vow_type_stat);
}

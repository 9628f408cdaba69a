/* SPDX-License-Identifier: MIT */
/* Open files: open, close, read, write, sync, truncate, sendfile. */
#include <vow/fs_file.h>

#include "uv/fs.h"
#include "uv/pool.h"

#include <stdio.h>
#include <string.h>

static void release_bytes(void *held) {
  vow_bytes_unref(held);
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

static vow_value_t result_file(vow__fs_t *op) {
  return vow_ptr((void *)(intptr_t)(op->req.result + 1), &vow_type_file);
}

static const vow__fs_kind_t open_kind =
    VOW__FS_KIND("fs_open", vow__fs_cancel, result_file, NULL);
static const vow__fs_kind_t close_kind =
    VOW__FS_KIND("fs_close", NULL, vow__fs_nil, NULL);

vow_future_t *vow_fs_open_at(const char *site, vow_loop_t *loop,
                             const char *path, int flags, int mode) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &open_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_open(vow__fs_uv(op), &op->req, path, flags, mode, vow__fs_on));
}

vow_future_t *vow_fs_close_at(const char *site, vow_loop_t *loop,
                              uv_file file) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_new(site, loop, &close_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op,
                       uv_fs_close(vow__fs_uv(op), &op->req, file, vow__fs_on));
}

/* ---- read ---------------------------------------------------------------- */

static vow_value_t result_bytes(vow__fs_t *op) {
  vow_bytes_t *b = op->held;
  op->held = NULL;
  vow__bytes_fill(b, (size_t)op->req.result);
  return vow_ptr(b, &vow_type_bytes);
}

static const vow__fs_kind_t read_kind =
    VOW__FS_KIND("fs_read", vow__fs_cancel, result_bytes, release_bytes);
static const vow__fs_kind_t read_into_kind =
    VOW__FS_KIND("fs_read_into", vow__fs_cancel_wait, vow__fs_count, NULL);
static const vow__fs_kind_t readv_into_kind =
    VOW__FS_KIND("fs_readv_into", vow__fs_cancel_wait, vow__fs_count, NULL);

static bool is_transfer(const void *data, size_t size_bytes) {
  return size_bytes <= INT32_MAX && (data != NULL || size_bytes == 0);
}

static vow_future_t *bad_transfer(const char *site, vow_loop_t *loop,
                                  const vow__fs_kind_t *kind,
                                  const void *data) {
  return vow_misuse_at(site, loop, UV_EINVAL, "%s: %s", kind->cls.name,
                       data == NULL ? "the memory is NULL"
                                    : "the size is above INT32_MAX");
}

/* Gives op, when there is one, memory of its own and what to write from it. */
static int hold_bytes(vow__fs_t *op, const void *data, size_t size_bytes,
                      uv_buf_t *ret_buf) {
  vow_bytes_t *b = vow__bytes_new(size_bytes);
  if (b == NULL) return UV_ENOMEM;
  op->held = b;
  *ret_buf = uv_buf_init(vow__bytes_room(b), (unsigned)size_bytes);
  if (data != NULL && size_bytes > 0)
    memcpy(vow__bytes_room(b), data, size_bytes);
  return 0;
}

static int submit_read(vow__fs_t *op, uv_file file, const uv_buf_t bufs[],
                       unsigned nbufs, int64_t offset) {
  return uv_fs_read(vow__fs_uv(op), &op->req, file, bufs, nbufs, offset,
                    vow__fs_on);
}

vow_future_t *vow_fs_read_at(const char *site, vow_loop_t *loop, uv_file file,
                             size_t size_bytes, int64_t offset) {
  vow_future_t *failed;
  vow__fs_t *op;
  uv_buf_t buf;
  if (!is_transfer("", size_bytes))
    return bad_transfer(site, loop, &read_kind, "");
  op = vow__fs_new(site, loop, &read_kind, &failed);
  if (op == NULL) return failed;
  if (hold_bytes(op, NULL, size_bytes, &buf) < 0)
    return vow__request_start(op, UV_ENOMEM);
  return vow__fs_start(op, submit_read(op, file, &buf, 1, offset));
}

vow_future_t *vow_fs_read_into_at(const char *site, vow_loop_t *loop,
                                  uv_file file, void *ret_data,
                                  size_t size_bytes, int64_t offset) {
  vow_future_t *failed;
  vow__fs_t *op;
  uv_buf_t buf = uv_buf_init(ret_data, (unsigned)size_bytes);
  if (ret_data == NULL || !is_transfer(ret_data, size_bytes))
    return bad_transfer(site, loop, &read_into_kind, ret_data);
  op = vow__fs_new(site, loop, &read_into_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op, submit_read(op, file, &buf, 1, offset));
}

vow_future_t *vow_fs_readv_into_at(const char *site, vow_loop_t *loop,
                                   uv_file file, const uv_buf_t bufs[],
                                   unsigned nbufs, int64_t offset) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_new(site, loop, &readv_into_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op, submit_read(op, file, bufs, nbufs, offset));
}

/* ---- write --------------------------------------------------------------- */

static const vow__fs_kind_t write_kind =
    VOW__FS_KIND("fs_write", vow__fs_cancel, vow__fs_count, release_bytes);
static const vow__fs_kind_t write_borrowed_kind =
    VOW__FS_KIND("fs_write_borrowed", vow__fs_cancel_wait, vow__fs_count, NULL);
static const vow__fs_kind_t writev_borrowed_kind = VOW__FS_KIND(
    "fs_writev_borrowed", vow__fs_cancel_wait, vow__fs_count, NULL);

static int submit_write(vow__fs_t *op, uv_file file, const uv_buf_t bufs[],
                        unsigned nbufs, int64_t offset) {
  return uv_fs_write(vow__fs_uv(op), &op->req, file, bufs, nbufs, offset,
                     vow__fs_on);
}

vow_future_t *vow_fs_write_at(const char *site, vow_loop_t *loop, uv_file file,
                              const void *data, size_t size_bytes,
                              int64_t offset) {
  vow_future_t *failed;
  vow__fs_t *op;
  uv_buf_t buf;
  if (!is_transfer(data, size_bytes))
    return bad_transfer(site, loop, &write_kind, data);
  op = vow__fs_new(site, loop, &write_kind, &failed);
  if (op == NULL) return failed;
  if (hold_bytes(op, data, size_bytes, &buf) < 0)
    return vow__request_start(op, UV_ENOMEM);
  return vow__fs_start(op, submit_write(op, file, &buf, 1, offset));
}

vow_future_t *vow_fs_write_borrowed_at(const char *site, vow_loop_t *loop,
                                       uv_file file, const void *data,
                                       size_t size_bytes, int64_t offset) {
  vow_future_t *failed;
  vow__fs_t *op;
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)size_bytes);
  if (!is_transfer(data, size_bytes))
    return bad_transfer(site, loop, &write_borrowed_kind, data);
  op = vow__fs_new(site, loop, &write_borrowed_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op, submit_write(op, file, &buf, 1, offset));
}

vow_future_t *vow_fs_writev_borrowed_at(const char *site, vow_loop_t *loop,
                                        uv_file file, const uv_buf_t bufs[],
                                        unsigned nbufs, int64_t offset) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_new(site, loop, &writev_borrowed_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op, submit_write(op, file, bufs, nbufs, offset));
}

/* ---- the rest ------------------------------------------------------------ */

static const vow__fs_kind_t fsync_kind =
    VOW__FS_KIND("fs_fsync", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t fdatasync_kind =
    VOW__FS_KIND("fs_fdatasync", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t ftruncate_kind =
    VOW__FS_KIND("fs_ftruncate", vow__fs_cancel, vow__fs_nil, NULL);
static const vow__fs_kind_t sendfile_kind =
    VOW__FS_KIND("fs_sendfile", vow__fs_cancel, vow__fs_count, NULL);

vow_future_t *vow_fs_fsync_at(const char *site, vow_loop_t *loop,
                              uv_file file) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_new(site, loop, &fsync_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op,
                       uv_fs_fsync(vow__fs_uv(op), &op->req, file, vow__fs_on));
}

vow_future_t *vow_fs_fdatasync_at(const char *site, vow_loop_t *loop,
                                  uv_file file) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_new(site, loop, &fdatasync_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_fdatasync(vow__fs_uv(op), &op->req, file, vow__fs_on));
}

vow_future_t *vow_fs_ftruncate_at(const char *site, vow_loop_t *loop,
                                  uv_file file, int64_t size_bytes) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_new(site, loop, &ftruncate_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op, uv_fs_ftruncate(vow__fs_uv(op), &op->req, file,
                                           size_bytes, vow__fs_on));
}

vow_future_t *vow_fs_sendfile_at(const char *site, vow_loop_t *loop,
                                 uv_file out, uv_file in, int64_t in_offset,
                                 size_t length) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_new(site, loop, &sendfile_kind, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(op, uv_fs_sendfile(vow__fs_uv(op), &op->req, out, in,
                                          in_offset, length, vow__fs_on));
}

/* SPDX-License-Identifier: MIT */
/* The shim before libuv's file system requests, with and without a callback. A
 * request whose callback is told a code has taken place: what it opened or made
 * for the caller is undone. */
#include "check/shim/inside.h"

#include <string.h>
#include <unistd.h>

/* As libuv leaves a request that it refuses. */
static int refuse(uv_fs_t *req, int code) {
  req->type = UV_FS;
  req->fs_type = UV_FS_UNKNOWN;
  req->result = code;
  req->ptr = NULL;
  req->path = NULL;
  req->new_path = NULL;
  req->bufs = NULL;
  req->cb = NULL;
  return code;
}

int __real_uv_fs_closedir(uv_loop_t *loop, uv_fs_t *req, uv_dir_t *dir,
                          uv_fs_cb cb);

static void close_dir(uv_dir_t *dir) {
  uv_fs_t req;
  __real_uv_fs_closedir(NULL, &req, dir, NULL);
  uv_fs_req_cleanup(&req);
}

static void undo(uv_fs_t *req) {
  uv_dirent_t entry;
  if (req->result < 0) return;
  switch (req->fs_type) {
  case UV_FS_MKSTEMP:
    unlink(req->path);
    close((int)req->result);
    break;
  case UV_FS_OPEN:
    close((int)req->result);
    break;
  case UV_FS_MKDTEMP:
    rmdir(req->path);
    break;
  case UV_FS_OPENDIR:
    close_dir(req->ptr);
    req->ptr = NULL;
    break;
  case UV_FS_SCANDIR: /* the clean-up goes by the result */
    while (uv_fs_scandir_next(req, &entry) == 0) {
    }
    break;
  case UV_FS_READDIR:
    uv_fs_req_cleanup(req);
    break;
  default:
    break;
  }
}

static void on_fs(uv_fs_t *req) {
  vow__shim_watch_t w = vow__shim_take(req);
  undo(req);
  req->result = w.code;
  ((uv_fs_cb)w.cb)(req);
}

static uv_fs_cb take_over(vow__shim_call_t call, uv_fs_t *req, uv_fs_cb cb) {
  return (uv_fs_cb)vow__shim_request(call, req, (vow__shim_cb_t)cb,
                                     (vow__shim_cb_t)on_fs);
}

/* ---- those that transfer bytes ------------------------------------------- */

#define TRANSFER_PARAMS                                                  \
  (uv_loop_t * loop, uv_fs_t * req, uv_file file, const uv_buf_t bufs[], \
   unsigned n, int64_t offset, uv_fs_cb cb)

#define TRANSFER(name, max)                                          \
  int __real_##name TRANSFER_PARAMS;                                 \
  int __wrap_##name TRANSFER_PARAMS;                                 \
  int __wrap_##name TRANSFER_PARAMS {                                \
    uv_buf_t cut;                                                    \
    int err;                                                         \
    if (vow__shim_fails(CALL_##name, &err)) return refuse(req, err); \
    cb = take_over(CALL_##name, req, cb);                            \
    if ((max) > 0 && bufs != NULL) {                                 \
      n = vow__shim_cut(bufs, n, (max), &cut);                       \
      if (n == 1) bufs = &cut; /* libuv copies the array */          \
    }                                                                \
    return vow__shim_begun(                                          \
        req, __real_##name(loop, req, file, bufs, n, offset, cb));   \
  }

TRANSFER(uv_fs_read, vow__shim_read_max())
TRANSFER(uv_fs_write, vow__shim_write_max())

int __real_uv_fs_sendfile(uv_loop_t *loop, uv_fs_t *req, uv_file to,
                          uv_file from, int64_t offset, size_t length,
                          uv_fs_cb cb);
int __wrap_uv_fs_sendfile(uv_loop_t *loop, uv_fs_t *req, uv_file to,
                          uv_file from, int64_t offset, size_t length,
                          uv_fs_cb cb);
int __wrap_uv_fs_sendfile(uv_loop_t *loop, uv_fs_t *req, uv_file to,
                          uv_file from, int64_t offset, size_t length,
                          uv_fs_cb cb) {
  size_t max = vow__shim_write_max();
  int err;
  if (vow__shim_fails(CALL_uv_fs_sendfile, &err)) return refuse(req, err);
  cb = take_over(CALL_uv_fs_sendfile, req, cb);
  if (max > 0 && length > max) length = max;
  return vow__shim_begun(
      req, __real_uv_fs_sendfile(loop, req, to, from, offset, length, cb));
}

/* Without a callback the file is closed all the same, as a system does. */
int __real_uv_fs_close(uv_loop_t *loop, uv_fs_t *req, uv_file file,
                       uv_fs_cb cb);
int __wrap_uv_fs_close(uv_loop_t *loop, uv_fs_t *req, uv_file file,
                       uv_fs_cb cb);
int __wrap_uv_fs_close(uv_loop_t *loop, uv_fs_t *req, uv_file file,
                       uv_fs_cb cb) {
  int err;
  if (vow__shim_fails(CALL_uv_fs_close, &err)) {
    if (cb == NULL) close(file);
    return refuse(req, err);
  }
  cb = take_over(CALL_uv_fs_close, req, cb);
  return vow__shim_begun(req, __real_uv_fs_close(loop, req, file, cb));
}

/* ---- the others ---------------------------------------------------------- */

#define LIST(...) __VA_ARGS__
#define SHIM_CALL(name, params, args)
#define SHIM_OWN(name)
#define SHIM_FS(name, params, args)                                            \
  int __real_##name(uv_loop_t *loop, uv_fs_t *req, LIST params, uv_fs_cb cb);  \
  int __wrap_##name(uv_loop_t *loop, uv_fs_t *req, LIST params, uv_fs_cb cb);  \
  int __wrap_##name(uv_loop_t *loop, uv_fs_t *req, LIST params, uv_fs_cb cb) { \
    int err;                                                                   \
    if (vow__shim_fails(CALL_##name, &err)) return refuse(req, err);           \
    cb = take_over(CALL_##name, req, cb);                                      \
    return vow__shim_begun(req, __real_##name(loop, req, LIST args, cb));      \
  }
#include "check/shim/calls.h"

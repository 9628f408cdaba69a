/* SPDX-License-Identifier: MIT */
/* What is in a folder: scandir, opendir, readdir, closedir.
 *
 * How this works. libuv's thread uses an open folder while a read runs, also
 * one whose future was cancelled and is gone. So a folder knows of its read;
 * closing and freeing it meanwhile are put off until the callback. */
#include "uv/dirents.h"
#include "uv/fs.h"

#define READDIR_MAX 65536

struct vow_dir {
  uv_dir_t *raw; /* NULL until it is open */
  bool reading;
  bool freed;        /* to be freed after the read */
  vow__fs_t *closer; /* a closedir that waits for the read, or NULL */
};

/* ---- scandir ------------------------------------------------------------- */

static vow_value_t result_scan(vow__fs_t *op) {
  vow_dirents_t *d = vow__dirents_new((size_t)op->req.result);
  uv_dirent_t entry;
  if (d == NULL) return vow_fail(UV_ENOMEM);
  /* To the end in any case: libuv loses the last entry when nobody asks for
   * what is behind it. */
  while (uv_fs_scandir_next(&op->req, &entry) == 0) {
    if (d == NULL || vow__dirents_add(d, &entry) == 0) continue;
    vow_dirents_unref(d);
    d = NULL;
  }
  return d != NULL ? vow_ptr(d, &vow_type_dirents) : vow_fail(UV_ENOMEM);
}

static const vow__fs_kind_t scandir_kind =
    VOW__FS_KIND("fs_scandir", vow__fs_cancel, result_scan, NULL);

vow_future_t *vow_fs_scandir_at(const char *site, vow_loop_t *loop,
                                const char *path, int flags) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &scandir_kind, path, &failed);
  if (op == NULL) return failed;
  return vow__fs_start(
      op, uv_fs_scandir(vow__fs_uv(op), &op->req, path, flags, vow__fs_on));
}

/* ---- opendir ------------------------------------------------------------- */

void vow_dir_free(vow_dir_t *dir) {
  uv_fs_t req;
  if (dir == NULL) return;
  if (dir->reading) {
    dir->freed = true;
    return;
  }
  if (dir->raw != NULL) {
    uv_fs_closedir(NULL, &req, dir->raw, NULL);
    uv_fs_req_cleanup(&req);
  }
  vow_release(dir);
}

static void dir_destroy(void *p) {
  vow_dir_free(p);
}

const vow_type_t vow_type_dir = {"dir", dir_destroy, NULL, NULL};

vow_dir_t *vow_dir_get(vow_future_t *f) {
  return vow_get(f, &vow_type_dir);
}

vow_dir_t *vow_dir_take(vow_future_t *f) {
  return vow_take(f, &vow_type_dir);
}

static vow_value_t result_dir(vow__fs_t *op) {
  vow_dir_t *dir = op->held;
  op->held = NULL;
  dir->raw = op->req.ptr;
  return vow_ptr(dir, &vow_type_dir);
}

static const vow__fs_kind_t opendir_kind =
    VOW__FS_KIND("fs_opendir", vow__fs_cancel, result_dir, vow_release);

vow_future_t *vow_fs_opendir_at(const char *site, vow_loop_t *loop,
                                const char *path) {
  vow_future_t *failed;
  vow__fs_t *op = vow__fs_path(site, loop, &opendir_kind, path, &failed);
  vow_dir_t *dir;
  if (op == NULL) return failed;
  op->held = dir = vow_alloc(sizeof *dir);
  if (dir == NULL) return vow__request_start(op, UV_ENOMEM);
  *dir = (vow_dir_t){NULL, false, false, NULL};
  return vow__fs_start(
      op, uv_fs_opendir(vow__fs_uv(op), &op->req, path, vow__fs_on));
}

/* ---- closedir ------------------------------------------------------------ */

/* libuv frees its part, also when closing fails. */
static const vow__fs_kind_t closedir_kind =
    VOW__FS_KIND("fs_closedir", NULL, vow__fs_nil, vow_release);

static int submit_close(vow__fs_t *op) {
  vow_dir_t *dir = op->held;
  return uv_fs_closedir(vow__fs_uv(op), &op->req, dir->raw, vow__fs_on);
}

vow_future_t *vow_fs_closedir_at(const char *site, vow_loop_t *loop,
                                 vow_dir_t *dir) {
  vow_future_t *failed;
  vow__fs_t *op;
  int err;
  if (dir == NULL)
    return vow_misuse_at(site, loop, UV_EINVAL, "fs_closedir: dir is NULL");
  op = vow__fs_new(site, loop, &closedir_kind, &failed);
  if (op == NULL) return failed;
  op->held = dir;
  if (!dir->reading) {
    err = submit_close(op);
    if (err < 0) op->held = NULL; /* it stays the caller's */
    return vow__fs_start(op, err);
  }
  dir->closer = op;
  return vow__request_start(op, 0);
}

/* ---- readdir ------------------------------------------------------------- */

typedef struct reading {
  vow_dir_t *dir;
  uv_dirent_t entries[];
} reading_t;

static vow_value_t result_entries(vow__fs_t *op) {
  const reading_t *r = op->held;
  size_t n = (size_t)op->req.result;
  vow_dirents_t *d = vow__dirents_new(n);
  size_t i;
  if (d == NULL) return vow_fail(UV_ENOMEM);
  for (i = 0; i < n; i++) {
    if (vow__dirents_add(d, &r->entries[i]) == 0) continue;
    vow_dirents_unref(d);
    return vow_fail(UV_ENOMEM);
  }
  return vow_ptr(d, &vow_type_dirents);
}

static const vow__fs_kind_t readdir_kind =
    VOW__FS_KIND("fs_readdir", vow__fs_cancel, result_entries, vow_release);

/* What was put off because of the read. */
static void read_ended(vow_dir_t *dir) {
  vow__fs_t *closer = dir->closer;
  int err;
  dir->reading = false;
  if (dir->freed) vow_dir_free(dir);
  if (closer == NULL) return;
  err = submit_close(closer);
  if (err >= 0) return;
  closer->held = NULL;
  vow_dir_free(dir); /* it was given to us */
  vow__fs_finish(closer, vow__request_failure(closer, err, NULL));
}

static void on_readdir(uv_fs_t *req) {
  vow__fs_t *op = VOW__OF(req, vow__fs_t, req);
  vow_dir_t *dir = ((reading_t *)op->held)->dir;
  vow_value_t v = vow__fs_outcome(op);
  uv_fs_req_cleanup(req); /* looks into the folder */
  read_ended(dir);
  vow__request_done(op, v);
}

static vow_future_t *start_readdir(vow__fs_t *op, vow_dir_t *dir, size_t max) {
  reading_t *r = vow_alloc(sizeof *r + max * sizeof r->entries[0]);
  int err;
  if (r == NULL) return vow__request_start(op, UV_ENOMEM);
  op->held = r;
  r->dir = dir;
  dir->raw->dirents = r->entries;
  dir->raw->nentries = max;
  err = uv_fs_readdir(vow__fs_uv(op), &op->req, dir->raw, on_readdir);
  dir->reading = err == 0;
  return vow__fs_start(op, err);
}

vow_future_t *vow_fs_readdir_at(const char *site, vow_loop_t *loop,
                                vow_dir_t *dir, size_t max) {
  vow_future_t *failed;
  vow__fs_t *op;
  if (dir == NULL || max == 0 || max > READDIR_MAX)
    return vow_misuse_at(site, loop, UV_EINVAL, "fs_readdir: %s",
                         dir == NULL ? "dir is NULL" : "bad number of entries");
  if (dir->reading)
    return vow_misuse_at(site, loop, UV_EBUSY,
                         "fs_readdir: a read of this folder is under way");
  op = vow__fs_new(site, loop, &readdir_kind, &failed);
  if (op == NULL) return failed;
  return start_readdir(op, dir, max);
}

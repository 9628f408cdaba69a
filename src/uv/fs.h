/* SPDX-License-Identifier: MIT */
/* The pattern of every uv_fs_* request: a kind says how it is named, cancelled
 * and read; the rest is the same for all. No single request's things in here.
 *
 *   static const vow__fs_kind_t x_kind =
 *       VOW__FS_KIND("fs_x", vow__fs_cancel, vow__fs_nil, NULL);
 *
 *   vow_future_t *vow_fs_x_at(site, loop, path) {
 *     vow_future_t *failed;
 *     vow__fs_t *op = vow__fs_path(site, loop, &x_kind, path, &failed);
 *     if (op == NULL) return failed;
 *     return vow__fs_start(
 *         op, uv_fs_x(vow__fs_uv(op), &op->req, path, vow__fs_on));
 *   } */
#ifndef VOW_UV_FS_H
#define VOW_UV_FS_H

#include "uv/request.h"

typedef struct vow__fs vow__fs_t;
struct vow__fs {
  vow__request_t base;
  uv_fs_t req;
  void *held;         /* what the kind's release ends, or NULL */
  const char *detail; /* for a failure's message; NULL: the request's paths */
};

typedef struct vow__fs_kind {
  vow_op_class_t cls; /* first: op->base.op.cls is the kind */
  /** The value of a request that succeeded. Called though the operation was
   *  cancelled before: that value is destroyed. */
  vow_value_t (*result)(vow__fs_t *op);
  void (*release)(void *held);
} vow__fs_kind_t;

#define VOW__FS_KIND(name, cancel, result, release)                     \
  {                                                                     \
    {(name), sizeof(vow__fs_t), (cancel), vow__fs_destroy, NULL, NULL}, \
        (result), (release)                                             \
  }

/** For classes. cancel settles at once; cancel_wait, for memory that is the
 *  caller's, when libuv says so. */
void vow__fs_destroy(void *op);
void vow__fs_cancel(void *op);
void vow__fs_cancel_wait(void *op);

/** A request, not begun; NULL with a failed future in *ret_failed. path and
 *  paths refuse NULL. */
vow__fs_t *vow__fs_new(const char *site, vow_loop_t *loop,
                       const vow__fs_kind_t *kind, vow_future_t **ret_failed);
vow__fs_t *vow__fs_path(const char *site, vow_loop_t *loop,
                        const vow__fs_kind_t *kind, const char *path,
                        vow_future_t **ret_failed);
vow__fs_t *vow__fs_paths(const char *site, vow_loop_t *loop,
                         const vow__fs_kind_t *kind, const char *path,
                         const char *new_path, vow_future_t **ret_failed);

static inline uv_loop_t *vow__fs_uv(const vow__fs_t *op) {
  return op->base.d->uv;
}

/** After the libuv call, which returned err. Returns the future. */
vow_future_t *vow__fs_start(vow__fs_t *op, int err);
/** libuv's callback. */
void vow__fs_on(uv_fs_t *req);
/** The same in two halves, for those who have more to do in between. */
vow_value_t vow__fs_outcome(vow__fs_t *op);
void vow__fs_finish(vow__fs_t *op, vow_value_t v);

/** Results: nothing, and the request's number. */
vow_value_t vow__fs_nil(vow__fs_t *op);
vow_value_t vow__fs_count(vow__fs_t *op);

#endif

/* SPDX-License-Identifier: MIT */
/* The pattern of every wrapper of a libuv request. No wrapper's own types in
 * here.
 *
 *   typedef struct x_op {
 *     vow__request_t base;   first; an operation, see <vow/op.h>
 *     uv_x_t req;
 *   } x_op_t;
 *
 *   vow_future_t *vow_x_at(site, loop, ...) {
 *     vow_future_t *failed;
 *     x_op_t *op = vow__request_new(site, loop, &x_class, &failed);
 *     if (op == NULL) return failed;
 *     return vow__request_start(op, uv_x(op->base.d->uv, &op->req, on_x));
 *   }
 *
 *   static void on_x(uv_x_t *req, int status) {
 *     x_op_t *op = VOW__OF(req, x_op_t, req);
 *     vow__request_done(op, status < 0 ? vow__request_failure(op, status, ..)
 *                                      : value);
 *   }
 *
 * While libuv holds the request the operation is pinned, which closing the loop
 * waits for. The cancel of an operation that owns
 * its memory calls vow__request_cancel (after uv_cancel, where there is that):
 * the future settles at once, and when the callback comes after all, settling
 * again destroys the late result. One that borrows memory only calls uv_cancel
 * there, or has no cancel, and settles in the callback alone. */
#ifndef VOW_UV_REQUEST_H
#define VOW_UV_REQUEST_H

#include <vow/op.h>

#include "uv/driver.h"

typedef struct vow__request vow__request_t;
struct vow__request {
  vow_op_t op;
  vow__uv_t *d;
};

/** An operation on loop, and its driver; NULL with a failed future in
 *  *ret_failed. The class's name stands in messages. */
void *vow__op_new(const char *site, vow_loop_t *loop, const vow_op_class_t *cls,
                  vow__uv_t **ret_d, vow_future_t **ret_failed);
/** A request on loop, not begun; NULL with a failed future in *ret_failed. The
 *  class's name stands in messages. */
void *vow__request_new(const char *site, vow_loop_t *loop,
                       const vow_op_class_t *cls, vow_future_t **ret_failed);
/** After the libuv call, which returned err: below 0 there will be no callback,
 *  and the future fails. Returns the future. */
vow_future_t *vow__request_start(void *op, int err);
/** The same; detail, which may be NULL, stands in the failure's message. */
vow_future_t *vow__request_start_for(void *op, int err, const char *detail);
/** The callback came: settles with v, releases the request, drains the loop.
 *  op may be gone then, and so may anything of the user's. */
void vow__request_done(void *op, vow_value_t v);
/** A failure whose message names the operation and detail (NULL: none). The
 *  UV_ECANCELED of a closed handle becomes VOW_ESHUTDOWN; a cancelled
 *  operation has settled before. */
vow_value_t vow__request_failure(void *op, int err, const char *detail);

/** For classes: settle as cancelled at once. */
void vow__request_cancel(void *op);

#endif

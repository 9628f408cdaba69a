/* SPDX-License-Identifier: MIT */
/* UDP handles of vow's own, and sending. As in write.c the kernel is tried
 * first; libuv refuses that while something is queued, which keeps the order.
 * Receiving is in receiver.c. */
#include <vow/udp.h>

#include "uv/address.h"
#include "uv/bufs.h"
#include "uv/owned.h"
#include "uv/request.h"
#include "uv/udp.h"

/* ---- handles ------------------------------------------------------------- */

int vow__udp_new(const char *site, vow__uv_t *d, unsigned flags,
                 uv_udp_t **ret_udp) {
  uv_udp_t *udp = vow__heap_new(sizeof *udp);
  if (udp == NULL) return UV_ENOMEM;
  return vow__heap_start(site, d, udp, uv_udp_init_ex(d->uv, udp, flags),
                         ret_udp);
}

int vow_udp_new_at(const char *site, vow_loop_t *loop, unsigned flags,
                   uv_udp_t **ret_udp) {
  vow__uv_t *d;
  int err = ret_udp == NULL ? UV_EINVAL : vow__uv_check(loop, &d);
  return err != 0 ? err : vow__udp_new(site, d, flags, ret_udp);
}

void vow_udp_free(uv_udp_t *udp) {
  vow__heap_free(udp);
}

static void udp_destroy(void *p) {
  vow__heap_free(p);
}

const vow_type_t vow_type_udp = {"udp handle", udp_destroy, NULL, NULL};

uv_udp_t *vow_udp_get(vow_future_t *f) {
  return vow_get(f, &vow_type_udp);
}

uv_udp_t *vow_udp_take(vow_future_t *f) {
  return vow_take(f, &vow_type_udp);
}

/* ---- what connecting and sending share ----------------------------------- */

/* The driver of udp when it may be used with addr, which may be NULL. */
static vow__uv_t *check(const char *site, uv_udp_t *udp,
                        const struct sockaddr *addr, const char *what,
                        vow_future_t **ret_failed) {
  vow__uv_t *d = vow__uv_for(site, udp, what, ret_failed);
  if (d == NULL) return NULL;
  if (addr != NULL && !vow__address_is_known(addr))
    *ret_failed = vow_misuse_at(site, d->loop, UV_EINVAL,
                                "%s: the address is not IPv4 or IPv6", what);
  else if (uv_is_closing((uv_handle_t *)udp))
    *ret_failed = vow_misuse_at(site, d->loop, VOW_ESHUTDOWN,
                                "%s: the handle is closed", what);
  else
    return d;
  return NULL;
}

/* A failure of the call itself; addr may be NULL. */
static vow_future_t *failure(const char *site, vow__uv_t *d, const char *what,
                             int err, const struct sockaddr *addr) {
  struct sockaddr_storage copy;
  char text[VOW__ADDRESS_TEXT] = "the peer";
  if (addr != NULL) {
    vow__address_copy(&copy, addr);
    vow__address_text(&copy, text);
  }
  return vow_ready_at(
      site, d->loop,
      vow_failf_at(site, err, "%s %s: %s", what, text, vow_strerror(err)));
}

vow_future_t *vow_udp_connect_at(const char *site, uv_udp_t *udp,
                                 const struct sockaddr *addr) {
  static const char what[] = "udp_connect";
  vow_future_t *failed;
  vow__uv_t *d = check(site, udp, addr, what, &failed);
  int err;
  if (d == NULL) return failed;
  err = uv_udp_connect(udp, addr);
  if (err != 0) return failure(site, d, what, err, addr);
  return vow_ready_at(site, d->loop, vow_nil());
}

/* ---- sending ------------------------------------------------------------- */

typedef struct send_op {
  vow__request_t base;
  uv_udp_send_t req;
  size_t total_bytes;
  char *copy; /* NULL when borrowed */
} send_op_t;

static void send_destroy(void *p) {
  send_op_t *op = p;
  vow_release(op->copy);
}

static const vow_op_class_t send_class = {
    "udp_send", sizeof(send_op_t), vow__request_cancel, send_destroy, NULL,
    NULL};

/* No cancel: libuv cannot give the memory back early. */
static const vow_op_class_t borrowed_class = {
    "udp_send_borrowed", sizeof(send_op_t), NULL, NULL, NULL, NULL};

static void on_send(uv_udp_send_t *req, int status) {
  send_op_t *op = VOW__OF(req, send_op_t, req);
  vow__request_done(op, status < 0 ? vow__request_failure(op, status, NULL)
                                   : vow_int((int64_t)op->total_bytes));
}

static vow_future_t *queue(const char *site, vow__uv_t *d,
                           const vow_op_class_t *cls, uv_udp_t *udp,
                           const uv_buf_t bufs[], unsigned n,
                           const struct sockaddr *addr) {
  vow_future_t *failed;
  send_op_t *op = vow__request_new(site, d->loop, cls, &failed);
  uv_buf_t buf;
  if (op == NULL) return failed;
  op->total_bytes = vow__bufs_total(bufs, n);
  if (cls == &borrowed_class) /* libuv copies the array */
    return vow__request_start(
        op, uv_udp_send(&op->req, udp, bufs, n, addr, on_send));
  buf.len = op->total_bytes;
  op->copy = buf.base = vow_alloc(buf.len + 1);
  if (op->copy == NULL) return vow__request_start(op, UV_ENOMEM);
  vow__bufs_copy(op->copy, bufs, n, 0);
  return vow__request_start(op,
                            uv_udp_send(&op->req, udp, &buf, 1, addr, on_send));
}

static vow_future_t *send_bufs(const char *site, const vow_op_class_t *cls,
                               uv_udp_t *udp, const uv_buf_t bufs[], unsigned n,
                               const struct sockaddr *addr) {
  uv_buf_t nothing = uv_buf_init(NULL, 0);
  vow_future_t *failed;
  vow__uv_t *d = check(site, udp, addr, cls->name, &failed);
  int sent;
  if (d == NULL) return failed;
  if (bufs == NULL && n > 0)
    return vow_misuse_at(site, d->loop, UV_EINVAL, "%s: bufs is NULL",
                         cls->name);
  if (n == 0) { /* an empty datagram; libuv aborts for want of a buffer */
    bufs = &nothing;
    n = 1;
  }
  sent = uv_udp_try_send(udp, bufs, n, addr);
  if (sent >= 0) return vow_ready_at(site, d->loop, vow_int(sent));
  if (sent != UV_EAGAIN && sent != UV_ENOBUFS)
    return failure(site, d, cls->name, sent, addr);
  return queue(site, d, cls, udp, bufs, n, addr);
}

vow_future_t *vow_udp_send_at(const char *site, uv_udp_t *udp,
                              const uv_buf_t bufs[], unsigned n,
                              const struct sockaddr *addr) {
  return send_bufs(site, &send_class, udp, bufs, n, addr);
}

vow_future_t *vow_udp_send_borrowed_at(const char *site, uv_udp_t *udp,
                                       const uv_buf_t bufs[], unsigned n,
                                       const struct sockaddr *addr) {
  return send_bufs(site, &borrowed_class, udp, bufs, n, addr);
}

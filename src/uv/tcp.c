/* SPDX-License-Identifier: MIT */
/* TCP handles of vow's own, and connecting. Listening is in listen.c. */
#include <vow/tcp.h>

#include "uv/address.h"
#include "uv/owned.h"
#include "uv/request.h"
#include "uv/tcp.h"

#include <string.h>

/* ---- handles ------------------------------------------------------------- */

int vow__tcp_new(const char *site, vow__uv_t *d, uv_tcp_t **ret_tcp) {
  uv_tcp_t *tcp = vow__heap_new(sizeof *tcp);
  if (tcp == NULL) return UV_ENOMEM;
  return vow__heap_start(site, d, tcp, uv_tcp_init(d->uv, tcp), ret_tcp);
}

int vow_tcp_new_at(const char *site, vow_loop_t *loop, uv_tcp_t **ret_tcp) {
  vow__uv_t *d;
  int err = ret_tcp == NULL ? UV_EINVAL : vow__uv_check(loop, &d);
  return err != 0 ? err : vow__tcp_new(site, d, ret_tcp);
}

void vow_tcp_free(uv_tcp_t *tcp) {
  vow__heap_free(tcp);
}

static void tcp_destroy(void *p) {
  vow_tcp_free(p);
}

const vow_type_t vow_type_tcp = {"tcp handle", tcp_destroy, NULL, NULL};

uv_tcp_t *vow_tcp_get(vow_future_t *f) {
  return vow_get(f, &vow_type_tcp);
}

uv_tcp_t *vow_tcp_take(vow_future_t *f) {
  return vow_take(f, &vow_type_tcp);
}

/* ---- connecting ---------------------------------------------------------- */

typedef struct connect_op {
  vow__request_t base;
  uv_connect_t req;
  struct sockaddr_storage addr; /* for the message */
} connect_op_t;

static const vow_op_class_t connect_class = {
    "tcp_connect", sizeof(connect_op_t), vow__request_cancel, NULL, NULL, NULL};

static vow_value_t connect_failure(connect_op_t *op, int err) {
  char text[VOW__ADDRESS_TEXT];
  vow__address_text(&op->addr, text);
  return vow__request_failure(op, err, text);
}

static void on_connect(uv_connect_t *req, int status) {
  connect_op_t *op = VOW__OF(req, connect_op_t, req);
  vow__request_done(op, status < 0 ? connect_failure(op, status) : vow_nil());
}

vow_future_t *vow_tcp_connect_at(const char *site, uv_tcp_t *tcp,
                                 const struct sockaddr *addr) {
  vow_future_t *failed;
  connect_op_t *op;
  vow__uv_t *d = vow__uv_for(site, tcp, "tcp_connect", &failed);
  char text[VOW__ADDRESS_TEXT];
  int err;
  if (d == NULL) return failed;
  if (!vow__address_is_known(addr))
    return vow_misuse_at(site, d->loop, UV_EINVAL, "tcp_connect: %s",
                         addr == NULL ? "the address is NULL"
                                      : "the address is not IPv4 or IPv6");
  if (uv_is_closing((uv_handle_t *)tcp))
    return vow_misuse_at(site, d->loop, VOW_ESHUTDOWN,
                         "tcp_connect: the handle is closed");
  op = vow__request_new(site, d->loop, &connect_class, &failed);
  if (op == NULL) return failed;
  vow__address_copy(&op->addr, addr);
  err = uv_tcp_connect(&op->req, tcp, addr, on_connect);
  if (err < 0) vow__address_text(&op->addr, text);
  return vow__request_start_for(op, err, err < 0 ? text : NULL);
}

/* SPDX-License-Identifier: MIT */
/* TCP handles of vow's own, and connecting. Listening is in listen.c. */
#include <vow/tcp.h>

#include "uv/owned.h"
#include "uv/request.h"
#include "uv/tcp.h"

#include <stdio.h>
#include <string.h>

/* ---- handles ------------------------------------------------------------- */

typedef struct own_tcp {
  uv_tcp_t tcp; /* first: users see its address only */
  vow__owned_t owned;
  vow__attached_t att; /* while a vow_close is under way */
} own_tcp_t;

static own_tcp_t *own_of(uv_tcp_t *tcp) {
  return VOW__OF(tcp, own_tcp_t, tcp);
}

int vow__tcp_new(const char *site, vow__uv_t *d, uv_tcp_t **ret_tcp) {
  own_tcp_t *own = vow_alloc(sizeof *own);
  int err;
  if (own == NULL) return UV_ENOMEM;
  memset(own, 0, sizeof *own);
  err = uv_tcp_init(d->uv, &own->tcp);
  if (err != 0) {
    vow_release(own);
    return err;
  }
  vow__owned_add(d, &own->owned, &own->tcp, site);
  *ret_tcp = &own->tcp;
  return 0;
}

int vow_tcp_new_at(const char *site, vow_loop_t *loop, uv_tcp_t **ret_tcp) {
  vow__uv_t *d;
  if (loop == NULL || ret_tcp == NULL) return UV_EINVAL;
  d = vow__uv_of(loop);
  if (d == NULL) return UV_ENOTSUP;
  if (vow__uv_find(d->uv) != d) return VOW_ETHREAD;
  return vow__tcp_new(site, d, ret_tcp);
}

static void on_freed(uv_handle_t *handle) {
  vow_release(own_of((uv_tcp_t *)(void *)handle));
}

static void own_closed(vow__attached_t *a) {
  vow_release(VOW__OF(a, own_tcp_t, att));
}

static const vow__attached_kind_t own_kind = {NULL, own_closed, NULL};

void vow_tcp_free(uv_tcp_t *tcp) {
  own_tcp_t *own;
  uv_handle_t *handle = (uv_handle_t *)tcp;
  vow__uv_t *d;
  if (tcp == NULL) return;
  own = own_of(tcp);
  vow__owned_remove(&own->owned);
  d = vow__uv_find(tcp->loop);
  if (!uv_is_closing(handle)) {
    if (d != NULL) vow__attached_closing(&d->handles, handle);
    uv_close(handle, on_freed);
  } else if (d != NULL && vow__attached_first(&d->handles, handle) != NULL) {
    /* vow_close is at it; attaching beside it needs no memory. */
    vow__attach(&d->handles, handle, &own->att, &own_kind, own->owned.site);
  } else {
    vow_release(own);
  }
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

static void address_text(const struct sockaddr_storage *addr, char *buf,
                         size_t size_bytes) {
  char name[64];
  if (addr->ss_family == AF_INET) {
    const struct sockaddr_in *in = (const void *)addr;
    uv_ip4_name(in, name, sizeof name);
    snprintf(buf, size_bytes, "%s:%d", name, ntohs(in->sin_port));
  } else {
    const struct sockaddr_in6 *in = (const void *)addr;
    uv_ip6_name(in, name, sizeof name);
    snprintf(buf, size_bytes, "[%s]:%d", name, ntohs(in->sin6_port));
  }
}

static vow_value_t connect_failure(connect_op_t *op, int err) {
  char text[80];
  address_text(&op->addr, text, sizeof text);
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
  char text[80];
  int err;
  if (d == NULL) return failed;
  if (addr == NULL ||
      (addr->sa_family != AF_INET && addr->sa_family != AF_INET6))
    return vow_misuse_at(site, d->loop, UV_EINVAL, "tcp_connect: %s",
                         addr == NULL ? "the address is NULL"
                                      : "the address is not IPv4 or IPv6");
  if (uv_is_closing((uv_handle_t *)tcp))
    return vow_misuse_at(site, d->loop, VOW_ESHUTDOWN,
                         "tcp_connect: the handle is closed");
  op = vow__request_new(site, d->loop, &connect_class, &failed);
  if (op == NULL) return failed;
  memcpy(&op->addr, addr,
         addr->sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                    : sizeof(struct sockaddr_in6));
  err = uv_tcp_connect(&op->req, tcp, addr, on_connect);
  if (err < 0) address_text(&op->addr, text, sizeof text);
  return vow__request_start_for(op, err, err < 0 ? text : NULL);
}

/* SPDX-License-Identifier: MIT */
/* Names and addresses, by libuv's thread pool. */
#include <vow/dns.h>

#include "uv/request.h"

#include <stdio.h>

typedef struct addrinfo_op {
  vow__request_t base;
  uv_getaddrinfo_t req;
  char name[128]; /* for the message; may be cut */
} addrinfo_op_t;

static void addrinfo_cancel(void *p) {
  addrinfo_op_t *op = p;
  uv_cancel((uv_req_t *)&op->req);
  vow__request_cancel(op);
}

static const vow_op_class_t addrinfo_class = {
    "getaddrinfo", sizeof(addrinfo_op_t), addrinfo_cancel, NULL, NULL, NULL};

static void addrinfo_destroy(void *p) {
  uv_freeaddrinfo(p);
}

const vow_type_t vow_type_addrinfo = {"addrinfo", addrinfo_destroy, NULL, NULL};

static void on_addrinfo(uv_getaddrinfo_t *req, int status,
                        struct addrinfo *list) {
  addrinfo_op_t *op = VOW__OF(req, addrinfo_op_t, req);
  if (status == UV_EAI_CANCELED) status = UV_ECANCELED;
  vow__request_done(op, status < 0 ? vow__request_failure(op, status, op->name)
                                   : vow_ptr(list, &vow_type_addrinfo));
}

vow_future_t *vow_getaddrinfo_at(const char *site, vow_loop_t *loop,
                                 const char *node, const char *service,
                                 const struct addrinfo *hints) {
  vow_future_t *failed;
  addrinfo_op_t *op = vow__request_new(site, loop, &addrinfo_class, &failed);
  if (op == NULL) return failed;
  snprintf(op->name, sizeof op->name, "%s",
           node != NULL ? node : (service != NULL ? service : "(null)"));
  return vow__request_start_for(op,
                                uv_getaddrinfo(op->base.d->uv, &op->req,
                                               on_addrinfo, node, service,
                                               hints),
                                op->name);
}

struct addrinfo *vow_addrinfo_get(vow_future_t *f) {
  return vow_get(f, &vow_type_addrinfo);
}

struct addrinfo *vow_addrinfo_take(vow_future_t *f) {
  return vow_take(f, &vow_type_addrinfo);
}

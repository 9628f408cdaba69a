/* SPDX-License-Identifier: MIT */
/* From an address to its names, by libuv's thread pool. */
#include <vow/dns.h>

#include "uv/address.h"
#include "uv/request.h"

#include <string.h>

typedef struct nameinfo_op {
  vow__request_t base;
  uv_getnameinfo_t req; /* has a copy of the address */
} nameinfo_op_t;

static void nameinfo_cancel(void *p) {
  nameinfo_op_t *op = p;
  uv_cancel((uv_req_t *)&op->req);
  vow__request_cancel(op);
}

static const vow_op_class_t nameinfo_class = {
    "getnameinfo", sizeof(nameinfo_op_t), nameinfo_cancel, NULL, NULL, NULL};

const vow_type_t vow_type_nameinfo = {"nameinfo", vow_release, NULL, NULL};

static vow_value_t names_of(const char *host, const char *service) {
  size_t host_bytes = strlen(host) + 1, service_bytes = strlen(service) + 1;
  vow_nameinfo_t *info = vow_alloc(sizeof *info + host_bytes + service_bytes);
  char *text;
  if (info == NULL) return vow_fail(UV_ENOMEM);
  text = (char *)(info + 1);
  memcpy(text, host, host_bytes);
  memcpy(text + host_bytes, service, service_bytes);
  info->host = text;
  info->service = text + host_bytes;
  return vow_ptr(info, &vow_type_nameinfo);
}

static vow_value_t failure(nameinfo_op_t *op, int err) {
  char text[VOW__ADDRESS_TEXT];
  if (err == UV_EAI_CANCELED) err = UV_ECANCELED;
  vow__address_text(&op->req.storage, text);
  return vow__request_failure(op, err, text);
}

static void on_nameinfo(uv_getnameinfo_t *req, int status, const char *host,
                        const char *service) {
  nameinfo_op_t *op = VOW__OF(req, nameinfo_op_t, req);
  vow__request_done(op,
                    status < 0 ? failure(op, status) : names_of(host, service));
}

vow_future_t *vow_getnameinfo_at(const char *site, vow_loop_t *loop,
                                 const struct sockaddr *addr, int flags) {
  vow_future_t *failed;
  nameinfo_op_t *op;
  if (!vow__address_is_known(addr))
    return vow_misuse_at(site, loop, UV_EINVAL, "getnameinfo: %s",
                         addr == NULL ? "the address is NULL"
                                      : "the address is not IPv4 or IPv6");
  op = vow__request_new(site, loop, &nameinfo_class, &failed);
  if (op == NULL) return failed;
  return vow__request_start(
      op, uv_getnameinfo(op->base.d->uv, &op->req, on_nameinfo, addr, flags));
}

const vow_nameinfo_t *vow_nameinfo_get(vow_future_t *f) {
  return vow_get(f, &vow_type_nameinfo);
}

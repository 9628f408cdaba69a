/* SPDX-License-Identifier: MIT */
/* Receiving datagrams, and what they are. All receivers of a loop share one
 * buffer, for libuv asks for memory, receives, and reports in one go; what came
 * is copied out of it, since a datagram may be 64 KiB and mostly is small. */
#include <vow/udp.h>

#include "uv/address.h"
#include "uv/driver.h"
#include "uv/feed.h"

#include <string.h>

#define HIGH_WATER_BYTES ((size_t)256 * 1024)
#define DATAGRAM_MAX     ((size_t)64 * 1024)

/* ---- datagrams ----------------------------------------------------------- */

struct vow_datagram {
  size_t refs;
  size_t length;
  bool cut;
  struct sockaddr_storage addr;
  /* the bytes */
};

static vow_datagram_t *datagram_new(const char *data, size_t length,
                                    const struct sockaddr *addr, bool cut) {
  vow_datagram_t *d = vow_alloc(sizeof *d + length);
  if (d == NULL) return NULL;
  d->refs = 1;
  d->length = length;
  d->cut = cut;
  vow__address_copy(&d->addr, addr);
  memcpy(d + 1, data, length);
  return d;
}

const char *vow_datagram_data(const vow_datagram_t *d) {
  return (const char *)(d + 1);
}

size_t vow_datagram_length(const vow_datagram_t *d) {
  return d->length;
}

const struct sockaddr *vow_datagram_addr(const vow_datagram_t *d) {
  return (const struct sockaddr *)&d->addr;
}

bool vow_datagram_is_cut(const vow_datagram_t *d) {
  return d->cut;
}

vow_datagram_t *vow_datagram_ref(vow_datagram_t *d) {
  if (d != NULL) d->refs++;
  return d;
}

void vow_datagram_unref(vow_datagram_t *d) {
  if (d != NULL && --d->refs == 0) vow_release(d);
}

static void datagram_destroy(void *p) {
  vow_datagram_unref(p);
}

static void *datagram_share(void *p) {
  return vow_datagram_ref(p);
}

const vow_type_t vow_type_datagram = {"datagram", datagram_destroy,
                                      datagram_share, NULL};

vow_datagram_t *vow_datagram_get(vow_future_t *f) {
  return vow_get(f, &vow_type_datagram);
}

vow_datagram_t *vow_datagram_take(vow_future_t *f) {
  return vow_take(f, &vow_type_datagram);
}

/* ---- libuv's side -------------------------------------------------------- */

struct vow_receiver {
  vow__feed_t feed;
  vow__attached_t att;
  vow__uv_t *d;         /* NULL once off the handle */
  uv_udp_t *udp;        /* likewise */
  size_t waiting_bytes; /* in the feed, with what datagrams cost */
  size_t high_water_bytes;
  bool receiving;
};

static const vow_op_class_t next_class = VOW__NEXT_CLASS("receiver_next");
static const vow__attached_kind_t receiver_kind;

static vow_receiver_t *receiver_of(uv_handle_t *handle, vow__uv_t **ret_d) {
  vow__uv_t *d = vow__uv_find(handle->loop);
  vow__attached_t *a;
  if (d == NULL) return NULL;
  *ret_d = d;
  a = vow__attached_find(&d->handles, handle, &receiver_kind);
  return a != NULL ? VOW__OF(a, vow_receiver_t, att) : NULL;
}

/* Failures wait as well, and count, so that a broken socket cannot fill the
 * memory with them. */
static size_t charge_of(vow_value_t v) {
  const vow_datagram_t *d = v.as.cp;
  return sizeof *d + (v.type == &vow_type_datagram ? d->length : 0);
}

static void stop(vow_receiver_t *r) {
  if (r->receiving) uv_udp_recv_stop(r->udp);
  r->receiving = false;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  vow__uv_t *d;
  vow_receiver_t *r = receiver_of(handle, &d);
  (void)suggested;
  buf->base = NULL; /* on_receive gets UV_ENOBUFS, and nothing is received */
  buf->len = 0;
  if (r == NULL || vow__feed_reserve(&r->feed) != 0) return;
  if (d->datagram == NULL) d->datagram = vow_alloc(DATAGRAM_MAX);
  if (d->datagram != NULL) *buf = uv_buf_init(d->datagram, DATAGRAM_MAX);
}

static void fail_all(vow_receiver_t *r) {
  vow__feed_fail_all(&r->feed, UV_ENOMEM);
}

static void push(vow_receiver_t *r, vow_value_t v) {
  size_t charge = charge_of(v);
  if (!vow__feed_push(&r->feed, v)) return;
  r->waiting_bytes += charge;
  if (r->waiting_bytes >= r->high_water_bytes) stop(r);
}

static void on_receive(uv_udp_t *udp, ssize_t nread, const uv_buf_t *buf,
                       const struct sockaddr *addr, unsigned flags) {
  vow__uv_t *d;
  vow_receiver_t *r = receiver_of((uv_handle_t *)udp, &d);
  vow_datagram_t *datagram;
  if (r == NULL) return;
  if (nread == 0 && addr == NULL) return; /* nothing there, or a buffer back */
  if (nread == UV_ENOBUFS && buf->base == NULL) {
    stop(r);
    fail_all(r);
  } else if (nread < 0) {
    push(r, vow_failf_at(r->att.site, (int)nread, "receiver_next: %s",
                         vow_strerror((int)nread)));
  } else {
    datagram = datagram_new(buf->base, (size_t)nread, addr,
                            (flags & UV_UDP_PARTIAL) != 0);
    if (datagram != NULL)
      push(r, vow_ptr(datagram, &vow_type_datagram));
    else
      vow__feed_fail_one(&r->feed, vow_fail(UV_ENOMEM));
  }
  vow_loop_drain(d->loop); /* r may be gone now */
}

/* ---- leaving the handle -------------------------------------------------- */

static void leave(vow_receiver_t *r) {
  r->d = NULL;
  r->udp = NULL;
  r->receiving = false;
  vow__feed_close(&r->feed, VOW_ESHUTDOWN);
}

static void receiver_closing(vow__attached_t *a) {
  vow_receiver_t *r = VOW__OF(a, vow_receiver_t, att);
  vow__detach(&r->d->handles, a);
  stop(r);
  leave(r);
}

static void receiver_forget(vow__attached_t *a) {
  vow_receiver_t *r = VOW__OF(a, vow_receiver_t, att);
  /* On a loop of our own every handle has been closed by now, perhaps behind
   * our back. */
  if (!r->d->owned) stop(r);
  leave(r);
}

static const vow__attached_kind_t receiver_kind = {receiver_closing, NULL,
                                                   receiver_forget};

/* ---- the user's side ----------------------------------------------------- */

int vow_receiver_new_at(const char *site, uv_udp_t *udp,
                        size_t high_water_bytes,
                        vow_receiver_t **ret_receiver) {
  vow__uv_t *d;
  vow_receiver_t *r;
  uv_handle_t *handle = (uv_handle_t *)udp;
  int err = vow__uv_get(udp, &d);
  if (err != 0) return err;
  if (ret_receiver == NULL || uv_is_closing(handle)) return UV_EINVAL;
  if (vow__attached_find(&d->handles, handle, &receiver_kind) != NULL)
    return UV_EEXIST;
  r = vow_alloc(sizeof *r);
  if (r == NULL) return UV_ENOMEM;
  memset(r, 0, sizeof *r);
  vow__feed_init(&r->feed, d->loop, &next_class);
  r->d = d;
  r->udp = udp;
  r->high_water_bytes =
      high_water_bytes > 0 ? high_water_bytes : HIGH_WATER_BYTES;
  if (vow__attach(&d->handles, handle, &r->att, &receiver_kind, site) != 0) {
    vow_release(r);
    return UV_ENOMEM;
  }
  *ret_receiver = r;
  return 0;
}

/* Whether it is time to receive (again). */
static bool should_start(const vow_receiver_t *r) {
  return !r->receiving && r->waiting_bytes <= r->high_water_bytes / 2;
}

vow_future_t *vow_receiver_next_at(const char *site, vow_receiver_t *receiver) {
  vow_receiver_t *r = receiver;
  vow_future_t *f;
  size_t charge;
  size_t count;
  int err;
  if (r == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "receiver_next: the receiver is NULL");
  if (r->udp == NULL || uv_is_closing((uv_handle_t *)r->udp))
    return vow_misuse_at(site, r->udp != NULL ? r->feed.loop : NULL,
                         VOW_ESHUTDOWN, "receiver_next: the handle is closed");
  count = r->feed.count;
  if (count == 0 && should_start(r)) {
    err = uv_udp_recv_start(r->udp, on_alloc, on_receive);
    if (err != 0)
      return vow_ready_at(
          site, r->feed.loop,
          vow_failf_at(site, err, "receiver_next: %s", vow_strerror(err)));
    r->receiving = true;
  }
  charge = count > 0 ? charge_of(vow__feed_peek(&r->feed)) : 0;
  f = vow__feed_next(site, &r->feed);
  if (r->feed.count < count) r->waiting_bytes -= charge;
  if (count > 0 && should_start(r))
    r->receiving = uv_udp_recv_start(r->udp, on_alloc, on_receive) == 0;
  return f;
}

void vow_receiver_free(vow_receiver_t *receiver) {
  vow_receiver_t *r = receiver;
  if (r == NULL) return;
  if (r->d != NULL) {
    vow__detach(&r->d->handles, &r->att);
    if (!uv_is_closing((uv_handle_t *)r->udp)) stop(r);
    leave(r);
  }
  vow_release(r);
}

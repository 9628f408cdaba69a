/* SPDX-License-Identifier: MIT */
/* Handles that arrive over a pipe with ipc. What there is no memory for is left
 * with libuv until somebody asks again. */
#include "uv/handover.h"

#include <vow/op.h>
#include <vow/pipe.h>
#include <vow/udp.h>

#include "uv/feed.h"
#include "uv/pipe.h"
#include "uv/tcp.h"
#include "uv/udp.h"

struct vow__handover {
  vow__feed_t feed;
  vow__uv_t *d;
  const char *site;
};

static const vow_op_class_t next_class = VOW__NEXT_CLASS("reader_next_handle");

bool vow__handover_is_for(const uv_stream_t *stream) {
  return stream->type == UV_NAMED_PIPE &&
         ((const uv_pipe_t *)(const void *)stream)->ipc;
}

vow__handover_t *vow__handover_new(const char *site, vow__uv_t *d) {
  vow__handover_t *h = vow_alloc(sizeof *h);
  if (h == NULL) return NULL;
  vow__feed_init(&h->feed, d->loop, &next_class);
  h->d = d;
  h->site = site;
  return h;
}

/* A handle to accept into. Anything fits a pipe, so what nobody can use is
 * taken out of libuv that way. */
static int handle_for(vow__handover_t *h, uv_handle_type type,
                      vow_value_t *ret_handle) {
  uv_tcp_t *tcp = NULL;
  uv_udp_t *udp = NULL;
  uv_pipe_t *pipe = NULL;
  int err;
  if (type == UV_TCP) {
    err = vow__tcp_new(h->site, h->d, &tcp);
    *ret_handle = vow_ptr(tcp, &vow_type_tcp);
  } else if (type == UV_UDP) {
    err = vow__udp_new(h->site, h->d, AF_UNSPEC, &udp);
    *ret_handle = vow_ptr(udp, &vow_type_udp);
  } else {
    err = vow__pipe_new(h->site, h->d, false, &pipe);
    *ret_handle = vow_ptr(pipe, &vow_type_pipe);
  }
  return err;
}

static bool is_usable(uv_handle_type type) {
  return type == UV_TCP || type == UV_UDP || type == UV_NAMED_PIPE;
}

static int fetch(vow__handover_t *h, uv_stream_t *stream) {
  uv_handle_type type = uv_pipe_pending_type((uv_pipe_t *)(void *)stream);
  vow_value_t v;
  int err = vow__feed_reserve(&h->feed);
  if (err == 0) err = handle_for(h, type, &v);
  if (err != 0) return err;
  err = uv_accept(stream, v.as.p);
  if (err == 0 && !is_usable(type)) err = UV_ENOTSUP;
  if (err != 0) {
    vow_value_destroy(v);
    v = vow_failf_at(h->site, err, "reader_next_handle: %s", vow_strerror(err));
  }
  vow__feed_push(&h->feed, v);
  return 0;
}

static int fetch_all(vow__handover_t *h, uv_stream_t *stream) {
  int err = 0;
  while (err == 0 && uv_pipe_pending_count((uv_pipe_t *)(void *)stream) > 0)
    err = fetch(h, stream);
  return err;
}

void vow__handover_take_in(vow__handover_t *h, uv_stream_t *pipe) {
  int err = fetch_all(h, pipe);
  if (err != 0) vow__feed_fail_one(&h->feed, vow_fail(err));
}

vow_future_t *vow__handover_next(const char *site, vow__handover_t *h,
                                 uv_stream_t *pipe) {
  int err = fetch_all(h, pipe);
  if (err != 0 && h->feed.count == 0)
    return vow_ready_at(site, h->feed.loop, vow_fail(err));
  return vow__feed_next(site, &h->feed);
}

void vow__handover_fail(vow__handover_t *h, int code) {
  vow__feed_fail_all(&h->feed, code);
}

void vow__handover_end(vow__handover_t *h, int code) {
  if (h != NULL) vow__feed_end(&h->feed, code);
}

void vow__handover_close(vow__handover_t *h, int code) {
  if (h == NULL) return;
  vow__feed_close(&h->feed, code);
  vow_release(h);
}

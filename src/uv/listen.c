/* SPDX-License-Identifier: MIT */
/* Listening and accepting. A connection that there is no room or memory for is
 * left with libuv, which then asks the kernel for no more until uv_accept has
 * fetched it. */
#include <vow/pipe.h>

#include "uv/driver.h"
#include "uv/feed.h"
#include "uv/pipe.h"
#include "uv/tcp.h"

#include <string.h>

#define AHEAD_MAX 64

struct vow_listener {
  vow__feed_t feed;
  vow__attached_t att;
  vow__uv_t *d;        /* NULL once off the handle */
  uv_stream_t *stream; /* likewise */
  bool left;           /* libuv holds a connection for us */
  bool ipc;            /* the pipes that are accepted have it */
};

static const vow_op_class_t accept_class = VOW__NEXT_CLASS("accept");
static const vow__attached_kind_t listener_kind;

/* A handle like the listening one, to accept into. */
static int handle_for(vow_listener_t *l, vow_value_t *ret_handle) {
  uv_tcp_t *tcp = NULL;
  uv_pipe_t *pipe = NULL;
  int err;
  if (l->stream->type == UV_TCP) {
    err = vow__tcp_new(l->att.site, l->d, &tcp);
    *ret_handle = vow_ptr(tcp, &vow_type_tcp);
  } else {
    err = vow__pipe_new(l->att.site, l->d, l->ipc, &pipe);
    *ret_handle = vow_ptr(pipe, &vow_type_pipe);
  }
  return err;
}

/* Fetches the connection that libuv holds: 0, or why not; UV_EAGAIN: no
 * room. */
static int fetch(vow_listener_t *l) {
  vow_value_t v;
  int err;
  l->left = true;
  if (l->feed.count >= AHEAD_MAX) return UV_EAGAIN;
  err = vow__feed_reserve(&l->feed);
  if (err != 0) return err;
  err = handle_for(l, &v);
  if (err != 0) return err;
  err = uv_accept(l->stream, v.as.p);
  l->left = false;
  if (err != 0) {
    vow_value_destroy(v);
    return err;
  }
  vow__feed_push(&l->feed, v);
  return 0;
}

static void on_connection(uv_stream_t *stream, int status) {
  vow__uv_t *d = vow__uv_find(stream->loop);
  vow__attached_t *a;
  vow_listener_t *l;
  if (d == NULL) return; /* the vow loop has been closed */
  a = vow__attached_find(&d->handles, (uv_handle_t *)stream, &listener_kind);
  if (a == NULL) return;
  l = VOW__OF(a, vow_listener_t, att);
  if (status == 0) status = fetch(l);
  if (status != 0 && status != UV_EAGAIN && vow__feed_is_wanted(&l->feed))
    vow__feed_fail_one(&l->feed, vow_failf_at(l->att.site, status, "accept: %s",
                                              vow_strerror(status)));
  vow_loop_drain(d->loop); /* l may be gone now */
}

static void leave(vow_listener_t *l) {
  l->d = NULL;
  l->stream = NULL;
  vow__feed_close(&l->feed, VOW_ESHUTDOWN);
}

static void listener_closing(vow__attached_t *a) {
  vow_listener_t *l = VOW__OF(a, vow_listener_t, att);
  vow__detach(&l->d->handles, a);
  leave(l);
}

static void listener_forget(vow__attached_t *a) {
  leave(VOW__OF(a, vow_listener_t, att));
}

static const vow__attached_kind_t listener_kind = {listener_closing, NULL,
                                                   listener_forget};

static int listen_on(const char *site, uv_handle_t *handle, int backlog,
                     bool ipc, vow_listener_t **ret_listener) {
  vow__uv_t *d;
  vow_listener_t *l;
  int err = vow__uv_get(handle, &d);
  if (err != 0) return err;
  if (ret_listener == NULL || backlog < 0 || uv_is_closing(handle))
    return UV_EINVAL;
  if (vow__attached_find(&d->handles, handle, &listener_kind) != NULL)
    return UV_EEXIST;
  l = vow_alloc(sizeof *l);
  if (l == NULL) return UV_ENOMEM;
  memset(l, 0, sizeof *l);
  vow__feed_init(&l->feed, d->loop, &accept_class);
  l->d = d;
  l->stream = (uv_stream_t *)handle;
  l->ipc = ipc;
  err = vow__attach(&d->handles, handle, &l->att, &listener_kind, site);
  if (err != 0) goto fail;
  err = uv_listen(l->stream, backlog, on_connection);
  if (err != 0) goto fail_attached;
  *ret_listener = l;
  return 0;

fail_attached:
  vow__detach(&d->handles, &l->att);
fail:
  vow_release(l);
  return err;
}

int vow_listen_at(const char *site, uv_tcp_t *tcp, int backlog,
                  vow_listener_t **ret_listener) {
  return listen_on(site, (uv_handle_t *)tcp, backlog, false, ret_listener);
}

int vow_pipe_listen_at(const char *site, uv_pipe_t *pipe, int backlog, bool ipc,
                       vow_listener_t **ret_listener) {
  return listen_on(site, (uv_handle_t *)pipe, backlog, ipc, ret_listener);
}

vow_future_t *vow_accept_at(const char *site, vow_listener_t *listener) {
  vow_listener_t *l = listener;
  vow_future_t *f;
  int err;
  if (l == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL, "accept: the listener is NULL");
  if (l->stream == NULL)
    return vow_misuse_at(site, NULL, VOW_ESHUTDOWN,
                         "accept: the listening handle is closed");
  if (uv_is_closing((uv_handle_t *)l->stream))
    return vow_misuse_at(site, l->feed.loop, VOW_ESHUTDOWN,
                         "accept: the handle was closed by uv_close");
  if (l->left && l->feed.count == 0) {
    err = fetch(l);
    if (err != 0 && err != UV_EAGAIN)
      return vow_ready_at(
          site, l->feed.loop,
          vow_failf_at(site, err, "accept: %s", vow_strerror(err)));
  }
  f = vow__feed_next(site, &l->feed);
  if (l->left) fetch(l); /* there is room again */
  return f;
}

void vow_listener_free(vow_listener_t *listener) {
  vow_listener_t *l = listener;
  if (l == NULL) return;
  if (l->d != NULL) {
    vow__detach(&l->d->handles, &l->att);
    leave(l);
  }
  vow_release(l);
}

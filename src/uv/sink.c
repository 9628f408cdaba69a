/* SPDX-License-Identifier: MIT */
/* Reading a stream into somebody else's queue. */
#include <vow/sink.h>

#include "uv/driver.h"
#include "uv/ending.h"
#include "uv/handover.h"
#include "uv/pool.h"

_Static_assert(sizeof(vow__attached_t) == 4 * sizeof(void *),
               "vow_sink_t has the wrong size");

static const vow__attached_kind_t sink_kind;

static vow__attached_t *att_of(vow_sink_t *k) {
  return (vow__attached_t *)(void *)k;
}

static uv_stream_t *stream_of(vow_sink_t *k) {
  return (uv_stream_t *)att_of(k)->handle;
}

static vow_sink_t *sink_of(uv_handle_t *handle, vow__uv_t **ret_d) {
  vow__uv_t *d = vow__uv_find(handle->loop);
  if (d == NULL) return NULL;
  *ret_d = d;
  return (vow_sink_t *)(void *)vow__attached_find(&d->handles, handle,
                                                  &sink_kind);
}

/* ---- libuv's side -------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  vow__uv_t *d;
  vow_sink_t *k = sink_of(handle, &d);
  (void)suggested;
  buf->base = NULL; /* on_read gets UV_ENOBUFS, and nothing is read */
  buf->len = 0;
  if (k != NULL && k->cls->room(k)) vow__pool_room(d->pool, buf);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
  vow__uv_t *d;
  vow_sink_t *k = sink_of((uv_handle_t *)stream, &d);
  (void)buf;
  if (nread == 0 || k == NULL) return; /* 0: try again later */
  if (nread > 0) {
    k->cls->data(k, vow__pool_cut(d->pool, (size_t)nread));
  } else {
    uv_read_stop(stream);
    if (nread == UV_ENOBUFS)
      k->cls->starved(k);
    else
      k->cls->end(k, vow__read_ending(stream, (int)nread));
  }
  vow_loop_drain(d->loop); /* k may be gone now */
}

/* ---- the stream goes ----------------------------------------------------- */

static void sink_closing(vow__attached_t *a) {
  vow_sink_t *k = (vow_sink_t *)(void *)a;
  vow__uv_t *d = vow__uv_find(a->handle->loop);
  uv_read_stop(stream_of(k));
  vow__detach(&d->handles, a);
  k->cls->end(k, VOW_ESHUTDOWN);
}

/* On a loop of our own every handle has been closed by now, perhaps behind our
 * back; survivor is NULL then. */
static void sink_forget(vow__attached_t *a) {
  vow_sink_t *k = (vow_sink_t *)(void *)a;
  if (k->vow__survivor != NULL) uv_read_stop(k->vow__survivor);
  k->cls->end(k, VOW_ESHUTDOWN);
}

static const vow__attached_kind_t sink_kind = {sink_closing, NULL, sink_forget};

/* ---- the user's side ----------------------------------------------------- */

int vow_sink_open_at(const char *site, vow_sink_t *k, uv_stream_t *stream,
                     const vow_sink_class_t *cls) {
  vow__uv_t *d;
  uv_handle_t *handle = (uv_handle_t *)stream;
  int err = vow__uv_get(stream, &d);
  if (err != 0) return err;
  if (k == NULL || cls == NULL || uv_is_closing(handle)) return UV_EINVAL;
  if (vow__handover_is_for(stream)) return UV_ENOTSUP;
  if (vow__attached_find(&d->handles, handle, &sink_kind) != NULL)
    return UV_EEXIST;
  if (d->pool == NULL) d->pool = vow__pool_new();
  if (d->pool == NULL) return UV_ENOMEM;
  err = vow__attach(&d->handles, handle, att_of(k), &sink_kind, site);
  if (err != 0) return err;
  k->vow__survivor = d->owned ? NULL : stream;
  k->cls = cls;
  return 0;
}

int vow_sink_start(vow_sink_t *k) {
  uv_stream_t *stream = stream_of(k);
  if (stream == NULL || uv_is_closing((uv_handle_t *)stream))
    return VOW_ESHUTDOWN;
  return uv_read_start(stream, on_alloc, on_read);
}

void vow_sink_stop(vow_sink_t *k) {
  uv_stream_t *stream = stream_of(k);
  if (stream != NULL && !uv_is_closing((uv_handle_t *)stream))
    uv_read_stop(stream);
}

void vow_sink_close(vow_sink_t *k) {
  uv_stream_t *stream = stream_of(k);
  vow__uv_t *d;
  if (stream == NULL) return;
  vow_sink_stop(k);
  d = vow__uv_find(stream->loop);
  if (d != NULL) vow__detach(&d->handles, att_of(k));
}

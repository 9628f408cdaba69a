/* SPDX-License-Identifier: MIT */
/* Streams over libuv's: TCP, pipes, TTYs. The handle keeps its `data`. */
#include "net/stream.h"

#include <vow/handle.h>
#include <vow/pipe.h>
#include <vow/sink.h>
#include <vow/stream_io.h>
#include <vow/tcp.h>
#include <vow/tty.h>

typedef struct uv_transport {
  vow_stream_t base;
  vow_sink_t sink;
  uv_stream_t *handle; /* to be freed with it when it is owned */
  bool owned;
} transport_t;

static transport_t *transport_of(const vow_stream_t *s) {
  return (transport_t *)(uintptr_t)s;
}

static vow_stream_t *stream_of(vow_sink_t *k) {
  return &((transport_t *)(void *)((char *)k - offsetof(transport_t, sink)))
              ->base;
}

/* ---- reading ------------------------------------------------------------- */

static bool sink_room(vow_sink_t *k) {
  return vow_stream_reserve(stream_of(k)) == 0;
}

static void sink_data(vow_sink_t *k, vow_bytes_t *b) {
  vow_stream_push(stream_of(k), b); /* cannot fail, there is room */
}

static void sink_starved(vow_sink_t *k) {
  vow_stream_stall(stream_of(k), UV_ENOMEM);
}

static void sink_end(vow_sink_t *k, int code) {
  vow_stream_end(stream_of(k), code);
}

static const vow_sink_class_t sink_class = {sink_room, sink_data, sink_starved,
                                            sink_end};

static int read_start(vow_stream_t *s) {
  return vow_sink_start(&transport_of(s)->sink);
}

static void read_stop(vow_stream_t *s) {
  vow_sink_stop(&transport_of(s)->sink);
}

/* ---- writing ------------------------------------------------------------- */

static vow_future_t *write_copied(const char *site, vow_stream_t *s,
                                  const uv_buf_t bufs[], unsigned n) {
  return vow_write_at(site, transport_of(s)->handle, bufs, n);
}

static vow_future_t *write_borrowed(const char *site, vow_stream_t *s,
                                    const uv_buf_t bufs[], unsigned n) {
  return vow_write_borrowed_at(site, transport_of(s)->handle, bufs, n);
}

/* Keeps bytes while libuv needs them, whatever becomes of the future. */
typedef struct held {
  vow_op_t op;
  vow_waiter_t waiter;
  vow_bytes_t *bytes; /* one reference */
} held_t;

static void held_cancel(void *op) {
  vow_op_settle(op, vow_cancelled(UV_ECANCELED));
}

static void held_destroy(void *op) {
  vow_bytes_unref(((held_t *)op)->bytes);
}

static void held_settle(held_t *h, vow_future_t *f) {
  vow_op_settle(h, vow_status(f) != 0
                       ? vow_outcome(f)
                       : vow_int((int64_t)vow_bytes_length(h->bytes)));
  vow_drop(f);
}

static void held_ready(void *op, vow_waiter_t *w) {
  held_settle(op, vow_waiter_take(w));
  vow_op_unpin(op);
}

static void held_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                         void *arg) {
  held_t *h = op;
  if (vow_waiter_future(&h->waiter) != NULL)
    visit(vow_waiter_future(&h->waiter), arg);
}

static const vow_op_class_t held_class = {"stream_write_bytes", sizeof(held_t),
                                          held_cancel,          held_destroy,
                                          held_ready,           held_sources};

static vow_future_t *write_held(const char *site, vow_stream_t *s,
                                vow_bytes_t *b, size_t sent) {
  uv_buf_t buf;
  vow_future_t *f;
  held_t *h = vow_op_new_at(site, vow_stream_loop(s), &held_class);
  if (h == NULL)
    return vow_op_failed(site, vow_stream_loop(s), held_class.name);
  h->bytes = vow_bytes_ref(b);
  buf.base = (char *)(uintptr_t)vow_bytes_data(b) + sent;
  buf.len = vow_bytes_length(b) - sent;
  f = vow_write_borrowed_at(site, transport_of(s)->handle, &buf, 1);
  if (vow_is_settled(f)) {
    held_settle(h, f);
  } else {
    vow_op_pin(h);
    vow_waiter_start(&h->waiter, h, f);
  }
  return vow_op_future(h);
}

static vow_future_t *write_bytes(const char *site, vow_stream_t *s,
                                 vow_bytes_t *b) {
  uv_buf_t buf;
  int sent;
  buf.base = (char *)(uintptr_t)vow_bytes_data(b);
  buf.len = vow_bytes_length(b);
  sent = vow_try_write(transport_of(s)->handle, &buf, 1);
  if (sent >= 0 && (size_t)sent == buf.len)
    return vow_ready_at(site, vow_stream_loop(s), vow_int(sent));
  /* Told once: a second try would hear of a reset as UV_EPIPE. */
  if (sent < 0 && sent != UV_EAGAIN && sent != UV_ENOBUFS)
    return vow_ready_at(
        site, vow_stream_loop(s),
        vow_failf_at(site, sent, "stream_write_bytes: %s", vow_strerror(sent)));
  return write_held(site, s, b, sent > 0 ? (size_t)sent : 0);
}

static vow_future_t *shut(const char *site, vow_stream_t *s) {
  return vow_shutdown_at(site, transport_of(s)->handle);
}

/* ---- ending -------------------------------------------------------------- */

static void handle_free(uv_stream_t *handle) {
  if (handle->type == UV_TCP)
    vow_tcp_free((uv_tcp_t *)handle);
  else if (handle->type == UV_NAMED_PIPE)
    vow_pipe_free((uv_pipe_t *)handle);
  else
    vow_tty_free((uv_tty_t *)handle);
}

/* NULL when there is no RST to be sent. */
static vow_future_t *try_reset(const char *site, uv_stream_t *handle) {
  vow_future_t *f;
  if (handle->type != UV_TCP) return NULL;
  f = vow_tcp_close_reset_at(site, (uv_tcp_t *)handle);
  if (!vow_is_settled(f) || vow_status(f) == 0) return f;
  vow_drop(f);
  return NULL;
}

static vow_future_t *close_owned(const char *site, transport_t *t, int code) {
  vow_future_t *f = NULL;
  if (site != NULL && code != 0) f = try_reset(site, t->handle);
  if (site != NULL && f == NULL)
    f = vow_close_at(site, (uv_handle_t *)t->handle);
  handle_free(t->handle); /* closes it if nothing has */
  t->handle = NULL;
  return f;
}

static vow_future_t *end_both(const char *site, vow_stream_t *s, int code) {
  transport_t *t = transport_of(s);
  vow_sink_close(&t->sink);
  if (t->owned) return close_owned(site, t, code);
  if (site == NULL) return NULL;
  return vow_ready_at(site, vow_stream_loop(s), vow_nil());
}

static uv_stream_t *handle_of(const vow_stream_t *s) {
  return transport_of(s)->handle;
}

/* ---- making -------------------------------------------------------------- */

#define TRANSPORT_CLASS(name)                                         \
  {                                                                   \
    (name), sizeof(transport_t), read_start, read_stop, write_copied, \
        write_borrowed, write_bytes, shut, end_both, handle_of, NULL  \
  }

static const vow_stream_class_t tcp_class = TRANSPORT_CLASS("tcp");
static const vow_stream_class_t pipe_class = TRANSPORT_CLASS("pipe");
static const vow_stream_class_t tty_class = TRANSPORT_CLASS("tty");

static const vow_stream_class_t *class_for(const uv_stream_t *handle) {
  switch (handle->type) {
  case UV_TCP:
    return &tcp_class;
  case UV_NAMED_PIPE:
    return &pipe_class;
  case UV_TTY:
    return &tty_class;
  default:
    return NULL;
  }
}

int vow_stream_from_uv_at(const char *site, uv_stream_t *handle,
                          vow_stream_handle_t whose,
                          vow_stream_t **ret_stream) {
  const vow_stream_class_t *cls;
  vow_stream_t *s;
  int err;
  if (handle == NULL || ret_stream == NULL) return UV_EINVAL;
  cls = class_for(handle);
  if (cls == NULL) return UV_ENOTSUP;
  if (vow_loop_from_uv(handle->loop) == NULL) return UV_EINVAL;
  s = vow_stream_new(vow_loop_from_uv(handle->loop), cls);
  if (s == NULL) return UV_ENOMEM;
  err = vow_sink_open_at(site, &transport_of(s)->sink, handle, &sink_class);
  if (err != 0) {
    vow_stream_unref(s); /* borrows nothing yet */
    return err;
  }
  transport_of(s)->handle = handle;
  transport_of(s)->owned = whose == VOW_STREAM_OWNED;
  *ret_stream = s;
  return 0;
}

/* SPDX-License-Identifier: MIT */
/* Reading streams. Once begun, reading stays armed: stopping and starting costs
 * an epoll_ctl each, so that happens at the high-water mark only. */
#include <vow/pipe.h>

#include "uv/driver.h"
#include "uv/ending.h"
#include "uv/feed.h"
#include "uv/handover.h"
#include "uv/pool.h"

#include <string.h>

#define HIGH_WATER_BYTES ((size_t)256 * 1024)

struct vow_reader {
  vow__feed_t feed;
  vow__attached_t att;
  vow__uv_t *d;         /* NULL once off the stream */
  uv_stream_t *stream;  /* likewise */
  size_t waiting_bytes; /* in the feed, with what the pieces cost */
  size_t high_water_bytes;
  vow__handover_t *handover; /* of a pipe with ipc, else NULL */
  bool reading;
  bool telling; /* somebody is told, and may free it: then freed */
  bool freed;
};

static const vow_op_class_t next_class = VOW__NEXT_CLASS("reader_next");
static const vow__attached_kind_t reader_kind;

static vow_reader_t *reader_of(const uv_handle_t *handle, vow__uv_t **ret_d) {
  vow__uv_t *d = vow__uv_find(handle->loop);
  vow__attached_t *a;
  if (d == NULL) return NULL;
  *ret_d = d;
  a = vow__attached_find(&d->handles, (uv_handle_t *)(uintptr_t)handle,
                         &reader_kind);
  return a != NULL ? VOW__OF(a, vow_reader_t, att) : NULL;
}

static size_t charge_of(vow_value_t v) {
  return vow__bytes_charge(vow_bytes_length(v.as.cp));
}

static void stop(vow_reader_t *r) {
  if (r->reading) uv_read_stop(r->stream);
  r->reading = false;
}

/* ---- libuv's side -------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  vow__uv_t *d;
  vow_reader_t *r = reader_of(handle, &d);
  (void)suggested;
  buf->base = NULL; /* on_read gets UV_ENOBUFS, and nothing is read */
  buf->len = 0;
  if (r != NULL && vow__feed_reserve(&r->feed) == 0)
    vow__pool_room(d->pool, buf);
}

static void take_in(vow_reader_t *r, size_t length) {
  vow_bytes_t *b = vow__pool_cut(r->d->pool, length);
  if (!vow__feed_push(&r->feed, vow_ptr(b, &vow_type_bytes))) return;
  r->waiting_bytes += vow__bytes_charge(length);
  if (r->waiting_bytes >= r->high_water_bytes) stop(r);
}

static void told(vow_reader_t *r) {
  r->telling = false;
  if (r->freed) vow_release(r);
}

/* Nothing that arrives can be kept: whoever waits is told. */
static void fail_all(vow_reader_t *r) {
  stop(r);
  r->telling = true;
  vow__feed_fail_all(&r->feed, UV_ENOMEM);
  if (r->handover != NULL) vow__handover_fail(r->handover, UV_ENOMEM);
  told(r);
}

static void end(vow_reader_t *r, int code) {
  stop(r);
  r->telling = true;
  vow__feed_end(&r->feed, code);
  vow__handover_end(r->handover, code);
  told(r);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
  vow__uv_t *d;
  vow_reader_t *r = reader_of((uv_handle_t *)stream, &d);
  (void)buf;
  if (nread == 0 || r == NULL) return; /* 0: try again later */
  if (nread > 0) {
    if (r->handover != NULL) vow__handover_take_in(r->handover, stream);
    take_in(r, (size_t)nread);
  } else if (nread == UV_ENOBUFS) {
    fail_all(r);
  } else {
    end(r, vow__read_ending(stream, (int)nread));
  }
  vow_loop_drain(d->loop); /* r may be gone now */
}

/* ---- leaving the stream -------------------------------------------------- */

static void leave(vow_reader_t *r) {
  vow__handover_t *h = r->handover;
  r->d = NULL;
  r->stream = NULL;
  r->reading = false;
  r->handover = NULL;
  vow__feed_close(&r->feed, VOW_ESHUTDOWN); /* r may be gone now */
  vow__handover_close(h, VOW_ESHUTDOWN);
}

static void reader_closing(vow__attached_t *a) {
  vow_reader_t *r = VOW__OF(a, vow_reader_t, att);
  vow__detach(&r->d->handles, a);
  stop(r);
  leave(r);
}

static void reader_forget(vow__attached_t *a) {
  vow_reader_t *r = VOW__OF(a, vow_reader_t, att);
  /* On a loop of our own every handle has been closed by now, perhaps behind
   * our back. */
  if (!r->d->owned) stop(r);
  leave(r);
}

static const vow__attached_kind_t reader_kind = {reader_closing, NULL,
                                                 reader_forget};

/* ---- the user's side ----------------------------------------------------- */

int vow_reader_new_at(const char *site, uv_stream_t *stream,
                      size_t high_water_bytes, vow_reader_t **ret_reader) {
  vow__uv_t *d;
  vow_reader_t *r;
  uv_handle_t *handle = (uv_handle_t *)stream;
  int err = vow__uv_get(stream, &d);
  if (err != 0) return err;
  if (ret_reader == NULL || uv_is_closing(handle)) return UV_EINVAL;
  if (vow__attached_find(&d->handles, handle, &reader_kind) != NULL)
    return UV_EEXIST;
  if (d->pool == NULL) d->pool = vow__pool_new();
  r = d->pool != NULL ? vow_alloc(sizeof *r) : NULL;
  if (r == NULL) return UV_ENOMEM;
  memset(r, 0, sizeof *r);
  vow__feed_init(&r->feed, d->loop, &next_class);
  r->d = d;
  r->stream = stream;
  r->high_water_bytes =
      high_water_bytes > 0 ? high_water_bytes : HIGH_WATER_BYTES;
  if (vow__handover_is_for(stream)) {
    r->handover = vow__handover_new(site, d);
    if (r->handover == NULL) goto fail;
  }
  if (vow__attach(&d->handles, handle, &r->att, &reader_kind, site) != 0)
    goto fail;
  *ret_reader = r;
  return 0;

fail:
  vow__handover_close(r->handover, VOW_ESHUTDOWN);
  vow_release(r);
  return UV_ENOMEM;
}

/* Whether it is time to read (again). */
static bool should_start(const vow_reader_t *r) {
  return !r->reading && r->feed.error == 0 &&
         r->waiting_bytes <= r->high_water_bytes / 2;
}

/* Why r cannot read, as a future; NULL when it can. */
static vow_future_t *refusal(const char *site, const vow_reader_t *r,
                             const char *what) {
  if (r == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL, "%s: the reader is NULL", what);
  if (r->stream == NULL)
    return vow_misuse_at(site, NULL, VOW_ESHUTDOWN, "%s: the stream is closed",
                         what);
  if (uv_is_closing((uv_handle_t *)r->stream))
    return vow_misuse_at(site, r->feed.loop, VOW_ESHUTDOWN,
                         "%s: the stream was closed by uv_close", what);
  return NULL;
}

/* Reads unless that has ended or enough waits: NULL, or the failure. */
static vow_future_t *start(const char *site, vow_reader_t *r,
                           const char *what) {
  int err;
  if (!should_start(r)) return NULL;
  err = uv_read_start(r->stream, on_alloc, on_read);
  r->reading = err == 0;
  if (err == 0) return NULL;
  return vow_ready_at(
      site, r->feed.loop,
      vow_failf_at(site, err, "%s: %s", what, vow_strerror(err)));
}

vow_future_t *vow_reader_next_at(const char *site, vow_reader_t *reader) {
  vow_reader_t *r = reader;
  vow_future_t *f = refusal(site, r, next_class.name);
  size_t charge;
  size_t count;
  if (f != NULL) return f;
  count = r->feed.count;
  f = count == 0 ? start(site, r, next_class.name) : NULL;
  if (f != NULL) return f;
  charge = count > 0 ? charge_of(vow__feed_peek(&r->feed)) : 0;
  f = vow__feed_next(site, &r->feed);
  if (r->feed.count < count) r->waiting_bytes -= charge;
  if (count > 0 && should_start(r))
    r->reading = uv_read_start(r->stream, on_alloc, on_read) == 0;
  return f;
}

vow_future_t *vow_reader_next_handle_at(const char *site,
                                        vow_reader_t *reader) {
  static const char what[] = "reader_next_handle";
  vow_future_t *f = refusal(site, reader, what);
  if (f != NULL) return f;
  if (reader->handover == NULL)
    return vow_misuse_at(site, reader->feed.loop, UV_EINVAL,
                         "%s: the stream is no pipe with ipc", what);
  f = start(site, reader, what);
  if (f != NULL) return f;
  return vow__handover_next(site, reader->handover, reader->stream);
}

void vow_reader_free(vow_reader_t *reader) {
  vow_reader_t *r = reader;
  if (r == NULL) return;
  if (r->d != NULL) {
    vow__detach(&r->d->handles, &r->att);
    if (!uv_is_closing((uv_handle_t *)r->stream)) stop(r);
    leave(r);
  }
  r->freed = true;
  if (!r->telling) vow_release(r);
}

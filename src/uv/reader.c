/* SPDX-License-Identifier: MIT */
/* Reading streams. Once begun, reading stays armed: stopping and starting costs
 * an epoll_ctl each, so that happens at the high-water mark only. */
#include <vow/stream_io.h>

#include "uv/driver.h"
#include "uv/feed.h"
#include "uv/pool.h"

#include <string.h>
#include <sys/socket.h>

#define HIGH_WATER_BYTES ((size_t)256 * 1024)

struct vow_reader {
  vow__feed_t feed;
  vow__attached_t att;
  vow__uv_t *d;         /* NULL once off the stream */
  uv_stream_t *stream;  /* likewise */
  size_t waiting_bytes; /* in the feed, with what the pieces cost */
  size_t high_water_bytes;
  bool reading;
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

/* libuv reports a reset that comes right behind data as the end of the stream.
 * The socket knows better, and a body cut short must not look whole. */
static int end_of(uv_stream_t *stream, int err) {
  uv_os_fd_t fd;
  int reset = 0;
  socklen_t size = sizeof reset;
  if (err != UV_EOF || stream->type == UV_TTY ||
      uv_fileno((uv_handle_t *)stream, &fd) != 0 ||
      getsockopt(fd, SOL_SOCKET, SO_ERROR, &reset, &size) != 0 || reset == 0)
    return err; /* ENOTSOCK for a pipe made by pipe(2) is fine */
  return uv_translate_sys_error(reset);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
  vow__uv_t *d;
  vow_reader_t *r = reader_of((uv_handle_t *)stream, &d);
  (void)buf;
  if (nread == 0 || r == NULL) return; /* 0: try again later */
  if (nread > 0) {
    take_in(r, (size_t)nread);
  } else if (nread == UV_ENOBUFS) {
    stop(r);
    while (vow__feed_fail_one(&r->feed, vow_fail(UV_ENOMEM))) {
    }
  } else {
    stop(r);
    vow__feed_end(&r->feed, end_of(stream, (int)nread));
  }
  vow_loop_drain(d->loop); /* r may be gone now */
}

/* ---- leaving the stream -------------------------------------------------- */

static void leave(vow_reader_t *r) {
  r->d = NULL;
  r->stream = NULL;
  r->reading = false;
  vow__feed_close(&r->feed, VOW_ESHUTDOWN);
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
  if (vow__attach(&d->handles, handle, &r->att, &reader_kind, site) != 0) {
    vow_release(r);
    return UV_ENOMEM;
  }
  *ret_reader = r;
  return 0;
}

/* Whether it is time to read (again). */
static bool should_start(const vow_reader_t *r) {
  return !r->reading && r->feed.error == 0 &&
         r->waiting_bytes <= r->high_water_bytes / 2;
}

vow_future_t *vow_reader_next_at(const char *site, vow_reader_t *reader) {
  vow_reader_t *r = reader;
  vow_future_t *f;
  size_t charge;
  size_t count;
  int err;
  if (r == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "reader_next: the reader is NULL");
  if (r->stream == NULL)
    return vow_misuse_at(site, NULL, VOW_ESHUTDOWN,
                         "reader_next: the stream is closed");
  if (uv_is_closing((uv_handle_t *)r->stream))
    return vow_misuse_at(site, r->feed.loop, VOW_ESHUTDOWN,
                         "reader_next: the stream was closed by uv_close");
  count = r->feed.count;
  if (count == 0 && should_start(r)) {
    err = uv_read_start(r->stream, on_alloc, on_read);
    if (err != 0)
      return vow_ready_at(
          site, r->feed.loop,
          vow_failf_at(site, err, "reader_next: %s", vow_strerror(err)));
    r->reading = true;
  }
  charge = count > 0 ? charge_of(vow__feed_peek(&r->feed)) : 0;
  f = vow__feed_next(site, &r->feed);
  if (r->feed.count < count) r->waiting_bytes -= charge;
  if (count > 0 && should_start(r))
    r->reading = uv_read_start(r->stream, on_alloc, on_read) == 0;
  return f;
}

void vow_reader_free(vow_reader_t *reader) {
  vow_reader_t *r = reader;
  if (r == NULL) return;
  if (r->d != NULL) {
    vow__detach(&r->d->handles, &r->att);
    if (!uv_is_closing((uv_handle_t *)r->stream)) stop(r);
    leave(r);
  }
  vow_release(r);
}

/* SPDX-License-Identifier: MIT */
/* The shim before what libuv tells again and again, and before what begins and
 * ends a handle. A callback is taken over when its source is started while the
 * shim is on, and given back when the handle is closed. */
#include "check/shim/inside.h"

#include <stdlib.h>
#include <string.h>

/* Takes over the callbacks of handle, or gives them back. */
static bool take_over(const void *handle, uv_alloc_cb alloc,
                      vow__shim_cb_t cb) {
  vow__shim_watch_t w = {handle, cb, alloc, 0, 0};
  if (vow__shim_is_on())
    vow__shim_watch(&w);
  else
    (void)vow__shim_take(handle);
  return vow__shim_is_on();
}

static bool is_closing(const void *handle) {
  return uv_is_closing(handle) != 0;
}

/* The callback has stopped or closed its handle: it is not called again. */
static bool is_over(const void *handle) {
  return is_closing(handle) || uv_is_active(handle) == 0;
}

/* ---- reading ------------------------------------------------------------- */

int __real_uv_read_start(uv_stream_t *stream, uv_alloc_cb alloc, uv_read_cb cb);
int __wrap_uv_read_start(uv_stream_t *stream, uv_alloc_cb alloc, uv_read_cb cb);

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  size_t max = vow__shim_read_max();
  vow__shim_watched(handle).alloc(handle, suggested, buf);
  if (max > 0 && buf->len > max) buf->len = max;
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
  vow__shim_watch_t w = vow__shim_watched(stream);
  uv_read_cb cb = (uv_read_cb)w.cb;
  uv_buf_t more = {NULL, 0};
  int code = 1;
  if (nread == 0 || !vow__shim_reports(CALL_uv_read_start, &code)) {
    cb(stream, nread, buf);
  } else if (code == 0) {
    w.alloc((uv_handle_t *)stream, 65536, &more);
    cb(stream, 0, &more);
    if (!is_closing(stream)) cb(stream, nread, buf);
  } else {
    cb(stream, code, buf);
    if (!is_closing(stream)) uv_read_stop(stream); /* as libuv does */
  }
}

int __wrap_uv_read_start(uv_stream_t *stream, uv_alloc_cb alloc,
                         uv_read_cb cb) {
  int err;
  if (vow__shim_fails(CALL_uv_read_start, &err)) return err;
  /* One that reads already is refused, and keeps what it has. */
  if (uv_is_active((const uv_handle_t *)stream) ||
      !take_over(stream, alloc, (vow__shim_cb_t)cb))
    return __real_uv_read_start(stream, alloc, cb);
  return __real_uv_read_start(stream, on_alloc, on_read);
}

/* ---- connections --------------------------------------------------------- */

static void on_connection(uv_stream_t *server, int status) {
  uv_connection_cb cb = (uv_connection_cb)vow__shim_watched(server).cb;
  int code;
  if (vow__shim_reports(CALL_uv_listen, &code)) {
    cb(server, code);
    if (is_closing(server)) return;
  }
  cb(server, status);
}

int __real_uv_listen(uv_stream_t *server, int backlog, uv_connection_cb cb);
int __wrap_uv_listen(uv_stream_t *server, int backlog, uv_connection_cb cb);
int __wrap_uv_listen(uv_stream_t *server, int backlog, uv_connection_cb cb) {
  int err;
  if (vow__shim_fails(CALL_uv_listen, &err)) return err;
  if (take_over(server, NULL, (vow__shim_cb_t)cb)) cb = on_connection;
  return __real_uv_listen(server, backlog, cb);
}

static void free_handle(uv_handle_t *handle) {
  free(handle);
}

int __real_uv_accept(uv_stream_t *server, uv_stream_t *client);
int __wrap_uv_accept(uv_stream_t *server, uv_stream_t *client);
int __wrap_uv_accept(uv_stream_t *server, uv_stream_t *client) {
  uv_pipe_t *lost;
  int err;
  if (!vow__shim_fails(CALL_uv_accept, &err))
    return __real_uv_accept(server, client);
  lost = malloc(sizeof *lost); /* anything fits a pipe */
  if (lost == NULL) abort();
  uv_pipe_init(server->loop, lost, 0);
  __real_uv_accept(server, (uv_stream_t *)lost);
  uv_close((uv_handle_t *)lost, free_handle);
  return err;
}

/* ---- datagrams ----------------------------------------------------------- */

static void on_receive_alloc(uv_handle_t *handle, size_t suggested,
                             uv_buf_t *buf) {
  vow__shim_watched(handle).alloc(handle, suggested, buf);
}

static void on_receive(uv_udp_t *udp, ssize_t nread, const uv_buf_t *buf,
                       const struct sockaddr *addr, unsigned flags) {
  vow__shim_watch_t w = vow__shim_watched(udp);
  uv_buf_t more = {NULL, 0};
  int code;
  if (addr != NULL && vow__shim_reports(CALL_uv_udp_recv_start, &code)) {
    w.alloc((uv_handle_t *)udp, 65536, &more);
    ((uv_udp_recv_cb)w.cb)(udp, code, &more, NULL, 0);
    if (is_over(udp)) return;
  }
  ((uv_udp_recv_cb)w.cb)(udp, nread, buf, addr, flags);
}

int __real_uv_udp_recv_start(uv_udp_t *udp, uv_alloc_cb alloc,
                             uv_udp_recv_cb cb);
int __wrap_uv_udp_recv_start(uv_udp_t *udp, uv_alloc_cb alloc,
                             uv_udp_recv_cb cb);
int __wrap_uv_udp_recv_start(uv_udp_t *udp, uv_alloc_cb alloc,
                             uv_udp_recv_cb cb) {
  int err;
  if (vow__shim_fails(CALL_uv_udp_recv_start, &err)) return err;
  if (uv_is_active((const uv_handle_t *)udp) ||
      !take_over(udp, alloc, (vow__shim_cb_t)cb))
    return __real_uv_udp_recv_start(udp, alloc, cb);
  return __real_uv_udp_recv_start(udp, on_receive_alloc, on_receive);
}

/* ---- poll, fs_event, fs_poll --------------------------------------------- */

static void on_poll(uv_poll_t *poll, int status, int events) {
  uv_poll_cb cb = (uv_poll_cb)vow__shim_watched(poll).cb;
  int code;
  if (!vow__shim_reports(CALL_uv_poll_start, &code)) {
    cb(poll, status, events);
    return;
  }
  uv_poll_stop(poll); /* as libuv does before it tells of an error */
  cb(poll, code, 0);
}

int __real_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb cb);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb cb);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb cb) {
  int err;
  if (vow__shim_fails(CALL_uv_poll_start, &err)) return err;
  if (take_over(poll, NULL, (vow__shim_cb_t)cb)) cb = on_poll;
  return __real_uv_poll_start(poll, events, cb);
}

static void on_fs_event(uv_fs_event_t *event, const char *name, int events,
                        int status) {
  uv_fs_event_cb cb = (uv_fs_event_cb)vow__shim_watched(event).cb;
  int code;
  if (vow__shim_reports(CALL_uv_fs_event_start, &code)) {
    cb(event, NULL, 0, code);
    if (is_over(event)) return;
  }
  cb(event, name, events, status);
}

int __real_uv_fs_event_start(uv_fs_event_t *event, uv_fs_event_cb cb,
                             const char *path, unsigned flags);
int __wrap_uv_fs_event_start(uv_fs_event_t *event, uv_fs_event_cb cb,
                             const char *path, unsigned flags);
int __wrap_uv_fs_event_start(uv_fs_event_t *event, uv_fs_event_cb cb,
                             const char *path, unsigned flags) {
  int err;
  if (vow__shim_fails(CALL_uv_fs_event_start, &err)) return err;
  if (take_over(event, NULL, (vow__shim_cb_t)cb)) cb = on_fs_event;
  return __real_uv_fs_event_start(event, cb, path, flags);
}

static void on_fs_poll(uv_fs_poll_t *poll, int status, const uv_stat_t *before,
                       const uv_stat_t *after) {
  uv_fs_poll_cb cb = (uv_fs_poll_cb)vow__shim_watched(poll).cb;
  int code;
  if (vow__shim_reports(CALL_uv_fs_poll_start, &code)) {
    cb(poll, code, before, after);
    if (is_over(poll)) return;
  }
  cb(poll, status, before, after);
}

int __real_uv_fs_poll_start(uv_fs_poll_t *poll, uv_fs_poll_cb cb,
                            const char *path, unsigned interval_ms);
int __wrap_uv_fs_poll_start(uv_fs_poll_t *poll, uv_fs_poll_cb cb,
                            const char *path, unsigned interval_ms);
int __wrap_uv_fs_poll_start(uv_fs_poll_t *poll, uv_fs_poll_cb cb,
                            const char *path, unsigned interval_ms) {
  int err;
  if (vow__shim_fails(CALL_uv_fs_poll_start, &err)) return err;
  if (take_over(poll, NULL, (vow__shim_cb_t)cb)) cb = on_fs_poll;
  return __real_uv_fs_poll_start(poll, cb, path, interval_ms);
}

/* ---- children, the end of handles ---------------------------------------- */

int __real_uv_spawn(uv_loop_t *loop, uv_process_t *process,
                    const uv_process_options_t *options);
int __wrap_uv_spawn(uv_loop_t *loop, uv_process_t *process,
                    const uv_process_options_t *options);
int __wrap_uv_spawn(uv_loop_t *loop, uv_process_t *process,
                    const uv_process_options_t *options) {
  char name[] = "none";
  char *args[] = {name, NULL};
  uv_process_options_t bad;
  int err;
  if (!vow__shim_fails(CALL_uv_spawn, &err))
    return __real_uv_spawn(loop, process, options);
  memset(&bad, 0, sizeof bad);
  bad.file = "/there/is/no/such/program";
  bad.args = args;
  __real_uv_spawn(loop, process, &bad); /* leaves a handle to be closed */
  return err;
}

void __real_uv_close(uv_handle_t *handle, uv_close_cb cb);
void __wrap_uv_close(uv_handle_t *handle, uv_close_cb cb);
void __wrap_uv_close(uv_handle_t *handle, uv_close_cb cb) {
  (void)vow__shim_take(handle);
  __real_uv_close(handle, cb);
}

int __real_uv_tcp_close_reset(uv_tcp_t *tcp, uv_close_cb cb);
int __wrap_uv_tcp_close_reset(uv_tcp_t *tcp, uv_close_cb cb);
int __wrap_uv_tcp_close_reset(uv_tcp_t *tcp, uv_close_cb cb) {
  int err;
  if (vow__shim_fails(CALL_uv_tcp_close_reset, &err)) return err;
  err = __real_uv_tcp_close_reset(tcp, cb);
  if (err == 0) (void)vow__shim_take(tcp);
  return err;
}

/* SPDX-License-Identifier: MIT */
/* Handles of libuv's: what is written arrives, every handle is closed, and no
 * descriptor stays open. */
#define _XOPEN_SOURCE 700 /* posix_openpt and what goes with it */
#include "unit/torture/torture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define BIG_BYTES (size_t)300000

ENDER(end_tcp, uv_tcp_t, vow_tcp_free)
ENDER(end_pipe, uv_pipe_t, vow_pipe_free)
ENDER(end_udp, uv_udp_t, vow_udp_free)
ENDER(end_tty, uv_tty_t, vow_tty_free)
ENDER(end_listener, vow_listener_t, vow_listener_free)
ENDER(end_reader, vow_reader_t, vow_reader_free)
ENDER(end_receiver, vow_receiver_t, vow_receiver_free)

static char text[] = "0123456789";
static char big[BIG_BYTES];

static uv_buf_t buf_of(size_t n) {
  return uv_buf_init(n <= 10 ? text : big, (unsigned)n);
}

static uv_stream_t *stream_of(void *handle) {
  return handle;
}

/* ---- TCP -------------------------------------------------------------------- */

typedef struct ends {
  vow_loop_t *loop;
  uv_tcp_t *listening, *client, *server;
  vow_listener_t *listener;
} ends_t;

static struct sockaddr_in local_addr(int port) {
  struct sockaddr_in addr;
  uv_ip4_addr("127.0.0.1", port, &addr);
  return addr;
}

static vow_value_t listen_locally(vow_loop_t *loop, ends_t *e,
                                  struct sockaddr_in *ret_addr) {
  int length = sizeof *ret_addr;
  struct sockaddr *addr = (struct sockaddr *)ret_addr;
  *ret_addr = local_addr(0);
  e->loop = loop;
  VOW_TRY_CODE(vow_tcp_new(loop, &e->listening));
  LATER(end_tcp, e->listening);
  VOW_TRY_CODE(uv_tcp_bind(e->listening, addr, 0));
  VOW_TRY_CODE(vow_listen(e->listening, 8, &e->listener));
  LATER(end_listener, e->listener);
  VOW_TRY_CODE(uv_tcp_getsockname(e->listening, addr, &length));
  return vow_nil();
}

/* Until the scene's end. */
static vow_value_t open_ends(vow_loop_t *loop, ends_t *e) {
  struct sockaddr_in addr;
  vow_future_t *connected;
  vow_value_t v = listen_locally(loop, e, &addr);
  if (vow_value_is_failure(v)) return v;
  VOW_TRY_CODE(vow_tcp_new(loop, &e->client));
  LATER(end_tcp, e->client);
  connected = vow_tcp_connect(e->client, (struct sockaddr *)&addr);
  OWN(both, vow_gather_of(loop, connected, vow_accept(e->listener)));
  e->server =
      vow_value_get(vow_list_at(vow_value_list(both), 1), &vow_type_tcp);
  return vow_nil();
}

#define OPEN_ENDS(e)                                   \
  ends_t e;                                            \
  do {                                                 \
    vow_value_t opening = open_ends(loop, &e);         \
    if (vow_value_is_failure(opening)) return opening; \
  } while (0)

typedef struct reading {
  vow_reader_t *reader;
  size_t bytes;
} reading_t;

/* A task: all that comes until the end. */
static vow_value_t read_all(void *arg) {
  reading_t *r = arg;
  for (;;) {
    vow_value_t v = vow_await(vow_reader_next(r->reader));
    int code = vow_value_code(v);
    if (code == 0) r->bytes += vow_bytes_length(v.as.p);
    vow_value_destroy(v);
    if (code == UV_EOF) return vow_nil();
    VOW_TRY_CODE(code);
  }
}

static vow_value_t write_all(void *arg) {
  ends_t *e = arg;
  uv_buf_t small = buf_of(10), large = buf_of(BIG_BYTES);
  (void)vow_try_write(stream_of(e->client), &small, 1);
  VOW_TRY_NIL(vow_write(stream_of(e->client), &large, 1));
  VOW_TRY_NIL(vow_write_borrowed(stream_of(e->client), &large, 1));
  VOW_TRY_NIL(vow_write(stream_of(e->client), &small, 1));
  return vow_await(vow_shutdown(stream_of(e->client)));
}

SCENE(test_torture_tcp_carries_all_bytes) {
  reading_t r = {NULL, 0};
  vow_group_t *g;
  OPEN_ENDS(e);
  VOW_TRY_CODE(vow_reader_new(stream_of(e.server), 0, &r.reader));
  LATER(end_reader, r.reader);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  VOW_TRY_CODE(vow_group_go(g, read_all, &r));
  VOW_TRY_CODE(vow_group_go(g, write_all, &e));
  VOW_TRY_NIL(vow_group_join(g));
  CALMLY(r.bytes == 20 + 2 * BIG_BYTES);
  return vow_nil();
}

SCENE(test_torture_tcp_is_closed_and_reset) {
  reading_t r = {NULL, 0};
  uv_tcp_t *tcp;
  vow_value_t failure;
  OPEN_ENDS(e);
  VOW_TRY_CODE(vow_tcp_new(loop, &tcp));
  LATER(end_tcp, tcp);
  VOW_TRY_NIL(vow_close((uv_handle_t *)tcp));
  VOW_TRY_NIL(vow_tcp_close_reset(e.client));
  VOW_TRY_CODE(vow_reader_new(stream_of(e.server), 0, &r.reader));
  VOW_FOR(step, vow_reader_iter(r.reader), &failure) {
  }
  CALMLY(vow_value_code(failure) == UV_ECONNRESET);
  vow_value_destroy(failure);
  return vow_nil();
}

static vow_value_t end_of_future(void *f) {
  (void)vow_await_status(f);
  return vow_nil();
}

/* The listener goes with its iterator. */
SCENE(test_torture_listener_is_walked) {
  struct sockaddr_in addr = local_addr(0);
  struct sockaddr *at = (struct sockaddr *)&addr;
  uv_tcp_t *client, *tcp;
  vow_value_t failure;
  vow_listener_t *listener;
  int length = sizeof addr, n = 0;
  VOW_TRY_CODE(vow_tcp_new(loop, &tcp));
  LATER(end_tcp, tcp);
  VOW_TRY_CODE(uv_tcp_bind(tcp, at, 0));
  VOW_TRY_CODE(uv_tcp_getsockname(tcp, at, &length));
  VOW_TRY_CODE(vow_tcp_new(loop, &client));
  LATER(end_tcp, client);
  VOW_TRY_CODE(vow_listen(tcp, 8, &listener));
  LATER(end_listener, listener);
  LATER(end_of_future, vow_tcp_connect(client, at));
  ck_assert(vow_undefer(end_listener, listener));
  VOW_FOR(step, vow_iter_timeout(vow_listener_iter(listener), 100), &failure) {
    n++;
    break;
  }
  CALMLY(n == 1);
  return failure;
}

/* ---- pipes ------------------------------------------------------------------ */

static vow_value_t unlink_path(void *path) {
  unlink(path);
  return vow_nil();
}

static vow_value_t remove_folder(void *path) {
  rmdir(path);
  return vow_nil();
}

SCENE(test_torture_pipe_connects) {
  static char folder[32], path[64];
  uv_pipe_t *listening, *client;
  vow_listener_t *listener;
  vow_future_t *connected;
  uv_buf_t buf = buf_of(10);
  strcpy(folder, "/tmp/vow-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
  LATER(remove_folder, folder);
  snprintf(path, sizeof path, "%s/socket", folder);
  LATER(unlink_path, path);
  VOW_TRY_CODE(vow_pipe_new(loop, false, &listening));
  LATER(end_pipe, listening);
  VOW_TRY_CODE(uv_pipe_bind(listening, path));
  VOW_TRY_CODE(vow_pipe_listen(listening, 8, false, &listener));
  LATER(end_listener, listener);
  VOW_TRY_CODE(vow_pipe_new(loop, false, &client));
  LATER(end_pipe, client);
  connected = vow_pipe_connect(client, path);
  OWN(both, vow_gather_of(loop, connected, vow_accept(listener)));
  VOW_TRY_NIL(vow_write(stream_of(client), &buf, 1));
  return vow_nil();
}

static vow_value_t open_ipc(vow_loop_t *loop, uv_pipe_t *ret_ipc[2]) {
  uv_os_sock_t fd[2];
  int i, err;
  VOW_TRY_CODE(
      uv_socketpair(SOCK_STREAM, 0, fd, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE));
  for (i = 0; i < 2; i++) {
    err = vow_pipe_new(loop, true, &ret_ipc[i]);
    if (err == 0 && vow_defer(end_pipe, ret_ipc[i]) != 0) err = UV_ENOMEM;
    if (err == 0) err = uv_pipe_open(ret_ipc[i], fd[i]);
    if (err == 0) continue;
    close(fd[i]);
    if (i == 0) close(fd[1]);
    return vow_fail(err);
  }
  return vow_nil();
}

SCENE(test_torture_handle_goes_over_a_pipe) {
  uv_pipe_t *ipc[2];
  uv_buf_t buf = buf_of(1);
  struct sockaddr_in addr;
  ends_t e;
  reading_t r = {NULL, 0};
  vow_value_t v = listen_locally(loop, &e, &addr);
  if (vow_value_is_failure(v)) return v;
  v = open_ipc(loop, ipc);
  if (vow_value_is_failure(v)) return v;
  VOW_TRY_CODE(vow_reader_new(stream_of(ipc[1]), 0, &r.reader));
  LATER(end_reader, r.reader);
  VOW_TRY_NIL(vow_write2(stream_of(ipc[0]), &buf, 1, stream_of(e.listening)));
  OWN(copy, vow_reader_next_handle(r.reader));
  CALMLY(copy.type == &vow_type_tcp);
  VOW_TRY_NIL(vow_reader_next(r.reader));
  return vow_nil();
}

/* ---- datagrams -------------------------------------------------------------- */

static vow_value_t open_udp(vow_loop_t *loop, uv_udp_t **ret_udp,
                            struct sockaddr_in *ret_addr) {
  int length = sizeof *ret_addr;
  *ret_addr = local_addr(0);
  VOW_TRY_CODE(vow_udp_new(loop, 0, ret_udp));
  LATER(end_udp, *ret_udp);
  VOW_TRY_CODE(uv_udp_bind(*ret_udp, (struct sockaddr *)ret_addr, 0));
  VOW_TRY_CODE(
      uv_udp_getsockname(*ret_udp, (struct sockaddr *)ret_addr, &length));
  return vow_nil();
}

SCENE(test_torture_datagrams_arrive) {
  struct sockaddr_in a_addr, b_addr;
  uv_udp_t *a, *b;
  uv_buf_t buf = buf_of(10);
  vow_receiver_t *receiver;
  vow_value_t failure, v = open_udp(loop, &a, &a_addr);
  int n = 0;
  if (vow_value_is_failure(v)) return v;
  v = open_udp(loop, &b, &b_addr);
  if (vow_value_is_failure(v)) return v;
  VOW_TRY_NIL(vow_udp_connect(a, (struct sockaddr *)&b_addr));
  VOW_TRY_CODE(vow_receiver_new(b, 0, &receiver));
  if (vow_defer(end_receiver, receiver) != 0) return vow_fail(UV_ENOMEM);
  VOW_TRY_NIL(vow_udp_send(a, &buf, 1, NULL));
  VOW_TRY_NIL(vow_udp_send_borrowed(a, &buf, 1, NULL));
  VOW_TRY_NIL(vow_receiver_next(receiver));
  ck_assert(vow_undefer(end_receiver, receiver));
  VOW_FOR(step, vow_receiver_iter(receiver), &failure) {
    n++;
    break;
  }
  CALMLY(n == 1);
  return failure;
}

/* ---- terminals -------------------------------------------------------------- */

static vow_value_t close_fd(void *fd) {
  close((int)(intptr_t)fd);
  return vow_nil();
}

#define CLOSE_LATER(fd) LATER(close_fd, (void *)(intptr_t)(fd))

/* Where there is no terminal, nothing is tested. */
SCENE(test_torture_terminal_is_written) {
  int user = posix_openpt(O_RDWR | O_NOCTTY), fd = -1;
  uv_buf_t buf = buf_of(10);
  uv_tty_t *tty;
  if (user < 0) return vow_nil();
  CLOSE_LATER(user);
  if (grantpt(user) == 0 && unlockpt(user) == 0)
    fd = open(ptsname(user), O_RDWR | O_NOCTTY);
  if (fd < 0) return vow_nil();
  CLOSE_LATER(fd);
  VOW_TRY_CODE(vow_tty_new(loop, fd, &tty));
  LATER(end_tty, tty);
  VOW_TRY_NIL(vow_write(stream_of(tty), &buf, 1));
  return vow_nil();
}

/* ---- sinks ------------------------------------------------------------------ */

static struct {
  vow_sink_t sink;
  vow_promise_t *ended;
  size_t bytes;
} tap;

static bool tap_room(vow_sink_t *k) {
  (void)k;
  return true;
}
static void tap_data(vow_sink_t *k, vow_bytes_t *b) {
  (void)k;
  tap.bytes += vow_bytes_length(b);
  vow_bytes_unref(b);
}
static void tap_end(vow_sink_t *k, int code) {
  (void)k;
  vow_promise_finish(tap.ended, code == UV_EOF ? vow_nil() : vow_fail(code));
  tap.ended = NULL;
}
static void tap_starved(vow_sink_t *k) {
  tap_end(k, UV_ENOMEM);
}
static const vow_sink_class_t tap_class = {tap_room, tap_data, tap_starved,
                                           tap_end};

static vow_value_t close_tap(void *arg) {
  (void)arg;
  vow_sink_close(&tap.sink);
  vow_promise_drop(tap.ended);
  return vow_nil();
}

SCENE(test_torture_sink_hears_all) {
  vow_future_t *ended;
  uv_buf_t buf = buf_of(10);
  OPEN_ENDS(e);
  tap.bytes = 0;
  tap.ended = NULL;
  VOW_TRY_CODE(vow_sink_open(&tap.sink, stream_of(e.server), &tap_class));
  LATER(close_tap, NULL);
  VOW_TRY_CODE(vow_sink_start(&tap.sink));
  VOW_TRY_NIL(vow_write(stream_of(e.client), &buf, 1));
  ended = vow_promise_new(loop, &tap.ended);
  vow_detach(vow_shutdown(stream_of(e.client)));
  VOW_TRY_NIL(vow_timeout(ended, 1000));
  CALMLY(tap.bytes == 10);
  return vow_nil();
}

SUITE(torture_handles) {
  ADD(test_torture_tcp_carries_all_bytes);
  ADD(test_torture_tcp_is_closed_and_reset);
  ADD(test_torture_listener_is_walked);
  ADD(test_torture_pipe_connects);
  ADD(test_torture_handle_goes_over_a_pipe);
  ADD(test_torture_datagrams_arrive);
  ADD(test_torture_terminal_is_written);
  ADD(test_torture_sink_hears_all);
}

/* SPDX-License-Identifier: MIT */
/* Streams, connections and servers: bytes that were written are read, and every
 * connection is closed. */
#include "unit/torture/torture.h"

#include <stdlib.h>
#include <unistd.h>

static vow_value_t end_stream(void *s) {
  vow_stream_unref(s);
  return vow_nil();
}

/* Until the scene's end. */
static vow_value_t open_pair(vow_loop_t *loop, vow_stream_t **a,
                             vow_stream_t **b) {
  VOW_TRY_CODE(vow_stream_pair(loop, 64, a, b));
  if (vow_defer(end_stream, *a) != 0) {
    vow_stream_unref(*b);
    return vow_fail(UV_ENOMEM);
  }
  LATER(end_stream, *b);
  return vow_nil();
}

#define OPEN_PAIR(a, b)                                \
  vow_stream_t *a, *b;                                 \
  do {                                                 \
    vow_value_t opening = open_pair(loop, &a, &b);     \
    if (vow_value_is_failure(opening)) return opening; \
  } while (0)

/* ---- streams in memory --------------------------------------------------------- */

static char text[] = "one\ntwo\nthree\nfour\n0123456789";

static vow_value_t write_all(void *arg) {
  vow_stream_t *s = arg;
  uv_buf_t bufs[2] = {uv_buf_init(text, 8), uv_buf_init(text + 8, 11)};
  vow_bytes_t *bytes;
  int err;
  VOW_TRY_NIL(vow_stream_writev(s, bufs, 2));
  VOW_TRY_NIL(vow_stream_writev_borrowed(s, bufs, 2));
  VOW_TRY_NIL(vow_stream_write(s, text, 19));
  VOW_TRY_NIL(vow_stream_write_borrowed(s, text, 30));
  NEED(bytes = vow_bytes_copy(text, 30));
  err = vow_await_status(vow_stream_write_bytes(s, bytes));
  vow_bytes_unref(bytes);
  VOW_TRY_CODE(err);
  return vow_await(vow_stream_shutdown(s));
}

static vow_value_t read_all(void *arg) {
  vow_stream_t *s = arg;
  vow_value_t failure;
  size_t lines = 0, bytes = 0;
  VOW_TRY_NIL(vow_stream_peek(s, 3));
  VOW_TRY_NIL(vow_stream_read(s, 4));
  VOW_TRY_NIL(vow_stream_read_exactly(s, 4));
  VOW_TRY_NIL(vow_stream_read_until(s, "e\n", 2, 100));
  VOW_TRY_NIL(vow_stream_read_line(s, 100));
  VOW_FOR(step, vow_stream_line_iter(s, 100), &failure) {
    if (++lines == 8) break;
  }
  if (vow_value_is_failure(failure)) return failure;
  VOW_FOR(step, vow_stream_iter(s, 7), &failure) {
    bytes += vow_bytes_length(step.item.as.p);
    if (bytes >= 20) break;
  }
  if (vow_value_is_failure(failure)) return failure;
  OWN(rest, vow_stream_read_to_end(s, 100));
  bytes += vow_bytes_length(rest.as.p);
  CALMLY(bytes == 30 + 30);
  return vow_nil();
}

SCENE(test_torture_stream_carries_all_bytes) {
  vow_group_t *g;
  OPEN_PAIR(a, b);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  VOW_TRY_CODE(vow_group_go(g, write_all, a));
  VOW_TRY_CODE(vow_group_go(g, read_all, b));
  VOW_TRY_NIL(vow_group_join(g));
  VOW_TRY_NIL(vow_stream_close(b));
  VOW_TRY_NIL(vow_stream_reset(a, UV_ECONNRESET));
  return vow_nil();
}

static vow_value_t write_and_end(void *arg) {
  VOW_TRY_NIL(vow_stream_write(arg, text, 30));
  return vow_await(vow_stream_shutdown(arg));
}

static vow_value_t copy_on(void *arg) {
  vow_stream_t **ends = arg;
  VOW_TRY(n, vow_stream_copy(ends[0], ends[1], UINT64_MAX));
  CALMLY(vow_value_int(n) == 30);
  return vow_await(vow_stream_shutdown(ends[1]));
}

static vow_value_t read_to_end(void *arg) {
  OWN(all, vow_stream_read_to_end(arg, 100));
  CALMLY(vow_bytes_length(all.as.p) == 30);
  return vow_nil();
}

SCENE(test_torture_stream_is_copied) {
  vow_stream_t *ends[2];
  vow_group_t *g;
  OPEN_PAIR(a, b);
  OPEN_PAIR(c, d);
  ends[0] = b;
  ends[1] = c;
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  VOW_TRY_CODE(vow_group_go(g, write_and_end, a));
  VOW_TRY_CODE(vow_group_go(g, copy_on, ends));
  VOW_TRY_CODE(vow_group_go(g, read_to_end, d));
  VOW_TRY_NIL(vow_group_join(g));
  return vow_nil();
}

SCENE(test_torture_bytes_are_shared) {
  char *room;
  vow_bytes_t *b = vow_bytes_new(10, &room), *slice;
  vow_value_t v;
  NEED(b);
  memcpy(room, text, 10);
  slice = vow_bytes_slice(b, 2, 4);
  vow_bytes_unref(b);
  NEED(slice);
  v = vow_defer_value(vow_ptr(slice, &vow_type_bytes));
  if (vow_value_is_failure(v)) return v;
  ck_assert_int_eq(memcmp(vow_bytes_data(slice), "e\ntw", 4), 0);
  return vow_nil();
}

/* ---- a transport of one's own --------------------------------------------------- */

typedef struct mine {
  vow_stream_t base;
} mine_t;

static int my_start(vow_stream_t *s) {
  vow_bytes_t *b = vow_bytes_copy(text, 10);
  if (b == NULL) return UV_ENOMEM;
  if (vow_stream_push(s, b) != 0) {
    vow_bytes_unref(b);
    return UV_ENOMEM;
  }
  vow_stream_end(s, UV_EOF);
  return 0;
}
static void my_stop(vow_stream_t *s) {
  (void)s;
}
static vow_future_t *my_write(const char *site, vow_stream_t *s,
                              const uv_buf_t bufs[], unsigned n) {
  int64_t total = 0;
  while (n-- > 0) total += (int64_t)bufs[n].len;
  return vow_ready_at(site, vow_stream_loop(s), vow_int(total));
}
static vow_future_t *my_shutdown(const char *site, vow_stream_t *s) {
  return vow_ready_at(site, vow_stream_loop(s), vow_nil());
}
static vow_future_t *my_close(const char *site, vow_stream_t *s, int code) {
  (void)code;
  return site != NULL ? my_shutdown(site, s) : NULL;
}
static const vow_stream_class_t my_class = {
    .name = "mine",
    .size_bytes = sizeof(mine_t),
    .read_start = my_start,
    .read_stop = my_stop,
    .write = my_write,
    .shutdown = my_shutdown,
    .close = my_close,
};

SCENE(test_torture_own_transport_is_read) {
  vow_stream_t *s = vow_stream_new(loop, &my_class);
  NEED(s);
  LATER(end_stream, s);
  VOW_TRY_NIL(vow_stream_write(s, text, 5));
  OWN(all, vow_stream_read_to_end(s, 100));
  CALMLY(vow_bytes_length(all.as.p) == 10);
  VOW_TRY_NIL(vow_stream_close(s));
  return vow_nil();
}

/* ---- servers and connections ------------------------------------------------------ */

static struct {
  vow_server_t *server;
  char folder[32], path[48], port[16];
} net;

static vow_future_t *echo(vow_stream_t *stream, void *arg) {
  (void)arg;
  return vow_keep(vow_stream_copy(stream, stream, UINT64_MAX), thing_arg(),
                  thing_drop);
}

static void ignore_failure(vow_server_t *server, vow_value_t failure,
                           void *arg) {
  (void)server;
  (void)failure;
  (void)arg;
}

static vow_value_t end_server(void *arg) {
  (void)arg;
  (void)vow_await_status(vow_server_shutdown(net.server, 0));
  vow_server_free(net.server);
  unlink(net.path);
  rmdir(net.folder);
  return vow_nil();
}

static vow_value_t start_server(vow_loop_t *loop) {
  vow_serve_options_t o = {.on_error = ignore_failure, .max_connections = 4};
  vow_serve_on_t on[2] = {{.host = "127.0.0.1"}, {.pipe = net.path}};
  int err;
  strcpy(net.folder, "/tmp/vow-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(net.folder));
  snprintf(net.path, sizeof net.path, "%s/socket", net.folder);
  err = vow_serve(loop, 2, on, echo, NULL, &o, &net.server);
  if (err != 0) {
    rmdir(net.folder);
    return vow_fail(err);
  }
  LATER(end_server, NULL);
  err = vow_server_port(net.server, 0);
  VOW_TRY_CODE(err);
  snprintf(net.port, sizeof net.port, "%d", err);
  return vow_nil();
}

#define START_SERVER                                     \
  do {                                                   \
    vow_value_t starting = start_server(loop);           \
    if (vow_value_is_failure(starting)) return starting; \
  } while (0)

static vow_value_t ask_echo(vow_stream_t *s) {
  VOW_TRY_NIL(vow_stream_write(s, text, 4));
  VOW_TRY(line, vow_stream_read_line(s, 10));
  vow_value_destroy(line);
  return vow_nil();
}

static void address_of_server(struct sockaddr_in *ret_addr) {
  uv_ip4_addr("127.0.0.1", atoi(net.port), ret_addr);
}

SCENE(test_torture_server_answers) {
  vow_value_t v;
  START_SERVER;
  OWN(tcp, vow_connect(loop, "127.0.0.1", net.port, NULL));
  OWN(pipe, vow_connect_pipe(loop, net.path));
  v = ask_echo(tcp.as.p);
  if (vow_value_is_failure(v)) return v;
  v = ask_echo(pipe.as.p);
  if (vow_value_is_failure(v)) return v;
  VOW_TRY_NIL(vow_stream_close(tcp.as.p));
  VOW_TRY_NIL(vow_server_shutdown(net.server, 5));
  return vow_nil();
}

SCENE(test_torture_addresses_are_tried) {
  struct sockaddr_in addr;
  const struct sockaddr *addrs[2] = {(struct sockaddr *)&addr,
                                     (struct sockaddr *)&addr};
  vow_future_t *f;
  START_SERVER;
  address_of_server(&addr);
  f = vow_connect_addresses(loop, 2, addrs, NULL);
  VOW_TRY_NIL(f);
  f = vow_tcp_connect_addresses(loop, 2, addrs, NULL);
  VOW_TRY_NIL(f);
  f = vow_tcp_connect_name(loop, "127.0.0.1", net.port, NULL);
  VOW_TRY_NIL(f);
  vow_drop(vow_connect(loop, "127.0.0.1", net.port, NULL));
  return vow_nil();
}

ENDER(end_tcp, uv_tcp_t, vow_tcp_free)

SCENE(test_torture_stream_over_a_handle) {
  struct sockaddr_in addr;
  uv_tcp_t *tcp;
  vow_stream_t *s;
  vow_value_t v;
  START_SERVER;
  address_of_server(&addr);
  VOW_TRY_CODE(vow_tcp_new(loop, &tcp));
  LATER(end_tcp, tcp);
  VOW_TRY_NIL(vow_tcp_connect(tcp, (struct sockaddr *)&addr));
  VOW_TRY_CODE(vow_stream_from_uv((uv_stream_t *)tcp, VOW_STREAM_BORROWED, &s));
  LATER(end_stream, s);
  v = ask_echo(s);
  if (vow_value_is_failure(v)) return v;
  VOW_TRY_NIL(vow_stream_close(s));
  return vow_nil();
}

SUITE(torture_net) {
  ADD(test_torture_stream_carries_all_bytes);
  ADD(test_torture_stream_is_copied);
  ADD(test_torture_bytes_are_shared);
  ADD(test_torture_own_transport_is_read);
  ADD(test_torture_server_answers);
  ADD(test_torture_addresses_are_tried);
  ADD(test_torture_stream_over_a_handle);
}

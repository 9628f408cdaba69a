/* SPDX-License-Identifier: MIT */
/* Servers: listening, handlers, their failures, tokens, limits. How they end
 * is in test_serve_end.c. */
#include "unit/net/serve_support.h"

#include <sys/un.h>

/* ---- listening ----------------------------------------------------------- */

static void expect_echo(vow_loop_t *loop, vow_future_t *connected) {
  vow_stream_t *stream;
  vow_future_t *f;
  ck_assert_int_eq(settle(loop, connected), 0);
  stream = vow_stream_get(connected);
  ck_assert_int_eq(settle_drop(loop, vow_stream_write(stream, "hello", 5)), 0);
  f = vow_stream_read_exactly(stream, 5);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_bytes(f, "hello");
  vow_drop(f);
  vow_drop(connected);
}

static vow_future_t *connect_port(vow_loop_t *loop, const char *host,
                                  int port) {
  char text[16];
  snprintf(text, sizeof text, "%d", port);
  return vow_connect(loop, host, text, NULL);
}

TEST(test_serve_hands_a_connection_to_the_handler) {
  service_t s = {0};
  service_open(&s, echo);
  expect_echo(s.loop,
              connect_port(s.loop, "127.0.0.1", vow_server_port(s.server, 0)));
  ck_assert_int_eq(s.calls, 1);
  turn_until(s.loop, &s.running, 0);
  ck_assert_uint_eq(vow_server_connections(s.server), 0);
  ck_assert_int_eq(s.failures, 0);
  service_close(&s);
}

TEST(test_serve_several_addresses_and_a_pipe) {
  service_t s = {.loop = loop_open()};
  char path[64];
  address_t other = address_of("127.0.0.2", 0);
  struct sockaddr_storage addr;
  vow_serve_on_t on[4] = {{.host = "127.0.0.1"},
                          {.addr = &other.any},
                          {.pipe = path},
                          {.host = "::1"}};
  size_t n = has_ipv6() ? 4 : 3;
  snprintf(path, sizeof path, "/tmp/vow-test-serve-%d", (int)getpid());
  unlink(path);
  ck_assert_int_eq(vow_serve(s.loop, n, on, echo, &s, NULL, &s.server), 0);
  expect_echo(s.loop,
              connect_port(s.loop, "127.0.0.1", vow_server_port(s.server, 0)));
  expect_echo(s.loop,
              connect_port(s.loop, "127.0.0.2", vow_server_port(s.server, 1)));
  expect_echo(s.loop, vow_connect_pipe(s.loop, path));
  if (n == 4)
    expect_echo(s.loop,
                connect_port(s.loop, "::1", vow_server_port(s.server, 3)));
  ck_assert_int_eq(s.calls, (int)n);
  ck_assert_int_eq(vow_server_address(s.server, 1, &addr), 0);
  ck_assert_int_eq(addr.ss_family, AF_INET);
  ck_assert_int_eq(vow_server_address(s.server, 2, &addr), UV_EINVAL);
  ck_assert_int_eq(vow_server_port(s.server, n), UV_EINVAL);
  service_end(&s);
  ck_assert_int_ne(access(path, F_OK), 0); /* it went with the server */
  loop_done(s.loop);
}

TEST(test_serve_every_address_takes_both_families) {
  service_t s = {.loop = loop_open()};
  vow_serve_on_t on = {0};
  int port;
  ck_assert_int_eq(vow_serve(s.loop, 1, &on, echo, &s, NULL, &s.server), 0);
  port = vow_server_port(s.server, 0);
  expect_echo(s.loop, connect_port(s.loop, "127.0.0.1", port));
  if (has_ipv6()) expect_echo(s.loop, connect_port(s.loop, "::1", port));
  service_close(&s);
}

TEST(test_serve_taken_port_is_named_and_nothing_listens) {
  vow_loop_t *loop = loop_open();
  int before = sockets();
  address_t taken;
  int fd = listen_raw("127.0.0.1", 8, &taken);
  vow_serve_on_t on[2] = {{.host = "127.0.0.1"}, {.addr = &taken.any}};
  vow_server_t *server = NULL;
  char text[32];
  ck_assert_int_eq(vow_serve(loop, 2, on, echo, NULL, NULL, &server),
                   UV_EADDRINUSE);
  ck_assert_ptr_null(server);
  snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(taken.in.sin_port));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), text));
  close(fd);
  loop_done(loop);
  ck_assert_int_eq(sockets(), before);
}

TEST(test_serve_bad_arguments_give_einval) {
  vow_loop_t *loop = loop_open();
  struct sockaddr odd = {.sa_family = AF_UNIX};
  char path[200];
  vow_serve_on_t good = {.host = "127.0.0.1"};
  vow_serve_on_t name = {.host = "localhost"};
  vow_serve_on_t port = {.host = "127.0.0.1", .port = 65536};
  vow_serve_on_t family = {.addr = &odd};
  vow_serve_on_t pipe = {.pipe = path};
  vow_serve_options_t o = {.backlog = -1};
  vow_server_t *s = NULL;
  memset(path, 'x', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  ck_assert_int_eq(vow_serve(NULL, 1, &good, echo, 0, NULL, &s), UV_EINVAL);
  ck_assert_int_eq(vow_serve(loop, 0, &good, echo, 0, NULL, &s), UV_EINVAL);
  ck_assert_int_eq(vow_serve(loop, 1, NULL, echo, 0, NULL, &s), UV_EINVAL);
  ck_assert_int_eq(vow_serve(loop, 1, &good, NULL, 0, NULL, &s), UV_EINVAL);
  ck_assert_int_eq(vow_serve(loop, 1, &good, echo, 0, NULL, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_serve(loop, 1, &good, echo, 0, &o, &s), UV_EINVAL);
  ck_assert_int_eq(vow_serve(loop, 1, &name, echo, 0, NULL, &s), UV_EINVAL);
  ck_assert_int_eq(vow_serve(loop, 1, &port, echo, 0, NULL, &s), UV_EINVAL);
  ck_assert_int_eq(vow_serve(loop, 1, &family, echo, 0, NULL, &s), UV_EINVAL);
  ck_assert_int_eq(vow_serve(loop, 1, &pipe, echo, 0, NULL, &s),
                   UV_ENAMETOOLONG);
  ck_assert_ptr_null(s);
  vow_server_free(NULL);
  ck_assert_int_eq(vow_server_port(NULL, 0), UV_EINVAL);
  ck_assert_uint_eq(vow_server_connections(NULL), 0);
  ck_assert_ptr_null(vow_server_token(NULL));
  loop_done(loop);
}

TEST(test_serve_options_are_set_on_each) {
  service_t s = {.options = {.nodelay = true, .keepalive_s = 77}};
  int fd;
  service_open(&s, echo);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  close(fd);
  service_close(&s);
  s = (service_t){.options = {.keepalive_s = 1000000}};
  service_open(&s, echo); /* no such time: each connection fails */
  fd = client_of(&s);
  turn_until(s.loop, &s.failures, 1);
  ck_assert_int_eq(s.last_error, UV_EINVAL);
  expect_end(fd);
  ck_assert_int_eq(s.calls, 0);
  service_close(&s);
}

/* ---- handlers ------------------------------------------------------------ */

/* Every other one fails. */
static vow_future_t *fail_or_echo(vow_stream_t *stream, void *arg) {
  service_t *s = arg;
  if (s->calls % 2 != 0) return echo(stream, arg);
  return counted(s, vow_ready(vow_stream_loop(stream), vow_fail(UV_EPROTO)));
}

TEST(test_serve_failing_handler_ends_its_connection_alone) {
  service_t s = {0};
  int fd;
  service_open(&s, fail_or_echo);
  fd = client_of(&s);
  turn_until(s.loop, &s.failures, 1);
  ck_assert_int_eq(s.last_error, UV_EPROTO);
  turns(s.loop, 2);
  expect_end(fd);
  expect_echo(s.loop,
              connect_port(s.loop, "127.0.0.1", vow_server_port(s.server, 0)));
  ck_assert_int_eq(s.failures, 1);
  service_close(&s);
}

TEST(test_serve_failure_without_a_hook_goes_to_the_loops) {
  service_t s = {.loop = loop_open()};
  const vow_serve_on_t on = {.host = "127.0.0.1"};
  int fd;
  ck_assert_int_eq(vow_serve(s.loop, 1, &on, fail_or_echo, &s, NULL, &s.server),
                   0);
  fd = client_of(&s);
  turn_until(s.loop, &unseen, 1);
  close(fd);
  service_close(&s);
}

static vow_future_t *give_null(vow_stream_t *stream, void *arg) {
  (void)stream;
  (void)arg;
  return NULL;
}

TEST(test_serve_handler_without_a_future_fails_its_connection) {
  service_t s = {0};
  int fd;
  service_open(&s, give_null);
  fd = client_of(&s);
  turn_until(s.loop, &s.failures, 1);
  ck_assert_int_eq(s.last_error, UV_EINVAL);
  turns(s.loop, 2);
  expect_end(fd);
  service_close(&s);
}

static vow_future_t *close_itself(vow_stream_t *stream, void *arg) {
  return counted(arg, vow_stream_close(stream));
}

TEST(test_serve_handler_may_close_its_stream) {
  service_t s = {0};
  int fd;
  service_open(&s, close_itself);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  turns(s.loop, 2);
  expect_end(fd);
  ck_assert_int_eq(s.failures, 0);
  ck_assert_uint_eq(vow_server_connections(s.server), 0);
  service_close(&s);
}

static vow_future_t *keep_stream(vow_stream_t *stream, void *arg) {
  service_t *s = arg;
  s->calls++;
  s->options.on_error_arg = vow_stream_ref(stream); /* a place to keep it */
  return vow_ready(vow_stream_loop(stream), vow_nil());
}

TEST(test_serve_stream_that_is_kept_is_closed_all_the_same) {
  service_t s = {0};
  vow_stream_t *kept;
  vow_future_t *f;
  int fd;
  service_open(&s, keep_stream);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  turns(s.loop, 2);
  expect_end(fd);
  kept = s.options.on_error_arg;
  f = vow_stream_read(kept, 0);
  ck_assert_int_eq(settle_drop(s.loop, f), VOW_ESHUTDOWN);
  service_close(&s);
  vow_stream_unref(kept);
}

/* A future that others hold as well. */
static vow_future_t *shared;

static vow_future_t *give_shared(vow_stream_t *stream, void *arg) {
  (void)stream;
  ((service_t *)arg)->calls++;
  return vow_ref(shared);
}

TEST(test_serve_future_that_others_share_is_left_to_them) {
  service_t s = {0};
  int fd;
  service_open(&s, give_shared);
  shared = vow_never(s.loop);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  service_end(&s);
  expect_end(fd);
  ck_assert_int_eq(vow_state(shared), VOW_PENDING);
  vow_drop(shared);
  loop_done(s.loop);
}

/* ---- tokens -------------------------------------------------------------- */

static int told_reason;

static void note_reason(int reason, void *arg) {
  (void)arg;
  told_reason = reason;
}

static vow_future_t *with_token(vow_stream_t *stream, void *arg) {
  service_t *s = arg;
  vow_token_t *token = vow_server_token(s->server);
  ck_assert_ptr_nonnull(token);
  ck_assert_ptr_eq(token, vow_server_token(s->server));
  ck_assert_ptr_nonnull(vow_token_watch(token, note_reason, NULL));
  return counted(s, vow_never(vow_stream_loop(stream)));
}

TEST(test_serve_connections_token_is_cancelled_with_it) {
  service_t s = {0};
  int fd;
  service_open(&s, with_token);
  ck_assert_ptr_null(vow_server_token(s.server));
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  told_reason = 0;
  service_close(&s);
  ck_assert_int_eq(told_reason, UV_ECANCELED);
  expect_end(fd);
}

TEST(test_serve_token_cancelled_ends_connections_not_the_server) {
  service_t s = {.loop = loop_open()};
  int fd;
  s.options.token = vow_token_new(s.loop);
  service_start(&s, with_token);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  told_reason = 0;
  vow_token_cancel(s.options.token, UV_ECONNABORTED);
  turn_until(s.loop, &s.running, 0);
  ck_assert_int_eq(told_reason, UV_ECONNABORTED);
  turns(s.loop, 2);
  expect_end(fd);
  ck_assert_int_eq(s.failures, 0);
  fd = client_of(&s); /* served, and ended at once */
  turn_until(s.loop, &s.calls, 2);
  turns(s.loop, 2);
  expect_end(fd);
  service_end(&s);
  vow_token_free(s.options.token);
  loop_done(s.loop);
}

/* ---- limits -------------------------------------------------------------- */

TEST(test_serve_limit_leaves_connections_waiting) {
  enum { CLIENTS = 6 };
  service_t s = {.options = {.max_connections = 2}};
  int fds[CLIENTS], i;
  service_open(&s, echo);
  for (i = 0; i < CLIENTS; i++) fds[i] = client_of(&s);
  turn_until(s.loop, &s.running, 2);
  turns(s.loop, 10);
  ck_assert_int_eq(s.calls, 2);
  ck_assert_uint_eq(vow_server_connections(s.server), 2);
  for (i = 0; i < CLIENTS; i++) {
    close(fds[i]);
    turn_until(s.loop, &s.calls, i + 3 < CLIENTS ? i + 3 : CLIENTS);
  }
  turn_until(s.loop, &s.running, 0);
  ck_assert_int_eq(s.most, 2);
  ck_assert_int_eq(s.failures, 0);
  service_close(&s);
}

TEST(test_serve_limit_is_shared_by_all_listeners) {
  service_t s = {.loop = loop_open(), .options = {.max_connections = 1}};
  const vow_serve_on_t on[2] = {{.host = "127.0.0.1"}, {.host = "127.0.0.2"}};
  address_t a;
  int fds[4], i;
  ck_assert_int_eq(vow_serve(s.loop, 2, on, echo, &s, &s.options, &s.server),
                   0);
  for (i = 0; i < 4; i++) {
    a = address_of(i < 2 ? "127.0.0.1" : "127.0.0.2",
                   vow_server_port(s.server, i < 2 ? 0 : 1));
    fds[i] = connect_raw(&a);
  }
  turn_until(s.loop, &s.calls, 1);
  for (i = 0; i < 4; i++) close(fds[i]);
  turn_until(s.loop, &s.calls, 4);
  turn_until(s.loop, &s.running, 0);
  ck_assert_int_eq(s.most, 1);
  service_close(&s);
}

SUITE(net_serve) {
  ADD(test_serve_hands_a_connection_to_the_handler);
  ADD(test_serve_several_addresses_and_a_pipe);
  ADD(test_serve_every_address_takes_both_families);
  ADD(test_serve_taken_port_is_named_and_nothing_listens);
  ADD(test_serve_bad_arguments_give_einval);
  ADD(test_serve_options_are_set_on_each);
  ADD(test_serve_failing_handler_ends_its_connection_alone);
  ADD(test_serve_failure_without_a_hook_goes_to_the_loops);
  ADD(test_serve_handler_without_a_future_fails_its_connection);
  ADD(test_serve_handler_may_close_its_stream);
  ADD(test_serve_stream_that_is_kept_is_closed_all_the_same);
  ADD(test_serve_future_that_others_share_is_left_to_them);
  ADD(test_serve_connections_token_is_cancelled_with_it);
  ADD(test_serve_token_cancelled_ends_connections_not_the_server);
  ADD(test_serve_limit_leaves_connections_waiting);
  ADD(test_serve_limit_is_shared_by_all_listeners);
}

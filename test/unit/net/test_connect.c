/* SPDX-License-Identifier: MIT */
/* Connecting: by name, by addresses, one after the other and beside each
 * other. Cancelling, memory and pipes are in test_connect_end.c. */
#include "unit/net/connect_support.h"

#include "support/manual.h"

static vow_future_t *connect_two(vow_loop_t *loop, const address_t *a,
                                 const address_t *b, uint64_t delay_ms) {
  const struct sockaddr *addrs[2] = {&a->any, &b->any};
  vow_connect_options_t o = {0};
  o.attempt_delay_ms = delay_ms;
  return vow_connect_addresses(loop, 2, addrs, &o);
}

/* The address that f is connected to. */
static address_t peer_of(vow_future_t *f) {
  address_t a;
  int length = sizeof a;
  uv_tcp_t *tcp = (uv_tcp_t *)vow_stream_uv(vow_stream_get(f));
  ck_assert_ptr_nonnull(tcp);
  ck_assert_int_eq(uv_tcp_getpeername(tcp, &a.any, &length), 0);
  return a;
}

static void expect_peer(vow_future_t *f, const address_t *a) {
  address_t peer = peer_of(f);
  ck_assert_int_eq(peer.any.sa_family, a->any.sa_family);
  ck_assert_int_eq(peer.in.sin_port, a->in.sin_port);
}

/* ---- one address --------------------------------------------------------- */

TEST(test_connect_digits_give_a_stream) {
  vow_loop_t *loop = loop_open();
  address_t a;
  int fd = listen_raw("127.0.0.1", 8, &a), accepted;
  char port[16], text[8];
  vow_future_t *f;
  snprintf(port, sizeof port, "%d", ntohs(a.in.sin_port));
  f = vow_connect(loop, "127.0.0.1", port, NULL);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_peer(f, &a);
  ck_assert_int_eq(
      settle_drop(loop, vow_stream_write(vow_stream_get(f), "hi", 2)), 0);
  accepted = accept(fd, NULL, NULL);
  ck_assert_int_eq(read_raw(accepted, text, sizeof text), 2);
  vow_drop(f); /* nobody took it: closed */
  ck_assert_int_eq(read_raw(accepted, text, sizeof text), 0);
  close(accepted);
  close(fd);
  loop_done(loop);
}

TEST(test_connect_digits_do_without_the_resolver) {
  vow_loop_t *loop = loop_open();
  address_t a;
  int fd = listen_raw("127.0.0.1", 8, &a);
  char port[16];
  int before = sockets();
  vow_future_t *f;
  snprintf(port, sizeof port, "%d", ntohs(a.in.sin_port));
  f = vow_connect(loop, "127.0.0.1", port, NULL);
  ck_assert_int_eq(sockets(), before + 1); /* under way already */
  ck_assert_int_eq(settle_drop(loop, f), 0);
  close(fd);
  loop_done(loop);
}

TEST(test_connect_name_gives_a_stream) {
  vow_loop_t *loop = loop_open();
  address_t a;
  int fd = listen_raw("127.0.0.1", 8, &a);
  vow_connect_options_t o = {0};
  char port[16];
  vow_future_t *f;
  o.family = AF_INET;
  snprintf(port, sizeof port, "%d", ntohs(a.in.sin_port));
  f = vow_connect(loop, "localhost", port, &o);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_peer(f, &a);
  vow_drop(f);
  close(fd);
  loop_done(loop);
}

TEST(test_connect_unknown_service_fails_with_the_resolvers_code) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = vow_connect(loop, "127.0.0.1", "no-such-service", NULL);
  ck_assert_int_eq(settle(loop, f), UV_EAI_SERVICE);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), "127.0.0.1"));
  ck_assert_ptr_nonnull(strstr(vow_error_site(vow_error(f)), "test_connect"));
  vow_drop(f);
  loop_done(loop);
}

/* The resolver would take 65537 for 1. */
TEST(test_connect_port_that_is_none_fails) {
  vow_loop_t *loop = loop_open();
  const char *const ports[] = {"65536", "65537", "99999999999999999999"};
  size_t i;
  for (i = 0; i < 3; i++) {
    vow_future_t *f = vow_connect(loop, "localhost", ports[i], NULL);
    ck_assert_int_eq(settle(loop, f), UV_EAI_SERVICE);
    ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), ports[i]));
    vow_drop(f);
  }
  loop_done(loop);
}

TEST(test_connect_one_refusing_address_gives_its_failure) {
  vow_loop_t *loop = loop_open();
  address_t a = refusing("127.0.0.1");
  const struct sockaddr *addr = &a.any;
  vow_future_t *f = vow_connect_addresses(loop, 1, &addr, NULL);
  char text[64];
  ck_assert_int_eq(settle(loop, f), UV_ECONNREFUSED);
  ck_assert_uint_eq(vow_error_count(vow_error(f)), 0);
  snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(a.in.sin_port));
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), text));
  vow_drop(f);
  loop_done(loop);
}

TEST(test_connect_raw_gives_a_handle) {
  vow_loop_t *loop = loop_open();
  address_t a;
  int fd = listen_raw("127.0.0.1", 8, &a);
  const struct sockaddr *addr = &a.any;
  char port[16];
  vow_future_t *f = vow_tcp_connect_addresses(loop, 1, &addr, NULL);
  uv_tcp_t *tcp;
  ck_assert_int_eq(settle(loop, f), 0);
  tcp = vow_tcp_take(f);
  ck_assert_ptr_nonnull(tcp);
  vow_drop(f);
  vow_tcp_free(tcp);
  snprintf(port, sizeof port, "%d", ntohs(a.in.sin_port));
  f = vow_tcp_connect_name(loop, "127.0.0.1", port, NULL);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_ptr_nonnull(vow_tcp_get(f));
  vow_drop(f);
  close(fd);
  loop_done(loop);
}

TEST(test_connect_ipv6_gives_a_stream) {
  vow_loop_t *loop;
  address_t a;
  const struct sockaddr *addr = &a.any;
  vow_future_t *f;
  int fd;
  if (!has_ipv6()) return;
  loop = loop_open();
  fd = listen_raw("::1", 8, &a);
  f = vow_connect_addresses(loop, 1, &addr, NULL);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_peer(f, &a);
  vow_drop(f);
  close(fd);
  loop_done(loop);
}

TEST(test_connect_bad_arguments_give_einval) {
  vow_loop_t *loop = loop_open();
  address_t a = address_of("127.0.0.1", 1);
  struct sockaddr odd = {.sa_family = AF_UNIX};
  const struct sockaddr *addrs[2] = {&a.any, NULL};
  vow_connect_options_t bad_source = {.source = &odd};
  vow_connect_options_t bad_family = {.family = AF_UNIX};
  vow_future_t *f[] = {
      vow_connect(NULL, "127.0.0.1", "1", NULL),
      vow_connect(loop, NULL, "1", NULL),
      vow_connect(loop, "127.0.0.1", NULL, NULL),
      vow_connect(loop, "127.0.0.1", "1", &bad_source),
      vow_connect(loop, "127.0.0.1", "1", &bad_family),
      vow_connect_addresses(loop, 0, addrs, NULL),
      vow_connect_addresses(loop, 1, NULL, NULL),
      vow_connect_addresses(loop, 2, addrs, NULL),
      vow_tcp_connect_name(loop, NULL, "1", NULL),
      vow_connect_pipe(loop, NULL),
  };
  size_t i;
  for (i = 0; i < sizeof f / sizeof f[0]; i++) {
    ck_assert_int_eq(vow_status(f[i]), UV_EINVAL);
    vow_drop(f[i]);
  }
  loop_done(loop);
}

TEST(test_connect_loop_without_libuv_gives_enotsup) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_connect(loop, "127.0.0.1", "1", NULL);
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  vow_drop(f);
  f = vow_connect_pipe(loop, "/nowhere");
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  vow_drop(f);
  f = vow_connect(loop, "name", "1", NULL);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  vow_drop(f);
  manual_done(loop);
}

/* ---- several ------------------------------------------------------------- */

TEST(test_connect_refused_goes_to_the_next_at_once) {
  vow_loop_t *loop = loop_open();
  address_t no = refusing("127.0.0.1"), yes;
  int fd = listen_raw("127.0.0.2", 8, &yes);
  uint64_t begin_ms = vow_loop_now_ms(loop);
  vow_future_t *f = connect_two(loop, &no, &yes, 60000);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_uint_lt(vow_loop_now_ms(loop) - begin_ms, 5000);
  expect_peer(f, &yes);
  vow_drop(f);
  close(fd);
  loop_done(loop);
}

TEST(test_connect_hanging_gets_the_next_beside_it_after_the_delay) {
  int before = sockets();
  vow_loop_t *loop = loop_open();
  hanging_t h = hang_on("127.0.0.3");
  address_t yes;
  int fd = listen_raw("127.0.0.1", 8, &yes);
  uint64_t begin_ms = vow_loop_now_ms(loop);
  vow_future_t *f = connect_two(loop, &h.addr, &yes, 30);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_uint_ge(vow_loop_now_ms(loop) - begin_ms, 30);
  ck_assert_uint_lt(vow_loop_now_ms(loop) - begin_ms, 900);
  expect_peer(f, &yes);
  vow_drop(f);
  hang_end(&h);
  close(fd);
  loop_done(loop);
  ck_assert_int_eq(sockets(), before);
}

TEST(test_connect_delay_below_ten_is_ten) {
  vow_loop_t *loop = loop_open();
  hanging_t h = hang_on("127.0.0.3");
  address_t yes;
  int fd = listen_raw("127.0.0.1", 8, &yes);
  uint64_t begin_ms = vow_loop_now_ms(loop);
  vow_future_t *f = connect_two(loop, &h.addr, &yes, 1);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  ck_assert_uint_ge(vow_loop_now_ms(loop) - begin_ms, 10);
  hang_end(&h);
  close(fd);
  loop_done(loop);
}

TEST(test_connect_late_winner_is_closed) {
  vow_loop_t *loop = loop_open();
  address_t a, b;
  int fd_a = listen_raw("127.0.0.1", 8, &a);
  int fd_b = listen_raw("127.0.0.2", 8, &b);
  int before = sockets(), late;
  char text[1];
  vow_future_t *f = connect_two(loop, &a, &b, 10);
  pass_ms(15); /* the second starts before the first is looked at */
  ck_assert_int_eq(settle(loop, f), 0);
  expect_peer(f, &a);
  ck_assert_int_eq(sockets(), before + 1);
  late = accept(fd_b, NULL, NULL);
  ck_assert_int_eq(read_raw(late, text, 1), 0);
  close(late);
  vow_drop(f);
  close(fd_a);
  close(fd_b);
  loop_done(loop);
}

static void expect_cause(const vow_error_t *e, size_t i, const address_t *a,
                         int code) {
  vow_value_t v = vow_error_nth(e, i);
  char text[32];
  snprintf(text, sizeof text, ":%d", ntohs(a->in.sin_port));
  ck_assert_int_eq(vow_value_code(v), code);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_value_error(v)), text));
}

TEST(test_connect_all_refused_gives_all_in_order_of_trying) {
  vow_loop_t *loop = loop_open();
  address_t a = refusing("127.0.0.1"), b = refusing("127.0.0.2"), c;
  const struct sockaddr *addrs[3] = {&a.any, &b.any, &c.any};
  const vow_error_t *e;
  vow_future_t *f;
  c = has_ipv6() ? refusing("::1") : refusing("127.0.0.3");
  f = vow_connect_addresses(loop, 3, addrs, NULL);
  ck_assert_int_eq(settle(loop, f), UV_ECONNREFUSED);
  e = vow_error(f);
  ck_assert_uint_eq(vow_error_count(e), 3);
  expect_cause(e, 0, &a, UV_ECONNREFUSED);
  /* Families by turns: the IPv6 address comes second. */
  expect_cause(e, has_ipv6() ? 1 : 2, &c, UV_ECONNREFUSED);
  expect_cause(e, has_ipv6() ? 2 : 1, &b, UV_ECONNREFUSED);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_connect_source_of_another_family_fails_that_address) {
  vow_loop_t *loop = loop_open();
  address_t six = address_of("::1", 9), no = refusing("127.0.0.1");
  address_t source = address_of("127.0.0.1", 0);
  const struct sockaddr *addrs[2] = {&six.any, &no.any};
  vow_connect_options_t o = {.source = &source.any};
  vow_future_t *f = vow_connect_addresses(loop, 2, addrs, &o);
  ck_assert_int_eq(settle(loop, f), UV_EAFNOSUPPORT);
  expect_cause(vow_error(f), 0, &six, UV_EAFNOSUPPORT);
  expect_cause(vow_error(f), 1, &no, UV_ECONNREFUSED);
  vow_drop(f);
  f = vow_connect_addresses(loop, 1, addrs, &o);
  ck_assert_int_eq(settle_drop(loop, f), UV_EAFNOSUPPORT);
  loop_done(loop);
}

TEST(test_connect_out_of_descriptors_gives_emfile) {
  vow_loop_t *loop = loop_open();
  address_t a = address_of("127.0.0.1", 9);
  const struct sockaddr *addrs[2] = {&a.any, &a.any};
  struct rlimit limit, low;
  vow_future_t *f;
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
  low = limit;
  low.rlim_cur = 0;
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
  f = vow_connect_addresses(loop, 2, addrs, NULL);
  ck_assert_int_eq(settle(loop, f), UV_EMFILE);
  ck_assert_uint_eq(vow_error_count(vow_error(f)), 2);
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  vow_drop(f);
  loop_done(loop);
}

/* ---- options ------------------------------------------------------------- */

TEST(test_connect_source_address_is_used) {
  vow_loop_t *loop = loop_open();
  address_t a, source = address_of("127.0.0.9", 0), seen;
  int fd = listen_raw("127.0.0.1", 8, &a), accepted;
  socklen_t length = sizeof seen;
  const struct sockaddr *addr = &a.any;
  vow_connect_options_t o = {.source = &source.any};
  vow_future_t *f = vow_connect_addresses(loop, 1, &addr, &o);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  accepted = accept(fd, &seen.any, &length);
  ck_assert_int_eq((int)seen.in.sin_addr.s_addr,
                   (int)source.in.sin_addr.s_addr);
  close(accepted);
  close(fd);
  loop_done(loop);
}

TEST(test_connect_source_address_of_nobody_fails) {
  vow_loop_t *loop = loop_open();
  address_t a, source = address_of("192.0.2.1", 0);
  int fd = listen_raw("127.0.0.1", 8, &a);
  const struct sockaddr *addr = &a.any;
  vow_connect_options_t o = {.source = &source.any};
  vow_future_t *f = vow_connect_addresses(loop, 1, &addr, &o);
  ck_assert_int_eq(settle(loop, f), UV_EADDRNOTAVAIL);
  vow_drop(f);
  close(fd);
  loop_done(loop);
}

static int socket_option(vow_future_t *f, int level, int name) {
  uv_os_fd_t fd;
  int value = -1;
  socklen_t length = sizeof value;
  uv_stream_t *handle = vow_stream_uv(vow_stream_get(f));
  ck_assert_int_eq(uv_fileno((const uv_handle_t *)handle, &fd), 0);
  ck_assert_int_eq(getsockopt(fd, level, name, &value, &length), 0);
  return value;
}

TEST(test_connect_options_are_set) {
  vow_loop_t *loop = loop_open();
  address_t a;
  int fd = listen_raw("127.0.0.1", 8, &a);
  const struct sockaddr *addr = &a.any;
  vow_connect_options_t o = {.nodelay = true, .keepalive_s = 77};
  vow_future_t *f = vow_connect_addresses(loop, 1, &addr, &o);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_ne(socket_option(f, IPPROTO_TCP, TCP_NODELAY), 0);
  ck_assert_int_ne(socket_option(f, SOL_SOCKET, SO_KEEPALIVE), 0);
  ck_assert_int_eq(socket_option(f, IPPROTO_TCP, TCP_KEEPIDLE), 77);
  vow_drop(f);
  o.keepalive_s = 1000000; /* the system takes no such time */
  f = vow_connect_addresses(loop, 1, &addr, &o);
  ck_assert_int_eq(settle(loop, f), UV_EINVAL);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), "keepalive"));
  vow_drop(f);
  close(fd);
  loop_done(loop);
}

SUITE(net_connect) {
  ADD(test_connect_digits_give_a_stream);
  ADD(test_connect_digits_do_without_the_resolver);
  ADD(test_connect_name_gives_a_stream);
  ADD(test_connect_unknown_service_fails_with_the_resolvers_code);
  ADD(test_connect_port_that_is_none_fails);
  ADD(test_connect_one_refusing_address_gives_its_failure);
  ADD(test_connect_raw_gives_a_handle);
  ADD(test_connect_ipv6_gives_a_stream);
  ADD(test_connect_bad_arguments_give_einval);
  ADD(test_connect_loop_without_libuv_gives_enotsup);
  ADD(test_connect_refused_goes_to_the_next_at_once);
  ADD(test_connect_hanging_gets_the_next_beside_it_after_the_delay);
  ADD(test_connect_delay_below_ten_is_ten);
  ADD(test_connect_late_winner_is_closed);
  ADD(test_connect_all_refused_gives_all_in_order_of_trying);
  ADD(test_connect_source_of_another_family_fails_that_address);
  ADD(test_connect_out_of_descriptors_gives_emfile);
  ADD(test_connect_source_address_is_used);
  ADD(test_connect_source_address_of_nobody_fails);
  ADD(test_connect_options_are_set);
}

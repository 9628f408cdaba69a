/* SPDX-License-Identifier: MIT */
/* A server when libuv refuses any of the calls it takes: it does not begin, or
 * it loses one connection at most and serves the next. */
#include "check/shim/shim.h"
#include "unit/net/serve_support.h"

#include <errno.h>

typedef void (*arm_fn)(const char *name, size_t nth, int code);

static int before; /* sockets */

static service_t service_new(void) {
  service_t s = {0};
  before = sockets();
  fault_install();
  s.loop = loop_open_probe();
  s.options.nodelay = true;
  s.options.keepalive_s = 60;
  vow__shim_on();
  return s;
}

static void service_done(service_t *s) {
  vow__shim_off();
  if (s->server != NULL) service_end(s);
  loop_done(s->loop);
  ck_assert_int_eq(unseen, 0);
  ck_assert_int_eq(sockets(), before);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- it does not begin --------------------------------------------------- */

static bool begins(size_t n, int code) {
  const vow_serve_on_t on[3] = {
      {.host = "127.0.0.1"}, {.host = NULL}, {.pipe = "/tmp/vow-test-serve"}};
  service_t s = service_new();
  bool hit;
  int err;
  unlink(on[2].pipe);
  vow__shim_fail(NULL, n, code);
  err = vow_serve(s.loop, 3, on, echo, &s, NULL, &s.server);
  hit = vow__shim_hits() > 0;
  ck_assert_msg(err == (hit ? code : 0), "call %zu gave %d", n, err);
  if (err != 0) ck_assert_ptr_null(s.server);
  service_done(&s);
  ck_assert_int_ne(access(on[2].pipe, F_OK), 0);
  return hit;
}

TEST(test_serve_refused_at_any_call_says_so_and_nothing_listens) {
  static const int codes[] = {UV_EMFILE, UV_EACCES, UV_EADDRINUSE, 0};
  const int *code;
  size_t n;
  for (code = codes; *code != 0; code++) {
    for (n = 1; begins(n, *code); n++) ck_assert_uint_lt(n, 30);
    ck_assert_uint_gt(n, 6);
  }
}

TEST(test_serve_every_address_without_ipv6_listens_on_ipv4) {
  static const int codes[] = {UV_EAFNOSUPPORT, UV_EADDRNOTAVAIL, 0};
  const vow_serve_on_t on = {.host = NULL};
  const int *code;
  for (code = codes; *code != 0; code++) {
    service_t s = service_new();
    struct sockaddr_storage addr;
    vow__shim_fail("uv_tcp_bind", 1, *code);
    ck_assert_int_eq(vow_serve(s.loop, 1, &on, echo, &s, NULL, &s.server), 0);
    ck_assert_int_eq(vow_server_address(s.server, 0, &addr), 0);
    ck_assert_int_eq(addr.ss_family, AF_INET);
    service_done(&s);
  }
}

/* ---- it serves ----------------------------------------------------------- */

/* One client, that is served or, when may_lose, not. */
static bool visit(service_t *s, const address_t *a, bool may_lose) {
  int fd = connect_raw(a), i;
  char byte = 'x';
  ssize_t n = -1;
  ck_assert_int_eq(write(fd, &byte, 1), 1);
  shutdown(fd, SHUT_WR);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  for (i = 0; i < 3000 && n < 0; i++) {
    turns(s->loop, 1);
    n = read(fd, &byte, 1);
    if (n < 0 && errno != EAGAIN) n = 0; /* reset */
    if (n < 0) pass_ms(1);
  }
  if (!may_lose) ck_assert_int_eq(n, 1);
  ck_assert_int_ge(n, 0);
  close(fd);
  return n == 1;
}

static bool serves(arm_fn arm, size_t n, int code, int *ret_lost) {
  service_t s = service_new();
  address_t a;
  bool hit;
  service_start(&s, echo);
  a = service_address(&s);
  arm(NULL, n, code);
  if (!visit(&s, &a, true)) ++*ret_lost;
  hit = vow__shim_hits() > 0;
  vow__shim_fail(NULL, 0, 0);
  vow__shim_report(NULL, 0, 0);
  visit(&s, &a, false);
  turn_until(s.loop, &s.running, 0);
  if (s.failures > 0) ck_assert_int_eq(s.last_error, code);
  service_done(&s);
  return hit;
}

static void serves_on(arm_fn arm, int code) {
  int lost = 0;
  size_t n;
  for (n = 1; serves(arm, n, code, &lost); n++) ck_assert_uint_lt(n, 40);
  ck_assert_uint_ge(n, 2);
  ck_assert_int_lt(lost, (int)n);
}

TEST(test_serve_refused_at_any_call_serves_the_next) {
  serves_on(vow__shim_fail, UV_ENOMEM);
  serves_on(vow__shim_fail, UV_ECONNRESET);
}

TEST(test_serve_told_a_code_at_any_callback_serves_the_next) {
  serves_on(vow__shim_report, UV_ECONNRESET);
  serves_on(vow__shim_report, UV_ECONNABORTED);
}

/* Accepting fails for a while; who waited meanwhile is served. */
TEST(test_serve_told_of_want_pauses_and_serves_who_waited) {
  static const int codes[] = {UV_EMFILE, UV_ENFILE, UV_ENOBUFS, UV_ENOMEM, 0};
  const int *code;
  for (code = codes; *code != 0; code++) {
    service_t s = service_new();
    address_t a;
    service_start(&s, echo);
    a = service_address(&s);
    vow__shim_report("uv_listen", 1, *code);
    visit(&s, &a, false);
    ck_assert_int_eq(s.failures, 1);
    ck_assert_int_eq(s.last_error, *code);
    turn_until(s.loop, &s.running, 0);
    service_done(&s);
  }
}

TEST(test_serve_shutdown_refused_at_any_call_ends) {
  size_t n;
  for (n = 1; n <= 4; n++) {
    service_t s = service_new();
    int fd;
    service_start(&s, wait_for_ever);
    fd = client_of(&s);
    turn_until(s.loop, &s.calls, 1);
    vow__shim_fail(NULL, n, UV_EIO);
    vow__shim_report(NULL, n, UV_EIO);
    service_end(&s);
    expect_end(fd);
    service_done(&s);
  }
}

SUITE(net_serve_faults) {
  ADD(test_serve_refused_at_any_call_says_so_and_nothing_listens);
  ADD(test_serve_every_address_without_ipv6_listens_on_ipv4);
  ADD(test_serve_refused_at_any_call_serves_the_next);
  ADD(test_serve_told_a_code_at_any_callback_serves_the_next);
  ADD(test_serve_told_of_want_pauses_and_serves_who_waited);
  ADD(test_serve_shutdown_refused_at_any_call_ends);
}

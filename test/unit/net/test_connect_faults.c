/* SPDX-License-Identifier: MIT */
/* Connecting when libuv refuses any of the calls it takes, and by names that
 * have several addresses, of which some refuse or hang. The names are answered
 * by the tests themselves. */
#include "check/shim/shim.h"
#include "unit/net/connect_support.h"

#include <sys/un.h>

/* ---- a code at every step ------------------------------------------------ */

typedef struct target {
  vow_loop_t *loop;
  address_t yes, no;
  int fd; /* listens on yes */
  char pipe[40];
  int pipe_fd;
} target_t;

typedef struct row {
  const char *name;
  vow_future_t *(*start)(target_t *t);
  bool several; /* attempts: the failure may be another one's */
} row_t;

static const char *port_text(const address_t *a) {
  static char text[8];
  snprintf(text, sizeof text, "%d", ntohs(a->in.sin_port));
  return text;
}

static vow_future_t *start_digits(target_t *t) {
  address_t source = address_of("127.0.0.9", 0);
  vow_connect_options_t o = {
      .nodelay = true, .keepalive_s = 60, .source = &source.any};
  return vow_connect(t->loop, "127.0.0.1", port_text(&t->yes), &o);
}
static vow_future_t *start_name(target_t *t) {
  const struct sockaddr *addr = &t->yes.any;
  vow__shim_resolve(1, &addr);
  return vow_connect(t->loop, "name.test", "80", NULL);
}
static vow_future_t *start_raw_name(target_t *t) {
  const struct sockaddr *addr = &t->yes.any;
  vow__shim_resolve(1, &addr);
  return vow_tcp_connect_name(t->loop, "name.test", "80", NULL);
}
static vow_future_t *start_addresses(target_t *t) {
  const struct sockaddr *addrs[3] = {&t->no.any, &t->yes.any, &t->yes.any};
  return vow_connect_addresses(t->loop, 3, addrs, NULL);
}
static vow_future_t *start_raw_addresses(target_t *t) {
  const struct sockaddr *addr = &t->yes.any;
  return vow_tcp_connect_addresses(t->loop, 1, &addr, NULL);
}
static vow_future_t *start_pipe(target_t *t) {
  return vow_connect_pipe(t->loop, t->pipe);
}

static const row_t rows[] = {
    {"connect", start_digits, false},
    {"connect", start_name, false},
    {"tcp_connect_name", start_raw_name, false},
    {"connect_addresses", start_addresses, true},
    {"tcp_connect_addresses", start_raw_addresses, false},
    {"connect_pipe", start_pipe, false},
};

#define ROWS ((int)(sizeof rows / sizeof rows[0]))

static int before; /* sockets */

static void listen_pipe(target_t *t) {
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  strcpy(t->pipe, "/tmp/vow-test-XXXXXX");
  close(mkstemp(t->pipe));
  unlink(t->pipe);
  strcpy(addr.sun_path, t->pipe);
  t->pipe_fd = socket(AF_UNIX, SOCK_STREAM, 0);
  ck_assert_int_eq(
      bind(t->pipe_fd, (const struct sockaddr *)&addr, sizeof addr), 0);
  ck_assert_int_eq(listen(t->pipe_fd, 8), 0);
}

static target_t target_open(void) {
  target_t t = {0};
  before = sockets();
  fault_install();
  t.loop = loop_open_probe();
  t.no = refusing("127.0.0.2");
  t.fd = listen_raw("127.0.0.1", 8, &t.yes);
  listen_pipe(&t);
  vow__shim_on();
  return t;
}

static void target_close(target_t *t) {
  vow__shim_off();
  close(t->fd);
  close(t->pipe_fd);
  unlink(t->pipe);
  loop_done(t->loop);
  ck_assert_int_eq(sockets(), before);
  ck_assert_int_eq(unseen, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

typedef void (*arm_fn)(const char *name, size_t nth, int code);

static bool disturb(const row_t *r, arm_fn arm, size_t n, int code) {
  target_t t = target_open();
  vow_future_t *f;
  bool hit;
  int status;
  arm(NULL, n, code);
  f = r->start(&t);
  status = settle(t.loop, f);
  hit = vow__shim_hits() > 0;
  ck_assert_msg(status == (hit ? code : 0) || (hit && r->several),
                "%s: step %zu gave %d", r->name, n, status);
  vow_drop(f);
  target_close(&t);
  return hit;
}

static void disturb_each(const row_t *r, arm_fn arm, int code) {
  size_t n;
  for (n = 1; disturb(r, arm, n, code); n++) ck_assert_uint_lt(n, 50);
  ck_assert_uint_ge(n, 2);
}

TEST(test_connect_refused_at_any_step_fails_and_leaves_nothing) {
  disturb_each(&rows[_i], vow__shim_fail, UV_EMFILE);
  disturb_each(&rows[_i], vow__shim_fail, UV_EADDRNOTAVAIL);
}

TEST(test_connect_told_a_code_at_any_step_fails_and_leaves_nothing) {
  disturb_each(&rows[_i], vow__shim_report, UV_ECONNREFUSED);
  disturb_each(&rows[_i], vow__shim_report, UV_ETIMEDOUT);
}

TEST(test_connect_cancelled_and_told_a_code_leaves_nothing) {
  const row_t *r = &rows[_i];
  size_t n;
  for (n = 1; n <= 3; n++) {
    target_t t = target_open();
    vow_future_t *f;
    vow__shim_report(NULL, n, UV_ECONNREFUSED);
    f = r->start(&t);
    ck_assert_int_eq(vow_cancel(f), 0);
    settle(t.loop, f);
    ck_assert(vow_is_cancelled(f));
    vow_drop(f);
    target_close(&t);
  }
}

TEST(test_connect_without_any_descriptor_says_so) {
  const row_t *r = &rows[_i];
  target_t t = target_open();
  vow__shim_fail_from("uv_tcp_connect", 1, UV_EMFILE);
  vow__shim_fail_from("uv_pipe_connect", 1, UV_EMFILE);
  ck_assert_int_eq(settle_drop(t.loop, r->start(&t)), UV_EMFILE);
  target_close(&t);
}

/* ---- names with several addresses ---------------------------------------- */

/* Connects to a name that has these addresses. */
static vow_future_t *connect_name(vow_loop_t *loop, size_t n,
                                  const address_t *const list[],
                                  uint64_t delay_ms, int family) {
  const struct sockaddr *addrs[8];
  vow_connect_options_t o = {.attempt_delay_ms = delay_ms, .family = family};
  size_t i;
  for (i = 0; i < n; i++) addrs[i] = &list[i]->any;
  vow__shim_on();
  vow__shim_resolve(n, addrs);
  return vow_connect(loop, "several.test", "80", &o);
}

static void expect_peer(vow_future_t *f, const address_t *a) {
  address_t peer;
  int length = sizeof peer;
  uv_tcp_t *tcp = (uv_tcp_t *)vow_stream_uv(vow_stream_get(f));
  ck_assert_ptr_nonnull(tcp);
  ck_assert_int_eq(uv_tcp_getpeername(tcp, &peer.any, &length), 0);
  ck_assert_int_eq(peer.any.sa_family, a->any.sa_family);
  ck_assert_int_eq(peer.in.sin_port, a->in.sin_port);
}

static void name_done(vow_loop_t *loop) {
  vow__shim_off();
  loop_done(loop);
}

TEST(test_name_with_refusing_addresses_gives_the_one_that_answers) {
  vow_loop_t *loop = loop_open();
  address_t a = refusing("127.0.0.1"), b = refusing("127.0.0.2"), yes;
  const address_t *list[3] = {&a, &b, &yes};
  int fd = listen_raw("127.0.0.3", 8, &yes);
  vow_future_t *f = connect_name(loop, 3, list, 60000, 0);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_peer(f, &yes);
  vow_drop(f);
  close(fd);
  name_done(loop);
}

TEST(test_name_with_a_hanging_address_gives_the_next) {
  int fds = sockets(), fd;
  vow_loop_t *loop = loop_open();
  hanging_t h = hang_on("127.0.0.3");
  address_t no = refusing("127.0.0.2"), yes;
  const address_t *list[3] = {&h.addr, &no, &yes};
  vow_future_t *f;
  fd = listen_raw("127.0.0.1", 8, &yes);
  f = connect_name(loop, 3, list, 20, 0);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_peer(f, &yes);
  vow_drop(f);
  hang_end(&h);
  close(fd);
  name_done(loop);
  ck_assert_int_eq(sockets(), fds);
}

TEST(test_name_whose_addresses_all_hang_times_out_and_closes_all) {
  int fds = sockets();
  vow_loop_t *loop = loop_open();
  hanging_t a = hang_on("127.0.0.3"), b = hang_on("127.0.0.4");
  const address_t *list[2] = {&a.addr, &b.addr};
  vow_future_t *f = connect_name(loop, 2, list, 10, 0);
  ck_assert_int_eq(settle_drop(loop, vow_timeout(f, 60)), UV_ETIMEDOUT);
  hang_end(&a);
  hang_end(&b);
  name_done(loop);
  ck_assert_int_eq(sockets(), fds);
}

TEST(test_name_whose_addresses_all_refuse_tells_of_each) {
  vow_loop_t *loop = loop_open();
  address_t a = refusing("127.0.0.1"), b = refusing("127.0.0.2");
  const address_t *list[2] = {&a, &b};
  vow_future_t *f = connect_name(loop, 2, list, 0, 0);
  size_t i;
  ck_assert_int_eq(settle(loop, f), UV_ECONNREFUSED);
  ck_assert_uint_eq(vow_error_count(vow_error(f)), 2);
  for (i = 0; i < 2; i++) {
    vow_value_t v = vow_error_nth(vow_error(f), i);
    ck_assert_ptr_nonnull(
        strstr(vow_error_message(vow_value_error(v)), port_text(list[i])));
  }
  vow_drop(f);
  name_done(loop);
}

TEST(test_name_of_both_families_falls_back_to_the_other) {
  vow_loop_t *loop;
  address_t six, four;
  const address_t *list[2] = {&six, &four};
  vow_future_t *f;
  int fd;
  if (!has_ipv6()) return;
  loop = loop_open();
  six = refusing("::1");
  fd = listen_raw("127.0.0.1", 8, &four);
  f = connect_name(loop, 2, list, 60000, 0);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_peer(f, &four);
  vow_drop(f);
  close(fd);
  fd = listen_raw("::1", 8, &six);
  four = refusing("127.0.0.1");
  f = connect_name(loop, 2, list, 60000, 0);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_peer(f, &six);
  vow_drop(f);
  close(fd);
  name_done(loop);
}

/* RFC 8305: with the families by turns, whatever the resolver's order. */
TEST(test_name_with_a_hanging_family_tries_the_other_second) {
  vow_loop_t *loop;
  hanging_t a, b;
  address_t six;
  const address_t *list[3] = {&a.addr, &b.addr, &six};
  uint64_t begin_ms;
  vow_future_t *f;
  int fd;
  if (!has_ipv6()) return;
  loop = loop_open();
  a = hang_on("127.0.0.3");
  b = hang_on("127.0.0.4");
  fd = listen_raw("::1", 8, &six);
  begin_ms = vow_loop_now_ms(loop);
  f = connect_name(loop, 3, list, 100, 0);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_peer(f, &six);
  ck_assert_uint_ge(vow_loop_now_ms(loop) - begin_ms, 100);
  /* The second hanging one was never begun. */
  ck_assert_uint_eq(vow__shim_count("uv_tcp_connect"), 2);
  vow_drop(f);
  hang_end(&a);
  hang_end(&b);
  close(fd);
  name_done(loop);
}

TEST(test_name_asked_for_one_family_gets_no_other) {
  vow_loop_t *loop;
  address_t six, four;
  const address_t *list[2] = {&six, &four};
  vow_future_t *f;
  int fd;
  if (!has_ipv6()) return;
  loop = loop_open();
  six = refusing("::1");
  fd = listen_raw("127.0.0.1", 8, &four);
  f = connect_name(loop, 2, list, 0, AF_INET);
  ck_assert_int_eq(settle(loop, f), 0);
  expect_peer(f, &four);
  ck_assert_uint_eq(vow__shim_count("uv_tcp_connect"), 1);
  vow_drop(f);
  close(fd);
  name_done(loop);
}

TEST(test_name_that_the_resolver_refuses_gives_its_code) {
  static const int codes[] = {UV_EAI_NONAME, UV_EAI_AGAIN, UV_EAI_FAIL, 0};
  vow_loop_t *loop = loop_open();
  const int *code;
  for (code = codes; *code != 0; code++) {
    vow_future_t *f;
    vow__shim_on();
    vow__shim_report("uv_getaddrinfo", 1, *code);
    f = vow_connect(loop, "localhost", "80", NULL);
    ck_assert_int_eq(settle(loop, f), *code);
    ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), "localhost"));
    vow_drop(f);
  }
  name_done(loop);
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, ROWS)

TEST(test_name_without_an_address_for_the_internet_gives_nodata) {
  vow_loop_t *loop = loop_open();
  const address_t odd = {.any = {.sa_family = AF_UNIX}};
  const address_t *list[] = {&odd};
  vow_future_t *f = connect_name(loop, 1, list, 0, 0);
  ck_assert_int_eq(settle(loop, f), UV_EAI_NODATA);
  vow_drop(f);
  name_done(loop);
}

SUITE(net_connect_faults) {
  EACH(test_connect_refused_at_any_step_fails_and_leaves_nothing);
  EACH(test_connect_told_a_code_at_any_step_fails_and_leaves_nothing);
  EACH(test_connect_cancelled_and_told_a_code_leaves_nothing);
  EACH(test_connect_without_any_descriptor_says_so);
  ADD(test_name_with_refusing_addresses_gives_the_one_that_answers);
  ADD(test_name_with_a_hanging_address_gives_the_next);
  ADD(test_name_whose_addresses_all_hang_times_out_and_closes_all);
  ADD(test_name_whose_addresses_all_refuse_tells_of_each);
  ADD(test_name_of_both_families_falls_back_to_the_other);
  ADD(test_name_with_a_hanging_family_tries_the_other_second);
  ADD(test_name_asked_for_one_family_gets_no_other);
  ADD(test_name_that_the_resolver_refuses_gives_its_code);
  ADD(test_name_without_an_address_for_the_internet_gives_nodata);
}

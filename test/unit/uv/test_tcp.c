/* SPDX-License-Identifier: MIT */
/* TCP handles, connecting, listening and accepting. */
#include "unit/uv/uv_support.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- handles ------------------------------------------------------------- */

TEST(test_tcp_new_bad_arguments_give_einval) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t *tcp = NULL;
  ck_assert_int_eq(vow_tcp_new(NULL, &tcp), UV_EINVAL);
  ck_assert_int_eq(vow_tcp_new(loop, NULL), UV_EINVAL);
  ck_assert_ptr_null(tcp);
  vow_tcp_free(NULL);
  loop_done(loop);
}

TEST(test_tcp_value_nobody_takes_is_closed) {
  vow_loop_t *loop;
  uv_tcp_t *tcp = NULL;
  fault_install();
  loop = loop_open();
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  vow_drop(vow_ready(loop, vow_ptr(tcp, &vow_type_tcp)));
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- connecting ---------------------------------------------------------- */

TEST(test_tcp_connect_refused_names_the_address) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t *gone = bound_tcp(loop), *tcp = NULL;
  int port = port_of(gone);
  char text[64];
  vow_future_t *f;
  vow_tcp_free(gone);
  turns(loop, 1);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  f = connect_to(tcp, port);
  ck_assert_int_eq(settle(loop, f), UV_ECONNREFUSED);
  snprintf(text, sizeof text, "tcp_connect 127.0.0.1:%d: connection refused",
           port);
  ck_assert_str_eq(vow_error_message(vow_error(f)), text);
  ck_assert_ptr_nonnull(strstr(vow_error_site(vow_error(f)), "unit/uv/"));
  vow_drop(f);
  vow_tcp_free(tcp);
  loop_done(loop);
}

TEST(test_tcp_connect_to_ipv6_refused_names_the_address) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t *tcp = NULL;
  struct sockaddr_in6 addr;
  vow_future_t *f;
  uv_ip6_addr("::1", 1, &addr);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  f = vow_tcp_connect(tcp, (const struct sockaddr *)&addr);
  ck_assert_int_lt(settle(loop, f), 0); /* refused, or no IPv6 here */
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "tcp_connect [::1]:1: "));
  vow_drop(f);
  vow_tcp_free(tcp);
  loop_done(loop);
}

TEST(test_tcp_connect_bad_arguments_give_clear_failures) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t *tcp = NULL;
  struct sockaddr other;
  vow_future_t *f;
  memset(&other, 0, sizeof other);
  other.sa_family = AF_UNIX;
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  f = vow_tcp_connect(NULL, &other);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = vow_tcp_connect(tcp, NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "tcp_connect: the address is NULL");
  vow_drop(f);
  f = vow_tcp_connect(tcp, &other);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  vow_tcp_free(tcp);
  f = connect_to(tcp, 1);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_tcp_connect_twice_gives_ealready) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t *listening = bound_tcp(loop), *tcp = NULL;
  vow_listener_t *l = NULL;
  vow_future_t *first, *second;
  ck_assert_int_eq(vow_listen(listening, 8, &l), 0);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  first = connect_to(tcp, port_of(listening));
  second = connect_to(tcp, port_of(listening));
  ck_assert_int_eq(vow_status(second), UV_EALREADY);
  vow_drop(second);
  ck_assert_int_eq(settle_drop(loop, first), 0);
  vow_tcp_free(tcp);
  vow_tcp_free(listening);
  vow_listener_free(l);
  loop_done(loop);
}

TEST(test_tcp_connect_pending_when_closed_fails_with_eshutdown) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t *listening = bound_tcp(loop), *tcp = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  f = connect_to(tcp, port_of(listening));
  vow_tcp_free(tcp);
  ck_assert_int_eq(settle_drop(loop, f), VOW_ESHUTDOWN);
  vow_tcp_free(listening);
  loop_done(loop);
}

/* ---- listening ----------------------------------------------------------- */

TEST(test_listen_on_a_taken_port_gives_eaddrinuse) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t *a = bound_tcp(loop), *b = NULL;
  vow_listener_t *la = NULL, *lb = NULL;
  struct sockaddr_in addr;
  ck_assert_int_eq(vow_listen(a, 8, &la), 0);
  addr = local_addr(port_of(a));
  ck_assert_int_eq(vow_tcp_new(loop, &b), 0);
  uv_tcp_bind(b, (const struct sockaddr *)&addr, 0);
  ck_assert_int_eq(vow_listen(b, 8, &lb), UV_EADDRINUSE);
  ck_assert_ptr_null(lb);
  vow_tcp_free(a);
  vow_tcp_free(b);
  vow_listener_free(la);
  loop_done(loop);
}

TEST(test_listen_bad_arguments_give_codes) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t *tcp = bound_tcp(loop);
  vow_listener_t *l = NULL, *other = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_listen(NULL, 8, &l), UV_EINVAL);
  ck_assert_int_eq(vow_listen(tcp, -1, &l), UV_EINVAL);
  ck_assert_int_eq(vow_listen(tcp, 8, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_listen(tcp, 8, &l), 0);
  ck_assert_int_eq(vow_listen(tcp, 8, &other), UV_EEXIST);
  ck_assert_ptr_null(other);
  f = vow_accept(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  vow_tcp_free(tcp);
  ck_assert_int_eq(vow_listen(tcp, 8, &other), UV_EINVAL);
  vow_listener_free(l);
  vow_listener_free(NULL);
  loop_done(loop);
}

/* ---- accepting ----------------------------------------------------------- */

typedef struct serving {
  vow_loop_t *loop;
  uv_tcp_t *listening;
  vow_listener_t *listener;
} serving_t;

static serving_t serve(vow_loop_t *loop) {
  serving_t s = {loop, bound_tcp(loop), NULL};
  ck_assert_int_eq(vow_listen(s.listening, 256, &s.listener), 0);
  return s;
}

static void serve_end(serving_t *s) {
  vow_listener_free(s->listener);
  vow_tcp_free(s->listening);
}

static uv_tcp_t *client_of(serving_t *s) {
  uv_tcp_t *tcp = NULL;
  ck_assert_int_eq(vow_tcp_new(s->loop, &tcp), 0);
  ck_assert_int_eq(settle_drop(s->loop, connect_to(tcp, port_of(s->listening))),
                   0);
  return tcp;
}

TEST(test_accept_waiting_connection_has_settled_on_return) {
  vow_loop_t *loop = loop_open();
  serving_t s = serve(loop);
  uv_tcp_t *client = client_of(&s);
  vow_future_t *f;
  turns(loop, 2);
  f = vow_accept(s.listener);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_ptr_nonnull(vow_tcp_get(f));
  vow_drop(f); /* not taken: closed */
  turns(loop, 2);
  vow_tcp_free(client);
  serve_end(&s);
  loop_done(loop);
}

TEST(test_accept_cancelled_loses_no_connection) {
  vow_loop_t *loop = loop_open();
  serving_t s = serve(loop);
  vow_future_t *f = vow_accept(s.listener);
  uv_tcp_t *client, *server;
  vow_drop(f);
  client = client_of(&s);
  turns(loop, 2);
  f = vow_accept(s.listener);
  ck_assert_int_eq(settle(loop, f), 0);
  server = vow_tcp_take(f);
  vow_drop(f);
  ck_assert_int_eq(settle_drop(loop, write_text(server, "hi")), 0);
  vow_tcp_free(server);
  vow_tcp_free(client);
  serve_end(&s);
  loop_done(loop);
}

TEST(test_accept_hundred_waiting_connections_all_arrive) {
  enum { MANY = 100 }; /* more than are accepted ahead */
  vow_loop_t *loop;
  serving_t s;
  uv_tcp_t *clients[MANY];
  int i;
  fault_install();
  loop = loop_open();
  s = serve(loop);
  for (i = 0; i < MANY; i++) clients[i] = client_of(&s);
  turns(loop, 5);
  for (i = 0; i < MANY; i++) {
    vow_future_t *f = vow_accept(s.listener);
    ck_assert_int_eq(settle_drop(loop, f), 0);
  }
  /* And no more than that. */
  vow_future_t *f = vow_accept(s.listener);
  turns(loop, 2);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_drop(f);
  for (i = 0; i < MANY; i++) vow_tcp_free(clients[i]);
  serve_end(&s);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_accept_pending_when_closed_fails_with_eshutdown) {
  vow_loop_t *loop = loop_open();
  serving_t s = serve(loop);
  vow_future_t *f = vow_accept(s.listener);
  uv_tcp_t *client = client_of(&s);
  vow_future_t *closed;
  ck_assert_int_eq(settle_drop(loop, f), 0);
  vow_tcp_free(client);
  client = client_of(&s); /* waits in the listener: closed with it */
  turns(loop, 2);
  closed = vow_close(handle_of(s.listening));
  f = vow_accept(s.listener);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  ck_assert_int_eq(settle_drop(loop, closed), 0);
  vow_tcp_free(client);
  serve_end(&s);
  loop_done(loop);
}

TEST(test_listener_free_fails_pending_accepts) {
  vow_loop_t *loop = loop_open();
  serving_t s = serve(loop);
  vow_future_t *f = vow_accept(s.listener);
  uv_tcp_t *client;
  vow_listener_free(s.listener);
  s.listener = NULL;
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  client = client_of(&s); /* comes to nobody */
  turns(loop, 2);
  vow_tcp_free(client);
  serve_end(&s);
  loop_done(loop);
}

TEST(test_accept_out_of_memory_loses_no_connection) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    vow_loop_t *loop;
    serving_t s;
    uv_tcp_t *client;
    vow_future_t *f;
    int err;
    ck_assert_uint_lt(n, 30);
    fault_install();
    loop = loop_open_probe();
    s = serve(loop);
    client = client_of(&s);
    fault_fail_at(n);
    f = vow_accept(s.listener);
    err = vow_is_settled(f) ? vow_status(f) : settle(loop, f);
    failed = fault_failed() > 0;
    fault_off();
    if (err != 0) {
      ck_assert_int_eq(err, UV_ENOMEM);
      vow_drop(f);
      f = vow_accept(s.listener);
      ck_assert_int_eq(settle(loop, f), 0);
    }
    ck_assert_ptr_nonnull(vow_tcp_get(f));
    vow_drop(f);
    vow_tcp_free(client);
    serve_end(&s);
    loop_done(loop);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_gt(n, 2);
}

TEST(test_accept_out_of_descriptors_survives) {
  vow_loop_t *loop = loop_open();
  serving_t s = serve(loop);
  struct rlimit limit, low;
  uv_tcp_t *client;
  vow_future_t *f;
  int fds[64];
  int n = 0, i;
  client = client_of(&s);
  vow_drop(vow_accept(s.listener));
  turns(loop, 2);
  f = vow_accept(s.listener);
  if (vow_is_settled(f)) { /* that was the first one */
    vow_drop(f);
    f = vow_accept(s.listener);
  }
  vow_tcp_free(client);
  turns(loop, 2);
  ck_assert_int_eq(vow_tcp_new(loop, &client), 0);
  vow_future_t *c = connect_to(client, port_of(s.listening));
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
  low = limit;
  low.rlim_cur = 48;
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
  while (n < 64 && (fds[n] = open("/dev/null", O_RDONLY)) >= 0) n++;
  turns(loop, 5);
  for (i = 0; i < n; i++) close(fds[i]);
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  vow_status(c);
  vow_drop(c);
  vow_tcp_free(client);
  if (vow_is_settled(f)) { /* failed, or was just in time */
    vow_status(f);
    vow_drop(f);
    f = vow_accept(s.listener);
  }
  client = client_of(&s);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  vow_tcp_free(client);
  serve_end(&s);
  loop_done(loop);
}

/* ---- closing ------------------------------------------------------------- */

TEST(test_close_then_free_and_free_during_close_release_once) {
  vow_loop_t *loop;
  uv_tcp_t *a = NULL, *b = NULL;
  vow_future_t *f;
  fault_install();
  loop = loop_open();
  ck_assert_int_eq(vow_tcp_new(loop, &a), 0);
  ck_assert_int_eq(vow_tcp_new(loop, &b), 0);
  ck_assert_int_eq(settle_drop(loop, vow_close(handle_of(a))), 0);
  vow_tcp_free(a);
  f = vow_close(handle_of(b));
  vow_tcp_free(b);
  ck_assert_int_eq(settle_drop(loop, f), 0);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_close_twice_settles_both_at_once) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t raw;
  vow_future_t *a, *b, *c;
  uv_tcp_init(vow_loop_uv(loop), &raw);
  a = vow_close(handle_of(&raw));
  b = vow_close(handle_of(&raw));
  ck_assert_int_eq(vow_state(a), VOW_PENDING);
  ck_assert_int_eq(settle(loop, a), 0);
  ck_assert_int_eq(vow_status(b), 0);
  c = vow_close(handle_of(&raw));
  ck_assert_int_eq(vow_status(c), UV_EALREADY);
  vow_drop(a);
  vow_drop(b);
  vow_drop(c);
  loop_done(loop);
}

TEST(test_close_bad_arguments_give_clear_failures) {
  vow_loop_t *loop = loop_open();
  uv_tcp_t raw;
  vow_future_t *f = vow_close(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  uv_tcp_init(vow_loop_uv(loop), &raw);
  uv_close(handle_of(&raw), NULL);
  f = vow_close(handle_of(&raw));
  ck_assert_int_eq(vow_status(f), UV_EALREADY);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_close_of_any_kind_of_handle_settles) {
  vow_loop_t *loop = loop_open();
  uv_timer_t timer;
  uv_async_t async;
  uv_timer_init(vow_loop_uv(loop), &timer);
  uv_async_init(vow_loop_uv(loop), &async, NULL);
  ck_assert_int_eq(settle_drop(loop, vow_close((uv_handle_t *)&timer)), 0);
  ck_assert_int_eq(settle_drop(loop, vow_close((uv_handle_t *)&async)), 0);
  loop_done(loop);
}

SUITE(uv_tcp) {
  ADD(test_tcp_new_bad_arguments_give_einval);
  ADD(test_tcp_value_nobody_takes_is_closed);
  ADD(test_tcp_connect_refused_names_the_address);
  ADD(test_tcp_connect_to_ipv6_refused_names_the_address);
  ADD(test_tcp_connect_bad_arguments_give_clear_failures);
  ADD(test_tcp_connect_twice_gives_ealready);
  ADD(test_tcp_connect_pending_when_closed_fails_with_eshutdown);
  ADD(test_listen_on_a_taken_port_gives_eaddrinuse);
  ADD(test_listen_bad_arguments_give_codes);
  ADD(test_accept_waiting_connection_has_settled_on_return);
  ADD(test_accept_cancelled_loses_no_connection);
  ADD(test_accept_hundred_waiting_connections_all_arrive);
  ADD(test_accept_pending_when_closed_fails_with_eshutdown);
  ADD(test_listener_free_fails_pending_accepts);
  ADD(test_accept_out_of_memory_loses_no_connection);
  ADD(test_accept_out_of_descriptors_survives);
  ADD(test_close_then_free_and_free_during_close_release_once);
  ADD(test_close_twice_settles_both_at_once);
  ADD(test_close_bad_arguments_give_clear_failures);
  ADD(test_close_of_any_kind_of_handle_settles);
}

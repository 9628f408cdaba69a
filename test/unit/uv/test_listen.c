/* SPDX-License-Identifier: MIT */
/* Listening handles that run out of descriptors, when libuv has lost the one it
 * keeps for that. Other tests of listening are in test_tcp.c. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check/shim/shim.h"
#include "unit/uv/uv_support.h"

#define CLIENTS 3

typedef struct scarce {
  vow_loop_t *loop;
  uv_tcp_t *listening;
  vow_listener_t *listener;
  struct rlimit limit; /* before */
  int spare;           /* open, with the lowest number of all here */
  int libuvs;          /* what libuv lost; its number stays in use */
  int clients[CLIENTS];
} scarce_t;

static int lowest_free(void) {
  int fd = open("/dev/null", O_RDONLY);
  ck_assert_int_ge(fd, 0);
  close(fd);
  return fd;
}

/* From now on descriptors have numbers below n. */
static void limit_to(int n) {
  struct rlimit low;
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &low), 0);
  low.rlim_cur = (rlim_t)n;
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
}

static void give_back(scarce_t *s) {
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &s->limit), 0);
}

static int connect_raw(int port) {
  struct sockaddr_in addr = local_addr(port);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
  return fd;
}

/* Connections wait in the kernel, and libuv is without its descriptor. */
static scarce_t scarce_open(void) {
  scarce_t s = {0};
  int i;
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &s.limit), 0);
  s.loop = loop_open();
  s.spare = open("/dev/null", O_RDONLY);
  ck_assert_int_ge(s.spare, 0);
  s.listening = bound_tcp(s.loop);
  ck_assert_int_eq(vow_listen(s.listening, 8, &s.listener), 0);
  for (i = 0; i < CLIENTS; i++)
    s.clients[i] = connect_raw(port_of(s.listening));
  s.libuvs = vow_loop_uv(s.loop)->emfile_fd;
  vow_loop_uv(s.loop)->emfile_fd = -1;
  return s;
}

static void scarce_close(scarce_t *s) {
  int i;
  vow_listener_free(s->listener);
  vow_tcp_free(s->listening);
  for (i = 0; i < CLIENTS; i++) close(s->clients[i]);
  if (s->spare >= 0) close(s->spare);
  if (s->libuvs >= 0) close(s->libuvs);
  loop_done(s->loop);
}

static void expect_connections(scarce_t *s, int n) {
  while (n-- > 0)
    ck_assert_int_eq(settle_drop(s->loop, vow_accept(s->listener)), 0);
}

/* valgrind does not keep what is beyond the limit waiting, it loses it. */
#define SKIP_IF_VALGRIND() \
  if (test_is_quick()) return

TEST(test_accept_no_descriptor_at_all_fails_one_and_goes_on) {
  scarce_t s;
  vow_future_t *f, *g;
  SKIP_IF_VALGRIND();
  s = scarce_open();
  f = vow_accept(s.listener);
  g = vow_accept(s.listener);
  limit_to(lowest_free());
  turns(s.loop, 3); /* which come back */
  ck_assert_int_eq(vow_status(f), UV_EMFILE);
  ck_assert_int_eq(vow_state(g), VOW_PENDING);
  give_back(&s);
  ck_assert_int_eq(settle_drop(s.loop, g), 0); /* found by the timer */
  expect_connections(&s, CLIENTS - 1);
  vow_drop(f);
  scarce_close(&s);
}

TEST(test_accept_again_without_descriptors_is_pending) {
  scarce_t s;
  vow_future_t *f;
  int fd;
  SKIP_IF_VALGRIND();
  s = scarce_open();
  f = vow_accept(s.listener);
  limit_to(lowest_free());
  ck_assert_int_eq(settle_drop(s.loop, f), UV_EMFILE);
  f = vow_accept(s.listener);
  turns(s.loop, 3);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_drop(f);
  /* One descriptor is enough for the first, and the others follow. */
  fd = s.spare;
  s.spare = -1;
  close(fd);
  f = vow_accept(s.listener);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  give_back(&s);
  expect_connections(&s, CLIENTS - 1);
  scarce_close(&s);
}

static vow_value_t close_spare(vow_future_t *in, void *arg) {
  int *spare = arg;
  ck_assert_int_eq(vow_status(in), UV_EMFILE);
  close(*spare);
  *spare = -1;
  return vow_nil();
}

TEST(test_accept_no_descriptor_to_give_up_waits_for_one) {
  scarce_t s;
  vow_future_t *f;
  SKIP_IF_VALGRIND();
  s = scarce_open();
  f = vow_catch(vow_accept(s.listener), close_spare, &s.spare);
  /* Nothing that the listener has got is below that. */
  limit_to(s.spare + 1);
  turns(s.loop, 3);
  ck_assert_int_eq(s.spare, -1);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  give_back(&s);
  expect_connections(&s, CLIENTS);
  scarce_close(&s);
}

TEST(test_listener_free_without_descriptors_fails_pending_accepts) {
  scarce_t s;
  vow_future_t *f;
  SKIP_IF_VALGRIND();
  s = scarce_open();
  f = vow_accept(s.listener);
  limit_to(lowest_free());
  ck_assert_int_eq(settle_drop(s.loop, f), UV_EMFILE);
  f = vow_accept(s.listener);
  vow_listener_free(s.listener);
  s.listener = NULL;
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  give_back(&s);
  scarce_close(&s);
}

TEST(test_close_without_descriptors_fails_pending_accepts) {
  scarce_t s;
  vow_future_t *f;
  int before = lowest_free();
  SKIP_IF_VALGRIND();
  s = scarce_open();
  f = vow_accept(s.listener);
  limit_to(lowest_free());
  ck_assert_int_eq(settle_drop(s.loop, f), UV_EMFILE);
  f = vow_accept(s.listener);
  ck_assert_int_eq(settle_drop(s.loop, vow_close(handle_of(s.listening))), 0);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  give_back(&s);
  scarce_close(&s);
  ck_assert_int_eq(lowest_free(), before);
}

/* ---- faults of its own, uv_close by the user ------------------------------ */

/* A connection waits in libuv, as no handle could be made for it. */
typedef struct left {
  vow_loop_t *loop;
  uv_tcp_t *listening;
  vow_listener_t *listener;
  int client;
} left_t;

static left_t left_open(void) {
  left_t l = {loop_open(), NULL, NULL, -1};
  l.listening = bound_tcp(l.loop);
  ck_assert_int_eq(vow_listen(l.listening, 8, &l.listener), 0);
  vow__shim_on();
  vow__shim_fail_from("uv_tcp_init", 1, UV_ENOTSUP);
  l.client = connect_raw(port_of(l.listening));
  while (vow__shim_hits() == 0) uv_run(vow_loop_uv(l.loop), UV_RUN_ONCE);
  return l;
}

static void left_close(left_t *l) {
  vow_listener_free(l->listener);
  vow_tcp_free(l->listening);
  close(l->client);
  loop_done(l->loop);
}

TEST(test_accept_that_can_make_no_handle_fails_and_loses_no_connection) {
  left_t l = left_open();
  vow_future_t *f = vow_accept(l.listener);
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), "accept: "));
  vow_drop(f);
  vow__shim_off();
  ck_assert_int_eq(settle_drop(l.loop, vow_accept(l.listener)), 0);
  left_close(&l);
}

TEST(test_accept_of_a_connection_that_has_gone_fails) {
  left_t l = left_open();
  vow_future_t *f;
  vow__shim_off();
  vow__shim_on();
  vow__shim_fail("uv_accept", 1, UV_ECONNABORTED);
  f = vow_accept(l.listener);
  ck_assert_int_eq(vow_status(f), UV_ECONNABORTED);
  vow_drop(f);
  vow__shim_off();
  close(l.client);
  l.client = connect_raw(port_of(l.listening));
  ck_assert_int_eq(settle_drop(l.loop, vow_accept(l.listener)), 0);
  left_close(&l);
}

/* libuv tells nobody of that. */
TEST(test_accept_on_a_handle_the_user_has_closed_fails) {
  vow_loop_t *loop = loop_open();
  struct sockaddr_in addr = local_addr(0);
  uv_tcp_t tcp;
  vow_listener_t *listener = NULL;
  vow_future_t *f;
  ck_assert_int_eq(uv_tcp_init(vow_loop_uv(loop), &tcp), 0);
  ck_assert_int_eq(uv_tcp_bind(&tcp, (const struct sockaddr *)&addr, 0), 0);
  ck_assert_int_eq(vow_listen(&tcp, 8, &listener), 0);
  uv_close(handle_of(&tcp), NULL);
  f = vow_accept(listener);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "closed by uv_close"));
  vow_drop(f);
  vow_listener_free(listener);
  turns(loop, 2);
  loop_done(loop);
}

/* The timer looks, in vain, and looks again. */
TEST(test_accept_long_without_descriptors_finds_them_at_last) {
  scarce_t s;
  vow_future_t *f, *g;
  SKIP_IF_VALGRIND();
  s = scarce_open();
  f = vow_accept(s.listener);
  g = vow_accept(s.listener);
  limit_to(lowest_free());
  ck_assert_int_eq(settle_drop(s.loop, f), UV_EMFILE);
  ck_assert_int_eq(settle_drop(s.loop, vow_sleep(s.loop, 120)), 0);
  ck_assert_int_eq(vow_state(g), VOW_PENDING);
  give_back(&s);
  ck_assert_int_eq(settle_drop(s.loop, g), 0);
  expect_connections(&s, CLIENTS - 1);
  scarce_close(&s);
}

SUITE(uv_listen) {
  ADD(test_accept_no_descriptor_at_all_fails_one_and_goes_on);
  ADD(test_accept_again_without_descriptors_is_pending);
  ADD(test_accept_no_descriptor_to_give_up_waits_for_one);
  ADD(test_listener_free_without_descriptors_fails_pending_accepts);
  ADD(test_close_without_descriptors_fails_pending_accepts);
  ADD(test_accept_that_can_make_no_handle_fails_and_loses_no_connection);
  ADD(test_accept_of_a_connection_that_has_gone_fails);
  ADD(test_accept_on_a_handle_the_user_has_closed_fails);
  ADD(test_accept_long_without_descriptors_finds_them_at_last);
}

/* SPDX-License-Identifier: MIT */
/* Connecting that ends early: cancelled, dropped, timed out, with the loop,
 * for want of memory; and pipes. */
#include "unit/net/connect_support.h"

#include <sys/un.h>

/* A connection to an address that hangs and one that hangs as well, the second
 * of which is tried too when wait is true. */
typedef struct scene {
  int before; /* sockets, without the connection's */
  vow_loop_t *loop;
  hanging_t h;
  vow_future_t *f;
} scene_t;

static scene_t scene_open(bool wait) {
  scene_t s;
  vow_connect_options_t o = {.attempt_delay_ms = 10};
  const struct sockaddr *addrs[2];
  s.loop = loop_open();
  s.h = hang_on("127.0.0.3");
  s.before = sockets();
  addrs[0] = addrs[1] = &s.h.addr.any;
  s.f = vow_connect_addresses(s.loop, 2, addrs, &o);
  ck_assert_int_eq(sockets(), s.before + 1);
  if (!wait) return s;
  pass_ms(15);
  turns(s.loop, 2);
  ck_assert_int_eq(sockets(), s.before + 2);
  ck_assert_int_eq(vow_state(s.f), VOW_PENDING);
  return s;
}

static void scene_close(const scene_t *s) {
  ck_assert_int_eq(sockets(), s->before);
  hang_end(&s->h);
  loop_done(s->loop);
}

TEST(test_connect_cancelled_settles_after_its_sockets_are_closed) {
  scene_t s = scene_open(true);
  ck_assert_int_eq(vow_cancel(s.f), 0);
  ck_assert_int_eq(vow_state(s.f), VOW_PENDING);
  ck_assert_int_eq(settle(s.loop, s.f), UV_ECANCELED);
  ck_assert(vow_is_cancelled(s.f));
  vow_drop(s.f);
  scene_close(&s);
}

TEST(test_connect_cancelled_before_a_turn_closes_its_socket) {
  scene_t s = scene_open(false);
  ck_assert_int_eq(vow_cancel(s.f), 0);
  ck_assert_int_eq(settle_drop(s.loop, s.f), UV_ECANCELED);
  scene_close(&s);
}

TEST(test_connect_dropped_closes_its_sockets) {
  scene_t s = scene_open(true);
  vow_drop(s.f);
  turns(s.loop, 2);
  scene_close(&s);
}

TEST(test_connect_timeout_closes_its_sockets) {
  scene_t s = scene_open(true);
  s.f = vow_timeout(s.f, 5);
  ck_assert_int_eq(settle(s.loop, s.f), UV_ETIMEDOUT);
  ck_assert_int_eq(sockets(), s.before);
  vow_drop(s.f);
  scene_close(&s);
}

TEST(test_connect_loop_closed_cancels) {
  scene_t s = scene_open(true);
  ck_assert_int_eq(vow_loop_close(s.loop, 1000), 0);
  ck_assert(vow_is_cancelled(s.f));
  vow_drop(s.f);
  hang_end(&s.h);
}

TEST(test_connect_loop_closed_while_resolving_cancels) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = vow_connect(loop, "localhost", "9", NULL);
  ck_assert_int_eq(vow_loop_close(loop, 5000), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
}

TEST(test_connect_cancelled_while_resolving_settles_as_cancelled) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = vow_connect(loop, "localhost", "9", NULL);
  vow_cancel(f);
  ck_assert_int_eq(settle(loop, f), UV_ECANCELED);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  vow_drop(vow_connect(loop, "localhost", "9", NULL));
  loop_done(loop);
}

TEST(test_connect_cancelled_after_it_settled_changes_nothing) {
  vow_loop_t *loop = loop_open();
  address_t a;
  int fd = listen_raw("127.0.0.1", 8, &a);
  const struct sockaddr *addr = &a.any;
  vow_future_t *f = vow_connect_addresses(loop, 1, &addr, NULL);
  ck_assert_int_eq(settle(loop, f), 0);
  vow_cancel(f);
  ck_assert_ptr_nonnull(vow_stream_get(f));
  vow_drop(f);
  close(fd);
  loop_done(loop);
}

TEST(test_connect_detached_ends_by_itself) {
  vow_loop_t *loop = loop_open();
  address_t a, b = refusing("127.0.0.2");
  int fd = listen_raw("127.0.0.1", 8, &a), before = sockets();
  const struct sockaddr *addrs[2] = {&a.any, &b.any};
  vow_detach(vow_connect_addresses(loop, 1, addrs, NULL));
  vow_detach(vow_connect(loop, "127.0.0.1", "no-such-service", NULL));
  vow_detach(vow_connect_addresses(loop, 1, addrs + 1, NULL));
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(sockets(), before);
  ck_assert_int_eq(unseen, 2);
  close(fd);
  loop_done(loop);
}

/* Between the poll, in which the first won, and the closing of the second. */
static void cancel_between(uv_check_t *check) {
  vow_future_t *f = check->data;
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_cancel(f);
  uv_close((uv_handle_t *)check, NULL);
}

TEST(test_connect_cancelled_with_a_winner_closes_it_too) {
  vow_loop_t *loop = loop_open();
  address_t a, b;
  int fd_a = listen_raw("127.0.0.1", 8, &a);
  int fd_b = listen_raw("127.0.0.2", 8, &b), before = sockets();
  vow_connect_options_t o = {.attempt_delay_ms = 10};
  const struct sockaddr *addrs[2] = {&a.any, &b.any};
  vow_future_t *f = vow_connect_addresses(loop, 2, addrs, &o);
  uv_check_t check;
  uv_check_init(vow_loop_uv(loop), &check);
  check.data = f;
  pass_ms(15);
  uv_check_start(&check, cancel_between);
  ck_assert_int_eq(settle(loop, f), UV_ECANCELED);
  ck_assert_int_eq(sockets(), before);
  vow_drop(f);
  close(fd_a);
  close(fd_b);
  loop_done(loop);
}

/* ---- memory -------------------------------------------------------------- */

typedef vow_future_t *(*begin_fn)(vow_loop_t *loop, address_t *no,
                                  address_t *yes);

static vow_future_t *begin_addresses(vow_loop_t *loop, address_t *no,
                                     address_t *yes) {
  const struct sockaddr *addrs[2] = {&no->any, &yes->any};
  return vow_connect_addresses(loop, 2, addrs, NULL);
}

static vow_future_t *begin_name(vow_loop_t *loop, address_t *no,
                                address_t *yes) {
  vow_connect_options_t o = {.family = AF_INET};
  char port[16];
  (void)no;
  snprintf(port, sizeof port, "%d", ntohs(yes->in.sin_port));
  return vow_connect(loop, "localhost", port, &o);
}

static vow_future_t *begin_cancelled(vow_loop_t *loop, address_t *no,
                                     address_t *yes) {
  vow_future_t *f = begin_addresses(loop, no, yes);
  vow_cancel(f);
  return f;
}

/* With the nth allocation failing, or all from there on. */
static bool fails_well(begin_fn begin, size_t n, bool from) {
  int before = sockets();
  address_t no = refusing("127.0.0.1"), yes;
  int fd = listen_raw("127.0.0.1", 8, &yes), status;
  vow_loop_t *loop;
  vow_future_t *f;
  bool failed;
  fault_install();
  loop = loop_open_probe();
  if (from)
    fault_fail_from(n);
  else
    fault_fail_at(n);
  f = begin(loop, &no, &yes);
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  status = vow_status(f);
  failed = fault_failed() > 0;
  fault_off();
  ck_assert(status == 0 || status == UV_ENOMEM || status == UV_ECANCELED ||
            status == UV_ECONNREFUSED);
  if (!failed && begin != begin_cancelled) ck_assert_int_eq(status, 0);
  vow_drop(f);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  close(fd);
  ck_assert_int_eq(sockets(), before);
  return failed;
}

static void expect_good_ends(begin_fn begin) {
  size_t n;
  for (n = 1; fails_well(begin, n, false); n++) {
    ck_assert_uint_lt(n, 100);
    fails_well(begin, n, true);
  }
  ck_assert_uint_gt(n, 3);
}

TEST(test_connect_addresses_out_of_memory_ends_well) {
  expect_good_ends(begin_addresses);
}

TEST(test_connect_name_out_of_memory_ends_well) {
  expect_good_ends(begin_name);
}

TEST(test_connect_cancelled_out_of_memory_ends_well) {
  expect_good_ends(begin_cancelled);
}

/* ---- pipes --------------------------------------------------------------- */

static const char *pipe_path(void) {
  static char path[64];
  snprintf(path, sizeof path, "/tmp/vow-test-connect-%d", (int)getpid());
  return path;
}

TEST(test_connect_pipe_gives_a_stream) {
  vow_loop_t *loop = loop_open();
  struct sockaddr_un addr = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM, 0), accepted;
  char text[8];
  vow_future_t *f;
  memcpy(addr.sun_path, pipe_path(), strlen(pipe_path()));
  unlink(pipe_path());
  ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
  ck_assert_int_eq(listen(fd, 8), 0);
  f = vow_connect_pipe(loop, pipe_path());
  ck_assert_int_eq(settle(loop, f), 0);
  accepted = accept(fd, NULL, NULL);
  ck_assert_int_eq(
      settle_drop(loop, vow_stream_write(vow_stream_get(f), "hi", 2)), 0);
  ck_assert_int_eq(read_raw(accepted, text, sizeof text), 2);
  vow_drop(f);
  ck_assert_int_eq(read_raw(accepted, text, sizeof text), 0);
  close(accepted);
  close(fd);
  unlink(pipe_path());
  loop_done(loop);
}

TEST(test_connect_pipe_missing_names_the_path) {
  int before = sockets();
  vow_loop_t *loop = loop_open();
  vow_future_t *f = vow_connect_pipe(loop, "/nowhere/at/all");
  ck_assert_int_eq(settle(loop, f), UV_ENOENT);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "/nowhere/at/all"));
  vow_drop(f);
  f = vow_connect_pipe(loop, "/nowhere/at/all");
  vow_cancel(f);
  ck_assert_int_eq(settle_drop(loop, f), UV_ECANCELED);
  vow_drop(vow_connect_pipe(loop, "/nowhere/at/all"));
  loop_done(loop);
  ck_assert_int_eq(sockets(), before);
}

SUITE(net_connect_end) {
  ADD(test_connect_cancelled_settles_after_its_sockets_are_closed);
  ADD(test_connect_cancelled_before_a_turn_closes_its_socket);
  ADD(test_connect_dropped_closes_its_sockets);
  ADD(test_connect_timeout_closes_its_sockets);
  ADD(test_connect_loop_closed_cancels);
  ADD(test_connect_loop_closed_while_resolving_cancels);
  ADD(test_connect_cancelled_while_resolving_settles_as_cancelled);
  ADD(test_connect_cancelled_after_it_settled_changes_nothing);
  ADD(test_connect_detached_ends_by_itself);
  ADD(test_connect_cancelled_with_a_winner_closes_it_too);
  ADD(test_connect_addresses_out_of_memory_ends_well);
  ADD(test_connect_name_out_of_memory_ends_well);
  ADD(test_connect_cancelled_out_of_memory_ends_well);
  ADD(test_connect_pipe_gives_a_stream);
  ADD(test_connect_pipe_missing_names_the_path);
}

/* SPDX-License-Identifier: MIT */
/* Servers that end, with grace and without; that run out of descriptors and
 * memory; and many connections. */
#include "unit/net/serve_support.h"

/* ---- shutting down ------------------------------------------------------- */

/* Ends the handler. */
static vow_promise_t *enough;

static vow_future_t *wait_for_enough(vow_stream_t *stream, void *arg) {
  return counted(arg, vow_promise_new(vow_stream_loop(stream), &enough));
}

TEST(test_serve_shutdown_waits_for_handlers) {
  service_t s = {0};
  vow_future_t *f;
  address_t a;
  int fd, other;
  service_open(&s, wait_for_enough);
  a = service_address(&s);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  f = vow_server_shutdown(s.server, 60000);
  ck_assert_int_eq(vow_server_port(s.server, 0), VOW_ESHUTDOWN);
  turns(s.loop, 2);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  other = socket(AF_INET, SOCK_STREAM, 0); /* nobody listens any more */
  ck_assert_int_ne(connect(other, &a.any, sizeof a.in), 0);
  close(other);
  vow_promise_finish(enough, vow_nil());
  ck_assert_int_eq(settle_drop(s.loop, f), 0);
  ck_assert_int_eq(s.running, 0);
  ck_assert_int_eq(s.failures, 0);
  expect_end(fd);
  vow_server_free(s.server);
  loop_done(s.loop);
}

TEST(test_serve_shutdown_cancels_at_the_deadline) {
  service_t s = {0};
  vow_future_t *f;
  uint64_t begin_ms;
  int fd;
  service_open(&s, wait_for_ever);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  begin_ms = vow_loop_now_ms(s.loop);
  f = vow_server_shutdown(s.server, 20);
  ck_assert_int_eq(settle_drop(s.loop, f), 0);
  ck_assert_uint_ge(vow_loop_now_ms(s.loop) - begin_ms, 20);
  ck_assert_int_eq(s.running, 0);
  expect_end(fd);
  f = vow_server_shutdown(s.server, 20); /* it has ended */
  ck_assert_int_eq(settle_drop(s.loop, f), 0);
  vow_server_free(s.server);
  loop_done(s.loop);
}

TEST(test_serve_shutdown_again_may_only_hasten) {
  service_t s = {0};
  vow_future_t *first, *second, *third;
  uint64_t begin_ms;
  int fd;
  service_open(&s, wait_for_ever);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  begin_ms = vow_loop_now_ms(s.loop);
  first = vow_server_shutdown(s.server, UINT64_MAX);
  second = vow_server_shutdown(s.server, 20);
  third = vow_server_shutdown(s.server, 60000);
  ck_assert_int_eq(settle_drop(s.loop, first), 0);
  ck_assert_uint_lt(vow_loop_now_ms(s.loop) - begin_ms, 5000);
  ck_assert_int_eq(settle_drop(s.loop, second), 0);
  ck_assert_int_eq(settle_drop(s.loop, third), 0);
  vow_server_free(s.server);
  close(fd);
  loop_done(s.loop);
}

TEST(test_serve_shutdown_cancelled_goes_on) {
  service_t s = {0};
  vow_future_t *f;
  int fd;
  service_open(&s, wait_for_enough);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  f = vow_server_shutdown(s.server, 60000);
  vow_cancel(f);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  vow_server_free(s.server);
  turns(s.loop, 2);
  ck_assert_int_eq(s.running, 1); /* with grace still */
  vow_promise_finish(enough, vow_nil());
  ck_assert_int_eq(vow_loop_run(s.loop), 0);
  ck_assert_int_eq(s.running, 0);
  close(fd);
  loop_done(s.loop);
}

TEST(test_serve_shutdown_of_null_gives_einval) {
  vow_future_t *f = vow_server_shutdown(NULL, 0);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
}

TEST(test_serve_idle_shutdown_closes_what_waits_in_the_kernel) {
  service_t s = {0};
  int fd;
  service_open(&s, echo);
  fd = client_of(&s);
  service_close(&s);
  ck_assert_int_eq(s.calls, 0);
  expect_end(fd);
}

TEST(test_serve_freed_while_it_serves_ends_without_grace) {
  service_t s = {0};
  int fd, before;
  service_open(&s, wait_for_ever);
  before = sockets() - 1;
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  vow_server_free(s.server);
  turns(s.loop, 3);
  ck_assert_int_eq(s.running, 0);
  expect_end(fd);
  ck_assert_int_eq(sockets(), before);
  loop_done(s.loop);
}

TEST(test_serve_loop_closed_ends_it) {
  service_t s = {0};
  vow_future_t *f;
  int fd;
  service_open(&s, wait_for_ever);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  ck_assert_int_eq(vow_loop_close(s.loop, 1000), 0);
  ck_assert_int_eq(s.running, 0);
  expect_end(fd);
  f = vow_server_shutdown(s.server, 0);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  vow_server_free(s.server);
}

TEST(test_serve_loop_closed_during_a_shutdown_ends_it) {
  service_t s = {0};
  vow_future_t *f;
  int fd;
  service_open(&s, wait_for_ever);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  f = vow_server_shutdown(s.server, UINT64_MAX);
  ck_assert_int_eq(vow_loop_close(s.loop, 1000), 0);
  ck_assert_int_eq(s.running, 0);
  vow_drop(f);
  vow_server_free(s.server);
  close(fd);
}

/* ---- ending from inside -------------------------------------------------- */

static vow_future_t *end_the_server(vow_stream_t *stream, void *arg) {
  service_t *s = arg;
  vow_detach(vow_server_shutdown(s->server, 0));
  ck_assert(vow_token_is_cancelled(vow_server_token(s->server)));
  return counted(s, vow_never(vow_stream_loop(stream)));
}

TEST(test_serve_handler_may_shut_the_server_down) {
  service_t s = {0};
  int fd;
  service_open(&s, end_the_server);
  fd = client_of(&s);
  ck_assert_int_eq(vow_loop_run(s.loop), 0);
  ck_assert_int_eq(s.calls, 1);
  ck_assert_int_eq(s.running, 0);
  expect_end(fd);
  vow_server_free(s.server);
  loop_done(s.loop);
}

static void free_the_server(vow_server_t *server, vow_value_t failure,
                            void *arg) {
  (void)failure;
  ((service_t *)arg)->server = NULL;
  vow_server_free(server);
}

static vow_future_t *fail_at_once(vow_stream_t *stream, void *arg) {
  return counted(arg, vow_ready(vow_stream_loop(stream), vow_fail(UV_EPROTO)));
}

TEST(test_serve_error_hook_may_free_the_server) {
  service_t s = {.loop = loop_open()};
  const vow_serve_on_t on = {.host = "127.0.0.1"};
  int fd;
  s.options.on_error = free_the_server;
  s.options.on_error_arg = &s;
  ck_assert_int_eq(
      vow_serve(s.loop, 1, &on, fail_at_once, &s, &s.options, &s.server), 0);
  fd = client_of(&s);
  ck_assert_int_eq(vow_loop_run(s.loop), 0);
  ck_assert_ptr_null(s.server);
  expect_end(fd);
  loop_done(s.loop);
}

/* ---- descriptors --------------------------------------------------------- */

/* Lets only spare more descriptors be opened; gives back the former limit. */
static struct rlimit leave_spare(int spare) {
  struct rlimit limit, low;
  int fd = dup(0);
  ck_assert_int_ge(fd, 0);
  close(fd);
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
  low = limit;
  low.rlim_cur = (rlim_t)(fd + spare);
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
  return limit;
}

TEST(test_serve_few_descriptors_leave_connections_waiting) {
  enum { CLIENTS = 20 };
  service_t s = {0};
  struct rlimit limit;
  int fds[CLIENTS], i;
  service_open(&s, echo);
  for (i = 0; i < CLIENTS; i++) fds[i] = client_of(&s);
  limit = leave_spare(13); /* five, and the eight to be left */
  turn_until(s.loop, &s.failures, 1);
  ck_assert_int_eq(s.last_error, UV_EMFILE);
  turns(s.loop, 5);
  ck_assert_int_gt(s.calls, 0);
  ck_assert_int_lt(s.calls, 13);
  for (i = 0; i < CLIENTS; i++) {
    char byte = 'x'; /* all of them are served in the end */
    ck_assert_int_eq(write(fds[i], &byte, 1), 1);
    shutdown(fds[i], SHUT_WR);
    if (i == 10) ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  turn_until(s.loop, &s.calls, CLIENTS);
  turn_until(s.loop, &s.running, 0);
  for (i = 0; i < CLIENTS; i++) {
    char byte = 0;
    ck_assert_int_eq(read_raw(fds[i], &byte, 1), 1);
    expect_end(fds[i]);
  }
  service_close(&s);
}

/* With no descriptor at all; and libuv without the one it keeps for that, when
 * it cannot close what waits but has to leave it. */
static void exhaust(bool without_libuvs, int served) {
  service_t s = {0};
  struct rlimit limit;
  int fds[3], i, fd, taken = -1;
  service_open(&s, echo);
  for (i = 0; i < 3; i++) fds[i] = client_of(&s);
  if (without_libuvs) {
    uv_loop_t *uv = vow_loop_uv(s.loop);
    taken = uv->emfile_fd; /* its number stays in use */
    uv->emfile_fd = -1;
  }
  limit = leave_spare(0);
  turns(s.loop, 3);
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, served);
  ck_assert_int_eq(s.last_error, without_libuvs ? UV_EMFILE : 0);
  for (i = 0; i < 3; i++) close(fds[i]);
  close(fd);
  if (taken >= 0) close(taken);
  service_close(&s);
}

TEST(test_serve_no_descriptor_is_survived) {
  exhaust(false, 1);
}

TEST(test_serve_no_descriptor_and_no_reserve_of_libuvs_is_survived) {
  if (test_is_quick()) return; /* valgrind loses what is beyond the limit */
  exhaust(true, 4);
}

/* ---- memory -------------------------------------------------------------- */

/* With the nth allocation failing, or all from there on. */
static bool begins_well(size_t n, bool from) {
  int before = sockets(), err;
  const vow_serve_on_t on[2] = {{.host = "127.0.0.1"}, {.host = "127.0.0.1"}};
  service_t s = {0};
  bool failed;
  fault_install();
  s.loop = loop_open_probe();
  if (from)
    fault_fail_from(n);
  else
    fault_fail_at(n);
  err = vow_serve(s.loop, 2, on, echo, &s, NULL, &s.server);
  failed = fault_failed() > 0;
  ck_assert_int_eq(err, failed ? UV_ENOMEM : 0);
  if (err == 0) {
    vow_server_free(s.server);
  } else {
    ck_assert_ptr_null(s.server);
  }
  fault_off();
  loop_done(s.loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  ck_assert_int_eq(sockets(), before);
  return failed;
}

TEST(test_serve_out_of_memory_at_the_beginning_ends_well) {
  size_t n;
  for (n = 1; begins_well(n, false); n++) {
    ck_assert_uint_lt(n, 100);
    begins_well(n, true);
  }
  ck_assert_uint_gt(n, 3);
}

/* One connection from its coming to its end with an allocation failing. */
static bool serves_well(size_t n) {
  int before = sockets(), i, fd;
  service_t s = {0};
  bool failed;
  char byte = 'x';
  fault_install();
  s.loop = loop_open_probe();
  service_start(&s, echo);
  fd = client_of(&s);
  ck_assert_int_eq(write(fd, &byte, 1), 1);
  shutdown(fd, SHUT_WR);
  fault_fail_at(n);
  for (i = 0; i < 1000 && (s.calls == 0 || s.running > 0 ||
                           vow_server_connections(s.server) > 0);
       i++) {
    turns(s.loop, 1);
    if (i > 5) pass_ms(1);
  }
  failed = fault_failed() > 0;
  fault_off();
  ck_assert_int_eq(s.running, 0);
  ck_assert_uint_eq(vow_server_connections(s.server), 0);
  ck_assert_int_eq(s.calls, 1); /* no connection is lost */
  if (!failed) ck_assert_int_eq(s.failures, 0);
  if (s.failures > 0) ck_assert_int_eq(s.last_error, UV_ENOMEM);
  close(fd);
  service_close(&s);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  ck_assert_int_eq(sockets(), before);
  return failed;
}

TEST(test_serve_out_of_memory_while_serving_goes_on) {
  size_t n;
  for (n = 1; serves_well(n); n++) ck_assert_uint_lt(n, 100);
  ck_assert_uint_gt(n, 5);
}

/* The end with an allocation failing, or all. */
static bool ends_well(size_t n, bool from) {
  int before = sockets(), fd;
  service_t s = {0};
  bool failed;
  vow_future_t *f;
  fault_install();
  s.loop = loop_open_probe();
  service_start(&s, wait_for_ever);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  if (from)
    fault_fail_from(n);
  else
    fault_fail_at(n);
  f = vow_server_shutdown(s.server, 5);
  (void)settle_drop(s.loop, f);
  vow_server_free(s.server);
  ck_assert_int_eq(vow_loop_run(s.loop), 0);
  failed = fault_failed() > 0;
  fault_off();
  ck_assert_int_eq(s.running, 0);
  expect_end(fd);
  loop_done(s.loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  ck_assert_int_eq(sockets(), before);
  return failed;
}

TEST(test_serve_out_of_memory_at_the_end_ends_well) {
  size_t n;
  for (n = 1; ends_well(n, false); n++) {
    ck_assert_uint_lt(n, 100);
    ends_well(n, true);
  }
  ck_assert_uint_gt(n, 2);
}

/* ---- many ---------------------------------------------------------------- */

static vow_value_t read_back(vow_future_t *in, void *arg) {
  ++*(size_t *)arg;
  ck_assert_int_eq(vow_status(in), 0);
  ck_assert_uint_eq(vow_bytes_length(vow_bytes_get(in)), 4);
  return vow_nil();
}

static vow_value_t say_ping(vow_future_t *in, void *arg) {
  vow_stream_t *stream = vow_stream_take(in);
  vow_future_t *f;
  ck_assert_ptr_nonnull(stream);
  vow_drop(vow_stream_write(stream, "ping", 4));
  f = vow_then(vow_stream_read_exactly(stream, 4), read_back, arg);
  return vow_follow(vow_keep(f, stream, (vow_drop_cb)vow_stream_unref));
}

/* Many clients, some at a time. */
static void serve_crowd(service_t *s, size_t many) {
  const size_t wave = 250;
  address_t a = service_address(s);
  const struct sockaddr *addr = &a.any;
  size_t i, ended = 0;
  int calls = s->calls;
  for (i = 0; i < many; i++) {
    vow_detach(vow_then(vow_connect_addresses(s->loop, 1, &addr, NULL),
                        say_ping, &ended));
    while ((i + 1) % wave == 0 && ended <= i)
      uv_run(vow_loop_uv(s->loop), UV_RUN_ONCE);
  }
  while (ended < many) uv_run(vow_loop_uv(s->loop), UV_RUN_ONCE);
  turn_until(s->loop, &s->running, 0);
  turns(s->loop, 3);
  ck_assert_int_eq(s->calls - calls, (int)many);
  ck_assert_uint_eq(vow_server_connections(s->server), 0);
}

TEST(test_serve_thousand_connections_leave_nothing_behind) {
  service_t s = {.options = {.max_connections = 100}};
  int before;
  long bytes;
  fault_install();
  service_open(&s, echo);
  before = sockets();
  serve_crowd(&s, 250); /* memory that is kept for the next time */
  bytes = fault_live_bytes();
  serve_crowd(&s, test_scale(1000));
  ck_assert_int_le(s.most, 100);
  ck_assert_int_eq(s.failures, 0);
  ck_assert_int_eq(sockets(), before);
  ck_assert_int_le(fault_live_bytes(), bytes + 65536);
  service_close(&s);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- no timer for the grace ------------------------------------------------ */

enum { FAR_TIMERS = 4096 };

static void not_due(vow_timer_t *t) {
  (void)t;
}

/* The heap of deadlines has no room, and there is no memory: what is served is
 * cancelled at once, as it could not be later. */
TEST(test_serve_shutdown_without_a_timer_gives_no_grace) {
  vow_timer_t *far = calloc(FAR_TIMERS, sizeof *far);
  service_t s = {0};
  vow_future_t *f;
  size_t n = 0, i;
  int fd;
  ck_assert_ptr_nonnull(far);
  fault_install();
  service_open(&s, wait_for_ever);
  fd = client_of(&s);
  turn_until(s.loop, &s.calls, 1);
  fault_fail_from(1);
  while (n < FAR_TIMERS &&
         vow_timer_start(s.loop, &far[n], vow_deadline_ms(s.loop, 3600000),
                         not_due) == 0)
    n++;
  ck_assert_uint_lt(n, FAR_TIMERS);
  f = vow_server_shutdown(s.server, 60000);
  fault_off();
  ck_assert_int_eq(settle_drop(s.loop, f), 0);
  ck_assert_int_eq(s.running, 0);
  expect_end(fd);
  for (i = 0; i < n; i++) vow_timer_stop(s.loop, &far[i]);
  vow_server_free(s.server);
  loop_done(s.loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  free(far);
}

SUITE(net_serve_end) {
  ADD(test_serve_shutdown_waits_for_handlers);
  ADD(test_serve_shutdown_cancels_at_the_deadline);
  ADD(test_serve_shutdown_again_may_only_hasten);
  ADD(test_serve_shutdown_cancelled_goes_on);
  ADD(test_serve_shutdown_of_null_gives_einval);
  ADD(test_serve_idle_shutdown_closes_what_waits_in_the_kernel);
  ADD(test_serve_freed_while_it_serves_ends_without_grace);
  ADD(test_serve_loop_closed_ends_it);
  ADD(test_serve_loop_closed_during_a_shutdown_ends_it);
  ADD(test_serve_handler_may_shut_the_server_down);
  ADD(test_serve_error_hook_may_free_the_server);
  ADD(test_serve_few_descriptors_leave_connections_waiting);
  ADD(test_serve_no_descriptor_is_survived);
  ADD(test_serve_no_descriptor_and_no_reserve_of_libuvs_is_survived);
  ADD(test_serve_out_of_memory_at_the_beginning_ends_well);
  ADD(test_serve_out_of_memory_while_serving_goes_on);
  ADD(test_serve_out_of_memory_at_the_end_ends_well);
  ADD(test_serve_thousand_connections_leave_nothing_behind);
  ADD(test_serve_shutdown_without_a_timer_gives_no_grace);
}

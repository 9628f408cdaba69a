/* SPDX-License-Identifier: MIT */
/* The same situations for every wrapper of a libuv request: success, dropped
 * unseen, cancelled before, during and after, loop closed, out of memory. What
 * only one of them does is tested in the file of its area. */
#include <vow/dns.h>
#include <vow/phase.h>
#include <vow/pipe.h>
#include <vow/process.h>
#include <vow/random.h>
#include <vow/udp.h>
#include <vow/work.h>

#include "unit/uv/uv_support.h"

#include <fcntl.h>
#include <unistd.h>

/* ---- what the requests work on ------------------------------------------- */

#define BIG_BYTES (400u * 1000)

typedef struct place {
  vow_loop_t *loop;
  pair_t pair;
  uv_tcp_t *fresh; /* neither bound nor connected */
  char path[32];
  int fd;
  char *big; /* larger than any socket buffer */
  char into[64];
  int drops;
  /* Pipes: one that listens, one neither bound nor connected, and two that are
   * connected, with ipc. */
  char socket[40];
  uv_pipe_t *listening_pipe;
  uv_pipe_t *fresh_pipe;
  uv_pipe_t *ipc[2];
  vow_listener_t *pipe_listener;
  uv_udp_t *udp;
  uv_udp_send_t raw; /* goes ahead of what vow sends */
} place_t;

static char sink[65536];

static void sink_alloc(uv_handle_t *h, size_t size, uv_buf_t *buf) {
  (void)h;
  (void)size;
  *buf = uv_buf_init(sink, sizeof sink);
}

static void sink_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf) {
  (void)buf;
  if (n < 0) uv_read_stop(s);
}

static void place_open_pipes(place_t *at) {
  uv_os_sock_t fd[2];
  int i;
  snprintf(at->socket, sizeof at->socket, "%s.s", at->path);
  ck_assert_int_eq(vow_pipe_new(at->loop, false, &at->listening_pipe), 0);
  ck_assert_int_eq(uv_pipe_bind(at->listening_pipe, at->socket), 0);
  ck_assert_int_eq(
      vow_pipe_listen(at->listening_pipe, 8, false, &at->pipe_listener), 0);
  ck_assert_int_eq(vow_pipe_new(at->loop, false, &at->fresh_pipe), 0);
  ck_assert_int_eq(
      uv_socketpair(SOCK_STREAM, 0, fd, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE), 0);
  for (i = 0; i < 2; i++) {
    ck_assert_int_eq(vow_pipe_new(at->loop, true, &at->ipc[i]), 0);
    ck_assert_int_eq(uv_pipe_open(at->ipc[i], fd[i]), 0);
  }
  uv_read_start((uv_stream_t *)at->ipc[1], sink_alloc, sink_read);
}

static void place_open_udp(place_t *at) {
  struct sockaddr_in addr = local_addr(0);
  ck_assert_int_eq(vow_udp_new(at->loop, 0, &at->udp), 0);
  ck_assert_int_eq(uv_udp_bind(at->udp, (const struct sockaddr *)&addr, 0), 0);
}

static place_t *place_open(bool probe) {
  place_t *at = calloc(1, sizeof *at);
  ck_assert_ptr_nonnull(at);
  at->loop = probe ? loop_open_probe() : loop_open();
  at->pair = pair_open(at->loop);
  ck_assert_int_eq(vow_tcp_new(at->loop, &at->fresh), 0);
  uv_read_start(stream_of(at->pair.b), sink_alloc, sink_read);
  strcpy(at->path, "/tmp/vow-test-XXXXXX");
  at->fd = mkstemp(at->path);
  ck_assert_int_ge(at->fd, 0);
  ck_assert_int_eq(write(at->fd, "0123456789", 10), 10);
  at->big = calloc(1, BIG_BYTES);
  ck_assert_ptr_nonnull(at->big);
  place_open_pipes(at);
  place_open_udp(at);
  return at;
}

static void place_free_handles(place_t *at) {
  vow_listener_free(at->pair.listener);
  vow_tcp_free(at->pair.listening);
  vow_tcp_free(at->pair.a);
  vow_tcp_free(at->pair.b);
  vow_tcp_free(at->fresh);
  vow_listener_free(at->pipe_listener);
  vow_pipe_free(at->listening_pipe);
  vow_pipe_free(at->fresh_pipe);
  vow_pipe_free(at->ipc[0]);
  vow_pipe_free(at->ipc[1]);
  vow_udp_free(at->udp);
}

static void place_free(place_t *at) {
  close(at->fd);
  unlink(at->path);
  unlink(at->socket);
  free(at->big);
  free(at);
}

static void place_close(place_t *at) {
  place_free_handles(at);
  loop_done(at->loop);
  place_free(at);
}

/* ---- the requests -------------------------------------------------------- */

static vow_future_t *start_getaddrinfo(place_t *at) {
  return vow_getaddrinfo(at->loop, "127.0.0.1", "80", NULL);
}

static vow_future_t *start_connect(place_t *at) {
  return connect_to(at->fresh, port_of(at->pair.listening));
}

static vow_future_t *start_write(place_t *at) {
  uv_buf_t buf = uv_buf_init(at->big, BIG_BYTES);
  return vow_write(stream_of(at->pair.a), &buf, 1);
}

static vow_future_t *start_write_borrowed(place_t *at) {
  uv_buf_t bufs[20];
  unsigned i;
  for (i = 0; i < 20; i++) bufs[i] = uv_buf_init(at->big + i, BIG_BYTES / 20);
  return vow_write_borrowed(stream_of(at->pair.a), bufs, 20);
}

static vow_future_t *start_shutdown(place_t *at) {
  return vow_shutdown(stream_of(at->pair.a));
}

static vow_value_t compute(void *arg) {
  (void)arg;
  uv_sleep(2);
  return vow_string("result");
}

static vow_future_t *start_work(place_t *at) {
  return vow_queue_work(at->loop, compute, &at->drops, count_drop);
}

static vow_future_t *start_open(place_t *at) {
  return vow_fs_open(at->loop, at->path, O_RDONLY, 0);
}

static vow_future_t *start_fs_close(place_t *at) {
  return vow_fs_close(at->loop, dup(at->fd));
}

static vow_future_t *start_read(place_t *at) {
  return vow_fs_read(at->loop, at->fd, 10, 0);
}

static vow_future_t *start_read_into(place_t *at) {
  return vow_fs_read_into(at->loop, at->fd, at->into, 10, 0);
}

static vow_future_t *start_fs_write(place_t *at) {
  return vow_fs_write(at->loop, at->fd, "abc", 3, 0);
}

static vow_future_t *start_fs_write_borrowed(place_t *at) {
  return vow_fs_write_borrowed(at->loop, at->fd, "abc", 3, 0);
}

static vow_future_t *start_stat(place_t *at) {
  return vow_fs_stat(at->loop, at->path);
}

static vow_future_t *start_close(place_t *at) {
  vow_future_t *f = vow_close(handle_of(at->fresh));
  return f;
}

static vow_future_t *start_getnameinfo(place_t *at) {
  struct sockaddr_in addr = local_addr(80);
  return vow_getnameinfo(at->loop, (const struct sockaddr *)&addr, 1);
}

static vow_future_t *start_random(place_t *at) {
  return vow_random(at->loop, 16);
}

static vow_future_t *start_random_into(place_t *at) {
  return vow_random_into(at->loop, at->into, sizeof at->into);
}

static vow_future_t *start_close_reset(place_t *at) {
  return vow_tcp_close_reset(at->pair.a);
}

static vow_future_t *start_pipe_connect(place_t *at) {
  return vow_pipe_connect(at->fresh_pipe, at->socket);
}

static vow_future_t *start_write2(place_t *at) {
  uv_buf_t buf = uv_buf_init(at->big, BIG_BYTES);
  return vow_write2((uv_stream_t *)at->ipc[0], &buf, 1,
                    stream_of(at->pair.listening));
}

/* A datagram goes out at once, unless another is on its way. */
static vow_future_t *start_send(place_t *at, bool borrowed) {
  struct sockaddr_in to = local_addr(9);
  const struct sockaddr *addr = (const struct sockaddr *)&to;
  uv_buf_t buf = uv_buf_init(at->into, 10);
  ck_assert_int_eq(uv_udp_send(&at->raw, at->udp, &buf, 1, addr, NULL), 0);
  return borrowed ? vow_udp_send_borrowed(at->udp, &buf, 1, addr)
                  : vow_udp_send(at->udp, &buf, 1, addr);
}

static vow_future_t *start_udp_send(place_t *at) {
  return start_send(at, false);
}

static vow_future_t *start_udp_send_borrowed(place_t *at) {
  return start_send(at, true);
}

static vow_future_t *start_spawn(place_t *at) {
  char *args[] = {at->into, NULL};
  uv_process_options_t o;
  memset(&o, 0, sizeof o);
  o.file = "/bin/true";
  o.args = args;
  return vow_spawn(at->loop, &o);
}

static vow_future_t *start_next_idle(place_t *at) {
  return vow_next_idle(at->loop);
}

static vow_future_t *start_next_prepare(place_t *at) {
  return vow_next_prepare(at->loop);
}

static vow_future_t *start_next_check(place_t *at) {
  return vow_next_check(at->loop);
}

typedef enum cancel_kind {
  AT_ONCE, /* owns its memory */
  WAITS,   /* may be cancelled, settles when libuv has let go */
  NEVER    /* runs on */
} cancel_kind_t;

typedef struct request {
  const char *name;
  vow_future_t *(*start)(place_t *at);
  cancel_kind_t cancel;
} request_t;

static const request_t requests[] = {
    {"getaddrinfo", start_getaddrinfo, AT_ONCE},
    {"tcp_connect", start_connect, AT_ONCE},
    {"write", start_write, AT_ONCE},
    {"write_borrowed", start_write_borrowed, NEVER},
    {"shutdown", start_shutdown, AT_ONCE},
    {"queue_work", start_work, AT_ONCE},
    {"fs_open", start_open, AT_ONCE},
    {"fs_close", start_fs_close, NEVER},
    {"fs_read", start_read, AT_ONCE},
    {"fs_read_into", start_read_into, WAITS},
    {"fs_write", start_fs_write, AT_ONCE},
    {"fs_write_borrowed", start_fs_write_borrowed, WAITS},
    {"fs_stat", start_stat, AT_ONCE},
    {"close", start_close, NEVER},
    {"getnameinfo", start_getnameinfo, AT_ONCE},
    {"random", start_random, AT_ONCE},
    {"random_into", start_random_into, WAITS},
    {"tcp_close_reset", start_close_reset, NEVER},
    {"pipe_connect", start_pipe_connect, AT_ONCE},
    {"write2", start_write2, NEVER},
    {"udp_send", start_udp_send, AT_ONCE},
    {"udp_send_borrowed", start_udp_send_borrowed, NEVER},
    {"spawn", start_spawn, WAITS},
    {"next_idle", start_next_idle, AT_ONCE},
    {"next_prepare", start_next_prepare, AT_ONCE},
    {"next_check", start_next_check, AT_ONCE},
};

#define REQUESTS ((int)(sizeof requests / sizeof requests[0]))

/* ---- the situations ------------------------------------------------------ */

TEST(test_request_undisturbed_succeeds) {
  const request_t *r = &requests[_i];
  place_t *at = place_open(false);
  vow_future_t *f = r->start(at);
  ck_assert_msg(!vow_is_settled(f), "%s settled at once", r->name);
  ck_assert_msg(settle(at->loop, f) == 0, "%s: %d", r->name, vow_status(f));
  vow_drop(f);
  place_close(at);
}

TEST(test_request_names_itself_while_pending) {
  const request_t *r = &requests[_i];
  place_t *at = place_open(false);
  vow_future_t *f = r->start(at);
  ck_assert_ptr_nonnull(strstr(vow_site(f), "test/unit/uv/"));
  vow_drop(f);
  place_close(at);
}

TEST(test_request_dropped_unseen_leaves_nothing) {
  place_t *at;
  fault_install();
  at = place_open(true);
  vow_drop(requests[_i].start(at));
  place_close(at);
  /* What cannot be cancelled may fail later, when its handle is closed. */
  if (requests[_i].cancel != NEVER) ck_assert_int_eq(unseen, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static void expect_cancelled(const request_t *r, place_t *at, vow_future_t *f) {
  int status;
  ck_assert_int_eq(vow_cancel(f), 0);
  if (r->cancel == AT_ONCE)
    ck_assert_msg(vow_is_cancelled(f), "%s still pending", r->name);
  else
    ck_assert_msg(!vow_is_settled(f), "%s settled early", r->name);
  status = settle(at->loop, f);
  if (r->cancel == AT_ONCE) ck_assert_int_eq(status, UV_ECANCELED);
  if (r->cancel == NEVER) ck_assert_int_eq(status, 0);
  if (r->cancel == WAITS) ck_assert(status == 0 || vow_is_cancelled(f));
}

TEST(test_request_cancelled_before_a_turn_settles_as_its_kind_says) {
  place_t *at;
  vow_future_t *f;
  fault_install();
  at = place_open(true);
  f = requests[_i].start(at);
  expect_cancelled(&requests[_i], at, f);
  vow_drop(f);
  place_close(at);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_request_cancelled_during_a_turn_leaves_nothing) {
  place_t *at;
  vow_future_t *f;
  fault_install();
  at = place_open(true);
  f = requests[_i].start(at);
  turns(at->loop, 1);
  if (!vow_is_settled(f)) expect_cancelled(&requests[_i], at, f);
  vow_drop(f);
  place_close(at);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_request_cancelled_after_it_settled_keeps_its_outcome) {
  place_t *at = place_open(false);
  vow_future_t *f = requests[_i].start(at);
  ck_assert_int_eq(settle(at->loop, f), 0);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  place_close(at);
}

TEST(test_rule_22_loop_closed_while_request_pends_waits_for_it) {
  place_t *at;
  vow_future_t *f;
  fault_install();
  at = place_open(true);
  f = requests[_i].start(at);
  if (requests[_i].start == start_close) {
    vow_tcp_free(at->fresh);
    at->fresh = NULL;
  }
  place_free_handles(at);
  ck_assert_int_eq(vow_loop_close(at->loop, 5000), 0);
  ck_assert(vow_is_settled(f));
  vow_status(f);
  vow_drop(f);
  place_free(at);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* The nth allocation fails, for each n there is; with the rest as well when
 * from is set. */
static void expect_enomem(const request_t *r, bool from) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    place_t *at;
    vow_future_t *f;
    int status;
    ck_assert_uint_lt(n, 50);
    fault_install();
    at = place_open(true);
    if (from)
      fault_fail_from(n);
    else
      fault_fail_at(n);
    f = r->start(at);
    ck_assert_ptr_nonnull(f);
    status = vow_is_settled(f) ? vow_status(f) : settle(at->loop, f);
    failed = fault_failed() > 0;
    fault_off();
    ck_assert_msg(status == UV_ENOMEM || status == 0, "%s: %d", r->name,
                  status);
    if (!failed) ck_assert_int_eq(status, 0);
    vow_drop(f);
    if (r->start == start_work) ck_assert_int_eq(at->drops, 1);
    place_close(at);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_gt(n, 2);
}

TEST(test_request_nth_allocation_fails_gives_enomem) {
  expect_enomem(&requests[_i], false);
}

TEST(test_request_out_of_memory_for_good_gives_enomem) {
  expect_enomem(&requests[_i], true);
}

TEST(test_request_after_loop_closed_or_null_fails_clearly) {
  vow_loop_t *loop = loop_open();
  vow_loop_t *kept = vow_loop_ref(loop);
  vow_loop_t *other = loop_open(); /* a failure with a message needs a loop */
  int drops = 0;
  vow_future_t *f[5];
  int i;
  loop_done(loop);
  f[0] = vow_getaddrinfo(kept, "a", NULL, NULL);
  f[1] = vow_queue_work(kept, compute, &drops, count_drop);
  f[2] = vow_fs_stat(kept, "/");
  f[3] = vow_fs_open(NULL, "/", 0, 0);
  f[4] = vow_queue_work(NULL, compute, &drops, count_drop);
  for (i = 0; i < 5; i++) {
    ck_assert_int_eq(vow_status(f[i]), i < 3 ? VOW_ESHUTDOWN : UV_EINVAL);
    ck_assert_msg(strstr(vow_error_message(vow_error(f[i])), "loop is") != NULL,
                  "%d: %s", i, vow_error_message(vow_error(f[i])));
    vow_drop(f[i]);
  }
  ck_assert_int_eq(drops, 2);
  loop_done(other);
  vow_loop_unref(kept);
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, REQUESTS)

SUITE(uv_requests_table) {
  EACH(test_request_undisturbed_succeeds);
  EACH(test_request_names_itself_while_pending);
  EACH(test_request_dropped_unseen_leaves_nothing);
  EACH(test_request_cancelled_before_a_turn_settles_as_its_kind_says);
  EACH(test_request_cancelled_during_a_turn_leaves_nothing);
  EACH(test_request_cancelled_after_it_settled_keeps_its_outcome);
  EACH(test_rule_22_loop_closed_while_request_pends_waits_for_it);
  EACH(test_request_nth_allocation_fails_gives_enomem);
  EACH(test_request_out_of_memory_for_good_gives_enomem);
  ADD(test_request_after_loop_closed_or_null_fails_clearly);
}

/* SPDX-License-Identifier: MIT */
/* Ping-pong over UDP between two sockets of one loop: what an exchange, there
 * and back, costs in CPU. */
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

#define EXCHANGES     5000
#define MESSAGE_BYTES 64

static char message[MESSAGE_BYTES];

static struct sockaddr_in any_port(void) {
  struct sockaddr_in address;
  uv_ip4_addr("127.0.0.1", 0, &address);
  return address;
}

static void bind_to_any(uv_udp_t *udp) {
  struct sockaddr_in address = any_port();
  BENCH_REQUIRE(uv_udp_bind(udp, (const struct sockaddr *)&address, 0) == 0);
}

static struct sockaddr_in address_of(const uv_udp_t *udp) {
  struct sockaddr_in address;
  int length = sizeof address;
  uv_udp_getsockname(udp, (struct sockaddr *)&address, &length);
  return address;
}

/* ---- with vow ------------------------------------------------------------ */

typedef struct end {
  uv_udp_t *udp;
  vow_receiver_t *receiver;
  size_t left; /* to be answered */
} end_t;

static vow_future_t *answer(end_t *end);

static vow_value_t on_sent(vow_future_t *in, void *arg) {
  end_t *end = arg;
  (void)in;
  return end->left > 0 ? vow_follow(answer(end)) : vow_nil();
}

/* Sends a datagram back to where it came from. */
static vow_value_t on_datagram(vow_future_t *in, void *arg) {
  end_t *end = arg;
  vow_datagram_t *d = vow_datagram_get(in);
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)vow_datagram_data(d),
                             (unsigned)vow_datagram_length(d));
  end->left--;
  return vow_follow(vow_then(
      vow_udp_send(end->udp, &buf, 1, vow_datagram_addr(d)), on_sent, end));
}

static vow_future_t *answer(end_t *end) {
  return vow_then(vow_receiver_next(end->receiver), on_datagram, end);
}

static void end_open(end_t *end, vow_loop_t *loop) {
  BENCH_REQUIRE(vow_udp_new(loop, 0, &end->udp) == 0);
  bind_to_any(end->udp);
  BENCH_REQUIRE(vow_receiver_new(end->udp, 0, &end->receiver) == 0);
  end->left = EXCHANGES;
}

static void end_close(end_t *end) {
  BENCH_REQUIRE(end->left == 0);
  vow_receiver_free(end->receiver);
  vow_udp_free(end->udp);
}

static double udp_vow(void) {
  vow_loop_t *loop = bench_loop_new();
  end_t a, b;
  struct sockaddr_in to;
  uv_buf_t buf = uv_buf_init(message, MESSAGE_BYTES);
  vow_future_t *done;
  uint64_t start, end;
  end_open(&a, loop);
  end_open(&b, loop);
  to = address_of(b.udp);
  start = bench_cpu_ns();
  vow_detach(answer(&b));
  vow_drop(vow_udp_send(a.udp, &buf, 1, (const struct sockaddr *)&to));
  done = answer(&a);
  BENCH_REQUIRE(vow_loop_run_until(loop, done) == 0);
  end = bench_cpu_ns();
  vow_drop(done);
  end_close(&a);
  end_close(&b);
  BENCH_REQUIRE(vow_loop_run(loop) == 0);
  bench_loop_done(loop);
  return bench_per_item(start, end, EXCHANGES);
}

/* ---- by hand ------------------------------------------------------------- */

typedef struct raw_end {
  uv_udp_t udp;
  size_t left;
  char room[65536]; /* one datagram at a time is in there */
} raw_end_t;

typedef struct send_req {
  uv_udp_send_t req;
  uv_buf_t buf;
  /* the bytes */
} send_req_t;

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf) {
  raw_end_t *end = handle->data;
  (void)hint;
  *buf = uv_buf_init(end->room, sizeof end->room);
}

static void on_raw_sent(uv_udp_send_t *req, int status) {
  BENCH_REQUIRE(status == 0);
  free(req->data);
}

static void raw_send(uv_udp_t *udp, const char *data, size_t length,
                     const struct sockaddr *to) {
  send_req_t *s = bench_malloc(sizeof *s + length);
  s->buf = uv_buf_init((char *)(s + 1), (unsigned)length);
  s->req.data = s;
  memcpy(s->buf.base, data, length);
  BENCH_REQUIRE(uv_udp_send(&s->req, udp, &s->buf, 1, to, on_raw_sent) == 0);
}

static void on_receive(uv_udp_t *udp, ssize_t nread, const uv_buf_t *buf,
                       const struct sockaddr *from, unsigned flags) {
  raw_end_t *end = udp->data;
  (void)flags;
  BENCH_REQUIRE(nread >= 0);
  if (nread == 0) return;
  raw_send(udp, buf->base, (size_t)nread, from);
  if (--end->left == 0) uv_udp_recv_stop(udp);
}

static void raw_end_open(raw_end_t *end, uv_loop_t *loop) {
  BENCH_REQUIRE(uv_udp_init(loop, &end->udp) == 0);
  end->udp.data = end;
  end->left = EXCHANGES;
  bind_to_any(&end->udp);
  BENCH_REQUIRE(uv_udp_recv_start(&end->udp, on_alloc, on_receive) == 0);
}

static double udp_floor(void) {
  static raw_end_t a, b;
  uv_loop_t loop;
  struct sockaddr_in to;
  uint64_t start, end;
  BENCH_REQUIRE(uv_loop_init(&loop) == 0);
  raw_end_open(&a, &loop);
  raw_end_open(&b, &loop);
  to = address_of(&b.udp);
  start = bench_cpu_ns();
  raw_send(&a.udp, message, MESSAGE_BYTES, (const struct sockaddr *)&to);
  uv_run(&loop, UV_RUN_DEFAULT);
  end = bench_cpu_ns();
  BENCH_REQUIRE(a.left == 0 && b.left == 0);
  uv_close((uv_handle_t *)&a.udp, NULL);
  uv_close((uv_handle_t *)&b.udp, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_REQUIRE(uv_loop_close(&loop) == 0);
  return bench_per_item(start, end, EXCHANGES);
}

const bench_figure_t bench_udp_figures[] = {
    {.name = "udp",
     .unit = "ns/exchange",
     .limit = 1.05,
     .vow = udp_vow,
     .floor = udp_floor,
     .what = "ping-pong of 64 bytes over UDP, both sides, CPU",
     .rounds = 45},
    {.name = NULL}};

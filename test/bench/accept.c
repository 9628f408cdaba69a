/* SPDX-License-Identifier: MIT */
/* Accepting connections and closing them: the server's CPU time for one. The
 * clients are plain sockets, some at a time, on the main thread. */
#define _GNU_SOURCE
#include "bench/bench.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 1000
#define TOGETHER    50

typedef struct server server_t;
struct server {
  void (*run)(server_t *server); /* in a thread of its own */
  vow_loop_t *vow;
  vow_listener_t *listener;
  uv_tcp_t listening;
  uv_sem_t ready;
  int port;
  int accepted;
  double per_connection;
};

/* ---- the clients --------------------------------------------------------- */

static int connect_to(int port) {
  /* Ended with an RST, a connection leaves no TIME_WAIT behind. */
  const struct linger reset = {1, 0};
  struct sockaddr_in address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  BENCH_REQUIRE(fd >= 0);
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  uv_ip4_addr("127.0.0.1", port, &address);
  BENCH_REQUIRE(
      connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
  return fd;
}

/* Connects, and waits until the server has closed. */
static void connect_all(int port) {
  int fds[TOGETHER];
  char byte;
  for (int done = 0; done < CONNECTIONS; done += TOGETHER) {
    for (int i = 0; i < TOGETHER; i++) fds[i] = connect_to(port);
    for (int i = 0; i < TOGETHER; i++) {
      BENCH_REQUIRE(recv(fds[i], &byte, 1, 0) == 0);
      close(fds[i]);
    }
  }
}

/* ---- what the servers share ---------------------------------------------- */

static void bind_any(server_t *server, uv_loop_t *loop) {
  struct sockaddr_in address;
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_init(loop, &server->listening);
  server->listening.data = server;
  BENCH_REQUIRE(uv_tcp_bind(&server->listening,
                            (const struct sockaddr *)&address, 0) == 0);
}

static void listens(server_t *server) {
  struct sockaddr_in address;
  int length = sizeof address;
  uv_tcp_getsockname(&server->listening, (struct sockaddr *)&address, &length);
  server->port = ntohs(address.sin_port);
  uv_sem_post(&server->ready);
}

static void server_thread(void *arg) {
  server_t *server = arg;
  server->run(server);
}

static double serve(void (*run)(server_t *server)) {
  server_t server = {.run = run};
  uv_thread_t thread;
  BENCH_REQUIRE(uv_sem_init(&server.ready, 0) == 0);
  BENCH_REQUIRE(uv_thread_create(&thread, server_thread, &server) == 0);
  uv_sem_wait(&server.ready);
  connect_all(server.port);
  uv_thread_join(&thread);
  uv_sem_destroy(&server.ready);
  BENCH_REQUIRE(server.accepted == CONNECTIONS);
  return server.per_connection;
}

/* ---- with vow ------------------------------------------------------------ */

static void run_vow(server_t *server, vow_then_cb on_accepted) {
  uint64_t start, end;
  vow_future_t *done;
  server->vow = bench_loop_new();
  bind_any(server, vow_loop_uv(server->vow));
  BENCH_REQUIRE(vow_listen(&server->listening, 512, &server->listener) == 0);
  listens(server);
  start = bench_thread_ns();
  done = vow_then(vow_accept(server->listener), on_accepted, server);
  BENCH_REQUIRE(vow_loop_run_until(server->vow, done) == 0);
  vow_listener_free(server->listener);
  uv_close((uv_handle_t *)&server->listening, NULL);
  BENCH_REQUIRE(vow_loop_run(server->vow) == 0);
  end = bench_thread_ns();
  vow_drop(done);
  bench_loop_done(server->vow);
  server->per_connection = bench_per_item(start, end, CONNECTIONS);
}

static vow_value_t accept_next(server_t *server, vow_then_cb on_accepted) {
  if (++server->accepted == CONNECTIONS) return vow_nil();
  return vow_follow(
      vow_then(vow_accept(server->listener), on_accepted, server));
}

static vow_value_t free_accepted(vow_future_t *in, void *arg) {
  vow_tcp_free(vow_tcp_take(in));
  return accept_next(arg, free_accepted);
}

static void run_vow_free(server_t *server) {
  run_vow(server, free_accepted);
}

static vow_value_t on_vow_closed(vow_future_t *in, void *arg) {
  (void)in;
  vow_tcp_free(arg);
  return vow_nil();
}

static vow_value_t close_accepted(vow_future_t *in, void *arg) {
  uv_tcp_t *tcp = vow_tcp_take(in);
  vow_detach(vow_then(vow_close((uv_handle_t *)tcp), on_vow_closed, tcp));
  return accept_next(arg, close_accepted);
}

static void run_vow_close(server_t *server) {
  run_vow(server, close_accepted);
}

static double accept_free_vow(void) {
  return serve(run_vow_free);
}

static double accept_close_vow(void) {
  return serve(run_vow_close);
}

/* ---- by hand ------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle) {
  free(handle);
}

static void on_connection(uv_stream_t *listening, int status) {
  server_t *server = listening->data;
  uv_tcp_t *tcp = bench_malloc(sizeof *tcp);
  BENCH_REQUIRE(status == 0);
  uv_tcp_init(listening->loop, tcp);
  BENCH_REQUIRE(uv_accept(listening, (uv_stream_t *)tcp) == 0);
  uv_close((uv_handle_t *)tcp, on_closed);
  if (++server->accepted == CONNECTIONS)
    uv_close((uv_handle_t *)listening, NULL);
}

static void run_hand(server_t *server) {
  uv_loop_t loop;
  uint64_t start, end;
  BENCH_REQUIRE(uv_loop_init(&loop) == 0);
  bind_any(server, &loop);
  BENCH_REQUIRE(
      uv_listen((uv_stream_t *)&server->listening, 512, on_connection) == 0);
  listens(server);
  start = bench_thread_ns();
  uv_run(&loop, UV_RUN_DEFAULT);
  end = bench_thread_ns();
  BENCH_REQUIRE(uv_loop_close(&loop) == 0);
  server->per_connection = bench_per_item(start, end, CONNECTIONS);
}

static double accept_floor(void) {
  return serve(run_hand);
}

const bench_figure_t bench_accept_figures[] = {
    {.name = "accept",
     .unit = "ns/connection",
     .limit = 1.10,
     .vow = accept_free_vow,
     .floor = accept_floor,
     .what = "accept and vow_tcp_free, server's CPU",
     .rounds = 45},
    {.name = "accept-close",
     .unit = "ns/connection",
     .limit = 1.10,
     .vow = accept_close_vow,
     .floor = accept_floor,
     .what = "accept and vow_close, awaited, server's CPU",
     .rounds = 45},
    {.name = NULL}};

/* SPDX-License-Identifier: MIT */
/* TCP echo: the server's CPU time for a message, 100 connections at a time. */
#include "bench/echo.h"

#include <stdlib.h>

static void on_connection(uv_stream_t *listener, int status) {
  echo_server_t *server = listener->data;
  BENCH_REQUIRE(status == 0);
  server->on_connection(server);
}

void echo_listen(echo_server_t *server, uv_loop_t *loop) {
  struct sockaddr_in address;
  struct sockaddr_storage bound;
  int length = sizeof bound;
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_init(loop, &server->listener);
  server->listener.data = server;
  uv_tcp_bind(&server->listener, (const struct sockaddr *)&address, 0);
  BENCH_REQUIRE(
      uv_listen((uv_stream_t *)&server->listener, 512, on_connection) == 0);
  uv_tcp_getsockname(&server->listener, (struct sockaddr *)&bound, &length);
  server->port = ntohs(((struct sockaddr_in *)&bound)->sin_port);
  uv_sem_post(&server->listening);
}

void echo_accepted(echo_server_t *server) {
  if (++server->accepted < ECHO_CONNECTIONS) return;
  server->start_ns = bench_thread_ns();
}

void echo_ended(echo_server_t *server) {
  if (++server->ended < ECHO_CONNECTIONS) return;
  server->end_ns = bench_thread_ns();
  uv_close((uv_handle_t *)&server->listener, NULL);
}

void echo_run_vow(echo_server_t *server) {
  server->vow = bench_loop_new();
  echo_listen(server, vow_loop_uv(server->vow));
  BENCH_REQUIRE(vow_loop_run(server->vow) == 0);
  bench_loop_done(server->vow);
}

static void server_thread(void *arg) {
  echo_server_t *server = arg;
  server->run(server);
}

static double echo_round(const echo_server_t *kind, size_t size_bytes,
                         size_t times) {
  echo_server_t *server = bench_malloc(sizeof *server);
  uv_thread_t thread;
  double per_message;
  *server = *kind;
  server->size_bytes = size_bytes;
  BENCH_REQUIRE(uv_sem_init(&server->listening, 0) == 0);
  BENCH_REQUIRE(uv_thread_create(&thread, server_thread, server) == 0);
  uv_sem_wait(&server->listening);
  echo_load(server->port, size_bytes, times);
  uv_thread_join(&thread);
  BENCH_REQUIRE(server->ended == ECHO_CONNECTIONS);
  per_message = bench_per_item(server->start_ns, server->end_ns,
                               ECHO_CONNECTIONS * times);
  uv_sem_destroy(&server->listening);
  free(server);
  return per_message;
}

#define SMALL_BYTES 64
#define SMALL_TIMES 250
#define LARGE_BYTES 16384
#define LARGE_TIMES 100

static double small_vow(void) {
  return echo_round(&echo_server_vow, SMALL_BYTES, SMALL_TIMES);
}

static double small_stream(void) {
  return echo_round(&echo_server_stream, SMALL_BYTES, SMALL_TIMES);
}

static double small_floor(void) {
  return echo_round(&echo_server_hand, SMALL_BYTES, SMALL_TIMES);
}

static double large_vow(void) {
  return echo_round(&echo_server_vow, LARGE_BYTES, LARGE_TIMES);
}

static double large_stream(void) {
  return echo_round(&echo_server_stream, LARGE_BYTES, LARGE_TIMES);
}

static double large_floor(void) {
  return echo_round(&echo_server_hand, LARGE_BYTES, LARGE_TIMES);
}

const bench_figure_t bench_echo_figures[] = {
    {.name = "echo-64",
     .unit = "ns/message",
     .limit = 0.97,
     .vow = small_vow,
     .floor = small_floor,
     .what = "TCP echo of 64 bytes, 100 connections, server's CPU",
     .rounds = 25},
    {.name = "echo-16k",
     .unit = "ns/message",
     .limit = 0.97,
     .vow = large_vow,
     .floor = large_floor,
     .what = "TCP echo of 16 KiB, 100 connections, server's CPU",
     .rounds = 25},
    {.name = "stream-64",
     .unit = "ns/message",
     .limit = 1.05,
     .vow = small_stream,
     .floor = small_floor,
     .what = "the same of 64 bytes through streams, read exactly",
     .rounds = 25},
    {.name = "stream-16k",
     .unit = "ns/message",
     .limit = 1.05,
     .vow = large_stream,
     .floor = large_floor,
     .what = "the same of 16 KiB through streams, read exactly",
     .rounds = 25},
    {.name = NULL}};

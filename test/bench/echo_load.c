/* SPDX-License-Identifier: MIT */
/* The load on an echo server: raw libuv, the same for both servers. */
#include "bench/echo.h"

#include <stdlib.h>
#include <string.h>

typedef struct load {
  size_t size_bytes;
  size_t times;
  int connected;
  char *message;
  char *scratch; /* what is read is not looked at */
} load_t;

typedef struct client {
  uv_tcp_t tcp;
  uv_connect_t connect;
  load_t *load;
  size_t got_bytes;
  size_t done;
} client_t;

static void send_message(client_t *c) {
  uv_buf_t buf = uv_buf_init(c->load->message, (unsigned)c->load->size_bytes);
  int n = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);
  BENCH_REQUIRE(n == (int)c->load->size_bytes);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf) {
  client_t *c = handle->data;
  (void)hint;
  *buf = uv_buf_init(c->load->scratch, 65536);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
  client_t *c = stream->data;
  (void)buf;
  BENCH_REQUIRE(nread >= 0);
  c->got_bytes += (size_t)nread;
  if (c->got_bytes < c->load->size_bytes) return;
  BENCH_REQUIRE(c->got_bytes == c->load->size_bytes);
  c->got_bytes = 0;
  if (++c->done < c->load->times) {
    send_message(c);
  } else {
    uv_close((uv_handle_t *)stream, NULL);
  }
}

/* Nobody sends before all are connected. */
static void on_connect(uv_connect_t *req, int status) {
  client_t *c = req->data;
  client_t *first = c;
  BENCH_REQUIRE(status == 0);
  BENCH_REQUIRE(uv_read_start(req->handle, on_alloc, on_read) == 0);
  uv_tcp_nodelay(&c->tcp, 1);
  if (++c->load->connected < ECHO_CONNECTIONS) return;
  first = c->tcp.loop->data;
  for (int i = 0; i < ECHO_CONNECTIONS; i++) send_message(&first[i]);
}

void echo_load(int port, size_t size_bytes, size_t times) {
  load_t load = {size_bytes, times, 0, NULL, NULL};
  client_t *clients = bench_malloc(ECHO_CONNECTIONS * sizeof *clients);
  struct sockaddr_in address;
  uv_loop_t loop;
  load.message = bench_malloc(size_bytes);
  load.scratch = bench_malloc(65536);
  memset(load.message, 'v', size_bytes);
  BENCH_REQUIRE(uv_loop_init(&loop) == 0);
  loop.data = clients;
  uv_ip4_addr("127.0.0.1", port, &address);
  for (int i = 0; i < ECHO_CONNECTIONS; i++) {
    client_t *c = &clients[i];
    memset(c, 0, sizeof *c);
    uv_tcp_init(&loop, &c->tcp);
    c->load = &load;
    c->tcp.data = c;
    c->connect.data = c;
    BENCH_REQUIRE(uv_tcp_connect(&c->connect, &c->tcp,
                                 (const struct sockaddr *)&address,
                                 on_connect) == 0);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_REQUIRE(uv_loop_close(&loop) == 0);
  free(load.message);
  free(load.scratch);
  free(clients);
}

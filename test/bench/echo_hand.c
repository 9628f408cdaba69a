/* SPDX-License-Identifier: MIT */
/* The echo server by hand: raw libuv, as its guide writes it, with a malloc'd
 * buffer for each read and a malloc'd request for each uv_write. */
#include "bench/echo.h"

#include <stdlib.h>

typedef struct conn {
  uv_tcp_t tcp;
  echo_server_t *server;
} conn_t;

typedef struct write_req {
  uv_write_t req;
  uv_buf_t buf;
} write_req_t;

static void on_closed(uv_handle_t *handle) {
  conn_t *c = handle->data;
  echo_ended(c->server);
  free(c);
}

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf) {
  (void)handle;
  buf->base = bench_malloc(hint);
  buf->len = hint;
}

static void on_written(uv_write_t *req, int status) {
  write_req_t *w = (write_req_t *)(void *)req;
  BENCH_REQUIRE(status == 0);
  free(w->buf.base);
  free(w);
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
  write_req_t *w;
  if (nread <= 0) {
    free(buf->base);
    if (nread == 0) return;
    BENCH_REQUIRE(nread == UV_EOF);
    uv_close((uv_handle_t *)stream, on_closed);
    return;
  }
  w = bench_malloc(sizeof *w);
  w->buf = uv_buf_init(buf->base, (unsigned)nread);
  BENCH_REQUIRE(uv_write(&w->req, stream, &w->buf, 1, on_written) == 0);
}

static void hand_on_connection(echo_server_t *server) {
  conn_t *c = bench_malloc(sizeof *c);
  uv_stream_t *stream = (uv_stream_t *)&c->tcp;
  c->server = server;
  uv_tcp_init(server->listener.loop, &c->tcp);
  c->tcp.data = c;
  BENCH_REQUIRE(uv_accept((uv_stream_t *)&server->listener, stream) == 0);
  uv_tcp_nodelay(&c->tcp, 1);
  echo_accepted(server);
  BENCH_REQUIRE(uv_read_start(stream, on_alloc, on_read) == 0);
}

static void hand_run(echo_server_t *server) {
  uv_loop_t loop;
  BENCH_REQUIRE(uv_loop_init(&loop) == 0);
  echo_listen(server, &loop);
  uv_run(&loop, UV_RUN_DEFAULT);
  BENCH_REQUIRE(uv_loop_close(&loop) == 0);
}

const echo_server_t echo_server_hand = {.run = hand_run,
                                        .on_connection = hand_on_connection};

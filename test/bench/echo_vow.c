/* SPDX-License-Identifier: MIT */
/* The echo server with vow, on raw handles. */
#include "bench/echo.h"

#include <stdlib.h>

typedef struct conn {
  uv_tcp_t tcp;
  vow_reader_t *reader;
  echo_server_t *server;
} conn_t;

static vow_future_t *serve(conn_t *c);

static vow_value_t on_written(vow_future_t *in, void *arg) {
  (void)in;
  return vow_follow(serve(arg));
}

static vow_value_t on_piece(vow_future_t *in, void *arg) {
  conn_t *c = arg;
  vow_bytes_t *piece = vow_bytes_get(in);
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)vow_bytes_data(piece),
                             (unsigned)vow_bytes_length(piece));
  vow_future_t *written = vow_write((uv_stream_t *)&c->tcp, &buf, 1);
  return vow_follow(vow_then(written, on_written, c));
}

/* Echoes until the stream ends, with an error then. */
static vow_future_t *serve(conn_t *c) {
  return vow_then(vow_reader_next(c->reader), on_piece, c);
}

static vow_value_t on_closed(vow_future_t *in, void *arg) {
  conn_t *c = arg;
  (void)in;
  echo_ended(c->server);
  free(c);
  return vow_nil();
}

static vow_value_t on_end(vow_future_t *in, void *arg) {
  conn_t *c = arg;
  BENCH_REQUIRE(vow_status(in) == UV_EOF);
  vow_reader_free(c->reader);
  return vow_follow(vow_then(vow_close((uv_handle_t *)&c->tcp), on_closed, c));
}

static void vow_on_connection(echo_server_t *server) {
  conn_t *c = bench_malloc(sizeof *c);
  uv_stream_t *stream = (uv_stream_t *)&c->tcp;
  c->server = server;
  uv_tcp_init(server->listener.loop, &c->tcp);
  BENCH_REQUIRE(uv_accept((uv_stream_t *)&server->listener, stream) == 0);
  uv_tcp_nodelay(&c->tcp, 1);
  BENCH_REQUIRE(vow_reader_new(stream, 0, &c->reader) == 0);
  echo_accepted(server);
  vow_detach(vow_handle(serve(c), on_end, c));
}

const echo_server_t echo_server_vow = {.run = echo_run_vow,
                                       .on_connection = vow_on_connection};

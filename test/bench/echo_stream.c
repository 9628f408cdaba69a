/* SPDX-License-Identifier: MIT */
/* The echo server with vow's streams: whole messages are read. */
#include "bench/echo.h"

#include <stdlib.h>

typedef struct conn {
  vow_stream_t *stream;
  echo_server_t *server;
} conn_t;

static vow_future_t *serve(conn_t *c);

static vow_value_t on_written(vow_future_t *in, void *arg) {
  (void)in;
  return vow_follow(serve(arg));
}

static vow_value_t on_message(vow_future_t *in, void *arg) {
  conn_t *c = arg;
  vow_future_t *written = vow_stream_write_bytes(c->stream, vow_bytes_get(in));
  return vow_follow(vow_then(written, on_written, c));
}

/* Echoes until the stream ends, with an error then. */
static vow_future_t *serve(conn_t *c) {
  vow_future_t *message =
      vow_stream_read_exactly(c->stream, c->server->size_bytes);
  return vow_then(message, on_message, c);
}

static vow_value_t on_closed(vow_future_t *in, void *arg) {
  conn_t *c = arg;
  (void)in;
  echo_ended(c->server);
  vow_stream_unref(c->stream);
  free(c);
  return vow_nil();
}

static vow_value_t on_end(vow_future_t *in, void *arg) {
  conn_t *c = arg;
  BENCH_REQUIRE(vow_status(in) == UV_EOF);
  return vow_follow(vow_then(vow_stream_close(c->stream), on_closed, c));
}

static void stream_on_connection(echo_server_t *server) {
  conn_t *c = bench_malloc(sizeof *c);
  uv_tcp_t *tcp;
  uv_stream_t *handle;
  c->server = server;
  BENCH_REQUIRE(vow_tcp_new(server->vow, &tcp) == 0);
  handle = (uv_stream_t *)tcp;
  BENCH_REQUIRE(uv_accept((uv_stream_t *)&server->listener, handle) == 0);
  uv_tcp_nodelay(tcp, 1);
  BENCH_REQUIRE(vow_stream_from_uv(handle, VOW_STREAM_OWNED, &c->stream) == 0);
  echo_accepted(server);
  vow_detach(vow_handle(serve(c), on_end, c));
}

const echo_server_t echo_server_stream = {
    .run = echo_run_vow, .on_connection = stream_on_connection};

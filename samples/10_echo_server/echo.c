/* SPDX-License-Identifier: MIT */
/* The echo server: two loops of steps, one that accepts, one a connection. */
#include "echo.h"

#include <stdio.h>
#include <stdlib.h>

peer_t *peer_new(uv_tcp_t *tcp) {
  peer_t *peer = calloc(1, sizeof *peer);
  if (peer == NULL) {
    vow_tcp_free(tcp);
    return NULL;
  }
  peer->tcp = tcp;
  if (vow_reader_new((uv_stream_t *)tcp, 0, &peer->reader) == 0) return peer;
  peer_free(peer);
  return NULL;
}

void peer_free(void *arg) {
  peer_t *peer = arg;
  vow_reader_free(peer->reader);
  vow_tcp_free(peer->tcp); /* frees it when libuv has let go of it */
  free(peer);
}

vow_future_t *peer_send(peer_t *peer, const char *data, size_t length) {
  uv_buf_t buf = uv_buf_init((char *)data, (unsigned)length);
  return vow_write((uv_stream_t *)peer->tcp, &buf, 1);
}

/* ---- one connection ------------------------------------------------------ */

static vow_value_t send_back(vow_future_t *in, void *arg) {
  vow_bytes_t *bytes = vow_bytes_get(in);
  return vow_follow(
      peer_send(arg, vow_bytes_data(bytes), vow_bytes_length(bytes)));
}

static vow_value_t again(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_again();
}

/* Waits for its write before it reads on: a client that sends and never reads
 * fills its own buffers, not ours. */
static vow_future_t *echo_once(vow_loop_t *loop, uint64_t i, void *arg) {
  peer_t *peer = arg;
  (void)loop;
  (void)i;
  vow_future_t *f = vow_reader_next(peer->reader);
  f = vow_then(f, send_back, peer);
  return vow_then(f, again, NULL);
}

/* A connection always ends with an error; the end of the stream is the good
 * one. Caught here, it does not reach the server. */
static vow_value_t say_goodbye(vow_future_t *in, void *arg) {
  (void)arg;
  int status = vow_status(in);
  if (status != UV_EOF) fprintf(stderr, "client: %s\n", vow_strerror(status));
  return vow_nil();
}

/* ---- all of them --------------------------------------------------------- */

static vow_value_t welcome(vow_future_t *in, void *arg) {
  (void)arg;
  peer_t *peer = peer_new(vow_tcp_take(in));
  if (peer == NULL) return vow_fail(UV_ENOMEM);
  /* The peer lives as long as its loop of steps, which frees it. Nobody waits
   * for that: the next client comes first. */
  vow_future_t *f = vow_repeat(vow_loop_of(in), echo_once, peer, peer_free);
  vow_detach(vow_catch(f, say_goodbye, NULL));
  return vow_again();
}

static vow_future_t *accept_once(vow_loop_t *loop, uint64_t i, void *arg) {
  (void)loop;
  (void)i;
  return vow_then(vow_accept(arg), welcome, NULL);
}

vow_future_t *echo_serve(vow_loop_t *loop, vow_listener_t *listener) {
  return vow_repeat(loop, accept_once, listener);
}

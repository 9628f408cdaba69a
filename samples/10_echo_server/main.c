/* SPDX-License-Identifier: MIT */
/* An echo server on raw libuv handles. `10_echo_server PORT` serves until
 * Ctrl-C; without a port it serves one visitor of its own, and ends. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "echo.h"

/* Listens on the loopback. What it made is the caller's to free, also when it
 * fails. */
static int start(vow_loop_t *loop, int port, uv_tcp_t **ret_tcp,
                 vow_listener_t **ret_listener) {
  struct sockaddr_in addr;
  int rc = uv_ip4_addr("127.0.0.1", port, &addr);
  if (rc == 0) rc = vow_tcp_new(loop, ret_tcp);
  if (rc == 0) rc = uv_tcp_bind(*ret_tcp, (const struct sockaddr *)&addr, 0);
  if (rc == 0) rc = vow_listen(*ret_tcp, 128, ret_listener);
  return rc;
}

/* ---- the visitor: says three things and prints what comes back ----------- */

static vow_value_t print_bytes(vow_future_t *in, void *arg) {
  (void)arg;
  vow_bytes_t *bytes = vow_bytes_get(in);
  fwrite(vow_bytes_data(bytes), 1, vow_bytes_length(bytes), stdout);
  return vow_again();
}

static vow_future_t *print_once(vow_loop_t *loop, uint64_t i, void *arg) {
  peer_t *peer = arg;
  (void)loop;
  (void)i;
  return vow_then(vow_reader_next(peer->reader), print_bytes, NULL);
}

/* TCP keeps no borders between messages, so it reads until the server, which
 * has seen our shutdown, closes as well. */
static vow_value_t talk(vow_future_t *in, void *arg) {
  peer_t *peer = arg;
  vow_loop_t *loop = vow_loop_of(in);
  return vow_follow(vow_gather_of(
      loop, peer_send(peer, "one\n", 4), peer_send(peer, "two\n", 4),
      peer_send(peer, "three\n", 6), vow_shutdown((uv_stream_t *)peer->tcp),
      vow_repeat(loop, print_once, peer)));
}

/* The end is what a visitor waits for; a step of its own, as it is an error
 * to the reader. */
static vow_value_t expect_end(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_status(in) == UV_EOF ? vow_nil() : vow_outcome(in);
}

static vow_future_t *visit(vow_loop_t *loop, const uv_tcp_t *server) {
  struct sockaddr_storage addr;
  int length = sizeof addr;
  uv_tcp_t *tcp;
  int rc = uv_tcp_getsockname(server, (struct sockaddr *)&addr, &length);
  if (rc == 0) rc = vow_tcp_new(loop, &tcp);
  if (rc != 0) return vow_ready(loop, vow_fail(rc));
  peer_t *peer = peer_new(tcp);
  if (peer == NULL) return vow_ready(loop, vow_fail(UV_ENOMEM));
  vow_future_t *f = vow_tcp_connect(tcp, (const struct sockaddr *)&addr);
  f = vow_then(f, talk, peer);
  /* peer_free runs after expect_end, and also if that can never run. */
  return vow_handle(f, expect_end, peer, peer_free);
}

/* ---- the program --------------------------------------------------------- */

int main(int argc, char **argv) {
  vow_loop_t *loop;
  uv_tcp_t *tcp = NULL;
  vow_listener_t *listener = NULL;
  long port = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
  if (port < 0 || port > 65535 || (argc > 1 && port == 0)) {
    fprintf(stderr, "usage: 10_echo_server [PORT], 1 to 65535\n");
    return 2;
  }
  /* Writing to a client that has gone shall be an error, UV_EPIPE, and not the
   * signal that ends a process: libuv leaves that to its user. */
  signal(SIGPIPE, SIG_IGN);
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }

  rc = start(loop, (int)port, &tcp, &listener);
  if (rc != 0) {
    fprintf(stderr, "cannot listen: %s\n", vow_strerror(rc));
  } else {
    /* The server never ends by itself; the race cancels it, and waits for it,
     * when Ctrl-C is pressed or the visitor has left. */
    vow_value_t result;
    vow_future_t *serve = echo_serve(loop, listener);
    vow_future_t *stop =
        argc > 1 ? vow_signal_once(loop, SIGINT) : visit(loop, tcp);
    rc = vow_await_blocking(vow_race_of(loop, serve, stop), &result);
    if (rc != 0) fprintf(stderr, "server: %s\n", vow_strerror(rc));
    vow_value_destroy(result);
  }

  vow_listener_free(listener);
  vow_tcp_free(tcp);
  /* Cancels the connections that are still open, and waits for them. */
  if (vow_loop_close(loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}

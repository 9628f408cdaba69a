/* SPDX-License-Identifier: MIT */
/* A small HTTP server to test clients against; routes.c lists its paths.
 * `server [PORT]` listens on the loopback (port 0, the default, is one that is
 * free), prints the port and then the path of each request, and serves until
 * SIGINT or SIGTERM. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "connection.h"

enum { BACKLOG = 1024, GRACE_MS = 2000 };

typedef struct server {
  vow_loop_t *loop;
  uv_tcp_t *tcp;
  vow_listener_t *listener;
  vow_token_t *connections; /* what all of them are bound to */
  int port;
} server_t;

/* ---- serving ------------------------------------------------------------- */

static vow_value_t welcome(vow_future_t *in, void *arg) {
  server_t *server = arg;
  uv_tcp_t *tcp = vow_tcp_take(in);
  if (tcp == NULL) return vow_fail_last();
  vow_future_t *f = connection_serve(server->loop, tcp);
  vow_detach(vow_with_token(f, server->connections));
  return vow_again();
}

static vow_value_t again(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_again();
}

/* One accept that fails, for want of descriptors say, does not end a server;
 * but it must not be tried again at once and for ever either. */
static vow_value_t take_breath(vow_future_t *in, void *arg) {
  server_t *server = arg;
  fprintf(stderr, "server: accept: %s\n", vow_strerror(vow_status(in)));
  return vow_follow(vow_then(vow_sleep(server->loop, 100), again, NULL));
}

static vow_future_t *accept_once(vow_loop_t *loop, uint64_t i, void *arg) {
  server_t *server = arg;
  (void)loop;
  (void)i;
  vow_future_t *f = vow_then(vow_accept(server->listener), welcome, server);
  return vow_catch(f, take_breath, server);
}

/* Serves until a signal comes; by then every connection has unwound. */
static int serve(server_t *server) {
  vow_loop_t *loop = server->loop;
  vow_value_t result;
  vow_future_t *f = vow_race_of(loop, vow_repeat(loop, accept_once, server),
                                vow_signal_once(loop, SIGINT),
                                vow_signal_once(loop, SIGTERM));
  /* Only now: who waits for the port may send a signal as soon as it is there.
   */
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("%d\n", server->port);
  int rc = vow_await_blocking(f, &result);
  vow_value_destroy(result);
  if (rc != 0) return rc;
  rc = vow_await_blocking(vow_token_close(server->connections), &result);
  vow_value_destroy(result);
  return rc;
}

/* ---- beginning and end -----------------------------------------------------
 */

static int listen_on(server_t *server, int port) {
  struct sockaddr_in addr;
  int length = sizeof addr;
  int rc = uv_ip4_addr("127.0.0.1", port, &addr);
  server->connections = vow_token_new(server->loop);
  if (server->connections == NULL) return UV_ENOMEM;
  if (rc == 0) rc = vow_tcp_new(server->loop, &server->tcp);
  if (rc != 0) return rc;
  rc = uv_tcp_bind(server->tcp, (const struct sockaddr *)&addr, 0);
  if (rc == 0) rc = vow_listen(server->tcp, BACKLOG, &server->listener);
  if (rc != 0) return rc;
  rc = uv_tcp_getsockname(server->tcp, (struct sockaddr *)&addr, &length);
  server->port = ntohs(addr.sin_port);
  return rc;
}

int main(int argc, char **argv) {
  server_t server = {NULL, NULL, NULL, NULL, 0};
  char *end = "";
  long port = argc > 1 ? strtol(argv[1], &end, 10) : 0;
  int rc;
  if (argc > 2 || *end != '\0' || port < 0 || port > 65535) {
    fprintf(stderr, "usage: server [PORT]\n");
    return 2;
  }
  /* Writing to a client that has gone shall be an error, UV_EPIPE, and not the
   * signal that ends a process: libuv leaves that to its user. */
  signal(SIGPIPE, SIG_IGN);
  rc = vow_loop_new(NULL, &server.loop);
  if (rc != 0) {
    fprintf(stderr, "server: cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }
  rc = listen_on(&server, (int)port);
  if (rc == 0) rc = serve(&server);
  if (rc != 0) fprintf(stderr, "server: %s\n", vow_strerror(rc));

  vow_token_free(server.connections);
  vow_listener_free(server.listener);
  vow_tcp_free(server.tcp);
  if (vow_loop_close(server.loop, GRACE_MS) != 0) {
    fprintf(stderr, "server: something did not end\n");
    return 1;
  }
  return rc == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/* The component under test: a client of a line protocol. It connects, and
 * connects again with a growing pause when that fails or the connection is
 * lost; it says PING when it has been idle. One question at a time.
 *
 *   client: HELLO    PING    what you ask
 *   server: OK       PONG    its answer */
#ifndef CLIENT_H
#define CLIENT_H

#include <vow.h>

/** How it connects: vow_connect in production, something else in tests. */
typedef vow_future_t *(*client_connect_cb)(vow_loop_t *loop, const char *host,
                                           const char *service, void *arg);

typedef struct client_options {
  client_connect_cb connect;
  void *connect_arg;
  const char *host, *service;
  int64_t timeout_ms;    /* for connecting, and for each answer */
  int64_t heartbeat_ms;  /* PING when nothing was asked for so long */
  uint64_t pause_ms;     /* before connecting again; doubled each time, */
  uint64_t pause_max_ms; /* up to this */
} client_options_t;

typedef struct client client_t;

/** A client that begins to connect; NULL for want of memory. The options'
 *  strings are borrowed until it is closed. */
client_t *client_new(vow_loop_t *loop, const client_options_t *options);

/** Succeeds with the answer, bytes, once connected; fails when the connection
 *  is lost meanwhile, or with UV_ETIMEDOUT. */
vow_future_t *client_ask(client_t *c, const char *question);

/** How often it has been connected. */
unsigned client_connections(const client_t *c);

/** Ends it: settles, as cancelled, when everything is closed and c is gone. */
vow_future_t *client_close(client_t *c);

#endif

/* SPDX-License-Identifier: MIT */
/* One connection of the test server: a request, an answer, the end. */
#ifndef SERVER_CONNECTION_H
#define SERVER_CONNECTION_H

#include <vow.h>

enum { REQUEST_MAX = 8192 };

typedef struct connection {
  vow_loop_t *loop;
  uv_tcp_t *tcp;
  vow_reader_t *reader;
  uint64_t to_send_bytes; /* of a body that is sent in pieces */
  size_t request_length;
  char request[REQUEST_MAX + 1];
} connection_t;

/* Serves tcp to its end; succeeds with nil when it is closed. A client that
 * breaks off is no failure.
 * Ownership: takes tcp over, also when it fails. */
vow_future_t *connection_serve(vow_loop_t *loop, uv_tcp_t *tcp);

/* Sends length bytes as they are. */
vow_future_t *connection_send(connection_t *c, const char *data, size_t length);

/* Sends a text made as printf does. */
vow_future_t *connection_sendf(connection_t *c, const char *format, ...)
    VOW_PRINTF(2, 3);

#endif

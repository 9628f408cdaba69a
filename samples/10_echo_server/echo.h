/* SPDX-License-Identifier: MIT */
/* A connection, and the server that sends back what connections bring. */
#ifndef SAMPLE_ECHO_H
#define SAMPLE_ECHO_H

#include <vow.h>

typedef struct peer {
  uv_tcp_t *tcp;
  vow_reader_t *reader;
} peer_t;

/* A peer on tcp, which it takes over even when it fails; NULL then. */
peer_t *peer_new(uv_tcp_t *tcp);

/* Closes the connection; a vow_drop_cb. */
void peer_free(void *peer);

/* Succeeds when all bytes were taken by the kernel, or copied and sent. */
vow_future_t *peer_send(peer_t *peer, const char *data, size_t length);

/* Serves connections until it is cancelled. */
vow_future_t *echo_serve(vow_loop_t *loop, vow_listener_t *listener);

#endif

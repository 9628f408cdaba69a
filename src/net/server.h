/* SPDX-License-Identifier: MIT */
/* Inside a server: the operation that lives as long as it serves, what it
 * listens on, and an operation for each connection.
 *
 * How this works. serve.c holds the server's life, listeners.c opens, accepts
 * and pauses, connection.c runs a handler and closes behind it. Callbacks of
 * libuv's and of timers only accept and queue; users' callbacks, handler and
 * on_error, run from the ready queue alone, each with the operation pinned. A
 * connection that cannot be accepted now is left with libuv, which then asks
 * the kernel for no more. */
#ifndef VOW_NET_SERVER_H
#define VOW_NET_SERVER_H

#include <vow/op.h>
#include <vow/serve.h>

typedef struct vow__connection vow__connection_t;

typedef struct vow__listening {
  vow_waiter_t closing;
  vow_server_t *server;
  uv_stream_t *handle; /* NULL once closed */
  bool held;           /* libuv holds a connection for us */
} vow__listening_t;

enum { VOW__SERVING, VOW__STOPPING, VOW__STOPPED };

struct vow_server {
  vow_op_t op;
  vow_serve_cb handler;
  void *arg;
  vow_serve_options_t options;

  vow__listening_t *listening;
  size_t n;
  size_t open; /* of them */
  size_t turn; /* who may accept first */

  vow__connection_t *first;
  size_t count;
  vow__connection_t *current; /* whose handler is being called */

  vow_timer_t timer;    /* serving: look again; stopping: the deadline */
  uint64_t deadline_ms; /* UINT64_MAX: none */
  vow_waiter_t news;    /* a failure to accept, to be told */
  int reserve;          /* a descriptor to give up in need; -1: none */
  bool paused;          /* memory or descriptors are low */
  uint8_t phase;
};

struct vow__connection {
  vow_op_t op;
  vow_waiter_t waiter; /* on the start, the handler's future, the closing */
  vow_server_t *server;
  vow_stream_t *stream;
  vow_token_t *token; /* NULL until asked for */
  vow__connection_t *next;
  vow__connection_t **link;
  bool asked; /* to end */
  uint8_t phase;
};

static inline const char *vow__server_site(const vow_server_t *s) {
  return vow_site((const vow_future_t *)(const void *)s);
}

/* ---- serve.c ------------------------------------------------------------- */

/** Tells on_error, or the loop's hook, of f's failure; consumes f. */
void vow__server_report(vow_server_t *s, vow_future_t *f);
/** A connection has gone, or a listener: accepts again, or settles. s may be
 *  gone then. */
void vow__server_step(vow_server_t *s);

/* ---- listeners.c --------------------------------------------------------- */

/** Opens number i as on says; an error with its message recorded. */
int vow__listening_open(vow_server_t *s, size_t i, const vow_serve_on_t *on,
                        int backlog);
/** Closes all; each counts s->open down when it has closed. */
void vow__listening_close(vow_server_t *s);
/** One has closed. */
void vow__listening_closed(vow_server_t *s, vow__listening_t *l);
/** Accepts what libuv holds, as far as may be now. */
void vow__listening_resume(vow_server_t *s);

/* ---- connection.c -------------------------------------------------------- */

/** A connection that owns handle, which is consumed, also on error; not in the
 *  server's list yet. */
int vow__connection_new(vow_server_t *s, uv_stream_t *handle,
                        vow__connection_t **ret_c);
/** It is connected: has the handler called. Consumed by the server. */
void vow__connection_begin(vow__connection_t *c);
/** It could not be accepted. */
void vow__connection_discard(vow__connection_t *c);
vow_token_t *vow__connection_token(vow__connection_t *c);

#endif

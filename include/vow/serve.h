/* SPDX-License-Identifier: MIT */
/* Serving: listens on several addresses, gives every connection to a handler,
 * limits how many there are, and ends with grace. */
#ifndef VOW_SERVE_H
#define VOW_SERVE_H

#include <vow/stream.h>

VOW_BEGIN_DECLS

typedef struct vow_server vow_server_t;

/** One thing to listen on: addr, pipe, or else host and port. */
typedef struct vow_serve_on {
  /** In digits, "127.0.0.1" or "::1"; NULL: every address of this machine. */
  const char *host;
  /** 0: one that is free; see vow_server_port. */
  int port;
  /** An IPv4 or IPv6 address, for instance one that was resolved. */
  const struct sockaddr *addr;
  /** The path of a local socket, which must not exist yet; it goes with the
   *  server. */
  const char *pipe;
} vow_serve_on_t;

/** Serves one connection. The server owns stream and closes it when the future
 *  has settled; to keep what was written, end with the write. NULL counts as
 *  UV_EINVAL. Runs from the ready queue. */
typedef vow_future_t *(*vow_serve_cb)(vow_stream_t *stream, void *arg);

/** Told of a failure that ended one connection, or kept one from being
 *  accepted; it is borrowed. May call anything that does not run the loop. */
typedef void (*vow_serve_error_cb)(vow_server_t *server, vow_value_t failure,
                                   void *arg);

/** Settings of a server; zero a field for its default. */
typedef struct vow_serve_options {
  /** How many connections the kernel keeps waiting; default 511. */
  int backlog;
  /** At this many connections no more are accepted until one ends: the others
   *  wait in the kernel, but for one a listener that libuv holds. Default: no
   *  limit. */
  size_t max_connections;
  /** Sets TCP_NODELAY on each. */
  bool nodelay;
  /** Probes an idle connection after so many seconds; 0: never. */
  unsigned keepalive_s;
  /** Handlers are bound to it: when it is cancelled they are, and the
   *  connections end; the server goes on. It is the parent of the connections'
   *  tokens. Must live until the server has ended. May be NULL. */
  vow_token_t *token;
  /** Default: failures go to the loop's hook for those that nobody saw. */
  vow_serve_error_cb on_error;
  void *on_error_arg;
} vow_serve_options_t;

/** vow_serve(loop, n, on, handler, arg, options, ret_server)
 *  Listens on all of n and calls handler(stream, arg) for each connection. A
 *  handler that fails ends its own connection only; one that is cancelled
 *  does so silently.
 *  When descriptors or memory run low it accepts no more, so that connections
 *  wait in the kernel, and looks again when one ends and every 100 ms; on_error
 *  hears of each pause once (UV_EMFILE, UV_ENOMEM). Connections that come when
 *  there are no descriptors at all are closed by libuv.
 *  Ownership: on, what it points to and options are only read during the call;
 *    arg is borrowed until the server has ended. The caller owns *ret_server
 *    until vow_server_free.
 *  Errors: UV_EINVAL (NULL, n is 0, a host that is not in digits, a port or
 *    backlog that is none), UV_EADDRINUSE, UV_EACCES and so on, of which
 *    vow_last_message names the address; UV_ENOTSUP (the loop is not on libuv),
 *    UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN: then nothing listens, and
 *    *ret_server is not written. 0.
 *  Thread: the loop's. handler never runs in this call. */
#define vow_serve(loop, n, on, handler, arg, options, ret_server)        \
  vow_serve_at(VOW_SITE, (loop), (n), (on), (handler), (arg), (options), \
               (ret_server))
VOW_EXPORT int vow_serve_at(const char *site, vow_loop_t *loop, size_t n,
                            const vow_serve_on_t on[], vow_serve_cb handler,
                            void *arg, const vow_serve_options_t *options,
                            vow_server_t **ret_server);

/** vow_server_shutdown(server, deadline_ms)
 *  Ends with grace: stops listening, waits for the handlers, cancels those that
 *  have not ended deadline_ms from now (0: at once; UINT64_MAX: never), and
 *  succeeds with nil when every connection is closed. Called again, the
 *  earliest deadline holds. Cancelling or dropping the result changes nothing.
 *  Ownership: server is borrowed. The caller owns the result.
 *  Errors: UV_EINVAL (NULL); UV_ENOMEM: it ends all the same, but nothing tells
 *    when; VOW_ETHREAD, VOW_ESHUTDOWN; through the result. For want of memory
 *    for a timer the handlers are cancelled at once.
 *  Thread: the loop's. No continuation runs in this call. */
#define vow_server_shutdown(server, deadline_ms) \
  vow_server_shutdown_at(VOW_SITE, (server), (deadline_ms))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_server_shutdown_at(
    const char *site, vow_server_t *server, uint64_t deadline_ms);

/** vow_server_free(server)
 *  Gives the server up. One that has not ended does so as with a shutdown
 *  without grace; unless one is under way: then that goes on.
 *  Ownership: consumes server. NULL is allowed. arg, and options.token, are in
 *    use until the last connection is closed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_server_free(vow_server_t *server);

/** vow_server_connections(server)
 *  How many connections there are, those included that are being closed.
 *  Ownership: server is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_server_connections(const vow_server_t *server);

/** vow_server_address(server, i, ret_addr)
 *  What number i of the addresses really is, after port 0 for instance.
 *  Ownership: *ret_addr is written on success only.
 *  Errors: UV_EINVAL (NULL, no such number, a pipe), VOW_ESHUTDOWN (it does not
 *    listen any more); 0.
 *  Thread: the loop's. Source: uv_tcp_getsockname. */
VOW_EXPORT int vow_server_address(const vow_server_t *server, size_t i,
                                  struct sockaddr_storage *ret_addr);

/** vow_server_port(server, i)
 *  The port of that address.
 *  Ownership: server is borrowed.
 *  Errors: as vow_server_address, as a number below 0.
 *  Thread: the loop's. */
VOW_EXPORT int vow_server_port(const vow_server_t *server, size_t i);

/** vow_server_token(server)
 *  In a call of the handler: the token of that connection, made at the first
 *  call. It is cancelled when the connection is asked to end: by a shutdown's
 *  deadline, options.token (with its reason) or the loop's closing; and freed
 *  when it is closed.
 *  Ownership: borrowed until the handler's future has settled.
 *  Errors: NULL when no handler is being called, when server is NULL, or for
 *    want of memory.
 *  Thread: the loop's. */
VOW_EXPORT vow_token_t *vow_server_token(const vow_server_t *server);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* TCP handles: made and freed by vow, connecting, listening, accepting. */
#ifndef VOW_TCP_H
#define VOW_TCP_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** The type of a handle that vow made: uv_tcp_t *, ended by vow_tcp_free. */
VOW_EXPORT extern const vow_type_t vow_type_tcp;

/** vow_tcp_new(loop, ret_tcp)
 *  An initialised uv_tcp_t on the heap; its `data` field is yours.
 *  Ownership: the caller owns *ret_tcp until vow_tcp_free.
 *  Errors: UV_EINVAL (NULL), UV_ENOTSUP (the loop is not on libuv), UV_ENOMEM,
 *    or what uv_tcp_init says; *ret_tcp is not written then. 0.
 *  Thread: the loop's. Source: uv_tcp_init. */
#define vow_tcp_new(loop, ret_tcp) vow_tcp_new_at(VOW_SITE, (loop), (ret_tcp))
VOW_EXPORT int vow_tcp_new_at(const char *site, vow_loop_t *loop,
                              uv_tcp_t **ret_tcp);

/** vow_tcp_free(tcp)
 *  Closes what vow_tcp_new or vow_accept made, and frees it when libuv has let
 *  go of it. Everything on it ends as with vow_close. It may have been given
 *  to vow_close before; one given to uv_close, after its callback.
 *  Ownership: consumes tcp. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. */
VOW_EXPORT void vow_tcp_free(uv_tcp_t *tcp);

/** vow_tcp_get(f), vow_tcp_take(f)
 *  vow_get and vow_take with the type of these handles.
 *  Ownership, Errors, Thread: as those; give what was taken to
 *    vow_tcp_free. */
VOW_EXPORT uv_tcp_t *vow_tcp_get(vow_future_t *f);
VOW_EXPORT uv_tcp_t *vow_tcp_take(vow_future_t *f);

/** vow_tcp_connect(tcp, addr)
 *  Connects tcp; succeeds with nil.
 *  Cancelled, the future settles at once while libuv goes on: the handle is
 *  then fit for nothing but closing.
 *  Ownership: tcp is borrowed until it is closed; addr is copied. The caller
 *    owns the result.
 *  Errors: UV_ECONNREFUSED and other network errors, with a message that names
 *    the address; VOW_ESHUTDOWN when tcp was closed meanwhile; UV_EINVAL (NULL,
 *    an unknown address family, no vow loop on its uv_loop_t), UV_EALREADY or
 *    UV_EISCONN (connecting or connected), UV_ENOMEM, VOW_ETHREAD; through the
 *    result.
 *  Thread: the loop's. Source: uv_tcp_connect. */
#define vow_tcp_connect(tcp, addr) vow_tcp_connect_at(VOW_SITE, (tcp), (addr))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_tcp_connect_at(
    const char *site, uv_tcp_t *tcp, const struct sockaddr *addr);

/** vow_tcp_close_reset(tcp)
 *  Closes tcp so that its peer gets an RST, and what was not sent yet is
 *  thrown away; otherwise as vow_close.
 *  Ownership: as vow_close, unless it fails.
 *  Errors: UV_EINVAL after vow_shutdown (libuv refuses), UV_EBADF (it has no
 *    socket yet), UV_EALREADY (closed already): tcp stays as it is; otherwise
 *    as vow_close.
 *  Thread: the loop's. Source: uv_tcp_close_reset. */
#define vow_tcp_close_reset(tcp) vow_tcp_close_reset_at(VOW_SITE, (tcp))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_tcp_close_reset_at(const char *site,
                                                             uv_tcp_t *tcp);

/* ---- listening ----------------------------------------------------------- */

/** Accepts the connections of one listening handle. */
typedef struct vow_listener vow_listener_t;

/** vow_listen(tcp, backlog, ret_listener)
 *  Listens on a bound handle. Up to 64 connections are accepted ahead of
 *  vow_accept; the others wait in the kernel's queue, of about backlog.
 *  Ownership: tcp is borrowed until it is closed or the listener is freed. The
 *    caller owns *ret_listener until vow_listener_free.
 *  Errors: UV_EADDRINUSE (also one that uv_tcp_bind kept for now), UV_EINVAL
 *    (NULL, negative backlog, a closing handle, no vow loop on its uv_loop_t),
 *    UV_EEXIST (it has a listener), UV_ENOMEM, and the like; 0.
 *  Thread: the loop's. Source: uv_listen. */
#define vow_listen(tcp, backlog, ret_listener) \
  vow_listen_at(VOW_SITE, (tcp), (backlog), (ret_listener))
VOW_EXPORT int vow_listen_at(const char *site, uv_tcp_t *tcp, int backlog,
                             vow_listener_t **ret_listener);

/** vow_accept(listener)
 *  Succeeds with the next connection, a uv_tcp_t * of type vow_type_tcp
 *  (vow_tcp_take). Several may be pending; they are served in order. A
 *  cancelled one leaves its connection to the next.
 *  Ownership: the caller owns the result; a connection nobody takes is closed.
 *  Errors: VOW_ESHUTDOWN (the handle is closed or the listener freed); one
 *    failed accept (UV_EMFILE, UV_ENOMEM) fails this future, listening goes on;
 *    UV_EINVAL (NULL), VOW_ETHREAD; through the result.
 *  Thread: the loop's. Source: uv_accept. */
#define vow_accept(listener) vow_accept_at(VOW_SITE, (listener))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_accept_at(const char *site,
                                                    vow_listener_t *listener);

/** vow_listener_free(listener)
 *  Stops accepting: pending accepts fail with VOW_ESHUTDOWN, connections that
 *  wait are closed. The handle goes on listening until it is closed, as libuv
 *  has no other way.
 *  Ownership: consumes listener. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the loop was closed. */
VOW_EXPORT void vow_listener_free(vow_listener_t *listener);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Pipes (local sockets): handles made and freed by vow, connecting, listening,
 * and handing handles over to another process. They are streams: reading and
 * writing is in stream_io.h. */
#ifndef VOW_PIPE_H
#define VOW_PIPE_H

#include <vow/stream_io.h>
#include <vow/tcp.h>

VOW_BEGIN_DECLS

/** The type of a handle that vow made: uv_pipe_t *, ended by vow_pipe_free. */
VOW_EXPORT extern const vow_type_t vow_type_pipe;

/** vow_pipe_new(loop, ipc, ret_pipe)
 *  An initialised uv_pipe_t on the heap; its `data` field is yours. ipc says
 *  whether handles will be handed over it.
 *  Ownership: the caller owns *ret_pipe until vow_pipe_free.
 *  Errors: UV_EINVAL (NULL), UV_ENOTSUP (the loop is not on libuv), UV_ENOMEM,
 *    VOW_ETHREAD; *ret_pipe is not written then. 0.
 *  Thread: the loop's. Source: uv_pipe_init. */
#define vow_pipe_new(loop, ipc, ret_pipe) \
  vow_pipe_new_at(VOW_SITE, (loop), (ipc), (ret_pipe))
VOW_EXPORT int vow_pipe_new_at(const char *site, vow_loop_t *loop, bool ipc,
                               uv_pipe_t **ret_pipe);

/** vow_pipe_free(pipe)
 *  Closes what vow_pipe_new or vow_accept made, as vow_tcp_free does.
 *  Ownership: consumes pipe. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. */
VOW_EXPORT void vow_pipe_free(uv_pipe_t *pipe);

/** vow_pipe_get(f), vow_pipe_take(f)
 *  vow_get and vow_take with the type of these handles.
 *  Ownership, Errors, Thread: as those; give what was taken to
 *    vow_pipe_free. */
VOW_EXPORT uv_pipe_t *vow_pipe_get(vow_future_t *f);
VOW_EXPORT uv_pipe_t *vow_pipe_take(vow_future_t *f);

/** vow_pipe_connect(pipe, name)
 *  Connects pipe to the socket called name; succeeds with nil.
 *  Cancelled, the future settles at once while libuv goes on: the handle is
 *  then fit for nothing but closing.
 *  Ownership: pipe is borrowed until it is closed; name is copied. The caller
 *    owns the result.
 *  Errors: UV_ENOENT, UV_ECONNREFUSED, UV_EACCES and so on, with a message that
 *    names name; VOW_ESHUTDOWN when pipe was closed meanwhile; UV_EALREADY or
 *    UV_EISCONN (connecting or connected); UV_ENAMETOOLONG (libuv itself would
 *    cut the name and connect elsewhere); UV_EINVAL (NULL, no vow loop on its
 *    uv_loop_t), UV_ENOMEM, VOW_ETHREAD; through the result.
 *  Thread: the loop's. Source: uv_pipe_connect. */
#define vow_pipe_connect(pipe, name) \
  vow_pipe_connect_at(VOW_SITE, (pipe), (name))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_pipe_connect_at(const char *site,
                                                          uv_pipe_t *pipe,
                                                          const char *name);

/** vow_pipe_listen(pipe, backlog, ipc, ret_listener)
 *  vow_listen for a bound pipe, itself without ipc: vow_accept then succeeds
 *  with a uv_pipe_t * of type vow_type_pipe (vow_pipe_take), with ipc or not.
 *  Ownership, Errors, Thread: as vow_listen; UV_EINVAL also when pipe has no
 *    name yet, or has ipc. */
#define vow_pipe_listen(pipe, backlog, ipc, ret_listener) \
  vow_pipe_listen_at(VOW_SITE, (pipe), (backlog), (ipc), (ret_listener))
VOW_EXPORT int vow_pipe_listen_at(const char *site, uv_pipe_t *pipe,
                                  int backlog, bool ipc,
                                  vow_listener_t **ret_listener);

/* ---- handing handles over ------------------------------------------------ */

/** vow_write2(pipe, bufs, n, handle)
 *  vow_write on a pipe with ipc, with a TCP, UDP or pipe handle that goes with
 *  the first byte; succeeds with the number of bytes.
 *  It cannot be cancelled: libuv needs handle until it is sent, and the result
 *  tells when.
 *  Ownership: bufs and what they point to are only read during the call.
 *    handle is borrowed until the future has settled, even if it is dropped;
 *    it stays yours, the other side has a duplicate. The caller owns the
 *    result.
 *  Errors: UV_EINVAL (NULL, no bytes at all, pipe without ipc, no vow loop on
 *    its uv_loop_t), UV_EBADF (handle is closed, or has no descriptor yet);
 *    otherwise as vow_write; through the result.
 *  Thread: the loop's. Source: uv_try_write2, uv_write2. */
#define vow_write2(pipe, bufs, n, handle) \
  vow_write2_at(VOW_SITE, (pipe), (bufs), (n), (handle))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_write2_at(const char *site,
                                                    uv_stream_t *pipe,
                                                    const uv_buf_t bufs[],
                                                    unsigned n,
                                                    uv_stream_t *handle);

/** vow_reader_next_handle(reader)
 *  Succeeds with the next handle that came over a pipe with ipc: of type
 *  vow_type_tcp, vow_type_pipe or vow_type_udp: vow_peek(f).type tells which.
 *  Several may be pending; they are served in order.
 *  A handle is there at the latest together with the bytes it was sent with.
 *  It arrives by reading: bytes that nobody takes stop that at the high-water
 *  mark.
 *  Ownership: the caller owns the result; a handle nobody takes is closed.
 *  Errors: UV_EOF and so on, when no more will come; UV_ENOTSUP (one handle of
 *    another kind came, which was closed; the next may succeed); UV_EINVAL
 *    (NULL, or the stream is no pipe with ipc), UV_ENOMEM (nothing is lost);
 *    otherwise as vow_reader_next; through the result.
 *  Thread: the loop's. Source: uv_pipe_pending_type, uv_accept. */
#define vow_reader_next_handle(reader) \
  vow_reader_next_handle_at(VOW_SITE, (reader))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_reader_next_handle_at(
    const char *site, vow_reader_t *reader);

VOW_END_DECLS
#endif

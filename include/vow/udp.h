/* SPDX-License-Identifier: MIT */
/* UDP: handles made and freed by vow, sending, and receiving datagram by
 * datagram. */
#ifndef VOW_UDP_H
#define VOW_UDP_H

#include <vow/uv.h>

VOW_BEGIN_DECLS

/** The type of a handle that vow made: uv_udp_t *, ended by vow_udp_free. */
VOW_EXPORT extern const vow_type_t vow_type_udp;

/** vow_udp_new(loop, flags, ret_udp)
 *  An initialised uv_udp_t on the heap; its `data` field is yours. flags are
 *  those of uv_udp_init_ex, or 0.
 *  Ownership: the caller owns *ret_udp until vow_udp_free.
 *  Errors: UV_EINVAL (NULL, unknown flags), UV_ENOTSUP (the loop is not on
 *    libuv), UV_ENOMEM, VOW_ETHREAD, or what uv_udp_init_ex says; *ret_udp is
 *    not written then. 0.
 *  Thread: the loop's. Source: uv_udp_init_ex. */
#define vow_udp_new(loop, flags, ret_udp) \
  vow_udp_new_at(VOW_SITE, (loop), (flags), (ret_udp))
VOW_EXPORT int vow_udp_new_at(const char *site, vow_loop_t *loop,
                              unsigned flags, uv_udp_t **ret_udp);

/** vow_udp_free(udp)
 *  Closes what vow_udp_new made, as vow_tcp_free does.
 *  Ownership: consumes udp. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's. */
VOW_EXPORT void vow_udp_free(uv_udp_t *udp);

/** vow_udp_get(f), vow_udp_take(f)
 *  vow_get and vow_take with the type of these handles.
 *  Ownership, Errors, Thread: as those; give what was taken to
 *    vow_udp_free. */
VOW_EXPORT uv_udp_t *vow_udp_get(vow_future_t *f);
VOW_EXPORT uv_udp_t *vow_udp_take(vow_future_t *f);

/** vow_udp_connect(udp, addr)
 *  Fixes the peer: only its datagrams are received, and vow_udp_send goes to
 *  it with addr NULL. addr NULL here undoes that. The kernel does it at once:
 *  the result has settled already, with nil.
 *  Ownership: udp is borrowed; addr is copied. The caller owns the result.
 *  Errors: UV_EISCONN, UV_ENOTCONN (nothing to undo), UV_ENETUNREACH and the
 *    like, with a message that names the address; UV_EINVAL (NULL, an unknown
 *    address family, no vow loop on its uv_loop_t), VOW_ESHUTDOWN (closed),
 *    UV_ENOMEM, VOW_ETHREAD; through the result.
 *  Thread: the loop's. Source: uv_udp_connect. */
#define vow_udp_connect(udp, addr) vow_udp_connect_at(VOW_SITE, (udp), (addr))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_udp_connect_at(
    const char *site, uv_udp_t *udp, const struct sockaddr *addr);

/** vow_udp_send(udp, bufs, n, addr)
 *  Sends n buffers as one datagram to addr (NULL: to the peer of
 *  vow_udp_connect), in the order of the calls; succeeds with the number of
 *  bytes, which may be 0. What the kernel takes at once is not copied, and the
 *  result has settled already; otherwise it is copied and queued.
 *  Cancelled, the future settles at once, but what was queued is still sent.
 *  Ownership: bufs, what they point to and addr are only read during the call.
 *    The caller owns the result.
 *  Errors: UV_EMSGSIZE, UV_ENETUNREACH, UV_ECONNREFUSED (the answer to an
 *    earlier one) and the like; UV_EDESTADDRREQ, UV_EISCONN (addr against
 *    vow_udp_connect); VOW_ESHUTDOWN when udp was closed meanwhile; UV_EINVAL
 *    (NULL, an unknown address family, no vow loop on its uv_loop_t),
 *    UV_ENOMEM, VOW_ETHREAD; through the result.
 *  Thread: the loop's. Source: uv_udp_try_send, uv_udp_send. */
#define vow_udp_send(udp, bufs, n, addr) \
  vow_udp_send_at(VOW_SITE, (udp), (bufs), (n), (addr))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_udp_send_at(
    const char *site, uv_udp_t *udp, const uv_buf_t bufs[], unsigned n,
    const struct sockaddr *addr);

/** vow_udp_send_borrowed(udp, bufs, n, addr)
 *  The same without a copy. It cannot be cancelled: it settles when libuv has
 *  let go of the memory, which closing the handle hastens.
 *  Ownership: what bufs point to is borrowed until the future has settled,
 *    even if it is dropped; bufs and addr only during the call.
 *  Errors, Thread: as vow_udp_send. */
#define vow_udp_send_borrowed(udp, bufs, n, addr) \
  vow_udp_send_borrowed_at(VOW_SITE, (udp), (bufs), (n), (addr))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_udp_send_borrowed_at(
    const char *site, uv_udp_t *udp, const uv_buf_t bufs[], unsigned n,
    const struct sockaddr *addr);

/* ---- datagrams ----------------------------------------------------------- */

/** A datagram that came in; immutable and counted. */
typedef struct vow_datagram vow_datagram_t;

/** The type of futures of datagrams. It can be shared. */
VOW_EXPORT extern const vow_type_t vow_type_datagram;

/** vow_datagram_data(d), vow_datagram_length(d), vow_datagram_addr(d),
 *  vow_datagram_is_cut(d)
 *  Its bytes and how many, 0 being a datagram too; who sent it; and whether
 *  its end was lost for being too long.
 *  Ownership: borrowed from d, which is not NULL.  Errors: none.
 *  Thread: any that holds a reference. */
VOW_EXPORT const char *vow_datagram_data(const vow_datagram_t *d);
VOW_EXPORT size_t vow_datagram_length(const vow_datagram_t *d);
VOW_EXPORT const struct sockaddr *vow_datagram_addr(const vow_datagram_t *d);
VOW_EXPORT bool vow_datagram_is_cut(const vow_datagram_t *d);

/** vow_datagram_ref(d), vow_datagram_unref(d)
 *  Counts d up and down. The loop may be closed before the last goes.
 *  Ownership: ref: the caller owns the new reference; unref consumes one.
 *  Errors: none; NULL is allowed.
 *  Thread: the loop's. */
VOW_EXPORT vow_datagram_t *vow_datagram_ref(vow_datagram_t *d);
VOW_EXPORT void vow_datagram_unref(vow_datagram_t *d);

/** vow_datagram_get(f), vow_datagram_take(f)
 *  vow_get and vow_take with the type of datagrams.
 *  Ownership, Errors, Thread: as those; give what was taken to
 *    vow_datagram_unref. */
VOW_EXPORT vow_datagram_t *vow_datagram_get(vow_future_t *f);
VOW_EXPORT vow_datagram_t *vow_datagram_take(vow_future_t *f);

/* ---- receiving ----------------------------------------------------------- */

/** Receives on one handle, datagram by datagram. */
typedef struct vow_receiver vow_receiver_t;

/** vow_receiver_new(udp, high_water_bytes, ret_receiver)
 *  A receiver. Receiving begins with the first vow_receiver_next (which binds
 *  the handle, if need be, to a port of the kernel's choice) and then goes on
 *  by itself, until high_water_bytes (0: 256 KiB) wait for somebody to take
 *  them; it goes on when half of them were taken. Meanwhile the kernel queues
 *  some more and throws the rest away. While it receives, the handle keeps the
 *  loop alive.
 *  Ownership: udp is borrowed until it is closed, with vow_close or
 *    vow_udp_free, or the receiver is freed. The caller owns *ret_receiver
 *    until vow_receiver_free.
 *  Errors: UV_EINVAL (NULL, a closing handle, no vow loop on its uv_loop_t),
 *    UV_EEXIST (it has a receiver), UV_ENOMEM; *ret_receiver is not written
 *    then; 0.
 *  Thread: the loop's. Source: uv_udp_recv_start. */
#define vow_receiver_new(udp, high_water_bytes, ret_receiver) \
  vow_receiver_new_at(VOW_SITE, (udp), (high_water_bytes), (ret_receiver))
VOW_EXPORT int vow_receiver_new_at(const char *site, uv_udp_t *udp,
                                   size_t high_water_bytes,
                                   vow_receiver_t **ret_receiver);

/** vow_receiver_next(receiver)
 *  Succeeds with the next datagram (vow_datagram_get), at once when one is
 *  there already. Several may be pending; they are served in order. A
 *  cancelled one leaves its datagram to the next.
 *  Ownership: the caller owns the result.
 *  Errors: UV_ECONNREFUSED and the like fail one next, in their place among the
 *    datagrams, and receiving goes on; VOW_ESHUTDOWN (the handle is closed, the
 *    receiver freed); UV_EALREADY (uv_udp_recv_start was called on it);
 *    UV_EADDRINUSE and so on (binding failed); UV_ENOMEM: ask again, though the
 *    datagram at hand may be lost; UV_EINVAL (NULL), VOW_ETHREAD; through the
 *    result.
 *  Thread: the loop's. */
#define vow_receiver_next(receiver) vow_receiver_next_at(VOW_SITE, (receiver))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_receiver_next_at(
    const char *site, vow_receiver_t *receiver);

/** vow_receiver_free(receiver)
 *  Stops receiving. Pending nexts fail with VOW_ESHUTDOWN, datagrams that wait
 *  are lost. The handle stays open.
 *  Ownership: consumes receiver. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the handle or the loop was closed. */
VOW_EXPORT void vow_receiver_free(vow_receiver_t *receiver);

VOW_END_DECLS
#endif

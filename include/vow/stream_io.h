/* SPDX-License-Identifier: MIT */
/* Reading from and writing to raw libuv streams: TCP, pipe, TTY. */
#ifndef VOW_STREAM_IO_H
#define VOW_STREAM_IO_H

#include <vow/bytes.h>
#include <vow/uv.h>

VOW_BEGIN_DECLS

/* ---- writing ------------------------------------------------------------- */

/** vow_write(stream, bufs, n)
 *  Writes all of n buffers, in the order of the calls; succeeds with the
 *  number of bytes. What the kernel takes at once is not copied, and when that
 *  is everything the result has settled already; the rest is copied and
 *  queued. Writing nothing succeeds with 0.
 *  Cancelled, the future settles at once, but what was queued is still sent.
 *  Ownership: bufs and what they point to are only read during the call. The
 *    caller owns the result.
 *  Errors: UV_EPIPE, UV_ECONNRESET and the like; VOW_ESHUTDOWN when the stream
 *    was closed meanwhile; UV_EINVAL (NULL, no vow loop on its uv_loop_t),
 *    UV_ENOMEM, VOW_ETHREAD; through the result. On an error some of the bytes
 *    may have been sent. libuv lets SIGPIPE come: ignore the signal in your
 *    program, or the first write to a peer that left ends it.
 *  Thread: the loop's. Source: uv_try_write, uv_write. */
#define vow_write(stream, bufs, n) vow_write_at(VOW_SITE, (stream), (bufs), (n))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_write_at(const char *site,
                                                   uv_stream_t *stream,
                                                   const uv_buf_t bufs[],
                                                   unsigned n);

/** vow_write_borrowed(stream, bufs, n)
 *  The same without a copy. It cannot be cancelled: it settles when libuv has
 *  let go of the memory, which closing the stream hastens.
 *  Ownership: what bufs point to is borrowed until the future has settled,
 *    even if it is dropped; the array bufs only during the call.
 *  Errors, Thread: as vow_write. */
#define vow_write_borrowed(stream, bufs, n) \
  vow_write_borrowed_at(VOW_SITE, (stream), (bufs), (n))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_write_borrowed_at(
    const char *site, uv_stream_t *stream, const uv_buf_t bufs[], unsigned n);

/** vow_try_write(stream, bufs, n)
 *  Writes what the kernel takes at once, and keeps nothing: the number of
 *  bytes.
 *  Ownership: bufs and what they point to are only read during the call.
 *  Errors: UV_EAGAIN (it takes none now, or writes are queued), UV_EPIPE and
 *    the like, VOW_ESHUTDOWN (the stream is closed), UV_EINVAL (NULL, no vow
 *    loop on its uv_loop_t).
 *  Thread: the loop's. Source: uv_try_write. */
VOW_EXPORT int vow_try_write(uv_stream_t *stream, const uv_buf_t bufs[],
                             unsigned n);

/** vow_shutdown(stream)
 *  Closes the writing side after what is queued; succeeds with nil.
 *  Cancelled, the future settles at once and the shutdown goes on.
 *  Ownership: stream is borrowed until it is closed. The caller owns the
 *    result.
 *  Errors: UV_ENOTCONN (not connected, shut down before), VOW_ESHUTDOWN when
 *    the stream was closed meanwhile, UV_EINVAL, UV_ENOMEM, VOW_ETHREAD;
 *    through the result.
 *  Thread: the loop's. Source: uv_shutdown. */
#define vow_shutdown(stream) vow_shutdown_at(VOW_SITE, (stream))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_shutdown_at(const char *site,
                                                      uv_stream_t *stream);

/* ---- reading ------------------------------------------------------------- */

/** Reads one stream, piece by piece. */
typedef struct vow_reader vow_reader_t;

/** vow_reader_new(stream, high_water_bytes, ret_reader)
 *  A reader. Reading begins with the first vow_reader_next and then goes on by
 *  itself, until high_water_bytes (0: 256 KiB) wait for somebody to take them;
 *  it goes on when half of them were taken. While it reads, the stream keeps
 *  the loop alive.
 *  Ownership: stream is borrowed until it is closed, with vow_close or
 *    vow_tcp_free, or the reader is freed. The caller owns *ret_reader until
 *    vow_reader_free.
 *  Errors: UV_EINVAL (NULL, a closing stream, no vow loop on its uv_loop_t),
 *    UV_EEXIST (it has a reader), UV_ENOMEM; *ret_reader is not written then; 0.
 *  Thread: the loop's. Source: uv_read_start. */
#define vow_reader_new(stream, high_water_bytes, ret_reader) \
  vow_reader_new_at(VOW_SITE, (stream), (high_water_bytes), (ret_reader))
VOW_EXPORT int vow_reader_new_at(const char *site, uv_stream_t *stream,
                                 size_t high_water_bytes,
                                 vow_reader_t **ret_reader);

/** vow_reader_next(reader)
 *  Succeeds with the next piece, never empty, of type vow_type_bytes
 *  (vow_bytes_take); at once when one is there already. Several may be
 *  pending; they are served in order. A cancelled one leaves its bytes to the
 *  next.
 *  Ownership: the caller owns the result.
 *  Errors: UV_EOF at the end and ever after; UV_ECONNRESET and the like,
 *    likewise; VOW_ESHUTDOWN (the stream is closed, the reader freed);
 *    UV_ENOTCONN (not connected yet), UV_ENOMEM: nothing is lost, ask again;
 *    UV_EINVAL (NULL), VOW_ETHREAD; through the result.
 *  Thread: the loop's. */
#define vow_reader_next(reader) vow_reader_next_at(VOW_SITE, (reader))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_reader_next_at(const char *site,
                                                         vow_reader_t *reader);

/** vow_reader_free(reader)
 *  Stops reading. Pending nexts fail with VOW_ESHUTDOWN, bytes that wait are
 *  lost. The stream stays open.
 *  Ownership: consumes reader. NULL is allowed.
 *  Errors: none.
 *  Thread: the loop's; also after the stream or the loop was closed. */
VOW_EXPORT void vow_reader_free(vow_reader_t *reader);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Byte streams: one interface over TCP, pipes, TTYs and memory. Reading in the
 * shapes that protocols need, writing with backpressure, closing in halves.
 * How a transport is written is in stream_class.h.
 *
 * Reading begins with the first read and then goes on by itself, until as much
 * waits as the high-water mark says (vow_stream_set_high_water). What holds for
 * all reads:
 *   - They succeed with a vow_bytes_t (vow_bytes_take), at once when the bytes
 *     are there; without a copy when they came in one piece.
 *   - Several may be pending; they are served in order.
 *   - One that fails or is cancelled has taken nothing: the next gets the
 * bytes.
 *   - Bytes that came before the end, or before an error, can still be read. */
#ifndef VOW_STREAM_H
#define VOW_STREAM_H

#include <vow/bytes.h>
#include <vow/uv.h>

VOW_BEGIN_DECLS

/** A counted two-way stream of bytes. */
typedef struct vow_stream vow_stream_t;

/** The type of futures of streams; the last reference closes. It can be
 *  shared. */
VOW_EXPORT extern const vow_type_t vow_type_stream;

/* ---- making, counting ---------------------------------------------------- */

/** Whose the handle of a stream is. */
typedef enum vow_stream_handle {
  VOW_STREAM_OWNED, /* made by vow_x_new or vow_accept; goes with the stream */
  VOW_STREAM_BORROWED /* stays open when the stream is closed */
} vow_stream_handle_t;

/** vow_stream_from_uv(handle, whose, ret_stream)
 *  A stream over a TCP, pipe or TTY handle that is connected or open, or will
 *  be by the first read or write. The handle's `data` is left alone. While it
 *  reads, the stream keeps the loop alive.
 *  Ownership: the caller owns *ret_stream until vow_stream_unref. An owned
 *    handle is consumed (on success only); use it for settings, but do not
 *    close it. A borrowed one is borrowed until the stream is closed; when it
 *    is closed first, with vow_close, the stream ends with VOW_ESHUTDOWN.
 *  Errors: UV_EINVAL (NULL, a closing handle, no vow loop on its uv_loop_t),
 *    UV_ENOTSUP (another kind of handle, a pipe with ipc), UV_EEXIST (it has a
 *    stream), UV_ENOMEM; *ret_stream is not written then. 0.
 *  Thread: the loop's. */
#define vow_stream_from_uv(handle, whose, ret_stream) \
  vow_stream_from_uv_at(VOW_SITE, (handle), (whose), (ret_stream))
VOW_EXPORT int vow_stream_from_uv_at(const char *site, uv_stream_t *handle,
                                     vow_stream_handle_t whose,
                                     vow_stream_t **ret_stream);

/** vow_stream_pair(loop, capacity_bytes, ret_a, ret_b)
 *  Two streams in memory: what is written to one is read from the other. Up to
 *  capacity_bytes (0: 64 KiB) wait for the reader; further writes are pending
 *  until it has taken half of them. What is borrowed is copied; bytes are not.
 *  Needs no libuv: it runs on any driver, and replays. Nothing but
 *  vow_stream_unref may be called on them once the loop is closed.
 *  Ownership: the caller owns both until vow_stream_unref.
 *  Errors: UV_EINVAL (NULL), UV_ENOMEM; nothing is written then. 0.
 *  Thread: the loop's. */
#define vow_stream_pair(loop, capacity_bytes, ret_a, ret_b) \
  vow_stream_pair_at(VOW_SITE, (loop), (capacity_bytes), (ret_a), (ret_b))
VOW_EXPORT int vow_stream_pair_at(const char *site, vow_loop_t *loop,
                                  size_t capacity_bytes, vow_stream_t **ret_a,
                                  vow_stream_t **ret_b);

/** vow_stream_ref(s), vow_stream_unref(s)
 *  Counts s up and down. The last unref closes it, like vow_stream_close with
 *  nobody to wait; pending reads fail with VOW_ESHUTDOWN.
 *  Ownership: ref: the caller owns the new reference; unref consumes one.
 *  Errors: none; NULL is allowed.
 *  Thread: the loop's. unref also after the loop was closed. */
VOW_EXPORT vow_stream_t *vow_stream_ref(vow_stream_t *s);
VOW_EXPORT void vow_stream_unref(vow_stream_t *s);

/** vow_stream_get(f), vow_stream_take(f)
 *  vow_get and vow_take with the type of streams.
 *  Ownership, Errors, Thread: as those; give what was taken to
 *    vow_stream_unref. */
VOW_EXPORT vow_stream_t *vow_stream_get(vow_future_t *f);
VOW_EXPORT vow_stream_t *vow_stream_take(vow_future_t *f);

/** vow_stream_value(s)
 *  s as a value, to settle a future with.
 *  Ownership: consumes one reference.  Errors: none.  Thread: any. */
static inline vow_value_t vow_stream_value(vow_stream_t *s) {
  return vow_ptr(s, &vow_type_stream);
}

/** vow_stream_loop(s)
 *  The loop of s.
 *  Ownership: borrowed.  Errors: NULL for NULL.  Thread: the loop's. */
VOW_EXPORT vow_loop_t *vow_stream_loop(const vow_stream_t *s);

/** vow_stream_uv(s)
 *  The handle below, for uv_tcp_getpeername, uv_tcp_nodelay and the like.
 *  Ownership: borrowed from s.
 *  Errors: NULL when s is NULL, closed, or not over libuv.
 *  Thread: the loop's. */
VOW_EXPORT uv_stream_t *vow_stream_uv(const vow_stream_t *s);

/** vow_stream_set_high_water(s, size_bytes)
 *  From now on reads ahead until size_bytes wait (0: the default, 256 KiB; at
 *  most 4 GiB), and again when half of them were taken. A pending read gets
 *  what it needs beyond that.
 *  Ownership: s is borrowed.  Errors: none; NULL does nothing.
 *  Thread: the loop's. */
VOW_EXPORT void vow_stream_set_high_water(vow_stream_t *s, size_t size_bytes);

/** vow_stream_buffered(s)
 *  How many bytes wait to be read.
 *  Ownership: s is borrowed.  Errors: 0 for NULL.  Thread: the loop's. */
VOW_EXPORT size_t vow_stream_buffered(const vow_stream_t *s);

/* ---- reading ------------------------------------------------------------- */

/** vow_stream_read(s, max_bytes)
 *  Succeeds with what is there, at least one byte and at most max_bytes (0: as
 *  it came in).
 *  Ownership: s is borrowed. The caller owns the result.
 *  Errors: UV_EOF at the end and ever after; UV_ECONNRESET and the like,
 *    likewise; VOW_ESHUTDOWN when s is closed, now or meanwhile; UV_ENOTCONN
 *    (not connected yet), UV_ENOMEM: nothing is lost, ask again; UV_EINVAL
 *    (NULL), VOW_ETHREAD; through the result.
 *  Thread: the loop's. */
#define vow_stream_read(s, max_bytes) \
  vow_stream_read_at(VOW_SITE, (s), (max_bytes))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_read_at(const char *site,
                                                         vow_stream_t *s,
                                                         size_t max_bytes);

/** vow_stream_read_exactly(s, n)
 *  Succeeds with n bytes in one piece. n may be beyond the high-water mark: it
 *  is for you to refuse lengths that a peer claims.
 *  Ownership: as vow_stream_read.
 *  Errors: UV_EOF when the stream ends earlier, "ended after 3 of 8 bytes";
 *    otherwise as vow_stream_read.
 *  Thread: the loop's. */
#define vow_stream_read_exactly(s, n) \
  vow_stream_read_exactly_at(VOW_SITE, (s), (n))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_read_exactly_at(
    const char *site, vow_stream_t *s, size_t n);

/** vow_stream_read_until(s, delimiter, length, max_bytes)
 *  Succeeds with everything up to and with the first delimiter, of length
 *  bytes, within max_bytes in all.
 *  Ownership: as vow_stream_read; delimiter is copied.
 *  Errors: UV_EMSGSIZE when it is not within max_bytes; UV_EOF when the stream
 *    ends earlier; UV_EINVAL (NULL, length is 0 or above max_bytes); otherwise
 *    as vow_stream_read.
 *  Thread: the loop's. */
#define vow_stream_read_until(s, delimiter, length, max_bytes) \
  vow_stream_read_until_at(VOW_SITE, (s), (delimiter), (length), (max_bytes))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_read_until_at(
    const char *site, vow_stream_t *s, const void *delimiter, size_t length,
    size_t max_bytes);

/** vow_stream_read_line(s, max_bytes)
 *  Succeeds with the next line, without its \n or \r\n; it may be empty. What
 *  is left at the end of the stream is a line too: where a peer that stops
 *  half-way must not pass, use vow_stream_read_until.
 *  Ownership: as vow_stream_read.
 *  Errors: UV_EMSGSIZE when the line has more than max_bytes without its end;
 *    UV_EOF when there is no more line; otherwise as vow_stream_read.
 *  Thread: the loop's. */
#define vow_stream_read_line(s, max_bytes) \
  vow_stream_read_line_at(VOW_SITE, (s), (max_bytes))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_read_line_at(const char *site,
                                                              vow_stream_t *s,
                                                              size_t max_bytes);

/** vow_stream_read_to_end(s, max_bytes)
 *  Succeeds with all that comes until the end of the stream; perhaps nothing.
 *  Ownership: as vow_stream_read.
 *  Errors: UV_EMSGSIZE when there is more than max_bytes; never UV_EOF;
 *    otherwise as vow_stream_read.
 *  Thread: the loop's. */
#define vow_stream_read_to_end(s, max_bytes) \
  vow_stream_read_to_end_at(VOW_SITE, (s), (max_bytes))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_read_to_end_at(
    const char *site, vow_stream_t *s, size_t max_bytes);

/** vow_stream_peek(s, n)
 *  Succeeds with the next n bytes, which stay to be read; with fewer, but at
 *  least one, when the stream ends earlier.
 *  Ownership: as vow_stream_read.
 *  Errors: UV_EOF when nothing is left; UV_EINVAL also when n is 0; otherwise
 *    as vow_stream_read.
 *  Thread: the loop's. */
#define vow_stream_peek(s, n) vow_stream_peek_at(VOW_SITE, (s), (n))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_peek_at(const char *site,
                                                         vow_stream_t *s,
                                                         size_t n);

/* ---- writing ------------------------------------------------------------- */

/** vow_stream_write(s, data, length)
 *  vow_stream_writev(s, bufs, n)
 *  Writes all of it, in the order of the calls; succeeds with the number of
 *  bytes when they were taken (by the kernel, or into the pair's memory): who
 *  awaits that does not outrun the reader. What cannot be taken at once is
 *  copied. Cancelled, the result settles at once, but the bytes still go.
 *  Ownership: s is borrowed; data, bufs and what they point to are only read
 *    during the call. The caller owns the result.
 *  Errors: UV_EPIPE (the other side is gone, or this one was shut down),
 *    UV_ECONNRESET and the like; VOW_ESHUTDOWN when s is closed, now or
 *    meanwhile; UV_EINVAL (NULL), UV_ENOMEM, VOW_ETHREAD; through the result.
 *    On an error some of the bytes may have gone. Ignore SIGPIPE, as with
 *    vow_write.
 *  Thread: the loop's. */
#define vow_stream_write(s, data, length) \
  vow_stream_write_at(VOW_SITE, (s), (data), (length))
#define vow_stream_writev(s, bufs, n) \
  vow_stream_writev_at(VOW_SITE, (s), (bufs), (n))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_write_at(const char *site,
                                                          vow_stream_t *s,
                                                          const void *data,
                                                          size_t length);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_writev_at(
    const char *site, vow_stream_t *s, const uv_buf_t bufs[], unsigned n);

/** vow_stream_write_borrowed(s, data, length)
 *  vow_stream_writev_borrowed(s, bufs, n)
 *  The same without a copy. It cannot be cancelled: it settles when the memory
 *  is free again, which closing the stream hastens.
 *  Ownership: the bytes are borrowed until the future has settled, even if it
 *    is dropped; the array bufs only during the call.
 *  Errors, Thread: as vow_stream_write. */
#define vow_stream_write_borrowed(s, data, length) \
  vow_stream_write_borrowed_at(VOW_SITE, (s), (data), (length))
#define vow_stream_writev_borrowed(s, bufs, n) \
  vow_stream_writev_borrowed_at(VOW_SITE, (s), (bufs), (n))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_write_borrowed_at(
    const char *site, vow_stream_t *s, const void *data, size_t length);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_writev_borrowed_at(
    const char *site, vow_stream_t *s, const uv_buf_t bufs[], unsigned n);

/** vow_stream_write_bytes(s, b)
 *  vow_stream_write without a copy: b is kept as long as it is needed.
 *  Ownership: b is borrowed, a reference of its own is taken.
 *  Errors, Thread: as vow_stream_write. */
#define vow_stream_write_bytes(s, b) \
  vow_stream_write_bytes_at(VOW_SITE, (s), (b))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_write_bytes_at(
    const char *site, vow_stream_t *s, vow_bytes_t *b);

/* ---- ending -------------------------------------------------------------- */

/** vow_stream_shutdown(s)
 *  Ends the writing half after what is queued: the other side reads UV_EOF.
 *  Reading goes on. Succeeds with nil when that has gone.
 *  Cancelled, the future settles at once and the shutdown goes on.
 *  Ownership: s is borrowed. The caller owns the result.
 *  Errors: UV_ENOTCONN (not connected, shut down before), VOW_ESHUTDOWN when s
 *    is closed, now or meanwhile; UV_EINVAL (NULL), UV_ENOMEM, VOW_ETHREAD;
 *    through the result.
 *  Thread: the loop's. */
#define vow_stream_shutdown(s) vow_stream_shutdown_at(VOW_SITE, (s))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_shutdown_at(const char *site,
                                                             vow_stream_t *s);

/** vow_stream_close(s)
 *  Closes both halves now. Pending reads and writes fail with VOW_ESHUTDOWN;
 *  bytes that wait are lost, on either way: await the writes first. Succeeds
 *  with nil when all is closed. A borrowed handle stays open, and what was
 *  written to it still goes.
 *  Ownership: s is borrowed: give it to vow_stream_unref, now or later.
 *    Cancelling or dropping the result changes nothing. The caller owns the
 *    result.
 *  Errors: UV_EALREADY (closed before, or its handle was), UV_EINVAL (NULL);
 *    UV_ENOMEM: it is closed, but nothing tells when; through the result.
 *  Thread: the loop's. */
#define vow_stream_close(s) vow_stream_close_at(VOW_SITE, (s))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_close_at(const char *site,
                                                          vow_stream_t *s);

/** vow_stream_reset(s, code)
 *  The same so that the other side sees an error, not an end: over TCP an RST,
 *  and UV_ECONNRESET there; the other stream of a pair fails with code (0 or
 *  above: UV_ECONNRESET) behind what it has got already. After
 *  vow_stream_shutdown libuv cannot send an RST: then, and over a pipe, a TTY
 *  or a borrowed handle, it is vow_stream_close.
 *  Ownership, Errors: as vow_stream_close.
 *  Thread: the loop's. Source: uv_tcp_close_reset. */
#define vow_stream_reset(s, code) vow_stream_reset_at(VOW_SITE, (s), (code))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_reset_at(const char *site,
                                                          vow_stream_t *s,
                                                          int code);

/* ---- from one to another ------------------------------------------------- */

/** vow_stream_copy(from, to, limit_bytes)
 *  Reads from one and writes to the other, as fast as to takes it, until from
 *  ends or limit_bytes (UINT64_MAX: no limit) have gone. Succeeds with their
 *  number. to is not shut down. Cancelled, what was read has been written, or
 *  will be; the rest stays in from.
 *  Ownership: from and to are kept while it goes on. The caller owns the
 *    result.
 *  Errors: those of vow_stream_read, but for UV_EOF, and of vow_stream_write;
 *    the message says how many bytes had gone. UV_EINVAL (NULL, two loops).
 *  Thread: the loop's. */
#define vow_stream_copy(from, to, limit_bytes) \
  vow_stream_copy_at(VOW_SITE, (from), (to), (limit_bytes))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_stream_copy_at(const char *site,
                                                         vow_stream_t *from,
                                                         vow_stream_t *to,
                                                         uint64_t limit_bytes);

VOW_END_DECLS
#endif

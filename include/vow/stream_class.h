/* SPDX-License-Identifier: MIT */
/* Transports: for writing streams of your own kind, such as TLS over another
 * stream, or a test's double. A struct that begins with vow_stream_t and a
 * class. Users of streams do not need this header.
 *
 * The transport gives bytes with vow_stream_push as they come, asked or not,
 * and is told when to begin and when to pause; queueing, searching and serving
 * the reads is done for it. Each write is one call, in order. None of the hooks
 * may run a user's callback. */
#ifndef VOW_STREAM_CLASS_H
#define VOW_STREAM_CLASS_H

#include <vow/stream.h>

VOW_BEGIN_DECLS

typedef struct vow_stream_class {
  /** For messages. */
  const char *name;
  /** sizeof the transport's struct. */
  size_t size_bytes;
  /** Begin, or go on, giving bytes; it may push some in this call. An error
   *  fails the pending reads; the next read asks again. */
  int (*read_start)(vow_stream_t *s);
  /** Enough waits. What is pushed all the same is kept. */
  void (*read_stop)(vow_stream_t *s);
  /** Write all of it, at least one byte: succeed with the number when it was
   *  taken. The buffers are gone after the call. Cancelled, settle at once. */
  vow_future_t *(*write)(const char *site, vow_stream_t *s,
                         const uv_buf_t bufs[], unsigned n);
  /** The same; the buffers stay until the result has settled, which must not
   *  be cancellable. NULL: write will do. */
  vow_future_t *(*write_borrowed)(const char *site, vow_stream_t *s,
                                  const uv_buf_t bufs[], unsigned n);
  /** The same as write; take a reference to b to keep it. NULL: write will
   *  do. */
  vow_future_t *(*write_bytes)(const char *site, vow_stream_t *s,
                               vow_bytes_t *b);
  /** End the writing half behind what is queued; succeed with nil. */
  vow_future_t *(*shutdown)(const char *site, vow_stream_t *s);
  /** Close both halves, whatever happens: fail what is pending of writes and
   *  so on with VOW_ESHUTDOWN, and succeed with nil when that is done. code:
   *  what to tell the other side, 0 for an orderly end. site is NULL when
   *  nobody waits: then return NULL, and leave the loop alone, which may be
   *  closed. Called once; reads have been stopped. */
  vow_future_t *(*close)(const char *site, vow_stream_t *s, int code);
  /** The libuv handle below; NULL when there is none. */
  uv_stream_t *(*handle)(const vow_stream_t *s);
  /** Release what the struct holds; NULL when that is nothing. Called once,
   *  after close, when the last reference has gone. */
  void (*destroy)(vow_stream_t *s);
} vow_stream_class_t;

/** The head of every stream; its fields are vow's. */
struct vow_stream {
  void *vow__private[8];
  const vow_stream_class_t *cls;
};

/** vow_stream_new(loop, cls)
 *  A stream, zeroed after its head, with one reference. On a later failure of
 *  yours give it up with vow_stream_unref, which calls close and destroy.
 *  Ownership: the caller owns the result until vow_stream_unref.
 *  Errors: NULL for want of memory, or when an argument is NULL.
 *  Thread: the loop's. */
VOW_EXPORT VOW_MUST_USE vow_stream_t *vow_stream_new(
    vow_loop_t *loop, const vow_stream_class_t *cls);

/** vow_stream_reserve(s)
 *  Makes sure that the next vow_stream_push will not fail.
 *  Ownership: s is borrowed.  Errors: UV_ENOMEM; 0.
 *  Thread: the loop's. */
VOW_EXPORT int vow_stream_reserve(vow_stream_t *s);

/** vow_stream_push(s, b)
 *  The next bytes: pending reads that have what they need settle. On a stream
 *  that is closed or has ended b is thrown away. read_stop may be called.
 *  Ownership: consumes b, except on an error.
 *  Errors: UV_ENOMEM: nothing has changed; 0.
 *  Thread: the loop's. No continuation runs in this call: call vow_loop_drain
 *    at the end of a callback from libuv. */
VOW_EXPORT int vow_stream_push(vow_stream_t *s, vow_bytes_t *b);

/** vow_stream_end(s, code)
 *  Behind what was pushed comes the end, UV_EOF, or an error. The first counts;
 *  neither read_start nor read_stop is called any more.
 *  Ownership: s is borrowed.
 *  Errors: none; a code >= 0 counts as UV_EOF.
 *  Thread: the loop's. No continuation runs in this call. */
VOW_EXPORT void vow_stream_end(vow_stream_t *s, int code);

/** vow_stream_stall(s, code)
 *  Nothing can be pushed for now, UV_ENOMEM perhaps: pending reads fail with
 *  code and lose nothing. Reading counts as paused; the next read calls
 *  read_start.
 *  Ownership, Errors, Thread: as vow_stream_end. */
VOW_EXPORT void vow_stream_stall(vow_stream_t *s, int code);

/** vow_stream_room(s)
 *  How many more bytes are welcome: up to the high-water mark, or what a
 *  pending read needs; 0 when it is closed or has ended.
 *  Ownership: s is borrowed.  Errors: none.  Thread: the loop's. */
VOW_EXPORT size_t vow_stream_room(const vow_stream_t *s);

VOW_END_DECLS
#endif

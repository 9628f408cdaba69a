/* SPDX-License-Identifier: MIT */
/* Reading a raw libuv stream by being told, without a future a piece: for what
 * has a queue of its own, like vow_stream_t. Others use vow_reader_next. */
#ifndef VOW_SINK_H
#define VOW_SINK_H

#include <vow/bytes.h>
#include <vow/uv.h>

VOW_BEGIN_DECLS

typedef struct vow_sink vow_sink_t;

/** What a sink is told, from libuv's callbacks. The hooks may settle futures,
 *  stop and close the sink, and free its memory; they must not run a user's
 *  callback. What became ready runs right after them. */
typedef struct vow_sink_class {
  /** Whether one more piece can be kept; false: nothing is read, and starved
   *  comes next. */
  bool (*room)(vow_sink_t *k);
  /** The next piece, never empty; it belongs to the hook. */
  void (*data)(vow_sink_t *k, vow_bytes_t *b);
  /** Out of memory. Reading has stopped; nothing is lost. */
  void (*starved)(vow_sink_t *k);
  /** The last call: UV_EOF, UV_ECONNRESET and the like; VOW_ESHUTDOWN when the
   *  handle was closed with vow_close or its vow loop has gone: the sink is
   *  closed then. */
  void (*end)(vow_sink_t *k, int code);
} vow_sink_class_t;

/** Part of a struct of yours; zeroed when closed. */
struct vow_sink {
  void *vow__private[4];
  uv_stream_t *vow__survivor; /* the stream, where it outlives the loop */
  const vow_sink_class_t *cls;
};

/** vow_sink_open(k, stream, cls)
 *  Makes k the sink of stream; reading begins with vow_sink_start.
 *  Ownership: k must stay until it is closed; stream is borrowed until then.
 *  Errors: UV_EINVAL (NULL, a closing stream, no vow loop on its uv_loop_t),
 *    UV_EEXIST (it has a sink), UV_ENOTSUP (a pipe with ipc), UV_ENOMEM; k is
 *    as before then. 0.
 *  Thread: the loop's. */
#define vow_sink_open(k, stream, cls) \
  vow_sink_open_at(VOW_SITE, (k), (stream), (cls))
VOW_EXPORT int vow_sink_open_at(const char *site, vow_sink_t *k,
                                uv_stream_t *stream,
                                const vow_sink_class_t *cls);

/** vow_sink_start(k), vow_sink_stop(k)
 *  Begins, or goes on, and stops reading. While it reads, the stream keeps the
 *  loop alive.
 *  Ownership: k is borrowed.
 *  Errors: start: UV_ENOTCONN (not connected yet), UV_EALREADY (a vow_reader_t
 *    reads it), VOW_ESHUTDOWN (k is closed); 0. stop: none.
 *  Thread: the loop's. No hook is called in this call. Source:
 *    uv_read_start. */
VOW_EXPORT int vow_sink_start(vow_sink_t *k);
VOW_EXPORT void vow_sink_stop(vow_sink_t *k);

/** vow_sink_close(k)
 *  Stops reading, and lets go of the stream, which stays open.
 *  Ownership: k is yours again.
 *  Errors: none; a closed one stays so.
 *  Thread: the loop's. No hook is called. */
VOW_EXPORT void vow_sink_close(vow_sink_t *k);

VOW_END_DECLS
#endif

/* SPDX-License-Identifier: MIT */
/* Streams, lines and folders as iterators. */
#ifndef VOW_ITER_NET_H
#define VOW_ITER_NET_H

#include <vow/file.h>
#include <vow/iter.h>
#include <vow/stream.h>

VOW_BEGIN_DECLS

/** vow_stream_iter(s, max_bytes)
 *  Gives what vow_stream_read(s, max_bytes) does, up to the end of the stream:
 *  pieces of bytes (vow_bytes_take). Closing it does not close s: what it did
 *  not read can still be read. A piece that was read for a next, and not given
 *  yet when the iterator was closed, is gone.
 *  Ownership: s is borrowed, a reference of its own is taken until it is
 *    closed. The caller owns the result.
 *  Errors: UV_EINVAL (NULL), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN, through the
 *    nexts; otherwise as vow_stream_read.
 *  Thread: the loop's. */
#define vow_stream_iter(s, max_bytes) \
  vow_stream_iter_at(VOW_SITE, (s), (max_bytes))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_stream_iter_at(const char *site,
                                                       vow_stream_t *s,
                                                       size_t max_bytes);

/** vow_stream_line_iter(s, max_bytes)
 *  The same with the lines of vow_stream_read_line(s, max_bytes). A line that
 *  is too long fails each next.
 *  Ownership, Thread: as vow_stream_iter.  Errors: as that, and as
 *    vow_stream_read_line. */
#define vow_stream_line_iter(s, max_bytes) \
  vow_stream_line_iter_at(VOW_SITE, (s), (max_bytes))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_stream_line_iter_at(const char *site,
                                                            vow_stream_t *s,
                                                            size_t max_bytes);

/** vow_lines_iter(lines)
 *  The lines of a file, as vow_lines_next gives them. When closing it has
 *  ended a read under way has, too, and the file is closed; one that is just
 *  being opened is closed as soon as it is.
 *  Ownership: consumes lines; the caller owns the result.
 *  Errors: UV_EINVAL (NULL), UV_ENOMEM, VOW_ETHREAD, VOW_ESHUTDOWN, through the
 *    nexts; otherwise as vow_lines_next.
 *  Thread: the loop's. */
#define vow_lines_iter(lines) vow_lines_iter_at(VOW_SITE, (lines))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_lines_iter_at(const char *site,
                                                      vow_lines_t *lines);

/** vow_walk_iter(walk)
 *  All that is below a folder, as vow_walk_next gives it.
 *  Ownership: consumes walk; the caller owns the result.
 *  Errors: as vow_lines_iter, and as vow_walk_next.
 *  Thread: the loop's. */
#define vow_walk_iter(walk) vow_walk_iter_at(VOW_SITE, (walk))
VOW_EXPORT VOW_MUST_USE vow_iter_t *vow_walk_iter_at(const char *site,
                                                     vow_walk_t *walk);

VOW_END_DECLS
#endif

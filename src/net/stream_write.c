/* SPDX-License-Identifier: MIT */
/* Writes: checked here, done by the transport. */
#include "net/stream.h"

/* Settles f at once when there is nothing to do, or it cannot be done; NULL
 * otherwise. */
static vow_future_t *early(const char *site, const vow_stream_t *stream,
                           const char *what, const uv_buf_t bufs[],
                           unsigned n) {
  vow_loop_t *loop = vow_stream_loop(stream);
  vow_future_t *failed = vow__stream_refusal(site, stream, what);
  bool empty = true;
  unsigned i;
  if (failed != NULL) return failed;
  if (bufs == NULL && n > 0)
    return vow_misuse_at(site, loop, UV_EINVAL, "%s: bufs is NULL", what);
  for (i = 0; i < n; i++) {
    if (bufs[i].len > 0 && bufs[i].base == NULL)
      return vow_misuse_at(site, loop, UV_EINVAL, "%s: the data is NULL", what);
    if (bufs[i].len > 0) empty = false;
  }
  return empty ? vow_ready_at(site, loop, vow_int(0)) : NULL;
}

static uv_buf_t buf_of(const void *data, size_t length) {
  uv_buf_t buf;
  buf.base = (char *)(uintptr_t)data;
  buf.len = length;
  return buf;
}

vow_future_t *vow_stream_writev_at(const char *site, vow_stream_t *stream,
                                   const uv_buf_t bufs[], unsigned n) {
  vow_future_t *f = early(site, stream, "stream_write", bufs, n);
  return f != NULL ? f : stream->cls->write(site, stream, bufs, n);
}

vow_future_t *vow_stream_write_at(const char *site, vow_stream_t *stream,
                                  const void *data, size_t length) {
  uv_buf_t buf = buf_of(data, length);
  return vow_stream_writev_at(site, stream, &buf, 1);
}

vow_future_t *vow_stream_writev_borrowed_at(const char *site,
                                            vow_stream_t *stream,
                                            const uv_buf_t bufs[], unsigned n) {
  vow_future_t *f = early(site, stream, "stream_write_borrowed", bufs, n);
  if (f != NULL) return f;
  if (stream->cls->write_borrowed == NULL)
    return stream->cls->write(site, stream, bufs, n);
  return stream->cls->write_borrowed(site, stream, bufs, n);
}

vow_future_t *vow_stream_write_borrowed_at(const char *site,
                                           vow_stream_t *stream,
                                           const void *data, size_t length) {
  uv_buf_t buf = buf_of(data, length);
  return vow_stream_writev_borrowed_at(site, stream, &buf, 1);
}

vow_future_t *vow_stream_write_bytes_at(const char *site, vow_stream_t *stream,
                                        vow_bytes_t *b) {
  uv_buf_t buf = buf_of(vow_bytes_data(b), vow_bytes_length(b));
  vow_future_t *f = early(site, stream, "stream_write_bytes", &buf, 1);
  if (f != NULL) return f;
  if (stream->cls->write_bytes == NULL)
    return stream->cls->write(site, stream, &buf, 1);
  return stream->cls->write_bytes(site, stream, b);
}

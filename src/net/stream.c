/* SPDX-License-Identifier: MIT */
/* Streams: their references, their ends, and what transports give. */
#include "net/stream.h"

#include <stdio.h>
#include <string.h>

#define HIGH_WATER_BYTES ((uint32_t)256 * 1024)

_Static_assert(sizeof(vow__stream_t) <= sizeof(vow_stream_t) &&
                   offsetof(vow__stream_t, cls) == offsetof(vow_stream_t, cls),
               "vow_stream_t has the wrong size");

/* ---- references ---------------------------------------------------------- */

vow_stream_t *vow_stream_new(vow_loop_t *loop, const vow_stream_class_t *cls) {
  vow__stream_t *s;
  if (loop == NULL || cls == NULL) return NULL;
  s = vow_alloc(cls->size_bytes);
  if (s == NULL) return NULL;
  memset(s, 0, cls->size_bytes);
  s->loop = loop;
  s->refs = 1;
  s->high_water_bytes = HIGH_WATER_BYTES;
  s->cls = cls;
  return vow__stream_public(s);
}

vow_stream_t *vow_stream_ref(vow_stream_t *stream) {
  if (stream != NULL) vow__stream_of(stream)->refs++;
  return stream;
}

/* Both halves, now. Once. site is NULL when nobody waits. */
static vow_future_t *close_now(const char *site, vow__stream_t *s, int code) {
  vow_stream_t *stream = vow__stream_public(s);
  vow_future_t *f;
  s->refs++; /* see vow__stream_fail_reads */
  if (s->reading) s->cls->read_stop(stream);
  s->reading = false;
  s->closed = true;
  s->end = VOW_ESHUTDOWN;
  f = s->cls->close(site, stream, code);
  vow__stream_fail_reads(s, VOW_ESHUTDOWN);
  vow__chunks_clear(&s->chunks);
  vow_stream_unref(stream);
  return f;
}

void vow_stream_unref(vow_stream_t *stream) {
  vow__stream_t *s = vow__stream_of(stream);
  if (s == NULL || s->refs > 1) {
    if (s != NULL) s->refs--;
    return;
  }
  if (!s->closed) close_now(NULL, s, 0);
  if (s->cls->destroy != NULL) s->cls->destroy(stream);
  vow_release(s);
}

static void stream_destroy(void *p) {
  vow_stream_unref(p);
}

static void *stream_share(void *p) {
  return vow_stream_ref(p);
}

static void stream_describe(const void *p, char *buf, size_t size_bytes) {
  const vow__stream_t *s = vow__stream_of(p);
  snprintf(buf, size_bytes, "%s stream%s", s->cls->name,
           s->closed ? ", closed" : "");
}

const vow_type_t vow_type_stream = {"stream", stream_destroy, stream_share,
                                    stream_describe};

vow_stream_t *vow_stream_get(vow_future_t *f) {
  return vow_get(f, &vow_type_stream);
}

vow_stream_t *vow_stream_take(vow_future_t *f) {
  return vow_take(f, &vow_type_stream);
}

/* ---- what it is ---------------------------------------------------------- */

vow_loop_t *vow_stream_loop(const vow_stream_t *stream) {
  return stream != NULL ? vow__stream_of(stream)->loop : NULL;
}

uv_stream_t *vow_stream_uv(const vow_stream_t *stream) {
  const vow__stream_t *s = vow__stream_of(stream);
  if (s == NULL || s->closed || s->cls->handle == NULL) return NULL;
  return s->cls->handle(stream);
}

void vow_stream_set_high_water(vow_stream_t *stream, size_t size_bytes) {
  vow__stream_t *s = vow__stream_of(stream);
  if (s == NULL) return;
  if (size_bytes == 0) size_bytes = HIGH_WATER_BYTES;
  s->high_water_bytes =
      size_bytes < UINT32_MAX ? (uint32_t)size_bytes : UINT32_MAX;
  if (!s->closed) vow__stream_serve(s);
}

size_t vow_stream_buffered(const vow_stream_t *stream) {
  return stream != NULL ? vow__stream_of(stream)->chunks.total_bytes : 0;
}

/* ---- what transports give ------------------------------------------------ */

int vow_stream_reserve(vow_stream_t *stream) {
  return vow__chunks_reserve(&vow__stream_of(stream)->chunks);
}

int vow_stream_push(vow_stream_t *stream, vow_bytes_t *b) {
  vow__stream_t *s = vow__stream_of(stream);
  int err;
  if (s->end != 0) {
    vow_bytes_unref(b);
    return 0;
  }
  err = vow__chunks_push(&s->chunks, b);
  if (err == 0) vow__stream_serve(s);
  return err;
}

void vow_stream_end(vow_stream_t *stream, int code) {
  vow__stream_t *s = vow__stream_of(stream);
  if (s->end != 0) return;
  s->end = code < 0 ? code : UV_EOF;
  s->reading = false;
  vow__stream_serve(s);
}

void vow_stream_stall(vow_stream_t *stream, int code) {
  vow__stream_t *s = vow__stream_of(stream);
  s->reading = false;
  vow__stream_fail_reads(s, code);
}

size_t vow_stream_room(const vow_stream_t *stream) {
  const vow__stream_t *s = vow__stream_of(stream);
  size_t need = vow__stream_need(s);
  if (s->end != 0) return 0;
  if (need < s->high_water_bytes) need = s->high_water_bytes;
  return need > s->chunks.total_bytes ? need - s->chunks.total_bytes : 0;
}

/* ---- ending -------------------------------------------------------------- */

vow_future_t *vow__stream_refusal(const char *site, const vow_stream_t *stream,
                                  const char *what) {
  const vow__stream_t *s = vow__stream_of(stream);
  if (s == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL, "%s: the stream is NULL", what);
  /* The loop may be gone when the end came with it. */
  if (s->closed || s->end == VOW_ESHUTDOWN)
    return vow_misuse_at(site, NULL, VOW_ESHUTDOWN, "%s: the stream is closed",
                         what);
  return NULL;
}

vow_future_t *vow_stream_shutdown_at(const char *site, vow_stream_t *stream) {
  vow_future_t *f = vow__stream_refusal(site, stream, "stream_shutdown");
  return f != NULL ? f : stream->cls->shutdown(site, stream);
}

static vow_future_t *close_or_reset(const char *site, vow_stream_t *stream,
                                    const char *what, int code) {
  vow__stream_t *s = vow__stream_of(stream);
  if (s == NULL) return vow__stream_refusal(site, NULL, what);
  if (s->closed || s->end == VOW_ESHUTDOWN) {
    if (!s->closed) close_now(NULL, s, 0); /* the loop may be gone */
    return vow_misuse_at(site, NULL, UV_EALREADY,
                         "%s: the stream is closed already", what);
  }
  return close_now(site, s, code);
}

vow_future_t *vow_stream_close_at(const char *site, vow_stream_t *stream) {
  return close_or_reset(site, stream, "stream_close", 0);
}

vow_future_t *vow_stream_reset_at(const char *site, vow_stream_t *stream,
                                  int code) {
  return close_or_reset(site, stream, "stream_reset",
                        code < 0 ? code : UV_ECONNRESET);
}

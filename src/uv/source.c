/* SPDX-License-Identifier: MIT */
/* What signal, poll, fs_event and fs_poll share. */
#include "uv/source.h"

#include <string.h>

static vow__source_t *source_of(vow__feed_t *feed) {
  return VOW__OF(feed, vow__source_t, feed);
}

static void source_unwanted(vow__feed_t *feed) {
  uv_unref(source_of(feed)->owned.handle);
}

/* The handle stays on the program's loop until it is freed. */
static void source_forget(vow__owned_t *o) {
  vow__source_t *s = VOW__OF(o, vow__source_t, owned);
  s->stop(s);
  vow__feed_close(&s->feed, VOW_ESHUTDOWN);
}

void *vow__source_new(size_t size_bytes, vow_loop_t *loop,
                      const vow_op_class_t *next_class,
                      void (*stop)(vow__source_t *s)) {
  vow__source_t *s = vow_alloc(size_bytes);
  if (s == NULL) return NULL;
  memset(s, 0, size_bytes);
  vow__feed_init(&s->feed, loop, next_class);
  s->feed.unwanted = source_unwanted;
  s->stop = stop;
  return s;
}

void vow__source_add(const char *site, vow__uv_t *d, void *source,
                     void *handle) {
  vow__source_t *s = source;
  s->owned.forget = source_forget;
  vow__owned_add(d, &s->owned, handle, site);
  uv_unref(handle);
}

vow_future_t *vow__source_next(const char *site, void *source) {
  vow__source_t *s = source;
  vow_future_t *f = vow__feed_next(site, &s->feed);
  if (vow__feed_is_wanted(&s->feed)) uv_ref(s->owned.handle);
  return f;
}

void vow__source_told(void *source) {
  vow__source_t *s = source;
  vow_loop_t *loop = s->feed.loop;
  if (!vow__feed_is_wanted(&s->feed)) uv_unref(s->owned.handle);
  vow_loop_drain(loop);
}

static void on_source_closed(uv_handle_t *handle) {
  vow_release(handle->data);
}

void vow__source_end(void *source) {
  vow__source_t *s = source;
  vow__owned_remove(&s->owned);
  vow__feed_close(&s->feed, VOW_ESHUTDOWN);
}

void vow__source_free(void *source) {
  vow__source_t *s = source;
  if (s == NULL) return;
  vow__source_end(s);
  s->owned.handle->data = s; /* the handle is ours alone */
  uv_close(s->owned.handle, on_source_closed);
}

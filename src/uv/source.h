/* SPDX-License-Identifier: MIT */
/* The pattern of what libuv tells again and again through a handle that no user
 * sees: signal, poll, fs_event, fs_poll.
 *
 *   struct vow_x {
 *     vow__source_t base;   first
 *     uv_x_t handle;
 *   };
 *
 * The handle keeps the loop alive only while a next is pending. It is listed
 * as owned from its init until vow_x_free. */
#ifndef VOW_UV_SOURCE_H
#define VOW_UV_SOURCE_H

#include "uv/feed.h"
#include "uv/owned.h"

typedef struct vow__source vow__source_t;
struct vow__source {
  vow__feed_t feed;
  vow__owned_t owned;
  void (*stop)(vow__source_t *s); /* stops the handle */
};

/** A zeroed source of size_bytes, without its handle; NULL for want of
 *  memory. */
void *vow__source_new(size_t size_bytes, vow_loop_t *loop,
                      const vow_op_class_t *next_class,
                      void (*stop)(vow__source_t *s));
/** Its handle is initialised now. */
void vow__source_add(const char *site, vow__uv_t *d, void *source,
                     void *handle);
/** Whether it lives: not in the hands of uv_close, nor without a loop. */
static inline bool vow__source_is_live(const vow__source_t *s) {
  return s->owned.link != NULL;
}
/** vow__feed_next, and the handle counts while it pends. */
vow_future_t *vow__source_next(const char *site, void *source);
/** At the end of a callback of the handle: when nobody waits any more it no
 *  longer counts. Drains the loop; the source may be gone then. */
void vow__source_told(void *source);
/** Ends the feed and takes the source off the list; the handle is to be closed
 *  then, and the source to be released when it is. */
void vow__source_end(void *source);
/** All of that. NULL is allowed. */
void vow__source_free(void *source);

#endif

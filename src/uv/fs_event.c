/* SPDX-License-Identifier: MIT */
/* Watching a path. When changes were lost nothing more is kept until somebody
 * was told so, for the rest would look like all there was. */
#include <vow/fs_event.h>

#include "uv/source.h"

#include <string.h>

#define WAITING_MAX 1024

struct vow_fs_event {
  vow__source_t base;
  uv_fs_event_t handle;
  bool lost;
};

static const vow_op_class_t next_class = VOW__NEXT_CLASS("fs_event_next");

const vow_type_t vow_type_fs_change = {"fs change", vow_release, NULL, NULL};

static void stop(vow__source_t *s) {
  uv_fs_event_stop(&VOW__OF(s, vow_fs_event_t, base)->handle);
}

static vow_fs_change_t *change_new(int events, const char *name) {
  size_t length = name != NULL ? strlen(name) : 0;
  vow_fs_change_t *c = vow_alloc(sizeof *c + length + 1);
  char *text;
  if (c == NULL) return NULL;
  text = (char *)(c + 1);
  if (length > 0) memcpy(text, name, length);
  text[length] = '\0';
  c->events = events;
  c->name = text;
  return c;
}

/* Tells one, or the next one, that changes were lost. */
static void lose(vow_fs_event_t *e) {
  e->lost = !vow__feed_fail_one(&e->base.feed, vow_fail(UV_ENOBUFS));
}

static void take_in(vow_fs_event_t *e, int status, int events,
                    const char *name) {
  vow__feed_t *feed = &e->base.feed;
  vow_fs_change_t *c;
  if (feed->count >= WAITING_MAX || vow__feed_reserve(feed) != 0) {
    lose(e);
  } else if (status < 0) {
    vow__feed_push(feed, vow_fail(status));
  } else {
    c = change_new(events, name);
    if (c != NULL)
      vow__feed_push(feed, vow_ptr(c, &vow_type_fs_change));
    else
      lose(e);
  }
}

static void on_fs_event(uv_fs_event_t *handle, const char *name, int events,
                        int status) {
  vow_fs_event_t *e = VOW__OF(handle, vow_fs_event_t, handle);
  if (!vow__source_is_live(&e->base) || e->lost) return;
  take_in(e, status, events, name);
  vow__source_told(e);
}

static void on_failed_closed(uv_handle_t *handle) {
  vow_release(VOW__OF(handle, vow_fs_event_t, handle));
}

int vow_fs_event_new_at(const char *site, vow_loop_t *loop, const char *path,
                        unsigned flags, vow_fs_event_t **ret_event) {
  vow__uv_t *d;
  vow_fs_event_t *e;
  int err =
      ret_event == NULL || path == NULL ? UV_EINVAL : vow__uv_check(loop, &d);
  if (err != 0) return err;
  e = vow__source_new(sizeof *e, loop, &next_class, stop);
  if (e == NULL) return UV_ENOMEM;
  uv_fs_event_init(d->uv, &e->handle); /* cannot fail */
  err = uv_fs_event_start(&e->handle, on_fs_event, path, flags);
  if (err != 0) {
    uv_close((uv_handle_t *)&e->handle, on_failed_closed);
    return err;
  }
  vow__source_add(site, d, e, &e->handle);
  *ret_event = e;
  return 0;
}

vow_future_t *vow_fs_event_next_at(const char *site, vow_fs_event_t *event) {
  vow_fs_event_t *e = event;
  if (e == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "fs_event_next: the event is NULL");
  if (e->lost && e->base.feed.count == 0 && vow__source_is_live(&e->base)) {
    e->lost = false;
    return vow_ready_at(site, e->base.feed.loop, vow_fail(UV_ENOBUFS));
  }
  return vow__source_next(site, e);
}

const vow_fs_change_t *vow_fs_change_get(vow_future_t *f) {
  return vow_get(f, &vow_type_fs_change);
}

void vow_fs_event_free(vow_fs_event_t *event) {
  vow__source_free(event);
}

/* SPDX-License-Identifier: MIT */
/* Polling a descriptor. libuv tells for as long as it is ready, so nothing is
 * kept: it stays armed between nexts, and when it tells and nobody waits it is
 * stopped until somebody does. */
#include <vow/poll.h>

#include "uv/source.h"

struct vow_poll {
  vow__source_t base;
  uv_poll_t handle;
  int events;
};

static const vow_op_class_t next_class = VOW__NEXT_CLASS("poll_next");

static void stop(vow__source_t *s) {
  uv_poll_stop(&VOW__OF(s, vow_poll_t, base)->handle);
}

static void on_poll(uv_poll_t *handle, int status, int events) {
  vow_poll_t *p = VOW__OF(handle, vow_poll_t, handle);
  vow__feed_t *feed = &p->base.feed;
  vow_value_t v = status < 0 ? vow_fail(status) : vow_int(events);
  if (!vow__source_is_live(&p->base)) return;
  if (!vow__feed_fail_one(feed, v)) uv_poll_stop(handle);
  while (status < 0 && vow__feed_fail_one(feed, v)) {
  }
  vow__source_told(p);
}

static bool are_known(int events) {
  const int known = UV_READABLE | UV_WRITABLE | UV_DISCONNECT | UV_PRIORITIZED;
  return events != 0 && (events & ~known) == 0;
}

int vow_poll_new_at(const char *site, vow_loop_t *loop, int fd, int events,
                    vow_poll_t **ret_poll) {
  vow__uv_t *d;
  vow_poll_t *p;
  int err = ret_poll == NULL || !are_known(events) ? UV_EINVAL
                                                   : vow__uv_check(loop, &d);
  if (err != 0) return err;
  p = vow__source_new(sizeof *p, loop, &next_class, stop);
  if (p == NULL) return UV_ENOMEM;
  err = uv_poll_init(d->uv, &p->handle, fd);
  if (err != 0) {
    vow_release(p);
    return err;
  }
  p->events = events;
  vow__source_add(site, d, p, &p->handle);
  *ret_poll = p;
  return 0;
}

vow_future_t *vow_poll_next_at(const char *site, vow_poll_t *poll) {
  vow_poll_t *p = poll;
  int err = 0;
  if (p == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL, "poll_next: the poll is NULL");
  if (vow__source_is_live(&p->base) &&
      !uv_is_active((const uv_handle_t *)&p->handle))
    err = uv_poll_start(&p->handle, p->events, on_poll);
  if (err != 0)
    return vow_ready_at(
        site, p->base.feed.loop,
        vow_failf_at(site, err, "poll_next: %s", vow_strerror(err)));
  return vow__source_next(site, p);
}

int vow_poll_set(vow_poll_t *poll, int events) {
  int err = 0;
  if (poll == NULL || !are_known(events)) return UV_EINVAL;
  if (!vow__source_is_live(&poll->base)) return VOW_ESHUTDOWN;
  if (uv_is_active((const uv_handle_t *)&poll->handle))
    err = uv_poll_start(&poll->handle, events, on_poll);
  if (err == 0) poll->events = events;
  return err;
}

void vow_poll_free(vow_poll_t *poll) {
  vow__source_free(poll);
}

/* SPDX-License-Identifier: MIT */
/* Looking at a path. What nobody waits for is kept in the source itself, so
 * that it grows together and needs no memory. */
#include <vow/fs_poll.h>

#include "uv/source.h"

typedef enum untold { NOTHING, A_DIFF, AN_ERROR } untold_t;

struct vow_fs_poll {
  vow__source_t base;
  uv_fs_poll_t handle;
  untold_t untold;
  vow_fs_diff_t diff; /* with A_DIFF */
  int error;          /* with AN_ERROR */
  vow_op_t *end;      /* pending until the handle is closed; may be NULL */
};

/* A look that is under way keeps the handle from closing for a while, which
 * closing the loop has to wait for. */
static const vow_op_class_t end_class = {
    "fs_poll_free", sizeof(vow_op_t), NULL, NULL, NULL, NULL};

static const vow_op_class_t next_class = VOW__NEXT_CLASS("fs_poll_next");

const vow_type_t vow_type_fs_diff = {"fs diff", vow_release, NULL, NULL};

static void stop(vow__source_t *s) {
  uv_fs_poll_stop(&VOW__OF(s, vow_fs_poll_t, base)->handle);
}

static void keep(vow_fs_poll_t *p, int status, const uv_stat_t *before,
                 const uv_stat_t *after) {
  if (status < 0) {
    p->untold = AN_ERROR;
    p->error = status;
    return;
  }
  if (p->untold != A_DIFF) p->diff.before = *before;
  p->diff.after = *after;
  p->untold = A_DIFF;
}

/* Puts what is kept into the feed: 0, or UV_ENOMEM, and it is still kept. */
static int tell(vow_fs_poll_t *p) {
  vow_fs_diff_t *diff;
  vow_value_t v = vow_fail(p->error);
  if (p->untold == A_DIFF) {
    diff = vow_alloc(sizeof *diff);
    if (diff == NULL) return UV_ENOMEM;
    *diff = p->diff;
    v = vow_ptr(diff, &vow_type_fs_diff);
  }
  p->untold = NOTHING;
  vow__feed_push(&p->base.feed, v);
  return 0;
}

static void on_fs_poll(uv_fs_poll_t *handle, int status,
                       const uv_stat_t *before, const uv_stat_t *after) {
  vow_fs_poll_t *p = VOW__OF(handle, vow_fs_poll_t, handle);
  int err = 0;
  if (!vow__source_is_live(&p->base)) return;
  keep(p, status, before, after);
  if (vow__feed_is_wanted(&p->base.feed)) err = tell(p);
  if (err != 0) vow__feed_fail_one(&p->base.feed, vow_fail(err));
  vow__source_told(p);
}

static void on_closed(uv_handle_t *handle) {
  vow_fs_poll_t *p = VOW__OF(handle, vow_fs_poll_t, handle);
  vow_op_t *end = p->end;
  vow_release(p);
  if (end == NULL) return;
  vow_op_settle(end, vow_nil());
  vow_op_unpin(end);
}

int vow_fs_poll_new_at(const char *site, vow_loop_t *loop, const char *path,
                       unsigned interval_ms, vow_fs_poll_t **ret_poll) {
  vow__uv_t *d;
  vow_fs_poll_t *p;
  int err =
      ret_poll == NULL || path == NULL ? UV_EINVAL : vow__uv_check(loop, &d);
  if (err != 0) return err;
  p = vow__source_new(sizeof *p, loop, &next_class, stop);
  if (p == NULL) return UV_ENOMEM;
  uv_fs_poll_init(d->uv, &p->handle); /* cannot fail */
  err = uv_fs_poll_start(&p->handle, on_fs_poll, path, interval_ms);
  if (err != 0) {
    uv_close((uv_handle_t *)&p->handle, on_closed);
    return err;
  }
  vow__source_add(site, d, p, &p->handle);
  *ret_poll = p;
  return 0;
}

vow_future_t *vow_fs_poll_next_at(const char *site, vow_fs_poll_t *poll) {
  vow_fs_poll_t *p = poll;
  if (p == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "fs_poll_next: the poll is NULL");
  if (p->untold != NOTHING && p->base.feed.count == 0 &&
      vow__source_is_live(&p->base) && tell(p) != 0)
    return vow_ready_at(site, p->base.feed.loop, vow_fail(UV_ENOMEM));
  return vow__source_next(site, p);
}

const vow_fs_diff_t *vow_fs_diff_get(vow_future_t *f) {
  return vow_get(f, &vow_type_fs_diff);
}

void vow_fs_poll_free(vow_fs_poll_t *poll) {
  vow_fs_poll_t *p = poll;
  if (p == NULL) return;
  if (vow__source_is_live(&p->base))
    p->end = vow_op_new_at(p->base.owned.site, p->base.feed.loop, &end_class);
  vow__source_end(p);
  uv_close((uv_handle_t *)&p->handle, on_closed);
  if (p->end == NULL) return;
  vow_op_pin(p->end);
  vow_drop(vow_op_future(p->end));
}

/* SPDX-License-Identifier: MIT */
/* merge: whatever comes first, of several iterators.
 *
 * How this works: each source is asked for one item. What has settled stays in
 * its waiter, unread, and its lane stands in a list in the order of settling;
 * so of sources that are always ready each has its turn. */
#include "combine/iter_join.h"

#include "base/errno.h"
#include <vow/iter_tools.h>

#define NONE SIZE_MAX

typedef struct merge {
  vow__join_t base;
  size_t first_done; /* lanes that have an item; NONE: none has */
  size_t last_done;
  bool started;
} merge_t;

static vow__lane_t *lane_at(merge_t *m, size_t i) {
  return &m->base.lanes[i];
}

static void append_done(merge_t *m, vow__lane_t *lane) {
  size_t i = (size_t)(lane - m->base.lanes);
  lane->phase = VOW__LANE_READY;
  lane->next_done = NONE;
  if (m->first_done == NONE)
    m->first_done = i;
  else
    lane_at(m, m->last_done)->next_done = i;
  m->last_done = i;
}

/* What has settled first is given, and its source asked for more; a source that
 * is gone has left the failure of its close. */
static void give_first(merge_t *m) {
  vow__lane_t *lane = lane_at(m, m->first_done);
  const char *site = vow_site(vow_op_future(m));
  vow_value_t v = vow_op_consume(site, vow_waiter_take(&lane->waiter));
  m->first_done = lane->next_done;
  lane->phase = VOW__LANE_IDLE;
  if (lane->source != NULL)
    vow__join_ask(&m->base, lane);
  else
    v = vow__call_item(m, "vow_iter_merge", v);
  vow_iter_give(&m->base.it, v);
}

static void serve(merge_t *m) {
  if (!vow_iter_is_asked(&m->base.it)) return;
  if (m->first_done != NONE)
    give_first(m);
  else if (m->base.left == 0)
    vow_iter_give(&m->base.it, vow_fail(UV_EOF));
}

static void merge_next(vow_iter_t *it) {
  merge_t *m = (merge_t *)(void *)it;
  for (size_t i = 0; !m->started && i < m->base.n; i++)
    if (lane_at(m, i)->source != NULL && lane_at(m, i)->phase == VOW__LANE_IDLE)
      vow__join_ask(&m->base, lane_at(m, i));
  m->started = true;
  serve(m);
}

static bool merge_unasked(vow_iter_t *it) {
  merge_t *m = (merge_t *)(void *)it;
  for (size_t i = 0; i < m->base.n; i++) vow__join_unask(lane_at(m, i));
  m->started = false;
  return true;
}

/* The source has ended and closed; a failure stays to be given. */
static void lane_closed(merge_t *m, vow__lane_t *lane) {
  vow_iter_t *source = lane->source;
  if (vow_state(vow_waiter_future(&lane->waiter)) == VOW_FAILED) {
    lane->source = NULL;
    m->base.left--;
    append_done(m, lane);
    vow_iter_free(source);
  } else {
    vow_value_destroy(vow__join_lane_closed(&m->base, lane));
  }
}

static void merge_ready(vow_iter_t *it, vow_waiter_t *w) {
  merge_t *m = (merge_t *)(void *)it;
  vow__lane_t *lane = (vow__lane_t *)(void *)w;
  if (vow_iter_is_closing(it)) {
    vow__join_unwound(&m->base, lane);
    return;
  }
  if (lane->phase == VOW__LANE_CLOSING)
    lane_closed(m, lane);
  else if (vow_iter_is_end(vow_waiter_future(w)))
    vow__join_close_lane(&m->base, lane);
  else
    append_done(m, lane);
  serve(m);
}

static void merge_close(vow_iter_t *it) {
  merge_t *m = (merge_t *)(void *)it;
  for (size_t i = 0; i < m->base.n; i++)
    if (lane_at(m, i)->source == NULL) vow__call_forget(&lane_at(m, i)->waiter);
  vow__join_close(it);
}

static const vow_iter_class_t merge_class = {
    .op = VOW_ITER_OP("iter_merge", merge_t, vow__join_destroy,
                      vow__join_sources),
    .next = merge_next,
    .unasked = merge_unasked,
    .ready = merge_ready,
    .close = merge_close,
};

vow_iter_t *vow_iter_merge_at(const char *site, vow_loop_t *loop, size_t n,
                              vow_iter_t *const *its) {
  vow_iter_t *other;
  merge_t *m =
      vow__join_new(site, loop, "vow_iter_merge", &merge_class, n, its, &other);
  if (m == NULL) return other;
  m->first_done = NONE;
  return &m->base.it;
}

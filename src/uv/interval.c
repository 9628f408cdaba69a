/* SPDX-License-Identifier: MIT */
/* Intervals: a vow timer that is armed while somebody waits, and a count of the
 * ticks of the grid that were delivered. No libuv handle. */
#include <vow/interval.h>

#include "uv/driver.h"
#include "uv/feed.h"

#include <string.h>

struct vow_interval {
  vow__feed_t feed;
  vow_timer_t timer; /* armed while a next is pending */
  uint64_t start_ms;
  uint64_t period_ms;
  uint64_t delivered; /* the last tick that was delivered; tick 1 is first */
};

static const vow_op_class_t next_class = VOW__NEXT_CLASS("interval_next");

/* How many ticks are due that were not delivered. */
static uint64_t due(const vow_interval_t *i) {
  uint64_t now_ms = vow_loop_now_ms(i->feed.loop);
  if (now_ms <= i->start_ms) return 0;
  return (now_ms - i->start_ms) / i->period_ms - i->delivered;
}

static uint64_t next_ms(const vow_interval_t *i) {
  uint64_t room = VOW_MS_MAX - i->start_ms;
  if (i->delivered + 1 > room / i->period_ms) return VOW_MS_MAX;
  return i->start_ms + (i->delivered + 1) * i->period_ms;
}

static void on_tick(vow_timer_t *timer);

static void arm(vow_interval_t *i) {
  if (!vow__feed_is_wanted(&i->feed)) return;
  if (vow_timer_start(i->feed.loop, &i->timer, next_ms(i), on_tick) == 0)
    return;
  while (vow__feed_fail_one(&i->feed, vow_fail(UV_ENOMEM))) {
  }
}

static void on_tick(vow_timer_t *timer) {
  vow_interval_t *i = VOW__OF(timer, vow_interval_t, timer);
  uint64_t ticks = due(i);
  if (ticks > 0 && vow__feed_is_wanted(&i->feed)) {
    i->delivered += ticks;
    vow__feed_push(&i->feed, vow_int((int64_t)ticks));
  }
  arm(i);
}

static void unwanted(vow__feed_t *feed) {
  vow_interval_t *i = VOW__OF(feed, vow_interval_t, feed);
  vow_timer_stop(feed->loop, &i->timer);
}

int vow_interval_new(vow_loop_t *loop, uint64_t period_ms,
                     vow_interval_t **ret_interval) {
  vow_interval_t *i;
  if (loop == NULL || ret_interval == NULL) return UV_EINVAL;
  if (period_ms == 0 || period_ms > VOW_MS_MAX) return UV_EINVAL;
  i = vow_alloc(sizeof *i);
  if (i == NULL) return UV_ENOMEM;
  memset(i, 0, sizeof *i);
  vow__feed_init(&i->feed, loop, &next_class);
  i->feed.unwanted = unwanted;
  i->start_ms = vow_deadline_ms(loop, 0);
  i->period_ms = period_ms;
  *ret_interval = i;
  return 0;
}

vow_future_t *vow_interval_next_at(const char *site, vow_interval_t *interval) {
  vow_interval_t *i = interval;
  vow_future_t *f;
  uint64_t ticks;
  bool first;
  if (i == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "interval_next: the interval is NULL");
  first = !vow__feed_is_wanted(&i->feed);
  f = vow__feed_next(site, &i->feed);
  if (!first || !vow__feed_is_wanted(&i->feed)) return f;
  ticks = due(i);
  if (ticks > 0) {
    i->delivered += ticks;
    vow__feed_push(&i->feed, vow_int((int64_t)ticks));
  } else {
    arm(i);
  }
  return f;
}

void vow_interval_free(vow_interval_t *interval) {
  if (interval == NULL) return;
  /* Without a pending next the timer is idle, and the loop may be gone. */
  if (vow__feed_is_wanted(&interval->feed))
    vow_timer_stop(interval->feed.loop, &interval->timer);
  vow__feed_close(&interval->feed, VOW_ESHUTDOWN);
  vow_release(interval);
}

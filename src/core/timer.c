/* SPDX-License-Identifier: MIT */
/* Timers: a 4-ary heap by deadline and arming order, and sleep. The driver is
 * told the first deadline only. */
#include "core/loop.h"

#include <string.h>

#define ARITY 4

static bool before(const vow__heap_item_t *a, const vow__heap_item_t *b) {
  return a->deadline_ms < b->deadline_ms ||
         (a->deadline_ms == b->deadline_ms && a->order < b->order);
}

/* items are numbered from 1; the children of i are 4i-2 .. 4i+1 */
static size_t parent_of(size_t i) {
  return (i + ARITY - 2) / ARITY;
}

static void place(vow_loop_t *loop, size_t i, vow__heap_item_t item) {
  loop->heap[i] = item;
  item.timer->vow__index = i;
}

static void sift_up(vow_loop_t *loop, size_t i, vow__heap_item_t item) {
  while (i > 1 && before(&item, &loop->heap[parent_of(i)])) {
    place(loop, i, loop->heap[parent_of(i)]);
    i = parent_of(i);
  }
  place(loop, i, item);
}

static void sift_down(vow_loop_t *loop, size_t i, vow__heap_item_t item) {
  for (;;) {
    size_t first = ARITY * i - 2, least = 0;
    for (size_t c = first; c < first + ARITY && c <= loop->heap_length; c++)
      if (least == 0 || before(&loop->heap[c], &loop->heap[least])) least = c;
    if (least == 0 || !before(&loop->heap[least], &item)) break;
    place(loop, i, loop->heap[least]);
    i = least;
  }
  place(loop, i, item);
}

static bool heap_reserve(vow_loop_t *loop) {
  size_t capacity = loop->heap_capacity * 2;
  vow__heap_item_t *heap;
  if (loop->heap_length + 1 < loop->heap_capacity) return true;
  if (capacity < 64) capacity = 64;
  heap = vow_alloc(capacity * sizeof(*heap));
  if (heap == NULL) return false;
  if (loop->heap != NULL)
    memcpy(heap, loop->heap, (loop->heap_length + 1) * sizeof(*heap));
  vow_release(loop->heap);
  loop->heap = heap;
  loop->heap_capacity = capacity;
  return true;
}

static void heap_remove(vow_loop_t *loop, size_t i) {
  vow__heap_item_t last = loop->heap[loop->heap_length--];
  loop->heap[i].timer->vow__index = 0;
  if (i > loop->heap_length) return;
  if (i > 1 && before(&last, &loop->heap[parent_of(i)]))
    sift_up(loop, i, last);
  else
    sift_down(loop, i, last);
}

uint64_t vow_loop_next_ms(const vow_loop_t *loop) {
  return loop->heap_length > 0 ? loop->heap[1].deadline_ms : UINT64_MAX;
}

void vow__timers_arm(vow_loop_t *loop) {
  uint64_t next_ms = vow_loop_next_ms(loop);
  if (loop->draining || next_ms == loop->armed_ms) return;
  loop->armed_ms = next_ms;
  loop->driver->wake_at(loop->driver, next_ms);
}

int vow_timer_start(vow_loop_t *loop, vow_timer_t *t, uint64_t deadline_ms,
                    void (*fn)(vow_timer_t *t)) {
  vow__heap_item_t item = {deadline_ms, 0, t};
  if (t->vow__index != 0) heap_remove(loop, t->vow__index);
  if (!heap_reserve(loop)) return UV_ENOMEM;
  item.order = loop->heap_order++;
  t->vow__fn = fn;
  sift_up(loop, ++loop->heap_length, item);
  vow__timers_arm(loop);
  return 0;
}

void vow_timer_stop(vow_loop_t *loop, vow_timer_t *t) {
  if (t->vow__index == 0) return;
  heap_remove(loop, t->vow__index);
  vow__timers_arm(loop);
}

void vow_loop_expire(vow_loop_t *loop) {
  uint64_t now_ms = vow_loop_now_ms(loop);
  bool outer = loop->draining;
  loop->draining = true; /* arm once, at the end */
  while (loop->heap_length > 0 && loop->heap[1].deadline_ms <= now_ms) {
    vow_timer_t *t = loop->heap[1].timer;
    heap_remove(loop, 1);
    t->vow__fn(t);
  }
  loop->draining = outer;
  loop->armed_ms = 0; /* the driver's wish is used up */
  vow__timers_arm(loop);
}

void vow__timers_close(vow_loop_t *loop) {
  while (loop->heap_length > 0) heap_remove(loop, loop->heap_length);
  vow_release(loop->heap);
  loop->heap = NULL;
  loop->heap_capacity = 0;
}

uint64_t vow_loop_now_ms(vow_loop_t *loop) {
  return loop != NULL && !loop->closed
             ? loop->driver->now_ns(loop->driver) / 1000000u
             : 0;
}

uint64_t vow_deadline_ms(vow_loop_t *loop, uint64_t delay_ms) {
  uint64_t now_ms = (loop->driver->now_ns(loop->driver) + 999999u) / 1000000u;
  if (delay_ms >= VOW_MS_MAX || now_ms + delay_ms >= VOW_MS_MAX)
    return VOW_MS_MAX;
  return now_ms + delay_ms;
}

/* ---- sleep
 * --------------------------------------------------------------------- */

typedef struct sleep_op {
  vow_op_t op;
  vow_timer_t timer;
} sleep_op_t;

static void sleep_due(vow_timer_t *t) {
  vow_op_settle(vow__container_of(t, sleep_op_t, timer), vow_nil());
}

static void sleep_cancel(void *op) {
  sleep_op_t *s = op;
  vow_timer_stop(vow_op_loop(op), &s->timer);
  vow_op_settle(op, vow_cancelled(0));
}

static const vow_op_class_t sleep_class = {
    "sleep", sizeof(sleep_op_t), sleep_cancel, NULL, NULL, NULL};

static vow_future_t *sleep_start(const char *site, vow_loop_t *loop,
                                 uint64_t deadline_ms) {
  sleep_op_t *s = vow_op_new_at(site, loop, &sleep_class);
  int err;
  if (s == NULL) return vow__enomem(loop);
  err = vow_timer_start(loop, &s->timer, deadline_ms, sleep_due);
  if (err != 0) vow_op_settle(s, vow_fail(err));
  return vow_op_future(s);
}

/* Sleep 0: a cell that goes through the ready queue once. */
static vow_future_t *tick(const char *site, vow_loop_t *loop) {
  vow_future_t *f = vow__cell_alloc(loop, 0);
  if (f == NULL) return vow__enomem(loop);
  vow__cell_begin(f, VOW__TICK, VOW__F_QUEUED, site);
  vow__ready_push(loop, &f->node);
  return f;
}

vow_future_t *vow_sleep_at(const char *site, vow_loop_t *loop,
                           uint64_t delay_ms) {
  if (VOW__UNLIKELY(loop == NULL || !vow__loop_ok(loop)))
    return vow_op_failed(site, loop, "vow_sleep");
  if (delay_ms == 0) return tick(site, loop);
  return sleep_start(site, loop, vow_deadline_ms(loop, delay_ms));
}

vow_future_t *vow_sleep_until_at(const char *site, vow_loop_t *loop,
                                 uint64_t deadline_ms) {
  if (VOW__UNLIKELY(loop == NULL || !vow__loop_ok(loop)))
    return vow_op_failed(site, loop, "vow_sleep_until");
  if (deadline_ms > VOW_MS_MAX) deadline_ms = VOW_MS_MAX;
  if (deadline_ms <= vow_loop_now_ms(loop)) return tick(site, loop);
  return sleep_start(site, loop, deadline_ms);
}

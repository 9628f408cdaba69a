/* SPDX-License-Identifier: MIT */
/* Timers and sleep. The driver is told the first deadline only.
 *
 * How this works: deadlines within the next second or so stand in a wheel with
 * a slot a millisecond, each slot a queue of timers with that one deadline;
 * arming and stopping one takes no search. Later ones, and those already past,
 * stand in a heap (heap.c) and stay there. Of two with equal deadlines the one
 * in the heap was armed first: when it was armed the deadline was still too far
 * away for the wheel. */
#include "core/loop.h"

#define SLOT(ms) ((ms) % VOW__WHEEL_MS)

/* ---- the wheel --------------------------------------------------------------
 */

static uint64_t wheel_search(const vow_loop_t *loop) {
  uint64_t ms = loop->wheel_base_ms + 1, end_ms = ms + VOW__WHEEL_MS;
  while (ms < end_ms) {
    uint64_t bits = loop->wheel_used[SLOT(ms) / 64] >> (ms % 64);
    if (bits != 0) return ms + (uint64_t)__builtin_ctzll(bits);
    ms = (ms | 63) + 1;
  }
  return UINT64_MAX;
}

static void wheel_insert(vow_loop_t *loop, vow_timer_t *t) {
  uint64_t ms = t->vow__deadline_ms;
  vow_timer_t **slot = &loop->wheel[SLOT(ms)], *head = *slot;
  if (head == NULL) {
    t->vow__next = t->vow__prev = t;
    *slot = t;
    loop->wheel_used[SLOT(ms) / 64] |= (uint64_t)1 << (ms % 64);
    if (ms < loop->wheel_next_ms) loop->wheel_next_ms = ms;
    return;
  }
  t->vow__next = head;
  t->vow__prev = head->vow__prev;
  head->vow__prev->vow__next = t;
  head->vow__prev = t;
}

static void wheel_remove(vow_loop_t *loop, vow_timer_t *t) {
  uint64_t ms = t->vow__deadline_ms;
  vow_timer_t **slot = &loop->wheel[SLOT(ms)], *next = t->vow__next;
  t->vow__next = NULL;
  if (next != t) {
    next->vow__prev = t->vow__prev;
    t->vow__prev->vow__next = next;
    if (*slot == t) *slot = next;
    return;
  }
  *slot = NULL;
  loop->wheel_used[SLOT(ms) / 64] &= ~((uint64_t)1 << (ms % 64));
  if (ms == loop->wheel_next_ms) loop->wheel_next_ms = wheel_search(loop);
}

/* ---- timers
 * ------------------------------------------------------------------- */

uint64_t vow_loop_next_ms(const vow_loop_t *loop) {
  uint64_t heap_ms = vow__heap_next_ms(loop);
  return heap_ms < loop->wheel_next_ms ? heap_ms : loop->wheel_next_ms;
}

void vow__timers_arm(vow_loop_t *loop) {
  uint64_t next_ms = vow_loop_next_ms(loop);
  if (loop->draining || next_ms == loop->armed_ms) return;
  loop->armed_ms = next_ms;
  loop->driver->wake_at(loop->driver, next_ms);
}

static void take_out(vow_loop_t *loop, vow_timer_t *t) {
  if (t->vow__index != 0)
    vow__heap_remove(loop, t->vow__index);
  else if (t->vow__next != NULL)
    wheel_remove(loop, t);
}

int vow_timer_start(vow_loop_t *loop, vow_timer_t *t, uint64_t deadline_ms,
                    void (*fn)(vow_timer_t *t)) {
  int err = 0;
  take_out(loop, t);
  t->vow__fn = fn;
  t->vow__deadline_ms = deadline_ms;
  if (loop->wheel_next_ms == UINT64_MAX && loop->seen_ms > loop->wheel_base_ms)
    loop->wheel_base_ms = loop->seen_ms;
  if (deadline_ms > loop->wheel_base_ms &&
      deadline_ms - loop->wheel_base_ms < VOW__WHEEL_MS)
    wheel_insert(loop, t);
  else
    err = vow__heap_push(loop, t);
  if (err == 0) vow__timers_arm(loop);
  return err;
}

void vow_timer_stop(vow_loop_t *loop, vow_timer_t *t) {
  if (t->vow__index == 0 && t->vow__next == NULL) return;
  take_out(loop, t);
  vow__timers_arm(loop);
}

static void fire_all(vow_loop_t *loop, uint64_t now_ms) {
  uint64_t ms;
  while ((ms = vow_loop_next_ms(loop)) <= now_ms) {
    vow_timer_t *t = vow__heap_next_ms(loop) == ms ? loop->heap[1].timer
                                                   : loop->wheel[SLOT(ms)];
    take_out(loop, t);
    t->vow__fn(t);
  }
  if (now_ms > loop->wheel_base_ms) loop->wheel_base_ms = now_ms;
}

void vow_loop_expire(vow_loop_t *loop) {
  bool draining = loop->draining, awake = loop->awake;
  uint64_t now_ms = vow_loop_now_ms(loop);
  loop->draining = true; /* arm once, at the end */
  loop->awake = true;    /* whoever calls this drains next */
  fire_all(loop, now_ms);
  loop->draining = draining;
  loop->awake = awake;
  loop->armed_ms = 0; /* the driver's wish is used up */
  vow__timers_arm(loop);
}

void vow__timers_close(vow_loop_t *loop) {
  while (loop->wheel_next_ms != UINT64_MAX)
    wheel_remove(loop, loop->wheel[SLOT(loop->wheel_next_ms)]);
  vow__heap_close(loop);
}

uint64_t vow_loop_now_ms(vow_loop_t *loop) {
  if (loop == NULL || loop->closed) return 0;
  loop->seen_ms = loop->driver->now_ns(loop->driver) / 1000000u;
  return loop->seen_ms;
}

uint64_t vow_deadline_ms(vow_loop_t *loop, uint64_t delay_ms) {
  uint64_t now_ms = (loop->driver->now_ns(loop->driver) + 999999u) / 1000000u;
  loop->seen_ms = now_ms > 0 ? now_ms - 1 : 0;
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

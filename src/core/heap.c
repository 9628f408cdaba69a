/* SPDX-License-Identifier: MIT */
/* A 4-ary heap of timers, by deadline and arming order: for those the wheel in
 * timer.c does not reach. */
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

void vow__heap_remove(vow_loop_t *loop, size_t i) {
  vow__heap_item_t last = loop->heap[loop->heap_length--];
  loop->heap[i].timer->vow__index = 0;
  if (i > loop->heap_length) return;
  if (i > 1 && before(&last, &loop->heap[parent_of(i)]))
    sift_up(loop, i, last);
  else
    sift_down(loop, i, last);
}

int vow__heap_push(vow_loop_t *loop, vow_timer_t *t) {
  vow__heap_item_t item = {t->vow__deadline_ms, 0, t};
  if (!heap_reserve(loop)) return UV_ENOMEM;
  item.order = loop->heap_order++;
  sift_up(loop, ++loop->heap_length, item);
  return 0;
}

void vow__heap_close(vow_loop_t *loop) {
  while (loop->heap_length > 0) vow__heap_remove(loop, loop->heap_length);
  vow_release(loop->heap);
  loop->heap = NULL;
  loop->heap_capacity = 0;
}

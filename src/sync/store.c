/* SPDX-License-Identifier: MIT */
/* Items of a queue: a ring for VOW_FIFO and VOW_LIFO, a heap for VOW_PRIORITY.
 * An unbounded store doubles when it is full, and gives the places back when a
 * large one has become empty. */
#include "sync/store.h"

#include "base/errno.h"
#include <vow/op.h>

#include <string.h>

#define PLACES_FIRST ((size_t)16)
#define PLACES_KEPT  ((size_t)1024)
#define PLACES_MAX   ((size_t)PTRDIFF_MAX / sizeof(vow__ranked_t) / 2)

/* Moves the items to so many places: a power of two. */
static int resize_ring(vow__store_t *s, size_t places) {
  vow_value_t *ring = vow_alloc(places * sizeof *ring);
  size_t first = s->places - s->head; /* up to the end of the old ring */
  if (ring == NULL) return UV_ENOMEM;
  if (first > s->count) first = s->count;
  if (s->count > 0) {
    memcpy(ring, s->ring + s->head, first * sizeof *ring);
    memcpy(ring + first, s->ring, (s->count - first) * sizeof *ring);
  }
  vow_release(s->ring);
  s->ring = ring;
  s->head = 0;
  s->mask = places - 1;
  s->places = places;
  return 0;
}

static int resize_heap(vow__store_t *s, size_t places) {
  vow__ranked_t *heap = vow_alloc(places * sizeof *heap);
  if (heap == NULL) return UV_ENOMEM;
  if (s->count > 0) memcpy(heap, s->heap, s->count * sizeof *heap);
  vow_release(s->heap);
  s->heap = heap;
  s->places = places;
  return 0;
}

static int resize(vow__store_t *s, size_t places) {
  return s->order == VOW_PRIORITY ? resize_heap(s, places)
                                  : resize_ring(s, places);
}

int vow__store_init(vow__store_t *s, vow_queue_order_t order, size_t capacity) {
  size_t places = 1;
  s->order = order;
  if (capacity == VOW_UNBOUNDED) return 0;
  if (capacity > PLACES_MAX) return UV_EINVAL;
  s->bounded = true;
  while (places < capacity) places *= 2;
  return resize(s, places);
}

void vow__store_done(vow__store_t *s) {
  vow_release(s->ring);
  vow_release(s->heap);
  s->ring = NULL;
  s->heap = NULL;
  s->places = s->mask = s->head = 0;
}

int vow__store_reserve(vow__store_t *s) {
  if (s->count < s->places) return 0;
  if (s->places >= PLACES_MAX) return UV_ENOMEM;
  return resize(s, s->places > 0 ? s->places * 2 : PLACES_FIRST);
}

static bool before(const vow__ranked_t *a, const vow__ranked_t *b) {
  if (a->priority != b->priority) return a->priority < b->priority;
  return a->number < b->number;
}

static void heap_push(vow__store_t *s, vow_value_t v, int64_t priority) {
  vow__ranked_t *heap = s->heap, it = {priority, s->number++, v};
  size_t i = s->count++;
  while (i > 0 && before(&it, &heap[(i - 1) / 2])) {
    heap[i] = heap[(i - 1) / 2];
    i = (i - 1) / 2;
  }
  heap[i] = it;
}

static vow_value_t heap_pop(vow__store_t *s) {
  vow__ranked_t *heap = s->heap, *last = &heap[--s->count];
  vow_value_t v = heap[0].v;
  size_t i = 0, child;
  while ((child = 2 * i + 1) < s->count) {
    if (child + 1 < s->count && before(&heap[child + 1], &heap[child])) child++;
    if (!before(&heap[child], last)) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = *last;
  return v;
}

void vow__store_push(vow__store_t *s, vow_value_t v, int64_t priority) {
  if (s->order == VOW_PRIORITY)
    heap_push(s, v, priority);
  else
    vow__ring_push(s, v);
}

vow_value_t vow__store_pop(vow__store_t *s) {
  vow_value_t v;
  if (s->order == VOW_PRIORITY)
    v = heap_pop(s);
  else if (s->order == VOW_FIFO)
    v = vow__ring_pop(s);
  else
    v = s->ring[(s->head + --s->count) & s->mask];
  if (s->count == 0 && !s->bounded && s->places > PLACES_KEPT)
    vow__store_done(s);
  return v;
}

/* SPDX-License-Identifier: MIT */
/* The items in a queue, and which of them is next. Nobody waits here. */
#ifndef VOW_SYNC_STORE_H
#define VOW_SYNC_STORE_H

#include <vow/queue.h>

typedef struct vow__ranked {
  int64_t priority;
  uint64_t number; /* in order of put, among equals */
  vow_value_t v;
} vow__ranked_t;

typedef struct vow__store {
  vow_value_t *ring; /* mask + 1 places; the oldest item at head */
  size_t head;
  size_t mask;
  size_t count;
  size_t places; /* for so many items there is room now */
  vow__ranked_t *heap;
  uint64_t number;
  vow_queue_order_t order;
  bool bounded; /* has all the places it may have */
} vow__store_t;

/** An empty store on zeroed memory: UV_ENOMEM, UV_EINVAL (capacity); 0. */
int vow__store_init(vow__store_t *s, vow_queue_order_t order, size_t capacity);

/** Releases the places; there must be no items. */
void vow__store_done(vow__store_t *s);

/** Makes room for one more: UV_ENOMEM, for an unbounded one; 0. */
int vow__store_reserve(vow__store_t *s);

/** Adds v; there must be room. */
void vow__store_push(vow__store_t *s, vow_value_t v, int64_t priority);

/** The next item; there must be one. */
vow_value_t vow__store_pop(vow__store_t *s);

/* The same for what is not VOW_PRIORITY; for what is VOW_FIFO and bounded. */
static inline void vow__ring_push(vow__store_t *s, vow_value_t v) {
  s->ring[(s->head + s->count++) & s->mask] = v;
}

static inline vow_value_t vow__ring_pop(vow__store_t *s) {
  vow_value_t v = s->ring[s->head];
  s->head = (s->head + 1) & s->mask;
  s->count--;
  return v;
}

#endif

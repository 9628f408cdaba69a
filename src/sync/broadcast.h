/* SPDX-License-Identifier: MIT */
/* The inside of a broadcast channel, for its two files. */
#ifndef VOW_SYNC_BROADCAST_H
#define VOW_SYNC_BROADCAST_H

#include "sync/slot.h"

#include <vow/broadcast.h>

typedef struct vow__sent {
  vow_value_t v;
  size_t unread; /* by so many readers */
} vow__sent_t;

struct vow_broadcast {
  vow_op_t cell;
  vow__sent_t *ring; /* mask + 1 places, a power of two */
  size_t mask;
  size_t capacity;
  uint64_t head,
      tail; /* numbers of the oldest value, and of the next to come */
  size_t readers;
  vow__link_t senders; /* slots; not empty only while the channel is full */
  vow__link_t waiting; /* subscriptions with nexts */
  vow_lag_t lag;
  bool closed;
};

static inline vow__sent_t *vow__sent(const vow_broadcast_t *b,
                                     uint64_t number) {
  return &b->ring[number & b->mask];
}

/** Lets go of what nobody is going to read, and lets senders in. */
void vow__broadcast_advance(vow_broadcast_t *b);

vow_value_t vow__broadcast_shut(vow_broadcast_t *b);

/** subscription.c: gives those who wait what has come; turns them away. */
void vow__readers_serve(vow_broadcast_t *b);
void vow__readers_end(vow_broadcast_t *b);

#endif

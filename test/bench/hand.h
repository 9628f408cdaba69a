/* SPDX-License-Identifier: MIT */
/* What a program without vow writes by hand: a malloc'd node with a callback,
 * and a first-in first-out queue of nodes that are ready to run. */
#ifndef VOW_TEST_BENCH_HAND_H
#define VOW_TEST_BENCH_HAND_H

#include <stddef.h>
#include <stdint.h>

typedef struct hand_node hand_node_t;
typedef int64_t (*hand_cb)(int64_t in, void *arg);

struct hand_node {
  hand_cb cb;
  void *arg;
  int64_t value;     /* what the callback is given */
  hand_node_t *next; /* in a chain: what runs after it; else in a list */
  hand_node_t *queued;
};

typedef struct hand_queue {
  hand_node_t *first;
  hand_node_t **last;
} hand_queue_t;

static inline void hand_queue_init(hand_queue_t *q) {
  q->first = NULL;
  q->last = &q->first;
}

static inline void hand_push(hand_queue_t *q, hand_node_t *node) {
  node->queued = NULL;
  *q->last = node;
  q->last = &node->queued;
}

static inline hand_node_t *hand_pop(hand_queue_t *q) {
  hand_node_t *node = q->first;
  if (node == NULL) return NULL;
  q->first = node->queued;
  if (q->first == NULL) q->last = &q->first;
  return node;
}

#endif

/* SPDX-License-Identifier: MIT */
/* The order in which a shuffled loop runs what is ready. For tests.
 *
 * How this works. One of the first few nodes is chosen by the loop's sequence of
 * numbers. If it must not overtake one before it, the first such node is chosen
 * instead; that again until none is in the way. The first node is always free
 * to run, so nothing waits for ever. */
#include "core/loop.h"

#define WINDOW 16u

/* Steele, Lea, Flood: splitmix64. */
static uint64_t next_number(vow_loop_t *loop) {
  uint64_t z = loop->shuffle += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Queued for its own sake, and so behind all that was ready then. A pending
 * operation with a source is none: its kind says that it is the node itself. */
static bool is_behind_all(const vow__node_t *n) {
  return n->kind == VOW__PROMISE || n->kind == VOW__TICK || n->kind == VOW__OP;
}

/* The operation that hears of n; NULL: a callback does. */
static const void *hearer(const vow__node_t *n) {
  if (n->kind == VOW__WAITER)
    return ((const vow__waiter_t *)(const void *)n)->owner;
  return n->kind == VOW__OP ? n : NULL;
}

/* Whether n, which is behind m, has to stay there. */
static bool must_follow(const vow__node_t *n, const vow__node_t *m) {
  if (is_behind_all(n)) return true;
  if (n->kind == VOW__WATCH || m->kind == VOW__WATCH) return n->kind == m->kind;
  if (hearer(n) != NULL && hearer(n) == hearer(m)) return true;
  return !is_behind_all(m) && n->source == m->source;
}

/* n, or the first that is in its way. */
static vow__node_t *free_to_run(vow_loop_t *loop, vow__node_t *n) {
  vow__node_t *m = loop->ready.next;
  while (m != n) {
    if (must_follow(n, m)) {
      n = m;
      m = loop->ready.next;
    } else {
      m = m->next;
    }
  }
  return n;
}

void vow__shuffle(vow_loop_t *loop) {
  vow__node_t *head = &loop->ready, *n;
  uint32_t length = 0, i;
  for (n = head->next; n != head && length < WINDOW; n = n->next) length++;
  if (length == 0) return;
  i = (uint32_t)(next_number(loop) % length);
  for (n = head->next; i > 0; i--) n = n->next;
  n = free_to_run(loop, n);
  if (n == head->next) return;
  vow__unlink(n);
  n->next = head->next;
  n->prev = head;
  head->next->prev = n;
  head->next = n;
}

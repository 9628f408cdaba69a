/* SPDX-License-Identifier: MIT */
/* Figures of the core alone: a pending chain, a continuation on what is
 * settled, and the memory of a pending `then`. */
#include "bench/bench.h"
#include "bench/hand.h"

#include <stdatomic.h>
#include <stdlib.h>

/* ---- a chain of 1,000, pending, then resolved and run ------------------ */

#define LINKS  1000
#define CHAINS 1000

static vow_value_t add_one(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_int(vow_get_int(in) + 1);
}

static int64_t chain_once(vow_loop_t *loop) {
  vow_promise_t *p;
  vow_future_t *f = vow_promise_new(loop, &p);
  int64_t sum;
  for (int i = 0; i < LINKS; i++) f = vow_then(f, add_one, NULL);
  vow_promise_finish(p, vow_int(0));
  BENCH_REQUIRE(vow_loop_run_until(loop, f) == 0);
  sum = vow_get_int(f);
  vow_drop(f);
  return sum;
}

static double chain_vow(void) {
  vow_loop_t *loop = bench_loop_new();
  uint64_t start;
  uint64_t end;
  int64_t sum = 0;
  start = bench_wall_ns();
  for (int i = 0; i < CHAINS; i++) sum += chain_once(loop);
  end = bench_wall_ns();
  BENCH_REQUIRE(sum == (int64_t)LINKS * CHAINS);
  bench_loop_done(loop);
  return bench_per_item(start, end, (size_t)LINKS * CHAINS);
}

static int64_t hand_add_one(int64_t in, void *arg) {
  (void)arg;
  return in + 1;
}

static hand_node_t *hand_node_new(hand_cb cb, void *arg) {
  hand_node_t *node = bench_malloc(sizeof *node);
  node->cb = cb;
  node->arg = arg;
  node->next = NULL;
  return node;
}

/* Runs until the queue is empty; returns what the last callback gave. */
static int64_t hand_run(hand_queue_t *queue) {
  hand_node_t *node;
  int64_t out = 0;
  while ((node = hand_pop(queue)) != NULL) {
    out = node->cb(node->value, node->arg);
    if (node->next != NULL) {
      node->next->value = out;
      hand_push(queue, node->next);
    }
    free(node);
  }
  return out;
}

static int64_t hand_chain_once(hand_queue_t *queue) {
  hand_node_t *first = hand_node_new(hand_add_one, NULL);
  hand_node_t *last = first;
  for (int i = 1; i < LINKS; i++) {
    last->next = hand_node_new(hand_add_one, NULL);
    last = last->next;
  }
  first->value = 0;
  hand_push(queue, first);
  return hand_run(queue);
}

static double chain_floor(void) {
  hand_queue_t queue;
  uint64_t start;
  uint64_t end;
  int64_t sum = 0;
  hand_queue_init(&queue);
  start = bench_wall_ns();
  for (int i = 0; i < CHAINS; i++) sum += hand_chain_once(&queue);
  end = bench_wall_ns();
  BENCH_REQUIRE(sum == (int64_t)LINKS * CHAINS);
  return bench_per_item(start, end, (size_t)LINKS * CHAINS);
}

/* ---- create, resolve, then, run, drop; in batches ---------------------- */

#define BATCH   250
#define BATCHES 4000

static void settle_batch(vow_loop_t *loop, vow_future_t **futures) {
  for (int i = 0; i < BATCH; i++) {
    vow_promise_t *p;
    vow_future_t *f = vow_promise_new(loop, &p);
    vow_promise_finish(p, vow_int(i));
    futures[i] = vow_then(f, add_one, NULL);
  }
  BENCH_REQUIRE(vow_loop_run_until(loop, futures[BATCH - 1]) == 0);
}

static void ready_batch(vow_loop_t *loop, vow_future_t **futures) {
  for (int i = 0; i < BATCH; i++) {
    futures[i] = vow_then(vow_ready(loop, vow_int(i)), add_one, NULL);
  }
  BENCH_REQUIRE(vow_loop_run_until(loop, futures[BATCH - 1]) == 0);
}

static double batches(void (*one)(vow_loop_t *loop, vow_future_t **futures)) {
  static vow_future_t *futures[BATCH];
  vow_loop_t *loop = bench_loop_new();
  uint64_t start;
  uint64_t end;
  int64_t sum = 0;
  start = bench_wall_ns();
  for (int i = 0; i < BATCHES; i++) {
    one(loop, futures);
    for (int j = 0; j < BATCH; j++) {
      sum += vow_get_int(futures[j]);
      vow_drop(futures[j]);
    }
  }
  end = bench_wall_ns();
  BENCH_REQUIRE(sum == (int64_t)BATCHES * BATCH * (BATCH + 1) / 2);
  bench_loop_done(loop);
  return bench_per_item(start, end, (size_t)BATCH * BATCHES);
}

static double settle_vow(void) {
  return batches(settle_batch);
}

static double ready_vow(void) {
  return batches(ready_batch);
}

/* By hand the result, its callback and the queue's link are one node. */
static int64_t hand_batch(hand_queue_t *queue, hand_node_t **nodes) {
  hand_node_t *node;
  int64_t sum = 0;
  for (int i = 0; i < BATCH; i++) {
    nodes[i] = hand_node_new(NULL, NULL);
    nodes[i]->value = i;
    nodes[i]->cb = hand_add_one;
    hand_push(queue, nodes[i]);
  }
  while ((node = hand_pop(queue)) != NULL) {
    node->value = node->cb(node->value, node->arg);
  }
  for (int i = 0; i < BATCH; i++) {
    sum += nodes[i]->value;
    free(nodes[i]);
  }
  return sum;
}

static double settle_floor(void) {
  static hand_node_t *nodes[BATCH];
  hand_queue_t queue;
  uint64_t start;
  uint64_t end;
  int64_t sum = 0;
  hand_queue_init(&queue);
  start = bench_wall_ns();
  for (int i = 0; i < BATCHES; i++) sum += hand_batch(&queue, nodes);
  end = bench_wall_ns();
  BENCH_REQUIRE(sum == (int64_t)BATCHES * BATCH * (BATCH + 1) / 2);
  return bench_per_item(start, end, (size_t)BATCH * BATCHES);
}

/* ---- bytes of a pending then -------------------------------------------- */

#define PENDING    1000000
#define SLAB_BYTES 65536

static size_t counted_bytes;
static size_t counted_others; /* blocks that are no slab */

static void *count_alloc(size_t size_bytes, void *arg) {
  (void)arg;
  counted_bytes += size_bytes;
  counted_others++;
  return malloc(size_bytes);
}

static void *count_alloc_aligned(size_t align_bytes, size_t size_bytes,
                                 void *arg) {
  (void)arg;
  counted_bytes += size_bytes;
  if (size_bytes != SLAB_BYTES) counted_others++;
  return aligned_alloc(align_bytes, size_bytes);
}

static void count_release(void *ptr, void *arg) {
  (void)arg;
  free(ptr);
}

/* Slabs have a head, and the last one may be half empty: so not exactly 64. */
static double memory_vow(void) {
  const vow_allocator_t counting = {count_alloc, count_alloc_aligned,
                                    count_release, NULL};
  vow_loop_t *loop;
  vow_future_t *f;
  double bytes;
  BENCH_REQUIRE(vow_set_allocator(&counting) == 0);
  loop = bench_loop_new();
  f = vow_never(loop);
  f = vow_then(f, add_one, NULL);
  counted_bytes = 0;
  counted_others = 0;
  for (int i = 0; i < PENDING; i++) f = vow_then(f, add_one, NULL);
  bytes = (double)counted_bytes / PENDING;
  BENCH_REQUIRE(counted_others == 0);
  vow_drop(f);
  BENCH_REQUIRE(vow_loop_run(loop) == 0);
  bench_loop_done(loop);
  BENCH_REQUIRE(vow_set_allocator(NULL) == 0);
  return bytes;
}

const bench_figure_t bench_chain_figures[] = {
    {.name = "chain",
     .unit = "ns/link",
     .limit = 0.75,
     .vow = chain_vow,
     .floor = chain_floor,
     .what = "pending chain of 1,000 then"},
    {.name = "settle",
     .unit = "ns/future",
     .limit = 1.2,
     .vow = settle_vow,
     .floor = settle_floor,
     .what = "promise, resolve, then, run, drop; in batches of 250"},
    {.name = "ready",
     .unit = "ns/future",
     .vow = ready_vow,
     .floor = settle_floor,
     .what = "the same on a future made settled"},
    {.name = "memory",
     .unit = "bytes",
     .limit = 1.01,
     .vow = memory_vow,
     .floor_constant = 64,
     .what = "of a pending then, slab heads included"},
    {.name = NULL}};

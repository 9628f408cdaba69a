/* SPDX-License-Identifier: MIT */
/* gather and race of 10,000 promises. By hand: malloc'd operations whose
 * callback writes a result and counts down. */
#include "bench/bench.h"
#include "bench/hand.h"

#include <stdlib.h>

#define CHILDREN 10000
#define TIMES    50
#define ITEMS    ((size_t)CHILDREN * TIMES)

typedef int64_t (*combine_fn)(vow_loop_t *loop, vow_future_t **futures,
                              vow_promise_t **promises);

static double combine_round(combine_fn once, int64_t want) {
  static vow_future_t *futures[CHILDREN];
  static vow_promise_t *promises[CHILDREN];
  vow_loop_t *loop = bench_loop_new();
  uint64_t start = bench_wall_ns();
  uint64_t end;
  for (int t = 0; t < TIMES; t++) {
    BENCH_REQUIRE(once(loop, futures, promises) == want);
  }
  end = bench_wall_ns();
  bench_loop_done(loop);
  return bench_per_item(start, end, ITEMS);
}

static void make_children(vow_loop_t *loop, vow_future_t **futures,
                          vow_promise_t **promises) {
  for (int i = 0; i < CHILDREN; i++) {
    futures[i] = vow_promise_new(loop, &promises[i]);
  }
}

static int64_t gather_once(vow_loop_t *loop, vow_future_t **futures,
                           vow_promise_t **promises) {
  vow_future_t *all;
  int64_t last;
  make_children(loop, futures, promises);
  all = vow_gather(loop, CHILDREN, futures);
  for (int i = 0; i < CHILDREN; i++) {
    vow_promise_finish(promises[i], vow_int(i));
  }
  BENCH_REQUIRE(vow_loop_run_until(loop, all) == 0);
  last = vow_list_at(vow_get_list(all), CHILDREN - 1).as.i;
  vow_drop(all);
  return last;
}

static double gather_vow(void) {
  return combine_round(gather_once, CHILDREN - 1);
}

static int64_t race_once(vow_loop_t *loop, vow_future_t **futures,
                         vow_promise_t **promises) {
  vow_future_t *first;
  int64_t value;
  make_children(loop, futures, promises);
  first = vow_race(loop, CHILDREN, futures);
  vow_resolve(promises[0], vow_int(7));
  BENCH_REQUIRE(vow_loop_run_until(loop, first) == 0);
  value = vow_get_int(first);
  vow_drop(first);
  for (int i = 0; i < CHILDREN; i++) vow_promise_drop(promises[i]);
  return value;
}

static double race_vow(void) {
  return combine_round(race_once, 7);
}

/* ---- by hand ------------------------------------------------------------ */

typedef struct hand_all {
  size_t left;
  int64_t *results;
  int64_t last; /* what the callback of the whole saw */
} hand_all_t;

typedef struct hand_child {
  hand_node_t node;
  size_t index;
} hand_child_t;

static void hand_on_all(hand_all_t *all) {
  all->last = all->results[CHILDREN - 1];
}

static void hand_on_child(hand_child_t *child, hand_all_t *all) {
  all->results[child->index] = child->node.value;
  if (--all->left == 0) hand_on_all(all);
}

static int64_t hand_gather_once(hand_child_t **children, hand_queue_t *queue) {
  hand_all_t *all = bench_malloc(sizeof *all);
  hand_node_t *node;
  int64_t last;
  all->left = CHILDREN;
  all->results = bench_malloc(CHILDREN * sizeof all->results[0]);
  for (size_t i = 0; i < CHILDREN; i++) {
    children[i] = bench_malloc(sizeof *children[i]);
    children[i]->index = i;
    children[i]->node.arg = all;
  }
  for (size_t i = 0; i < CHILDREN; i++) {
    children[i]->node.value = (int64_t)i;
    hand_push(queue, &children[i]->node);
  }
  while ((node = hand_pop(queue)) != NULL) {
    hand_on_child((hand_child_t *)(void *)node, node->arg);
    free(node);
  }
  last = all->last;
  free(all->results);
  free(all);
  return last;
}

static double gather_floor(void) {
  static hand_child_t *children[CHILDREN];
  hand_queue_t queue;
  uint64_t start = bench_wall_ns();
  uint64_t end;
  hand_queue_init(&queue);
  for (int t = 0; t < TIMES; t++) {
    BENCH_REQUIRE(hand_gather_once(children, &queue) == CHILDREN - 1);
  }
  end = bench_wall_ns();
  return bench_per_item(start, end, ITEMS);
}

const bench_figure_t bench_combine_figures[] = {
    {.name = "gather",
     .unit = "ns/child",
     .limit = 1.0,
     .vow = gather_vow,
     .floor = gather_floor,
     .what = "gather of 10,000 promises"},
    {.name = "race",
     .unit = "ns/child",
     .limit = 1.2,
     .vow = race_vow,
     .floor = gather_vow,
     .what = "race of 10,000 promises; the floor is vow's gather"},
    {.name = NULL}};

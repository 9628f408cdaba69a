/* SPDX-License-Identifier: MIT */
/* 100,000 operations bound to the leaves of a tree of tokens of three levels,
 * all cancelled at its root. By hand: a tree of nodes, each with a doubly
 * linked list of malloc'd operations that carry a callback. */
#include "bench/bench.h"

#include <stdlib.h>

#define OPS    100000
#define FANOUT 10
#define LEAVES (FANOUT * FANOUT)

/* ---- vow --------------------------------------------------------------- */

typedef struct tree {
  vow_token_t *root;
  vow_token_t *middle[FANOUT];
  vow_token_t *leaf[LEAVES];
} tree_t;

static void tree_init(tree_t *t, vow_loop_t *loop) {
  t->root = vow_token_new(loop);
  for (int i = 0; i < FANOUT; i++) t->middle[i] = vow_token_child(t->root);
  for (int i = 0; i < LEAVES; i++) {
    t->leaf[i] = vow_token_child(t->middle[i / FANOUT]);
  }
}

static void tree_done(tree_t *t) {
  for (int i = 0; i < LEAVES; i++) vow_token_free(t->leaf[i]);
  for (int i = 0; i < FANOUT; i++) vow_token_free(t->middle[i]);
  vow_token_free(t->root);
}

static double token_vow(void) {
  static vow_future_t *futures[OPS];
  static vow_promise_t *promises[OPS];
  vow_loop_t *loop = bench_loop_new();
  tree_t tree;
  size_t cancelled = 0;
  uint64_t start;
  uint64_t end;
  tree_init(&tree, loop);
  start = bench_wall_ns();
  for (size_t i = 0; i < OPS; i++) {
    vow_future_t *f = vow_promise_new(loop, &promises[i]);
    futures[i] = vow_with_token(f, tree.leaf[i / (OPS / LEAVES)]);
  }
  vow_token_cancel(tree.root, 0);
  BENCH_REQUIRE(vow_loop_run(loop) == 0);
  for (size_t i = 0; i < OPS; i++) {
    cancelled += vow_is_cancelled(futures[i]);
    vow_drop(futures[i]);
    vow_promise_drop(promises[i]);
  }
  end = bench_wall_ns();
  BENCH_REQUIRE(cancelled == OPS);
  tree_done(&tree);
  bench_loop_done(loop);
  return bench_per_item(start, end, OPS);
}

/* ---- by hand ------------------------------------------------------------ */

typedef struct hand_link {
  struct hand_link *next;
  struct hand_link *prev;
} hand_link_t;

typedef struct hand_op {
  hand_link_t link; /* in its node's list */
  void (*on_cancel)(struct hand_op *op, void *arg);
  void *arg;
} hand_op_t;

typedef struct hand_token {
  hand_link_t ops;
  struct hand_token *child[FANOUT];
} hand_token_t;

static void hand_on_cancel(hand_op_t *op, void *arg) {
  op->link.prev->next = op->link.next;
  op->link.next->prev = op->link.prev;
  ++*(size_t *)arg;
  free(op);
}

static hand_token_t *hand_token_new(int levels) {
  hand_token_t *t = bench_malloc(sizeof *t);
  t->ops.next = t->ops.prev = &t->ops;
  for (int i = 0; i < FANOUT; i++) {
    t->child[i] = levels > 1 ? hand_token_new(levels - 1) : NULL;
  }
  return t;
}

static void hand_cancel(hand_token_t *t) {
  while (t->ops.next != &t->ops) {
    hand_op_t *op = (hand_op_t *)(void *)t->ops.next;
    op->on_cancel(op, op->arg);
  }
  for (int i = 0; i < FANOUT; i++) {
    if (t->child[i] != NULL) hand_cancel(t->child[i]);
  }
}

static void hand_token_free(hand_token_t *t) {
  for (int i = 0; i < FANOUT; i++) {
    if (t->child[i] != NULL) hand_token_free(t->child[i]);
  }
  free(t);
}

static void hand_bind(hand_token_t *t, size_t *counter) {
  hand_op_t *op = bench_malloc(sizeof *op);
  op->on_cancel = hand_on_cancel;
  op->arg = counter;
  op->link.next = &t->ops;
  op->link.prev = t->ops.prev;
  t->ops.prev->next = &op->link;
  t->ops.prev = &op->link;
}

static double token_floor(void) {
  hand_token_t *root = hand_token_new(3);
  size_t cancelled = 0;
  uint64_t start = bench_wall_ns();
  uint64_t end;
  for (size_t i = 0; i < OPS; i++) {
    size_t leaf = i / (OPS / LEAVES);
    hand_bind(root->child[leaf / FANOUT]->child[leaf % FANOUT], &cancelled);
  }
  hand_cancel(root);
  end = bench_wall_ns();
  BENCH_REQUIRE(cancelled == OPS);
  hand_token_free(root);
  return bench_per_item(start, end, OPS);
}

const bench_figure_t bench_token_figures[] = {
    {.name = "token",
     .unit = "ns/op",
     .limit = 4.0,
     .vow = token_vow,
     .floor = token_floor,
     .what = "100,000 bound operations cancelled at the root of three levels"},
    {.name = NULL}};

/* SPDX-License-Identifier: MIT */
/* Queues and locks between tasks. The queue's floor is a ring of values between
 * two bare stacks. */
#include "bench/bench.h"

#include "task/context.h"

#define ITEMS    1000000
#define CAPACITY 64
#define LOCKS    1000000
#define HANDOFFS 200000

/* ---- one producer, one consumer -------------------------------------------- */

static vow_value_t produce(void *arg) {
  for (int64_t i = 0; i < ITEMS; i++)
    BENCH_REQUIRE(vow_await_put(arg, vow_int(i)) == 0);
  return vow_nil();
}

static vow_value_t consume(void *arg) {
  int64_t sum = 0;
  for (int64_t i = 0; i < ITEMS; i++) sum += vow_await_get(arg).as.i;
  BENCH_REQUIRE(sum == (int64_t)ITEMS * (ITEMS - 1) / 2);
  return vow_nil();
}

static void run_two(vow_loop_t *loop, vow_task_cb a, vow_task_cb b, void *arg) {
  vow_future_t *f =
      vow_gather_of(loop, vow_go(loop, a, arg), vow_go(loop, b, arg));
  BENCH_REQUIRE(vow_await_blocking(f, NULL) == 0);
}

static double queue_vow(void) {
  vow_loop_t *loop = bench_loop_new();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, CAPACITY);
  uint64_t start = bench_thread_ns();
  run_two(loop, produce, consume, q);
  uint64_t end = bench_thread_ns();
  vow_queue_free(q);
  bench_loop_done(loop);
  return bench_per_item(start, end, ITEMS);
}

typedef struct ring {
  vow_value_t items[CAPACITY];
  size_t head, length;
  vow__context_t maker, user;
} ring_t;

static _Alignas(64) char ring_stack[65536];

static void ring_produce(void *arg) {
  ring_t *r = arg;
  for (int64_t i = 0;; i++) {
    while (r->length == CAPACITY) vow__context_switch(&r->maker, &r->user);
    r->items[(r->head + r->length++) % CAPACITY] = vow_int(i);
  }
}

static double queue_floor(void) {
  static ring_t r;
  int64_t sum = 0;
  uint64_t start = bench_thread_ns();
  r.head = r.length = 0;
  vow__context_make(&r.maker, ring_stack, sizeof ring_stack, ring_produce, &r);
  for (int64_t i = 0; i < ITEMS; i++) {
    while (r.length == 0) vow__context_switch(&r.user, &r.maker);
    sum += r.items[r.head].as.i;
    r.head = (r.head + 1) % CAPACITY;
    r.length--;
  }
  uint64_t end = bench_thread_ns();
  BENCH_REQUIRE(sum == (int64_t)ITEMS * (ITEMS - 1) / 2);
  return bench_per_item(start, end, ITEMS);
}

/* ---- locks ----------------------------------------------------------------- */

static vow_value_t lock_alone(void *arg) {
  for (int i = 0; i < LOCKS; i++) {
    BENCH_REQUIRE(vow_await_lock(arg) == 0);
    BENCH_REQUIRE(vow_mutex_release(arg) == 0);
  }
  return vow_nil();
}

static double lock_free_vow(void) {
  vow_loop_t *loop = bench_loop_new();
  vow_mutex_t *m = vow_mutex_new(loop);
  uint64_t start = bench_thread_ns();
  BENCH_REQUIRE(vow_await_blocking(vow_go(loop, lock_alone, m), NULL) == 0);
  uint64_t end = bench_thread_ns();
  vow_mutex_free(m);
  bench_loop_done(loop);
  return bench_per_item(start, end, LOCKS);
}

/* Each holds the lock whenever the other asks: every release hands it over. */
static vow_value_t lock_in_turn(void *arg) {
  BENCH_REQUIRE(vow_await_lock(arg) == 0);
  vow_yield();
  for (int i = 0; i < HANDOFFS / 2; i++) {
    BENCH_REQUIRE(vow_mutex_release(arg) == 0);
    BENCH_REQUIRE(vow_await_lock(arg) == 0);
  }
  BENCH_REQUIRE(vow_mutex_release(arg) == 0);
  return vow_nil();
}

static double lock_handoff_vow(void) {
  vow_loop_t *loop = bench_loop_new();
  vow_mutex_t *m = vow_mutex_new(loop);
  uint64_t start = bench_thread_ns();
  run_two(loop, lock_in_turn, lock_in_turn, m);
  uint64_t end = bench_thread_ns();
  vow_mutex_free(m);
  bench_loop_done(loop);
  return bench_per_item(start, end, HANDOFFS);
}

const bench_figure_t bench_sync_figures[] = {
    {.name = "queue",
     .unit = "ns/item",
     .at_most = 20,
     .vow = queue_vow,
     .floor = queue_floor,
     .what = "capacity 64, one producer and one consumer task"},
    {.name = "lock",
     .unit = "ns/lock",
     .at_most = 10,
     .vow = lock_free_vow,
     .what = "uncontended mutex acquire and release in a task"},
    {.name = "lock-handoff",
     .unit = "ns/hand-off",
     .at_most = 50,
     .vow = lock_handoff_vow,
     .what = "mutex handed from task to task"},
    {.name = NULL},
};

/* SPDX-License-Identifier: MIT */
/* Figures of tasks: the switch itself, awaits, starting and ending, and the
 * memory of one that waits. */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "task/fiber.h"

/* ---- there and back ------------------------------------------------------- */

#define SWITCHES    2000000
#define STACK_BYTES 65536

static vow__fiber_t fiber;

static void go_back(void *arg) {
  (void)arg;
  vow__fiber_entered(&fiber);
  for (;;) vow__fiber_suspend(&fiber);
}

static double switch_vow(void) {
  uint64_t start, end;
  BENCH_REQUIRE(vow__fiber_begin(&fiber, STACK_BYTES, go_back, NULL) == 0);
  start = bench_thread_ns();
  for (int i = 0; i < SWITCHES; i++) vow__fiber_resume(&fiber);
  end = bench_thread_ns();
  vow__fiber_end(&fiber);
  return bench_per_item(start, end, SWITCHES);
}

#if defined(__x86_64__) && !defined(__ILP32__)
#define HAVE_BARE 1

/* What any switch of this machine must do: six registers, the modes of both
 * floating-point units, the stack pointer; left by a jump. */
void bench_bare_switch(void **from, void *const *to);

__asm__(".text\n"
        ".globl bench_bare_switch\n"
        ".hidden bench_bare_switch\n"
        ".type bench_bare_switch, @function\n"
        ".p2align 4\n"
        "bench_bare_switch:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n"
        "  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  subq $8, %rsp\n"
        "  stmxcsr (%rsp)\n"
        "  fnstcw 4(%rsp)\n"
        "  movq %rsp, (%rdi)\n"
        "  movq (%rsi), %rsp\n"
        "  ldmxcsr (%rsp)\n"
        "  fldcw 4(%rsp)\n"
        "  addq $8, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n"
        "  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  popq %rcx\n"
        "  jmpq *%rcx\n"
        ".size bench_bare_switch, .-bench_bare_switch\n");

typedef struct bare_frame {
  uint32_t mxcsr, x87;
  uint64_t saved[6];
  void (*entry)(void);
  void *no_caller;
} bare_frame_t;

static void *bare_here, *bare_there;

static void bare_back(void) {
  for (;;) bench_bare_switch(&bare_there, &bare_here);
}

static double switch_floor(void) {
  char *stack = bench_malloc(STACK_BYTES);
  bare_frame_t *frame =
      (void *)(((uintptr_t)stack + STACK_BYTES - 128) & ~(uintptr_t)15);
  uint64_t start, end;
  *frame = (bare_frame_t){.mxcsr = 0x1f80, .x87 = 0x37f, .entry = bare_back};
  bare_there = frame;
  start = bench_thread_ns();
  for (int i = 0; i < SWITCHES; i++) bench_bare_switch(&bare_here, &bare_there);
  end = bench_thread_ns();
  free(stack);
  return bench_per_item(start, end, SWITCHES);
}
#endif

/* ---- in tasks ------------------------------------------------------------- */

typedef struct run {
  vow_loop_t *loop;
  size_t n;
  uint64_t start_ns, end_ns;
  vow_promise_t *turn[2]; /* whose promise is to be settled next */
} run_t;

/* What body, a task, measures of itself. */
static double per_item(vow_task_cb body, size_t n) {
  run_t r = {.loop = bench_loop_new(), .n = n};
  BENCH_REQUIRE(vow_await_blocking(vow_go(r.loop, body, &r), NULL) == 0);
  bench_loop_done(r.loop);
  return bench_per_item(r.start_ns, r.end_ns, n);
}

static vow_value_t await_settled(void *arg) {
  run_t *r = arg;
  vow_future_t *f = vow_ready(r->loop, vow_int(1));
  int64_t sum = 0;
  r->start_ns = bench_thread_ns();
  for (size_t i = 0; i < r->n; i++) sum += vow_await(vow_ref(f)).as.i;
  r->end_ns = bench_thread_ns();
  BENCH_REQUIRE(sum == (int64_t)r->n);
  vow_drop(f);
  return vow_nil();
}

static double settled_vow(void) {
  return per_item(await_settled, 2000000);
}

static vow_value_t yield_often(void *arg) {
  run_t *r = arg;
  r->start_ns = bench_thread_ns();
  for (size_t i = 0; i < r->n; i++) BENCH_REQUIRE(vow_yield() == 0);
  r->end_ns = bench_thread_ns();
  return vow_nil();
}

static double yield_vow(void) {
  return per_item(yield_often, 1000000);
}

static vow_value_t answer(void *arg) {
  run_t *r = arg;
  int64_t sum = 0;
  for (size_t i = 0; i < r->n / 2; i++) {
    vow_future_t *f = vow_promise_new(r->loop, &r->turn[1]);
    BENCH_REQUIRE(vow_promise_finish(r->turn[0], vow_int(1)) == 0);
    sum += vow_await(f).as.i;
  }
  return vow_int(sum);
}

static vow_value_t ask(void *arg) {
  run_t *r = arg;
  vow_future_t *f = vow_promise_new(r->loop, &r->turn[0]);
  vow_future_t *other = vow_go(r->loop, answer, r);
  int64_t sum = 0;
  r->start_ns = bench_thread_ns();
  for (size_t i = 0; i < r->n / 2; i++) {
    sum += vow_await(f).as.i;
    f = vow_promise_new(r->loop, &r->turn[0]);
    BENCH_REQUIRE(vow_promise_finish(r->turn[1], vow_int(1)) == 0);
  }
  r->end_ns = bench_thread_ns();
  sum += vow_await(other).as.i;
  BENCH_REQUIRE(sum == (int64_t)(r->n / 2 * 2));
  vow_drop(f);
  vow_promise_drop(r->turn[0]);
  return vow_nil();
}

static double pending_vow(void) {
  return per_item(ask, 1000000);
}

/* ---- coming and going ----------------------------------------------------- */

#define TASKS   250
#define BATCHES 2000

static vow_value_t empty(void *arg) {
  (void)arg;
  return vow_int(1);
}

/* As the figure "ready": futures made, run, read and dropped in batches. */
static double task_vow(void) {
  static vow_future_t *f[TASKS];
  vow_loop_t *loop = bench_loop_new();
  int64_t sum = 0;
  uint64_t start = bench_thread_ns(), end;
  for (int i = 0; i < BATCHES; i++) {
    for (int k = 0; k < TASKS; k++) f[k] = vow_go(loop, empty, NULL);
    BENCH_REQUIRE(vow_loop_run_until(loop, f[TASKS - 1]) == 0);
    for (int k = 0; k < TASKS; k++) {
      sum += vow_get_int(f[k]);
      vow_drop(f[k]);
    }
  }
  end = bench_thread_ns();
  BENCH_REQUIRE(sum == (int64_t)TASKS * BATCHES);
  bench_loop_done(loop);
  return bench_per_item(start, end, (size_t)TASKS * BATCHES);
}

static vow_value_t start_and_await(void *arg) {
  run_t *r = arg;
  int64_t sum = 0;
  r->start_ns = bench_thread_ns();
  for (size_t i = 0; i < r->n; i++)
    sum += vow_await(vow_go(r->loop, empty, NULL)).as.i;
  r->end_ns = bench_thread_ns();
  BENCH_REQUIRE(sum == (int64_t)r->n);
  return vow_nil();
}

static double child_vow(void) {
  return per_item(start_and_await, 500000);
}

/* All of a batch are on their stacks at once. */
static vow_value_t yield_once(void *arg) {
  (void)arg;
  return vow_int(vow_yield());
}

static double crowd_vow(void) {
  vow_loop_t *loop = bench_loop_new();
  size_t n = 0;
  uint64_t start = bench_thread_ns(), end;
  for (int i = 0; i < 400; i++) {
    for (int k = 0; k < 1000; k++, n++)
      vow_detach(vow_go(loop, yield_once, NULL));
    BENCH_REQUIRE(vow_loop_run(loop) == 0);
  }
  end = bench_thread_ns();
  bench_loop_done(loop);
  return bench_per_item(start, end, n);
}

/* ---- idle ----------------------------------------------------------------- */

#define IDLE 20000

static double resident_bytes(void) {
  unsigned long size, resident = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  BENCH_REQUIRE(file != NULL);
  BENCH_REQUIRE(fscanf(file, "%lu %lu", &size, &resident) == 2);
  fclose(file);
  return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static vow_value_t await_shared(void *arg) {
  return vow_await(vow_ref(arg));
}

/* From when all have their cells on; stacks of earlier rounds are given back
 * before. */
static double idle_vow(void) {
  vow_loop_t *loop = bench_loop_new();
  vow_promise_t *p;
  vow_future_t *f = vow_promise_new(loop, &p);
  double before, after;
  vow_task_trim();
  for (int i = 0; i < IDLE; i++) vow_detach(vow_go(loop, await_shared, f));
  before = resident_bytes();
  while (vow_loop_step(loop)) {
  }
  after = resident_bytes();
  vow_promise_finish(p, vow_int(1));
  BENCH_REQUIRE(vow_loop_run(loop) == 0);
  vow_drop(f);
  bench_loop_done(loop);
  return (after - before) / IDLE;
}

const bench_figure_t bench_task_figures[] = {
    {.name = "switch",
     .unit = "ns",
     .vow = switch_vow,
#ifdef HAVE_BARE
     .limit = 1.2,
     .at_most = 11,
     .floor = switch_floor,
#endif
     .what = "to another stack and back; floor: by bare assembly"},
    {.name = "await-settled",
     .unit = "ns/await",
     .at_most = 12,
     .vow = settled_vow,
     .what = "of a future that has settled"},
    {.name = "await-pending",
     .unit = "ns/await",
     .at_most = 40,
     .vow = pending_vow,
     .what = "of a promise that another task settles"},
    {.name = "yield",
     .unit = "ns",
     .vow = yield_vow,
     .what = "of the only task"},
    {.name = "task",
     .unit = "ns/task",
     .at_most = 60,
     .vow = task_vow,
     .what = "start and end of an empty one, its future read; batches of 250"},
    {.name = "task-child",
     .unit = "ns/task",
     .vow = child_vow,
     .what = "the same, started and awaited by a task one by one"},
    {.name = "task-crowd",
     .unit = "ns/task",
     .vow = crowd_vow,
     .what = "start, one yield, end; 1,000 on their stacks at a time"},
    {.name = "task-idle",
     .unit = "bytes/task",
     .at_most = 4608,
     .vow = idle_vow,
     .floor_constant = 4096,
     .what = "resident, of one that waits, beyond its cell"},
    {.name = NULL}};

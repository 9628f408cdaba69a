/* SPDX-License-Identifier: MIT */
/* 100,000 sleeps at a time: vow's heap against one uv_timer_t each. */
#include "bench/bench.h"

#include <stdlib.h>

#define SLEEPS 100000

/* Delays in no particular order, the same on both sides. */
static uint64_t delay_ms(size_t i) {
  return 1 + (i * 7919) % 50;
}

static vow_value_t count_one(vow_future_t *in, void *arg) {
  (void)in;
  ++*(size_t *)arg;
  return vow_nil();
}

static double sleep_vow(void) {
  vow_loop_t *loop = bench_loop_new();
  size_t ended = 0;
  uint64_t start = bench_cpu_ns();
  uint64_t end;
  for (size_t i = 0; i < SLEEPS; i++) {
    vow_detach(vow_then(vow_sleep(loop, delay_ms(i)), count_one, &ended));
  }
  BENCH_REQUIRE(vow_loop_run(loop) == 0);
  end = bench_cpu_ns();
  BENCH_REQUIRE(ended == SLEEPS);
  bench_loop_done(loop);
  return bench_per_item(start, end, SLEEPS);
}

static void on_closed(uv_handle_t *handle) {
  free(handle);
}

static void on_timer(uv_timer_t *timer) {
  ++*(size_t *)timer->data;
  uv_close((uv_handle_t *)timer, on_closed);
}

static double sleep_floor(void) {
  uv_loop_t loop;
  size_t ended = 0;
  uint64_t start;
  uint64_t end;
  BENCH_REQUIRE(uv_loop_init(&loop) == 0);
  start = bench_cpu_ns();
  for (size_t i = 0; i < SLEEPS; i++) {
    uv_timer_t *timer = bench_malloc(sizeof *timer);
    uv_timer_init(&loop, timer);
    timer->data = &ended;
    BENCH_REQUIRE(uv_timer_start(timer, on_timer, delay_ms(i), 0) == 0);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  end = bench_cpu_ns();
  BENCH_REQUIRE(ended == SLEEPS);
  BENCH_REQUIRE(uv_loop_close(&loop) == 0);
  return bench_per_item(start, end, SLEEPS);
}

const bench_figure_t bench_sleep_figures[] = {
    {.name = "sleep",
     .unit = "ns/sleep",
     .limit = 0.3,
     .vow = sleep_vow,
     .floor = sleep_floor,
     .what = "100,000 concurrent sleeps, CPU"},
    {.name = NULL}};

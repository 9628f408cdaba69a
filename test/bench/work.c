/* SPDX-License-Identifier: MIT */
/* A burst of 100,000 jobs that do nothing on libuv's thread pool. */
#include "bench/bench.h"

#include <stdlib.h>

static vow_value_t no_work(void *arg) {
  (void)arg;
  return vow_nil();
}

static vow_value_t count_one(vow_future_t *in, void *arg) {
  (void)in;
  ++*(size_t *)arg;
  return vow_nil();
}

static double work_vow(void) {
  vow_loop_t *loop = bench_loop_new();
  size_t ended = 0;
  uint64_t start = bench_wall_ns();
  uint64_t end;
  for (size_t i = 0; i < BENCH_BURST; i++) {
    vow_future_t *job = vow_queue_work(loop, no_work, NULL);
    vow_detach(vow_then(job, count_one, &ended));
  }
  BENCH_REQUIRE(vow_loop_run(loop) == 0);
  end = bench_wall_ns();
  BENCH_REQUIRE(ended == BENCH_BURST);
  bench_loop_done(loop);
  return bench_per_item(start, end, BENCH_BURST);
}

static void raw_no_work(uv_work_t *work) {
  (void)work;
}

static void raw_after_work(uv_work_t *work, int status) {
  BENCH_REQUIRE(status == 0);
  ++*(size_t *)work->data;
  free(work);
}

double bench_burst_floor(void) {
  uv_loop_t loop;
  size_t ended = 0;
  uint64_t start;
  uint64_t end;
  BENCH_REQUIRE(uv_loop_init(&loop) == 0);
  start = bench_wall_ns();
  for (size_t i = 0; i < BENCH_BURST; i++) {
    uv_work_t *work = bench_malloc(sizeof *work);
    work->data = &ended;
    BENCH_REQUIRE(uv_queue_work(&loop, work, raw_no_work, raw_after_work) == 0);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  end = bench_wall_ns();
  BENCH_REQUIRE(ended == BENCH_BURST);
  BENCH_REQUIRE(uv_loop_close(&loop) == 0);
  return bench_per_item(start, end, BENCH_BURST);
}

const bench_figure_t bench_work_figures[] = {
    {.name = "work",
     .unit = "ns/job",
     .limit = 1.05,
     .vow = work_vow,
     .floor = bench_burst_floor,
     .what = "burst of 100,000 queue_work"},
    {.name = NULL}};

/* SPDX-License-Identifier: MIT */
/* A burst of 100,000 jobs that do nothing on a thread pool of one's own, as
 * large as libuv's; the floor is uv_queue_work. */
#include "bench/bench.h"

#define THREADS 4 /* libuv's default */

static vow_value_t no_job(vow_job_t *job, void *arg) {
  (void)job;
  (void)arg;
  return vow_nil();
}

static vow_value_t count_one(vow_future_t *in, void *arg) {
  (void)in;
  ++*(size_t *)arg;
  return vow_nil();
}

static vow_thread_pool_t *pool_open(void) {
  vow_thread_pool_options_t options = {0};
  vow_thread_pool_t *pool = NULL;
  options.threads = THREADS;
  BENCH_REQUIRE(vow_thread_pool_new(&options, &pool) == 0);
  return pool;
}

static void pool_done(vow_thread_pool_t *pool) {
  BENCH_REQUIRE(vow_thread_pool_close_blocking(pool, VOW_POOL_FINISH, 1000) ==
                0);
  vow_thread_pool_free(pool);
}

static double pool_vow(void) {
  vow_loop_t *loop = bench_loop_new();
  vow_thread_pool_t *pool = pool_open();
  size_t ended = 0;
  uint64_t start = bench_wall_ns();
  uint64_t end;
  for (size_t i = 0; i < BENCH_BURST; i++) {
    vow_future_t *job = vow_thread_pool_run(pool, loop, no_job, NULL);
    vow_detach(vow_then(job, count_one, &ended));
  }
  BENCH_REQUIRE(vow_loop_run(loop) == 0);
  end = bench_wall_ns();
  BENCH_REQUIRE(ended == BENCH_BURST);
  pool_done(pool);
  bench_loop_done(loop);
  return bench_per_item(start, end, BENCH_BURST);
}

const bench_figure_t bench_thread_pool_figures[] = {
    {.name = "pool",
     .unit = "ns/job",
     .limit = 0.6,
     .vow = pool_vow,
     .floor = bench_burst_floor,
     .what = "burst of 100,000 thread_pool_run"},
    {.name = NULL}};

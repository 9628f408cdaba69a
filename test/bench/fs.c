/* SPDX-License-Identifier: MIT */
/* Stats on the thread pool, some of them at a time: what one costs in CPU, of
 * all threads. */
#include "bench/bench.h"

#include <sys/stat.h>

#define STATS    10000
#define TOGETHER 1000
#define PATH     "/"

/* What both sides look at. */
typedef struct tally {
  size_t begun;
  size_t ended;
  uint64_t modes;
} tally_t;

/* ---- with vow ------------------------------------------------------------ */

typedef struct futures {
  vow_loop_t *loop;
  tally_t tally;
} futures_t;

static vow_value_t on_stat(vow_future_t *in, void *arg);

static vow_future_t *stat_next(futures_t *run) {
  run->tally.begun++;
  return vow_then(vow_fs_stat(run->loop, PATH), on_stat, run);
}

static vow_value_t on_stat(vow_future_t *in, void *arg) {
  futures_t *run = arg;
  run->tally.modes += vow_stat_get(in)->st_mode;
  run->tally.ended++;
  if (run->tally.begun == STATS) return vow_nil();
  return vow_follow(stat_next(run));
}

static double stat_vow(void) {
  futures_t run = {bench_loop_new(), {0, 0, 0}};
  uint64_t start = bench_cpu_ns();
  uint64_t end;
  for (int i = 0; i < TOGETHER; i++) vow_detach(stat_next(&run));
  BENCH_REQUIRE(vow_loop_run(run.loop) == 0);
  end = bench_cpu_ns();
  BENCH_REQUIRE(run.tally.ended == STATS);
  BENCH_REQUIRE(run.tally.modes / STATS / S_IFDIR == 1);
  bench_loop_done(run.loop);
  return bench_per_item(start, end, STATS);
}

/* ---- by hand ------------------------------------------------------------- */

typedef struct raw {
  uv_loop_t loop;
  uv_fs_t reqs[TOGETHER];
  tally_t tally;
} raw_t;

static void on_raw_stat(uv_fs_t *req);

static void raw_stat_next(raw_t *run, uv_fs_t *req) {
  req->data = run;
  run->tally.begun++;
  BENCH_REQUIRE(uv_fs_stat(&run->loop, req, PATH, on_raw_stat) == 0);
}

static void on_raw_stat(uv_fs_t *req) {
  raw_t *run = req->data;
  BENCH_REQUIRE(req->result == 0);
  run->tally.modes += req->statbuf.st_mode;
  run->tally.ended++;
  uv_fs_req_cleanup(req);
  if (run->tally.begun < STATS) raw_stat_next(run, req);
}

static double stat_floor(void) {
  raw_t run = {.tally = {0, 0, 0}};
  uint64_t start;
  uint64_t end;
  BENCH_REQUIRE(uv_loop_init(&run.loop) == 0);
  start = bench_cpu_ns();
  for (int i = 0; i < TOGETHER; i++) raw_stat_next(&run, &run.reqs[i]);
  uv_run(&run.loop, UV_RUN_DEFAULT);
  end = bench_cpu_ns();
  BENCH_REQUIRE(run.tally.ended == STATS);
  BENCH_REQUIRE(run.tally.modes / STATS / S_IFDIR == 1);
  BENCH_REQUIRE(uv_loop_close(&run.loop) == 0);
  return bench_per_item(start, end, STATS);
}

const bench_figure_t bench_fs_figures[] = {
    {.name = "stat",
     .unit = "ns/call",
     .limit = 1.05,
     .vow = stat_vow,
     .floor = stat_floor,
     .what = "a million stats, 1,000 at a time, CPU of all threads",
     .rounds = BENCH_ROUNDS_MAX},
    {.name = NULL}};

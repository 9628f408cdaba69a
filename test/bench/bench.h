/* SPDX-License-Identifier: MIT */
/* The bench harness: figures, each of which does the same work with vow and by
 * hand (the floor). One call of a side is one round. */
#ifndef VOW_TEST_BENCH_BENCH_H
#define VOW_TEST_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include <vow.h>

/** A figure. Both functions do one round, and return the measure of one item,
 *  in unit; lower is better. */
typedef struct bench_figure {
  const char *name;
  const char *unit;
  double limit;   /* of the ratio of the two; 0: none */
  double at_most; /* of vow's median; 0: no limit */
  double (*vow)(void);
  double (*floor)(void); /* NULL: floor_constant, 0 if nothing compares */
  double floor_constant;
  const char *what;
  int rounds; /* odd; 0: the usual number */
} bench_figure_t;

/** Many short rounds by turns, for what depends on the machine's other work. */
#define BENCH_ROUNDS_MAX 101

/** The figures of each file, ended by one without a name. */
extern const bench_figure_t bench_chain_figures[];
extern const bench_figure_t bench_combine_figures[];
extern const bench_figure_t bench_sleep_figures[];
extern const bench_figure_t bench_token_figures[];
extern const bench_figure_t bench_work_figures[];
extern const bench_figure_t bench_echo_figures[];
extern const bench_figure_t bench_accept_figures[];
extern const bench_figure_t bench_udp_figures[];
extern const bench_figure_t bench_fs_figures[];
extern const bench_figure_t bench_lines_figures[];
extern const bench_figure_t bench_idle_figures[];
extern const bench_figure_t bench_sync_figures[];
extern const bench_figure_t bench_thread_pool_figures[];
extern const bench_figure_t bench_task_figures[];

/** A burst of jobs that do nothing, as many on either side; by raw
 *  uv_queue_work, per job (work.c). */
#define BENCH_BURST 100000
double bench_burst_floor(void);

/** Nanoseconds: of the clock on the wall, of the process's CPU time, of the
 *  calling thread's CPU time. */
uint64_t bench_wall_ns(void);
uint64_t bench_cpu_ns(void);
uint64_t bench_thread_ns(void);

/** (now - start) / items. */
double bench_per_item(uint64_t start_ns, uint64_t end_ns, size_t items);

/** Ends the program when ok is false: a figure of work that went wrong is
 *  worth nothing. */
#define BENCH_REQUIRE(ok) bench_require((ok), #ok, VOW_SITE)
void bench_require(int ok, const char *what, const char *site);

/** malloc that ends the program when it fails. Both sides check the same. */
void *bench_malloc(size_t size_bytes);

/** A loop on libuv of its own, and its end. */
vow_loop_t *bench_loop_new(void);
void bench_loop_done(vow_loop_t *loop);

#endif

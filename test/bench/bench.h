/* SPDX-License-Identifier: MIT */
/* The bench harness: figures, each of which does the same work with vow and by
 * hand (the floor). One call of a side is one round. */
#ifndef VOW_TEST_BENCH_BENCH_H
#define VOW_TEST_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include <vow.h>

/** A figure. Both functions do one round, and return the measure of one item,
 *  in unit. limit: the ratio of their medians that must not be exceeded; 0
 *  when there is none. floor is NULL when a constant is the floor. */
typedef struct bench_figure {
  const char *name;
  const char *unit;
  double limit;
  double (*vow)(void);
  double (*floor)(void);
  double floor_constant;
  const char *what;
} bench_figure_t;

/** The figures of each file, ended by one without a name. */
extern const bench_figure_t bench_chain_figures[];
extern const bench_figure_t bench_combine_figures[];
extern const bench_figure_t bench_sleep_figures[];
extern const bench_figure_t bench_token_figures[];
extern const bench_figure_t bench_work_figures[];
extern const bench_figure_t bench_echo_figures[];

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

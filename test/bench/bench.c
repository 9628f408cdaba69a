/* SPDX-License-Identifier: MIT */
/* The bench program: `bench [-o OUT.tsv] [NAME...]` runs the figures whose
 * name contains one of NAME, vow's side and the floor by turns, and prints the
 * medians: of either side, and of the ratio of the two rounds of a turn, so
 * that a machine that becomes slower meanwhile does not matter. */
#define _GNU_SOURCE
#include "bench/bench.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS    15 /* odd, so that the median is a round */
#define HEAP_KEPT (1 << 30)
#define NS_PER_S  UINT64_C(1000000000)

static uint64_t clock_ns(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t bench_wall_ns(void) {
  return clock_ns(CLOCK_MONOTONIC);
}

uint64_t bench_cpu_ns(void) {
  return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t bench_thread_ns(void) {
  return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

double bench_per_item(uint64_t start_ns, uint64_t end_ns, size_t items) {
  return (double)(end_ns - start_ns) / (double)items;
}

void bench_require(int ok, const char *what, const char *site) {
  if (ok) return;
  fprintf(stderr, "%s: not so: %s\n", site, what);
  exit(EXIT_FAILURE);
}

void *bench_malloc(size_t size_bytes) {
  void *p = malloc(size_bytes);
  BENCH_REQUIRE(p != NULL);
  return p;
}

vow_loop_t *bench_loop_new(void) {
  vow_loop_t *loop = NULL;
  BENCH_REQUIRE(vow_loop_new(NULL, &loop) == 0);
  return loop;
}

void bench_loop_done(vow_loop_t *loop) {
  BENCH_REQUIRE(vow_loop_live(loop) == 0);
  BENCH_REQUIRE(vow_loop_close(loop, 1000) == 0);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a;
  double y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *rounds, int n) {
  qsort(rounds, (size_t)n, sizeof rounds[0], by_size);
  return rounds[n / 2];
}

static void print_limit(double is, double limit) {
  if (limit > 0) printf(" (<= %.2f)%s", limit, is <= limit ? "" : " OVER");
}

static void run_figure(const bench_figure_t *f, FILE *tsv) {
  double vow[BENCH_ROUNDS_MAX];
  double floor[BENCH_ROUNDS_MAX];
  double ratios[BENCH_ROUNDS_MAX];
  double is, least, ratio;
  int n = f->rounds > 0 ? f->rounds : ROUNDS;
  BENCH_REQUIRE(n <= BENCH_ROUNDS_MAX);
  /* One round of each that does not count: it touches the memory. */
  for (int i = -1; i < n; i++) {
    int at = i < 0 ? 0 : i;
    vow[at] = f->vow();
    floor[at] = f->floor != NULL ? f->floor() : f->floor_constant;
    ratios[at] = floor[at] > 0 ? vow[at] / floor[at] : 0;
  }
  is = median(vow, n);
  least = median(floor, n);
  ratio = median(ratios, n);
  printf("%-15s %9.2f %-16s", f->name, is, f->unit);
  print_limit(is, f->at_most);
  if (least > 0) printf("  floor %9.2f  ratio %5.2f", least, ratio);
  print_limit(ratio, f->limit);
  printf("  %s\n", f->what);
  fflush(stdout);
  fprintf(tsv, "%s\t%.2f\t%s\t%.2f\t%.3f\n", f->name, is, f->unit, least,
          ratio);
}

/* names: NULL at its end; without any all are wanted. */
static bool is_wanted(const char *figure, char **names) {
  if (*names == NULL) return true;
  for (; *names != NULL; names++) {
    if (strstr(figure, *names) != NULL) return true;
  }
  return false;
}

/* Heap trimming and mmap would be what is measured otherwise. */
static void keep_heap(void) {
  mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
  mallopt(M_MMAP_THRESHOLD, HEAP_KEPT);
}

static void run_figures(char **names, FILE *tsv) {
  const bench_figure_t *files[] = {
      bench_chain_figures,       bench_combine_figures, bench_sleep_figures,
      bench_token_figures,       bench_work_figures,    bench_echo_figures,
      bench_accept_figures,      bench_udp_figures,     bench_fs_figures,
      bench_lines_figures,       bench_idle_figures,    bench_sync_figures,
      bench_thread_pool_figures, bench_task_figures};
  for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
    for (const bench_figure_t *f = files[i]; f->name != NULL; f++) {
      if (is_wanted(f->name, names)) run_figure(f, tsv);
    }
  }
}

int main(int argc, char **argv) {
  bool to_file = argc > 2 && strcmp(argv[1], "-o") == 0;
  FILE *tsv = fopen(to_file ? argv[2] : "/dev/null", "w");
  if (tsv == NULL) {
    perror("bench");
    return EXIT_FAILURE;
  }
  keep_heap();
  fprintf(tsv, "name\tmedian\tunit\tfloor\tratio\n");
  run_figures(argv + (to_file ? 3 : 1), tsv);
  return fclose(tsv) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

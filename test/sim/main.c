/* SPDX-License-Identifier: MIT */
/* The program: runs seeds, each of them twice, and compares the traces. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/sim.h"

#define TOLD_SEEDS 20000 /* so that who waits sees it go on */

static struct {
  uint64_t first, n;
  bool verbose, once, listing;
  uint64_t running; /* the seed */
  uint64_t hash;    /* of all traces */
  uint64_t clock_ms, events, requests, succeeded, failed, cancelled;
} run = {.first = 1, .n = 1000};

/* The kit notes the stack of each allocation, to tell who has left it. That takes
 * most of a run's time, so it is done for a single seed only. (The program is
 * linked with --wrap=backtrace.) */
int __real_backtrace(void **frames, int n);
int __wrap_backtrace(void **frames, int n);
int __wrap_backtrace(void **frames, int n) {
  return run.n == 1 ? __real_backtrace(frames, n) : 0;
}

static void add(const sim_result_t *r) {
  run.hash = sim_hash(run.hash, r->hash);
  run.clock_ms += r->clock_ms;
  run.events += r->events;
  run.requests += r->requests;
  run.succeeded += r->succeeded;
  run.failed += r->failed;
  run.cancelled += r->cancelled;
}

START_TEST(test_seeds_hold_and_repeat) {
  run.hash = SIM_HASH_BEGIN;
  for (uint64_t i = 0; i < run.n; i++) {
    sim_result_t r, again;
    run.running = run.first + i;
    r = sim_run(run.running, run.verbose ? stdout : NULL);
    again = run.once ? r : sim_run(run.running, NULL);
    if (r.hash != again.hash) ck_abort_msg("another trace the second time");
    add(&r);
    if ((i + 1) % TOLD_SEEDS == 0 && i + 1 < run.n)
      fprintf(stderr, "%" PRIu64 " seeds\n", i + 1);
    if (run.listing)
      printf("%" PRIu64 " %016" PRIx64 "\n", run.running, r.hash);
  }
  run.running = 0;
}
END_TEST

static void usage(const char *name) {
  fprintf(
      stderr,
      "usage: %s [-n seeds] [-f first seed] [-s the only seed] [-1] [-l] [-v]\n"
      "  -1  run each once\n"
      "  -l  print the hash of each trace\n"
      "  -v  print what happens\n",
      name);
  exit(2);
}

static void parse(int argc, char **argv) {
  int c;
  while ((c = getopt(argc, argv, "n:f:s:1lv")) != -1) {
    switch (c) {
    case 'n':
      run.n = strtoull(optarg, NULL, 10);
      break;
    case 'f':
      run.first = strtoull(optarg, NULL, 10);
      break;
    case 's':
      run.first = strtoull(optarg, NULL, 10);
      run.n = 1;
      break;
    case '1':
      run.once = true;
      break;
    case 'l':
      run.listing = true;
      break;
    case 'v':
      run.verbose = run.once = true;
      break;
    default:
      usage(argv[0]);
    }
  }
}

static int check(void) {
  Suite *suite = suite_create("sim");
  TCase *tcase = tcase_create("sim");
  SRunner *runner = srunner_create(suite);
  int failed;
  tcase_add_test(tcase, test_seeds_hold_and_repeat);
  suite_add_tcase(suite, tcase);
  srunner_set_fork_status(runner, CK_NOFORK);
  srunner_run_all(runner, CK_SILENT);
  failed = srunner_ntests_failed(runner);
  if (failed > 0) srunner_print(runner, CK_NORMAL);
  srunner_free(runner);
  return failed;
}

int main(int argc, char **argv) {
  parse(argc, argv);
  if (check() > 0) {
    fprintf(stderr, "seed %" PRIu64 " failed; replay: %s -s %" PRIu64 " -v\n",
            run.running, argv[0], run.running);
    return 1;
  }
  printf("%" PRIu64 " seeds: %" PRIu64 " requests, %" PRIu64
         " succeeded, %" PRIu64 " failed, %" PRIu64 " cancelled, %" PRIu64
         " s of their clocks, %" PRIu64 " events\n"
         "trace of all: %016" PRIx64 "\n",
         run.n, run.requests, run.succeeded, run.failed, run.cancelled,
         run.clock_ms / 1000, run.events, run.hash);
  return 0;
}

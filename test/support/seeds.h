/* SPDX-License-Identifier: MIT */
/* Random programs by seed: runs one program for each of many seeds, and names
 * the seed that failed, though the process that ran it is gone; VOW_SEED=n runs
 * that one alone. Header only: one suite a file.
 *
 *   TEST(...) { seeds_run(test_scale(5000), program, NULL); }
 *   SUITE(...) { SEEDS_FIXTURE(); ADD(...); } */
#ifndef VOW_TEST_SUPPORT_SEEDS_H
#define VOW_TEST_SUPPORT_SEEDS_H

#include <unistd.h>

#include "support/test.h"

/* The seed under way; in a file, which a forked test shares with its suite. */
static FILE *seeds__running;

static inline void seeds__set(uint64_t seed) {
  ck_assert_int_eq(pwrite(fileno(seeds__running), &seed, sizeof seed, 0),
                   sizeof seed);
}

static inline void seeds__open(void) {
  seeds__running = tmpfile();
  ck_assert_ptr_nonnull(seeds__running);
  seeds__set(0);
}

static inline void seeds__close(void) {
  uint64_t seed = 0;
  if (pread(fileno(seeds__running), &seed, sizeof seed, 0) == sizeof seed &&
      seed != 0)
    fprintf(stderr, "random program failed: VOW_SEED=%llu\n",
            (unsigned long long)seed);
  fclose(seeds__running);
}

/** In the suite: before and after all of its tests. */
#define SEEDS_FIXTURE() \
  tcase_add_unchecked_fixture(test_tcase, seeds__open, seeds__close)

/** Runs program(seed, arg) for the seeds 1 to n, or for VOW_SEED only. */
static inline void seeds_run(size_t n,
                             void (*program)(uint64_t seed, const void *arg),
                             const void *arg) {
  const char *only = getenv("VOW_SEED");
  uint64_t first = only != NULL ? strtoull(only, NULL, 10) : 1;
  if (only != NULL) n = 1;
  for (size_t i = 0; i < n; i++) {
    seeds__set(first + i);
    program(first + i, arg);
  }
  seeds__set(0);
}

#endif

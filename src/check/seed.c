/* SPDX-License-Identifier: MIT */
/* A test's random numbers: by a seed that a failure tells, and that VOW_SEED
 * gives back. */
#include "check/kit.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SEED_BOUND UINT64_C(1000000000) /* short enough to be typed */

static uint64_t chosen; /* for the whole run, unless VOW_SEED says so */
static uint64_t state;  /* outside of a test */

/* Steele, Lea, Flood: splitmix64. */
static uint64_t next(uint64_t *s) {
  uint64_t z = *s += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Before libcheck forks: all tests have the same. */
__attribute__((constructor)) static void choose(void) {
  struct timespec now;
  uint64_t mix;
  clock_gettime(CLOCK_REALTIME, &now);
  mix = (uint64_t)now.tv_sec * 1000000007u + (uint64_t)now.tv_nsec +
        (uint64_t)getpid();
  chosen = next(&mix) % SEED_BOUND + 1;
}

/* An empty one is none: so it comes from scripts that have not set it. */
static const char *given(void) {
  const char *text = getenv("VOW_SEED");
  return text != NULL && text[0] != '\0' ? text : NULL;
}

bool vow__seed_is_given(void) {
  return given() != NULL;
}

static bool is_number(const char *text) {
  errno = 0;
  return strspn(text, "0123456789") == strlen(text) &&
         (strtoull(text, NULL, 10) != ULLONG_MAX || errno == 0);
}

void vow__seed_check(const char *site) {
  if (given() != NULL && !is_number(given()))
    vow__kit_refuse(site, "VOW_SEED is \"%.64s\", which is no seed: a number",
                    given());
}

static uint64_t run_seed(void) {
  return given() != NULL ? strtoull(given(), NULL, 10) : chosen;
}

uint64_t vow__seed_of(const vow__kit_t *k) {
  return k->seed != 0 ? k->seed : run_seed();
}

static void use(vow__kit_t *k) {
  if (k->seed_used) return;
  k->seed_used = true;
  vow__kit_mark(k);
}

uint64_t vow_check_seed(void) {
  vow__kit_t *k = vow__kit();
  if (k == NULL) return run_seed();
  use(k);
  return vow__seed_of(k);
}

uint64_t vow__seed_of_round(size_t round) {
  uint64_t mix = run_seed() + round * 1000003;
  return round == 0 ? run_seed() : next(&mix) % SEED_BOUND + 1;
}

/* Another sequence than that of vow_check_random. */
uint64_t vow__seed_of_order(vow__kit_t *k) {
  uint64_t mix;
  use(k);
  mix = ~vow__seed_of(k) ^ ((uint64_t)(unsigned)k->i << 32);
  mix = next(&mix);
  return mix != 0 ? mix : 1;
}

uint64_t vow_check_random(uint64_t bound) {
  vow__kit_t *k = vow__kit();
  uint64_t *s = k != NULL ? &k->random : &state;
  if (k != NULL && !k->random_begun) {
    k->random_begun = true;
    k->random = vow_check_seed() ^ ((uint64_t)(unsigned)k->i << 32);
  }
  return bound > 0 ? next(s) % bound : 0;
}

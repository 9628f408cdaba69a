/* SPDX-License-Identifier: MIT */
/* The simulation of test/sim with a few hundred seeds; `make sim` has many more.
 * Each is run twice, and must leave the same trace. */
#include "sim/sim.h"
#include "support/seeds.h"

#define SEEDS 200

static void run_twice(uint64_t seed, const void *arg) {
  sim_result_t first = sim_run(seed, NULL), second = sim_run(seed, NULL);
  (void)arg;
  ck_assert_uint_gt(first.events, 100);
  ck_assert_msg(first.hash == second.hash, "another trace the second time");
}

TEST(test_simulation_any_seed_holds_and_repeats) {
  seeds_run(test_scale(SEEDS), run_twice, NULL);
}

static void note_hash(uint64_t seed, const void *arg) {
  (void)arg;
  ck_assert_uint_ne(sim_run(seed, NULL).hash, sim_run(seed + 1, NULL).hash);
}

TEST(test_simulation_other_seed_has_another_trace) {
  seeds_run(3, note_hash, NULL);
}

SUITE(check_simulation) {
  SEEDS_FIXTURE();
  ADD(test_simulation_any_seed_holds_and_repeats);
  ADD(test_simulation_other_seed_has_another_trace);
}

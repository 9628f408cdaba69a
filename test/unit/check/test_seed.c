/* SPDX-License-Identifier: MIT */
/* Seeds, and orders that follow from them. */
#include "unit/check/report.h"

#include <vow/gather.h>
#include <vow/race.h>
#include <vow/time.h>
#include <vow/token.h>

#define TASKS 5

static char order[32];

static void note(char letter) {
  size_t n = strlen(order);
  ck_assert_uint_lt(n, sizeof order - 1);
  order[n] = letter;
  order[n + 1] = '\0';
}

static vow_value_t note_letter(vow_future_t *in, void *arg) {
  (void)in;
  note(*(const char *)arg);
  return vow_nil();
}

static char letters[] = "abcde";

/* Five callbacks on five futures that settle at once, in order. */
static void run_five(vow_loop_t *loop) {
  vow_future_t *f[TASKS];
  int i;
  order[0] = '\0';
  for (i = 0; i < TASKS; i++)
    f[i] = vow_then(vow_sleep(loop, 5), note_letter, &letters[i]);
  vow_assert_ok(vow_gather(loop, TASKS, f));
}

/* ---- numbers -------------------------------------------------------------- */

VOW_TEST(test_seed_numbers_stay_below_their_bound) {
  int i;
  ck_assert_uint_eq(vow_check_random(0), 0);
  ck_assert_uint_eq(vow_check_random(1), 0);
  for (i = 0; i < 100; i++) ck_assert_uint_lt(vow_check_random(7), 7);
  ck_assert_uint_ne(vow_check_seed(), 0);
}

static uint64_t seen[32];
static size_t rounds;

static void collect(vow_loop_t *loop, int i) {
  (void)loop;
  (void)i;
  seen[rounds++] = vow_check_random(UINT64_MAX);
}

TEST(test_seed_rounds_have_different_numbers) {
  size_t i, j;
  vow_check_run_seeds(VOW_SITE, "collect", NULL, collect, 0, 32);
  ck_assert_uint_eq(rounds, 32);
  for (i = 0; i < rounds; i++)
    for (j = 0; j < i; j++) ck_assert_uint_ne(seen[i], seen[j]);
  setenv("VOW_SEED", "1", 1);
  rounds = 0;
  vow_check_run_seeds(VOW_SITE, "collect", NULL, collect, 0, 32);
  unsetenv("VOW_SEED");
  ck_assert_uint_eq(rounds, 1);
}

/* ---- orders --------------------------------------------------------------- */

VOW_TEST(test_seed_without_shuffle_first_in_is_first_out) {
  run_five(loop);
  ck_assert_str_eq(order, "abcde");
}

static size_t other_orders;

static void count_orders(vow_loop_t *loop, int i) {
  (void)i;
  run_five(loop);
  if (strcmp(order, "abcde") != 0) other_orders++;
  ck_assert_uint_eq(strlen(order), TASKS);
}

TEST(test_seed_shuffles_unrelated_callbacks) {
  vow_check_run_seeds(VOW_SITE, "orders", NULL, count_orders, 0, 50);
  ck_assert_uint_gt(other_orders, 10);
}

static void order_of(char *ret, uint64_t seed) {
  vow_loop_options_t o = {.shuffle_seed = seed};
  vow_loop_t *loop;
  ck_assert_int_eq(vow_loop_new_virtual(&o, &loop), 0);
  run_five(loop);
  strcpy(ret, order);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
}

TEST(test_seed_same_seed_gives_same_order) {
  char first[sizeof order], again[sizeof order];
  uint64_t seed;
  for (seed = 1; seed < 20; seed++) {
    order_of(first, seed);
    order_of(again, seed);
    ck_assert_str_eq(first, again);
  }
}

/* ---- orders that are kept ------------------------------------------------- */

VOW_TEST_SEEDS(test_seed_keeps_callbacks_of_one_future, 50) {
  vow_future_t *f = vow_sleep(loop, 1), *all[TASKS];
  int i;
  order[0] = '\0';
  for (i = 0; i < TASKS; i++)
    all[i] = vow_then(vow_ref(f), note_letter, &letters[i]);
  vow_drop(f);
  vow_assert_ok(vow_gather(loop, TASKS, all));
  ck_assert_str_eq(order, "abcde");
}

VOW_TEST_SEEDS(test_seed_keeps_ties_of_a_race, 50) {
  vow_future_t *f[2];
  vow_promise_t *a, *b;
  f[0] = vow_promise_new(loop, &a);
  f[1] = vow_promise_new(loop, &b);
  f[0] = vow_race(loop, 2, f);
  vow_promise_finish(a, vow_int(1));
  vow_promise_finish(b, vow_int(2));
  vow_assert_int(f[0], 1);
}

static void note_watch(int reason, void *arg) {
  (void)reason;
  note(*(const char *)arg);
}

VOW_TEST_SEEDS(test_seed_keeps_watches, 50) {
  vow_token_t *t = vow_token_new(loop);
  int i;
  order[0] = '\0';
  for (i = 0; i < TASKS; i++)
    ck_assert_ptr_nonnull(vow_token_watch(t, note_watch, &letters[i]));
  vow_token_cancel(t, 0);
  vow_check_settle();
  ck_assert_str_eq(order, "abcde");
  vow_token_free(t);
}

static vow_value_t yield_and_note(void *arg) {
  vow_yield();
  note(*(const char *)arg);
  return vow_nil();
}

VOW_TEST_SEEDS(test_seed_keeps_yields_behind_what_is_ready, 50) {
  static char y = 'y';
  vow_future_t *f[4];
  int i;
  order[0] = '\0';
  f[3] = vow_go(loop, yield_and_note, &y);
  vow_yield();
  for (i = 0; i < 3; i++)
    f[i] = vow_then(vow_ready(loop, vow_nil()), note_letter, &letters[i]);
  vow_yield();
  vow_yield();
  ck_assert_uint_eq(strlen(order), 4);
  vow_assert_ok(vow_gather(loop, 4, f));
}

/* ---- that fail ------------------------------------------------------------ */

VOW_TEST_SEEDS(fail_by_order, 1000) {
  run_five(loop);
  if (order[0] != 'a') ck_abort_msg("the order %s", order);
}

static uint64_t seed_in(const char *text) {
  const char *at = strstr(text, "VOW_SEED=");
  ck_assert_msg(at != NULL, "%s", text);
  return strtoull(at + strlen("VOW_SEED="), NULL, 10);
}

static char wanted_seed[32];

static void set_seed(void) {
  setenv("VOW_SEED", wanted_seed, 1);
}

TEST(test_seed_failing_seed_is_told_and_replays) {
  const TTest *const tests[] = {fail_by_order, NULL};
  report_t *first = malloc(sizeof *first), *again = malloc(sizeof *again);
  report_of(first, CK_NOFORK, NULL, tests);
  ck_assert_int_eq(first->failed, 1);
  snprintf(wanted_seed, sizeof wanted_seed, "%llu",
           (unsigned long long)seed_in(first->text));
  report_of(again, CK_NOFORK, set_seed, tests);
  ck_assert_str_eq(first->text, again->text);
  free(first);
  free(again);
}

static void fail_at_once(vow_loop_t *loop, int i) {
  (void)loop;
  ck_abort_msg("seed number %d", i);
}

static void pass_often(vow_loop_t *loop, int i) {
  (void)loop;
  (void)i;
  rounds++;
}

START_TEST(fail_unless_run_often) {
  rounds = 0;
  vow_check_run_seeds(VOW_SITE, "pass_often", NULL, pass_often, 0, 7);
  ck_assert_uint_ne(rounds, 7);
}
END_TEST

START_TEST(fail_with_seed) {
  vow_check_run_seeds(VOW_SITE, "fail_at_once", NULL, fail_at_once, 0, 7);
}
END_TEST

TEST(test_seed_of_the_environment_must_be_a_number) {
  static const char *const texts[] = {"abc", "12 34", "-1", " 1",
                                      "99999999999999999999"};
  report_t *r = malloc(sizeof *r);
  const TTest *tests[] = {fail_with_seed, NULL};
  size_t i;
  for (i = 0; i < sizeof texts / sizeof *texts; i++) {
    strcpy(wanted_seed, texts[i]);
    report_of(r, CK_NOFORK, set_seed, tests);
    ck_assert_msg(strstr(r->text, "which is no seed") != NULL, "%s", r->text);
  }
  strcpy(wanted_seed, "12");
  report_of(r, CK_NOFORK, set_seed, tests);
  ck_assert_msg(strstr(r->text, "VOW_SEED=12 replays") != NULL, "%s", r->text);
  strcpy(wanted_seed, "");
  tests[0] = fail_unless_run_often;
  report_of(r, CK_NOFORK, set_seed, tests);
  ck_assert_int_eq(r->failed, 1);
  free(r);
}

SUITE(check_seed) {
  ADD(test_seed_numbers_stay_below_their_bound);
  ADD(test_seed_rounds_have_different_numbers);
  ADD(test_seed_without_shuffle_first_in_is_first_out);
  ADD(test_seed_shuffles_unrelated_callbacks);
  ADD(test_seed_same_seed_gives_same_order);
  ADD(test_seed_keeps_callbacks_of_one_future);
  ADD(test_seed_keeps_ties_of_a_race);
  ADD(test_seed_keeps_watches);
  ADD(test_seed_keeps_yields_behind_what_is_ready);
  ADD(test_seed_failing_seed_is_told_and_replays);
  ADD(test_seed_of_the_environment_must_be_a_number);
}

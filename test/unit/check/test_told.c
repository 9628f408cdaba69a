/* SPDX-License-Identifier: MIT */
/* What reports tell: which run of many failed, how it is run again, who wanted
 * the memory, and nothing of the kit's own. */
#include "unit/check/report.h"

#include <vow/time.h>
#include <vow/token.h>

#include <signal.h>

static bool has_addr2line(void) {
  return system("addr2line --version >/dev/null 2>&1") == 0;
}

/* Runs test with that in the environment, which it inherits. */
static void told_with(const char *variable, const char *value,
                      enum fork_status mode, const TTest *test, report_t *r) {
  const TTest *const tests[] = {test, NULL};
  setenv(variable, value, 1);
  report_of(r, mode, NULL, tests);
  unsetenv(variable);
}

static void must_have(const report_t *r, const char *part) {
  ck_assert_msg(strstr(r->text, part) != NULL, "no \"%s\" in:\n%s", part,
                r->text);
}

/* ---- of a failure in a callback -------------------------------------------- */

static vow_value_t fail_by_chance(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  ck_assert_uint_gt(vow_check_random(10), 10);
  return vow_nil();
}

VOW_TEST_SEEDS(fail_in_callback_by_seed, 3) {
  vow_assert_nil(vow_then(vow_sleep(loop, 5), fail_by_chance, NULL));
}

static vow_value_t need_memory(vow_future_t *in, void *arg) {
  void *p = vow_alloc(10);
  (void)in;
  (void)arg;
  ck_assert_ptr_nonnull(p);
  vow_release(p);
  return vow_nil();
}

VOW_TORTURE(fail_in_callback_without_memory) {
  VOW_TRY_NIL(vow_then(vow_sleep(loop, 1), need_memory, NULL));
  return vow_nil();
}

TEST(test_told_failure_in_a_callback_has_its_seed_and_its_fault) {
  FAILS(fail_in_callback_by_seed, 0, "vow_check_random(10)",
        "VOW_SEED=", " replays it");
  FAILS(fail_in_callback_without_memory, 0, "with allocation ",
        "VOW_TORTURE=alloc:");
}

static void complain_late(void *arg) {
  (void)arg;
  vow_check_complain("late.c:1", "the end was reached");
}

static void fail_late(void *arg) {
  (void)arg;
  ck_abort_msg("at the end");
}

VOW_TEST(fail_at_end) {
  vow_check_at_end(complain_late, NULL);
  vow_check_at_end(fail_late, NULL);
}

TEST(test_told_failure_at_the_end_lets_the_others_run) {
  FAILS(fail_at_end, 0, "at the end", "the end was reached");
}

/* ---- of a process that dies ------------------------------------------------- */

VOW_TORTURE(die_without_memory) {
  void *p = vow_alloc(10);
  (void)loop;
  if (p == NULL) raise(SIGKILL);
  vow_release(p);
  return vow_nil();
}

VOW_TEST_SEEDS(die_by_chance, 1000) {
  if (vow_check_random(3) == 2) raise(SIGKILL);
}

VOW_TORTURE(bear_all_and_die) {
  VOW_TRY_NIL(vow_sleep(loop, 1));
  return vow_nil();
}

START_TEST(die_later) {
  bear_all_and_die->fn(0);
  raise(SIGKILL);
}
END_TEST

TEST(test_told_run_in_which_the_process_died) {
  report_t *r;
  const TTest *tests[] = {die_without_memory, NULL};
  if (!report_may_fork()) return;
  r = malloc(sizeof *r);
  report_of(r, CK_FORK, NULL, tests);
  must_have(r, "with allocation ");
  must_have(r, "failing: VOW_TORTURE=alloc:");
  must_have(r, "test_told.c:");
  tests[0] = die_by_chance;
  report_of(r, CK_FORK, NULL, tests);
  must_have(r, "VOW_SEED=");
  tests[0] = die_later;
  report_of(r, CK_FORK, NULL, tests);
  ck_assert_msg(strstr(r->text, "VOW_TORTURE") == NULL, "%s", r->text);
  free(r);
}

/* ---- of runs that take too long together ------------------------------------ */

VOW_TORTURE_WITH(fail_together, .watchdog_ms = 400) {
  int i;
  uv_sleep(20); /* no run takes too long, but fifty do */
  for (i = 0; i < 20; i++) VOW_TRY_NIL(vow_sleep(loop, 1));
  return vow_nil();
}

static void take_long(vow_loop_t *loop, int i) {
  (void)i;
  uv_sleep(20);
  vow_assert_nil(vow_sleep(loop, 1));
}

START_TEST(fail_seeds_together) {
  const vow_check_options_t options = {.watchdog_ms = 400};
  vow_check_run_seeds(VOW_SITE, "take_long", &options, take_long, 0, 1000);
}
END_TEST

START_TEST(fail_no_seeds) {
  vow_check_run_seeds(VOW_SITE, "take_long", NULL, take_long, 0, 0);
}
END_TEST

TEST(test_told_watchdog_watches_all_runs_together) {
  FAILS(fail_together, 0, "has not ended after 400 ms", "in which it was run ");
  FAILS(fail_seeds_together, 0, "has not ended after 400 ms",
        "in which it was run ", "VOW_SEED=");
  FAILS(fail_no_seeds, 0, "take_long has 0 seeds");
}

/* ---- one run alone ---------------------------------------------------------- */

static int runs;

VOW_TORTURE(fail_seventh_allocation) {
  void *p[8];
  bool bad;
  int i;
  (void)loop;
  runs++;
  for (i = 0; i < 8; i++) p[i] = vow_alloc(1);
  bad = p[5] != NULL && p[6] == NULL;
  for (i = 0; i < 8; i++) vow_release(p[i]);
  if (p[5] == NULL || p[7] == NULL) return vow_fail(UV_ENOMEM);
  ck_assert_msg(!bad, "run %d", runs);
  return vow_nil();
}

TEST(test_told_torture_of_the_environment_runs_alone) {
  report_t *r = malloc(sizeof *r);
  FAILS(fail_seventh_allocation, 0, "with allocation 7 failing: run 8",
        "VOW_TORTURE=alloc:7 runs this alone");
  told_with("VOW_TORTURE", "alloc:7", CK_NOFORK, fail_seventh_allocation, r);
  must_have(r, "with allocation 7 failing: run 1");
  told_with("VOW_TORTURE", "alloc:6", CK_NOFORK, fail_seventh_allocation, r);
  ck_assert_int_eq(r->failed, 0);
  told_with("VOW_TORTURE", "allocs:3", CK_NOFORK, fail_seventh_allocation, r);
  ck_assert_int_eq(r->failed, 0);
  told_with("VOW_TORTURE", "step:1", CK_NOFORK, bear_all_and_die, r);
  ck_assert_int_eq(r->failed, 0);
  told_with("VOW_TORTURE", "undisturbed", CK_NOFORK, fail_seventh_allocation,
            r);
  ck_assert_int_eq(r->failed, 0);
  told_with("VOW_TORTURE", "", CK_NOFORK, fail_seventh_allocation, r);
  must_have(r, "with allocation 7 failing: run 8");
  free(r);
}

TEST(test_told_torture_of_the_environment_must_make_sense) {
  static const char *const texts[] = {"alloc",        "alloc:",  "alloc:0",
                                      "alloc:x",      "alloc 3", "malloc:3",
                                      "undisturbed:2"};
  report_t *r = malloc(sizeof *r);
  size_t i;
  for (i = 0; i < sizeof texts / sizeof *texts; i++) {
    told_with("VOW_TORTURE", texts[i], CK_NOFORK, bear_all_and_die, r);
    must_have(r, "alloc, allocs, call or step with a number");
  }
  told_with("VOW_TORTURE", "alloc:999", CK_NOFORK, bear_all_and_die, r);
  must_have(r, "VOW_TORTURE=alloc:999 has not come to pass");
  free(r);
}

/* ---- who wanted memory ------------------------------------------------------ */

static vow_token_t *kept_token;
static void *kept;

static void take_some(void) {
  kept = vow_alloc(10);
}

VOW_TEST(fail_keeps_token) {
  kept_token = vow_token_new(loop);
}

VOW_TEST(fail_keeps_block) {
  take_some();
}

TEST(test_told_memory_names_what_was_called) {
  if (!has_addr2line()) return;
#ifdef __x86_64__
  FAILS(fail_keeps_token, 0,
        "\n  what vow_token_new allocated for fail_keeps_token");
  FAILS(fail_keeps_block, 0, "\n  what vow_alloc allocated for ",
        "test/unit/check/test_told.c:");
  FAILS(fail_seventh_allocation, 0, "\n  the allocation: what vow_alloc wanted",
        "fail_seventh_allocation_vow_body at ", "test_told.c:");
#else
  FAILS(fail_keeps_token, 0, " allocated for fail_keeps_token");
#endif
}

/* ---- the graph, and places -------------------------------------------------- */

VOW_TEST(fail_waits) {
  vow_await_status(vow_never(loop));
}

enum { LINE_OF_MISUSE = __LINE__ + 2 };
static void misuse(void) {
  vow_check_settle();
}

START_TEST(fail_misuses) {
  misuse();
}
END_TEST

TEST(test_told_nothing_of_the_kit_itself) {
  const TTest *const tests[] = {fail_waits, NULL};
  report_t *r = malloc(sizeof *r);
  report_of(r, CK_NOFORK, NULL, tests);
  must_have(r, "waits for what:\n  fail_waits test/");
  must_have(r, "\n    promise test/");
  ck_assert_msg(strstr(r->text, "src/check") == NULL &&
                    strstr(r->text, "the test kit") == NULL,
                "%s", r->text);
  FAILS(fail_misuses, LINE_OF_MISUSE, "test_told.c");
  free(r);
}

SUITE(check_told) {
  ADD(test_told_failure_in_a_callback_has_its_seed_and_its_fault);
  ADD(test_told_failure_at_the_end_lets_the_others_run);
  ADD(test_told_run_in_which_the_process_died);
  ADD(test_told_watchdog_watches_all_runs_together);
  ADD(test_told_torture_of_the_environment_runs_alone);
  ADD(test_told_torture_of_the_environment_must_make_sense);
  ADD(test_told_memory_names_what_was_called);
  ADD(test_told_nothing_of_the_kit_itself);
}

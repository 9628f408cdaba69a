/* SPDX-License-Identifier: MIT */
/* The test program's main: runs every suite that registered itself. Takes its
 * settings from libcheck's environment variables; see `make help`. */
#define _DEFAULT_SOURCE /* SA_ONSTACK */
#include "support/test.h"

#include <signal.h>
#include <unistd.h>

/* Generous: only a test that hangs should meet it. */
#define TEST_TIMEOUT_S 60

static test_suite_t *suites;

void test_register(test_suite_t *suite) {
  test_suite_t **at = &suites;
  while (*at != NULL && strcmp((*at)->name, suite->name) < 0) {
    at = &(*at)->next;
  }
  suite->next = *at;
  *at = suite;
}

bool test_is_quick(void) {
  return getenv("VOW_TEST_QUICK") != NULL;
}

size_t test_scale(size_t n) {
  if (!test_is_quick() || n <= 100) return n;
  return n / 100 < 100 ? 100 : n / 100;
}

/* ---- children that do not end by exit ------------------------------------- */

#ifdef VOW_COVERAGE
extern void __gcov_dump(void); /* of the compiler's library */

void test_keep_coverage(void) {
  __gcov_dump();
}

static void keep_and_die(int number) {
  __gcov_dump();
  raise(number);
}

static void on_death(void (*handler)(int number)) {
  static const int numbers[] = {SIGABRT, SIGSEGV, SIGBUS};
  struct sigaction act;
  size_t i;
  memset(&act, 0, sizeof act);
  sigemptyset(&act.sa_mask);
  act.sa_handler = handler;
  act.sa_flags = SA_ONSTACK | (int)SA_RESETHAND | SA_NODEFER;
  for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
    sigaction(numbers[i], &act, NULL);
}

void test_let_signals_kill(void) {
  on_death(keep_and_die);
}

__attribute__((constructor)) static void keep_what_aborts(void) {
  on_death(keep_and_die);
}
#else
void test_keep_coverage(void) {
}

void test_let_signals_kill(void) {
  signal(SIGSEGV, SIG_DFL);
  signal(SIGBUS, SIG_DFL);
}
#endif

void test_leave(int status) {
  test_keep_coverage();
  _exit(status);
}

/* ---- the run -------------------------------------------------------------- */

static Suite *make_suite(const test_suite_t *entry) {
  Suite *suite = suite_create(entry->name);
  TCase *tcase = tcase_create(entry->name);
  tcase_set_timeout(tcase, TEST_TIMEOUT_S);
  entry->fill(tcase);
  suite_add_tcase(suite, tcase);
  return suite;
}

int main(void) {
  SRunner *runner = srunner_create(NULL);
  int failed;
  for (test_suite_t *s = suites; s != NULL; s = s->next) {
    srunner_add_suite(runner, make_suite(s));
  }
  srunner_run_all(runner, CK_ENV);
  failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

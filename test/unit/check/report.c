/* SPDX-License-Identifier: MIT */
/* The process that runs failing tests. It is killed when it has told how they
 * went, so that nobody asks it for the memory that a failed test leaves. */
#include "unit/check/report.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define WATCHDOG_MS 30000

/* Ours allow a minute per test. */
__attribute__((constructor)) static void set_watchdog(void) {
  vow_check_set_watchdog(WATCHDOG_MS);
}

/* libuv's own end joins the threads of its pool, which were not forked with us
 * when a test before this one has used it. */
static void leave_at_once(void) {
  test_leave(EXIT_SUCCESS); /* only tests that pass come here */
}

static void add_failures(SRunner *runner, FILE *out) {
  TestResult **failures = srunner_failures(runner);
  int i, n = srunner_ntests_failed(runner);
  fprintf(out, "%d %d\n", srunner_ntests_run(runner), n);
  for (i = 0; i < n; i++)
    fprintf(out, "%s:%d: %s: %s\n", tr_lfile(failures[i]), tr_lno(failures[i]),
            tr_tcname(failures[i]), tr_msg(failures[i]));
  free(failures);
}

static void play(FILE *out, enum fork_status mode, const TTest *const tests[]) {
  Suite *suite = suite_create("failing");
  TCase *tcase = tcase_create("failing");
  SRunner *runner;
  for (; *tests != NULL; tests++) tcase_add_test(tcase, *tests);
  tcase_set_timeout(tcase, 50);
  suite_add_tcase(suite, tcase);
  runner = srunner_create(suite);
  srunner_set_fork_status(runner, mode);
  srunner_run_all(runner, CK_SILENT);
  add_failures(runner, out);
  srunner_free(runner);
}

void report_of(report_t *r, enum fork_status mode, void (*before)(void),
               const TTest *const tests[]) {
  int fds[2], status;
  size_t n;
  pid_t pid;
  FILE *in;
  ck_assert_int_eq(pipe(fds), 0);
  fflush(NULL);
  pid = fork();
  ck_assert_int_ge(pid, 0);
  if (pid == 0) {
    FILE *out = fdopen(fds[1], "w");
    close(fds[0]);
    unsetenv("CK_RUN_SUITE");
    unsetenv("CK_RUN_CASE");
    unsetenv("CK_TIMEOUT_MULTIPLIER");
    atexit(leave_at_once);
    vow_check_allow_threads(mode == CK_NOFORK); /* of this very process */
    if (before != NULL) before();
    play(out, mode, tests);
    test_keep_coverage();
    fclose(out); /* we are killed from here on */
    for (;;) pause();
  }
  close(fds[1]);
  in = fdopen(fds[0], "r");
  ck_assert_int_eq(fscanf(in, "%d %d\n", &r->run, &r->failed), 2);
  n = fread(r->text, 1, sizeof r->text - 1, in);
  r->text[n] = '\0';
  fclose(in);
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
}

void fails_in(enum fork_status mode, const TTest *test, int line,
              const char *const parts[]) {
  const TTest *const tests[] = {test, NULL};
  report_t *r = malloc(sizeof *r);
  const char *at;
  ck_assert_ptr_nonnull(r);
  report_of(r, mode, NULL, tests);
  ck_assert_msg(r->run == 1 && r->failed == 1, "%s: %d ran, %d failed",
                test->name, r->run, r->failed);
  at = strchr(r->text, ':');
  if (line > 0)
    ck_assert_msg(at != NULL && atoi(at + 1) == line,
                  "%s should fail at line %d:\n%s", test->name, line, r->text);
  for (; *parts != NULL; parts++)
    ck_assert_msg(strstr(r->text, *parts) != NULL, "no \"%s\" in:\n%s", *parts,
                  r->text);
  free(r);
}

/* Under valgrind it shall not be: each child would be asked for its leaks. */
bool report_may_fork(void) {
  const char *fork_mode = getenv("CK_FORK");
  return fork_mode == NULL || strcmp(fork_mode, "no") != 0;
}

bool report_may_start_threads(void) {
#ifdef __SANITIZE_THREAD__
  return false;
#else
  return true;
#endif
}

void fails_in_both(const TTest *test, int line, const char *const parts[]) {
  if (report_may_fork()) fails_in(CK_FORK, test, line, parts);
  fails_in(CK_NOFORK, test, line, parts);
}

void passes_in_both(const TTest *test) {
  const TTest *const tests[] = {test, NULL};
  report_t *r = malloc(sizeof *r);
  int mode;
  ck_assert_ptr_nonnull(r);
  for (mode = report_may_fork() ? 0 : 1; mode < 2; mode++) {
    report_of(r, mode == 0 ? CK_FORK : CK_NOFORK, NULL, tests);
    ck_assert_msg(r->run == 1 && r->failed == 0, "%s", r->text);
  }
  free(r);
}

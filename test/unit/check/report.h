/* SPDX-License-Identifier: MIT */
/* Tests that are to fail: runs them in a process of their own, and gives what
 * libcheck would have reported. */
#ifndef VOW_TEST_UNIT_CHECK_REPORT_H
#define VOW_TEST_UNIT_CHECK_REPORT_H

#include "support/test.h"

#include <vow/check.h>

typedef struct report {
  int run, failed;
  char text[16384]; /* "file:line: name: message" for each that failed */
} report_t;

/** Runs the tests, a list that ends with NULL, in that mode; *r is what came
 *  of it. before, which may be NULL, is called in the process first. */
void report_of(report_t *r, enum fork_status mode, void (*before)(void),
               const TTest *const tests[]);

/** Whether tests may be run forked. */
bool report_may_fork(void);

/* Not under the thread sanitizer, which ends a child that starts one. */
bool report_may_start_threads(void);

/** Runs test in both modes; it must fail at line (0: any) with a message that
 *  has all of parts in it, a list that ends with NULL. */
void fails_in_both(const TTest *test, int line, const char *const parts[]);
#define FAILS(test, line, ...) \
  fails_in_both((test), (line), (const char *const[]){__VA_ARGS__, NULL})

/** The same in one mode. */
void fails_in(enum fork_status mode, const TTest *test, int line,
              const char *const parts[]);

/** Runs test in both modes; it must pass. */
void passes_in_both(const TTest *test);

#endif

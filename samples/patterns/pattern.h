/* SPDX-License-Identifier: MIT */
/* What the patterns share: a loop, lines with the time before them, the end.
 * With PATTERNS_VIRTUAL in the environment the loop's clock is virtual: hours
 * pass in a moment, and each run prints the same. The tests do that. */
#ifndef PATTERN_H
#define PATTERN_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <vow.h>
#include <vow/virtual.h>

static vow_loop_t *pattern__loop;
static uint64_t pattern__start_ms;

/* A program with nothing but a loop to make may end when that fails. */
static inline vow_loop_t *pattern_loop_with(const vow_loop_options_t *options) {
  vow_loop_t *loop = NULL;
  int rc = getenv("PATTERNS_VIRTUAL") != NULL
               ? vow_loop_new_virtual(options, &loop)
               : vow_loop_new(options, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    exit(1);
  }
  pattern__loop = loop;
  pattern__start_ms = vow_loop_now_ms(loop);
  return loop;
}

static inline vow_loop_t *pattern_loop(void) {
  return pattern_loop_with(NULL);
}

/* printf for a line, behind how many milliseconds the loop is old. */
VOW_PRINTF(1, 2) static inline void say(const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  printf("%5" PRIu64 " ms  ",
         vow_loop_now_ms(pattern__loop) - pattern__start_ms);
  vprintf(fmt, ap);
  putchar('\n');
  va_end(ap);
}

/* Closes the loop; what main returns, given the outcome of all that it did. */
static inline int pattern_done(vow_loop_t *loop, int rc) {
  if (rc != 0) say("failed: %s", vow_strerror(rc));
  if (vow_loop_close(loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}

#endif

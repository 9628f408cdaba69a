/* SPDX-License-Identifier: MIT */
/* How a test file looks: TEST bodies, and one SUITE that adds them and
 * registers itself. Built on libcheck; nothing of vow in here.
 *
 *   TEST(test_gather_empty_gives_empty_list) { ck_assert(...); }
 *   SUITE(combine_gather) { ADD(test_gather_empty_gives_empty_list); }
 *
 * A test that its suite forgets is an unused variable, which the build treats
 * as an error. CK_RUN_SUITE=combine_gather runs one suite. */
#ifndef VOW_TEST_SUPPORT_TEST_H
#define VOW_TEST_SUPPORT_TEST_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A suite as test_main.c knows it; in a list made by constructors. */
typedef struct test_suite {
  const char *name;
  void (*fill)(TCase *tcase);
  struct test_suite *next;
} test_suite_t;

/** Adds a suite to the run, in order of name. */
void test_register(test_suite_t *suite);

/** n, or a small part of it when VOW_TEST_QUICK is set: for counts that are
 *  large for the sake of speed or memory only. */
size_t test_scale(size_t n);

/** True when VOW_TEST_QUICK is set, as under valgrind. */
bool test_is_quick(void);

/** Ends a child that a test forked, at once; what it covered is counted. */
void test_leave(int status) __attribute__((noreturn));

/** In such a child: a signal that kills, kills, whatever a sanitizer or the
 *  coverage run has made of it. */
void test_let_signals_kill(void);

/** Writes what was covered so far, for a child that will be killed. */
void test_keep_coverage(void);

#define TEST(name) START_TEST(name)

#define ADD(name) tcase_add_test(test_tcase, name)

#define SUITE(name)                                                     \
  static void test_fill_##name(TCase *test_tcase);                      \
  __attribute__((constructor)) static void test_register_##name(void) { \
    static test_suite_t suite = {#name, test_fill_##name, NULL};        \
    test_register(&suite);                                              \
  }                                                                     \
  static void test_fill_##name(TCase *test_tcase)

#endif

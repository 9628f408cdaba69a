/* SPDX-License-Identifier: MIT */
/* Tests of assertions: they stay in every build and abort. */
#include "support/test.h"

#include <signal.h>

#include "base/check.h"

static int evaluated;

static bool yes(void) {
  evaluated++;
  return true;
}

TEST(test_check_assert_that_holds_evaluates_once) {
  evaluated = 0;
  vow__assert(yes());
  ck_assert_int_eq(evaluated, 1);
}

TEST(test_check_container_of_gives_the_struct) {
  typedef struct outer {
    int before;
    int member;
  } outer_t;
  outer_t outer = {1, 2};
  ck_assert_ptr_eq(vow__container_of(&outer.member, outer_t, member), &outer);
}

TEST(test_check_assert_that_fails_aborts) {
  if (freopen("/dev/null", "w", stderr) == NULL) return;
  vow__assert(!yes());
}

TEST(test_check_panic_aborts_without_a_site) {
  if (freopen("/dev/null", "w", stderr) == NULL) return;
  vow__panic("here", "it broke", NULL);
}

#ifdef VOW_DEBUG
TEST(test_check_debug_check_that_fails_aborts) {
  if (freopen("/dev/null", "w", stderr) == NULL) return;
  vow__debug_check(!yes(), "it broke", "file:1");
}
#endif

/* Tests that must abort need a process of their own. */
static bool may_abort(void) {
  const char *fork = getenv("CK_FORK");
  return fork == NULL || strcmp(fork, "no") != 0;
}

SUITE(base_check) {
  ADD(test_check_assert_that_holds_evaluates_once);
  ADD(test_check_container_of_gives_the_struct);
  if (may_abort()) {
    tcase_add_test_raise_signal(test_tcase, test_check_assert_that_fails_aborts,
                                SIGABRT);
    tcase_add_test_raise_signal(
        test_tcase, test_check_panic_aborts_without_a_site, SIGABRT);
#ifdef VOW_DEBUG
    tcase_add_test_raise_signal(
        test_tcase, test_check_debug_check_that_fails_aborts, SIGABRT);
#endif
  }
}

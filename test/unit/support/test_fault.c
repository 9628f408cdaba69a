/* SPDX-License-Identifier: MIT */
/* The fault allocator: counts, and fails what it was told to. */
#include "support/test.h"
#include "support/fault.h"

#include <vow/op.h>

TEST(test_fault_at_fails_that_allocation_only) {
  void *first;
  void *third;
  fault_install();
  fault_fail_at(2);
  first = vow_alloc(8);
  ck_assert_ptr_nonnull(first);
  ck_assert_ptr_null(vow_alloc(8));
  third = vow_alloc(8);
  ck_assert_ptr_nonnull(third);
  ck_assert_uint_eq(fault_count(), 3);
  ck_assert_uint_eq(fault_failed(), 1);
  vow_release(first);
  vow_release(third);
  fault_remove();
}

TEST(test_fault_from_fails_all_that_follow) {
  fault_install();
  fault_fail_from(1);
  ck_assert_ptr_null(vow_alloc(8));
  ck_assert_ptr_null(vow_alloc(8));
  fault_off();
  ck_assert_uint_eq(fault_count(), 0);
  fault_remove();
}

TEST(test_fault_live_counts_what_is_not_released) {
  void *p;
  fault_install();
  p = vow_alloc(24);
  ck_assert_int_eq(fault_live(), 1);
  ck_assert_int_eq(fault_live_bytes(), 24);
  vow_release(p);
  ck_assert_int_eq(fault_live(), 0);
  ck_assert_int_eq(fault_live_bytes(), 0);
  fault_remove();
}

TEST(test_fault_release_of_a_block_from_before_is_not_counted) {
  void *p = vow_alloc(8);
  fault_install();
  vow_release(p);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(support_fault) {
  ADD(test_fault_at_fails_that_allocation_only);
  ADD(test_fault_from_fails_all_that_follow);
  ADD(test_fault_live_counts_what_is_not_released);
  ADD(test_fault_release_of_a_block_from_before_is_not_counted);
}

/* SPDX-License-Identifier: MIT */
/* Tests of tokens with a deadline: rule 14. */
#include "unit/core/helpers.h"

#include <vow/token.h>

/* Rule 14: the least of one's own and the ancestors'; reason UV_ETIMEDOUT. */
TEST(test_token_effective_deadline_is_the_least) {
  vow_loop_t *loop = manual_loop(); /* its clock starts at 1,000 */
  vow_token_t *t = vow_token_new(loop), *a = vow_token_deadline(t, 50);
  vow_token_t *b = vow_token_deadline(a, 100), *c = vow_token_deadline(b, 20);
  vow_token_t *both[2], *linked;
  both[0] = t;
  both[1] = c;
  linked = vow_token_linked(2, both);
  ck_assert_uint_eq(vow_token_deadline_ms(t), UINT64_MAX);
  ck_assert_uint_eq(vow_token_deadline_ms(a), 1050);
  ck_assert_uint_eq(vow_token_deadline_ms(b), 1050);
  ck_assert_uint_eq(vow_token_deadline_ms(c), 1020);
  ck_assert_uint_eq(vow_token_deadline_ms(linked), 1020);
  ck_assert_uint_eq(vow_token_deadline_ms(NULL), UINT64_MAX);
  manual_advance(loop, 20);
  ck_assert_int_eq(vow_token_reason(c), UV_ETIMEDOUT);
  ck_assert_int_eq(vow_token_reason(linked), UV_ETIMEDOUT);
  ck_assert(!vow_token_is_cancelled(b));
  manual_advance(loop, 30);
  ck_assert_int_eq(vow_token_reason(b), UV_ETIMEDOUT);
  ck_assert(!vow_token_is_cancelled(t));
  vow_token_free(linked);
  vow_token_free(a);
  vow_token_free(b);
  vow_token_free(c);
  vow_token_free(t);
  manual_done(loop);
}

/* Two ways up at each of sixty levels: none is gone twice. */
TEST(test_token_deadline_of_stacked_diamonds_is_found) {
  enum { LEVELS = 60 };
  vow_loop_t *loop = manual_loop();
  vow_token_t *at[1 + 3 * LEVELS];
  size_t n = 1;
  at[0] = vow_token_new(loop);
  for (size_t i = 0; i < LEVELS; i++, n += 3) {
    at[n] = vow_token_deadline(at[n - 1], 1000 - i);
    at[n + 1] = vow_token_child(at[n - 1]);
    at[n + 2] = vow_token_linked(2, &at[n]);
  }
  ck_assert_uint_eq(vow_token_deadline_ms(at[n - 1]), 2000 - (LEVELS - 1));
  ck_assert_uint_eq(vow_token_deadline_ms(at[3]), 2000);
  while (n > 0) vow_token_free(at[--n]);
  manual_done(loop);
}

/* Rule 14: freed, a deadline of its own no longer counts. */
TEST(test_token_freed_deadline_no_longer_counts) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *a = vow_token_deadline(t, 50);
  vow_token_t *b = vow_token_child(a);
  vow_token_free(a);
  ck_assert_uint_eq(vow_token_deadline_ms(b), UINT64_MAX);
  manual_advance(loop, 100);
  ck_assert(!vow_token_is_cancelled(b));
  vow_token_free(b);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_cancelled_deadline_does_not_fire) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *a = vow_token_deadline(t, 50);
  vow_token_cancel(t, UV_EINTR);
  ck_assert_uint_eq(vow_loop_next_ms(loop), UINT64_MAX);
  ck_assert_int_eq(vow_token_reason(a), UV_EINTR);
  vow_token_free(a);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_deadline_without_memory_is_no_token) {
  vow_loop_t *loop;
  vow_token_t *t;
  fault_install();
  loop = manual_loop();
  t = vow_token_new(loop);
  for (size_t n = 1; n <= 2; n++) {
    fault_fail_at(n);
    ck_assert_ptr_null(vow_token_deadline(t, 3600000));
    EXPECT_HAS(vow_last_message(), "out of memory");
  }
  fault_off();
  vow_token_free(t);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(core_token_deadline) {
  ADD(test_token_effective_deadline_is_the_least);
  ADD(test_token_deadline_of_stacked_diamonds_is_found);
  ADD(test_token_freed_deadline_no_longer_counts);
  ADD(test_token_cancelled_deadline_does_not_fire);
  ADD(test_token_deadline_without_memory_is_no_token);
}

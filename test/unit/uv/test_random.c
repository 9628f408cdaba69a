/* SPDX-License-Identifier: MIT */
/* Random bytes; the request's common situations are in the table. */
#include <vow/random.h>

#include "support/manual.h"
#include "unit/uv/uv_support.h"

TEST(test_random_gives_as_many_bytes_as_asked) {
  vow_loop_t *loop = loop_open();
  vow_future_t *a = vow_random(loop, 32), *b = vow_random(loop, 32);
  vow_future_t *none = vow_random(loop, 0);
  ck_assert_int_eq(settle(loop, a), 0);
  ck_assert_int_eq(settle(loop, b), 0);
  ck_assert_int_eq(settle(loop, none), 0);
  ck_assert_uint_eq(vow_bytes_length(vow_bytes_get(a)), 32);
  ck_assert_uint_eq(vow_bytes_length(vow_bytes_get(none)), 0);
  ck_assert_int_ne(memcmp(vow_bytes_data(vow_bytes_get(a)),
                          vow_bytes_data(vow_bytes_get(b)), 32),
                   0);
  vow_drop(a);
  vow_drop(b);
  vow_drop(none);
  loop_done(loop);
}

TEST(test_random_into_fills_the_callers_memory) {
  vow_loop_t *loop = loop_open();
  char data[33] = {0};
  char zeros[33] = {0};
  vow_future_t *f = vow_random_into(loop, data, 32);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 32);
  ck_assert_int_ne(memcmp(data, zeros, 32), 0);
  ck_assert_int_eq(data[32], 0);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_random_bad_arguments_give_clear_failures) {
  vow_loop_t *loop = loop_open(), *manual = manual_loop();
  char data[1];
  vow_future_t *f = vow_random(loop, (size_t)INT32_MAX + 1);
  ck_assert_int_eq(vow_status(f), UV_E2BIG);
  vow_drop(f);
  f = vow_random_into(loop, data, (size_t)INT32_MAX + 1);
  ck_assert_int_eq(vow_status(f), UV_E2BIG);
  vow_drop(f);
  f = vow_random_into(loop, NULL, 1);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = vow_random(NULL, 1);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = vow_random(manual, 1);
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  vow_drop(f);
  manual_done(manual);
  loop_done(loop);
}

SUITE(uv_random) {
  ADD(test_random_gives_as_many_bytes_as_asked);
  ADD(test_random_into_fills_the_callers_memory);
  ADD(test_random_bad_arguments_give_clear_failures);
}

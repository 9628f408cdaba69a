/* SPDX-License-Identifier: MIT */
/* Faults of libuv's calls, through the kit. */
#include "unit/check/report.h"

#include <vow/pipe.h>
#include <vow/tcp.h>
#include <vow/time.h>

VOW_TEST(test_calls_fail_by_name_and_number) {
  uv_tcp_t *tcp = NULL;
  vow_check_fail_call("uv_tcp_init", 2, UV_EMFILE);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  vow_tcp_free(tcp);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), UV_EMFILE);
  ck_assert_uint_eq(vow_check_call_failures(), 1);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  vow_tcp_free(tcp);
  vow_check_fail_call_from(NULL, 1, UV_EIO);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), UV_EIO);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), UV_EIO);
  ck_assert_uint_eq(vow_check_call_failures(), 3);
}

VOW_TEST(test_calls_do_not_fail_in_the_next_test) {
  uv_tcp_t *tcp = NULL;
  ck_assert_uint_eq(vow_check_call_failures(), 0);
  ck_assert_int_eq(vow_tcp_new(loop, &tcp), 0);
  vow_tcp_free(tcp);
}

static int runs;

VOW_TORTURE(test_calls_are_tortured) {
  uv_tcp_t *tcp;
  int err = vow_tcp_new(loop, &tcp);
  runs++;
  if (err != 0) return vow_fail(err);
  vow_tcp_free(tcp);
  return vow_nil();
}

VOW_TORTURE(fail_by_a_call) {
  uv_tcp_t *tcp = NULL;
  if (vow_tcp_new(loop, &tcp) == UV_EIO) ck_abort_msg("not expected");
  vow_tcp_free(tcp);
  return vow_nil();
}

TEST(test_calls_failures_tell_what_it_took) {
  FAILS(fail_by_a_call, 0, "with call ", " of libuv failing: not expected");
}

SUITE(check_calls) {
  ADD(test_calls_fail_by_name_and_number);
  ADD(test_calls_do_not_fail_in_the_next_test);
  ADD(test_calls_are_tortured);
  ADD(test_calls_failures_tell_what_it_took);
}

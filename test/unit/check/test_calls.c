/* SPDX-License-Identifier: MIT */
/* Faults of libuv's calls, through the kit. */
#include "unit/check/report.h"

#include <vow/fs.h>
#include <vow/fs_temp.h>
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

VOW_TEST(test_calls_report_tells_the_callback_of_the_nth) {
  vow_future_t *f;
  vow_check_report_call("uv_fs_stat", 2, UV_EIO);
  vow_assert_ok(vow_fs_stat(loop, "/"));
  f = vow_fs_stat(loop, "/");
  vow_assert_fails(f, UV_EIO);
  vow_assert_ok(vow_fs_stat(loop, "/"));
  ck_assert_uint_eq(vow_check_call_failures(), 1);
}

static uv_file own_file(vow_loop_t *loop) {
  vow_future_t *f = vow_fs_mkstemp(loop, "/tmp/vow-calls-XXXXXX");
  vow_temp_t *temp;
  uv_file file;
  temp = vow_assert_take(f, &vow_type_temp);
  file = temp->file;
  temp->file = -1;
  vow_temp_free(temp);
  return file;
}

/* What files take and give is cut to pieces, until told otherwise. */
VOW_TEST(test_calls_short_transfers_are_of_that_many_bytes) {
  char text[16];
  uv_file file = own_file(loop);
  vow_check_short_writes(3);
  vow_assert_int(vow_fs_write(loop, file, "0123456789", 10, 0), 3);
  vow_check_short_writes(0);
  vow_assert_int(vow_fs_write(loop, file, "0123456789", 10, 0), 10);
  vow_check_short_reads(4);
  vow_assert_int(vow_fs_read_into(loop, file, text, sizeof text, 0), 4);
  vow_check_short_reads(0);
  vow_assert_int(vow_fs_read_into(loop, file, text, sizeof text, 0), 10);
  vow_assert_ok(vow_fs_close(loop, file));
}

static void fault_outside_of_a_test(void) {
  vow_check_fail_call("uv_tcp_init", 1, UV_EIO);
}

START_TEST(fail_no_test_runs) {
  fault_outside_of_a_test();
}
END_TEST

TEST(test_calls_outside_of_a_test_are_refused) {
  FAILS(fail_no_test_runs, 0, "vow_check_fail_call: no test runs");
}

SUITE(check_calls) {
  ADD(test_calls_fail_by_name_and_number);
  ADD(test_calls_do_not_fail_in_the_next_test);
  ADD(test_calls_are_tortured);
  ADD(test_calls_failures_tell_what_it_took);
  ADD(test_calls_report_tells_the_callback_of_the_nth);
  ADD(test_calls_short_transfers_are_of_that_many_bytes);
  ADD(test_calls_outside_of_a_test_are_refused);
}

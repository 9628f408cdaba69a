/* SPDX-License-Identifier: MIT */
/* Faults by hand: what they excuse, and plans that make no sense or never come
 * to pass. */
#include "unit/check/report.h"

#include <vow/tcp.h>
#include <vow/time.h>

static void lose_one_allocation(void) {
  vow_check_fail_alloc(1);
  ck_assert_ptr_null(vow_alloc(1));
}

/* ---- what they excuse ------------------------------------------------------- */

VOW_TEST(fail_unseen_after_fault) {
  lose_one_allocation();
  vow_drop(vow_ready(loop, vow_fail(UV_EPROTO)));
}

VOW_TEST(fail_unplayed_after_fault) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_peer(net, "db:7", VOW_EXPECT("?"));
  lose_one_allocation();
}

VOW_TEST_WITH(test_faults_excuse_when_the_test_says_so,
              .unseen_after_faults = true) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_check_peer(net, "db:7", VOW_EXPECT("?"));
  lose_one_allocation();
  vow_drop(vow_ready(loop, vow_fail(UV_EPROTO)));
}

TEST(test_faults_by_hand_excuse_nothing) {
  FAILS(fail_unseen_after_fault, 0, "nobody saw this failure", "EPROTO");
  FAILS(fail_unplayed_after_fault, 0, "the peer at db:7");
}

/* Whichever of its calls of libuv fails, nobody looks. */
VOW_TORTURE(test_faults_of_calls_excuse_in_a_torture) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  uv_tcp_t *tcp = NULL;
  int err = vow_tcp_new(loop, &tcp);
  vow_check_peer(net, "db:7", VOW_EXPECT_END());
  if (err != 0) {
    vow_drop(vow_ready(loop, vow_fail(err)));
    return vow_nil();
  }
  vow_tcp_free(tcp);
  VOW_TRY(s, vow_check_connect(loop, "db", "7", net));
  vow_value_destroy(s);
  return vow_nil();
}

/* ---- that never come to pass ------------------------------------------------ */

VOW_TEST(fail_allocates_too_little) {
  (void)loop;
  vow_check_fail_alloc(1000000);
}

VOW_TEST(fail_never_connects) {
  (void)loop;
  vow_check_fail_call("uv_tcp_connect", 1, UV_ENETUNREACH);
}

VOW_TEST(fail_never_reads) {
  (void)loop;
  vow_check_report_call("uv_read_start", 1, UV_ECONNRESET);
}

VOW_TEST(test_faults_that_were_asked_for_may_stay_away) {
  (void)loop;
  vow_check_fail_alloc(1000000);
  ck_assert_uint_eq(vow_check_alloc_failures(), 0);
  vow_check_fail_call("uv_tcp_connect", 1, UV_ENETUNREACH);
  ck_assert_uint_eq(vow_check_call_failures(), 0);
}

VOW_TEST(test_faults_that_were_taken_back_may_stay_away) {
  (void)loop;
  vow_check_fail_alloc(1000000);
  vow_check_fail_alloc(0);
  vow_check_fail_call("uv_tcp_connect", 1, UV_ENETUNREACH);
  vow_check_fail_call("uv_tcp_connect", 0, 0);
  vow_check_fail_call_from("uv_tcp_connect", 1, UV_ENETUNREACH);
  vow_check_fail_call_from("uv_tcp_connect", 0, 0);
}

TEST(test_faults_that_stay_away_fail_the_test) {
  FAILS(fail_allocates_too_little, 0, "before the allocation that was to fail");
  FAILS(fail_never_connects, 0, "that was to fail: uv_tcp_connect");
  FAILS(fail_never_reads, 0, "that was to fail: uv_read_start");
}

/* ---- that make no sense ----------------------------------------------------- */

enum { LINE_OF_TYPO = __LINE__ + 3 };
VOW_TEST(fail_has_a_typo) {
  (void)loop;
  vow_check_fail_call("uv_tcp_conect", 1, UV_ENETUNREACH);
}

VOW_TEST(fail_has_no_error) {
  (void)loop;
  vow_check_fail_call("uv_tcp_connect", 1, 101);
}

VOW_TEST(fail_succeeds) {
  (void)loop;
  vow_check_fail_call_from("uv_tcp_connect", 1, 0);
}

TEST(test_faults_that_make_no_sense_fail_the_test) {
  FAILS(fail_has_a_typo, LINE_OF_TYPO, "uv_tcp_conect is not among");
  FAILS(fail_has_no_error, 0, "101 is no error");
  FAILS(fail_succeeds, 0, "0 is no error");
}

SUITE(check_faults) {
  ADD(test_faults_excuse_when_the_test_says_so);
  ADD(test_faults_by_hand_excuse_nothing);
  ADD(test_faults_of_calls_excuse_in_a_torture);
  ADD(test_faults_that_were_asked_for_may_stay_away);
  ADD(test_faults_that_were_taken_back_may_stay_away);
  ADD(test_faults_that_stay_away_fail_the_test);
  ADD(test_faults_that_make_no_sense_fail_the_test);
}

/* SPDX-License-Identifier: MIT */
/* Faults by plan, and the driver that tries them all. */
#include "unit/check/report.h"

#include <vow/fs.h>
#include <vow/gather.h>
#include <vow/time.h>

/* ---- that pass ------------------------------------------------------------ */

static int runs, successes;

static vow_value_t drop_stream(void *arg) {
  vow_stream_unref(arg);
  return vow_nil();
}

VOW_TORTURE(test_torture_sound_scenario_passes) {
  vow_check_net_t *net = vow_check_net_new(loop, NULL);
  vow_stream_t *s;
  runs++;
  vow_check_peer(net, "db:7", VOW_EXPECT("?\n"), VOW_DELAY(10),
                 VOW_REPLY("!\n"), VOW_EXPECT_END());
  {
    VOW_TRY(v, vow_check_connect(loop, "db", "7", net));
    s = v.as.p;
  }
  if (vow_defer(drop_stream, s) != 0) return vow_fail(UV_ENOMEM);
  VOW_TRY_NIL(vow_stream_write(s, "?\n", 2));
  VOW_TRY(line, vow_stream_read_line(s, 10));
  ck_assert_uint_eq(vow_bytes_length(line.as.p), 1);
  vow_value_destroy(line);
  successes++;
  return vow_nil();
}

static vow_value_t count_scenario(vow_loop_t *loop, int i) {
  ck_assert_int_eq(i, 5);
  runs++;
  VOW_TRY_NIL(vow_sleep(loop, 1));
  VOW_TRY_NIL(vow_gather(
      loop, 2, ((vow_future_t *[]){vow_sleep(loop, 1), vow_sleep(loop, 2)})));
  successes++;
  return vow_nil();
}

TEST(test_torture_tries_every_n) {
  vow_check_torture(VOW_SITE, "count", NULL, count_scenario, 5);
  ck_assert_int_gt(runs, 12);
  ck_assert_int_ge(successes, 4); /* the last of each kind, and the first */
  ck_assert_int_lt(successes, runs);
}

/* Where a call fails nobody looks. */
VOW_TORTURE(test_torture_unseen_failure_is_none_when_disturbed) {
  vow_detach(vow_fs_stat(loop, "/"));
  return vow_nil();
}

static int strided;

/* The first of each kind, then every 1000th. */
VOW_TORTURE_WITH(test_torture_stride_leaves_faults_out,
                 .torture_stride = 1000) {
  strided++;
  VOW_TRY_NIL(vow_sleep(loop, 1));
  VOW_TRY_NIL(vow_sleep(loop, 1));
  ck_assert_int_le(strided, 9);
  return vow_nil();
}

VOW_TEST_WITH(test_torture_by_hand_fails_the_nth, .probe_cells = true) {
  vow_future_t *first, *second;
  vow_check_fail_alloc(1);
  first = vow_sleep(loop, 1);
  second = vow_sleep(loop, 1);
  ck_assert_uint_eq(vow_check_alloc_failures(), 1);
  vow_assert_fails(first, UV_ENOMEM);
  vow_assert_nil(second);
  vow_check_fail_alloc_from(1);
  vow_assert_fails(vow_sleep(loop, 1), UV_ENOMEM);
  vow_assert_fails(vow_sleep(loop, 1), UV_ENOMEM);
  ck_assert_uint_ge(vow_check_alloc_failures(), 2);
  vow_check_fail_alloc(0);
  vow_assert_nil(vow_sleep(loop, 1));
}

/* ---- that fail ------------------------------------------------------------ */

VOW_TORTURE(fail_undisturbed) {
  return vow_failf(UV_EPROTO, "never works");
}

/* Forgets the first stream when there is no second. */
VOW_TORTURE(fail_leaks_without_memory) {
  vow_stream_t *a, *b;
  vow_future_t *f;
  ck_assert(loop != NULL);
  if (vow_stream_pair(loop, 0, &a, &b) != 0) return vow_fail(UV_ENOMEM);
  f = vow_stream_write(a, "x", 1);
  if (vow_is_settled(f) && vow_status(f) == UV_ENOMEM) {
    vow_drop(f);
    return vow_fail(UV_ENOMEM); /* and the streams? */
  }
  vow_drop(f);
  vow_stream_unref(a);
  vow_stream_unref(b);
  return vow_nil();
}

/* Does not notice that it is cancelled. */
VOW_TORTURE(fail_leaks_when_cancelled) {
  vow_stream_t *a, *b;
  if (vow_stream_pair(loop, 0, &a, &b) != 0) return vow_fail(UV_ENOMEM);
  vow_check_fail_alloc(0);
  VOW_TRY_NIL(vow_sleep(loop, 1));
  vow_stream_unref(a);
  vow_stream_unref(b);
  return vow_nil();
}

TEST(test_torture_failures_tell_what_it_took) {
  FAILS(fail_undisturbed, 0, "undisturbed", "never works");
  FAILS(fail_leaks_without_memory, 0, "with allocation ", "leaves memory");
  FAILS(fail_leaks_when_cancelled, 0, "cancelled at step ", "leaves memory");
}

SUITE(check_torture) {
  ADD(test_torture_sound_scenario_passes);
  ADD(test_torture_tries_every_n);
  ADD(test_torture_unseen_failure_is_none_when_disturbed);
  ADD(test_torture_stride_leaves_faults_out);
  ADD(test_torture_by_hand_fails_the_nth);
  ADD(test_torture_failures_tell_what_it_took);
}

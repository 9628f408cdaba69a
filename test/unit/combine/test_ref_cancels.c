/* SPDX-License-Identifier: MIT */
/* A value's ref runs while a combinator reads its input, and may cancel that
 * very combinator. Nothing may be lost or settled twice by that. */
#include "unit/combine/helpers.h"

#include <vow/as_completed.h>
#include <vow/gather.h>
#include <vow/map.h>
#include <vow/race.h>
#include <vow/repeat.h>
#include <vow/retry.h>
#include <vow/timeout.h>

static vow_future_t *victim;
static int traps;

static void *ref_cancels(void *p) {
  things_live++;
  traps++;
  if (victim != NULL) vow_cancel(victim);
  return p;
}

static const vow_type_t type_trap = {"trap", thing_destroy, ref_cancels, NULL};

/* A future that others hold, too, with such a value. */
static vow_future_t *trap(vow_loop_t *loop) {
  things_live++;
  traps = 0;
  victim = NULL;
  return vow_ready(loop, vow_ptr(&things_live, &type_trap));
}

static void run(vow_loop_t *loop, vow_future_t *result) {
  victim = result;
  manual_drain(loop);
  victim = NULL;
  ck_assert_int_gt(traps, 0);
  ck_assert(vow_is_settled(result));
}

static void end(vow_loop_t *loop, vow_future_t *source) {
  vow_drop(source);
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_ref_cancels_gather_is_cancelled_and_keeps_nothing) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  vow_future_t *s = trap(loop), *f;
  pair_t other = slow_pair(loop, &asked);
  f = vow_gather_of(loop, vow_ref(s), other.f);
  victim = f;
  manual_drain(loop);
  victim = NULL;
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING); /* until that has unwound */
  vow_promise_finish(other.p, vow_cancelled(0));
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  end(loop, s);
}

TEST(test_ref_cancels_gather_settled_is_cancelled) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *s = trap(loop);
  vow_future_t *f = vow_gather_settled_of(loop, vow_ref(s), vow_never(loop));
  run(loop, f);
  EXPECT_CANCELLED(f);
  end(loop, s);
}

TEST(test_ref_cancels_race_is_cancelled_with_all_its_inputs) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *s = trap(loop);
  vow_future_t *f = vow_race_of(loop, vow_ref(s), vow_never(loop));
  run(loop, f);
  EXPECT_CANCELLED(f);
  end(loop, s);
}

TEST(test_ref_cancels_any_is_cancelled) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *s = trap(loop);
  vow_future_t *f = vow_any_of(loop, vow_ref(s), vow_never(loop));
  run(loop, f);
  EXPECT_CANCELLED(f);
  end(loop, s);
}

static vow_future_t *give_again(vow_loop_t *loop, size_t i, void *arg) {
  (void)i;
  return arg != NULL ? vow_ref(arg) : vow_never(loop);
}

TEST(test_ref_cancels_map_is_cancelled) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *s = trap(loop);
  vow_future_t *f = vow_map(loop, 3, 2, give_again, s);
  run(loop, f);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(traps, 1); /* no further item was begun */
  end(loop, s);
}

/* What was on its way to be handed on is delivered. */
TEST(test_ref_cancels_timeout_and_shield_deliver_all_the_same) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *s = trap(loop), *f = vow_timeout(vow_ref(s), 10);
  run(loop, f);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  ck_assert_ptr_eq(vow_peek(f).type, &type_trap);
  vow_drop(f);
  f = vow_shield(vow_ref(s));
  run(loop, f);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  vow_drop(f);
  end(loop, s);
}

static vow_future_t *attempt(vow_loop_t *loop, uint32_t n, void *arg) {
  (void)loop;
  ck_assert_uint_eq(n, 1);
  return vow_ref(arg);
}

TEST(test_ref_cancels_retry_delivers_its_success) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *s = trap(loop);
  vow_future_t *f = vow_retry(loop, attempt, s, NULL, NULL);
  run(loop, f);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  vow_drop(f);
  end(loop, s);
}

TEST(test_ref_cancels_next_of_as_completed_keeps_the_iterator_whole) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *s = trap(loop), *f;
  vow_future_t *inputs[] = {vow_ref(s), ok(loop, 2)};
  vow_completed_t *it = vow_as_completed(loop, 2, inputs);
  f = vow_completed_next(it);
  run(loop, f);
  vow_drop(f);
  f = vow_completed_next(it);
  manual_drain(loop);
  EXPECT_INT(f, 2);
  f = vow_completed_next(it);
  ck_assert_int_eq(vow_status(f), UV_EOF);
  vow_drop(f);
  vow_completed_free(it);
  end(loop, s);
}

SUITE(combine_ref_cancels) {
  ADD(test_ref_cancels_gather_is_cancelled_and_keeps_nothing);
  ADD(test_ref_cancels_gather_settled_is_cancelled);
  ADD(test_ref_cancels_race_is_cancelled_with_all_its_inputs);
  ADD(test_ref_cancels_any_is_cancelled);
  ADD(test_ref_cancels_map_is_cancelled);
  ADD(test_ref_cancels_timeout_and_shield_deliver_all_the_same);
  ADD(test_ref_cancels_retry_delivers_its_success);
  ADD(test_ref_cancels_next_of_as_completed_keeps_the_iterator_whole);
}

/* SPDX-License-Identifier: MIT */
/* Tests of select with futures among the cases: those that lose are cancelled
 * and awaited. */
#include "unit/sync/items.h"

#include <vow/select.h>
#include <vow/semaphore.h>

typedef struct place {
  vow_loop_t *loop;
  vow_queue_t *q;
} place_t;

static place_t place(void) {
  place_t at;
  at.loop = counting_loop(false);
  at.q = vow_queue_new(at.loop, VOW_FIFO, 2);
  return at;
}

static void leave(place_t at) {
  ck_assert_uint_eq(vow_queue_gets_waiting(at.q), 0);
  vow_queue_free(at.q);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(unhandled, 0);
  manual_done(at.loop);
}

static vow_future_t *get_or(place_t at, vow_future_t *f) {
  return vow_select_of(at.loop, vow_case_get(at.q), vow_case_future(f));
}

static size_t winner(vow_future_t *f) {
  size_t which;
  ck_assert_int_eq(vow_status(f), 0);
  vow_value_destroy(vow_selected(vow_outcome(f), &which));
  vow_drop(f);
  return which;
}

/* Rule 21 */
TEST(test_select_future_rule21_that_wins_leaves_the_item) {
  place_t at = place();
  pair_t a = pair(at.loop);
  vow_future_t *f = get_or(at, a.f);
  vow_promise_finish(a.p, thing());
  put(at.q, 1); /* comes later: not for us */
  manual_drain(at.loop);
  ck_assert_uint_eq(winner(f), 1);
  ck_assert_int_eq(got(at.q), 1);
  leave(at);
}

TEST(test_select_future_settled_before_wins_in_argument_order) {
  place_t at = place();
  put(at.q, 1);
  ck_assert_uint_eq(winner(get_or(at, ok(at.loop, 1))), 0);
  ck_assert_uint_eq(winner(get_or(at, ok(at.loop, 1))), 1);
  put(at.q, 2);
  ck_assert_uint_eq(
      winner(vow_select_of(at.loop, vow_case_future(bad(at.loop, UV_EIO)),
                           vow_case_get(at.q))),
      0);
  ck_assert_int_eq(got(at.q), 2);
  leave(at);
}

TEST(test_select_future_failure_is_an_outcome) {
  place_t at = place();
  vow_future_t *f = get_or(at, vow_sleep(at.loop, 5));
  size_t which;
  vow_value_t v;
  manual_advance(at.loop, 5);
  ck_assert_uint_eq(winner(f), 1);
  f = get_or(at, vow_timeout(vow_never(at.loop), 5));
  manual_advance(at.loop, 5);
  v = vow_selected(vow_outcome(f), &which);
  ck_assert_int_eq(vow_value_code(v), UV_ETIMEDOUT);
  vow_value_destroy(v);
  vow_drop(f);
  leave(at);
}

/* Nothing outlives its select */
TEST(test_select_future_that_lost_is_cancelled_and_awaited) {
  place_t at = place();
  int asked = 0;
  pair_t a = slow_pair(at.loop, &asked), b = slow_pair(at.loop, &asked);
  vow_future_t *f =
      vow_select_of(at.loop, vow_case_future(a.f), vow_case_get(at.q),
                    vow_case_future(b.f), vow_case_future(vow_never(at.loop)));
  put(at.q, 1);
  ck_assert_int_eq(asked, 0); /* not within the put */
  manual_drain(at.loop);
  ck_assert_int_eq(asked, 2);
  ck_assert(!vow_is_settled(f));
  vow_cancel(f); /* changes nothing */
  vow_promise_finish(a.p, thing());
  vow_promise_finish(b.p, vow_failf(UV_EIO, "in clean-up"));
  manual_drain(at.loop);
  ck_assert_uint_eq(winner(f), 1);
  leave(at);
}

TEST(test_select_future_that_wins_stops_the_others) {
  place_t at = place();
  int asked = 0;
  pair_t a = slow_pair(at.loop, &asked), b = pair(at.loop);
  vow_future_t *f = vow_select_of(at.loop, vow_case_future(a.f),
                                  vow_case_future(b.f), vow_case_get(at.q));
  vow_promise_finish(b.p, vow_int(1));
  manual_drain(at.loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_uint_eq(vow_queue_gets_waiting(at.q), 0);
  vow_promise_drop(a.p);
  manual_drain(at.loop);
  ck_assert_uint_eq(winner(f), 1);
  leave(at);
}

TEST(test_select_future_loser_that_settles_before_it_is_asked) {
  place_t at = place();
  pair_t a = pair(at.loop);
  vow_future_t *f = get_or(at, a.f);
  put(at.q, 1);
  vow_promise_finish(a.p, vow_failf(UV_EIO, "late"));
  manual_drain(at.loop);
  ck_assert_uint_eq(winner(f), 0);
  leave(at);
}

TEST(test_select_future_loser_at_the_call_is_cancelled_too) {
  place_t at = place();
  int asked = 0;
  pair_t a = slow_pair(at.loop, &asked);
  vow_future_t *f;
  put(at.q, 1);
  f = vow_select_of(at.loop, vow_case_future(a.f), vow_case_get(at.q),
                    vow_case_future(bad(at.loop, UV_EIO)));
  manual_drain(at.loop);
  ck_assert_int_eq(asked, 1);
  ck_assert(!vow_is_settled(f));
  vow_promise_drop(a.p);
  manual_drain(at.loop);
  ck_assert_uint_eq(winner(f), 1);
  leave(at);
}

TEST(test_select_future_that_others_share_is_left_to_them) {
  place_t at = place();
  pair_t a = pair(at.loop);
  vow_future_t *f = get_or(at, vow_ref(a.f));
  put(at.q, 1);
  manual_drain(at.loop);
  ck_assert_uint_eq(winner(f), 0);
  ck_assert(vow_promise_is_wanted(a.p));
  vow_drop(a.f);
  vow_promise_drop(a.p);
  leave(at);
}

TEST(test_select_future_cancel_awaits_it_and_keeps_its_failure) {
  place_t at = place();
  pair_t a = slow_pair(at.loop, NULL);
  vow_future_t *f =
      vow_select_of(at.loop, vow_case_future(a.f), vow_case_put(at.q, item(1)));
  vow_value_t v, cause;
  ck_assert(!vow_is_settled(f)); /* there was room, but a unwinds */
  vow_promise_drop(a.p);
  manual_drain(at.loop);
  ck_assert_uint_eq(winner(f), 1);
  put(at.q, 2);
  a = slow_pair(at.loop, NULL);
  f = vow_select_of(at.loop, vow_case_future(a.f), vow_case_put(at.q, item(3)));
  vow_cancel(f);
  ck_assert(!vow_is_settled(f));
  ck_assert_uint_eq(vow_queue_puts_waiting(at.q), 0);
  vow_promise_finish(a.p, vow_fail(UV_EIO));
  manual_drain(at.loop);
  ck_assert_int_eq(vow_state(f), VOW_CANCELLED);
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EIO);
  ck_assert_int_eq(vow_reclaim(f, &v), 0);
  ck_assert_int_eq(number_of(v), 3);
  vow_drop(f);
  leave(at);
}

TEST(test_select_future_dropped_select_unwinds) {
  place_t at = place();
  int asked = 0;
  pair_t a = slow_pair(at.loop, &asked);
  vow_drop(get_or(at, a.f));
  ck_assert_uint_eq(vow_queue_gets_waiting(at.q), 0);
  manual_drain(at.loop);
  ck_assert_int_eq(asked, 1);
  vow_promise_drop(a.p);
  leave(at);
}

/* Rule 20: the permit of an acquire that lost goes on */
TEST(test_select_future_rule20_acquire_that_lost_passes_its_permit_on) {
  place_t at = place();
  vow_semaphore_t *s = vow_semaphore_new(at.loop, 1);
  vow_future_t *held = vow_semaphore_acquire(s, 1), *f, *behind;
  f = get_or(at, vow_semaphore_acquire(s, 1));
  behind = vow_semaphore_acquire(s, 1);
  put(at.q, 1);
  vow_drop(held); /* the permit goes to the loser, before it is stopped */
  manual_drain(at.loop);
  ck_assert_uint_eq(winner(f), 0);
  EXPECT_OK(behind);
  ck_assert_uint_eq(vow_semaphore_available(s), 1);
  vow_semaphore_free(s);
  leave(at);
}

TEST(test_select_future_circle_is_found) {
  place_t at = place();
  pair_t a = pair(at.loop);
  vow_future_t *f = get_or(at, vow_ref(a.f));
  vow_promise_finish(a.p, vow_follow(vow_ref(f)));
  manual_drain(at.loop);
  EXPECT_FAILED(a.f, VOW_ECYCLE);
  ck_assert_uint_eq(winner(f), 1);
  leave(at);
}

/* A destructor, run while losers are stopped, drops the select. */
static vow_future_t *victim;

static void drop_victim(void *p) {
  (void)p;
  things_live--;
  vow_drop(victim);
  victim = NULL;
}

static const vow_type_t type_drops = {"drops", drop_victim, NULL, NULL};

TEST(test_select_future_whose_value_drops_the_select) {
  place_t at = place();
  pair_t a = pair(at.loop);
  victim = get_or(at, a.f);
  put(at.q, 1);
  things_live++;
  vow_promise_finish(a.p, vow_ptr(&victim, &type_drops));
  manual_drain(at.loop);
  ck_assert_ptr_null(victim);
  a = pair(at.loop);
  things_live++;
  vow_promise_finish(a.p, vow_ptr(&victim, &type_drops));
  victim = vow_select_of(at.loop, vow_case_future(vow_never(at.loop)),
                         vow_case_future(vow_never(at.loop)));
  vow_drop(victim);
  victim = NULL;
  put(at.q, 2);
  ck_assert_uint_eq(winner(get_or(at, a.f)), 0);
  leave(at);
}

/* Rule 8, for selects */
TEST(test_select_future_rule8_million_against_one_never_leave_memory_flat) {
  place_t at;
  vow_future_t *never;
  size_t n = test_scale(1000000);
  long blocks = 0, bytes = 0;
  fault_install();
  at = place();
  never = vow_never(at.loop);
  for (size_t i = 0; i < n; i++) {
    vow_future_t *f = get_or(at, vow_ref(never));
    ck_assert_int_eq(vow_queue_try_put(at.q, vow_int(1)), 0);
    manual_drain(at.loop);
    ck_assert_uint_eq(winner(f), 0);
    if (i == 10) blocks = fault_live(), bytes = fault_live_bytes();
  }
  ck_assert_int_eq(fault_live(), blocks);
  ck_assert_int_eq(fault_live_bytes(), bytes);
  vow_drop(never);
  leave(at);
  fault_remove();
}

SUITE(sync_select_future) {
  ADD(test_select_future_rule21_that_wins_leaves_the_item);
  ADD(test_select_future_settled_before_wins_in_argument_order);
  ADD(test_select_future_failure_is_an_outcome);
  ADD(test_select_future_that_lost_is_cancelled_and_awaited);
  ADD(test_select_future_that_wins_stops_the_others);
  ADD(test_select_future_loser_that_settles_before_it_is_asked);
  ADD(test_select_future_loser_at_the_call_is_cancelled_too);
  ADD(test_select_future_that_others_share_is_left_to_them);
  ADD(test_select_future_cancel_awaits_it_and_keeps_its_failure);
  ADD(test_select_future_dropped_select_unwinds);
  ADD(test_select_future_rule20_acquire_that_lost_passes_its_permit_on);
  ADD(test_select_future_circle_is_found);
  ADD(test_select_future_whose_value_drops_the_select);
  ADD(test_select_future_rule8_million_against_one_never_leave_memory_flat);
}

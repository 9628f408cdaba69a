/* SPDX-License-Identifier: MIT */
/* Tests of select over queues, channels and values: only the winner has any
 * effect. Futures among the cases are in test_select_future.c. */
#include "unit/sync/items.h"

#include <vow/select.h>

/** Case `which` won, with item number n; consumes f. */
static void expect_won(vow_future_t *f, size_t which, int n) {
  size_t index;
  vow_value_t v;
  ck_assert_int_eq(vow_status(f), 0);
  v = vow_selected(vow_outcome(f), &index);
  ck_assert_uint_eq(index, which);
  ck_assert_int_eq(vow_value_code(v), 0);
  ck_assert_int_eq(number_of(v), n);
  vow_drop(f);
}

/** The same with a failure. */
static void expect_lost(vow_future_t *f, size_t which, int code) {
  size_t index;
  vow_value_t v = vow_selected(vow_outcome(f), &index);
  ck_assert_uint_eq(index, which);
  ck_assert_int_eq(vow_value_code(v), code);
  vow_value_destroy(v);
  vow_drop(f);
}

#define QUEUES 3

typedef struct place {
  vow_loop_t *loop;
  vow_queue_t *q[QUEUES];
} place_t;

static place_t place(size_t capacity) {
  place_t at;
  at.loop = manual_loop();
  for (int i = 0; i < QUEUES; i++)
    at.q[i] = vow_queue_new(at.loop, VOW_FIFO, capacity);
  return at;
}

static void leave(place_t at) {
  for (int i = 0; i < QUEUES; i++) {
    ck_assert_uint_eq(vow_queue_gets_waiting(at.q[i]), 0);
    ck_assert_uint_eq(vow_queue_puts_waiting(at.q[i]), 0);
    vow_queue_free(at.q[i]);
  }
  ck_assert_int_eq(things_live, 0);
  manual_done(at.loop);
}

static vow_future_t *select_gets(place_t at) {
  return vow_select_of(at.loop, vow_case_get(at.q[0]), vow_case_get(at.q[1]),
                       vow_case_get(at.q[2]));
}

TEST(test_select_tie_goes_to_the_first_argument_and_only_it_is_taken) {
  place_t at = place(2);
  put(at.q[1], 1);
  put(at.q[2], 2);
  expect_won(select_gets(at), 1, 1);
  expect_won(select_gets(at), 2, 2);
  leave(at);
}

TEST(test_select_first_that_is_ready_later_wins) {
  for (size_t i = 0; i < QUEUES; i++) {
    place_t at = place(2);
    vow_future_t *f = select_gets(at);
    ck_assert(!vow_is_settled(f));
    put(at.q[i], 5);
    for (int k = 0; k < QUEUES; k++) put(at.q[k], k); /* stay where they are */
    expect_won(f, i, 5);
    for (int k = 0; k < QUEUES; k++) ck_assert_int_eq(got(at.q[k]), k);
    leave(at);
  }
}

/* Rule 20: a select has one place in each line, like any other */
TEST(test_select_rule20_nobody_overtakes) {
  place_t at = place(2);
  vow_future_t *before = vow_queue_get(at.q[0]), *f = select_gets(at);
  vow_future_t *behind = vow_queue_get(at.q[0]);
  put(at.q[0], 1);
  EXPECT_ITEM(before, 1);
  put(at.q[0], 2);
  expect_won(f, 0, 2);
  put(at.q[0], 3);
  EXPECT_ITEM(behind, 3);
  leave(at);
}

/* Rule 21 */
TEST(test_select_rule21_loser_leaves_its_place_to_the_next) {
  place_t at = place(2);
  vow_future_t *f = select_gets(at), *behind = vow_queue_get(at.q[2]);
  put(at.q[1], 1);
  put(at.q[2], 2);
  expect_won(f, 1, 1);
  EXPECT_ITEM(behind, 2);
  leave(at);
}

TEST(test_select_one_queue_several_times_takes_one_item) {
  place_t at = place(2);
  vow_future_t *f =
      vow_select_of(at.loop, vow_case_get(at.q[0]), vow_case_get(at.q[0]));
  put(at.q[0], 1);
  put(at.q[0], 2);
  expect_won(f, 0, 1);
  ck_assert_int_eq(got(at.q[0]), 2);
  leave(at);
}

/* ---- puts ----------------------------------------------------------------
 */

TEST(test_select_put_wins_when_there_is_room) {
  place_t at = place(1);
  vow_value_t v;
  vow_future_t *f = vow_select_of(at.loop, vow_case_put(at.q[0], item(1)),
                                  vow_case_put(at.q[1], item(2)));
  ck_assert_int_eq(vow_selected_reclaim(vow_peek(f), &v), 0);
  ck_assert_int_eq(number_of(v), 2);
  ck_assert_int_eq(vow_selected_reclaim(vow_peek(f), &v), UV_ENOENT);
  ck_assert_int_eq(vow_reclaim(f, &v), UV_ENOENT);
  expect_won(f, 0, -1);
  ck_assert_int_eq(got(at.q[0]), 1);
  ck_assert_int_eq(try_get_error(at.q[1]), UV_EAGAIN);
  leave(at);
}

TEST(test_select_put_waits_and_wins_when_an_item_goes) {
  place_t at = place(1);
  vow_future_t *f;
  put(at.q[0], 8);
  put(at.q[1], 9);
  f = vow_select_of(at.loop, vow_case_put(at.q[0], item(1)),
                    vow_case_get(at.q[2]),
                    vow_case_put_priority(at.q[1], item(2), 3));
  ck_assert_int_eq(got(at.q[1]), 9);
  ck_assert_int_eq(things_live, 3);
  expect_won(f, 2, -1); /* item 1 goes with it */
  ck_assert_int_eq(got(at.q[1]), 2);
  ck_assert_int_eq(got(at.q[0]), 8);
  leave(at);
}

TEST(test_select_put_meets_select_get) {
  place_t at = place(0);
  vow_future_t *f = vow_select_of(at.loop, vow_case_get(at.q[0]),
                                  vow_case_put(at.q[1], item(1)));
  vow_future_t *g = vow_select_of(at.loop, vow_case_put(at.q[0], item(2)),
                                  vow_case_get(at.q[1]));
  expect_won(g, 0, -1);
  expect_won(f, 0, 2);
  leave(at);
}

/* ---- channels and values --------------------------------------------------
 */

TEST(test_select_next_and_send_and_changed) {
  place_t at = place(1);
  vow_broadcast_t *b = vow_broadcast_new(at.loop, 1, VOW_LAG_WAIT);
  vow_subscription_t *s = vow_broadcast_subscribe(b);
  vow_latest_t *l = vow_latest_new(at.loop, vow_int(0));
  vow_future_t *f[4];
  size_t which;
  for (int i = 0; i < 4; i++)
    f[i] = vow_select_of(at.loop, vow_case_get(at.q[0]), vow_case_next(s),
                         vow_case_changed(l, 0));
  ck_assert_int_eq(vow_broadcast_try_send(b, copied(1)), 0);
  expect_won(f[0], 1, 1);
  vow_latest_set(l, vow_int(5));
  for (int i = 1; i < 4; i++) {
    ck_assert_int_eq(vow_selected(vow_outcome(f[i]), &which).as.i, 1);
    ck_assert_uint_eq(which, 2);
    vow_drop(f[i]);
  }
  ck_assert_int_eq(vow_broadcast_try_send(b, copied(2)), 0);
  f[0] = vow_select_of(at.loop, vow_case_send(b, copied(3)),
                       vow_case_changed(l, 1));
  expect_won(vow_select_of(at.loop, vow_case_next(s)), 0, 2);
  expect_won(f[0], 0, -1);
  expect_won(vow_select_of(at.loop, vow_case_next(s)), 0, 3);
  vow_latest_free(l);
  vow_subscription_free(s);
  vow_broadcast_free(b);
  leave(at);
}

TEST(test_select_value_stays_when_its_only_next_declines) {
  place_t at = place(1);
  vow_broadcast_t *b = vow_broadcast_new(at.loop, 2, VOW_LAG_SKIP);
  vow_subscription_t *s = vow_broadcast_subscribe(b);
  pair_t p = pair(at.loop);
  vow_future_t *f =
      vow_select_of(at.loop, vow_case_next(s), vow_case_future(p.f));
  vow_promise_finish(p.p, item(7));
  ck_assert_int_eq(vow_broadcast_try_send(b, copied(1)), 0);
  manual_drain(at.loop);
  expect_won(f, 1, 7);
  expect_won(vow_select_of(at.loop, vow_case_next(s)), 0, 1);
  vow_subscription_free(s);
  vow_broadcast_free(b);
  leave(at);
}

/* ---- ends -----------------------------------------------------------------
 */

TEST(test_select_shut_queue_wins_with_its_failure) {
  place_t at = place(1);
  vow_future_t *f = select_gets(at);
  vow_queue_shutdown(at.q[1]);
  put(at.q[0], 1);
  expect_lost(f, 1, VOW_ESHUTDOWN);
  ck_assert_int_eq(got(at.q[0]), 1);
  expect_lost(select_gets(at), 1, VOW_ESHUTDOWN);
  f = vow_select_of(at.loop, vow_case_put(at.q[1], item(4)));
  {
    vow_value_t v;
    ck_assert_int_eq(vow_selected_reclaim(vow_peek(f), &v), 0);
    ck_assert_int_eq(number_of(v), 4);
  }
  expect_lost(f, 0, VOW_ESHUTDOWN);
  leave(at);
}

/* Rule 21: whatever the case, a cancelled select takes nothing and gives the
 * items back */
TEST(test_select_rule21_cancelled_gives_every_item_back) {
  place_t at = place(0);
  vow_future_t *f =
      vow_select_of(at.loop, vow_case_put(at.q[0], item(1)),
                    vow_case_get(at.q[1]), vow_case_put(at.q[2], item(2)));
  vow_value_t v;
  ck_assert_int_eq(vow_reclaim(f, &v), UV_EAGAIN);
  vow_cancel(f);
  ck_assert_int_eq(vow_state(f), VOW_CANCELLED);
  ck_assert_int_eq(vow_reclaim(f, &v), 0);
  ck_assert_int_eq(number_of(v), 1);
  ck_assert_int_eq(vow_reclaim(f, &v), 0);
  ck_assert_int_eq(number_of(v), 2);
  ck_assert_int_eq(vow_reclaim(f, &v), UV_ENOENT);
  vow_drop(f);
  leave(at);
}

TEST(test_select_dropped_or_cancelled_late_keeps_to_its_winner) {
  place_t at = place(1);
  vow_future_t *f = select_gets(at);
  vow_drop(f); /* before */
  f = select_gets(at);
  put(at.q[0], 1);
  vow_cancel(f); /* after */
  expect_won(f, 0, 1);
  f = select_gets(at);
  put(at.q[0], 2);
  vow_drop(f); /* undelivered: destroyed */
  ck_assert_int_eq(things_live, 0);
  vow_detach(select_gets(at));
  put(at.q[2], 3);
  leave(at);
}

TEST(test_select_loop_close_cancels_it) {
  place_t at = place(1);
  vow_future_t *f =
      vow_select_of(at.loop, vow_case_get(at.q[0]), vow_case_get(at.q[1]));
  manual_close(at.loop);
  EXPECT_CANCELLED(f);
  f = vow_select_of(at.loop, vow_case_put(at.q[0], item(1)));
  EXPECT_FAILED(f, VOW_ESHUTDOWN);
  for (int i = 0; i < QUEUES; i++) vow_queue_free(at.q[i]);
  ck_assert_int_eq(things_live, 0);
}

TEST(test_select_free_of_a_queue_wins) {
  place_t at = place(1);
  vow_future_t *f = select_gets(at);
  vow_queue_free(at.q[0]);
  at.q[0] = vow_queue_new(at.loop, VOW_FIFO, 1);
  expect_lost(f, 0, VOW_ESHUTDOWN);
  leave(at);
}

/* ---- opening -------------------------------------------------------------
 */

TEST(test_select_selected_passes_a_failure_and_refuses_others) {
  size_t which = 0;
  vow_value_t v = vow_selected(vow_fail(UV_EIO), &which);
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  ck_assert_uint_eq(which, SIZE_MAX);
  which = 0;
  v = vow_selected(item(1), &which);
  ck_assert_int_eq(vow_value_code(v), VOW_ETYPE);
  ck_assert_uint_eq(which, SIZE_MAX);
  vow_value_destroy(v);
  v = vow_selected(vow_fail(UV_EIO), NULL);
  ck_assert_int_eq(vow_selected_reclaim(v, &v), UV_EINVAL);
  ck_assert_int_eq(things_live, 0);
}

TEST(test_select_bad_arguments_are_refused_by_name) {
  place_t at = place(1), other = place(1);
  vow_case_t none = {0}, c[2] = {vow_case_put(at.q[0], item(1)), none};
  EXPECT_MISUSE(vow_select(at.loop, 2, c), "vow_select: case 1: the case");
  c[0] = vow_case_get(other.q[0]);
  EXPECT_MISUSE(vow_select(at.loop, 1, c),
                "vow_select: case 0: the queue is of another loop");
  c[0] = vow_case_put(at.q[0], item(1));
  c[1] = vow_case_future(NULL);
  EXPECT_MISUSE(vow_select(at.loop, 2, c), "case 1: the future is NULL");
  c[0] = vow_case_send(NULL, copied(1));
  c[1] = vow_case_future(vow_never(at.loop));
  EXPECT_MISUSE(vow_select(at.loop, 2, c), "case 0: the channel is NULL");
  c[0] = vow_case_future(vow_never(other.loop));
  EXPECT_MISUSE(vow_select(at.loop, 1, c), "the future is of another loop");
  EXPECT_MISUSE(vow_select(at.loop, 0, c), "vow_select: there is no case");
  EXPECT_MISUSE(vow_select(at.loop, 1, NULL), "the array is NULL");
  c[0] = vow_case_put(at.q[0], item(1));
  EXPECT_MISUSE(vow_select(NULL, 1, c), "the loop is NULL");
  leave(other);
  leave(at);
}

static void starved_select(vow_loop_t *loop) {
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 0);
  vow_future_t *f, *g;
  if (q == NULL) return;
  f = vow_select_of(loop, vow_case_put(q, thing()), vow_case_get(q),
                    vow_case_future(vow_ready(loop, vow_failf(UV_EIO, "x"))));
  g = vow_select_of(loop, vow_case_put(q, thing()),
                    vow_case_future(vow_sleep(loop, 5)), vow_case_get(q));
  manual_advance(loop, 5);
  vow_queue_free(q);
  ck_assert(vow_is_settled(f) && vow_is_settled(g));
  (void)vow_status(f);
  (void)vow_status(g);
  vow_drop(f);
  vow_drop(g);
}

TEST(test_select_out_of_memory_loses_nothing) {
  starve(starved_select, 0);
}

/* Rule 8, for selects */
TEST(test_select_million_leave_memory_flat) {
  place_t at;
  size_t n = test_scale(1000000);
  long blocks = 0, bytes = 0;
  fault_install();
  at = place(1);
  for (size_t i = 0; i < n; i++) {
    vow_future_t *f = select_gets(at);
    size_t which;
    ck_assert_int_eq(vow_queue_try_put(at.q[i % 3], vow_int(1)), 0);
    ck_assert_int_eq(vow_selected(vow_outcome(f), &which).as.i, 1);
    ck_assert_uint_eq(which, i % 3);
    vow_drop(f);
    if (i == 10) blocks = fault_live(), bytes = fault_live_bytes();
  }
  ck_assert_int_eq(fault_live(), blocks);
  ck_assert_int_eq(fault_live_bytes(), bytes);
  leave(at);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(sync_select) {
  ADD(test_select_tie_goes_to_the_first_argument_and_only_it_is_taken);
  ADD(test_select_first_that_is_ready_later_wins);
  ADD(test_select_rule20_nobody_overtakes);
  ADD(test_select_rule21_loser_leaves_its_place_to_the_next);
  ADD(test_select_one_queue_several_times_takes_one_item);
  ADD(test_select_put_wins_when_there_is_room);
  ADD(test_select_put_waits_and_wins_when_an_item_goes);
  ADD(test_select_put_meets_select_get);
  ADD(test_select_next_and_send_and_changed);
  ADD(test_select_value_stays_when_its_only_next_declines);
  ADD(test_select_shut_queue_wins_with_its_failure);
  ADD(test_select_rule21_cancelled_gives_every_item_back);
  ADD(test_select_dropped_or_cancelled_late_keeps_to_its_winner);
  ADD(test_select_loop_close_cancels_it);
  ADD(test_select_free_of_a_queue_wins);
  ADD(test_select_selected_passes_a_failure_and_refuses_others);
  ADD(test_select_bad_arguments_are_refused_by_name);
  ADD(test_select_out_of_memory_loses_nothing);
  ADD(test_select_million_leave_memory_flat);
}

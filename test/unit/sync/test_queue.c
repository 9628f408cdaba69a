/* SPDX-License-Identifier: MIT */
/* Tests of putting and getting: rules 20 and 21. How queues end is in
 * test_queue_end.c. */
#include "unit/sync/items.h"

/* ---- order ----------------------------------------------------------------
 */

TEST(test_queue_fifo_gives_the_oldest_first) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 3);
  for (int round = 0; round < 5; round++) { /* goes round the ring */
    put(q, 1);
    put(q, 2);
    ck_assert_int_eq(got(q), 1);
    put(q, 3);
    put(q, 4);
    for (int i = 2; i <= 4; i++) ck_assert_int_eq(got(q), i);
  }
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_lifo_gives_the_newest_first) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_LIFO, 3);
  put(q, 1);
  put(q, 2);
  ck_assert_int_eq(got(q), 2);
  put(q, 3);
  put(q, 4);
  ck_assert_int_eq(got(q), 4);
  ck_assert_int_eq(got(q), 3);
  ck_assert_int_eq(got(q), 1);
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_priority_gives_the_smallest_first_and_equals_in_order) {
  static const int64_t priority[] = {5, -1, 5, INT64_MAX, -1, INT64_MIN, 0, 5};
  static const int order[] = {5, 1, 4, 6, 0, 2, 7, 3};
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_PRIORITY, 8);
  for (int i = 0; i < 8; i++)
    ck_assert_int_eq(vow_queue_try_put_priority(q, item(i), priority[i]), 0);
  for (int i = 0; i < 8; i++) ck_assert_int_eq(got(q), order[i]);
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_priority_many_come_out_sorted) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_PRIORITY, VOW_UNBOUNDED);
  uint64_t seed = 7;
  int64_t last = INT64_MIN, last_of[10];
  for (int i = 0; i < 2000; i++) {
    int64_t p = next_below(&seed, 10);
    vow_value_t v = vow_int(p * 10000 + i);
    ck_assert_int_eq(vow_queue_try_put_priority(q, v, p), 0);
  }
  for (int i = 0; i < 10; i++) last_of[i] = -1;
  for (int i = 0; i < 2000; i++) {
    vow_value_t v;
    int64_t p;
    ck_assert_int_eq(vow_queue_try_get(q, &v), 0);
    p = v.as.i / 10000;
    ck_assert_int_ge(p, last);
    ck_assert_int_gt(v.as.i, last_of[p]);
    last_of[p] = v.as.i;
    last = p;
  }
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_put_priority_waits_in_order_of_asking) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_PRIORITY, 1);
  vow_future_t *late, *urgent;
  ck_assert_int_eq(vow_queue_try_put_priority(q, item(1), 1), 0);
  late = vow_queue_put_priority(q, item(9), 9);
  urgent = vow_queue_put_priority(q, item(0), 0);
  ck_assert_int_eq(got(q), 1);
  EXPECT_OK(late);
  ck_assert(!vow_is_settled(urgent));
  ck_assert_int_eq(got(q), 9);
  EXPECT_OK(urgent);
  ck_assert_int_eq(got(q), 0);
  vow_queue_free(q);
  manual_done(loop);
}

/* ---- full and empty -------------------------------------------------------
 */

TEST(test_queue_try_says_when_full_and_when_empty) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 1);
  vow_value_t v = item(2);
  ck_assert_int_eq(try_get_error(q), UV_EAGAIN);
  put(q, 1);
  ck_assert_int_eq(vow_queue_try_put(q, v), UV_EAGAIN);
  ck_assert_int_eq(number_of(v), 2); /* was left to us */
  ck_assert_uint_eq(vow_queue_length(q), 1);
  ck_assert_uint_eq(vow_queue_capacity(q), 1);
  ck_assert_int_eq(got(q), 1);
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_put_and_get_settle_at_once_when_they_can) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 2);
  EXPECT_OK(vow_queue_put(q, item(1)));
  EXPECT_OK(vow_queue_put(q, item(2)));
  EXPECT_ITEM(vow_queue_get(q), 1);
  EXPECT_ITEM(vow_queue_get(q), 2);
  vow_queue_free(q);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_queue_unbounded_takes_all_and_gives_memory_back) {
  vow_loop_t *loop;
  vow_queue_t *q;
  long before;
  fault_install();
  loop = manual_loop();
  q = vow_queue_new(loop, VOW_FIFO, VOW_UNBOUNDED);
  ck_assert_uint_eq(vow_queue_capacity(q), VOW_UNBOUNDED);
  put(q, 0);
  before = fault_live_bytes();
  ck_assert_int_eq(got(q), 0);
  for (int i = 0; i < 5000; i++) put(q, i);
  for (int i = 0; i < 2500; i++) ck_assert_int_eq(got(q), i);
  for (int i = 0; i < 5000; i++) put(q, 5000 + i); /* grows round the end */
  for (int i = 2500; i < 10000; i++) ck_assert_int_eq(got(q), i);
  ck_assert_int_le(fault_live_bytes(), before);
  put(q, 1);
  ck_assert_int_eq(got(q), 1);
  vow_queue_free(q);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_queue_unbounded_that_cannot_grow_leaves_the_item) {
  vow_loop_t *loop;
  vow_queue_t *q;
  vow_value_t v = item(16);
  vow_future_t *f;
  fault_install();
  loop = manual_loop();
  q = vow_queue_new(loop, VOW_LIFO, VOW_UNBOUNDED);
  for (int i = 0; i < 15; i++) put(q, i);
  EXPECT_OK(vow_queue_put(q, item(15))); /* there are cells from now on */
  fault_fail_from(1);
  ck_assert_int_eq(vow_queue_try_put(q, v), UV_ENOMEM);
  f = vow_queue_put(q, v);
  ck_assert_int_eq(vow_status(f), UV_ENOMEM);
  fault_off();
  EXPECT_RECLAIM(f, 16);
  for (int i = 15; i >= 0; i--) ck_assert_int_eq(got(q), i);
  vow_queue_free(q);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_queue_bounded_never_allocates_for_an_item) {
  vow_loop_t *loop;
  vow_queue_t *q[3];
  fault_install();
  loop = manual_loop();
  for (int i = 0; i < 3; i++)
    q[i] = vow_queue_new(loop, (vow_queue_order_t)i, 10);
  fault_fail_from(1);
  for (int n = 0; n < 100; n++) {
    vow_queue_t *at = q[n % 3];
    for (int i = 0; i < 10; i++)
      ck_assert_int_eq(vow_queue_try_put(at, vow_int(i)), 0);
    for (int i = 0; i < 10; i++) ck_assert_int_eq(got(at), -1);
  }
  ck_assert_uint_eq(fault_count(), 0);
  fault_off();
  for (int i = 0; i < 3; i++) vow_queue_free(q[i]);
  manual_done(loop);
  fault_remove();
}

/* ---- hand-off -------------------------------------------------------------
 */

/* Rule 20: first in first out, from hand to hand */
TEST(test_queue_rule20_gets_that_wait_are_served_in_order) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 2);
  vow_future_t *f[3];
  for (int i = 0; i < 3; i++) f[i] = vow_queue_get(q);
  ck_assert_uint_eq(vow_queue_gets_waiting(q), 3);
  put(q, 1);
  ck_assert_str_eq(states(f, 3), "S..");
  ck_assert_uint_eq(vow_queue_length(q), 0);
  ck_assert_int_eq(try_get_error(q), UV_EAGAIN); /* overtakes nobody */
  put(q, 2);
  put(q, 3);
  for (int i = 0; i < 3; i++) EXPECT_ITEM(f[i], i + 1);
  vow_queue_free(q);
  manual_done(loop);
}

/* Rule 20 */
TEST(test_queue_rule20_puts_that_wait_are_admitted_in_order) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 1);
  vow_value_t v = item(9);
  vow_future_t *f[3];
  put(q, 0);
  for (int i = 0; i < 3; i++) f[i] = vow_queue_put(q, item(i + 1));
  ck_assert_uint_eq(vow_queue_puts_waiting(q), 3);
  ck_assert_int_eq(got(q), 0);
  ck_assert_str_eq(states(f, 3), "S..");
  ck_assert_int_eq(vow_queue_try_put(q, v), UV_EAGAIN); /* overtakes nobody */
  ck_assert_int_eq(number_of(v), 9);
  for (int i = 1; i <= 3; i++) ck_assert_int_eq(got(q), i);
  drop_all(f, 3);
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_lifo_admits_the_first_put_on_top) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_LIFO, 2);
  vow_future_t *f;
  put(q, 1);
  put(q, 2);
  f = vow_queue_put(q, item(3));
  ck_assert_int_eq(got(q), 2);
  EXPECT_OK(f);
  ck_assert_int_eq(got(q), 3);
  ck_assert_int_eq(got(q), 1);
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_capacity_zero_goes_from_hand_to_hand) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 0);
  vow_value_t v = item(1);
  vow_future_t *f[2];
  ck_assert_int_eq(vow_queue_try_put(q, v), UV_EAGAIN);
  f[0] = vow_queue_put(q, v);
  f[1] = vow_queue_put(q, item(2));
  ck_assert_uint_eq(vow_queue_length(q), 0);
  ck_assert_int_eq(got(q), 1);
  ck_assert_str_eq(states(f, 2), "S.");
  EXPECT_ITEM(vow_queue_get(q), 2);
  drop_all(f, 2);
  f[0] = vow_queue_get(q);
  put(q, 3);
  EXPECT_ITEM(f[0], 3);
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_failure_as_item_fails_its_get) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 2);
  vow_future_t *f = vow_queue_get(q);
  EXPECT_OK(vow_queue_put(q, vow_failf(UV_EIO, "broken")));
  EXPECT_SAYS(f, UV_EIO, "broken");
  EXPECT_OK(vow_queue_put(q, vow_fail(UV_EPIPE)));
  EXPECT_FAILED(vow_queue_get(q), UV_EPIPE);
  vow_queue_free(q);
  manual_done(loop);
}

/* ---- giving up ------------------------------------------------------------
 */

/* Rule 21: at every place in the line, by cancel and by drop */
TEST(test_queue_rule21_cancelled_get_takes_nothing) {
  for (int i = 0; i < 6; i++) {
    vow_loop_t *loop = manual_loop();
    vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 2);
    vow_future_t *f[3];
    int n = 0;
    for (int k = 0; k < 3; k++) f[k] = vow_queue_get(q);
    if (i < 3) {
      vow_cancel(f[i]);
      ck_assert_int_eq(vow_state(f[i]), VOW_CANCELLED);
    }
    drop_at(f, (size_t)i % 3);
    ck_assert_uint_eq(vow_queue_gets_waiting(q), 2);
    put(q, 0);
    put(q, 1);
    put(q, 2);
    for (int k = 0; k < 3; k++)
      if (f[k] != NULL) EXPECT_ITEM(f[k], n++);
    ck_assert_int_eq(got(q), 2);
    ck_assert_int_eq(things_live, 0);
    vow_queue_free(q);
    manual_done(loop);
  }
}

/* Rule 21: a cancelled put gives the item back */
TEST(test_queue_rule21_cancelled_put_gives_the_item_back) {
  for (int i = 0; i < 3; i++) {
    vow_loop_t *loop = manual_loop();
    vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 1);
    vow_future_t *f[3];
    put(q, 9);
    for (int k = 0; k < 3; k++) f[k] = vow_queue_put(q, item(k));
    vow_cancel(f[i]);
    ck_assert_int_eq(vow_state(f[i]), VOW_CANCELLED);
    EXPECT_RECLAIM(f[i], i);
    f[i] = NULL;
    ck_assert_uint_eq(vow_queue_puts_waiting(q), 2);
    ck_assert_uint_eq(vow_queue_unfinished(q), 1);
    ck_assert_int_eq(got(q), 9);
    for (int k = 0; k < 3; k++)
      if (f[k] != NULL) ck_assert_int_eq(got(q), k);
    drop_all(f, 3);
    vow_queue_free(q);
    manual_done(loop);
  }
}

/* Rule 21 */
TEST(test_queue_rule21_dropped_put_destroys_the_item) {
  for (int i = 0; i < 3; i++) {
    vow_loop_t *loop = manual_loop();
    vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 0);
    vow_future_t *f[3];
    for (int k = 0; k < 3; k++) f[k] = vow_queue_put(q, item(k));
    drop_at(f, (size_t)i);
    ck_assert_int_eq(things_live, 2);
    for (int k = 0; k < 3; k++)
      if (f[k] != NULL) ck_assert_int_eq(got(q), k);
    drop_all(f, 3);
    vow_queue_free(q);
    manual_done(loop);
  }
}

/* Rule 17: what is dropped undelivered is destroyed, once */
TEST(test_queue_rule17_get_dropped_after_its_grant_destroys_the_item) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 2);
  vow_future_t *f = vow_queue_get(q);
  put(q, 1);
  vow_cancel(f); /* too late */
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  put(q, 2);
  ck_assert_int_eq(got(q), 2);
  ck_assert_uint_eq(vow_queue_unfinished(q), 2);
  vow_queue_free(q);
  manual_done(loop);
}

/* Rule 17 */
TEST(test_queue_rule17_timeout_delivers_what_came_in_time) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 2);
  vow_future_t *f = vow_timeout(vow_queue_get(q), 10);
  vow_future_t *g = vow_timeout(vow_queue_get(q), 10);
  put(q, 1);
  manual_advance(loop, 10);
  EXPECT_ITEM(f, 1);
  EXPECT_FAILED(g, UV_ETIMEDOUT);
  put(q, 2);
  ck_assert_int_eq(got(q), 2);
  vow_queue_free(q);
  manual_done(loop);
}

static vow_value_t reclaim_to(vow_future_t *in, void *arg) {
  vow_value_t v;
  if (vow_reclaim(in, &v) == 0) *(int *)arg = number_of(v);
  return vow_outcome(in);
}

TEST(test_queue_reclaim_in_a_handle_behind_a_dropped_put) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 0);
  int back = 0;
  vow_drop(vow_handle(vow_queue_put(q, item(5)), reclaim_to, &back));
  manual_drain(loop);
  ck_assert_int_eq(back, 5);
  ck_assert_int_eq(things_live, 0);
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_reclaim_says_why_there_is_nothing) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 1);
  vow_future_t *f = vow_queue_put(q, item(1)), *g = vow_queue_put(q, item(2));
  vow_future_t *other = ok(loop, 1), *none = vow_queue_put(NULL, item(3));
  vow_value_t v;
  ck_assert_int_eq(vow_reclaim(f, &v), UV_ENOENT);
  ck_assert_int_eq(vow_reclaim(g, &v), UV_EAGAIN);
  ck_assert_int_eq(vow_reclaim(other, &v), UV_ENOENT);
  ck_assert_int_eq(vow_reclaim(none, &v), UV_ENOENT);
  ck_assert_int_eq(vow_reclaim(NULL, &v), UV_EINVAL);
  ck_assert_int_eq(vow_reclaim(f, NULL), UV_EINVAL);
  vow_drop(f);
  vow_drop(g);
  vow_drop(other);
  EXPECT_MISUSE(none, "vow_queue_put: the queue is NULL");
  vow_queue_free(q);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_queue_detached_get_and_put_go_on) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 1);
  vow_detach(vow_queue_get(q));
  put(q, 1); /* to nobody: destroyed right here */
  ck_assert_int_eq(things_live, 0);
  put(q, 2);
  vow_detach(vow_queue_put(q, item(3)));
  ck_assert_int_eq(got(q), 2);
  ck_assert_int_eq(got(q), 3);
  vow_queue_free(q);
  manual_done(loop);
}

/* ---- a million ------------------------------------------------------------
 */

/* Rule 21 */
TEST(test_queue_million_cancelled_waits_leave_memory_flat) {
  vow_loop_t *loop;
  vow_queue_t *empty, *full;
  size_t n = test_scale(1000000);
  long blocks = 0, bytes = 0;
  fault_install();
  loop = manual_loop();
  empty = vow_queue_new(loop, VOW_FIFO, 4);
  full = vow_queue_new(loop, VOW_FIFO, 0);
  for (size_t i = 0; i < n; i++) {
    vow_drop(vow_queue_get(empty));
    vow_drop(vow_queue_put(full, vow_int(1)));
    if (i == 10) blocks = fault_live(), bytes = fault_live_bytes();
  }
  ck_assert_int_eq(fault_live(), blocks);
  ck_assert_int_eq(fault_live_bytes(), bytes);
  ck_assert_uint_eq(vow_queue_gets_waiting(empty), 0);
  ck_assert_uint_eq(vow_queue_puts_waiting(full), 0);
  vow_queue_free(empty);
  vow_queue_free(full);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(sync_queue) {
  ADD(test_queue_fifo_gives_the_oldest_first);
  ADD(test_queue_lifo_gives_the_newest_first);
  ADD(test_queue_priority_gives_the_smallest_first_and_equals_in_order);
  ADD(test_queue_priority_many_come_out_sorted);
  ADD(test_queue_put_priority_waits_in_order_of_asking);
  ADD(test_queue_try_says_when_full_and_when_empty);
  ADD(test_queue_put_and_get_settle_at_once_when_they_can);
  ADD(test_queue_unbounded_takes_all_and_gives_memory_back);
  ADD(test_queue_unbounded_that_cannot_grow_leaves_the_item);
  ADD(test_queue_bounded_never_allocates_for_an_item);
  ADD(test_queue_rule20_gets_that_wait_are_served_in_order);
  ADD(test_queue_rule20_puts_that_wait_are_admitted_in_order);
  ADD(test_queue_lifo_admits_the_first_put_on_top);
  ADD(test_queue_capacity_zero_goes_from_hand_to_hand);
  ADD(test_queue_failure_as_item_fails_its_get);
  ADD(test_queue_rule21_cancelled_get_takes_nothing);
  ADD(test_queue_rule21_cancelled_put_gives_the_item_back);
  ADD(test_queue_rule21_dropped_put_destroys_the_item);
  ADD(test_queue_rule17_get_dropped_after_its_grant_destroys_the_item);
  ADD(test_queue_rule17_timeout_delivers_what_came_in_time);
  ADD(test_queue_reclaim_in_a_handle_behind_a_dropped_put);
  ADD(test_queue_reclaim_says_why_there_is_nothing);
  ADD(test_queue_detached_get_and_put_go_on);
  ADD(test_queue_million_cancelled_waits_leave_memory_flat);
}

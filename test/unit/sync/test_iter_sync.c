/* SPDX-License-Identifier: MIT */
/* Queues and subscriptions as iterators: items, ends, cancelled nexts, early
 * closes. */
#include "unit/core/helpers.h"

#include <vow/iter_sync.h>

static vow_loop_t *loop;

static void expect_item(vow_iter_t *it, int64_t want) {
  vow_future_t *f = vow_iter_next(it);
  manual_drain(loop);
  ck_assert_int_eq(vow_get_int(f), want);
  vow_drop(f);
}

static void expect_end(vow_iter_t *it) {
  vow_future_t *f = vow_iter_next(it);
  manual_drain(loop);
  ck_assert(vow_iter_is_end(f));
  vow_drop(f);
}

static void close_iter(vow_iter_t *it) {
  vow_future_t *f = vow_iter_close(it);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  vow_iter_free(it);
}

static vow_queue_t *queue_of(int n) {
  loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 8);
  for (int i = 0; i < n; i++)
    ck_assert_int_eq(vow_queue_try_put(q, vow_int(i)), 0);
  return q;
}

TEST(test_queue_iter_gives_items_up_to_the_shutdown) {
  vow_queue_t *q = queue_of(2);
  vow_iter_t *it = vow_queue_iter(q);
  vow_queue_shutdown(q);
  expect_item(it, 0);
  expect_item(it, 1);
  expect_end(it);
  expect_end(it);
  close_iter(it);
  vow_queue_free(q);
  manual_done(loop);
}
END_TEST

TEST(test_queue_iter_waits_for_an_item) {
  vow_queue_t *q = queue_of(0);
  vow_iter_t *it = vow_queue_iter(q);
  vow_future_t *f = vow_iter_next(it);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(vow_queue_try_put(q, vow_int(5)), 0);
  manual_drain(loop);
  ck_assert_int_eq(vow_get_int(f), 5);
  vow_drop(f);
  close_iter(it);
  vow_queue_free(q);
  manual_done(loop);
}
END_TEST

TEST(test_queue_iter_cancelled_next_loses_no_item) { /* Rule 21 */
  vow_queue_t *q = queue_of(0);
  vow_iter_t *it = vow_queue_iter(q);
  vow_future_t *f = vow_iter_next(it);
  manual_drain(loop);
  ck_assert_int_eq(vow_queue_try_put(q, vow_int(5)), 0); /* granted */
  vow_drop(f);                                           /* undelivered */
  manual_drain(loop);
  expect_item(it, 5);
  close_iter(it);
  ck_assert_uint_eq(vow_queue_gets_waiting(q), 0);
  vow_queue_free(q);
  manual_done(loop);
}
END_TEST

TEST(test_queue_iter_early_close_leaves_the_rest) { /* Rule 21 */
  vow_queue_t *q = queue_of(3);
  vow_iter_t *it = vow_queue_iter(q);
  expect_item(it, 0);
  close_iter(it);
  ck_assert_uint_eq(vow_queue_length(q), 2);
  vow_queue_free(q);
  manual_done(loop);
}
END_TEST

TEST(test_queue_iter_of_null_fails_each_next) {
  loop = manual_loop();
  vow_iter_t *it = vow_queue_iter(NULL);
  vow_future_t *f = vow_iter_next(it);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  vow_iter_free(it);
  manual_done(loop);
}
END_TEST

TEST(test_subscription_iter_reads_to_the_end_and_frees) {
  loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 4, VOW_LAG_SKIP);
  vow_iter_t *it = vow_subscription_iter(vow_broadcast_subscribe(b));
  for (int i = 0; i < 3; i++)
    ck_assert_int_eq(vow_broadcast_try_send(b, vow_int(i)), 0);
  vow_broadcast_close(b);
  for (int i = 0; i < 3; i++) expect_item(it, i);
  expect_end(it);
  close_iter(it);
  ck_assert_uint_eq(vow_broadcast_readers(b), 0);
  vow_broadcast_free(b);
  manual_done(loop);
}
END_TEST

TEST(test_iter_sync_out_of_memory_loses_no_item) {
  fault_install();
  for (unsigned n = 1; n < 12; n++) {
    loop = manual_loop_probe();
    vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 8);
    for (int i = 0; i < 3; i++)
      ck_assert_int_eq(vow_queue_try_put(q, vow_int(i)), 0);
    int64_t got = 0;
    fault_fail_at(n);
    vow_iter_t *it = vow_queue_iter(q);
    for (int i = 0; i < 5 && got < 3; i++) {
      vow_future_t *f = vow_iter_next(it);
      manual_drain(loop);
      if (vow_status(f) == 0) ck_assert_int_eq(vow_get_int(f), got++);
      vow_drop(f);
    }
    fault_off();
    ck_assert_uint_eq(vow_queue_length(q), (size_t)(3 - got));
    vow_iter_free(it);
    manual_drain(loop);
    vow_queue_free(q);
    manual_done(loop);
  }
  ck_assert_int_eq(fault_live(), 0);
}
END_TEST

SUITE(sync_iter) {
  ADD(test_queue_iter_gives_items_up_to_the_shutdown);
  ADD(test_queue_iter_waits_for_an_item);
  ADD(test_queue_iter_cancelled_next_loses_no_item);
  ADD(test_queue_iter_early_close_leaves_the_rest);
  ADD(test_queue_iter_of_null_fails_each_next);
  ADD(test_subscription_iter_reads_to_the_end_and_frees);
  ADD(test_iter_sync_out_of_memory_loses_no_item);
}

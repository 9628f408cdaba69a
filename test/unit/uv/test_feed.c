/* SPDX-License-Identifier: MIT */
/* Feeds: what every repeating source is made of. */
#include "uv/feed.h"

#include "support/fault.h"
#include "support/manual.h"
#include "support/test.h"

static const vow_op_class_t next_class = VOW__NEXT_CLASS("test_next");

static vow__feed_t feed;
static int unwanted_calls;

static void on_unwanted(vow__feed_t *f) {
  ck_assert_ptr_eq(f, &feed);
  unwanted_calls++;
}

static vow_loop_t *feed_open(void) {
  vow_loop_t *loop = manual_loop();
  vow__feed_init(&feed, loop, &next_class);
  feed.unwanted = on_unwanted;
  unwanted_calls = 0;
  return loop;
}

static void push(int64_t i) {
  ck_assert_int_eq(vow__feed_reserve(&feed), 0);
  vow__feed_push(&feed, vow_int(i));
}

static void expect_next(int64_t i) {
  vow_future_t *f = vow__feed_next(VOW_SITE, &feed);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(vow_get_int(f), i);
  vow_drop(f);
}

TEST(test_feed_many_values_come_out_in_order) {
  vow_loop_t *loop = feed_open();
  int64_t in = 0, out = 0;
  int round;
  for (round = 0; round < 40; round++) { /* wraps and grows */
    int n;
    for (n = 0; n < round % 7 + 1; n++) push(in++);
    for (n = 0; n < round % 5 + 1 && out < in; n++) expect_next(out++);
  }
  while (out < in) expect_next(out++);
  ck_assert_uint_eq(feed.count, 0);
  vow__feed_close(&feed, VOW_ESHUTDOWN);
  manual_done(loop);
}

TEST(test_feed_values_come_before_the_end) {
  vow_loop_t *loop = feed_open();
  vow_future_t *f;
  push(1);
  vow__feed_end(&feed, UV_EOF);
  vow__feed_end(&feed, UV_EIO); /* the first end counts */
  expect_next(1);
  f = vow__feed_next(VOW_SITE, &feed);
  ck_assert_int_eq(vow_status(f), UV_EOF);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_feed_cancelling_the_last_next_says_so) {
  vow_loop_t *loop = feed_open();
  vow_future_t *a = vow__feed_next(VOW_SITE, &feed);
  vow_future_t *b = vow__feed_next(VOW_SITE, &feed);
  vow_future_t *c = vow__feed_next(VOW_SITE, &feed);
  vow_cancel(c); /* the end of the list */
  vow_cancel(a);
  ck_assert_int_eq(unwanted_calls, 0);
  ck_assert(!vow__feed_push(&feed, vow_int(5)));
  ck_assert_int_eq(vow_get_int(b), 5);
  vow_drop(b);
  b = vow__feed_next(VOW_SITE, &feed);
  vow_drop(b);
  ck_assert_int_eq(unwanted_calls, 1);
  vow_drop(a);
  vow_drop(c);
  manual_done(loop);
}

static int destroyed;

static void note_destroy(void *p) {
  (void)p;
  destroyed++;
}

static const vow_type_t thing_type = {"thing", note_destroy, NULL, NULL};

TEST(test_feed_close_destroys_what_nobody_took_once) {
  vow_loop_t *loop = feed_open();
  int things[10], i;
  destroyed = 0;
  for (i = 0; i < 10; i++) {
    ck_assert_int_eq(vow__feed_reserve(&feed), 0);
    ck_assert(vow__feed_push(&feed, vow_ptr(&things[i], &thing_type)));
  }
  vow_drop(vow__feed_next(VOW_SITE, &feed));
  ck_assert_int_eq(destroyed, 1);
  vow__feed_close(&feed, VOW_ESHUTDOWN);
  ck_assert_int_eq(destroyed, 10);
  vow__feed_close(&feed, VOW_ESHUTDOWN);
  ck_assert_int_eq(destroyed, 10);
  manual_done(loop);
}

TEST(test_feed_out_of_memory_keeps_values) {
  vow_loop_t *loop;
  vow_future_t *f;
  int i;
  fault_install();
  loop = manual_loop_probe();
  vow__feed_init(&feed, loop, &next_class);
  for (i = 0; i < VOW__FEED_INLINE; i++) push(i);
  fault_fail_from(1);
  ck_assert_int_eq(vow__feed_reserve(&feed), UV_ENOMEM);
  f = vow__feed_next(VOW_SITE, &feed);
  ck_assert_int_eq(vow_status(f), UV_ENOMEM);
  vow_drop(f);
  fault_off();
  for (i = 0; i < VOW__FEED_INLINE; i++) expect_next(i);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(uv_feed) {
  ADD(test_feed_many_values_come_out_in_order);
  ADD(test_feed_values_come_before_the_end);
  ADD(test_feed_cancelling_the_last_next_says_so);
  ADD(test_feed_close_destroys_what_nobody_took_once);
  ADD(test_feed_out_of_memory_keeps_values);
}

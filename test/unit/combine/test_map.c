/* SPDX-License-Identifier: MIT */
/* Tests of map and map_settled: rules 6 and 8 for inputs made on the way. */
#include "unit/combine/helpers.h"

#include <vow/map.h>

enum { MOST = 64 };

typedef struct plan {
  size_t calls;
  size_t running;
  size_t peak;
  pair_t items[MOST]; /* what fn gave for each */
  size_t cancel_at;   /* the item at which fn cancels the map, less one */
  size_t drop_at;
  vow_future_t *result;
  vow_future_t *next; /* returned instead for item 0 */
  bool use_next;
} plan_t;

static vow_value_t ended(vow_future_t *in, void *arg) {
  (void)in;
  ((plan_t *)arg)->running--;
  return vow_nil();
}

/* Gives pending futures; the test settles them. */
static vow_future_t *pending_item(vow_loop_t *loop, size_t i, void *arg) {
  plan_t *p = arg;
  ck_assert_uint_eq(i, p->calls);
  p->calls++;
  if (++p->running > p->peak) p->peak = p->running;
  if (p->cancel_at == i + 1) vow_cancel(p->result);
  if (p->drop_at == i + 1) vow_drop(p->result);
  if (p->use_next && i == 0) return p->next;
  p->items[i] = pair(loop);
  return vow_finally(p->items[i].f, ended, p);
}

static void finish(plan_t *p, size_t i, vow_value_t v) {
  vow_promise_finish(p->items[i].p, v);
}

static void give_up_promises(plan_t *p) {
  for (size_t i = 0; i < MOST; i++) vow_promise_drop(p->items[i].p);
}

static vow_future_t *square(vow_loop_t *loop, size_t i, void *arg) {
  if (arg != NULL) ++*(size_t *)arg;
  return ok(loop, (int64_t)(i * i));
}

static vow_future_t *odd_fails(vow_loop_t *loop, size_t i, void *arg) {
  ++*(size_t *)arg;
  return i % 2 ? bad(loop, UV_EIO) : vow_ready(loop, thing());
}

/* ---- map ------------------------------------------------------------------
 */

/* Rule 6 */
TEST(test_map_gives_results_in_item_order) {
  vow_loop_t *loop = manual_loop();
  size_t calls = 0;
  vow_future_t *f = vow_map(loop, 100, 7, square, &calls, count_drop);
  arg_drops = 0;
  ck_assert_uint_eq(calls, 0);
  manual_drain(loop);
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), 100);
  for (size_t i = 0; i < 100; i++)
    ck_assert_int_eq(vow_list_at(vow_get_list(f), i).as.i, (int64_t)(i * i));
  ck_assert_int_eq(arg_drops, 1);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_map_never_runs_more_than_the_limit) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  vow_future_t *f = vow_map(loop, 9, 3, pending_item, &p);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 3);
  finish(&p, 1, vow_int(1));
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 4);
  finish(&p, 0, vow_int(0));
  for (size_t i = 2; i < 9; i++) {
    finish(&p, i, vow_int((int64_t)i));
    manual_drain(loop);
  }
  ck_assert_uint_eq(p.peak, 3);
  for (size_t i = 0; i < 9; i++)
    ck_assert_int_eq(vow_list_at(vow_get_list(f), i).as.i, (int64_t)i);
  vow_drop(f);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_map_of_nothing_gives_empty_list) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f, *g;
  arg_drops = 0;
  f = vow_map(loop, 0, 1, square, NULL, count_drop);
  g = vow_map_settled(loop, 0, 1, square, NULL, count_drop);
  ck_assert_int_eq(arg_drops, 2);
  ck_assert_ptr_nonnull(vow_get_list(f));
  ck_assert_uint_eq(vow_list_length(vow_get_list(g)), 0);
  vow_drop(f);
  vow_drop(g);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_map_first_error_stops_the_rest_and_awaits_it) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  pair_t slow = slow_pair(loop, NULL);
  vow_future_t *f;
  p.use_next = true;
  p.next = slow.f;
  f = vow_map(loop, 9, 3, pending_item, &p, count_drop);
  arg_drops = 0;
  manual_drain(loop);
  finish(&p, 1, vow_failf(UV_EIO, "x"));
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 3);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert(!vow_promise_is_wanted(p.items[2].p));
  ck_assert_int_eq(arg_drops, 0);
  vow_promise_drop(slow.p);
  manual_drain(loop);
  ck_assert_int_eq(arg_drops, 1);
  ck_assert_str_eq(vow_error_message(vow_error(f)), "x");
  ck_assert_uint_eq(vow_error_count(vow_error(f)), 0);
  EXPECT_FAILED(f, UV_EIO);
  vow_promise_drop(p.items[2].p);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_map_further_errors_are_kept) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  vow_future_t *f = vow_map(loop, 9, 3, pending_item, &p);
  manual_drain(loop);
  finish(&p, 2, vow_fail(UV_EIO));
  finish(&p, 0, vow_fail(UV_EPIPE));
  finish(&p, 1, thing());
  manual_drain(loop);
  ck_assert_uint_eq(vow_error_count(vow_error(f)), 2);
  ck_assert_int_eq(vow_value_code(vow_error_nth(vow_error(f), 1)), UV_EPIPE);
  ck_assert_int_eq(things_live, 0);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_map_item_that_fails_at_once_begins_no_other) {
  vow_loop_t *loop = manual_loop();
  size_t calls = 0;
  vow_future_t *f = vow_map(loop, 50, 50, odd_fails, &calls);
  manual_drain(loop);
  ck_assert_uint_eq(calls, 2);
  ck_assert_int_eq(things_live, 0);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_map_cancelled_item_cancels_the_result) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.use_next = true, .next = bad(loop, UV_ECANCELED)};
  vow_future_t *f = vow_map(loop, 3, 1, pending_item, &p);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_map_cancel_before_fn_never_calls_it) {
  vow_loop_t *loop = manual_loop();
  size_t calls = 0;
  vow_future_t *f = vow_map(loop, 5, 2, square, &calls, count_drop);
  arg_drops = 0;
  vow_cancel(f);
  ck_assert_int_eq(arg_drops, 1);
  EXPECT_CANCELLED(f);
  manual_drain(loop);
  ck_assert_uint_eq(calls, 0);
  manual_done(loop);
}

TEST(test_map_cancel_during_awaits_what_runs) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  pair_t slow = slow_pair(loop, NULL);
  vow_future_t *f;
  p.use_next = true;
  p.next = slow.f;
  f = vow_map(loop, 9, 2, pending_item, &p);
  manual_drain(loop);
  finish(&p, 1, thing());
  manual_drain(loop);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(slow.p, vow_fail(UV_EIO));
  manual_drain(loop);
  vow_cancel(f); /* after */
  ck_assert_uint_eq(p.calls, 3);
  ck_assert_int_eq(things_live, 0);
  EXPECT_CANCELLED(f);
  give_up_promises(&(plan_t){.items = {[2] = p.items[2]}});
  manual_done(loop);
}

TEST(test_map_fn_may_cancel_the_map) {
  vow_loop_t *loop = manual_loop();
  for (size_t at = 1; at <= 6; at++) {
    plan_t p = {.cancel_at = at};
    vow_future_t *f = p.result =
        vow_map(loop, 9, 3, pending_item, &p, count_drop);
    arg_drops = 0;
    manual_drain(loop);
    for (size_t i = 0; at > 3 && i + 3 < at; i++) {
      vow_promise_finish(p.items[i].p, thing());
      p.items[i].p = NULL;
      manual_drain(loop);
    }
    ck_assert_uint_eq(p.calls, at);
    ck_assert_int_eq(arg_drops, 1);
    ck_assert_int_eq(things_live, 0);
    EXPECT_CANCELLED(f);
    give_up_promises(&p);
  }
  manual_done(loop);
}

TEST(test_map_fn_may_drop_the_map) {
  vow_loop_t *loop = manual_loop();
  for (size_t at = 1; at <= 3; at++) {
    plan_t p = {.drop_at = at};
    p.result = vow_map(loop, 9, 3, pending_item, &p, count_drop);
    arg_drops = 0;
    manual_drain(loop);
    ck_assert_uint_eq(p.calls, at);
    ck_assert_int_eq(arg_drops, 1);
    ck_assert_uint_eq(p.running, 0);
    give_up_promises(&p);
  }
  manual_done(loop);
}

TEST(test_map_dropped_early_cancels_what_runs) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  vow_future_t *f = vow_map(loop, 9, 4, pending_item, &p);
  manual_drain(loop);
  vow_drop(f);
  manual_drain(loop);
  ck_assert_uint_eq(p.running, 0);
  give_up_promises(&p);
  manual_done(loop);
}

/* Rule 8 */
TEST(test_map_shared_item_is_left_to_the_others) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  plan_t p = {.use_next = true, .next = vow_ref(a.f)};
  vow_future_t *f = vow_map(loop, 2, 2, pending_item, &p);
  manual_drain(loop);
  finish(&p, 1, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  ck_assert(vow_promise_is_wanted(a.p));
  vow_drop(a.f);
  vow_promise_drop(a.p);
  manual_done(loop);
}

TEST(test_map_fn_that_returns_rubbish_fails_the_item) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  plan_t p = {.use_next = true};
  plan_t q = {.use_next = true, .next = vow_never(other)};
  plan_t r = {.use_next = true};
  vow_future_t *f = vow_map(loop, 2, 1, pending_item, &p);
  vow_future_t *g = vow_map(loop, 2, 1, pending_item, &q);
  vow_future_t *h = vow_map(loop, 2, 1, pending_item, &r);
  r.next = vow_ref(h);
  manual_drain(loop);
  EXPECT_MISUSE(f, "vow_map: the callback returned NULL for item 0");
  EXPECT_MISUSE(g, "vow_map: the callback returned a future of another loop");
  EXPECT_FAILED(h, VOW_ECYCLE);
  manual_done(loop);
  manual_done(other);
}

TEST(test_map_bad_arguments_are_refused_by_name) {
  vow_loop_t *loop = manual_loop();
  arg_drops = 0;
  EXPECT_MISUSE(vow_map(loop, 1, 0, square, NULL, count_drop),
                "vow_map: the limit is 0");
  EXPECT_MISUSE(vow_map(loop, 1, 1, NULL, NULL, count_drop),
                "vow_map: the callback is NULL");
  EXPECT_MISUSE(vow_map_settled(NULL, 1, 1, square, NULL, count_drop),
                "vow_map_settled: the loop is NULL");
  EXPECT_MISUSE(vow_map(loop, SIZE_MAX, 1, square, NULL, count_drop),
                "too many");
  ck_assert_int_eq(arg_drops, 4);
  manual_done(loop);
}

TEST(test_map_memory_is_of_the_order_of_the_limit) {
  vow_loop_t *loop;
  vow_future_t *f;
  size_t n = test_scale(100000);
  fault_install();
  loop = manual_loop();
  f = vow_map(loop, n, 4, square, NULL);
  vow_loop_drain(loop);
  ck_assert_uint_le(vow_loop_live(loop), 6);
  manual_drain(loop);
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), n);
  vow_drop(f);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static vow_future_t *starved_item(vow_loop_t *loop, size_t i, void *arg) {
  (void)arg;
  return i == 5  ? vow_ready(loop, vow_failf(UV_EIO, "x"))
         : i % 2 ? vow_sleep(loop, 3)
                 : vow_ready(loop, thing());
}

static void starved_map(vow_loop_t *loop) {
  vow_future_t *f = vow_map(loop, 8, 3, starved_item, NULL, count_drop);
  vow_future_t *g = vow_map_settled(loop, 8, 3, starved_item, NULL, count_drop);
  vow_future_t *h = vow_map(loop, 0, 3, starved_item, NULL, count_drop);
  vow_future_t *i = vow_map(loop, 4, 3, starved_item, NULL, count_drop);
  vow_loop_step(loop);
  vow_cancel(i);
  manual_advance(loop, 100);
  ck_assert(vow_is_settled(f) && vow_is_settled(g) && vow_is_settled(h));
  ck_assert(vow_is_settled(i));
  vow_drop(f);
  vow_drop(g);
  vow_drop(h);
  vow_drop(i);
}

TEST(test_map_out_of_memory_loses_nothing) {
  starve(starved_map, 4);
}

/* ---- map_settled ----------------------------------------------------------
 */

/* Rule 6 */
TEST(test_map_settled_works_on_every_item) {
  vow_loop_t *loop = counting_loop(false);
  size_t calls = 0;
  vow_future_t *f = vow_map_settled(loop, 10, 3, odd_fails, &calls);
  manual_drain(loop);
  ck_assert_uint_eq(calls, 10);
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), 10);
  for (size_t i = 0; i < 10; i++)
    ck_assert_int_eq(vow_value_code(vow_list_at(vow_get_list(f), i)),
                     i % 2 ? UV_EIO : 0);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(unhandled, 0);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_map_settled_cancel_is_never_swallowed) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  vow_future_t *f = vow_map_settled(loop, 4, 2, pending_item, &p);
  manual_drain(loop);
  finish(&p, 0, thing());
  p.items[0].p = NULL;
  manual_drain(loop);
  vow_cancel(f);
  ck_assert_int_eq(things_live, 0);
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  give_up_promises(&p);
  manual_done(loop);
}

SUITE(combine_map) {
  ADD(test_map_gives_results_in_item_order);
  ADD(test_map_never_runs_more_than_the_limit);
  ADD(test_map_of_nothing_gives_empty_list);
  ADD(test_map_first_error_stops_the_rest_and_awaits_it);
  ADD(test_map_further_errors_are_kept);
  ADD(test_map_item_that_fails_at_once_begins_no_other);
  ADD(test_map_cancelled_item_cancels_the_result);
  ADD(test_map_cancel_before_fn_never_calls_it);
  ADD(test_map_cancel_during_awaits_what_runs);
  ADD(test_map_fn_may_cancel_the_map);
  ADD(test_map_fn_may_drop_the_map);
  ADD(test_map_dropped_early_cancels_what_runs);
  ADD(test_map_shared_item_is_left_to_the_others);
  ADD(test_map_fn_that_returns_rubbish_fails_the_item);
  ADD(test_map_bad_arguments_are_refused_by_name);
  ADD(test_map_memory_is_of_the_order_of_the_limit);
  ADD(test_map_out_of_memory_loses_nothing);
  ADD(test_map_settled_works_on_every_item);
  ADD(test_map_settled_cancel_is_never_swallowed);
}

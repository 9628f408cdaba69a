/* SPDX-License-Identifier: MIT */
/* Tests of gather and gather_settled: rules 6 and 8. */
#include "unit/combine/helpers.h"

#include <vow/gather.h>

static int64_t int_at(vow_future_t *f, size_t i) {
  return vow_list_at(vow_get_list(f), i).as.i;
}

static int code_at(vow_future_t *f, size_t i) {
  return vow_value_code(vow_list_at(vow_get_list(f), i));
}

/* ---- gather ---------------------------------------------------------------
 */

/* Rule 6 */
TEST(test_gather_gives_results_in_argument_order) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop), b = pair(loop), c = pair(loop);
  vow_future_t *f = vow_gather_of(loop, a.f, b.f, c.f);
  vow_promise_finish(c.p, vow_int(3));
  vow_promise_finish(a.p, vow_int(1));
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(b.p, vow_int(2));
  manual_drain(loop);
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), 3);
  for (size_t i = 0; i < 3; i++) ck_assert_int_eq(int_at(f, i), (int64_t)i + 1);
  vow_drop(f);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_gather_empty_gives_empty_list) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_gather(loop, 0, NULL);
  vow_future_t *g = vow_gather_settled(loop, 0, NULL);
  ck_assert_ptr_nonnull(vow_get_list(f));
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), 0);
  ck_assert_ptr_nonnull(vow_get_list(g));
  vow_drop(f);
  vow_drop(g);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_gather_first_error_decides_after_siblings_unwound) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t a = slow_pair(loop, &asked), b = pair(loop);
  vow_future_t *f = vow_gather_of(loop, a.f, vow_ready(loop, thing()), b.f);
  manual_drain(loop);
  vow_promise_finish(b.p, vow_fail(UV_EIO));
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(a.p, vow_fail(UV_ECANCELED));
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_gather_only_error_is_passed_unchanged) {
  vow_loop_t *loop = manual_loop();
  vow_value_t v = vow_failf(UV_EIO, "the only one"), seen;
  const vow_error_t *e = vow_value_error(v);
  vow_future_t *f = vow_gather_of(loop, ok(loop, 1), vow_ready(loop, v));
  manual_drain(loop);
  seen = vow_peek(f);
  ck_assert_ptr_eq(vow_value_error(seen), e);
  ck_assert_uint_eq(vow_error_count(vow_error(f)), 0);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_gather_further_errors_are_kept_in_the_aggregate) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL), b = pair(loop), c = slow_pair(loop, NULL),
         d = pair(loop);
  vow_future_t *f = vow_gather_of(loop, a.f, b.f, c.f, d.f);
  const vow_error_t *e;
  vow_promise_finish(b.p, vow_failf(UV_EIO, "decides"));
  vow_promise_finish(d.p, vow_fail(UV_EPIPE)); /* at the same instant */
  manual_drain(loop);
  vow_promise_finish(c.p, vow_fail(UV_ECANCELED));
  vow_promise_finish(a.p, vow_fail(UV_ENOENT));
  manual_drain(loop);
  e = vow_error(f);
  ck_assert_str_eq(vow_error_message(e), "decides");
  ck_assert_uint_eq(vow_error_count(e), 3);
  ck_assert_int_eq(vow_value_code(vow_error_nth(e, 0)), UV_EIO);
  ck_assert_int_eq(vow_value_code(vow_error_nth(e, 1)), UV_ENOENT);
  ck_assert_int_eq(vow_value_code(vow_error_nth(e, 2)), UV_EPIPE);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_gather_input_given_twice_is_run_once_and_fills_both_places) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_future_t *f = vow_gather_of(loop, a.f, ok(loop, 5), vow_ref(a.f));
  vow_promise_finish(a.p, shared_thing());
  manual_drain(loop);
  ck_assert_ptr_eq(vow_list_at(vow_get_list(f), 0).type, &type_shared);
  ck_assert_ptr_eq(vow_list_at(vow_get_list(f), 2).type, &type_shared);
  ck_assert_int_eq(things_live, 2);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_gather_input_given_twice_is_cancelled_and_awaited_once) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t a = slow_pair(loop, &asked);
  vow_future_t *f = vow_gather_of(loop, a.f, vow_ref(a.f), bad(loop, UV_EIO));
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_drop(a.p);
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_gather_value_that_cannot_be_shared_fails_with_emoved) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *a = vow_ready(loop, thing());
  vow_future_t *f = vow_gather_of(loop, vow_ref(a), ok(loop, 1));
  manual_drain(loop);
  EXPECT_FAILED(f, VOW_EMOVED);
  ck_assert_int_eq(things_live, 1);
  vow_drop(a);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_gather_value_is_moved_not_shared_when_possible) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_gather_of(loop, vow_ready(loop, thing()));
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(things_live, 1);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_gather_cancelled_input_cancels_the_result) {
  vow_loop_t *loop = manual_loop();
  pair_t b = slow_pair(loop, NULL);
  vow_future_t *f = vow_gather_of(loop, bad(loop, UV_ECANCELED), b.f);
  manual_drain(loop);
  vow_promise_finish(b.p, vow_fail(UV_EIO));
  manual_drain(loop);
  vow_value_t cause;
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EIO);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_gather_cancel_awaits_inputs_and_is_cancelled) {
  vow_loop_t *loop = manual_loop();
  int asked = 0;
  pair_t a = slow_pair(loop, &asked);
  vow_future_t *f = vow_gather_of(loop, a.f, vow_ready(loop, thing()));
  vow_cancel(f);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(a.p, vow_int(1)); /* too late to matter */
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_gather_cancel_keeps_clean_up_failures_as_cause) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL), b = slow_pair(loop, NULL);
  vow_future_t *f = vow_gather_of(loop, a.f, b.f);
  vow_value_t cause;
  vow_cancel(f);
  vow_promise_finish(a.p, vow_fail(UV_EIO));
  vow_promise_finish(b.p, vow_fail(UV_EPIPE));
  manual_drain(loop);
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_uint_eq(vow_error_count(vow_value_error(cause)), 2);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_gather_cancel_after_decision_changes_nothing) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL);
  vow_future_t *f = vow_gather_of(loop, a.f, bad(loop, UV_EIO));
  manual_drain(loop);
  vow_cancel(f);
  vow_promise_drop(a.p);
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_gather_cancel_after_settling_does_nothing) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_gather_of(loop, ok(loop, 1));
  manual_drain(loop);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_gather_dropped_early_cancels_inputs) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_future_t *f = vow_gather_of(loop, a.f, vow_sleep(loop, 100));
  vow_drop(f);
  ck_assert(!vow_promise_is_wanted(a.p));
  vow_promise_drop(a.p);
  manual_drain(loop);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  manual_done(loop);
}

/* Rule 8 */
TEST(test_gather_shared_input_is_left_to_the_others) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_future_t *f = vow_gather_of(loop, vow_ref(a.f), bad(loop, UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  ck_assert(vow_promise_is_wanted(a.p));
  vow_promise_finish(a.p, vow_int(1));
  EXPECT_INT(a.f, 1);
  manual_done(loop);
}

static void cancel_other(void *p) {
  vow_cancel(p);
}

TEST(test_gather_destructor_that_cancels_it_is_harmless) {
  static vow_type_t type = {"canceller", cancel_other, NULL, NULL};
  vow_loop_t *loop = manual_loop();
  pair_t v = pair(loop), b = pair(loop);
  vow_future_t *f = vow_gather_of(loop, v.f, b.f);
  vow_promise_finish(v.p, vow_ptr(f, &type));
  manual_drain(loop);
  vow_promise_finish(b.p, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_gather_bad_arguments_are_refused_by_name) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  vow_future_t *in[2] = {ok(loop, 1), NULL};
  EXPECT_MISUSE(vow_gather(loop, 2, in), "vow_gather: future 1 is NULL");
  in[0] = vow_never(loop);
  in[1] = vow_never(other);
  EXPECT_MISUSE(vow_gather_settled(loop, 2, in),
                "vow_gather_settled: future 1 is of another loop");
  in[0] = ok(loop, 1);
  EXPECT_MISUSE(vow_gather(NULL, 1, in), "vow_gather: the loop is NULL");
  EXPECT_MISUSE(vow_gather(loop, 1, NULL), "array is NULL");
  in[0] = ok(loop, 1); /* a count that cannot be: the array is not touched */
  EXPECT_MISUSE(vow_gather(loop, SIZE_MAX, in), "too many");
  EXPECT_MISUSE(vow_gather(loop, (size_t)-2, in), "too many");
  vow_drop(in[0]);
  ck_assert_uint_eq(vow_loop_live(other), 0);
  manual_done(loop);
  manual_done(other);
}

TEST(test_gather_on_closed_loop_fails_with_eshutdown) {
  vow_loop_t *loop = manual_loop(), *keep;
  vow_future_t *a = ok(loop, 1), *f;
  keep = vow_loop_ref(loop);
  manual_close(loop);
  f = vow_gather(keep, 1, &a);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  vow_loop_unref(keep);
}

TEST(test_gather_site_is_the_callers) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_gather_of(loop, ok(loop, 1));
  ck_assert_ptr_nonnull(strstr(vow_site(f), "test_gather.c:"));
  vow_drop(f);
  manual_done(loop);
}

static void starved_gather(vow_loop_t *loop) {
  pair_t a = pair(loop);
  vow_future_t *f =
      vow_gather_of(loop, a.f, vow_ready(loop, thing()), vow_sleep(loop, 5),
                    vow_ready(loop, vow_failf(UV_EIO, "x")));
  vow_future_t *g = vow_gather_of(loop, vow_ready(loop, thing()),
                                  vow_ready(loop, shared_thing()));
  vow_future_t *h = vow_gather(loop, 0, NULL);
  manual_advance(loop, 10);
  vow_promise_drop(a.p);
  manual_drain(loop);
  ck_assert(vow_is_settled(f) && vow_is_settled(g) && vow_is_settled(h));
  vow_drop(f);
  vow_drop(g);
  vow_drop(h);
}

TEST(test_gather_out_of_memory_loses_nothing) {
  starve(starved_gather, 0);
}

static void starved_cancel(vow_loop_t *loop) {
  pair_t a = slow_pair(loop, NULL), b = slow_pair(loop, NULL);
  vow_future_t *f = vow_gather_of(loop, a.f, b.f, vow_ready(loop, thing()));
  vow_cancel(f);
  vow_promise_finish(a.p, vow_failf(UV_EIO, "x"));
  vow_promise_finish(b.p, vow_failf(UV_EIO, "y"));
  manual_drain(loop);
  ck_assert(vow_is_settled(f));
  ck_assert_int_ne(vow_state(f), VOW_SUCCEEDED);
  vow_drop(f);
}

TEST(test_gather_cancel_out_of_memory_loses_nothing) {
  starve(starved_cancel, 0);
}

/* ---- gather_settled -------------------------------------------------------
 */

/* Rule 6 */
TEST(test_gather_settled_gives_every_outcome) {
  vow_loop_t *loop = counting_loop(false);
  vow_future_t *f =
      vow_gather_settled_of(loop, ok(loop, 1), bad(loop, UV_EIO),
                            bad(loop, UV_ECANCELED), vow_ready(loop, thing()));
  manual_drain(loop);
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), 4);
  ck_assert_int_eq(int_at(f, 0), 1);
  ck_assert_int_eq(code_at(f, 1), UV_EIO);
  ck_assert_int_eq(code_at(f, 2), UV_ECANCELED);
  ck_assert_ptr_eq(vow_list_at(vow_get_list(f), 3).type, &type_thing);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(unhandled, 0);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_gather_settled_cancel_is_never_swallowed) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop), b = pair(loop);
  vow_future_t *f = vow_gather_settled_of(loop, a.f, b.f, bad(loop, UV_EIO),
                                          vow_ready(loop, thing()));
  manual_drain(loop);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  ck_assert_ptr_null(vow_value_error(vow_peek(f)));
  EXPECT_CANCELLED(f);
  vow_promise_drop(a.p);
  vow_promise_drop(b.p);
  manual_done(loop);
}

/* Rule 6 */
TEST(test_gather_settled_cancel_after_all_settled_unread_is_cancelled) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_gather_settled_of(loop, ok(loop, 1), ok(loop, 2));
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_gather_settled_dropped_early_cancels_inputs) {
  vow_loop_t *loop = manual_loop();
  vow_drop(
      vow_gather_settled_of(loop, vow_never(loop), vow_ready(loop, thing())));
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

static void starved_settled(vow_loop_t *loop) {
  vow_future_t *a = vow_ready(loop, shared_thing());
  vow_future_t *f = vow_gather_settled_of(
      loop, vow_ref(a), vow_ready(loop, vow_failf(UV_EIO, "x")), a);
  manual_drain(loop);
  ck_assert(vow_is_settled(f));
  vow_drop(f);
}

TEST(test_gather_settled_out_of_memory_loses_nothing) {
  starve(starved_settled, 0);
}

/* Two allocations for the whole of it, besides cells. */
TEST(test_gather_allocates_two_blocks_whatever_the_count) {
  enum { N = 10000 };
  static pair_t in[N];
  static vow_future_t *futures[N];
  vow_loop_t *loop;
  vow_future_t *f;
  fault_install();
  loop = manual_loop();
  for (size_t i = 0; i < N; i++) {
    in[i] = pair(loop);
    futures[i] = in[i].f;
  }
  vow_drop(vow_gather_of(loop, ok(loop, 1))); /* the slab of its class */
  manual_drain(loop);
  fault_off(); /* counts from here */
  f = vow_gather(loop, N, futures);
  for (size_t i = 0; i < N; i++) vow_promise_finish(in[i].p, vow_int(1));
  manual_drain(loop);
  ck_assert_uint_eq(fault_count(), 2);
  ck_assert_uint_eq(vow_list_length(vow_get_list(f)), N);
  vow_drop(f);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(combine_gather) {
  ADD(test_gather_gives_results_in_argument_order);
  ADD(test_gather_empty_gives_empty_list);
  ADD(test_gather_first_error_decides_after_siblings_unwound);
  ADD(test_gather_only_error_is_passed_unchanged);
  ADD(test_gather_further_errors_are_kept_in_the_aggregate);
  ADD(test_gather_input_given_twice_is_run_once_and_fills_both_places);
  ADD(test_gather_input_given_twice_is_cancelled_and_awaited_once);
  ADD(test_gather_value_that_cannot_be_shared_fails_with_emoved);
  ADD(test_gather_value_is_moved_not_shared_when_possible);
  ADD(test_gather_cancelled_input_cancels_the_result);
  ADD(test_gather_cancel_awaits_inputs_and_is_cancelled);
  ADD(test_gather_cancel_keeps_clean_up_failures_as_cause);
  ADD(test_gather_cancel_after_decision_changes_nothing);
  ADD(test_gather_cancel_after_settling_does_nothing);
  ADD(test_gather_dropped_early_cancels_inputs);
  ADD(test_gather_shared_input_is_left_to_the_others);
  ADD(test_gather_destructor_that_cancels_it_is_harmless);
  ADD(test_gather_bad_arguments_are_refused_by_name);
  ADD(test_gather_on_closed_loop_fails_with_eshutdown);
  ADD(test_gather_site_is_the_callers);
  ADD(test_gather_out_of_memory_loses_nothing);
  ADD(test_gather_cancel_out_of_memory_loses_nothing);
  ADD(test_gather_settled_gives_every_outcome);
  ADD(test_gather_settled_cancel_is_never_swallowed);
  ADD(test_gather_settled_cancel_after_all_settled_unread_is_cancelled);
  ADD(test_gather_settled_dropped_early_cancels_inputs);
  ADD(test_gather_settled_out_of_memory_loses_nothing);
  ADD(test_gather_allocates_two_blocks_whatever_the_count);
}

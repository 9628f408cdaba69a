/* SPDX-License-Identifier: MIT */
/* Tests of as_completed. */
#include "unit/combine/helpers.h"

#include <vow/as_completed.h>

TEST(test_as_completed_gives_inputs_as_they_finish) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop), b = pair(loop), c = pair(loop);
  vow_completed_t *it = vow_as_completed_of(loop, a.f, b.f, c.f);
  vow_future_t *f = vow_completed_next(it);
  ck_assert_uint_eq(vow_completed_index(it), SIZE_MAX);
  vow_promise_finish(c.p, vow_int(3));
  vow_promise_finish(a.p, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_INT(f, 3);
  ck_assert_uint_eq(vow_completed_index(it), 2);
  f = vow_completed_next(it); /* there already */
  EXPECT_FAILED(f, UV_EIO);
  ck_assert_uint_eq(vow_completed_index(it), 0);
  f = vow_completed_next(it);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(b.p, vow_fail(UV_ECANCELED));
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  ck_assert_uint_eq(vow_completed_index(it), 1);
  EXPECT_FAILED(vow_completed_next(it), UV_EOF);
  vow_completed_free(it);
  manual_done(loop);
}

TEST(test_as_completed_settled_inputs_come_in_argument_order) {
  vow_loop_t *loop = manual_loop();
  vow_completed_t *it =
      vow_as_completed_of(loop, ok(loop, 0), ok(loop, 1), ok(loop, 2));
  manual_drain(loop);
  for (int i = 0; i < 3; i++) EXPECT_INT(vow_completed_next(it), i);
  vow_completed_free(it);
  manual_done(loop);
}

TEST(test_as_completed_of_nothing_is_at_its_end) {
  vow_loop_t *loop = manual_loop();
  vow_completed_t *it = vow_as_completed(loop, 0, NULL);
  ck_assert_ptr_nonnull(it);
  EXPECT_FAILED(vow_completed_next(it), UV_EOF);
  vow_completed_free(it);
  manual_done(loop);
}

TEST(test_as_completed_several_nexts_are_served_in_order) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop), b = pair(loop);
  vow_completed_t *it = vow_as_completed_of(loop, a.f, b.f);
  vow_future_t *f = vow_completed_next(it), *g = vow_completed_next(it),
               *h = vow_completed_next(it);
  vow_promise_finish(b.p, vow_int(2));
  vow_promise_finish(a.p, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(f, 2);
  EXPECT_INT(g, 1);
  EXPECT_FAILED(h, UV_EOF);
  vow_completed_free(it);
  manual_done(loop);
}

TEST(test_as_completed_cancelled_next_loses_nothing) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_completed_t *it = vow_as_completed_of(loop, a.f);
  vow_future_t *f = vow_completed_next(it), *g = vow_completed_next(it);
  vow_cancel(f);
  EXPECT_CANCELLED(f);
  ck_assert(vow_promise_is_wanted(a.p));
  vow_drop(g); /* dropping one is the same */
  f = vow_completed_next(it);
  vow_promise_finish(a.p, thing());
  manual_drain(loop);
  vow_cancel(f); /* after: nothing */
  ck_assert_ptr_eq(vow_peek(f).type, &type_thing);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  vow_completed_free(it);
  manual_done(loop);
}

TEST(test_as_completed_input_given_twice_comes_twice) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_completed_t *it = vow_as_completed_of(loop, a.f, vow_ref(a.f));
  vow_promise_finish(a.p, shared_thing());
  manual_drain(loop);
  for (int k = 0; k < 2; k++) {
    vow_future_t *f = vow_completed_next(it);
    ck_assert_ptr_eq(vow_peek(f).type, &type_shared);
    vow_drop(f);
  }
  vow_completed_free(it);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_as_completed_free_cancels_and_drops_the_rest) {
  vow_loop_t *loop = counting_loop(false);
  int asked = 0;
  pair_t a = pair(loop), b = slow_pair(loop, &asked);
  vow_completed_t *it = vow_as_completed_of(loop, vow_ready(loop, thing()),
                                            bad(loop, UV_EIO), a.f, b.f);
  manual_drain(loop);
  vow_completed_free(it);
  ck_assert_int_eq(things_live, 0);
  ck_assert(!vow_promise_is_wanted(a.p));
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  vow_promise_drop(a.p);
  vow_promise_finish(b.p, thing());
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_as_completed_free_fails_pending_nexts) {
  vow_loop_t *loop = manual_loop();
  vow_completed_t *it = vow_as_completed_of(loop, vow_never(loop));
  vow_future_t *f = vow_completed_next(it), *g = vow_completed_next(it);
  vow_completed_free(it);
  EXPECT_FAILED(f, VOW_ESHUTDOWN);
  EXPECT_FAILED(g, VOW_ESHUTDOWN);
  vow_completed_free(NULL);
  manual_done(loop);
}

/* Rule 8 */
TEST(test_as_completed_free_leaves_shared_inputs_alone) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  vow_completed_free(vow_as_completed_of(loop, vow_ref(a.f)));
  ck_assert(vow_promise_is_wanted(a.p));
  vow_drop(a.f);
  vow_promise_drop(a.p);
  manual_done(loop);
}

TEST(test_as_completed_outlives_its_loop) {
  vow_loop_t *loop = manual_loop();
  vow_completed_t *it =
      vow_as_completed_of(loop, vow_never(loop), vow_ready(loop, thing()));
  vow_future_t *f;
  manual_drain(loop);
  manual_close(loop);
  f = vow_completed_next(it);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  vow_completed_free(it);
  ck_assert_int_eq(things_live, 0);
}

TEST(test_as_completed_bad_arguments_give_null_and_a_message) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  vow_future_t *in[2] = {vow_never(loop), NULL};
  ck_assert_ptr_null(vow_as_completed(loop, 2, in));
  ck_assert_str_eq(vow_last_message(), "vow_as_completed: future 1 is NULL");
  in[0] = vow_never(other);
  ck_assert_ptr_null(vow_as_completed(loop, 1, in));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "another loop"));
  ck_assert_ptr_null(vow_as_completed(loop, 1, NULL));
  ck_assert_ptr_null(vow_as_completed(loop, SIZE_MAX, in));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "too many"));
  in[0] = vow_never(loop);
  ck_assert_ptr_null(vow_as_completed(NULL, 1, in));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "loop is NULL"));
  EXPECT_MISUSE(vow_completed_next(NULL),
                "vow_completed_next: the iterator is NULL");
  ck_assert_uint_eq(vow_completed_index(NULL), SIZE_MAX);
  manual_done(loop);
  manual_done(other);
}

TEST(test_as_completed_for_want_of_memory_says_so) {
  vow_loop_t *loop;
  fault_install();
  loop = counting_loop(true);
  vow_future_t *f = vow_never(loop);
  fault_fail_from(1);
  ck_assert_ptr_null(vow_as_completed(loop, 1, &f));
  fault_off();
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "memory"));
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static void starved_as_completed(vow_loop_t *loop) {
  vow_completed_t *it = vow_as_completed_of(
      loop, vow_ready(loop, thing()), vow_sleep(loop, 5), vow_never(loop),
      vow_ready(loop, vow_failf(UV_EIO, "x")));
  vow_future_t *f, *g;
  if (it == NULL) return;
  f = vow_completed_next(it);
  g = vow_completed_next(it);
  manual_advance(loop, 10);
  vow_drop(f);
  vow_drop(g);
  vow_drop(vow_completed_next(it));
  vow_completed_free(it);
}

TEST(test_as_completed_out_of_memory_loses_nothing) {
  starve(starved_as_completed, 0);
}

/* ---- while the loop closes ------------------------------------------------ */

typedef struct late {
  vow_completed_t *it;
  int code;
} late_t;

static vow_value_t ask_late(vow_future_t *in, void *arg) {
  late_t *x = arg;
  vow_future_t *f = vow_completed_next(x->it);
  (void)in;
  x->code = vow_status(f);
  vow_drop(f);
  return vow_nil();
}

TEST(test_completed_next_on_a_loop_that_closes_fails_with_eshutdown) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *input = vow_never(loop);
  late_t x = {vow_as_completed(loop, 1, &input), 0};
  vow_future_t *cleaning = vow_finally(vow_never(loop), ask_late, &x);
  manual_close(loop);
  ck_assert_int_eq(x.code, VOW_ESHUTDOWN);
  vow_drop(cleaning);
  vow_completed_free(x.it);
}

SUITE(combine_as_completed) {
  ADD(test_as_completed_gives_inputs_as_they_finish);
  ADD(test_as_completed_settled_inputs_come_in_argument_order);
  ADD(test_as_completed_of_nothing_is_at_its_end);
  ADD(test_as_completed_several_nexts_are_served_in_order);
  ADD(test_as_completed_cancelled_next_loses_nothing);
  ADD(test_as_completed_input_given_twice_comes_twice);
  ADD(test_as_completed_free_cancels_and_drops_the_rest);
  ADD(test_as_completed_free_fails_pending_nexts);
  ADD(test_as_completed_free_leaves_shared_inputs_alone);
  ADD(test_as_completed_outlives_its_loop);
  ADD(test_as_completed_bad_arguments_give_null_and_a_message);
  ADD(test_as_completed_for_want_of_memory_says_so);
  ADD(test_as_completed_out_of_memory_loses_nothing);
  ADD(test_completed_next_on_a_loop_that_closes_fails_with_eshutdown);
}

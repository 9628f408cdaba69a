/* SPDX-License-Identifier: MIT */
/* Tests of repeat and repeat_times. */
#include "unit/combine/helpers.h"

#include <vow/repeat.h>

typedef struct plan {
  uint64_t again; /* steps that ask for another one */
  uint64_t calls;
  uint64_t last;
  vow_value_t end; /* what comes after them */
  vow_future_t *result;
  vow_future_t *next; /* returned instead */
  bool use_next;
  bool cancel;
  bool drop;
} plan_t;

static vow_future_t *step(vow_loop_t *loop, uint64_t iteration, void *arg) {
  plan_t *p = arg;
  p->calls++;
  p->last = iteration;
  if (p->cancel) vow_cancel(p->result);
  if (p->drop) vow_drop(p->result);
  if (p->use_next) return p->next;
  return vow_ready(loop, iteration < p->again ? vow_again() : p->end);
}

static vow_future_t *value_step(vow_loop_t *loop, uint64_t iteration,
                                void *arg) {
  plan_t *p = arg;
  p->calls++;
  p->last = iteration;
  return vow_ready(loop, thing());
}

TEST(test_repeat_goes_on_until_another_value) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.again = 5, .end = vow_int(42)};
  vow_future_t *f = vow_repeat(loop, step, &p, count_drop);
  arg_drops = 0;
  ck_assert_uint_eq(p.calls, 0);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 6);
  ck_assert_uint_eq(p.last, 5);
  ck_assert_int_eq(arg_drops, 1);
  EXPECT_INT(f, 42);
  manual_done(loop);
}

TEST(test_repeat_first_step_may_end_it) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.end = thing()};
  vow_future_t *f = vow_repeat(loop, step, &p);
  manual_drain(loop);
  ck_assert_ptr_eq(vow_peek(f).type, &type_thing);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_repeat_failure_ends_it_unchanged) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.again = 2, .end = vow_failf(UV_EIO, "x")};
  const vow_error_t *e = vow_value_error(p.end);
  vow_future_t *f = vow_repeat(loop, step, &p);
  manual_drain(loop);
  ck_assert_ptr_eq(vow_value_error(vow_peek(f)), e);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_repeat_cancelled_step_cancels_it) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.again = 2, .end = vow_fail(UV_ECANCELED)};
  vow_future_t *f = vow_repeat(loop, step, &p);
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_repeat_million_steps_leave_memory_flat) {
  vow_loop_t *loop;
  plan_t p = {.again = test_scale(1000000), .end = vow_int(1)};
  vow_future_t *f;
  size_t live;
  long blocks;
  fault_install();
  loop = manual_loop();
  f = vow_repeat(loop, step, &p);
  vow_loop_drain(loop);
  live = vow_loop_live(loop);
  blocks = fault_live();
  while (p.calls + 2000 < p.again) {
    vow_loop_drain(loop);
    ck_assert_uint_eq(vow_loop_live(loop), live);
    ck_assert_int_eq(fault_live(), blocks);
  }
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, p.again + 1);
  EXPECT_INT(f, 1);
  manual_done(loop);
  fault_remove();
}

TEST(test_repeat_cancel_before_first_step_never_runs_it) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  vow_future_t *f = vow_repeat(loop, step, &p, count_drop);
  arg_drops = 0;
  vow_cancel(f);
  ck_assert_int_eq(arg_drops, 1);
  EXPECT_CANCELLED(f);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 0);
  manual_done(loop);
}

TEST(test_repeat_cancel_during_step_awaits_it) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL);
  plan_t p = {.next = a.f, .use_next = true};
  vow_future_t *f = vow_repeat(loop, step, &p, count_drop);
  arg_drops = 0;
  manual_drain(loop);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(a.p, vow_again());
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  ck_assert_int_eq(arg_drops, 1);
  vow_cancel(f); /* after */
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_repeat_step_may_cancel_it) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.cancel = true, .again = 9};
  vow_future_t *f = p.result = vow_repeat(loop, step, &p, count_drop);
  arg_drops = 0;
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  ck_assert_int_eq(arg_drops, 1);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_repeat_step_may_drop_it) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.drop = true, .use_next = true, .next = vow_never(loop)};
  p.result = vow_repeat(loop, step, &p, count_drop);
  arg_drops = 0;
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  ck_assert_int_eq(arg_drops, 1);
  manual_done(loop);
}

TEST(test_repeat_dropped_early_never_runs) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  arg_drops = 0;
  vow_drop(vow_repeat(loop, step, &p, count_drop));
  vow_drop(vow_repeat_times(loop, 3, step, &p, count_drop));
  manual_drain(loop);
  ck_assert_int_eq(arg_drops, 2);
  ck_assert_uint_eq(p.calls, 0);
  manual_done(loop);
}

TEST(test_repeat_step_that_returns_rubbish_fails) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  plan_t p = {.use_next = true};
  plan_t q = {.use_next = true, .next = vow_never(other)};
  plan_t r = {.use_next = true};
  vow_future_t *f = vow_repeat(loop, step, &p);
  vow_future_t *g = vow_repeat_times(loop, 2, step, &q);
  vow_future_t *h = vow_repeat(loop, step, &r);
  r.next = vow_ref(h);
  manual_drain(loop);
  EXPECT_MISUSE(f, "vow_repeat: the callback returned NULL");
  EXPECT_MISUSE(g, "vow_repeat_times: the callback returned a future of");
  EXPECT_FAILED(h, VOW_ECYCLE);
  manual_done(loop);
  manual_done(other);
}

TEST(test_repeat_bad_arguments_are_refused_by_name) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  arg_drops = 0;
  EXPECT_MISUSE(vow_repeat(loop, NULL, &p, count_drop),
                "vow_repeat: the step is NULL");
  EXPECT_MISUSE(vow_repeat_times(loop, 1, NULL, &p, count_drop),
                "vow_repeat_times: the step is NULL");
  EXPECT_MISUSE(vow_repeat(NULL, step, &p, count_drop), "vow_repeat");
  EXPECT_MISUSE(vow_repeat_times(NULL, 1, step, &p, count_drop),
                "vow_repeat_times");
  ck_assert_int_eq(arg_drops, 4);
  manual_done(loop);
}

TEST(test_repeat_times_runs_so_often_and_gives_nil) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  vow_future_t *f = vow_repeat_times(loop, 7, value_step, &p, count_drop);
  arg_drops = 0;
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 7);
  ck_assert_uint_eq(p.last, 6);
  ck_assert_int_eq(arg_drops, 1);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_ptr_null(vow_peek(f).type);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_repeat_times_zero_gives_nil_without_a_step) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  vow_future_t *f;
  arg_drops = 0;
  f = vow_repeat_times(loop, 0, step, &p, count_drop);
  ck_assert_int_eq(arg_drops, 1);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 0);
  manual_done(loop);
}

TEST(test_repeat_times_failure_ends_it) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.again = 3, .end = vow_fail(UV_EIO)};
  vow_future_t *f = vow_repeat_times(loop, 10, step, &p);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 4);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

static void starved_repeat(vow_loop_t *loop) {
  plan_t p = {.again = 3}, q = {0}, r = {0};
  vow_future_t *f, *g, *h;
  f = vow_repeat(loop, step, &p, count_drop);
  g = vow_repeat_times(loop, 3, value_step, &q, count_drop);
  h = vow_repeat_times(loop, 0, value_step, &r, count_drop);
  manual_drain(loop);
  ck_assert(vow_is_settled(f) && vow_is_settled(g) && vow_is_settled(h));
  vow_drop(f);
  vow_drop(g);
  vow_drop(h);
}

TEST(test_repeat_out_of_memory_loses_nothing) {
  starve(starved_repeat, 3);
}

SUITE(combine_repeat) {
  ADD(test_repeat_goes_on_until_another_value);
  ADD(test_repeat_first_step_may_end_it);
  ADD(test_repeat_failure_ends_it_unchanged);
  ADD(test_repeat_cancelled_step_cancels_it);
  ADD(test_repeat_million_steps_leave_memory_flat);
  ADD(test_repeat_cancel_before_first_step_never_runs_it);
  ADD(test_repeat_cancel_during_step_awaits_it);
  ADD(test_repeat_step_may_cancel_it);
  ADD(test_repeat_step_may_drop_it);
  ADD(test_repeat_dropped_early_never_runs);
  ADD(test_repeat_step_that_returns_rubbish_fails);
  ADD(test_repeat_bad_arguments_are_refused_by_name);
  ADD(test_repeat_times_runs_so_often_and_gives_nil);
  ADD(test_repeat_times_zero_gives_nil_without_a_step);
  ADD(test_repeat_times_failure_ends_it);
  ADD(test_repeat_out_of_memory_loses_nothing);
}

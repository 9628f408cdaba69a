/* SPDX-License-Identifier: MIT */
/* Tasks that wait: values, failures, order, misuse. Cancelling is in
 * test_task_cancel.c. */
#include "unit/task/helpers.h"

#include <vow/gather.h>
#include <vow/timeout.h>

static vow_value_t add_two(void *arg) {
  vow_future_t **two = arg;
  VOW_TRY(a, two[0]);
  VOW_TRY(b, two[1]);
  return vow_int(a.as.i + b.as.i);
}

/* Runs one task that awaits f, until it has settled; gives its future. */
static vow_future_t *awaited(vow_future_t *f) {
  vow_future_t *task = vow_go(loop, await_arg, f);
  manual_drain(loop);
  ck_assert(vow_is_settled(task));
  return task;
}

/* ---- values --------------------------------------------------------------- */

TEST(test_await_pending_future_waits_for_its_value) {
  vow_future_t *two[2], *f;
  pair_t a, b;
  begin();
  a = pair(loop);
  b = pair(loop);
  two[0] = a.f;
  two[1] = b.f;
  f = vow_go(loop, add_two, two);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(b.p, vow_int(20));
  vow_promise_finish(a.p, vow_int(1));
  ck_assert_int_eq(vow_state(f), VOW_PENDING); /* Rule 1 */
  manual_drain(loop);
  EXPECT_INT(f, 21);
  done();
}

TEST(test_await_settled_future_gives_value_without_a_switch) {
  vow_future_t *f;
  begin();
  f = vow_go(loop, await_arg, ok(loop, 3));
  ck_assert(vow_loop_step(loop)); /* one step and it is done */
  EXPECT_INT(f, 3);
  done();
}

TEST(test_await_only_reference_moves_the_value) {
  vow_future_t *f;
  begin();
  f = awaited(vow_ready(loop, once()));
  ck_assert_int_eq(things_live, 1);
  ck_assert_ptr_eq(vow_peek(f).type, &type_once);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  done();
}

TEST(test_await_shared_future_shares_the_value) {
  vow_future_t *shared, *f;
  begin();
  shared = vow_ready(loop, many());
  f = awaited(vow_ref(shared));
  ck_assert_ptr_eq(vow_peek(f).as.p, vow_peek(shared).as.p);
  vow_drop(shared);
  ck_assert_int_eq(things_live, 1);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  done();
}

TEST(test_await_shared_value_that_cannot_be_fails) {
  vow_future_t *one, *poor;
  begin();
  one = vow_ready(loop, once());
  poor = vow_ready(loop, thing_of(&type_poor, 0));
  EXPECT_FAILED(awaited(vow_ref(one)), VOW_EMOVED);
  EXPECT_FAILED(awaited(vow_ref(poor)), UV_ENOMEM);
  vow_drop(one);
  vow_drop(poor);
  ck_assert_int_eq(things_live, 0);
  done();
}

TEST(test_await_value_that_was_moved_out_fails) {
  vow_future_t *f;
  begin();
  f = vow_ready(loop, once());
  thing_destroy(vow_take(f, &type_once));
  EXPECT_FAILED(awaited(f), VOW_EMOVED);
  done();
}

static vow_value_t status_of_two(void *arg) {
  vow_future_t **two = arg;
  ck_assert_int_eq(vow_await_status(two[0]), 0);
  ck_assert_int_eq(things_live, 1);
  VOW_TRY_NIL(two[1]);
  ck_assert_int_eq(things_live, 0);
  return vow_int(1);
}

TEST(test_await_status_and_try_nil_destroy_the_value) {
  vow_future_t *two[2], *f;
  begin();
  two[0] = vow_ready(loop, once());
  two[1] = vow_ready(loop, once());
  f = vow_go(loop, status_of_two, two);
  manual_drain(loop);
  EXPECT_INT(f, 1);
  done();
}

static vow_value_t status_of_shared(void *arg) {
  vow_future_t *f = arg;
  ck_assert_int_eq(vow_await_status(vow_ref(f)), 0);
  ck_assert_int_eq(vow_await_status(vow_ref(f)), 0); /* settled by now */
  return vow_nil();
}

TEST(test_await_status_of_a_shared_value_leaves_it_to_the_others) {
  vow_future_t *f;
  pair_t x;
  begin();
  x = pair(loop);
  f = vow_go(loop, status_of_shared, x.f);
  manual_drain(loop);
  vow_promise_finish(x.p, once());
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(things_live, 1);
  thing_destroy(vow_take(x.f, &type_once));
  vow_drop(x.f);
  vow_drop(f);
  done();
}

static vow_value_t status_once(void *arg) {
  return vow_int(vow_await_status(vow_ref(arg)));
}

TEST(test_await_status_of_a_shared_value_in_a_task_cancelled_meanwhile) {
  vow_future_t *f;
  pair_t x;
  begin();
  x = pair(loop);
  f = vow_go(loop, status_once, x.f);
  manual_drain(loop);
  vow_promise_finish(x.p, once());
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_INT(f, 0);
  thing_destroy(vow_take(x.f, &type_once));
  vow_drop(x.f);
  done();
}

TEST(test_await_many_tasks_on_one_future_wake_up_in_order) {
  vow_future_t *f[4];
  pair_t x;
  begin();
  x = pair(loop);
  for (int i = 0; i < 4; i++) f[i] = vow_go(loop, await_arg, vow_ref(x.f));
  manual_drain(loop);
  vow_drop(x.f);
  vow_promise_finish(x.p, many());
  for (int i = 0; i < 4; i++) {
    ck_assert_int_eq(vow_state(f[i]), VOW_PENDING);
    vow_loop_step(loop);
    ck_assert_int_eq(vow_state(f[i]), VOW_SUCCEEDED);
  }
  for (int i = 0; i < 4; i++) vow_drop(f[i]);
  ck_assert_int_eq(things_live, 0);
  done();
}

/* ---- failures ------------------------------------------------------------- */

TEST(test_try_failure_returns_it_from_the_body) {
  vow_future_t *two[2], *f;
  begin();
  two[0] = vow_ready(loop, vow_failf(UV_EPROTO, "bad banner"));
  two[1] = NULL; /* never looked at */
  f = vow_go(loop, add_two, two);
  manual_drain(loop);
  EXPECT_MISUSE(f, UV_EPROTO, "bad banner");
  done();
}

TEST(test_await_failure_has_the_line_on_its_trail) {
  const vow_error_t *e;
  vow_future_t *f;
  pair_t x;
  begin();
  x = pair(loop);
  f = vow_go(loop, await_arg, x.f);
  manual_drain(loop);
  vow_promise_drop(x.p);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), VOW_EBROKEN);
  e = vow_error(f);
  ck_assert_uint_eq(vow_error_trail_length(e), 2); /* await, the task */
  EXPECT_HAS(vow_error_trail(e, 0), "unit/task/helpers.h:");
  ck_assert_str_eq(vow_error_trail(e, 1), vow_site(f));
  vow_drop(f);
  done();
}

TEST(test_await_failure_that_was_awaited_counts_as_seen) {
  loop = hooked_loop(false);
  vow_detach(vow_go(loop, await_arg, bad(loop, UV_EIO)));
  manual_drain(loop);
  ck_assert_int_eq(unhandled, 1); /* the task's, not the future's as well */
  vow_drop(awaited(bad(loop, UV_EIO)));
  ck_assert_int_eq(unhandled, 2);
  done();
}

TEST(test_await_failure_without_a_loop_is_given) {
  vow_future_t *f = vow_misuse_at("s", NULL, UV_EINVAL, "no loop");
  begin();
  EXPECT_FAILED(awaited(f), UV_EINVAL);
  done();
}

TEST(test_await_failure_for_want_of_memory_keeps_its_code) {
  vow_future_t *f;
  pair_t x;
  fault_install();
  begin();
  x = pair(loop);
  f = vow_go(loop, await_arg, x.f);
  manual_drain(loop);
  fault_fail_from(1);
  vow_promise_finish(x.p, vow_fail(UV_EIO));
  manual_drain(loop);
  ck_assert_uint_gt(fault_failed(), 0);
  fault_off();
  EXPECT_FAILED(f, UV_EIO);
  done();
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- misuse --------------------------------------------------------------- */

TEST(test_await_outside_of_a_task_fails_and_drops_it) {
  vow_value_t v;
  begin();
  v = vow_await(vow_ready(loop, once()));
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  EXPECT_HAS(vow_error_message(vow_value_error(v)), "no task runs here");
  vow_value_destroy(v);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(vow_await_status(NULL), UV_EINVAL);
  ck_assert_int_eq(vow_yield(), UV_EINVAL);
  done();
}

static vow_value_t await_in_callback(vow_future_t *in, void *arg) {
  (void)in;
  return vow_await(arg);
}

TEST(test_await_in_a_callback_fails) {
  vow_future_t *f;
  begin();
  f = vow_then(ok(loop, 1), await_in_callback, vow_ready(loop, once()));
  manual_drain(loop);
  EXPECT_MISUSE(f, UV_EINVAL, "no task runs here");
  ck_assert_int_eq(things_live, 0);
  done();
}

TEST(test_await_null_or_of_another_loop_fails_and_drops_it) {
  vow_loop_t *other = manual_loop();
  begin();
  EXPECT_MISUSE(awaited(NULL), UV_EINVAL, "the future is NULL");
  EXPECT_MISUSE(awaited(vow_ready(other, once())), UV_EINVAL,
                "the future is of another loop");
  EXPECT_MISUSE(awaited(vow_never(other)), UV_EINVAL,
                "the future is of another loop");
  manual_drain(other);
  ck_assert_int_eq(things_live, 0);
  done();
  manual_done(other);
}

/* ---- cycles --------------------------------------------------------------- */

static vow_value_t await_of(void *arg) {
  vow_future_t **f = arg;
  return vow_await(vow_ref(*f));
}

TEST(test_await_itself_fails_with_ecycle) {
  vow_future_t *f = NULL;
  begin();
  f = vow_go(loop, await_of, &f);
  manual_drain(loop);
  EXPECT_MISUSE(f, VOW_ECYCLE, "would wait for the task");
  done();
}

TEST(test_await_ring_of_tasks_fails_with_ecycle_in_all) {
  vow_future_t *f[3] = {NULL, NULL, NULL};
  begin();
  for (int i = 0; i < 3; i++) f[i] = vow_go(loop, await_of, &f[(i + 1) % 3]);
  manual_drain(loop);
  for (int i = 0; i < 3; i++) EXPECT_FAILED(f[i], VOW_ECYCLE);
  done();
}

static vow_value_t await_around(void *arg) {
  vow_future_t **f = arg, *g = vow_then(vow_ref(*f), same, NULL);
  g = vow_timeout(vow_gather_of(vow_task_loop(), g), 1000);
  return vow_await(g);
}

TEST(test_await_itself_through_others_fails_with_ecycle) {
  vow_future_t *f = NULL;
  begin();
  f = vow_go(loop, await_around, &f);
  manual_drain(loop);
  EXPECT_FAILED(f, VOW_ECYCLE);
  done();
}

static vow_value_t follow_of(void *arg) {
  vow_future_t **f = arg;
  vow_yield();
  return vow_follow(vow_ref(*f));
}

TEST(test_follow_of_itself_or_in_a_ring_fails_with_ecycle) {
  vow_future_t *f = NULL, *g = NULL;
  begin();
  f = vow_go(loop, follow_of, &f);
  manual_drain(loop);
  EXPECT_FAILED(f, VOW_ECYCLE);
  f = vow_go(loop, follow_of, &g);
  g = vow_go(loop, await_of, &f);
  manual_drain(loop);
  EXPECT_FAILED(f, VOW_ECYCLE);
  EXPECT_FAILED(g, VOW_ECYCLE);
  done();
}

TEST(test_await_promise_that_adopts_the_task_fails_with_ecycle) {
  vow_future_t *f;
  pair_t x;
  begin();
  x = pair(loop);
  f = vow_go(loop, await_arg, x.f);
  manual_drain(loop);
  vow_promise_finish(x.p, vow_follow(vow_ref(f)));
  manual_drain(loop);
  EXPECT_FAILED(f, VOW_ECYCLE);
  done();
}

/* ---- order, depth --------------------------------------------------------- */

static vow_value_t count_down(void *arg) {
  int *left = arg;
  while ((*left)-- > 0) ck_assert_int_eq(vow_yield(), 0);
  return vow_nil();
}

TEST(test_yield_two_tasks_take_turns) {
  int left[2] = {3, 3};
  vow_future_t *a, *b;
  begin();
  a = vow_go(loop, count_down, &left[0]);
  b = vow_go(loop, count_down, &left[1]);
  vow_loop_step(loop);
  vow_loop_step(loop);
  ck_assert_int_eq(left[0], 2);
  ck_assert_int_eq(left[1], 2);
  manual_drain(loop);
  ck_assert(vow_is_settled(a) && vow_is_settled(b));
  vow_drop(a);
  vow_drop(b);
  done();
}

static vow_value_t yield_between(void *arg) {
  note("begin");
  vow_drop(vow_then(ok(vow_task_loop(), 1), note_run, arg));
  vow_detach(vow_then(ok(vow_task_loop(), 1), note_run, arg));
  vow_yield();
  note("end");
  return vow_nil();
}

TEST(test_yield_lets_all_that_is_ready_run_first) {
  begin();
  vow_detach(vow_go(loop, yield_between, "callback"));
  vow_detach(vow_go(loop, note_arg, "task"));
  manual_drain(loop);
  EXPECT_EVENTS("begin task callback end");
  done();
}

/* Deep calls, with locals in each frame that must survive the switches. */
static int64_t deep(int depth) {
  volatile int64_t mine[16];
  for (int i = 0; i < 16; i++) mine[i] = depth * i;
  if (depth == 0) return 0;
  if (depth % 7 == 0) vow_yield();
  int64_t below = deep(depth - 1), sum = 0;
  for (int i = 0; i < 16; i++) sum += mine[i];
  return below + sum;
}

static vow_value_t run_deep(void *arg) {
  double x = 1.5;
  int64_t n = deep(100);
  x *= 2;
  ck_assert(x == 3.0);
  (void)arg;
  return vow_int(n);
}

TEST(test_await_in_deep_calls_keeps_locals) {
  vow_future_t *f[8];
  begin();
  for (int i = 0; i < 8; i++) f[i] = vow_go(loop, run_deep, NULL);
  manual_drain(loop);
  for (int i = 0; i < 8; i++) EXPECT_INT(f[i], 120 * 5050);
  done();
}

static vow_value_t one_more(void *arg) {
  VOW_TRY(v, arg);
  return vow_int(v.as.i + 1);
}

TEST(test_await_long_chain_of_tasks_passes_the_value_up) {
  int64_t n = (int64_t)test_scale(20000);
  vow_future_t *f;
  pair_t x;
  begin();
  x = pair(loop);
  f = x.f;
  for (int64_t i = 0; i < n; i++) f = vow_go(loop, one_more, f);
  manual_drain(loop);
  vow_promise_finish(x.p, vow_int(0));
  manual_drain(loop);
  EXPECT_INT(f, n);
  done();
}

SUITE(task_await) {
  ADD(test_await_pending_future_waits_for_its_value);
  ADD(test_await_settled_future_gives_value_without_a_switch);
  ADD(test_await_only_reference_moves_the_value);
  ADD(test_await_shared_future_shares_the_value);
  ADD(test_await_shared_value_that_cannot_be_fails);
  ADD(test_await_value_that_was_moved_out_fails);
  ADD(test_await_status_and_try_nil_destroy_the_value);
  ADD(test_await_status_of_a_shared_value_in_a_task_cancelled_meanwhile);
  ADD(test_await_status_of_a_shared_value_leaves_it_to_the_others);
  ADD(test_await_many_tasks_on_one_future_wake_up_in_order);
  ADD(test_try_failure_returns_it_from_the_body);
  ADD(test_await_failure_has_the_line_on_its_trail);
  ADD(test_await_failure_that_was_awaited_counts_as_seen);
  ADD(test_await_failure_without_a_loop_is_given);
  ADD(test_await_failure_for_want_of_memory_keeps_its_code);
  ADD(test_await_outside_of_a_task_fails_and_drops_it);
  ADD(test_await_in_a_callback_fails);
  ADD(test_await_null_or_of_another_loop_fails_and_drops_it);
  ADD(test_await_itself_fails_with_ecycle);
  ADD(test_await_ring_of_tasks_fails_with_ecycle_in_all);
  ADD(test_await_itself_through_others_fails_with_ecycle);
  ADD(test_follow_of_itself_or_in_a_ring_fails_with_ecycle);
  ADD(test_await_promise_that_adopts_the_task_fails_with_ecycle);
  ADD(test_yield_two_tasks_take_turns);
  ADD(test_yield_lets_all_that_is_ready_run_first);
  ADD(test_await_in_deep_calls_keeps_locals);
  ADD(test_await_long_chain_of_tasks_passes_the_value_up);
}

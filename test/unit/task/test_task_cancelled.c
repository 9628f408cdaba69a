/* SPDX-License-Identifier: MIT */
/* Tasks that were cancelled already: what they may still await, what they may
 * not stop, and the reasons they are given. */
#include "unit/task/helpers.h"

#include <pthread.h>

typedef struct cancelled {
  self_t self;
  vow_future_t *first;
} cancelled_t;

/* ---- once it is cancelled ------------------------------------------------- */

/* Runs a task that cancels itself, then awaits f. */
static vow_value_t cancel_then_await(void *arg) {
  cancelled_t *s = arg;
  ck_assert_int_eq(vow_task_cancel(s->self.f, UV_EINTR), 0);
  keep_code(&s->self, vow_task_reason());
  return vow_await(s->first);
}

static void go_cancelled(cancelled_t *s, vow_future_t *first) {
  memset(s, 0, sizeof *s);
  s->first = first;
  s->self.f = vow_go(loop, cancel_then_await, s);
  manual_drain(loop);
  ck_assert_int_eq(s->self.codes[0], UV_EINTR);
}

TEST(test_task_cancelled_await_of_settled_destroys_the_value) {
  cancelled_t s;
  begin();
  go_cancelled(&s, vow_ready(loop, once()));
  EXPECT_CANCELLED(s.self.f, UV_EINTR);
  ck_assert_int_eq(things_live, 0);
  go_cancelled(&s, bad(loop, UV_EIO));
  EXPECT_CANCELLED(s.self.f, UV_EINTR);
  done();
}

TEST(test_task_cancelled_await_waits_for_the_unwinding) {
  cancelled_t s;
  pair_t x;
  begin();
  x = slow_pair(loop, NULL);
  go_cancelled(&s, x.f);
  ck_assert_int_eq(vow_state(s.self.f), VOW_PENDING);
  vow_promise_finish(x.p, once());
  manual_drain(loop);
  EXPECT_CANCELLED(s.self.f, UV_EINTR);
  ck_assert_int_eq(things_live, 0);
  done();
}

TEST(test_task_cancelled_await_gives_the_unwindings_failure) {
  vow_value_t cause;
  cancelled_t s;
  pair_t x;
  begin();
  x = slow_pair(loop, NULL);
  go_cancelled(&s, x.f);
  vow_promise_finish(x.p, vow_failf(UV_EIO, "flush"));
  manual_drain(loop);
  ck_assert(vow_error_cause(vow_error(s.self.f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EINTR);
  EXPECT_MISUSE(s.self.f, UV_EIO, "flush");
  done();
}

TEST(test_task_cancelled_await_leaves_shared_future) {
  cancelled_t s;
  pair_t x;
  begin();
  x = pair(loop);
  go_cancelled(&s, vow_ref(x.f));
  EXPECT_CANCELLED(s.self.f, UV_EINTR);
  ck_assert(vow_promise_is_wanted(x.p));
  vow_promise_finish(x.p, vow_int(1));
  EXPECT_INT(x.f, 1);
  done();
}

TEST(test_task_cancelled_await_of_misuse_is_refused) {
  vow_loop_t *other = manual_loop();
  cancelled_t s;
  begin();
  go_cancelled(&s, NULL);
  EXPECT_FAILED(s.self.f, UV_EINVAL);
  go_cancelled(&s, vow_never(other));
  EXPECT_FAILED(s.self.f, UV_EINVAL);
  manual_drain(other);
  done();
  manual_done(other);
}

/* Nobody else is interested in it: it would wait for itself for ever. */
static vow_value_t drop_and_await_self(void *arg) {
  self_t *s = arg;
  vow_future_t *f = s->f;
  vow_drop(f);
  keep_code(s, vow_await_status(vow_ref(f)));
  keep_code(s, vow_await_status(vow_then(vow_ref(f), same, NULL)));
  return vow_nil();
}

TEST(test_task_dropped_await_of_itself_does_not_hang) {
  self_t s = {0};
  begin();
  s.f = vow_go(loop, drop_and_await_self, &s);
  manual_drain(loop);
  ck_assert_int_eq(s.codes[0], VOW_ECYCLE);
  ck_assert_int_eq(s.codes[1], VOW_ECYCLE);
  done();
}

static vow_value_t until_stopped(void *arg) {
  bool *stop = arg;
  while (!*stop) vow_await_status(nap(1));
  return vow_int(1);
}

static vow_value_t yield_until_stopped(void *arg) {
  bool *stop = arg;
  while (!*stop) vow_yield();
  return vow_int(1);
}

static vow_value_t stop_it(vow_future_t *in, void *arg) {
  (void)in;
  *(bool *)arg = true;
  return vow_nil();
}

TEST(test_task_that_ignores_cancellation_lets_others_run) {
  const vow_task_cb bodies[] = {until_stopped, yield_until_stopped};
  begin();
  for (int i = 0; i < 2; i++) {
    bool stop = false;
    vow_future_t *f = vow_go(loop, bodies[i], &stop);
    vow_loop_step(loop);
    vow_cancel(f);
    for (int k = 0; k < 100; k++) ck_assert(vow_loop_step(loop));
    vow_detach(vow_then(ok(loop, 1), stop_it, &stop));
    manual_drain(loop);
    EXPECT_INT(f, 1);
  }
  done();
}

/* ---- reasons -------------------------------------------------------------- */

TEST(test_task_cancel_reason_timeout_is_a_failure) { /* Rule 9 */
  begin();
  vow_future_t *f = vow_go(loop, await_arg, vow_never(loop));
  manual_drain(loop);
  vow_task_cancel(f, UV_ETIMEDOUT);
  manual_drain(loop);
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  done();
}

static void *cancel_elsewhere(void *f) {
  ck_assert_int_eq(vow_task_cancel(f, UV_EIO), VOW_ETHREAD);
  return NULL;
}

TEST(test_task_cancel_on_another_thread_leaves_no_reason) {
  pthread_t thread;
  vow_future_t *f;
  begin();
  f = vow_go(loop, await_arg, vow_never(loop));
  manual_drain(loop);
  ck_assert_int_eq(pthread_create(&thread, NULL, cancel_elsewhere, f), 0);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  manual_drain(loop);
  ck_assert(!vow_is_settled(f));
  vow_task_cancel(f, UV_EINTR);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_EINTR);
  done();
}

TEST(test_task_cancel_bad_arguments_are_refused) {
  vow_future_t *f;
  begin();
  f = ok(loop, 1);
  ck_assert_int_eq(vow_task_cancel(NULL, UV_EIO), UV_EINVAL);
  ck_assert_int_eq(vow_task_cancel(f, UV_EIO), UV_EINVAL);
  vow_drop(f);
  f = vow_go(loop, await_arg, vow_never(loop));
  manual_drain(loop);
  ck_assert_int_eq(vow_task_cancel(f, 17), 0); /* no code: the usual one */
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  done();
}

TEST(test_task_cancel_after_its_end_changes_nothing) {
  vow_future_t *f;
  begin();
  f = vow_go(loop, give_seven, NULL);
  manual_drain(loop);
  ck_assert_int_eq(vow_task_cancel(f, UV_EIO), 0);
  ck_assert_int_eq(vow_cancel(f), 0);
  EXPECT_INT(f, 7);
  done();
}

static vow_value_t try_code(void *arg) {
  VOW_TRY_CODE(vow_await_status(arg));
  VOW_TRY_CODE(vow_yield());
  return vow_int(1);
}

static vow_value_t fail_otherwise(void *arg) {
  VOW_TRY_CODE(vow_await_status(arg) == UV_EINTR ? UV_EIO : 0);
  return vow_int(1);
}

TEST(test_try_code_gives_the_reason_as_a_cancellation) {
  const vow_task_cb bodies[] = {try_code, fail_otherwise};
  begin();
  for (int i = 0; i < 2; i++) {
    vow_future_t *f = vow_go(loop, bodies[i], vow_never(loop));
    manual_drain(loop);
    vow_task_cancel(f, UV_EINTR);
    manual_drain(loop);
    if (i == 0)
      EXPECT_CANCELLED(f, UV_EINTR);
    else
      EXPECT_FAILED(f, UV_EIO);
  }
  done();
}

TEST(test_try_code_gives_any_other_as_a_failure) {
  vow_future_t *f;
  begin();
  f = vow_go(loop, try_code, bad(loop, UV_EINTR));
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EINTR);
  f = vow_go(loop, try_code, ok(loop, 1));
  manual_drain(loop);
  EXPECT_INT(f, 1);
  ck_assert(!vow_value_is_cancelled(vow_fail_status(UV_EIO))); /* no task */
  ck_assert_int_eq(vow_value_code(vow_fail_status(3)), UV_EINVAL);
  done();
}

SUITE(task_cancelled) {
  ADD(test_task_cancelled_await_of_settled_destroys_the_value);
  ADD(test_task_cancelled_await_waits_for_the_unwinding);
  ADD(test_task_cancelled_await_gives_the_unwindings_failure);
  ADD(test_task_cancelled_await_leaves_shared_future);
  ADD(test_task_cancelled_await_of_misuse_is_refused);
  ADD(test_task_dropped_await_of_itself_does_not_hang);
  ADD(test_task_that_ignores_cancellation_lets_others_run);
  ADD(test_task_cancel_reason_timeout_is_a_failure);
  ADD(test_task_cancel_on_another_thread_leaves_no_reason);
  ADD(test_task_cancel_bad_arguments_are_refused);
  ADD(test_task_cancel_after_its_end_changes_nothing);
  ADD(test_try_code_gives_the_reason_as_a_cancellation);
  ADD(test_try_code_gives_any_other_as_a_failure);
}

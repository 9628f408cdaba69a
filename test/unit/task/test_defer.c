/* SPDX-License-Identifier: MIT */
/* Deferred clean-up: order, outcome, taking back, grace. */
#include "unit/task/helpers.h"

static vow_value_t with_clean_up(void *arg) {
  (void)arg;
  vow_defer(note_slowly, "first");
  vow_defer(note_slowly, "second");
  VOW_TRY_NIL(nap(1000));
  note("body");
  return vow_nil();
}

/* Runs body(arg) as a task until it has settled. */
static vow_future_t *ran(vow_task_cb body, void *arg) {
  vow_future_t *f = vow_go(loop, body, arg);
  manual_advance(loop, 10000);
  ck_assert(vow_is_settled(f));
  return f;
}

/* ---- order ---------------------------------------------------------------- */

TEST(test_defer_runs_last_first_on_success) {
  begin();
  vow_drop(ran(with_clean_up, NULL));
  EXPECT_EVENTS("body second first");
  done();
}

static vow_value_t fail_after_defer(void *arg) {
  vow_defer(note_slowly, arg);
  return vow_fail(UV_EIO);
}

TEST(test_defer_runs_on_failure) {
  begin();
  EXPECT_FAILED(ran(fail_after_defer, "clean-up"), UV_EIO);
  EXPECT_EVENTS("clean-up");
  done();
}

static vow_value_t defer_more(void *arg) {
  note(arg);
  ck_assert_int_eq(vow_defer(note_arg, "more"), 0);
  vow_yield();
  return vow_nil();
}

static vow_value_t defer_that_defers(void *arg) {
  (void)arg;
  vow_defer(note_arg, "first");
  vow_defer(defer_more, "second");
  return vow_nil();
}

TEST(test_defer_in_clean_up_runs_next) {
  begin();
  vow_drop(ran(defer_that_defers, NULL));
  EXPECT_EVENTS("second more first");
  done();
}

static vow_value_t note_then(vow_future_t *in, void *arg) {
  note(arg);
  return vow_outcome(in);
}

static vow_value_t follow_after_defer(void *arg) {
  vow_defer(note_arg, "clean-up");
  return vow_follow(vow_then(nap(10), note_then, arg));
}

TEST(test_defer_runs_after_what_the_body_follows) {
  begin();
  vow_drop(ran(follow_after_defer, "followed"));
  EXPECT_EVENTS("followed clean-up");
  done();
}

static vow_value_t follow_in_clean_up(void *arg) {
  return vow_follow(vow_then(nap(10), note_then, arg));
}

static vow_value_t defer_following(void *arg) {
  vow_defer(note_arg, "first");
  vow_defer(follow_in_clean_up, arg);
  return many();
}

TEST(test_defer_that_follows_is_awaited) {
  vow_future_t *f;
  begin();
  f = ran(defer_following, "followed");
  EXPECT_EVENTS("followed first");
  ck_assert_ptr_eq(vow_peek(f).type, &type_many);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  done();
}

/* ---- outcome -------------------------------------------------------------- */

static vow_value_t fail_with(void *arg) {
  return vow_failf(*(int *)arg, "clean-up");
}

typedef struct outcomes {
  vow_value_t body;
  int clean_up[2];
} outcomes_t;

static vow_value_t with_outcomes(void *arg) {
  outcomes_t *o = arg;
  for (int i = 0; i < 2; i++)
    if (o->clean_up[i] != 0) vow_defer(fail_with, &o->clean_up[i]);
  return o->body;
}

static int cause_code(const vow_error_t *e) {
  vow_value_t cause;
  return vow_error_cause(e, &cause) ? vow_value_code(cause) : 0;
}

TEST(test_defer_failure_replaces_a_value) {
  outcomes_t o = {once(), {UV_EIO, 0}};
  begin();
  EXPECT_FAILED(ran(with_outcomes, &o), UV_EIO);
  ck_assert_int_eq(things_live, 0);
  done();
}

TEST(test_defer_failures_have_the_former_as_cause) {
  outcomes_t o = {vow_failf(UV_EPROTO, "body"), {UV_EIO, UV_EPIPE}};
  const vow_error_t *e;
  vow_value_t cause;
  vow_future_t *f;
  begin();
  f = ran(with_outcomes, &o);
  e = vow_error(f);
  ck_assert_int_eq(vow_error_code(e), UV_EIO); /* the last to run */
  ck_assert(vow_error_cause(e, &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EPIPE);
  ck_assert_int_eq(cause_code(vow_value_error(cause)), UV_EPROTO);
  vow_drop(f);
  done();
}

static vow_value_t cancelled_with_failing(void *arg) {
  vow_defer(fail_with, arg);
  return vow_await(vow_never(loop));
}

TEST(test_defer_failure_has_the_cancellation_as_cause) {
  int code = UV_EIO;
  vow_future_t *f;
  begin();
  f = vow_go(loop, cancelled_with_failing, &code);
  manual_drain(loop);
  vow_task_cancel(f, UV_EINTR);
  manual_drain(loop);
  ck_assert_int_eq(cause_code(vow_error(f)), UV_EINTR);
  EXPECT_FAILED(f, UV_EIO);
  done();
}

static vow_value_t give_once(void *arg) {
  (void)arg;
  return once();
}

static vow_value_t plain_failures(void *arg) {
  vow_defer(give_once, NULL);
  return vow_await(vow_ready(loop, vow_fail(*(int *)arg)));
}

TEST(test_defer_value_of_clean_up_is_destroyed) {
  int code = UV_EIO;
  const vow_error_t *e;
  vow_future_t *f;
  begin();
  f = ran(plain_failures, &code);
  e = vow_error(f);
  for (size_t i = 0; i < vow_error_trail_length(e); i++)
    ck_assert_ptr_null(strstr(vow_error_trail(e, i), "src/"));
  EXPECT_FAILED(f, UV_EIO);
  ck_assert_int_eq(things_live, 0);
  done();
}

/* ---- cancelling ----------------------------------------------------------- */

TEST(test_defer_is_shielded_from_cancellation) { /* Rule 17 */
  vow_future_t *f;
  begin();
  f = vow_go(loop, with_clean_up, NULL);
  manual_drain(loop);
  vow_cancel(f);
  manual_advance(loop, 40);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 100);
  EXPECT_EVENTS("second first");
  EXPECT_CANCELLED(f, UV_ECANCELED);
  done();
}

TEST(test_defer_cancelled_while_it_runs_goes_on) { /* Rule 17 */
  vow_future_t *f;
  begin();
  f = vow_go(loop, with_clean_up, NULL);
  manual_advance(loop, 1010); /* in the midst of the second */
  vow_cancel(f);
  manual_advance(loop, 100);
  EXPECT_EVENTS("body second first");
  ck_assert_int_eq(vow_status(f), 0); /* the body had ended */
  vow_drop(f);
  done();
}

static vow_value_t cancel_itself(void *arg) {
  self_t *s = arg;
  vow_task_cancel(s->f, UV_EINTR);
  keep_code(s, vow_task_reason());
  keep_code(s, vow_yield());
  return vow_nil();
}

static vow_value_t defer_cancelling(void *arg) {
  vow_defer(cancel_itself, arg);
  return vow_int(1);
}

TEST(test_defer_that_cancels_its_task_feels_nothing) {
  self_t s = {0};
  begin();
  s.f = vow_go(loop, defer_cancelling, &s);
  manual_drain(loop);
  ck_assert_int_eq(s.codes[0], UV_EINTR);
  ck_assert_int_eq(s.codes[1], 0);
  EXPECT_INT(s.f, 1);
  done();
}

TEST(test_defer_followed_by_the_body_is_cancelled) {
  vow_future_t *f;
  begin();
  f = vow_go(loop, follow_after_defer, "followed");
  manual_drain(loop);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_EVENTS("clean-up");
  EXPECT_CANCELLED(f, UV_ECANCELED);
  done();
}

/* ---- grace ---------------------------------------------------------------- */

static vow_future_t *go_with_grace(vow_task_cb body, void *arg, uint64_t ms) {
  vow_task_options_t options = {.grace_ms = ms};
  vow_future_t *f = vow_go_with(loop, &options, body, arg);
  manual_drain(loop);
  return f;
}

TEST(test_defer_grace_over_ends_clean_up) { /* Rule 17 */
  vow_future_t *f;
  begin();
  f = go_with_grace(with_clean_up, NULL, 20);
  vow_cancel(f);
  manual_advance(loop, 19);
  EXPECT_EVENTS("");
  manual_advance(loop, 1);
  EXPECT_EVENTS("disturbed disturbed");
  EXPECT_CANCELLED(f, UV_ECANCELED);
  done();
}

TEST(test_defer_grace_begins_with_the_cancellation) {
  vow_future_t *f;
  begin();
  f = go_with_grace(with_clean_up, NULL, 20);
  manual_advance(loop, 1010);
  vow_cancel(f);
  manual_advance(loop, 19);
  EXPECT_EVENTS("body");
  manual_advance(loop, 1);
  EXPECT_EVENTS("disturbed disturbed");
  vow_drop(f);
  done();
}

TEST(test_defer_grace_not_over_leaves_no_timer) {
  vow_future_t *f;
  begin();
  f = go_with_grace(with_clean_up, NULL, 200);
  vow_cancel(f);
  manual_advance(loop, 100);
  EXPECT_EVENTS("second first");
  ck_assert_uint_eq(manual_wish_ms(loop), UINT64_MAX);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  done();
}

TEST(test_defer_grace_without_cancellation_does_not_run) {
  vow_future_t *f;
  begin();
  f = go_with_grace(with_clean_up, NULL, 20);
  manual_advance(loop, 2000);
  EXPECT_EVENTS("body second first");
  vow_drop(f);
  done();
}

TEST(test_defer_grace_of_ages_is_a_long_time) {
  vow_future_t *f;
  begin();
  f = go_with_grace(with_clean_up, NULL, UINT64_MAX);
  vow_cancel(f);
  manual_advance(loop, 100);
  EXPECT_EVENTS("second first");
  vow_drop(f);
  done();
}

typedef struct lender {
  vow_future_t *shared;
  int code;
} lender_t;

static vow_value_t await_shared(void *arg) {
  lender_t *l = arg;
  l->code = vow_await_status(vow_ref(l->shared));
  return vow_nil();
}

static vow_value_t defer_shared(void *arg) {
  vow_defer(await_shared, arg);
  return vow_await(vow_never(loop));
}

TEST(test_defer_grace_over_leaves_shared_future) {
  lender_t l = {NULL, 1};
  vow_future_t *f;
  begin();
  l.shared = vow_never(loop);
  f = go_with_grace(defer_shared, &l, 20);
  vow_cancel(f);
  manual_advance(loop, 20);
  ck_assert_int_eq(l.code, UV_ETIMEDOUT);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  ck_assert_int_eq(vow_state(l.shared), VOW_PENDING);
  vow_drop(l.shared);
  manual_drain(loop);
  done();
}

/* What it waits for is asked to end, and waited for. */
static vow_value_t defer_await_slow(void *arg) {
  vow_defer(await_arg, arg);
  return vow_await(vow_never(loop));
}

TEST(test_defer_grace_over_waits_for_the_unwinding) {
  int asked = 0;
  vow_future_t *f;
  pair_t x;
  begin();
  x = slow_pair(loop, &asked);
  f = go_with_grace(defer_await_slow, x.f, 20);
  vow_cancel(f);
  manual_advance(loop, 1000);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_drop(x.p);
  manual_drain(loop);
  ck_assert_int_eq(cause_code(vow_error(f)), UV_ECANCELED);
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  done();
}

TEST(test_defer_grace_without_memory_is_over_at_once) {
  vow_future_t *f;
  fault_install();
  begin();
  f = go_with_grace(with_clean_up, NULL, 5000); /* beyond the wheel: a heap */
  fault_fail_from(1);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_uint_gt(fault_failed(), 0);
  fault_off();
  EXPECT_EVENTS("disturbed disturbed");
  EXPECT_CANCELLED(f, UV_ECANCELED);
  done();
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- taking back ---------------------------------------------------------- */

static vow_value_t take_back(void *arg) {
  (void)arg;
  vow_defer(note_arg, "a");
  vow_defer(note_arg, "b");
  vow_defer(note_arg, "c");
  vow_defer(note_arg, "b");
  ck_assert(vow_undefer(note_arg, "b")); /* the last of the two */
  ck_assert(vow_undefer(note_arg, "a"));
  ck_assert(!vow_undefer(note_arg, "a"));
  ck_assert(!vow_undefer(note_slowly, "c"));
  ck_assert(!vow_undefer(NULL, NULL));
  return vow_nil();
}

TEST(test_undefer_takes_back_the_last_of_its_kind) {
  begin();
  vow_drop(ran(take_back, NULL));
  EXPECT_EVENTS("c b");
  done();
}

static vow_value_t take_back_running(void *arg) {
  ck_assert(!vow_undefer(take_back_running, arg));
  ck_assert(vow_undefer(note_arg, "below"));
  return vow_nil();
}

static vow_value_t defer_take_back(void *arg) {
  vow_defer(note_arg, "below");
  vow_defer(take_back_running, arg);
  return vow_nil();
}

TEST(test_undefer_in_clean_up_takes_back_what_has_not_run) {
  begin();
  vow_drop(ran(defer_take_back, NULL));
  EXPECT_EVENTS("");
  done();
}

static vow_value_t undefer_outer(void *arg) {
  ck_assert(vow_undefer(note_arg, "outer"));
  /* In its place, perhaps at its very address. */
  for (int i = 0; i < 3; i++) vow_defer(note_arg, arg);
  return vow_nil();
}

static vow_value_t scope_that_undefers(void *arg) {
  vow_defer(note_arg, "outermost");
  vow_defer(note_arg, "outer");
  vow_value_destroy(vow_scope(undefer_outer, arg));
  note("scope-left");
  return vow_nil();
}

TEST(test_undefer_in_a_scope_may_take_back_what_is_outside) {
  begin();
  vow_drop(ran(scope_that_undefers, "inner"));
  EXPECT_EVENTS("inner inner inner scope-left outermost");
  done();
}

/* ---- values --------------------------------------------------------------- */

static vow_value_t defer_values(void *arg) {
  vow_value_t v = vow_defer_value(many());
  (void)arg;
  ck_assert_ptr_eq(v.type, &type_many);
  v = vow_defer_value(vow_int(3));
  ck_assert_int_eq(v.as.i, 3);
  v = vow_defer_value(vow_fail(UV_EIO));
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  v = vow_defer_value(vow_follow(vow_sleep(loop, 1000)));
  vow_defer_value(once());
  vow_yield();
  ck_assert_int_eq(things_live, 2);
  return vow_nil();
}

TEST(test_defer_value_destroys_it_at_the_end) {
  vow_future_t *f;
  begin();
  f = ran(defer_values, NULL);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(things_live, 0);
  vow_drop(f);
  done();
}

/* ---- misuse, memory ------------------------------------------------------- */

static vow_value_t defer_null(void *arg) {
  (void)arg;
  ck_assert_int_eq(vow_defer(NULL, NULL), UV_EINVAL);
  return vow_nil();
}

TEST(test_defer_bad_arguments_or_no_task_are_refused) {
  vow_value_t v;
  begin();
  vow_drop(ran(defer_null, NULL));
  ck_assert_int_eq(vow_defer(note_arg, "never"), UV_EINVAL);
  ck_assert(!vow_undefer(note_arg, "never"));
  v = vow_defer_value(once());
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  ck_assert_int_eq(things_live, 0);
  EXPECT_EVENTS("");
  done();
}

static vow_value_t clean_up_now(void *arg) {
  int code = vow_await_status(nap(10));
  note(code == 0 ? arg : "disturbed");
  return many();
}

static vow_value_t defer_without_memory(void *arg) {
  self_t *s = arg;
  vow_task_cancel(s->f, UV_EINTR); /* it is not felt in there */
  fault_fail_at(1);
  keep_code(s, vow_defer(clean_up_now, "now"));
  fault_fail_at(1);
  keep_code(s, vow_value_code(vow_defer_value(once())));
  fault_off();
  keep_code(s, vow_yield());
  return vow_nil();
}

TEST(test_defer_out_of_memory_cleans_up_in_the_call) {
  self_t s = {0};
  fault_install();
  begin();
  s.f = vow_go(loop, defer_without_memory, &s);
  manual_advance(loop, 100);
  EXPECT_EVENTS("now");
  ck_assert_int_eq(s.codes[0], UV_ENOMEM);
  ck_assert_int_eq(s.codes[1], UV_ENOMEM);
  ck_assert_int_eq(s.codes[2], UV_EINTR);
  ck_assert_int_eq(things_live, 0);
  vow_drop(s.f);
  done();
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(task_defer) {
  ADD(test_defer_runs_last_first_on_success);
  ADD(test_defer_runs_on_failure);
  ADD(test_defer_in_clean_up_runs_next);
  ADD(test_defer_runs_after_what_the_body_follows);
  ADD(test_defer_that_follows_is_awaited);
  ADD(test_defer_failure_replaces_a_value);
  ADD(test_defer_failures_have_the_former_as_cause);
  ADD(test_defer_failure_has_the_cancellation_as_cause);
  ADD(test_defer_value_of_clean_up_is_destroyed);
  ADD(test_defer_is_shielded_from_cancellation);
  ADD(test_defer_cancelled_while_it_runs_goes_on);
  ADD(test_defer_that_cancels_its_task_feels_nothing);
  ADD(test_defer_followed_by_the_body_is_cancelled);
  ADD(test_defer_grace_over_ends_clean_up);
  ADD(test_defer_grace_begins_with_the_cancellation);
  ADD(test_defer_grace_not_over_leaves_no_timer);
  ADD(test_defer_grace_without_cancellation_does_not_run);
  ADD(test_defer_grace_of_ages_is_a_long_time);
  ADD(test_defer_grace_over_leaves_shared_future);
  ADD(test_defer_grace_over_waits_for_the_unwinding);
  ADD(test_defer_grace_without_memory_is_over_at_once);
  ADD(test_undefer_takes_back_the_last_of_its_kind);
  ADD(test_undefer_in_clean_up_takes_back_what_has_not_run);
  ADD(test_undefer_in_a_scope_may_take_back_what_is_outside);
  ADD(test_defer_value_destroys_it_at_the_end);
  ADD(test_defer_bad_arguments_or_no_task_are_refused);
  ADD(test_defer_out_of_memory_cleans_up_in_the_call);
}

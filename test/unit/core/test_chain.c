/* SPDX-License-Identifier: MIT */
/* Tests of then, catch, handle and finally: when each runs, what it settles
 * with, and when args are released. */
#include "unit/core/helpers.h"

typedef vow_future_t *(*chain_fn)(const char *site, vow_future_t *f,
                                  vow_then_cb cb, void *arg, vow_drop_cb drop);

static const chain_fn kinds[] = {vow_then_at, vow_catch_at, vow_handle_at,
                                 vow_finally_at};
enum { THEN, CATCH, HANDLE, FINALLY, KINDS };

static vow_future_t *chain(int kind, vow_future_t *f, arg_t *a) {
  return kinds[kind](VOW_SITE, f, arg_run, a, arg_drop);
}

/* Which kinds run on which outcome. */
static void check_runs(int kind, vow_value_t outcome, bool expected) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_int(7));
  vow_future_t *f = chain(kind, vow_ready(loop, outcome), &a);
  ck_assert_int_eq(a.runs, 0); /* Rule 1 */
  manual_drain(loop);
  ck_assert_int_eq(a.runs, expected);
  ck_assert_int_eq(a.drops, 1);
  if (expected) ck_assert_int_eq(a.status, vow_value_code(outcome));
  if (!expected || kind == FINALLY)
    ck_assert_int_eq(vow_status(f), vow_value_code(outcome));
  else
    ck_assert_int_eq(vow_get_int(f), 7);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_chain_then_runs_on_success_only) {
  check_runs(THEN, vow_int(1), true);
  check_runs(THEN, vow_fail(UV_EIO), false);
  check_runs(THEN, vow_cancelled(0), false);
}

TEST(test_chain_catch_runs_on_errors_but_not_on_cancellation) {
  check_runs(CATCH, vow_int(1), false);
  check_runs(CATCH, vow_fail(UV_EIO), true);
  check_runs(CATCH, vow_fail(UV_ETIMEDOUT), true);
  check_runs(CATCH, vow_cancelled(0), false);
  check_runs(CATCH, vow_cancelled(UV_EINTR), false);
  check_runs(CATCH, vow_cancelled(UV_ETIMEDOUT), true);
}

TEST(test_chain_handle_runs_on_any_outcome) {
  check_runs(HANDLE, vow_int(1), true);
  check_runs(HANDLE, vow_fail(UV_EIO), true);
  check_runs(HANDLE, vow_cancelled(0), true);
}

TEST(test_chain_finally_runs_on_any_outcome_and_passes_it_through) {
  check_runs(FINALLY, vow_int(1), true);
  check_runs(FINALLY, vow_fail(UV_EIO), true);
  check_runs(FINALLY, vow_cancelled(0), true);
}

TEST(test_chain_skipped_callbacks_pass_values_through) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_nil()), b = returns(vow_nil());
  vow_future_t *f = chain(CATCH, vow_ready(loop, once()), &a);
  f = chain(FINALLY, f, &b);
  manual_drain(loop);
  ck_assert_ptr_nonnull(vow_get(f, &type_once));
  EXPECT_SKIPPED(a);
  EXPECT_RAN(b);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_chain_cancellation_passes_with_its_reason) {
  vow_loop_t *loop = manual_loop();
  arg_t a[3];
  vow_future_t *f = vow_ready(loop, vow_cancelled(UV_EINTR));
  for (int i = 0; i < 3; i++) a[i] = returns(vow_nil());
  f = chain(FINALLY, chain(CATCH, chain(THEN, f, &a[0]), &a[1]), &a[2]);
  manual_drain(loop);
  EXPECT_SKIPPED(a[0]);
  EXPECT_SKIPPED(a[1]);
  EXPECT_RAN(a[2]);
  ck_assert_int_eq(a[2].seen, VOW_CANCELLED);
  EXPECT_CANCELLED(f, UV_EINTR);
  manual_done(loop);
}

TEST(test_chain_without_destructor_leaves_the_arg_alone) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_int(1));
  vow_future_t *f = vow_then(ok(loop, 1), arg_run, &a);
  f = vow_catch(f, arg_run, &a);
  f = vow_finally(f, arg_run, &a);
  f = vow_handle(f, arg_run, &a);
  manual_drain(loop);
  ck_assert_int_eq(a.runs, 3);
  ck_assert_int_eq(a.drops, 0);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_chain_macro_takes_an_optional_destructor) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_nil());
  vow_future_t *f = vow_then(bad(loop, UV_EIO), arg_run, &a, arg_drop);
  manual_drain(loop);
  EXPECT_SKIPPED(a);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

/* ---- the order of args and callbacks --------------------------------------
 */

TEST(test_chain_arg_goes_right_after_its_callback_before_downstream) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = ok(loop, 1), *g;
  f = vow_then(f, note_run, "a", note_drop);
  f = vow_finally(f, note_run, "b", note_drop);
  f = vow_handle(f, note_run, "c", note_drop);
  g = vow_then(bad(loop, UV_EIO), note_run, "x", note_drop);
  g = vow_catch(g, note_run, "d", note_drop);
  g = vow_then(g, note_run, "e", note_drop);
  manual_drain(loop);
  EXPECT_EVENTS("a -a -x b -b d -d c -c e -e");
  vow_drop(f);
  vow_drop(g);
  manual_done(loop);
}

static void thing_noted(void *p) {
  thing_destroy(p);
  note("value");
}

static const vow_type_t type_noted = {"noted", thing_noted, NULL, NULL};

TEST(test_chain_input_is_destroyed_after_its_callback) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, thing_of(&type_noted, 0));
  f = vow_then(f, note_run, "a", note_drop);
  f = vow_then(f, note_run, "b", note_drop);
  manual_drain(loop);
  EXPECT_EVENTS("a -a value b -b");
  vow_drop(f);
  manual_done(loop);
}

TEST(test_chain_without_memory_consumes_input_and_arg) {
  for (int kind = THEN; kind < KINDS; kind++) {
    vow_loop_t *loop;
    arg_t a = returns(vow_nil());
    vow_future_t *f;
    fault_install();
    loop = manual_loop_probe();
    f = vow_ready(loop, once());
    fault_fail_from(1);
    f = chain(kind, f, &a);
    EXPECT_SKIPPED(a);
    ck_assert_int_eq(things_live, 0);
    EXPECT_FAILED(f, UV_ENOMEM);
    fault_off();
    manual_done(loop);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
}

TEST(test_chain_enomem_future_can_be_chained_on) {
  vow_loop_t *loop;
  arg_t a = returns(vow_int(5));
  vow_future_t *f;
  fault_install();
  loop = manual_loop_probe();
  fault_fail_from(1);
  f = ok(loop, 1);
  ck_assert_int_eq(vow_status(f), UV_ENOMEM);
  fault_off();
  f = chain(CATCH, f, &a);
  manual_drain(loop);
  EXPECT_RAN(a);
  ck_assert_int_eq(a.status, UV_ENOMEM);
  EXPECT_INT(f, 5);
  manual_done(loop);
  fault_remove();
}

/* ---- sharing --------------------------------------------------------------
 */

TEST(test_chain_consumers_of_one_future_run_in_order) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *a = vow_then(vow_ref(x.f), note_run, "a");
  vow_future_t *b = vow_then(vow_ref(x.f), note_run, "b");
  vow_future_t *c = vow_handle(x.f, note_run, "c");
  vow_promise_finish(x.p, vow_int(1));
  manual_drain(loop);
  EXPECT_EVENTS("a b c");
  vow_drop(a);
  vow_drop(b);
  vow_drop(c);
  manual_done(loop);
}

TEST(test_chain_shared_value_reaches_all) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, many());
  vow_future_t *a = vow_catch(vow_ref(f), same, NULL);
  vow_future_t *b = vow_finally(vow_ref(f), same, NULL);
  manual_drain(loop);
  ck_assert_ptr_eq(vow_get(a, &type_many), vow_get(f, &type_many));
  ck_assert_ptr_eq(vow_get(b, &type_many), vow_get(f, &type_many));
  vow_drop(f);
  vow_drop(a);
  ck_assert_int_eq(things_live, 1);
  vow_drop(b);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

/* ---- finally --------------------------------------------------------------
 */

TEST(test_chain_finally_destroys_the_value_it_is_given) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(once());
  vow_future_t *f = chain(FINALLY, ok(loop, 3), &a);
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  EXPECT_INT(f, 3);
  manual_done(loop);
}

TEST(test_chain_finally_failure_wins_with_the_former_as_cause) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_failf(UV_EBADF, "closing"));
  vow_value_t cause, former = vow_failf(UV_EIO, "disk");
  vow_future_t *f = chain(FINALLY, vow_ready(loop, former), &a);
  manual_drain(loop);
  ck_assert_str_eq(vow_error_message(vow_error(f)), "closing");
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EIO);
  EXPECT_FAILED(f, UV_EBADF);
  manual_done(loop);
}

TEST(test_chain_finally_failure_after_success_destroys_the_value) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_fail(UV_EBADF));
  vow_value_t cause;
  vow_future_t *f = chain(FINALLY, vow_ready(loop, once()), &a);
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  ck_assert(!vow_error_cause(vow_error(f), &cause));
  EXPECT_FAILED(f, UV_EBADF);
  manual_done(loop);
}

TEST(test_chain_finally_failure_after_cancellation_has_it_as_cause) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_fail(UV_EBADF));
  vow_value_t cause;
  vow_future_t *f = chain(FINALLY, vow_ready(loop, vow_cancelled(0)), &a);
  manual_drain(loop);
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_ECANCELED);
  EXPECT_FAILED(f, UV_EBADF);
  manual_done(loop);
}

TEST(test_chain_finally_awaits_a_future_it_is_given) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_follow(x.f));
  vow_future_t *f = chain(FINALLY, ok(loop, 3), &a);
  manual_drain(loop);
  EXPECT_RAN(a);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(x.p, once());
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  EXPECT_INT(f, 3);
  manual_done(loop);
}

TEST(test_chain_finally_whose_future_fails_takes_its_failure) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  arg_t a = returns(vow_follow(x.f));
  vow_value_t cause;
  vow_future_t *f = chain(FINALLY, bad(loop, UV_EIO), &a);
  manual_drain(loop);
  vow_promise_finish(x.p, vow_fail(UV_EBADF));
  manual_drain(loop);
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EIO);
  EXPECT_FAILED(f, UV_EBADF);
  manual_done(loop);
}

TEST(test_chain_finally_takes_settled_futures_at_once) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_follow(vow_ready(loop, once())));
  arg_t b = returns(vow_follow(bad(loop, UV_EBADF)));
  vow_future_t *f = chain(FINALLY, ok(loop, 3), &a);
  vow_future_t *g = chain(FINALLY, ok(loop, 3), &b);
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  EXPECT_INT(f, 3);
  EXPECT_FAILED(g, UV_EBADF);
  manual_done(loop);
}

TEST(test_chain_finally_refuses_another_loops_future) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  arg_t a = returns(vow_follow(vow_never(other)));
  arg_t b = returns(vow_follow(vow_ready(other, once())));
  vow_future_t *f = chain(FINALLY, ok(loop, 3), &a);
  vow_future_t *g = chain(FINALLY, ok(loop, 3), &b);
  manual_drain(loop);
  EXPECT_MISUSE(f, UV_EINVAL, "another loop");
  EXPECT_MISUSE(g, UV_EINVAL, "another loop");
  manual_drain(other);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
  manual_done(other);
}

/* Causes hang on each other as deep as the chain was long. */
TEST(test_chain_many_finally_that_fail_do_not_recurse) {
  vow_loop_t *loop = manual_loop();
  size_t n = test_scale(1000000);
  arg_t a = returns(vow_fail(UV_EBADF));
  vow_future_t *f = bad(loop, UV_EIO);
  char text[4096];
  for (size_t i = 0; i < n; i++) f = vow_finally(f, arg_run, &a);
  manual_drain(loop);
  ck_assert_uint_eq((size_t)a.runs, n);
  ck_assert_int_eq(vow_status(f), UV_EBADF);
  vow_error_format(vow_peek(f), text, sizeof text);
  vow_drop(f);
  manual_done(loop);
}

SUITE(core_chain) {
  ADD(test_chain_then_runs_on_success_only);
  ADD(test_chain_catch_runs_on_errors_but_not_on_cancellation);
  ADD(test_chain_handle_runs_on_any_outcome);
  ADD(test_chain_finally_runs_on_any_outcome_and_passes_it_through);
  ADD(test_chain_skipped_callbacks_pass_values_through);
  ADD(test_chain_cancellation_passes_with_its_reason);
  ADD(test_chain_without_destructor_leaves_the_arg_alone);
  ADD(test_chain_macro_takes_an_optional_destructor);
  ADD(test_chain_arg_goes_right_after_its_callback_before_downstream);
  ADD(test_chain_input_is_destroyed_after_its_callback);
  ADD(test_chain_without_memory_consumes_input_and_arg);
  ADD(test_chain_enomem_future_can_be_chained_on);
  ADD(test_chain_consumers_of_one_future_run_in_order);
  ADD(test_chain_shared_value_reaches_all);
  ADD(test_chain_finally_destroys_the_value_it_is_given);
  ADD(test_chain_finally_failure_wins_with_the_former_as_cause);
  ADD(test_chain_finally_failure_after_success_destroys_the_value);
  ADD(test_chain_finally_failure_after_cancellation_has_it_as_cause);
  ADD(test_chain_finally_awaits_a_future_it_is_given);
  ADD(test_chain_finally_whose_future_fails_takes_its_failure);
  ADD(test_chain_finally_takes_settled_futures_at_once);
  ADD(test_chain_many_finally_that_fail_do_not_recurse);
  ADD(test_chain_finally_refuses_another_loops_future);
}

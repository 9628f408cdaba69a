/* SPDX-License-Identifier: MIT */
/* Scopes, which clean up before the task ends, and shields. */
#include "unit/task/helpers.h"

static vow_value_t defer_two(void *arg) {
  (void)arg;
  vow_defer(note_slowly, "a");
  vow_defer(note_slowly, "b");
  note("body");
  return many();
}

static vow_value_t one_scope(void *arg) {
  vow_value_t v;
  vow_defer(note_arg, "task");
  v = vow_scope(defer_two, arg);
  note("after");
  return v;
}

TEST(test_scope_cleans_up_before_it_returns) {
  vow_future_t *f;
  begin();
  f = vow_go(loop, one_scope, NULL);
  manual_advance(loop, 1000);
  EXPECT_EVENTS("body b a after task");
  ck_assert_ptr_eq(vow_peek(f).type, &type_many);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  done();
}

/* Scopes in each other, *left deep. */
static vow_value_t nested(void *arg) {
  static const char *const words[] = {"0", "1", "2", "3"};
  int *left = arg;
  vow_defer(note_arg, (void *)(uintptr_t)words[*left]);
  if (--*left < 0) return vow_fail(UV_EIO);
  return vow_scope(nested, left);
}

static vow_value_t run_nested(void *arg) {
  return vow_scope(nested, arg);
}

TEST(test_scope_nested_clean_up_from_the_inside) {
  int left = 3;
  vow_future_t *f;
  begin();
  f = vow_go(loop, run_nested, &left);
  manual_advance(loop, 1000);
  EXPECT_EVENTS("0 1 2 3");
  EXPECT_FAILED(f, UV_EIO);
  done();
}

static vow_value_t defer_into_outer(void *arg) {
  vow_defer(note_arg, arg);
  return vow_nil();
}

static vow_value_t scope_in_clean_up(void *arg) {
  vow_value_destroy(vow_scope(defer_into_outer, "inner"));
  vow_defer(note_arg, "late");
  note(arg);
  return vow_nil();
}

static vow_value_t defer_scope(void *arg) {
  vow_defer(note_arg, "first");
  vow_defer(scope_in_clean_up, arg);
  return vow_nil();
}

TEST(test_scope_in_clean_up_keeps_to_itself) {
  begin();
  vow_detach(vow_go(loop, defer_scope, "second"));
  manual_advance(loop, 1000);
  EXPECT_EVENTS("inner second late first");
  done();
}

static vow_value_t follow_nap(void *arg) {
  vow_defer(note_arg, arg);
  return vow_follow(vow_then(nap(10), note_run, "followed"));
}

static vow_value_t follow_plain(void *arg) {
  return vow_follow(vow_then(nap(10), note_run, arg));
}

static vow_value_t scopes_that_follow(void *arg) {
  VOW_TRY_NIL(ok(loop, 1));
  vow_value_destroy(vow_scope(follow_nap, arg));
  vow_value_destroy(vow_scope(follow_plain, "plain"));
  note("after");
  return vow_nil();
}

TEST(test_scope_that_follows_waits_before_its_clean_up) {
  begin();
  vow_detach(vow_go(loop, scopes_that_follow, "clean-up"));
  manual_advance(loop, 1000);
  EXPECT_EVENTS("followed clean-up plain after");
  done();
}

static vow_value_t slow_scope(void *arg) {
  vow_defer(note_slowly, arg);
  VOW_TRY_NIL(nap(1000));
  note("never");
  return vow_nil();
}

static vow_value_t scope_then_nap(void *arg) {
  self_t *s = arg;
  vow_value_t v = vow_scope(slow_scope, "scope");
  keep_code(s, vow_value_code(v));
  keep_code(s, vow_await_status(nap(10)));
  return v;
}

TEST(test_scope_cancelled_cleans_up_shielded) {
  self_t s = {0};
  begin();
  s.f = vow_go(loop, scope_then_nap, &s);
  manual_drain(loop);
  vow_cancel(s.f);
  manual_advance(loop, 49);
  ck_assert_uint_eq(s.n, 0);
  manual_advance(loop, 1);
  EXPECT_EVENTS("scope");
  ck_assert_int_eq(s.codes[0], UV_ECANCELED);
  ck_assert_int_eq(s.codes[1], UV_ECANCELED); /* felt again afterwards */
  EXPECT_CANCELLED(s.f, UV_ECANCELED);
  done();
}

static vow_value_t two_scopes(void *arg) {
  vow_value_destroy(vow_scope(slow_scope, "one"));
  vow_value_destroy(vow_scope(slow_scope, "two"));
  return vow_scope(slow_scope, arg);
}

TEST(test_scope_each_has_a_grace_of_its_own) {
  vow_task_options_t options = {.grace_ms = 20};
  vow_future_t *f;
  begin();
  f = vow_go_with(loop, &options, two_scopes, "three");
  manual_drain(loop);
  vow_cancel(f);
  for (int i = 0; i < 3; i++) {
    manual_advance(loop, 19);
    EXPECT_EVENTS("");
    manual_advance(loop, 1);
    EXPECT_EVENTS("disturbed");
  }
  EXPECT_CANCELLED(f, UV_ECANCELED);
  done();
}

TEST(test_scope_without_task_or_body_fails) {
  vow_value_t v = vow_scope(give_seven, NULL);
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  EXPECT_HAS(vow_error_message(vow_value_error(v)), "no task runs here");
  vow_value_destroy(v);
  v = vow_shielded(give_seven, NULL);
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  vow_value_destroy(v);
}

static vow_value_t null_scopes(void *arg) {
  vow_value_t v = vow_scope(NULL, arg);
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  EXPECT_HAS(vow_error_message(vow_value_error(v)), "the body is NULL");
  vow_value_destroy(v);
  return vow_shielded(NULL, arg);
}

TEST(test_scope_of_null_fails) {
  vow_future_t *f;
  begin();
  f = vow_go(loop, null_scopes, NULL);
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EINVAL);
  done();
}

/* ---- shields -------------------------------------------------------------- */

static vow_value_t nap_shielded(void *arg) {
  self_t *s = arg;
  keep_code(s, vow_await_status(nap(50)));
  keep_code(s, vow_yield());
  keep_code(s, vow_task_reason()); /* it may look */
  return vow_int(1);
}

static vow_value_t shield_then_nap(void *arg) {
  self_t *s = arg;
  vow_value_t v = vow_shielded(nap_shielded, s);
  keep_code(s, vow_await_status(nap(50)));
  return v;
}

TEST(test_shielded_feels_cancellation_after_it) {
  self_t s = {0};
  begin();
  s.f = vow_go(loop, shield_then_nap, &s);
  manual_drain(loop);
  vow_task_cancel(s.f, UV_EINTR);
  manual_advance(loop, 49);
  ck_assert_uint_eq(s.n, 0);
  manual_advance(loop, 1);
  ck_assert_int_eq(s.codes[0], 0);
  ck_assert_int_eq(s.codes[1], 0);
  ck_assert_int_eq(s.codes[2], UV_EINTR);
  ck_assert_int_eq(s.codes[3], UV_EINTR);
  EXPECT_INT(s.f, 1);
  done();
}

static vow_value_t cancel_then_shield(void *arg) {
  self_t *s = arg;
  vow_cancel(s->f);
  return shield_then_nap(s);
}

TEST(test_shielded_begun_in_a_cancelled_task_runs) {
  self_t s = {0};
  begin();
  s.f = vow_go(loop, cancel_then_shield, &s);
  manual_advance(loop, 100);
  ck_assert_int_eq(s.codes[0], 0);
  ck_assert_int_eq(s.codes[3], UV_ECANCELED);
  EXPECT_INT(s.f, 1);
  done();
}

typedef struct tower {
  int left, code;
} tower_t;

static vow_value_t shield_tower(void *arg) {
  tower_t *t = arg;
  if (t->left-- > 0) return vow_shielded(shield_tower, t);
  t->code = vow_await_status(nap(10));
  return vow_nil();
}

TEST(test_shielded_may_be_nested_deeply) {
  const vow_task_options_t large = {.stack_bytes = 1 << 20};
  tower_t t = {256, 1}; /* a count in a byte would be 0 again */
  vow_future_t *f;
  begin();
  f = vow_go_with(loop, &large, shield_tower, &t);
  manual_drain(loop);
  vow_cancel(f);
  manual_advance(loop, 10);
  ck_assert_int_eq(t.code, 0);
  vow_drop(f);
  done();
}

static vow_value_t defer_slowly(void *arg) {
  vow_defer(note_slowly, arg);
  return vow_nil();
}

static vow_value_t shield_with_clean_up(void *arg) {
  return vow_shielded(defer_slowly, arg);
}

TEST(test_shielded_clean_up_has_its_grace_too) {
  vow_task_options_t options = {.grace_ms = 20};
  vow_future_t *f;
  begin();
  f = vow_go_with(loop, &options, shield_with_clean_up, "end");
  manual_drain(loop);
  vow_cancel(f);
  manual_advance(loop, 20);
  EXPECT_EVENTS("disturbed");
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  done();
}

static vow_value_t shield_in_clean_up(void *arg) {
  return vow_shielded(note_slowly, arg);
}

static vow_value_t defer_shield(void *arg) {
  vow_defer(shield_in_clean_up, arg);
  return vow_await(vow_never(loop));
}

TEST(test_shielded_in_clean_up_ends_with_the_grace) {
  vow_task_options_t options = {.grace_ms = 20};
  vow_future_t *f;
  begin();
  f = vow_go_with(loop, &options, defer_shield, "end");
  manual_drain(loop);
  vow_cancel(f);
  manual_advance(loop, 20);
  EXPECT_EVENTS("disturbed");
  EXPECT_CANCELLED(f, UV_ECANCELED);
  done();
}

SUITE(task_scope) {
  ADD(test_scope_cleans_up_before_it_returns);
  ADD(test_scope_nested_clean_up_from_the_inside);
  ADD(test_scope_in_clean_up_keeps_to_itself);
  ADD(test_scope_that_follows_waits_before_its_clean_up);
  ADD(test_scope_cancelled_cleans_up_shielded);
  ADD(test_scope_each_has_a_grace_of_its_own);
  ADD(test_scope_without_task_or_body_fails);
  ADD(test_scope_of_null_fails);
  ADD(test_shielded_feels_cancellation_after_it);
  ADD(test_shielded_begun_in_a_cancelled_task_runs);
  ADD(test_shielded_may_be_nested_deeply);
  ADD(test_shielded_clean_up_has_its_grace_too);
  ADD(test_shielded_in_clean_up_ends_with_the_grace);
}

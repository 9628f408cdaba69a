/* SPDX-License-Identifier: MIT */
/* Cancelling tasks: by whom, at which moment, and what their awaits give. */
#include "unit/task/helpers.h"

#include <vow/gather.h>
#include <vow/race.h>
#include <vow/timeout.h>
#include <vow/token.h>

/* Awaits its future, then twice more, and keeps the codes. */
typedef struct stubborn {
  self_t self;
  vow_future_t *first;
} stubborn_t;

static vow_value_t stubborn(void *arg) {
  stubborn_t *s = arg;
  vow_value_t v = vow_await(s->first);
  keep_code(&s->self, vow_value_code(v));
  keep_code(&s->self, vow_await_status(nap(1000)));
  keep_code(&s->self, vow_await_status(ok(loop, 1)));
  keep_code(&s->self, vow_yield());
  keep_code(&s->self, vow_task_reason());
  return v;
}

static void go_stubborn(stubborn_t *s, vow_future_t *first) {
  memset(s, 0, sizeof *s);
  s->first = first;
  s->self.f = vow_go(loop, stubborn, s);
}

#define EXPECT_CODES(s, a, b)                                            \
  do {                                                                   \
    ck_assert_int_eq((s).codes[0], (a));                                 \
    for (int i_ = 1; i_ < 5; i_++) ck_assert_int_eq((s).codes[i_], (b)); \
  } while (0)

/* ---- before it begins ----------------------------------------------------- */

TEST(test_task_cancel_before_first_step_never_runs_body) { /* Rule 18 */
  vow_token_t *t;
  begin();
  drops = 0;
  vow_future_t *f = vow_go(loop, note_arg, "body", count_drop);
  ck_assert_int_eq(vow_task_cancel(f, UV_EINTR), 0);
  EXPECT_CANCELLED(f, UV_EINTR);
  vow_drop(vow_go(loop, note_arg, "body", count_drop));
  t = vow_token_new(loop);
  f = vow_with_token(vow_go(loop, note_arg, "body", count_drop), t);
  vow_token_cancel(t, UV_EINTR);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_EINTR);
  vow_token_free(t);
  ck_assert_int_eq(drops, 3);
  EXPECT_EVENTS("");
  done();
}

/* ---- while it waits ------------------------------------------------------- */

TEST(test_task_dropped_while_it_sleeps_ends) {
  uint64_t ms = 1000;
  begin();
  vow_future_t *f = vow_go(loop, sleep_for, &ms);
  manual_drain(loop);
  vow_drop(f);
  ck_assert_uint_eq(manual_wish_ms(loop), UINT64_MAX);
  manual_drain(loop);
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  done();
}

TEST(test_task_cancel_every_await_fails_with_the_reason) { /* Rule 17 */
  stubborn_t s;
  begin();
  go_stubborn(&s, vow_never(loop));
  manual_drain(loop);
  ck_assert_int_eq(vow_task_cancel(s.self.f, UV_ECONNABORTED), 0);
  ck_assert_int_eq(vow_task_cancel(s.self.f, UV_EIO), 0); /* the first wins */
  manual_drain(loop);
  EXPECT_CODES(s.self, UV_ECONNABORTED, UV_ECONNABORTED);
  EXPECT_CANCELLED(s.self.f, UV_ECONNABORTED);
  done();
}

static vow_value_t yield_once(void *arg) {
  self_t *s = arg;
  keep_code(s, vow_yield());
  keep_code(s, vow_yield());
  return vow_int(1);
}

TEST(test_task_cancel_while_it_yields_is_told_by_yield) {
  self_t s = {0};
  begin();
  s.f = vow_go(loop, yield_once, &s);
  vow_loop_step(loop);
  vow_task_cancel(s.f, UV_EINTR);
  ck_assert_uint_eq(s.n, 0);
  manual_drain(loop);
  ck_assert_int_eq(s.codes[0], UV_EINTR);
  ck_assert_int_eq(s.codes[1], UV_EINTR);
  EXPECT_INT(s.f, 1);
  done();
}

TEST(test_task_cancel_what_was_granted_is_delivered) { /* Rule 17 */
  stubborn_t s;
  pair_t x;
  begin();
  x = pair(loop);
  go_stubborn(&s, x.f);
  manual_drain(loop);
  vow_promise_finish(x.p, vow_int(5));
  vow_cancel(s.self.f); /* settled, not yet delivered */
  manual_drain(loop);
  EXPECT_CODES(s.self, 0, UV_ECANCELED);
  EXPECT_INT(s.self.f, 5);
  done();
}

TEST(test_task_cancel_failure_that_was_granted_is_delivered) {
  stubborn_t s;
  pair_t x;
  begin();
  x = pair(loop);
  go_stubborn(&s, x.f);
  manual_drain(loop);
  vow_promise_finish(x.p, vow_fail(UV_EIO));
  vow_cancel(s.self.f);
  manual_drain(loop);
  EXPECT_CODES(s.self, UV_EIO, UV_ECANCELED);
  EXPECT_FAILED(s.self.f, UV_EIO);
  done();
}

TEST(test_task_cancel_leaves_shared_future_to_the_others) {
  stubborn_t s;
  pair_t x;
  begin();
  x = pair(loop);
  go_stubborn(&s, vow_ref(x.f));
  manual_drain(loop);
  vow_cancel(s.self.f);
  manual_drain(loop);
  EXPECT_CANCELLED(s.self.f, UV_ECANCELED);
  ck_assert_int_eq(vow_state(x.f), VOW_PENDING);
  vow_promise_finish(x.p, vow_int(5));
  EXPECT_INT(x.f, 5);
  done();
}

TEST(test_task_cancel_waits_until_the_future_has_unwound) {
  int asked = 0;
  stubborn_t s;
  pair_t x;
  begin();
  x = slow_pair(loop, &asked);
  go_stubborn(&s, x.f);
  manual_drain(loop);
  vow_cancel(s.self.f);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_uint_eq(s.self.n, 0); /* memory that it lent is still in use */
  vow_promise_drop(x.p);
  manual_drain(loop);
  EXPECT_CODES(s.self, UV_ECANCELED, UV_ECANCELED);
  EXPECT_CANCELLED(s.self.f, UV_ECANCELED);
  done();
}

TEST(test_task_cancel_value_that_came_all_the_same_is_given) {
  stubborn_t s;
  pair_t x;
  begin();
  x = slow_pair(loop, NULL);
  go_stubborn(&s, x.f);
  manual_drain(loop);
  vow_cancel(s.self.f);
  manual_drain(loop);
  vow_promise_finish(x.p, once());
  manual_drain(loop);
  EXPECT_CODES(s.self, 0, UV_ECANCELED);
  ck_assert_int_eq(vow_state(s.self.f), VOW_SUCCEEDED);
  vow_drop(s.self.f);
  ck_assert_int_eq(things_live, 0);
  done();
}

TEST(test_task_cancel_failure_of_the_unwinding_is_given) {
  stubborn_t s;
  pair_t x;
  begin();
  x = slow_pair(loop, NULL);
  go_stubborn(&s, x.f);
  manual_drain(loop);
  vow_cancel(s.self.f);
  manual_drain(loop);
  vow_promise_finish(x.p, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_CODES(s.self, UV_EIO, UV_ECANCELED);
  EXPECT_FAILED(s.self.f, UV_EIO);
  done();
}

/* ---- by whom -------------------------------------------------------------- */

static vow_value_t cancel_self(void *arg) {
  self_t *s = arg;
  vow_cancel(s->f);
  return vow_await(vow_ready(loop, once()));
}

static vow_value_t cancel_other(void *arg) {
  self_t *s = arg;
  vow_task_cancel(s->f, UV_EIO);
  return vow_nil();
}

static vow_value_t cancel_in_callback(vow_future_t *in, void *arg) {
  (void)in;
  return cancel_other(arg);
}

TEST(test_task_cancel_by_itself_a_task_or_a_callback) {
  self_t s = {0};
  begin();
  s.f = vow_go(loop, cancel_self, &s);
  manual_drain(loop);
  EXPECT_CANCELLED(s.f, UV_ECANCELED);
  s.f = vow_go(loop, await_arg, vow_never(loop));
  vow_detach(vow_go(loop, cancel_other, &s));
  manual_drain(loop);
  EXPECT_CANCELLED(s.f, UV_EIO);
  s.f = vow_go(loop, await_arg, vow_never(loop));
  vow_detach(vow_then(ok(loop, 1), cancel_in_callback, &s));
  manual_drain(loop);
  EXPECT_CANCELLED(s.f, UV_EIO);
  done();
}

static vow_value_t slow_end(void *arg) {
  vow_defer(note_slowly, arg);
  VOW_TRY_NIL(nap(1000));
  return vow_nil();
}

TEST(test_task_cancel_by_token_is_awaited_by_its_close) { /* Rule 15 */
  vow_future_t *f, *closed;
  vow_token_t *t;
  begin();
  t = vow_token_new(loop);
  f = vow_with_token(vow_go(loop, slow_end, "end"), t);
  manual_drain(loop);
  vow_token_cancel(t, UV_EINTR);
  closed = vow_then(vow_token_close(t), note_run, "closed");
  manual_advance(loop, 49);
  EXPECT_EVENTS("");
  manual_advance(loop, 1);
  EXPECT_EVENTS("end closed");
  EXPECT_CANCELLED(f, UV_EINTR);
  vow_drop(closed);
  vow_token_free(t);
  done();
}

TEST(test_task_cancel_by_timeout_unwinds_first) { /* Rule 9 */
  vow_future_t *f;
  begin();
  f = vow_timeout(vow_go(loop, slow_end, "end"), 10);
  manual_advance(loop, 59);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 1);
  EXPECT_EVENTS("end");
  EXPECT_FAILED(f, UV_ETIMEDOUT);
  done();
}

TEST(test_task_cancel_by_race_and_gather_unwinds_first) { /* Rules 6, 7 */
  vow_future_t *f;
  begin();
  f = vow_race_of(loop, vow_go(loop, slow_end, "end"), vow_sleep(loop, 10));
  manual_advance(loop, 59);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 1);
  EXPECT_EVENTS("end");
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  f = vow_gather_of(loop, vow_go(loop, slow_end, "end"), bad(loop, UV_EIO));
  manual_advance(loop, 49);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 1);
  EXPECT_EVENTS("end");
  EXPECT_FAILED(f, UV_EIO);
  done();
}

static vow_value_t follow_arg(void *arg) {
  return vow_follow(arg);
}

TEST(test_task_cancel_while_it_follows_goes_on_to_the_future) {
  int asked = 0;
  vow_future_t *f;
  pair_t x;
  begin();
  x = slow_pair(loop, &asked);
  f = vow_go(loop, follow_arg, x.f);
  manual_drain(loop);
  ck_assert_int_eq(vow_task_cancel(f, UV_EIO), 0);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  vow_promise_drop(x.p);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  done();
}

TEST(test_task_cancel_runs_down_a_long_chain_of_tasks) {
  size_t n = test_scale(5000);
  int asked = 0;
  vow_future_t *f;
  pair_t x;
  begin();
  x = slow_pair(loop, &asked);
  f = x.f;
  for (size_t i = 0; i < n; i++) f = vow_go(loop, await_arg, f);
  manual_drain(loop);
  vow_drop(f);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_uint_eq(vow_loop_live(loop), n + 1);
  vow_promise_drop(x.p);
  manual_drain(loop);
  done();
}

/* ---- closing the loop ----------------------------------------------------- */

TEST(test_task_loop_close_unwinds_tasks) { /* Rule 22 */
  begin();
  vow_detach(vow_go(loop, slow_end, "first"));
  manual_drain(loop);
  vow_detach(vow_go(loop, slow_end, "never begun"));
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
  EXPECT_EVENTS("first");
}

static vow_value_t shielded_await(void *arg) {
  return vow_shielded(await_arg, arg);
}

TEST(test_task_loop_close_lists_what_will_not_end) { /* Rule 22 */
  const vow_task_options_t named = {.name = "stuck one"};
  vow_loop_options_t options = {0};
  listed_t l = {0};
  vow_future_t *f;
  pair_t x;
  options.on_stuck = list_stuck;
  options.on_stuck_arg = &l;
  loop = manual_loop_with(&options);
  x = slow_pair(loop, NULL);
  f = vow_go_with(loop, &named, shielded_await, vow_ref(x.f));
  manual_drain(loop);
  ck_assert_int_eq(vow_loop_close(loop, 5), UV_EBUSY);
  ck_assert_int_eq(l.count, 2); /* it, and the promise */
  ck_assert(strcmp(l.what, "stuck one") == 0 || strcmp(l.what, "promise") == 0);
  ck_assert_int_eq(vow_loop_close(loop, 5), UV_EBUSY); /* and again */
  vow_promise_finish(x.p, vow_int(1));
  vow_drop(x.f);
  manual_drain(loop);
  EXPECT_INT(f, 1);
  done();
}

SUITE(task_cancel) {
  ADD(test_task_cancel_before_first_step_never_runs_body);
  ADD(test_task_dropped_while_it_sleeps_ends);
  ADD(test_task_cancel_every_await_fails_with_the_reason);
  ADD(test_task_cancel_while_it_yields_is_told_by_yield);
  ADD(test_task_cancel_what_was_granted_is_delivered);
  ADD(test_task_cancel_failure_that_was_granted_is_delivered);
  ADD(test_task_cancel_leaves_shared_future_to_the_others);
  ADD(test_task_cancel_waits_until_the_future_has_unwound);
  ADD(test_task_cancel_value_that_came_all_the_same_is_given);
  ADD(test_task_cancel_failure_of_the_unwinding_is_given);
  ADD(test_task_cancel_by_itself_a_task_or_a_callback);
  ADD(test_task_cancel_by_token_is_awaited_by_its_close);
  ADD(test_task_cancel_by_timeout_unwinds_first);
  ADD(test_task_cancel_by_race_and_gather_unwinds_first);
  ADD(test_task_cancel_while_it_follows_goes_on_to_the_future);
  ADD(test_task_cancel_runs_down_a_long_chain_of_tasks);
  ADD(test_task_loop_close_unwinds_tasks);
  ADD(test_task_loop_close_lists_what_will_not_end);
}

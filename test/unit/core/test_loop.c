/* SPDX-License-Identifier: MIT */
/* Tests of loops: the order in which callbacks run (rules 1 and 2), running,
 * looking. Closing is in test_loop_close.c. */
#include "unit/core/helpers.h"

#include <vow/driver.h>
#include <vow/time.h>
#include <vow/token.h>

/* ---- Rule 1 ---------------------------------------------------------------
 */

/* Rule 1: never inside then, resolve, cancel or registration. */
TEST(test_loop_no_callback_runs_inside_a_call) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  pair_t x = pair(loop), y = pair(loop);
  vow_future_t *f[5];
  vow_promise_on_cancel(y.p, raise_count, NULL);
  f[0] = vow_then(ok(loop, 1), note_run, "then");
  f[1] = vow_catch(bad(loop, UV_EIO), note_run, "catch");
  f[2] = vow_finally(vow_ref(x.f), note_run, "finally");
  f[3] = vow_handle(vow_ref(y.f), note_run, "handle");
  f[4] = vow_then(vow_sleep(loop, 0), note_run, "sleep");
  vow_promise_finish(x.p, vow_int(1));
  vow_cancel(y.f);
  vow_promise_drop(y.p);
  vow_token_watch(t, note_watch, "watch");
  vow_token_cancel(t, UV_EINTR);
  vow_token_watch(t, note_watch, "late");
  EXPECT_EVENTS("");
  manual_drain(loop);
  EXPECT_EVENTS("then catch finally handle watch late sleep");
  for (int i = 0; i < 5; i++) vow_drop(f[i]);
  vow_drop(x.f);
  vow_drop(y.f);
  vow_token_free(t);
  manual_done(loop);
}

/* Rule 1: first-in first-out over the whole loop. */
TEST(test_loop_ready_continuations_run_first_in_first_out) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop), y = pair(loop);
  vow_future_t *f[6];
  f[0] = vow_then(vow_ref(x.f), note_run, "x1");
  f[1] = vow_then(vow_ref(y.f), note_run, "y1");
  f[2] = vow_then(vow_ref(x.f), note_run, "x2");
  f[3] = vow_then(vow_then(x.f, note_run, "x3"), note_run, "x4");
  f[4] = vow_then(y.f, note_run, "y2");
  vow_promise_finish(y.p, vow_int(1));
  vow_promise_finish(x.p, vow_int(1));
  f[5] = vow_then(ok(loop, 1), note_run, "z");
  manual_drain(loop);
  EXPECT_EVENTS("y1 y2 x1 x2 x3 z x4");
  for (int i = 0; i < 6; i++) vow_drop(f[i]);
  manual_done(loop);
}

static vow_value_t note_and_add_more(vow_future_t *in, void *arg) {
  vow_future_t **more = arg;
  note("outer");
  *more = vow_then(vow_ref(in), note_run, "inner");
  EXPECT_EVENTS("outer");
  return vow_nil();
}

/* Rule 1: also from within a callback. */
TEST(test_loop_chaining_in_a_callback_queues) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *more = NULL, *f, *g;
  f = vow_then(ok(loop, 1), note_and_add_more, &more);
  g = vow_then(ok(loop, 1), note_run, "next");
  manual_drain(loop);
  EXPECT_EVENTS("next inner");
  vow_drop(more);
  vow_drop(f);
  vow_drop(g);
  manual_done(loop);
}

typedef struct feed {
  size_t left;
  size_t ran;
} feed_t;

static vow_value_t feed_self(vow_future_t *in, void *arg) {
  feed_t *s = arg;
  s->ran++;
  if (s->left-- == 0) return vow_nil();
  return vow_follow(vow_then(vow_sleep(vow_loop_of(in), 0), feed_self, arg));
}

/* Rule 1: after a step budget one poll happens. */
TEST(test_loop_step_budget_lets_the_driver_poll) {
  vow_loop_options_t options = {0};
  vow_loop_t *loop;
  vow_future_t *f;
  feed_t s = {1000, 0};
  size_t soon;
  options.step_budget = 10;
  loop = manual_loop_with(&options);
  f = vow_then(vow_sleep(loop, 0), feed_self, &s);
  for (int i = 0; i < 5; i++) {
    size_t before = s.ran;
    soon = manual_soon_count(loop);
    vow_loop_drain(loop);
    ck_assert_uint_le(s.ran - before, 10);
    ck_assert(vow_loop_has_ready(loop));
    ck_assert_uint_eq(manual_soon_count(loop), soon + 1); /* asked again */
  }
  manual_drain(loop);
  ck_assert_uint_eq(s.ran, 1001);
  vow_drop(f);
  manual_done(loop);
}

/* Rule 1: the default budget. */
TEST(test_loop_default_step_budget_is_1024) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = ok(loop, 0);
  for (int i = 0; i < 1500; i++) f = vow_then(f, add_one, NULL);
  vow_loop_drain(loop);
  ck_assert(!vow_is_settled(f));
  vow_loop_drain(loop);
  EXPECT_INT(f, 1500);
  manual_done(loop);
}

/* ---- Rule 2: settled from code that vow did not call ----------------------
 */

/* Rule 2: the driver is asked, once, to drain in this turn. */
TEST(test_loop_settling_from_outside_wakes_the_driver_once) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop), y = pair(loop);
  vow_future_t *f = vow_then(x.f, add_one, NULL);
  vow_future_t *g = vow_then(y.f, add_one, NULL);
  size_t before = manual_soon_count(loop);
  vow_promise_finish(x.p, vow_int(1));
  ck_assert_uint_eq(manual_soon_count(loop), before + 1);
  vow_promise_finish(y.p, vow_int(1));
  ck_assert_uint_eq(manual_soon_count(loop), before + 1);
  manual_drain(loop);
  EXPECT_INT(f, 2);
  EXPECT_INT(g, 2);
  x = pair(loop);
  f = vow_then(x.f, add_one, NULL);
  before = manual_soon_count(loop);
  vow_promise_finish(x.p, vow_int(1));
  ck_assert_uint_eq(manual_soon_count(loop), before + 1);
  vow_drop(f);
  manual_done(loop);
}

static vow_value_t drain_inside(vow_future_t *in, void *arg) {
  vow_loop_t *loop = vow_loop_of(in);
  (void)arg;
  note("in");
  vow_loop_drain(loop); /* what a wrapper's callback may do: no recursion */
  ck_assert(!vow_loop_step(loop));
  note("out");
  return vow_nil();
}

TEST(test_loop_drain_inside_a_callback_does_nothing) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_then(ok(loop, 1), drain_inside, NULL);
  vow_future_t *g = vow_then(ok(loop, 1), note_run, "next");
  manual_drain(loop);
  EXPECT_EVENTS("in out next");
  vow_drop(f);
  vow_drop(g);
  manual_done(loop);
}

TEST(test_loop_step_runs_one_continuation) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_then(ok(loop, 1), note_run, "a");
  f = vow_then(f, note_run, "b");
  ck_assert(vow_loop_step(loop));
  EXPECT_EVENTS("a");
  ck_assert(vow_loop_step(loop));
  EXPECT_EVENTS("b");
  ck_assert(!vow_loop_step(loop));
  vow_drop(f);
  manual_done(loop);
}

/* ---- running --------------------------------------------------------------
 */

TEST(test_loop_run_goes_on_until_idle) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_then(vow_sleep(loop, 3600000), note_run, "an hour");
  pair_t x = pair(loop);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  EXPECT_EVENTS("an hour");
  ck_assert_uint_eq(vow_loop_now_ms(loop), 3601000);
  ck_assert_int_eq(vow_state(x.f), VOW_PENDING);
  vow_promise_finish(x.p, vow_nil());
  vow_drop(x.f);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_loop_run_until_stops_once_it_has_settled) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_sleep(loop, 100), *g = vow_sleep(loop, 200);
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  ck_assert_uint_eq(vow_loop_now_ms(loop), 1100);
  ck_assert_int_eq(vow_state(g), VOW_PENDING);
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  vow_drop(f);
  f = bad(loop, UV_EIO);
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  EXPECT_FAILED(f, UV_EIO);
  vow_drop(g);
  manual_done(loop);
}

TEST(test_loop_run_until_what_cannot_happen_says_idle) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  ck_assert_int_eq(vow_loop_run_until(loop, x.f), VOW_EIDLE);
  EXPECT_HAS(vow_last_message(), vow_site(x.f));
  ck_assert_int_eq(vow_state(x.f), VOW_PENDING);
  vow_promise_finish(x.p, vow_int(1));
  ck_assert_int_eq(vow_loop_run_until(loop, x.f), 0);
  EXPECT_INT(x.f, 1);
  manual_done(loop);
}

TEST(test_loop_await_blocking_gives_the_outcome) {
  vow_loop_t *loop = manual_loop();
  vow_value_t v;
  vow_future_t *f = vow_then(vow_sleep(loop, 5), arg_run, NULL);
  vow_drop(f);
  ck_assert_int_eq(vow_await_blocking(vow_ready(loop, once()), &v), 0);
  ck_assert_ptr_eq(v.type, &type_once);
  vow_value_destroy(v);
  ck_assert_int_eq(vow_await_blocking(vow_sleep(loop, 5), &v), 0);
  ck_assert_ptr_null(v.type);
  ck_assert_int_eq(vow_await_blocking(bad(loop, UV_EIO), &v), UV_EIO);
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  vow_value_destroy(v);
  ck_assert_int_eq(vow_await_blocking(vow_never(loop), &v), VOW_EIDLE);
  ck_assert_ptr_null(v.type);
  ck_assert_int_eq(vow_await_blocking(NULL, &v), UV_EINVAL);
  ck_assert_int_eq(vow_await_blocking(vow_ready(loop, once()), NULL), 0);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

typedef struct attempt {
  int run, until, await, close;
} attempt_t;

static vow_value_t run_inside(vow_future_t *in, void *arg) {
  attempt_t *a = arg;
  vow_value_t v;
  vow_loop_t *loop = vow_loop_of(in);
  a->run = vow_loop_run(loop);
  EXPECT_HAS(vow_last_message(), "vow_loop_run");
  a->until = vow_loop_run_until(loop, in);
  a->await = vow_await_blocking(vow_ready(loop, once()), &v);
  a->close = vow_loop_close(loop, 10);
  EXPECT_HAS(vow_last_message(), "vow_loop_close");
  return vow_nil();
}

/* Rule 22: running on a loop that is running is an error, not a deadlock. */
TEST(test_loop_run_inside_a_callback_is_an_error) {
  vow_loop_t *loop = manual_loop();
  attempt_t a = {0, 0, 0, 0};
  vow_future_t *f = vow_then(vow_sleep(loop, 1), run_inside, &a);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(a.run, UV_EBUSY);
  ck_assert_int_eq(a.until, UV_EBUSY);
  ck_assert_int_eq(a.await, UV_EBUSY);
  ck_assert_int_eq(a.close, UV_EBUSY);
  ck_assert_int_eq(things_live, 0);
  vow_drop(f);
  memset(&a, 0, sizeof a);
  f = vow_then(ok(loop, 1), run_inside, &a);
  manual_drain(loop); /* drained by hand: the same */
  ck_assert_int_eq(a.run, UV_EBUSY);
  ck_assert_int_eq(a.close, UV_EBUSY);
  vow_drop(f);
  manual_done(loop);
}

/* ---- looking --------------------------------------------------------------
 */

static void list_live(vow_future_t *f, const char *what, const char *site,
                      vow_state_t state, void *arg) {
  ck_assert_str_eq(site, vow_site(f));
  ck_assert_int_eq(state, vow_state(f));
  ++*(int *)arg;
  if (strcmp(what, "sleep") == 0) *(int *)arg += 100;
}

TEST(test_loop_each_visits_every_live_future) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f[4];
  int n = 0;
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  f[0] = ok(loop, 1);
  f[1] = vow_sleep(loop, 10);
  f[2] = vow_then(vow_never(loop), add_one, NULL);
  f[3] = bad(loop, UV_EIO);
  vow_status(f[3]);
  ck_assert_uint_eq(vow_loop_live(loop), 5);
  vow_loop_each(loop, list_live, &n);
  ck_assert_int_eq(n, 105);
  for (int i = 0; i < 4; i++) vow_drop(f[i]);
  n = 0;
  vow_loop_each(loop, list_live, &n);
  vow_loop_each(NULL, list_live, &n);
  vow_loop_each(loop, NULL, &n);
  ck_assert_int_eq(n, 0);
  ck_assert_uint_eq(vow_loop_live(NULL), 0);
  ck_assert_uint_eq(vow_loop_now_ms(NULL), 0);
  manual_done(loop);
}

TEST(test_loop_new_without_memory_leaves_the_driver_to_the_caller) {
  size_t n = 0;
  vow_loop_t *loop;
  fault_install();
  do {
    fault_fail_at(++n);
    loop = manual_loop_with(NULL);
    if (loop == NULL) ck_assert_int_eq(fault_live(), 0);
  } while (loop == NULL);
  ck_assert_uint_gt(n, 1);
  fault_off();
  manual_done(loop);
  fault_remove();
}

/* ---- blocking ------------------------------------------------------------- */

typedef struct probe {
  vow_loop_t *loop;
  vow_promise_t *p;
  bool before, after;
} probe_t;

static vow_value_t settle_it(vow_future_t *in, void *arg) {
  probe_t *x = arg;
  (void)in;
  x->before = vow_loop_may_block(x->loop);
  vow_promise_finish(x->p, vow_int(1));
  x->after = vow_loop_may_block(x->loop);
  return vow_nil();
}

TEST(test_loop_may_block_not_once_what_is_run_until_has_settled) {
  vow_loop_t *loop = manual_loop();
  probe_t x = {.loop = loop, .after = true};
  vow_future_t *f = vow_promise_new(loop, &x.p), *settling;
  ck_assert(vow_loop_may_block(loop));
  settling = vow_handle(vow_ready(loop, vow_nil()), settle_it, &x);
  ck_assert_int_eq(vow_loop_run_until(loop, f), 0);
  ck_assert(x.before);
  ck_assert(!x.after);
  ck_assert(vow_loop_may_block(loop));
  vow_drop(settling);
  EXPECT_INT(f, 1);
  manual_done(loop);
}

SUITE(core_loop) {
  ADD(test_loop_no_callback_runs_inside_a_call);
  ADD(test_loop_ready_continuations_run_first_in_first_out);
  ADD(test_loop_chaining_in_a_callback_queues);
  ADD(test_loop_step_budget_lets_the_driver_poll);
  ADD(test_loop_default_step_budget_is_1024);
  ADD(test_loop_settling_from_outside_wakes_the_driver_once);
  ADD(test_loop_drain_inside_a_callback_does_nothing);
  ADD(test_loop_step_runs_one_continuation);
  ADD(test_loop_run_goes_on_until_idle);
  ADD(test_loop_run_until_stops_once_it_has_settled);
  ADD(test_loop_run_until_what_cannot_happen_says_idle);
  ADD(test_loop_await_blocking_gives_the_outcome);
  ADD(test_loop_run_inside_a_callback_is_an_error);
  ADD(test_loop_each_visits_every_live_future);
  ADD(test_loop_new_without_memory_leaves_the_driver_to_the_caller);
  ADD(test_loop_may_block_not_once_what_is_run_until_has_settled);
}

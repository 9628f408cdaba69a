/* SPDX-License-Identifier: MIT */
/* Combinators: whoever wins, loses or is cancelled, each value is destroyed
 * once, and each arg. */
#include "unit/torture/torture.h"

static vow_value_t fail_later(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_fail(UV_EPROTO);
}

/* Fails in ms. */
static vow_future_t *failure_in(vow_loop_t *loop, uint64_t ms) {
  return vow_then(vow_sleep(loop, ms), fail_later, NULL);
}

/* Takes its time when it is cancelled. */
static vow_future_t *slow_thing(vow_loop_t *loop, uint64_t ms) {
  return vow_finally(thing_in(loop, ms), pause_a_moment, thing_arg(),
                     thing_drop);
}

ENDER(end_list, vow_list_t, vow_list_drop)

/* ---- many, one outcome ---------------------------------------------------- */

SCENE(test_torture_gather_gives_all_or_none) {
  vow_future_t *shared = vow_ready(loop, shared_thing()), *f;
  size_t i;
  f = vow_gather_of(loop, slow_thing(loop, 3), thing_in(loop, 1),
                    vow_ref(shared), shared);
  vow_list_t *list;
  (void)vow_await_status(vow_ref(f));
  list = vow_take_list(f);
  vow_drop(f);
  if (list == NULL) return vow_fail_last();
  LATER(end_list, list);
  ck_assert_uint_eq(vow_list_length(list), 4);
  for (i = 0; i < 3; i++) vow_value_destroy(vow_list_take(list, i));
  f = vow_gather_of(loop, slow_thing(loop, 50), failure_in(loop, 2),
                    failure_in(loop, 2));
  CALMLY(vow_await_status(f) == UV_EPROTO);
  f = vow_gather_settled_of(loop, slow_thing(loop, 2), failure_in(loop, 1));
  VOW_TRY_NIL(f);
  return vow_nil();
}

SCENE(test_torture_race_and_any_settle_once) {
  vow_future_t *f = vow_race_of(loop, slow_thing(loop, 50), thing_in(loop, 2),
                                vow_never(loop));
  VOW_TRY_NIL(f);
  f = vow_any_of(loop, failure_in(loop, 1), slow_thing(loop, 3),
                 thing_in(loop, 3));
  VOW_TRY_NIL(f);
  f = vow_any_of(loop, failure_in(loop, 1), failure_in(loop, 2));
  CALMLY(vow_await_status(f) == VOW_EMULTI);
  return vow_nil();
}

ENDER(end_completed, vow_completed_t, vow_completed_free)

SCENE(test_torture_as_completed_gives_each) {
  vow_completed_t *c = vow_as_completed_of(loop, slow_thing(loop, 3),
                                           thing_in(loop, 1), vow_never(loop));
  NEED(c);
  LATER(end_completed, c);
  VOW_TRY_NIL(vow_completed_next(c));
  CALMLY(vow_completed_index(c) == 1);
  vow_drop(vow_completed_next(c));
  VOW_TRY_NIL(vow_completed_next(c));
  vow_drop(vow_completed_next(c));
  return vow_nil();
}

SCENE(test_torture_limits_in_time_lose_nothing) {
  vow_future_t *f = vow_timeout(slow_thing(loop, 50), 3);
  CALMLY(vow_await_status(f) == UV_ETIMEDOUT);
  f = vow_timeout(vow_timeout(slow_thing(loop, 3), 100), 200);
  VOW_TRY_NIL(f);
  f = vow_deadline(slow_thing(loop, 50), vow_loop_now_ms(loop) + 3);
  CALMLY(vow_await_status(f) == UV_ETIMEDOUT);
  f = vow_shield(slow_thing(loop, 0));
  vow_cancel(f);
  CALMLY(vow_await_status(f) == UV_ECANCELED);
  return vow_nil();
}

/* ---- again and again ------------------------------------------------------ */

static vow_future_t *try_thrice(vow_loop_t *loop, uint32_t attempt, void *arg) {
  (void)arg;
  return attempt < 3 ? failure_in(loop, 1) : slow_thing(loop, 2);
}

static bool ask_on(vow_value_t failure, void *arg) {
  (void)arg;
  return vow_value_code(failure) == UV_EPROTO;
}

SCENE(test_torture_retry_gives_one_thing) {
  vow_retry_options_t o = {.attempts = 4, .delay_ms = 2, .retry_if = ask_on};
  VOW_TRY_NIL(vow_retry(loop, try_thrice, thing_arg(), thing_drop, &o));
  o.attempts = 2;
  CALMLY(vow_await_status(vow_retry(loop, try_thrice, thing_arg(), thing_drop,
                                    &o)) == UV_EPROTO);
  return vow_nil();
}

static vow_future_t *step_thrice(vow_loop_t *loop, uint64_t i, void *arg) {
  (void)arg;
  if (i < 3) return vow_ready(loop, vow_again());
  return slow_thing(loop, 1);
}

static vow_future_t *step(vow_loop_t *loop, uint64_t i, void *arg) {
  (void)arg;
  return i % 2 == 0 ? slow_thing(loop, 1) : vow_ready(loop, thing());
}

SCENE(test_torture_repeat_ends) {
  VOW_TRY_NIL(vow_repeat(loop, step_thrice, thing_arg(), thing_drop));
  VOW_TRY_NIL(vow_repeat_times(loop, 3, step, thing_arg(), thing_drop));
  return vow_nil();
}

static vow_future_t *work_on(vow_loop_t *loop, size_t i, void *arg) {
  (void)arg;
  return i == 1 ? thing_in(loop, 1) : slow_thing(loop, 1 + i);
}

static vow_future_t *work_badly(vow_loop_t *loop, size_t i, void *arg) {
  (void)arg;
  return i == 2 ? failure_in(loop, 1) : slow_thing(loop, 1 + i);
}

SCENE(test_torture_map_works_on_all) {
  vow_future_t *f = vow_map(loop, 5, 2, work_on, thing_arg(), thing_drop);
  VOW_TRY_NIL(f);
  f = vow_map(loop, 5, 2, work_badly, thing_arg(), thing_drop);
  CALMLY(vow_await_status(f) == UV_EPROTO);
  f = vow_map_settled(loop, 5, 2, work_badly, thing_arg(), thing_drop);
  VOW_TRY_NIL(f);
  return vow_nil();
}

/* ---- resources ------------------------------------------------------------ */

static int opened, closed;

/* However it is closed. */
static void destroy_opened(void *p) {
  closed++;
  thing_drop(p);
}
static const vow_type_t opened_type = {"opened", destroy_opened, NULL, NULL};

static vow_value_t open_typed(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  opened++;
  return vow_ptr(thing_arg(), &opened_type);
}

static vow_value_t use_it(vow_future_t *in, void *arg) {
  (void)arg;
  ck_assert_int_eq(vow_status(in), 0);
  return vow_follow(slow_thing(vow_loop_of(in), 1));
}

static vow_value_t close_it(vow_future_t *in, void *arg) {
  (void)arg;
  vow_value_destroy(vow_outcome(in));
  return vow_follow(vow_sleep(vow_loop_of(in), 0));
}

static vow_value_t expect_closed(void *arg) {
  (void)arg;
  ck_assert_int_eq(opened, closed);
  return vow_nil();
}

SCENE(test_torture_using_closes_what_it_opened) {
  vow_future_t *f;
  opened = closed = 0;
  LATER(expect_closed, NULL);
  f = vow_then(vow_sleep(loop, 1), open_typed, NULL);
  f = vow_using(f, use_it, close_it, thing_arg(), thing_drop);
  VOW_TRY_NIL(f);
  CALMLY(opened == 1);
  f = vow_then(vow_sleep(loop, 1), open_typed, NULL);
  f = vow_using(f, use_it, close_it, thing_arg(), thing_drop);
  VOW_TRY_NIL(vow_timeout(f, 100));
  return vow_nil();
}

/* ---- lists ---------------------------------------------------------------- */

SCENE(test_torture_list_holds_things) {
  vow_list_t *list = vow_list_new(3);
  vow_future_t *f;
  NEED(list);
  vow_list_set(list, 0, thing());
  vow_list_set(list, 0, thing());
  vow_list_set(list, 2, shared_thing());
  vow_list_set(list, 3, thing());
  ck_assert_ptr_eq(vow_list_at(list, 0).type, &torture_thing);
  f = vow_ready(loop, vow_ptr(list, &vow_type_list));
  VOW_TRY_NIL(vow_then(f, pass_on, thing_arg(), thing_drop));
  return vow_nil();
}

SUITE(torture_combine) {
  ADD(test_torture_gather_gives_all_or_none);
  ADD(test_torture_race_and_any_settle_once);
  ADD(test_torture_as_completed_gives_each);
  ADD(test_torture_limits_in_time_lose_nothing);
  ADD(test_torture_retry_gives_one_thing);
  ADD(test_torture_repeat_ends);
  ADD(test_torture_map_works_on_all);
  ADD(test_torture_using_closes_what_it_opened);
  ADD(test_torture_list_holds_things);
}

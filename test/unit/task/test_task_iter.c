/* SPDX-License-Identifier: MIT */
/* VOW_FOR over iterators, and generators: items, ends, failures, every way
 * out. */
#include "unit/core/helpers.h"

#include <vow/iter_class.h>
#include <vow/task_iter.h>

static vow_loop_t *loop;
static int drops;

static void count_drop(void *arg) {
  (void)arg;
  drops++;
}

static vow_value_t note_close(void *arg) {
  (void)arg;
  int code = vow_await_status(vow_sleep(vow_task_loop(), 5));
  note(code == 0 ? "closed" : "disturbed");
  return vow_nil();
}

/* 0, 1, 2, ... up to *arg; -1: then fails. */
static vow_value_t count_up(void *arg) {
  const int *n = arg;
  vow_defer(note_close, NULL);
  for (int i = 0; i < (*n < 0 ? 2 : *n); i++) {
    vow_await_status(vow_sleep(vow_task_loop(), 10));
    int code = vow_emit(vow_int(i));
    if (code != 0) return vow_cancelled(code);
  }
  return *n < 0 ? vow_failf(UV_EIO, "broken") : vow_nil();
}

static vow_value_t sum(void *arg) {
  int64_t total = 0;
  vow_value_t failure;
  VOW_FOR(step, vow_generator(vow_task_loop(), count_up, arg, count_drop),
          &failure) {
    total += step.item.as.i;
  }
  note("after");
  if (vow_value_is_failure(failure)) return failure;
  return vow_int(total);
}

static vow_future_t *run(vow_task_cb body, void *arg, uint64_t ms) {
  drops = 0;
  loop = manual_loop();
  vow_future_t *f = vow_go(loop, body, arg);
  manual_advance(loop, ms);
  return f;
}

static void done(vow_future_t *f) {
  vow_drop(f);
  manual_done(loop);
}

TEST(test_for_generator_gives_every_item_then_ends) {
  int n = 5;
  vow_future_t *f = run(sum, &n, 1000);
  ck_assert_int_eq(vow_get_int(f), 10);
  ck_assert_int_eq(drops, 1);
  EXPECT_EVENTS("closed after");
  done(f);
}
END_TEST

TEST(test_for_generator_failure_ends_the_walk) {
  int n = -1;
  vow_future_t *f = run(sum, &n, 1000);
  ck_assert_int_eq(vow_status(f), UV_EIO);
  ck_assert_str_eq(vow_error_message(vow_error(f)), "broken");
  EXPECT_EVENTS("closed after");
  done(f);
}
END_TEST

static vow_value_t first_only(void *arg) {
  vow_value_t failure, first = vow_nil();
  VOW_FOR(step, vow_generator(vow_task_loop(), count_up, arg, count_drop),
          &failure) {
    if (step.item.as.i == 0) continue;
    first = vow_step_take(&step);
    break;
  }
  note("after");
  return first;
}

TEST(test_for_break_awaits_the_close) { /* Rule 21 */
  int n = 100;
  vow_future_t *f = run(first_only, &n, 1000);
  ck_assert_int_eq(vow_get_int(f), 1);
  EXPECT_EVENTS("closed after");
  ck_assert_int_eq(drops, 1);
  done(f);
}
END_TEST

static vow_value_t return_inside(void *arg) {
  vow_value_t failure;
  VOW_FOR(step, vow_generator(vow_task_loop(), count_up, arg, count_drop),
          &failure) {
    if (step.item.as.i == 3) return vow_int(33);
  }
  return vow_nil();
}

TEST(test_for_return_awaits_the_close) { /* Rule 21 */
  int n = 100;
  vow_future_t *f = run(return_inside, &n, 1000);
  ck_assert_int_eq(vow_get_int(f), 33);
  EXPECT_EVENTS("closed");
  done(f);
}
END_TEST

TEST(test_for_cancelled_task_awaits_the_close_undisturbed) {
  int n = 100;
  vow_future_t *f = run(sum, &n, 25);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  manual_advance(loop, 5);
  ck_assert(vow_is_cancelled(f));
  EXPECT_EVENTS("closed after");
  done(f);
}
END_TEST

TEST(test_generator_begins_with_the_first_next) {
  int n = 3;
  drops = 0;
  loop = manual_loop();
  vow_iter_t *it = vow_generator(loop, count_up, &n, count_drop);
  manual_advance(loop, 100);
  EXPECT_EVENTS("");
  vow_iter_free(it); /* never begun */
  manual_drain(loop);
  ck_assert_int_eq(drops, 1);
  EXPECT_EVENTS("");
  manual_done(loop);
}
END_TEST

TEST(test_generator_dropped_next_keeps_the_item) {
  int n = 3;
  loop = manual_loop();
  vow_iter_t *it = vow_generator(loop, count_up, &n);
  vow_future_t *f = vow_iter_next(it);
  manual_advance(loop, 5);
  vow_drop(f);
  manual_advance(loop, 100);
  f = vow_iter_next(it);
  manual_drain(loop);
  ck_assert_int_eq(vow_get_int(f), 0);
  vow_drop(f);
  vow_iter_free(it);
  manual_advance(loop, 10);
  EXPECT_EVENTS("closed");
  manual_done(loop);
}
END_TEST

TEST(test_generator_end_is_said_ever_after) {
  int n = 0;
  loop = manual_loop();
  vow_iter_t *it = vow_generator(loop, count_up, &n);
  for (int i = 0; i < 3; i++) {
    vow_future_t *f = vow_iter_next(it);
    manual_advance(loop, 10);
    ck_assert(vow_iter_is_end(f));
    vow_drop(f);
  }
  EXPECT_EVENTS("closed");
  vow_iter_free(it);
  manual_done(loop);
}
END_TEST

TEST(test_generator_loop_close_unwinds_it) {
  int n = 3;
  loop = manual_loop();
  vow_iter_t *it = vow_generator(loop, count_up, &n);
  vow_future_t *f = vow_iter_next(it);
  manual_advance(loop, 10);
  ck_assert_int_eq(vow_get_int(f), 0);
  vow_drop(f);
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
  EXPECT_EVENTS("closed");
  vow_iter_free(it);
}
END_TEST

static vow_value_t misuse(void *arg) {
  (void)arg;
  ck_assert_int_eq(vow_emit(vow_int(1)), UV_EINVAL);
  return vow_nil();
}

static int emits, last_emit;

static vow_value_t emit_on(void *arg) {
  (void)arg;
  for (int i = 0; i < 100; i++, emits++) last_emit = vow_emit(vow_int(i));
  return vow_nil();
}

static vow_value_t emit_shielded(void *arg) {
  return vow_shielded(emit_on, arg);
}

static vow_value_t emit_in_clean_up(void *arg) {
  vow_defer(emit_on, arg);
  return vow_nil();
}

static vow_value_t count_emits(vow_future_t *in, void *arg) {
  (void)in;
  *(int *)arg = emits;
  return vow_nil();
}

/* Takes one item, closes; what body emits then is refused, and others run. */
static void close_behind_first(vow_task_cb body) {
  int seen = -1;
  loop = manual_loop();
  emits = 0;
  vow_iter_t *it = vow_generator(loop, body, NULL);
  vow_future_t *f = vow_iter_next(it);
  manual_drain(loop);
  EXPECT_INT(f, 0);
  f = vow_iter_close(it);
  vow_future_t *g = vow_then(vow_ready(loop, vow_nil()), count_emits, &seen);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(emits, 100);
  ck_assert_int_eq(last_emit, UV_ECANCELED);
  ck_assert_int_lt(seen, 3);
  vow_drop(f);
  vow_drop(g);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_generator_that_ignores_its_closing_lets_others_run) {
  close_behind_first(emit_on);
}
END_TEST

TEST(test_generator_closed_while_it_emits_shielded_ends) {
  close_behind_first(emit_shielded);
}
END_TEST

TEST(test_generator_closed_while_its_clean_up_emits_ends) {
  close_behind_first(emit_in_clean_up);
}
END_TEST

static vow_future_t *generating;

static vow_value_t fail_when_cancelled(void *arg) {
  (void)arg;
  generating = vow_ref(vow_task_current());
  while (vow_emit(vow_int(1)) == 0) {
  }
  return vow_fail(UV_EIO);
}

TEST(test_generator_that_fails_while_nobody_asks_says_so_at_the_next) {
  vow_iter_t *it;
  vow_future_t *f;
  loop = manual_loop();
  it = vow_generator(loop, fail_when_cancelled, NULL);
  f = vow_iter_next(it);
  manual_drain(loop);
  EXPECT_INT(f, 1);
  vow_cancel(generating);
  vow_drop(generating);
  manual_drain(loop);
  f = vow_iter_next(it);
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EIO);
  f = vow_iter_next(it);
  manual_drain(loop);
  EXPECT_FAILED(f, UV_EOF);
  vow_iter_free(it);
  manual_drain(loop);
  manual_done(loop);
}
END_TEST

TEST(test_emit_outside_of_a_generator_is_refused) {
  ck_assert_int_eq(vow_emit(vow_int(1)), UV_EINVAL);
  done(run(misuse, NULL, 1));
}
END_TEST

TEST(test_generator_out_of_memory_loses_no_item) {
  fault_install();
  for (unsigned n = 1;; n++) {
    int items = 3, seen = 0, failures = 0;
    vow_task_trim();
    drops = 0;
    loop = manual_loop_probe();
    fault_fail_at(n);
    vow_iter_t *it = vow_generator(loop, count_up, &items, count_drop);
    for (int i = 0; i < 20; i++) {
      vow_future_t *f = vow_iter_next(it);
      manual_advance(loop, 20);
      bool end = vow_iter_is_end(f);
      if (vow_status(f) == 0)
        ck_assert_int_eq(vow_get_int(f), seen++);
      else if (!end)
        failures++;
      vow_drop(f);
      if (end) break;
    }
    fault_off();
    vow_iter_free(it);
    manual_advance(loop, 10);
    events[0] = '\0';
    manual_done(loop);
    ck_assert_int_eq(drops, 1);
    if (seen == 3 && failures == 0 && n > 12) break;
    ck_assert_uint_lt(n, 100);
  }
  vow_task_trim();
  ck_assert_int_eq(fault_live(), 0);
}
END_TEST

/* ---- walks that cannot be, closings that fail ------------------------------ */

static vow_value_t never_emits(void *arg) {
  (void)arg;
  return vow_nil();
}

TEST(test_generator_without_a_body_or_loop_says_so_at_its_next) {
  vow_iter_t *it;
  vow_future_t *f;
  loop = manual_loop();
  drops = 0;
  it = vow_generator(loop, NULL, NULL, count_drop);
  f = vow_iter_next(it);
  EXPECT_MISUSE(f, UV_EINVAL, "the body is NULL");
  vow_iter_free(it);
  it = vow_generator(NULL, never_emits, NULL, count_drop);
  f = vow_iter_next(it);
  EXPECT_MISUSE(f, UV_EINVAL, "vow_generator");
  vow_iter_free(it);
  ck_assert_int_eq(drops, 2);
  manual_done(loop);
}
END_TEST

static void next_item(vow_iter_t *it) {
  vow_iter_give(it, vow_int(1));
}

static void next_failure(vow_iter_t *it) {
  vow_iter_give(it, vow_failf(UV_EIO, "no item"));
}

static void close_badly(vow_iter_t *it) {
  vow_iter_closed(it, vow_failf(UV_EPROTO, "no good-bye"));
}

static const vow_iter_class_t bad_closer = {
    .op = VOW_ITER_OP("bad closer", vow_iter_t, NULL, NULL),
    .next = next_item,
    .close = close_badly};

static const vow_iter_class_t bad_all_over = {
    .op = VOW_ITER_OP("bad all over", vow_iter_t, NULL, NULL),
    .next = next_failure,
    .close = close_badly};

static vow_value_t walk_once(void *arg) {
  vow_value_t failure;
  vow_iter_t *it = vow_iter_new_at(VOW_SITE, vow_task_loop(), arg);
  VOW_FOR(step, it, &failure) break;
  return failure;
}

TEST(test_for_failure_of_the_closing_is_the_walks) {
  vow_future_t *f;
  loop = manual_loop();
  f = vow_go(loop, walk_once, (void *)(uintptr_t)&bad_closer);
  manual_drain(loop);
  EXPECT_MISUSE(f, UV_EPROTO, "no good-bye");
  manual_done(loop);
}
END_TEST

TEST(test_for_failure_of_an_item_is_the_cause_of_that_of_the_closing) {
  vow_value_t cause;
  vow_future_t *f;
  loop = manual_loop();
  f = vow_go(loop, walk_once, (void *)(uintptr_t)&bad_all_over);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), UV_EPROTO);
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EIO);
  vow_drop(f);
  manual_done(loop);
}
END_TEST

TEST(test_for_outside_of_a_task_fails_and_frees_the_iterator) {
  vow_value_t failure;
  int n = 3, turns = 0;
  loop = manual_loop();
  drops = 0;
  VOW_FOR(step, vow_generator(loop, count_up, &n, count_drop), &failure)
  turns++;
  ck_assert_int_eq(turns, 0);
  ck_assert(vow_value_is_failure(failure));
  ck_assert_int_eq(vow_value_code(failure), UV_EINVAL);
  vow_value_destroy(failure);
  manual_drain(loop);
  ck_assert_int_eq(drops, 1);
  manual_done(loop);
}
END_TEST

SUITE(task_iter) {
  ADD(test_generator_that_fails_while_nobody_asks_says_so_at_the_next);
  ADD(test_for_generator_gives_every_item_then_ends);
  ADD(test_for_generator_failure_ends_the_walk);
  ADD(test_for_break_awaits_the_close);
  ADD(test_for_return_awaits_the_close);
  ADD(test_for_cancelled_task_awaits_the_close_undisturbed);
  ADD(test_generator_begins_with_the_first_next);
  ADD(test_generator_dropped_next_keeps_the_item);
  ADD(test_generator_end_is_said_ever_after);
  ADD(test_generator_loop_close_unwinds_it);
  ADD(test_generator_that_ignores_its_closing_lets_others_run);
  ADD(test_generator_closed_while_it_emits_shielded_ends);
  ADD(test_generator_closed_while_its_clean_up_emits_ends);
  ADD(test_emit_outside_of_a_generator_is_refused);
  ADD(test_generator_out_of_memory_loses_no_item);
  ADD(test_generator_without_a_body_or_loop_says_so_at_its_next);
  ADD(test_for_failure_of_the_closing_is_the_walks);
  ADD(test_for_failure_of_an_item_is_the_cause_of_that_of_the_closing);
  ADD(test_for_outside_of_a_task_fails_and_frees_the_iterator);
}

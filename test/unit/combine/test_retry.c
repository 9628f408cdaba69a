/* SPDX-License-Identifier: MIT */
/* Tests of retry. */
#include "unit/combine/helpers.h"

#include <vow/retry.h>

/* What the attempts do, and what was seen of them. */
typedef struct plan {
  uint32_t fail; /* attempts that fail with UV_EIO, then 42 */
  uint32_t calls;
  uint32_t last; /* the attempt number passed last */
  uint64_t at_ms[16];
  vow_future_t *result;
  vow_future_t *next; /* returned instead, once */
  bool use_next;
  bool cancel;
  bool drop;
} plan_t;

static vow_future_t *attempt(vow_loop_t *loop, uint32_t n, void *arg) {
  plan_t *p = arg;
  if (p->calls < 16) p->at_ms[p->calls] = vow_loop_now_ms(loop);
  p->calls++;
  p->last = n;
  if (p->cancel) vow_cancel(p->result);
  if (p->drop) vow_drop(p->result);
  if (p->use_next) return p->next;
  if (n <= p->fail)
    return vow_ready(loop, vow_failf(UV_EIO, "failure %u", (unsigned)n));
  return ok(loop, 42);
}

TEST(test_retry_first_success_ends_it_and_start_runs_later) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  vow_future_t *f = vow_retry(loop, attempt, &p, count_drop, NULL);
  ck_assert_uint_eq(p.calls, 0);
  arg_drops = 0;
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  ck_assert_uint_eq(p.last, 1);
  ck_assert_int_eq(arg_drops, 1);
  EXPECT_INT(f, 42);
  manual_done(loop);
}

TEST(test_retry_default_is_three_attempts) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.fail = 2}, q = {.fail = 3};
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, NULL);
  vow_future_t *g = vow_retry(loop, attempt, &q, NULL, NULL);
  manual_drain(loop);
  EXPECT_INT(f, 42);
  ck_assert_uint_eq(q.calls, 3);
  EXPECT_FAILED(g, UV_EIO);
  manual_done(loop);
}

TEST(test_retry_only_attempt_passes_its_failure_unchanged) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.fail = 9};
  vow_retry_options_t o = {.attempts = 1};
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, &o);
  manual_drain(loop);
  ck_assert_str_eq(vow_error_message(vow_error(f)), "failure 1");
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_retry_giving_up_tells_all_failures) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.fail = 9};
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, NULL);
  vow_value_t cause;
  const vow_error_t *e;
  manual_drain(loop);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "gave up after 3 attempts: failure 3");
  ck_assert(vow_error_cause(vow_error(f), &cause));
  e = vow_value_error(cause);
  ck_assert_uint_eq(vow_error_count(e), 3);
  ck_assert_str_eq(vow_error_message(vow_value_error(vow_error_nth(e, 0))),
                   "failure 3");
  ck_assert_str_eq(vow_error_message(vow_value_error(vow_error_nth(e, 1))),
                   "failure 1");
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

TEST(test_retry_pauses_grow_by_the_factor_up_to_the_limit) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.fail = 5};
  vow_retry_options_t o = {
      .attempts = 6, .delay_ms = 10, .factor = 3, .max_delay_ms = 100};
  const uint64_t expected[6] = {0, 10, 40, 130, 230, 330};
  uint64_t start = vow_loop_now_ms(loop);
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, &o);
  manual_advance(loop, 1000);
  for (size_t i = 0; i < 6; i++)
    ck_assert_uint_eq(p.at_ms[i] - start, expected[i]);
  EXPECT_INT(f, 42);
  manual_done(loop);
}

static void jittered(uint64_t seed, uint64_t ret_at_ms[5]) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.fail = 4};
  vow_retry_options_t o = {.attempts = 5,
                           .delay_ms = 1000,
                           .factor = 1,
                           .jitter = 0.5,
                           .seed = seed};
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, &o);
  manual_advance(loop, 5000);
  EXPECT_INT(f, 42);
  for (size_t i = 0; i < 5; i++) ret_at_ms[i] = p.at_ms[i];
  manual_done(loop);
}

TEST(test_retry_jitter_stays_within_its_share_and_repeats_by_seed) {
  uint64_t a[5], b[5], c[5];
  jittered(7, a);
  jittered(7, b);
  jittered(8, c);
  for (size_t i = 1; i < 5; i++) {
    ck_assert_uint_ge(a[i] - a[i - 1], 500);
    ck_assert_uint_le(a[i] - a[i - 1], 1000);
  }
  ck_assert_mem_eq(a, b, sizeof(a));
  ck_assert_mem_ne(a, c, sizeof(a));
}

static bool not_eio(vow_value_t failure, void *arg) {
  ck_assert_ptr_nonnull(arg);
  return vow_value_code(failure) != UV_EIO;
}

TEST(test_retry_predicate_that_says_no_stops_it) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.fail = 9};
  vow_retry_options_t o = {.attempts = 9, .retry_if = not_eio};
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, &o);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  EXPECT_FAILED(f, UV_EIO);
  manual_done(loop);
}

static bool cancel_and_go_on(vow_value_t failure, void *arg) {
  (void)failure;
  vow_cancel(((plan_t *)arg)->result);
  return true;
}

TEST(test_retry_predicate_may_cancel_it) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.fail = 9};
  vow_retry_options_t o = {.retry_if = cancel_and_go_on};
  vow_future_t *f = vow_retry(loop, attempt, &p, count_drop, &o);
  p.result = f;
  arg_drops = 0;
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  ck_assert_int_eq(arg_drops, 1);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_retry_cancelled_attempt_is_never_retried) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.next = bad(loop, UV_ECANCELED), .use_next = true};
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, NULL);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_retry_cancel_before_start_never_calls_it) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  vow_future_t *f = vow_retry(loop, attempt, &p, count_drop, NULL);
  arg_drops = 0;
  vow_cancel(f);
  ck_assert_int_eq(arg_drops, 1);
  EXPECT_CANCELLED(f);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 0);
  manual_done(loop);
}

TEST(test_retry_cancel_during_attempt_awaits_it_and_stops) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL);
  plan_t p = {.next = a.f, .use_next = true};
  vow_future_t *f = vow_retry(loop, attempt, &p, count_drop, NULL);
  arg_drops = 0;
  manual_drain(loop);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(arg_drops, 0);
  vow_promise_drop(a.p);
  manual_drain(loop);
  ck_assert_int_eq(arg_drops, 1);
  ck_assert_uint_eq(p.calls, 1);
  EXPECT_CANCELLED(f);
  manual_done(loop);
}

TEST(test_retry_cancel_during_attempt_that_succeeds_gives_its_value) {
  vow_loop_t *loop = manual_loop();
  pair_t a = slow_pair(loop, NULL);
  plan_t p = {.next = a.f, .use_next = true};
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, NULL);
  manual_drain(loop);
  vow_cancel(f);
  vow_promise_finish(a.p, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(f, 1);
  manual_done(loop);
}

TEST(test_retry_cancel_with_failure_unread_is_cancelled_not_retried) {
  vow_loop_t *loop = counting_loop(false);
  pair_t a = pair(loop);
  plan_t p = {.next = a.f, .use_next = true};
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, NULL);
  manual_drain(loop);
  vow_promise_finish(a.p, vow_fail(UV_EIO));
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_CANCELLED(f);
  ck_assert_uint_eq(p.calls, 1);
  ck_assert_int_eq(unhandled, 0);
  manual_done(loop);
}

TEST(test_retry_cancel_during_pause_stops_at_once) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.fail = 9};
  vow_retry_options_t o = {.delay_ms = 1000};
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, &o);
  manual_advance(loop, 10);
  vow_cancel(f);
  EXPECT_CANCELLED(f);
  ck_assert(vow_loop_next_ms(loop) == UINT64_MAX);
  manual_advance(loop, 5000);
  ck_assert_uint_eq(p.calls, 1);
  manual_done(loop);
}

TEST(test_retry_start_may_cancel_the_retry_itself) {
  vow_loop_t *loop = manual_loop();
  pair_t a = pair(loop);
  plan_t p = {.cancel = true, .next = a.f, .use_next = true};
  vow_future_t *f = p.result = vow_retry(loop, attempt, &p, count_drop, NULL);
  arg_drops = 0;
  manual_drain(loop);
  ck_assert(!vow_promise_is_wanted(a.p));
  ck_assert_int_eq(arg_drops, 1);
  EXPECT_CANCELLED(f);
  vow_promise_drop(a.p);
  manual_done(loop);
}

TEST(test_retry_start_may_drop_the_retry_itself) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.drop = true, .fail = 9};
  p.result = vow_retry(loop, attempt, &p, count_drop, NULL);
  arg_drops = 0;
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  ck_assert_int_eq(arg_drops, 1);
  manual_done(loop);
}

TEST(test_retry_dropped_early_never_calls_start) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {0};
  arg_drops = 0;
  vow_drop(vow_retry(loop, attempt, &p, count_drop, NULL));
  manual_drain(loop);
  ck_assert_int_eq(arg_drops, 1);
  ck_assert_uint_eq(p.calls, 0);
  manual_done(loop);
}

TEST(test_retry_start_that_returns_rubbish_fails_without_retry) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  plan_t p = {.use_next = true};
  plan_t q = {.use_next = true, .next = vow_never(other)};
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, NULL);
  vow_future_t *g = vow_retry(loop, attempt, &q, NULL, NULL);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  EXPECT_MISUSE(f, "vow_retry: the callback returned NULL");
  EXPECT_MISUSE(g, "vow_retry: the callback returned a future of another");
  manual_done(loop);
  manual_done(other);
}

TEST(test_retry_start_that_returns_the_result_fails_with_ecycle) {
  vow_loop_t *loop = manual_loop();
  plan_t p = {.use_next = true};
  vow_future_t *f = vow_retry(loop, attempt, &p, NULL, NULL);
  p.next = vow_ref(f);
  manual_drain(loop);
  EXPECT_FAILED(f, VOW_ECYCLE);
  manual_done(loop);
}

TEST(test_retry_bad_arguments_are_refused_by_name) {
  vow_loop_t *loop = manual_loop();
  vow_retry_options_t o = {.factor = -1}, q = {.jitter = 1.5};
  arg_drops = 0;
  EXPECT_MISUSE(vow_retry(loop, NULL, &o, count_drop, NULL),
                "vow_retry: the callback is NULL");
  EXPECT_MISUSE(vow_retry(NULL, attempt, &o, count_drop, NULL), "vow_retry");
  EXPECT_MISUSE(vow_retry(loop, attempt, &o, count_drop, &o), "factor");
  EXPECT_MISUSE(vow_retry(loop, attempt, &o, count_drop, &q), "jitter");
  ck_assert_int_eq(arg_drops, 4);
  manual_done(loop);
}

TEST(test_retry_thousands_of_attempts_leave_memory_flat) {
  vow_loop_t *loop;
  plan_t p = {.fail = (uint32_t)test_scale(100000)};
  vow_retry_options_t o = {.attempts = UINT32_MAX};
  vow_future_t *f;
  long most;
  fault_install();
  loop = manual_loop();
  f = vow_retry(loop, attempt, &p, NULL, &o);
  vow_loop_drain(loop);
  most = fault_live() + 20;
  while (!vow_is_settled(f)) {
    vow_loop_drain(loop);
    ck_assert_int_le(fault_live(), most);
  }
  ck_assert_uint_eq(p.calls, p.fail + 1);
  EXPECT_INT(f, 42);
  manual_done(loop);
  fault_remove();
}

static void starved_retry(vow_loop_t *loop) {
  plan_t p = {.fail = 9}, q = {.fail = 1};
  vow_retry_options_t o = {.attempts = 10, .delay_ms = 1};
  vow_future_t *f = vow_retry(loop, attempt, &p, count_drop, &o);
  vow_future_t *g = vow_retry(loop, attempt, &q, count_drop, NULL);
  manual_advance(loop, 10000);
  ck_assert(vow_is_settled(f) && vow_is_settled(g));
  vow_drop(f);
  vow_drop(g);
}

TEST(test_retry_out_of_memory_loses_nothing) {
  starve(starved_retry, 2);
}

SUITE(combine_retry) {
  ADD(test_retry_first_success_ends_it_and_start_runs_later);
  ADD(test_retry_default_is_three_attempts);
  ADD(test_retry_only_attempt_passes_its_failure_unchanged);
  ADD(test_retry_giving_up_tells_all_failures);
  ADD(test_retry_pauses_grow_by_the_factor_up_to_the_limit);
  ADD(test_retry_jitter_stays_within_its_share_and_repeats_by_seed);
  ADD(test_retry_predicate_that_says_no_stops_it);
  ADD(test_retry_predicate_may_cancel_it);
  ADD(test_retry_cancelled_attempt_is_never_retried);
  ADD(test_retry_cancel_before_start_never_calls_it);
  ADD(test_retry_cancel_during_attempt_awaits_it_and_stops);
  ADD(test_retry_cancel_during_attempt_that_succeeds_gives_its_value);
  ADD(test_retry_cancel_with_failure_unread_is_cancelled_not_retried);
  ADD(test_retry_cancel_during_pause_stops_at_once);
  ADD(test_retry_start_may_cancel_the_retry_itself);
  ADD(test_retry_start_may_drop_the_retry_itself);
  ADD(test_retry_dropped_early_never_calls_start);
  ADD(test_retry_start_that_returns_rubbish_fails_without_retry);
  ADD(test_retry_start_that_returns_the_result_fails_with_ecycle);
  ADD(test_retry_bad_arguments_are_refused_by_name);
  ADD(test_retry_thousands_of_attempts_leave_memory_flat);
  ADD(test_retry_out_of_memory_loses_nothing);
}

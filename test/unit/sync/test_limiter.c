/* SPDX-License-Identifier: MIT */
/* Tests of concurrency limiters. */
#include "unit/sync/helpers.h"

#include <vow/limiter.h>

#define MOST 16

/* What the calls of a test have done, and their promises. */
typedef struct plan {
  size_t calls;
  pair_t item[MOST];
  vow_limiter_t *limiter;
  vow_future_t *result;
  int how; /* of odd_start */
} plan_t;

static vow_future_t *start_pending(vow_loop_t *loop, void *arg) {
  plan_t *p = arg;
  p->item[p->calls] = pair(loop);
  return p->item[p->calls++].f;
}

static vow_future_t *start_slow(vow_loop_t *loop, void *arg) {
  plan_t *p = arg;
  p->item[p->calls] = slow_pair(loop, NULL);
  return p->item[p->calls++].f;
}

static vow_future_t *start_ready(vow_loop_t *loop, void *arg) {
  ++*(size_t *)arg;
  return ok(loop, (int64_t)(*(size_t *)arg));
}

static void finish(plan_t *p, size_t i, vow_value_t v) {
  vow_promise_finish(p->item[i].p, v);
  p->item[i].p = NULL;
}

static void drop_promises(plan_t *p) {
  for (size_t i = 0; i < MOST; i++) vow_promise_drop(p->item[i].p);
}

TEST(test_limiter_starts_calls_when_a_slot_is_free_in_order) {
  vow_loop_t *loop = manual_loop();
  vow_limiter_t *l = vow_limiter_new(loop, 2);
  plan_t p = {0};
  vow_future_t *f[5];
  arg_drops = 0;
  for (int i = 0; i < 5; i++)
    f[i] = vow_limiter_run(l, start_pending, &p, count_drop);
  ck_assert_uint_eq(p.calls, 0); /* not in that call */
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 2);
  ck_assert_uint_eq(vow_limiter_running(l), 2);
  ck_assert_uint_eq(vow_limiter_waiting(l), 3);
  finish(&p, 1, vow_int(11));
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 3);
  ck_assert_str_eq(states(f, 5), ".S...");
  finish(&p, 0, vow_fail(UV_EIO));
  finish(&p, 2, thing());
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 5);
  finish(&p, 3, vow_int(13));
  finish(&p, 4, vow_fail(UV_ECANCELED));
  manual_drain(loop);
  ck_assert_int_eq(arg_drops, 5);
  EXPECT_FAILED(f[0], UV_EIO);
  EXPECT_INT(f[1], 11);
  ck_assert_int_eq(things_live, 1);
  EXPECT_OK(f[2]);
  ck_assert_int_eq(things_live, 0);
  EXPECT_INT(f[3], 13);
  EXPECT_CANCELLED(f[4]);
  ck_assert_uint_eq(vow_limiter_running(l), 0);
  vow_limiter_free(l);
  manual_done(loop);
}

TEST(test_limiter_of_one_runs_a_hundred_in_order) {
  vow_loop_t *loop = manual_loop();
  vow_limiter_t *l = vow_limiter_new(loop, 1);
  vow_future_t *f[100];
  size_t calls = 0;
  for (int i = 0; i < 100; i++) f[i] = vow_limiter_run(l, start_ready, &calls);
  manual_drain(loop);
  for (int i = 0; i < 100; i++) EXPECT_INT(f[i], i + 1);
  vow_limiter_free(l);
  manual_done(loop);
}

TEST(test_limiter_call_given_up_while_waiting_is_never_started) {
  vow_loop_t *loop = manual_loop();
  for (size_t k = 1; k < 4; k++)
    for (int drop = 0; drop < 2; drop++) {
      vow_limiter_t *l = vow_limiter_new(loop, 1);
      plan_t p = {0};
      vow_future_t *f[4];
      arg_drops = 0;
      for (int i = 0; i < 4; i++)
        f[i] = vow_limiter_run(l, start_pending, &p, count_drop);
      manual_drain(loop);
      if (drop)
        drop_at(f, k);
      else
        vow_cancel(f[k]);
      ck_assert_int_eq(arg_drops, 1);
      if (!drop) ck_assert_int_eq(vow_state(f[k]), VOW_CANCELLED);
      for (size_t i = 0; i < 3; i++) {
        finish(&p, i, vow_int(0));
        manual_drain(loop);
      }
      ck_assert_uint_eq(p.calls, 3);
      ck_assert_int_eq(arg_drops, 4);
      drop_all(f, 4);
      vow_limiter_free(l);
    }
  manual_done(loop);
}

TEST(test_limiter_call_given_up_before_its_start_runs_frees_the_slot) {
  vow_loop_t *loop = manual_loop();
  vow_limiter_t *l = vow_limiter_new(loop, 1);
  plan_t p = {0};
  vow_future_t *f[2];
  for (int i = 0; i < 2; i++) f[i] = vow_limiter_run(l, start_pending, &p);
  vow_cancel(f[0]); /* has the slot, and its turn in the ready queue */
  EXPECT_CANCELLED(f[0]);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  finish(&p, 0, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(f[1], 1);
  vow_limiter_free(l);
  manual_done(loop);
}

TEST(test_limiter_cancelled_call_is_awaited_and_keeps_its_slot) {
  vow_loop_t *loop = manual_loop();
  vow_limiter_t *l = vow_limiter_new(loop, 1);
  plan_t p = {0};
  vow_future_t *f[2];
  for (int i = 0; i < 2; i++) f[i] = vow_limiter_run(l, start_slow, &p);
  manual_drain(loop);
  vow_cancel(f[0]);
  manual_drain(loop);
  ck_assert(!vow_promise_is_wanted(p.item[0].p));
  ck_assert_int_eq(vow_state(f[0]), VOW_PENDING);
  ck_assert_uint_eq(p.calls, 1);
  vow_promise_drop(p.item[0].p);
  p.item[0].p = NULL;
  manual_drain(loop);
  EXPECT_CANCELLED(f[0]);
  ck_assert_uint_eq(p.calls, 2);
  vow_cancel(f[1]);
  manual_drain(loop);
  finish(&p, 1, vow_int(7)); /* succeeded all the same */
  manual_drain(loop);
  EXPECT_INT(f[1], 7);
  vow_limiter_free(l);
  manual_done(loop);
}

TEST(test_limiter_dropped_call_frees_its_slot_when_it_has_ended) {
  vow_loop_t *loop = manual_loop();
  vow_limiter_t *l = vow_limiter_new(loop, 1);
  plan_t p = {0};
  vow_drop(vow_limiter_run(l, start_slow, &p)); /* never started */
  ck_assert_uint_eq(vow_limiter_running(l), 0);
  vow_future_t *f = vow_limiter_run(l, start_slow, &p);
  manual_drain(loop);
  vow_drop(f);
  ck_assert_uint_eq(vow_limiter_running(l), 1);
  finish(&p, 0, thing());
  manual_drain(loop);
  ck_assert_uint_eq(vow_limiter_running(l), 0);
  ck_assert_int_eq(things_live, 0);
  vow_limiter_free(l);
  manual_done(loop);
}

static vow_future_t *shared_item;

static vow_future_t *start_shared(vow_loop_t *loop, void *arg) {
  (void)loop;
  (void)arg;
  return vow_ref(shared_item);
}

TEST(test_limiter_cancel_leaves_a_future_that_others_share) {
  vow_loop_t *loop = manual_loop();
  vow_limiter_t *l = vow_limiter_new(loop, 1);
  pair_t x = pair(loop);
  vow_future_t *f;
  shared_item = x.f;
  f = vow_limiter_run(l, start_shared, NULL);
  manual_drain(loop);
  vow_cancel(f);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(vow_state(x.f), VOW_PENDING);
  ck_assert_uint_eq(vow_limiter_running(l), 0);
  vow_promise_finish(x.p, vow_int(1));
  vow_drop(x.f);
  vow_limiter_free(l);
  manual_done(loop);
}

enum { GIVES_NULL, CANCELS, DROPS, FREES, RUNS_ANOTHER };

/* Does one of these, the first time. */
static vow_future_t *odd_start(vow_loop_t *loop, void *arg) {
  plan_t *p = arg;
  if (p->calls++ > 0) return ok(loop, 2);
  switch (p->how) {
  case GIVES_NULL:
    return NULL;
  case CANCELS:
    vow_cancel(p->result);
    return vow_never(loop);
  case DROPS:
    vow_drop(p->result);
    return vow_never(loop);
  case FREES:
    vow_limiter_free(p->limiter);
    break;
  default:
    vow_detach(vow_limiter_run(p->limiter, odd_start, p));
  }
  return ok(loop, 1);
}

static vow_value_t same(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_outcome(in);
}

static vow_future_t *start_cycle(vow_loop_t *loop, void *arg) {
  plan_t *p = arg;
  (void)loop;
  return vow_then(vow_ref(p->result), same, NULL);
}

TEST(test_limiter_start_may_do_odd_things) {
  for (int how = CANCELS; how <= RUNS_ANOTHER; how++) {
    vow_loop_t *loop = manual_loop();
    plan_t p = {.how = how};
    p.limiter = vow_limiter_new(loop, 1);
    p.result = vow_limiter_run(p.limiter, odd_start, &p, count_drop);
    manual_drain(loop);
    if (how == CANCELS)
      EXPECT_CANCELLED(p.result);
    else if (how != DROPS)
      EXPECT_INT(p.result, 1);
    if (how != FREES) {
      ck_assert_uint_eq(vow_limiter_running(p.limiter), 0);
      vow_limiter_free(p.limiter);
    }
    ck_assert_uint_eq(p.calls, how == RUNS_ANOTHER ? 2 : 1);
    manual_done(loop);
  }
}

TEST(test_limiter_start_that_gives_no_usable_future_fails) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  plan_t p = {.how = GIVES_NULL};
  vow_limiter_t *l = vow_limiter_new(loop, 1);
  vow_future_t *f = vow_limiter_run(l, odd_start, &p);
  manual_drain(loop);
  EXPECT_MISUSE(f, "returned NULL");
  shared_item = ok(other, 1);
  f = vow_limiter_run(l, start_shared, NULL);
  manual_drain(loop);
  EXPECT_MISUSE(f, "another loop");
  vow_drop(shared_item);
  p.result = vow_limiter_run(l, start_cycle, &p);
  manual_drain(loop);
  EXPECT_SAYS(p.result, VOW_ECYCLE, "waits for the result");
  vow_limiter_free(l);
  manual_done(other);
  manual_done(loop);
}

TEST(test_limiter_misuse_is_told) {
  vow_loop_t *loop = manual_loop();
  vow_limiter_t *l = vow_limiter_new(loop, 1);
  arg_drops = 0;
  EXPECT_MISUSE(vow_limiter_run(NULL, start_ready, NULL, count_drop),
                "limiter is NULL");
  EXPECT_MISUSE(vow_limiter_run(l, NULL, NULL, count_drop), "callback is NULL");
  ck_assert_int_eq(arg_drops, 2);
  ck_assert_ptr_null(vow_limiter_new(loop, 0));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "limit is 0"));
  ck_assert_ptr_null(vow_limiter_new(NULL, 1));
  ck_assert_uint_eq(vow_limiter_running(NULL), 0);
  ck_assert_uint_eq(vow_limiter_waiting(NULL), 0);
  vow_limiter_free(NULL);
  vow_limiter_free(l);
  manual_done(loop);
}

TEST(test_limiter_free_fails_those_who_wait_and_lets_the_rest_run) {
  vow_loop_t *loop = manual_loop();
  vow_limiter_t *l = vow_limiter_new(loop, 2);
  plan_t p = {0};
  vow_future_t *f[4];
  arg_drops = 0;
  f[0] = vow_limiter_run(l, start_pending, &p, count_drop);
  manual_drain(loop);
  for (int i = 1; i < 4; i++)
    f[i] = vow_limiter_run(l, start_pending, &p, count_drop);
  vow_limiter_free(l);
  ck_assert_str_eq(states(f, 4), "..FF");
  ck_assert_int_eq(arg_drops, 2);
  EXPECT_SAYS(vow_limiter_run(l, start_pending, &p, count_drop), VOW_ESHUTDOWN,
              "the limiter was freed");
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 2);
  finish(&p, 0, vow_int(0));
  manual_drain(loop);
  finish(&p, 1, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(f[0], 0);
  EXPECT_INT(f[1], 1);
  EXPECT_SAYS(f[2], VOW_ESHUTDOWN, "the limiter was freed");
  EXPECT_SAYS(f[3], VOW_ESHUTDOWN, "the limiter was freed");
  ck_assert_int_eq(arg_drops, 5);
  manual_done(loop);
}

static void free_limiter(void *arg) {
  plan_t *p = arg;
  vow_limiter_t *l = p->limiter;
  p->limiter = NULL;
  vow_limiter_free(l);
}

TEST(test_limiter_may_be_freed_while_an_arg_is_released) {
  vow_loop_t *loop = manual_loop();
  for (int cancel = 0; cancel < 2; cancel++) {
    plan_t p = {.limiter = vow_limiter_new(loop, 1)};
    size_t calls = 0;
    vow_future_t *f[3];
    f[0] = cancel ? vow_limiter_run(p.limiter, start_pending, &p)
                  : vow_limiter_run(p.limiter, start_pending, &p, free_limiter);
    f[1] = cancel ? vow_limiter_run(p.limiter, start_pending, &p, free_limiter)
                  : vow_limiter_run(p.limiter, start_pending, &p);
    f[2] = vow_limiter_run(p.limiter, start_ready, &calls);
    manual_drain(loop);
    if (cancel) vow_cancel(f[1]);
    finish(&p, 0, vow_int(3));
    manual_drain(loop);
    EXPECT_INT(f[0], 3);
    if (cancel)
      EXPECT_CANCELLED(f[1]);
    else
      EXPECT_FAILED(f[1], VOW_ESHUTDOWN);
    EXPECT_FAILED(f[2], VOW_ESHUTDOWN);
    ck_assert_uint_eq(calls, 0);
  }
  manual_done(loop);
}

TEST(test_limiter_loop_that_closes_ends_all_calls) {
  vow_loop_t *loop = manual_loop();
  vow_limiter_t *l = vow_limiter_new(loop, 1);
  plan_t p = {0};
  vow_future_t *f[3];
  for (int i = 0; i < 3; i++) f[i] = vow_limiter_run(l, start_pending, &p);
  manual_drain(loop);
  manual_close(loop);
  ck_assert_str_eq(states(f, 3), "CCC");
  drop_all(f, 3);
  drop_promises(&p);
  vow_limiter_free(l);
}

static void starved_body(vow_loop_t *loop) {
  vow_limiter_t *l = vow_limiter_new(loop, 1);
  vow_future_t *f[3];
  size_t calls = 0;
  if (l == NULL) {
    arg_drops = 3;
    return;
  }
  for (int i = 0; i < 3; i++)
    f[i] = vow_limiter_run(l, start_ready, &calls, count_drop);
  manual_drain(loop);
  for (int i = 0; i < 3; i++) ck_assert_int_ne(vow_status(f[i]), UV_EAGAIN);
  ck_assert_uint_eq(vow_limiter_running(l), 0);
  drop_all(f, 3);
  vow_limiter_free(l);
}

TEST(test_limiter_out_of_memory_anywhere_frees_the_slot) {
  starve(starved_body, 3);
}

SUITE(sync_limiter) {
  ADD(test_limiter_starts_calls_when_a_slot_is_free_in_order);
  ADD(test_limiter_of_one_runs_a_hundred_in_order);
  ADD(test_limiter_call_given_up_while_waiting_is_never_started);
  ADD(test_limiter_call_given_up_before_its_start_runs_frees_the_slot);
  ADD(test_limiter_cancelled_call_is_awaited_and_keeps_its_slot);
  ADD(test_limiter_dropped_call_frees_its_slot_when_it_has_ended);
  ADD(test_limiter_cancel_leaves_a_future_that_others_share);
  ADD(test_limiter_start_may_do_odd_things);
  ADD(test_limiter_start_that_gives_no_usable_future_fails);
  ADD(test_limiter_misuse_is_told);
  ADD(test_limiter_free_fails_those_who_wait_and_lets_the_rest_run);
  ADD(test_limiter_may_be_freed_while_an_arg_is_released);
  ADD(test_limiter_loop_that_closes_ends_all_calls);
  ADD(test_limiter_out_of_memory_anywhere_frees_the_slot);
}

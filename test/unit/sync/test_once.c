/* SPDX-License-Identifier: MIT */
/* Tests of onces: one makes the value for all; who leaves hands on. */
#include "unit/sync/helpers.h"

#include <vow/once.h>

#define MOST 16

typedef struct plan {
  size_t calls;
  pair_t item[MOST];
  vow_once_t *once;
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

static vow_future_t *start_shared(vow_loop_t *loop, void *arg) {
  if (arg != NULL) ++*(size_t *)arg;
  return vow_ready(loop, shared_thing());
}

static void finish(plan_t *p, size_t i, vow_value_t v) {
  vow_promise_finish(p->item[i].p, v);
  p->item[i].p = NULL;
}

static void drop_promises(plan_t *p) {
  for (size_t i = 0; i < MOST; i++) vow_promise_drop(p->item[i].p);
}

static void run_n(vow_once_t *o, plan_t *p, vow_future_t **f, size_t n) {
  for (size_t i = 0; i < n; i++)
    f[i] = vow_once_run(o, start_pending, p, count_drop);
}

/* ---- the value ------------------------------------------------------------ */

TEST(test_once_makes_the_value_one_time_for_all) {
  vow_loop_t *loop = manual_loop();
  vow_once_t *o = vow_once_new(loop);
  plan_t p = {0};
  vow_future_t *f[3];
  arg_drops = 0;
  run_n(o, &p, f, 3);
  ck_assert_uint_eq(p.calls, 0); /* not in that call */
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  ck_assert(!vow_once_is_done(o));
  finish(&p, 0, shared_thing());
  manual_drain(loop);
  ck_assert_str_eq(states(f, 3), "SSS");
  ck_assert_int_eq(arg_drops, 3);
  ck_assert_int_eq(things_live, 4); /* o has one, too */
  ck_assert(vow_once_is_done(o));
  ck_assert_ptr_eq(vow_value_get(vow_once_value(o), &type_shared),
                   &things_live);
  drop_all(f, 3);
  f[0] = vow_once_run(o, start_pending, &p, count_drop);
  ck_assert_int_eq(vow_status(f[0]), 0); /* at once */
  ck_assert_int_eq(arg_drops, 4);
  ck_assert_uint_eq(p.calls, 1);
  vow_drop(f[0]);
  vow_once_free(o);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_once_value_that_cannot_be_shared_stays_inside) {
  vow_loop_t *loop = manual_loop();
  vow_once_t *o = vow_once_new(loop);
  plan_t p = {0};
  vow_future_t *f[2];
  run_n(o, &p, f, 2);
  manual_drain(loop);
  finish(&p, 0, thing());
  manual_drain(loop);
  ck_assert_int_eq(things_live, 1);
  for (int i = 0; i < 2; i++) {
    ck_assert_int_eq(vow_status(f[i]), 0);
    ck_assert_ptr_null(vow_peek(f[i]).type);
  }
  ck_assert_ptr_nonnull(vow_value_get(vow_once_value(o), &type_thing));
  drop_all(f, 2);
  vow_once_free(o);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_once_failure_lets_the_next_one_try) {
  vow_loop_t *loop = manual_loop();
  vow_once_t *o = vow_once_new(loop);
  plan_t p = {0};
  vow_future_t *f[4];
  arg_drops = 0;
  run_n(o, &p, f, 3);
  manual_drain(loop);
  finish(&p, 0, vow_fail(UV_EIO));
  manual_drain(loop);
  ck_assert_str_eq(states(f, 3), "F..");
  ck_assert_int_eq(arg_drops, 1);
  ck_assert_uint_eq(p.calls, 2);
  finish(&p, 1, vow_fail(UV_ECANCELED));
  manual_drain(loop);
  ck_assert_str_eq(states(f, 3), "FC.");
  finish(&p, 2, vow_fail(UV_EPIPE));
  manual_drain(loop);
  EXPECT_FAILED(f[0], UV_EIO);
  EXPECT_CANCELLED(f[1]);
  EXPECT_FAILED(f[2], UV_EPIPE);
  f[3] = vow_once_run(o, start_pending, &p, count_drop);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 4);
  finish(&p, 3, vow_int(9));
  manual_drain(loop);
  EXPECT_INT(f[3], 9);
  ck_assert_int_eq(arg_drops, 4);
  vow_once_free(o);
  manual_done(loop);
}

/* ---- leaving -------------------------------------------------------------- */

TEST(test_once_caller_that_leaves_hands_on_what_it_started) {
  vow_loop_t *loop = manual_loop();
  for (size_t k = 0; k < 3; k++)
    for (int drop = 0; drop < 2; drop++) {
      vow_once_t *o = vow_once_new(loop);
      plan_t p = {0};
      vow_future_t *f[3];
      arg_drops = 0;
      run_n(o, &p, f, 3);
      manual_drain(loop);
      if (drop)
        drop_at(f, k);
      else
        vow_cancel(f[k]);
      ck_assert(vow_promise_is_wanted(p.item[0].p));
      ck_assert_int_eq(arg_drops, 1);
      finish(&p, 0, vow_int(5));
      manual_drain(loop);
      ck_assert_uint_eq(p.calls, 1);
      for (size_t i = 0; i < 3; i++) {
        if (i != k)
          EXPECT_INT(f[i], 5);
        else if (!drop)
          EXPECT_CANCELLED(f[i]);
      }
      ck_assert_int_eq(arg_drops, 3);
      vow_once_free(o);
    }
  manual_done(loop);
}

TEST(test_once_failure_after_handing_on_goes_to_the_heir) {
  vow_loop_t *loop = manual_loop();
  vow_once_t *o = vow_once_new(loop);
  plan_t p = {0};
  vow_future_t *f[3];
  run_n(o, &p, f, 3);
  manual_drain(loop);
  drop_at(f, 0);
  finish(&p, 0, vow_fail(UV_EIO));
  manual_drain(loop);
  EXPECT_FAILED(f[1], UV_EIO);
  ck_assert_uint_eq(p.calls, 2);
  finish(&p, 1, vow_int(1));
  manual_drain(loop);
  EXPECT_INT(f[2], 1);
  vow_once_free(o);
  manual_done(loop);
}

TEST(test_once_caller_that_leaves_before_its_start_ran_skips_it) {
  vow_loop_t *loop = manual_loop();
  vow_once_t *o = vow_once_new(loop);
  plan_t p = {0};
  size_t calls = 0;
  vow_future_t *f = vow_once_run(o, start_pending, &p, count_drop);
  vow_future_t *g = vow_once_run(o, start_shared, &calls);
  arg_drops = 0;
  vow_cancel(f);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(arg_drops, 1);
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 0);
  ck_assert_uint_eq(calls, 1);
  EXPECT_OK(g);
  vow_once_free(o);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_once_last_that_leaves_cancels_and_awaits_the_making) {
  vow_loop_t *loop = manual_loop();
  vow_once_t *o = vow_once_new(loop);
  plan_t p = {0};
  vow_future_t *f = vow_once_run(o, start_slow, &p, count_drop), *g;
  arg_drops = 0;
  manual_drain(loop);
  vow_cancel(f);
  manual_drain(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert(!vow_promise_is_wanted(p.item[0].p));
  g = vow_once_run(o, start_slow, &p); /* waits for the end of that */
  manual_drain(loop);
  ck_assert_uint_eq(p.calls, 1);
  ck_assert_int_eq(arg_drops, 0);
  vow_promise_drop(p.item[0].p);
  manual_drain(loop);
  ck_assert_int_eq(arg_drops, 1);
  EXPECT_CANCELLED(f);
  ck_assert_uint_eq(p.calls, 2);
  vow_cancel(g);
  manual_drain(loop);
  finish(&p, 1, vow_int(2)); /* succeeds all the same: it is kept */
  manual_drain(loop);
  EXPECT_INT(g, 2);
  ck_assert(vow_once_is_done(o));
  vow_once_free(o);
  manual_done(loop);
}

static vow_future_t *item;

static vow_future_t *start_item(vow_loop_t *loop, void *arg) {
  (void)loop;
  (void)arg;
  return vow_ref(item);
}

TEST(test_once_cancel_leaves_a_future_that_others_share) {
  vow_loop_t *loop = manual_loop();
  vow_once_t *o = vow_once_new(loop);
  pair_t x = pair(loop);
  vow_future_t *f;
  item = x.f;
  f = vow_once_run(o, start_item, NULL);
  manual_drain(loop);
  vow_cancel(f);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(vow_state(x.f), VOW_PENDING);
  vow_promise_finish(x.p, vow_int(1));
  f = vow_once_run(o, start_item, NULL);
  manual_drain(loop);
  EXPECT_INT(f, 1);
  vow_drop(x.f);
  vow_once_free(o);
  manual_done(loop);
}

/* ---- odd callbacks -------------------------------------------------------- */

enum { GIVES_NULL, CYCLE, OWN_CYCLE, CANCELS, DROPS, FREES };

static vow_value_t same(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_outcome(in);
}

static vow_future_t *odd_start(vow_loop_t *loop, void *arg) {
  plan_t *p = arg;
  p->calls++;
  switch (p->how) {
  case GIVES_NULL:
    return NULL;
  case CYCLE:
    return vow_then(vow_ref(p->result), same, NULL);
  case OWN_CYCLE:
    return vow_then(vow_once_run(p->once, odd_start, p), same, NULL);
  case CANCELS:
    vow_cancel(p->result);
    break;
  case DROPS:
    vow_drop(p->result);
    break;
  default:
    vow_once_free(p->once);
  }
  return vow_never(loop);
}

TEST(test_once_start_may_do_odd_things) {
  for (int how = GIVES_NULL; how <= FREES; how++) {
    vow_loop_t *loop = manual_loop();
    plan_t p = {.how = how};
    p.once = vow_once_new(loop);
    p.result = vow_once_run(p.once, odd_start, &p, count_drop);
    arg_drops = 0;
    manual_drain(loop);
    ck_assert_int_eq(arg_drops, 1);
    ck_assert_uint_eq(p.calls, 1);
    if (how == GIVES_NULL) EXPECT_MISUSE(p.result, "returned NULL");
    if (how == CYCLE) EXPECT_SAYS(p.result, VOW_ECYCLE, "for the result");
    if (how == OWN_CYCLE) EXPECT_SAYS(p.result, VOW_ECYCLE, "the same once");
    if (how == CANCELS) EXPECT_CANCELLED(p.result);
    if (how == FREES) EXPECT_SAYS(p.result, VOW_ESHUTDOWN, "once was freed");
    if (how != FREES) vow_once_free(p.once);
    manual_done(loop);
  }
}

TEST(test_once_start_that_gives_a_future_of_another_loop_fails) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  vow_once_t *o = vow_once_new(loop);
  vow_future_t *f;
  item = ok(other, 1);
  f = vow_once_run(o, start_item, NULL);
  manual_drain(loop);
  EXPECT_MISUSE(f, "another loop");
  vow_drop(item);
  vow_once_free(o);
  manual_done(other);
  manual_done(loop);
}

static void free_once(void *arg) {
  plan_t *p = arg;
  vow_once_t *o = p->once;
  p->once = NULL;
  vow_once_free(o);
}

/* In the midst of telling all of the value; after a failure; on leaving. */
TEST(test_once_may_be_freed_while_an_arg_is_released) {
  for (int how = 0; how < 3; how++) {
    vow_loop_t *loop = manual_loop();
    plan_t p = {.once = vow_once_new(loop)};
    vow_future_t *f[3];
    f[0] = vow_once_run(p.once, start_pending, &p, free_once);
    f[1] = vow_once_run(p.once, start_pending, &p);
    f[2] = vow_once_run(p.once, start_pending, &p);
    manual_drain(loop);
    if (how == 2) vow_cancel(f[1]);
    if (how == 0) finish(&p, 0, shared_thing());
    if (how == 1) finish(&p, 0, vow_fail(UV_EIO));
    if (how == 2) vow_cancel(f[0]); /* its arg goes with the making */
    manual_drain(loop);
    if (how == 2) finish(&p, 0, shared_thing());
    manual_drain(loop);
    ck_assert_ptr_null(p.once);
    ck_assert_str_eq(states(f, 3), how == 0 ? "SFF" : how == 1 ? "FFF" : "CCS");
    for (int i = 0; i < 3; i++) (void)vow_status(f[i]);
    drop_all(f, 3);
    ck_assert_int_eq(things_live, 0);
    drop_promises(&p);
    manual_done(loop);
  }
}

/* ---- ends ----------------------------------------------------------------- */

TEST(test_once_free_fails_those_who_wait) {
  for (int phase = 0; phase < 3; phase++) {
    vow_loop_t *loop = manual_loop();
    vow_once_t *o = vow_once_new(loop);
    plan_t p = {0};
    vow_future_t *f[2];
    arg_drops = 0;
    f[0] = vow_once_run(o, start_slow, &p, count_drop);
    f[1] = vow_once_run(o, start_slow, &p, count_drop);
    if (phase > 0) manual_drain(loop);
    vow_once_free(o);
    if (phase > 0) {
      ck_assert_str_eq(states(f, 2), ".F");
      if (phase == 1)
        vow_promise_drop(p.item[0].p);
      else
        finish(&p, 0, thing());
      manual_drain(loop);
    }
    EXPECT_SAYS(f[0], VOW_ESHUTDOWN, "the once was freed");
    EXPECT_SAYS(f[1], VOW_ESHUTDOWN, "the once was freed");
    ck_assert_int_eq(arg_drops, 2);
    ck_assert_int_eq(things_live, 0);
    manual_done(loop);
  }
}

TEST(test_once_freed_while_it_is_made_of_a_shared_future_fails_at_once) {
  vow_loop_t *loop = manual_loop();
  vow_once_t *o = vow_once_new(loop);
  pair_t x = pair(loop);
  vow_future_t *f;
  item = x.f;
  f = vow_once_run(o, start_item, NULL);
  manual_drain(loop);
  vow_once_free(o);
  EXPECT_SAYS(f, VOW_ESHUTDOWN, "the once was freed");
  vow_promise_finish(x.p, vow_int(1));
  vow_drop(x.f);
  manual_done(loop);
}

TEST(test_once_misuse_is_told) {
  vow_loop_t *loop = manual_loop();
  vow_once_t *o = vow_once_new(loop);
  arg_drops = 0;
  EXPECT_MISUSE(vow_once_run(NULL, start_shared, NULL, count_drop), "NULL");
  EXPECT_MISUSE(vow_once_run(o, NULL, NULL, count_drop), "callback is NULL");
  ck_assert_int_eq(arg_drops, 2);
  ck_assert_ptr_null(vow_once_new(NULL));
  ck_assert(!vow_once_is_done(NULL));
  ck_assert_ptr_null(vow_once_value(NULL).type);
  vow_once_free(NULL);
  vow_once_free(o);
  manual_done(loop);
}

TEST(test_once_loop_that_closes_ends_all) {
  vow_loop_t *loop = manual_loop();
  vow_once_t *o = vow_once_new(loop);
  plan_t p = {0};
  vow_future_t *f[3];
  run_n(o, &p, f, 3);
  manual_drain(loop);
  manual_close(loop);
  for (int i = 0; i < 3; i++) EXPECT_CANCELLED(f[i]);
  drop_promises(&p);
  vow_once_free(o);
}

static void starved_body(vow_loop_t *loop) {
  vow_once_t *o = vow_once_new(loop);
  vow_future_t *f[3];
  size_t calls = 0;
  if (o == NULL) {
    arg_drops = 3;
    return;
  }
  for (int i = 0; i < 3; i++)
    f[i] = vow_once_run(o, start_shared, i < 2 ? &calls : NULL, count_drop);
  manual_drain(loop);
  for (int i = 0; i < 3; i++) ck_assert_int_ne(vow_status(f[i]), UV_EAGAIN);
  drop_all(f, 3);
  f[0] = vow_once_run(o, start_shared, NULL);
  vow_once_free(o);
  manual_drain(loop);
  ck_assert_int_ne(vow_status(f[0]), UV_EAGAIN);
  vow_drop(f[0]);
}

TEST(test_once_out_of_memory_anywhere_leaks_nothing) {
  starve(starved_body, 3);
}

SUITE(sync_once) {
  ADD(test_once_makes_the_value_one_time_for_all);
  ADD(test_once_value_that_cannot_be_shared_stays_inside);
  ADD(test_once_failure_lets_the_next_one_try);
  ADD(test_once_caller_that_leaves_hands_on_what_it_started);
  ADD(test_once_failure_after_handing_on_goes_to_the_heir);
  ADD(test_once_caller_that_leaves_before_its_start_ran_skips_it);
  ADD(test_once_last_that_leaves_cancels_and_awaits_the_making);
  ADD(test_once_cancel_leaves_a_future_that_others_share);
  ADD(test_once_start_may_do_odd_things);
  ADD(test_once_start_that_gives_a_future_of_another_loop_fails);
  ADD(test_once_may_be_freed_while_an_arg_is_released);
  ADD(test_once_free_fails_those_who_wait);
  ADD(test_once_freed_while_it_is_made_of_a_shared_future_fails_at_once);
  ADD(test_once_misuse_is_told);
  ADD(test_once_loop_that_closes_ends_all);
  ADD(test_once_out_of_memory_anywhere_leaks_nothing);
}

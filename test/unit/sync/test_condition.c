/* SPDX-License-Identifier: MIT */
/* Tests of conditions: rule 21. Waits of both kinds: for a hold by hand, and
 * with a permit. */
#include "unit/sync/helpers.h"

#include <vow/condition.h>

#define N 4

typedef struct scene {
  vow_loop_t *loop;
  vow_mutex_t *m;
  vow_condition_t *c;
} scene_t;

static scene_t scene(void) {
  scene_t s;
  s.loop = manual_loop();
  s.m = vow_mutex_new(s.loop);
  s.c = vow_condition_new(s.loop);
  return s;
}

static void done(scene_t s) {
  ck_assert(!vow_mutex_is_held(s.m));
  ck_assert_uint_eq(vow_mutex_waiting(s.m), 0);
  ck_assert_uint_eq(vow_condition_waiting(s.c), 0);
  vow_condition_free(s.c);
  vow_mutex_free(s.m);
  manual_done(s.loop);
}

/* A wait whose caller takes the mutex for it first. */
static vow_future_t *by_hand(scene_t s) {
  ck_assert(vow_mutex_try_acquire(s.m));
  return vow_condition_wait(s.c, s.m);
}

static vow_future_t *by_value(scene_t s) {
  ck_assert(vow_mutex_try_acquire(s.m));
  return vow_condition_wait_permit(s.c, vow_mutex_permit(s.m));
}

/* ---- waking --------------------------------------------------------------- */

TEST(test_condition_wait_releases_and_rule_21_reacquires_before_it_settles) {
  scene_t s = scene();
  vow_future_t *f = by_hand(s);
  ck_assert(!vow_mutex_is_held(s.m));
  ck_assert(vow_mutex_try_acquire(s.m));
  ck_assert_uint_eq(vow_condition_notify(s.c, 1), 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING); /* woken, but not let in */
  vow_mutex_release(s.m);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  ck_assert(!vow_mutex_try_acquire(s.m));
  vow_drop(f);
  ck_assert(vow_mutex_is_held(s.m)); /* by hand, as before */
  vow_mutex_release(s.m);
  done(s);
}

TEST(test_condition_wait_with_a_permit_gives_a_permit) {
  scene_t s = scene();
  vow_future_t *f = by_value(s);
  ck_assert(!vow_mutex_is_held(s.m));
  vow_condition_notify(s.c, 1);
  ck_assert_ptr_eq(vow_get(f, &vow_type_mutex_permit), s.m);
  ck_assert(vow_mutex_is_held(s.m));
  vow_drop(f);
  done(s);
}

TEST(test_condition_notify_wakes_the_first_and_they_take_turns) {
  scene_t s = scene();
  vow_future_t *f[N];
  for (size_t i = 0; i < N; i++) f[i] = by_value(s);
  ck_assert_uint_eq(vow_condition_waiting(s.c), N);
  ck_assert_uint_eq(vow_condition_notify(s.c, 2), 2);
  ck_assert_str_eq(states(f, N), "S...");
  drop_at(f, 0);
  ck_assert_str_eq(states(f, N), " S..");
  drop_at(f, 1);
  ck_assert_str_eq(states(f, N), "  ..");
  ck_assert(!vow_mutex_is_held(s.m));
  ck_assert_uint_eq(vow_condition_notify(s.c, 9), 2);
  drop_at(f, 2);
  drop_at(f, 3);
  ck_assert_uint_eq(vow_condition_notify(s.c, 1), 0);
  done(s);
}

TEST(test_condition_notify_all_wakes_everybody_in_order) {
  scene_t s = scene();
  vow_future_t *f[N];
  for (size_t i = 0; i < N; i++) f[i] = i % 2 ? by_hand(s) : by_value(s);
  ck_assert(vow_mutex_try_acquire(s.m));
  ck_assert_uint_eq(vow_condition_notify_all(s.c), N);
  ck_assert_str_eq(states(f, N), "....");
  vow_mutex_release(s.m);
  for (size_t i = 0; i < N; i++) {
    for (size_t k = 0; k < N; k++)
      ck_assert_int_eq(f[k] != NULL && vow_is_settled(f[k]), k == i);
    drop_at(f, i);
    if (i % 2) vow_mutex_release(s.m);
  }
  done(s);
}

/* Those who wait for different mutexes do not wait for each other. */
TEST(test_condition_serves_waits_with_different_mutexes) {
  scene_t s = scene();
  vow_mutex_t *other = vow_mutex_new(s.loop);
  vow_future_t *f = by_value(s), *g;
  ck_assert(vow_mutex_try_acquire(other));
  g = vow_condition_wait_permit(s.c, vow_mutex_permit(other));
  ck_assert_uint_eq(vow_condition_notify_all(s.c), 2);
  ck_assert_ptr_eq(vow_get(f, &vow_type_mutex_permit), s.m);
  ck_assert_ptr_eq(vow_get(g, &vow_type_mutex_permit), other);
  vow_drop(f);
  vow_drop(g);
  vow_mutex_free(other);
  done(s);
}

/* ---- rule 21 -------------------------------------------------------------- */

TEST(test_condition_rule_21_cancelled_waiter_is_not_notified) {
  for (size_t k = 0; k < N; k++) {
    scene_t s = scene();
    vow_future_t *f[N];
    for (size_t i = 0; i < N; i++) f[i] = by_value(s);
    vow_cancel(f[k]);
    ck_assert_int_eq(vow_state(f[k]), VOW_CANCELLED);
    ck_assert(!vow_mutex_is_held(s.m));
    drop_at(f, k);
    ck_assert_uint_eq(vow_condition_notify(s.c, N - 1), N - 1);
    for (size_t i = 0; i < N; i++)
      if (f[i] != NULL) {
        ck_assert_int_eq(vow_state(f[i]), VOW_SUCCEEDED);
        drop_at(f, i);
      }
    done(s);
  }
}

/* The one that was notified is cancelled while it waits for the mutex. */
static void pass_on(bool hand, bool drop, bool all) {
  scene_t s = scene();
  vow_future_t *f[3];
  for (size_t i = 0; i < 3; i++) f[i] = hand ? by_hand(s) : by_value(s);
  ck_assert(vow_mutex_try_acquire(s.m));
  if (all)
    vow_condition_notify_all(s.c);
  else
    vow_condition_notify(s.c, 1);
  ck_assert_uint_eq(vow_condition_waiting(s.c), all ? 0 : 2);
  if (drop)
    drop_at(f, 0);
  else
    vow_cancel(f[0]);
  ck_assert_uint_eq(vow_condition_waiting(s.c), all ? 0 : 1);
  vow_mutex_release(s.m);
  if (hand && !drop) { /* its turn comes first: it gets the mutex, too */
    ck_assert_str_eq(states(f, 3), "C..");
    ck_assert(vow_mutex_is_held(s.m));
    vow_mutex_release(s.m);
  }
  ck_assert_int_eq(vow_state(f[1]), VOW_SUCCEEDED);
  ck_assert_int_eq(vow_state(f[2]), VOW_PENDING);
  drop_at(f, 1);
  if (hand) vow_mutex_release(s.m);
  vow_condition_notify(s.c, 1);
  ck_assert_int_eq(vow_state(f[2]), VOW_SUCCEEDED);
  drop_all(f, 3);
  if (hand) vow_mutex_release(s.m);
  done(s);
}

TEST(test_condition_rule_21_notify_to_a_cancelled_waiter_goes_to_the_next) {
  for (int i = 0; i < 8; i++) pass_on(i & 1, i & 2, i & 4);
}

TEST(test_condition_rule_21_cancelled_wait_reacquires_before_it_settles) {
  scene_t s = scene();
  vow_future_t *f = by_hand(s);
  ck_assert(vow_mutex_try_acquire(s.m));
  vow_cancel(f);
  vow_cancel(f);
  manual_drain(s.loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_uint_eq(vow_condition_waiting(s.c), 0);
  vow_mutex_release(s.m);
  ck_assert_int_eq(vow_state(f), VOW_CANCELLED);
  ck_assert(vow_mutex_is_held(s.m));
  vow_mutex_release(s.m);
  vow_drop(f);
  f = by_hand(s); /* with nobody in the way it holds it at once */
  vow_cancel(f);
  ck_assert_int_eq(vow_state(f), VOW_CANCELLED);
  ck_assert(vow_mutex_is_held(s.m));
  vow_mutex_release(s.m);
  vow_drop(f);
  done(s);
}

TEST(test_condition_rule_21_timeout_reports_with_the_mutex_held) {
  scene_t s = scene();
  vow_future_t *f = vow_timeout(by_hand(s), 10);
  ck_assert(vow_mutex_try_acquire(s.m));
  manual_advance(s.loop, 20);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_mutex_release(s.m);
  manual_drain(s.loop);
  ck_assert_int_eq(vow_status(f), UV_ETIMEDOUT);
  ck_assert(vow_mutex_is_held(s.m));
  vow_mutex_release(s.m);
  vow_drop(f);
  done(s);
}

TEST(test_condition_rule_17_granted_wait_is_delivered_though_cancelled) {
  scene_t s = scene();
  vow_future_t *f = by_value(s);
  vow_condition_notify(s.c, 1);
  vow_cancel(f);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  vow_drop(f); /* undelivered: goes back */
  done(s);
}

/* ---- given up ------------------------------------------------------------- */

TEST(test_condition_wait_dropped_at_any_time_leaves_the_mutex_free) {
  for (int i = 0; i < 16; i++) {
    scene_t s = scene();
    bool hand = i & 1, notified = i & 2, held = i & 4, granted = i & 8;
    vow_future_t *f;
    if (hand && granted) continue; /* then it is the caller's */
    f = hand ? by_hand(s) : by_value(s);
    if (held) ck_assert(vow_mutex_try_acquire(s.m));
    if (notified) vow_condition_notify(s.c, 1);
    if (held && granted) vow_mutex_release(s.m);
    if (hand && notified && !held) {
      vow_mutex_release(s.m); /* had been granted */
      vow_drop(f);
      done(s);
      continue;
    }
    vow_drop(f);
    if (held && !granted) vow_mutex_release(s.m);
    manual_drain(s.loop);
    done(s);
  }
}

TEST(test_condition_detached_wait_gives_the_mutex_back) {
  scene_t s = scene();
  vow_detach(by_hand(s));
  vow_detach(by_value(s));
  vow_condition_notify_all(s.c);
  done(s);
}

static vow_value_t wait_again(vow_future_t *in, void *arg) {
  scene_t *s = arg;
  return vow_follow(vow_condition_wait_permit(s->c, vow_outcome(in)));
}

TEST(test_condition_chain_dropped_while_it_waits_leaves_no_trace) {
  scene_t s = scene();
  vow_future_t *f = vow_then(vow_mutex_acquire(s.m), wait_again, &s);
  manual_drain(s.loop);
  ck_assert_uint_eq(vow_condition_waiting(s.c), 1);
  ck_assert(!vow_mutex_is_held(s.m));
  vow_drop(f);
  ck_assert_uint_eq(vow_condition_waiting(s.c), 0);
  done(s);
}

/* ---- freeing -------------------------------------------------------------- */

TEST(test_condition_free_fails_those_who_wait) {
  scene_t s = scene();
  vow_future_t *f[3] = {by_hand(s), by_value(s), by_hand(s)};
  vow_condition_free(s.c);
  ck_assert_str_eq(states(f, 3), "FF.");
  ck_assert(vow_mutex_is_held(s.m));
  EXPECT_SAYS(f[0], VOW_ESHUTDOWN, "the condition was freed");
  EXPECT_SAYS(f[1], VOW_ESHUTDOWN, "the condition was freed");
  vow_cancel(f[2]); /* comes too late to matter */
  vow_mutex_release(s.m);
  EXPECT_SAYS(f[2], VOW_ESHUTDOWN, "the condition was freed");
  vow_mutex_release(s.m);
  vow_mutex_free(s.m);
  manual_done(s.loop);
}

TEST(test_condition_wait_whose_mutex_was_freed_fails) {
  scene_t s = scene();
  vow_future_t *f[3] = {by_hand(s), by_value(s), by_hand(s)};
  ck_assert(vow_mutex_try_acquire(s.m));
  vow_condition_notify(s.c, 1); /* one that waits for the mutex already */
  vow_mutex_free(s.m);
  ck_assert_str_eq(states(f, 3), "F..");
  EXPECT_SAYS(f[0], VOW_ESHUTDOWN, "the mutex was freed");
  vow_condition_notify(s.c, 1);
  EXPECT_SAYS(f[1], VOW_ESHUTDOWN, "the mutex was freed");
  vow_cancel(f[2]);
  EXPECT_SAYS(f[2], VOW_ESHUTDOWN, "the mutex was freed");
  EXPECT_SAYS(vow_condition_wait(s.c, s.m), VOW_ESHUTDOWN, "mutex was freed");
  vow_condition_free(s.c);
  manual_done(s.loop);
}

TEST(test_condition_misuse_is_told_and_the_mutex_kept) {
  scene_t s = scene();
  vow_loop_t *other = manual_loop();
  vow_condition_t *far = vow_condition_new(other);
  EXPECT_MISUSE(vow_condition_wait(s.c, s.m), "not held");
  EXPECT_MISUSE(vow_condition_wait(s.c, NULL), "mutex is NULL");
  ck_assert(vow_mutex_try_acquire(s.m));
  EXPECT_MISUSE(vow_condition_wait(NULL, s.m), "condition is NULL");
  EXPECT_MISUSE(vow_condition_wait(far, s.m), "different loops");
  ck_assert(vow_mutex_is_held(s.m));
  EXPECT_MISUSE(vow_condition_wait_permit(NULL, vow_mutex_permit(s.m)),
                "condition is NULL");
  ck_assert(!vow_mutex_is_held(s.m));
  EXPECT_MISUSE(vow_condition_wait_permit(NULL, vow_nil()), "NULL");
  EXPECT_MISUSE(vow_condition_wait_permit(s.c, thing()), "no mutex permit");
  ck_assert_int_eq(things_live, 0);
  EXPECT_FAILED(vow_condition_wait_permit(s.c, vow_fail(UV_EIO)), UV_EIO);
  ck_assert_uint_eq(vow_condition_notify(NULL, 1), 0);
  ck_assert_uint_eq(vow_condition_notify_all(NULL), 0);
  ck_assert_uint_eq(vow_condition_waiting(NULL), 0);
  ck_assert_ptr_null(vow_condition_new(NULL));
  vow_condition_free(NULL);
  vow_condition_free(far);
  manual_done(other);
  done(s);
}

TEST(test_condition_loop_that_closes_cancels_those_who_wait) {
  scene_t s = scene();
  vow_future_t *f[3] = {by_value(s), by_hand(s), by_value(s)};
  manual_close(s.loop);
  ck_assert_str_eq(states(f, 3), "CCC");
  ck_assert(vow_mutex_is_held(s.m)); /* again, by the caller of f[1] */
  drop_all(f, 3);
  vow_mutex_release(s.m);
  vow_condition_free(s.c);
  vow_mutex_free(s.m);
}

static void starved_body(vow_loop_t *loop) {
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_condition_t *c = vow_condition_new(loop);
  if (m != NULL && c != NULL) {
    vow_future_t *f, *g;
    ck_assert(vow_mutex_try_acquire(m));
    f = vow_condition_wait(c, m);
    ck_assert_int_eq(vow_mutex_is_held(m), vow_is_settled(f));
    if (vow_is_settled(f)) vow_mutex_release(m);
    ck_assert(vow_mutex_try_acquire(m));
    g = vow_condition_wait_permit(c, vow_mutex_permit(m));
    ck_assert(!vow_mutex_is_held(m));
    if (vow_condition_notify(c, 1) == 1 && vow_mutex_is_held(m) &&
        vow_state(f) == VOW_SUCCEEDED)
      vow_mutex_release(m);
    vow_drop(f);
    vow_drop(g);
    ck_assert(!vow_mutex_is_held(m));
    ck_assert(vow_mutex_try_acquire(m));
    g = vow_condition_wait_permit(c, vow_mutex_permit(m));
    vow_condition_free(c);
    ck_assert(vow_is_settled(g));
    vow_drop(g);
    c = NULL;
  }
  vow_condition_free(c);
  vow_mutex_free(m);
}

TEST(test_condition_out_of_memory_anywhere_keeps_the_hold) {
  starve(starved_body, 0);
}

SUITE(sync_condition) {
  ADD(test_condition_wait_releases_and_rule_21_reacquires_before_it_settles);
  ADD(test_condition_wait_with_a_permit_gives_a_permit);
  ADD(test_condition_notify_wakes_the_first_and_they_take_turns);
  ADD(test_condition_notify_all_wakes_everybody_in_order);
  ADD(test_condition_serves_waits_with_different_mutexes);
  ADD(test_condition_rule_21_cancelled_waiter_is_not_notified);
  ADD(test_condition_rule_21_notify_to_a_cancelled_waiter_goes_to_the_next);
  ADD(test_condition_rule_21_cancelled_wait_reacquires_before_it_settles);
  ADD(test_condition_rule_21_timeout_reports_with_the_mutex_held);
  ADD(test_condition_rule_17_granted_wait_is_delivered_though_cancelled);
  ADD(test_condition_wait_dropped_at_any_time_leaves_the_mutex_free);
  ADD(test_condition_detached_wait_gives_the_mutex_back);
  ADD(test_condition_chain_dropped_while_it_waits_leaves_no_trace);
  ADD(test_condition_free_fails_those_who_wait);
  ADD(test_condition_wait_whose_mutex_was_freed_fails);
  ADD(test_condition_misuse_is_told_and_the_mutex_kept);
  ADD(test_condition_loop_that_closes_cancels_those_who_wait);
  ADD(test_condition_out_of_memory_anywhere_keeps_the_hold);
}

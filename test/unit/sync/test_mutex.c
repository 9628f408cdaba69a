/* SPDX-License-Identifier: MIT */
/* Tests of mutexes: rule 20, permits and holds by hand, freeing, closing. */
#include "unit/sync/helpers.h"

#include <vow/mutex.h>

#define N 5

static void line_up(vow_mutex_t *m, vow_future_t **f, size_t n) {
  for (size_t i = 0; i < n; i++) f[i] = vow_mutex_acquire(m);
}

/* ---- taking and giving back ----------------------------------------------- */

TEST(test_mutex_that_is_free_is_acquired_at_once) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_future_t *f = vow_mutex_acquire(m);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_ptr_eq(vow_get(f, &vow_type_mutex_permit), m);
  ck_assert(vow_mutex_is_held(m));
  vow_drop(f);
  ck_assert(!vow_mutex_is_held(m));
  vow_mutex_free(m);
  manual_done(loop);
}

TEST(test_mutex_try_acquire_holds_until_release) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  ck_assert(vow_mutex_try_acquire(m));
  ck_assert(!vow_mutex_try_acquire(m));
  ck_assert_int_eq(vow_mutex_release(m), 0);
  ck_assert(vow_mutex_try_acquire(m));
  ck_assert_int_eq(vow_mutex_release(m), 0);
  vow_mutex_free(m);
  manual_done(loop);
}

TEST(test_mutex_permit_becomes_a_hold_by_hand_and_back) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_future_t *f = vow_mutex_acquire(m);
  ck_assert_ptr_eq(vow_mutex_hold(vow_outcome(f)), m);
  vow_drop(f);
  ck_assert(vow_mutex_is_held(m));
  f = vow_ready(loop, vow_mutex_permit(m));
  ck_assert(vow_mutex_is_held(m));
  vow_drop(f);
  ck_assert(!vow_mutex_is_held(m));
  vow_mutex_free(m);
  manual_done(loop);
}

TEST(test_mutex_hold_of_another_value_destroys_it) {
  vow_loop_t *loop = manual_loop();
  ck_assert_ptr_null(vow_mutex_hold(thing()));
  ck_assert_int_eq(things_live, 0);
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "mutex permit"));
  ck_assert_ptr_null(vow_mutex_hold(vow_nil()));
  ck_assert_ptr_null(vow_mutex_hold(vow_fail(UV_ECANCELED)));
  manual_done(loop);
}

TEST(test_mutex_permit_cannot_be_shared) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_future_t *f = vow_mutex_acquire(m), *g = vow_ref(f);
  vow_value_t v;
  ck_assert_ptr_null(vow_take(f, &vow_type_mutex_permit));
  ck_assert_int_eq(vow_take_value(f, &v), VOW_EMOVED);
  vow_drop(f);
  ck_assert(vow_mutex_is_held(m));
  vow_drop(g);
  ck_assert(!vow_mutex_is_held(m));
  vow_mutex_free(m);
  manual_done(loop);
}

TEST(test_mutex_misuse_is_told) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  ck_assert_int_eq(vow_mutex_release(m), UV_EINVAL);
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "not held"));
  ck_assert_int_eq(vow_mutex_release(NULL), UV_EINVAL);
  ck_assert(!vow_mutex_try_acquire(NULL));
  ck_assert(!vow_mutex_is_held(NULL));
  ck_assert_uint_eq(vow_mutex_waiting(NULL), 0);
  EXPECT_MISUSE(vow_mutex_acquire(NULL), "vow_mutex_acquire");
  vow_mutex_free(NULL);
  vow_mutex_free(m);
  ck_assert_ptr_null(vow_mutex_new(NULL));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "vow_mutex_new"));
  manual_done(loop);
}

/* ---- rule 20 -------------------------------------------------------------- */

TEST(test_mutex_rule_20_is_handed_on_in_the_order_of_asking) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_future_t *f[N];
  line_up(m, f, N);
  ck_assert_uint_eq(vow_mutex_waiting(m), N - 1);
  ck_assert_str_eq(states(f, N), "S....");
  drop_at(f, 0);
  ck_assert_str_eq(states(f, N), " S...");
  drop_at(f, 1);
  ck_assert_str_eq(states(f, N), "  S..");
  drop_all(f, N);
  ck_assert(!vow_mutex_is_held(m));
  vow_mutex_free(m);
  manual_done(loop);
}

TEST(test_mutex_rule_20_nobody_overtakes_a_waiter) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_future_t *f[2];
  ck_assert(vow_mutex_try_acquire(m));
  line_up(m, f, 2);
  ck_assert_int_eq(vow_mutex_release(m), 0);
  ck_assert_str_eq(states(f, 2), "S.");
  ck_assert(!vow_mutex_try_acquire(m));
  drop_at(f, 0); /* nobody has run yet */
  ck_assert(!vow_mutex_try_acquire(m));
  drop_at(f, 1);
  ck_assert(vow_mutex_try_acquire(m));
  vow_mutex_release(m);
  vow_mutex_free(m);
  manual_done(loop);
}

/* Rule 20: at every position in the line, by each way of giving up. */
static void give_up_at(size_t k, int how) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_token_t *t = vow_token_new(loop);
  vow_future_t *f[N];
  ck_assert(vow_mutex_try_acquire(m));
  line_up(m, f, N);
  if (how == 2) f[k] = vow_with_token(f[k], t);
  if (how == 3) f[k] = vow_timeout(f[k], 5);
  if (how == 0) vow_cancel(f[k]);
  if (how == 1) drop_at(f, k);
  if (how == 2) vow_token_cancel(t, UV_EINTR);
  manual_advance(loop, 10);
  ck_assert_uint_eq(vow_mutex_waiting(m), N - 1);
  ck_assert(f[k] == NULL || vow_status(f[k]) < 0);
  drop_at(f, k);
  vow_mutex_release(m);
  for (size_t i = 0; i < N; i++) {
    if (f[i] == NULL) continue;
    ck_assert_int_eq(vow_state(f[i]), VOW_SUCCEEDED);
    drop_at(f, i);
  }
  ck_assert(!vow_mutex_is_held(m));
  vow_token_free(t);
  vow_mutex_free(m);
  manual_done(loop);
}

TEST(test_mutex_rule_20_cancelled_waiter_leaves_at_any_place) {
  for (size_t k = 0; k < N; k++)
    for (int how = 0; how < 4; how++) give_up_at(k, how);
}

TEST(test_mutex_rule_20_granted_and_dropped_goes_to_the_next) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_future_t *f[3];
  line_up(m, f, 3);
  drop_at(f, 0);
  ck_assert_str_eq(states(f, 3), " S.");
  vow_cancel(f[1]); /* comes too late: it is delivered */
  ck_assert_str_eq(states(f, 3), " S.");
  drop_at(f, 1);
  ck_assert_str_eq(states(f, 3), "  S");
  drop_at(f, 2);
  ck_assert(!vow_mutex_is_held(m));
  vow_mutex_free(m);
  manual_done(loop);
}

static vow_value_t never_called(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  ck_abort_msg("called");
  return vow_nil();
}

/* Rule 20: granted, but the callback that would have got it was given up. */
TEST(test_mutex_rule_20_chain_given_up_after_the_grant_passes_it_on) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  for (int drop = 0; drop < 2; drop++) {
    vow_future_t *f[3];
    line_up(m, f, 3);
    f[1] = vow_then(f[1], never_called, NULL);
    drop_at(f, 0);
    if (drop)
      drop_at(f, 1);
    else
      vow_cancel(f[1]);
    manual_drain(loop);
    ck_assert_str_eq(states(f, 3), drop ? "  S" : " CS");
    drop_all(f, 3);
    ck_assert(!vow_mutex_is_held(m));
  }
  vow_mutex_free(m);
  manual_done(loop);
}

static vow_value_t count_and_release(vow_future_t *in, void *arg) {
  vow_mutex_t *m = vow_mutex_hold(vow_outcome(in));
  ck_assert_ptr_nonnull(m);
  ++*(size_t *)arg;
  vow_mutex_release(m);
  return vow_nil();
}

TEST(test_mutex_chain_of_a_thousand_runs_one_after_the_other) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  size_t runs = 0;
  for (int i = 0; i < 1000; i++)
    vow_detach(vow_then(vow_mutex_acquire(m), count_and_release, &runs));
  manual_drain(loop);
  ck_assert_uint_eq(runs, 1000);
  ck_assert(!vow_mutex_is_held(m));
  vow_mutex_free(m);
  manual_done(loop);
}

/* Each comes back in the call that grants it: that must not recurse. */
TEST(test_mutex_many_waiters_nobody_wants_do_not_use_the_stack) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  size_t n = test_scale(300000);
  ck_assert(vow_mutex_try_acquire(m));
  for (size_t i = 0; i < n; i++) vow_detach(vow_mutex_acquire(m));
  ck_assert_uint_eq(vow_mutex_waiting(m), n);
  vow_mutex_release(m);
  ck_assert_uint_eq(vow_mutex_waiting(m), 0);
  ck_assert(!vow_mutex_is_held(m));
  vow_mutex_free(m);
  manual_done(loop);
}

/* ---- freeing -------------------------------------------------------------- */

TEST(test_mutex_free_fails_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_future_t *f[3];
  line_up(m, f, 3);
  vow_mutex_free(m);
  ck_assert_str_eq(states(f, 3), "SFF");
  EXPECT_SAYS(f[1], VOW_ESHUTDOWN, "the mutex was freed");
  EXPECT_SAYS(f[2], VOW_ESHUTDOWN, "the mutex was freed");
  vow_drop(f[0]); /* the last that held it */
  manual_done(loop);
}

TEST(test_mutex_freed_while_held_lets_nobody_in) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  ck_assert(vow_mutex_try_acquire(m));
  vow_mutex_free(m);
  ck_assert(!vow_mutex_try_acquire(m));
  EXPECT_SAYS(vow_mutex_acquire(m), VOW_ESHUTDOWN, "the mutex was freed");
  ck_assert_int_eq(vow_mutex_release(m), 0);
  manual_done(loop);
}

static vow_mutex_t *hook_mutex;

static void release_in_hook(vow_future_t *f, void *arg) {
  (void)arg;
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  unhandled++;
  if (hook_mutex != NULL) vow_mutex_release(hook_mutex);
  hook_mutex = NULL;
}

/* A waiter nobody wants fails in the midst of freeing: the hook runs. */
TEST(test_mutex_hook_may_release_what_is_being_freed) {
  vow_loop_options_t options = {0};
  vow_loop_t *loop;
  vow_future_t *f;
  options.on_unhandled = release_in_hook;
  loop = manual_loop_with(&options);
  unhandled = 0;
  hook_mutex = vow_mutex_new(loop);
  ck_assert(vow_mutex_try_acquire(hook_mutex));
  vow_detach(vow_mutex_acquire(hook_mutex));
  f = vow_mutex_acquire(hook_mutex);
  vow_mutex_free(hook_mutex);
  ck_assert_int_eq(unhandled, 1);
  ck_assert_ptr_null(hook_mutex);
  EXPECT_SAYS(f, VOW_ESHUTDOWN, "the mutex was freed");
  manual_done(loop);
}

/* ---- the loop closes ------------------------------------------------------ */

TEST(test_mutex_loop_that_closes_cancels_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_future_t *f[3];
  line_up(m, f, 3);
  manual_close(loop);
  ck_assert_str_eq(states(f, 3), "SCC");
  ck_assert_uint_eq(vow_mutex_waiting(m), 0);
  drop_all(f, 3);
  ck_assert(!vow_mutex_is_held(m));
  EXPECT_FAILED(vow_mutex_acquire(m), VOW_ESHUTDOWN);
  ck_assert(!vow_mutex_is_held(m));
  ck_assert(vow_mutex_try_acquire(m));
  vow_mutex_free(m);
  ck_assert_int_eq(vow_mutex_release(m), 0);
}

TEST(test_mutex_new_on_a_closed_loop_says_so) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *keep = vow_ready(loop, vow_nil());
  manual_close(loop);
  ck_assert_ptr_null(vow_mutex_new(loop));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "closed"));
  vow_drop(keep);
}

/* ---- want of memory ------------------------------------------------------- */

static void starved_body(vow_loop_t *loop) {
  vow_mutex_t *m = vow_mutex_new(loop);
  vow_future_t *f[3];
  if (m == NULL) {
    ck_assert_ptr_nonnull(strstr(vow_last_message(), "vow_mutex_new"));
    return;
  }
  line_up(m, f, 3);
  for (size_t i = 0; i < 3; i++) {
    int err = vow_status(f[i]);
    ck_assert(err == 0 || err == UV_ENOMEM || err == UV_EAGAIN);
  }
  drop_at(f, 0);
  ck_assert_int_ne(vow_status(f[1]), UV_EAGAIN);
  drop_all(f, 3);
  ck_assert(!vow_mutex_is_held(m));
  ck_assert(vow_mutex_try_acquire(m));
  f[0] = vow_mutex_acquire(m);
  vow_mutex_free(m);
  ck_assert_int_ne(vow_status(f[0]), UV_EAGAIN);
  vow_drop(f[0]);
  vow_mutex_release(m);
}

TEST(test_mutex_out_of_memory_anywhere_loses_no_permit) {
  starve(starved_body, 0);
}

SUITE(sync_mutex) {
  ADD(test_mutex_that_is_free_is_acquired_at_once);
  ADD(test_mutex_try_acquire_holds_until_release);
  ADD(test_mutex_permit_becomes_a_hold_by_hand_and_back);
  ADD(test_mutex_hold_of_another_value_destroys_it);
  ADD(test_mutex_permit_cannot_be_shared);
  ADD(test_mutex_misuse_is_told);
  ADD(test_mutex_rule_20_is_handed_on_in_the_order_of_asking);
  ADD(test_mutex_rule_20_nobody_overtakes_a_waiter);
  ADD(test_mutex_rule_20_cancelled_waiter_leaves_at_any_place);
  ADD(test_mutex_rule_20_granted_and_dropped_goes_to_the_next);
  ADD(test_mutex_rule_20_chain_given_up_after_the_grant_passes_it_on);
  ADD(test_mutex_chain_of_a_thousand_runs_one_after_the_other);
  ADD(test_mutex_many_waiters_nobody_wants_do_not_use_the_stack);
  ADD(test_mutex_free_fails_those_who_wait);
  ADD(test_mutex_freed_while_held_lets_nobody_in);
  ADD(test_mutex_hook_may_release_what_is_being_freed);
  ADD(test_mutex_loop_that_closes_cancels_those_who_wait);
  ADD(test_mutex_new_on_a_closed_loop_says_so);
  ADD(test_mutex_out_of_memory_anywhere_loses_no_permit);
}

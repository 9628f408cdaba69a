/* SPDX-License-Identifier: MIT */
/* Chains, promises, tokens, and what iterators and operations of users' own are
 * made with. */
#include "support/tap.h"
#include "unit/torture/torture.h"

/* ---- chains --------------------------------------------------------------- */

SCENE(test_torture_chain_carries_a_thing) {
  vow_future_t *f = vow_ready(loop, thing());
  f = vow_then(f, swap_thing, thing_arg(), thing_drop);
  f = vow_catch(f, rescue, thing_arg(), thing_drop);
  f = vow_handle(f, pass_on, thing_arg(), thing_drop);
  f = vow_finally(f, pause_a_moment, thing_arg(), thing_drop);
  f = vow_keep(f, thing_arg(), thing_drop);
  VOW_TRY(v, f);
  CALMLY(v.type == &torture_thing);
  vow_value_destroy(v);
  VOW_TRY_NIL(vow_sleep_until(loop, vow_loop_now_ms(loop) + 2));
  return vow_nil();
}

static vow_value_t fail_with_text(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_failf(UV_EPROTO, "number %d is not to be had", 7);
}

static vow_value_t fail_with_cause(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_fail_cause(UV_EIO, vow_outcome(in), "all is %s", "lost");
}

static vow_value_t fail_because(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_fail_because(vow_fail(UV_EPIPE), vow_outcome(in));
}

static vow_value_t fail_twice(vow_future_t *in, void *arg) {
  vow_value_t both[2] = {vow_outcome(in), vow_failf(UV_EACCES, "and this")};
  (void)arg;
  return vow_fail_multi(2, both, 0);
}

SCENE(test_torture_failure_keeps_its_code) {
  vow_future_t *f = vow_then(vow_sleep(loop, 1), fail_with_text, NULL);
  f = vow_catch(f, fail_with_cause, thing_arg(), thing_drop);
  f = vow_catch(f, fail_because, thing_arg(), thing_drop);
  f = vow_catch(f, fail_twice, thing_arg(), thing_drop);
  CALMLY(vow_await_status(vow_ref(f)) == UV_EPIPE);
  f = vow_catch(f, rescue, NULL);
  VOW_TRY_NIL(f);
  return vow_nil();
}

SCENE(test_torture_shared_future_serves_all) {
  vow_future_t *f = vow_ready(loop, shared_thing());
  vow_future_t *a = vow_then(vow_ref(f), pass_on, thing_arg(), thing_drop);
  vow_future_t *b = vow_then(vow_ref(f), pass_on, thing_arg(), thing_drop);
  vow_detach(vow_then(vow_ref(f), pause_a_moment, thing_arg(), thing_drop));
  vow_drop(vow_then(f, pause_a_moment, thing_arg(), thing_drop));
  VOW_TRY_NIL(vow_gather_of(loop, a, b));
  return vow_nil();
}

SCENE(test_torture_cancelled_chain_cleans_up) {
  vow_future_t *f = vow_never(loop);
  f = vow_then(f, swap_thing, thing_arg(), thing_drop);
  f = vow_finally(f, pause_a_moment, thing_arg(), thing_drop);
  f = vow_handle(f, pass_on, thing_arg(), thing_drop);
  vow_cancel(f);
  CALMLY(vow_await_status(f) == UV_ECANCELED);
  f = vow_finally(vow_never(loop), pause_a_moment, thing_arg(), thing_drop);
  vow_drop(vow_then(f, swap_thing, thing_arg(), thing_drop));
  VOW_TRY_NIL(vow_sleep(loop, 5));
  return vow_nil();
}

/* ---- promises ------------------------------------------------------------- */

static struct {
  vow_promise_t *promise;
  vow_remote_t *remote;
} hand;

static void settle_by_hand(vow_loop_t *loop, void *arg) {
  (void)loop;
  (void)arg;
  if (hand.promise != NULL) vow_promise_finish(hand.promise, thing());
  if (hand.remote != NULL) vow_remote_settle(hand.remote, thing());
  hand.promise = NULL;
  hand.remote = NULL;
}

static void give_up(vow_promise_t *p, void *arg) {
  (void)arg;
  vow_promise_finish(p, vow_fail(UV_ECANCELED));
  hand.promise = NULL;
}

SCENE(test_torture_promise_is_settled_once) {
  vow_future_t *f = vow_promise_new(loop, &hand.promise);
  hand.remote = NULL;
  (void)vow_promise_on_cancel(hand.promise, give_up, NULL);
  if (vow_post(loop, settle_by_hand, thing_arg(), thing_drop) != 0)
    settle_by_hand(loop, NULL);
  VOW_TRY_NIL(f);
  f = vow_promise_new(loop, &hand.promise);
  ck_assert_int_ne(vow_resolve(hand.promise, vow_follow(thing_in(loop, 2))), 1);
  ck_assert_int_ne(vow_resolve(hand.promise, thing()), 0);
  vow_promise_drop(hand.promise);
  hand.promise = NULL;
  VOW_TRY_NIL(f);
  f = vow_promise_new(loop, &hand.promise);
  vow_promise_drop(hand.promise);
  hand.promise = NULL;
  CALMLY(vow_await_status(f) == VOW_EBROKEN);
  return vow_nil();
}

SCENE(test_torture_remote_promise_is_settled_once) {
  vow_promise_t *p;
  vow_future_t *f = vow_promise_new(loop, &p);
  hand.promise = NULL;
  hand.remote = vow_promise_remote(p);
  if (vow_post(loop, settle_by_hand, thing_arg(), thing_drop) != 0)
    settle_by_hand(loop, NULL);
  VOW_TRY_NIL(f);
  return vow_nil();
}

/* ---- tokens --------------------------------------------------------------- */

ENDER(end_token, vow_token_t, vow_token_free)

static void count_reason(int reason, void *arg) {
  (void)arg;
  ck_assert_int_lt(reason, 0);
}

static vow_value_t close_token(void *t) {
  (void)vow_await_status(vow_token_close(t));
  return vow_nil();
}

SCENE(test_torture_token_tree_ends_what_is_bound) {
  vow_token_t *top = vow_token_new(loop), *child, *linked, *timed;
  vow_future_t *a, *b, *c;
  NEED(top);
  LATER(end_token, top);
  NEED(child = vow_token_child(top));
  LATER(end_token, child);
  NEED(timed = vow_token_deadline(top, 20));
  LATER(end_token, timed);
  NEED(linked = vow_token_linked(2, (vow_token_t *[]){child, timed}));
  LATER(end_token, linked);
  LATER(close_token, linked);
  (void)vow_token_watch(child, count_reason, thing_arg(), thing_drop);
  vow_token_unwatch(
      vow_token_watch(linked, count_reason, thing_arg(), thing_drop));
  (void)vow_token_watch(linked, count_reason, thing_arg(), thing_drop);
  a = vow_with_token(thing_in(loop, 5), linked);
  VOW_TRY_NIL(a);
  a = vow_with_token(thing_in(loop, 50), child);
  b = vow_with_token(
      vow_finally(vow_never(loop), pause_a_moment, thing_arg(), thing_drop),
      linked);
  c = vow_token_future(linked);
  a = vow_gather_settled_of(loop, a, b, c);
  VOW_TRY_NIL(vow_timeout(a, 100));
  VOW_TRY_NIL(vow_token_close(top));
  return vow_nil();
}

SCENE(test_torture_token_cancelled_by_post) {
  vow_token_t *t = vow_token_new(loop);
  vow_future_t *f;
  NEED(t);
  LATER(end_token, t);
  f = vow_with_token(vow_never(loop), t);
  if (vow_token_cancel_post(t, UV_EPIPE) != 0) vow_token_cancel(t, UV_EPIPE);
  CALMLY(vow_await_status(f) == UV_EPIPE);
  return vow_nil();
}

/* ---- iterators of users' own ---------------------------------------------- */

static vow_future_t *view_close(void *source) {
  thing_drop(source);
  return NULL;
}

static struct {
  vow_loop_t *loop;
  int left;
} queue_of_things;

static vow_future_t *next_of_queue(const char *site, void *source) {
  (void)source;
  if (queue_of_things.left-- > 0) return thing_in(queue_of_things.loop, 1);
  return vow_ready_at(site, queue_of_things.loop, vow_fail(UV_EOF));
}

SCENE(test_torture_view_gives_all) {
  static const vow_iter_view_t view = {"things", next_of_queue, view_close, 0};
  vow_value_t failure;
  int n = 0;
  queue_of_things.loop = loop;
  queue_of_things.left = 3;
  VOW_FOR(step, vow_iter_view(loop, thing_arg(), &view), &failure) {
    n++;
  }
  CALMLY(n == 3);
  return failure;
}

SCENE(test_torture_own_iterator_is_closed) {
  static tap_t tap;
  vow_iter_t *it;
  vow_value_t failure;
  int n = 0;
  memset(&tap, 0, sizeof tap);
  tap.numbers = 5;
  tap.queued = true;
  it = tap_new(loop, &tap);
  VOW_FOR(step, it, &failure) {
    if (++n == 3) break;
  }
  CALMLY(n == 3);
  return failure;
}

SUITE(torture_core) {
  ADD(test_torture_chain_carries_a_thing);
  ADD(test_torture_failure_keeps_its_code);
  ADD(test_torture_shared_future_serves_all);
  ADD(test_torture_cancelled_chain_cleans_up);
  ADD(test_torture_promise_is_settled_once);
  ADD(test_torture_remote_promise_is_settled_once);
  ADD(test_torture_token_tree_ends_what_is_bound);
  ADD(test_torture_token_cancelled_by_post);
  ADD(test_torture_view_gives_all);
  ADD(test_torture_own_iterator_is_closed);
}

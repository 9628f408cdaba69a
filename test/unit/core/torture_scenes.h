/* SPDX-License-Identifier: MIT */
/* The program that test_torture.c tortures: scenes that between them use
 * everything of core and the combinators, and put what they make into one
 * table. */
#ifndef VOW_TEST_CORE_TORTURE_SCENES_H
#define VOW_TEST_CORE_TORTURE_SCENES_H

#include "unit/core/helpers.h"

#include <vow/as_completed.h>
#include <vow/gather.h>
#include <vow/map.h>
#include <vow/race.h>
#include <vow/repeat.h>
#include <vow/retry.h>
#include <vow/time.h>
#include <vow/timeout.h>
#include <vow/token.h>

#define MAX_OUT      128
#define MAX_PROMISES 128
#define MAX_TRACKED  1024

static struct {
  vow_loop_t *loop;
  vow_future_t *out[MAX_OUT]; /* NULL once given up */
  size_t n_out;
  vow_promise_t *promise[MAX_PROMISES]; /* NULL once finished */
  size_t n_promises, next_promise;
  int drops[MAX_TRACKED];
  size_t n_tracked;
  vow_token_t *token[8];
  size_t n_tokens;
  vow_completed_t *completed;
  int again;
} g;

/* ---- what scenes are made of ----------------------------------------------
 */

/** An arg whose releases are counted. */
static void *track(void) {
  ck_assert_uint_lt(g.n_tracked, MAX_TRACKED);
  return &g.drops[g.n_tracked++];
}

static void untrack(void *arg) {
  ++*(int *)arg;
}

static void out(vow_future_t *f) {
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_lt(g.n_out, MAX_OUT);
  g.out[g.n_out++] = f;
}

static vow_future_t *promised(bool with_hook) {
  vow_promise_t *p;
  vow_future_t *f = vow_promise_new(g.loop, &p);
  ck_assert_uint_lt(g.n_promises, MAX_PROMISES);
  if (with_hook && p != NULL) vow_promise_on_cancel(p, raise_count, NULL);
  if (p != NULL) g.promise[g.n_promises++] = p;
  return f;
}

static vow_token_t *keep(vow_token_t *t) {
  if (t != NULL) g.token[g.n_tokens++] = t;
  return t;
}

static vow_value_t again_here(vow_future_t *in, void *arg) {
  (void)in;
  if (g.again++ == 5) return vow_int(1);
  return vow_follow(vow_then(vow_sleep(g.loop, 0), again_here, arg));
}

static vow_value_t number(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_int(1);
}

static vow_value_t thing(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return many();
}

static vow_value_t text(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_stringf("%d", 42);
}

static vow_value_t fail_it(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_fail_cause(UV_EPROTO, vow_outcome(in), "scene %d", 1);
}

static vow_value_t wait(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_follow(vow_then(vow_sleep(g.loop, 3), thing, track(), untrack));
}

static vow_value_t await_promise(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_follow(promised(true));
}

static vow_value_t take(vow_future_t *in, void *arg) {
  thing_t *t = vow_take(in, &type_many);
  (void)arg;
  return t != NULL ? vow_ptr(t, &type_many) : vow_fail_last();
}

/* ---- the scenes -----------------------------------------------------------
 */

static vow_future_t *long_chain(vow_future_t *f) {
  f = vow_then(f, thing, track(), untrack);
  f = vow_then(f, take, track(), untrack);
  f = vow_finally(f, wait, track(), untrack);
  f = vow_then(f, text, track(), untrack);
  f = vow_catch(f, await_promise, track(), untrack);
  f = vow_then(f, fail_it, track(), untrack);
  f = vow_handle(f, await_promise, track(), untrack);
  return vow_then(f, number, track(), untrack);
}

static void scene_chains(void) {
  vow_future_t *f = promised(true);
  out(long_chain(promised(false)));
  out(long_chain(vow_ready(g.loop, vow_string("start"))));
  out(long_chain(vow_ready(g.loop, vow_failf(UV_EIO, "start"))));
  out(vow_then(vow_ref(f), number, track(), untrack));
  out(vow_finally(vow_ref(f), fail_it, track(), untrack));
  out(vow_handle(f, same, track(), untrack));
  out(vow_then(vow_sleep(g.loop, 0), again_here, track(), untrack));
  vow_detach(vow_then(promised(false), wait, track(), untrack));
  vow_drop(vow_finally(promised(true), await_promise, track(), untrack));
  out(vow_ready(g.loop, vow_follow(promised(false))));
  out(vow_sleep_until(g.loop, 1007));
  out(vow_error(g.out[0]) == NULL ? vow_ready(g.loop, vow_fail(UV_EIO))
                                  : vow_ready(g.loop, many()));
}

static void see_watch(int reason, void *arg) {
  (void)arg;
  ck_assert_int_lt(reason, 0);
}

static void see_post(vow_loop_t *loop, void *arg) {
  (void)arg;
  out(vow_then(vow_sleep(loop, 1), number, track(), untrack));
}

static void scene_tokens(void) {
  vow_token_t *t = keep(vow_token_new(g.loop)), *child, *both[2];
  vow_future_t *f;
  if (t == NULL) return;
  child = vow_token_child(t);
  keep(vow_token_deadline(t, 4));
  both[0] = t;
  both[1] = child != NULL ? child : t;
  f = vow_with_token(long_chain(promised(true)), both[1]);
  out(f);
  out(vow_with_token(wait(NULL, NULL).as.p, t));
  vow_token_watch(both[1], see_watch, track(), untrack);
  vow_token_unwatch(vow_token_watch(t, see_watch, track(), untrack));
  out(vow_token_future(both[1]));
  keep(vow_token_linked(2, both));
  vow_token_free(child); /* what hangs on it goes over to t */
  out(vow_with_token(promised(false), g.token[g.n_tokens - 1]));
  vow_token_cancel_post(g.token[g.n_tokens - 1], UV_EINTR);
  out(vow_token_close(t));
}

static void scene_threads(void) {
  vow_promise_t *p;
  vow_loop_unref(vow_loop_ref(g.loop));
  vow_post(g.loop, see_post, track(), untrack);
  out(vow_promise_new(g.loop, &p));
  vow_remote_settle(vow_promise_remote(p), many());
  out(vow_promise_new(g.loop, &p));
  vow_remote_drop(vow_promise_remote(p));
}

static vow_future_t *step_later(vow_loop_t *loop, uint64_t i, void *arg) {
  (void)arg;
  return vow_then(vow_sleep(loop, i % 2), i < 3 ? number : thing, track(),
                  untrack);
}

static vow_future_t *repeat_some(vow_loop_t *loop, uint64_t i, void *arg) {
  (void)arg;
  return i < 3 ? vow_ready(loop, vow_again()) : vow_ready(loop, many());
}

static vow_future_t *attempt(vow_loop_t *loop, uint32_t n, void *arg) {
  (void)arg;
  return n < 3 ? vow_ready(loop, vow_failf(UV_EIO, "attempt %u", n))
               : vow_then(vow_sleep(loop, 1), thing, track(), untrack);
}

static vow_future_t *item(vow_loop_t *loop, size_t i, void *arg) {
  (void)arg;
  if (i == 2) return vow_ready(loop, vow_failf(UV_EIO, "item"));
  return vow_finally(vow_sleep(loop, i), wait, track(), untrack);
}

static void scene_combine(void) {
  vow_loop_t *loop = g.loop;
  vow_future_t *shared = promised(true);
  vow_retry_options_t o = {0};
  o.attempts = 4;
  o.delay_ms = 2;
  out(vow_gather_of(loop, vow_ready(loop, many()), promised(true),
                    vow_ref(shared), wait(NULL, NULL).as.p));
  out(vow_gather_of(loop, promised(true), vow_ready(loop, vow_fail(UV_EIO)),
                    vow_then(promised(true), fail_it, NULL)));
  out(vow_gather_settled_of(loop, long_chain(promised(true)), vow_ref(shared),
                            vow_ready(loop, vow_failf(UV_EIO, "x"))));
  out(vow_race_of(loop, long_chain(promised(true)), vow_sleep(loop, 2),
                  vow_ref(shared)));
  out(vow_any_of(loop, vow_ready(loop, vow_failf(UV_EIO, "any")),
                 vow_then(vow_sleep(loop, 1), fail_it, track(), untrack)));
  out(vow_timeout(vow_finally(promised(true), wait, track(), untrack), 2));
  out(vow_deadline(vow_timeout(promised(false), 50), 1005));
  out(vow_shield(wait(NULL, NULL).as.p));
  out(vow_retry(loop, attempt, track(), untrack, &o));
  out(vow_repeat(loop, repeat_some, track(), untrack));
  out(vow_repeat_times(loop, 4, step_later, track(), untrack));
  out(vow_map(loop, 5, 2, item, track(), untrack));
  out(vow_map_settled(loop, 4, 3, item, track(), untrack));
  g.completed = vow_as_completed_of(loop, vow_sleep(loop, 3), promised(true),
                                    shared, vow_ready(loop, many()));
  for (int i = 0; i < 3; i++) out(vow_completed_next(g.completed));
}

#endif

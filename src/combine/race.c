/* SPDX-License-Identifier: MIT */
/* race and any: one operation with a waiter per input and the outcome that
 * won. The failures that `any` collects stand behind the waiters.
 *
 * How this works: as in gather, left counts the inputs whose end is awaited,
 * and is lowered only after what may run a user's destructor. */
#include "combine/inputs.h"
#include "combine/values.h"

#include "base/errno.h"
#include <vow/race.h>

enum {
  RUNNING,   /* nobody has won */
  DECIDED,   /* result is the winner's outcome; losers unwind */
  CANCELLED, /* result is nil, or the first failure in an input's clean-up */
  FINISHED
};

typedef struct race {
  vow_op_t op;
  size_t n;
  size_t left;
  vow_waiter_t *waiters;
  vow_value_t *causes; /* any: the failures so far, nil elsewhere; else NULL */
  vow_value_t result;
  uint8_t phase;
} race_t;

static void drop_causes(race_t *r) {
  for (size_t i = 0; r->causes != NULL && i < r->n; i++)
    vow_value_destroy(r->causes[i]);
}

static void race_finish(race_t *r) {
  const char *site = vow_site(vow_op_future(r));
  uint8_t phase = r->phase;
  vow_value_t v = r->result;
  r->phase = FINISHED;
  if (phase == RUNNING)
    v = vow_fail_multi_at(site, r->n, r->causes, r->n);
  else
    drop_causes(r);
  if (phase == CANCELLED)
    v = vow__cancelled_because(site, vow_fail(UV_ECANCELED), v);
  vow_release(r->waiters);
  r->waiters = NULL;
  r->causes = NULL;
  vow_op_settle(r, v);
}

/* True when w's input is unwinding: its end will come to ready. One that has
 * settled, before (it lost by a hair) or in this call, is released; its
 * failure counts as seen. */
static bool stop_loser(vow_waiter_t *w, vow_future_t *f) {
  if (vow_is_settled(f)) (void)vow_status(f);
  if (!vow_waiter_cancel(w)) return false;
  if (!vow_is_settled(f)) return true;
  (void)vow_status(f);
  vow_waiter_release(w);
  return false;
}

static void decide(race_t *r, vow_value_t result) {
  r->phase = DECIDED;
  r->result = result;
  for (size_t i = 0; i < r->n; i++) {
    vow_waiter_t *w = &r->waiters[i];
    vow_future_t *f = vow_waiter_future(w);
    if (f != NULL && !stop_loser(w, f)) r->left--;
  }
}

/* An outcome while RUNNING. */
static void consider(race_t *r, size_t i, vow_future_t *f) {
  vow_value_t v = vow_outcome(f);
  if (r->phase != RUNNING) /* the value's ref cancelled us */
    vow_value_destroy(v);
  else if (r->causes != NULL && vow_value_is_failure(v))
    r->causes[i] = v;
  else
    decide(r, v);
}

static void outcome(race_t *r, size_t i, vow_future_t *f) {
  if (r->phase == RUNNING)
    consider(r, i, f);
  else if (r->result.type == NULL && vow_state(f) == VOW_FAILED)
    r->result = vow_outcome(f);
  vow_drop(f);
}

static void race_ready(void *op, vow_waiter_t *w) {
  race_t *r = op;
  if (r->phase == DECIDED)
    vow_waiter_release(w);
  else
    outcome(r, (size_t)(w - r->waiters), vow_waiter_take(w));
  if (--r->left == 0) race_finish(r);
}

static void race_cancel(void *op) {
  race_t *r = op;
  if (r->phase != RUNNING) return;
  r->phase = CANCELLED;
  r->left++; /* nothing settles us before the end of this function */
  r->left -= vow__waiters_cancel(r->waiters, r->n);
  if (--r->left == 0) race_finish(r);
}

static void race_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                         void *arg) {
  const race_t *r = op;
  vow__waiters_visit(r->waiters, r->n, visit, arg);
}

static const vow_op_class_t race_class = {
    .name = "race",
    .size_bytes = sizeof(race_t),
    .cancel = race_cancel,
    .ready = race_ready,
    .sources = race_sources,
};

static const vow_op_class_t any_class = {
    .name = "any",
    .size_bytes = sizeof(race_t),
    .cancel = race_cancel,
    .ready = race_ready,
    .sources = race_sources,
};

static vow_future_t *race(const char *site, vow_loop_t *loop, size_t n,
                          vow_future_t *const *futures, const char *fn,
                          const vow_op_class_t *cls) {
  size_t cause_bytes = cls == &any_class ? sizeof(vow_value_t) : 0;
  race_t *r = NULL;
  vow_waiter_t *waiters;
  vow_future_t *bad = vow__inputs_refuse(site, loop, fn, n, futures,
                                         sizeof(vow_waiter_t) + cause_bytes);
  if (bad != NULL) return bad;
  if (n == 0)
    return vow_misuse_at(site, loop, UV_EINVAL, "%s: there is no future", fn);
  waiters = vow__waiters_new(n, n * cause_bytes);
  if (waiters != NULL) r = vow_op_new_at(site, loop, cls);
  if (r == NULL) {
    vow_release(waiters);
    return vow__inputs_failed(site, loop, fn, n, futures);
  }
  r->n = r->left = n;
  r->waiters = waiters;
  if (cause_bytes > 0) r->causes = (vow_value_t *)(void *)&waiters[n];
  vow__waiters_start(waiters, r, n, futures);
  return vow_op_future(r);
}

vow_future_t *vow_race_at(const char *site, vow_loop_t *loop, size_t n,
                          vow_future_t *const *futures) {
  return race(site, loop, n, futures, "vow_race", &race_class);
}

vow_future_t *vow_any_at(const char *site, vow_loop_t *loop, size_t n,
                         vow_future_t *const *futures) {
  return race(site, loop, n, futures, "vow_any", &any_class);
}

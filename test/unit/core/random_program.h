/* SPDX-License-Identifier: MIT */
/* What random programs are made of: a generator of numbers, the program's
 * state, values, and callbacks that do random things. */
#ifndef VOW_TEST_CORE_RANDOM_PROGRAM_H
#define VOW_TEST_CORE_RANDOM_PROGRAM_H

#include "unit/core/helpers.h"

#include <vow/gather.h>
#include <vow/race.h>
#include <vow/time.h>
#include <vow/timeout.h>
#include <vow/token.h>

#define POOL     40
#define PROMISES 200
#define TOKENS   12
#define ARGS     1500

typedef struct random_arg {
  int runs;
  int drops;
  bool cleanup; /* belongs to finally: may await only what surely ends */
} random_arg_t;

static struct {
  uint64_t state;
  vow_loop_t *loop;
  vow_future_t *pool[POOL]; /* one reference each; NULL: free */
  vow_promise_t *promise[PROMISES];
  size_t n_promises;
  vow_token_t *token[TOKENS];
  vow_watch_t *watch[TOKENS]; /* of the token with that index */
  random_arg_t arg[ARGS];
  size_t n_args;
} r;

/* ---- numbers --------------------------------------------------------------
 */

/** splitmix64 */
static inline uint32_t below(uint32_t n) {
  uint64_t z = r.state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (uint32_t)((z ^ (z >> 31)) >> 32) % n;
}

static inline bool chance(uint32_t percent) {
  return below(100) < percent;
}

/* ---- the pool -------------------------------------------------------------
 */

/** Takes f over, in a free place or instead of one that is dropped. */
static inline void keep(vow_future_t *f) {
  size_t i = below(POOL);
  vow_future_t *old = r.pool[i];
  r.pool[i] = f;
  vow_drop(old);
}

/** A future of the pool, a reference for the caller: the pool's own or a
 *  second one. */
static inline vow_future_t *pick(void) {
  size_t i = below(POOL);
  vow_future_t *f = r.pool[i];
  if (f == NULL) return vow_ready(r.loop, vow_int((int64_t)i));
  if (chance(40)) return vow_ref(f);
  r.pool[i] = NULL;
  return f;
}

static inline vow_promise_t **pick_promise(void) {
  return r.n_promises > 0 ? &r.promise[below((uint32_t)r.n_promises)] : NULL;
}

/* ---- args -----------------------------------------------------------------
 */

static inline random_arg_t *new_arg(void) {
  ck_assert_uint_lt(r.n_args, ARGS);
  return &r.arg[r.n_args++];
}

static inline void drop_random_arg(void *arg) {
  ((random_arg_t *)arg)->drops++;
  /* Runs in the middle of vow: let it do some harm. */
  if (chance(5)) vow_drop(pick());
}

/* ---- values ---------------------------------------------------------------
 */

static inline vow_value_t random_plain(void) {
  switch (below(9)) {
  case 0:
    return vow_fail(UV_EIO);
  case 1:
    return vow_failf(UV_EPROTO, "random %u", below(10));
  case 2:
    return vow_cancelled(chance(50) ? 0 : UV_EINTR);
  case 3:
    return once();
  case 4:
    return many();
  case 5:
    return vow_string("random");
  case 6:
    return vow_nil();
  default:
    return vow_int(below(10));
  }
}

static inline void on_cancelled(vow_promise_t *p, void *arg) {
  (void)arg;
  if (chance(30)) return; /* takes its time */
  for (size_t i = 0; i < r.n_promises; i++)
    if (r.promise[i] == p) r.promise[i] = NULL;
  vow_promise_finish(p, random_plain());
}

static inline vow_future_t *random_promise(void) {
  vow_promise_t *p = NULL;
  vow_future_t *f;
  if (r.n_promises == PROMISES) return vow_sleep(r.loop, below(20));
  f = vow_promise_new(r.loop, &p);
  if (p == NULL) return f;
  r.promise[r.n_promises++] = p;
  if (chance(40)) vow_promise_on_cancel(p, on_cancelled, NULL);
  return f;
}

/** A plain value, or to follow something. */
static inline vow_value_t random_value(bool sure_to_end) {
  switch (below(8)) {
  case 0:
    return vow_follow(vow_sleep(r.loop, below(4)));
  case 1:
    return vow_follow(sure_to_end ? vow_sleep(r.loop, 1) : random_promise());
  case 2:
    if (!sure_to_end) return vow_follow(pick());
    break;
  default:
    break;
  }
  return random_plain();
}

static inline void finish_some_promise(void) {
  vow_promise_t **at = pick_promise(), *p;
  if (at == NULL || *at == NULL) return;
  p = *at;
  if (chance(20)) {
    vow_resolve(p, random_value(false)); /* keeps the handle */
    return;
  }
  *at = NULL;
  if (chance(20))
    vow_promise_drop(p);
  else
    vow_promise_finish(p, random_value(false));
}

/* ---- callbacks ------------------------------------------------------------
 */

static inline vow_future_t *random_chain(vow_future_t *f);

static inline vow_value_t random_callback(vow_future_t *in, void *p) {
  random_arg_t *a = p;
  vow_value_t v;
  ck_assert(vow_is_settled(in));
  ck_assert_int_eq(a->drops, 0);
  ck_assert_int_eq(a->runs++, 0);
  switch (below(14)) {
  case 0:
    return vow_outcome(in);
  case 1:
    return vow_take_value(in, &v) == 0 ? v : vow_fail_last();
  case 2:
    vow_drop(pick());
    break;
  case 3:
    keep(vow_ref(in));
    break;
  case 4: {
    size_t i = below(POOL);
    if (r.pool[i] != NULL) vow_cancel(r.pool[i]);
    break;
  }
  case 5:
    finish_some_promise();
    break;
  case 6:
    vow_token_cancel(r.token[below(TOKENS)], UV_EINTR);
    break;
  case 7:
    if (r.n_args < ARGS / 2) keep(random_chain(pick()));
    break;
  default:
    break;
  }
  return random_value(a->cleanup);
}

static inline vow_future_t *random_chain(vow_future_t *f) {
  random_arg_t *a = new_arg();
  switch (below(4)) {
  case 0:
    return vow_then(f, random_callback, a, drop_random_arg);
  case 1:
    return vow_catch(f, random_callback, a, drop_random_arg);
  case 2:
    return vow_handle(f, random_callback, a, drop_random_arg);
  default:
    a->cleanup = true;
    return vow_finally(f, random_callback, a, drop_random_arg);
  }
}

static inline vow_future_t *random_combination(void) {
  vow_future_t *in[4];
  size_t n = below(5);
  for (size_t i = 0; i < n; i++) in[i] = pick();
  switch (below(4)) {
  case 0:
    return vow_gather(r.loop, n, in);
  case 1:
    return vow_gather_settled(r.loop, n, in);
  case 2:
    return vow_race(r.loop, n, in);
  default:
    return vow_any(r.loop, n, in);
  }
}

/* ---- tokens ---------------------------------------------------------------
 */

static inline void on_watch(int reason, void *arg) {
  random_arg_t *a = arg;
  ck_assert_int_lt(reason, 0);
  ck_assert_int_eq(a->runs++, 0);
  if (chance(30)) finish_some_promise();
}

static inline void free_token(size_t i) {
  r.watch[i] = NULL; /* gone with its token, or with its callback */
  vow_token_free(r.token[i]);
  r.token[i] = NULL;
}

static inline void new_token(size_t i) {
  vow_token_t *up[2];
  up[0] = r.token[below(TOKENS)];
  up[1] = r.token[below(TOKENS)];
  if (up[0] == NULL)
    r.token[i] = vow_token_new(r.loop);
  else if (up[1] != NULL && chance(40))
    r.token[i] = vow_token_linked(2, up);
  else if (chance(30))
    r.token[i] = vow_token_deadline(up[0], below(30));
  else
    r.token[i] = vow_token_child(up[0]);
}

static inline void random_token_step(void) {
  size_t i = below(TOKENS);
  if (r.token[i] == NULL) {
    new_token(i);
    return;
  }
  switch (below(10)) {
  case 0:
    vow_token_cancel(r.token[i], UV_EINTR);
    break;
  case 1:
  case 2:
    free_token(i);
    break;
  case 3:
    keep(vow_token_close(r.token[i]));
    break;
  case 4:
    vow_token_watch(r.token[i], on_watch, new_arg(), drop_random_arg);
    break;
  case 5:
    if (r.watch[i] == NULL && !vow_token_is_cancelled(r.token[i]))
      r.watch[i] =
          vow_token_watch(r.token[i], on_watch, new_arg(), drop_random_arg);
    else if (!vow_token_is_cancelled(r.token[i])) {
      vow_token_unwatch(r.watch[i]);
      r.watch[i] = NULL;
    }
    break;
  default:
    keep(vow_with_token(pick(), r.token[i]));
  }
}

#endif

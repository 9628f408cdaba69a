/* SPDX-License-Identifier: MIT */
/* Rate limiters: token buckets that are looked at when somebody asks, and one
 * timer for the first who waits.
 *
 * How this works: all is counted in parts of a token, interval_ms of them to a
 * token; so n parts flow in each millisecond, and nothing is rounded. */
#include "sync/line.h"

#include "base/errno.h"
#include <vow/rate_limiter.h>
#include <vow/time.h>

#define NUMBER_MAX ((uint64_t)1 << 31)

struct vow_rate_limiter {
  vow_op_t cell;
  vow__link_t line; /* of ask_t */
  vow_timer_t timer;
  uint64_t flow;  /* parts in a millisecond */
  uint64_t token; /* parts in a token */
  uint64_t room;  /* parts in a full bucket */
  uint64_t parts; /* in the bucket at seen_ms */
  uint64_t seen_ms;
  bool closed; /* freed */
};

typedef struct ask {
  vow__ask_t at;
  uint64_t parts;
} ask_t;

static const char freed[] = "the rate limiter was freed";

/* While somebody waits, what flows within one step of the clock is kept though
 * it be more than the bucket holds: it was wanted as it came. */
static void refill(vow_rate_limiter_t *r) {
  uint64_t now_ms = vow_loop_now_ms(vow_op_loop(r)), elapsed_ms;
  uint64_t room = r->room + (vow__list_empty(&r->line) ? 0 : r->flow - 1);
  if (now_ms <= r->seen_ms) return; /* a closed loop has no time */
  elapsed_ms = now_ms - r->seen_ms;
  r->seen_ms = now_ms;
  if (elapsed_ms > (room - r->parts) / r->flow)
    r->parts = room;
  else
    r->parts += elapsed_ms * r->flow;
}

static ask_t *first(const vow_rate_limiter_t *r) {
  return (ask_t *)(void *)vow__line_first(&r->line);
}

static void due(vow_timer_t *timer);

/* When there will be enough for a. */
static uint64_t time_for(const vow_rate_limiter_t *r, const ask_t *a) {
  uint64_t missing = a->parts - r->parts;
  uint64_t at_ms = r->seen_ms + (missing + r->flow - 1) / r->flow;
  return at_ms < VOW_MS_MAX ? at_ms : VOW_MS_MAX;
}

/* Serves those for whom there is enough, and has the timer come when there is
 * for the next. Who cannot be timed, for want of memory, fails. */
static void serve(vow_rate_limiter_t *r) {
  vow_loop_t *loop = vow_op_loop(r);
  ask_t *a;
  vow__lock_ref(r);
  refill(r);
  while ((a = first(r)) != NULL) {
    bool enough = a->parts <= r->parts;
    if (!enough && vow_timer_start(loop, &r->timer, time_for(r, a), due) == 0)
      break;
    if (enough) r->parts -= a->parts;
    vow__list_remove(&a->at.link);
    vow_op_settle(a, enough ? vow_nil() : vow_fail(UV_ENOMEM));
  }
  if (a == NULL) {
    vow_timer_stop(loop, &r->timer);
    if (r->parts > r->room) r->parts = r->room;
  }
  vow__lock_unref(r);
}

static void due(vow_timer_t *timer) {
  serve(vow__container_of(timer, vow_rate_limiter_t, timer));
}

static void ask_cancel(void *op) {
  ask_t *a = op;
  vow_rate_limiter_t *r = a->at.owner;
  bool was_first = r != NULL && first(r) == a;
  vow__ask_cancel(a);
  if (was_first) serve(r);
}

static const vow_op_class_t rate_limiter_class = {
    .name = "rate limiter",
    .size_bytes = sizeof(vow_rate_limiter_t),
};

static const vow_op_class_t acquire_class = {
    .name = "rate limiter acquire",
    .size_bytes = sizeof(ask_t),
    .cancel = ask_cancel,
};

vow_rate_limiter_t *vow_rate_limiter_new_at(const char *site, vow_loop_t *loop,
                                            uint64_t n, uint64_t interval_ms,
                                            uint64_t burst) {
  const char *fn = "vow_rate_limiter_new";
  vow_rate_limiter_t *r;
  if (n == 0 || interval_ms == 0 || n > NUMBER_MAX ||
      interval_ms > NUMBER_MAX || burst > NUMBER_MAX) {
    (void)vow__lock_misuse(NULL, fn, "a number that is 0 or too large");
    return NULL;
  }
  r = vow__lock_new(site, loop, &rate_limiter_class, fn);
  if (r == NULL) return NULL;
  vow__list_init(&r->line);
  r->flow = n;
  r->token = interval_ms;
  r->room = r->parts = (burst > 0 ? burst : n) * interval_ms;
  r->seen_ms = vow_loop_now_ms(loop);
  return r;
}

void vow_rate_limiter_free(vow_rate_limiter_t *r) {
  if (r == NULL) return;
  r->closed = true;
  vow_timer_stop(vow_op_loop(r), &r->timer);
  vow__line_fail(&r->line, VOW_ESHUTDOWN, freed);
  vow__lock_unref(r);
}

bool vow_rate_limiter_try_acquire(vow_rate_limiter_t *r, uint64_t n) {
  if (r == NULL || n == 0 || !vow__list_empty(&r->line)) return false;
  refill(r);
  if (n > r->parts / r->token) return false;
  r->parts -= n * r->token;
  return true;
}

vow_future_t *vow_rate_limiter_acquire_at(const char *site,
                                          vow_rate_limiter_t *r, uint64_t n) {
  const char *fn = "vow_rate_limiter_acquire", *wrong = NULL;
  ask_t *a;
  if (r == NULL)
    wrong = "the limiter is NULL";
  else if (n == 0)
    wrong = "no tokens are asked for";
  else if (n > r->room / r->token)
    wrong = "more tokens are asked for than the bucket holds";
  if (wrong != NULL) return vow__lock_refuse(site, r, fn, wrong);
  if (r->closed) return vow__lock_freed(site, r, freed);
  if (first(r) == NULL) refill(r); /* up to now nobody waited */
  a = vow__ask_new(site, r, &acquire_class, &r->line);
  if (a == NULL) return vow__ask_failed(site, r, fn);
  a->parts = n * r->token;
  if (first(r) == a) serve(r);
  return vow_op_future(a);
}

uint64_t vow_rate_limiter_available(vow_rate_limiter_t *r) {
  if (r == NULL) return 0;
  refill(r);
  return r->parts / r->token;
}

size_t vow_rate_limiter_waiting(const vow_rate_limiter_t *r) {
  return r != NULL ? vow__line_length(&r->line) : 0;
}

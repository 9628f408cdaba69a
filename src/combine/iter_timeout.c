/* SPDX-License-Identifier: MIT */
/* A limit in time for each item.
 *
 * How this works: when the time is up that next is answered, but the source's
 * next stays in the waiter, and there it stays, unread, when it settles before
 * the next one is asked for. */
#include "combine/iter_adapt.h"

#include "base/check.h"
#include "base/errno.h"
#include <vow/iter_tools.h>

#include <inttypes.h>

typedef struct limit {
  vow__adapt_t base;
  vow_timer_t timer;
  uint64_t delay_ms;
} limit_t;

static limit_t *limit_of(vow_iter_t *it) {
  return (limit_t *)(void *)it;
}

static void stop(limit_t *t) {
  vow_timer_stop(vow_op_loop(t), &t->timer);
}

static void limit_due(vow_timer_t *timer) {
  limit_t *t = vow__container_of(timer, limit_t, timer);
  vow_iter_give(&t->base.it,
                vow_failf_at(vow__adapt_site(&t->base), UV_ETIMEDOUT,
                             "no item within %" PRIu64 " ms", t->delay_ms));
}

/* True when that failed, and was given. */
static bool arm(limit_t *t) {
  vow_loop_t *loop = vow_op_loop(t);
  int err = vow_timer_start(loop, &t->timer, vow_deadline_ms(loop, t->delay_ms),
                            limit_due);
  if (err != 0) vow_iter_give(&t->base.it, vow_fail(err));
  return err != 0;
}

static void limit_outcome(vow__adapt_t *a, vow_future_t *f) {
  stop(limit_of(&a->it));
  vow_iter_give(&a->it, vow_op_consume(vow__adapt_site(a), f));
}

static bool limit_begin(vow__adapt_t *a) {
  vow_future_t *late = vow_waiter_future(&a->waiter);
  if (vow_is_settled(late))
    limit_outcome(a, vow_waiter_take(&a->waiter));
  else if (!arm(limit_of(&a->it)))
    return late != NULL;
  return true;
}

static void limit_ready(vow_iter_t *it, vow_waiter_t *w) {
  if (vow_iter_is_asked(it) || vow_iter_is_closing(it)) vow__adapt_ready(it, w);
}

static bool limit_unasked(vow_iter_t *it) {
  stop(limit_of(it));
  return vow__adapt_unasked(it);
}

static void limit_close(vow_iter_t *it) {
  stop(limit_of(it));
  vow__adapt_close(it);
}

static const vow__adapt_kind_t limit_kind = {
    .cls = {VOW_ITER_OP("iter_timeout", limit_t, NULL, vow__adapt_sources),
            vow__adapt_next, limit_unasked, limit_ready, limit_close},
    .fn = "vow_iter_timeout",
    .begin = limit_begin,
    .item = limit_outcome,
    .failed = limit_outcome,
};

vow_iter_t *vow_iter_timeout_at(const char *site, vow_iter_t *it,
                                uint64_t delay_ms) {
  vow_iter_t *other;
  limit_t *t = vow__adapt_new(site, it, &limit_kind, NULL, NULL, NULL, &other);
  if (t == NULL) return other;
  t->delay_ms = delay_ms;
  return &t->base.it;
}

/* SPDX-License-Identifier: MIT */
/* chain: one iterator after the other. */
#include "combine/iter_join.h"

#include "base/errno.h"
#include <vow/iter_tools.h>

typedef struct chain {
  vow__join_t base;
  size_t at; /* the lane that is asked */
} chain_t;

static void chain_next(vow_iter_t *it) {
  chain_t *c = (chain_t *)(void *)it;
  if (c->at == c->base.n)
    vow_iter_give(it, vow_fail(UV_EOF));
  else
    vow__join_ask(&c->base, &c->base.lanes[c->at]);
}

static bool chain_unasked(vow_iter_t *it) {
  chain_t *c = (chain_t *)(void *)it;
  vow__lane_t *lane = &c->base.lanes[c->at];
  vow__join_unask(lane);
  return lane->phase == VOW__LANE_IDLE;
}

/* The lane at hand has closed. */
static void pass_on(chain_t *c, vow__lane_t *lane) {
  vow_value_t failure = vow__join_lane_closed(&c->base, lane);
  c->at++;
  if (vow_value_is_failure(failure))
    vow_iter_give(&c->base.it, vow__call_item(c, "vow_iter_chain", failure));
  else if (!vow_iter_is_closing(&c->base.it))
    chain_next(&c->base.it);
}

static void chain_ready(vow_iter_t *it, vow_waiter_t *w) {
  chain_t *c = (chain_t *)(void *)it;
  vow__lane_t *lane = (vow__lane_t *)(void *)w;
  if (vow_iter_is_closing(it)) {
    vow__join_unwound(&c->base, lane);
  } else if (lane->phase == VOW__LANE_CLOSING) {
    pass_on(c, lane);
  } else if (vow_iter_is_end(vow_waiter_future(w))) {
    vow__join_close_lane(&c->base, lane);
  } else {
    lane->phase = VOW__LANE_IDLE;
    vow_iter_give(
        it, vow_op_consume(vow_site(vow_op_future(c)), vow_waiter_take(w)));
  }
}

static const vow_iter_class_t chain_class = {
    .op = VOW_ITER_OP("iter_chain", chain_t, vow__join_destroy,
                      vow__join_sources),
    .next = chain_next,
    .unasked = chain_unasked,
    .ready = chain_ready,
    .close = vow__join_close,
};

vow_iter_t *vow_iter_chain_at(const char *site, vow_loop_t *loop, size_t n,
                              vow_iter_t *const *its) {
  vow_iter_t *other;
  chain_t *c =
      vow__join_new(site, loop, "vow_iter_chain", &chain_class, n, its, &other);
  return c != NULL ? &c->base.it : other;
}

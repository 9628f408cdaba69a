/* SPDX-License-Identifier: MIT */
/* as_completed as an iterator: its end awaits the inputs that were not given
 * out. */
#include "combine/iter_call.h"

#include "base/errno.h"
#include <vow/iter_class.h>
#include <vow/iter_sources.h>

typedef struct completed {
  vow_iter_t it;
  vow_waiter_t waiter; /* its next; while closing: its end */
  vow_completed_t *source;
  size_t index; /* of the input that was given before */
  bool ending;  /* the waiter has its end */
} completed_t;

static completed_t *of(vow_iter_t *it) {
  return (completed_t *)(void *)it;
}

/* f, consumed, is the end only when no input was given for it. */
static void give(completed_t *c, vow_future_t *f) {
  size_t index = vow_completed_index(c->source);
  vow_value_t v = vow_op_consume(vow_site(vow_op_future(c)), f);
  if (index != c->index) v = vow__call_item(c, "vow_completed_iter", v);
  c->index = index;
  vow_iter_give(&c->it, v);
}

static void completed_next(vow_iter_t *it) {
  completed_t *c = of(it);
  vow_future_t *f =
      vow_completed_next_at(vow_site(vow_op_future(c)), c->source);
  if (vow_is_settled(f))
    give(c, f);
  else
    vow_waiter_start(&c->waiter, c, f);
}

static bool completed_unasked(vow_iter_t *it) {
  completed_t *c = of(it);
  if (vow_is_settled(vow_waiter_future(&c->waiter))) return false;
  vow_waiter_release(&c->waiter);
  return true;
}

static void end(completed_t *c) {
  vow_future_t *f = vow_op_future(c->source);
  c->source = NULL;
  c->ending = true;
  (void)vow_cancel(f);
  vow_waiter_start(&c->waiter, c, f);
}

static void completed_ready(vow_iter_t *it, vow_waiter_t *w) {
  completed_t *c = of(it);
  vow_future_t *f = vow_waiter_take(w);
  if (c->ending) {
    vow_drop(f);
    vow_iter_closed(it, vow_nil());
  } else {
    give(c, f);
  }
}

static void completed_close(vow_iter_t *it) {
  completed_t *c = of(it);
  vow__call_forget(&c->waiter);
  end(c);
}

static void completed_sources(void *op,
                              void (*visit)(vow_future_t *f, void *arg),
                              void *arg) {
  const completed_t *c = op;
  if (vow_waiter_future(&c->waiter) != NULL)
    visit(vow_waiter_future(&c->waiter), arg);
}

static const vow_iter_class_t completed_class = {
    .op = VOW_ITER_OP("completed_iter", completed_t, NULL, completed_sources),
    .next = completed_next,
    .unasked = completed_unasked,
    .ready = completed_ready,
    .close = completed_close,
};

vow_iter_t *vow_completed_iter_at(const char *site,
                                  vow_completed_t *completed) {
  vow_loop_t *loop;
  completed_t *c;
  if (completed == NULL)
    return vow_iter_failed(vow_misuse_at(
        site, NULL, UV_EINVAL, "vow_completed_iter: the source is NULL"));
  loop = vow_op_loop(completed);
  c = vow_iter_new_at(site, loop, &completed_class);
  if (c == NULL) {
    vow_iter_t *failed =
        vow_iter_failed(vow_op_failed(site, loop, "vow_completed_iter"));
    vow_completed_free(completed);
    return failed;
  }
  c->source = completed;
  c->index = SIZE_MAX;
  return &c->it;
}

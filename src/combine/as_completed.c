/* SPDX-License-Identifier: MIT */
/* as_completed: an operation that waits for all inputs and keeps those that
 * have settled, in order, until somebody asks for them.
 *
 * How this works: a settled input stays in its waiter, unread, and its index
 * stands in order[taken .. finished). A `next` that finds none there is put
 * in the list of the asking. So there is never an input to give and somebody
 * asking at once. The iterator's handle is the operation's one reference:
 * freeing it is dropping that, which cancels. */
#include "combine/inputs.h"

#include "base/check.h"
#include "base/errno.h"
#include "base/list.h"
#include <vow/as_completed.h>

struct vow_completed {
  vow_op_t op;
  size_t n;
  size_t finished; /* inputs that have come to ready */
  size_t taken;    /* inputs given out */
  size_t left;     /* inputs whose end is awaited */
  vow_waiter_t *waiters;
  size_t *order; /* behind the waiters: indices as they finished */
  vow__link_t asking;
  bool closed;
};

typedef struct next {
  vow_op_t op;
  vow__link_t link;    /* in asking; alone when served */
  vow_completed_t *it; /* while in asking */
} next_t;

static next_t *next_of(vow__link_t *link) {
  return vow__container_of(link, next_t, link);
}

/* ---- one that asks ------------------------------------------------------ */

static void ask(vow_completed_t *it, next_t *x) {
  x->it = it;
  vow__list_append(&it->asking, &x->link);
}

static void leave(next_t *x) {
  vow__list_remove(&x->link);
  x->it = NULL;
}

static void next_cancel(void *op) {
  next_t *x = op;
  leave(x);
  vow_op_settle(x, vow_fail(UV_ECANCELED));
}

static void next_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                         void *arg) {
  next_t *x = op;
  if (x->it != NULL) visit(vow_op_future(x->it), arg);
}

static const vow_op_class_t next_class = {
    .name = "completed_next",
    .size_bytes = sizeof(next_t),
    .cancel = next_cancel,
    .sources = next_sources,
};

static void answer_all(vow_completed_t *it, int code) {
  while (!vow__list_empty(&it->asking)) {
    next_t *x = next_of(it->asking.next);
    leave(x);
    vow_op_settle(x, vow_fail(code));
  }
}

/* Gives x, which is in no list, the input that finished first of those that
 * were not given out. */
static void give(vow_completed_t *it, next_t *x) {
  size_t i = it->order[it->taken++];
  vow_future_t *f = vow_waiter_take(&it->waiters[i]);
  vow_value_t v;
  vow_op_pin(it);
  vow_op_pin(x); /* the value's ref may drop it */
  v = vow_outcome(f);
  vow_op_settle(x, v);
  vow_op_unpin(x);
  vow_drop(f);
  if (it->taken == it->n) {
    answer_all(it, UV_EOF);
    vow_op_settle(it, vow_nil());
  }
  vow_op_unpin(it);
}

/* ---- the iterator ------------------------------------------------------- */

static void completed_ready(void *op, vow_waiter_t *w) {
  vow_completed_t *it = op;
  it->left--;
  if (it->closed) {
    vow_drop(vow_waiter_take(w));
    if (it->left == 0) vow_op_settle(it, vow_fail(UV_ECANCELED));
    return;
  }
  it->order[it->finished++] = (size_t)(w - it->waiters);
  if (!vow__list_empty(&it->asking)) {
    next_t *x = next_of(it->asking.next);
    leave(x);
    give(it, x);
  }
}

static void completed_cancel(void *op) {
  vow_completed_t *it = op;
  it->closed = true;
  answer_all(it, VOW_ESHUTDOWN);
  it->left++; /* nothing settles us before the end of this function */
  for (size_t k = it->taken; k < it->finished; k++)
    vow_waiter_release(&it->waiters[it->order[k]]);
  it->left -= vow__waiters_cancel(it->waiters, it->n);
  if (--it->left == 0) vow_op_settle(it, vow_fail(UV_ECANCELED));
}

static void completed_destroy(void *op) {
  vow_completed_t *it = op;
  vow_release(it->waiters);
}

static void completed_sources(void *op,
                              void (*visit)(vow_future_t *f, void *arg),
                              void *arg) {
  const vow_completed_t *it = op;
  vow__waiters_visit(it->waiters, it->n, visit, arg);
}

static const vow_op_class_t completed_class = {
    .name = "as_completed",
    .size_bytes = sizeof(vow_completed_t),
    .cancel = completed_cancel,
    .destroy = completed_destroy,
    .ready = completed_ready,
    .sources = completed_sources,
};

static vow_completed_t *refused(vow_future_t *why) {
  (void)vow_status(why); /* it is seen through vow_last_message */
  vow_drop(why);
  return NULL;
}

/* vow_op_failed, but want of memory is recorded as well. */
static vow_completed_t *no_operation(const char *site, vow_loop_t *loop) {
  vow_future_t *why = vow_op_failed(site, loop, "vow_as_completed");
  if (vow_status(why) != UV_ENOMEM) return refused(why);
  vow_drop(why);
  return refused(vow_misuse_at(site, loop, UV_ENOMEM,
                               "vow_as_completed: not enough memory"));
}

vow_completed_t *vow_as_completed_at(const char *site, vow_loop_t *loop,
                                     size_t n, vow_future_t *const *futures) {
  const size_t item_bytes = sizeof(vow_waiter_t) + sizeof(size_t);
  vow_completed_t *it = NULL;
  vow_waiter_t *waiters;
  vow_future_t *bad = vow__inputs_refuse(site, loop, "vow_as_completed", n,
                                         futures, item_bytes);
  if (bad != NULL) return refused(bad);
  waiters = vow__waiters_new(n, (n + 1) * sizeof(size_t));
  if (waiters != NULL) it = vow_op_new_at(site, loop, &completed_class);
  if (it == NULL) {
    vow_release(waiters);
    for (size_t i = 0; i < n; i++) vow_op_discard(futures[i]);
    return no_operation(site, loop);
  }
  it->n = it->left = n;
  it->waiters = waiters;
  it->order = (size_t *)(void *)&waiters[n];
  vow__list_init(&it->asking);
  vow__waiters_start(waiters, it, n, futures);
  if (n == 0) vow_op_settle(it, vow_nil());
  return it;
}

vow_future_t *vow_completed_next_at(const char *site, vow_completed_t *it) {
  vow_loop_t *loop;
  next_t *x;
  if (it == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "vow_completed_next: the iterator is NULL");
  loop = vow_op_loop(it);
  x = vow_op_new_at(site, loop, &next_class);
  if (x == NULL) return vow_op_failed(site, loop, "vow_completed_next");
  vow__list_init(&x->link);
  if (it->closed)
    vow_op_settle(x, vow_fail(VOW_ESHUTDOWN));
  else if (it->taken == it->n)
    vow_op_settle(x, vow_fail(UV_EOF));
  else if (it->taken < it->finished)
    give(it, x);
  else
    ask(it, x);
  return vow_op_future(x);
}

size_t vow_completed_index(const vow_completed_t *it) {
  return it != NULL && it->taken > 0 ? it->order[it->taken - 1] : SIZE_MAX;
}

void vow_completed_free(vow_completed_t *it) {
  if (it != NULL) vow_drop(vow_op_future(it));
}

/* SPDX-License-Identifier: MIT */
/* The head of iterators: nexts, what is kept for them, and closing. Every layer
 * above has iterators of its own, and layers do not see each other: so the
 * protocol lives down here. What makes items is a class's affair.
 *
 * How this works: an iterator is an operation that settles when it has closed.
 * So its one reference is its owner's; dropping that cancels it, and to be
 * cancelled is to close. A next is an operation of its own, which the iterator
 * points to until it is answered. An iterator that could not be made is the
 * failed future that says why, under another type. */
#include "core/loop.h"

#include <vow/iter_class.h>

#include <string.h>

typedef struct next next_t;

/* What is behind vow__private. */
typedef struct head {
  vow_op_t op;
  next_t *asking;   /* the next that is pending, or NULL */
  vow_value_t kept; /* for the next to come, when has_kept */
  uint64_t count;
  bool has_kept;
  bool making;    /* the class was asked, and has not given */
  bool ended;     /* it gave the end */
  bool closing;   /* close is due, was called, or is over */
  bool close_due; /* when the hook at hand has returned */
  uint8_t hooks;  /* of the class, on the stack */
} head_t;

struct next {
  vow_op_t op;
  head_t *head; /* NULL once answered */
};

_Static_assert(sizeof(head_t) == sizeof(vow_iter_t),
               "vow_iter_t has the wrong size");

static head_t *head_of(const vow_iter_t *it) {
  return (head_t *)(uintptr_t)it;
}

static vow_iter_t *iter_of(head_t *h) {
  return (vow_iter_t *)(void *)h;
}

static vow_future_t *future_of(const vow_iter_t *it) {
  return (vow_future_t *)(uintptr_t)it;
}

static const vow_iter_class_t *class_of(const head_t *h) {
  return (const vow_iter_class_t *)(const void *)h->op.cls;
}

static bool is_whole(const vow_iter_t *it) {
  const vow_future_t *f = future_of(it);
  return (f->node.flags & VOW__F_OP) &&
         head_of(it)->op.cls->cancel == vow_iter_op_cancel;
}

/* ---- hooks --------------------------------------------------------------- */

static void close_now(head_t *h) {
  const vow_iter_class_t *cls = class_of(h);
  if (cls->close == NULL) {
    vow_iter_closed(iter_of(h), vow_nil());
    return;
  }
  cls->close(iter_of(h));
}

static void enter(head_t *h) {
  vow_op_pin(h);
  h->hooks++;
}

static void leave(head_t *h) {
  if (--h->hooks == 0 && h->close_due) {
    h->close_due = false;
    close_now(h);
  }
  vow_op_unpin(h);
}

void vow_iter_op_ready(void *op, vow_waiter_t *w) {
  head_t *h = op;
  enter(h);
  class_of(h)->ready(iter_of(h), w);
  leave(h);
}

/* ---- nexts --------------------------------------------------------------- */

static void unask(head_t *h) {
  const vow_iter_class_t *cls = class_of(h);
  h->asking = NULL;
  if (!h->making || cls->unasked == NULL) return;
  enter(h);
  if (cls->unasked(iter_of(h))) h->making = false;
  leave(h);
}

static void next_cancel(void *op) {
  next_t *x = op;
  head_t *h = x->head;
  if (h != NULL) {
    x->head = NULL;
    unask(h);
  }
  vow_op_settle(x, vow_fail(UV_ECANCELED));
}

static void next_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                         void *arg) {
  next_t *x = op;
  if (x->head != NULL) visit(vow_op_future(x->head), arg);
}

static const vow_op_class_t next_class = {
    .name = "iter_next",
    .size_bytes = sizeof(next_t),
    .cancel = next_cancel,
    .sources = next_sources,
};

/* Hands v to x, which is in nobody's hands but the user's. */
static void answer(head_t *h, next_t *x, vow_value_t v) {
  x->head = NULL;
  if (!vow__is_failure(v)) h->count++;
  vow_op_settle(x, v);
}

static vow_value_t take_kept(head_t *h) {
  vow_value_t v = h->kept;
  h->has_kept = false;
  h->kept = vow_nil();
  return v;
}

static void ask(head_t *h, next_t *x) {
  x->head = h;
  h->asking = x;
  if (h->making) return;
  h->making = true;
  enter(h);
  class_of(h)->next(iter_of(h));
  leave(h);
}

vow_future_t *vow_iter_next_at(const char *site, vow_iter_t *it) {
  vow_loop_t *loop;
  head_t *h;
  next_t *x;
  vow_future_t *f;
  if (it == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "vow_iter_next: the iterator is NULL");
  if (!is_whole(it)) return vow_ref(future_of(it));
  h = head_of(it);
  loop = vow_op_loop(h);
  if (h->asking != NULL)
    return vow_misuse_at(site, loop, UV_EBUSY,
                         "vow_iter_next: a next is pending");
  x = vow_op_new_at(site, loop, &next_class);
  if (x == NULL) return vow_op_failed(site, loop, "vow_iter_next");
  f = vow_op_future(x);
  if (h->closing)
    vow_op_settle(x, vow_fail(VOW_ESHUTDOWN));
  else if (h->has_kept)
    answer(h, x, take_kept(h));
  else if (h->ended)
    vow_op_settle(x, vow_fail(UV_EOF));
  else
    ask(h, x);
  return f;
}

void vow_iter_give(vow_iter_t *it, vow_value_t v) {
  head_t *h = head_of(it);
  next_t *x = h->asking;
  vow__debug_check(v.type != &vow__type_follow, "an item that is followed",
                   vow_site(vow_op_future(h)));
  if (h->closing || !h->making) {
    vow_value_destroy(v);
    return;
  }
  h->making = false;
  if (vow_value_code(v) == UV_EOF) h->ended = true;
  h->asking = NULL;
  if (x != NULL) {
    answer(h, x, v);
  } else {
    h->kept = v;
    h->has_kept = true;
  }
}

/* ---- closing ------------------------------------------------------------- */

void vow_iter_op_cancel(void *op) {
  head_t *h = op;
  next_t *x = h->asking;
  if (h->closing) return;
  h->closing = true;
  h->asking = NULL;
  if (x != NULL) {
    x->head = NULL;
    vow_op_settle(x, vow_fail(UV_ECANCELED));
  }
  if (h->has_kept) vow_value_destroy(take_kept(h));
  if (h->hooks > 0)
    h->close_due = true;
  else
    close_now(h);
}

void vow_iter_closed(vow_iter_t *it, vow_value_t v) {
  vow__assert(head_of(it)->closing);
  vow_op_settle(it, v);
}

vow_future_t *vow_iter_close(vow_iter_t *it) {
  vow_future_t *f = future_of(it);
  int err;
  if (it == NULL)
    return vow_misuse_at("(null)", NULL, UV_EINVAL,
                         "vow_iter_close: the iterator is NULL");
  if (!is_whole(it)) return vow_ref(f);
  err = vow__loop_refusal(vow__loop_of(f), "vow_iter_close");
  if (err != 0 && err != VOW_ESHUTDOWN)
    return vow_misuse_at(vow_site(f), NULL, err, "%s", vow_last_message());
  vow_ref(f); /* first: what closing destroys may free it */
  (void)vow_cancel(f);
  return f;
}

void vow_iter_free(vow_iter_t *it) {
  vow_drop(future_of(it));
}

/* ---- making, reading ----------------------------------------------------- */

void *vow_iter_new_at(const char *site, vow_loop_t *loop,
                      const vow_iter_class_t *cls) {
  vow__assert(cls->op.size_bytes >= sizeof(head_t));
  return vow_op_new_at(site, loop, &cls->op);
}

vow_iter_t *vow_iter_failed(vow_future_t *f) {
  return (vow_iter_t *)(void *)f;
}

vow_future_t *vow_iter_failure(const vow_iter_t *it) {
  return it != NULL && !is_whole(it) ? future_of(it) : NULL;
}

bool vow_iter_is_asked(const vow_iter_t *it) {
  return head_of(it)->making;
}

bool vow_iter_is_closing(const vow_iter_t *it) {
  return head_of(it)->closing;
}

bool vow_iter_would_cycle(const vow_iter_t *it, vow_future_t *f) {
  const next_t *x = head_of(it)->asking;
  if (vow_op_would_cycle(it, f)) return true;
  return x != NULL && vow_op_would_cycle(x, f);
}

uint64_t vow_iter_count(const vow_iter_t *it) {
  return it != NULL && is_whole(it) ? head_of(it)->count : 0;
}

bool vow_iter_is_end(vow_future_t *f) {
  return vow_status(f) == UV_EOF;
}

vow_loop_t *vow_iter_loop(const vow_iter_t *it) {
  return vow_loop_of(future_of(it));
}

static void iter_destroy(void *p) {
  vow_iter_free(p);
}

const vow_type_t vow_type_iter = {"iterator", iter_destroy, NULL, NULL};

/* SPDX-License-Identifier: MIT */
/* An iterator that does what a test says: it notes when it is asked, unasked
 * and closed, and gives when it is told to, or numbers by itself. */
#ifndef VOW_TEST_SUPPORT_TAP_H
#define VOW_TEST_SUPPORT_TAP_H

#include <uv.h>
#include <vow/iter_class.h>

typedef struct tap_it tap_it_t;

/** What the test sees and sets; it outlives the iterator. */
typedef struct tap {
  tap_it_t *it;    /* NULL once its memory has gone */
  int asked;       /* how often next was called */
  int unasked;     /* and unasked */
  int closes;      /* and close */
  bool keeps;      /* unasked says that it will give all the same */
  bool slow_close; /* close waits for tap_closed */
  int64_t numbers; /* gives so many by itself, from 0 on, then the end */
  int64_t given;   /* of those */
  bool queued;     /* through the ready queue */
} tap_t;

struct tap_it {
  vow_iter_t it;
  tap_t *tap;
};

/** Answers the next; it must have been asked. */
static inline void tap_give(tap_t *t, vow_value_t v) {
  vow_iter_give(&t->it->it, v);
}

/** Ends a slow close. */
static inline void tap_closed(tap_t *t, vow_value_t v) {
  vow_iter_closed(&t->it->it, v);
}

static inline void tap__give_number(tap_t *t) {
  tap_give(t, t->given < t->numbers ? vow_int(t->given++) : vow_fail(UV_EOF));
}

static inline void tap__next(vow_iter_t *it) {
  tap_t *t = ((tap_it_t *)(void *)it)->tap;
  t->asked++;
  if (t->numbers == 0) return;
  if (t->queued)
    vow_op_wake(it);
  else
    tap__give_number(t);
}

static inline bool tap__unasked(vow_iter_t *it) {
  tap_t *t = ((tap_it_t *)(void *)it)->tap;
  t->unasked++;
  return !t->keeps && !t->queued;
}

static inline void tap__ready(vow_iter_t *it, vow_waiter_t *w) {
  (void)w;
  if (vow_iter_is_asked(it) && !vow_iter_is_closing(it))
    tap__give_number(((tap_it_t *)(void *)it)->tap);
}

static inline void tap__close(vow_iter_t *it) {
  tap_t *t = ((tap_it_t *)(void *)it)->tap;
  t->closes++;
  if (!t->slow_close) vow_iter_closed(it, vow_nil());
}

static inline void tap__destroy(void *op) {
  ((tap_it_t *)op)->tap->it = NULL;
}

/** A new one; t is zeroed but for what the test has set. NULL for want of
 *  memory. */
static inline vow_iter_t *tap_new(vow_loop_t *loop, tap_t *t) {
  static const vow_iter_class_t cls = {
      .op = VOW_ITER_OP("tap", tap_it_t, tap__destroy, NULL),
      .next = tap__next,
      .unasked = tap__unasked,
      .ready = tap__ready,
      .close = tap__close,
  };
  t->it = vow_iter_new_at(VOW_SITE, loop, &cls);
  if (t->it == NULL)
    return vow_iter_failed(vow_op_failed(VOW_SITE, loop, "tap"));
  t->it->tap = t;
  return &t->it->it;
}

#endif

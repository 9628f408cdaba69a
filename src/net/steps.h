/* SPDX-License-Identifier: MIT */
/* Operations that go from one future to the next, and clean up behind
 * themselves whatever the outcome. What the steps are is the owner's affair.
 *
 * How this works. An operation begins with vow__steps_t and waits for one
 * future at a time; the waiter is part of it, so going on allocates nothing.
 * A future that failed, and a cancellation, do not get to the step: they end
 * the operation. Every end, good or bad, calls unwind, which gives back what is
 * held, a future at a time if need be, and calls vow__steps_end. */
#ifndef VOW_NET_STEPS_H
#define VOW_NET_STEPS_H

#include <vow/op.h>

typedef struct vow__steps vow__steps_t;

/** f, which is borrowed, has settled. Goes on: await, fail, or finish. */
typedef void (*vow__step_fn)(vow__steps_t *s, vow_future_t *f);

struct vow__steps {
  vow_op_t op;
  vow_waiter_t waiter;
  vow__step_fn next;
  void (*unwind)(vow__steps_t *s);
  vow_value_t outcome; /* once it is unwinding */
  unsigned how;        /* of what is awaited */
  bool cancelled;
  bool committed; /* a cancellation is too late */
  bool unwinding;
};

/* How to await. */
enum {
  VOW__STEP_FIRM = 1, /* a cancellation does not reach it; we wait */
  VOW__STEP_ANY = 2   /* the step gets every outcome, cancelled or not */
};

#define VOW__STEPS_CLASS(name, type, destroy)                             \
  {                                                                       \
    (name), sizeof(type), vow__steps_cancel, (destroy), vow__steps_ready, \
        vow__steps_sources                                                \
  }

void vow__steps_cancel(void *op);
void vow__steps_ready(void *op, vow_waiter_t *w);
void vow__steps_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                        void *arg);

static inline const char *vow__steps_site(vow__steps_t *s) {
  return vow_site(vow_op_future(s));
}
static inline vow_loop_t *vow__steps_loop(vow__steps_t *s) {
  return vow_op_loop(s);
}

/** Has next called once f, which is consumed, has settled. */
void vow__steps_await(vow__steps_t *s, vow_future_t *f, unsigned how,
                      vow__step_fn next);
/** The end: unwinds, then settles with v. */
void vow__steps_finish(vow__steps_t *s, vow_value_t v);
/** While unwinding: has unwind called again once f, whose outcome does not
 *  matter, has settled. */
void vow__steps_unwind_after(vow__steps_t *s, vow_future_t *f);
/** Nothing is left to unwind. s may be gone then. */
void vow__steps_end(vow__steps_t *s);

#endif

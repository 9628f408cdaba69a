/* SPDX-License-Identifier: MIT */
/* Giving up: what happens when the last reference to a future goes, and how a
 * request to end runs up the chain to the operation. No continuation runs
 * here; the args of callbacks that will not run are released.
 *
 * How this works: both walk from a future to its source. The walk stops at a
 * source that others share (they keep it), at clean-up (it is shielded), and
 * at the top: a promise or an operation, whose class is asked. What it settles
 * with then flows down again like any outcome. */
#include "core/settle.h"

/* Operations nest (a race in a gather in a timeout ...): beyond this depth a
 * cancel goes through the ready queue instead of the stack. */
#define MAX_DEPTH 64u

static void cancel_promise(vow_loop_t *loop, vow_future_t *f) {
  if (f->u.promise.hook != NULL) {
    f->node.flags |= VOW__F_QUEUED;
    vow__ready_push(loop, &f->node);
    return;
  }
  if (f->u.promise.arg != NULL) vow__remote_unwanted(f->u.promise.arg);
  vow_value_t v = vow_cancelled(0);
  vow__settle_fast(loop, f, v.as.i, v.type);
}

static void cancel_op(vow_loop_t *loop, vow_future_t *f) {
  vow_op_t *op = vow__as_op(f);
  if (op->cls->cancel == NULL) return;
  if (loop->cancel_depth >= MAX_DEPTH) {
    vow__op_queue(loop, f, VOW__DUE_CANCEL);
    return;
  }
  loop->cancel_depth++;
  op->cls->cancel(op);
  loop->cancel_depth--;
}

static void cancel_tick(vow_loop_t *loop, vow_future_t *f) {
  f->node.flags &= (uint8_t)~VOW__F_QUEUED;
  vow__unlink(&f->node);
  vow__settle(loop, f, vow_cancelled(0));
}

/* f has no interest in its pending source any more, but others have. */
static void leave_source(vow_loop_t *loop, vow_future_t *f) {
  vow_future_t *src = f->node.source;
  vow__leave(&f->node);
  src->node.refs--;
  loop->cancelled->node.refs++;
  vow__wait_on(loop, &f->node, loop->cancelled);
}

void vow__cancel(vow_future_t *f) {
  vow_loop_t *loop = vow__loop_of(f);
  for (;;) {
    if (vow__settled(f) || (f->node.flags & VOW__F_CANCEL)) return;
    f->node.word |= VOW__WORD(0, 0, VOW__F_CANCEL, 0);
    if (f->node.state == VOW__RUNNING) return;
    switch (f->node.kind) {
    case VOW__PROMISE:
      cancel_promise(loop, f);
      return;
    case VOW__OP:
      cancel_op(loop, f);
      return;
    case VOW__TICK:
      cancel_tick(loop, f);
      return;
    case VOW__FINALLY_WAIT:
      return;
    default:
      if (vow__settled(f->node.source)) return;
      if (f->node.source->node.refs > 1) {
        leave_source(loop, f);
        return;
      }
      f = f->node.source;
    }
  }
}

bool vow__withdraw(vow__node_t *n) {
  vow_future_t *src = n->source;
  if (src->node.refs == 1) {
    vow__cancel(src);
    return true;
  }
  vow__leave(n);
  src->node.refs--;
  return false;
}

/* Frees a pending derived cell whose callback will not run; returns its
 * source, of which one reference is now the caller's. */
static vow_future_t *abandon_derived(vow_future_t *f) {
  vow_future_t *src = f->node.source;
  vow_drop_cb arg_drop = NULL;
  void *arg = f->u.todo.arg;
  vow__leave(&f->node);
  if (f->node.flags & VOW__F_DROP)
    arg_drop = ((vow__chain_cell_t *)f)->arg_drop;
  vow__cell_free(f);
  if (arg_drop != NULL) arg_drop(arg);
  return src;
}

void vow__abandon(vow_future_t *f) {
  for (;;) {
    if (vow__settled(f)) {
      vow__reap(f);
      return;
    }
    if (f->node.state == VOW__RUNNING) return;
    switch (f->node.kind) {
    case VOW__THEN:
    case VOW__CATCH:
    case VOW__FOLLOW:
      /* A promise or an operation that follows: its memory is not ours alone to
       * free. */
      if (f->node.pins > 0 || (f->node.flags & VOW__F_OP)) {
        vow__cancel(f);
        return;
      }
      f = abandon_derived(f);
      if (--f->node.refs > 0) return;
      break;
    default:
      /* The rest finish by themselves: promises and operations when they have
       * unwound, handle and finally after their callback, what is bound to a
       * token when that may hear that it has unwound. */
      vow__cancel(f);
      return;
    }
  }
}

int vow_cancel(vow_future_t *f) {
  if (f == NULL) {
    vow__record(UV_EINVAL, "(null)", "vow_cancel: the future is NULL");
    return UV_EINVAL;
  }
  if (f->node.flags & VOW__F_STATIC) return 0;
  if (!vow__loop_ok(vow__loop_of(f)))
    return vow__loop_of(f)->closed
               ? 0
               : vow__loop_refusal(vow__loop_of(f), "vow_cancel");
  vow__cancel(f);
  return 0;
}

void vow__cancel_because(vow_future_t *f, int reason) {
  vow_loop_t *loop = vow__loop_of(f);
  int former = loop->cancel_reason;
  loop->cancel_reason = reason;
  vow__cancel(f);
  loop->cancel_reason = former;
}

int vow_op_cancel(vow_future_t *f, int reason) {
  if (f == NULL || (f->node.flags & VOW__F_STATIC) ||
      !vow__loop_ok(vow__loop_of(f)))
    return vow_cancel(f);
  vow__cancel_because(f, reason < 0 ? reason : UV_ECANCELED);
  return 0;
}

/* ---- cycles
 * ------------------------------------------------------------------ */

#define SEEN_MAX 251

typedef struct search {
  vow_future_t *self;
  uint32_t steps;
  uint32_t depth;
  bool found;
  /* Operations seen before, as many as fit: without it a few diamonds on top of
   * each other would use all the steps up. NULL until one is seen: most
   * searches see none, and clearing it costs more than they do. */
  const vow_op_t **seen;
} search_t;

static void search_up(vow_future_t *f, void *arg);

static void search_sources(search_t *s, vow_op_t *op) {
  const vow_op_t **at = &s->seen[(uintptr_t)op / VOW__CELL_BYTES % SEEN_MAX];
  if (*at == op) return;
  *at = op;
  s->depth--;
  op->cls->sources(op, search_up, s);
  s->depth++;
}

static VOW__NOINLINE void search_first(search_t *s, vow_op_t *op) {
  const vow_op_t *seen[SEEN_MAX] = {NULL};
  s->seen = seen;
  search_sources(s, op);
  s->seen = NULL;
}

static void search_up(vow_future_t *f, void *arg) {
  search_t *s = arg;
  while (f != NULL && !s->found && s->steps > 0) {
    s->steps--;
    if (f == s->self) {
      s->found = true;
      return;
    }
    /* One that runs may have let go of its source already. */
    if (vow__settled(f) || f->node.state == VOW__RUNNING) return;
    if (f->node.kind == VOW__OP) {
      vow_op_t *op = vow__as_op(f);
      if (op->cls->sources == NULL || s->depth == 0) return;
      if (s->seen == NULL)
        search_first(s, op);
      else
        search_sources(s, op);
      return;
    }
    f = f->node.source;
  }
}

bool vow__would_cycle(vow_future_t *self, vow_future_t *f) {
  /* The limits bound the work; a larger circle is found by its never ending
   * only. */
  search_t s = {.self = self, .steps = 65536, .depth = 1000};
  if (self->waiters == NULL) return false;
  search_up(f, &s);
  return s.found;
}

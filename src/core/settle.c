/* SPDX-License-Identifier: MIT */
/* How futures settle: what each kind of node does when it comes up in the
 * ready queue. Only here do continuations run.
 *
 * How this works: a settled future hands its whole list of waiters to the
 * ready queue; each comes up in turn, reads its source, lets go of it, and
 * settles itself. Nothing recurses, however long the chain. Around a user's
 * callback the cell is RUNNING: whatever the callback does to it (drop,
 * cancel) leaves a mark that is looked at afterwards. */
#include "core/settle.h"

void vow__arg_drop(vow_future_t *f) {
  if (!(f->node.flags & VOW__F_DROP)) return;
  f->node.flags &= (uint8_t)~VOW__F_DROP;
  ((vow__chain_cell_t *)f)->arg_drop(f->u.todo.arg);
}

/* Reports a failure that nobody looked at, ends the value, frees the cell. */
VOW__NOINLINE void vow__reap_slow(vow_future_t *f) {
  vow_loop_t *loop = vow__loop_of(f);
  if (f->node.pins > 0) return;
  if (f->node.state == VOW__FAILED && !(f->node.flags & VOW__F_SEEN) &&
      loop->options.on_unhandled != NULL) {
    f->node.flags |= VOW__F_SEEN;
    f->node.refs = 1;
    loop->options.on_unhandled(f, loop->options.on_unhandled_arg);
    if (--f->node.refs > 0) return; /* the hook kept it */
  }
  f->node.pins++; /* a destructor may look at f, but not free it again */
  vow_value_t v = f->u.value;
  f->u.value.type = &vow__type_moved;
  vow__value_destroy(v);
  if (f->node.flags & VOW__F_OP) {
    vow_op_t *op = vow__as_op(f);
    if (op->cls->destroy != NULL) op->cls->destroy(op);
  }
  vow__cell_free(f);
}

void vow__reap(vow_future_t *f) {
  if (f->node.refs == 0 && vow__settled(f)) vow__reap_unreferenced(f);
}

void vow__settle(vow_loop_t *loop, vow_future_t *f, vow_value_t v) {
  vow__settle_fast(loop, f, v.as.i, v.type);
}

/* ---- following --------------------------------------------------------------
 */

/* Makes the one that waits for f wait for inner instead, when nobody else is
 * interested in f: so a chain that follows itself for ever stays one link
 * long. Frees f. */
static bool bypass(vow_loop_t *loop, vow_future_t *f, vow_future_t *inner) {
  vow__node_t *w = f->waiters;
  bool wanted;
  if (w == NULL || w->next != w || f->node.refs != 1 || f->node.pins > 0 ||
      (f->node.flags & VOW__F_OP))
    return false;
  if (w->kind != VOW__FOLLOW && w->kind != VOW__FINALLY_WAIT) return false;
  wanted = !(f->node.flags & VOW__F_CANCEL);
  if (!wanted && inner->node.refs > 1) return false; /* f must leave it */
  vow__cell_free(f);
  vow__wait_on(loop, w, inner);
  if (!wanted && !vow__settled(inner)) vow__withdraw(w);
  return true;
}

/* What inner follows, when nobody else is interested in inner: so promises that
 * follow and are followed do not add up, either. */
static vow_future_t *past_followers(vow_loop_t *loop, vow_future_t *inner) {
  while (inner->node.state == VOW__PENDING && inner->node.kind == VOW__FOLLOW &&
         vow__loop_of(inner) == loop && inner->node.refs == 1 &&
         inner->node.pins == 0 &&
         !(inner->node.flags & (VOW__F_OP | VOW__F_CANCEL))) {
    vow_future_t *next = inner->node.source;
    vow__leave(&inner->node);
    vow__cell_free(inner);
    inner = next;
  }
  return inner;
}

static VOW__NOINLINE void follow(vow_loop_t *loop, vow_future_t *f,
                                 vow_future_t *inner) {
  f->node.state = VOW__RUNNING; /* what runs here must not settle f as well */
  inner = past_followers(loop, inner);
  if (inner->node.flags & VOW__F_STATIC) {
    vow__settle(loop, f, vow_peek(inner));
  } else if (vow__loop_of(inner) != loop) {
    vow__drop_anywhere(inner);
    vow__settle(loop, f,
                vow_failf_at(f->site, UV_EINVAL,
                             "vow_follow: the future is of another loop"));
  } else if (f->node.refs == 0 && !(f->node.flags & VOW__F_DETACHED)) {
    /* Dropped while its callback ran: nobody will see what inner gives. */
    f->node.pins++;
    vow__release(inner);
    f->node.pins--;
    vow__settle(loop, f, vow_cancelled(0));
  } else if (vow__settled(inner)) {
    vow_value_t v = vow__take_outcome(inner, f->site);
    vow__release(inner);
    vow__settle(loop, f, v);
  } else if (inner == f || vow__would_cycle(f, inner)) {
    vow_value_t v = vow_failf_at(f->site, VOW_ECYCLE,
                                 "vow_follow: the future would wait for "
                                 "itself");
    /* Settled first: then dropping inner, which waits for f, is harmless. */
    f->node.pins++;
    vow__settle(loop, f, v);
    vow__release(inner);
    f->node.pins--;
    vow__reap(f);
  } else if (!bypass(loop, f, inner)) {
    bool cancel = f->node.flags & VOW__F_CANCEL;
    f->node.kind = VOW__FOLLOW;
    f->node.state = VOW__PENDING;
    f->node.flags &= (uint8_t)~VOW__F_CANCEL;
    vow__wait_on(loop, &f->node, inner);
    if (cancel) vow__cancel(f);
  }
}

void vow__complete(vow_loop_t *loop, vow_future_t *f, vow_value_t v) {
  if (VOW__UNLIKELY(v.type == &vow__type_follow))
    follow(loop, f, v.as.p);
  else
    vow__settle_fast(loop, f, v.as.i, v.type);
}

/* ---- what the kinds do ------------------------------------------------------
 */

static void pass(vow_loop_t *loop, vow_future_t *f) {
  vow_future_t *src = f->node.source;
  vow_value_t v;
  f->node.state = VOW__RUNNING;
  vow__arg_drop(f);
  if (src->node.state == VOW__DONE && (f->node.flags & VOW__F_CANCEL) &&
      f->node.kind != VOW__FOLLOW)
    v = vow_cancelled(0);
  else
    v = vow__take_outcome(src, f->site);
  f->node.source = NULL;
  vow__release(src);
  vow__settle(loop, f, v);
}

/* Runs f's callback; f is RUNNING afterwards and its arg is gone. */
static inline vow_value_t call(vow_future_t *f, vow_future_t *src) {
  vow_value_t v;
  f->node.state = VOW__RUNNING;
  v = f->u.todo.cb(src, f->u.todo.arg);
  if (VOW__UNLIKELY(f->node.flags & VOW__F_DROP)) vow__arg_drop(f);
  return v;
}

static inline void call_and_settle(vow_loop_t *loop, vow_future_t *f,
                                   vow_future_t *src) {
  vow_value_t v = call(f, src);
  int64_t payload = v.as.i;
  const vow_type_t *type = v.type;
  vow__release_settled(src);
  if (VOW__UNLIKELY(type == &vow__type_follow))
    follow(loop, f, (vow_future_t *)(intptr_t)payload);
  else
    vow__settle_fast(loop, f, payload, type);
}

static void run_handle(vow_loop_t *loop, vow_future_t *f, vow_future_t *src) {
  /* Its callback sees the cancellation; what it starts then is not meant. */
  if (src->node.state == VOW__CANCELLED)
    f->node.flags &= (uint8_t)~VOW__F_CANCEL;
  src->node.flags |= VOW__F_SEEN;
  call_and_settle(loop, f, src);
}

/* The clean-up's failure wins, the former one is its cause. */
static vow_value_t clean_up_failed(vow_future_t *f, vow_value_t failure,
                                   vow_value_t former) {
  return vow__error_because(failure, f->site, former);
}

static void run_finally(vow_loop_t *loop, vow_future_t *f, vow_future_t *src) {
  vow_value_t v, former;
  vow_future_t *inner;
  bool wait = false;
  v = call(f, src);
  former = vow__take_outcome(src, f->site);
  inner = v.as.p;
  f->node.source = NULL;
  vow__release(src);
  if (v.type == &vow__type_follow) {
    if ((inner->node.flags & VOW__F_STATIC) ||
        (vow__settled(inner) && vow__loop_of(inner) == loop)) {
      v = vow__take_outcome(inner, f->site);
      vow_drop(inner);
    } else if (inner == f || vow__loop_of(inner) != loop ||
               vow__would_cycle(f, inner)) {
      bool cycle = vow__loop_of(inner) == loop;
      f->node.pins++;
      if (cycle)
        vow_drop(inner);
      else
        vow__drop_anywhere(inner);
      f->node.pins--;
      v = vow_failf_at(f->site, cycle ? VOW_ECYCLE : UV_EINVAL,
                       "vow_finally: the clean-up's future %s",
                       cycle ? "waits for the result" : "is of another loop");
    } else {
      wait = true;
    }
  }
  if (wait) {
    f->node.kind = VOW__FINALLY_WAIT;
    f->node.state = VOW__PENDING;
    f->u.value = former;
    vow__wait_on(loop, &f->node, inner);
  } else if (vow__is_failure(v)) {
    vow__settle(loop, f, clean_up_failed(f, v, former));
  } else {
    vow__value_destroy(v);
    vow__settle(loop, f, former);
  }
}

static void run_finally_wait(vow_loop_t *loop, vow_future_t *f,
                             vow_future_t *src) {
  vow_value_t v = f->u.value;
  f->node.state = VOW__RUNNING;
  if (src->node.state != VOW__DONE)
    v = clean_up_failed(f, vow__take_outcome(src, f->site), v);
  f->node.source = NULL;
  vow__release(src);
  vow__settle(loop, f, v);
}

static void run_self(vow_loop_t *loop, vow_future_t *f) {
  f->node.flags &= (uint8_t)~VOW__F_QUEUED;
  if (f->node.kind == VOW__PROMISE) {
    f->node.pins++;
    f->u.promise.hook((vow_promise_t *)(void *)f, f->u.promise.arg);
    f->node.pins--;
    vow__reap(f);
  } else if (f->node.kind == VOW__TICK) {
    vow__settle(loop, f, vow_nil());
  } else {
    vow_op_t *op = vow__as_op(f);
    uint32_t due = f->u.op.due;
    if (due == VOW__DUE_WAKE) {
      op->cls->ready(op, NULL);
      return;
    }
    f->node.pins++;
    op->cls->cancel(op);
    if ((due & VOW__DUE_WAKE) && vow_op_is_pending(op))
      op->cls->ready(op, NULL);
    f->node.pins--;
    vow__reap(f);
  }
}

static VOW__NOINLINE void run_other(vow_loop_t *loop, vow__node_t *node) {
  vow_future_t *f = (vow_future_t *)(void *)node, *src = node->source;
  bool cancel = node->flags & VOW__F_CANCEL;
  switch (node->kind) {
  case VOW__THEN:
    if (src->node.state == VOW__DONE && !cancel)
      call_and_settle(loop, f, src);
    else
      pass(loop, f);
    break;
  case VOW__FOLLOW:
    pass(loop, f);
    break;
  case VOW__CATCH:
    if (src->node.state == VOW__FAILED && !cancel) {
      src->node.flags |= VOW__F_SEEN;
      call_and_settle(loop, f, src);
    } else
      pass(loop, f);
    break;
  case VOW__HANDLE:
    run_handle(loop, f, src);
    break;
  case VOW__FINALLY:
    run_finally(loop, f, src);
    break;
  case VOW__FINALLY_WAIT:
    run_finally_wait(loop, f, src);
    break;
  case VOW__BOUND:
    vow__bound_run(loop, f);
    break;
  case VOW__WATCH:
    vow__watch_run(f);
    break;
  default:
    run_self(loop, f);
  }
}

/* Not behind another call: a task comes back through here. */
static VOW__INLINE void run_waiter(vow__node_t *node) {
  vow_op_t *op = ((vow__waiter_t *)(void *)node)->owner;
  vow_future_t *src = node->source;
  src->node.flags |= src->node.flags & VOW__F_STATIC ? 0 : VOW__F_SEEN;
  node->state = VOW__DONE; /* out of every list; still holds its source */
  op->cls->ready(op, (vow_waiter_t *)(void *)node);
}

/* The commonest node, a `then` without a destructor whose source succeeded. */
static VOW__INLINE void run_then(vow_loop_t *loop, vow_future_t *f,
                                 vow_future_t *src) {
  vow_value_t v;
  int64_t payload;
  const vow_type_t *type;
  f->node.word ^= VOW__WORD(0, VOW__PENDING ^ VOW__RUNNING, 0, 0);
  v = f->u.todo.cb(src, f->u.todo.arg);
  payload = v.as.i;
  type = v.type;
  vow__release_settled(src);
  if (VOW__UNLIKELY(type == &vow__type_follow))
    follow(loop, f, (vow_future_t *)(intptr_t)payload);
  else
    vow__settle_fast(loop, f, payload, type);
}

void vow__run_ready(vow_loop_t *loop, uint32_t budget) {
  const uint32_t mask = VOW__WORD(0xff, 0, VOW__F_CANCEL | VOW__F_DROP, 0);
  vow__node_t *head = &loop->ready, *n, *next;
  while (budget-- > 0 && (n = head->next) != head) {
    next = n->next;
    head->next = next;
    next->prev = head;
    if (VOW__LIKELY((n->word & mask) == VOW__WORD(VOW__THEN, 0, 0, 0) &&
                    n->source->node.state == VOW__DONE))
      run_then(loop, (vow_future_t *)(void *)n, n->source);
    else if (n->kind == VOW__WAITER)
      run_waiter(n);
    else
      run_other(loop, n);
  }
}

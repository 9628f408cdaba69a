/* SPDX-License-Identifier: MIT */
/* Operations and waiters: the engine as those see it who write futures of
 * their own kind. */
#include "core/settle.h"

#include <string.h>

/* Behind the head of a cell; in the small ones all of it, in a few stores. */
static VOW__INLINE void clear(void *p, unsigned size_class, size_t n) {
  if (size_class == 1)
    memset(p, 0, 2 * VOW__CELL_BYTES - sizeof(vow_op_t));
  else if (size_class == 2)
    memset(p, 0, 3 * VOW__CELL_BYTES - sizeof(vow_op_t));
  else
    memset(p, 0, n);
}

void *vow_op_new_at(const char *site, vow_loop_t *loop,
                    const vow_op_class_t *cls) {
  vow_future_t *f;
  unsigned size_class;
  if (VOW__UNLIKELY(loop == NULL || !vow__loop_ok(loop))) return NULL;
  vow__assert(cls->size_bytes >= sizeof(vow_op_t) &&
              cls->size_bytes <= VOW_OP_SIZE_MAX);
  size_class = vow__cell_class(cls->size_bytes);
  f = vow__cell_alloc(loop, size_class);
  if (f == NULL) return NULL;
  vow__cell_begin(f, VOW__OP, VOW__F_OP, site);
  f->u.op.label = NULL;
  vow__as_op(f)->cls = cls;
  clear(vow__as_op(f) + 1, size_class, cls->size_bytes - sizeof(vow_op_t));
  return f;
}

vow_future_t *vow_op_failed(const char *site, vow_loop_t *loop,
                            const char *what) {
  int err = vow__loop_refusal(loop, what);
  if (err == 0) {
    vow__record(UV_ENOMEM, site, "%s: out of memory", what);
    return vow__enomem(loop);
  }
  return vow_misuse_at(site, NULL, err, "%s", vow_last_message());
}

int vow_op_refusal(const vow_loop_t *loop, const char *what) {
  return vow__loop_refusal(loop, what);
}

int vow_op_check(const vow_future_t *f, const vow_loop_t *loop) {
  if (f == NULL) return UV_EINVAL;
  if (f->node.flags & VOW__F_STATIC) return 0;
  return vow__loop_of(f) == loop ? 0 : UV_EINVAL;
}

bool vow_op_would_cycle(const void *op, vow_future_t *f) {
  vow_future_t *self = (vow_future_t *)(uintptr_t)op;
  return f == self || vow__would_cycle(self, f);
}

void vow_op_discard(vow_future_t *f) {
  vow__drop_anywhere(f);
}

vow_future_t *vow_op_future(void *op) {
  return op;
}

void *vow_op_of(vow_future_t *f, const vow_op_class_t *cls) {
  if (f == NULL || !(f->node.flags & VOW__F_OP)) return NULL;
  return vow__as_op(f)->cls == cls ? f : NULL;
}

vow_loop_t *vow_op_loop(const void *op) {
  return vow__loop_of(op);
}

/* A failure with an object, or vow_follow. */
static VOW__NOINLINE void settle_unusual(vow_future_t *f, int64_t payload,
                                         const vow_type_t *type) {
  vow_value_t v;
  v.as.i = payload;
  v.type = type;
  if (type == &vow__type_error && vow_error_site(v.as.p) != f->site)
    v = vow__error_passed(v, f->site, f->site);
  vow__complete(vow__loop_of(f), f, v);
}

int vow_op_settle(void *op, vow_value_t v) {
  vow_future_t *f = op;
  int64_t payload = v.as.i; /* by halves, see vow__settle_word */
  const vow_type_t *type = v.type;
  if (VOW__UNLIKELY(f->node.state != VOW__PENDING || f->node.kind != VOW__OP)) {
    vow__value_destroy(v);
    return VOW_ESETTLED;
  }
  if (VOW__UNLIKELY(f->node.flags & VOW__F_QUEUED)) {
    f->node.flags &= (uint8_t)~VOW__F_QUEUED;
    vow__unlink(&f->node);
  }
  if (VOW__UNLIKELY(type == &vow__type_error || type == &vow__type_follow))
    settle_unusual(f, payload, type);
  else
    vow__settle_fast(vow__loop_of(f), f, payload, type);
  return 0;
}

int vow_op_cancel_reason(const void *op) {
  int reason = vow__loop_of(op)->cancel_reason;
  return reason != 0 ? reason : UV_ECANCELED;
}

void vow_op_set_label(void *op, const char *label) {
  if (vow_op_is_pending(op)) ((vow_future_t *)op)->u.op.label = label;
}

void vow_op_wake(void *op) {
  vow_future_t *f = op;
  if (vow_op_is_pending(op)) vow__op_queue(vow__loop_of(f), f, VOW__DUE_WAKE);
}

bool vow_op_is_pending(const void *op) {
  const vow_future_t *f = op;
  return f->node.state == VOW__PENDING && f->node.kind == VOW__OP;
}

void vow_op_pin(void *op) {
  vow_future_t *f = op;
  vow__assert(f->node.pins < UINT8_MAX);
  f->node.pins++;
}

void vow_op_unpin(void *op) {
  vow_future_t *f = op;
  vow__assert(f->node.pins > 0);
  f->node.pins--;
  vow__reap(f);
}

/* ---- waiters
 * ------------------------------------------------------------------ */

_Static_assert(sizeof(vow__waiter_t) == sizeof(vow_waiter_t),
               "vow_waiter_t has the wrong size");
_Static_assert(sizeof(vow_future_t) == VOW__CELL_BYTES, "the cell has grown");
_Static_assert(offsetof(vow_op_t, cls) == sizeof(vow_future_t),
               "vow_op_t has the wrong size");

static vow__node_t *node_of(const vow_waiter_t *w) {
  return (vow__node_t *)(uintptr_t)w;
}

void vow_waiter_start(vow_waiter_t *w, void *op, vow_future_t *f) {
  vow__waiter_t *in = (vow__waiter_t *)(void *)w;
  vow__debug_check(in->node.source == NULL, "waiter is busy",
                   in->node.source->site);
  in->node.kind = VOW__WAITER;
  in->node.state = VOW__PENDING;
  in->node.flags = 0;
  in->owner = op;
  vow__wait_on(vow__loop_of(op), &in->node, f);
}

/* Whether pending f waits for no other future, so that it closes no circle. */
static inline bool is_leaf(vow_future_t *f) {
  if (f->node.kind == VOW__OP) return vow__as_op(f)->cls->sources == NULL;
  return f->node.source == NULL;
}

int vow_waiter_try(vow_waiter_t *w, void *op, vow_future_t *f) {
  vow__waiter_t *in = (vow__waiter_t *)(void *)w;
  if (VOW__UNLIKELY(f == NULL)) return UV_EINVAL;
  if (vow__settled(f))
    return f->node.flags & VOW__F_STATIC || vow__loop_of(f) == vow__loop_of(op)
               ? 1
               : UV_EINVAL;
  if (VOW__UNLIKELY(vow__loop_of(f) != vow__loop_of(op))) return UV_EINVAL;
  if (VOW__UNLIKELY(f == op) ||
      (!is_leaf(f) && ((vow_future_t *)op)->waiters != NULL &&
       vow__would_cycle(op, f)))
    return VOW_ECYCLE;
  vow__debug_check(in->node.source == NULL, "waiter is busy",
                   in->node.source->site);
  in->node.word = VOW__WORD(VOW__WAITER, VOW__PENDING, 0, 0);
  in->owner = op;
  in->node.source = f;
  vow__waiters_append(f, &in->node);
  return 0;
}

vow_future_t *vow_waiter_future(const vow_waiter_t *w) {
  return node_of(w)->source;
}

vow_future_t *vow_waiter_take(vow_waiter_t *w) {
  vow__node_t *n = node_of(w);
  vow_future_t *f = n->source;
  if (f == NULL) return NULL;
  if (n->state == VOW__PENDING) vow__leave(n);
  n->source = NULL;
  return f;
}

bool vow_waiter_cancel(vow_waiter_t *w) {
  vow__node_t *n = node_of(w);
  if (n->source == NULL) return false;
  if (n->state == VOW__PENDING && !vow__settled(n->source)) {
    if (vow__withdraw(n)) return true;
    n->source = NULL;
    return false;
  }
  vow_drop(vow_waiter_take(w));
  return false;
}

void vow_waiter_release(vow_waiter_t *w) {
  vow_drop(vow_waiter_take(w));
}

/* SPDX-License-Identifier: MIT */
/* The hot end of settling, inline for settle.c, promise.c and future.c. */
#ifndef VOW_CORE_SETTLE_H
#define VOW_CORE_SETTLE_H

#include "core/loop.h"

void vow__reap_slow(vow_future_t *f);

/* Settled with what needs no destroying, and no operation. */
static inline bool vow__is_plain(const vow_future_t *f) {
  return f->node.state == VOW__DONE && !(f->node.flags & VOW__F_OP) &&
         (f->u.value.type == &vow_type_int || f->u.value.type == NULL);
}

/* For one without references. */
static inline void vow__reap_unreferenced(vow_future_t *f) {
  if (f->node.pins > 0) return;
  if (VOW__LIKELY(vow__is_plain(f)))
    vow__cell_free(f);
  else
    vow__reap_slow(f);
}

/* vow__release for one that has settled. */
static inline void vow__release_settled(vow_future_t *f) {
  if (--f->node.refs == 0) vow__reap_unreferenced(f);
}

/* The value comes in halves: kept whole it would go through the stack, written
 * by halves and read as one, which stalls. */
static inline void vow__settle_fast(vow_loop_t *loop, vow_future_t *f,
                                    int64_t payload, const vow_type_t *type) {
  vow__node_t *w = f->waiters;
  f->u.value.as.i = payload;
  f->u.value.type = type;
  f->node.state = VOW__DONE;
  if (VOW__UNLIKELY(type == &vow__type_code || type == &vow__type_error))
    f->node.state = vow__failure_state(f->u.value);
  if (w != NULL) {
    f->waiters = NULL;
    vow__ready_splice(loop, w);
  }
  if (VOW__UNLIKELY(f->node.refs == 0)) vow__reap_unreferenced(f);
}

#endif

/* SPDX-License-Identifier: MIT */
/* The hot end of settling, inline for settle.c, promise.c and future.c. */
#ifndef VOW_CORE_SETTLE_H
#define VOW_CORE_SETTLE_H

#include "core/loop.h"

void vow__reap_slow(vow_future_t *f);

/* May be freed without looking any further: plain, no operation, no pins. */
#define VOW__FREE_MASK  VOW__WORD(0, 0, VOW__F_PLAIN | VOW__F_OP, 0xff)
#define VOW__FREE_MATCH VOW__WORD(0, 0, VOW__F_PLAIN, 0)

/* For one without references that has settled. */
static inline void vow__reap_unreferenced(vow_future_t *f) {
  if (VOW__LIKELY((f->node.word & VOW__FREE_MASK) == VOW__FREE_MATCH))
    vow__cell_free(f);
  else
    vow__reap_slow(f);
}

/* vow__release for one that has settled. */
static inline void vow__release_settled(vow_future_t *f) {
  if (--f->node.refs == 0) vow__reap_unreferenced(f);
}

/* Numbers, nil and cancellations are plain: nothing to destroy, nothing to
 * report. */
static inline uint32_t vow__outcome_word(vow_value_t v) {
  uint8_t state = vow__outcome_state(v);
  if (state == VOW__CANCELLED && v.type == &vow__type_code)
    return VOW__WORD(0, VOW__CANCELLED, VOW__F_PLAIN, 0);
  return VOW__WORD(0, state, 0, 0);
}

/* Settles f, of which word is node.word. The value comes in halves: kept whole
 * it would go through the stack, written by halves and read as one, which
 * stalls. */
static VOW__INLINE void vow__settle_word(vow_loop_t *loop, vow_future_t *f,
                                         uint32_t word, int64_t payload,
                                         const vow_type_t *type) {
  vow__node_t *w = f->waiters;
  f->u.value.as.i = payload;
  f->u.value.type = type;
  word &= ~VOW__WORD(0, 0xff, 0, 0);
  if (VOW__LIKELY(type == &vow_type_int || type == NULL))
    word |= VOW__WORD(0, VOW__DONE, VOW__F_PLAIN, 0);
  else
    word |= vow__outcome_word(f->u.value);
  f->node.word = word;
  if (w != NULL) {
    f->waiters = NULL;
    vow__ready_splice(loop, w);
  }
  if (VOW__UNLIKELY(f->node.refs == 0)) vow__reap_unreferenced(f);
}

static inline void vow__settle_fast(vow_loop_t *loop, vow_future_t *f,
                                    int64_t payload, const vow_type_t *type) {
  vow__settle_word(loop, f, f->node.word, payload, type);
}

#endif

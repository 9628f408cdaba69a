/* SPDX-License-Identifier: MIT */
/* A token's fields, shared by token.c (the tree), token_cancel.c (the walk
 * down) and token_bind.c (watches, bound futures, closing). */
#ifndef VOW_CORE_TOKEN_H
#define VOW_CORE_TOKEN_H

#include "core/loop.h"

/* From a source to a token below it. A child has one, a linked token as many
 * as it has sources. */
typedef struct vow__edge {
  vow__link_t link;    /* in source->children, in creation order */
  vow_token_t *source; /* NULL: the source is gone */
  vow_token_t *token;
} vow__edge_t;

struct vow_token {
  atomic_uint refs;  /* memory: the owner, the tree, a walk, other threads */
  atomic_int reason; /* 0: not cancelled */
  vow_loop_t *loop;  /* its memory is kept */
  bool freed;        /* by the owner; stays only for what is still below it */
  bool gone;         /* out of the tree; the memory waits for readers */
  bool walking;      /* token_cancel.c is on its way through it */
  bool busy;         /* something bound here or below has not settled */
  vow__link_t children;
  vow__link_t bound;   /* vow_future.u.bound */
  vow__link_t watches; /* vow_future.node */
  vow__link_t closers; /* operations of vow_token_close */
  size_t unwinding;    /* bound futures that were cancelled, unsettled yet */
  size_t busy_children;
  vow_timer_t timer;
  uint64_t deadline_ms;
  vow_token_t *walk_next;
  uint64_t asked; /* the last vow_token_deadline_ms that came through here */
  vow_token_t *asked_next;
  size_t n_up;
  vow__edge_t up[];
};

/** token_cancel.c: vow__cancel on behalf of t. */
void vow__token_withdraw(vow_token_t *t, vow_future_t *f);
vow_future_t *vow__bound_cell(vow__link_t *link);
/** To be called whenever something under t came, went or settled; t may be
 *  gone afterwards. */
void vow__token_changed(vow_token_t *t);
/** Settles those who wait for t to be quiet. */
void vow__token_quiet(vow_token_t *t);
/** Cancels t and all below; reason is negative. */
void vow__token_cancel(vow_token_t *t, int reason);

#endif

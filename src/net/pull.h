/* SPDX-License-Identifier: MIT */
/* Objects that are asked for one thing after the other: next gives a future,
 * first in, first out, and gets more of its source only while one is pending.
 * What the things are is the owner's affair. */
#ifndef VOW_NET_PULL_H
#define VOW_NET_PULL_H

#include "net/steps.h"

typedef struct vow__pull vow__pull_t;
typedef struct vow__pull_next vow__pull_next_t;

typedef struct vow__pull_kind {
  vow_op_class_t next; /* VOW__PULL_CLASS */
  /** The next thing at hand, or a failure, or the end: true. */
  bool (*give)(vow__pull_t *p, vow_value_t *ret_v);
  /** The first step of getting more, in an operation s that ends with
   *  vow__steps_finish; vow__pull_of(s) is p. */
  void (*fill)(vow__pull_t *p, vow__steps_t *s);
  /** That ended; v, which is consumed, says how. */
  void (*filled)(vow__pull_t *p, vow_value_t v);
  /** Releases p, the loop being closed perhaps. */
  void (*destroy)(vow__pull_t *p);
} vow__pull_kind_t;

/** A next that is pending. */
struct vow__pull_next {
  vow_op_t op;
  vow__pull_t *pull; /* NULL when it is in no list */
  vow__pull_next_t *next;
  vow__pull_next_t **link;
};

/** The head of such an object. */
struct vow__pull {
  vow_loop_t *loop;
  const char *site;
  const vow__pull_kind_t *kind;
  vow__pull_next_t *first;
  vow__pull_next_t **end;
  vow__steps_t *filling; /* NULL: none under way */
  bool freed;            /* to be destroyed when that has ended */
};

void vow__pull_cancel_next(void *op);
#define VOW__PULL_CLASS(name) \
  { (name), sizeof(vow__pull_next_t), vow__pull_cancel_next, NULL, NULL, NULL }

void vow__pull_init(vow__pull_t *p, const char *site, vow_loop_t *loop,
                    const vow__pull_kind_t *kind);
/** The public next; p may be NULL. */
vow_future_t *vow__pull_next(const char *site, vow__pull_t *p,
                             const vow__pull_kind_t *kind);
/** The public free; p may be NULL. Pending nexts fail with VOW_ESHUTDOWN. */
void vow__pull_free(vow__pull_t *p);
vow__pull_t *vow__pull_of(vow__steps_t *s);

#endif

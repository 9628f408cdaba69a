/* SPDX-License-Identifier: MIT */
/* Lists that grow while items come. */
#ifndef VOW_COMBINE_ITER_LIST_H
#define VOW_COMBINE_ITER_LIST_H

#include "combine/values.h"

/** A list that nobody else has; zeroed when there is none yet. */
typedef struct vow__growing {
  vow_list_t *list;
  size_t capacity;
} vow__growing_t;

/** Room for one more, below max: UV_ENOMEM, and nothing has changed, or 0. */
int vow__growing_reserve(vow__growing_t *g, size_t max);
/** Puts v, which is consumed, into that room. */
void vow__growing_add(vow__growing_t *g, vow_value_t v);
/** The list, NULL when there is none; g begins anew. */
vow_list_t *vow__growing_take(vow__growing_t *g);
static inline size_t vow__growing_length(const vow__growing_t *g) {
  return vow_list_length(g->list);
}

#endif

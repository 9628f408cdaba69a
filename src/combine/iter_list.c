/* SPDX-License-Identifier: MIT */
/* Growing lists: each twice as long as the one before. */
#include "combine/iter_list.h"

#include "base/errno.h"

#include <string.h>

#define FIRST_CAPACITY 8u

int vow__growing_reserve(vow__growing_t *g, size_t max) {
  vow_list_t *old = g->list, *l;
  size_t capacity = old != NULL ? g->capacity * 2 : FIRST_CAPACITY;
  if (old != NULL && old->length < g->capacity) return 0;
  if (capacity > max) capacity = max;
  l = vow__values_new(capacity);
  if (l == NULL) return UV_ENOMEM;
  if (old != NULL) {
    memcpy(l->items, old->items, old->length * sizeof(l->items[0]));
    l->length = old->length;
    old->length = 0;
    vow_list_drop(old);
  }
  g->list = l;
  g->capacity = capacity;
  return 0;
}

void vow__growing_add(vow__growing_t *g, vow_value_t v) {
  g->list->items[g->list->length++] = v;
}

vow_list_t *vow__growing_take(vow__growing_t *g) {
  vow_list_t *l = g->list;
  g->list = NULL;
  return l;
}

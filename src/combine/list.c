/* SPDX-License-Identifier: MIT */
/* Lists of values, and failures gathered out of one. Nothing here knows
 * futures that are pending. */
#include "combine/values.h"

#include "base/errno.h"
#include <vow/op.h>

#include <stdio.h>
#include <string.h>

static void *list_ref(void *p) {
  vow_list_t *l = p;
  l->refs++;
  return l;
}

/* Lists may hold lists, a million deep: the dead stand in a line, instead of on
 * the stack. */
static void list_destroy(void *p) {
  vow_list_t *dead = p;
  if (--dead->refs > 0) return;
  dead->next_dead = NULL;
  while (dead != NULL) {
    vow_list_t *l = dead;
    dead = l->next_dead;
    for (size_t i = 0; i < l->length; i++) {
      vow_list_t *inner = l->items[i].as.p;
      if (l->items[i].type != &vow_type_list || inner == NULL) {
        vow_value_destroy(l->items[i]);
      } else if (--inner->refs == 0) {
        inner->next_dead = dead;
        dead = inner;
      }
    }
    vow_release(l);
  }
}

static void list_describe(const void *p, char *buf, size_t size_bytes) {
  snprintf(buf, size_bytes, "list of %zu", ((const vow_list_t *)p)->length);
}

const vow_type_t vow_type_list = {"list", list_destroy, list_ref,
                                  list_describe};

vow_list_t *vow_get_list(vow_future_t *f) {
  return vow_get(f, &vow_type_list);
}

vow_list_t *vow_take_list(vow_future_t *f) {
  return vow_take(f, &vow_type_list);
}

vow_list_t *vow_list_new(size_t length) {
  vow_list_t *l = vow__values_new(length);
  if (l != NULL) vow__values_grow(l, length);
  return l;
}

int vow_list_set(vow_list_t *l, size_t i, vow_value_t v) {
  vow_value_t former;
  if (i >= vow_list_length(l)) {
    vow_value_destroy(v);
    return UV_EINVAL;
  }
  former = l->items[i];
  l->items[i] = v;
  vow_value_destroy(former);
  return 0;
}

vow_list_t *vow_value_list(vow_value_t v) {
  return vow_value_get(v, &vow_type_list);
}

void vow_list_drop(vow_list_t *l) {
  if (l != NULL) list_destroy(l);
}

size_t vow_list_length(const vow_list_t *l) {
  return l != NULL ? l->length : 0;
}

vow_value_t vow_list_at(const vow_list_t *l, size_t i) {
  return i < vow_list_length(l) ? l->items[i] : vow_nil();
}

vow_value_t vow_list_take(vow_list_t *l, size_t i) {
  vow_value_t v = vow_list_at(l, i);
  int err;
  if (i >= vow_list_length(l)) return v;
  if (l->refs == 1) {
    l->items[i] = vow_nil();
    return v;
  }
  err = vow_value_share(l->items[i], &v);
  return err == 0 ? v : vow_fail(err);
}

vow_list_t *vow__values_new(size_t n) {
  vow_list_t *l;
  if (n > (SIZE_MAX - sizeof(*l)) / sizeof(l->items[0])) return NULL;
  l = vow_alloc(sizeof(*l) + n * sizeof(l->items[0]));
  if (l == NULL) return NULL;
  l->refs = 1;
  l->length = 0;
  return l;
}

void vow__values_grow(vow_list_t *l, size_t n) {
  memset(&l->items[l->length], 0, (n - l->length) * sizeof(l->items[0]));
  l->length = n;
}

vow_value_t vow__values_failure(const char *site, vow_list_t *l, size_t first) {
  size_t count = 0;
  vow_value_t v;
  for (size_t i = 0; i < l->length; i++) {
    v = l->items[i];
    l->items[i] = vow_nil();
    if (!vow_value_is_failure(v)) {
      vow_value_destroy(v);
      continue;
    }
    if (i == first) first = count;
    l->items[count++] = v;
  }
  l->length = 0;
  v = count == 1 ? l->items[0]
                 : vow_fail_multi_at(site, count, l->items, first);
  vow_list_drop(l);
  return v;
}

vow_value_t vow__cancelled_because(const char *site, vow_value_t why,
                                   vow_value_t failure) {
  if (!vow_value_is_failure(failure)) {
    vow_value_destroy(failure);
    return why;
  }
  vow_value_destroy(why);
  return vow_fail_cause_at(site, UV_ECANCELED, failure,
                           "cancelled, and an input failed while it unwound");
}

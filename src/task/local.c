/* SPDX-License-Identifier: MIT */
/* Task-local values: a short list a task. */
#include "task/task.h"

struct vow__local {
  vow__local_t *next;
  const vow_local_t *key;
  vow_value_t value;
};

static vow__local_t *find(const vow__task_t *t, const vow_local_t *key) {
  vow__local_t *l = t->locals;
  while (l != NULL && l->key != key) l = l->next;
  return l;
}

static int add(vow__task_t *t, const vow_local_t *key, vow_value_t v) {
  vow__local_t *l = vow_alloc(sizeof(*l));
  if (l == NULL) {
    vow_value_destroy(v);
    return UV_ENOMEM;
  }
  l->next = t->locals;
  l->key = key;
  l->value = v;
  t->locals = l;
  return 0;
}

int vow_local_set(const vow_local_t *key, vow_value_t v) {
  vow__task_t *t = vow__task_self;
  vow__local_t *l;
  vow_value_t former;
  if (t == NULL || key == NULL) {
    vow_value_destroy(v);
    return UV_EINVAL;
  }
  l = find(t, key);
  if (l == NULL) return add(t, key, v);
  former = l->value;
  l->value = v;
  vow_value_destroy(former);
  return 0;
}

vow_value_t vow_local_get(const vow_local_t *key) {
  vow__task_t *t = vow__task_self;
  vow__local_t *l = t != NULL ? find(t, key) : NULL;
  return l != NULL ? l->value : vow_nil();
}

int vow__locals_inherit(vow__task_t *child, const vow__task_t *parent) {
  for (const vow__local_t *l = parent->locals; l != NULL; l = l->next) {
    vow_value_t v;
    int err;
    if (!l->key->inherited) continue;
    err = vow_value_share(l->value, &v);
    if (err == VOW_EMOVED) continue; /* cannot be shared */
    if (err == 0) err = add(child, l->key, v);
    if (err != 0) return err;
  }
  return 0;
}

void vow__locals_destroy(vow__task_t *t) {
  while (t->locals != NULL) {
    vow__local_t *l = t->locals;
    t->locals = l->next;
    vow_value_destroy(l->value);
    vow_release(l);
  }
}

/* SPDX-License-Identifier: MIT */
/* each and collect: what becomes of the items of a whole iterator. */
#include "combine/iter_call.h"
#include "combine/iter_drive.h"
#include "combine/iter_list.h"

#include "base/errno.h"
#include <vow/iter_tools.h>

/* ---- each ---------------------------------------------------------------- */

typedef struct each {
  vow__drive_t base;
  uint64_t count;
  vow_then_cb cb;
  void *arg;
  vow_drop_cb arg_drop;
} each_t;

static const vow_type_t stop_type = {"stop", NULL, NULL, NULL};

vow_value_t vow_iter_stop(void) {
  return vow_ptr(NULL, &stop_type);
}

static each_t *each_of(vow__drive_t *d) {
  return (each_t *)(void *)d;
}

static vow_value_t each_result(vow__drive_t *d) {
  return vow_int((int64_t)each_of(d)->count);
}

/* What the callback, or its future, gave. */
static void each_answered(vow__drive_t *d, vow_value_t v) {
  if (vow_value_is_failure(v)) {
    vow__drive_leave(d, v);
  } else if (v.type == &stop_type && !d->cancelled) {
    vow__drive_leave(d, each_result(d));
  } else {
    vow_value_destroy(v);
    vow__drive_ask(d);
  }
}

static void each_item(vow__drive_t *d, vow_future_t *f) {
  each_t *e = each_of(d);
  vow_value_t v;
  vow_future_t *inner;
  e->count++;
  v = e->cb(f, e->arg);
  vow_drop(f);
  inner = vow__call_followed(e, "vow_iter_each", &v);
  if (inner != NULL)
    vow__drive_work(d, inner);
  else
    each_answered(d, v);
}

static void each_worked(vow__drive_t *d, vow_future_t *f) {
  each_answered(d, vow_op_consume(vow_site(vow_op_future(d)), f));
}

static void each_release(vow__drive_t *d) {
  each_t *e = each_of(d);
  if (e->arg_drop != NULL) e->arg_drop(e->arg);
}

static const vow_op_class_t each_class = VOW__DRIVE_CLASS("iter_each", each_t);

vow_future_t *vow_iter_each_at(const char *site, vow_iter_t *it, vow_then_cb cb,
                               void *arg, vow_drop_cb arg_drop) {
  const char *wrong = cb == NULL ? "the callback is NULL" : NULL;
  vow_future_t *failed;
  each_t *e =
      vow__drive_new(site, it, &each_class, "vow_iter_each", wrong, &failed);
  if (e == NULL) {
    if (arg_drop != NULL) arg_drop(arg);
    return failed;
  }
  e->base.item = each_item;
  e->base.worked = each_worked;
  e->base.result = each_result;
  e->base.release = each_release;
  e->cb = cb;
  e->arg = arg;
  e->arg_drop = arg_drop;
  vow__drive_ask(&e->base);
  return vow_op_future(e);
}

/* ---- collect ------------------------------------------------------------- */

typedef struct collect {
  vow__drive_t base;
  vow__growing_t items;
  size_t max;
} collect_t;

static collect_t *collect_of(vow__drive_t *d) {
  return (collect_t *)(void *)d;
}

static vow_value_t collect_result(vow__drive_t *d) {
  vow_list_t *l = vow__growing_take(&collect_of(d)->items);
  if (l == NULL) l = vow__values_new(0);
  return l != NULL ? vow_ptr(l, &vow_type_list) : vow_fail(UV_ENOMEM);
}

static void collect_item(vow__drive_t *d, vow_future_t *f) {
  collect_t *c = collect_of(d);
  const char *site = vow_site(vow_op_future(d));
  if (vow__growing_length(&c->items) == c->max) {
    vow_drop(f);
    vow__drive_leave(d, vow_failf_at(site, UV_EMSGSIZE,
                                     "vow_iter_collect: more than %zu items",
                                     c->max));
  } else if (vow__growing_reserve(&c->items, c->max) != 0) {
    vow_drop(f);
    vow__drive_leave(d, vow_fail(UV_ENOMEM));
  } else {
    vow__growing_add(&c->items, vow_op_consume(site, f));
    vow__drive_ask(d);
  }
}

static void collect_release(vow__drive_t *d) {
  vow_list_drop(vow__growing_take(&collect_of(d)->items));
}

static const vow_op_class_t collect_class =
    VOW__DRIVE_CLASS("iter_collect", collect_t);

vow_future_t *vow_iter_collect_at(const char *site, vow_iter_t *it,
                                  size_t max) {
  vow_future_t *failed;
  collect_t *c = vow__drive_new(site, it, &collect_class, "vow_iter_collect",
                                NULL, &failed);
  if (c == NULL) return failed;
  c->base.item = collect_item;
  c->base.result = collect_result;
  c->base.release = collect_release;
  c->max = max;
  vow__drive_ask(&c->base);
  return vow_op_future(c);
}

/* SPDX-License-Identifier: MIT */
/* map, filter and take_while: a user's callback for each item, one at a
 * time. */
#include "combine/iter_adapt.h"

#include "base/errno.h"
#include <vow/iter_tools.h>

#define FN(a) (((const vow__adapt_kind_t *)(const void *)(a)->it.op.cls)->fn)

/* ---- map ----------------------------------------------------------------- */

static void map_item(vow__adapt_t *a, vow_future_t *f) {
  vow_value_t v = a->cb(f, a->arg);
  vow_future_t *inner;
  vow_drop(f);
  inner = vow__iter_followed(&a->it, FN(a), &v);
  if (inner != NULL)
    vow__adapt_work(a, inner);
  else
    vow_iter_give(&a->it, vow__call_item(a, FN(a), v));
}

static void map_worked(vow__adapt_t *a, vow_future_t *f) {
  vow_value_t v = vow_op_consume(vow__adapt_site(a), f);
  vow_iter_give(&a->it, vow__call_item(a, FN(a), v));
}

static const vow__adapt_kind_t map_kind = {
    .cls = VOW__ADAPT_CLASS("iter_map", vow__adapt_t, NULL),
    .fn = "vow_iter_map",
    .calls = true,
    .item = map_item,
    .worked = map_worked,
};

/* ---- filter, take_while -------------------------------------------------- */

static const vow__adapt_kind_t while_kind;

static bool is_while(const vow__adapt_t *a) {
  return a->it.op.cls == &while_kind.cls.op;
}

static void refuse(vow__adapt_t *a, vow_value_t failure) {
  vow_future_t *item = a->held;
  a->held = NULL;
  vow_drop(item);
  vow_iter_give(&a->it, vow__call_item(a, FN(a), failure));
}

/* The callback's verdict on the item that is held. */
static void judged(vow__adapt_t *a, vow_value_t verdict) {
  vow_future_t *item = a->held;
  if (vow_value_is_failure(verdict)) {
    refuse(a, verdict);
  } else if (verdict.type != &vow_type_int) {
    const char *type = verdict.type != NULL ? verdict.type->name : "nil";
    vow_value_t failure =
        vow_failf_at(vow__adapt_site(a), VOW_ETYPE,
                     "%s: the callback gave %s, not a number", FN(a), type);
    vow_value_destroy(verdict);
    refuse(a, failure);
  } else {
    a->held = NULL;
    if (verdict.as.i != 0) {
      vow_iter_give(&a->it, vow_op_consume(vow__adapt_site(a), item));
      return;
    }
    vow_drop(item);
    if (is_while(a))
      vow__adapt_end(a);
    else
      vow__adapt_ask_again(a);
  }
}

static void judge_item(vow__adapt_t *a, vow_future_t *f) {
  vow_value_t v;
  vow_future_t *inner;
  a->held = f;
  vow_ref(f); /* so that the callback cannot take the item */
  v = a->cb(f, a->arg);
  vow_drop(f);
  inner = vow__iter_followed(&a->it, FN(a), &v);
  if (inner != NULL)
    vow__adapt_work(a, inner);
  else
    judged(a, v);
}

static void judge_worked(vow__adapt_t *a, vow_future_t *f) {
  judged(a, vow_op_consume(vow__adapt_site(a), f));
}

static const vow__adapt_kind_t filter_kind = {
    .cls = VOW__ADAPT_CLASS("iter_filter", vow__adapt_t, NULL),
    .fn = "vow_iter_filter",
    .calls = true,
    .item = judge_item,
    .worked = judge_worked,
};

static const vow__adapt_kind_t while_kind = {
    .cls = VOW__ADAPT_CLASS("iter_take_while", vow__adapt_t, NULL),
    .fn = "vow_iter_take_while",
    .calls = true,
    .item = judge_item,
    .worked = judge_worked,
};

/* ---- making -------------------------------------------------------------- */

static vow_iter_t *with_callback(const char *site, vow_iter_t *it,
                                 const vow__adapt_kind_t *kind, vow_then_cb cb,
                                 void *arg, vow_drop_cb arg_drop) {
  const char *wrong = cb == NULL ? "the callback is NULL" : NULL;
  vow_iter_t *other;
  vow__adapt_t *a =
      vow__adapt_new(site, it, kind, wrong, arg, arg_drop, &other);
  if (a == NULL) return other;
  a->cb = cb;
  return &a->it;
}

vow_iter_t *vow_iter_map_at(const char *site, vow_iter_t *it, vow_then_cb cb,
                            void *arg, vow_drop_cb arg_drop) {
  return with_callback(site, it, &map_kind, cb, arg, arg_drop);
}

vow_iter_t *vow_iter_filter_at(const char *site, vow_iter_t *it, vow_then_cb cb,
                               void *arg, vow_drop_cb arg_drop) {
  return with_callback(site, it, &filter_kind, cb, arg, arg_drop);
}

vow_iter_t *vow_iter_take_while_at(const char *site, vow_iter_t *it,
                                   vow_then_cb cb, void *arg,
                                   vow_drop_cb arg_drop) {
  return with_callback(site, it, &while_kind, cb, arg, arg_drop);
}

/* SPDX-License-Identifier: MIT */
/* Iterators over what is there: numbers and lists. Nothing here waits. */
#include "combine/iter_call.h"

#include "base/errno.h"
#include <vow/iter_class.h>
#include <vow/iter_sources.h>

/* ---- range --------------------------------------------------------------- */

typedef struct range {
  vow_iter_t it;
  int64_t next;
  int64_t end;
  int64_t step;
  bool done;
} range_t;

/* How far it is from a to b, in the direction of step. */
static uint64_t distance(int64_t a, int64_t b, int64_t step) {
  if (step > 0) return b > a ? (uint64_t)b - (uint64_t)a : 0;
  return a > b ? (uint64_t)a - (uint64_t)b : 0;
}

static void range_next(vow_iter_t *it) {
  range_t *r = (range_t *)(void *)it;
  uint64_t width = r->step > 0 ? (uint64_t)r->step : 0 - (uint64_t)r->step;
  vow_value_t v = r->done ? vow_fail(UV_EOF) : vow_int(r->next);
  if (distance(r->next, r->end, r->step) > width)
    r->next += r->step;
  else
    r->done = true;
  vow_iter_give(it, v);
}

static const vow_iter_class_t range_class = {
    .op = VOW_ITER_OP("iter_range", range_t, NULL, NULL),
    .next = range_next,
};

vow_iter_t *vow_iter_range_at(const char *site, vow_loop_t *loop, int64_t first,
                              int64_t end, int64_t step) {
  range_t *r;
  if (step == 0)
    return vow_iter_failed(
        vow_misuse_at(site, loop, UV_EINVAL, "vow_iter_range: the step is 0"));
  r = vow_iter_new_at(site, loop, &range_class);
  if (r == NULL)
    return vow_iter_failed(vow_op_failed(site, loop, "vow_iter_range"));
  r->next = first;
  r->end = end;
  r->step = step;
  r->done = distance(first, end, step) == 0;
  return &r->it;
}

/* ---- list ---------------------------------------------------------------- */

typedef struct items {
  vow_iter_t it;
  vow_list_t *list;
  size_t next;
} items_t;

static void items_next(vow_iter_t *it) {
  items_t *s = (items_t *)(void *)it;
  if (s->next == vow_list_length(s->list)) {
    vow_iter_give(it, vow_fail(UV_EOF));
  } else {
    vow_value_t v = vow_list_take(s->list, s->next++);
    vow_iter_give(it, vow__call_item(it, "vow_iter_of_list", v));
  }
}

static void items_close(vow_iter_t *it) {
  items_t *s = (items_t *)(void *)it;
  vow_list_t *list = s->list;
  s->list = NULL;
  vow_list_drop(list);
  vow_iter_closed(it, vow_nil());
}

static const vow_iter_class_t items_class = {
    .op = VOW_ITER_OP("iter_of_list", items_t, NULL, NULL),
    .next = items_next,
    .close = items_close,
};

vow_iter_t *vow_iter_of_list_at(const char *site, vow_loop_t *loop,
                                vow_list_t *list) {
  items_t *s;
  if (list == NULL)
    return vow_iter_failed(vow_misuse_at(site, loop, UV_EINVAL,
                                         "vow_iter_of_list: the list is NULL"));
  s = vow_iter_new_at(site, loop, &items_class);
  if (s == NULL) {
    vow_iter_t *failed =
        vow_iter_failed(vow_op_failed(site, loop, "vow_iter_of_list"));
    vow_list_drop(list);
    return failed;
  }
  s->list = list;
  return &s->it;
}

/* SPDX-License-Identifier: MIT */
/* Pending nexts, and the operation that gets more for them. */
#include "net/pull.h"

#include <string.h>
#include <uv.h>

typedef struct fill {
  vow__steps_t steps;
  vow__pull_t *pull;
} fill_t;

vow__pull_t *vow__pull_of(vow__steps_t *s) {
  return ((fill_t *)(void *)s)->pull;
}

void vow__pull_init(vow__pull_t *p, const char *site, vow_loop_t *loop,
                    const vow__pull_kind_t *kind) {
  memset(p, 0, sizeof *p);
  p->loop = loop;
  p->site = site;
  p->kind = kind;
  p->end = &p->first;
}

/* ---- nexts --------------------------------------------------------------- */

static void append(vow__pull_t *p, vow__pull_next_t *n) {
  n->pull = p;
  n->link = p->end;
  *p->end = n;
  p->end = &n->next;
}

static void unlink_next(vow__pull_next_t *n) {
  *n->link = n->next;
  if (n->next != NULL)
    n->next->link = n->link;
  else
    n->pull->end = n->link;
  n->pull = NULL;
}

void vow__pull_cancel_next(void *op) {
  vow__pull_next_t *n = op;
  vow__pull_t *p = n->pull;
  if (p != NULL) {
    unlink_next(n);
    if (p->first == NULL && p->filling != NULL)
      vow_cancel(vow_op_future(p->filling));
  }
  vow_op_settle(op, vow_cancelled(UV_ECANCELED));
}

static void settle_first(vow__pull_t *p, vow_value_t v) {
  vow__pull_next_t *n = p->first;
  unlink_next(n);
  vow_op_settle(n, v);
}

/* ---- getting more -------------------------------------------------------- */

static void serve(vow__pull_t *p);

/* The end of a fill. */
static void fill_unwind(vow__steps_t *s) {
  vow__pull_t *p = vow__pull_of(s);
  vow_value_t v = s->outcome;
  p->filling = NULL;
  p->kind->filled(p, v);
  s->outcome = vow_nil();
  vow__steps_end(s);
  vow_drop(vow_op_future(s));
  if (p->freed)
    p->kind->destroy(p);
  else
    serve(p);
}

static const vow_op_class_t fill_class = VOW__STEPS_CLASS("fill", fill_t, NULL);

static void start_fill(vow__pull_t *p) {
  fill_t *fill = vow_op_new_at(p->site, p->loop, &fill_class);
  if (fill == NULL) {
    while (p->first != NULL) settle_first(p, vow_fail(UV_ENOMEM));
    return;
  }
  fill->pull = p;
  fill->steps.unwind = fill_unwind;
  p->filling = &fill->steps;
  p->kind->fill(p, &fill->steps);
}

static void serve(vow__pull_t *p) {
  vow_value_t v;
  while (p->first != NULL && p->kind->give(p, &v)) settle_first(p, v);
  if (p->first != NULL && p->filling == NULL) start_fill(p);
}

vow_future_t *vow__pull_next(const char *site, vow__pull_t *p,
                             const vow__pull_kind_t *kind) {
  vow__pull_next_t *n;
  vow_future_t *f;
  vow_value_t v;
  if (p == NULL)
    return vow_misuse_at(site, NULL, UV_EINVAL, "%s: the object is NULL",
                         kind->next.name);
  /* The cell comes first, so that nothing is lost for want of one. */
  n = vow_op_new_at(site, p->loop, &kind->next);
  if (n == NULL) return vow_op_failed(site, p->loop, kind->next.name);
  f = vow_op_future(n);
  if (p->first == NULL && p->filling == NULL && kind->give(p, &v)) {
    vow_op_settle(n, v);
    return f;
  }
  append(p, n);
  if (p->filling == NULL) start_fill(p);
  return f;
}

void vow__pull_free(vow__pull_t *p) {
  if (p == NULL) return;
  p->freed = true;
  while (p->first != NULL) settle_first(p, vow_fail(VOW_ESHUTDOWN));
  if (p->filling != NULL)
    vow_cancel(vow_op_future(p->filling));
  else
    p->kind->destroy(p);
}

/* SPDX-License-Identifier: MIT */
/* Several iterators: asking and closing each, closing all. */
#include "combine/iter_join.h"

#include "base/errno.h"

#include <string.h>

static const char *site_of(vow__join_t *j) {
  return vow_site(vow_op_future(j));
}

void vow__join_ask(vow__join_t *j, vow__lane_t *lane) {
  if (vow_iter_is_closing(&j->it)) return;
  lane->phase = VOW__LANE_ASKING;
  vow_waiter_start(&lane->waiter, j,
                   vow_iter_next_at(site_of(j), lane->source));
}

void vow__join_unask(vow__lane_t *lane) {
  if (lane->phase != VOW__LANE_ASKING ||
      vow_is_settled(vow_waiter_future(&lane->waiter)))
    return;
  lane->phase = VOW__LANE_IDLE;
  vow_waiter_release(&lane->waiter);
}

/* ---- closing ------------------------------------------------------------- */

void vow__join_close_lane(vow__join_t *j, vow__lane_t *lane) {
  if (lane->phase == VOW__LANE_CLOSING) return;
  lane->phase = VOW__LANE_CLOSING;
  vow__call_forget(&lane->waiter);
  vow_waiter_start(&lane->waiter, j, vow_iter_close(lane->source));
}

vow_value_t vow__join_lane_closed(vow__join_t *j, vow__lane_t *lane) {
  vow_value_t failure = vow__call_failure(j, vow_waiter_take(&lane->waiter));
  vow_iter_t *source = lane->source;
  lane->source = NULL;
  j->left--;
  vow_iter_free(source);
  return failure;
}

void vow__join_close(vow_iter_t *it) {
  vow__join_t *j = (vow__join_t *)(void *)it;
  if (j->left == 0) {
    vow_iter_closed(it, vow_nil());
    return;
  }
  for (size_t i = 0; i < j->n; i++)
    if (j->lanes[i].source != NULL) vow__join_close_lane(j, &j->lanes[i]);
}

void vow__join_unwound(vow__join_t *j, vow__lane_t *lane) {
  vow_value_t failure = vow__join_lane_closed(j, lane);
  if (!vow_value_is_failure(j->failure))
    j->failure = failure;
  else if (vow_value_is_failure(failure))
    j->failure = vow_fail_because_at(site_of(j), j->failure, failure);
  if (j->left > 0) return;
  failure = j->failure;
  j->failure = vow_nil();
  vow_iter_closed(&j->it, failure);
}

void vow__join_destroy(void *op) {
  vow__join_t *j = op;
  vow_release(j->lanes);
}

void vow__join_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                       void *arg) {
  const vow__join_t *j = op;
  for (size_t i = 0; i < j->n; i++)
    if (vow_waiter_future(&j->lanes[i].waiter) != NULL)
      visit(vow_waiter_future(&j->lanes[i].waiter), arg);
}

/* ---- making -------------------------------------------------------------- */

static void free_all(size_t n, vow_iter_t *const *its) {
  for (size_t i = 0; i < n; i++) vow_iter_free(its[i]);
}

/* The one that failed first, or a new one: all of its are consumed. NULL when
 * they may be joined. */
static vow_iter_t *refuse(const char *site, vow_loop_t *loop, const char *fn,
                          size_t n, vow_iter_t *const *its) {
  vow_future_t *why = NULL;
  if (n > 0 && its == NULL)
    return vow_iter_failed(
        vow_misuse_at(site, loop, UV_EINVAL, "%s: the array is NULL", fn));
  if (n > (size_t)PTRDIFF_MAX / sizeof(vow__lane_t))
    return vow_iter_failed(vow_misuse_at(
        site, loop, UV_EINVAL, "%s: %zu iterators are too many", fn, n));
  if (loop == NULL)
    why = vow_misuse_at(site, NULL, UV_EINVAL, "%s: the loop is NULL", fn);
  for (size_t i = 0; i < n && why == NULL; i++) {
    if (vow_iter_failure(its[i]) != NULL)
      why = vow_ref(vow_iter_failure(its[i]));
    else if (its[i] == NULL || vow_iter_loop(its[i]) != loop)
      why = vow_misuse_at(site, loop, UV_EINVAL, "%s: iterator %zu is %s", fn,
                          i, its[i] == NULL ? "NULL" : "of another loop");
  }
  if (why == NULL) return NULL;
  free_all(n, its);
  return vow_iter_failed(why);
}

void *vow__join_new(const char *site, vow_loop_t *loop, const char *fn,
                    const vow_iter_class_t *cls, size_t n,
                    vow_iter_t *const *its, vow_iter_t **ret_other) {
  vow__join_t *j = NULL;
  vow__lane_t *lanes;
  *ret_other = refuse(site, loop, fn, n, its);
  if (*ret_other != NULL) return NULL;
  lanes = vow_alloc(n * sizeof(*lanes));
  if (n == 0 || lanes != NULL) j = vow_iter_new_at(site, loop, cls);
  if (j == NULL) {
    *ret_other = vow_iter_failed(vow_op_failed(site, loop, fn));
    vow_release(lanes);
    free_all(n, its);
    return NULL;
  }
  if (n > 0) memset(lanes, 0, n * sizeof(*lanes));
  for (size_t i = 0; i < n; i++) lanes[i].source = its[i];
  j->lanes = lanes;
  j->n = j->left = n;
  return j;
}

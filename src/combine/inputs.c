/* SPDX-License-Identifier: MIT */
/* Arrays of inputs: checks and waiters. Which outcome decides is each
 * combinator's own affair. */
#include "combine/inputs.h"

#include "base/errno.h"

#include <string.h>

static void drop_all(size_t n, vow_future_t *const *futures) {
  for (size_t i = 0; i < n; i++) vow_op_discard(futures[i]);
}

vow_future_t *vow__inputs_refuse(const char *site, vow_loop_t *loop,
                                 const char *fn, size_t n,
                                 vow_future_t *const *futures,
                                 size_t item_bytes) {
  vow_future_t *bad;
  size_t i = 0;
  if (n > 0 && futures == NULL)
    return vow_misuse_at(site, loop, UV_EINVAL, "%s: the array is NULL", fn);
  if (n > (size_t)PTRDIFF_MAX / item_bytes)
    return vow_misuse_at(site, loop, UV_EINVAL, "%s: %zu futures are too many",
                         fn, n);
  while (loop != NULL && i < n && vow_op_check(futures[i], loop) == 0) i++;
  if (loop != NULL && i == n) return NULL;
  if (loop == NULL)
    bad = vow_misuse_at(site, NULL, UV_EINVAL, "%s: the loop is NULL", fn);
  else
    bad = vow_misuse_at(site, loop, UV_EINVAL, "%s: future %zu is %s", fn, i,
                        futures[i] == NULL ? "NULL" : "of another loop");
  drop_all(n, futures);
  return bad;
}

vow_future_t *vow__inputs_failed(const char *site, vow_loop_t *loop,
                                 const char *fn, size_t n,
                                 vow_future_t *const *futures) {
  vow_future_t *f = vow_op_failed(site, loop, fn);
  drop_all(n, futures);
  return f;
}

vow_waiter_t *vow__waiters_new(size_t n, size_t extra_bytes) {
  vow_waiter_t *waiters = vow_alloc(n * sizeof(*waiters) + extra_bytes);
  if (waiters != NULL) memset(waiters, 0, n * sizeof(*waiters) + extra_bytes);
  return waiters;
}

void vow__waiters_start(vow_waiter_t *waiters, void *op, size_t n,
                        vow_future_t *const *futures) {
  for (size_t i = 0; i < n; i++) vow_waiter_start(&waiters[i], op, futures[i]);
}

size_t vow__waiters_cancel(vow_waiter_t *waiters, size_t n) {
  size_t released = 0;
  for (size_t i = 0; i < n; i++)
    if (vow_waiter_future(&waiters[i]) != NULL &&
        !vow_waiter_cancel(&waiters[i]))
      released++;
  return released;
}

void vow__waiters_visit(const vow_waiter_t *waiters, size_t n,
                        void (*visit)(vow_future_t *f, void *arg), void *arg) {
  for (size_t i = 0; waiters != NULL && i < n; i++)
    if (vow_waiter_future(&waiters[i]) != NULL)
      visit(vow_waiter_future(&waiters[i]), arg);
}

/* SPDX-License-Identifier: MIT */
/* Queues and subscriptions as iterators. Both are operations that have settled,
 * from which their loop is known. */
#include "base/errno.h"

#include <vow/iter_class.h>
#include <vow/iter_sync.h>

static vow_loop_t *loop_of(void *object) {
  return object != NULL ? vow_op_loop(object) : NULL;
}

static vow_future_t *queue_next(const char *site, void *source) {
  return vow_queue_get_at(site, source);
}

static vow_future_t *queue_close(void *source) {
  (void)source; /* borrowed */
  return NULL;
}

static const vow_iter_view_t queue_view = {"queue_iter", queue_next,
                                           queue_close, VOW_ESHUTDOWN};

vow_iter_t *vow_queue_iter_at(const char *site, vow_queue_t *q) {
  return vow_iter_view_at(site, loop_of(q), q, &queue_view);
}

static vow_future_t *subscription_next(const char *site, void *source) {
  return vow_subscription_next_at(site, source);
}

static vow_future_t *subscription_close(void *source) {
  vow_subscription_free(source);
  return NULL;
}

static const vow_iter_view_t subscription_view = {
    "subscription_iter", subscription_next, subscription_close, VOW_ESHUTDOWN};

vow_iter_t *vow_subscription_iter_at(const char *site, vow_subscription_t *s) {
  return vow_iter_view_at(site, loop_of(s), s, &subscription_view);
}

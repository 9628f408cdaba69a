/* SPDX-License-Identifier: MIT */
/* Locks and queues for tasks: what needs no waiting is done without a future,
 * the rest by awaiting one. */
#include "task/task.h"

#include <vow/task_sync.h>

/* A task that goes on in spite of its cancellation lets others run, as
 * vow_await does. */
static VOW__NOINLINE int refuse(int code) {
  (void)vow_yield();
  return code;
}

/* 0: go on; else why not: no task runs here, or it feels a cancellation. */
static inline int felt(void) {
  int code;
  if (VOW__UNLIKELY(vow__task_self == NULL)) return UV_EINVAL;
  code = vow__task_felt(vow__task_self);
  return VOW__LIKELY(code == 0) ? 0 : refuse(code);
}

int vow_await_lock_at(const char *site, vow_mutex_t *m) {
  vow_value_t permit;
  int code = felt();
  if (VOW__UNLIKELY(code != 0)) return code;
  if (VOW__LIKELY(vow_mutex_try_acquire(m))) return 0;
  permit = vow__await(site, vow__task_self, vow_mutex_acquire_at(site, m));
  if (VOW__LIKELY(permit.type == &vow_type_mutex_permit)) return 0;
  code = vow_value_code(permit);
  vow_value_destroy(permit);
  return code;
}

int vow_await_permits_at(const char *site, vow_semaphore_t *s, size_t n) {
  vow_value_t permit;
  size_t held;
  int code = felt();
  if (VOW__UNLIKELY(code != 0)) return code;
  if (VOW__LIKELY(vow_semaphore_try_acquire(s, n))) return 0;
  permit = vow_await_at(site, vow_semaphore_acquire_at(site, s, n));
  code = vow_value_code(permit);
  return vow_semaphore_hold(permit, &held) != NULL ? 0
                                                   : code; /* which ends it */
}

int vow_await_put_at(const char *site, vow_queue_t *q, vow_value_t v) {
  int code = felt();
  if (VOW__UNLIKELY(code != 0)) {
    vow_value_destroy(v);
    return code;
  }
  if (VOW__LIKELY(vow_queue_try_put(q, v) == 0)) return 0;
  return vow_await_status_at(site, vow_queue_put_at(site, q, v, 0));
}

vow_value_t vow_await_get_at(const char *site, vow_queue_t *q) {
  vow_value_t v;
  int code = felt();
  if (VOW__UNLIKELY(vow__task_self == NULL))
    return vow_failf_at(site, code, "vow_await_get: no task runs here");
  if (VOW__UNLIKELY(code != 0)) return vow_cancelled(code);
  if (VOW__LIKELY(vow_queue_try_get(q, &v) == 0)) return v;
  return vow_await_at(site, vow_queue_get_at(site, q));
}

/* SPDX-License-Identifier: MIT */
/* From a uv_loop_t to the vow loop on it, without touching uv_loop_t.data:
 * a list per thread, as a loop belongs to one thread, and the last answer. */
#include "uv/driver.h"

#include <vow/op.h>

static _Thread_local vow__uv_t *drivers;
static _Thread_local vow__uv_t *latest;

vow__uv_t *vow__uv_find(const uv_loop_t *uv) {
  vow__uv_t *d = latest;
  if (d != NULL && d->uv == uv) return d;
  for (d = drivers; d != NULL; d = d->next) {
    if (d->uv == uv) {
      latest = d;
      return d;
    }
  }
  return NULL;
}

void vow__uv_register(vow__uv_t *d) {
  d->next = drivers;
  drivers = d;
  latest = d;
}

void vow__uv_unregister(vow__uv_t *d) {
  vow__uv_t **link = &drivers;
  while (*link != NULL && *link != d) link = &(*link)->next;
  if (*link != NULL) *link = d->next;
  latest = NULL;
}

int vow__uv_check(vow_loop_t *loop, vow__uv_t **ret_d) {
  vow__uv_t *d = vow__uv_of(loop);
  if (loop == NULL) return UV_EINVAL;
  if (d == NULL) return UV_ENOTSUP;
  if (vow__uv_find(d->uv) != d) return VOW_ETHREAD;
  *ret_d = d;
  return 0;
}

int vow__uv_get(const void *handle, vow__uv_t **ret_d) {
  vow__uv_t *d;
  if (handle == NULL) return UV_EINVAL;
  d = vow__uv_find(((const uv_handle_t *)handle)->loop);
  if (d == NULL) return UV_EINVAL;
  *ret_d = d;
  return 0;
}

vow__uv_t *vow__uv_for(const char *site, const void *handle, const char *what,
                       vow_future_t **ret_failed) {
  vow__uv_t *d = NULL;
  if (vow__uv_get(handle, &d) == 0) return d;
  *ret_failed = vow_misuse_at(
      site, NULL, UV_EINVAL,
      handle == NULL ? "%s: the handle is NULL"
                     : "%s: no vow loop of this thread is on the handle's "
                       "uv_loop_t",
      what);
  return NULL;
}

vow_loop_t *vow_loop_from_uv(const uv_loop_t *uv) {
  vow__uv_t *d = vow__uv_find(uv);
  return d != NULL ? d->loop : NULL;
}

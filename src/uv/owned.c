/* SPDX-License-Identifier: MIT */
/* The list of handles that vow allocated. */
#include "uv/owned.h"

void vow__owned_add(vow__uv_t *d, vow__owned_t *o, void *handle,
                    const char *site) {
  o->handle = handle;
  o->site = site;
  o->next = d->owned_handles;
  if (o->next != NULL) o->next->link = &o->next;
  o->link = &d->owned_handles;
  d->owned_handles = o;
}

void vow__owned_remove(vow__owned_t *o) {
  if (o->link == NULL) return;
  *o->link = o->next;
  if (o->next != NULL) o->next->link = o->link;
  o->link = NULL;
}

void vow__owned_forget(vow__uv_t *d) {
  vow__owned_t *o;
  while ((o = d->owned_handles) != NULL) {
    vow__owned_remove(o);
    if (o->forget != NULL) o->forget(o);
  }
}

const char *vow__owned_site(vow__uv_t *d, const uv_handle_t *handle) {
  const vow__owned_t *o = d->owned_handles;
  while (o != NULL && o->handle != handle) o = o->next;
  return o != NULL ? o->site : NULL;
}

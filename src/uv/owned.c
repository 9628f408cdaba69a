/* SPDX-License-Identifier: MIT */
/* The list of handles that vow allocated, and those on the heap. */
#include "uv/owned.h"

#include <vow/op.h>

#include <stdalign.h>
#include <string.h>

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

/* ---- on the heap, for users ---------------------------------------------- */

/* In front of the handle, of which users see the address only. */
typedef union heap_head {
  alignas(max_align_t) vow__owned_t owned;
  vow__attached_t att; /* freed while a vow_close is under way, and so off the
                          list */
} heap_head_t;

static heap_head_t *head_of(void *handle) {
  return (heap_head_t *)handle - 1;
}

void *vow__heap_new(size_t size_bytes) {
  heap_head_t *head = vow_alloc(sizeof *head + size_bytes);
  if (head == NULL) return NULL;
  memset(head, 0, sizeof *head + size_bytes);
  return head + 1;
}

int vow__heap_start(const char *site, vow__uv_t *d, void *handle, int err,
                    void *ret_handle) {
  if (err != 0) {
    vow_release(head_of(handle));
    return err;
  }
  vow__owned_add(d, &head_of(handle)->owned, handle, site);
  memcpy(ret_handle, &handle, sizeof handle);
  return 0;
}

static void on_heap_closed(uv_handle_t *handle) {
  vow_release(head_of(handle));
}

static void heap_closed(vow__attached_t *a) {
  vow_release(VOW__OF(a, heap_head_t, att));
}

static const vow__attached_kind_t heap_kind = {NULL, heap_closed, NULL};

void vow__heap_free(void *p) {
  uv_handle_t *handle = p;
  heap_head_t *head;
  vow__uv_t *d;
  const char *site;
  if (handle == NULL) return;
  head = head_of(handle);
  site = head->owned.site;
  vow__owned_remove(&head->owned);
  d = vow__uv_find(handle->loop);
  if (!uv_is_closing(handle)) {
    if (d != NULL) vow__attached_closing(&d->handles, handle);
    uv_close(handle, on_heap_closed);
  } else if (d != NULL && vow__attached_first(&d->handles, handle) != NULL) {
    /* vow_close is at it; attaching beside it needs no memory. */
    vow__attach(&d->handles, handle, &head->att, &heap_kind, site);
  } else {
    vow_release(head);
  }
}

/* SPDX-License-Identifier: MIT */
/* A table from a handle's address to the list of what hangs on it. Nothing in
 * here knows what that is. */
#include "uv/handles.h"

#include <vow/op.h>

#include <stdint.h>
#include <string.h>

#define FIRST_CAPACITY 16

static size_t home_of(const vow__handles_t *h, const uv_handle_t *handle) {
  uint64_t x = (uint64_t)(uintptr_t)handle * UINT64_C(0x9e3779b97f4a7c15);
  return (size_t)(x >> 32) & (h->capacity - 1);
}

/* The slot of handle, or the free one where it would go. */
static vow__handles_slot_t *slot_of(vow__handles_t *h,
                                    const uv_handle_t *handle) {
  size_t i = home_of(h, handle);
  while (h->slots[i].handle != NULL && h->slots[i].handle != handle)
    i = (i + 1) & (h->capacity - 1);
  return &h->slots[i];
}

static int resize(vow__handles_t *h, size_t capacity) {
  vow__handles_t next = {0};
  size_t i;
  next.capacity = capacity;
  next.slots = vow_alloc(next.capacity * sizeof *next.slots);
  if (next.slots == NULL) return UV_ENOMEM;
  memset(next.slots, 0, next.capacity * sizeof *next.slots);
  next.count = h->count;
  for (i = 0; i < h->capacity; i++) {
    if (h->slots[i].handle != NULL)
      *slot_of(&next, h->slots[i].handle) = h->slots[i];
  }
  vow_release(h->slots);
  *h = next;
  return 0;
}

static int grow(vow__handles_t *h) {
  return resize(h, h->capacity == 0 ? FIRST_CAPACITY : h->capacity * 2);
}

/* Gives back what a crowd needed that has left; far enough from growing again.
 * Without memory for that it stays as large as it is. */
static void shrink(vow__handles_t *h) {
  if (h->capacity > FIRST_CAPACITY && h->count * 8 < h->capacity)
    (void)resize(h, h->capacity / 2);
}

/* Empties slot and moves those back that probed past it. */
static void slot_free(vow__handles_t *h, vow__handles_slot_t *slot) {
  size_t mask = h->capacity - 1;
  size_t hole = (size_t)(slot - h->slots);
  size_t i = hole;
  h->count--;
  h->last_handle = NULL;
  for (;;) {
    size_t home;
    h->slots[hole].handle = NULL;
    h->slots[hole].first = NULL;
    do {
      i = (i + 1) & mask;
      if (h->slots[i].handle == NULL) return;
      home = home_of(h, h->slots[i].handle);
    } while (((i - home) & mask) < ((i - hole) & mask));
    h->slots[hole] = h->slots[i];
    hole = i;
  }
}

int vow__attach(vow__handles_t *h, uv_handle_t *handle, vow__attached_t *a,
                const vow__attached_kind_t *kind, const char *site) {
  vow__handles_slot_t *slot = h->capacity > 0 ? slot_of(h, handle) : NULL;
  if (slot == NULL || slot->handle == NULL) {
    if (slot == NULL || (h->count + 1) * 2 > h->capacity) {
      if (grow(h) != 0) return UV_ENOMEM;
      slot = slot_of(h, handle);
    }
    slot->handle = handle;
    h->count++;
  }
  a->next = slot->first;
  a->kind = kind;
  a->handle = handle;
  a->site = site;
  slot->first = a;
  h->last_handle = NULL;
  return 0;
}

void vow__detach(vow__handles_t *h, vow__attached_t *a) {
  vow__handles_slot_t *slot;
  vow__attached_t **link;
  if (a->handle == NULL) return;
  slot = slot_of(h, a->handle);
  for (link = &slot->first; *link != a;) link = &(*link)->next;
  *link = a->next;
  a->handle = NULL;
  h->last_handle = NULL;
  if (slot->first == NULL) {
    slot_free(h, slot);
    shrink(h);
  }
}

vow__attached_t *vow__attached_first(vow__handles_t *h, uv_handle_t *handle) {
  if (h->last_handle == handle) return h->last_first;
  if (h->capacity == 0) return NULL;
  h->last_first = slot_of(h, handle)->first;
  h->last_handle = handle;
  return h->last_first;
}

vow__attached_t *vow__attached_find(vow__handles_t *h, uv_handle_t *handle,
                                    const vow__attached_kind_t *kind) {
  vow__attached_t *a = vow__attached_first(h, handle);
  while (a != NULL && a->kind != kind) a = a->next;
  return a;
}

void vow__attached_closing(vow__handles_t *h, uv_handle_t *handle) {
  vow__attached_t *a = vow__attached_first(h, handle);
  while (a != NULL) {
    vow__attached_t *next = a->next; /* a may detach itself */
    if (a->kind->closing != NULL) a->kind->closing(a);
    a = next;
  }
}

/* The list is taken whole: a hook may free the handle itself. */
static vow__attached_t *take_all(vow__handles_t *h, uv_handle_t *handle) {
  vow__handles_slot_t *slot;
  vow__attached_t *first;
  vow__attached_t *a;
  if (h->capacity == 0) return NULL;
  slot = slot_of(h, handle);
  first = slot->first;
  if (first == NULL) return NULL;
  for (a = first; a != NULL; a = a->next) a->handle = NULL;
  slot_free(h, slot);
  return first;
}

void vow__attached_closed(vow__handles_t *h, uv_handle_t *handle) {
  vow__attached_t *a = take_all(h, handle);
  if (a != NULL) shrink(h);
  while (a != NULL) {
    vow__attached_t *next = a->next;
    if (a->kind->closed != NULL) a->kind->closed(a);
    a = next;
  }
}

void vow__handles_done(vow__handles_t *h) {
  size_t i = 0;
  while (i < h->capacity) {
    /* Freeing a slot may move another into it: look again. */
    uv_handle_t *handle = h->slots[i].handle;
    vow__attached_t *a = handle != NULL ? take_all(h, handle) : NULL;
    if (a == NULL) i++;
    while (a != NULL) {
      vow__attached_t *next = a->next;
      if (a->kind->forget != NULL) a->kind->forget(a);
      a = next;
    }
  }
  vow_release(h->slots);
  memset(h, 0, sizeof *h);
}

/* SPDX-License-Identifier: MIT */
/* Names in a folder: a block of entries and one of names, which grows while
 * they are added. Nothing of requests in here. */
#include "uv/dirents.h"

#include <vow/op.h>

#include <stdio.h>
#include <string.h>

struct vow_dirents {
  size_t refs;
  size_t count;
  char *names;
  size_t names_used;
  size_t names_size;
  uv_dirent_t entries[];
};

vow_dirents_t *vow__dirents_new(size_t capacity) {
  vow_dirents_t *d;
  if (capacity > (SIZE_MAX - sizeof *d) / sizeof d->entries[0]) return NULL;
  d = vow_alloc(sizeof *d + capacity * sizeof d->entries[0]);
  if (d == NULL) return NULL;
  memset(d, 0, sizeof *d);
  d->refs = 1;
  return d;
}

/* Room for size_bytes more; the names that are there move. */
static int reserve(vow_dirents_t *d, size_t size_bytes) {
  size_t wanted = d->names_size * 2 > 1024 ? d->names_size * 2 : 1024;
  char *names;
  size_t i;
  if (d->names_size - d->names_used >= size_bytes) return 0;
  if (wanted < d->names_used + size_bytes) wanted = d->names_used + size_bytes;
  names = vow_alloc(wanted);
  if (names == NULL) return UV_ENOMEM;
  if (d->names_used > 0) memcpy(names, d->names, d->names_used);
  for (i = 0; i < d->count; i++)
    d->entries[i].name = names + (d->entries[i].name - d->names);
  vow_release(d->names);
  d->names = names;
  d->names_size = wanted;
  return 0;
}

int vow__dirents_add(vow_dirents_t *d, const uv_dirent_t *entry) {
  size_t size_bytes = strlen(entry->name) + 1;
  char *name;
  if (reserve(d, size_bytes) < 0) return UV_ENOMEM;
  name = d->names + d->names_used;
  memcpy(name, entry->name, size_bytes);
  d->names_used += size_bytes;
  d->entries[d->count].name = name;
  d->entries[d->count].type = entry->type;
  d->count++;
  return 0;
}

size_t vow_dirents_count(const vow_dirents_t *d) {
  return d != NULL ? d->count : 0;
}

const uv_dirent_t *vow_dirents_at(const vow_dirents_t *d, size_t i) {
  return i < vow_dirents_count(d) ? &d->entries[i] : NULL;
}

void vow_dirents_unref(vow_dirents_t *d) {
  if (d == NULL || --d->refs > 0) return;
  vow_release(d->names);
  vow_release(d);
}

/* ---- the type ------------------------------------------------------------ */

static void dirents_destroy(void *p) {
  vow_dirents_unref(p);
}

static void *dirents_share(void *p) {
  vow_dirents_t *d = p;
  d->refs++;
  return d;
}

static void dirents_describe(const void *p, char *buf, size_t size_bytes) {
  snprintf(buf, size_bytes, "%zu dirents", vow_dirents_count(p));
}

const vow_type_t vow_type_dirents = {"dirents", dirents_destroy, dirents_share,
                                     dirents_describe};

const vow_dirents_t *vow_dirents_get(vow_future_t *f) {
  return vow_get(f, &vow_type_dirents);
}

vow_dirents_t *vow_dirents_take(vow_future_t *f) {
  return vow_take(f, &vow_type_dirents);
}

/* SPDX-License-Identifier: MIT */
/* The allocator hooks: every byte vow allocates comes through here. */
#include "base/alloc.h"

#include <stdlib.h>

#include "base/errno.h"

static void *default_alloc(size_t size_bytes, void *arg) {
  (void)arg;
  return malloc(size_bytes);
}

static void *default_alloc_aligned(size_t align_bytes, size_t size_bytes,
                                   void *arg) {
  void *p = NULL;
  (void)arg;
  return posix_memalign(&p, align_bytes, size_bytes) == 0 ? p : NULL;
}

static void default_release(void *ptr, void *arg) {
  (void)arg;
  free(ptr);
}

static const vow_allocator_t default_allocator = {
    default_alloc, default_alloc_aligned, default_release, NULL};

static vow_allocator_t allocator = {default_alloc, default_alloc_aligned,
                                    default_release, NULL};

int vow_set_allocator(const vow_allocator_t *a) {
  if (a == NULL) a = &default_allocator;
  if (a->alloc == NULL || a->alloc_aligned == NULL || a->release == NULL)
    return UV_EINVAL;
  allocator = *a;
  return 0;
}

void *vow_alloc(size_t size_bytes) {
  return allocator.alloc(size_bytes, allocator.arg);
}

void *vow__alloc_aligned(size_t align_bytes, size_t size_bytes) {
  return allocator.alloc_aligned(align_bytes, size_bytes, allocator.arg);
}

void vow_release(void *p) {
  if (p != NULL) allocator.release(p, allocator.arg);
}

const char *vow_version(void) {
  return VOW_VERSION;
}

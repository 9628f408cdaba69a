/* SPDX-License-Identifier: MIT */
/* The counting and failing allocator. Sizes are kept in a table beside the
 * blocks, because blocks made before fault_install may be released here. */
#include "support/fault.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include <vow/base.h>

static atomic_size_t tried;
static atomic_size_t failed;
static atomic_size_t first_failure; /* 0: none */
static atomic_size_t last_failure;
static atomic_long live_blocks;
static atomic_long live_bytes;

static bool must_fail(void) {
  size_t nth = atomic_fetch_add(&tried, 1) + 1;
  size_t first = atomic_load(&first_failure);
  if (first == 0 || nth < first || nth > atomic_load(&last_failure)) {
    return false;
  }
  atomic_fetch_add(&failed, 1);
  return true;
}

typedef struct block {
  void *ptr;
  size_t size_bytes;
  struct block *next;
} block_t;

#define BUCKETS 4096

static block_t *buckets[BUCKETS];
static atomic_flag table_lock = ATOMIC_FLAG_INIT;

static block_t **bucket_of(const void *ptr) {
  return &buckets[((uintptr_t)ptr >> 6) % BUCKETS];
}

static void lock_table(void) {
  while (atomic_flag_test_and_set(&table_lock)) {
  }
}

static void *remember(void *ptr, size_t size_bytes) {
  block_t *block = ptr != NULL ? malloc(sizeof *block) : NULL;
  if (block == NULL) {
    free(ptr);
    return NULL;
  }
  block->ptr = ptr;
  block->size_bytes = size_bytes;
  lock_table();
  block->next = *bucket_of(ptr);
  *bucket_of(ptr) = block;
  atomic_flag_clear(&table_lock);
  atomic_fetch_add(&live_blocks, 1);
  atomic_fetch_add(&live_bytes, (long)size_bytes);
  return ptr;
}

static void forget(const void *ptr) {
  block_t **at;
  block_t *block;
  lock_table();
  at = bucket_of(ptr);
  while (*at != NULL && (*at)->ptr != ptr) at = &(*at)->next;
  block = *at;
  if (block != NULL) *at = block->next;
  atomic_flag_clear(&table_lock);
  if (block == NULL) return;
  atomic_fetch_sub(&live_blocks, 1);
  atomic_fetch_sub(&live_bytes, (long)block->size_bytes);
  free(block);
}

static void *fault_alloc(size_t size_bytes, void *arg) {
  (void)arg;
  if (must_fail()) return NULL;
  return remember(malloc(size_bytes), size_bytes);
}

static void *fault_alloc_aligned(size_t align_bytes, size_t size_bytes,
                                 void *arg) {
  size_t rounded = (size_bytes + align_bytes - 1) / align_bytes * align_bytes;
  (void)arg;
  if (must_fail()) return NULL;
  return remember(aligned_alloc(align_bytes, rounded), size_bytes);
}

static void fault_release(void *ptr, void *arg) {
  (void)arg;
  if (ptr == NULL) return;
  forget(ptr);
  free(ptr);
}

static void set_window(size_t first, size_t last) {
  atomic_store(&first_failure, 0);
  atomic_store(&tried, 0);
  atomic_store(&failed, 0);
  atomic_store(&last_failure, last);
  atomic_store(&first_failure, first);
}

static void forget_all(void) {
  if (atomic_load(&live_blocks) == 0) return; /* it takes its time */
  for (size_t i = 0; i < BUCKETS; i++) {
    while (buckets[i] != NULL) {
      block_t *block = buckets[i];
      buckets[i] = block->next;
      free(block);
    }
  }
  atomic_store(&live_blocks, 0);
  atomic_store(&live_bytes, 0);
}

void fault_install(void) {
  const vow_allocator_t allocator = {fault_alloc, fault_alloc_aligned,
                                     fault_release, NULL};
  forget_all();
  set_window(0, 0);
  vow_set_allocator(&allocator);
}

void fault_remove(void) {
  vow_set_allocator(NULL);
  forget_all();
  set_window(0, 0);
}

void fault_fail_at(size_t n) {
  set_window(n, n);
}

void fault_fail_from(size_t n) {
  set_window(n, SIZE_MAX);
}

void fault_off(void) {
  set_window(0, 0);
}

long fault_live(void) {
  return atomic_load(&live_blocks);
}

long fault_live_bytes(void) {
  return atomic_load(&live_bytes);
}

size_t fault_count(void) {
  return atomic_load(&tried);
}

size_t fault_failed(void) {
  return atomic_load(&failed);
}

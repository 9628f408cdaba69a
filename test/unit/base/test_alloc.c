/* SPDX-License-Identifier: MIT */
/* Tests of the allocator hooks and the version. */
#include "support/test.h"

#include "base/alloc.h"
#include "base/errno.h"

typedef struct counts {
  int allocs;
  int aligned;
  int releases;
} counts_t;

static void *my_alloc(size_t size_bytes, void *arg) {
  ((counts_t *)arg)->allocs++;
  return malloc(size_bytes);
}

static void *my_alloc_aligned(size_t align_bytes, size_t size_bytes,
                              void *arg) {
  ((counts_t *)arg)->aligned++;
  return aligned_alloc(align_bytes, size_bytes);
}

static void my_release(void *ptr, void *arg) {
  ((counts_t *)arg)->releases++;
  free(ptr);
}

TEST(test_alloc_set_allocator_serves_everything) {
  counts_t c = {0, 0, 0};
  const vow_allocator_t mine = {my_alloc, my_alloc_aligned, my_release, &c};
  ck_assert_int_eq(vow_set_allocator(&mine), 0);
  vow_release(vow_alloc(10));
  vow_release(vow__alloc_aligned(64, 128));
  ck_assert_int_eq(vow_set_allocator(NULL), 0);
  ck_assert_int_eq(c.allocs, 1);
  ck_assert_int_eq(c.aligned, 1);
  ck_assert_int_eq(c.releases, 2);
}

TEST(test_alloc_null_restores_malloc) {
  counts_t c = {0, 0, 0};
  const vow_allocator_t mine = {my_alloc, my_alloc_aligned, my_release, &c};
  vow_set_allocator(&mine);
  vow_set_allocator(NULL);
  vow_release(vow_alloc(10));
  ck_assert_int_eq(c.allocs, 0);
}

TEST(test_alloc_incomplete_allocator_is_refused) {
  counts_t c = {0, 0, 0};
  vow_allocator_t mine = {NULL, my_alloc_aligned, my_release, &c};
  ck_assert_int_eq(vow_set_allocator(&mine), UV_EINVAL);
  mine.alloc = my_alloc;
  mine.alloc_aligned = NULL;
  ck_assert_int_eq(vow_set_allocator(&mine), UV_EINVAL);
  mine.alloc_aligned = my_alloc_aligned;
  mine.release = NULL;
  ck_assert_int_eq(vow_set_allocator(&mine), UV_EINVAL);
  vow_release(vow_alloc(10));
  ck_assert_int_eq(c.allocs + c.releases, 0);
}

TEST(test_alloc_aligned_memory_is_aligned) {
  for (size_t align = 16; align <= 65536; align *= 16) {
    void *p = vow__alloc_aligned(align, 2 * align);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq((uintptr_t)p % align, 0);
    memset(p, 0x5a, 2 * align);
    vow_release(p);
  }
}

TEST(test_alloc_release_of_null_is_ignored) {
  counts_t c = {0, 0, 0};
  const vow_allocator_t mine = {my_alloc, my_alloc_aligned, my_release, &c};
  vow_set_allocator(&mine);
  vow_release(NULL);
  vow_set_allocator(NULL);
  ck_assert_int_eq(c.releases, 0);
}

TEST(test_version_is_that_of_the_header) {
  ck_assert_str_eq(vow_version(), VOW_VERSION);
}

SUITE(base_alloc) {
  ADD(test_alloc_set_allocator_serves_everything);
  ADD(test_alloc_null_restores_malloc);
  ADD(test_alloc_incomplete_allocator_is_refused);
  ADD(test_alloc_aligned_memory_is_aligned);
  ADD(test_alloc_release_of_null_is_ignored);
  ADD(test_version_is_that_of_the_header);
}

/* SPDX-License-Identifier: MIT */
/* vow's allocator during a test: a table of what is allocated, and by whom;
 * and the plan by which it fails.
 *
 * How this works: each block is noted with the addresses on the stack. Only
 * when some are left addr2line is asked what these mean. Blocks that are not in
 * the table come from before, and are freed as vow's own allocator does. */
#include "check/memory.h"

#include <execinfo.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS    4096
#define TRACED_MAX 20000 /* blocks with a stack noted: it takes its time */

static vow__block_t *buckets[BUCKETS];
static size_t traced;
static bool marked;
static bool installed;

static size_t tried, failures, first_failure, last_failure;
static unsigned paused;
static vow__block_t failed; /* as it would have been: the first */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for all above */

static vow__block_t **bucket_of(const void *p) {
  return &buckets[((uintptr_t)p >> 4) % BUCKETS];
}

/* ---- stacks ---------------------------------------------------------------- */

/* The first call loads a library: once, and not in each forked test. */
__attribute__((constructor)) static void load_unwinder(void) {
  void *frame;
  (void)backtrace(&frame, 1);
}

/* ---- the plan ------------------------------------------------------------- */

static bool must_fail(size_t size_bytes) {
  bool fail, first;
  pthread_mutex_lock(&lock);
  fail = paused == 0 && ++tried >= first_failure && first_failure > 0 &&
         tried <= last_failure;
  first = fail && failures++ == 0;
  pthread_mutex_unlock(&lock);
  if (first) {
    failed.size_bytes = size_bytes;
    failed.depth = backtrace(failed.frames, VOW__FRAMES);
  }
  return fail;
}

void vow__memory_plan(size_t first, size_t last) {
  pthread_mutex_lock(&lock);
  tried = failures = 0;
  first_failure = first;
  last_failure = last;
  pthread_mutex_unlock(&lock);
}

size_t vow__memory_failures(void) {
  size_t n;
  pthread_mutex_lock(&lock);
  n = failures;
  pthread_mutex_unlock(&lock);
  return n;
}

bool vow__memory_is_planned(void) {
  bool planned;
  pthread_mutex_lock(&lock);
  planned = installed && first_failure > 0 && failures == 0;
  pthread_mutex_unlock(&lock);
  return planned;
}

const vow__block_t *vow__memory_first_failed(void) {
  return failed.depth > 0 ? &failed : NULL;
}

void vow__memory_pause(void) {
  pthread_mutex_lock(&lock);
  paused++;
  pthread_mutex_unlock(&lock);
}

void vow__memory_resume(void) {
  pthread_mutex_lock(&lock);
  paused--;
  pthread_mutex_unlock(&lock);
}

/* ---- the table ------------------------------------------------------------ */

/* Slabs of futures are told as futures. */
static void *remember(void *p, size_t size_bytes, bool slab) {
  vow__block_t *b;
  bool trace;
  if (p == NULL) return NULL;
  b = vow__kit_alloc(sizeof *b);
  b->ptr = p;
  b->size_bytes = size_bytes;
  pthread_mutex_lock(&lock);
  b->counts = marked && !slab;
  trace = b->counts && traced++ < TRACED_MAX;
  pthread_mutex_unlock(&lock);
  if (trace) b->depth = backtrace(b->frames, VOW__FRAMES);
  pthread_mutex_lock(&lock);
  b->next = *bucket_of(p);
  *bucket_of(p) = b;
  pthread_mutex_unlock(&lock);
  return p;
}

static void *kit_alloc(size_t size_bytes, void *arg) {
  (void)arg;
  return must_fail(size_bytes)
             ? NULL
             : remember(malloc(size_bytes), size_bytes, false);
}

static void *kit_alloc_aligned(size_t align_bytes, size_t size_bytes,
                               void *arg) {
  void *p = NULL;
  (void)arg;
  if (must_fail(size_bytes) || posix_memalign(&p, align_bytes, size_bytes) != 0)
    return NULL;
  return remember(p, size_bytes, true);
}

static void kit_release(void *p, void *arg) {
  vow__block_t **at, *b;
  (void)arg;
  if (p == NULL) return;
  pthread_mutex_lock(&lock);
  at = bucket_of(p);
  while (*at != NULL && (*at)->ptr != p) at = &(*at)->next;
  b = *at;
  if (b != NULL) *at = b->next;
  pthread_mutex_unlock(&lock);
  free(b);
  free(p);
}

static void forget_all(void) {
  size_t i;
  for (i = 0; i < BUCKETS; i++) {
    while (buckets[i] != NULL) {
      vow__block_t *b = buckets[i];
      buckets[i] = b->next;
      free(b);
    }
  }
}

/* ---- during a test -------------------------------------------------------- */

void vow__memory_begin(void) {
  const vow_allocator_t a = {kit_alloc, kit_alloc_aligned, kit_release, NULL};
  vow__memory_plan(0, 0);
  failed.depth = 0;
  paused = 0;
  marked = false;
  traced = 0;
  forget_all();
  vow_set_allocator(&a);
  installed = true;
}

void vow__memory_end(void) {
  if (!installed) return;
  installed = false;
  vow_set_allocator(NULL);
  forget_all();
}

void vow__memory_mark(void) {
  pthread_mutex_lock(&lock);
  marked = true;
  pthread_mutex_unlock(&lock);
}

size_t vow__memory_blocks(const vow__block_t *ret_blocks[], size_t max) {
  size_t i, n = 0;
  const vow__block_t *b;
  if (!installed) return 0;
  pthread_mutex_lock(&lock); /* other threads may be about to end */
  for (i = 0; i < BUCKETS; i++)
    for (b = buckets[i]; b != NULL; b = b->next)
      if (b->counts && n++ < max) ret_blocks[n - 1] = b;
  pthread_mutex_unlock(&lock);
  return n;
}

bool vow__memory_is_left(void) {
  return vow__memory_blocks(NULL, 0) > 0;
}

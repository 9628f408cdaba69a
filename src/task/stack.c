/* SPDX-License-Identifier: MIT */
/* Stacks for fibers, from regions of many stacks each.
 *
 * How this works: a region is one mapping cut into slots: a guard page, then
 * the stack. Pages are committed when touched, and stay: the stack that was
 * left last is the next one used, still warm. What nobody uses is kept for the
 * next burst up to a limit for each size, pages as well as regions; beyond that
 * it is given back. Guards are markers in the page table where the kernel has
 * them; else protected pages, each of which splits the mapping, up to a limit
 * that is under the kernel's own: what comes after that is unguarded, and the
 * fiber's own check must do. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, madvise */
#include "task/stack.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/list.h"
#include "task/sanitize.h"

#define MIN_BYTES     ((size_t)16384)
#define CLASSES       20 /* 16 KiB to 8 GiB */
#define REGION_BYTES  ((size_t)4 << 20)
#define GUARD_INSTALL 102 /* MADV_GUARD_INSTALL, Linux 6.13 */
#define PROTECTED_MAX \
  16000 /* guards that split a mapping; a kernel has 65,530 mappings a process, \
           and two go for each */
#define KEPT_BYTES \
  ((size_t)64 << 20) /* so much of stacks that nobody uses keeps pages \
                        and regions, per size */

struct vow__stack_region {
  vow__link_t all;     /* in its pool's regions */
  vow__link_t partial; /* in its pool's list while it has a free stack */
  struct pool *pool;
  char *mapping;
  size_t mapping_bytes;
  size_t used;    /* stacks somebody runs on */
  size_t guarded; /* by protected pages */
  vow__stack_t *free;
  size_t n;
  vow__stack_t stacks[];
};

/* A thread's stacks of one size. */
typedef struct pool {
  vow__link_t all;
  vow__link_t partial; /* the one used last in front */
  size_t stack_bytes;
  size_t warm;  /* free stacks whose pages are kept; at most warm_max */
  size_t empty; /* regions without a user; at most empty_max */
  size_t warm_max, empty_max;
} pool_t;

static _Thread_local pool_t pools[CLASSES];
static _Thread_local bool watched; /* the thread's end gives all back */
static _Thread_local bool ending;  /* and has: nothing is kept any more */
static atomic_int protected_pages;

atomic_bool vow__stack_no_markers;

/* ---- guards --------------------------------------------------------------- */

static void guard(vow__stack_region_t *r, char *page, size_t page_bytes) {
  if (!atomic_load_explicit(&vow__stack_no_markers, memory_order_relaxed)) {
    if (madvise(page, page_bytes, GUARD_INSTALL) == 0) return;
    atomic_store_explicit(&vow__stack_no_markers, true, memory_order_relaxed);
  }
  if (atomic_fetch_add(&protected_pages, 1) < PROTECTED_MAX &&
      mprotect(page, page_bytes, PROT_NONE) == 0) {
    r->guarded++;
    return;
  }
  atomic_fetch_sub(&protected_pages, 1);
}

/* ---- regions -------------------------------------------------------------- */

static size_t page_size(void) {
  static atomic_size_t known;
  size_t bytes = atomic_load_explicit(&known, memory_order_relaxed);
  if (bytes == 0) {
    bytes = (size_t)sysconf(_SC_PAGESIZE);
    atomic_store_explicit(&known, bytes, memory_order_relaxed);
  }
  return bytes;
}

static void *map(size_t bytes) {
  void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) return NULL;
#ifdef MADV_NOHUGEPAGE
  madvise(p, bytes, MADV_NOHUGEPAGE); /* a huge page would fill whole stacks */
#endif
  return p;
}

static size_t stacks_per_region(size_t stack_bytes) {
  return stack_bytes < REGION_BYTES ? REGION_BYTES / stack_bytes : 1;
}

static vow__stack_region_t *region_new(pool_t *pool) {
  size_t page = page_size(), slot = pool->stack_bytes;
  size_t n = stacks_per_region(slot);
  vow__stack_region_t *r = vow_alloc(sizeof(*r) + n * sizeof(r->stacks[0]));
  if (r == NULL) return NULL;
  r->mapping_bytes = n * slot;
  r->mapping = map(r->mapping_bytes);
  if (r->mapping == NULL) {
    vow_release(r);
    return NULL;
  }
  r->pool = pool;
  r->n = n;
  r->used = r->guarded = 0;
  r->free = NULL;
  for (size_t i = n; i-- > 0;) {
    vow__stack_t *s = &r->stacks[i];
    guard(r, r->mapping + i * slot, page);
    s->base = r->mapping + i * slot + page;
    s->size_bytes = slot - page;
    s->region = r;
    s->user = NULL;
    s->warm = false;
    s->valgrind_id = vow__valgrind_register(s->base, s->size_bytes);
    s->next = r->free;
    r->free = s;
  }
  vow__list_append(&pool->all, &r->all);
  vow__list_append(&pool->partial, &r->partial);
  pool->empty++;
  return r;
}

static void region_free(vow__stack_region_t *r) {
  pool_t *pool = r->pool;
  for (size_t i = 0; i < r->n; i++) {
    vow__valgrind_deregister(r->stacks[i].valgrind_id);
    if (r->stacks[i].warm) pool->warm--;
  }
  munmap(r->mapping, r->mapping_bytes);
  atomic_fetch_sub(&protected_pages, (int)r->guarded);
  vow__list_remove(&r->all);
  vow__list_remove(&r->partial);
  pool->empty--;
  vow_release(r);
}

/* ---- a thread's pools ----------------------------------------------------- */

static pthread_key_t at_exit;
static pthread_once_t at_exit_once = PTHREAD_ONCE_INIT;

/* Other destructors of the thread may come later and close a loop. */
static void thread_ends(void *arg) {
  (void)arg;
  ending = true;
  for (size_t cls = 0; cls < CLASSES; cls++)
    pools[cls].warm_max = pools[cls].empty_max = 0;
  vow__stack_trim();
}

static void make_key(void) {
  pthread_key_create(&at_exit, thread_ends);
}

static void watch_thread(void) {
  pthread_once(&at_exit_once, make_key);
  pthread_setspecific(at_exit, &watched);
  watched = true;
}

static void pool_init(pool_t *pool, size_t stack_bytes) {
  vow__list_init(&pool->all);
  vow__list_init(&pool->partial);
  pool->stack_bytes = stack_bytes;
  pool->warm_max = ending ? 0 : KEPT_BYTES / stack_bytes;
  pool->empty_max = pool->warm_max / stacks_per_region(stack_bytes);
}

static pool_t *pool_for(size_t size_bytes) {
  size_t cls = 0, bytes = MIN_BYTES;
  while (cls < CLASSES && bytes < size_bytes) {
    cls++;
    bytes *= 2;
  }
  if (cls == CLASSES) return NULL;
  if (VOW__UNLIKELY(pools[cls].stack_bytes == 0)) {
    if (!watched) watch_thread();
    pool_init(&pools[cls], bytes);
  }
  return &pools[cls];
}

vow__stack_t *vow__stack_get(size_t size_bytes) {
  pool_t *pool = pool_for(size_bytes);
  vow__stack_region_t *r;
  vow__stack_t *s;
  if (pool == NULL) return NULL;
  if (VOW__UNLIKELY(vow__list_empty(&pool->partial)) &&
      region_new(pool) == NULL)
    return NULL;
  r = vow__container_of(pool->partial.next, vow__stack_region_t, partial);
  s = r->free;
  r->free = s->next;
  if (s->warm) pool->warm--;
  if (r->used++ == 0) pool->empty--;
  if (r->free == NULL) {
    vow__list_remove(&r->partial);
    vow__list_init(&r->partial);
  }
  return s;
}

void vow__stack_put(vow__stack_t *s) {
  vow__stack_region_t *r = s->region;
  pool_t *pool = r->pool;
  s->user = NULL;
  vow__stack_unpoison(s->base, s->size_bytes);
  s->warm = pool->warm < pool->warm_max;
  if (VOW__LIKELY(s->warm))
    pool->warm++;
  else
    madvise(s->base, s->size_bytes, MADV_DONTNEED);
  if (r->free == NULL) {
    vow__list_remove(&r->partial);
    vow__list_prepend(&pool->partial, &r->partial);
  }
  s->next = r->free;
  r->free = s;
  if (VOW__UNLIKELY(--r->used == 0) && ++pool->empty > pool->empty_max)
    region_free(r);
}

void vow__stack_trim(void) {
  for (size_t cls = 0; cls < CLASSES; cls++) {
    pool_t *pool = &pools[cls];
    vow__link_t *at, *next;
    if (pool->stack_bytes == 0) continue;
    for (at = pool->all.next; at != &pool->all; at = next) {
      vow__stack_region_t *r = vow__container_of(at, vow__stack_region_t, all);
      next = at->next;
      if (r->used == 0) region_free(r);
    }
  }
}

vow__stack_t *vow__stack_overflown(const void *addr) {
  size_t page = page_size();
  for (size_t cls = 0; cls < CLASSES; cls++) {
    pool_t *pool = &pools[cls];
    if (pool->stack_bytes == 0) continue;
    for (vow__link_t *at = pool->all.next; at != &pool->all; at = at->next) {
      vow__stack_region_t *r = vow__container_of(at, vow__stack_region_t, all);
      size_t offset = (size_t)((const char *)addr - r->mapping);
      if ((const char *)addr < r->mapping || offset >= r->mapping_bytes)
        continue;
      if (offset % pool->stack_bytes >= page) return NULL;
      return &r->stacks[offset / pool->stack_bytes];
    }
  }
  return NULL;
}

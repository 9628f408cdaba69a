/* SPDX-License-Identifier: MIT */
/* Cells: where futures live. Slabs of 64 KiB, each of one size class and one
 * loop; the loop is found from the slab's head, and all live futures can be
 * walked. Nothing here knows what a cell means.
 *
 * How this works: each size class has one current slab to allocate from. A
 * slab that ran full is on no list until a cell of it is freed; then it waits
 * in the class's partial list to become current again. A few empty ones are
 * kept, the others given back. */
#include "core/loop.h"

#include <string.h>

static const uint16_t class_bytes[VOW__CLASSES] = {
    64, 128, 192, 256, 320, 384, 512, 640, 768, 1024, 1536, 2048};

/* Never allocated from: lets vow__cell_alloc do without a NULL check. */
static vow__slab_t no_slab;

#define HEAD_BYTES 128u
#define EMPTY_MAX  4u

unsigned vow__cell_class_large(size_t size_bytes) {
  unsigned cls = 5;
  while (cls < VOW__CLASSES && class_bytes[cls] < size_bytes) cls++;
  return cls;
}

void vow__cells_init(vow_loop_t *loop) {
  vow__list_init(&loop->slabs);
  for (unsigned i = 0; i < VOW__CLASSES; i++) {
    loop->current[i] = &no_slab;
    vow__list_init(&loop->partial[i]);
  }
}

static vow__slab_t *slab_new(vow_loop_t *loop, unsigned cls) {
  vow__slab_t *slab = vow__alloc_aligned(VOW__SLAB_BYTES, VOW__SLAB_BYTES);
  if (slab == NULL) return NULL;
  _Static_assert(sizeof(*slab) <= HEAD_BYTES, "the slab's head has grown");
  memset(slab, 0, sizeof(*slab));
  slab->loop = loop;
  slab->cls = (uint8_t)cls;
  slab->cell_bytes = class_bytes[cls];
  slab->bump = (char *)slab + HEAD_BYTES;
  slab->end = slab->bump + (VOW__SLAB_BYTES - HEAD_BYTES) / slab->cell_bytes *
                               slab->cell_bytes;
  vow__list_append(&loop->slabs, &slab->all);
  vow__list_init(&slab->partial);
  return slab;
}

static void slab_release(vow__slab_t *slab) {
  vow__list_remove(&slab->all);
  vow__list_remove(&slab->partial);
  vow__unpoison(slab, VOW__SLAB_BYTES);
  vow_release(slab);
}

/* Threads a few fresh cells onto the free list: touching them one by one, just
 * before use, is kinder to the cache than linking a whole slab. */
static void slab_carve(vow__slab_t *slab) {
  void **tail = &slab->free;
  for (int i = 0; i < 32 && slab->bump < slab->end; i++) {
    vow_future_t *f = (vow_future_t *)(void *)slab->bump;
    f->node.state = VOW__FREE;
    *tail = f;
    tail = (void **)(void *)f;
    slab->bump += slab->cell_bytes;
  }
  *tail = NULL;
  for (void *cell = slab->free; cell != NULL;) {
    void *next = *(void **)cell;
    vow__poison(cell, slab->cell_bytes);
    cell = next;
  }
}

static bool slab_refill(vow__slab_t *slab) {
  if (slab->free == NULL && slab->bump < slab->end) slab_carve(slab);
  return slab->free != NULL;
}

/* Moves what is free out of the fast path's sight. */
static void cell_park(vow__slab_t *slab) {
  while (slab->free != NULL) {
    void *cell = slab->free;
    vow__unpoison(cell, sizeof(void *));
    slab->free = *(void **)cell;
    *(void **)cell = slab->parked;
    slab->parked = cell;
    vow__poison(cell, slab->cell_bytes);
  }
}

/* Makes a slab with a free cell the current one. */
static bool class_refill(vow_loop_t *loop, unsigned cls) {
  vow__slab_t *slab = loop->current[cls];
  if (slab != &no_slab) {
    if (slab_refill(slab)) return true;
    slab->place = VOW__SLAB_FULL;
  }
  if (!vow__list_empty(&loop->partial[cls])) {
    slab = vow__container_of(loop->partial[cls].next, vow__slab_t, partial);
    vow__list_remove(&slab->partial);
    if (slab->live == 0) loop->empty[cls]--;
  } else if ((slab = slab_new(loop, cls)) == NULL) {
    loop->current[cls] = &no_slab;
    return false;
  }
  slab->place = VOW__SLAB_CURRENT;
  loop->current[cls] = slab;
  return slab_refill(slab);
}

/* Probing: slabs hand out one cell at a time, so each allocation comes here and
 * asks the allocator first; what is free meanwhile is parked. */
static void *probe_alloc(vow_loop_t *loop, unsigned cls) {
  vow__slab_t *slab = NULL;
  void *ticket = vow_alloc(1), *cell;
  vow_release(ticket);
  if (ticket == NULL) return NULL;
  VOW__LIST_EACH (it, &loop->slabs) {
    vow__slab_t *at = vow__container_of(it, vow__slab_t, all);
    if (at->cls != cls) continue;
    if (at->parked == NULL && !slab_refill(at)) continue;
    slab = at;
    break;
  }
  if (slab == NULL && (slab = slab_new(loop, cls)) == NULL) return NULL;
  slab->place = VOW__SLAB_PROBED;
  slab_refill(slab);
  cell_park(slab);
  cell = slab->parked;
  vow__unpoison(cell, slab->cell_bytes);
  slab->parked = *(void **)cell;
  slab->live++;
  return cell;
}

void *vow__cell_alloc_slow(vow_loop_t *loop, unsigned cls) {
  if (loop->options.probe_cells) return probe_alloc(loop, cls);
  return class_refill(loop, cls) ? vow__cell_alloc(loop, cls) : NULL;
}

/* An empty slab is kept for the next burst while there are few. */
static void slab_empty(vow_loop_t *loop, vow__slab_t *slab) {
  if (loop->closed || slab->place == VOW__SLAB_PROBED ||
      loop->empty[slab->cls] >= EMPTY_MAX)
    slab_release(slab);
  else
    loop->empty[slab->cls]++;
  if (loop->closed && vow__list_empty(&loop->slabs)) vow__loop_release(loop);
}

void vow__cell_free_slow(vow_loop_t *loop, vow__slab_t *slab) {
  if (slab->place == VOW__SLAB_PROBED) cell_park(slab);
  if (slab->place == VOW__SLAB_FULL) {
    slab->place = VOW__SLAB_PARTIAL;
    vow__list_append(&loop->partial[slab->cls], &slab->partial);
  }
  if (slab->live == 0 && (slab->place != VOW__SLAB_CURRENT || loop->closed))
    slab_empty(loop, slab);
}

bool vow__cells_next(vow_loop_t *loop, vow__slab_t **slab, char **at,
                     vow_future_t **ret_f) {
  if (*slab == NULL) {
    if (vow__list_empty(&loop->slabs)) return false;
    *slab = vow__container_of(loop->slabs.next, vow__slab_t, all);
    *at = (char *)*slab + HEAD_BYTES;
  }
  for (;;) {
    while (*at < (*slab)->bump) {
      vow_future_t *f = (vow_future_t *)(void *)*at;
      *at += (*slab)->cell_bytes;
#ifdef VOW__ASAN
      if (__asan_address_is_poisoned(f)) continue;
#endif
      if (f->node.state == VOW__FREE) continue;
      *ret_f = f;
      return true;
    }
    if ((*slab)->all.next == &loop->slabs) return false;
    *slab = vow__container_of((*slab)->all.next, vow__slab_t, all);
    *at = (char *)*slab + HEAD_BYTES;
  }
}

size_t vow__cells_live(const vow_loop_t *loop) {
  size_t live = 0;
  VOW__LIST_EACH (it, (vow__link_t *)&loop->slabs) {
    live += vow__container_of(it, vow__slab_t, all)->live;
  }
  return live;
}

/* After this the slabs hold the loop's memory: the last one to go releases
 * it. */
void vow__cells_close(vow_loop_t *loop) {
  vow__link_t *it = loop->slabs.next;
  loop->closed = true;
  for (unsigned i = 0; i < VOW__CLASSES; i++) loop->current[i] = &no_slab;
  while (it != &loop->slabs) {
    vow__slab_t *slab = vow__container_of(it, vow__slab_t, all);
    it = it->next;
    if (slab->live == 0) slab_release(slab);
  }
  if (vow__list_empty(&loop->slabs)) vow__loop_release(loop);
}

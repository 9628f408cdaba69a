/* SPDX-License-Identifier: MIT */
/* Stacks for fibers: committed by touch, guarded, pooled per thread. Nothing
 * here knows what runs on them. */
#ifndef VOW_TASK_STACK_H
#define VOW_TASK_STACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct vow__stack_region vow__stack_region_t;

typedef struct vow__stack {
  char *base;        /* lowest byte that may be used; the guard is below */
  size_t size_bytes; /* from base */
  vow__stack_region_t *region;
  struct vow__stack *next; /* free ones of a region */
  void *user;              /* whoever runs on it; NULL: nobody */
  unsigned valgrind_id;
  bool warm; /* free, and its pages are kept */
} vow__stack_t;

/** Guards are protected pages from now on, as where the kernel knows no others;
 *  tests set it, too. */
extern atomic_bool vow__stack_no_markers;

/** A stack of at least size_bytes, from the calling thread's pool; NULL for
 *  want of memory. What it held before is anybody's. */
vow__stack_t *vow__stack_get(size_t size_bytes);

/** Back to the pool; on the thread that got it. */
void vow__stack_put(vow__stack_t *stack);

/** Gives the memory of unused stacks of the calling thread back. */
void vow__stack_trim(void);

/** The stack of the calling thread in whose guard, or just below it, addr
 *  lies; NULL when there is none. Safe in a signal handler. */
vow__stack_t *vow__stack_overflown(const void *addr);

#endif

/* SPDX-License-Identifier: MIT */
/* Blocks of memory that a test has not given back. */
#ifndef VOW_CHECK_MEMORY_H
#define VOW_CHECK_MEMORY_H

#include "check/kit.h"

#define VOW__FRAMES 24

typedef struct vow__block vow__block_t;
struct vow__block {
  vow__block_t *next;
  void *ptr;
  size_t size_bytes;
  bool counts; /* it is to be told when it is left */
  int depth;
  void *frames[VOW__FRAMES]; /* return addresses, innermost first */
};

/** What was asked for when an allocation failed by the plan, the first; NULL:
 *  none has. */
const vow__block_t *vow__memory_first_failed(void);
/** The first max of the blocks that are left; gives how many there are. */
size_t vow__memory_blocks(const vow__block_t *ret_blocks[], size_t max);

#endif

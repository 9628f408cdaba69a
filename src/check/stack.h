/* SPDX-License-Identifier: MIT */
/* Addresses on the stack as functions and lines. */
#ifndef VOW_CHECK_INSIDE_STACK_H
#define VOW_CHECK_INSIDE_STACK_H

#include "check/memory.h"

#define VOW__NAME_BYTES 512

/** One of them; what is not known is "". */
typedef struct vow__place {
  char function[VOW__NAME_BYTES];
  char site[VOW__NAME_BYTES];   /* file:line */
  char callee[VOW__NAME_BYTES]; /* what it calls there, when that is known */
} vow__place_t;

/** Gives look each of the block's places, innermost first, until it returns
 *  false. Needs addr2line; without it there are none. */
void vow__stack_each(const vow__block_t *b,
                     bool (*look)(const vow__place_t *p, void *arg), void *arg);

#endif

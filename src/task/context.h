/* SPDX-License-Identifier: MIT */
/* The machine's part of a fiber: a stack pointer to go back to, and the switch
 * from one to the other. One file per machine; nothing here knows of tasks,
 * futures or how stacks are got.
 *
 * How this works: vow__context_switch saves what the ABI lets a callee count
 * on (registers, rounding and exception modes of the FPU) on the stack it
 * leaves, stores that stack's pointer in *from, and takes the same from the
 * stack of *to. vow__context_make lays out a new stack as if it had left from
 * the first instruction of entry.
 *
 * A switch is left by a jump, not by `ret`: the processor foresees where a
 * `ret` goes from the calls before it, and these were made on another stack.
 * For the same reason it is inlined where that can be: each call between a
 * wait and the switch is a return that is foreseen wrongly later. */
#ifndef VOW_TASK_CONTEXT_H
#define VOW_TASK_CONTEXT_H

#include <stddef.h>

#if !defined(VOW_TASK_UCONTEXT) && defined(__x86_64__) && !defined(__ILP32__)
#define VOW__CONTEXT        "x86-64"
#define VOW__CONTEXT_INLINE 1
#elif !defined(VOW_TASK_UCONTEXT) && defined(__aarch64__)
#define VOW__CONTEXT "aarch64"
#else
#define VOW__CONTEXT "ucontext"
#endif

typedef struct vow__context {
  void *sp; /* with ucontext: the ucontext_t, which lies on the stack */
} vow__context_t;

/** Fills c so that the first switch to it calls entry(arg) on the stack, which
 *  must never return. */
void vow__context_make(vow__context_t *c, void *stack, size_t size_bytes,
                       void (*entry)(void *arg), void *arg);

/** Leaves for *to; returns when somebody switches to *from. */
#ifdef VOW__CONTEXT_INLINE
#include "task/context_x86_64.h"
#else
void vow__context_switch(vow__context_t *from, const vow__context_t *to);
#endif

#endif

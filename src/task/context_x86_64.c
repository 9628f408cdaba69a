/* SPDX-License-Identifier: MIT */
/* New stacks for x86-64, System V calling convention; the switch is inline, in
 * context_x86_64.h. */
#include "task/context.h"

#ifdef VOW__CONTEXT_INLINE

#include <stdint.h>
#include <string.h>

/* Where a new stack begins: entry and its argument are on it. No caller:
 * debuggers and unwinders stop here. */
__asm__(".text\n"
        ".hidden vow__context_start\n"
        ".globl vow__context_start\n"
        ".type vow__context_start, @function\n"
        ".p2align 4\n"
        "vow__context_start:\n"
        ".cfi_startproc\n"
        ".cfi_undefined %rip\n"
        "  popq %rax\n"
        "  popq %rdi\n"
        "  xorl %ebp, %ebp\n"
        "  callq *%rax\n"
        "  ud2\n"
        ".cfi_endproc\n"
        ".size vow__context_start, .-vow__context_start\n");

void vow__context_start(void);

/* As the switch leaves it on a stack, lowest address first; behind rip what
 * the code there pops. */
typedef struct saved {
  uint32_t mxcsr;
  uint32_t x87_control;
  uint64_t rip;
  uint64_t entry;
  uint64_t arg;
} saved_t;

void vow__context_make(vow__context_t *c, void *stack, size_t size_bytes,
                       void (*entry)(void *arg), void *arg) {
  uintptr_t top = ((uintptr_t)stack + size_bytes) & ~(uintptr_t)15;
  saved_t *s = (saved_t *)(top - sizeof(*s));
  uint32_t mxcsr;
  uint16_t x87;
  /* Aligned to 16 where entry is called. */
  _Static_assert(sizeof(saved_t) % 16 == 0, "the start would be misaligned");
  __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
  memset(s, 0, sizeof(*s));
  s->mxcsr = mxcsr;
  s->x87_control = x87;
  s->rip = (uint64_t)(uintptr_t)vow__context_start;
  s->entry = (uint64_t)(uintptr_t)entry;
  s->arg = (uint64_t)(uintptr_t)arg;
  c->sp = s;
}

#else
typedef int vow__no_x86_64; /* ISO C forbids an empty file */
#endif

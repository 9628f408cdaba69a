/* SPDX-License-Identifier: MIT */
/* The switch for aarch64, AAPCS64: x19 to x30, d8 to d15, fpcr. */
#include "task/context.h"

#if !defined(VOW_TASK_UCONTEXT) && defined(__aarch64__)

#include <stdint.h>
#include <string.h>

/* void vow__context_switch(from: x0, to: x1) */
__asm__(".text\n"
        ".globl vow__context_switch\n"
        ".hidden vow__context_switch\n"
        ".type vow__context_switch, %function\n"
        ".p2align 4\n"
        "vow__context_switch:\n"
        ".cfi_startproc\n"
        "  sub sp, sp, #176\n"
        "  .cfi_adjust_cfa_offset 176\n"
        "  stp x19, x20, [sp, #0]\n"
        "  .cfi_rel_offset x19, 0\n"
        "  .cfi_rel_offset x20, 8\n"
        "  stp x21, x22, [sp, #16]\n"
        "  .cfi_rel_offset x21, 16\n"
        "  .cfi_rel_offset x22, 24\n"
        "  stp x23, x24, [sp, #32]\n"
        "  .cfi_rel_offset x23, 32\n"
        "  .cfi_rel_offset x24, 40\n"
        "  stp x25, x26, [sp, #48]\n"
        "  .cfi_rel_offset x25, 48\n"
        "  .cfi_rel_offset x26, 56\n"
        "  stp x27, x28, [sp, #64]\n"
        "  .cfi_rel_offset x27, 64\n"
        "  .cfi_rel_offset x28, 72\n"
        "  stp x29, x30, [sp, #80]\n"
        "  .cfi_rel_offset x29, 80\n"
        "  .cfi_rel_offset x30, 88\n"
        "  stp d8, d9, [sp, #96]\n"
        "  stp d10, d11, [sp, #112]\n"
        "  stp d12, d13, [sp, #128]\n"
        "  stp d14, d15, [sp, #144]\n"
        "  mrs x9, fpcr\n"
        "  str x9, [sp, #160]\n"
        "  mov x10, sp\n"
        "  str x10, [x0]\n"
        "  ldr x10, [x1]\n"
        "  mov sp, x10\n"
        "  ldp x19, x20, [sp, #0]\n"
        "  ldp x21, x22, [sp, #16]\n"
        "  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n"
        "  ldp x27, x28, [sp, #64]\n"
        "  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n"
        "  ldp d10, d11, [sp, #112]\n"
        "  ldp d12, d13, [sp, #128]\n"
        "  ldp d14, d15, [sp, #144]\n"
        "  ldr x11, [sp, #160]\n"
        "  cmp x9, x11\n"
        "  b.eq 1f\n"
        "  msr fpcr, x11\n" /* slow, and seldom another value */
        "1:\n"
        "  add sp, sp, #176\n"
        "  .cfi_adjust_cfa_offset -176\n"
        "  .cfi_restore x19\n"
        "  .cfi_restore x20\n"
        "  .cfi_restore x21\n"
        "  .cfi_restore x22\n"
        "  .cfi_restore x23\n"
        "  .cfi_restore x24\n"
        "  .cfi_restore x25\n"
        "  .cfi_restore x26\n"
        "  .cfi_restore x27\n"
        "  .cfi_restore x28\n"
        "  .cfi_restore x29\n"
        "  .cfi_restore x30\n"
#ifdef __ARM_FEATURE_BTI_DEFAULT
        "  ret\n" /* a jump may land in marked places only */
#else
        "  mov x17, x30\n"
        "  br x17\n"
#endif
        ".cfi_endproc\n"
        ".size vow__context_switch, .-vow__context_switch\n");

/* Where a new stack begins: entry is in x19, its argument in x20. No caller:
 * debuggers and unwinders stop here. */
__asm__(".text\n"
        ".globl vow__context_start\n"
        ".hidden vow__context_start\n"
        ".type vow__context_start, %function\n"
        ".p2align 4\n"
        "vow__context_start:\n"
        ".cfi_startproc\n"
        ".cfi_undefined x30\n"
        "  hint #36\n" /* bti j */
        "  mov x0, x20\n"
        "  mov x29, xzr\n"
        "  mov x30, xzr\n"
        "  blr x19\n"
        "  brk #1\n"
        ".cfi_endproc\n"
        ".size vow__context_start, .-vow__context_start\n");

void vow__context_start(void);

/* As the switch leaves it on a stack, lowest address first. */
typedef struct saved {
  uint64_t x19_to_x30[12];
  uint64_t d8_to_d15[8];
  uint64_t fpcr;
  uint64_t pad;
} saved_t;

void vow__context_make(vow__context_t *c, void *stack, size_t size_bytes,
                       void (*entry)(void *arg), void *arg) {
  uintptr_t top = ((uintptr_t)stack + size_bytes) & ~(uintptr_t)15;
  saved_t *s = (saved_t *)(top - sizeof(*s));
  _Static_assert(sizeof(saved_t) == 176, "not what the switch restores");
  memset(s, 0, sizeof(*s));
  __asm__ volatile("mrs %0, fpcr" : "=r"(s->fpcr));
  s->x19_to_x30[0] = (uint64_t)(uintptr_t)entry;
  s->x19_to_x30[1] = (uint64_t)(uintptr_t)arg;
  s->x19_to_x30[11] = (uint64_t)(uintptr_t)vow__context_start;
  c->sp = s;
}

#else
typedef int vow__no_aarch64; /* ISO C forbids an empty file */
#endif

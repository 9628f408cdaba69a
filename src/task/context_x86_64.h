/* SPDX-License-Identifier: MIT */
/* The switch for x86-64, System V calling convention, inline: the compiler is
 * told that every register changes, and saves those that it needs. What is left
 * on the stack is written down in context_x86_64.c. */
#ifndef VOW_TASK_CONTEXT_X86_64_H
#define VOW_TASK_CONTEXT_X86_64_H

#ifdef __AVX512F__
#define VOW__CONTEXT_AVX512                                                   \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",   \
      "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", \
      "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define VOW__CONTEXT_AVX512
#endif

/* Must not be moved into a leaf's red zone, hence the 128 bytes. rbp cannot be
 * given as changed where it is the frame pointer. */
static inline __attribute__((always_inline)) void vow__context_switch(
    vow__context_t *from, const vow__context_t *to) {
  __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t"
                   "pushq %%rbp\n\t"
                   "leaq 1f(%%rip), %%rax\n\t"
                   "pushq %%rax\n\t"
                   "subq $8, %%rsp\n\t"
                   "stmxcsr (%%rsp)\n\t"
                   "fnstcw 4(%%rsp)\n\t"
                   "movq %%rsp, (%%rdi)\n\t"
                   "movq (%%rsi), %%rsp\n\t"
                   "ldmxcsr (%%rsp)\n\t"
                   "fldcw 4(%%rsp)\n\t"
                   "addq $8, %%rsp\n\t"
                   "popq %%rax\n\t"
                   "jmpq *%%rax\n\t"
                   "1:\n\t"
                   "popq %%rbp\n\t"
                   "leaq 128(%%rsp), %%rsp"
                   : "+D"(from), "+S"(to)
                   :
                   : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11",
                     "r12", "r13", "r14", "r15", "memory", "cc", "st", "st(1)",
                     "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
                     "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                     "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                     "xmm14", "xmm15" VOW__CONTEXT_AVX512);
}

#endif

/* SPDX-License-Identifier: MIT */
/* The switch by POSIX's ucontext, for machines that have none of their own
 * here; -DVOW_TASK_UCONTEXT chooses it anywhere. Each switch is two system
 * calls, for the signal mask. */
#include "task/context.h"

#if defined(VOW_TASK_UCONTEXT) || \
    !(defined(__x86_64__) && !defined(__ILP32__)) && !defined(__aarch64__)

#include <stdint.h>
#include <ucontext.h>

#include "base/check.h"

/* makecontext hands over ints only: the pointers come in halves. */
static void start(unsigned entry_high, unsigned entry_low, unsigned arg_high,
                  unsigned arg_low) {
  uintptr_t entry = (uintptr_t)((uint64_t)entry_high << 32 | entry_low);
  uintptr_t arg = (uintptr_t)((uint64_t)arg_high << 32 | arg_low);
  ((void (*)(void *))entry)((void *)arg);
  vow__panic(VOW_SITE, "a fiber's entry has returned", NULL);
}

void vow__context_make(vow__context_t *c, void *stack, size_t size_bytes,
                       void (*entry)(void *arg), void *arg) {
  uintptr_t top = (uintptr_t)stack + size_bytes;
  ucontext_t *uc;
  uint64_t e = (uintptr_t)entry, a = (uintptr_t)arg;
  top = (top - sizeof(*uc)) & ~(uintptr_t)63;
  uc = (ucontext_t *)top;
  vow__assert(getcontext(uc) == 0);
  uc->uc_stack.ss_sp = stack;
  uc->uc_stack.ss_size = (size_t)(top - (uintptr_t)stack);
  uc->uc_link = NULL;
  makecontext(uc, (void (*)(void))start, 4, (unsigned)(e >> 32), (unsigned)e,
              (unsigned)(a >> 32), (unsigned)a);
  c->sp = uc;
}

void vow__context_switch(vow__context_t *from, const vow__context_t *to) {
  ucontext_t here;           /* stays while we are away: so does our stack */
  here.uc_stack.ss_size = 0; /* unknown; sanitizers look */
  from->sp = &here;
  vow__assert(swapcontext(&here, to->sp) == 0);
}

#else
typedef int vow__no_ucontext; /* ISO C forbids an empty file */
#endif

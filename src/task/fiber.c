/* SPDX-License-Identifier: MIT */
/* Beginning and ending fibers; the switches are inline, in fiber.h. */
#include "task/fiber.h"

#include "base/errno.h"

int vow__fiber_begin(vow__fiber_t *f, size_t stack_bytes,
                     void (*entry)(void *arg), void *arg) {
  vow__stack_t *stack = vow__stack_get(stack_bytes);
  if (stack == NULL) return UV_ENOMEM;
  stack->user = arg;
  f->stack = stack;
  vow__context_make(&f->self, stack->base, stack->size_bytes, entry, arg);
#ifdef VOW__TASK_TSAN
  f->self_thread = __tsan_create_fiber(0);
#endif
  return 0;
}

void vow__fiber_end(vow__fiber_t *f) {
#ifdef VOW__TASK_TSAN
  __tsan_destroy_fiber(f->self_thread);
#endif
  vow__stack_put(f->stack);
  f->stack = NULL;
}

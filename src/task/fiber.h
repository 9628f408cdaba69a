/* SPDX-License-Identifier: MIT */
/* A fiber: a stack with a function on it that can be left and come back to.
 * Resume and suspend pair up like call and return; nothing here knows of
 * tasks or futures. */
#ifndef VOW_TASK_FIBER_H
#define VOW_TASK_FIBER_H

#include "base/check.h"
#include "task/context.h"
#include "task/sanitize.h"
#include "task/stack.h"

typedef struct vow__fiber {
  vow__context_t self;   /* where it stands while nobody runs it */
  vow__context_t caller; /* where it was resumed, while it runs */
  vow__stack_t *stack;   /* NULL: not begun, or ended */
#ifdef VOW__TASK_ASAN
  void *self_frames, *caller_frames; /* ASan's fake stacks */
  const void *caller_bottom;
  size_t caller_bytes;
#endif
#ifdef VOW__TASK_TSAN
  void *self_thread, *caller_thread;
#endif
} vow__fiber_t;

/** Gets a stack and lays entry(arg) out on it. 0 or UV_ENOMEM. */
int vow__fiber_begin(vow__fiber_t *f, size_t stack_bytes,
                     void (*entry)(void *arg), void *arg);

/** Gives the stack back; for one whose entry has called vow__fiber_exit. */
void vow__fiber_end(vow__fiber_t *f);

/** The first thing that entry calls. */
static VOW__INLINE void vow__fiber_entered(vow__fiber_t *f) {
#ifdef VOW__TASK_ASAN
  __sanitizer_finish_switch_fiber(NULL, &f->caller_bottom, &f->caller_bytes);
#else
  (void)f;
#endif
}

/** Runs f until it suspends or exits. */
static VOW__INLINE void vow__fiber_resume(vow__fiber_t *f) {
#ifdef VOW__TASK_ASAN
  __sanitizer_start_switch_fiber(&f->caller_frames, f->stack->base,
                                 f->stack->size_bytes);
#endif
#ifdef VOW__TASK_TSAN
  f->caller_thread = __tsan_get_current_fiber();
  vow__tsan_switch(f->self_thread);
#endif
  vow__context_switch(&f->caller, &f->self);
#ifdef VOW__TASK_ASAN
  __sanitizer_finish_switch_fiber(f->caller_frames, NULL, NULL);
#endif
}

/** Back to whoever resumed f; returns when it is resumed again. */
static VOW__INLINE void vow__fiber_suspend(vow__fiber_t *f) {
#ifdef VOW__TASK_ASAN
  __sanitizer_start_switch_fiber(&f->self_frames, f->caller_bottom,
                                 f->caller_bytes);
#endif
#ifdef VOW__TASK_TSAN
  vow__tsan_switch(f->caller_thread);
#endif
  vow__context_switch(&f->self, &f->caller);
#ifdef VOW__TASK_ASAN
  __sanitizer_finish_switch_fiber(f->self_frames, &f->caller_bottom,
                                  &f->caller_bytes);
#endif
}

/** The same for the last time; does not return. */
static VOW__INLINE void vow__fiber_exit(vow__fiber_t *f) {
#ifdef VOW__TASK_ASAN
  __sanitizer_start_switch_fiber(NULL, f->caller_bottom, f->caller_bytes);
#endif
#ifdef VOW__TASK_TSAN
  vow__tsan_switch(f->caller_thread);
#endif
  vow__context_switch(&f->self, &f->caller);
}

#endif

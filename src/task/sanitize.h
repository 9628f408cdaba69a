/* SPDX-License-Identifier: MIT */
/* What the sanitizers and valgrind must be told about stacks and switches; all
 * of it is nothing in an ordinary build, and nothing here changes what vow
 * does. */
#ifndef VOW_TASK_SANITIZE_H
#define VOW_TASK_SANITIZE_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define VOW__TASK_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define VOW__TASK_ASAN 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define VOW__TASK_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define VOW__TASK_TSAN 1
#endif
#endif

#ifdef VOW__TASK_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define vow__stack_unpoison(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define vow__stack_unpoison(p, n) ((void)0)
#endif

#ifdef VOW__TASK_TSAN
#include <sanitizer/tsan_interface.h>
#include <signal.h>
/* The sanitizer keeps a signal back, for the fiber that it believes to run, until
 * that calls something; so none may come just before the switch: SIGCHLD cannot
 * wait for a fiber that itself waits for the child. */
static inline void vow__tsan_switch(void *fiber) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  __tsan_switch_to_fiber(fiber, 0);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}
#endif

/* Client requests are a few instructions that do nothing without valgrind. */
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define VOW__TASK_VALGRIND 1
#endif
#endif

static inline unsigned vow__valgrind_register(char *base, size_t bytes) {
#ifdef VOW__TASK_VALGRIND
  return VALGRIND_STACK_REGISTER(base, base + bytes);
#else
  (void)base;
  (void)bytes;
  return 0;
#endif
}

static inline void vow__valgrind_deregister(unsigned id) {
#ifdef VOW__TASK_VALGRIND
  VALGRIND_STACK_DEREGISTER(id);
#else
  (void)id;
#endif
}

#endif

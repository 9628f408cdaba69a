/* SPDX-License-Identifier: MIT */
/* Naming the task that ran over the end of its stack. The handler runs on a
 * signal stack of the thread's, looks the address up, writes one line, and
 * hands the signal on. Nothing of the engine may be called here. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "task/task.h"

#define SIGNAL_STACK_BYTES ((size_t)65536)

static struct sigaction former_segv, former_bus;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int install_err;
static _Thread_local bool has_stack;
static pthread_key_t at_exit;

static void say(const void *addr) {
  char text[512];
  const char *name, *site;
  const vow__task_t *t;
  const vow__stack_t *stack = vow__stack_overflown(addr);
  ssize_t written;
  int n;
  if (stack == NULL || stack->user == NULL) return;
  t = stack->user;
  name = t->name != NULL ? t->name : "task";
  site = vow_site((vow_future_t *)(void *)(uintptr_t)t);
  n = snprintf(text, sizeof(text),
               "vow: the task '%.100s' made at %.200s has overflowed its stack "
               "of %zu bytes\n",
               name, site, stack->size_bytes);
  written = write(STDERR_FILENO, text,
                  (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
  (void)written;
}

/* Puts back what was there; the instruction faults again, and meets it. A
 * signal that somebody sent does not come again by itself. */
static void on_fault(int number, siginfo_t *info, void *context) {
  bool sent = info->si_code <= 0;
  (void)context;
  if (!sent) say(info->si_addr);
  sigaction(number, number == SIGSEGV ? &former_segv : &former_bus, NULL);
  if (sent) raise(number);
}

static void release_stack(void *memory) {
  stack_t off = {.ss_flags = SS_DISABLE};
  sigaltstack(&off, NULL);
  munmap(memory, SIGNAL_STACK_BYTES);
}

static void install(void) {
  struct sigaction act;
  memset(&act, 0, sizeof(act));
  act.sa_sigaction = on_fault;
  act.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&act.sa_mask);
  if (pthread_key_create(&at_exit, release_stack) != 0)
    install_err = UV_ENOMEM;
  else if (sigaction(SIGSEGV, &act, &former_segv) != 0 ||
           sigaction(SIGBUS, &act, &former_bus) != 0)
    install_err = -errno;
}

static int thread_stack(void) {
  stack_t now, stack = {.ss_size = SIGNAL_STACK_BYTES};
  if (sigaltstack(NULL, &now) == 0 && !(now.ss_flags & SS_DISABLE)) return 0;
  stack.ss_sp = mmap(NULL, SIGNAL_STACK_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack.ss_sp == MAP_FAILED) return UV_ENOMEM;
  if (sigaltstack(&stack, NULL) != 0) {
    munmap(stack.ss_sp, SIGNAL_STACK_BYTES);
    return -errno;
  }
  pthread_setspecific(at_exit, stack.ss_sp);
  return 0;
}

int vow_task_report_overflow(void) {
  int err;
  pthread_once(&once, install);
  if (install_err != 0 || has_stack) return install_err;
  err = thread_stack();
  has_stack = err == 0;
  return err;
}

void vow__overflow_begin(void) {
  static _Thread_local bool looked;
  if (VOW__LIKELY(looked)) return;
  looked = true;
#ifndef VOW__TASK_ASAN /* which reports overflows itself */
  if (getenv("VOW_DEBUG") != NULL) vow_task_report_overflow();
#endif
}

/* SPDX-License-Identifier: MIT */
/* The trap of forked tests: threads do not come along. A pool that was used in
 * the parent looks alive in the child, and never answers. */
#include "check/kit.h"

#include <dirent.h>
#include <pthread.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
#define HAS_THREADS_OF_ITS_OWN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_THREADS_OF_ITS_OWN 1
#endif
#endif

static bool allowed;
static int threads_at_fork;
static pid_t parent;

void vow_check_allow_threads(bool allow) {
  allowed = allow;
}

int vow__count_threads(void) {
  DIR *dir = opendir("/proc/self/task");
  int n = 0;
  if (dir == NULL) return 0;
  while (readdir(dir) != NULL) n++;
  closedir(dir);
  return n - 2; /* . and .. */
}

static void before_fork(void) {
  parent = getpid();
#ifndef HAS_THREADS_OF_ITS_OWN
  threads_at_fork = vow__count_threads() - 1;
#endif
}

__attribute__((constructor)) static void watch_forks(void) {
  pthread_atfork(before_fork, NULL, NULL);
}

bool vow__is_forked(void) {
  return parent != 0 && parent != getpid();
}

int vow__fork_threads(void) {
  if (allowed || !vow__is_forked()) return 0;
  return threads_at_fork > 0 ? threads_at_fork : 0;
}

/* SPDX-License-Identifier: MIT */
/* Stacks: their sizes, how they are pooled and given back, what guards them. */
#define _DEFAULT_SOURCE /* mincore */
#include "unit/core/helpers.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "task/stack.h"
#include "task/task.h"

#define STACK  ((size_t)65536)
#define REGION 64 /* stacks of that size in one mapping */

static size_t page_bytes(void) {
  return (size_t)sysconf(_SC_PAGESIZE);
}

static bool is_resident(void *page) {
  unsigned char in_core = 0;
  ck_assert_int_eq(mincore(page, page_bytes(), &in_core), 0);
  return in_core & 1;
}

/* ---- sizes ---------------------------------------------------------------- */

TEST(test_stack_is_a_power_of_two_less_its_guard) {
  static const size_t sizes[][2] = {
      {0, 16384},     {1, 16384},       {16384, 16384},     {16385, 32768},
      {65536, 65536}, {100000, 131072}, {1 << 20, 1 << 20}, {5 << 20, 8 << 20},
  };
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    vow__stack_t *s = vow__stack_get(sizes[i][0]);
    ck_assert_ptr_nonnull(s);
    ck_assert_uint_eq(s->size_bytes, sizes[i][1] - page_bytes());
    ck_assert_uint_eq((uintptr_t)s->base % page_bytes(), 0);
    s->base[0] = 1; /* all of it may be used */
    s->base[s->size_bytes - 1] = 1;
    vow__stack_put(s);
  }
  vow__stack_trim();
}

TEST(test_stack_larger_than_all_classes_is_refused) {
  ck_assert_ptr_null(vow__stack_get(((size_t)1 << 33) + 1));
  ck_assert_ptr_null(vow__stack_get(SIZE_MAX));
}

TEST(test_stack_of_gigabytes_takes_what_is_touched) {
  vow__stack_t *s = vow__stack_get((size_t)4 << 30);
  if (s == NULL) return; /* a machine that lends no more than it has */
  s->base[s->size_bytes - 1] = 1;
  ck_assert(!is_resident(s->base + page_bytes()));
  vow__stack_put(s);
  vow__stack_trim();
}

TEST(test_stack_without_memory_is_null) {
  fault_install();
  fault_fail_at(1);
  ck_assert_ptr_null(vow__stack_get(STACK));
  fault_off();
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static rlim_t address_space(void) {
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(fscanf(file, "%lu", &pages), 1);
  fclose(file);
  return pages * page_bytes();
}

TEST(test_stack_without_address_space_is_null) {
  struct rlimit limit, low;
  vow__stack_t *s;
  bool enforced;
  ck_assert_int_eq(getrlimit(RLIMIT_AS, &limit), 0);
  low = limit;
  low.rlim_cur = address_space() + ((rlim_t)256 << 20);
  fault_install();
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &low), 0);
  enforced = mmap(NULL, (size_t)1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                  -1, 0) == MAP_FAILED; /* not by an emulator */
  s = enforced ? vow__stack_get((size_t)1 << 30) : NULL;
  ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
  ck_assert_ptr_null(s);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- pooling -------------------------------------------------------------- */

TEST(test_stack_used_last_is_used_next) {
  vow__stack_t *a = vow__stack_get(STACK), *b = vow__stack_get(STACK);
  ck_assert_ptr_ne(a, b);
  vow__stack_put(a);
  ck_assert_ptr_eq(vow__stack_get(STACK), a);
  vow__stack_put(b);
  ck_assert_ptr_eq(vow__stack_get(STACK), b);
  vow__stack_put(a);
  vow__stack_put(b);
  vow__stack_trim();
}

TEST(test_stack_all_are_apart_and_come_back) {
  enum { N = 3 * REGION + 1 };
  static vow__stack_t *s[N];
  fault_install();
  for (int i = 0; i < N; i++) {
    s[i] = vow__stack_get(STACK);
    memset(s[i]->base + s[i]->size_bytes - 64, i, 64);
    memset(s[i]->base, i, 64);
  }
  ck_assert_int_eq(fault_live(), 4);
  for (int i = 0; i < N; i++) {
    ck_assert_int_eq(s[i]->base[0], (char)i);
    ck_assert_int_eq(s[i]->base[s[i]->size_bytes - 1], (char)i);
  }
  vow__stack_trim(); /* takes none that is in use */
  ck_assert_int_eq(fault_live(), 4);
  for (int i = 0; i < N; i++) vow__stack_put(s[(i * 7) % N]);
  for (int i = 0; i < N; i++) s[i] = vow__stack_get(STACK);
  ck_assert_int_eq(fault_live(), 4); /* kept for the next burst */
  for (int i = 0; i < N; i++) vow__stack_put(s[i]);
  vow__stack_trim();
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_stack_regions_beyond_the_limit_are_given_back) {
  enum { N = 40 * REGION };
  static vow__stack_t *s[N];
  fault_install();
  for (int i = 0; i < N; i++) s[i] = vow__stack_get(STACK);
  ck_assert_int_eq(fault_live(), 40);
  for (int i = 0; i < N; i++) vow__stack_put(s[i]);
  ck_assert_int_eq(fault_live(), 16); /* 64 MiB */
  vow__stack_trim();
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* One stays in each region, so that no region goes. */
TEST(test_stack_pages_beyond_the_limit_are_given_back) {
  enum { N = 20 * REGION };
  static vow__stack_t *s[N];
  int warm = 0;
  for (int i = 0; i < N; i++) {
    s[i] = vow__stack_get(STACK);
    s[i]->base[0] = 1;
  }
  for (int i = 0; i < N; i++)
    if (i % REGION != 0) vow__stack_put(s[i]);
  for (int i = 0; i < N; i++) {
    bool kept = is_resident(s[i]->base);
    if (i % REGION == 0) {
      ck_assert(kept);
    } else {
      ck_assert_int_eq(kept, s[i]->warm);
      warm += kept;
    }
  }
  ck_assert_int_eq(warm, 1024);
  for (int i = 0; i < N; i += REGION) vow__stack_put(s[i]);
  vow__stack_trim();
}

TEST(test_stack_large_ones_are_not_hoarded) {
  vow__stack_t *s;
  fault_install();
  s = vow__stack_get((size_t)256 << 20);
  s->base[0] = 1;
  vow__stack_put(s);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static void *leave_stacks(void *arg) {
  vow__stack_t *s = vow__stack_get(STACK), *t = vow__stack_get(1 << 20);
  (void)arg;
  vow__stack_put(t);
  vow__stack_put(s);
  ck_assert_int_eq(fault_live(), 2);
  return NULL;
}

TEST(test_stack_end_of_a_thread_gives_its_own_back) {
  pthread_t thread;
  fault_install();
  ck_assert_int_eq(pthread_create(&thread, NULL, leave_stacks, NULL), 0);
  pthread_join(thread, NULL);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* Runs after the stacks' own destructor, whose key is older. */
static void end_late(void *arg) {
  vow__stack_t *s = vow__stack_get(STACK), *t = vow__stack_get(1 << 18);
  vow__stack_put(t);
  vow__stack_put(s);
  vow__stack_put(arg);
}

static void *end_with_stacks(void *arg) {
  vow__stack_t *s = vow__stack_get(STACK);
  ck_assert_int_eq(pthread_setspecific(*(pthread_key_t *)arg, s), 0);
  return NULL;
}

TEST(test_stack_used_by_a_later_destructor_goes_too) {
  pthread_t thread;
  pthread_key_t key;
  vow__stack_put(vow__stack_get(STACK));
  vow__stack_trim();
  ck_assert_int_eq(pthread_key_create(&key, end_late), 0);
  fault_install();
  ck_assert_int_eq(pthread_create(&thread, NULL, end_with_stacks, &key), 0);
  pthread_join(thread, NULL);
  ck_assert_int_eq(fault_live(), 0);
  pthread_key_delete(key);
  fault_remove();
}

/* ---- guards --------------------------------------------------------------- */

static void *look_from_elsewhere(void *arg) {
  ck_assert_ptr_null(vow__stack_overflown(arg));
  return NULL;
}

TEST(test_stack_overflown_tells_whose_guard_it_is) {
  vow__stack_t *a = vow__stack_get(STACK), *b = vow__stack_get(STACK),
               *big = vow__stack_get(1 << 20);
  pthread_t thread;
  ck_assert_ptr_eq(vow__stack_overflown(a->base - 1), a);
  ck_assert_ptr_eq(vow__stack_overflown(a->base - page_bytes()), a);
  ck_assert_ptr_eq(vow__stack_overflown(b->base - 1), b);
  ck_assert_ptr_eq(vow__stack_overflown(big->base - 1), big);
  ck_assert_ptr_null(vow__stack_overflown(a->base));
  ck_assert_ptr_null(vow__stack_overflown(a->base + a->size_bytes - 1));
  ck_assert_ptr_null(vow__stack_overflown(NULL));
  ck_assert_ptr_null(vow__stack_overflown(&thread));
  ck_assert_int_eq(
      pthread_create(&thread, NULL, look_from_elsewhere, a->base - 1), 0);
  pthread_join(thread, NULL);
  vow__stack_put(big);
  vow__stack_put(b);
  vow__stack_put(a);
  vow__stack_trim();
}

/* What kills a child that writes there: 0 for nothing. */
static int signal_of_write(volatile char *at) {
  int status;
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    *at = 1;
    test_leave(0);
  }
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(test_stack_guard_page_is_deadly) {
  if (!may_abort()) return;
  for (int protect = 0; protect < 2; protect++) {
    vow__stack_t *a, *b;
    atomic_store(&vow__stack_no_markers, protect != 0);
    a = vow__stack_get(STACK);
    b = vow__stack_get(STACK);
    for (int reused = 0; reused < 2; reused++) {
      ck_assert_int_eq(signal_of_write(a->base - 1), SIGSEGV);
      ck_assert_int_eq(signal_of_write(a->base - page_bytes()), SIGSEGV);
      ck_assert_int_eq(signal_of_write(b->base - 1), SIGSEGV);
      ck_assert_int_eq(signal_of_write(a->base), 0);
      ck_assert_int_eq(madvise(b->base, b->size_bytes, MADV_DONTNEED), 0);
    }
    vow__stack_put(b);
    vow__stack_put(a);
    vow__stack_trim();
  }
}

/* ---- where guards have run out -------------------------------------------- */

static vow_loop_t *loop;
static volatile int zero;

static int dig(char *floor) {
  volatile char here[512];
  here[zero] = 1;
  if ((char *)(uintptr_t)here < floor) return vow_yield();
  return dig(floor) + here[zero];
}

static vow_value_t overrun(void *arg) {
  (void)arg;
  return vow_int(dig(vow__task_self->fiber.stack->base - 2048));
}

static void run_overrun(void) {
  const vow_task_options_t small = {.stack_bytes = 16384};
  loop = manual_loop();
  vow_detach(vow_go_with(loop, &small, overrun, NULL));
  manual_drain(loop);
}

TEST(test_stack_unguarded_overflow_is_noticed_by_the_next_switch) {
  int status;
  pid_t child;
  if (!may_abort()) return;
  child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    if (freopen("/dev/null", "w", stderr) == NULL) _exit(1);
    atomic_store(&vow__stack_no_markers, true);
    /* All but a few of the last region, beyond the limit of 16,000 guards. */
    for (int i = 0; i < 64 * 256 - 10; i++)
      if (vow__stack_get(16384) == NULL) _exit(2);
    run_overrun();
    test_leave(0);
  }
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  ck_assert(WIFSIGNALED(status));
  ck_assert_int_eq(WTERMSIG(status), SIGABRT);
}

SUITE(task_stack) {
  ADD(test_stack_is_a_power_of_two_less_its_guard);
  ADD(test_stack_larger_than_all_classes_is_refused);
  ADD(test_stack_of_gigabytes_takes_what_is_touched);
  ADD(test_stack_without_memory_is_null);
  ADD(test_stack_without_address_space_is_null);
  ADD(test_stack_used_last_is_used_next);
  ADD(test_stack_all_are_apart_and_come_back);
  ADD(test_stack_regions_beyond_the_limit_are_given_back);
  ADD(test_stack_pages_beyond_the_limit_are_given_back);
  ADD(test_stack_large_ones_are_not_hoarded);
  ADD(test_stack_end_of_a_thread_gives_its_own_back);
  ADD(test_stack_used_by_a_later_destructor_goes_too);
  ADD(test_stack_overflown_tells_whose_guard_it_is);
  ADD(test_stack_guard_page_is_deadly);
  ADD(test_stack_unguarded_overflow_is_noticed_by_the_next_switch);
}

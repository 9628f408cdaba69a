/* SPDX-License-Identifier: MIT */
/* A task that runs over the end of its stack, in a child: what is written to
 * stderr, and which signal the child dies of. */
#define _DEFAULT_SOURCE /* SA_ONSTACK */
#include "unit/task/helpers.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "task/task.h"

typedef struct death {
  char text[1024]; /* stderr */
  int signal;      /* 0: it exited */
  int status;
} death_t;

/* Runs scene(arg) in a child. */
static death_t in_child(void (*scene)(void *arg), void *arg) {
  death_t d = {"", 0, 0};
  size_t length = 0;
  ssize_t n;
  int fds[2], status;
  pid_t child;
  ck_assert_int_eq(pipe(fds), 0);
  child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    test_let_signals_kill();
    dup2(fds[1], 2);
    close(fds[0]);
    close(fds[1]);
    scene(arg);
    test_leave(0);
  }
  close(fds[1]);
  while ((n = read(fds[0], d.text + length, sizeof d.text - 1 - length)) > 0)
    length += (size_t)n;
  close(fds[0]);
  ck_assert_int_eq(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) d.signal = WTERMSIG(status);
  if (WIFEXITED(status)) d.status = WEXITSTATUS(status);
  return d;
}

/* ---- scenes --------------------------------------------------------------- */

static volatile int endless = 1, sink;

static int dig(int depth) {
  volatile char here[256];
  here[0] = (char)depth;
  sink = depth;
  return endless ? dig(depth + 1) + here[0] : here[0];
}

static vow_value_t dig_on(void *arg) {
  vow_yield();
  return vow_int(dig(*(int *)arg));
}

static void run_task(const vow_task_options_t *options, vow_task_cb body) {
  static int depth;
  loop = manual_loop();
  vow_detach(vow_go_at("mine.c:7", loop, options, body, &depth, NULL));
  vow_detach(vow_go(loop, give_seven, NULL));
  manual_drain(loop);
}

static void overflow(void *arg) {
  run_task(arg, dig_on);
}

static void report_overflow(void *arg) {
  if (vow_task_report_overflow() != 0) _exit(99);
  if (vow_task_report_overflow() != 0) _exit(99); /* again: nothing */
  overflow(arg);
}

/* ---- messages ------------------------------------------------------------- */

#define SKIP_UNLESS_CHILDREN_MAY_DIE() \
  if (!may_abort()) return

TEST(test_overflow_is_reported_with_task_site_and_size) {
  const vow_task_options_t named = {.name = "digger", .stack_bytes = 1 << 18};
  char want[128];
  death_t d;
  SKIP_UNLESS_CHILDREN_MAY_DIE();
  d = in_child(report_overflow, (void *)(uintptr_t)&named);
  ck_assert_int_eq(d.signal, SIGSEGV);
  snprintf(want, sizeof want,
           "vow: the task 'digger' made at mine.c:7 has overflowed its stack "
           "of %ld bytes\n",
           (1L << 18) - sysconf(_SC_PAGESIZE));
  EXPECT_HAS(d.text, want);
}

TEST(test_overflow_of_an_unnamed_task_is_reported) {
  death_t d;
  SKIP_UNLESS_CHILDREN_MAY_DIE();
  d = in_child(report_overflow, NULL);
  ck_assert_int_eq(d.signal, SIGSEGV);
  EXPECT_HAS(d.text, "vow: the task 'task' made at mine.c:7 has overflowed");
}

TEST(test_overflow_into_a_protected_page_is_reported) {
  death_t d;
  SKIP_UNLESS_CHILDREN_MAY_DIE();
  atomic_store(&vow__stack_no_markers, true);
  d = in_child(report_overflow, NULL);
  atomic_store(&vow__stack_no_markers, false);
  ck_assert_int_eq(d.signal, SIGSEGV);
  EXPECT_HAS(d.text, "has overflowed its stack");
}

TEST(test_overflow_without_being_asked_says_nothing) {
  death_t d;
  SKIP_UNLESS_CHILDREN_MAY_DIE();
  unsetenv("VOW_DEBUG");
  d = in_child(overflow, NULL);
  ck_assert_int_eq(d.signal, SIGSEGV);
  ck_assert_ptr_null(strstr(d.text, "vow:"));
}

TEST(test_overflow_is_reported_when_the_environment_asks) {
#ifndef VOW__TASK_ASAN /* which reports it itself */
  death_t d;
  SKIP_UNLESS_CHILDREN_MAY_DIE();
  setenv("VOW_DEBUG", "1", 1);
  d = in_child(overflow, NULL);
  unsetenv("VOW_DEBUG");
  ck_assert_int_eq(d.signal, SIGSEGV);
  EXPECT_HAS(d.text, "has overflowed its stack");
#endif
}

TEST(test_overflow_message_of_a_long_name_is_cut) {
  static char name[2000];
  vow_task_options_t named = {.name = name};
  death_t d;
  SKIP_UNLESS_CHILDREN_MAY_DIE();
  memset(name, 'n', sizeof name - 1);
  d = in_child(report_overflow, &named);
  ck_assert_int_eq(d.signal, SIGSEGV);
  EXPECT_HAS(d.text, "nnn' made at mine.c:7 has overflowed its stack");
}

/* ---- threads -------------------------------------------------------------- */

static void *report_and_run(void *arg) {
  report_overflow(arg);
  return NULL;
}

static void overflow_in_thread(void *arg) {
  pthread_t thread;
  vow_task_report_overflow(); /* here as well */
  if (pthread_create(&thread, NULL, report_and_run, arg) == 0)
    pthread_join(thread, NULL);
}

TEST(test_overflow_on_another_thread_is_reported) {
  death_t d;
  SKIP_UNLESS_CHILDREN_MAY_DIE();
  d = in_child(overflow_in_thread, NULL);
  ck_assert_int_eq(d.signal, SIGSEGV);
  EXPECT_HAS(d.text, "has overflowed its stack");
}

static bool has_signal_stack(void) {
  stack_t now;
  ck_assert_int_eq(sigaltstack(NULL, &now), 0);
  return !(now.ss_flags & SS_DISABLE);
}

static void *report_only(void *arg) {
  (void)arg;
  ck_assert_int_eq(vow_task_report_overflow(), 0);
  ck_assert(has_signal_stack());
  return NULL;
}

TEST(test_overflow_signal_stack_goes_with_its_thread) {
  pthread_t thread;
  for (int i = 0; i < 3; i++) {
    ck_assert_int_eq(pthread_create(&thread, NULL, report_only, NULL), 0);
    pthread_join(thread, NULL);
  }
}

static void *report_on_own_stack(void *arg) {
  stack_t own = {.ss_sp = arg, .ss_size = 65536}, now;
  const stack_t off = {.ss_flags = SS_DISABLE};
  ck_assert_int_eq(sigaltstack(&own, NULL), 0);
  ck_assert_int_eq(vow_task_report_overflow(), 0);
  ck_assert_int_eq(sigaltstack(NULL, &now), 0);
  ck_assert_ptr_eq(now.ss_sp, arg);
  ck_assert_int_eq(sigaltstack(&off, NULL), 0);
  return NULL;
}

TEST(test_overflow_signal_stack_of_the_users_is_left) {
  char *memory = malloc(65536);
  pthread_t thread;
  ck_assert_ptr_nonnull(memory);
  ck_assert_int_eq(pthread_create(&thread, NULL, report_on_own_stack, memory),
                   0);
  pthread_join(thread, NULL);
  free(memory);
}

/* ---- the other signals ---------------------------------------------------- */

static void exit_with_seven(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  (void)context;
  test_leave(7);
}

static void handle_then_report(void *arg) {
  struct sigaction act;
  memset(&act, 0, sizeof act);
  act.sa_sigaction = exit_with_seven;
  act.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &act, NULL);
  report_overflow(arg);
}

TEST(test_overflow_former_handler_comes_after_the_report) {
  death_t d;
  SKIP_UNLESS_CHILDREN_MAY_DIE();
  d = in_child(handle_then_report, NULL);
  ck_assert_int_eq(d.signal, 0);
  ck_assert_int_eq(d.status, 7);
  EXPECT_HAS(d.text, "has overflowed its stack");
}

/* Not NULL, which UBSan would see first. */
static char *volatile nowhere = (char *)16;

static vow_value_t write_nowhere(void *arg) {
  (void)arg;
  *nowhere = 1;
  return vow_nil();
}

static void fault_in_task(void *arg) {
  (void)arg;
  vow_task_report_overflow();
  run_task(NULL, write_nowhere);
}

static void fault_outside(void *arg) {
  vow_task_report_overflow();
  write_nowhere(arg);
}

TEST(test_overflow_other_faults_pass_unreported) {
  void (*const scenes[])(void *) = {fault_in_task, fault_outside};
  SKIP_UNLESS_CHILDREN_MAY_DIE();
  for (int i = 0; i < 2; i++) {
    death_t d = in_child(scenes[i], NULL);
    ck_assert_int_eq(d.signal, SIGSEGV);
    ck_assert_ptr_null(strstr(d.text, "vow:"));
  }
}

static void send_to_self(void *arg) {
  vow_task_report_overflow();
  kill(getpid(), *(int *)arg);
  for (int i = 0; i < 10; i++) nanosleep(&(struct timespec){0, 1000000}, NULL);
}

TEST(test_overflow_signals_that_were_sent_are_not_swallowed) {
  int numbers[] = {SIGSEGV, SIGBUS};
  SKIP_UNLESS_CHILDREN_MAY_DIE();
  for (int i = 0; i < 2; i++) {
    death_t d = in_child(send_to_self, &numbers[i]);
    ck_assert_int_eq(d.signal, numbers[i]);
    ck_assert_ptr_null(strstr(d.text, "vow:"));
  }
}

/* ---- stacks that are large enough ----------------------------------------- */

static int dig_down(int depth) {
  volatile char here[256];
  here[0] = 1;
  if (depth == 0) return vow_yield();
  return dig_down(depth - 1) + here[0];
}

static vow_value_t dig_down_to(void *arg) {
  return vow_int(dig_down(*(int *)arg));
}

TEST(test_overflow_large_stack_holds_deep_calls) {
  const vow_task_options_t large = {.stack_bytes = (size_t)64 << 20};
  int depth = 50000; /* TSan has room for 65,536 calls */
  vow_future_t *f;
  begin();
  f = vow_go_with(loop, &large, dig_down_to, &depth);
  manual_drain(loop);
  EXPECT_INT(f, depth);
  done();
}

SUITE(task_overflow) {
  ADD(test_overflow_is_reported_with_task_site_and_size);
  ADD(test_overflow_of_an_unnamed_task_is_reported);
  ADD(test_overflow_into_a_protected_page_is_reported);
  ADD(test_overflow_without_being_asked_says_nothing);
  ADD(test_overflow_is_reported_when_the_environment_asks);
  ADD(test_overflow_message_of_a_long_name_is_cut);
  ADD(test_overflow_on_another_thread_is_reported);
  ADD(test_overflow_signal_stack_goes_with_its_thread);
  ADD(test_overflow_signal_stack_of_the_users_is_left);
  ADD(test_overflow_former_handler_comes_after_the_report);
  ADD(test_overflow_other_faults_pass_unreported);
  ADD(test_overflow_signals_that_were_sent_are_not_swallowed);
  ADD(test_overflow_large_stack_holds_deep_calls);
}

/* SPDX-License-Identifier: MIT */
/* What the tests of programs share: a loop of which memory, descriptors and
 * children are counted, commands for the shell, and programs that wait until
 * they are let go. Header only. */
#ifndef VOW_TEST_PROCESS_SUPPORT_H
#define VOW_TEST_PROCESS_SUPPORT_H

#include <vow/run.h>
#include <vow/timeout.h>
#include <vow/token.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/uv/uv_support.h"

typedef struct place {
  vow_loop_t *loop;
  int fds;
} place_t;

/* `sh -c script word`; one at a time, as the arguments are shared. */
static const char *shell_args[] = {"sh", "-c", NULL, "sh", NULL, NULL};

static inline vow_command_t shell_with(const char *script, const char *word) {
  vow_command_t c = {.args = shell_args};
  shell_args[2] = script;
  shell_args[4] = word;
  return c;
}

static inline vow_command_t shell(const char *script) {
  return shell_with(script, NULL);
}

static inline vow_future_t *run_shell(vow_loop_t *loop, const char *script) {
  vow_command_t c = shell(script);
  return vow_run(loop, &c, NULL);
}

static inline int count_fds(void) {
  int n = 0, fd;
  for (fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) >= 0;
  return n;
}

/* Allows n more descriptors than are open. */
static inline void limit_fds(int n, struct rlimit *ret_former) {
  struct rlimit now;
  int fd = 0;
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, ret_former), 0);
  while (n > 0) n -= fcntl(fd++, F_GETFD) < 0;
  now = *ret_former;
  now.rlim_cur = (rlim_t)fd;
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
}

/* Neither running nor a zombie. */
static inline void expect_no_child(void) {
  ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
  ck_assert_int_eq(errno, ECHILD);
}

/* No child is left, and no descriptor. */
static inline void expect_clean(const place_t *at) {
  expect_no_child();
  ck_assert_int_eq(count_fds(), at->fds);
}

/* libuv opens descriptors of its own for the first child of a loop. */
static inline place_t place_open(void) {
  place_t at;
  fault_install();
  at.loop = loop_open_probe();
  ck_assert_int_eq(settle_drop(at.loop, run_shell(at.loop, ":")), 0);
  at.fds = count_fds();
  return at;
}

static inline void place_end(place_t *at) {
  (void)at;
  expect_no_child();
  ck_assert_int_eq(unseen, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static inline void place_close(place_t *at) {
  expect_clean(at);
  loop_done(at->loop);
  place_end(at);
}

static inline void expect_text(vow_bytes_t *b, const char *text) {
  ck_assert_ptr_nonnull(b);
  ck_assert_uint_eq(vow_bytes_length(b), strlen(text));
  ck_assert_int_eq(memcmp(vow_bytes_data(b), text, strlen(text)), 0);
}

/* f fails with code and a message that has text; it is dropped. */
static inline void expect_failure(place_t *at, vow_future_t *f, int code,
                                  const char *text) {
  ck_assert_int_eq(settle(at->loop, f), code);
  ck_assert_msg(strstr(vow_error_message(vow_error(f)), text) != NULL,
                "\"%s\" is not in: %s", text, vow_error_message(vow_error(f)));
  vow_drop(f);
}

/* ---- programs that wait -------------------------------------------------- */

/* A pipe that programs inherit: `cat $1` of its path waits until it is let go,
 * also when it was started by another program. A second one is held by all who
 * inherit it: its end tells that they have gone. */
typedef struct gate {
  int theirs;
  int ours;
  int held;
  int gone;
  char path[32];
} gate_t;

static inline void make_pipe(int *ret_theirs, int *ret_ours, bool reads) {
  int fds[2];
  ck_assert_int_eq(pipe(fds), 0);
  *ret_theirs = fds[reads ? 0 : 1];
  *ret_ours = fds[reads ? 1 : 0];
  ck_assert_int_eq(fcntl(*ret_ours, F_SETFD, FD_CLOEXEC), 0);
}

static inline gate_t gate_open(void) {
  gate_t g;
  make_pipe(&g.theirs, &g.ours, true);
  make_pipe(&g.held, &g.gone, false);
  snprintf(g.path, sizeof g.path, "/dev/fd/%d", g.theirs);
  return g;
}

/* Returns when all who wait have gone. */
static inline void gate_wait(gate_t *g) {
  char byte;
  if (g->held >= 0) close(g->held);
  g->held = -1;
  ck_assert_int_eq(read(g->gone, &byte, 1), 0);
}

/* Lets go who waits, and returns when all have gone. */
static inline void gate_close(gate_t *g) {
  close(g->ours);
  gate_wait(g);
  close(g->theirs);
  close(g->gone);
}

/* A file that a program makes to say that it is ready. */
typedef struct flag {
  char path[32];
} flag_t;

static inline flag_t flag_make(void) {
  flag_t flag = {"/tmp/vow-test-XXXXXX"};
  int fd = mkstemp(flag.path);
  ck_assert_int_ge(fd, 0);
  close(fd);
  unlink(flag.path);
  return flag;
}

/* Turns until the file is there; removes it. */
static inline void flag_wait(const flag_t *flag, vow_loop_t *loop) {
  while (access(flag->path, F_OK) != 0) {
    turns(loop, 1);
    uv_sleep(1);
  }
  unlink(flag->path);
}

#endif

/* SPDX-License-Identifier: MIT */
/* What comes again and again: time, signals, descriptors, changes of files; and
 * the phases of libuv's loop. */
#include "unit/torture/torture.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

ENDER(end_interval, vow_interval_t, vow_interval_free)
ENDER(end_signal, vow_signal_t, vow_signal_free)
ENDER(end_poll, vow_poll_t, vow_poll_free)
ENDER(end_fs_event, vow_fs_event_t, vow_fs_event_free)
ENDER(end_fs_poll, vow_fs_poll_t, vow_fs_poll_free)

/* p is consumed by what follows. */
#define HAND_OVER(cleanup, p) ck_assert(vow_undefer((cleanup), (p)))

/* ---- time ------------------------------------------------------------------- */

SCENE(test_torture_interval_ticks) {
  vow_interval_t *it;
  vow_value_t failure;
  int n = 0;
  VOW_TRY_CODE(vow_interval_new(loop, 5, &it));
  LATER(end_interval, it);
  VOW_TRY_NIL(vow_interval_next(it));
  vow_drop(vow_interval_next(it));
  VOW_TRY_NIL(vow_interval_next(it));
  HAND_OVER(end_interval, it);
  VOW_FOR(step, vow_interval_iter(it), &failure) {
    if (++n == 2) break;
  }
  CALMLY(n == 2);
  return failure;
}

SCENE(test_torture_phases_come) {
  VOW_TRY_NIL(vow_next_idle(loop));
  VOW_TRY_NIL(vow_next_prepare(loop));
  VOW_TRY_NIL(vow_next_check(loop));
  vow_drop(vow_next_idle(loop));
  return vow_nil();
}

/* ---- signals ---------------------------------------------------------------- */

/* Uncaught, for want of memory perhaps, it would end the process. */
static void raise_caught(void) {
  struct sigaction now;
  ck_assert_int_eq(sigaction(SIGUSR2, NULL, &now), 0);
  if (now.sa_handler != SIG_DFL) ck_assert_int_eq(raise(SIGUSR2), 0);
}

SCENE(test_torture_signals_come) {
  vow_signal_t *it;
  vow_future_t *f;
  vow_value_t failure;
  int n = 0;
  f = vow_signal_once(loop, SIGUSR2);
  raise_caught();
  VOW_TRY_NIL(f);
  VOW_TRY_CODE(vow_signal_new(loop, SIGUSR2, &it));
  LATER(end_signal, it);
  raise_caught();
  VOW_TRY_NIL(vow_signal_next(it));
  HAND_OVER(end_signal, it);
  raise_caught();
  VOW_FOR(step, vow_signal_iter(it), &failure) {
    n++;
    break;
  }
  CALMLY(n == 1);
  return failure;
}

/* ---- descriptors ------------------------------------------------------------ */

static vow_value_t close_both(void *arg) {
  const int *fds = arg;
  close(fds[0]);
  close(fds[1]);
  return vow_nil();
}

SCENE(test_torture_descriptor_is_polled) {
  static int fds[2];
  int n = 0;
  vow_poll_t *it;
  vow_value_t failure;
  ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
  LATER(close_both, fds);
  VOW_TRY_CODE(vow_poll_new(loop, fds[0], UV_READABLE, &it));
  LATER(end_poll, it);
  ck_assert_int_eq(write(fds[1], "x", 1), 1);
  VOW_TRY_NIL(vow_poll_next(it));
  VOW_TRY_CODE(vow_poll_set(it, UV_READABLE | UV_WRITABLE));
  HAND_OVER(end_poll, it);
  VOW_FOR(step, vow_poll_iter(it), &failure) {
    n++;
    break;
  }
  CALMLY(n == 1);
  return failure;
}

/* ---- changes of files ------------------------------------------------------- */

static char folder[32];

static vow_value_t remove_folder(void *arg) {
  char path[64];
  int i;
  (void)arg;
  for (i = 0; i < 4; i++) {
    snprintf(path, sizeof path, "%s/%d", folder, i);
    rmdir(path);
  }
  rmdir(folder);
  return vow_nil();
}

static void make_folder(void) {
  strcpy(folder, "/tmp/vow-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void change_folder(int i) {
  char path[64];
  snprintf(path, sizeof path, "%s/%d", folder, i);
  ck_assert_int_eq(mkdir(path, 0700), 0);
}

SCENE(test_torture_changes_are_told) {
  vow_fs_event_t *it;
  vow_value_t failure;
  int n = 0;
  make_folder();
  LATER(remove_folder, NULL);
  VOW_TRY_CODE(vow_fs_event_new(loop, folder, 0, &it));
  LATER(end_fs_event, it);
  change_folder(0);
  VOW_TRY_NIL(vow_fs_event_next(it));
  HAND_OVER(end_fs_event, it);
  change_folder(1);
  VOW_FOR(step, vow_fs_event_iter(it), &failure) {
    n++;
    break;
  }
  CALMLY(n == 1);
  return failure;
}

/* libuv looks by its own clock, the real one; in half an hour, here. */
SCENE(test_torture_looks_at_files_end) {
  vow_fs_poll_t *it;
  vow_value_t failure;
  vow_future_t *f;
  make_folder();
  LATER(remove_folder, NULL);
  VOW_TRY_CODE(vow_fs_poll_new(loop, folder, 1800000, &it));
  LATER(end_fs_poll, it);
  f = vow_timeout(vow_fs_poll_next(it), 20);
  CALMLY(vow_await_status(f) == UV_ETIMEDOUT);
  HAND_OVER(end_fs_poll, it);
  VOW_FOR(step, vow_iter_timeout(vow_fs_poll_iter(it), 10), &failure) {
  }
  CALMLY(vow_value_code(failure) == UV_ETIMEDOUT);
  vow_value_destroy(failure);
  return vow_nil();
}

SUITE(torture_sources) {
  ADD(test_torture_interval_ticks);
  ADD(test_torture_phases_come);
  ADD(test_torture_signals_come);
  ADD(test_torture_descriptor_is_polled);
  ADD(test_torture_changes_are_told);
  ADD(test_torture_looks_at_files_end);
}

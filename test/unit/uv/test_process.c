/* SPDX-License-Identifier: MIT */
/* Child processes. */
#include <vow/pipe.h>
#include <vow/process.h>

#include "support/manual.h"
#include "unit/uv/uv_support.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static char *shell_args[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
                             NULL, NULL};

/* `sh -c script`; one at a time, as the arguments are shared. */
static uv_process_options_t shell(const char *script) {
  uv_process_options_t o;
  memset(&o, 0, sizeof o);
  shell_args[2] = (char *)(uintptr_t)script;
  o.file = "/bin/sh";
  o.args = shell_args;
  return o;
}

static vow_future_t *spawn_shell(vow_loop_t *loop, const char *script) {
  uv_process_options_t o = shell(script);
  return vow_spawn(loop, &o);
}

/* Neither running nor a zombie. */
static void expect_reaped(int pid) {
  ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), -1);
  ck_assert_int_eq(errno, ECHILD);
  ck_assert_int_eq(kill(pid, 0), -1);
}

TEST(test_spawn_succeeds_with_the_exit_status) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = spawn_shell(loop, "exit 3");
  int pid = vow_process_pid(f);
  ck_assert_int_gt(pid, 0);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_exit_get(f)->status, 3);
  ck_assert_int_eq(vow_exit_get(f)->term_signal, 0);
  ck_assert_int_eq(vow_process_pid(f), pid);
  ck_assert_int_eq(vow_process_kill(f, SIGTERM), UV_ESRCH);
  expect_reaped(pid);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_spawn_killed_succeeds_with_the_signal) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = spawn_shell(loop, "exec sleep 100");
  ck_assert_int_eq(vow_process_kill(f, 0), 0);
  ck_assert_int_eq(vow_process_kill(f, 12345), UV_EINVAL);
  ck_assert_int_eq(vow_process_kill(f, SIGTERM), 0);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_exit_get(f)->status, 0);
  ck_assert_int_eq(vow_exit_get(f)->term_signal, SIGTERM);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_spawn_of_no_program_fails_and_names_it) {
  vow_loop_t *loop;
  uv_process_options_t o = shell("");
  vow_future_t *f;
  fault_install();
  loop = loop_open();
  o.file = "/no/such/program";
  f = vow_spawn(loop, &o);
  ck_assert_int_eq(vow_status(f), UV_ENOENT);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "spawn /no/such/program: no such file or directory");
  ck_assert_int_eq(vow_process_pid(f), UV_ESRCH);
  ck_assert_int_eq(vow_process_kill(f, SIGTERM), UV_ESRCH);
  vow_drop(f);
  loop_done(loop); /* the handle it left is closed */
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_spawn_dropped_kills_and_reaps) {
  vow_loop_t *loop;
  vow_future_t *f;
  int pid;
  fault_install();
  loop = loop_open_probe();
  f = spawn_shell(loop, "exec sleep 100");
  pid = vow_process_pid(f);
  vow_drop(f);
  loop_done(loop);
  expect_reaped(pid);
  ck_assert_int_eq(unseen, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_spawn_cancelled_settles_when_the_child_is_reaped) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = spawn_shell(loop, "exec sleep 100");
  int pid = vow_process_pid(f);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(settle(loop, f), UV_ECANCELED);
  ck_assert(vow_is_cancelled(f));
  expect_reaped(pid);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_spawn_cancelled_after_the_child_ended_gives_its_exit) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = spawn_shell(loop, "exit 7");
  siginfo_t info;
  ck_assert_int_eq(
      waitid(P_PID, (id_t)vow_process_pid(f), &info, WEXITED | WNOWAIT), 0);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_exit_get(f)->status, 7);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_spawn_detached_from_runs_to_its_end) {
  vow_loop_t *loop = loop_open();
  char path[] = "/tmp/vow-test-XXXXXX", script[64];
  int fd = mkstemp(path), pid;
  vow_future_t *f;
  ck_assert_int_ge(fd, 0);
  snprintf(script, sizeof script, "echo done > %s", path);
  f = spawn_shell(loop, script);
  pid = vow_process_pid(f);
  vow_detach(f);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert_int_eq(lseek(fd, 0, SEEK_END), 5);
  expect_reaped(pid);
  close(fd);
  unlink(path);
  loop_done(loop);
}

TEST(test_rule_22_loop_closed_while_a_child_runs_kills_and_reaps) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = spawn_shell(loop, "exec sleep 100");
  int pid = vow_process_pid(f);
  ck_assert_int_eq(vow_loop_close(loop, 5000), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  expect_reaped(pid);
}

TEST(test_spawn_own_session_is_let_go_by_a_cancel) {
  vow_loop_t *loop = loop_open();
  uv_process_options_t o = shell("exec sleep 100");
  vow_future_t *f;
  int pid;
  o.flags = UV_PROCESS_DETACHED;
  f = vow_spawn(loop, &o);
  pid = vow_process_pid(f);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f));
  ck_assert_int_eq(vow_process_kill(f, SIGTERM), UV_ESRCH);
  vow_drop(f);
  loop_done(loop);
  ck_assert_int_eq(kill(pid, SIGKILL), 0); /* still ours to reap */
  ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* Waits until the child has ended, and leaves it to be reaped. */
static void await_zombie(vow_future_t *child) {
  siginfo_t info;
  ck_assert_int_eq(
      waitid(P_PID, (id_t)vow_process_pid(child), &info, WEXITED | WNOWAIT), 0);
}

static vow_value_t drop_other(vow_future_t *in, void *arg) {
  vow_future_t **other = arg;
  (void)vow_status(in);
  vow_drop(*other);
  *other = NULL;
  return vow_nil();
}

/* libuv reaps all, and then tells of one by one. */
static void expect_dropped_after_reaping(unsigned flags) {
  vow_loop_t *loop = loop_open();
  uv_process_options_t o = shell("exit 0");
  vow_future_t *both[2];
  int i;
  o.flags = flags;
  for (i = 0; i < 2; i++) both[i] = vow_spawn(loop, &o);
  for (i = 0; i < 2; i++) await_zombie(both[i]);
  for (i = 0; i < 2; i++) both[i] = vow_then(both[i], drop_other, &both[1 - i]);
  ck_assert_int_eq(vow_loop_run(loop), 0);
  ck_assert((both[0] == NULL) != (both[1] == NULL));
  vow_drop(both[0] != NULL ? both[0] : both[1]);
  loop_done(loop);
}

TEST(test_spawn_dropped_between_reaping_and_telling_is_told_nothing) {
  expect_dropped_after_reaping(0);
  expect_dropped_after_reaping(UV_PROCESS_DETACHED);
}

TEST(test_spawn_reaped_by_others_can_be_cancelled) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = spawn_shell(loop, "exit 0");
  int pid = vow_process_pid(f);
  ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
  vow_cancel(f);
  ck_assert_int_eq(settle(loop, f), UV_ECANCELED);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_spawn_output_comes_through_a_pipe) {
  vow_loop_t *loop = loop_open();
  uv_process_options_t o = shell("echo hello");
  uv_stdio_container_t stdio[2];
  uv_pipe_t *pipe = NULL;
  vow_reader_t *r = NULL;
  vow_future_t *f, *out;
  ck_assert_int_eq(vow_pipe_new(loop, false, &pipe), 0);
  stdio[0].flags = UV_IGNORE;
  stdio[1].flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
  stdio[1].data.stream = (uv_stream_t *)pipe;
  o.stdio = stdio;
  o.stdio_count = 2;
  f = vow_spawn(loop, &o);
  ck_assert_int_eq(vow_reader_new((uv_stream_t *)pipe, 0, &r), 0);
  ck_assert_int_eq(settle(loop, f), 0);
  ck_assert_int_eq(vow_exit_get(f)->status, 0);
  vow_drop(f);
  out = vow_reader_next(r); /* after the exit */
  ck_assert_int_eq(settle(loop, out), 0);
  expect_bytes(out, "hello\n");
  vow_drop(out);
  ck_assert_int_eq(settle_drop(loop, vow_reader_next(r)), UV_EOF);
  f = vow_spawn(loop, &o); /* the pipe is in use */
  ck_assert_int_eq(vow_status(f), UV_EBUSY);
  vow_drop(f);
  vow_reader_free(r);
  vow_pipe_free(pipe);
  loop_done(loop);
}

TEST(test_spawn_exit_is_shared_by_copy) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = spawn_shell(loop, "exit 1");
  vow_value_t v;
  ck_assert_int_eq(settle(loop, vow_ref(f)), 0);
  v = vow_outcome(f);
  ck_assert_ptr_eq(v.type, &vow_type_exit);
  ck_assert_ptr_ne(v.as.p, vow_exit_get(f));
  ck_assert_int_eq(((vow_exit_t *)v.as.p)->status, 1);
  vow_value_destroy(v);
  vow_drop(f);
  vow_drop(f);
  loop_done(loop);
}

TEST(test_spawn_bad_arguments_give_clear_failures) {
  vow_loop_t *loop = loop_open(), *manual = manual_loop();
  uv_process_options_t o[6];
  uv_stdio_container_t stdio[1];
  vow_future_t *f;
  int i;
  for (i = 0; i < 6; i++) o[i] = shell("");
  o[0].file = NULL;
  o[1].args = NULL;
  o[2].flags = 1u << 30;
  o[3].stdio_count = 1;
  stdio[0].flags = UV_CREATE_PIPE;
  stdio[0].data.stream = NULL;
  o[4].stdio_count = 1;
  o[4].stdio = stdio;
  o[5].stdio_count = -1;
  for (i = 0; i < 6; i++) {
    f = vow_spawn(loop, &o[i]);
    ck_assert_int_eq(vow_status(f), UV_EINVAL);
    vow_drop(f);
  }
  f = vow_spawn(loop, NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  f = spawn_shell(manual, "");
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  ck_assert_int_eq(vow_process_pid(f), UV_ESRCH);
  vow_drop(f);
  f = vow_ready(loop, vow_nil());
  ck_assert_int_eq(vow_process_pid(f), UV_EINVAL);
  ck_assert_int_eq(vow_process_kill(f, 0), UV_EINVAL);
  ck_assert_int_eq(vow_process_pid(NULL), UV_EINVAL);
  vow_drop(f);
  manual_done(manual);
  loop_done(loop);
}

TEST(test_spawn_out_of_memory_starts_nothing_or_loses_nothing) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    vow_loop_t *loop;
    vow_future_t *f;
    int err;
    fault_install();
    loop = loop_open_probe();
    fault_fail_at(n);
    f = spawn_shell(loop, "exit 0");
    err = vow_is_settled(f) ? vow_status(f) : settle(loop, f);
    failed = fault_failed() > 0;
    fault_off();
    ck_assert_int_eq(err, failed ? UV_ENOMEM : 0);
    vow_drop(f);
    loop_done(loop);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_gt(n, 3);
}

enum { FAR_TIMERS = 4096 };

static void not_due(vow_timer_t *t) {
  (void)t;
}

/* libuv never tells, and there is no memory for a timer to wait with. */
TEST(test_spawn_reaped_by_others_can_be_cancelled_without_memory) {
  vow_timer_t *far = calloc(FAR_TIMERS, sizeof *far);
  vow_loop_t *loop;
  vow_future_t *f;
  size_t n = 0, i;
  int pid;
  ck_assert_ptr_nonnull(far);
  fault_install();
  loop = loop_open();
  f = spawn_shell(loop, "exit 0");
  pid = vow_process_pid(f);
  ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
  fault_fail_from(1);
  while (n < FAR_TIMERS &&
         vow_timer_start(loop, &far[n], vow_deadline_ms(loop, 3600000),
                         not_due) == 0)
    n++;
  ck_assert_uint_lt(n, FAR_TIMERS);
  vow_cancel(f);
  fault_off();
  ck_assert_int_eq(settle(loop, f), UV_ECANCELED);
  vow_drop(f);
  for (i = 0; i < n; i++) vow_timer_stop(loop, &far[i]);
  loop_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  free(far);
}

SUITE(uv_process) {
  ADD(test_spawn_succeeds_with_the_exit_status);
  ADD(test_spawn_killed_succeeds_with_the_signal);
  ADD(test_spawn_of_no_program_fails_and_names_it);
  ADD(test_spawn_dropped_kills_and_reaps);
  ADD(test_spawn_cancelled_settles_when_the_child_is_reaped);
  ADD(test_spawn_cancelled_after_the_child_ended_gives_its_exit);
  ADD(test_spawn_detached_from_runs_to_its_end);
  ADD(test_rule_22_loop_closed_while_a_child_runs_kills_and_reaps);
  ADD(test_spawn_own_session_is_let_go_by_a_cancel);
  ADD(test_spawn_dropped_between_reaping_and_telling_is_told_nothing);
  ADD(test_spawn_reaped_by_others_can_be_cancelled);
  ADD(test_spawn_output_comes_through_a_pipe);
  ADD(test_spawn_exit_is_shared_by_copy);
  ADD(test_spawn_bad_arguments_give_clear_failures);
  ADD(test_spawn_out_of_memory_starts_nothing_or_loses_nothing);
  ADD(test_spawn_reaped_by_others_can_be_cancelled_without_memory);
}

/* SPDX-License-Identifier: MIT */
/* Programs: none is left running or unreaped, and no end of a pipe open. */
#include "unit/torture/torture.h"

#include <errno.h>
#include <sys/wait.h>

/* Neither running nor a zombie. */
static vow_value_t expect_no_child(void *arg) {
  (void)arg;
  ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
  ck_assert_int_eq(errno, ECHILD);
  return vow_nil();
}

static vow_command_t command_of(const char *const *args) {
  vow_command_t c = {.args = args};
  return c;
}

static const char *const cat[] = {"cat", NULL};
static const char *const nothing[] = {"true", NULL};

SCENE_IN_REAL_TIME(test_torture_run_gives_the_output) {
  vow_command_t c = command_of(cat);
  vow_run_options_t o = {
      .input = "0123456789", .input_bytes = 10, .grace_ms = 20};
  LATER(expect_no_child, NULL);
  OWN(run, vow_run(loop, &c, &o));
  CALMLY(vow_bytes_length(vow_run_out(run.as.p)) == 10);
  return vow_nil();
}

static vow_value_t end_streams(void *arg) {
  vow_child_streams_t *s = arg;
  vow_stream_unref(s->in);
  vow_stream_unref(s->out);
  vow_stream_unref(s->err);
  return vow_nil();
}

/* A child that is killed when the scene ends early. */
static vow_value_t end_child(void *child) {
  vow_cancel(child);
  (void)vow_await_status(child);
  return vow_nil();
}

SCENE_IN_REAL_TIME(test_torture_child_with_streams_is_stopped) {
  vow_command_t c = command_of(cat);
  static vow_child_streams_t streams;
  vow_future_t *child;
  memset(&streams, 0, sizeof streams);
  LATER(expect_no_child, NULL);
  LATER(end_streams, &streams);
  child = vow_spawn_streams(loop, &c, &streams);
  LATER(end_child, child);
  if (streams.in == NULL) return vow_fail(vow_status(child));
  if (vow_await_status(vow_stream_write(streams.in, "one\n", 4)) == 0)
    (void)vow_await_status(vow_stream_read_line(streams.out, 10));
  VOW_TRY_NIL(vow_process_stop(vow_ref(child), 0, 20));
  return vow_nil();
}

SCENE_IN_REAL_TIME(test_torture_child_is_reaped) {
  uv_process_options_t o;
  vow_future_t *child;
  memset(&o, 0, sizeof o);
  o.file = "true";
  o.args = (char **)(uintptr_t)nothing;
  LATER(expect_no_child, NULL);
  VOW_TRY_NIL(vow_spawn(loop, &o));
  o.file = "cat";
  o.args = (char **)(uintptr_t)cat;
  child = vow_spawn(loop, &o);
  LATER(end_child, child);
  return vow_nil();
}

SUITE(torture_processes) {
  ADD(test_torture_run_gives_the_output);
  ADD(test_torture_child_with_streams_is_stopped);
  ADD(test_torture_child_is_reaped);
}

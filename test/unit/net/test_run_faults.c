/* SPDX-License-Identifier: MIT */
/* Running programs when libuv refuses any of the calls that takes: the failure
 * is told, no child is left, and descriptors and memory come back. */
#include <vow/run.h>

#include "check/shim/shim.h"
#include "unit/uv/fs_support.h"

#include <errno.h>
#include <sys/wait.h>

typedef vow_future_t *(*start_fn)(vow_loop_t *loop,
                                  vow_child_streams_t *streams);

typedef struct row {
  const char *name;
  start_fn start;
} row_t;

static vow_future_t *start_run(vow_loop_t *loop, vow_child_streams_t *streams) {
  static const char *const args[] = {"cat", NULL};
  const vow_command_t command = {.args = args};
  const vow_run_options_t o = {.input = "hello", .input_bytes = 5};
  (void)streams;
  return vow_run(loop, &command, &o);
}

static vow_future_t *start_streams(vow_loop_t *loop,
                                   vow_child_streams_t *streams) {
  static const char *const args[] = {"true", NULL};
  const vow_command_t command = {.args = args};
  return vow_spawn_streams(loop, &command, streams);
}

static vow_future_t *start_stop(vow_loop_t *loop,
                                vow_child_streams_t *streams) {
  static const char *const args[] = {"sleep", "60", NULL};
  const vow_command_t command = {.args = args,
                                 .in = VOW_STDIO_NULL,
                                 .out = VOW_STDIO_NULL,
                                 .err = VOW_STDIO_NULL};
  return vow_process_stop(vow_spawn_streams(loop, &command, streams), 0, 1);
}

static const row_t rows[] = {
    {"run", start_run},
    {"spawn_streams", start_streams},
    {"process_stop", start_stop},
};

#define ROWS ((int)(sizeof rows / sizeof rows[0]))

/* ---- a code at every step ------------------------------------------------ */

typedef void (*arm_fn)(const char *name, size_t nth, int code);

static int fds;

static vow_loop_t *open_faulty(void) {
  vow_loop_t *loop;
  loop_done(loop_open()); /* libuv keeps some descriptors of its first loop */
  fds = count_fds();
  fault_install();
  loop = loop_open_probe();
  vow__shim_on();
  return loop;
}

static void close_faulty(vow_loop_t *loop, vow_child_streams_t *streams) {
  vow__shim_off();
  vow_stream_unref(streams->in);
  vow_stream_unref(streams->out);
  vow_stream_unref(streams->err);
  loop_done(loop);
  ck_assert_int_eq(unseen, 0);
  ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no child, no zombie */
  ck_assert_int_eq(errno, ECHILD);
  ck_assert_int_eq(count_fds(), fds);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static bool disturb(const row_t *r, arm_fn arm, size_t n, int code,
                    bool cancel) {
  vow_child_streams_t streams = {NULL, NULL, NULL};
  vow_loop_t *loop = open_faulty();
  vow_future_t *f;
  bool hit;
  int status;
  arm(NULL, n, code);
  f = r->start(loop, &streams);
  if (cancel) ck_assert_int_eq(vow_cancel(f), 0);
  status = settle(loop, f);
  hit = vow__shim_hits() > 0;
  ck_assert_msg(status == 0 || status == code ||
                    (cancel && vow_is_cancelled(f)),
                "%s: step %zu gave %d", r->name, n, status);
  if (!hit && !cancel) ck_assert_int_eq(status, 0);
  vow_drop(f);
  close_faulty(loop, &streams);
  return hit;
}

TEST(test_run_refused_at_any_step_leaves_no_child) {
  size_t n;
  for (n = 1; disturb(&rows[_i], vow__shim_fail, n, UV_EMFILE, false); n++)
    ck_assert_uint_lt(n, 60);
  ck_assert_uint_ge(n, 2);
}

TEST(test_run_told_a_code_at_any_step_leaves_no_child) {
  size_t n;
  for (n = 1; disturb(&rows[_i], vow__shim_report, n, UV_EIO, false); n++)
    ck_assert_uint_lt(n, 60);
}

TEST(test_run_cancelled_and_refused_at_any_step_leaves_no_child) {
  size_t n;
  for (n = 1; disturb(&rows[_i], vow__shim_fail, n, UV_EIO, true); n++)
    ck_assert_uint_lt(n, 60);
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, ROWS)

SUITE(net_run_faults) {
  EACH(test_run_refused_at_any_step_leaves_no_child);
  EACH(test_run_told_a_code_at_any_step_leaves_no_child);
  EACH(test_run_cancelled_and_refused_at_any_step_leaves_no_child);
}

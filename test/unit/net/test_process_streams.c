/* SPDX-License-Identifier: MIT */
/* Children whose ends are streams, and stopping children. */
#include "unit/net/process_support.h"

static void close_streams(vow_child_streams_t *s) {
  vow_stream_unref(s->in);
  vow_stream_unref(s->out);
  vow_stream_unref(s->err);
  memset(s, 0, sizeof *s);
}

/* Closes them, and waits for libuv. */
static void streams_end(place_t *at, vow_child_streams_t *s) {
  close_streams(s);
  turns(at->loop, 3);
}

static void expect_read(place_t *at, vow_future_t *f, const char *text) {
  ck_assert_int_eq(settle(at->loop, f), 0);
  expect_text(vow_bytes_get(f), text);
  vow_drop(f);
}

static void expect_rest(place_t *at, vow_stream_t *s, const char *text) {
  expect_read(at, vow_stream_read_to_end(s, 1000), text);
}

static void expect_exit(place_t *at, vow_future_t *f, int status, int signum) {
  ck_assert_int_eq(settle(at->loop, f), 0);
  ck_assert_int_eq(vow_exit_get(f)->status, status);
  ck_assert_int_eq(vow_exit_get(f)->term_signal, signum);
  vow_drop(f);
}

/* ---- streams ------------------------------------------------------------- */

TEST(test_spawn_streams_talk_in_both_directions) {
  place_t at = place_open();
  const char *args[] = {"cat", NULL};
  vow_command_t c = {.args = args};
  vow_child_streams_t s;
  vow_future_t *f = vow_spawn_streams(at.loop, &c, &s);
  ck_assert_int_gt(vow_process_pid(f), 0);
  ck_assert_int_eq(settle_drop(at.loop, vow_stream_write(s.in, "a\nbc", 4)), 0);
  expect_read(&at, vow_stream_read_line(s.out, 10), "a");
  expect_read(&at, vow_stream_read_exactly(s.out, 2), "bc");
  ck_assert_int_eq(settle_drop(at.loop, vow_stream_write(s.in, "d", 1)), 0);
  expect_read(&at, vow_stream_read(s.out, 0), "d");
  ck_assert_int_eq(settle_drop(at.loop, vow_stream_shutdown(s.in)), 0);
  ck_assert_int_eq(settle_drop(at.loop, vow_stream_read(s.out, 0)), UV_EOF);
  ck_assert_int_eq(settle_drop(at.loop, vow_stream_read(s.err, 0)), UV_EOF);
  expect_exit(&at, f, 0, 0);
  streams_end(&at, &s);
  place_close(&at);
}

TEST(test_spawn_streams_are_read_after_the_exit) {
  place_t at = place_open();
  vow_command_t c = shell("echo out; echo err >&2; exit 3");
  vow_child_streams_t s;
  vow_future_t *f = vow_spawn_streams(at.loop, &c, &s);
  expect_exit(&at, f, 3, 0);
  expect_rest(&at, s.out, "out\n");
  expect_rest(&at, s.err, "err\n");
  streams_end(&at, &s);
  place_close(&at);
}

TEST(test_spawn_streams_merged_come_in_order) {
  place_t at = place_open();
  vow_command_t c = shell("echo a; echo b >&2; echo c; cat");
  vow_child_streams_t s;
  vow_future_t *f;
  c.in = VOW_STDIO_NULL;
  c.err = VOW_STDIO_MERGE;
  f = vow_spawn_streams(at.loop, &c, &s);
  ck_assert_ptr_null(s.in);
  ck_assert_ptr_nonnull(s.out);
  ck_assert_ptr_null(s.err);
  expect_rest(&at, s.out, "a\nb\nc\n");
  expect_exit(&at, f, 0, 0);
  streams_end(&at, &s);
  place_close(&at);
}

TEST(test_spawn_streams_without_pipes_gives_none) {
  place_t at = place_open();
  vow_command_t c = shell("test ! -p /dev/fd/1; echo lost; echo lost >&2");
  vow_child_streams_t s;
  vow_future_t *f;
  c.in = VOW_STDIO_INHERIT;
  c.out = VOW_STDIO_NULL;
  c.err = VOW_STDIO_MERGE;
  f = vow_spawn_streams(at.loop, &c, &s);
  ck_assert(s.in == NULL && s.out == NULL && s.err == NULL);
  expect_exit(&at, f, 0, 0);
  place_close(&at);
}

/* libuv's own pipes are sockets, which cannot be opened by name. */
TEST(test_spawn_streams_output_can_be_opened_by_name) {
  place_t at = place_open();
  vow_command_t c = shell("echo a >/dev/stdout; echo b >/dev/stderr");
  vow_child_streams_t s;
  vow_future_t *f = vow_spawn_streams(at.loop, &c, &s);
  expect_rest(&at, s.out, "a\n");
  expect_rest(&at, s.err, "b\n");
  expect_exit(&at, f, 0, 0);
  streams_end(&at, &s);
  place_close(&at);
}

TEST(test_spawn_streams_surroundings_are_as_told) {
  static const char *const env[] = {"WHAT=that", NULL};
  place_t at = place_open();
  vow_command_t c = shell("echo $0 $WHAT; pwd");
  vow_child_streams_t s;
  vow_future_t *f;
  c.file = "/bin/sh";
  c.env = env;
  c.cwd = "/";
  f = vow_spawn_streams(at.loop, &c, &s);
  expect_rest(&at, s.out, "sh that\n/\n");
  expect_exit(&at, f, 0, 0);
  streams_end(&at, &s);
  place_close(&at);
}

TEST(test_spawn_streams_child_dropped_is_killed_and_the_streams_end) {
  place_t at = place_open();
  const char *args[] = {"cat", NULL};
  vow_command_t c = {.args = args};
  vow_child_streams_t s;
  vow_future_t *f = vow_spawn_streams(at.loop, &c, &s);
  vow_drop(f);
  expect_rest(&at, s.out, "");
  streams_end(&at, &s);
  ck_assert_int_eq(vow_loop_run(at.loop), 0);
  place_close(&at);
}

TEST(test_spawn_streams_loop_closed_while_it_runs_kills) {
  place_t at = place_open();
  const char *args[] = {"cat", NULL};
  vow_command_t c = {.args = args};
  vow_child_streams_t s;
  vow_future_t *f = vow_spawn_streams(at.loop, &c, &s);
  vow_future_t *read = vow_stream_read(s.out, 0);
  ck_assert_int_eq(vow_loop_close(at.loop, 60000), UV_EBUSY); /* streams */
  ck_assert(vow_is_cancelled(f));
  ck_assert(vow_is_settled(read));
  expect_no_child();
  vow_drop(f);
  vow_drop(read);
  close_streams(&s);
  ck_assert_int_eq(vow_loop_close(at.loop, 60000), 0);
  place_end(&at);
}

/* ---- no child ------------------------------------------------------------ */

static void expect_no_spawn(place_t *at, const vow_command_t *c, int code,
                            const char *text) {
  vow_child_streams_t s;
  vow_future_t *f;
  memset(&s, 1, sizeof s);
  f = vow_spawn_streams(at->loop, c, &s);
  ck_assert(vow_is_settled(f));
  ck_assert(s.in == NULL && s.out == NULL && s.err == NULL);
  expect_failure(at, f, code, text);
  turns(at->loop, 3);
  expect_clean(at);
}

TEST(test_spawn_streams_that_cannot_start_says_what_and_why) {
  place_t at = place_open();
  const char *args[] = {"no-such-program", NULL};
  vow_command_t c = {.args = args};
  expect_no_spawn(&at, &c, UV_ENOENT,
                  "spawn no-such-program: no such file or directory");
  args[0] = "/etc/passwd";
  expect_no_spawn(&at, &c, UV_EACCES, "spawn /etc/passwd: permission denied");
  args[0] = "cat";
  c.cwd = "/no/such/folder";
  expect_no_spawn(&at, &c, UV_ENOENT,
                  "spawn cat: cannot enter /no/such/folder: no such file");
  c.cwd = "/etc/passwd";
  expect_no_spawn(&at, &c, UV_ENOTDIR, "cannot enter /etc/passwd: not a");
  c.cwd = "/";
  args[0] = "no-such-program";
  expect_no_spawn(&at, &c, UV_ENOENT, "spawn no-such-program: no such file");
  args[0] = "/etc/passwd/x"; /* its folder is none: not that of the child */
  expect_no_spawn(&at, &c, UV_ENOTDIR, "spawn /etc/passwd/x: not a directory");
  place_close(&at);
}

TEST(test_spawn_streams_bad_arguments_give_clear_failures) {
  place_t at = place_open();
  vow_command_t c[8];
  vow_future_t *f;
  const char *none[] = {NULL};
  int i;
  for (i = 0; i < 8; i++) c[i] = shell(":");
  c[0].args = NULL;
  c[1].args = none;
  c[2].flags = 1u << 30;
  c[3].flags = UV_PROCESS_WINDOWS_HIDE;
  c[4].in = VOW_STDIO_MERGE;
  c[5].out = VOW_STDIO_MERGE;
  c[6].err = (vow_stdio_t)17;
  c[7].in = (vow_stdio_t)-1;
  for (i = 0; i < 8; i++) expect_no_spawn(&at, &c[i], UV_EINVAL, "streams: ");
  expect_no_spawn(&at, NULL, UV_EINVAL, "the command is NULL");
  c[0] = shell(":");
  f = vow_spawn_streams(at.loop, &c[0], NULL);
  expect_failure(&at, f, UV_EINVAL, "ret_streams is NULL");
  place_close(&at);
}

TEST(test_spawn_streams_out_of_descriptors_leaves_none_behind) {
  place_t at = place_open();
  struct rlimit former;
  int n, err = UV_EMFILE;
  for (n = 1; err != 0; n++) {
    vow_command_t c = shell(":");
    vow_child_streams_t s;
    vow_future_t *f;
    ck_assert_int_lt(n, 20);
    /* valgrind lets a pair of sockets pass the limit, and then denies it. */
    if (test_is_quick()) c.in = VOW_STDIO_NULL;
    limit_fds(n, &former);
    f = vow_spawn_streams(at.loop, &c, &s);
    setrlimit(RLIMIT_NOFILE, &former);
    err = settle_drop(at.loop, f);
    ck_assert_msg(err == 0 || err == UV_EMFILE, "%s", vow_strerror(err));
    streams_end(&at, &s);
    expect_clean(&at);
  }
  ck_assert_int_gt(n, 4);
  place_close(&at);
}

TEST(test_spawn_streams_out_of_memory_starts_nothing) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    place_t at = place_open();
    vow_command_t c = shell(":");
    vow_child_streams_t s;
    vow_future_t *f;
    fault_fail_at(n);
    f = vow_spawn_streams(at.loop, &c, &s);
    failed = fault_failed() > 0;
    fault_off();
    ck_assert_int_eq(settle_drop(at.loop, f), failed ? UV_ENOMEM : 0);
    ck_assert_int_eq(s.in == NULL, failed);
    streams_end(&at, &s);
    place_close(&at);
  }
  ck_assert_uint_gt(n, 8);
}

/* ---- stopping ------------------------------------------------------------ */

/* A child that ignores SIGTERM, and is ready to. */
static vow_future_t *stubborn(place_t *at, vow_child_streams_t *s) {
  vow_command_t c = shell("trap '' TERM; echo ready; read x");
  vow_future_t *f = vow_spawn_streams(at->loop, &c, s);
  expect_read(at, vow_stream_read_line(s->out, 10), "ready");
  return f;
}

static vow_future_t *docile(place_t *at, vow_child_streams_t *s) {
  static const char *args[] = {"cat", NULL};
  const vow_command_t c = {.args = args};
  return vow_spawn_streams(at->loop, &c, s);
}

TEST(test_process_stop_asks_first) {
  place_t at = place_open();
  vow_child_streams_t s;
  vow_future_t *f = vow_process_stop(docile(&at, &s), 0, 60000);
  ck_assert_ptr_nonnull(strstr(vow_site(f), "test_process_streams.c:"));
  expect_exit(&at, f, 0, SIGTERM);
  streams_end(&at, &s);
  f = vow_process_stop(docile(&at, &s), SIGHUP, UINT64_MAX);
  expect_exit(&at, f, 0, SIGHUP);
  streams_end(&at, &s);
  place_close(&at);
}

TEST(test_process_stop_kills_when_the_grace_is_over) {
  place_t at = place_open();
  vow_child_streams_t s;
  uint64_t begin_ms;
  vow_future_t *f = stubborn(&at, &s);
  begin_ms = vow_loop_now_ms(at.loop);
  expect_exit(&at, vow_process_stop(f, SIGTERM, 20), 0, SIGKILL);
  ck_assert_uint_ge(vow_loop_now_ms(at.loop) - begin_ms, 20);
  streams_end(&at, &s);
  f = stubborn(&at, &s);
  expect_exit(&at, vow_process_stop(f, SIGTERM, 0), 0, SIGKILL);
  streams_end(&at, &s);
  place_close(&at);
}

TEST(test_process_stop_cancelled_kills_and_waits) {
  place_t at = place_open();
  vow_child_streams_t s;
  vow_future_t *f = vow_process_stop(stubborn(&at, &s), SIGTERM, UINT64_MAX);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(settle(at.loop, f), UV_ECANCELED);
  ck_assert(vow_is_cancelled(f));
  expect_no_child();
  vow_drop(f);
  streams_end(&at, &s);
  place_close(&at);
}

TEST(test_process_stop_cancelled_of_a_shared_child_leaves_it) {
  place_t at = place_open();
  vow_child_streams_t s;
  vow_future_t *child = stubborn(&at, &s);
  vow_future_t *f = vow_process_stop(vow_ref(child), SIGTERM, 60000);
  vow_cancel(f);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  ck_assert_int_eq(vow_process_kill(child, 0), 0);
  vow_drop(child);
  ck_assert_int_eq(vow_loop_run(at.loop), 0);
  streams_end(&at, &s);
  place_close(&at);
}

TEST(test_process_stop_after_the_end_gives_the_exit) {
  place_t at = place_open();
  vow_child_streams_t s;
  vow_command_t c = shell("exit 4");
  vow_future_t *f = vow_spawn_streams(at.loop, &c, &s);
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_exit(&at, vow_process_stop(f, 0, 0), 4, 0);
  streams_end(&at, &s);
  place_close(&at);
}

TEST(test_process_stop_loop_closed_while_it_waits_kills) {
  place_t at = place_open();
  vow_child_streams_t s;
  vow_future_t *f = vow_process_stop(stubborn(&at, &s), SIGTERM, UINT64_MAX);
  ck_assert_int_eq(vow_loop_close(at.loop, 60000), UV_EBUSY); /* streams */
  ck_assert(vow_is_cancelled(f));
  expect_no_child();
  vow_drop(f);
  close_streams(&s);
  ck_assert_int_eq(vow_loop_close(at.loop, 60000), 0);
  place_end(&at);
}

TEST(test_process_stop_bad_arguments_give_clear_failures) {
  place_t at = place_open();
  vow_child_streams_t s;
  vow_future_t *f = vow_process_stop(docile(&at, &s), 12345, 1000);
  expect_failure(&at, f, UV_EINVAL, "no such signal");
  ck_assert_int_eq(vow_loop_run(at.loop), 0); /* killed, as it was dropped */
  streams_end(&at, &s);
  f = vow_process_stop(vow_ready(at.loop, vow_nil()), 0, 0);
  expect_failure(&at, f, UV_EINVAL, "no child");
  f = vow_process_stop(NULL, 0, 0);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  place_close(&at);
}

TEST(test_process_stop_out_of_memory_kills) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    place_t at = place_open();
    vow_child_streams_t s;
    vow_future_t *f = stubborn(&at, &s);
    int err;
    fault_fail_at(n);
    /* Long enough for the heap of timers. */
    f = vow_process_stop(f, SIGTERM, 3600000);
    failed = fault_failed() > 0;
    fault_off();
    if (!failed) vow_cancel(f);
    err = settle_drop(at.loop, f);
    ck_assert(err == (failed ? UV_ENOMEM : UV_ECANCELED) ||
              (failed && err == 0)); /* without a timer: killed at once */
    ck_assert_int_eq(vow_loop_run(at.loop), 0);
    streams_end(&at, &s);
    place_close(&at);
  }
  ck_assert_uint_gt(n, 2);
}

/* Nobody will tell of its end. */
TEST(test_process_stop_of_a_child_reaped_by_others_is_cancelled) {
  place_t at = place_open();
  vow_child_streams_t s;
  vow_command_t c = shell("exit 0");
  vow_future_t *f = vow_spawn_streams(at.loop, &c, &s);
  int pid = vow_process_pid(f);
  ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
  f = vow_process_stop(f, SIGTERM, 5);
  ck_assert_int_eq(settle(at.loop, f), UV_ECANCELED);
  vow_drop(f);
  streams_end(&at, &s);
  place_close(&at);
}

SUITE(net_process_streams) {
  ADD(test_spawn_streams_talk_in_both_directions);
  ADD(test_spawn_streams_are_read_after_the_exit);
  ADD(test_spawn_streams_merged_come_in_order);
  ADD(test_spawn_streams_without_pipes_gives_none);
  ADD(test_spawn_streams_output_can_be_opened_by_name);
  ADD(test_spawn_streams_surroundings_are_as_told);
  ADD(test_spawn_streams_child_dropped_is_killed_and_the_streams_end);
  ADD(test_spawn_streams_loop_closed_while_it_runs_kills);
  ADD(test_spawn_streams_that_cannot_start_says_what_and_why);
  ADD(test_spawn_streams_bad_arguments_give_clear_failures);
  ADD(test_spawn_streams_out_of_descriptors_leaves_none_behind);
  ADD(test_spawn_streams_out_of_memory_starts_nothing);
  ADD(test_process_stop_asks_first);
  ADD(test_process_stop_kills_when_the_grace_is_over);
  ADD(test_process_stop_cancelled_kills_and_waits);
  ADD(test_process_stop_cancelled_of_a_shared_child_leaves_it);
  ADD(test_process_stop_after_the_end_gives_the_exit);
  ADD(test_process_stop_loop_closed_while_it_waits_kills);
  ADD(test_process_stop_bad_arguments_give_clear_failures);
  ADD(test_process_stop_out_of_memory_kills);
  ADD(test_process_stop_of_a_child_reaped_by_others_is_cancelled);
}

/* SPDX-License-Identifier: MIT */
/* Running a program to its end: what goes in and what comes out. How it is
 * ended is in test_process_run_end.c. */
#include "support/manual.h"
#include "unit/net/process_support.h"

static char pattern_at(size_t i) {
  return (char)(i * 2654435761u >> 13);
}

/* n bytes that do not repeat soon. */
static vow_bytes_t *pattern(size_t n) {
  char *room = NULL;
  vow_bytes_t *b = vow_bytes_new(n, &room);
  size_t i;
  ck_assert_ptr_nonnull(b);
  for (i = 0; i < n; i++) room[i] = pattern_at(i);
  return b;
}

static void expect_pattern(vow_bytes_t *b, size_t n) {
  vow_bytes_t *wanted = pattern(n);
  ck_assert_uint_eq(vow_bytes_length(b), n);
  ck_assert_int_eq(memcmp(vow_bytes_data(b), vow_bytes_data(wanted), n), 0);
  vow_bytes_unref(wanted);
}

static const char *cat_args[] = {"cat", NULL};
static const vow_command_t cat = {.args = cat_args};

/* ---- what comes out ------------------------------------------------------ */

TEST(test_run_gives_output_errors_and_status) {
  place_t at = place_open();
  vow_future_t *f = run_shell(at.loop, "echo one; echo two >&2; exit 3");
  vow_run_t *r;
  ck_assert_ptr_nonnull(strstr(vow_site(f), "process_support.h:"));
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_clean(&at); /* all is closed when it settles */
  r = vow_run_get(f);
  expect_text(vow_run_out(r), "one\n");
  expect_text(vow_run_err(r), "two\n");
  ck_assert_int_eq(vow_run_status(r), 3);
  ck_assert_int_eq(vow_run_signal(r), 0);
  ck_assert(!vow_run_succeeded(r));
  ck_assert(!vow_run_is_cut(r));
  ck_assert_uint_eq(vow_run_fed_bytes(r), 0);
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_of_a_silent_program_gives_empty_output) {
  place_t at = place_open();
  vow_future_t *f = run_shell(at.loop, ":");
  ck_assert_int_eq(settle(at.loop, f), 0);
  ck_assert(vow_run_succeeded(vow_run_get(f)));
  expect_text(vow_run_out(vow_run_get(f)), "");
  expect_text(vow_run_err(vow_run_get(f)), "");
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_ended_by_a_signal_tells_which) {
  place_t at = place_open();
  vow_future_t *f = run_shell(at.loop, "echo last words; kill -9 $$");
  vow_run_t *r;
  ck_assert_int_eq(settle(at.loop, f), 0);
  r = vow_run_get(f);
  ck_assert_int_eq(vow_run_status(r), 0);
  ck_assert_int_eq(vow_run_signal(r), SIGKILL);
  ck_assert(!vow_run_succeeded(r));
  expect_text(vow_run_out(r), "last words\n");
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_merged_gives_both_in_order) {
  place_t at = place_open();
  vow_command_t c = shell("echo a; echo b >&2; echo c");
  vow_future_t *f;
  c.err = VOW_STDIO_MERGE;
  f = vow_run(at.loop, &c, NULL);
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_text(vow_run_out(vow_run_get(f)), "a\nb\nc\n");
  ck_assert_ptr_null(vow_run_err(vow_run_get(f)));
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_without_capture_gives_the_status_only) {
  place_t at = place_open();
  vow_command_t c = shell("cat; echo lost; exit 2");
  vow_future_t *f;
  c.in = VOW_STDIO_NULL;
  c.out = VOW_STDIO_NULL;
  c.err = VOW_STDIO_INHERIT;
  f = vow_run(at.loop, &c, NULL);
  ck_assert_int_eq(settle(at.loop, f), 0);
  ck_assert_ptr_null(vow_run_out(vow_run_get(f)));
  ck_assert_ptr_null(vow_run_err(vow_run_get(f)));
  ck_assert_int_eq(vow_run_status(vow_run_get(f)), 2);
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_surroundings_are_as_told) {
  static const char *const env[] = {"WHAT=that", NULL};
  place_t at = place_open();
  vow_command_t c = shell_with("echo \"$0 $1 $WHAT\"; pwd", "a word");
  vow_future_t *f;
  c.file = "/bin/sh";
  c.env = env;
  c.cwd = "/";
  f = vow_run(at.loop, &c, NULL);
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_text(vow_run_out(vow_run_get(f)), "sh a word that\n/\n");
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_as_another_user_needs_the_right) {
  place_t at = place_open();
  vow_command_t c = shell("id -u; id -g");
  vow_future_t *f;
  c.flags = UV_PROCESS_SETUID | UV_PROCESS_SETGID;
  c.uid = 65534;
  c.gid = 65534;
  f = vow_run(at.loop, &c, NULL);
  if (geteuid() != 0) {
    expect_failure(&at, f, UV_EPERM, "spawn sh: operation not permitted");
  } else {
    ck_assert_int_eq(settle(at.loop, f), 0);
    expect_text(vow_run_out(vow_run_get(f)), "65534\n65534\n");
    vow_drop(f);
  }
  place_close(&at);
}

/* ---- what goes in -------------------------------------------------------- */

TEST(test_run_input_comes_through) {
  place_t at = place_open();
  char input[] = "some input";
  vow_run_options_t o = {.input = input, .input_bytes = strlen(input)};
  vow_future_t *f = vow_run(at.loop, &cat, &o);
  memset(input, 'x', sizeof input); /* read during the call only */
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_text(vow_run_out(vow_run_get(f)), "some input");
  ck_assert_uint_eq(vow_run_fed_bytes(vow_run_get(f)), strlen("some input"));
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_without_input_reads_the_end_at_once) {
  place_t at = place_open();
  vow_run_options_t o = {.input = "", .input_bytes = 0};
  vow_future_t *f = vow_run(at.loop, &cat, &o);
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_text(vow_run_out(vow_run_get(f)), "");
  vow_drop(f);
  ck_assert_int_eq(settle_drop(at.loop, vow_run(at.loop, &cat, NULL)), 0);
  place_close(&at);
}

TEST(test_run_input_can_be_opened_by_name) {
  place_t at = place_open();
  vow_command_t c = shell("cat /dev/stdin");
  vow_run_options_t o = {.input = "abc", .input_bytes = 3};
  vow_future_t *f = vow_run(at.loop, &c, &o);
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_text(vow_run_out(vow_run_get(f)), "abc");
  vow_drop(f);
  place_close(&at);
}

/* Both pipes are full at some time. */
TEST(test_run_large_input_and_output_do_not_wait_for_each_other) {
  place_t at = place_open();
  size_t n = test_is_quick() ? 1000000 : 10000000;
  vow_bytes_t *b = pattern(n);
  vow_run_options_t o = {.input = vow_bytes_data(b), .input_bytes = n};
  vow_future_t *f = vow_run(at.loop, &cat, &o);
  vow_bytes_unref(b);
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_pattern(vow_run_out(vow_run_get(f)), n);
  ck_assert_uint_eq(vow_run_fed_bytes(vow_run_get(f)), n);
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_shared_input_is_not_copied) {
  place_t at = place_open();
  size_t n = 1000000;
  vow_bytes_t *b = pattern(n);
  long before = fault_live_bytes();
  vow_command_t c = shell("cat >/dev/null");
  vow_run_options_t o = {.input_shared = b};
  vow_future_t *f = vow_run(at.loop, &c, &o);
  ck_assert_int_lt(fault_live_bytes() - before, 500000);
  ck_assert(vow_bytes_is_shared(b));
  ck_assert_int_eq(settle(at.loop, f), 0);
  ck_assert_uint_eq(vow_run_fed_bytes(vow_run_get(f)), n);
  ck_assert(!vow_bytes_is_shared(b));
  vow_drop(f);
  vow_bytes_unref(b);
  place_close(&at);
}

static volatile sig_atomic_t pipes;

static void on_sigpipe(int signum) {
  (void)signum;
  pipes++;
}

/* With the signal as it is by default it would end this program. */
TEST(test_run_input_that_is_not_read_is_no_failure) {
  place_t at = place_open();
  vow_bytes_t *b = pattern(1000000);
  vow_run_options_t o = {.input_shared = b};
  const char *scripts[] = {":", "exec <&-; echo still here; echo here >&2",
                           "head -c 100000 >/dev/null"};
  struct sigaction former, action = {0};
  sigset_t blocked;
  size_t i;
  action.sa_handler = on_sigpipe;
  sigaction(SIGPIPE, &action, &former);
  pipes = 0;
  for (i = 0; i < 3; i++) {
    vow_command_t c = shell(scripts[i]);
    vow_future_t *f = vow_run(at.loop, &c, &o);
    ck_assert_int_eq(settle(at.loop, f), 0);
    ck_assert(vow_run_succeeded(vow_run_get(f)));
    ck_assert_uint_lt(vow_run_fed_bytes(vow_run_get(f)), 1000000);
    expect_text(vow_run_out(vow_run_get(f)), i == 1 ? "still here\n" : "");
    vow_drop(f);
  }
  ck_assert_int_eq(pipes, 0);
  pthread_sigmask(SIG_BLOCK, NULL, &blocked);
  ck_assert_int_eq(sigismember(&blocked, SIGPIPE), 0);
  sigaction(SIGPIPE, &former, NULL);
  vow_bytes_unref(b);
  place_close(&at);
}

/* The program's own, blocked and not yet taken. */
TEST(test_run_leaves_a_pending_sigpipe_pending) {
  place_t at = place_open();
  vow_bytes_t *b = pattern(1000000);
  vow_run_options_t o = {.input_shared = b};
  vow_command_t c = shell(":");
  sigset_t set;
  int signum = 0;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  raise(SIGPIPE);
  ck_assert_int_eq(settle_drop(at.loop, vow_run(at.loop, &c, &o)), 0);
  sigpending(&set);
  ck_assert_int_eq(sigismember(&set, SIGPIPE), 1);
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  ck_assert_int_eq(sigwait(&set, &signum), 0);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
  vow_bytes_unref(b);
  place_close(&at);
}

TEST(test_run_hundred_at_a_time_keep_apart) {
  place_t at = place_open();
  vow_future_t *runs[100];
  char input[100][32];
  int i;
  for (i = 0; i < 100; i++) {
    vow_run_options_t o = {.input = input[i]};
    snprintf(input[i], sizeof input[i], "number %d", i);
    o.input_bytes = strlen(input[i]);
    runs[i] = vow_run(at.loop, &cat, &o);
  }
  for (i = 0; i < 100; i++) {
    ck_assert_int_eq(settle(at.loop, runs[i]), 0);
    ck_assert(vow_run_succeeded(vow_run_get(runs[i])));
    expect_text(vow_run_out(vow_run_get(runs[i])), input[i]);
    vow_drop(runs[i]);
  }
  place_close(&at);
}

/* ---- the result ---------------------------------------------------------- */

TEST(test_run_result_outlives_its_loop_and_is_shared) {
  place_t at = place_open();
  vow_future_t *f = run_shell(at.loop, "echo kept");
  vow_run_t *r, *other;
  vow_value_t v;
  char text[64];
  ck_assert_int_eq(settle(at.loop, vow_ref(f)), 0);
  v = vow_peek(f);
  ck_assert_str_eq(vow_value_describe(v, text, sizeof text),
                   "run, ended with status 0");
  r = vow_run_take(f);
  ck_assert_ptr_eq(r, vow_run_get(f)); /* f has it too */
  vow_drop(f);
  vow_drop(f);
  other = vow_run_ref(r);
  expect_clean(&at);
  loop_done(at.loop);
  vow_run_unref(r);
  expect_text(vow_run_out(other), "kept\n");
  vow_run_unref(other);
  place_end(&at);
}

TEST(test_run_result_of_null_is_nothing) {
  ck_assert(!vow_run_succeeded(NULL));
  ck_assert_int_eq(vow_run_status(NULL), UV_EINVAL);
  ck_assert_int_eq(vow_run_signal(NULL), UV_EINVAL);
  ck_assert_ptr_null(vow_run_out(NULL));
  ck_assert_ptr_null(vow_run_err(NULL));
  ck_assert_uint_eq(vow_run_fed_bytes(NULL), 0);
  ck_assert(!vow_run_is_cut(NULL));
  ck_assert_ptr_null(vow_run_ref(NULL));
  vow_run_unref(NULL);
}

TEST(test_run_result_describes_a_signal) {
  place_t at = place_open();
  vow_future_t *f = run_shell(at.loop, "kill -1 $$");
  char text[64];
  ck_assert_int_eq(settle(at.loop, f), 0);
  ck_assert_str_eq(vow_value_describe(vow_peek(f), text, sizeof text),
                   "run, ended by signal 1");
  vow_drop(f);
  place_close(&at);
}

/* ---- no child ------------------------------------------------------------ */

static void expect_no_run(place_t *at, const vow_command_t *c,
                          const vow_run_options_t *o, int code,
                          const char *text) {
  vow_future_t *f = vow_run(at->loop, c, o);
  ck_assert(vow_is_settled(f));
  expect_failure(at, f, code, text);
  turns(at->loop, 3);
  expect_clean(at);
}

TEST(test_run_that_cannot_start_says_what_and_why) {
  place_t at = place_open();
  const char *args[] = {"no-such-program", NULL};
  vow_command_t c = {.args = args};
  vow_run_options_t o = {.input = "abc", .input_bytes = 3};
  expect_no_run(&at, &c, &o, UV_ENOENT,
                "spawn no-such-program: no such file or directory");
  c.file = "/etc/passwd";
  expect_no_run(&at, &c, NULL, UV_EACCES,
                "spawn /etc/passwd: permission denied");
  c.file = "cat";
  c.cwd = "/no/such/folder";
  expect_no_run(&at, &c, &o, UV_ENOENT,
                "spawn cat: cannot enter /no/such/folder: no such file");
  place_close(&at);
}

TEST(test_run_bad_arguments_give_clear_failures) {
  place_t at = place_open();
  vow_command_t c = shell(":");
  vow_bytes_t *b = pattern(1);
  vow_run_options_t o = {0};
  vow_loop_t *manual;
  vow_future_t *f;
  expect_no_run(&at, NULL, NULL, UV_EINVAL, "run: the command is NULL");
  c.args = NULL;
  expect_no_run(&at, &c, NULL, UV_EINVAL, "run: there are no args");
  c = shell(":");
  o.input_bytes = 1;
  expect_no_run(&at, &c, &o, UV_EINVAL, "the input is NULL");
  o.input = "a";
  o.input_shared = b;
  expect_no_run(&at, &c, &o, UV_EINVAL, "input twice");
  o.input_shared = NULL;
  c.in = VOW_STDIO_INHERIT;
  expect_no_run(&at, &c, &o, UV_EINVAL, "no pipe for it");
  o = (vow_run_options_t){.stop_signal = -1};
  expect_no_run(&at, &c, &o, UV_EINVAL, "the stop signal is none");
  vow_bytes_unref(b);
  place_close(&at);
  manual = manual_loop();
  f = run_shell(manual, ":");
  ck_assert_int_eq(vow_status(f), UV_ENOTSUP);
  vow_drop(f);
  manual_done(manual);
  f = run_shell(NULL, ":");
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
}

TEST(test_run_out_of_descriptors_leaves_none_behind) {
  place_t at = place_open();
  struct rlimit former;
  int n, err = UV_EMFILE;
  for (n = 1; err != 0; n++) {
    vow_run_options_t o = {.input = "abc", .input_bytes = 3};
    vow_future_t *f;
    ck_assert_int_lt(n, 20);
    limit_fds(n, &former);
    f = vow_run(at.loop, &cat, &o);
    setrlimit(RLIMIT_NOFILE, &former);
    err = settle_drop(at.loop, f);
    ck_assert_msg(err == 0 || err == UV_EMFILE, "%s", vow_strerror(err));
    turns(at.loop, 3);
    expect_clean(&at);
  }
  ck_assert_int_gt(n, 5);
  place_close(&at);
}

/* ---- out of memory ------------------------------------------------------- */

/* With input that has to wait, so that every way is gone. */
static int run_with_faults(place_t *at, vow_bytes_t *input, bool shared,
                           void (*fault)(size_t n), size_t n,
                           bool *ret_failed) {
  vow_run_options_t o = {0};
  vow_future_t *f;
  int err;
  o.linger_ms = 3600000; /* in the heap of timers */
  if (shared) {
    o.input_shared = input;
  } else {
    o.input = vow_bytes_data(input);
    o.input_bytes = vow_bytes_length(input);
  }
  fault(n);
  f = vow_run(at->loop, &cat, &o);
  err = vow_is_settled(f) ? vow_status(f) : settle(at->loop, f);
  *ret_failed = fault_failed() > 0;
  fault_off();
  if (err == 0)
    expect_pattern(vow_run_out(vow_run_get(f)), vow_bytes_length(input));
  vow_drop(f);
  return err;
}

static void each_fault(void (*fault)(size_t n), bool shared) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    place_t at = place_open();
    vow_bytes_t *input = pattern(200000);
    int err = run_with_faults(&at, input, shared, fault, n, &failed);
    /* libuv does without some; then it is right all the same. */
    ck_assert(err == 0 || (failed && err == UV_ENOMEM));
    vow_bytes_unref(input);
    turns(at.loop, 3);
    place_close(&at);
  }
  ck_assert_uint_gt(n, 15);
}

TEST(test_run_nth_allocation_fails_gives_enomem_and_leaves_nothing) {
  each_fault(fault_fail_at, false);
}

TEST(test_run_out_of_memory_for_good_gives_enomem_and_leaves_nothing) {
  each_fault(fault_fail_from, true);
}

SUITE(net_process_run) {
  ADD(test_run_gives_output_errors_and_status);
  ADD(test_run_of_a_silent_program_gives_empty_output);
  ADD(test_run_ended_by_a_signal_tells_which);
  ADD(test_run_merged_gives_both_in_order);
  ADD(test_run_without_capture_gives_the_status_only);
  ADD(test_run_surroundings_are_as_told);
  ADD(test_run_as_another_user_needs_the_right);
  ADD(test_run_input_comes_through);
  ADD(test_run_without_input_reads_the_end_at_once);
  ADD(test_run_input_can_be_opened_by_name);
  ADD(test_run_large_input_and_output_do_not_wait_for_each_other);
  ADD(test_run_shared_input_is_not_copied);
  ADD(test_run_input_that_is_not_read_is_no_failure);
  ADD(test_run_leaves_a_pending_sigpipe_pending);
  ADD(test_run_hundred_at_a_time_keep_apart);
  ADD(test_run_result_outlives_its_loop_and_is_shared);
  ADD(test_run_result_of_null_is_nothing);
  ADD(test_run_result_describes_a_signal);
  ADD(test_run_that_cannot_start_says_what_and_why);
  ADD(test_run_bad_arguments_give_clear_failures);
  ADD(test_run_out_of_descriptors_leaves_none_behind);
  ADD(test_run_nth_allocation_fails_gives_enomem_and_leaves_nothing);
  ADD(test_run_out_of_memory_for_good_gives_enomem_and_leaves_nothing);
}

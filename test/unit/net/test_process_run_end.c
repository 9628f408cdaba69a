/* SPDX-License-Identifier: MIT */
/* Runs that are ended: limits, cancelling at every moment, grace, processes
 * that outlive their parent, loops that close. */
#include "unit/net/process_support.h"

static const char *cat_args[] = {"cat", NULL, NULL};

/* `cat` of the gate: ends when the gate is closed. */
static vow_command_t waiting(const gate_t *g) {
  vow_command_t c = {.args = cat_args};
  cat_args[1] = g->path;
  return c;
}

/* ---- too much output ----------------------------------------------------- */

TEST(test_run_output_within_the_limit_passes) {
  place_t at = place_open();
  vow_command_t c = shell("printf 12345; printf 123 >&2");
  vow_run_options_t o = {.max_out_bytes = 5, .max_err_bytes = 3};
  vow_future_t *f = vow_run(at.loop, &c, &o);
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_text(vow_run_out(vow_run_get(f)), "12345");
  expect_text(vow_run_err(vow_run_get(f)), "123");
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_output_above_the_limit_fails_and_says_which) {
  place_t at = place_open();
  vow_command_t c = shell("printf 12345; printf 123 >&2");
  vow_run_options_t o = {.max_out_bytes = 4};
  expect_failure(&at, vow_run(at.loop, &c, &o), UV_EMSGSIZE,
                 "run sh: more than 4 bytes of output");
  o = (vow_run_options_t){.max_err_bytes = 2};
  expect_failure(&at, vow_run(at.loop, &c, &o), UV_EMSGSIZE,
                 "run sh: more than 2 bytes of errors");
  place_close(&at);
}

TEST(test_run_endless_output_is_ended_by_the_limit) {
  place_t at = place_open();
  const char *args[] = {"cat", "/dev/zero", NULL};
  vow_command_t c = {.args = args};
  vow_run_options_t o = {.max_out_bytes = 100000, .grace_ms = UINT64_MAX};
  vow_future_t *f = vow_run(at.loop, &c, &o);
  ck_assert_int_eq(settle(at.loop, f), UV_EMSGSIZE);
  expect_clean(&at);
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_endless_output_that_ignores_the_signal_is_killed) {
  place_t at = place_open();
  vow_command_t c = shell("trap '' TERM; exec cat /dev/zero");
  vow_run_options_t o = {.max_out_bytes = 100000, .grace_ms = 20};
  vow_future_t *f = vow_run(at.loop, &c, &o);
  ck_assert_int_eq(settle(at.loop, f), UV_EMSGSIZE);
  expect_clean(&at);
  vow_drop(f);
  place_close(&at);
}

/* ---- cancelling ---------------------------------------------------------- */

TEST(test_run_cancelled_settles_when_the_child_is_reaped) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c = waiting(&g);
  vow_future_t *f;
  at.fds += 4; /* the gate's */
  f = vow_run(at.loop, &c, NULL);
  turns(at.loop, 2);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(settle(at.loop, f), UV_ECANCELED);
  ck_assert(vow_is_cancelled(f));
  expect_clean(&at);
  vow_drop(f);
  gate_close(&g);
  at.fds -= 4;
  place_close(&at);
}

TEST(test_run_dropped_ends_the_child) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c = waiting(&g);
  vow_drop(vow_run(at.loop, &c, NULL));
  ck_assert_int_eq(vow_loop_run(at.loop), 0);
  expect_no_child();
  gate_close(&g);
  place_close(&at);
}

TEST(test_run_timed_out_fails_when_the_child_is_reaped) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c = waiting(&g);
  vow_future_t *f = vow_timeout(vow_run(at.loop, &c, NULL), 10);
  ck_assert_int_eq(settle(at.loop, f), UV_ETIMEDOUT);
  expect_no_child();
  vow_drop(f);
  gate_close(&g);
  place_close(&at);
}

TEST(test_run_under_a_token_ends_with_it) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c = waiting(&g);
  vow_token_t *t = vow_token_new(at.loop);
  vow_future_t *f = vow_with_token(vow_run(at.loop, &c, NULL), t);
  ck_assert_int_eq(settle_drop(at.loop, vow_token_close(t)), 0);
  expect_no_child();
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  vow_token_free(t);
  gate_close(&g);
  place_close(&at);
}

/* After more and more turns, until it is too late. */
TEST(test_run_cancelled_at_any_moment_leaves_nothing) {
  static char input[200000];
  int steps, late = 3;
  memset(input, 'a', sizeof input);
  for (steps = 0; late > 0; steps++) {
    place_t at = place_open();
    vow_command_t c = {.args = cat_args};
    vow_run_options_t o = {.input = input, .input_bytes = sizeof input};
    vow_future_t *f;
    int i, status;
    cat_args[1] = NULL;
    f = vow_run(at.loop, &c, &o);
    for (i = 0; i < steps; i++) {
      turns(at.loop, 1);
      if (i % 4 == 3) uv_sleep(1);
    }
    if (vow_is_settled(f)) late--;
    vow_cancel(f);
    status = settle(at.loop, f);
    ck_assert(status == 0 || (status == UV_ECANCELED && vow_is_cancelled(f)));
    expect_clean(&at);
    vow_drop(f);
    place_close(&at);
  }
}

/* What libuv has told already when the cancellation comes. */
TEST(test_run_cancelled_after_the_end_gives_the_result) {
  place_t at = place_open();
  vow_future_t *f = run_shell(at.loop, "exit 5");
  ck_assert_int_eq(settle(at.loop, f), 0);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_run_status(vow_run_get(f)), 5);
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_cancelled_when_the_child_is_a_zombie_settles) {
  place_t at = place_open();
  vow_future_t *f = run_shell(at.loop, "exit 7");
  siginfo_t info;
  ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
  vow_cancel(f);
  ck_assert_int_eq(settle(at.loop, f), UV_ECANCELED);
  expect_clean(&at);
  vow_drop(f);
  place_close(&at);
}

/* ---- the signal, and the grace ------------------------------------------- */

TEST(test_run_that_ignores_the_signal_is_killed_after_the_grace) {
  place_t at = place_open();
  gate_t g = gate_open();
  flag_t flag = flag_make();
  char script[128];
  vow_command_t c;
  vow_run_options_t o = {.grace_ms = 30};
  uint64_t begin_ms;
  vow_future_t *f;
  snprintf(script, sizeof script, "trap '' TERM; : >%s; exec cat %s", flag.path,
           g.path);
  c = shell(script);
  f = vow_run(at.loop, &c, &o);
  flag_wait(&flag, at.loop);
  begin_ms = vow_loop_now_ms(at.loop);
  vow_cancel(f);
  ck_assert_int_eq(settle_drop(at.loop, f), UV_ECANCELED);
  ck_assert_uint_ge(vow_loop_now_ms(at.loop) - begin_ms, 30);
  gate_close(&g);
  place_close(&at);
}

/* It prints more than pipes, and the limit, take before it ends. */
TEST(test_run_that_cleans_up_has_the_grace_for_it) {
  place_t at = place_open();
  flag_t flag = flag_make();
  char script[256];
  vow_command_t c;
  vow_run_options_t o = {.max_out_bytes = 100, .grace_ms = UINT64_MAX};
  vow_future_t *f;
  snprintf(script, sizeof script,
           "trap 'head -c 2000000 /dev/zero; head -c 2000000 /dev/zero >&2; "
           ": >%s; exit 0' TERM; : >%s; while :; do :; done",
           flag.path, flag.path);
  c = shell(script);
  f = vow_run(at.loop, &c, &o);
  flag_wait(&flag, at.loop);
  vow_cancel(f);
  ck_assert_int_eq(settle_drop(at.loop, f), UV_ECANCELED);
  ck_assert_int_eq(access(flag.path, F_OK), 0);
  unlink(flag.path);
  place_close(&at);
}

TEST(test_run_stop_signal_is_the_one_that_was_asked_for) {
  place_t at = place_open();
  flag_t flag = flag_make();
  char script[128];
  vow_command_t c;
  vow_run_options_t o = {.stop_signal = SIGHUP, .grace_ms = UINT64_MAX};
  vow_future_t *f;
  snprintf(script, sizeof script,
           "trap ': >%s; exit 0' HUP; : >%s; while :; do :; done", flag.path,
           flag.path);
  c = shell(script);
  f = vow_run(at.loop, &c, &o);
  flag_wait(&flag, at.loop);
  vow_cancel(f);
  ck_assert_int_eq(settle_drop(at.loop, f), UV_ECANCELED);
  ck_assert_int_eq(access(flag.path, F_OK), 0);
  unlink(flag.path);
  place_close(&at);
}

TEST(test_run_stop_signal_that_is_none_kills) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c = waiting(&g);
  vow_run_options_t o = {.stop_signal = 12345, .grace_ms = UINT64_MAX};
  vow_future_t *f = vow_run(at.loop, &c, &o);
  vow_cancel(f);
  ck_assert_int_eq(settle_drop(at.loop, f), UV_ECANCELED);
  gate_close(&g);
  place_close(&at);
}

TEST(test_run_cancelled_out_of_memory_kills_at_once) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    place_t at = place_open();
    gate_t g = gate_open();
    vow_command_t c = waiting(&g);
    vow_run_options_t o = {.grace_ms = 3600000};
    vow_future_t *f = vow_run(at.loop, &c, &o);
    turns(at.loop, 2);
    fault_fail_from(n);
    vow_cancel(f);
    ck_assert_int_eq(settle_drop(at.loop, f), UV_ECANCELED);
    failed = fault_failed() > 0;
    fault_off();
    gate_close(&g);
    turns(at.loop, 3);
    place_close(&at);
  }
  ck_assert_uint_gt(n, 3);
}

/* The first reason counts. */
TEST(test_run_cancelled_while_it_is_ended_by_the_limit_gives_the_limit) {
  place_t at = place_open();
  flag_t flag = flag_make();
  char script[128];
  vow_command_t c;
  vow_run_options_t o = {.max_out_bytes = 2, .grace_ms = 50};
  vow_future_t *f;
  snprintf(script, sizeof script,
           "trap ': >%s' TERM; printf 123; while :; do :; done", flag.path);
  c = shell(script);
  f = vow_run(at.loop, &c, &o);
  flag_wait(&flag, at.loop);
  vow_cancel(f);
  expect_failure(&at, f, UV_EMSGSIZE, "more than 2 bytes of output");
  place_close(&at);
}

/* ---- who outlives the child ---------------------------------------------- */

/* Starts somebody who waits at the gate and holds all that it inherits. */
static vow_command_t leaves_somebody(const gate_t *g) {
  return shell_with("echo early; cat \"$1\" & exit 6", g->path);
}

TEST(test_run_waits_for_all_who_hold_the_output) {
  place_t at = place_open();
  vow_command_t c = shell("(sleep 0.05; echo late) & echo early; exit 6");
  vow_future_t *f = vow_run(at.loop, &c, NULL);
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_text(vow_run_out(vow_run_get(f)), "early\nlate\n");
  ck_assert_int_eq(vow_run_status(vow_run_get(f)), 6);
  ck_assert(!vow_run_is_cut(vow_run_get(f)));
  vow_drop(f);
  place_close(&at);
}

TEST(test_run_lingers_so_long_and_gives_what_came) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c = leaves_somebody(&g);
  vow_run_options_t o = {.linger_ms = 1};
  vow_future_t *f;
  at.fds += 4;
  f = vow_run(at.loop, &c, &o);
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_clean(&at);
  expect_text(vow_run_out(vow_run_get(f)), "early\n");
  expect_text(vow_run_err(vow_run_get(f)), "");
  ck_assert_int_eq(vow_run_status(vow_run_get(f)), 6);
  ck_assert(vow_run_is_cut(vow_run_get(f)));
  vow_drop(f);
  gate_close(&g);
  at.fds -= 4;
  place_close(&at);
}

/* More than the pipe's 64 KiB: nothing of what the child printed is lost. */
TEST(test_run_lingers_and_loses_nothing_that_the_child_printed) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c = shell_with(
      "cat \"$1\" & head -c 300000 /dev/zero; head -c 50000 /dev/zero >&2",
      g.path);
  vow_run_options_t o = {.linger_ms = 1};
  vow_future_t *f = vow_run(at.loop, &c, &o);
  ck_assert_int_eq(settle(at.loop, f), 0);
  ck_assert_uint_eq(vow_bytes_length(vow_run_out(vow_run_get(f))), 300000);
  ck_assert_uint_eq(vow_bytes_length(vow_run_err(vow_run_get(f))), 50000);
  vow_drop(f);
  gate_close(&g);
  place_close(&at);
}

TEST(test_run_linger_with_nobody_left_is_no_delay) {
  place_t at = place_open();
  vow_command_t c = shell("echo done");
  vow_run_options_t o = {.linger_ms = 3600000};
  vow_future_t *f = vow_run(at.loop, &c, &o);
  ck_assert_int_eq(settle(at.loop, f), 0);
  ck_assert(!vow_run_is_cut(vow_run_get(f)));
  vow_drop(f);
  place_close(&at);
}

/* One output is held, the other has ended. */
TEST(test_run_linger_cuts_only_what_is_held) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c =
      shell_with("echo out; echo err >&2; cat \"$1\" 2>/dev/null &", g.path);
  vow_run_options_t o = {.linger_ms = 5};
  vow_future_t *f = vow_run(at.loop, &c, &o);
  ck_assert_int_eq(settle(at.loop, f), 0);
  expect_text(vow_run_out(vow_run_get(f)), "out\n");
  expect_text(vow_run_err(vow_run_get(f)), "err\n");
  ck_assert(vow_run_is_cut(vow_run_get(f)));
  vow_drop(f);
  gate_close(&g);
  place_close(&at);
}

TEST(test_run_linger_out_of_memory_gives_enomem_and_leaves_nothing) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    place_t at = place_open();
    gate_t g = gate_open();
    vow_command_t c = leaves_somebody(&g);
    vow_run_options_t o = {.linger_ms = 2};
    vow_future_t *f;
    int err;
    at.fds += 4;
    fault_fail_at(n);
    f = vow_run(at.loop, &c, &o);
    err = vow_is_settled(f) ? vow_status(f) : settle(at.loop, f);
    failed = fault_failed() > 0;
    fault_off();
    ck_assert(err == 0 || (failed && err == UV_ENOMEM));
    expect_clean(&at);
    vow_drop(f);
    gate_close(&g);
    at.fds -= 4;
    turns(at.loop, 3);
    place_close(&at);
  }
  ck_assert_uint_gt(n, 15);
}

TEST(test_run_timed_out_does_not_wait_for_who_is_left) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c = leaves_somebody(&g);
  vow_future_t *f = vow_timeout(vow_run(at.loop, &c, NULL), 30);
  ck_assert_int_eq(settle_drop(at.loop, f), UV_ETIMEDOUT);
  expect_no_child();
  gate_close(&g);
  place_close(&at);
}

TEST(test_run_cancelled_while_it_lingers_settles) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c = leaves_somebody(&g);
  vow_run_options_t o = {.linger_ms = 3600000};
  vow_future_t *f = vow_run(at.loop, &c, &o);
  siginfo_t info;
  ck_assert_int_eq(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
  while (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | WNOHANG) == 0)
    turns(at.loop, 1);
  turns(at.loop, 2);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_cancel(f);
  ck_assert_int_eq(settle_drop(at.loop, f), UV_ECANCELED);
  gate_close(&g);
  place_close(&at);
}

/* The others are of the child's group, and go with it. */
TEST(test_run_of_a_group_of_its_own_ends_all_of_it) {
  place_t at = place_open();
  gate_t g = gate_open();
  flag_t flag = flag_make();
  char script[128];
  vow_command_t c;
  vow_run_options_t o = {.grace_ms = UINT64_MAX};
  vow_future_t *f;
  snprintf(script, sizeof script, "cat %s & : >%s; wait", g.path, flag.path);
  c = shell(script);
  c.flags = UV_PROCESS_DETACHED;
  f = vow_run(at.loop, &c, &o);
  flag_wait(&flag, at.loop);
  vow_cancel(f);
  ck_assert_int_eq(settle_drop(at.loop, f), UV_ECANCELED);
  expect_no_child();
  gate_wait(&g); /* without having been let go */
  gate_close(&g);
  place_close(&at);
}

/* ---- among other futures ------------------------------------------------- */

/* Something that has waiters follows f: f's sources are looked at. */
static int follow(vow_loop_t *loop, vow_future_t *f, int *ret_calls) {
  vow_promise_t *p = NULL;
  vow_future_t *g = vow_promise_new(loop, &p);
  g = vow_then(g, count_call, ret_calls);
  ck_assert_int_eq(vow_promise_finish(p, vow_follow(f)), 0);
  return settle_drop(loop, g);
}

TEST(test_run_and_stop_can_be_followed) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c = waiting(&g);
  vow_child_streams_t s;
  int calls = 0;
  vow_future_t *f = vow_spawn_streams(at.loop, &c, &s);
  f = vow_process_stop(f, SIGTERM, 60000);
  ck_assert_int_eq(follow(at.loop, f, &calls), 0);
  vow_stream_unref(s.in);
  vow_stream_unref(s.out);
  vow_stream_unref(s.err);
  ck_assert_int_eq(follow(at.loop, run_shell(at.loop, ":"), &calls), 0);
  ck_assert_int_eq(calls, 2);
  gate_close(&g);
  place_close(&at);
}

/* ---- the loop closes ----------------------------------------------------- */

TEST(test_rule_22_loop_closed_while_a_run_pends_ends_it) {
  int steps;
  for (steps = 0; steps < 6; steps++) {
    place_t at = place_open();
    gate_t g = gate_open();
    vow_command_t c = waiting(&g);
    vow_run_options_t o = {.input = "abc", .input_bytes = 3};
    vow_future_t *f = vow_run(at.loop, &c, &o);
    turns(at.loop, steps);
    ck_assert_int_eq(vow_loop_close(at.loop, 60000), 0);
    ck_assert(vow_is_cancelled(f));
    vow_drop(f);
    gate_close(&g);
    place_end(&at);
  }
}

TEST(test_rule_22_loop_closed_kills_a_stubborn_run_after_its_grace) {
  place_t at = place_open();
  gate_t g = gate_open();
  flag_t flag = flag_make();
  char script[128];
  vow_command_t c;
  vow_run_options_t o = {.grace_ms = 10};
  vow_future_t *f;
  snprintf(script, sizeof script, "trap '' TERM; : >%s; exec cat %s", flag.path,
           g.path);
  c = shell(script);
  f = vow_run(at.loop, &c, &o);
  flag_wait(&flag, at.loop);
  ck_assert_int_eq(vow_loop_close(at.loop, 60000), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  gate_close(&g);
  place_end(&at);
}

TEST(test_rule_22_loop_closed_with_a_detached_run_ends_it) {
  place_t at = place_open();
  gate_t g = gate_open();
  vow_command_t c = waiting(&g);
  vow_detach(vow_run(at.loop, &c, NULL));
  ck_assert_int_eq(vow_loop_close(at.loop, 60000), 0);
  gate_close(&g);
  place_end(&at);
}

/* Nobody will tell of its end. */
TEST(test_run_cancelled_when_its_child_was_reaped_by_others_ends) {
  place_t at = place_open();
  vow_future_t *f = run_shell(at.loop, "exit 0");
  ck_assert_int_gt(waitpid(-1, NULL, 0), 0);
  vow_cancel(f);
  ck_assert_int_eq(settle(at.loop, f), UV_ECANCELED);
  vow_drop(f);
  place_close(&at);
}

SUITE(net_process_run_end) {
  ADD(test_run_output_within_the_limit_passes);
  ADD(test_run_output_above_the_limit_fails_and_says_which);
  ADD(test_run_endless_output_is_ended_by_the_limit);
  ADD(test_run_endless_output_that_ignores_the_signal_is_killed);
  ADD(test_run_cancelled_settles_when_the_child_is_reaped);
  ADD(test_run_dropped_ends_the_child);
  ADD(test_run_timed_out_fails_when_the_child_is_reaped);
  ADD(test_run_under_a_token_ends_with_it);
  ADD(test_run_cancelled_at_any_moment_leaves_nothing);
  ADD(test_run_cancelled_after_the_end_gives_the_result);
  ADD(test_run_cancelled_when_the_child_is_a_zombie_settles);
  ADD(test_run_that_ignores_the_signal_is_killed_after_the_grace);
  ADD(test_run_that_cleans_up_has_the_grace_for_it);
  ADD(test_run_stop_signal_is_the_one_that_was_asked_for);
  ADD(test_run_stop_signal_that_is_none_kills);
  ADD(test_run_cancelled_out_of_memory_kills_at_once);
  ADD(test_run_cancelled_while_it_is_ended_by_the_limit_gives_the_limit);
  ADD(test_run_waits_for_all_who_hold_the_output);
  ADD(test_run_lingers_so_long_and_gives_what_came);
  ADD(test_run_lingers_and_loses_nothing_that_the_child_printed);
  ADD(test_run_linger_with_nobody_left_is_no_delay);
  ADD(test_run_linger_cuts_only_what_is_held);
  ADD(test_run_linger_out_of_memory_gives_enomem_and_leaves_nothing);
  ADD(test_run_timed_out_does_not_wait_for_who_is_left);
  ADD(test_run_cancelled_while_it_lingers_settles);
  ADD(test_run_of_a_group_of_its_own_ends_all_of_it);
  ADD(test_run_and_stop_can_be_followed);
  ADD(test_rule_22_loop_closed_while_a_run_pends_ends_it);
  ADD(test_rule_22_loop_closed_kills_a_stubborn_run_after_its_grace);
  ADD(test_rule_22_loop_closed_with_a_detached_run_ends_it);
  ADD(test_run_cancelled_when_its_child_was_reaped_by_others_ends);
}

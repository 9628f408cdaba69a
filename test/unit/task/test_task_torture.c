/* SPDX-License-Identifier: MIT */
/* One program that uses everything of task.h, tortured: each allocation fails
 * in turn, once and from then on; and after each step of it all is cancelled,
 * dropped, cancelled by token, or the loop closed. Whatever happens, every arg
 * is released exactly once, every clean-up runs exactly once for what it was
 * registered for, every value is destroyed, and no memory stays behind. */
#include "unit/task/helpers.h"

#include <vow/gather.h>
#include <vow/race.h>
#include <vow/timeout.h>
#include <vow/token.h>

#define MAX_OUT 16

static struct {
  vow_future_t *out[MAX_OUT];
  size_t n_out;
  vow_promise_t *slow[MAX_OUT]; /* settled when nothing else is left */
  size_t n_slow;
  vow_token_t *token;
  int args, released; /* tasks' args */
  int opened, closed; /* what clean-up is for */
} g;

static const vow_local_t inherited = {"inherited", true};
static const vow_local_t own = {"own", false};

/* ---- what the program is made of ------------------------------------------ */

static void release(void *arg) {
  (void)arg;
  g.released++;
}

static vow_future_t *go_as(const vow_task_options_t *options, vow_task_cb body,
                           void *arg) {
  g.args++;
  return vow_go_with(loop, options, body, arg, release);
}

static void out(vow_future_t *f) {
  ck_assert_uint_lt(g.n_out, MAX_OUT);
  g.out[g.n_out++] = f;
}

static vow_value_t close_slowly(void *arg) {
  int code;
  (void)arg;
  g.closed++;
  code = vow_await_status(nap(5));
  return code == 0 || code == UV_ETIMEDOUT ? vow_nil() : vow_fail(code);
}

/* Opens something that must be closed. */
static void open_it(void) {
  g.opened++;
  vow_defer(close_slowly, NULL);
}

static vow_value_t give_many(void *arg) {
  (void)arg;
  vow_yield();
  return many();
}

static vow_value_t with_scopes(void *arg) {
  open_it();
  VOW_TRY_NIL(nap(3));
  open_it();
  vow_defer_value(once());
  VOW_TRY(v, go_as(NULL, give_many, NULL));
  vow_value_destroy(v);
  if (arg != NULL) return vow_failf(UV_EIO, "scope");
  return vow_follow(nap(2));
}

static vow_value_t parent(void *arg) {
  vow_value_t v;
  vow_local_set(&inherited, many());
  vow_local_set(&own, once());
  open_it();
  vow_defer(give_many, NULL);
  v = vow_scope(with_scopes, NULL);
  vow_value_destroy(v);
  v = vow_shielded(with_scopes, arg);
  vow_value_destroy(v);
  vow_undefer(give_many, NULL);
  VOW_TRY(list, vow_gather_of(loop, go_as(NULL, with_scopes, NULL),
                              go_as(NULL, give_many, NULL)));
  vow_value_destroy(list);
  return vow_follow(go_as(NULL, with_scopes, arg));
}

static vow_value_t racer(void *arg) {
  open_it();
  VOW_TRY(v, vow_timeout(vow_race_of(loop, go_as(NULL, with_scopes, arg),
                                     go_as(NULL, with_scopes, NULL), nap(6)),
                         4));
  return v;
}

static vow_value_t lender(void *arg) {
  vow_promise_t *p;
  vow_future_t *f = vow_promise_new(loop, &p);
  (void)arg;
  if (p != NULL) {
    vow_promise_on_cancel(p, raise_count, NULL);
    ck_assert_uint_lt(g.n_slow, MAX_OUT);
    g.slow[g.n_slow++] = p;
  }
  open_it();
  return vow_await(f);
}

static vow_value_t deaf(void *arg) {
  for (int i = 0; i < 10; i++) {
    vow_await_status(nap(2));
    vow_await_status(bad(loop, UV_EIO));
  }
  return arg != NULL ? many() : vow_nil();
}

static void start_all(void) {
  static const vow_task_options_t graceful = {.name = "graceful",
                                              .grace_ms = 3};
  static const vow_task_options_t big = {.stack_bytes = 200000};
  static int fail;
  out(go_as(NULL, parent, NULL));
  out(go_as(&graceful, parent, &fail));
  out(go_as(&big, racer, NULL));
  out(go_as(&graceful, racer, &fail));
  out(go_as(&graceful, lender, NULL));
  out(go_as(NULL, lender, NULL));
  out(go_as(NULL, deaf, &fail));
  g.token = vow_token_new(loop);
  out(vow_with_token(go_as(NULL, parent, NULL), g.token));
}

/* ---- playing -------------------------------------------------------------- */

static bool settle_slow(void) {
  vow_promise_t *p;
  if (g.n_slow == 0) return false;
  p = g.slow[--g.n_slow];
  if (g.n_slow % 2 == 0)
    vow_promise_finish(p, many());
  else
    vow_promise_drop(p);
  return true;
}

static bool step(void) {
  uint64_t next_ms;
  if (vow_loop_step(loop)) return true;
  next_ms = vow_loop_next_ms(loop);
  if (next_ms == UINT64_MAX) return settle_slow();
  manual_advance(loop, next_ms - vow_loop_now_ms(loop));
  return true;
}

enum { PLAY, CANCEL, DROP, TOKEN, CLOSE, REASON };

static void interrupt(int way) {
  for (size_t i = 0; i < g.n_out; i++) {
    if (way == CANCEL) vow_cancel(g.out[i]);
    if (way == REASON) vow_task_cancel(g.out[i], UV_ETIMEDOUT);
    if (way != DROP) continue;
    vow_drop(g.out[i]);
    g.out[i] = NULL;
  }
  if (way == TOKEN) vow_token_cancel(g.token, UV_EINTR);
}

static void finish(bool close_first) {
  if (close_first) {
    while (vow_loop_close(loop, 100) != 0) ck_assert(settle_slow());
  } else {
    for (int i = 0; step(); i++) ck_assert_int_lt(i, 100000);
  }
  vow_token_free(g.token);
  for (size_t i = 0; i < g.n_out; i++) {
    ck_assert(g.out[i] == NULL || vow_is_settled(g.out[i]));
    vow_status(g.out[i]);
    vow_drop(g.out[i]);
  }
  if (close_first)
    vow_task_trim();
  else
    done();
  ck_assert_int_eq(g.released, g.args);
  ck_assert_int_eq(g.closed, g.opened);
  ck_assert_int_eq(things_live, 0);
}

/* The program, ended in some way after so many steps. False when it has fewer.
 */
static bool run(size_t steps, int way) {
  bool enough;
  memset(&g, 0, sizeof g);
  start_all();
  while (steps > 0 && step()) steps--;
  enough = steps == 0;
  interrupt(way);
  finish(way == CLOSE);
  return enough;
}

/* ---- the tests ------------------------------------------------------------ */

TEST(test_task_torture_program_runs_through) {
  fault_install();
  loop = hooked_loop(true);
  run(SIZE_MAX, PLAY);
  ck_assert_int_gt(g.opened, 10);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static void starve(void (*set)(size_t n)) {
  size_t n = 0, failed;
  do {
    fault_install();
    set(++n);
    loop = hooked_loop(true);
    if (loop != NULL) run(SIZE_MAX, PLAY);
    failed = fault_failed();
    fault_off();
    ck_assert_msg(fault_live() == 0, "%ld blocks stay when %zu fails",
                  fault_live(), n);
    fault_remove();
    if (test_is_quick()) n += n / 4;
  } while (failed > 0);
  ck_assert_uint_gt(n, 100);
}

TEST(test_task_torture_each_allocation_fails_once) {
  starve(fault_fail_at);
}

TEST(test_task_torture_each_allocation_and_all_after_it_fail) {
  starve(fault_fail_from);
}

static void interrupt_everywhere(int way) {
  size_t n = 0;
  bool enough;
  do {
    fault_install();
    loop = hooked_loop(false);
    enough = run(n, way);
    ck_assert_msg(fault_live() == 0, "%ld blocks stay after %zu steps",
                  fault_live(), n);
    fault_remove();
    n += test_is_quick() ? 1 + n / 4 : 1;
  } while (enough);
  ck_assert_uint_gt(n, 50);
}

TEST(test_task_torture_all_is_cancelled_after_each_step) {
  interrupt_everywhere(CANCEL);
}

TEST(test_task_torture_all_gets_a_reason_after_each_step) {
  interrupt_everywhere(REASON);
}

TEST(test_task_torture_all_is_dropped_after_each_step) {
  interrupt_everywhere(DROP);
}

TEST(test_task_torture_the_token_is_cancelled_after_each_step) {
  interrupt_everywhere(TOKEN);
}

TEST(test_task_torture_the_loop_is_closed_after_each_step) {
  interrupt_everywhere(CLOSE);
}

SUITE(task_torture) {
  ADD(test_task_torture_program_runs_through);
  ADD(test_task_torture_each_allocation_fails_once);
  ADD(test_task_torture_each_allocation_and_all_after_it_fail);
  ADD(test_task_torture_all_is_cancelled_after_each_step);
  ADD(test_task_torture_all_gets_a_reason_after_each_step);
  ADD(test_task_torture_all_is_dropped_after_each_step);
  ADD(test_task_torture_the_token_is_cancelled_after_each_step);
  ADD(test_task_torture_the_loop_is_closed_after_each_step);
}

/* SPDX-License-Identifier: MIT */
/* One program that uses everything of core and the combinators, tortured: each
 * allocation fails in turn, once and from then on; and after each step of it
 * everything is cancelled, dropped, or the loop closed. Whatever happens, every
 * arg is released exactly once, every value destroyed, every future settled,
 * and no memory stays behind.
 *
 * How this works: the scenes put futures and promises into a table; step() then
 * steps the loop, settles a promise when nothing is ready, and moves the clock
 * to the next timer when no promise is left. */
#include "unit/core/torture_scenes.h"

static uint64_t ahead_ns; /* how far our clock is before the driver's */
static uint64_t (*driver_now)(vow_driver_t *d);

static uint64_t now_ns(vow_driver_t *d) {
  return driver_now(d) + ahead_ns;
}

/* ---- playing --------------------------------------------------------------
 */

static void settle_next(void) {
  size_t i = g.next_promise++;
  vow_promise_t *p = g.promise[i];
  g.promise[i] = NULL;
  if (p == NULL) return;
  switch (i % 5) {
  case 0:
    vow_promise_finish(p, many());
    break;
  case 1:
    vow_promise_finish(p, vow_failf(UV_EIO, "promise %zu", i));
    break;
  case 2:
    vow_promise_finish(p, wait(NULL, NULL));
    break;
  case 3:
    vow_promise_drop(p);
    break;
  default:
    vow_promise_finish(p, vow_int(1));
  }
}

/* Does the next thing; false when nothing is left to do. */
static bool step(void) {
  uint64_t next_ms, now_ms;
  vow_loop_receive(g.loop);
  if (vow_loop_step(g.loop)) return true;
  if (g.next_promise < g.n_promises) {
    settle_next();
    return true;
  }
  next_ms = vow_loop_next_ms(g.loop);
  if (next_ms == UINT64_MAX) return false;
  now_ms = vow_loop_now_ms(g.loop);
  if (next_ms > now_ms) ahead_ns += (next_ms - now_ms) * 1000000u;
  vow_loop_expire(g.loop);
  return true;
}

enum { PLAY, CANCEL, DROP, TOKEN, CLOSE, WAYS };

static void interrupt(int way) {
  size_t n = g.n_out;
  for (size_t i = 0; i < n && way == CANCEL; i++) vow_cancel(g.out[i]);
  for (size_t i = 0; i < n && way == DROP; i++) {
    vow_drop(g.out[i]);
    g.out[i] = NULL;
  }
  if (way == TOKEN && g.n_tokens > 0) vow_token_cancel(g.token[0], UV_EINTR);
}

/* What will not end of itself does so when its promise is settled. */
static void close_loop(void) {
  int err;
  while ((err = vow_loop_close(g.loop, 10)) != 0) {
    ck_assert_int_eq(err, UV_EBUSY);
    ck_assert_uint_lt(g.next_promise, g.n_promises);
    settle_next();
  }
}

static void play_to_the_end(void) {
  for (size_t i = 0; step(); i++) ck_assert_uint_lt(i, 100000);
}

static void finish(bool close_first) {
  if (close_first)
    close_loop();
  else
    play_to_the_end();
  if (g.n_tokens > 0) vow_token_cancel(g.token[0], UV_EINTR);
  vow_completed_free(g.completed);
  for (size_t i = 0; i < g.n_tokens; i++) vow_token_free(g.token[i]);
  if (!close_first) play_to_the_end();
  for (size_t i = 0; i < g.n_promises; i++) vow_promise_drop(g.promise[i]);
  for (size_t i = 0; i < g.n_out; i++) {
    ck_assert_msg(g.out[i] == NULL || vow_is_settled(g.out[i]),
                  "future %zu made at %s is pending", i, vow_site(g.out[i]));
    vow_status(g.out[i]);
    vow_drop(g.out[i]);
  }
  if (!close_first) manual_done(g.loop);
  for (size_t i = 0; i < g.n_tracked; i++)
    ck_assert_msg(g.drops[i] == 1, "arg %zu was released %d times", i,
                  g.drops[i]);
  ck_assert_int_eq(things_live, 0);
}

/* The program, ended in some way after so many steps. False when it has fewer.
 */
static bool run(vow_loop_t *loop, size_t steps, int way) {
  bool enough;
  memset(&g, 0, sizeof g);
  g.loop = loop;
  ahead_ns = 0;
  driver_now = vow_loop_driver(loop)->now_ns;
  vow_loop_driver(loop)->now_ns = now_ns;
  scene_chains();
  scene_tokens();
  scene_threads();
  scene_combine();
  while (steps > 0 && step()) steps--;
  enough = steps == 0;
  interrupt(way);
  finish(way == CLOSE);
  return enough;
}

/* ---- the tests ------------------------------------------------------------
 */

TEST(test_torture_program_runs_through) {
  fault_install();
  run(hooked_loop(true), SIZE_MAX, PLAY);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static void starve(void (*set)(size_t n)) {
  size_t n = 0, failed;
  do {
    vow_loop_t *loop;
    fault_install();
    set(++n);
    loop = hooked_loop(true);
    if (loop != NULL) run(loop, SIZE_MAX, PLAY);
    failed = fault_failed();
    fault_off();
    ck_assert_msg(fault_live() == 0, "%ld blocks stay when %zu fails",
                  fault_live(), n);
    fault_remove();
    if (test_is_quick()) n += n / 4;
  } while (failed > 0);
  ck_assert_uint_gt(n, 100);
}

TEST(test_torture_each_allocation_fails_once) {
  starve(fault_fail_at);
}

TEST(test_torture_each_allocation_and_all_after_it_fail) {
  starve(fault_fail_from);
}

static void interrupt_everywhere(int way) {
  size_t n = 0;
  bool enough;
  do {
    fault_install();
    enough = run(hooked_loop(false), n, way);
    ck_assert_msg(fault_live() == 0, "%ld blocks stay after %zu steps",
                  fault_live(), n);
    fault_remove();
    n += test_is_quick() ? 1 + n / 4 : 1;
  } while (enough);
  ck_assert_uint_gt(n, 100);
}

TEST(test_torture_all_is_cancelled_after_each_step) {
  interrupt_everywhere(CANCEL);
}

TEST(test_torture_all_is_dropped_after_each_step) {
  interrupt_everywhere(DROP);
}

TEST(test_torture_the_token_is_cancelled_after_each_step) {
  interrupt_everywhere(TOKEN);
}

TEST(test_torture_the_loop_is_closed_after_each_step) {
  interrupt_everywhere(CLOSE);
}

SUITE(core_torture) {
  ADD(test_torture_program_runs_through);
  ADD(test_torture_each_allocation_fails_once);
  ADD(test_torture_each_allocation_and_all_after_it_fail);
  ADD(test_torture_all_is_cancelled_after_each_step);
  ADD(test_torture_all_is_dropped_after_each_step);
  ADD(test_torture_the_token_is_cancelled_after_each_step);
  ADD(test_torture_the_loop_is_closed_after_each_step);
}

/* SPDX-License-Identifier: MIT */
/* A test's time: read, held, and moved by hand. */
#include "check/kit.h"

#include <vow/driver.h>
#include <vow/phase.h>
#include <vow/time.h>

#define SETTLE_TURNS  3
#define SETTLE_ROUNDS 1000

uint64_t vow_check_now_ms(void) {
  vow__kit_t *k = vow__kit();
  return k != NULL && k->loop != NULL ? vow_loop_now_ms(k->loop) - k->begin_ms
                                      : 0;
}

void vow_check_hold_clock(bool hold) {
  vow__kit_t *k = vow__kit();
  int err = k != NULL ? vow_loop_hold_clock(k->loop, hold) : UV_EINVAL;
  if (err != 0)
    vow__kit_fail(VOW_SITE, "vow_check_hold_clock: %s",
                  k == NULL ? "no test runs" : "the test runs in real time");
  k->clock_held = hold;
}

static vow_loop_t *task_loop(const char *what) {
  vow_loop_t *loop = vow_task_loop();
  if (loop == NULL) vow__kit_fail(VOW_SITE, "%s: no task runs here", what);
  return loop;
}

/* Awaits f, which the kit made, whatever comes of it. */
static bool await_own(vow_future_t *f) {
  bool ok;
  vow__memory_resume();
  ok = vow_await_status(f) == 0;
  return ok;
}

/* A phase that is waited for keeps the clock from jumping. On other drivers
 * than libuv's only the ready queue can be waited for. */
static bool pass_turn(vow_loop_t *loop) {
  vow__memory_pause();
  if (vow_loop_uv(loop) != NULL) return await_own(vow_next_check(loop));
  return await_own(vow_sleep(loop, 0));
}

void vow_check_settle(void) {
  vow_loop_t *loop = task_loop("vow_check_settle");
  int quiet = 0, rounds = 0;
  while (quiet < SETTLE_TURNS && rounds++ < SETTLE_ROUNDS) {
    if (!pass_turn(loop)) return; /* the task is cancelled */
    quiet = vow_loop_has_ready(loop) ? 0 : quiet + 1;
  }
}

void vow_check_advance(uint64_t ms) {
  vow_loop_t *loop = task_loop("vow_check_advance");
  vow__kit_t *k = vow__kit();
  bool held = k != NULL && k->loop == loop && k->clock_held;
  if (held) vow_loop_hold_clock(loop, false);
  vow__memory_pause();
  (void)await_own(vow_sleep(loop, ms));
  if (held) vow_loop_hold_clock(loop, true);
  vow_check_settle();
}

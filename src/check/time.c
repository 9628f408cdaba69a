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

/* While somebody advances it the clock goes; it is held when the last is done. */
static int apply_hold(vow__kit_t *k) {
  return vow_loop_hold_clock(k->loop, k->clock_held && k->advancing == 0);
}

void vow_check_hold_clock_at(const char *site, bool hold) {
  vow__kit_t *k = vow__kit();
  if (k == NULL) vow__kit_fail(site, "vow_check_hold_clock: no test runs");
  k->clock_held = hold;
  if (apply_hold(k) == 0) return;
  k->clock_held = false;
  vow__kit_fail(site, "vow_check_hold_clock: the test runs in real time");
}

static vow_loop_t *task_loop(const char *site, const char *what) {
  vow_loop_t *loop = vow_task_loop();
  if (loop == NULL) vow__kit_fail(site, "%s: no task runs here", what);
  return loop;
}

/* Awaits f, which the kit made, whatever comes of it. */
static bool await_own(const char *site, vow_future_t *f) {
  vow__memory_resume();
  return vow_await_status_at(site, f) == 0;
}

/* A phase that is waited for keeps the clock from jumping. On other drivers
 * than libuv's only the ready queue can be waited for. */
static bool pass_turn(const char *site, vow_loop_t *loop) {
  vow__memory_pause();
  if (vow_loop_uv(loop) != NULL)
    return await_own(site, vow_next_check_at(site, loop));
  return await_own(site, vow_sleep_at(site, loop, 0));
}

static void settle(const char *site, vow_loop_t *loop) {
  int quiet = 0, rounds = 0;
  while (quiet < SETTLE_TURNS && rounds++ < SETTLE_ROUNDS) {
    if (!pass_turn(site, loop)) return; /* the task is cancelled */
    quiet = vow_loop_has_ready(loop) ? 0 : quiet + 1;
  }
}

void vow_check_settle_at(const char *site) {
  settle(site, task_loop(site, "vow_check_settle"));
}

void vow_check_advance_at(const char *site, uint64_t ms) {
  vow_loop_t *loop = task_loop(site, "vow_check_advance");
  vow__kit_t *k = vow__kit();
  bool ours = k != NULL && k->loop == loop && vow_loop_is_virtual(loop);
  uint64_t now_ms = vow_loop_now_ms(loop);
  if (now_ms >= VOW_MS_MAX || ms >= VOW_MS_MAX - now_ms)
    vow__kit_fail(site,
                  "vow_check_advance: %llu ms, %lld as a signed number, is "
                  "beyond the end of the clock (VOW_MS_MAX)",
                  (unsigned long long)ms, (long long)ms);
  if (ours && ++k->advancing > 0) (void)apply_hold(k);
  vow__memory_pause();
  (void)await_own(site, vow_sleep_at(site, loop, ms));
  if (ours && --k->advancing == 0) (void)apply_hold(k);
  settle(site, loop);
}

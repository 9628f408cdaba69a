/* SPDX-License-Identifier: MIT */
/* The watchdog, by the clock of the wall. It does not bark while a callback does
 * not return.
 *
 * How this works. It looks at each turn of the driver; and a libuv timer that
 * keeps nothing alive ends a turn that blocks. (That alone is not enough: libuv
 * fires no timers when nothing is alive.) */
#include "check/kit.h"

#include <stdlib.h>

#define CHECK_TIMEOUT_S 4.0 /* libcheck's own default */
#define REPEAT_MS       10  /* libuv may be early by its own clock */
#define NS_PER_MS       UINT64_C(1000000)

static uint64_t chosen_ms;

void vow_check_set_watchdog(uint64_t ms) {
  chosen_ms = ms;
}

static double number_of(const char *variable, double otherwise) {
  const char *text = getenv(variable);
  double n = text != NULL ? strtod(text, NULL) : 0;
  return n > 0 ? n : otherwise;
}

uint64_t vow__scaled_ms(uint64_t ms) {
  return (uint64_t)((double)ms * number_of("CK_TIMEOUT_MULTIPLIER", 1));
}

static uint64_t limit_ms(const vow__kit_t *k) {
  double ms;
  if (k->options.watchdog_ms > 0) return vow__scaled_ms(k->options.watchdog_ms);
  if (chosen_ms > 0) return vow__scaled_ms(chosen_ms);
  ms = number_of("CK_DEFAULT_TIMEOUT", CHECK_TIMEOUT_S) * 1000 * 3 / 4;
  return vow__scaled_ms((uint64_t)ms);
}

static void bark(vow__kit_t *k) {
  vow__text_t text = {NULL, 0, 0};
  vow__text_add(&text, "%s has not ended after %llu ms", k->name,
                (unsigned long long)limit_ms(k));
  if (k->round > 0)
    vow__text_add(&text, ", in which it was run %zu times before", k->round);
  vow__text_add(&text, " (%llu ms of its own clock); what waits for what:",
                (unsigned long long)vow_check_now_ms());
  vow__kit_graph(&text, k->loop);
  vow__kit_note(k, k->site, vow__text_str(&text));
  vow__text_free(&text);
  k->parked = true;
  vow__kit_over(k);
  vow_loop_drain(k->loop);
}

static void on_timer(uv_timer_t *timer) {
  (void)timer; /* it has ended the poll: the turn looks at the clock */
}

static bool turn(vow_driver_t *d, bool wait, bool remote) {
  vow__kit_t *k = vow__kit();
  bool alive = vow__torture_step(k) || k->turn(d, wait, remote);
  if (k->watchdog == NULL || k->parked || uv_hrtime() < k->bark_ns)
    return alive;
  bark(k);
  return true;
}

void vow__watchdog_start(vow__kit_t *k) {
  uint64_t now_ns = uv_hrtime(), left_ms;
  k->watchdog = vow__kit_alloc(sizeof *k->watchdog);
  k->bark_ns =
      (k->begin_ns != 0 ? k->begin_ns : now_ns) + limit_ms(k) * NS_PER_MS;
  left_ms = k->bark_ns > now_ns ? (k->bark_ns - now_ns) / NS_PER_MS : 0;
  uv_timer_init(vow_loop_uv(k->loop), k->watchdog);
  uv_timer_start(k->watchdog, on_timer, left_ms, REPEAT_MS);
  uv_unref((uv_handle_t *)k->watchdog);
  k->turn = vow_loop_driver(k->loop)->turn;
  vow_loop_driver(k->loop)->turn = turn;
}

static void on_closed(uv_handle_t *handle) {
  free(handle);
}

void vow__watchdog_stop(vow__kit_t *k) {
  if (k->watchdog == NULL) return;
  uv_close((uv_handle_t *)k->watchdog, on_closed);
  k->watchdog = NULL;
}

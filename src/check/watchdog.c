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

static uint64_t chosen_ms;

void vow_check_set_watchdog(uint64_t ms) {
  chosen_ms = ms;
}

static double number_of(const char *variable, double otherwise) {
  const char *text = getenv(variable);
  double n = text != NULL ? strtod(text, NULL) : 0;
  return n > 0 ? n : otherwise;
}

static uint64_t limit_ms(const vow__kit_t *k) {
  double ms = (double)k->options.watchdog_ms;
  if (ms > 0) return k->options.watchdog_ms;
  ms = (double)chosen_ms;
  if (chosen_ms == 0)
    ms = number_of("CK_DEFAULT_TIMEOUT", CHECK_TIMEOUT_S) * 1000 * 3 / 4;
  return (uint64_t)(ms * number_of("CK_TIMEOUT_MULTIPLIER", 1));
}

static void bark(vow__kit_t *k) {
  vow__text_t text = {NULL, 0, 0};
  vow__text_add(&text,
                "%s has not ended after %llu ms (%llu ms of its own clock); "
                "what waits for what:",
                k->name, (unsigned long long)limit_ms(k),
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
  k->watchdog = vow__kit_alloc(sizeof *k->watchdog);
  uv_timer_init(vow_loop_uv(k->loop), k->watchdog);
  uv_timer_start(k->watchdog, on_timer, limit_ms(k), REPEAT_MS);
  uv_unref((uv_handle_t *)k->watchdog);
  k->bark_ns = uv_hrtime() + limit_ms(k) * 1000000u;
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

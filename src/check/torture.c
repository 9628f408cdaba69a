/* SPDX-License-Identifier: MIT */
/* Faults: by hand, and all that there are, one run each.
 *
 * How a run is cancelled at a step: its loop drains one continuation at a time,
 * and its driver's turn, which the watchdog took over, steps, and counts. A turn
 * of the driver's own is a step, too, in which at most one continuation runs
 * with what caused it: a timer, or I/O. */
#include "check/kit.h"

#include <stdio.h>
#include <stdlib.h>

#define STEPS_PER_TURN 64 /* so that what feeds itself starves no I/O */
#define RUNS_MAX       1000000

/* ---- by hand -------------------------------------------------------------- */

void vow_check_fail_alloc(size_t nth) {
  vow__memory_plan(nth, nth);
}

void vow_check_fail_alloc_from(size_t nth) {
  vow__memory_plan(nth, nth > 0 ? SIZE_MAX : 0);
}

size_t vow_check_alloc_failures(void) {
  return vow__memory_failures();
}

/* ---- steps ---------------------------------------------------------------- */

bool vow__torture_step(vow__kit_t *k) {
  bool ready = vow_loop_has_ready(k->loop);
  if (k->cancel_at == 0) return false;
  if (++k->steps == k->cancel_at && !vow_is_settled(k->stepped)) {
    k->disturbed = true;
    vow_cancel(k->stepped);
  }
  if (!ready || k->steps % STEPS_PER_TURN == 0) return false;
  vow_loop_step(k->loop);
  return true;
}

/* ---- all of them ---------------------------------------------------------- */

typedef struct torture {
  const char *site, *name;
  const vow_check_options_t *options;
  vow_check_scenario_cb scenario;
  int i;
} torture_t;

static vow__kit_t *kit_of(const torture_t *t) {
  vow__kit_t *k = vow__kit_alloc(sizeof *k);
  k->site = t->site;
  k->name = t->name;
  if (t->options != NULL) k->options = *t->options;
  k->options.probe_cells = true;
  k->scenario = t->scenario;
  k->i = t->i;
  return k;
}

/* Runs k, and gives whether its plan came to pass. */
static bool run(vow__kit_t *k, const char *how, size_t n) {
  char heading[256];
  bool disturbed;
  vow__kit_run(k);
  if (k->failed) {
    snprintf(heading, sizeof heading, how, n);
    vow__kit_end_failed(k, heading);
  }
  disturbed = k->disturbed;
  vow__text_free(&k->complaints);
  free(k);
  return disturbed;
}

static bool starve(const torture_t *t, size_t first, size_t last) {
  vow__kit_t *k = kit_of(t);
  k->fail_first = first;
  k->fail_last = last;
  return run(k,
             first == last ? "with allocation %zu failing: "
                           : "with all allocations from %zu on failing: ",
             first);
}

static bool fail_call(const torture_t *t, size_t n) {
  vow__kit_t *k = kit_of(t);
  k->fail_call = n;
  return run(k, "with call %zu of libuv failing: ", n);
}

static bool cancel_at(const torture_t *t, size_t n) {
  vow__kit_t *k = kit_of(t);
  k->cancel_at = n;
  return run(k, "cancelled at step %zu: ", n);
}

void vow_check_torture(const char *site, const char *name,
                       const vow_check_options_t *options,
                       vow_check_scenario_cb scenario, int i) {
  const torture_t t = {site, name, options, scenario, i};
  size_t n;
  run(kit_of(&t), "undisturbed (%zu): ", 0);
  for (n = 1; n < RUNS_MAX && starve(&t, n, n); n++) {
  }
  for (n = 1; n < RUNS_MAX && starve(&t, n, SIZE_MAX); n++) {
  }
  for (n = 1; vow__calls_seen() && n < RUNS_MAX && fail_call(&t, n); n++) {
  }
  for (n = 1; n < RUNS_MAX && cancel_at(&t, n); n++) {
  }
}

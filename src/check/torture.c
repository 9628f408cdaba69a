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
#include <string.h>

#define STEPS_PER_TURN 64 /* so that what feeds itself starves no I/O */
#define RUNS_MAX       1000000

/* ---- by hand -------------------------------------------------------------- */

void vow_check_fail_alloc(size_t nth) {
  if (vow__kit() != NULL) vow__kit()->allocs_looked_at = false;
  vow__memory_plan(nth, nth);
}

void vow_check_fail_alloc_from(size_t nth) {
  if (vow__kit() != NULL) vow__kit()->allocs_looked_at = false;
  vow__memory_plan(nth, nth > 0 ? SIZE_MAX : 0);
}

size_t vow_check_alloc_failures(void) {
  if (vow__kit() != NULL) vow__kit()->allocs_looked_at = true;
  return vow__memory_failures();
}

void vow__faults_end(vow__kit_t *k) {
  const char *name = vow__calls_unmet();
  if (k->scenario != NULL || k->failed) return;
  if (!k->allocs_looked_at && vow__memory_is_planned())
    vow_check_complain(k->site,
                       "%s has ended before the allocation that was to fail; "
                       "vow_check_alloc_failures asks whether it has",
                       k->name);
  if (!k->calls_looked_at && name != NULL)
    vow_check_complain(k->site,
                       "%s has ended before the call of libuv's that was to "
                       "fail: %s; vow_check_call_failures asks whether it has",
                       k->name, name);
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
  uint64_t begin_ns;
  size_t runs;
} torture_t;

static vow__kit_t *kit_of(torture_t *t, const char *heading, const char *recipe,
                          size_t n) {
  vow__kit_t *k = vow__kit_alloc(sizeof *k);
  snprintf(k->heading, sizeof k->heading, heading, n);
  strcpy(k->recipe, "VOW_TORTURE=");
  snprintf(k->recipe + strlen(k->recipe), sizeof k->recipe - strlen(k->recipe),
           recipe, n);
  k->begin_ns = t->begin_ns;
  k->round = t->runs++;
  k->site = t->site;
  k->name = t->name;
  if (t->options != NULL) k->options = *t->options;
  k->options.probe_cells = true;
  k->scenario = t->scenario;
  k->i = t->i;
  return k;
}

/* Runs k, and gives whether its plan came to pass. */
static bool run(vow__kit_t *k) {
  bool disturbed;
  vow__kit_run(k);
  if (k->failed) vow__kit_end_failed(k);
  disturbed = k->disturbed;
  vow__kit_free(k);
  return disturbed;
}

void vow__torture_tell(vow__kit_t *k) {
  if (k->fail_first > 0) vow__memory_failed(&k->tail);
  if (k->fail_call > 0 && vow__calls_failed() != NULL)
    vow__text_add(&k->tail, "\n  the call: %s", vow__calls_failed());
}

static bool undisturbed(torture_t *t, size_t n) {
  (void)run(kit_of(t, "undisturbed: ", "undisturbed", n));
  return n > 0; /* not again */
}

static bool starve(torture_t *t, size_t n) {
  vow__kit_t *k = kit_of(t, "with allocation %zu failing: ", "alloc:%zu", n);
  k->fail_first = k->fail_last = n;
  return run(k);
}

static bool starve_from(torture_t *t, size_t n) {
  vow__kit_t *k =
      kit_of(t, "with all allocations from %zu on failing: ", "allocs:%zu", n);
  k->fail_first = n;
  k->fail_last = SIZE_MAX;
  return run(k);
}

static bool fail_call(torture_t *t, size_t n) {
  vow__kit_t *k;
  if (t->runs > 0 && !vow__calls_seen()) return false;
  k = kit_of(t, "with call %zu of libuv failing: ", "call:%zu", n);
  k->fail_call = n;
  return run(k);
}

static bool cancel_at(torture_t *t, size_t n) {
  vow__kit_t *k = kit_of(t, "cancelled at step %zu: ", "step:%zu", n);
  k->cancel_at = n;
  return run(k);
}

/* In the order in which they are tried. */
static const struct kind {
  const char *name;
  bool (*run)(torture_t *t, size_t n);
} kinds[] = {{"undisturbed", undisturbed},
             {"alloc", starve},
             {"allocs", starve_from},
             {"call", fail_call},
             {"step", cancel_at}};

#define KINDS (sizeof kinds / sizeof *kinds)

static void run_chosen(torture_t *t, const char *chosen) {
  size_t length = strcspn(chosen, ":"), i = 0;
  const char *number = chosen + length + (chosen[length] == ':');
  size_t n = strtoull(number, NULL, 10);
  while (i < KINDS && (strlen(kinds[i].name) != length ||
                       strncmp(kinds[i].name, chosen, length) != 0))
    i++;
  if (i == KINDS || strspn(number, "0123456789") != strlen(number) ||
      (n == 0) != (i == 0))
    vow__kit_refuse(
        t->site,
        "VOW_TORTURE is \"%.64s\"; it may be undisturbed, or alloc, "
        "allocs, call or step with a number, like alloc:3",
        chosen);
  if (!kinds[i].run(t, n) && n > 0)
    vow__kit_refuse(t->site, "VOW_TORTURE=%.64s has not come to pass in %s",
                    chosen, t->name);
}

void vow_check_torture(const char *site, const char *name,
                       const vow_check_options_t *options,
                       vow_check_scenario_cb scenario, int i) {
  torture_t t = {site, name, options, scenario, i, uv_hrtime(), 0};
  const char *chosen = getenv("VOW_TORTURE");
  size_t step = 1, n, kind;
  if (chosen != NULL && chosen[0] != '\0') {
    run_chosen(&t, chosen);
  } else {
    if (options != NULL && options->torture_stride > 0)
      step = options->torture_stride;
    (void)undisturbed(&t, 0);
    for (kind = 1; kind < KINDS; kind++)
      for (n = 1; n < RUNS_MAX && kinds[kind].run(&t, n); n += step) {
      }
  }
  vow__kit_unmark(site);
}

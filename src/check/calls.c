/* SPDX-License-Identifier: MIT */
/* Faults of libuv's calls: the kit's side of the shim that stands before libuv
 * in programs that are linked with --wrap. Every loop that is made calls libuv
 * through it, so that it is known whether it is there. */
#include "check/calls.h"
#include "check/kit.h"

#include <limits.h>

static bool seen, on; /* seen: vow's own calls come through */
static size_t hits;   /* when it was turned off */

void vow__calls_begin(void) {
  hits = 0;
  if (vow__shim_on == NULL) return;
  vow__shim_on();
  on = true;
}

void vow__calls_look(void) {
  seen = on && vow__shim_count(NULL) > 0;
}

bool vow__calls_seen(void) {
  return seen;
}

void vow__calls_end(void) {
  if (!on) return;
  hits = vow__shim_hits();
  vow__shim_off();
  on = false;
}

void vow__calls_plan(size_t nth, int code) {
  if (on && seen) vow__shim_fail(NULL, nth, code);
}

const char *vow__calls_failed(void) {
  return on || hits > 0 ? vow__shim_last() : NULL;
}

const char *vow__calls_unmet(void) {
  return on ? vow__shim_unmet() : NULL;
}

/* ---- by hand -------------------------------------------------------------- */

static void need_shim(const char *site, const char *what) {
  vow__kit_t *k = vow__kit();
  if (k == NULL) vow__kit_fail(site, "%s: no test runs", what);
  if (on && seen) return;
  vow__kit_fail(site,
                vow__shim_on == NULL
                    ? "%s: the program is not linked with what `pkg-config "
                      "--variable=wrap vow-check` gives"
                    : "%s: libvow is linked as a shared library, whose calls "
                      "are not reached; it must be the static one",
                what);
}

/* least: the largest code that makes sense, 0 or -1. */
static void need_plan(const char *site, const char *what, const char *name,
                      int code, int least) {
  need_shim(site, what);
  if (name != NULL && !vow__shim_knows(name))
    vow__kit_fail(site,
                  "%s: %s is not among the functions that are reached, which "
                  "`pkg-config --variable=wrap vow-check` names",
                  what, name);
  if (code > least)
    vow__kit_fail(site, "%s: %d is no error; those of libuv are negative", what,
                  code);
}

void vow_check_fail_call_at(const char *site, const char *name, size_t nth,
                            int code) {
  need_plan(site, "vow_check_fail_call", name, code, nth > 0 ? -1 : INT_MAX);
  vow__shim_fail(name, nth, code);
}

void vow_check_fail_call_from_at(const char *site, const char *name, size_t nth,
                                 int code) {
  need_plan(site, "vow_check_fail_call_from", name, code,
            nth > 0 ? -1 : INT_MAX);
  if (nth > 0)
    vow__shim_fail_from(name, nth, code);
  else
    vow__shim_fail(name, 0, 0);
}

void vow_check_report_call_at(const char *site, const char *name, size_t nth,
                              int code) {
  need_plan(site, "vow_check_report_call", name, code, nth > 0 ? 0 : INT_MAX);
  vow__shim_report(name, nth, code);
}

void vow_check_short_reads_at(const char *site, size_t max_bytes) {
  need_shim(site, "vow_check_short_reads");
  vow__shim_short_reads(max_bytes);
}

void vow_check_short_writes_at(const char *site, size_t max_bytes) {
  need_shim(site, "vow_check_short_writes");
  vow__shim_short_writes(max_bytes);
}

size_t vow_check_call_failures(void) {
  if (vow__kit() != NULL) vow__kit()->calls_looked_at = true;
  return vow__calls_hits();
}

size_t vow__calls_hits(void) {
  return on ? vow__shim_hits() : hits;
}

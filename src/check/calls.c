/* SPDX-License-Identifier: MIT */
/* Faults of libuv's calls: the kit's side of the shim that stands before libuv
 * in programs that are linked with --wrap. Every loop that is made calls libuv
 * through it, so that it is known whether it is there. */
#include "check/shim.h"

static bool seen, on;
static size_t hits; /* when it was turned off */

void vow__calls_begin(void) {
  hits = 0;
  if (uvfault_on == NULL) return;
  uvfault_on();
  on = true;
}

bool vow__calls_seen(void) {
  if (on && uvfault_count(NULL) > 0) seen = true;
  return seen;
}

void vow__calls_end(void) {
  if (!on) return;
  (void)vow__calls_seen();
  hits = uvfault_hits();
  uvfault_off();
  on = false;
}

static void need_shim(const char *what) {
  vow__kit_t *k = vow__kit();
  if (k == NULL) vow__kit_fail(VOW_SITE, "%s: no test runs", what);
  if (!on || !vow__calls_seen())
    vow__kit_fail(k->site,
                  "%s: the program is not linked with what `pkg-config "
                  "--variable=wrap vow-check` gives",
                  what);
}

void vow_check_fail_call(const char *name, size_t nth, int code) {
  need_shim("vow_check_fail_call");
  uvfault_fail(name, nth, code);
}

void vow_check_fail_call_from(const char *name, size_t nth, int code) {
  need_shim("vow_check_fail_call_from");
  uvfault_fail_from(name, nth, code);
}

void vow_check_report_call(const char *name, size_t nth, int code) {
  need_shim("vow_check_report_call");
  uvfault_report(name, nth, code);
}

void vow_check_short_reads(size_t max_bytes) {
  need_shim("vow_check_short_reads");
  uvfault_short_reads(max_bytes);
}

void vow_check_short_writes(size_t max_bytes) {
  need_shim("vow_check_short_writes");
  uvfault_short_writes(max_bytes);
}

size_t vow_check_call_failures(void) {
  return on ? uvfault_hits() : hits;
}

/* SPDX-License-Identifier: MIT */
/* Events: what happened in a test, in which order, and when. */
#include "check/kit.h"

#include <vow/check_assert.h>

#include <stdlib.h>
#include <string.h>

struct vow__event {
  vow__event_t *next;
  uint64_t at_ms;
  vow__text_t text;
};

void vow__events_free(vow__kit_t *k) {
  while (k->events != NULL) {
    vow__event_t *e = k->events;
    k->events = e->next;
    vow__text_free(&e->text);
    free(e);
  }
}

void vow_check_event(const char *fmt, ...) {
  vow__kit_t *k = vow__kit();
  vow__event_t *e, **at;
  va_list ap;
  if (k == NULL) return;
  e = vow__kit_alloc(sizeof *e);
  e->at_ms = vow_check_now_ms();
  va_start(ap, fmt);
  vow__text_addv(&e->text, fmt, ap);
  va_end(ap);
  at = &k->events;
  while (*at != NULL) at = &(*at)->next;
  *at = e;
}

static bool are_equal(const vow__event_t *e, const char *const *expected) {
  while (e != NULL && *expected != NULL &&
         strcmp(vow__text_str(&e->text), *expected) == 0) {
    e = e->next;
    expected++;
  }
  return e == NULL && *expected == NULL;
}

/* Line by line, with a mark where the two part. */
static void describe(vow__text_t *t, const vow__event_t *e,
                     const char *const *expected) {
  bool same = true;
  vow__text_add(t, "the events were others than expected:");
  while (e != NULL || *expected != NULL) {
    const char *want = *expected, *got;
    got = e != NULL ? vow__text_str(&e->text) : NULL;
    if (same && want != NULL && got != NULL && strcmp(want, got) == 0) {
      vow__text_add(t, "\n    %s (%llu ms)", got, (unsigned long long)e->at_ms);
    } else {
      if (got != NULL)
        vow__text_add(t, "\n  %s %s (%llu ms)", same ? "> got" : "  got", got,
                      (unsigned long long)e->at_ms);
      if (want != NULL)
        vow__text_add(t, "\n  %s %s", same ? "> expected" : "  expected", want);
      same = false;
    }
    if (e != NULL) e = e->next;
    if (*expected != NULL) expected++;
  }
}

void vow_assert_events_at(const char *site, const char *const expected[]) {
  vow__kit_t *k = vow__kit();
  vow__text_t text = {NULL, 0, 0};
  char story[4096];
  if (k == NULL) vow__kit_fail(site, "vow_assert_events: no test runs");
  if (!are_equal(k->events, expected)) {
    describe(&text, k->events, expected);
    strncpy(story, vow__text_str(&text), sizeof story - 1);
    story[sizeof story - 1] = '\0';
    vow__text_free(&text);
    vow__events_free(k);
    vow__kit_fail(site, "%s", story);
  }
  vow__events_free(k);
}

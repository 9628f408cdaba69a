/* SPDX-License-Identifier: MIT */
/* How a test fails.
 *
 * How this works. libcheck leaves a failed test by exit, when it was forked,
 * and otherwise by longjmp to its own frame, which must not be done from the
 * stack of a task. So a failure is noted, the body is left by a longjmp within
 * its own stack, and vow_check_run tells libcheck when the loop has stopped.
 * Another task has no such frame: it is stopped where it stands, for ever, and
 * its loop is given up. Callbacks run on libcheck's own stack, which is left by
 * a longjmp to vow__kit_run; that loop is given up, too. */
#include "check/kit.h"

#include <vow/debug.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef _ck_assert_failed

#define REPORT_MAX  6500 /* libcheck cuts at BUFSIZ */
#define GRAPH_DEPTH 16

int vow__site_split(const char *site, char *file, size_t size_bytes) {
  const char *colon = strrchr(site, ':');
  size_t n = colon != NULL ? (size_t)(colon - site) : strlen(site);
  snprintf(file, size_bytes, "%.*s", (int)n, site);
  return colon != NULL ? atoi(colon + 1) : 0;
}

void vow__kit_report(const char *file, int line, const char *text) {
  _ck_assert_failed(file, line, "Failed", "%.*s%s", REPORT_MAX, text,
                    strlen(text) > REPORT_MAX ? "\n  ..." : "");
  abort();
}

/* What the kit has made is left out, and what it waits for moves up. */
typedef struct graph {
  vow__text_t *text;
  size_t out[GRAPH_DEPTH]; /* the depths of those around this line */
  size_t n;
} graph_t;

static void add_graph_line(const char *line, void *arg) {
  graph_t *g = arg;
  size_t depth = strspn(line, " ");
  while (g->n > 0 && g->out[g->n - 1] >= depth) g->n--;
  if (strstr(line, VOW__KIT_SITE) == NULL)
    vow__text_add_line(line + 2 * g->n, g->text);
  else if (g->n < GRAPH_DEPTH)
    g->out[g->n++] = depth;
}

void vow__kit_graph(vow__text_t *t, vow_loop_t *loop) {
  size_t before = t->length;
  graph_t g = {.text = t};
  vow_dump(loop, add_graph_line, &g);
  if (t->length == before) vow__text_add(t, "\n  (no future is pending)");
}

void vow__kit_over(vow__kit_t *k) {
  vow_promise_t *p = k->over;
  k->over = NULL;
  vow_promise_finish(p, vow_nil());
}

void vow__kit_note_at(vow__kit_t *k, const char *file, int line,
                      const char *text) {
  if (k->failed) return;
  k->failed = true;
  snprintf(k->file, sizeof k->file, "%s", file);
  k->line = line;
  vow__text_add(&k->failure, "%s", text);
}

void vow__kit_note(vow__kit_t *k, const char *site, const char *text) {
  char file[sizeof k->file];
  int line = vow__site_split(site, file, sizeof file);
  vow__kit_note_at(k, file, line, text);
}

/* In a task that has no frame to go back to. */
static void park(vow__kit_t *k) __attribute__((noreturn));
static void park(vow__kit_t *k) {
  k->parked = true;
  vow__memory_pause();
  vow__kit_over(k);
  for (;;)
    (void)vow_await_status_at(VOW__KIT_SITE,
                              vow_never_at(VOW__KIT_SITE, vow_task_loop()));
}

static void leave(const char *file, int line, const char *text)
    __attribute__((noreturn));
static void leave(const char *file, int line, const char *text) {
  vow__kit_t *k = vow__kit();
  if (k == NULL) vow__thread_failed(file, line, text);
  if (k == NULL || (vow_task_current() == NULL && !k->grounded))
    vow__kit_report(file, line, text);
  vow__kit_note_at(k, file, line, text);
  if (vow_task_current() == NULL) {
    k->parked = true;
    k->grounded = false;
    longjmp(k->ground, 1);
  }
  if (k->in_body && k->task == vow_task_current()) longjmp(k->out, 1);
  park(k);
}

void vow__kit_fail(const char *site, const char *fmt, ...) {
  char text[REPORT_MAX], file[256];
  int line = vow__site_split(site, file, sizeof file);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  leave(file, line, text);
}

void vow_check_failed(const char *file, int line, const char *expr,
                      const char *msg, ...) {
  char text[REPORT_MAX];
  va_list ap;
  snprintf(text, sizeof text, "%s", expr != NULL ? expr : "Failed");
  if (msg != NULL) {
    va_start(ap, msg);
    vsnprintf(text, sizeof text, msg, ap);
    va_end(ap);
  }
  leave(file, line, text);
}

void vow_check_complain(const char *site, const char *fmt, ...) {
  vow__kit_t *k = vow__kit();
  vow__text_t text = {NULL, 0, 0};
  va_list ap;
  va_start(ap, fmt);
  vow__text_addv(&text, fmt, ap);
  va_end(ap);
  if (k == NULL) {
    fprintf(stderr, "%s: %s\n", site, vow__text_str(&text));
  } else {
    if (k->complaints_site == NULL) k->complaints_site = site;
    vow__text_add(&k->complaints, "%s%s", k->complaints.length > 0 ? "\n" : "",
                  vow__text_str(&text));
  }
  vow__text_free(&text);
}

/* SPDX-License-Identifier: MIT */
/* Running a test: its loop, its body as a task, and its end. */
#include "check/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A step that takes longer is told; generous, as machines that check are slow.
 */
#define BLOCK_LIMIT_MS 2000

#define STACK_BYTES ((size_t)256 * 1024)

static _Thread_local char thread_mark;
static vow__kit_t *running;

vow__kit_t *vow__kit(void) {
  return running != NULL && running->thread == &thread_mark ? running : NULL;
}

/* ---- the body ------------------------------------------------------------- */

static vow_value_t run_body(void *arg) {
  vow__kit_t *k = arg;
  k->task = vow_task_current();
  k->outcome = vow_nil();
  if (setjmp(k->out) == 0) {
    k->in_body = true;
    vow__memory_plan(k->fail_first, k->fail_last);
    if (k->fail_call > 0) vow_check_fail_call(NULL, k->fail_call, UV_EIO);
    if (k->scenario != NULL)
      k->outcome = k->scenario(k->loop, k->i);
    else
      k->body(k->loop, k->i);
  }
  k->in_body = false;
  return k->outcome;
}

static vow_value_t on_ended(vow_future_t *in, void *arg) {
  vow__kit_t *k = arg;
  char story[2048];
  if (vow__memory_failures() > 0 || vow_check_call_failures() > 0)
    k->disturbed = true;
  vow__memory_plan(0, 0);
  vow__calls_end();
  if (vow_status(in) != 0 && !k->disturbed) {
    vow_error_format(vow_peek(in), story, sizeof story);
    vow_check_complain(k->site, "%s ends with a failure: %s", k->name, story);
  }
  vow__kit_over(k);
  return vow_nil();
}

static void stand_still(vow__kit_t *k) {
  vow__text_t text = {NULL, 0, 0};
  vow__text_add(&text,
                "%s: nothing can ever happen again (at %llu ms of its "
                "clock%s); what waits for what:",
                k->name, (unsigned long long)vow_check_now_ms(),
                k->clock_held ? ", which is held" : "");
  vow__kit_graph(&text, k->loop);
  vow__kit_note(k, k->site, vow__text_str(&text));
  vow__text_free(&text);
}

/* Starts the body, and waits until it has ended or the test has failed. */
static void play(vow__kit_t *k) {
  vow_task_options_t options = {.name = k->name};
  vow_future_t *over = vow_promise_new(k->loop, &k->over), *end;
  options.stack_bytes =
      k->options.stack_bytes > 0 ? k->options.stack_bytes : STACK_BYTES;
  end = vow_go_at(k->site, k->loop, &options, run_body, k, NULL);
  if (k->cancel_at > 0) k->stepped = vow_ref(end);
  end = vow_handle(end, on_ended, k);
  if (vow_loop_run_until(k->loop, over) != 0) stand_still(k);
  if (!k->parked) vow_drop(k->stepped);
  k->cancel_at = 0;
  if (!k->parked && vow_is_settled(end)) {
    vow_drop(end);
    vow_drop(over);
  } else {
    k->parked = true; /* the loop is given up with all that is on it */
  }
}

/* ---- beginning ------------------------------------------------------------ */

static void refuse(const vow__kit_t *k, const char *text)
    __attribute__((noreturn));
static void refuse(const vow__kit_t *k, const char *text) {
  char file[256];
  int line = vow__site_split(k->site, file, sizeof file);
  vow__kit_report(file, line, text);
}

static void check_surroundings(const vow__kit_t *k) {
  char text[512];
  int threads = vow__fork_threads();
  if (vow_task_current() != NULL)
    refuse(k, "a test before this one was left from within a task, by an "
              "assertion in a file that does not include <vow/check.h>");
  if (threads == 0) return;
  snprintf(text, sizeof text,
           "%d more thread%s ran when libcheck forked this test: a pool that "
           "was used in main() or an unchecked fixture, which does not exist "
           "in this process. Use checked fixtures, or CK_FORK=no; or "
           "vow_check_allow_threads(true)",
           threads, threads > 1 ? "s" : "");
  refuse(k, text);
}

static void make_loop(vow__kit_t *k) {
  vow_loop_options_t options;
  char text[256];
  int err;
  memset(&options, 0, sizeof options);
  vow__left_options(k, &options);
  options.probe_cells = k->options.probe_cells;
  options.block_limit_ms = BLOCK_LIMIT_MS;
  if (k->options.shuffle) options.shuffle_seed = vow__seed_of_order(k);
  if (k->cancel_at > 0) options.step_budget = 1;
  err = k->options.real_time ? vow_loop_new(&options, &k->loop)
                             : vow_loop_new_virtual(&options, &k->loop);
  if (err != 0) {
    snprintf(text, sizeof text, "no loop for %s: %s", k->name,
             vow_strerror(err));
    refuse(k, text);
  }
  k->begin_ms = vow_loop_now_ms(k->loop);
}

static void begin(vow__kit_t *k) {
  check_surroundings(k);
  if (!k->options.keeps_allocator) vow__memory_begin();
  vow__calls_begin();
  make_loop(k);
  running = k; /* one that was left by a longjmp is forgotten */
  vow__watchdog_start(k);
  vow__memory_mark();
}

/* ---- the end -------------------------------------------------------------- */

/* What came before the failure may be its cause. */
static void add_complaints(vow__kit_t *k) {
  if (k->complaints.length > 0)
    vow__text_add(&k->failure, "\n  Also, from %s:\n  %s", k->complaints_site,
                  vow__text_str(&k->complaints));
}

static void finish(vow__kit_t *k) {
  if (k->failed || k->parked) {
    add_complaints(k);
    vow__left_forget(k);
  } else {
    vow__left_find(k);
  }
  vow__memory_end();
  vow__calls_end();
  vow__events_free(k);
  if (!k->failed && k->complaints.length > 0)
    vow__kit_note(k, k->complaints_site, vow__text_str(&k->complaints));
  if (k->failed && k->seed_used)
    vow__text_add(&k->failure, "\n  VOW_SEED=%llu replays it",
                  (unsigned long long)vow_check_seed());
  running = NULL;
}

void vow__kit_end_failed(vow__kit_t *k, const char *heading) {
  static char text[8192], file[sizeof k->file]; /* libcheck may jump away */
  int line = k->line;
  snprintf(text, sizeof text, "%s%s", heading, vow__text_str(&k->failure));
  memcpy(file, k->file, sizeof file);
  vow__text_free(&k->failure);
  vow__text_free(&k->complaints);
  if (!k->parked) free(k); /* otherwise its loop is still there */
  vow__kit_report(file, line, text);
}

void vow__kit_run(vow__kit_t *k) {
  k->thread = &thread_mark;
  begin(k);
  play(k);
  finish(k);
}

static vow__kit_t *kit_new(const char *site, const char *name,
                           const vow_check_options_t *options,
                           vow_check_body_cb body, int i) {
  vow__kit_t *k = vow__kit_alloc(sizeof *k);
  k->site = site;
  k->name = name;
  if (options != NULL) k->options = *options;
  k->body = body;
  k->i = i;
  return k;
}

static void run_and_end(vow__kit_t *k) {
  vow__kit_run(k);
  if (k->failed) vow__kit_end_failed(k, "");
  vow__text_free(&k->complaints);
  free(k);
}

void vow_check_run(const char *site, const char *name,
                   const vow_check_options_t *options, vow_check_body_cb body,
                   int i) {
  run_and_end(kit_new(site, name, options, body, i));
}

void vow_check_run_seeds(const char *site, const char *name,
                         const vow_check_options_t *options,
                         vow_check_body_cb body, int i, size_t n) {
  size_t round;
  if (getenv("VOW_SEED") != NULL) n = 1;
  for (round = 0; round < n; round++) {
    vow__kit_t *k = kit_new(site, name, options, body, i);
    k->options.shuffle = true;
    k->seed = vow__seed_of_round(round);
    run_and_end(k);
  }
}

/* SPDX-License-Identifier: MIT */
/* Running a test: its loop, its body as a task, and its end. */
#include "check/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A step that takes longer is told; generous, as machines that check are slow.
 */
#define BLOCK_LIMIT_MS 2000

#define FAILURE_MAX 5000 /* of a report; libcheck cuts it at BUFSIZ */

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
    if (k->fail_call > 0) vow__calls_plan(k->fail_call, UV_EIO);
    if (k->scenario != NULL)
      k->outcome = k->scenario(k->loop, k->i);
    else
      k->body(k->loop, k->i);
  }
  k->in_body = false;
  return k->outcome;
}

bool vow__kit_is_disturbed(const vow__kit_t *k) {
  return k != NULL && (k->scenario != NULL || k->options.unseen_after_faults) &&
         (k->disturbed || vow__memory_failures() > 0 || vow__calls_hits() > 0);
}

static vow_value_t on_ended(vow_future_t *in, void *arg) {
  vow__kit_t *k = arg;
  char story[2048];
  k->disturbed = vow__kit_is_disturbed(k);
  vow__faults_end(k);
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
  vow_future_t *over = vow_promise_new_at(VOW__KIT_SITE, k->loop, &k->over);
  vow_future_t *end;
  options.stack_bytes =
      k->options.stack_bytes > 0 ? k->options.stack_bytes : STACK_BYTES;
  end = vow_go_at(k->site, k->loop, &options, run_body, k, NULL);
  if (k->cancel_at > 0) k->stepped = vow_ref(end);
  end = vow_handle_at(VOW__KIT_SITE, end, on_ended, k, NULL);
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

void vow__kit_refuse(const char *site, const char *fmt, ...) {
  static char text[512], file[256]; /* libcheck jumps away */
  int line = vow__site_split(site, file, sizeof file);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  vow__kit_report(file, line, text);
}

static void check_surroundings(const vow__kit_t *k) {
  int threads = vow__fork_threads();
  vow__seed_check(k->site);
  if (vow_task_current() != NULL)
    vow__kit_refuse(k->site,
                    "a test before this one was left from within a task, by "
                    "an assertion in a file that does not include "
                    "<vow/check.h>");
  if (threads > 0)
    vow__kit_refuse(
        k->site,
        "%d more thread%s ran when libcheck forked this test: a pool that "
        "was used in main() or an unchecked fixture, which does not exist "
        "in this process. Use checked fixtures, or CK_FORK=no; or "
        "vow_check_allow_threads(true)",
        threads, threads > 1 ? "s" : "");
}

static void make_loop(vow__kit_t *k) {
  vow_loop_options_t options;
  int err;
  memset(&options, 0, sizeof options);
  vow__left_options(k, &options);
  options.probe_cells = k->options.probe_cells;
  options.block_limit_ms = BLOCK_LIMIT_MS;
  if (k->options.shuffle) options.shuffle_seed = vow__seed_of_order(k);
  if (k->cancel_at > 0) options.step_budget = 1;
  err = k->options.real_time ? vow_loop_new(&options, &k->loop)
                             : vow_loop_new_virtual(&options, &k->loop);
  if (err != 0)
    vow__kit_refuse(k->site, "no loop for %s: %s", k->name, vow_strerror(err));
  k->begin_ms = vow_loop_now_ms(k->loop);
}

static void begin(vow__kit_t *k) {
  check_surroundings(k);
  if (!k->options.keeps_allocator) vow__memory_begin();
  vow__calls_begin();
  vow__kit_mark(k);
  make_loop(k);
  vow__calls_look();
  running = k;
  vow__thread_begin(k);
  vow__watchdog_start(k);
  vow__memory_mark();
}

/* ---- the end -------------------------------------------------------------- */

/* What came before the failure may be its cause. */
static void add_complaints(vow__kit_t *k) {
  if (k->failed && k->complaints.length > 0)
    vow__text_add(&k->failure, "\n  Also, from %s:\n  %s", k->complaints_site,
                  vow__text_str(&k->complaints));
}

static void look_back(vow__kit_t *k) {
  if (k->failed || k->parked)
    vow__left_forget(k);
  else
    vow__left_find(k);
}

static void finish(vow__kit_t *k) {
  vow__memory_pause();
  add_complaints(k);
  if (!k->failed && k->complaints.length > 0)
    vow__kit_note(k, k->complaints_site, vow__text_str(&k->complaints));
  if (k->failed) vow__torture_tell(k);
  vow__thread_end();
  vow__memory_end();
  vow__calls_end();
  vow__events_free(k);
  running = NULL;
}

/* Does a part of a test that an assertion in a callback leaves. */
static void guarded(vow__kit_t *k, void (*part)(vow__kit_t *k)) {
  if (setjmp(k->ground) != 0) return;
  k->grounded = true;
  part(k);
  k->grounded = false;
}

static void add_recipe(vow__kit_t *k) {
  if (k->recipe[0] != '\0')
    vow__text_add(&k->tail, "\n  %s runs this alone", k->recipe);
  if (k->seed_used)
    vow__text_add(&k->tail, "\n  VOW_SEED=%llu replays it",
                  (unsigned long long)vow__seed_of(k));
}

static void free_texts(vow__kit_t *k) {
  vow__text_free(&k->failure);
  vow__text_free(&k->complaints);
  vow__text_free(&k->tail);
}

void vow__kit_end_failed(vow__kit_t *k) {
  static char text[FAILURE_MAX + 1024], file[sizeof k->file];
  int line = k->line; /* libcheck may jump away, so that all is freed before */
  add_recipe(k);
  snprintf(text, sizeof text, "%s%.*s%s%s", k->heading, FAILURE_MAX,
           vow__text_str(&k->failure),
           k->failure.length > FAILURE_MAX ? "\n  ..." : "",
           vow__text_str(&k->tail));
  memcpy(file, k->file, sizeof file);
  free_texts(k);
  if (!k->parked) free(k); /* otherwise its loop is still there */
  vow__kit_report(file, line, text);
}

void vow__kit_free(vow__kit_t *k) {
  free_texts(k);
  free(k);
}

/* Libcheck tells the last mark, a file and a line, when the process dies. Where
 * it was not forked that is the end of everything. */
static void mark(const char *site, const char *heading, const char *recipe) {
  char file[256], text[512];
  int line = vow__site_split(site, file, sizeof file);
  if (!vow__is_forked()) return;
  snprintf(text, sizeof text, "%s:%d: %s%s", file, line, heading, recipe);
  _mark_point(recipe[0] != '\0' ? text : file, line);
}

void vow__kit_mark(const vow__kit_t *k) {
  char recipe[128];
  size_t n;
  snprintf(recipe, sizeof recipe, "%s", k->recipe);
  n = strlen(recipe);
  if (k->seed_used)
    snprintf(recipe + n, sizeof recipe - n, "%sVOW_SEED=%llu", n > 0 ? " " : "",
             (unsigned long long)vow__seed_of(k));
  if (recipe[0] != '\0') mark(k->site, k->heading, recipe);
}

void vow__kit_unmark(const char *site) {
  mark(site, "", "");
}

const char *vow__kit_site(void) {
  return vow__kit() != NULL ? vow__kit()->site : VOW__KIT_SITE;
}

void vow__kit_run(vow__kit_t *k) {
  k->thread = &thread_mark;
  begin(k);
  guarded(k, play);
  guarded(k, look_back);
  while (k->at_end != NULL) guarded(k, vow__left_forget); /* one has failed */
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
  if (k->failed) vow__kit_end_failed(k);
  vow__kit_free(k);
}

void vow_check_run(const char *site, const char *name,
                   const vow_check_options_t *options, vow_check_body_cb body,
                   int i) {
  run_and_end(kit_new(site, name, options, body, i));
}

void vow_check_run_seeds(const char *site, const char *name,
                         const vow_check_options_t *options,
                         vow_check_body_cb body, int i, size_t n) {
  uint64_t begin_ns = uv_hrtime();
  size_t round;
  if (n == 0) vow__kit_refuse(site, "%s has 0 seeds: it never runs", name);
  if (vow__seed_is_given()) n = 1;
  for (round = 0; round < n; round++) {
    vow__kit_t *k = kit_new(site, name, options, body, i);
    k->options.shuffle = true;
    k->seed = vow__seed_of_round(round);
    k->begin_ns = begin_ns;
    k->round = round;
    run_and_end(k);
  }
  vow__kit_unmark(site);
}

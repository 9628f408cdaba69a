/* SPDX-License-Identifier: MIT */
/* Pitfall: blocking the loop. All tasks of a loop share one thread; who does
 * not await keeps it from everybody. With block_limit_ms set (it is under
 * VOW_DEBUG) the loop names the task, or the callback, that did. */
#include "pattern.h"

#include <string.h>

enum { BLOCK_MS = 60, LIMIT_MS = 40 };

/* By default this goes to stderr. On a machine under load any step may be slow;
 * this pattern is about one. */
static void on_blocked(const char *what, const char *site, uint64_t blocked_ms,
                       void *arg) {
  (void)arg;
  (void)blocked_ms;
  if (strcmp(what, "report") != 0) return;
  say("vow: %s, made at %s, kept the loop from everything for more than %d ms",
      what, site, LIMIT_MS);
}

/* Others want to run meanwhile. */
static vow_value_t beat(void *arg) {
  (void)arg;
  for (int i = 1; i <= 3; i++) {
    say("beat %d", i);
    if (vow_yield() != 0) break;
  }
  return vow_nil();
}

static vow_value_t compute(void *arg) {
  (void)arg;
  uv_sleep(BLOCK_MS); /* or a long calculation, or a slow disk */
  return vow_int(42);
}

/* The mistake: called as it is. */
static vow_value_t report_blocking(void *arg) {
  (void)arg;
  say("report: begun");
  vow_value_t v = compute(NULL);
  say("report: %" PRId64, v.as.i);
  return vow_nil();
}

/* Better: on a thread. */
static vow_value_t report_awaiting(void *arg) {
  (void)arg;
  say("report: begun");
  VOW_TRY(v, vow_queue_work(vow_task_loop(), compute, NULL));
  say("report: %" PRId64, v.as.i);
  return vow_nil();
}

static vow_future_t *beside_beat(const char *name, vow_task_cb report) {
  vow_loop_t *loop = vow_task_loop();
  const vow_task_options_t options = {.name = name};
  return vow_gather_of(loop, vow_go_with(loop, &options, report, NULL),
                       vow_go(loop, beat, NULL));
}

static vow_value_t run(void *arg) {
  (void)arg;
  puts("-- blocking");
  VOW_TRY_NIL(beside_beat("report", report_blocking));
  puts("-- on a thread");
  VOW_TRY_NIL(beside_beat("better report", report_awaiting));
  return vow_nil();
}

int main(void) {
  const vow_loop_options_t options = {.block_limit_ms = LIMIT_MS,
                                      .on_blocked = on_blocked};
  vow_loop_t *loop = pattern_loop_with(&options);
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}

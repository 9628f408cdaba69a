/* SPDX-License-Identifier: MIT */
/* Pitfall: a future that nobody awaits. In vow a reference is an interest, so
 * what becomes of the work depends on what you do with the reference; and what
 * you did by mistake is said, each with the line where the future was made. */
#include "pattern.h"

static vow_value_t save(void *arg) {
  const char *file = arg;
  say("%s: saving", file);
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 100));
  if (file[0] == 'c') return vow_failf(UV_ENOSPC, "%s: the disk is full", file);
  say("%s: saved", file);
  return vow_nil();
}

/* By default this goes to stderr. */
static void on_unhandled(vow_future_t *f, void *arg) {
  char story[400];
  (void)arg;
  say("vow: nobody saw a failure:\n%s",
      vow_error_format(vow_peek(f), story, sizeof story));
}

/* By default a line on stderr, when VOW_DEBUG is in the environment. */
static void on_leak(vow_future_t *f, const char *what, const char *site,
                    void *arg) {
  (void)f;
  (void)arg;
  printf("vow: never awaited, or never dropped: %s, made at %s\n", what, site);
}

static vow_future_t *forgotten;

static vow_value_t run(void *arg) {
  vow_loop_t *loop = vow_task_loop();
  (void)arg;
#ifdef PATTERN_MISTAKE
  /* Ignored altogether: the compiler warns (-Wunused-result). */
  vow_go(loop, save, "z");
#endif

  /* Dropped: nobody is interested, so it is cancelled before it begins. */
  vow_drop(vow_go(loop, save, "a"));

  /* Detached: it goes on alone. That is how to fire and forget; a group, as in
   * 03, knows at least when all have ended. */
  vow_detach(vow_go(loop, save, "b"));

  /* It fails, too: nobody is there to see, so the loop's hook is told. */
  vow_detach(vow_go(loop, save, "c"));

  /* Kept, and never awaited: it runs, but what it came to is never looked at.
   * Closing the loop tells. */
  forgotten = vow_go(loop, save, "d");

  VOW_TRY_NIL(vow_sleep(loop, 500));
  return vow_nil();
}

int main(void) {
  const vow_loop_options_t options = {.on_unhandled = on_unhandled,
                                      .on_leak = on_leak};
  vow_loop_t *loop = pattern_loop_with(&options);
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  rc = pattern_done(loop, rc);
  vow_drop(forgotten); /* or leak checkers would tell as well */
  return rc;
}

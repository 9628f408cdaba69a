/* SPDX-License-Identifier: MIT */
/* Pitfall: ignoring cancellation. A cancelled task is not killed: each of its
 * awaits fails from then on, and it is for the task to end. Whoever waits for
 * one that does not waits, too; closing the loop says which it is. */
#include "pattern.h"

/* By default a line on stderr, when VOW_DEBUG is in the environment. */
static void on_stuck(const char *what, const char *site, void *arg) {
  (void)arg;
  say("vow: still not ended: %s, made at %s", what, site);
}

/* Right: VOW_TRY returns the failure. */
static vow_value_t heed(void *arg) {
  (void)arg;
  for (;;) VOW_TRY_NIL(vow_sleep(vow_task_loop(), 1000));
}

/* Wrong: goes on whatever await says. There is nothing to wait for any more, so
 * one that did this for ever would keep the processor busy as well. */
static vow_value_t look_away(void *arg) {
  (void)arg;
  for (int i = 1; i <= 3; i++) {
    int rc = vow_await_status(vow_sleep(vow_task_loop(), 1000));
    say("look %d: %s", i, vow_strerror(rc));
  }
  return vow_nil();
}

/* Wrong, too: clean-up that does not end. It is shielded, so nothing stops it;
 * but with the option grace_ms its awaits fail when that has passed. */
static bool power_is_off;

static vow_value_t wait_for_power_off(void *arg) {
  (void)arg;
  while (!power_is_off) VOW_TRY_NIL(vow_sleep(vow_task_loop(), 1000));
  return vow_nil();
}

static vow_value_t clean_up_for_ever(void *arg) {
  int rc = vow_defer(wait_for_power_off, NULL);
  return rc == 0 ? heed(arg) : vow_fail(rc);
}

static vow_future_t *start(vow_loop_t *loop, const char *name, vow_task_cb body,
                           uint64_t grace_ms) {
  const vow_task_options_t options = {.name = name, .grace_ms = grace_ms};
  return vow_go_with(loop, &options, body, NULL);
}

/* Cancels f after 100 ms, and waits until it has ended. */
static void stop(const char *name, vow_future_t *f) {
  int rc = vow_await_blocking(vow_timeout(f, 100), NULL);
  say("%s: %s", name, rc == 0 ? "good" : vow_strerror(rc));
}

int main(void) {
  const vow_loop_options_t options = {.on_stuck = on_stuck};
  vow_loop_t *loop = pattern_loop_with(&options);

  stop("heeds it", start(loop, "heeds it", heed, 0));
  stop("looks away", start(loop, "looks away", look_away, 0));
  stop("has grace", start(loop, "has grace", clean_up_for_ever, 3000));

  /* Closing a loop cancels all and waits, here 500 ms. Then it names what has
   * not ended, and stays open: end that, and close again. */
  vow_detach(start(loop, "stubborn", clean_up_for_ever, 0));
  vow_await_blocking(vow_sleep(loop, 100), NULL);
  say("closing: %s", vow_strerror(vow_loop_close(loop, 500)));
  power_is_off = true;
  return pattern_done(loop, 0);
}

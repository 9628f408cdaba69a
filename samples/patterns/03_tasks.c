/* SPDX-License-Identifier: MIT */
/* Tasks: starting, naming, looking, cancelling; and an owner for those that
 * nobody waits for, so that none is forgotten. */
#include "pattern.h"

/* Takes *arg milliseconds. Asked to end, its await fails with the reason, and
 * it ends as cancelled. */
static vow_value_t cook(void *arg) {
  const uint64_t *cook_ms = arg;
  const char *name = vow_task_name(vow_task_current());
  say("%s: begun", name);
  vow_value_t cooked = vow_await(vow_sleep(vow_task_loop(), *cook_ms));
  if (vow_value_is_failure(cooked)) {
    say("%s: taken off the stove", name);
    return cooked;
  }
  say("%s: done", name);
  return vow_nil();
}

static vow_future_t *start(const char *name, uint64_t *cook_ms) {
  const vow_task_options_t options = {.name = name};
  return vow_go_with(vow_task_loop(), &options, cook, cook_ms);
}

static const char *state(vow_future_t *f) {
  static const char *const names[] = {"pending", "succeeded", "failed",
                                      "cancelled"};
  return names[vow_state(f)];
}

/* A task begins when its starter waits or ends, never within vow_go. */
static vow_value_t three_tasks(void) {
  uint64_t toast_ms = 100, egg_ms = 300, bread_ms = 3600000;
  vow_future_t *toast = start("toast", &toast_ms);
  vow_future_t *egg = start("egg", &egg_ms);
  vow_future_t *bread = start("bread", &bread_ms);
  say("three were started, and none has run");

  vow_await_status(toast); /* consumes the future; the others go on */
  say("egg is %s, bread is %s", state(egg), state(bread));

  vow_cancel(bread); /* asks; the await below waits until it has ended */
  int rc = vow_await_status(bread);
  say("bread came to: %s", vow_strerror(rc));

  VOW_TRY_NIL(egg);
  return vow_nil();
}

/* A group owns its members: when the join has settled all have ended. This kind
 * stays small however many come and go. */
static vow_value_t in_the_background(void) {
  vow_group_t *group = vow_group_new(vow_task_loop(), VOW_GROUP_BACKGROUND);
  uint64_t soup_ms = 200, stew_ms = 400;
  if (group == NULL) return vow_fail_last();
  vow_group_go_with(group, &(vow_task_options_t){.name = "soup"}, cook,
                    &soup_ms);
  vow_group_go_with(group, &(vow_task_options_t){.name = "stew"}, cook,
                    &stew_ms);
  say("%zu in the background", vow_group_live(group));
  return vow_await(vow_group_join(group));
}

static vow_value_t run(void *arg) {
  (void)arg;
  vow_value_t v = three_tasks();
  if (vow_value_is_failure(v)) return v;
  return in_the_background();
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}

/* SPDX-License-Identifier: MIT */
/* Basic await. A task is a function that may wait: vow_await leaves it until a
 * future has settled, and then goes on in the next line, locals and all. Other
 * tasks and callbacks of the loop run meanwhile. */
#include "pattern.h"

typedef struct city {
  const char *name;
  int64_t degrees;
} city_t;

/* A task pretends to ask a thermometer far away. What it returns is what its
 * future settles with. */
static vow_value_t measure(void *arg) {
  const city_t *city = arg;
  say("asking %s", city->name);
  vow_value_t slept = vow_await(vow_sleep(vow_task_loop(), 100));
  if (vow_value_is_failure(slept)) return slept; /* cancelled, perhaps */
  say("%s has answered", city->name);
  return vow_int(city->degrees);
}

/* VOW_TRY is short for these two lines: it awaits, and on a failure returns it
 * from here. The second city is asked when the first has answered; 02 asks both
 * at once. */
static vow_value_t run(void *arg) {
  city_t oslo = {"Oslo", 4}, lima = {"Lima", 19};
  vow_loop_t *loop = vow_task_loop();
  (void)arg;
  VOW_TRY(here, vow_go(loop, measure, &oslo));
  VOW_TRY(there, vow_go(loop, measure, &lima));
  say("%" PRId64 " degrees between them", there.as.i - here.as.i);
  return vow_nil();
}

/* vow_await_blocking is for main: it runs the loop until the task has ended. */
int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}

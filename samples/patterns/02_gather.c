/* SPDX-License-Identifier: MIT */
/* Concurrent gather. vow_go starts, vow_await waits: start all, then wait once,
 * and three waits take as long as the longest. Results come in the order of
 * asking, not of finishing. */
#include "pattern.h"

typedef struct city {
  const char *name;
  uint64_t delay_ms;
  int64_t degrees;
} city_t;

static city_t cities[] = {
    {"Oslo", 300, 4}, {"Lima", 100, 19}, {"Hue", 200, 31}};

enum { CITIES = sizeof cities / sizeof cities[0] };

static vow_value_t measure(void *arg) {
  const city_t *city = arg;
  say("asking %s", city->name);
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), city->delay_ms));
  say("%s has answered", city->name);
  return vow_int(city->degrees);
}

static vow_value_t run(void *arg) {
  vow_loop_t *loop = vow_task_loop();
  vow_future_t *answers[CITIES];
  (void)arg;
  for (size_t i = 0; i < CITIES; i++)
    answers[i] = vow_go(loop, measure, &cities[i]);

  /* Consumes all three. Were one to fail, the others would be cancelled, and
   * their clean-up awaited, before this line goes on; see 04. */
  VOW_TRY(v, vow_gather(loop, CITIES, answers));
  vow_list_t *degrees = vow_value_get(v, &vow_type_list);
  for (size_t i = 0; i < CITIES; i++)
    say("%s: %" PRId64, cities[i].name, vow_list_at(degrees, i).as.i);
  vow_value_destroy(v); /* what a task awaited is its own */
  return vow_nil();
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}

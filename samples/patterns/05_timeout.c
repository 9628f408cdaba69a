/* SPDX-License-Identifier: MIT */
/* Timeouts. A limit can be put around anything, several steps included, from
 * outside: the steps know nothing of it. What is too slow is cancelled, and has
 * cleaned up before the timeout is reported. */
#include "pattern.h"

static vow_value_t put_pot_away(void *arg) {
  (void)arg;
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 50)); /* clean-up may wait */
  say("pot put away");
  return vow_nil();
}

/* Two steps of a second each. */
static vow_value_t brew(void *arg) {
  vow_loop_t *loop = vow_task_loop();
  (void)arg;
  int rc = vow_defer(put_pot_away, NULL);
  if (rc != 0) return vow_fail(rc);
  VOW_TRY_NIL(vow_sleep(loop, 1000));
  say("water boils");
  VOW_TRY_NIL(vow_sleep(loop, 1000));
  return vow_cstr("tea");
}

/* A timeout is a failure like others, UV_ETIMEDOUT, and not a cancellation. */
static vow_value_t drink(int64_t patience_ms) {
  say("tea within %" PRId64 " ms?", patience_ms);
  vow_future_t *tea = vow_go(vow_task_loop(), brew, NULL);
  vow_value_t v = vow_await(vow_timeout(tea, patience_ms));
  if (vow_value_code(v) != UV_ETIMEDOUT) return v;
  vow_value_destroy(v);
  say("too slow");
  return vow_cstr("water");
}

static vow_value_t run(void *arg) {
  static const int64_t patiences_ms[] = {60000, 1500, 500};
  (void)arg;
  for (size_t i = 0; i < 3; i++) {
    vow_value_t v = drink(patiences_ms[i]);
    if (vow_value_is_failure(v)) return v;
    say("drinking %s", (const char *)v.as.cp);
  }
  return vow_nil();
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}

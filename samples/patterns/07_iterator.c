/* SPDX-License-Identifier: MIT */
/* Asynchronous iterators: Python's `async for` and `yield`. A generator is a
 * task that emits; it runs only while somebody asks. VOW_FOR walks, and closes
 * what it walks on every way out of the block. */
#include "pattern.h"

#include <vow/task_iter.h>

static vow_value_t switch_off(void *arg) {
  (void)arg;
  say("sensor off");
  return vow_nil();
}

/* A reading every 100 ms, for ever. When the walk ends vow_emit says so. */
static vow_value_t sensor(void *arg) {
  int rc = vow_defer(switch_off, NULL);
  (void)arg;
  for (int64_t i = 0; rc == 0; i++) {
    VOW_TRY_NIL(vow_sleep(vow_task_loop(), 100));
    rc = vow_emit(vow_int(20 + i * i));
  }
  return vow_fail(rc);
}

static vow_value_t until_it_is_hot(void) {
  vow_value_t failure;
  VOW_FOR(step, vow_generator(vow_task_loop(), sensor, NULL), &failure) {
    say("%" PRId64 " degrees", step.item.as.i);
    if (step.item.as.i > 25) break;
  }
  return failure;
}

static vow_value_t is_even(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_int(vow_get_int(in) % 2 == 0);
}

/* Iterators are put on top of each other: the outermost owns the rest. */
static vow_value_t three_even_ones(void) {
  vow_iter_t *it = vow_generator(vow_task_loop(), sensor, NULL);
  vow_value_t failure;
  it = vow_iter_take(vow_iter_filter(it, is_even, NULL), 3);
  VOW_FOR(step, it, &failure) {
    say("%" PRId64 " degrees, even", step.item.as.i);
  }
  return failure;
}

static vow_value_t run(void *arg) {
  (void)arg;
  vow_value_t failure = until_it_is_hot();
  if (vow_value_is_failure(failure)) return failure;
  return three_even_ones();
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}

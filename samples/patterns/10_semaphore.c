/* SPDX-License-Identifier: MIT */
/* Calls limited by a semaphore: twenty, three at a time, the answers in the
 * order of the questions. (For one function over many items vow_map does all
 * this.) */
#include "pattern.h"

enum { CALLS = 20, AT_ONCE = 3 };

typedef struct call {
  vow_semaphore_t *lines;
  int64_t number;
} call_t;

static int talking, most_talking;

/* The permit is a value: it goes back when it is destroyed, here on every way
 * out of the task. */
static vow_value_t make_call(void *arg) {
  const call_t *call = arg;
  VOW_TRY(permit, vow_semaphore_acquire(call->lines, 1));
  permit = vow_defer_value(permit);
  if (vow_value_is_failure(permit)) return permit; /* out of memory */

  if (++talking > most_talking) most_talking = talking;
  uint64_t talk_ms = 100 + 10 * (uint64_t)(call->number % 4);
  vow_value_t v = vow_await(vow_sleep(vow_task_loop(), talk_ms));
  talking--;
  if (vow_value_is_failure(v)) return v;
  say("call %" PRId64 " has ended", call->number);
  return vow_int(call->number * call->number);
}

static vow_value_t call_all(vow_semaphore_t *lines) {
  call_t calls[CALLS];
  vow_future_t *answers[CALLS];
  for (size_t i = 0; i < CALLS; i++) {
    calls[i] = (call_t){lines, (int64_t)i};
    answers[i] = vow_go(vow_task_loop(), make_call, &calls[i]);
  }
  return vow_await(vow_gather(vow_task_loop(), CALLS, answers));
}

static vow_value_t run(void *arg) {
  (void)arg;
  vow_semaphore_t *lines = vow_semaphore_new(vow_task_loop(), AT_ONCE);
  if (lines == NULL) return vow_fail_last();
  vow_value_t v = call_all(lines);
  say("at most %d at once, %zu of %d lines free now", most_talking,
      vow_semaphore_available(lines), AT_ONCE);
  vow_semaphore_free(lines);
  if (vow_value_is_failure(v)) return v;

  vow_list_t *answers = vow_value_get(v, &vow_type_list);
  printf("answers:");
  for (size_t i = 0; i < vow_list_length(answers); i++)
    printf(" %" PRId64, vow_list_at(answers, i).as.i);
  putchar('\n');
  vow_value_destroy(v);
  return vow_nil();
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}

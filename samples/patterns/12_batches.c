/* SPDX-License-Identifier: MIT */
/* Batches: ten letters, four in an envelope. Those of one batch are worked on
 * together, and the next begins when they are done. The letters come from any
 * iterator, so there may be more than memory holds. */
#include "pattern.h"

#include <vow/task_iter.h>

enum { LETTERS = 10, BATCH = 4 };

static vow_value_t stamp(void *arg) {
  const int64_t *letter = arg;
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 50 + 10 * (uint64_t)*letter));
  say("letter %" PRId64 " is stamped", *letter);
  return vow_nil();
}

static vow_value_t stamp_all(const vow_list_t *batch) {
  int64_t letters[BATCH];
  vow_future_t *stamped[BATCH];
  size_t n = vow_list_length(batch);
  for (size_t i = 0; i < n; i++) {
    letters[i] = vow_list_at(batch, i).as.i;
    stamped[i] = vow_go(vow_task_loop(), stamp, &letters[i]);
  }
  return vow_await(vow_gather(vow_task_loop(), n, stamped));
}

/* The last batch has what is left. */
static vow_value_t run(void *arg) {
  vow_iter_t *letters = vow_iter_range(vow_task_loop(), 1, LETTERS + 1, 1);
  vow_value_t failure;
  (void)arg;
  VOW_FOR(step, vow_iter_chunk(letters, BATCH), &failure) {
    const vow_list_t *batch = vow_value_get(step.item, &vow_type_list);
    say("a batch of %zu", vow_list_length(batch));
    vow_value_t v = stamp_all(batch);
    if (vow_value_is_failure(v)) return v;
    vow_value_destroy(v);
  }
  if (vow_value_is_failure(failure)) return failure;
  say("all are stamped");
  return vow_nil();
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}

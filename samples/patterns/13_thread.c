/* SPDX-License-Identifier: MIT */
/* Blocking code moved to a thread: Python's to_thread. The library that blocks
 * gets threads of its own, so that it cannot hold up files and names, which
 * share libuv's (vow_queue_work takes one of those). */
#include "pattern.h"

#include <string.h>

/* Stands for a library that knows nothing of loops. Runs on a thread: it may
 * block, and must leave alone what belongs to the loop. */
static vow_value_t count_letters(vow_job_t *job, void *arg) {
  const char *text = arg;
  (void)job; /* a long job asks vow_job_is_cancelled(job) now and then */
  uv_sleep(20);
  if (text[0] == '\0') return vow_failf(UV_EINVAL, "nothing to count");
  return vow_int((int64_t)strlen(text));
}

/* Runs on the loop while the threads are busy. */
static vow_value_t beat(void *arg) {
  (void)arg;
  for (int i = 1; i <= 3; i++) {
    say("the loop goes on: %d", i);
    if (vow_yield() != 0) break;
  }
  return vow_nil();
}

/* Jobs are futures like others: gather, timeout, cancel. A cancelled one is not
 * awaited; what its thread gives in the end is destroyed. */
static vow_value_t use(vow_thread_pool_t *pool) {
  vow_loop_t *loop = vow_task_loop();
  say("counting");
  VOW_TRY(v, vow_gather_of(
                 loop, vow_thread_pool_run(pool, loop, count_letters, "seven"),
                 vow_thread_pool_run(pool, loop, count_letters, "twelve"),
                 vow_go(loop, beat, NULL)));
  vow_list_t *counts = vow_value_get(v, &vow_type_list);
  for (size_t i = 0; i < 2; i++)
    say("counted %" PRId64, vow_list_at(counts, i).as.i);
  vow_value_destroy(v);

  v = vow_await(vow_thread_pool_run(pool, loop, count_letters, ""));
  say("a job that failed: %s", vow_error_message(vow_value_error(v)));
  vow_value_destroy(v);
  return vow_nil();
}

static vow_value_t run(void *arg) {
  const vow_thread_pool_options_t options = {.threads = 2, .name = "letters"};
  vow_thread_pool_t *pool;
  (void)arg;
  int rc = vow_thread_pool_new(&options, &pool);
  if (rc != 0) return vow_fail(rc);
  vow_value_t v = use(pool);
  /* Waits for what runs; then the threads have ended. */
  rc = vow_await_status(
      vow_thread_pool_close(pool, vow_task_loop(), VOW_POOL_FINISH, 10000));
  say("threads ended: %s", rc == 0 ? "yes" : vow_strerror(rc));
  vow_thread_pool_free(pool);
  return v;
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}

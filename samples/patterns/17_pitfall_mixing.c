/* SPDX-License-Identifier: MIT */
/* Pitfall: mixing blocking and asynchronous code. In a task one awaits, in a
 * callback one follows, in main one blocks, in a thread one calls into the loop
 * and blocks. Each in the wrong place is an error at once, never a deadlock. */
#include "pattern.h"

/* Blocking in a task would stop the very loop that is to settle the future. */
static vow_value_t block_in_task(void *arg) {
  vow_value_t v;
  (void)arg;
  int rc = vow_await_blocking(vow_sleep(vow_task_loop(), 100), &v);
  say("blocking in a task: %s, %s", vow_err_name(rc), vow_last_message());
  rc = vow_loop_run(vow_task_loop());
  say("running its loop: %s, %s", vow_err_name(rc), vow_last_message());
  rc = vow_loop_close(vow_task_loop(), 0);
  say("closing its loop: %s, %s", vow_err_name(rc), vow_last_message());
  VOW_TRY_NIL(vow_sleep(vow_task_loop(), 100)); /* right */
  say("awaiting in a task: good");
  return vow_nil();
}

/* A callback has no stack of its own to wait on. */
static vow_value_t await_in_callback(vow_future_t *in, void *arg) {
  vow_loop_t *loop = vow_loop_of(in);
  (void)arg;
  vow_value_t v = vow_await(vow_sleep(loop, 100));
  say("awaiting in a callback: %s, %s", vow_err_name(vow_value_code(v)),
      vow_error_message(vow_value_error(v)));
  vow_value_destroy(v);
  return vow_follow(
      vow_sleep(loop, 100)); /* right; or vow_follow(vow_go(...)) */
}

static vow_future_t *sleep_on_loop(vow_loop_t *loop, void *arg) {
  (void)arg;
  return vow_sleep(loop, 100);
}

/* Futures belong to the loop's thread; from another one calls in. */
static vow_value_t use_in_thread(vow_job_t *job, void *arg) {
  vow_future_t *f = vow_sleep(vow_job_loop(job), 100);
  (void)arg;
  printf("a future in a thread: %s\n", vow_err_name(vow_status(f)));
  vow_drop(f);
  int rc = vow_call_blocking(vow_job_loop(job), sleep_on_loop, NULL, NULL);
  printf("calling from a thread: %s\n", rc == 0 ? "good" : vow_err_name(rc));
  return vow_nil();
}

static int in_thread(vow_loop_t *loop) {
  vow_thread_pool_t *pool;
  int rc = vow_thread_pool_new(NULL, &pool);
  if (rc != 0) return rc;
  rc = vow_await_blocking(vow_thread_pool_run(pool, loop, use_in_thread, NULL),
                          NULL);
  vow_thread_pool_free(pool);
  return rc;
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, block_in_task, NULL), NULL);
  if (rc == 0)
    rc = vow_await_blocking(
        vow_then(vow_sleep(loop, 0), await_in_callback, NULL), NULL);
  if (rc == 0) rc = in_thread(loop);
  return pattern_done(loop, rc);
}

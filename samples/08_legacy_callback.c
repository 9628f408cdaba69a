/* SPDX-License-Identifier: MIT */
/* From a callback API to a future: a promise that the old callback settles,
 * and a hook that stops the old operation when nobody wants it any more. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <vow.h>

/* ---- the old API: written for callbacks, knows nothing of vow ------------ */

typedef void (*lookup_cb)(int status, int answer, void *arg);

typedef struct lookup {
  uv_timer_t timer;
  lookup_cb cb;
  void *arg;
  int status;
} lookup_t;

static void lookup_closed(uv_handle_t *handle) {
  lookup_t *lookup = handle->data;
  lookup->cb(lookup->status, 42, lookup->arg); /* exactly once, on any path */
  free(lookup);
}

static void lookup_ready(uv_timer_t *timer) {
  uv_close((uv_handle_t *)timer, lookup_closed);
}

/* Stops a lookup; its callback is still called, with UV_ECANCELED. */
static void lookup_stop(lookup_t *lookup) {
  puts("old lookup stopped");
  lookup->status = UV_ECANCELED;
  uv_close((uv_handle_t *)&lookup->timer, lookup_closed);
}

static lookup_t *lookup_start(uv_loop_t *uv, uint64_t delay_ms, lookup_cb cb,
                              void *arg) {
  lookup_t *lookup = calloc(1, sizeof *lookup);
  if (lookup == NULL) return NULL;
  lookup->cb = cb;
  lookup->arg = arg;
  uv_timer_init(uv, &lookup->timer);
  lookup->timer.data = lookup;
  uv_timer_start(&lookup->timer, lookup_ready, delay_ms, 0);
  return lookup;
}

/* ---- the bridge: the same as a function that returns a future ------------ */

static void on_lookup(int status, int answer, void *arg) {
  vow_promise_t *promise = arg;
  vow_promise_finish(promise, status == 0 ? vow_int(answer) : vow_fail(status));
}

/* With this hook the future stays pending until on_lookup has run: whoever
 * waits knows then that the old operation is really over. */
static void on_unwanted(vow_promise_t *promise, void *arg) {
  (void)promise;
  lookup_stop(arg);
}

static vow_future_t *lookup(vow_loop_t *loop, uint64_t delay_ms) {
  vow_promise_t *promise;
  vow_future_t *f = vow_promise_new(loop, &promise);
  if (promise == NULL) return f; /* failed already: out of memory */
  lookup_t *old = lookup_start(vow_loop_uv(loop), delay_ms, on_lookup, promise);
  if (old == NULL) {
    vow_promise_finish(promise, vow_fail(UV_ENOMEM));
  } else {
    vow_promise_on_cancel(promise, on_unwanted, old);
  }
  return f;
}

/* ---- the program -----------------------------------------------------------
 */

static int show(vow_future_t *f) {
  vow_value_t answer;
  int rc = vow_await_blocking(f, &answer);
  if (rc == 0) {
    printf("answer %" PRId64 "\n", answer.as.i);
  } else {
    printf("no answer: %s\n", vow_err_name(rc));
  }
  vow_value_destroy(answer);
  return rc;
}

int main(void) {
  vow_loop_t *loop;
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }

  rc = show(lookup(loop, 10));
  /* Combinators work on it as on any future; cancelling reaches the timer. */
  if (show(vow_timeout(lookup(loop, 60000), 10)) != UV_ETIMEDOUT) rc = 1;

  if (vow_loop_close(loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}

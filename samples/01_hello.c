/* SPDX-License-Identifier: MIT */
/* The smallest program: a loop, a future, one callback, and the end. */
#include <stdio.h>
#include <vow.h>

/* Runs once `in` has succeeded. What it returns settles the next future. */
static vow_value_t greet(vow_future_t *in, void *arg) {
  (void)arg;
  printf("hello, %s\n", vow_get_string(in));
  return vow_int(42);
}

int main(void) {
  vow_loop_t *loop;
  vow_value_t answer;
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }

  /* Each step consumes the future it is given and returns the next one, so
   * there is one future to care for, however long the chain. */
  vow_future_t *f = vow_ready(loop, vow_cstr("world"));
  f = vow_then(f, greet, NULL);
  printf("nothing has run yet\n"); /* callbacks run from the loop only */

  rc = vow_await_blocking(f, &answer); /* runs the loop, consumes f */
  if (rc != 0) {
    fprintf(stderr, "hello failed: %s\n", vow_strerror(rc));
  } else {
    printf("the answer is %lld\n", (long long)answer.as.i);
  }
  vow_value_destroy(answer);

  /* Closing cancels what is still pending; 0 means that nothing is left. */
  if (vow_loop_close(loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}

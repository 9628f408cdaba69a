/* SPDX-License-Identifier: MIT */
/* Work starts when a future is made, not when somebody waits for it: three
 * sleeps at once take as long as the longest. */
#include <stdio.h>
#include <vow.h>

static vow_value_t say(vow_future_t *in, void *arg) {
  (void)in; /* a sleep succeeds with nil: there is nothing to read */
  puts(arg);
  return vow_nil();
}

static vow_future_t *say_after(vow_loop_t *loop, uint64_t delay_ms,
                               const char *text) {
  return vow_then(vow_sleep(loop, delay_ms), say, (void *)text);
}

int main(void) {
  vow_loop_t *loop;
  vow_value_t nothing;
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }

  uint64_t started_ms = vow_loop_now_ms(loop);
  vow_future_t *slow = say_after(loop, 60, "60 ms are over");
  /* We keep no reference to these two. Dropping one would cancel it; detaching
   * it lets it go on alone. */
  vow_detach(say_after(loop, 20, "20 ms are over"));
  vow_detach(say_after(loop, 40, "40 ms are over"));
  puts("three sleeps have begun");

  rc = vow_await_blocking(slow, &nothing);
  if (rc != 0) fprintf(stderr, "sleep failed: %s\n", vow_strerror(rc));
  vow_value_destroy(nothing);

  /* A sleep never ends early. */
  if (vow_loop_now_ms(loop) - started_ms >= 60) puts("done");

  if (vow_loop_close(loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/* A limit in time around anything. What is too slow is cancelled, and its
 * clean-up has run before the timeout is delivered. */
#include <stdio.h>
#include <vow.h>

static vow_value_t brewed(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_cstr("tea");
}

/* Runs on every outcome, also when the brewing was cancelled. */
static vow_value_t put_pot_away(vow_future_t *in, void *arg) {
  (void)arg;
  printf("pot put away, %s\n",
         vow_is_cancelled(in) ? "unfinished" : "finished");
  return vow_nil();
}

static vow_future_t *brew(vow_loop_t *loop, uint64_t delay_ms) {
  vow_future_t *f = vow_then(vow_sleep(loop, delay_ms), brewed, NULL);
  return vow_finally(f, put_pot_away, NULL);
}

/* A timeout is a failure like others, never a cancellation: catch sees it. */
static vow_value_t have_water(vow_future_t *in, void *arg) {
  (void)arg;
  if (vow_status(in) != UV_ETIMEDOUT) return vow_outcome(in);
  return vow_cstr("water");
}

static int drink(vow_future_t *f) {
  vow_value_t drink;
  int rc = vow_await_blocking(f, &drink);
  if (rc != 0) {
    printf("nothing to drink: %s\n", vow_strerror(rc));
  } else {
    printf("drinking %s\n", (const char *)drink.as.cp);
  }
  vow_value_destroy(drink);
  return rc;
}

int main(void) {
  vow_loop_t *loop;
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }

  puts("-- in time");
  rc = drink(vow_timeout(brew(loop, 10), 60000));

  puts("-- too late");
  if (drink(vow_timeout(brew(loop, 60000), 10)) != UV_ETIMEDOUT) rc = 1;

  puts("-- too late, with something else instead");
  vow_future_t *f = vow_timeout(brew(loop, 60000), 10);
  f = vow_catch(f, have_water, NULL);
  if (drink(f) != 0) rc = 1;

  if (vow_loop_close(loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}

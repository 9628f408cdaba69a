/* SPDX-License-Identifier: MIT */
/* Errors: they skip the steps that want a value, carry where they came from,
 * and can be handled, explained, or left to the caller. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <vow.h>

static vow_value_t parse(vow_future_t *in, void *arg) {
  (void)arg;
  const char *text = vow_get_string(in);
  char *end;
  if (text == NULL) return vow_fail_last();
  long number = strtol(text, &end, 10);
  if (end == text || *end != '\0') {
    /* A code for programs, a message for people; this line is the origin. */
    return vow_failf(UV_EINVAL, "\"%s\" is not a number", text);
  }
  return vow_int(number);
}

/* Runs on success only. */
static vow_value_t twice(vow_future_t *in, void *arg) {
  (void)arg;
  printf("doubling\n");
  return vow_int(2 * vow_get_int(in));
}

/* Runs on failure only (never on cancellation). What it returns takes the
 * failure's place; return vow_outcome(in) to pass the failure on instead. */
static vow_value_t use_zero(vow_future_t *in, void *arg) {
  (void)arg;
  printf("using 0 instead of an error: %s\n", vow_error_message(vow_error(in)));
  return vow_int(0);
}

/* Tells the caller what it means here, and keeps the reason. */
static vow_value_t explain(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_fail_cause(UV_EIO, vow_outcome(in), "cannot read the settings");
}

/* Runs on every outcome, which passes through: the place for clean-up. */
static vow_value_t clean_up(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  printf("cleaning up\n");
  return vow_nil();
}

static void show(const char *title, vow_future_t *f) {
  vow_value_t result;
  char story[1024];
  printf("-- %s\n", title);
  if (vow_await_blocking(f, &result) == 0) {
    printf("result %" PRId64 "\n", result.as.i);
  } else {
    printf("%s\n", vow_error_format(result, story, sizeof story));
  }
  vow_value_destroy(result);
}

static vow_future_t *read_number(vow_loop_t *loop, const char *text) {
  vow_future_t *f = vow_then(vow_ready(loop, vow_cstr(text)), parse, NULL);
  f = vow_then(f, twice, NULL);
  return vow_finally(f, clean_up, NULL);
}

int main(void) {
  vow_loop_t *loop;
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }

  show("no error", read_number(loop, "21"));
  show("a default in its place",
       vow_catch(read_number(loop, "twenty"), use_zero, NULL));
  show("explained to the caller",
       vow_catch(read_number(loop, "twenty"), explain, NULL));

  return vow_loop_close(loop, 1000) == 0 ? 0 : 1;
}

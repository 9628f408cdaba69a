/* SPDX-License-Identifier: MIT */
/* Running programs: fed with input, what they print as a value, ended when they
 * are too slow. No zombie is left, whatever happens. */
#include <stdio.h>
#include <string.h>
#include <vow.h>

/* A run succeeds when the program has ended, whatever its status. */
static vow_value_t tell(vow_future_t *in, void *arg) {
  vow_run_t *r = vow_run_get(in);
  vow_bytes_t *out = vow_run_out(r);
  (void)arg;
  printf("%.*s", (int)vow_bytes_length(out), vow_bytes_data(out));
  if (!vow_run_succeeded(r)) {
    vow_bytes_t *err = vow_run_err(r);
    printf("status %d: %.*s", (int)vow_run_status(r),
           (int)vow_bytes_length(err), vow_bytes_data(err));
  }
  return vow_nil();
}

/* One that could not be started, printed too much, or was too slow. */
static vow_value_t complain(vow_future_t *in, void *arg) {
  (void)arg;
  printf("failed: %s\n", vow_error_message(vow_error(in)));
  return vow_nil();
}

static int report(vow_future_t *run) {
  vow_future_t *f = vow_then(run, tell, NULL);
  return vow_await_blocking(vow_catch(f, complain, NULL), NULL);
}

/* Input goes in while output comes out: neither waits for the other. */
static vow_future_t *sorted(vow_loop_t *loop, const char *lines) {
  const vow_command_t sort = {.args = (const char *[]){"sort", NULL}};
  const vow_run_options_t options = {.input = lines,
                                     .input_bytes = strlen(lines)};
  return vow_run(loop, &sort, &options);
}

static vow_future_t *shell(vow_loop_t *loop, const char *script) {
  const vow_command_t sh = {.args = (const char *[]){"sh", "-c", script, NULL}};
  return vow_run(loop, &sh, NULL);
}

static vow_future_t *misspelt(vow_loop_t *loop) {
  const vow_command_t c = {.args = (const char *[]){"srot", NULL}};
  return vow_run(loop, &c, NULL);
}

int main(void) {
  vow_loop_t *loop;
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }

  puts("-- input and output");
  rc = report(sorted(loop, "pear\napple\nfig\n"));

  puts("-- a status");
  if (rc == 0) rc = report(shell(loop, "echo half done; echo oh >&2; exit 3"));

  puts("-- no such program");
  if (rc == 0) rc = report(misspelt(loop));

  /* SIGTERM, SIGKILL after a grace; the timeout comes when it is reaped. */
  puts("-- too slow");
  if (rc == 0) rc = report(vow_timeout(shell(loop, "exec sleep 60"), 50));

  if (vow_loop_close(loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}

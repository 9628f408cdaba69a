/* SPDX-License-Identifier: MIT */
/* fetch: gets a list of URLs concurrently. See --help, or fetch.c for how. */
#include <signal.h>
#include <stdio.h>

#include "progress.h"
#include "table.h"

enum { EXIT_OK = 0, EXIT_SOME_FAILED = 1, EXIT_USAGE = 2, EXIT_CTRL_C = 130 };

/* The first Ctrl-C asks everything to end; a second one, no longer caught,
 * ends the process. */
static vow_value_t on_interrupt(vow_future_t *in, void *arg) {
  fetch_t *fetch = arg;
  (void)in;
  vow_token_cancel(fetch->token, UV_ECANCELED);
  return vow_nil();
}

static int report(const fetch_t *fetch, const vow_list_t *outcomes,
                  uint64_t took_ms) {
  table_print(fetch, outcomes, took_ms);
  if (vow_token_is_cancelled(fetch->token)) return EXIT_CTRL_C;
  return fetch->failed == 0 ? EXIT_OK : EXIT_SOME_FAILED;
}

/* Fetches everything; gives the exit status. */
static int run(fetch_t *fetch) {
  uint64_t started_ms = vow_loop_now_ms(fetch->loop);
  vow_value_t outcomes;
  int exit_status = EXIT_SOME_FAILED;
  vow_future_t *interrupt = vow_signal_once(fetch->loop, SIGINT);
  interrupt = vow_then(interrupt, on_interrupt, fetch);
  progress_t *progress = progress_start(fetch);

  int rc = vow_await_blocking(fetch_all(fetch), &outcomes);
  progress_stop(progress);
  vow_drop(interrupt); /* nobody waits for it any more, and so it ends */
  if (rc != 0) {
    fprintf(stderr, "fetch: %s\n", vow_strerror(rc));
  } else {
    exit_status = report(fetch, outcomes.as.cp,
                         vow_loop_now_ms(fetch->loop) - started_ms);
  }
  vow_value_destroy(outcomes);
  return exit_status;
}

static int run_with_loop(const options_t *options) {
  vow_loop_t *loop;
  fetch_t fetch;
  int exit_status = EXIT_SOME_FAILED;
  /* Writing to a server that has gone shall be an error, UV_EPIPE, and not the
   * signal that ends a process: libuv leaves that to its user. */
  signal(SIGPIPE, SIG_IGN);
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "fetch: cannot make a loop: %s\n", vow_strerror(rc));
    return exit_status;
  }
  rc = fetch_init(&fetch, loop, options);
  if (rc == 0) {
    exit_status = run(&fetch);
  } else {
    fprintf(stderr, "fetch: %s\n", vow_strerror(rc));
  }
  fetch_done(&fetch);
  if (vow_loop_close(loop, 1000) != 0) {
    fprintf(stderr, "fetch: something did not end\n");
    return EXIT_SOME_FAILED;
  }
  return exit_status;
}

int main(int argc, char **argv) {
  options_t options;
  int exit_status = EXIT_USAGE;
  switch (options_read(argc, argv, &options)) {
  case OPTIONS_RUN:
    exit_status = run_with_loop(&options);
    break;
  case OPTIONS_HELP:
    exit_status = EXIT_OK;
    break;
  case OPTIONS_WRONG:
    break;
  }
  options_done(&options);
  return exit_status;
}

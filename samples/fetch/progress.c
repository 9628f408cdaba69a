/* SPDX-License-Identifier: MIT */
/* A loop of ticks that nobody waits for; dropping it ends it. */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>

enum { PERIOD_MS = 100, STDERR = 2 };

struct progress {
  const fetch_t *fetch;
  vow_interval_t *interval;
  vow_future_t *ticks;
};

static vow_value_t show(vow_future_t *in, void *arg) {
  const fetch_t *fetch = ((progress_t *)arg)->fetch;
  (void)in;
  fprintf(stderr, "\r\033[K%zu of %zu done, %zu failed", fetch->done,
          fetch->options->urls.count, fetch->failed);
  fflush(stderr);
  return vow_again();
}

static vow_future_t *tick(vow_loop_t *loop, uint64_t i, void *arg) {
  progress_t *progress = arg;
  (void)loop;
  (void)i;
  return vow_then(vow_interval_next(progress->interval), show, progress);
}

progress_t *progress_start(const fetch_t *fetch) {
  progress_t *progress;
  if (uv_guess_handle(STDERR) != UV_TTY) return NULL;
  progress = calloc(1, sizeof *progress);
  if (progress == NULL) return NULL;
  progress->fetch = fetch;
  if (vow_interval_new(fetch->loop, PERIOD_MS, &progress->interval) != 0) {
    free(progress);
    return NULL;
  }
  progress->ticks = vow_repeat(fetch->loop, tick, progress);
  return progress;
}

void progress_stop(progress_t *progress) {
  if (progress == NULL) return;
  /* Nobody is interested any more: no callback runs from here on. */
  vow_drop(progress->ticks);
  vow_interval_free(progress->interval);
  free(progress);
  fputs("\r\033[K", stderr);
}

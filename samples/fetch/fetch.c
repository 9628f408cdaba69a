/* SPDX-License-Identifier: MIT */
/* What makes a client robust, each by one function of vow's: vow_timeout
 * around an attempt, vow_retry around that, a token around all attempts, and
 * vow_map_settled around all URLs. */
#include "fetch.h"

#include <inttypes.h>
#include <stdlib.h>

#include "request.h"

int fetch_init(fetch_t *fetch, vow_loop_t *loop, const options_t *options) {
  const url_list_t *urls = &options->urls;
  *fetch = (fetch_t){.options = options, .loop = loop};
  fetch->rows = calloc(urls->count, sizeof *fetch->rows);
  fetch->token = vow_token_new(loop);
  fetch->deadline = options->deadline_ms > 0
                        ? vow_token_deadline(fetch->token, options->deadline_ms)
                        : vow_token_child(fetch->token);
  if (fetch->rows == NULL || fetch->deadline == NULL) return UV_ENOMEM;
  for (size_t i = 0; i < urls->count; i++) {
    fetch->rows[i].fetch = fetch;
    fetch->rows[i].text = urls->texts[i];
  }
  return 0;
}

void fetch_done(fetch_t *fetch) {
  vow_token_free(fetch->deadline);
  vow_token_free(fetch->token);
  free(fetch->rows);
}

bool fetch_is_success(vow_value_t outcome) {
  const answer_t *answer = outcome.as.cp;
  return outcome.type == &answer_type && answer->status < 400;
}

/* One attempt, which may take so long. */
static vow_future_t *attempt(vow_loop_t *loop, uint32_t number, void *arg) {
  row_t *row = arg;
  uint64_t timeout_ms = row->fetch->options->timeout_ms;
  row->attempts = number;
  vow_future_t *f = request_get(loop, &row->url);
  return timeout_ms > 0 ? vow_timeout(f, (int64_t)timeout_ms) : f;
}

/* A connection that fails may be bad luck. A server that was too slow would be
 * as slow again, and one that speaks no HTTP will not learn it. */
static bool is_connection_error(vow_value_t failure, void *arg) {
  (void)arg;
  switch (vow_value_code(failure)) {
  case UV_ECONNREFUSED:
  case UV_ECONNRESET:
  case UV_ECONNABORTED:
  case UV_EPIPE:
  case UV_EHOSTUNREACH:
  case UV_ENETUNREACH:
  case UV_EAI_AGAIN:
    return true;
  default:
    return false;
  }
}

static vow_future_t *start(row_t *row) {
  url_problem_t problem;
  vow_loop_t *loop = row->fetch->loop;
  const vow_retry_options_t options = {
      .attempts = row->fetch->options->retries + 1,
      .delay_ms = 50,
      .max_delay_ms = 2000,
      .jitter = 0.5, /* or all that failed together come back together */
      .retry_if = is_connection_error};
  if (!url_parse(row->text, &row->url, &problem)) {
    return vow_ready(loop, vow_failf(UV_EINVAL, "bad URL: %s (column %zu)",
                                     problem.what, problem.column));
  }
  return vow_retry(loop, attempt, row, NULL, &options);
}

/* "Timed out" alone would not tell whose time was up. */
static vow_value_t explain_deadline(vow_future_t *in, void *arg) {
  const fetch_t *fetch = arg;
  if (vow_status(in) != UV_ETIMEDOUT ||
      vow_token_reason(fetch->deadline) != UV_ETIMEDOUT) {
    return vow_outcome(in);
  }
  return vow_failf(UV_ETIMEDOUT, "the deadline of %" PRIu64 " ms has passed",
                   fetch->options->deadline_ms);
}

static vow_value_t end_row(vow_future_t *in, void *arg) {
  row_t *row = arg;
  row->took_ms = vow_loop_now_ms(row->fetch->loop) - row->started_ms;
  row->fetch->done++;
  if (!fetch_is_success(vow_peek(in))) row->fetch->failed++;
  return vow_nil();
}

static vow_future_t *fetch_one(vow_loop_t *loop, size_t i, void *arg) {
  fetch_t *fetch = arg;
  row_t *row = &fetch->rows[i];
  row->started_ms = vow_loop_now_ms(loop);
  /* On a token that is cancelled already nothing begins at all: that is how
   * the rows which never had their turn end. */
  vow_future_t *f = vow_with_token(start(row), fetch->deadline);
  f = vow_catch(f, explain_deadline, fetch);
  return vow_finally(f, end_row, row);
}

vow_future_t *fetch_all(fetch_t *fetch) {
  return vow_map_settled(fetch->loop, fetch->options->urls.count,
                         fetch->options->concurrency, fetch_one, fetch);
}

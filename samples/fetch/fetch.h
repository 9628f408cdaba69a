/* SPDX-License-Identifier: MIT */
/* Many requests at once: limits in number and time, retries, cancelling. */
#ifndef FETCH_FETCH_H
#define FETCH_FETCH_H

#include <vow.h>

#include "options.h"
#include "url.h"

typedef struct fetch fetch_t;

/* A URL and how its request goes. */
typedef struct row {
  fetch_t *fetch;
  const char *text;
  url_t url;
  uint32_t attempts; /* 0: never begun */
  uint64_t started_ms;
  uint64_t took_ms;
} row_t;

struct fetch {
  const options_t *options;
  vow_loop_t *loop;
  vow_token_t *token;    /* cancel it to end everything */
  vow_token_t *deadline; /* below it; what the requests are bound to */
  row_t *rows;           /* as many as there are URLs */
  size_t done;
  size_t failed; /* of those that are done */
};

/* Prepares; 0 or UV_ENOMEM. options are borrowed until fetch_done, which frees
 * what fetch holds. It is to be called in any case, but not before what
 * fetch_all gave has settled. */
int fetch_init(fetch_t *fetch, vow_loop_t *loop, const options_t *options);
void fetch_done(fetch_t *fetch);

/* Succeeds with a list: for each row an answer_t, or its failure. Rows that
 * the token or the deadline ended are failures, too. */
vow_future_t *fetch_all(fetch_t *fetch);

/* Whether an outcome is what the user hoped for. */
bool fetch_is_success(vow_value_t outcome);

#endif

/* SPDX-License-Identifier: MIT */
/* One GET over a connection of its own. */
#ifndef FETCH_REQUEST_H
#define FETCH_REQUEST_H

#include <vow.h>

#include "url.h"

/* What a server answered; any status is an answer. */
typedef struct answer {
  int status;
  uint64_t body_bytes;
} answer_t;

VOW_DECLARE_TYPE(answer, answer_t);

/* Resolves, connects, asks, and reads to the end of the answer; succeeds with
 * an answer_t. It settles when the connection is closed, also when it was
 * cancelled.
 * url is borrowed until then.
 * Errors: those of the network; UV_EPROTO when the answer is no HTTP, UV_EOF
 * when it ended too early. */
vow_future_t *request_get(vow_loop_t *loop, const url_t *url);

#endif

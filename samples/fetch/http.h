/* SPDX-License-Identifier: MIT */
/* A parser of HTTP/1.1 responses, fed with bytes as they come. No sockets in
 * here: what it says depends on the bytes only, however they are cut. */
#ifndef FETCH_HTTP_H
#define FETCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than this of status line, header and trailer is an error. */
enum { HTTP_LINE_MAX = 8192, HTTP_HEAD_MAX = 65536 };

typedef enum http_result {
  HTTP_MORE, /* the response is not complete yet */
  HTTP_DONE, /* it is; what follows does not belong to it */
  HTTP_BAD,  /* it is no valid HTTP: see problem */
  HTTP_CUT   /* it ended too early: see problem */
} http_result_t;

typedef enum http_state {
  HTTP_STATUS_LINE,
  HTTP_HEADER,
  HTTP_LENGTH_BODY,
  HTTP_EOF_BODY,
  HTTP_CHUNK_SIZE,
  HTTP_CHUNK_DATA,
  HTTP_CHUNK_END,
  HTTP_TRAILER,
  HTTP_ENDED
} http_state_t;

typedef struct http_parser {
  int status;          /* 100 to 999, once the header is complete */
  uint64_t body_bytes; /* of the body so far, decoded */
  char problem[160];   /* what was wrong; printable */

  /* The rest is the parser's own. */
  http_state_t state;
  http_result_t result;
  bool has_length;
  bool is_chunked;
  bool has_carriage_return; /* the last byte of the line was a CR */
  uint64_t length;          /* as Content-Length says */
  uint64_t left;            /* of the body, or of the chunk */
  size_t head_bytes;
  size_t line_length;
  char line[HTTP_LINE_MAX + 1];
} http_parser_t;

void http_init(http_parser_t *parser);

/* Takes in n more bytes. After anything but HTTP_MORE it only repeats that. */
http_result_t http_feed(http_parser_t *parser, const char *data, size_t n);

/* The connection has ended. Never HTTP_MORE. */
http_result_t http_end(http_parser_t *parser);

#endif

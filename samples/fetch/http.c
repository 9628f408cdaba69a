/* SPDX-License-Identifier: MIT */
/* The state machine of a response: lines are gathered, bodies are counted. */
#include "http.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "http_line.h"

void http_init(http_parser_t *parser) {
  /* The line is written before it is read; the rest begins at zero. */
  memset(parser, 0, offsetof(http_parser_t, line));
  parser->state = HTTP_STATUS_LINE;
  parser->result = HTTP_MORE;
}

/* ---- what a complete line leads to ----------------------------------------
 */

static http_result_t finish(http_parser_t *parser) {
  parser->state = HTTP_ENDED;
  return HTTP_DONE;
}

/* The header is complete: how the body ends (RFC 9112, 6.3). */
static http_result_t begin_body(http_parser_t *parser) {
  if (parser->status < 200 && parser->status != 101) {
    /* Informational; the real response follows. */
    parser->state = HTTP_STATUS_LINE;
    parser->has_length = parser->is_chunked = false;
    return HTTP_MORE;
  }
  if (parser->status == 101 || parser->status == 204 || parser->status == 304) {
    return finish(parser); /* these have no body, whatever the header says */
  }
  if (parser->is_chunked) {
    parser->state = HTTP_CHUNK_SIZE;
  } else if (!parser->has_length) {
    parser->state = HTTP_EOF_BODY;
  } else {
    parser->state = HTTP_LENGTH_BODY;
    parser->left = parser->length;
    if (parser->left == 0) return finish(parser);
  }
  return HTTP_MORE;
}

static http_result_t end_line(http_parser_t *parser) {
  http_result_t result;
  bool is_empty = parser->line_length == 0;
  switch (parser->state) {
  case HTTP_STATUS_LINE:
    result = http_status_line(parser);
    parser->state = HTTP_HEADER;
    return result;
  case HTTP_HEADER:
    return is_empty ? begin_body(parser) : http_header_line(parser);
  case HTTP_CHUNK_SIZE:
    result = http_chunk_line(parser);
    parser->state = parser->left > 0 ? HTTP_CHUNK_DATA : HTTP_TRAILER;
    /* An endless body may have endless sizes, but not an endless header. */
    parser->head_bytes = 0;
    return result;
  case HTTP_CHUNK_END:
    parser->state = HTTP_CHUNK_SIZE;
    if (is_empty) return HTTP_MORE;
    return http_wrong(parser, "a chunk is longer than its size", "");
  default: /* the trailer, which is of no interest */
    return is_empty ? finish(parser) : HTTP_MORE;
  }
}

/* ---- bytes ------------------------------------------------------------------
 */

/* A line ends with LF; a CR before it is not part of it. */
static http_result_t take_line_byte(http_parser_t *parser, char c) {
  http_result_t result;
  if (++parser->head_bytes > HTTP_HEAD_MAX) {
    return http_wrong(parser, "the header is too long", "");
  }
  if (c == '\n') {
    parser->line[parser->line_length] = '\0';
    parser->has_carriage_return = false;
    result = end_line(parser);
    parser->line_length = 0;
    return result;
  }
  if (parser->has_carriage_return || c == '\0') {
    return http_wrong(parser, "a line of the header holds a CR or NUL", "");
  }
  if (c == '\r') {
    parser->has_carriage_return = true;
  } else if (parser->line_length == HTTP_LINE_MAX) {
    return http_wrong(parser, "a line of the header is too long", "");
  } else {
    parser->line[parser->line_length++] = c;
  }
  return HTTP_MORE;
}

/* Takes up to n bytes of body; gives how many those were. */
static size_t take_body(http_parser_t *parser, size_t n) {
  if (parser->state != HTTP_EOF_BODY) {
    if (n > parser->left) n = (size_t)parser->left;
    parser->left -= n;
  }
  parser->body_bytes += n;
  if (parser->state == HTTP_CHUNK_DATA && parser->left == 0) {
    parser->state = HTTP_CHUNK_END;
  }
  if (parser->state == HTTP_LENGTH_BODY && parser->left == 0) {
    parser->result = finish(parser);
  }
  return n;
}

http_result_t http_feed(http_parser_t *parser, const char *data, size_t n) {
  size_t i = 0;
  while (i < n && parser->result == HTTP_MORE) {
    switch (parser->state) {
    case HTTP_LENGTH_BODY:
    case HTTP_EOF_BODY:
    case HTTP_CHUNK_DATA:
      i += take_body(parser, n - i);
      break;
    default:
      parser->result = take_line_byte(parser, data[i++]);
      break;
    }
  }
  return parser->result;
}

http_result_t http_end(http_parser_t *parser) {
  char *problem = parser->problem;
  size_t size = sizeof parser->problem;
  if (parser->result != HTTP_MORE) return parser->result;
  parser->result = HTTP_CUT;
  switch (parser->state) {
  case HTTP_EOF_BODY:
    return parser->result = finish(parser);
  case HTTP_STATUS_LINE:
  case HTTP_HEADER:
    snprintf(problem, size, "%s",
             parser->head_bytes == 0
                 ? "the connection was closed without an answer"
                 : "the connection was closed inside the header");
    break;
  case HTTP_LENGTH_BODY:
    snprintf(problem, size, "body ended after %" PRIu64 " of %" PRIu64 " bytes",
             parser->body_bytes, parser->length);
    break;
  default:
    snprintf(problem, size,
             "body ended after %" PRIu64 " bytes, before its last chunk",
             parser->body_bytes);
    break;
  }
  return parser->result;
}

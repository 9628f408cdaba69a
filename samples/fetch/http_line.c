/* SPDX-License-Identifier: MIT */
/* Status line, header fields and chunk sizes (RFC 9112, 4, 5 and 7.1). */
#include "http_line.h"

#include <stdio.h>
#include <string.h>

http_result_t http_wrong(http_parser_t *parser, const char *what,
                         const char *text) {
  size_t size = sizeof parser->problem;
  if (*text == '\0') {
    snprintf(parser->problem, size, "%s", what);
  } else {
    snprintf(parser->problem, size, "%s: \"%.60s\"", what, text);
  }
  /* The text is the server's: it must not reach a terminal as it stands. */
  for (char *c = parser->problem; *c != '\0'; c++) {
    if ((unsigned char)*c < ' ' || (unsigned char)*c >= 127) *c = '?';
  }
  return HTTP_BAD;
}

static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* "HTTP/1.x 200" and then nothing or a space and any reason. */
http_result_t http_status_line(http_parser_t *parser) {
  const char *line = parser->line;
  const char *code = line + strlen("HTTP/1.1 ");
  if (strncmp(line, "HTTP/1.", 7) != 0 || !is_digit(line[7]) ||
      line[8] != ' ') {
    return http_wrong(parser, "this is no HTTP/1 status line", line);
  }
  if (code[0] < '1' || !is_digit(code[0]) || !is_digit(code[1]) ||
      !is_digit(code[2]) || (code[3] != ' ' && code[3] != '\0')) {
    return http_wrong(parser, "the status is no number of three digits", line);
  }
  parser->status =
      (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
  return HTTP_MORE;
}

/* Whether the n bytes at text are word, in any case of letters. */
static bool is_word(const char *text, size_t n, const char *word) {
  if (strlen(word) != n) return false;
  for (size_t i = 0; i < n; i++) {
    if (to_lower(text[i]) != word[i]) return false;
  }
  return true;
}

static http_result_t set_length(http_parser_t *parser, const char *text,
                                size_t n) {
  uint64_t length = 0;
  if (n == 0) return http_wrong(parser, "Content-Length is empty", "");
  for (size_t i = 0; i < n; i++) {
    uint64_t digit = (uint64_t)(text[i] - '0');
    if (!is_digit(text[i])) {
      return http_wrong(parser, "Content-Length is not a number", text);
    }
    if (length > (UINT64_MAX - digit) / 10) {
      return http_wrong(parser, "Content-Length is too large", text);
    }
    length = length * 10 + digit;
  }
  if (parser->has_length && parser->length != length) {
    return http_wrong(parser, "there are two different Content-Lengths", text);
  }
  parser->has_length = true;
  parser->length = length;
  return HTTP_MORE;
}

static http_result_t set_coding(http_parser_t *parser, const char *text,
                                size_t n) {
  if (!is_word(text, n, "chunked") || parser->is_chunked) {
    return http_wrong(parser, "this Transfer-Encoding is not supported", text);
  }
  parser->is_chunked = true;
  return HTTP_MORE;
}

/* Letters, digits and the signs of RFC 9110's tokens. */
static bool is_token_char(char c) {
  char lower = to_lower(c);
  if (is_digit(c) || (lower >= 'a' && lower <= 'z')) return true;
  return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

http_result_t http_header_line(http_parser_t *parser) {
  const char *line = parser->line;
  size_t name_length = 0;
  const char *value;
  size_t n;
  while (is_token_char(line[name_length])) name_length++;
  if (name_length == 0 || line[name_length] != ':') {
    return http_wrong(parser, "this is no header field", line);
  }
  value = line + name_length + 1;
  value += strspn(value, " \t");
  n = strlen(value);
  while (n > 0 && strchr(" \t", value[n - 1]) != NULL) n--;
  if (is_word(line, name_length, "content-length")) {
    return set_length(parser, value, n);
  }
  if (is_word(line, name_length, "transfer-encoding")) {
    return set_coding(parser, value, n);
  }
  return HTTP_MORE;
}

static int hex_digit(char c) {
  char lower = to_lower(c);
  if (is_digit(c)) return c - '0';
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Hexadecimal digits; what follows a ';' are extensions nobody uses. */
http_result_t http_chunk_line(http_parser_t *parser) {
  const char *at = parser->line;
  uint64_t size = 0;
  for (; hex_digit(*at) >= 0; at++) {
    if (size > UINT64_MAX >> 4) {
      return http_wrong(parser, "the size of a chunk is too large",
                        parser->line);
    }
    size = size << 4 | (uint64_t)hex_digit(*at);
  }
  /* strchr finds the end of the line, too. */
  if (at == parser->line || strchr("; \t", *at) == NULL) {
    return http_wrong(parser, "this is no size of a chunk", parser->line);
  }
  parser->left = size;
  return HTTP_MORE;
}

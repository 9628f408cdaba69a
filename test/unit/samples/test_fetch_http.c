/* SPDX-License-Identifier: MIT */
/* The HTTP parser of samples/fetch. Every response is fed in one piece and
 * byte by byte: where the network cuts it must not matter. */
#include "support/test.h"

/* Samples are programs of their own; their parts are tested from inside. */
#include "../../../samples/fetch/http.c"
#include "../../../samples/fetch/http_line.c"

static http_parser_t parser;

/* Feeds data in pieces of step bytes, and the end when more is wanted. */
static void feed(const char *data, size_t n, size_t step) {
  /* What the parser does not promise to begin with must not matter. */
  memset(&parser, 0xa5, sizeof parser);
  http_init(&parser);
  for (size_t i = 0; i < n; i += step) {
    http_feed(&parser, data + i, n - i < step ? n - i : step);
  }
  http_end(&parser);
}

static void check_done(const char *text, int status, uint64_t body_bytes) {
  for (size_t step = 1; step <= strlen(text); step += strlen(text) - 1) {
    feed(text, strlen(text), step);
    ck_assert_msg(parser.result == HTTP_DONE, "%s", parser.problem);
    ck_assert_int_eq(parser.status, status);
    ck_assert_uint_eq(parser.body_bytes, body_bytes);
  }
}

static void check_not(http_result_t result, const char *text, size_t n,
                      const char *problem) {
  for (size_t step = 1; step <= n; step += n > 1 ? n - 1 : 1) {
    feed(text, n, step);
    ck_assert_int_eq(parser.result, result);
    ck_assert_msg(strstr(parser.problem, problem) != NULL, "\"%s\", not \"%s\"",
                  parser.problem, problem);
  }
}

static void check_bad(const char *text, const char *problem) {
  check_not(HTTP_BAD, text, strlen(text), problem);
}

static void check_cut(const char *text, const char *problem) {
  check_not(HTTP_CUT, text, strlen(text), problem);
}

#define OK_LINE "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_LINE "Transfer-Encoding: chunked\r\n\r\n"

/* ---- bodies -----------------------------------------------------------------
 */

TEST(test_http_body_of_content_length_is_counted) {
  check_done(OK_LINE "Content-Length: 5\r\n\r\nhello", 200, 5);
}

TEST(test_http_bytes_after_the_body_do_not_count) {
  check_done(OK_LINE "Content-Length: 5\r\n\r\nhello, more", 200, 5);
}

TEST(test_http_length_zero_is_done_before_the_end) {
  static const char text[] = OK_LINE "Content-Length: 0\r\n\r\n";
  http_init(&parser);
  ck_assert_int_eq(http_feed(&parser, text, sizeof text - 1), HTTP_DONE);
}

TEST(test_http_body_without_length_lasts_until_the_end) {
  static const char text[] = "HTTP/1.0 404 Not Found\r\n\r\ngone";
  http_init(&parser);
  ck_assert_int_eq(http_feed(&parser, text, sizeof text - 1), HTTP_MORE);
  ck_assert_int_eq(http_end(&parser), HTTP_DONE);
  ck_assert_int_eq(parser.status, 404);
  ck_assert_uint_eq(parser.body_bytes, 4);
}

TEST(test_http_chunks_are_decoded) {
  check_done(CHUNKED "5\r\nhello\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
             200, 15);
}

TEST(test_http_trailer_is_skipped) {
  check_done(CHUNKED "1 \r\n.\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n", 200, 1);
}

TEST(test_http_chunked_wins_over_content_length) {
  check_done(OK_LINE "Content-Length: 99\r\nTransfer-Encoding: Chunked\r\n\r\n"
                     "2\r\nab\r\n0\r\n\r\n",
             200, 2);
}

TEST(test_http_status_without_body_is_done) {
  check_done("HTTP/1.1 204 No Content\r\n\r\n", 204, 0);
  check_done("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, 0);
}

TEST(test_http_informational_response_is_skipped) {
  check_done("HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\n" OK_LINE
             "Content-Length: 1\r\n\r\n.",
             200, 1);
}

/* ---- lines ------------------------------------------------------------------
 */

TEST(test_http_lines_may_end_with_lf_alone) {
  check_done("HTTP/1.1 200\nContent-Length: 1\n\n.", 200, 1);
}

TEST(test_http_header_names_are_found_in_any_case) {
  check_done(OK_LINE "CONTENT-length:\t 3 \r\n\r\nabc", 200, 3);
}

TEST(test_http_same_length_twice_is_taken) {
  check_done(OK_LINE "Content-Length: 1\r\ncontent-length: 1\r\n\r\n.", 200, 1);
}

TEST(test_http_garbage_instead_of_status_line_is_bad) {
  check_bad("220 mail ESMTP\r\n", "no HTTP/1 status line: \"220 mail ESMTP\"");
  check_bad("HTTP/2 200 OK\r\n", "no HTTP/1 status line");
  check_bad("HTTP/1.1\r\n", "no HTTP/1 status line");
  check_bad("\r\n\r\n", "no HTTP/1 status line");
}

TEST(test_http_bad_status_is_bad) {
  check_bad("HTTP/1.1 20 OK\r\n", "three digits");
  check_bad("HTTP/1.1 2000 OK\r\n", "three digits");
  check_bad("HTTP/1.1 099 OK\r\n", "three digits");
  check_bad("HTTP/1.1 \r\n", "three digits");
}

TEST(test_http_problem_holds_printable_characters_only) {
  check_bad("\x1b[31mred\x7f\xff\r\n", "\"?[31mred??\"");
}

TEST(test_http_bad_header_line_is_bad) {
  check_bad(OK_LINE "no colon\r\n", "no header field");
  check_bad(OK_LINE "Name : value\r\n", "no header field");
  check_bad(OK_LINE ": value\r\n", "no header field");
  check_bad(OK_LINE "A: b\r\n folded\r\n", "no header field");
  check_bad(OK_LINE "A: b\rc\r\n", "CR or NUL");
}

TEST(test_http_nul_in_header_is_bad) {
  static const char text[] = OK_LINE "A: \0b\r\n";
  check_not(HTTP_BAD, text, sizeof text - 1, "CR or NUL");
}

TEST(test_http_bad_content_length_is_bad) {
  check_bad(OK_LINE "Content-Length: ten\r\n", "not a number");
  check_bad(OK_LINE "Content-Length: -1\r\n", "not a number");
  check_bad(OK_LINE "Content-Length: 1, 1\r\n", "not a number");
  check_bad(OK_LINE "Content-Length: \r\n", "empty");
  check_bad(OK_LINE "Content-Length: 18446744073709551616\r\n", "too large");
  check_bad(OK_LINE "Content-Length: 1\r\nContent-Length: 2\r\n",
            "two different");
}

TEST(test_http_unknown_transfer_coding_is_bad) {
  check_bad(OK_LINE "Transfer-Encoding: gzip, chunked\r\n", "not supported");
  check_bad(OK_LINE "Transfer-Encoding: chunked\r\n"
                    "Transfer-Encoding: chunked\r\n",
            "not supported");
}

TEST(test_http_bad_chunk_is_bad) {
  check_bad(CHUNKED "x\r\n", "no size of a chunk");
  check_bad(CHUNKED "\r\n", "no size of a chunk");
  check_bad(CHUNKED "-1\r\n", "no size of a chunk");
  check_bad(CHUNKED "5x\r\n", "no size of a chunk");
  check_bad(CHUNKED "10000000000000000\r\n", "too large");
  check_bad(CHUNKED "2\r\nabc\r\n", "longer than its size");
}

/* ---- limits and early ends
 * --------------------------------------------------- */

TEST(test_http_line_too_long_is_bad) {
  size_t n = HTTP_LINE_MAX + 10;
  char *text = malloc(n);
  memset(text, 'a', n);
  check_not(HTTP_BAD, text, n, "line of the header is too long");
  free(text);
}

TEST(test_http_header_too_long_is_bad) {
  static const char field[] = "X-Filler: filler\r\n";
  http_init(&parser);
  http_feed(&parser, OK_LINE, strlen(OK_LINE));
  for (size_t i = 0; i < HTTP_HEAD_MAX / strlen(field); i++) {
    http_feed(&parser, field, strlen(field));
  }
  ck_assert_int_eq(parser.result, HTTP_BAD);
  ck_assert_str_eq(parser.problem, "the header is too long");
}

TEST(test_http_many_chunks_are_no_long_header) {
  http_init(&parser);
  http_feed(&parser, CHUNKED, strlen(CHUNKED));
  for (size_t i = 0; i < HTTP_HEAD_MAX; i++) {
    ck_assert_int_eq(http_feed(&parser, "1\r\n.\r\n", 6), HTTP_MORE);
  }
  ck_assert_uint_eq(parser.body_bytes, HTTP_HEAD_MAX);
}

TEST(test_http_early_end_tells_where) {
  feed("", 0, 1);
  ck_assert_str_eq(parser.problem,
                   "the connection was closed without an answer");
  check_cut("HTTP/1.1 2", "inside the header");
  check_cut(OK_LINE "Content-Length: 10\r\n", "inside the header");
  check_cut(OK_LINE "Content-Length: 10\r\n\r\nhello",
            "body ended after 5 of 10 bytes");
  check_cut(CHUNKED "5\r\nhel", "body ended after 3 bytes");
  check_cut(CHUNKED "5\r\nhello\r\n", "body ended after 5 bytes");
  check_cut(CHUNKED "5\r\nhello\r\n0\r\n", "before its last chunk");
}

TEST(test_http_result_stays) {
  feed("nonsense\n", 9, 9);
  ck_assert_int_eq(parser.result, HTTP_BAD);
  ck_assert_int_eq(http_feed(&parser, OK_LINE, strlen(OK_LINE)), HTTP_BAD);
  ck_assert_int_eq(http_end(&parser), HTTP_BAD);
}

SUITE(samples_fetch_http) {
  ADD(test_http_body_of_content_length_is_counted);
  ADD(test_http_bytes_after_the_body_do_not_count);
  ADD(test_http_length_zero_is_done_before_the_end);
  ADD(test_http_body_without_length_lasts_until_the_end);
  ADD(test_http_chunks_are_decoded);
  ADD(test_http_trailer_is_skipped);
  ADD(test_http_chunked_wins_over_content_length);
  ADD(test_http_status_without_body_is_done);
  ADD(test_http_informational_response_is_skipped);
  ADD(test_http_lines_may_end_with_lf_alone);
  ADD(test_http_header_names_are_found_in_any_case);
  ADD(test_http_same_length_twice_is_taken);
  ADD(test_http_garbage_instead_of_status_line_is_bad);
  ADD(test_http_bad_status_is_bad);
  ADD(test_http_problem_holds_printable_characters_only);
  ADD(test_http_bad_header_line_is_bad);
  ADD(test_http_nul_in_header_is_bad);
  ADD(test_http_bad_content_length_is_bad);
  ADD(test_http_unknown_transfer_coding_is_bad);
  ADD(test_http_bad_chunk_is_bad);
  ADD(test_http_line_too_long_is_bad);
  ADD(test_http_header_too_long_is_bad);
  ADD(test_http_many_chunks_are_no_long_header);
  ADD(test_http_early_end_tells_where);
  ADD(test_http_result_stays);
}

/* SPDX-License-Identifier: MIT */
/* The URL parser of samples/fetch. */
#include "support/test.h"

/* Samples are programs of their own; their parts are tested from inside. */
#include "../../../samples/fetch/url.c"

static url_t url;
static url_problem_t problem;

static void check_parts(const char *text, const char *host, const char *port,
                        const char *target) {
  ck_assert_msg(url_parse(text, &url, &problem), "%s: %s (%zu)", text,
                problem.what, problem.column);
  ck_assert_str_eq(url.host, host);
  ck_assert_str_eq(url.port, port);
  ck_assert_uint_eq(url.target_length, strlen(target));
  ck_assert_int_eq(memcmp(url.target, target, url.target_length), 0);
}

static void check_problem(const char *text, const char *what, size_t column) {
  ck_assert_msg(!url_parse(text, &url, &problem), "%s is taken", text);
  ck_assert_msg(strstr(problem.what, what) != NULL, "%s: \"%s\", not \"%s\"",
                text, problem.what, what);
  ck_assert_uint_eq(problem.column, column);
}

TEST(test_url_with_all_parts_is_taken_apart) {
  check_parts("http://example.org:8080/a/b?c=d", "example.org", "8080",
              "/a/b?c=d");
  ck_assert(!url.is_ipv6);
}

TEST(test_url_without_port_gets_80) {
  check_parts("http://example.org/", "example.org", "80", "/");
  check_parts("http://example.org:/", "example.org", "80", "/");
}

TEST(test_url_without_path_has_empty_target) {
  check_parts("http://h", "h", "80", "");
  check_parts("http://h:81", "h", "81", "");
  check_parts("http://h?q=1", "h", "80", "?q=1");
}

TEST(test_url_fragment_is_cut_off) {
  check_parts("http://h/p#part", "h", "80", "/p");
  check_parts("http://h#part/with/slash", "h", "80", "");
  check_parts("http://h:7#part", "h", "7", "");
}

TEST(test_url_scheme_in_capitals_is_taken) {
  check_parts("HTTP://h/P", "h", "80", "/P");
}

TEST(test_url_at_sign_in_path_is_no_user) {
  check_parts("http://h/a@b", "h", "80", "/a@b");
}

TEST(test_url_port_with_leading_zeros_is_taken) {
  check_parts("http://h:0000000080/", "h", "80", "/");
}

TEST(test_url_ipv6_loses_its_brackets) {
  check_parts("http://[::1]:8080/x", "::1", "8080", "/x");
  ck_assert(url.is_ipv6);
  check_parts("http://[2001:db8::2]", "2001:db8::2", "80", "");
  check_parts("http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1", "80", "/");
}

TEST(test_url_bad_scheme_is_named) {
  check_problem("", "empty", 1);
  check_problem("example.org", "http://", 1);
  check_problem("ftp://h/", "http://", 1);
  check_problem("http:/h", "http://", 1);
  check_problem("https://h/", "https", 1);
}

TEST(test_url_bad_host_is_named) {
  char text[300] = "http://";
  check_problem("http://", "host is missing", 8);
  check_problem("http:///path", "host is missing", 8);
  check_problem("http://:80/", "host is missing", 8);
  check_problem("http://a b/", "does not belong in a host", 9);
  check_problem("http://exa%6dple/", "does not belong in a host", 11);
  check_problem("http://\xc3\xa9/", "does not belong in a host", 8);
  memset(text + 7, 'a', 254);
  check_problem(text, "too long", 8);
}

TEST(test_url_user_is_refused) {
  check_problem("http://me@h/", "user name", 8);
  check_problem("http://me:secret@h/", "user name", 8);
}

TEST(test_url_bad_ipv6_is_named) {
  check_problem("http://[::1", "never closed", 9);
  check_problem("http://[]/", "host is missing", 9);
  check_problem("http://[hello]/", "no IPv6 address", 9);
  check_problem("http://[fe80::1%25eth0]/", "no IPv6 address", 9);
  check_problem("http://[::1]8080/", "expected after ']'", 13);
}

TEST(test_url_bad_port_is_named) {
  check_problem("http://h:x/", "not a number", 10);
  check_problem("http://h:80x/", "not a number", 10);
  check_problem("http://h:-1/", "not a number", 10);
  check_problem("http://h:0/", "1 and 65535", 10);
  check_problem("http://h:65536/", "1 and 65535", 10);
  check_problem("http://h:99999999999999999999/", "1 and 65535", 10);
}

TEST(test_url_bad_character_in_path_is_named) {
  check_problem("http://h/a b", "percent-encoded", 11);
  check_problem("http://h/a\r\nHost: x", "percent-encoded", 11);
  check_problem("http://h/\xc3\xa9", "percent-encoded", 10);
}

TEST(test_url_too_long_is_refused) {
  char *text = malloc(URL_LENGTH_MAX + 2);
  memset(text, 'a', URL_LENGTH_MAX + 1);
  memcpy(text, "http://h/", 9);
  text[URL_LENGTH_MAX] = '\0';
  ck_assert(url_parse(text, &url, &problem));
  text[URL_LENGTH_MAX] = 'a';
  text[URL_LENGTH_MAX + 1] = '\0';
  check_problem(text, "too long", URL_LENGTH_MAX + 1);
  free(text);
}

SUITE(samples_fetch_url) {
  ADD(test_url_with_all_parts_is_taken_apart);
  ADD(test_url_without_port_gets_80);
  ADD(test_url_without_path_has_empty_target);
  ADD(test_url_fragment_is_cut_off);
  ADD(test_url_scheme_in_capitals_is_taken);
  ADD(test_url_at_sign_in_path_is_no_user);
  ADD(test_url_port_with_leading_zeros_is_taken);
  ADD(test_url_ipv6_loses_its_brackets);
  ADD(test_url_bad_scheme_is_named);
  ADD(test_url_bad_host_is_named);
  ADD(test_url_user_is_refused);
  ADD(test_url_bad_ipv6_is_named);
  ADD(test_url_bad_port_is_named);
  ADD(test_url_bad_character_in_path_is_named);
  ADD(test_url_too_long_is_refused);
}

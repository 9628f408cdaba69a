/* SPDX-License-Identifier: MIT */
/* The URL parser: RFC 3986 as far as http needs it. A pure function. */
#include "url.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

/* Where the parser is, so that a problem can say where it arose. */
typedef struct scan {
  const char *text;
  const char *at;
  url_problem_t *problem;
} scan_t;

static bool wrong(scan_t *scan, const char *what) {
  scan->problem->what = what;
  scan->problem->column = (size_t)(scan->at - scan->text) + 1;
  return false;
}

/* Not isalpha and friends: those depend on the locale. */
static bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool ends_authority(char c) {
  return c == '\0' || c == '/' || c == '?' || c == '#';
}

/* Whether text begins with prefix, in any case of letters. */
static bool begins(const char *text, const char *prefix) {
  for (; *prefix != '\0'; text++, prefix++) {
    char c = *text >= 'A' && *text <= 'Z' ? (char)(*text | 0x20) : *text;
    if (c != *prefix) return false;
  }
  return true;
}

static bool parse_scheme(scan_t *scan) {
  if (*scan->at == '\0') return wrong(scan, "it is empty");
  if (begins(scan->at, "https://")) {
    return wrong(scan, "https is not supported, only http is");
  }
  if (!begins(scan->at, "http://")) {
    return wrong(scan, "it does not begin with http://");
  }
  scan->at += strlen("http://");
  return true;
}

/* Copies length bytes from the scan to url->host. */
static bool set_host(scan_t *scan, url_t *url, size_t length) {
  if (length == 0) return wrong(scan, "the host is missing");
  if (length > URL_HOST_MAX) return wrong(scan, "the host is too long");
  memcpy(url->host, scan->at, length);
  url->host[length] = '\0';
  return true;
}

static bool parse_ipv6(scan_t *scan, url_t *url) {
  unsigned char binary[16];
  const char *end;
  scan->at++;
  end = strchr(scan->at, ']');
  if (end == NULL) return wrong(scan, "the '[' before it is never closed");
  if (!set_host(scan, url, (size_t)(end - scan->at))) return false;
  /* uv_inet_pton takes a zone after '%' as well, and looks not into it. */
  if (strchr(url->host, '%') != NULL ||
      uv_inet_pton(AF_INET6, url->host, binary) != 0) {
    return wrong(scan, "in brackets stands no IPv6 address");
  }
  url->is_ipv6 = true;
  scan->at = end + 1;
  if (*scan->at == ':' || ends_authority(*scan->at)) return true;
  return wrong(scan, "a port or a path is expected after ']'");
}

static bool parse_name(scan_t *scan, url_t *url) {
  const char *start = scan->at;
  const char *end = start;
  for (; *end != ':' && !ends_authority(*end); end++) {
    if (is_digit(*end) || is_letter(*end) || strchr("-._", *end)) continue;
    scan->at = end;
    return wrong(scan, "this character does not belong in a host");
  }
  if (!set_host(scan, url, (size_t)(end - start))) return false;
  scan->at = end;
  return true;
}

/* A name and a password would end up in the list of results, and host names
 * with an '@' are a known trick: so they are told from other bad hosts. */
static bool refuse_userinfo(scan_t *scan) {
  size_t length = strcspn(scan->at, "/?#");
  if (memchr(scan->at, '@', length) == NULL) return true;
  return wrong(scan, "a user name is not supported");
}

static bool parse_port(scan_t *scan, url_t *url) {
  unsigned long port = 0;
  const char *digit;
  strcpy(url->port, "80");
  if (*scan->at != ':') return true;
  scan->at++;
  for (digit = scan->at; !ends_authority(*digit); digit++) {
    if (!is_digit(*digit)) return wrong(scan, "the port is not a number");
    if (port <= 65535) port = port * 10 + (unsigned long)(*digit - '0');
  }
  if (digit == scan->at) return true; /* "host:/" means the default */
  if (port < 1 || port > 65535) {
    return wrong(scan, "the port is not within 1 and 65535");
  }
  snprintf(url->port, sizeof url->port, "%lu", port);
  scan->at = digit;
  return true;
}

/* What is sent as it stands must not be able to end the request line. */
static bool parse_target(scan_t *scan, url_t *url) {
  const char *start = scan->at;
  for (; *scan->at != '\0' && *scan->at != '#'; scan->at++) {
    unsigned char c = (unsigned char)*scan->at;
    if (c <= ' ' || c >= 127) {
      return wrong(scan, "this character must be percent-encoded");
    }
  }
  url->target = start;
  url->target_length = (size_t)(scan->at - start);
  return true;
}

bool url_parse(const char *text, url_t *ret_url, url_problem_t *ret_problem) {
  scan_t scan = {text, text, ret_problem};
  url_t url = {.is_ipv6 = false};
  if (strlen(text) > URL_LENGTH_MAX) {
    scan.at = text + URL_LENGTH_MAX;
    return wrong(&scan, "it is too long");
  }
  if (!parse_scheme(&scan) || !refuse_userinfo(&scan)) return false;
  if (*scan.at == '[') {
    if (!parse_ipv6(&scan, &url)) return false;
  } else if (!parse_name(&scan, &url)) {
    return false;
  }
  if (!parse_port(&scan, &url) || !parse_target(&scan, &url)) return false;
  *ret_url = url;
  return true;
}

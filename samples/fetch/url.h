/* SPDX-License-Identifier: MIT */
/* http URLs: taken apart, or told what is wrong with them and where. */
#ifndef FETCH_URL_H
#define FETCH_URL_H

#include <stdbool.h>
#include <stddef.h>

enum { URL_HOST_MAX = 253, URL_LENGTH_MAX = 8000 };

typedef struct url {
  char host[URL_HOST_MAX + 1]; /* an IPv6 address has no brackets here */
  char port[6];                /* decimal, "80" when the URL has none */
  bool is_ipv6;
  /* Path and query, without the fragment; may be empty or begin with '?':
   * then "/" comes before it. Borrowed from the text. */
  const char *target;
  size_t target_length;
} url_t;

typedef struct url_problem {
  const char *what; /* static */
  size_t column;    /* counted from 1 */
} url_problem_t;

/* Takes text apart. text must outlive *ret_url. On false only *ret_problem is
 * written. */
bool url_parse(const char *text, url_t *ret_url, url_problem_t *ret_problem);

#endif

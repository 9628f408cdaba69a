/* SPDX-License-Identifier: MIT */
/* What the command line asks for. */
#ifndef FETCH_OPTIONS_H
#define FETCH_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* A list of texts that it owns. */
typedef struct url_list {
  char **texts;
  size_t count;
} url_list_t;

typedef struct options {
  size_t concurrency;
  uint64_t timeout_ms;  /* of each attempt; 0: none */
  uint64_t deadline_ms; /* of everything; 0: none */
  uint32_t retries;     /* further attempts after the first */
  url_list_t urls;
} options_t;

typedef enum options_result {
  OPTIONS_RUN,
  OPTIONS_HELP, /* the help was printed */
  OPTIONS_WRONG /* what is wrong was printed to stderr */
} options_result_t;

/* Reads the command line, and the file it names. options_done frees what
 * *ret_options holds; to be called whatever the result is. */
options_result_t options_read(int argc, char **argv, options_t *ret_options);
void options_done(options_t *options);

#endif

/* SPDX-License-Identifier: MIT */
/* Reads the command line. The list of URLs is read here as well, by stdio:
 * nothing runs yet that a blocking read could hold up. */
#include "options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help_text[] =
    "usage: fetch [options] URL...\n"
    "       fetch [options] -f FILE\n"
    "Fetches http://host:port/path URLs concurrently and shows what came.\n"
    "  --concurrency N  at most N requests at a time (16)\n"
    "  --timeout MS     for each attempt; 0: no limit (10000)\n"
    "  --retries N      further attempts after a connection error (2)\n"
    "  --deadline MS    for everything; 0: no limit (0)\n"
    "  -f FILE          URLs from FILE, one a line; - is standard input\n"
    "  --help           this text\n"
    "Tried again is what failed to connect or lost its connection; a timeout\n"
    "or a wrong answer is not. Redirections are not followed.\n"
    "Ctrl-C cancels what is not done yet; the table is printed all the same.\n"
    "Exit status: 0 every URL was answered with a status below 400,\n"
    "1 some were not, 2 wrong usage, 130 interrupted by Ctrl-C.\n";

static char *copy_text(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = malloc(size);
  return copy == NULL ? NULL : memcpy(copy, text, size);
}

static bool add_url(url_list_t *urls, const char *text) {
  char **grown = realloc(urls->texts, (urls->count + 1) * sizeof *grown);
  if (grown != NULL) {
    urls->texts = grown;
    grown[urls->count] = copy_text(text);
    if (grown[urls->count] != NULL) {
      urls->count++;
      return true;
    }
  }
  fprintf(stderr, "fetch: out of memory\n");
  return false;
}

/* A line without the blanks around it. */
static char *trim(char *line) {
  size_t length;
  line += strspn(line, " \t\r\n");
  length = strlen(line);
  while (length > 0 && strchr(" \t\r\n", line[length - 1]) != NULL) length--;
  line[length] = '\0';
  return line;
}

/* Empty lines, and those that begin with '#', are left out. */
static bool read_lines(url_list_t *urls, FILE *file) {
  char *line = NULL;
  size_t size = 0;
  bool ok = true;
  while (ok && getline(&line, &size, file) >= 0) {
    const char *text = trim(line);
    if (*text != '\0' && *text != '#') ok = add_url(urls, text);
  }
  free(line);
  return ok;
}

static bool read_list(url_list_t *urls, const char *path) {
  bool is_stdin = strcmp(path, "-") == 0;
  FILE *file = is_stdin ? stdin : fopen(path, "r");
  bool ok;
  if (file == NULL) {
    fprintf(stderr, "fetch: %s: %s\n", path, strerror(errno));
    return false;
  }
  ok = read_lines(urls, file);
  if (ok && ferror(file)) {
    fprintf(stderr, "fetch: %s: cannot be read\n", path);
    ok = false;
  }
  if (!is_stdin) fclose(file);
  return ok;
}

static bool read_number(const char *name, const char *text, uint64_t min,
                        uint64_t max, uint64_t *ret_number) {
  char *end;
  unsigned long long number;
  errno = 0;
  number = strtoull(text, &end, 10);
  /* strtoull takes "-1" for a large number. */
  if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
      number < min || number > max) {
    fprintf(stderr, "fetch: %s: \"%s\" is no number from %llu to %llu\n", name,
            text, (unsigned long long)min, (unsigned long long)max);
    return false;
  }
  *ret_number = number;
  return true;
}

static bool read_option(const char *name, const char *value,
                        options_t *options) {
  static const uint64_t day_ms = 24 * 60 * 60 * 1000;
  uint64_t number;
  if (strcmp(name, "-f") == 0) return read_list(&options->urls, value);
  if (strcmp(name, "--timeout") == 0) {
    return read_number(name, value, 0, day_ms, &options->timeout_ms);
  }
  if (strcmp(name, "--deadline") == 0) {
    return read_number(name, value, 0, day_ms, &options->deadline_ms);
  }
  if (strcmp(name, "--concurrency") == 0) {
    if (!read_number(name, value, 1, 10000, &number)) return false;
    options->concurrency = (size_t)number;
    return true;
  }
  if (strcmp(name, "--retries") == 0) {
    if (!read_number(name, value, 0, 100, &number)) return false;
    options->retries = (uint32_t)number;
    return true;
  }
  fprintf(stderr, "fetch: there is no option %s; see --help\n", name);
  return false;
}

options_result_t options_read(int argc, char **argv, options_t *ret_options) {
  *ret_options =
      (options_t){.concurrency = 16, .timeout_ms = 10000, .retries = 2};
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--help") == 0) {
      fputs(help_text, stdout);
      return OPTIONS_HELP;
    }
    if (argv[i][0] != '-') {
      if (!add_url(&ret_options->urls, argv[i])) return OPTIONS_WRONG;
    } else if (i + 1 == argc) {
      fprintf(stderr, "fetch: %s: a value is missing; see --help\n", argv[i]);
      return OPTIONS_WRONG;
    } else if (!read_option(argv[i], argv[i + 1], ret_options)) {
      return OPTIONS_WRONG;
    } else {
      i++;
    }
  }
  if (ret_options->urls.count > 0) return OPTIONS_RUN;
  fprintf(stderr, "fetch: no URL to fetch; see --help\n");
  return OPTIONS_WRONG;
}

void options_done(options_t *options) {
  for (size_t i = 0; i < options->urls.count; i++) free(options->urls.texts[i]);
  free(options->urls.texts);
}

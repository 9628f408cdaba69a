/* SPDX-License-Identifier: MIT */
/* The public functions of a layer that take the site of their call: those that
 * begin or make something, and so must stand in a table. Read from the headers,
 * for which tests run in the project's folder. Header only. */
#ifndef VOW_TEST_UV_COVERAGE_H
#define VOW_TEST_UV_COVERAGE_H

#include <ctype.h>

#include "support/test.h"

/* Must be released with free. */
static inline char *file_text(const char *path) {
  FILE *file = fopen(path, "r");
  char *text;
  ck_assert_msg(file != NULL, "%s: not here; run in the project's folder",
                path);
  text = calloc(1, 1 << 20);
  ck_assert_ptr_nonnull(text);
  ck_assert_uint_lt(fread(text, 1, (1 << 20) - 1, file), (1 << 20) - 1);
  fclose(file);
  return text;
}

typedef void (*wrapper_fn)(const char *name);

/* Calls visit(name) for each vow_<name>_at( that header declares. */
static inline void each_wrapper_in(const char *header, wrapper_fn visit) {
  char path[128];
  char *text, *at;
  snprintf(path, sizeof path, "include/%s", header);
  text = file_text(path);
  for (at = text; (at = strstr(at, "_at(")) != NULL; at += 4) {
    char *end = at, *begin = at;
    while (begin > text &&
           (isalnum((unsigned char)begin[-1]) || begin[-1] == '_'))
      begin--;
    if (strncmp(begin, "vow_", 4) != 0 || begin + 4 >= end) continue;
    *end = '\0';
    visit(begin + 4);
    *end = '_';
  }
  free(text);
}

/* The same for all headers that vow.h names under a heading, but those whose
 * names begin with one of skip, which ends with NULL. */
static inline void each_wrapper(const char *layer, const char *const skip[],
                                wrapper_fn visit) {
  char heading[32], header[64];
  char *text = file_text("include/vow.h");
  const char *at, *end;
  int n, i;
  snprintf(heading, sizeof heading, "/* %s */", layer);
  at = strstr(text, heading);
  ck_assert_msg(at != NULL, "vow.h has no heading %s", layer);
  end = strstr(at + 3, "\n/* ");
  while ((at = strstr(at, "#include <")) != NULL && (end == NULL || at < end)) {
    ck_assert_int_eq(sscanf(at, "#include <%63[^>]>%n", header, &n), 1);
    for (i = 0; skip[i] != NULL; i++)
      if (strncmp(header, skip[i], strlen(skip[i])) == 0) break;
    if (skip[i] == NULL) each_wrapper_in(header, visit);
    at += n;
  }
  free(text);
}

#endif

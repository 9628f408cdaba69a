/* SPDX-License-Identifier: MIT */
/* What is written to stderr, read back. */
#ifndef VOW_TEST_SUPPORT_CAPTURE_H
#define VOW_TEST_SUPPORT_CAPTURE_H

#include <stdio.h>
#include <unistd.h>

#include "support/test.h"

typedef struct capture {
  FILE *file;
  int old_fd;
} capture_t;

/** What is written to stderr from now on goes into c. */
static inline void capture_begin(capture_t *c) {
  fflush(stderr);
  c->file = tmpfile();
  c->old_fd = dup(2);
  ck_assert_ptr_nonnull(c->file);
  ck_assert_int_ge(dup2(fileno(c->file), 2), 0);
}

/** Ends that, and gives what was written. */
static inline void capture_end(capture_t *c, char *text, size_t size_bytes) {
  fflush(stderr);
  dup2(c->old_fd, 2);
  close(c->old_fd);
  rewind(c->file);
  text[fread(text, 1, size_bytes - 1, c->file)] = '\0';
  fclose(c->file);
}

#endif

/* SPDX-License-Identifier: MIT */
/* A folder with a few things in it, for the tests of files. Header only. */
#ifndef VOW_TEST_UV_FS_SUPPORT_H
#define VOW_TEST_UV_FS_SUPPORT_H

#include "unit/uv/uv_support.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct folder {
  vow_loop_t *loop;
  char path[32];
  char names[8][300]; /* of in() */
  int next_name;
  int fd;  /* of "file", which holds "0123456789" */
  int fds; /* open descriptors, once all was set up */
} folder_t;

/* name within the folder; one of the last eight asked for. */
static inline const char *in(folder_t *t, const char *name) {
  char *to = t->names[t->next_name++ % 8];
  snprintf(to, sizeof t->names[0], "%s/%s", t->path, name);
  return to;
}

static inline int count_fds(void) {
  int n = 0, fd;
  for (fd = 0; fd < 256; fd++) n += fcntl(fd, F_GETFD) >= 0;
  return n;
}

static inline void make_file(const char *path, const char *content) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, content, strlen(content)),
                   (ssize_t)strlen(content));
  close(fd);
}

static inline void expect_content(const char *path, const char *content) {
  char buf[256];
  int fd = open(path, O_RDONLY);
  ssize_t n;
  ck_assert_int_ge(fd, 0);
  n = read(fd, buf, sizeof buf - 1);
  ck_assert_int_ge(n, 0);
  close(fd);
  buf[n] = '\0';
  ck_assert_str_eq(buf, content);
}

/* "file", "link" to it, and the empty folder "empty". */
static inline folder_t *folder_open(vow_loop_t *loop) {
  folder_t *t = calloc(1, sizeof *t);
  ck_assert_ptr_nonnull(t);
  t->loop = loop;
  strcpy(t->path, "/tmp/vow-test-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(t->path));
  make_file(in(t, "file"), "0123456789");
  ck_assert_int_eq(symlink("file", in(t, "link")), 0);
  ck_assert_int_eq(mkdir(in(t, "empty"), 0755), 0);
  t->fd = open(in(t, "file"), O_RDWR);
  ck_assert_int_ge(t->fd, 0);
  t->fds = count_fds();
  return t;
}

/* How many names in the folder begin so. */
static inline int count_names(folder_t *t, const char *prefix) {
  DIR *d = opendir(t->path);
  const struct dirent *e;
  int n = 0;
  ck_assert_ptr_nonnull(d);
  while ((e = readdir(d)) != NULL)
    n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
  closedir(d);
  return n;
}

/* Removes path and all below it. */
static inline void remove_all(const char *path) {
  DIR *d = opendir(path);
  const struct dirent *e;
  while (d != NULL && (e = readdir(d)) != NULL) {
    char sub[512];
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    snprintf(sub, sizeof sub, "%.250s/%.250s", path, e->d_name);
    if (unlink(sub) != 0) remove_all(sub);
  }
  if (d != NULL) closedir(d);
  rmdir(path);
}

/* The loop is closed, or is about to be. */
static inline void folder_free(folder_t *t) {
  close(t->fd);
  remove_all(t->path);
  free(t);
}

static inline void folder_close(folder_t *t) {
  ck_assert_int_eq(vow_loop_run(t->loop), 0);
  ck_assert_int_eq(count_fds(), t->fds);
  loop_done(t->loop);
  folder_free(t);
}

#endif

/* SPDX-License-Identifier: MIT */
/* Whole files: reading, writing, replacing. */
#include <vow/file.h>

#include "unit/uv/fs_support.h"

#include <signal.h>
#include <sys/resource.h>

static int mode_of(const char *path) {
  struct stat st;
  ck_assert_int_eq(stat(path, &st), 0);
  return (int)(st.st_mode & 07777);
}

/* ---- read_all ------------------------------------------------------------ */

TEST(test_file_read_all_gives_the_content) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_file_read_all(t->loop, in(t, "file"), SIZE_MAX);
  ck_assert_int_eq(settle(t->loop, f), 0);
  expect_bytes(f, "0123456789");
  vow_drop(f);
  make_file(in(t, "nothing"), "");
  f = vow_file_read_all(t->loop, in(t, "nothing"), 0);
  ck_assert_int_eq(settle(t->loop, f), 0);
  expect_bytes(f, "");
  vow_drop(f);
  folder_close(t);
}

TEST(test_file_read_all_limit_is_exact) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_file_read_all(t->loop, in(t, "file"), 10);
  ck_assert_int_eq(settle(t->loop, f), 0);
  expect_bytes(f, "0123456789");
  vow_drop(f);
  f = vow_file_read_all(t->loop, in(t, "file"), 9);
  ck_assert_int_eq(settle(t->loop, f), UV_EFBIG);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "file_read_all: more than 9 bytes");
  vow_drop(f);
  folder_close(t);
}

/* Its size is not known before. */
TEST(test_file_read_all_of_a_fifo_reads_to_its_end) {
  folder_t *t = folder_open(loop_open());
  char *data = malloc(30000);
  vow_future_t *f;
  vow_bytes_t *b;
  int fd;
  memset(data, 'x', 30000);
  ck_assert_int_eq(mkfifo(in(t, "fifo"), 0600), 0);
  fd = open(in(t, "fifo"), O_RDWR);
  ck_assert_int_eq(write(fd, data, 30000), 30000);
  free(data);
  f = vow_file_read_all(t->loop, in(t, "fifo"), SIZE_MAX);
  turns(t->loop, 3);
  uv_sleep(5);
  turns(t->loop, 3);
  close(fd); /* the end */
  ck_assert_int_eq(settle(t->loop, f), 0);
  b = vow_bytes_get(f);
  ck_assert_uint_eq(vow_bytes_length(b), 30000);
  ck_assert_int_eq(vow_bytes_data(b)[29999], 'x');
  vow_drop(f);
  folder_close(t);
}

TEST(test_file_read_all_of_a_fifo_over_the_limit_fails) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f;
  int fd;
  ck_assert_int_eq(mkfifo(in(t, "fifo"), 0600), 0);
  fd = open(in(t, "fifo"), O_RDWR);
  ck_assert_int_eq(write(fd, "0123456789", 10), 10);
  f = vow_file_read_all(t->loop, in(t, "fifo"), 5);
  ck_assert_int_eq(settle_drop(t->loop, f), UV_EFBIG);
  close(fd);
  folder_close(t);
}

/* The thread writes into the operation's memory until then. */
TEST(test_file_read_all_cancelled_while_it_reads_waits_for_libuv) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f;
  int fd, i;
  ck_assert_int_eq(mkfifo(in(t, "fifo"), 0600), 0);
  fd = open(in(t, "fifo"), O_RDWR);
  f = vow_file_read_all(t->loop, in(t, "fifo"), 100);
  for (i = 0; i < 10; i++) {
    turns(t->loop, 1);
    uv_sleep(1);
  }
  ck_assert_int_eq(vow_cancel(f), 0);
  turns(t->loop, 3);
  ck_assert(!vow_is_settled(f));
  ck_assert_int_eq(write(fd, "abc", 3), 3);
  ck_assert_int_eq(settle_drop(t->loop, f), UV_ECANCELED);
  close(fd);
  folder_close(t);
}

TEST(test_file_read_all_failures_name_the_path) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_file_read_all(t->loop, "/nowhere", 10);
  ck_assert_int_eq(settle(t->loop, f), UV_ENOENT);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "fs_open /nowhere: "));
  ck_assert_ptr_nonnull(strstr(vow_error_site(vow_error(f)), "test_file.c:"));
  vow_drop(f);
  f = vow_file_read_all(t->loop, t->path, SIZE_MAX);
  ck_assert_int_eq(settle_drop(t->loop, f), UV_EISDIR);
  folder_close(t);
}

/* ---- write_all ----------------------------------------------------------- */

TEST(test_file_write_all_follows_its_flags) {
  folder_t *t = folder_open(loop_open());
  const char *path = in(t, "file");
  char data[] = "abc";
  vow_future_t *f = vow_file_write_all(t->loop, path, data, 3, 0, 0600);
  data[0] = 'z'; /* it was copied */
  ck_assert_int_eq(settle_drop(t->loop, f), 0);
  expect_content(path, "abc3456789");
  f = vow_file_write_all(t->loop, path, "xyz", 3, O_TRUNC, 0600);
  ck_assert_int_eq(settle_drop(t->loop, f), 0);
  expect_content(path, "xyz");
  f = vow_file_write_all_borrowed(t->loop, path, "!", 1, O_APPEND, 0600);
  ck_assert_int_eq(settle_drop(t->loop, f), 0);
  expect_content(path, "xyz!");
  f = vow_file_write_all(t->loop, path, "a", 1, O_EXCL, 0600);
  ck_assert_int_eq(settle_drop(t->loop, f), UV_EEXIST);
  f = vow_file_write_all(t->loop, in(t, "new"), NULL, 0, O_EXCL, 0640);
  ck_assert_int_eq(settle_drop(t->loop, f), 0);
  expect_content(in(t, "new"), "");
  ck_assert_int_eq(mode_of(in(t, "new")), 0640);
  folder_close(t);
}

TEST(test_file_write_all_without_room_fails) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_file_write_all(t->loop, "/dev/full", "abc", 3, 0, 0600);
  ck_assert_int_eq(settle_drop(t->loop, f), UV_ENOSPC);
  f = vow_file_write_all(t->loop, "/nowhere/a", "abc", 3, 0, 0600);
  ck_assert_int_eq(settle_drop(t->loop, f), UV_ENOENT);
  folder_close(t);
}

/* ---- replace ------------------------------------------------------------- */

TEST(test_file_replace_keeps_or_sets_the_mode) {
  folder_t *t = folder_open(loop_open());
  const char *path = in(t, "file");
  vow_future_t *f;
  ck_assert_int_eq(chmod(path, 0604), 0);
  f = vow_file_replace(t->loop, path, "abc", 3, -1);
  ck_assert_int_eq(settle_drop(t->loop, f), 0);
  expect_content(path, "abc");
  ck_assert_int_eq(mode_of(path), 0604);
  f = vow_file_replace(t->loop, path, "", 0, 0666);
  ck_assert_int_eq(settle_drop(t->loop, f), 0);
  expect_content(path, "");
  ck_assert_int_eq(mode_of(path), 0666);
  f = vow_file_replace(t->loop, in(t, "new"), "n", 1, -1);
  ck_assert_int_eq(settle_drop(t->loop, f), 0);
  expect_content(in(t, "new"), "n");
  ck_assert_int_eq(mode_of(in(t, "new")), 0600);
  ck_assert_int_eq(count_names(t, ".vow-"), 0);
  folder_close(t);
}

TEST(test_file_replace_leaves_who_has_the_old_one_alone) {
  folder_t *t = folder_open(loop_open());
  char data[11] = "";
  vow_future_t *f = vow_file_replace(t->loop, in(t, "file"), "abc", 3, -1);
  ck_assert_int_eq(settle_drop(t->loop, f), 0);
  ck_assert_int_eq(pread(t->fd, data, 10, 0), 10);
  ck_assert_str_eq(data, "0123456789");
  folder_close(t);
}

TEST(test_file_replace_works_with_a_path_without_folder) {
  char before[4096];
  folder_t *t = folder_open(loop_open());
  vow_future_t *f;
  ck_assert_ptr_nonnull(getcwd(before, sizeof before));
  ck_assert_int_eq(chdir(t->path), 0);
  f = vow_file_replace(t->loop, "file", "abc", 3, 0600);
  ck_assert_int_eq(settle_drop(t->loop, f), 0);
  expect_content("file", "abc");
  ck_assert_int_eq(chdir(before), 0);
  folder_close(t);
}

TEST(test_file_replace_replaces_a_link_not_its_target) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_file_replace(t->loop, in(t, "link"), "abc", 3, 0600);
  struct stat st;
  ck_assert_int_eq(settle_drop(t->loop, f), 0);
  ck_assert_int_eq(lstat(in(t, "link"), &st), 0);
  ck_assert(S_ISREG(st.st_mode));
  expect_content(in(t, "file"), "0123456789");
  folder_close(t);
}

static void expect_untouched(folder_t *t) {
  ck_assert_int_eq(count_names(t, ".vow-"), 0);
  expect_content(in(t, "file"), "0123456789");
  folder_close(t);
}

TEST(test_file_replace_rename_fails_unlinks_the_temp) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_file_replace(t->loop, in(t, "empty"), "abc", 3, 0600);
  int err = settle_drop(t->loop, f);
  ck_assert(err == UV_EISDIR || err == UV_EEXIST);
  expect_untouched(t);
}

TEST(test_file_replace_write_fails_unlinks_the_temp) {
  folder_t *t = folder_open(loop_open());
  struct rlimit r = {5, RLIM_INFINITY};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &r);
  ck_assert_int_eq(
      settle_drop(t->loop, vow_file_replace(t->loop, in(t, "file"),
                                            "more than five", 14, -1)),
      UV_EFBIG);
  r.rlim_cur = RLIM_INFINITY;
  setrlimit(RLIMIT_FSIZE, &r);
  expect_untouched(t);
}

TEST(test_file_replace_without_folder_fails) {
  folder_t *t = folder_open(loop_open());
  ck_assert_int_eq(settle_drop(t->loop, vow_file_replace(t->loop, "/nowhere/a",
                                                         "a", 1, 0600)),
                   UV_ENOENT);
  ck_assert_int_eq(
      settle_drop(t->loop,
                  vow_file_replace(t->loop, in(t, "file/a"), "a", 1, -1)),
      UV_ENOTDIR);
  expect_untouched(t);
}

SUITE(net_file) {
  ADD(test_file_read_all_gives_the_content);
  ADD(test_file_read_all_limit_is_exact);
  ADD(test_file_read_all_of_a_fifo_reads_to_its_end);
  ADD(test_file_read_all_of_a_fifo_over_the_limit_fails);
  ADD(test_file_read_all_cancelled_while_it_reads_waits_for_libuv);
  ADD(test_file_read_all_failures_name_the_path);
  ADD(test_file_write_all_follows_its_flags);
  ADD(test_file_write_all_without_room_fails);
  ADD(test_file_replace_keeps_or_sets_the_mode);
  ADD(test_file_replace_leaves_who_has_the_old_one_alone);
  ADD(test_file_replace_works_with_a_path_without_folder);
  ADD(test_file_replace_replaces_a_link_not_its_target);
  ADD(test_file_replace_rename_fails_unlinks_the_temp);
  ADD(test_file_replace_write_fails_unlinks_the_temp);
  ADD(test_file_replace_without_folder_fails);
}

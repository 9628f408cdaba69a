/* SPDX-License-Identifier: MIT */
/* Names, attributes and what is known of files: what each request does. */
#include "unit/uv/fs_support.h"

/* Runs f, which must succeed. */
static void done(folder_t *t, vow_future_t *f) {
  ck_assert_msg(settle(t->loop, f) == 0, "%s", vow_error_message(vow_error(f)));
  vow_drop(f);
}

static struct stat stat_of(const char *path) {
  struct stat st;
  ck_assert_int_eq(lstat(path, &st), 0);
  return st;
}

static bool exists(const char *path) {
  struct stat st;
  return lstat(path, &st) == 0;
}

TEST(test_fs_unlink_rmdir_mkdir_do_so) {
  folder_t *t = folder_open(loop_open());
  done(t, vow_fs_unlink(t->loop, in(t, "link")));
  ck_assert(!exists(in(t, "link")));
  done(t, vow_fs_rmdir(t->loop, in(t, "empty")));
  ck_assert(!exists(in(t, "empty")));
  done(t, vow_fs_mkdir(t->loop, in(t, "new"), 0700));
  ck_assert_int_eq(stat_of(in(t, "new")).st_mode & 07777, 0700);
  ck_assert_int_eq(
      settle_drop(t->loop, vow_fs_mkdir(t->loop, in(t, "new"), 0700)),
      UV_EEXIST);
  ck_assert_int_eq(settle_drop(t->loop, vow_fs_rmdir(t->loop, t->path)),
                   UV_ENOTEMPTY);
  folder_close(t);
}

TEST(test_fs_rename_link_copyfile_keep_the_content) {
  folder_t *t = folder_open(loop_open());
  done(t, vow_fs_rename(t->loop, in(t, "file"), in(t, "moved")));
  ck_assert(!exists(in(t, "file")));
  done(t, vow_fs_link(t->loop, in(t, "moved"), in(t, "second")));
  ck_assert_uint_eq(stat_of(in(t, "moved")).st_nlink, 2);
  done(t, vow_fs_copyfile(t->loop, in(t, "second"), in(t, "copy"), 0));
  expect_content(in(t, "copy"), "0123456789");
  ck_assert_int_eq(
      settle_drop(t->loop, vow_fs_copyfile(t->loop, in(t, "second"),
                                           in(t, "copy"), UV_FS_COPYFILE_EXCL)),
      UV_EEXIST);
  ck_assert_int_eq(settle_drop(t->loop, vow_fs_copyfile(t->loop, in(t, "moved"),
                                                        in(t, "c"), 0x800)),
                   UV_EINVAL);
  folder_close(t);
}

TEST(test_fs_rename_failure_names_both_paths) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_fs_rename(t->loop, "/nowhere/a", "/nowhere/b");
  ck_assert_int_eq(settle(t->loop, f), UV_ENOENT);
  ck_assert_str_eq(
      vow_error_message(vow_error(f)),
      "fs_rename /nowhere/a -> /nowhere/b: no such file or directory");
  vow_drop(f);
  folder_close(t);
}

TEST(test_fs_symlink_readlink_realpath_agree) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f;
  done(t, vow_fs_symlink(t->loop, "empty/../file", in(t, "way"), 0));
  f = vow_fs_readlink(t->loop, in(t, "way"));
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_str_eq(vow_get_string(f), "empty/../file");
  vow_drop(f);
  f = vow_fs_realpath(t->loop, in(t, "way"));
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_str_eq(vow_get_string(f), in(t, "file"));
  vow_drop(f);
  f = vow_fs_readlink(t->loop, in(t, "file"));
  ck_assert_int_eq(settle_drop(t->loop, f), UV_EINVAL);
  folder_close(t);
}

TEST(test_fs_access_says_no) {
  folder_t *t = folder_open(loop_open());
  done(t, vow_fs_access(t->loop, in(t, "file"), R_OK | W_OK));
  ck_assert_int_eq(
      settle_drop(t->loop, vow_fs_access(t->loop, in(t, "file"), X_OK)),
      UV_EACCES);
  folder_close(t);
}

TEST(test_fs_stats_tell_files_from_links) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_fs_lstat(t->loop, in(t, "link"));
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_uint_eq(vow_stat_get(f)->st_mode & S_IFMT, S_IFLNK);
  vow_drop(f);
  f = vow_fs_stat(t->loop, in(t, "link"));
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_uint_eq(vow_stat_get(f)->st_size, 10);
  vow_drop(f);
  f = vow_fs_fstat(t->loop, t->fd);
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_uint_eq(vow_stat_get(f)->st_ino, stat_of(in(t, "file")).st_ino);
  vow_drop(f);
  f = vow_fs_statfs(t->loop, t->path);
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_uint_gt(vow_statfs_get(f)->f_bsize, 0);
  ck_assert_ptr_null(vow_stat_get(f));
  vow_drop(f);
  folder_close(t);
}

TEST(test_fs_modes_times_owners_are_set) {
  folder_t *t = folder_open(loop_open());
  done(t, vow_fs_chmod(t->loop, in(t, "file"), 0640));
  ck_assert_int_eq(stat_of(in(t, "file")).st_mode & 07777, 0640);
  done(t, vow_fs_fchmod(t->loop, t->fd, 0604));
  ck_assert_int_eq(stat_of(in(t, "file")).st_mode & 07777, 0604);
  done(t, vow_fs_utime(t->loop, in(t, "file"), 1000, 2000));
  ck_assert_int_eq(stat_of(in(t, "file")).st_mtime, 2000);
  done(t, vow_fs_futime(t->loop, t->fd, 1000, 3000));
  ck_assert_int_eq(stat_of(in(t, "file")).st_mtime, 3000);
  done(t, vow_fs_lutime(t->loop, in(t, "link"), 1000, 4000));
  ck_assert_int_eq(stat_of(in(t, "link")).st_mtime, 4000);
  ck_assert_int_eq(stat_of(in(t, "file")).st_mtime, 3000);
  done(t, vow_fs_chown(t->loop, in(t, "file"), (uv_uid_t)-1, (uv_gid_t)-1));
  done(t, vow_fs_lchown(t->loop, in(t, "link"), (uv_uid_t)-1, (uv_gid_t)-1));
  done(t, vow_fs_fchown(t->loop, t->fd, (uv_uid_t)-1, (uv_gid_t)-1));
  folder_close(t);
}

TEST(test_fs_null_paths_give_einval) {
  folder_t *t = folder_open(loop_open());
  vow_loop_t *l = t->loop;
  vow_future_t *f[18];
  int i;
  f[0] = vow_fs_unlink(l, NULL);
  f[1] = vow_fs_rename(l, NULL, "a");
  f[2] = vow_fs_rename(l, "a", NULL);
  f[3] = vow_fs_symlink(l, "a", NULL, 0);
  f[4] = vow_fs_readlink(l, NULL);
  f[5] = vow_fs_statfs(l, NULL);
  f[6] = vow_fs_lutime(l, NULL, 0, 0);
  f[7] = vow_fs_chown(l, NULL, 0, 0);
  f[8] = vow_fs_scandir(l, NULL, 0);
  f[9] = vow_fs_opendir(l, NULL);
  f[10] = vow_fs_readdir(l, NULL, 1);
  f[11] = vow_fs_closedir(l, NULL);
  f[12] = vow_fs_mkstemp(l, NULL);
  f[13] = vow_fs_mkdtemp(l, NULL);
  f[14] = vow_fs_readv_into(l, t->fd, NULL, 1, 0);
  f[15] = vow_fs_writev_borrowed(l, t->fd, NULL, 0, 0);
  f[16] = vow_fs_access(l, NULL, 0);
  f[17] = vow_fs_unlink(NULL, "a");
  for (i = 0; i < 18; i++) {
    ck_assert_msg(vow_status(f[i]) == UV_EINVAL, "%d: %d", i, vow_status(f[i]));
    vow_drop(f[i]);
  }
  folder_close(t);
}

SUITE(uv_fs_path) {
  ADD(test_fs_unlink_rmdir_mkdir_do_so);
  ADD(test_fs_rename_link_copyfile_keep_the_content);
  ADD(test_fs_rename_failure_names_both_paths);
  ADD(test_fs_symlink_readlink_realpath_agree);
  ADD(test_fs_stats_tell_files_from_links);
  ADD(test_fs_modes_times_owners_are_set);
  ADD(test_fs_null_paths_give_einval);
  ADD(test_fs_access_says_no);
}

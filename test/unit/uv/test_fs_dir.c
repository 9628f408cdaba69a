/* SPDX-License-Identifier: MIT */
/* What is in a folder. */
#include "unit/uv/fs_support.h"

static vow_dir_t *dir_open(folder_t *t, const char *path) {
  vow_future_t *f = vow_fs_opendir(t->loop, path);
  vow_dir_t *dir;
  ck_assert_int_eq(settle(t->loop, f), 0);
  dir = vow_dir_take(f);
  ck_assert_ptr_nonnull(dir);
  vow_drop(f);
  return dir;
}

TEST(test_fs_scandir_gives_names_and_types_sorted) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_fs_scandir(t->loop, t->path, 0);
  const vow_dirents_t *d;
  ck_assert_int_eq(settle(t->loop, f), 0);
  d = vow_dirents_get(f);
  ck_assert_uint_eq(vow_dirents_count(d), 3);
  ck_assert_str_eq(vow_dirents_at(d, 0)->name, "empty");
  ck_assert_int_eq(vow_dirents_at(d, 0)->type, UV_DIRENT_DIR);
  ck_assert_str_eq(vow_dirents_at(d, 1)->name, "file");
  ck_assert_int_eq(vow_dirents_at(d, 1)->type, UV_DIRENT_FILE);
  ck_assert_str_eq(vow_dirents_at(d, 2)->name, "link");
  ck_assert_int_eq(vow_dirents_at(d, 2)->type, UV_DIRENT_LINK);
  ck_assert_ptr_null(vow_dirents_at(d, 3));
  ck_assert_ptr_null(vow_dirents_at(NULL, 0));
  vow_drop(f);
  folder_close(t);
}

TEST(test_fs_scandir_of_many_keeps_every_name) {
  folder_t *t = folder_open(loop_open());
  char name[64];
  vow_future_t *f;
  vow_dirents_t *d;
  int i;
  for (i = 0; i < 300; i++) {
    snprintf(name, sizeof name, "empty/a-name-of-some-length-%03d", i);
    make_file(in(t, name), "");
  }
  f = vow_fs_scandir(t->loop, in(t, "empty"), 0);
  ck_assert_int_eq(settle(t->loop, f), 0);
  vow_ref(f); /* so that taking it shares it */
  d = vow_dirents_take(f);
  vow_drop(f);
  vow_drop(f);
  ck_assert_uint_eq(vow_dirents_count(d), 300);
  for (i = 0; i < 300; i++) {
    snprintf(name, sizeof name, "a-name-of-some-length-%03d", i);
    ck_assert_str_eq(vow_dirents_at(d, (size_t)i)->name, name);
  }
  vow_dirents_unref(d);
  vow_dirents_unref(NULL);
  folder_close(t);
}

TEST(test_fs_scandir_of_nothing_gives_none) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_fs_scandir(t->loop, in(t, "empty"), 0);
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_uint_eq(vow_dirents_count(vow_dirents_get(f)), 0);
  vow_drop(f);
  folder_close(t);
}

TEST(test_fs_readdir_gives_some_at_a_time_and_then_none) {
  folder_t *t = folder_open(loop_open());
  vow_dir_t *dir = dir_open(t, t->path);
  size_t counts[3];
  int i;
  for (i = 0; i < 3; i++) {
    vow_future_t *f = vow_fs_readdir(t->loop, dir, 2);
    ck_assert_int_eq(settle(t->loop, f), 0);
    counts[i] = vow_dirents_count(vow_dirents_get(f));
    vow_drop(f);
  }
  ck_assert_uint_eq(counts[0], 2);
  ck_assert_uint_eq(counts[1], 1);
  ck_assert_uint_eq(counts[2], 0);
  ck_assert_int_eq(settle_drop(t->loop, vow_fs_closedir(t->loop, dir)), 0);
  folder_close(t);
}

TEST(test_fs_readdir_twice_at_a_time_is_busy) {
  folder_t *t = folder_open(loop_open());
  vow_dir_t *dir = dir_open(t, t->path);
  vow_future_t *f = vow_fs_readdir(t->loop, dir, 2);
  ck_assert_int_eq(settle_drop(t->loop, vow_fs_readdir(t->loop, dir, 2)),
                   UV_EBUSY);
  vow_cancel(f);
  ck_assert_int_eq(settle_drop(t->loop, vow_fs_readdir(t->loop, dir, 2)),
                   UV_EBUSY);
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(t->loop), 0);
  ck_assert_int_eq(settle_drop(t->loop, vow_fs_readdir(t->loop, dir, 2)), 0);
  ck_assert_int_eq(settle_drop(t->loop, vow_fs_readdir(t->loop, dir, 0)),
                   UV_EINVAL);
  vow_dir_free(dir);
  folder_close(t);
}

TEST(test_fs_closedir_waits_for_a_read_that_nobody_wants) {
  folder_t *t = folder_open(loop_open());
  int i;
  for (i = 0; i < 20; i++) {
    vow_dir_t *dir = dir_open(t, t->path);
    vow_drop(vow_fs_readdir(t->loop, dir, 100));
    if (i % 2 == 1) uv_sleep(1);
    ck_assert_int_eq(settle_drop(t->loop, vow_fs_closedir(t->loop, dir)), 0);
  }
  folder_close(t);
}

TEST(test_fs_dir_freed_during_a_read_is_closed_after_it) {
  folder_t *t = folder_open(loop_open());
  vow_dir_t *dir = dir_open(t, t->path);
  vow_future_t *f = vow_fs_readdir(t->loop, dir, 100);
  vow_dir_free(dir);
  ck_assert_int_eq(settle_drop(t->loop, f), 0);
  folder_close(t);
}

TEST(test_fs_closedir_dropped_closes_all_the_same) {
  folder_t *t = folder_open(loop_open());
  vow_dir_t *dir = dir_open(t, t->path);
  vow_drop(vow_fs_readdir(t->loop, dir, 100));
  vow_drop(vow_fs_closedir(t->loop, dir));
  folder_close(t);
}

TEST(test_fs_opendir_nobody_takes_is_closed_after_the_loop) {
  folder_t *t = folder_open(loop_open());
  vow_dir_t *dir = dir_open(t, t->path);
  vow_future_t *f = vow_fs_opendir(t->loop, t->path);
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_ptr_nonnull(vow_dir_get(f));
  vow_drop(f);
  loop_done(t->loop);
  vow_dir_free(dir);
  vow_dir_free(NULL);
  folder_free(t);
}

TEST(test_fs_values_describe_themselves) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_fs_scandir(t->loop, t->path, 0);
  char text[64], want[64];
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_str_eq(vow_value_describe(vow_peek(f), text, sizeof text),
                   "3 dirents");
  vow_drop(f);
  f = vow_fs_open(t->loop, in(t, "file"), O_RDONLY, 0);
  ck_assert_int_eq(settle(t->loop, f), 0);
  snprintf(want, sizeof want, "descriptor %d", (int)vow_file_get(f));
  ck_assert_str_eq(vow_value_describe(vow_peek(f), text, sizeof text), want);
  vow_drop(f);
  folder_close(t);
}

static bool scan_starved(size_t n) {
  folder_t *t;
  vow_future_t *f;
  bool hit;
  int err;
  fault_install();
  t = folder_open(loop_open_probe());
  make_file(in(t, "empty/only"), "");
  fault_fail_at(n);
  f = vow_fs_scandir(t->loop, in(t, "empty"), 0);
  err = settle(t->loop, f);
  hit = fault_failed() > 0;
  fault_off();
  ck_assert_int_eq(err, hit ? UV_ENOMEM : 0);
  vow_drop(f);
  folder_close(t);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return hit;
}

/* libuv's own memory is seen by leak checkers only. */
TEST(test_fs_scandir_out_of_memory_at_the_last_name_leaks_nothing) {
  size_t n = 1;
  while (scan_starved(n)) n++;
  ck_assert_uint_gt(n, 3);
}

SUITE(uv_fs_dir) {
  ADD(test_fs_scandir_gives_names_and_types_sorted);
  ADD(test_fs_scandir_of_many_keeps_every_name);
  ADD(test_fs_scandir_of_nothing_gives_none);
  ADD(test_fs_readdir_gives_some_at_a_time_and_then_none);
  ADD(test_fs_readdir_twice_at_a_time_is_busy);
  ADD(test_fs_closedir_waits_for_a_read_that_nobody_wants);
  ADD(test_fs_dir_freed_during_a_read_is_closed_after_it);
  ADD(test_fs_closedir_dropped_closes_all_the_same);
  ADD(test_fs_opendir_nobody_takes_is_closed_after_the_loop);
  ADD(test_fs_values_describe_themselves);
  ADD(test_fs_scandir_out_of_memory_at_the_last_name_leaks_nothing);
}

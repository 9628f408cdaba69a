/* SPDX-License-Identifier: MIT */
/* Temporary files and folders. */
#include "unit/uv/fs_support.h"

static vow_temp_t *temp_in(folder_t *t) {
  vow_future_t *f = vow_fs_mkstemp(t->loop, in(t, "tmp-XXXXXX"));
  vow_temp_t *temp;
  ck_assert_int_eq(settle(t->loop, f), 0);
  temp = vow_temp_take(f);
  vow_drop(f);
  return temp;
}

TEST(test_fs_mkstemp_taken_is_the_callers) {
  folder_t *t = folder_open(loop_open());
  vow_temp_t *temp = temp_in(t);
  ck_assert_int_eq(write(temp->file, "abc", 3), 3);
  expect_content(temp->path, "abc");
  ck_assert_int_eq(settle_drop(t->loop, vow_fs_close(t->loop, temp->file)), 0);
  vow_release(temp);
  ck_assert_int_eq(count_names(t, "tmp-"), 1);
  folder_close(t);
}

TEST(test_fs_mkstemp_nobody_takes_is_closed_and_unlinked) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_fs_mkstemp(t->loop, in(t, "tmp-XXXXXX"));
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_ptr_nonnull(vow_temp_get(f));
  ck_assert_int_eq(count_names(t, "tmp-"), 1);
  vow_drop(f);
  ck_assert_int_eq(count_names(t, "tmp-"), 0);
  folder_close(t);
}

TEST(test_fs_mkstemp_failure_names_the_template) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_fs_mkstemp(t->loop, "/nowhere/a-XXXXXX");
  ck_assert_int_eq(settle(t->loop, f), UV_ENOENT);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "fs_mkstemp /nowhere/a-XXXXXX: no such file or directory");
  vow_drop(f);
  f = vow_fs_mkstemp(t->loop, in(t, "no-pattern"));
  ck_assert_int_eq(settle_drop(t->loop, f), UV_EINVAL);
  folder_close(t);
}

TEST(test_fs_mkdtemp_gives_its_path) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f = vow_fs_mkdtemp(t->loop, in(t, "tmp-XXXXXX"));
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_int_eq(rmdir(vow_get_string(f)), 0);
  vow_drop(f);
  folder_close(t);
}

TEST(test_fs_temp_free_closes_and_unlinks_what_is_left_of_it) {
  folder_t *t = folder_open(loop_open());
  vow_temp_t *temp = temp_in(t);
  ck_assert_int_eq(close(temp->file), 0);
  temp->file = -1;
  vow_temp_free(temp);
  ck_assert_int_eq(count_names(t, "tmp-"), 0);
  vow_temp_free(NULL);
  folder_close(t);
}

/* Renamed: there is nothing to unlink. */
TEST(test_fs_temp_free_leaves_a_file_whose_path_is_empty) {
  folder_t *t = folder_open(loop_open());
  vow_temp_t *temp = temp_in(t);
  ck_assert_int_eq(rename(temp->path, in(t, "kept")), 0);
  *(char *)(uintptr_t)temp->path = '\0';
  vow_temp_free(temp);
  ck_assert_int_eq(count_names(t, "kept"), 1);
  folder_close(t); /* no descriptor is left */
}

SUITE(uv_fs_temp) {
  ADD(test_fs_mkstemp_taken_is_the_callers);
  ADD(test_fs_mkstemp_nobody_takes_is_closed_and_unlinked);
  ADD(test_fs_mkstemp_failure_names_the_template);
  ADD(test_fs_mkdtemp_gives_its_path);
  ADD(test_fs_temp_free_closes_and_unlinks_what_is_left_of_it);
  ADD(test_fs_temp_free_leaves_a_file_whose_path_is_empty);
}

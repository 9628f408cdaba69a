/* SPDX-License-Identifier: MIT */
/* All that is below a folder. */
#include <vow/file.h>

#include "unit/uv/fs_support.h"

/*   a/        a/b/      a/b/deep  a/z
 *   empty/    file      link -> file */
static folder_t *tree_open(vow_loop_t *loop) {
  folder_t *t = folder_open(loop);
  ck_assert_int_eq(mkdir(in(t, "a"), 0755), 0);
  ck_assert_int_eq(mkdir(in(t, "a/b"), 0755), 0);
  make_file(in(t, "a/b/deep"), "");
  make_file(in(t, "a/z"), "");
  return t;
}

static vow_walk_t *walk_of(folder_t *t, unsigned flags) {
  vow_walk_t *walk = NULL;
  ck_assert_int_eq(vow_dir_walk(t->loop, t->path, flags, &walk), 0);
  return walk;
}

/* name is the path below the folder. */
typedef struct expected {
  const char *name;
  uv_dirent_type_t type;
  size_t depth;
} expected_t;

static void expect_entry(folder_t *t, vow_walk_t *walk, expected_t x) {
  vow_future_t *f = vow_walk_next(walk);
  const vow_dir_entry_t *e;
  const char *slash = strrchr(x.name, '/');
  ck_assert_msg(settle(t->loop, f) == 0, "%d instead of %s", vow_status(f),
                x.name);
  e = vow_dir_entry_get(f);
  ck_assert_str_eq(e->path, in(t, x.name));
  ck_assert_str_eq(e->name, slash != NULL ? slash + 1 : x.name);
  ck_assert_int_eq(e->type, x.type);
  ck_assert_uint_eq(e->depth, x.depth);
  vow_drop(f);
}

static void expect_error(folder_t *t, vow_walk_t *walk, int err) {
  ck_assert_int_eq(settle_drop(t->loop, vow_walk_next(walk)), err);
}

static void expect_all(folder_t *t, vow_walk_t *walk, const expected_t *x,
                       size_t n) {
  size_t i;
  for (i = 0; i < n; i++) expect_entry(t, walk, x[i]);
  expect_error(t, walk, UV_EOF);
  expect_error(t, walk, UV_EOF);
}

static const expected_t whole[] = {
    {"a", UV_DIRENT_DIR, 1},         {"a/b", UV_DIRENT_DIR, 2},
    {"a/b/deep", UV_DIRENT_FILE, 3}, {"a/z", UV_DIRENT_FILE, 2},
    {"empty", UV_DIRENT_DIR, 1},     {"file", UV_DIRENT_FILE, 1},
    {"link", UV_DIRENT_LINK, 1},
};

TEST(test_walk_goes_depth_first_and_sorted) {
  folder_t *t = tree_open(loop_open());
  vow_walk_t *walk = walk_of(t, 0);
  expect_all(t, walk, whole, 7);
  vow_walk_free(walk);
  folder_close(t);
}

TEST(test_walk_root_with_a_slash_gets_no_second) {
  folder_t *t = folder_open(loop_open());
  vow_walk_t *walk = NULL;
  ck_assert_int_eq(vow_dir_walk(t->loop, in(t, ""), 0, &walk), 0);
  expect_entry(t, walk, (expected_t){"empty", UV_DIRENT_DIR, 1});
  vow_walk_free(walk);
  folder_close(t);
}

TEST(test_walk_does_not_follow_links_unless_told) {
  folder_t *t = folder_open(loop_open());
  vow_walk_t *walk;
  make_file(in(t, "empty/in"), "");
  ck_assert_int_eq(symlink("empty", in(t, "way")), 0);
  ck_assert_int_eq(symlink("nowhere", in(t, "x")), 0);
  walk = walk_of(t, 0);
  expect_entry(t, walk, (expected_t){"empty", UV_DIRENT_DIR, 1});
  expect_entry(t, walk, (expected_t){"empty/in", UV_DIRENT_FILE, 2});
  expect_entry(t, walk, (expected_t){"file", UV_DIRENT_FILE, 1});
  expect_entry(t, walk, (expected_t){"link", UV_DIRENT_LINK, 1});
  expect_entry(t, walk, (expected_t){"way", UV_DIRENT_LINK, 1});
  expect_entry(t, walk, (expected_t){"x", UV_DIRENT_LINK, 1});
  expect_error(t, walk, UV_EOF);
  vow_walk_free(walk);
  walk = walk_of(t, VOW_WALK_FOLLOW);
  expect_entry(t, walk, (expected_t){"empty", UV_DIRENT_DIR, 1});
  expect_entry(t, walk, (expected_t){"empty/in", UV_DIRENT_FILE, 2});
  expect_entry(t, walk, (expected_t){"file", UV_DIRENT_FILE, 1});
  expect_entry(t, walk, (expected_t){"link", UV_DIRENT_FILE, 1});
  expect_entry(t, walk, (expected_t){"way", UV_DIRENT_DIR, 1});
  expect_entry(t, walk, (expected_t){"way/in", UV_DIRENT_FILE, 2});
  expect_entry(t, walk, (expected_t){"x", UV_DIRENT_LINK, 1});
  expect_error(t, walk, UV_EOF);
  vow_walk_free(walk);
  folder_close(t);
}

TEST(test_walk_following_a_link_to_above_says_so_and_goes_on) {
  folder_t *t = folder_open(loop_open());
  vow_walk_t *walk;
  ck_assert_int_eq(symlink("..", in(t, "empty/up")), 0);
  walk = walk_of(t, VOW_WALK_FOLLOW);
  expect_entry(t, walk, (expected_t){"empty", UV_DIRENT_DIR, 1});
  expect_entry(t, walk, (expected_t){"empty/up", UV_DIRENT_DIR, 2});
  expect_error(t, walk, UV_ELOOP);
  expect_entry(t, walk, (expected_t){"file", UV_DIRENT_FILE, 1});
  vow_walk_free(walk);
  folder_close(t);
}

TEST(test_walk_folder_that_fails_is_told_of_and_left_out) {
  folder_t *t = tree_open(loop_open());
  vow_walk_t *walk = walk_of(t, 0);
  vow_future_t *f;
  expect_entry(t, walk, whole[0]);
  expect_entry(t, walk, whole[1]);
  remove_all(in(t, "a/b"));
  f = vow_walk_next(walk);
  ck_assert_int_eq(settle(t->loop, f), UV_ENOENT);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), in(t, "a/b")));
  vow_drop(f);
  expect_all(t, walk, whole + 3, 4);
  vow_walk_free(walk);
  folder_close(t);
}

TEST(test_walk_of_nothing_fails_once_and_ends) {
  folder_t *t = folder_open(loop_open());
  vow_walk_t *walk = NULL;
  ck_assert_int_eq(vow_dir_walk(t->loop, "/nowhere", 0, &walk), 0);
  expect_error(t, walk, UV_ENOENT);
  expect_error(t, walk, UV_EOF);
  vow_walk_free(walk);
  ck_assert_int_eq(vow_dir_walk(t->loop, in(t, "file"), 0, &walk), 0);
  expect_error(t, walk, UV_ENOTDIR);
  expect_error(t, walk, UV_EOF);
  vow_walk_free(walk);
  folder_close(t);
}

TEST(test_walk_several_nexts_are_served_in_order) {
  folder_t *t = tree_open(loop_open());
  vow_walk_t *walk = walk_of(t, 0);
  vow_future_t *f[8];
  vow_dir_entry_t *e;
  int i;
  for (i = 0; i < 8; i++) f[i] = vow_walk_next(walk);
  for (i = 0; i < 7; i++) {
    ck_assert_int_eq(settle(t->loop, f[i]), 0);
    e = vow_dir_entry_take(f[i]);
    ck_assert_str_eq(e->path, in(t, whole[i].name));
    vow_release(e);
  }
  ck_assert_int_eq(settle(t->loop, f[7]), UV_EOF);
  for (i = 0; i < 8; i++) vow_drop(f[i]);
  vow_walk_free(walk);
  folder_close(t);
}

TEST(test_walk_next_cancelled_takes_no_entry_away) {
  folder_t *t = tree_open(loop_open());
  vow_walk_t *walk = walk_of(t, 0);
  vow_drop(vow_walk_next(walk)); /* entering the root */
  expect_entry(t, walk, whole[0]);
  vow_drop(vow_walk_next(walk)); /* entering a */
  expect_entry(t, walk, whole[1]);
  vow_drop(vow_walk_next(walk)); /* entering a/b */
  expect_entry(t, walk, whole[2]);
  vow_walk_free(walk);
  folder_close(t);
}

TEST(test_walk_freed_while_it_reads_fails_its_nexts) {
  folder_t *t = tree_open(loop_open());
  vow_walk_t *walk = walk_of(t, 0);
  vow_future_t *f = vow_walk_next(walk);
  vow_walk_free(walk);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  folder_close(t);
}

/* Also while it asks where a link leads. */
TEST(test_walk_that_follows_freed_at_any_step_fails_the_next) {
  size_t taken, i;
  for (taken = 0; taken < 7; taken++) {
    folder_t *t = tree_open(loop_open());
    vow_walk_t *walk = walk_of(t, VOW_WALK_FOLLOW);
    vow_future_t *f;
    for (i = 0; i < taken; i++)
      ck_assert_int_eq(settle_drop(t->loop, vow_walk_next(walk)), 0);
    f = vow_walk_next(walk);
    vow_walk_free(walk);
    if (vow_status(f) != 0) ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
    vow_drop(f);
    folder_close(t);
  }
}

/* Takes all there is, and counts what was told of instead. */
static int take_all(folder_t *t, vow_walk_t *walk, int *ret_entries) {
  int failures = 0, err;
  *ret_entries = 0;
  for (;;) {
    err = settle_drop(t->loop, vow_walk_next(walk));
    if (err == UV_EOF) return failures;
    if (err == 0) {
      ++*ret_entries;
    } else {
      ck_assert_int_eq(err, UV_ENOMEM);
      failures++;
    }
  }
}

static bool walk_starved(size_t n) {
  folder_t *t;
  vow_walk_t *walk = NULL;
  int entries = 0, failures = 0;
  bool hit;
  fault_install();
  t = tree_open(loop_open_probe());
  fault_fail_at(n);
  if (vow_dir_walk(t->loop, t->path, VOW_WALK_FOLLOW, &walk) == 0)
    failures = take_all(t, walk, &entries);
  else
    ck_assert_ptr_null(walk);
  hit = fault_failed() > 0;
  fault_off();
  ck_assert_int_le(failures, hit ? 1 : 0);
  if (!hit) ck_assert_int_eq(entries, 7);
  vow_walk_free(walk);
  folder_close(t);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
  return hit;
}

TEST(test_walk_out_of_memory_tells_of_it_once_and_goes_on) {
  size_t n = 1;
  while (walk_starved(n)) n++;
  ck_assert_uint_gt(n, 10);
}

SUITE(net_file_walk) {
  ADD(test_walk_goes_depth_first_and_sorted);
  ADD(test_walk_root_with_a_slash_gets_no_second);
  ADD(test_walk_does_not_follow_links_unless_told);
  ADD(test_walk_following_a_link_to_above_says_so_and_goes_on);
  ADD(test_walk_folder_that_fails_is_told_of_and_left_out);
  ADD(test_walk_of_nothing_fails_once_and_ends);
  ADD(test_walk_several_nexts_are_served_in_order);
  ADD(test_walk_next_cancelled_takes_no_entry_away);
  ADD(test_walk_freed_while_it_reads_fails_its_nexts);
  ADD(test_walk_that_follows_freed_at_any_step_fails_the_next);
  ADD(test_walk_out_of_memory_tells_of_it_once_and_goes_on);
}

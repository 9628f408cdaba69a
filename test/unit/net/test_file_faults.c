/* SPDX-License-Identifier: MIT */
/* What libuv may say to everything of <vow/file.h>, at every step of it: the
 * failure is told, files are whole, and descriptors and memory come back. And
 * short reads and writes, which are no failures. */
#include <vow/debug.h>
#include <vow/file.h>

#include "check/shim/shim.h"
#include "unit/uv/fs_support.h"

#define NEW_TEXT "new content, and more of it"

typedef struct where {
  folder_t *t;
  vow_loop_t *loop;
  vow_lines_t *lines;
  vow_walk_t *walk;
  int fds;
} where_t;

typedef struct row {
  const char *name;
  vow_future_t *(*start)(where_t *at);
  /* What it gave when nothing was in the way. */
  void (*check)(where_t *at, vow_future_t *f);
  int late; /* calls whose failure may be kept quiet: closing a file that was
             * read, or that is closed in another way then */
} row_t;

/* ---- the rows ------------------------------------------------------------ */

static vow_future_t *start_read(where_t *at) {
  return vow_file_read_all(at->loop, in(at->t, "file"), 100);
}
static void check_read(where_t *at, vow_future_t *f) {
  (void)at;
  expect_bytes(f, "0123456789");
}

static vow_future_t *start_write(where_t *at) {
  return vow_file_write_all(at->loop, in(at->t, "new"), NEW_TEXT,
                            strlen(NEW_TEXT), O_TRUNC, 0600);
}
static vow_future_t *start_write_borrowed(where_t *at) {
  return vow_file_write_all_borrowed(at->loop, in(at->t, "new"), NEW_TEXT,
                                     strlen(NEW_TEXT), O_TRUNC, 0600);
}
static void check_write(where_t *at, vow_future_t *f) {
  (void)f;
  expect_content(in(at->t, "new"), NEW_TEXT);
}

static vow_future_t *start_replace(where_t *at) {
  return vow_file_replace(at->loop, in(at->t, "file"), NEW_TEXT,
                          strlen(NEW_TEXT), -1);
}
static void check_replace(where_t *at, vow_future_t *f) {
  (void)f;
  expect_content(in(at->t, "file"), NEW_TEXT);
}

static vow_future_t *start_lines(where_t *at) {
  return vow_lines_next(at->lines);
}

static vow_future_t *start_walk(where_t *at) {
  return vow_walk_next(at->walk);
}
static void check_walk(where_t *at, vow_future_t *f) {
  (void)at;
  ck_assert_str_eq(vow_dir_entry_get(f)->name, "empty");
}

static const row_t rows[] = {
    {"file_read_all", start_read, check_read, 1},
    {"file_write_all", start_write, check_write, 1},
    {"file_write_all_borrowed", start_write_borrowed, check_write, 1},
    {"file_replace", start_replace, check_replace, 2},
    {"lines_next", start_lines, check_read, 0},
    {"walk_next", start_walk, check_walk, 0},
};

#define ROWS ((int)(sizeof rows / sizeof rows[0]))

/* ---- the place ----------------------------------------------------------- */

static where_t where_open(void) {
  where_t at = {0};
  fault_install();
  at.t = folder_open(loop_open_probe());
  at.loop = at.t->loop;
  at.fds = at.t->fds;
  ck_assert_int_eq(vow_file_lines(at.loop, in(at.t, "file"), 100, &at.lines),
                   0);
  ck_assert_int_eq(vow_dir_walk(at.loop, at.t->path, 0, &at.walk), 0);
  vow__shim_on();
  return at;
}

static void where_close(where_t *at) {
  vow__shim_off();
  ck_assert_int_eq(vow_loop_run(at->loop), 0);
  vow_lines_free(at->lines);
  vow_walk_free(at->walk);
  ck_assert_int_eq(count_names(at->t, ".vow-"), 0);
  folder_close(at->t); /* counts the descriptors */
  ck_assert_int_eq(unseen, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* A file is as before or as it was to be, never in between. */
static void expect_whole(where_t *at, const row_t *r, int status) {
  char text[64] = {0};
  int fd = open(in(at->t, "file"), O_RDONLY);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_gt(read(fd, text, sizeof text - 1), 0);
  close(fd);
  if (strcmp(text, NEW_TEXT) != 0) ck_assert_str_eq(text, "0123456789");
  if (r->start == start_replace && status == 0)
    ck_assert_str_eq(text, NEW_TEXT);
}

/* ---- a code at every step ------------------------------------------------ */

typedef void (*arm_fn)(const char *name, size_t nth, int code);

/* With the nth step told code; false when there are not so many. */
static bool disturb(const row_t *r, arm_fn arm, size_t n, int code,
                    int *ret_quiet) {
  where_t at = where_open();
  vow_future_t *f;
  bool hit;
  int status;
  arm(NULL, n, code);
  f = r->start(&at);
  status = settle(at.loop, f);
  hit = vow__shim_hits() > 0;
  ck_assert_msg(status == 0 || status == code, "%s: step %zu gave %d", r->name,
                n, status);
  if (!hit) ck_assert_int_eq(status, 0);
  if (hit && status == 0) ++*ret_quiet;
  if (status == 0) r->check(&at, f);
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(at.loop), 0);
  expect_whole(&at, r, status);
  where_close(&at);
  return hit;
}

static void disturb_each(const row_t *r, arm_fn arm, int code) {
  int quiet = 0;
  size_t n;
  for (n = 1; disturb(r, arm, n, code, &quiet); n++) ck_assert_uint_lt(n, 50);
  ck_assert_uint_ge(n, 2);
  ck_assert_msg(quiet <= r->late, "%s kept %d failures quiet", r->name, quiet);
}

TEST(test_file_refused_at_any_step_tells_it_and_leaves_nothing) {
  disturb_each(&rows[_i], vow__shim_fail, UV_EIO);
}

TEST(test_file_told_a_code_at_any_step_tells_it_and_leaves_nothing) {
  disturb_each(&rows[_i], vow__shim_report, UV_EIO);
}

/* From the nth of each kind on nothing works, the clean-up's closing neither;
 * but a temporary file can still be unlinked. */
static void break_for_good(const char *name, size_t nth, int code) {
  (void)name;
  vow__shim_fail_from("uv_fs_read", nth, code);
  vow__shim_fail_from("uv_fs_write", nth, code);
  vow__shim_fail_from("uv_fs_close", nth, code);
  vow__shim_fail_from("uv_fs_fsync", nth, code);
  vow__shim_fail_from("uv_fs_scandir", nth, code);
}

TEST(test_file_refused_for_good_from_any_step_ends) {
  int quiet = 0;
  size_t n;
  for (n = 1; disturb(&rows[_i], break_for_good, n, UV_EIO, &quiet); n++)
    ck_assert_uint_lt(n, 50);
  ck_assert_uint_ge(n, 2);
}

/* ---- cancelled, and then told a code ------------------------------------- */

/* All but unlinking: what that leaves is nobody's fault. */
static const char *const steps[] = {
    "uv_fs_open",   "uv_fs_close",   "uv_fs_stat",   "uv_fs_fstat",
    "uv_fs_read",   "uv_fs_write",   "uv_fs_fchmod", "uv_fs_fsync",
    "uv_fs_rename", "uv_fs_mkstemp", "uv_fs_scandir"};

static void cancel_and_disturb(const row_t *r, arm_fn arm, const char *step,
                               int turn) {
  where_t at = where_open();
  vow_future_t *f;
  int status;
  f = r->start(&at);
  turns(at.loop, turn);
  arm(step, 1, UV_EIO);
  vow_cancel(f);
  status = settle(at.loop, f);
  ck_assert_int_eq(vow_loop_run(at.loop), 0);
  ck_assert(status == 0 || status == UV_EIO || vow_is_cancelled(f));
  vow_drop(f);
  expect_whole(&at, r, status);
  where_close(&at);
}

TEST(test_file_cancelled_and_refused_at_any_step_leaves_nothing) {
  size_t i;
  int turn;
  for (i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    for (turn = 0; turn < 8; turn += 2) {
      cancel_and_disturb(&rows[_i], vow__shim_fail, steps[i], turn);
      cancel_and_disturb(&rows[_i], vow__shim_report, steps[i], turn);
    }
  }
}

/* ---- short transfers ----------------------------------------------------- */

TEST(test_file_short_transfers_lose_nothing) {
  const row_t *r = &rows[_i];
  size_t max;
  for (max = 1; max <= 11; max += 5) {
    where_t at = where_open();
    vow_future_t *f;
    vow__shim_short_reads(max);
    vow__shim_short_writes(max);
    f = r->start(&at);
    ck_assert_int_eq(settle(at.loop, f), 0);
    r->check(&at, f);
    vow_drop(f);
    where_close(&at);
  }
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, ROWS)

/* ---- what should not be ---------------------------------------------------- */

/* A file that takes no byte, and says that this is well. */
TEST(test_file_write_of_nothing_again_and_again_is_an_error) {
  where_t at = where_open();
  vow_future_t *f;
  vow__shim_report("uv_fs_write", 1, 0);
  f = vow_file_write_all(at.loop, in(at.t, "new"), "abc", 3, O_WRONLY | O_CREAT,
                         0644);
  ck_assert_int_eq(settle(at.loop, f), UV_EIO);
  ck_assert_uint_eq(vow__shim_hits(), 1);
  vow_drop(f);
  where_close(&at);
}

TEST(test_file_lines_without_memory_gives_enomem) {
  where_t at = where_open();
  vow_lines_t *lines = NULL;
  size_t n;
  for (n = 1; n <= 2; n++) {
    fault_fail_at(n);
    ck_assert_int_eq(vow_file_lines(at.loop, in(at.t, "file"), 100, &lines),
                     UV_ENOMEM);
    ck_assert_uint_eq(fault_failed(), 1);
    fault_off();
    ck_assert_ptr_null(lines);
  }
  where_close(&at);
}
static void note_line(const char *line, void *arg) {
  char *text = arg;
  strncat(text, line, 400);
  strncat(text, "\n", 2);
}

TEST(test_file_steps_are_seen_in_a_dump_below_the_whole) {
  where_t at = where_open();
  vow_future_t *f = vow_file_read_all(at.loop, in(at.t, "file"), 100);
  char text[4096] = "";
  vow_dump(at.loop, note_line, text);
  ck_assert_ptr_nonnull(strstr(text, "file_read_all "));
  ck_assert_ptr_nonnull(strstr(text, "\n  fs_"));
  ck_assert_int_eq(settle_drop(at.loop, f), 0);
  where_close(&at);
}

/* Its size is told as 0, and it is longer than the first room for it. */
static bool long_file_starved(size_t n) {
  static const char path[] = "/proc/self/maps";
  where_t at = where_open();
  vow_future_t *f;
  bool hit;
  int err;
  fault_fail_at(n);
  f = vow_file_read_all(at.loop, path, 1 << 20);
  err = settle(at.loop, f);
  hit = fault_failed() > 0;
  fault_off();
  if (!hit) ck_assert_int_eq(err, 0);
  if (err != 0) ck_assert_int_eq(err, UV_ENOMEM);
  if (err == 0) ck_assert_uint_gt(vow_bytes_length(vow_bytes_get(f)), 0);
  vow_drop(f);
  where_close(&at);
  return hit;
}

TEST(test_file_of_unknown_length_read_without_memory_gives_enomem) {
  size_t n;
  if (access("/proc/self/maps", R_OK) != 0) return;
  for (n = 1; long_file_starved(n); n++) ck_assert_uint_lt(n, 100);
  ck_assert_uint_gt(n, 4);
}

SUITE(net_file_faults) {
  EACH(test_file_refused_at_any_step_tells_it_and_leaves_nothing);
  EACH(test_file_told_a_code_at_any_step_tells_it_and_leaves_nothing);
  EACH(test_file_refused_for_good_from_any_step_ends);
  EACH(test_file_cancelled_and_refused_at_any_step_leaves_nothing);
  EACH(test_file_short_transfers_lose_nothing);
  ADD(test_file_write_of_nothing_again_and_again_is_an_error);
  ADD(test_file_lines_without_memory_gives_enomem);
  ADD(test_file_steps_are_seen_in_a_dump_below_the_whole);
  ADD(test_file_of_unknown_length_read_without_memory_gives_enomem);
}

/* SPDX-License-Identifier: MIT */
/* Files. */
#include "unit/uv/uv_support.h"

#include <vow/work.h>

#include <fcntl.h>
#include <unistd.h>

typedef struct file {
  vow_loop_t *loop;
  char path[32];
  int fd;
} file_t;

static file_t file_open(const char *content) {
  file_t f = {loop_open(), "/tmp/vow-test-XXXXXX", -1};
  size_t n = strlen(content);
  f.fd = mkstemp(f.path);
  ck_assert_int_ge(f.fd, 0);
  ck_assert_int_eq(write(f.fd, content, n), (ssize_t)n);
  return f;
}

static void file_close(file_t *f) {
  close(f->fd);
  unlink(f->path);
  loop_done(f->loop);
}

static bool is_open(int fd) {
  return fcntl(fd, F_GETFD) >= 0;
}

TEST(test_fs_open_read_write_close_round_trip) {
  file_t t = file_open("");
  vow_future_t *f = vow_fs_open(t.loop, t.path, O_RDWR, 0);
  uv_file fd;
  ck_assert_int_eq(settle(t.loop, f), 0);
  fd = vow_file_take(f);
  ck_assert_int_ge(fd, 0);
  vow_drop(f);
  ck_assert(is_open(fd));
  f = vow_fs_write(t.loop, fd, "hello world", 11, 0);
  ck_assert_int_eq(settle(t.loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 11);
  vow_drop(f);
  f = vow_fs_read(t.loop, fd, 100, 6); /* shorter than asked: no failure */
  ck_assert_int_eq(settle(t.loop, f), 0);
  expect_bytes(f, "world");
  vow_drop(f);
  ck_assert_int_eq(settle_drop(t.loop, vow_fs_close(t.loop, fd)), 0);
  ck_assert(!is_open(fd));
  file_close(&t);
}

TEST(test_fs_read_at_end_gives_no_bytes) {
  file_t t = file_open("abc");
  vow_future_t *f = vow_fs_read(t.loop, t.fd, 10, 3);
  ck_assert_int_eq(settle(t.loop, f), 0);
  expect_bytes(f, "");
  vow_drop(f);
  f = vow_fs_read(t.loop, t.fd, 0, 0);
  ck_assert_int_eq(settle(t.loop, f), 0);
  expect_bytes(f, "");
  vow_drop(f);
  file_close(&t);
}

TEST(test_fs_read_into_and_write_borrowed_use_the_callers_memory) {
  file_t t = file_open("0123456789");
  char data[8] = "xxxxxxx";
  vow_future_t *f = vow_fs_read_into(t.loop, t.fd, data, 4, 3);
  ck_assert_int_eq(settle(t.loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 4);
  ck_assert_str_eq(data, "3456xxx");
  vow_drop(f);
  f = vow_fs_write_borrowed(t.loop, t.fd, data, 7, 0);
  ck_assert_int_eq(settle(t.loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 7);
  vow_drop(f);
  f = vow_fs_read(t.loop, t.fd, 10, 0);
  ck_assert_int_eq(settle(t.loop, f), 0);
  expect_bytes(f, "3456xxx789");
  vow_drop(f);
  file_close(&t);
}

TEST(test_fs_write_copies_its_data) {
  file_t t = file_open("");
  char data[4] = "abc";
  vow_future_t *f = vow_fs_write(t.loop, t.fd, data, 3, 0);
  memset(data, 'z', sizeof data);
  ck_assert_int_eq(settle_drop(t.loop, f), 0);
  f = vow_fs_read(t.loop, t.fd, 10, 0);
  ck_assert_int_eq(settle(t.loop, f), 0);
  expect_bytes(f, "abc");
  vow_drop(f);
  file_close(&t);
}

TEST(test_fs_stat_gives_the_size) {
  file_t t = file_open("12345");
  vow_future_t *f = vow_fs_stat(t.loop, t.path);
  ck_assert_int_eq(settle(t.loop, f), 0);
  ck_assert_ptr_nonnull(vow_stat_get(f));
  ck_assert_uint_eq(vow_stat_get(f)->st_size, 5);
  vow_drop(f);
  file_close(&t);
}

TEST(test_fs_failures_name_the_function_and_path) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = vow_fs_open(loop, "/nowhere/at/all", O_RDONLY, 0);
  char what[8];
  ck_assert_int_eq(settle(loop, f), UV_ENOENT);
  ck_assert_str_eq(vow_error_message(vow_error(f)),
                   "fs_open /nowhere/at/all: no such file or directory");
  ck_assert_ptr_nonnull(strstr(vow_error_site(vow_error(f)), "test_fs.c:"));
  vow_drop(f);
  f = vow_fs_stat(loop, "/nowhere");
  ck_assert_int_eq(settle_drop(loop, f), UV_ENOENT);
  f = vow_fs_read(loop, 9999, 10, 0);
  ck_assert_int_eq(settle(loop, f), UV_EBADF);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), "fs_read: "));
  vow_drop(f);
  f = vow_fs_read_into(loop, 9999, what, sizeof what, 0);
  ck_assert_int_eq(settle_drop(loop, f), UV_EBADF);
  ck_assert_int_eq(settle_drop(loop, vow_fs_write(loop, 9999, "a", 1, 0)),
                   UV_EBADF);
  ck_assert_int_eq(settle_drop(loop, vow_fs_close(loop, 9999)), UV_EBADF);
  loop_done(loop);
}

TEST(test_fs_bad_arguments_give_einval) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f[7];
  int i;
  f[0] = vow_fs_open(loop, NULL, O_RDONLY, 0);
  f[1] = vow_fs_stat(loop, NULL);
  f[2] = vow_fs_read(loop, 0, SIZE_MAX, 0);
  f[3] = vow_fs_read_into(loop, 0, NULL, 1, 0);
  f[4] = vow_fs_write(loop, 1, NULL, 1, 0);
  f[5] = vow_fs_write_borrowed(loop, 1, "", SIZE_MAX, 0);
  f[6] = vow_fs_close(NULL, 0);
  for (i = 0; i < 7; i++) {
    ck_assert_int_eq(vow_status(f[i]), UV_EINVAL);
    vow_drop(f[i]);
  }
  loop_done(loop);
}

static int next_fd(void) {
  int fd = open("/dev/null", O_RDONLY);
  close(fd);
  return fd;
}

TEST(test_fs_open_nobody_takes_is_closed) {
  file_t t = file_open("");
  vow_future_t *f = vow_fs_open(t.loop, t.path, O_RDONLY, 0);
  int fd;
  ck_assert_int_eq(settle(t.loop, f), 0);
  fd = vow_file_get(f);
  ck_assert(is_open(fd));
  vow_drop(f);
  ck_assert(!is_open(fd));
  file_close(&t);
}

TEST(test_fs_open_cancelled_too_late_is_closed) {
  file_t t = file_open("");
  int before, i;
  /* The pool's threads and libuv's own descriptors are there from here on. */
  ck_assert_int_eq(settle_drop(t.loop, vow_fs_stat(t.loop, t.path)), 0);
  before = next_fd();
  for (i = 0; i < 50; i++) {
    vow_future_t *f = vow_fs_open(t.loop, t.path, O_RDONLY, 0);
    if (i % 2 == 1) uv_sleep(1); /* opened, callback not run yet */
    ck_assert_int_eq(vow_cancel(f), 0);
    ck_assert(vow_is_cancelled(f));
    vow_drop(f);
  }
  ck_assert_int_eq(vow_loop_run(t.loop), 0);
  ck_assert_int_eq(next_fd(), before);
  file_close(&t);
}

TEST(test_fs_close_dropped_closes_all_the_same) {
  file_t t = file_open("");
  int fd = dup(t.fd);
  vow_drop(vow_fs_close(t.loop, fd));
  ck_assert_int_eq(vow_loop_run(t.loop), 0);
  ck_assert(!is_open(fd));
  file_close(&t);
}

static vow_value_t block(void *arg) {
  uv_sem_wait(arg);
  return vow_nil();
}

TEST(test_fs_borrowed_cancelled_while_queued_waits_for_libuv) {
  file_t t = file_open("0123456789");
  char data[4] = "xxx";
  uv_sem_t go;
  vow_future_t *blockers[4], *f;
  int i;
  uv_sem_init(&go, 0);
  for (i = 0; i < 4; i++) blockers[i] = vow_queue_work(t.loop, block, &go);
  f = vow_fs_read_into(t.loop, t.fd, data, 3, 0);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  /* libuv hands it back in the next turn, though the pool is busy. */
  ck_assert_int_eq(settle(t.loop, f), UV_ECANCELED);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  ck_assert_str_eq(data, "xxx");
  for (i = 0; i < 4; i++) uv_sem_post(&go);
  for (i = 0; i < 4; i++) ck_assert_int_eq(settle_drop(t.loop, blockers[i]), 0);
  uv_sem_destroy(&go);
  file_close(&t);
}

TEST(test_file_accessors_on_a_failure_give_minus_1) {
  vow_loop_t *loop = loop_open();
  vow_future_t *f = vow_ready(loop, vow_int(3));
  ck_assert_int_eq(vow_file_get(f), -1);
  ck_assert_int_eq(vow_file_take(f), -1);
  ck_assert_ptr_null(vow_stat_get(f));
  vow_drop(f);
  loop_done(loop);
}

SUITE(uv_fs) {
  ADD(test_fs_open_read_write_close_round_trip);
  ADD(test_fs_read_at_end_gives_no_bytes);
  ADD(test_fs_read_into_and_write_borrowed_use_the_callers_memory);
  ADD(test_fs_write_copies_its_data);
  ADD(test_fs_stat_gives_the_size);
  ADD(test_fs_failures_name_the_function_and_path);
  ADD(test_fs_bad_arguments_give_einval);
  ADD(test_fs_open_nobody_takes_is_closed);
  ADD(test_fs_open_cancelled_too_late_is_closed);
  ADD(test_fs_close_dropped_closes_all_the_same);
  ADD(test_fs_borrowed_cancelled_while_queued_waits_for_libuv);
  ADD(test_file_accessors_on_a_failure_give_minus_1);
}

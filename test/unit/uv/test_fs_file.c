/* SPDX-License-Identifier: MIT */
/* Open files: several buffers, sizes, copying, and reads that take their time:
 * of a fifo, so that a test says when. For these ASan is the judge. */
#include "unit/uv/fs_support.h"

#include <vow/work.h>

TEST(test_fs_vectors_are_filled_and_written_in_order) {
  folder_t *t = folder_open(loop_open());
  char a[5] = "", b[8] = "";
  uv_buf_t bufs[2] = {{a, 4}, {b, 7}};
  vow_future_t *f = vow_fs_readv_into(t->loop, t->fd, bufs, 2, 1);
  memset(bufs, 0, sizeof bufs); /* the array was copied */
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 9);
  vow_drop(f);
  ck_assert_str_eq(a, "1234");
  ck_assert_str_eq(b, "56789");
  bufs[0] = uv_buf_init(b, 2);
  bufs[1] = uv_buf_init(a, 3);
  f = vow_fs_writev_borrowed(t->loop, t->fd, bufs, 2, 8);
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 5);
  vow_drop(f);
  expect_content(in(t, "file"), "0123456756123");
  folder_close(t);
}

TEST(test_fs_ftruncate_cuts_and_syncs_succeed) {
  folder_t *t = folder_open(loop_open());
  ck_assert_int_eq(settle_drop(t->loop, vow_fs_ftruncate(t->loop, t->fd, 3)),
                   0);
  expect_content(in(t, "file"), "012");
  ck_assert_int_eq(settle_drop(t->loop, vow_fs_fsync(t->loop, t->fd)), 0);
  ck_assert_int_eq(settle_drop(t->loop, vow_fs_fdatasync(t->loop, t->fd)), 0);
  folder_close(t);
}

TEST(test_fs_sendfile_copies_from_its_offset) {
  folder_t *t = folder_open(loop_open());
  int out = open(in(t, "out"), O_RDWR | O_CREAT, 0600);
  vow_future_t *f = vow_fs_sendfile(t->loop, out, t->fd, 4, 100);
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 6);
  vow_drop(f);
  expect_content(in(t, "out"), "456789");
  close(out);
  folder_close(t);
}

typedef struct slow {
  folder_t *t;
  int fd; /* of a fifo, both ends */
} slow_t;

static slow_t slow_open(void) {
  slow_t s = {folder_open(loop_open()), -1};
  ck_assert_int_eq(mkfifo(in(s.t, "fifo"), 0600), 0);
  s.fd = open(in(s.t, "fifo"), O_RDWR);
  ck_assert_int_ge(s.fd, 0);
  return s;
}

static void slow_close(slow_t *s) {
  ck_assert_int_eq(vow_loop_run(s->t->loop), 0);
  close(s->fd);
  folder_close(s->t);
}

static vow_value_t no_work(void *arg) {
  (void)arg;
  return vow_nil();
}

/* Until a thread of the pool has what was begun before: they take it in
 * order. */
static void wait_until_taken(slow_t *s) {
  vow_future_t *f = vow_queue_work(s->t->loop, no_work, NULL);
  ck_assert_int_eq(settle_drop(s->t->loop, f), 0);
}

static void feed(slow_t *s) {
  ck_assert_int_eq(write(s->fd, "0123456789", 10), 10);
}

TEST(test_fs_read_cancelled_while_it_runs_settles_and_writes_its_own_memory) {
  slow_t s = slow_open();
  vow_future_t *f = vow_fs_read(s.t->loop, s.fd, 10, -1);
  wait_until_taken(&s);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  feed(&s); /* the thread now writes where the future was */
  slow_close(&s);
}

TEST(test_fs_read_into_cancelled_while_it_runs_waits_and_keeps_the_bytes) {
  slow_t s = slow_open();
  char *into = calloc(1, 11);
  vow_future_t *f = vow_fs_read_into(s.t->loop, s.fd, into, 10, -1);
  wait_until_taken(&s);
  ck_assert_int_eq(vow_cancel(f), 0);
  turns(s.t->loop, 3);
  ck_assert(!vow_is_settled(f));
  feed(&s);
  ck_assert_int_eq(settle(s.t->loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 10);
  vow_drop(f);
  ck_assert_str_eq(into, "0123456789");
  free(into);
  slow_close(&s);
}

TEST(test_fs_readv_into_cancelled_while_it_runs_waits) {
  slow_t s = slow_open();
  char *into = calloc(1, 11);
  uv_buf_t bufs[2] = {{into, 5}, {into + 5, 5}};
  vow_future_t *f = vow_fs_readv_into(s.t->loop, s.fd, bufs, 2, -1);
  wait_until_taken(&s);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(!vow_is_settled(f));
  feed(&s);
  ck_assert_int_eq(settle_drop(s.t->loop, f), 0);
  ck_assert_str_eq(into, "0123456789");
  free(into);
  slow_close(&s);
}

TEST(test_fs_write_cancelled_while_it_runs_writes_its_own_memory) {
  slow_t s = slow_open();
  char *data = malloc(100000); /* more than a pipe holds */
  char sink[4096];
  size_t left = 100000;
  vow_future_t *f;
  memset(data, 'x', 100000);
  f = vow_fs_write(s.t->loop, s.fd, data, 100000, -1);
  free(data);
  wait_until_taken(&s);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  while (left > 0) {
    ssize_t n = read(s.fd, sink, sizeof sink);
    ck_assert_int_gt(n, 0);
    ck_assert_int_eq(sink[n - 1], 'x');
    left -= (size_t)n;
  }
  slow_close(&s);
}

TEST(test_fs_read_running_keeps_the_loop_from_closing) {
  slow_t s = slow_open();
  vow_future_t *f = vow_fs_read(s.t->loop, s.fd, 10, -1);
  wait_until_taken(&s);
  ck_assert_int_eq(vow_loop_close(s.t->loop, 10), UV_EBUSY);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  feed(&s);
  slow_close(&s);
}

SUITE(uv_fs_file) {
  ADD(test_fs_vectors_are_filled_and_written_in_order);
  ADD(test_fs_ftruncate_cuts_and_syncs_succeed);
  ADD(test_fs_sendfile_copies_from_its_offset);
  ADD(test_fs_read_cancelled_while_it_runs_settles_and_writes_its_own_memory);
  ADD(test_fs_read_into_cancelled_while_it_runs_waits_and_keeps_the_bytes);
  ADD(test_fs_readv_into_cancelled_while_it_runs_waits);
  ADD(test_fs_write_cancelled_while_it_runs_writes_its_own_memory);
  ADD(test_fs_read_running_keeps_the_loop_from_closing);
}

/* SPDX-License-Identifier: MIT */
/* Streams, lines and walks as iterators. */
#include <vow/iter_net.h>
#include <vow/iter_tools.h>

#include "unit/net/stream_support.h"
#include "unit/uv/fs_support.h"

/* ---- streams, on a manual clock ------------------------------------------ */

static void close_on(duo_t *d, vow_iter_t *it) {
  vow_future_t *f = vow_iter_close(it);
  manual_drain(d->loop);
  ends(f, 0);
  vow_iter_free(it);
}

TEST(test_iter_stream_gives_pieces_until_the_end) {
  duo_t d = duo_open(0);
  vow_iter_t *it = vow_stream_iter(d.b, 4);
  vow_future_t *f = vow_iter_next(it);
  say(d.a, "hello");
  manual_drain(d.loop);
  gives(f, "hell");
  gives(vow_iter_next(it), "o");
  vow_drop(vow_stream_shutdown(d.a));
  f = vow_iter_next(it);
  manual_drain(d.loop);
  ends(f, UV_EOF);
  close_on(&d, it);
  duo_done(&d);
}

TEST(test_iter_stream_lines_come_one_by_one) {
  duo_t d = duo_open(0);
  vow_iter_t *it = vow_stream_line_iter(d.b, 10);
  vow_future_t *f;
  say(d.a, "one\r\ntwo\n\nrest");
  vow_drop(vow_stream_shutdown(d.a));
  manual_drain(d.loop);
  gives(vow_iter_next(it), "one");
  gives(vow_iter_next(it), "two");
  gives(vow_iter_next(it), "");
  f = vow_iter_next(it);
  manual_drain(d.loop);
  gives(f, "rest");
  ends(vow_iter_next(it), UV_EOF);
  close_on(&d, it);
  duo_done(&d);
}

TEST(test_iter_stream_cancelled_or_closed_leaves_the_bytes) {
  duo_t d = duo_open(0);
  vow_iter_t *it = vow_stream_line_iter(d.b, 10);
  vow_future_t *f;
  vow_drop(vow_iter_next(it));
  say(d.a, "one\ntwo\n");
  f = vow_iter_next(it);
  manual_drain(d.loop);
  gives(f, "one");
  close_on(&d, it); /* the stream stays open */
  f = vow_stream_read_line(d.b, 10);
  manual_drain(d.loop);
  gives(f, "two");
  duo_done(&d);
}

TEST(test_iter_stream_too_long_a_line_fails_the_next) {
  duo_t d = duo_open(0);
  vow_iter_t *it = vow_stream_line_iter(d.b, 2);
  say(d.a, "long\n");
  manual_drain(d.loop);
  ends(vow_iter_next(it), UV_EMSGSIZE);
  close_on(&d, it);
  duo_done(&d);
}

TEST(test_iter_stream_keeps_its_stream) {
  duo_t d = duo_open(0);
  vow_iter_t *it = vow_stream_iter(d.b, 0);
  vow_future_t *f;
  vow_stream_unref(d.b);
  d.b = NULL;
  f = vow_iter_next(it);
  say(d.a, "x");
  manual_drain(d.loop);
  gives(f, "x");
  vow_iter_free(it);
  manual_drain(d.loop);
  duo_done(&d);
}

TEST(test_iter_stream_closed_with_its_loop) {
  duo_t d = duo_open(0);
  vow_iter_t *it = vow_stream_iter(d.b, 0);
  vow_future_t *f = vow_iter_next(it);
  manual_close(d.loop);
  ends(f, UV_ECANCELED);
  vow_iter_free(it);
  vow_stream_unref(d.a);
  vow_stream_unref(d.b);
}

TEST(test_iter_stream_bad_arguments_and_want_of_memory) {
  duo_t d;
  vow_iter_t *it;
  fault_install();
  d = duo_on(manual_loop_probe(), 0);
  it = vow_stream_iter(NULL, 0);
  ends(vow_iter_next(it), UV_EINVAL);
  vow_iter_free(it);
  for (size_t n = 1; n < 3; n++) {
    fault_fail_at(n);
    it = vow_stream_line_iter(d.b, 0);
    ck_assert_uint_eq(fault_failed(), 1);
    fault_off();
    ends(vow_iter_next(it), UV_ENOMEM);
    vow_iter_free(it);
  }
  duo_done(&d);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- lines and walks ----------------------------------------------------- */

static vow_iter_t *lines_iter_of(folder_t *t, const char *name) {
  vow_lines_t *lines = NULL;
  ck_assert_int_eq(vow_file_lines(t->loop, in(t, name), 1000, &lines), 0);
  return vow_lines_iter(lines);
}

static vow_iter_t *walk_iter_of(folder_t *t) {
  vow_walk_t *walk = NULL;
  ck_assert_int_eq(vow_dir_walk(t->loop, t->path, 0, &walk), 0);
  return vow_walk_iter(walk);
}

static void close_in(folder_t *t, vow_iter_t *it) {
  ck_assert_int_eq(settle_drop(t->loop, vow_iter_close(it)), 0);
  ck_assert_int_eq(count_fds(), t->fds); /* no file is open any more */
  vow_iter_free(it);
}

TEST(test_iter_lines_of_a_file_come_one_by_one) {
  folder_t *t = folder_open(loop_open());
  vow_iter_t *it;
  vow_future_t *f;
  make_file(in(t, "text"), "one\ntwo\n");
  it = lines_iter_of(t, "text");
  f = vow_iter_next(it);
  ck_assert_int_eq(settle(t->loop, f), 0);
  expect_bytes(f, "one");
  vow_drop(f);
  f = vow_iter_next(it);
  ck_assert_int_eq(settle(t->loop, f), 0);
  expect_bytes(f, "two");
  vow_drop(f);
  ck_assert_int_eq(settle_drop(t->loop, vow_iter_next(it)), UV_EOF);
  close_in(t, it);
  folder_close(t);
}

/* Rule 21 */
TEST(test_iter_lines_closed_in_a_read_awaits_it_and_the_file) {
  folder_t *t = folder_open(loop_open());
  vow_iter_t *it;
  vow_future_t *f;
  make_file(in(t, "text"), "one\ntwo");
  it = lines_iter_of(t, "text");
  ck_assert_int_eq(settle_drop(t->loop, vow_iter_next(it)), 0);
  f = vow_iter_next(it); /* reads once more */
  close_in(t, it);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  folder_close(t);
}

TEST(test_iter_lines_closed_while_the_file_is_opened_leave_none_open) {
  folder_t *t = folder_open(loop_open());
  vow_iter_t *it = lines_iter_of(t, "file");
  vow_drop(vow_iter_next(it));
  ck_assert_int_eq(settle_drop(t->loop, vow_iter_close(it)), 0);
  vow_iter_free(it);
  ck_assert_int_eq(vow_loop_run(t->loop), 0);
  ck_assert_int_eq(count_fds(), t->fds);
  folder_close(t);
}

TEST(test_iter_lines_of_no_file_fail) {
  folder_t *t = folder_open(loop_open());
  vow_iter_t *it = lines_iter_of(t, "nothing");
  ck_assert_int_eq(settle_drop(t->loop, vow_iter_next(it)), UV_ENOENT);
  close_in(t, it);
  it = vow_lines_iter(NULL);
  ck_assert_int_eq(settle_drop(t->loop, vow_iter_next(it)), UV_EINVAL);
  vow_iter_free(it);
  it = vow_walk_iter(NULL);
  ck_assert_int_eq(settle_drop(t->loop, vow_iter_next(it)), UV_EINVAL);
  vow_iter_free(it);
  folder_close(t);
}

static vow_value_t note_name(vow_future_t *in, void *arg) {
  const vow_dir_entry_t *e = vow_dir_entry_get(in);
  strcat(strcat(arg, e->name), " ");
  return vow_nil();
}

TEST(test_iter_walk_gives_all_below_a_folder) {
  folder_t *t = folder_open(loop_open());
  char names[64] = "";
  vow_future_t *f = vow_iter_each(walk_iter_of(t), note_name, names);
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_int_eq(vow_get_int(f), 3);
  ck_assert_str_eq(names, "empty file link ");
  vow_drop(f);
  folder_close(t);
}

TEST(test_iter_walk_left_early_awaits_what_is_under_way) {
  folder_t *t = folder_open(loop_open());
  vow_iter_t *it = vow_iter_take(walk_iter_of(t), 1);
  ck_assert_int_eq(settle_drop(t->loop, vow_iter_next(it)), 0);
  ck_assert_int_eq(settle_drop(t->loop, vow_iter_next(it)), UV_EOF);
  close_in(t, it);
  it = walk_iter_of(t);
  vow_drop(vow_iter_next(it));
  close_in(t, it);
  folder_close(t);
}

TEST(test_iter_files_closed_with_their_loop) {
  folder_t *t = folder_open(loop_open());
  vow_iter_t *lines = lines_iter_of(t, "file"), *walk = walk_iter_of(t);
  vow_future_t *f = vow_iter_next(lines), *g = vow_iter_next(walk);
  ck_assert_int_eq(vow_loop_close(t->loop, 1000), 0);
  (void)vow_status(f);
  (void)vow_status(g);
  vow_drop(f);
  vow_drop(g);
  vow_iter_free(lines);
  vow_iter_free(walk);
  folder_free(t);
}

SUITE(net_iter) {
  ADD(test_iter_stream_gives_pieces_until_the_end);
  ADD(test_iter_stream_lines_come_one_by_one);
  ADD(test_iter_stream_cancelled_or_closed_leaves_the_bytes);
  ADD(test_iter_stream_too_long_a_line_fails_the_next);
  ADD(test_iter_stream_keeps_its_stream);
  ADD(test_iter_stream_closed_with_its_loop);
  ADD(test_iter_stream_bad_arguments_and_want_of_memory);
  ADD(test_iter_lines_of_a_file_come_one_by_one);
  ADD(test_iter_lines_closed_in_a_read_awaits_it_and_the_file);
  ADD(test_iter_lines_closed_while_the_file_is_opened_leave_none_open);
  ADD(test_iter_lines_of_no_file_fail);
  ADD(test_iter_walk_gives_all_below_a_folder);
  ADD(test_iter_walk_left_early_awaits_what_is_under_way);
  ADD(test_iter_files_closed_with_their_loop);
}

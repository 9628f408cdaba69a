/* SPDX-License-Identifier: MIT */
/* The lines of a file. */
#include <vow/file.h>

#include "unit/uv/fs_support.h"

static vow_lines_t *lines_of(folder_t *t, const char *path, size_t max) {
  vow_lines_t *lines = NULL;
  ck_assert_int_eq(vow_file_lines(t->loop, path, max, &lines), 0);
  return lines;
}

static void expect_line(folder_t *t, vow_lines_t *lines, const char *text) {
  vow_future_t *f = vow_lines_next(lines);
  ck_assert_msg(settle(t->loop, f) == 0, "%d instead of %s", vow_status(f),
                text);
  expect_bytes(f, text);
  vow_drop(f);
}

static void expect_error(folder_t *t, vow_lines_t *lines, int err) {
  ck_assert_int_eq(settle_drop(t->loop, vow_lines_next(lines)), err);
}

TEST(test_lines_come_without_newlines_and_end_with_eof) {
  folder_t *t = folder_open(loop_open());
  vow_lines_t *lines;
  make_file(in(t, "text"), "one\n\nthree\r\n\nlast");
  lines = lines_of(t, in(t, "text"), 100);
  expect_line(t, lines, "one");
  expect_line(t, lines, "");
  expect_line(t, lines, "three\r");
  expect_line(t, lines, "");
  expect_line(t, lines, "last");
  expect_error(t, lines, UV_EOF);
  expect_error(t, lines, UV_EOF);
  vow_lines_free(lines);
  folder_close(t);
}

TEST(test_lines_of_nothing_and_of_one_newline) {
  folder_t *t = folder_open(loop_open());
  vow_lines_t *lines;
  make_file(in(t, "text"), "");
  lines = lines_of(t, in(t, "text"), 100);
  expect_error(t, lines, UV_EOF);
  vow_lines_free(lines);
  make_file(in(t, "text"), "\n");
  lines = lines_of(t, in(t, "text"), 0);
  expect_line(t, lines, "");
  expect_error(t, lines, UV_EOF);
  vow_lines_free(lines);
  folder_close(t);
}

/* Line i: i and then as many letters as the generator says. */
static size_t line_length(unsigned i) {
  return i * 7919u % 1500u;
}

static char letter(size_t j) {
  return (char)('a' + j % 26);
}

static void write_many(const char *path, unsigned n) {
  FILE *file = fopen(path, "w");
  unsigned i;
  size_t j;
  ck_assert_ptr_nonnull(file);
  for (i = 0; i < n; i++) {
    fprintf(file, "%u:", i);
    for (j = 0; j < line_length(i); j++) fputc(letter(j), file);
    fputc('\n', file);
  }
  ck_assert_int_eq(fclose(file), 0);
}

static void expect_numbered(const vow_bytes_t *b, unsigned i) {
  char head[16];
  size_t n = (size_t)snprintf(head, sizeof head, "%u:", i);
  const char *data = vow_bytes_data(b);
  size_t j, wrong = 0;
  ck_assert_uint_eq(vow_bytes_length(b), n + line_length(i));
  ck_assert_int_eq(memcmp(data, head, n), 0);
  for (j = 0; j < line_length(i); j++) wrong += data[n + j] != letter(j);
  ck_assert_uint_eq(wrong, 0);
}

/* All of them kept: none is overwritten by a later read. */
TEST(test_lines_over_several_chunks_stay_what_they_were) {
  folder_t *t = folder_open(loop_open());
  enum { MANY = 2000 };
  vow_bytes_t *kept[MANY];
  vow_lines_t *lines;
  unsigned i;
  write_many(in(t, "text"), MANY);
  lines = lines_of(t, in(t, "text"), 2000);
  for (i = 0; i < MANY; i++) {
    vow_future_t *f = vow_lines_next(lines);
    ck_assert_int_eq(settle(t->loop, f), 0);
    kept[i] = vow_bytes_take(f);
    vow_drop(f);
  }
  expect_error(t, lines, UV_EOF);
  vow_lines_free(lines);
  for (i = 0; i < MANY; i++) {
    expect_numbered(kept[i], i);
    vow_bytes_unref(kept[i]);
  }
  folder_close(t);
}

/* None kept, and then some: chunks are used again only when nobody looks. */
TEST(test_lines_dropped_at_once_or_kept_for_a_while_are_right) {
  folder_t *t = folder_open(loop_open());
  enum { MANY = 6000, HELD = 50 };
  vow_bytes_t *held[HELD] = {NULL};
  vow_lines_t *lines;
  unsigned i;
  write_many(in(t, "text"), MANY);
  lines = lines_of(t, in(t, "text"), 2000);
  for (i = 0; i < MANY; i++) {
    vow_future_t *f = vow_lines_next(lines);
    vow_bytes_t **slot = &held[i % HELD];
    ck_assert_int_eq(settle(t->loop, f), 0);
    expect_numbered(vow_bytes_get(f), i);
    if (*slot != NULL) expect_numbered(*slot, i - HELD);
    vow_bytes_unref(*slot);
    *slot = i > MANY / 2 ? vow_bytes_take(f) : NULL;
    vow_drop(f);
  }
  expect_error(t, lines, UV_EOF);
  vow_lines_free(lines);
  for (i = 0; i < HELD; i++) vow_bytes_unref(held[i]);
  folder_close(t);
}

TEST(test_lines_longer_than_chunks_come_whole) {
  folder_t *t = folder_open(loop_open());
  size_t size = 3000000;
  char *data = malloc(size);
  vow_lines_t *lines;
  vow_future_t *f;
  FILE *file = fopen(in(t, "text"), "w");
  memset(data, 'x', size);
  data[0] = 'a';
  ck_assert_uint_eq(fwrite(data, 1, size, file), size);
  fputs("\nshort\n", file);
  fclose(file);
  lines = lines_of(t, in(t, "text"), size);
  f = vow_lines_next(lines);
  ck_assert_int_eq(settle(t->loop, f), 0);
  ck_assert_uint_eq(vow_bytes_length(vow_bytes_get(f)), size);
  ck_assert_int_eq(memcmp(vow_bytes_data(vow_bytes_get(f)), data, size), 0);
  vow_drop(f);
  expect_line(t, lines, "short");
  vow_lines_free(lines);
  lines = lines_of(t, in(t, "text"), size - 1);
  expect_error(t, lines, UV_EMSGSIZE);
  expect_error(t, lines, UV_EMSGSIZE);
  vow_lines_free(lines);
  free(data);
  folder_close(t);
}

TEST(test_lines_limit_is_exact) {
  folder_t *t = folder_open(loop_open());
  vow_lines_t *lines;
  make_file(in(t, "text"), "12345\n123456\nnever\n");
  lines = lines_of(t, in(t, "text"), 5);
  expect_line(t, lines, "12345");
  expect_error(t, lines, UV_EMSGSIZE);
  expect_error(t, lines, UV_EMSGSIZE);
  vow_lines_free(lines);
  folder_close(t);
}

TEST(test_lines_several_nexts_are_served_in_order) {
  folder_t *t = folder_open(loop_open());
  vow_future_t *f[5];
  const char *texts[] = {"a", "b", "c"};
  vow_lines_t *lines;
  int i;
  make_file(in(t, "text"), "a\nb\nc\n");
  lines = lines_of(t, in(t, "text"), 100);
  for (i = 0; i < 5; i++) f[i] = vow_lines_next(lines);
  for (i = 0; i < 3; i++) {
    ck_assert_int_eq(settle(t->loop, f[i]), 0);
    expect_bytes(f[i], texts[i]);
  }
  ck_assert_int_eq(settle(t->loop, f[3]), UV_EOF);
  ck_assert_int_eq(settle(t->loop, f[4]), UV_EOF);
  for (i = 0; i < 5; i++) vow_drop(f[i]);
  vow_lines_free(lines);
  folder_close(t);
}

TEST(test_lines_next_cancelled_takes_no_line_away) {
  folder_t *t = folder_open(loop_open());
  vow_lines_t *lines;
  vow_future_t *first, *second;
  int i;
  make_file(in(t, "text"), "a\nb\nc\n");
  lines = lines_of(t, in(t, "text"), 100);
  for (i = 0; i < 5; i++) { /* while it opens, and while it reads */
    first = vow_lines_next(lines);
    turns(t->loop, i);
    ck_assert_int_eq(vow_cancel(first), 0);
    if (vow_state(first) == VOW_SUCCEEDED) break;
    ck_assert(vow_is_cancelled(first));
    vow_drop(first);
    first = NULL;
  }
  if (first == NULL) {
    first = vow_lines_next(lines);
    second = vow_lines_next(lines);
    vow_drop(first);
    ck_assert_int_eq(settle(t->loop, second), 0);
    expect_bytes(second, "a");
    vow_drop(second);
  } else {
    expect_bytes(first, "a");
    vow_drop(first);
  }
  expect_line(t, lines, "b");
  vow_lines_free(lines);
  folder_close(t);
}

TEST(test_lines_of_a_fifo_come_as_they_are_written) {
  folder_t *t = folder_open(loop_open());
  vow_lines_t *lines;
  vow_future_t *f, *g;
  int fd, i;
  ck_assert_int_eq(mkfifo(in(t, "fifo"), 0600), 0);
  fd = open(in(t, "fifo"), O_RDWR);
  lines = lines_of(t, in(t, "fifo"), 100);
  ck_assert_int_eq(write(fd, "one\ntw", 6), 6);
  expect_line(t, lines, "one");
  f = vow_lines_next(lines);
  for (i = 0; i < 5; i++) {
    turns(t->loop, 1);
    uv_sleep(1);
  }
  ck_assert(!vow_is_settled(f));
  vow_cancel(f); /* the read goes on, and what it gets is kept */
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  g = vow_lines_next(lines);
  ck_assert_int_eq(write(fd, "o\nthree\n", 8), 8);
  ck_assert_int_eq(settle(t->loop, g), 0);
  expect_bytes(g, "two");
  vow_drop(g);
  expect_line(t, lines, "three");
  f = vow_lines_next(lines);
  close(fd);
  ck_assert_int_eq(settle_drop(t->loop, f), UV_EOF);
  vow_lines_free(lines);
  folder_close(t);
}

TEST(test_lines_freed_during_a_read_lets_it_end_first) {
  folder_t *t = folder_open(loop_open());
  vow_lines_t *lines;
  vow_future_t *f;
  int fd, i;
  ck_assert_int_eq(mkfifo(in(t, "fifo"), 0600), 0);
  fd = open(in(t, "fifo"), O_RDWR);
  lines = lines_of(t, in(t, "fifo"), 100);
  f = vow_lines_next(lines);
  for (i = 0; i < 5; i++) {
    turns(t->loop, 1);
    uv_sleep(1);
  }
  vow_lines_free(lines);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  ck_assert_int_eq(write(fd, "abc", 3), 3); /* into the chunk */
  ck_assert_int_eq(vow_loop_run(t->loop), 0);
  close(fd);
  folder_close(t);
}

TEST(test_lines_failures_stay_and_name_the_path) {
  folder_t *t = folder_open(loop_open());
  vow_lines_t *lines = lines_of(t, "/nowhere", 100);
  vow_future_t *f = vow_lines_next(lines);
  ck_assert_int_eq(settle(t->loop, f), UV_ENOENT);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), "fs_open /nowhere: "));
  vow_drop(f);
  expect_error(t, lines, UV_ENOENT);
  vow_lines_free(lines);
  lines = lines_of(t, t->path, 100);
  expect_error(t, lines, UV_EISDIR);
  vow_lines_free(lines);
  folder_close(t);
}

/* Whatever allocation fails: asked again, the lines are all there. */
TEST(test_lines_out_of_memory_loses_no_line) {
  size_t n;
  for (n = 1; n < 60; n++) {
    folder_t *t;
    vow_lines_t *lines;
    int i = 0, failures = 0;
    fault_install();
    t = folder_open(loop_open_probe());
    make_file(in(t, "text"), "0\n1\n2\n3\n4");
    lines = lines_of(t, in(t, "text"), 100);
    fault_fail_at(n);
    while (i < 5) {
      char text[2] = {(char)('0' + i), '\0'};
      vow_future_t *f = vow_lines_next(lines);
      int err = vow_is_settled(f) ? vow_status(f) : settle(t->loop, f);
      if (err == 0) {
        expect_bytes(f, text);
        i++;
      } else {
        ck_assert_int_eq(err, UV_ENOMEM);
        ck_assert_int_lt(failures++, 3);
      }
      vow_drop(f);
    }
    fault_off();
    expect_error(t, lines, UV_EOF);
    vow_lines_free(lines);
    folder_close(t);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
}

SUITE(net_file_lines) {
  ADD(test_lines_come_without_newlines_and_end_with_eof);
  ADD(test_lines_of_nothing_and_of_one_newline);
  ADD(test_lines_over_several_chunks_stay_what_they_were);
  ADD(test_lines_dropped_at_once_or_kept_for_a_while_are_right);
  ADD(test_lines_longer_than_chunks_come_whole);
  ADD(test_lines_limit_is_exact);
  ADD(test_lines_several_nexts_are_served_in_order);
  ADD(test_lines_next_cancelled_takes_no_line_away);
  ADD(test_lines_of_a_fifo_come_as_they_are_written);
  ADD(test_lines_freed_during_a_read_lets_it_end_first);
  ADD(test_lines_failures_stay_and_name_the_path);
  ADD(test_lines_out_of_memory_loses_no_line);
}

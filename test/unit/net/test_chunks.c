/* SPDX-License-Identifier: MIT */
/* The queue of pieces. */
#include "net/chunks.h"

#include "unit/net/stream_support.h"

static void push_text(vow__chunks_t *c, const char *text) {
  ck_assert_int_eq(vow__chunks_push(c, vow_bytes_copy(text, strlen(text))), 0);
}

static void takes(vow__chunks_t *c, size_t n, const char *text) {
  vow_bytes_t *b = vow__chunks_take(c, n);
  ck_assert_uint_eq(vow_bytes_length(b), strlen(text));
  ck_assert_int_eq(memcmp(vow_bytes_data(b), text, strlen(text)), 0);
  vow_bytes_unref(b);
}

TEST(test_chunks_whole_piece_is_taken_without_a_copy) {
  vow__chunks_t c = {0};
  vow_bytes_t *b = vow_bytes_copy("whole", 5), *got;
  ck_assert_int_eq(vow__chunks_push(&c, b), 0);
  ck_assert_uint_eq(vow__chunks_run(&c), 5);
  got = vow__chunks_take(&c, 5);
  ck_assert_ptr_eq(got, b);
  ck_assert_ptr_null(c.first);
  vow_bytes_unref(got);
}

TEST(test_chunks_part_of_a_piece_is_a_slice_of_it) {
  vow__chunks_t c = {0};
  vow_bytes_t *b = vow_bytes_copy("abcdef", 6), *got;
  const char *data = vow_bytes_data(b);
  vow__chunks_push(&c, b);
  got = vow__chunks_take(&c, 2);
  ck_assert_ptr_eq(vow_bytes_data(got), data);
  vow_bytes_unref(got);
  got = vow__chunks_take(&c, 4);
  ck_assert_ptr_eq(vow_bytes_data(got), data + 2);
  vow_bytes_unref(got);
  ck_assert_uint_eq(c.total_bytes, 0);
}

TEST(test_chunks_take_across_pieces_joins_them) {
  vow__chunks_t c = {0};
  push_text(&c, "ab");
  push_text(&c, "");
  push_text(&c, "cde");
  push_text(&c, "f");
  takes(&c, 0, "");
  takes(&c, 1, "a");
  takes(&c, 3, "bcd");
  takes(&c, 2, "ef");
  ck_assert_ptr_null(c.first);
  ck_assert_ptr_null(c.more); /* the ring goes when it is empty */
}

TEST(test_chunks_find_sees_matches_across_pieces) {
  vow__chunks_t c = {0};
  push_text(&c, "a\r");
  push_text(&c, "\r");
  push_text(&c, "\n");
  push_text(&c, "b\r\n");
  ck_assert_uint_eq(vow__chunks_find(&c, 0, "\r\n", 2), 2);
  ck_assert_uint_eq(vow__chunks_find(&c, 3, "\r\n", 2), 5);
  ck_assert_uint_eq(vow__chunks_find(&c, 6, "\r\n", 2), SIZE_MAX);
  ck_assert_uint_eq(vow__chunks_find(&c, 0, "\r\r\nb", 4), 1);
  ck_assert_uint_eq(vow__chunks_find(&c, 0, "\n\n", 2), SIZE_MAX);
  ck_assert_int_eq(vow__chunks_at(&c, 4), 'b');
  vow__chunks_skip(&c, 1);
  ck_assert_uint_eq(vow__chunks_find(&c, 0, "\r\n", 2), 1);
  vow__chunks_clear(&c);
}

/* Against a plain buffer, for pieces of every size. */
TEST(test_chunks_random_program_agrees_with_a_buffer) {
  enum { SIZE = 40000 };
  static char all[SIZE];
  vow__chunks_t c = {0};
  size_t in = 0, out = 0, i;
  uint32_t seed = 7;
  for (i = 0; i < SIZE; i++) all[i] = (char)(i * 31 / 7);
  while (out < SIZE) {
    uint32_t dice = (seed = seed * 1664525u + 1013904223u) >> 16;
    size_t n = dice % 4 == 0 ? dice % 3000 : dice % 9;
    if (dice % 5 != 0 && in < SIZE) {
      if (n > SIZE - in) n = SIZE - in;
      ck_assert_int_eq(vow__chunks_push(&c, vow_bytes_copy(all + in, n)), 0);
      in += n;
    } else {
      vow_bytes_t *b;
      if (n > in - out) n = in - out;
      if (dice % 7 == 0) vow_bytes_unref(vow__chunks_peek(&c, n));
      b = vow__chunks_take(&c, n);
      ck_assert_uint_eq(vow_bytes_length(b), n);
      ck_assert_int_eq(memcmp(vow_bytes_data(b), all + out, n), 0);
      vow_bytes_unref(b);
      out += n;
    }
    ck_assert_uint_eq(c.total_bytes, in - out);
  }
  ck_assert_ptr_null(c.first);
}

TEST(test_chunks_single_bytes_stay_small) {
  enum { COUNT = 20000 };
  vow__chunks_t c = {0};
  size_t i;
  fault_install();
  for (i = 0; i < COUNT; i++) push_text(&c, "x");
  ck_assert_int_lt(fault_live_bytes(), COUNT * 2);
  vow__chunks_clear(&c);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_chunks_peeked_bytes_stay_intact_while_more_is_joined) {
  vow__chunks_t c = {0};
  vow_bytes_t *b;
  int i;
  for (i = 0; i < 12; i++) push_text(&c, "ab");
  vow__chunks_skip(&c, 20);
  b = vow__chunks_peek(&c, 3);
  for (i = 0; i < 12; i++) push_text(&c, "cd");
  ck_assert_int_eq(memcmp(vow_bytes_data(b), "aba", 3), 0);
  vow_bytes_unref(b);
  takes(&c, 6, "ababcd");
  vow__chunks_clear(&c);
}

TEST(test_chunks_out_of_memory_changes_nothing) {
  vow__chunks_t c = {0};
  vow_bytes_t *b;
  fault_install();
  push_text(&c, "abc");
  b = vow_bytes_copy("def", 3);
  fault_fail_at(1);
  ck_assert_int_eq(vow__chunks_push(&c, b), UV_ENOMEM);
  fault_off();
  ck_assert_int_eq(vow__chunks_push(&c, b), 0);
  fault_fail_at(1);
  ck_assert_ptr_null(vow__chunks_take(&c, 2)); /* the slice */
  fault_fail_at(1);
  ck_assert_ptr_null(vow__chunks_take(&c, 6)); /* the joined piece */
  fault_off();
  takes(&c, 6, "abcdef");
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(net_chunks) {
  ADD(test_chunks_whole_piece_is_taken_without_a_copy);
  ADD(test_chunks_part_of_a_piece_is_a_slice_of_it);
  ADD(test_chunks_take_across_pieces_joins_them);
  ADD(test_chunks_find_sees_matches_across_pieces);
  ADD(test_chunks_random_program_agrees_with_a_buffer);
  ADD(test_chunks_single_bytes_stay_small);
  ADD(test_chunks_peeked_bytes_stay_intact_while_more_is_joined);
  ADD(test_chunks_out_of_memory_changes_nothing);
}

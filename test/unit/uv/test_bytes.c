/* SPDX-License-Identifier: MIT */
/* Bytes made by the program, and slices. */
#include "support/manual.h"
#include "unit/uv/uv_support.h"

static void expect(const vow_bytes_t *b, const char *text) {
  ck_assert_uint_eq(vow_bytes_length(b), strlen(text));
  ck_assert_int_eq(memcmp(vow_bytes_data(b), text, strlen(text)), 0);
}

TEST(test_bytes_new_is_filled_by_its_maker) {
  char *room;
  vow_bytes_t *b = vow_bytes_new(5, &room);
  memcpy(room, "hello", 5);
  expect(b, "hello");
  vow_bytes_shorten(b, 9);
  expect(b, "hello");
  vow_bytes_shorten(b, 4);
  expect(b, "hell");
  vow_bytes_shorten(NULL, 1);
  vow_bytes_unref(b);
  b = vow_bytes_new(0, NULL);
  expect(b, "");
  vow_bytes_unref(b);
}

TEST(test_bytes_copy_is_its_own) {
  char data[] = "abc";
  vow_bytes_t *b = vow_bytes_copy(data, 3);
  data[0] = 'z';
  expect(b, "abc");
  vow_bytes_unref(b);
  b = vow_bytes_copy(NULL, 0);
  expect(b, "");
  vow_bytes_unref(b);
  ck_assert_ptr_null(vow_bytes_copy(NULL, 1));
}

TEST(test_bytes_slice_outlives_the_whole) {
  vow_bytes_t *b, *s, *t;
  fault_install();
  b = vow_bytes_copy("0123456789", 10);
  s = vow_bytes_slice(b, 2, 6);
  vow_bytes_unref(b);
  t = vow_bytes_slice(s, 1, 3);
  expect(s, "234567");
  vow_bytes_unref(s);
  expect(t, "345");
  ck_assert_int_eq(fault_live(), 2);
  vow_bytes_unref(t);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_bytes_are_shared_with_slices_and_references) {
  vow_bytes_t *b = vow_bytes_copy("0123", 4);
  vow_bytes_t *s = vow_bytes_slice(b, 1, 2);
  ck_assert(vow_bytes_is_shared(b));
  ck_assert(!vow_bytes_is_shared(s));
  vow_bytes_unref(s);
  ck_assert(!vow_bytes_is_shared(b));
  vow_bytes_unref(vow_bytes_ref(b));
  ck_assert(!vow_bytes_is_shared(b));
  ck_assert(!vow_bytes_is_shared(NULL));
  vow_bytes_unref(b);
}

TEST(test_bytes_slice_is_cut_to_what_there_is) {
  vow_bytes_t *b = vow_bytes_copy("0123", 4);
  vow_bytes_t *s = vow_bytes_slice(b, 2, SIZE_MAX);
  expect(s, "23");
  vow_bytes_unref(s);
  s = vow_bytes_slice(b, 9, 1);
  expect(s, "");
  vow_bytes_unref(s);
  ck_assert_ptr_null(vow_bytes_slice(NULL, 0, 0));
  vow_bytes_unref(b);
}

TEST(test_bytes_out_of_memory_gives_null) {
  vow_bytes_t *b;
  char *room = NULL;
  fault_install();
  b = vow_bytes_copy("0123", 4);
  fault_fail_from(1);
  ck_assert_ptr_null(vow_bytes_new(4, &room));
  ck_assert_ptr_null(room);
  ck_assert_ptr_null(vow_bytes_copy("a", 1));
  ck_assert_ptr_null(vow_bytes_slice(b, 0, 1));
  fault_off();
  vow_bytes_unref(b);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- as values ------------------------------------------------------------- */

TEST(test_bytes_in_a_future_are_shared_and_described) {
  vow_loop_t *loop = manual_loop();
  vow_bytes_t *b = vow_bytes_copy("0123", 4), *again;
  vow_future_t *f = vow_ready(loop, vow_ptr(b, &vow_type_bytes));
  char text[32];
  ck_assert_str_eq(vow_value_describe(vow_peek(f), text, sizeof text),
                   "4 bytes");
  (void)vow_ref(f);
  again = vow_bytes_take(f); /* somebody else holds the future */
  ck_assert_ptr_eq(again, b);
  ck_assert(vow_bytes_is_shared(b));
  vow_drop(f);
  vow_drop(f);
  expect(again, "0123");
  ck_assert(!vow_bytes_is_shared(again));
  vow_bytes_unref(again);
  manual_done(loop);
}

TEST(test_bytes_too_many_to_be_counted_give_null) {
  char *room = NULL;
  ck_assert_ptr_null(vow_bytes_new(SIZE_MAX, &room));
  ck_assert_ptr_null(room);
}

SUITE(uv_bytes) {
  ADD(test_bytes_new_is_filled_by_its_maker);
  ADD(test_bytes_copy_is_its_own);
  ADD(test_bytes_slice_outlives_the_whole);
  ADD(test_bytes_are_shared_with_slices_and_references);
  ADD(test_bytes_slice_is_cut_to_what_there_is);
  ADD(test_bytes_out_of_memory_gives_null);
  ADD(test_bytes_in_a_future_are_shared_and_described);
  ADD(test_bytes_too_many_to_be_counted_give_null);
}

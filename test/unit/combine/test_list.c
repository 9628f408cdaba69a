/* SPDX-License-Identifier: MIT */
/* Tests of lists: reading, taking, sharing. */
#include "unit/combine/helpers.h"

#include <vow/gather.h>

static vow_future_t *list_of(vow_loop_t *loop, vow_value_t a, vow_value_t b) {
  vow_future_t *f = vow_gather_of(loop, vow_ready(loop, a), vow_ready(loop, b));
  manual_drain(loop);
  return f;
}

TEST(test_list_at_gives_borrowed_elements) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = list_of(loop, vow_int(7), thing());
  vow_list_t *l = vow_get_list(f);
  ck_assert_uint_eq(vow_list_length(l), 2);
  ck_assert_int_eq(vow_list_at(l, 0).as.i, 7);
  ck_assert_ptr_eq(vow_list_at(l, 1).type, &type_thing);
  ck_assert_ptr_null(vow_list_at(l, 2).type);
  ck_assert_int_eq(things_live, 1);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_list_null_is_empty) {
  ck_assert_uint_eq(vow_list_length(NULL), 0);
  ck_assert_ptr_null(vow_list_at(NULL, 0).type);
  ck_assert_ptr_null(vow_list_take(NULL, 0).type);
  vow_list_drop(NULL);
}

TEST(test_list_take_moves_out_and_leaves_nil) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = list_of(loop, thing(), thing());
  vow_list_t *l = vow_take_list(f);
  vow_value_t v;
  vow_drop(f);
  v = vow_list_take(l, 0);
  ck_assert_ptr_eq(v.type, &type_thing);
  ck_assert_ptr_null(vow_list_at(l, 0).type);
  ck_assert_ptr_null(vow_list_take(l, 5).type);
  vow_list_drop(l);
  ck_assert_int_eq(things_live, 1);
  vow_value_destroy(v);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_list_take_of_shared_list_shares_elements) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = list_of(loop, shared_thing(), thing());
  vow_list_t *l = vow_take_list(vow_ref(f)); /* two interests: shared */
  vow_value_t v;
  ck_assert_ptr_nonnull(l);
  v = vow_list_take(l, 0);
  ck_assert_ptr_eq(v.type, &type_shared);
  ck_assert_ptr_eq(vow_list_at(l, 0).type, &type_shared);
  vow_value_destroy(v);
  ck_assert_int_eq(vow_value_code(vow_list_take(l, 1)), VOW_EMOVED);
  vow_list_drop(l);
  vow_drop(f);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_list_get_of_another_type_gives_null_and_names_it) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = ok(loop, 1);
  ck_assert_ptr_null(vow_get_list(f));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "list"));
  vow_drop(f);
  manual_done(loop);
}

TEST(test_list_describe_tells_the_length) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = list_of(loop, vow_int(1), vow_int(2));
  char text[32];
  ck_assert_str_eq(vow_value_describe(vow_peek(f), text, sizeof(text)),
                   "list of 2");
  vow_drop(f);
  manual_done(loop);
}

/* ---- making them ---------------------------------------------------------- */

TEST(test_list_new_is_all_nil_and_set_replaces_what_was_there) {
  vow_list_t *l = vow_list_new(2);
  vow_value_t v;
  ck_assert_ptr_nonnull(l);
  ck_assert_uint_eq(vow_list_length(l), 2);
  ck_assert_ptr_null(vow_list_at(l, 0).type);
  ck_assert_int_eq(vow_list_set(l, 0, thing()), 0);
  ck_assert_int_eq(vow_list_set(l, 1, vow_int(7)), 0);
  ck_assert_int_eq(vow_list_set(l, 0, thing()), 0);
  ck_assert_int_eq(things_live, 1);
  v = vow_ptr(l, &vow_type_list);
  ck_assert_ptr_eq(vow_value_list(v), l);
  ck_assert_int_eq(vow_list_at(l, 1).as.i, 7);
  vow_value_destroy(v);
  ck_assert_int_eq(things_live, 0);
}

TEST(test_list_set_beyond_the_end_destroys_the_value) {
  vow_list_t *l = vow_list_new(1);
  ck_assert_int_eq(vow_list_set(l, 1, thing()), UV_EINVAL);
  ck_assert_int_eq(vow_list_set(NULL, 0, thing()), UV_EINVAL);
  ck_assert_int_eq(things_live, 0);
  ck_assert_ptr_null(vow_list_at(l, 0).type);
  vow_list_drop(l);
}

TEST(test_list_new_without_memory_is_null) {
  fault_install();
  fault_fail_at(1);
  ck_assert_ptr_null(vow_list_new(3));
  fault_off();
  ck_assert_ptr_null(
      vow_list_new(SIZE_MAX / 2)); /* more bytes than there are */
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_list_value_of_another_type_is_no_list) {
  ck_assert_ptr_null(vow_value_list(vow_int(1)));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "list"));
  ck_assert_ptr_null(vow_value_list(vow_nil()));
}

TEST(test_list_within_a_list_goes_with_the_last_that_holds_it) {
  vow_list_t *inner = vow_list_new(1), *outer = vow_list_new(2);
  vow_value_t v = vow_ptr(inner, &vow_type_list), twice;
  vow_list_set(inner, 0, thing());
  ck_assert_int_eq(vow_value_share(v, &twice), 0);
  vow_list_set(outer, 0, v);
  vow_list_set(outer, 1, vow_ptr(NULL, &vow_type_list));
  vow_list_drop(outer);
  ck_assert_int_eq(things_live, 1);
  vow_value_destroy(twice);
  ck_assert_int_eq(things_live, 0);
}

SUITE(combine_list) {
  ADD(test_list_at_gives_borrowed_elements);
  ADD(test_list_null_is_empty);
  ADD(test_list_take_moves_out_and_leaves_nil);
  ADD(test_list_take_of_shared_list_shares_elements);
  ADD(test_list_get_of_another_type_gives_null_and_names_it);
  ADD(test_list_describe_tells_the_length);
  ADD(test_list_new_is_all_nil_and_set_replaces_what_was_there);
  ADD(test_list_set_beyond_the_end_destroys_the_value);
  ADD(test_list_new_without_memory_is_null);
  ADD(test_list_value_of_another_type_is_no_list);
  ADD(test_list_within_a_list_goes_with_the_last_that_holds_it);
}

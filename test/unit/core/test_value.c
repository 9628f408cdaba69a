/* SPDX-License-Identifier: MIT */
/* Tests of values: making, sharing, describing, destroying; typed accessors. */
#include "unit/core/helpers.h"

TEST(test_value_numbers_and_nil_hold_what_they_are_given) {
  ck_assert_ptr_null(vow_nil().type);
  ck_assert_int_eq(vow_int(INT64_MIN).as.i, INT64_MIN);
  ck_assert_ptr_eq(vow_int(1).type, &vow_type_int);
  ck_assert_double_eq(vow_double(-0.5).as.d, -0.5);
  ck_assert_ptr_eq(vow_double(1).type, &vow_type_double);
}

TEST(test_value_zeroed_is_nil) {
  vow_value_t v;
  memset(&v, 0, sizeof v);
  ck_assert_ptr_null(v.type);
  ck_assert(!vow_value_is_failure(v));
  vow_value_destroy(v);
}

TEST(test_value_cstr_keeps_the_pointer) {
  const char *text = "literal";
  vow_value_t v = vow_cstr(text);
  ck_assert_ptr_eq(v.as.cp, text);
  ck_assert_ptr_eq(v.type, &vow_type_cstr);
  vow_value_destroy(v);
}

TEST(test_value_scalars_do_not_allocate) {
  fault_install();
  fault_fail_from(1);
  vow_value_destroy(vow_int(1));
  vow_value_destroy(vow_double(1));
  vow_value_destroy(vow_cstr("x"));
  vow_value_destroy(vow_fail(UV_EIO));
  vow_value_destroy(vow_cancelled(UV_EINTR));
  ck_assert_uint_eq(fault_count(), 0);
  fault_remove();
}

TEST(test_value_string_is_a_copy) {
  char text[] = "moved";
  vow_value_t v = vow_string(text);
  text[0] = 'l';
  ck_assert_ptr_eq(v.type, &vow_type_string);
  ck_assert_str_eq(v.as.p, "moved");
  vow_value_destroy(v);
}

TEST(test_value_string_of_null_is_a_failure) {
  vow_value_t v = vow_string(NULL);
  ck_assert(vow_value_is_failure(v));
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  vow_value_destroy(v);
}

TEST(test_value_string_without_memory_is_a_failure) {
  fault_install();
  fault_fail_from(1);
  ck_assert_int_eq(vow_value_code(vow_string("x")), UV_ENOMEM);
  ck_assert_int_eq(vow_value_code(vow_stringf("%d", 1)), UV_ENOMEM);
  fault_remove();
}

TEST(test_value_stringf_formats_long_text) {
  vow_value_t v = vow_stringf("%0500d|%s", 7, "end");
  ck_assert_uint_eq(strlen(v.as.p), 504);
  ck_assert_str_eq((char *)v.as.p + 500, "|end");
  vow_value_destroy(v);
}

TEST(test_value_destroy_runs_the_types_destructor) {
  vow_value_destroy(once());
  ck_assert_int_eq(things_live, 0);
}

TEST(test_value_destroy_of_null_pointer_calls_nothing) {
  vow_value_destroy(vow_ptr(NULL, &type_once));
  ck_assert_int_eq(things_live, 0);
}

static const vow_type_t type_plain = {"plain", NULL, NULL, NULL};

TEST(test_value_destroy_without_destructor_is_allowed) {
  int x = 0;
  vow_value_destroy(vow_ptr(&x, &type_plain));
  ck_assert_int_eq(x, 0);
}

TEST(test_value_destroy_of_followed_future_drops_it) {
  vow_loop_t *loop = manual_loop();
  vow_value_destroy(vow_follow(vow_ready(loop, once())));
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_value_share_copies_what_needs_no_destroying) {
  int x = 0;
  vow_value_t copy;
  ck_assert_int_eq(vow_value_share(vow_int(5), &copy), 0);
  ck_assert_int_eq(copy.as.i, 5);
  ck_assert_int_eq(vow_value_share(vow_nil(), &copy), 0);
  ck_assert_ptr_null(copy.type);
  ck_assert_int_eq(vow_value_share(vow_fail(UV_EIO), &copy), 0);
  ck_assert_int_eq(vow_value_code(copy), UV_EIO);
  ck_assert_int_eq(vow_value_share(vow_ptr(&x, &type_plain), &copy), 0);
  ck_assert_ptr_eq(copy.as.p, &x);
}

TEST(test_value_share_goes_through_ref) {
  vow_value_t v = many(), copy;
  ck_assert_int_eq(vow_value_share(v, &copy), 0);
  ck_assert_int_eq(((thing_t *)v.as.p)->holders, 2);
  vow_value_destroy(v);
  ck_assert_int_eq(things_live, 1);
  vow_value_destroy(copy);
  ck_assert_int_eq(things_live, 0);
}

TEST(test_value_share_of_string_is_a_second_string) {
  vow_value_t v = vow_string("twice"), copy;
  ck_assert_int_eq(vow_value_share(v, &copy), 0);
  ck_assert_ptr_ne(v.as.p, copy.as.p);
  vow_value_destroy(v);
  ck_assert_str_eq(copy.as.p, "twice");
  vow_value_destroy(copy);
}

TEST(test_value_share_without_ref_says_moved) {
  vow_value_t v = once(), copy = vow_int(3);
  ck_assert_int_eq(vow_value_share(v, &copy), VOW_EMOVED);
  ck_assert_int_eq(copy.as.i, 3);
  vow_value_destroy(v);
}

TEST(test_value_share_whose_ref_fails_says_no_memory) {
  vow_value_t v = thing_of(&type_poor, 0), copy = vow_int(3);
  ck_assert_int_eq(vow_value_share(v, &copy), UV_ENOMEM);
  ck_assert_int_eq(copy.as.i, 3);
  vow_value_destroy(v);
}

static void describe_seven(const void *p, char *buf, size_t size_bytes) {
  (void)p;
  snprintf(buf, size_bytes, "seven");
}

static const vow_type_t type_seven = {"7", NULL, NULL, describe_seven};

static const char *text_of(vow_value_t v) {
  static char buf[128];
  vow_value_describe(v, buf, sizeof buf);
  vow_value_destroy(v);
  return buf;
}

TEST(test_value_describe_names_every_kind) {
  int x = 7;
  ck_assert_str_eq(text_of(vow_nil()), "nil");
  ck_assert_str_eq(text_of(vow_int(-12)), "-12");
  ck_assert_str_eq(text_of(vow_double(2.5)), "2.5");
  ck_assert_str_eq(text_of(vow_cstr("a")), "\"a\"");
  ck_assert_str_eq(text_of(vow_string("b")), "\"b\"");
  ck_assert_str_eq(text_of(vow_ptr(&x, &type_seven)), "seven");
  EXPECT_HAS(text_of(many()), "many");
  EXPECT_HAS(text_of(vow_fail(UV_EIO)), "EIO");
  EXPECT_HAS(text_of(vow_failf(UV_EIO, "disk %d", 3)), "disk 3");
}

TEST(test_value_describe_cuts_to_fit) {
  char buf[5] = "####";
  ck_assert_ptr_eq(vow_value_describe(vow_cstr("long text"), buf, 4), buf);
  ck_assert_str_eq(buf, "\"lo");
  ck_assert_int_eq(buf[4], '\0');
  vow_value_describe(vow_int(123), buf, 1);
  ck_assert_str_eq(buf, "");
  buf[0] = '#';
  vow_value_describe(vow_int(123), buf, 0);
  ck_assert_int_eq(buf[0], '#');
}

TEST(test_value_is_failure_only_for_failures) {
  vow_value_t v = vow_failf(UV_EIO, "x");
  ck_assert(vow_value_is_failure(v));
  ck_assert(vow_value_is_failure(vow_fail(UV_EIO)));
  ck_assert(vow_value_is_failure(vow_cancelled(0)));
  ck_assert(!vow_value_is_failure(vow_int(UV_EIO)));
  ck_assert(!vow_value_is_failure(vow_nil()));
  vow_value_destroy(v);
}

/* ---- the definer ----------------------------------------------------------
 */

typedef struct row {
  int holders;
} row_t;

static int rows_gone;

static void row_end(row_t *r) {
  if (--r->holders == 0) rows_gone++;
}

static row_t *row_share(row_t *r) {
  r->holders++;
  return r;
}

VOW_DEFINE_TYPE(row, row_t, row_end);
VOW_DEFINE_SHARED_TYPE(shared_row, row_t, row_end, row_share);

TEST(test_value_define_type_gives_typed_accessors) {
  vow_loop_t *loop = manual_loop();
  row_t r = {1};
  vow_future_t *f = vow_ready(loop, row_value(&r));
  ck_assert_str_eq(row_type.name, "row_t");
  ck_assert_ptr_eq(row_get(f), &r);
  ck_assert_ptr_eq(row_take(f), &r);
  vow_drop(f);
  ck_assert_int_eq(r.holders, 1);
  rows_gone = 0;
  vow_drop(vow_ready(loop, row_value(&r)));
  ck_assert_int_eq(rows_gone, 1);
  manual_done(loop);
}

TEST(test_value_define_shared_type_can_be_taken_twice) {
  vow_loop_t *loop = manual_loop();
  row_t r = {1};
  vow_future_t *f = vow_ready(loop, shared_row_value(&r));
  vow_ref(f);
  ck_assert_ptr_eq(shared_row_take(f), &r);
  ck_assert_int_eq(r.holders, 2);
  ck_assert_ptr_eq(shared_row_get(f), &r);
  ck_assert_ptr_null(row_get(f));
  vow_drop(f);
  vow_drop(f);
  ck_assert_int_eq(r.holders, 1);
  manual_done(loop);
}

TEST(test_value_readers_give_what_is_there) {
  vow_value_t text = vow_string("abc");
  ck_assert_int_eq(vow_value_int(vow_int(-7)), -7);
  ck_assert_double_eq(vow_value_double(vow_double(1.5)), 1.5);
  ck_assert_str_eq(vow_value_string(vow_cstr("xyz")), "xyz");
  ck_assert_str_eq(vow_value_string(text), "abc");
  vow_value_destroy(text);
}
END_TEST

TEST(test_value_readers_of_another_type_name_both) {
  ck_assert_int_eq(vow_value_int(vow_double(1.5)), 0);
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "'double'"));
  ck_assert_double_eq(vow_value_double(vow_int(1)), 0);
  ck_assert_ptr_null(vow_value_string(vow_nil()));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "'nil'"));
}
END_TEST

TEST(test_value_message_of_plain_and_full_failures) {
  vow_value_t full = vow_failf(UV_EIO, "disk %d", 3);
  ck_assert_str_eq(vow_value_message(full), "disk 3");
  ck_assert_str_eq(vow_value_message(vow_fail(UV_EIO)), vow_strerror(UV_EIO));
  ck_assert_ptr_null(vow_value_message(vow_int(1)));
  vow_value_destroy(full);
}
END_TEST

SUITE(core_value) {
  ADD(test_value_readers_give_what_is_there);
  ADD(test_value_readers_of_another_type_name_both);
  ADD(test_value_message_of_plain_and_full_failures);
  ADD(test_value_numbers_and_nil_hold_what_they_are_given);
  ADD(test_value_zeroed_is_nil);
  ADD(test_value_cstr_keeps_the_pointer);
  ADD(test_value_scalars_do_not_allocate);
  ADD(test_value_string_is_a_copy);
  ADD(test_value_string_of_null_is_a_failure);
  ADD(test_value_string_without_memory_is_a_failure);
  ADD(test_value_stringf_formats_long_text);
  ADD(test_value_destroy_runs_the_types_destructor);
  ADD(test_value_destroy_of_null_pointer_calls_nothing);
  ADD(test_value_destroy_without_destructor_is_allowed);
  ADD(test_value_destroy_of_followed_future_drops_it);
  ADD(test_value_share_copies_what_needs_no_destroying);
  ADD(test_value_share_goes_through_ref);
  ADD(test_value_share_of_string_is_a_second_string);
  ADD(test_value_share_without_ref_says_moved);
  ADD(test_value_share_whose_ref_fails_says_no_memory);
  ADD(test_value_describe_names_every_kind);
  ADD(test_value_describe_cuts_to_fit);
  ADD(test_value_is_failure_only_for_failures);
  ADD(test_value_define_type_gives_typed_accessors);
  ADD(test_value_define_shared_type_can_be_taken_twice);
}

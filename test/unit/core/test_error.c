/* SPDX-License-Identifier: MIT */
/* Tests of errors: codes, objects, cause, trail, aggregates, text. */
#include "unit/core/helpers.h"

#include <wchar.h>

TEST(test_error_names_and_texts_of_codes) {
  ck_assert_str_eq(vow_err_name(UV_ECANCELED), "ECANCELED");
  ck_assert_str_eq(vow_strerror(UV_ECANCELED), uv_strerror(UV_ECANCELED));
  ck_assert_str_eq(vow_err_name(VOW_EBROKEN), "EBROKEN");
  ck_assert_str_eq(vow_err_name(12345), "UNKNOWN");
  ck_assert_str_eq(vow_strerror(12345), "unknown error");
  for (int code = VOW_EIDLE; code <= VOW_EBROKEN; code++)
    ck_assert_str_ne(vow_err_name(code), "UNKNOWN");
}

TEST(test_error_fail_of_no_failure_is_einval) {
  ck_assert_int_eq(vow_value_code(vow_fail(0)), UV_EINVAL);
  ck_assert_int_eq(vow_value_code(vow_fail(7)), UV_EINVAL);
  ck_assert_int_eq(vow_value_code(vow_cancelled(0)), UV_ECANCELED);
  ck_assert_int_eq(vow_value_code(vow_cancelled(7)), UV_ECANCELED);
  ck_assert_int_eq(vow_value_code(vow_int(7)), 0);
}

TEST(test_error_cancellation_is_told_by_state) {
  vow_loop_t *loop = manual_loop();
  EXPECT_CANCELLED(bad(loop, UV_ECANCELED), UV_ECANCELED);
  EXPECT_CANCELLED(vow_ready(loop, vow_cancelled(UV_EINTR)), UV_EINTR);
  EXPECT_FAILED(bad(loop, UV_EINTR), UV_EINTR);
  EXPECT_CANCELLED(vow_ready(loop, vow_failf(UV_ECANCELED, "why")),
                   UV_ECANCELED);
  manual_done(loop);
}

TEST(test_error_timeout_is_never_a_cancellation) {
  vow_loop_t *loop = manual_loop();
  EXPECT_FAILED(vow_ready(loop, vow_cancelled(UV_ETIMEDOUT)), UV_ETIMEDOUT);
  manual_done(loop);
}

TEST(test_error_failf_carries_code_message_and_site) {
  vow_value_t v = vow_failf(UV_EIO, "disk %d", 3);
  const vow_error_t *e = vow_value_error(v);
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  ck_assert_int_eq(vow_error_code(e), UV_EIO);
  ck_assert_str_eq(vow_error_message(e), "disk 3");
  EXPECT_HAS(vow_error_site(e), __FILE__ ":");
  ck_assert_uint_eq(vow_error_trail_length(e), 0);
  ck_assert_uint_eq(vow_error_count(e), 0);
  vow_value_destroy(v);
}

TEST(test_error_failf_without_memory_is_the_plain_code) {
  vow_value_t v;
  fault_install();
  fault_fail_from(1);
  v = vow_failf(UV_EIO, "disk %d", 3);
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  ck_assert_ptr_null(vow_value_error(v));
  fault_fail_at(2);
  v = vow_failf(UV_EIO, "disk %d", 3);
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  vow_value_destroy(v);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_error_readers_accept_null) {
  vow_value_t cause;
  ck_assert_int_eq(vow_error_code(NULL), 0);
  ck_assert_str_eq(vow_error_message(NULL), "");
  ck_assert_str_eq(vow_error_site(NULL), "(unknown)");
  ck_assert(!vow_error_cause(NULL, &cause));
  ck_assert_ptr_null(vow_error_trail(NULL, 0));
  ck_assert_uint_eq(vow_error_trail_length(NULL), 0);
  ck_assert_uint_eq(vow_error_count(NULL), 0);
  ck_assert_ptr_null(vow_error_nth(NULL, 0).type);
}

TEST(test_error_cause_is_kept) {
  vow_value_t cause, v;
  v = vow_fail_cause(UV_EPROTO, vow_failf(UV_EIO, "disk"), "read %s", "x");
  ck_assert_str_eq(vow_error_message(vow_value_error(v)), "read x");
  ck_assert(vow_error_cause(vow_value_error(v), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EIO);
  ck_assert(!vow_error_cause(vow_value_error(cause), &cause));
  vow_value_destroy(v);
}

TEST(test_error_cause_that_is_no_failure_is_destroyed) {
  vow_value_t cause, v = vow_fail_cause(UV_EIO, once(), "x");
  ck_assert_int_eq(things_live, 0);
  ck_assert(!vow_error_cause(vow_value_error(v), &cause));
  vow_value_destroy(v);
}

TEST(test_error_cause_without_memory_leaves_the_code) {
  fault_install();
  for (size_t n = 1; n <= 4; n++) {
    vow_value_t cause = vow_failf(UV_EIO, "disk"), v;
    fault_fail_from(n);
    v = vow_fail_cause(UV_EPROTO, cause, "read");
    ck_assert_int_eq(vow_value_code(v), UV_EPROTO);
    fault_off();
    vow_value_destroy(v);
    ck_assert_int_eq(fault_live(), 0);
  }
  fault_remove();
}

TEST(test_error_multi_holds_failures_deciding_one_first) {
  vow_value_t v, causes[4];
  causes[0] = vow_fail(UV_EIO);
  causes[1] = once();
  causes[2] = vow_failf(UV_EPROTO, "banner");
  causes[3] = vow_fail(UV_EPIPE);
  v = vow_fail_multi(4, causes, 2);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(vow_value_code(v), UV_EPROTO);
  ck_assert_str_eq(vow_error_message(vow_value_error(v)), "banner");
  ck_assert_uint_eq(vow_error_count(vow_value_error(v)), 3);
  ck_assert_int_eq(vow_value_code(vow_error_nth(vow_value_error(v), 0)),
                   UV_EPROTO);
  ck_assert_int_eq(vow_value_code(vow_error_nth(vow_value_error(v), 1)),
                   UV_EIO);
  ck_assert_int_eq(vow_value_code(vow_error_nth(vow_value_error(v), 2)),
                   UV_EPIPE);
  ck_assert_ptr_null(vow_error_nth(vow_value_error(v), 3).type);
  vow_value_destroy(v);
}

TEST(test_error_multi_without_a_deciding_one_says_several) {
  vow_value_t v, causes[2];
  causes[0] = vow_fail(UV_EIO);
  causes[1] = vow_cancelled(0);
  v = vow_fail_multi(2, causes, 2);
  ck_assert_int_eq(vow_value_code(v), VOW_EMULTI);
  ck_assert_uint_eq(vow_error_count(vow_value_error(v)), 2);
  vow_value_destroy(v);
  v = vow_fail_multi(0, NULL, 0);
  ck_assert_int_eq(vow_value_code(v), VOW_EMULTI);
  vow_value_destroy(v);
}

TEST(test_error_multi_whose_deciding_one_is_no_failure_still_fails) {
  vow_value_t v, causes[2];
  causes[0] = once();
  causes[1] = vow_fail(UV_EIO);
  v = vow_fail_multi(2, causes, 0);
  ck_assert_int_eq(vow_value_code(v), VOW_EMULTI);
  ck_assert_int_eq(things_live, 0);
  vow_value_destroy(v);
}

TEST(test_error_multi_without_memory_is_the_plain_code) {
  vow_value_t v, causes[2];
  fault_install();
  causes[0] = vow_failf(UV_EIO, "disk");
  causes[1] = once();
  fault_fail_from(1);
  v = vow_fail_multi(2, causes, 0);
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  ck_assert_ptr_null(vow_value_error(v));
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- the trail ------------------------------------------------------------
 */

static vow_value_t fail_here(vow_future_t *in, void *arg) {
  (void)in;
  return vow_failf(UV_EIO, "%s", (const char *)arg);
}

TEST(test_error_trail_names_the_sites_passed) {
  vow_loop_t *loop = manual_loop();
  const char *site[3];
  vow_future_t *f = vow_then(ok(loop, 1), fail_here, "disk");
  f = vow_then(f, add_one, NULL);
  site[0] = vow_site(f);
  f = vow_handle(f, same, NULL);
  f = vow_finally(f, note_run, "end");
  site[1] = vow_site(f);
  f = vow_then(f, add_one, NULL);
  site[2] = vow_site(f);
  manual_drain(loop);
  ck_assert_str_eq(vow_error_message(vow_error(f)), "disk");
  ck_assert_uint_eq(vow_error_trail_length(vow_error(f)), 3);
  for (size_t i = 0; i < 3; i++)
    ck_assert_str_eq(vow_error_trail(vow_error(f), i), site[i]);
  ck_assert_ptr_null(vow_error_trail(vow_error(f), 3));
  vow_drop(f);
  manual_done(loop);
}

TEST(test_error_trail_keeps_16_and_counts_all) {
  char text[4096];
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = bad(loop, UV_EIO);
  for (int i = 0; i < 40; i++) f = vow_then(f, add_one, NULL);
  manual_drain(loop);
  ck_assert_uint_eq(vow_error_trail_length(vow_error(f)), 40);
  ck_assert_ptr_nonnull(vow_error_trail(vow_error(f), 15));
  ck_assert_ptr_null(vow_error_trail(vow_error(f), 16));
  vow_error_format(vow_peek(f), text, sizeof text);
  EXPECT_HAS(text, "via 24 more");
  vow_drop(f);
  manual_done(loop);
}

TEST(test_error_trail_of_a_plain_code_begins_where_it_was_made) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = bad(loop, UV_EIO);
  const char *origin = vow_site(f);
  f = vow_then(f, add_one, NULL);
  manual_drain(loop);
  ck_assert_str_eq(vow_error_site(vow_error(f)), origin);
  ck_assert_str_eq(vow_error_message(vow_error(f)), vow_strerror(UV_EIO));
  vow_drop(f);
  manual_done(loop);
}

TEST(test_error_trails_of_two_branches_stay_apart) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, vow_failf(UV_EIO, "disk"));
  vow_future_t *a = vow_then(vow_ref(f), add_one, NULL), *b;
  b = vow_then(vow_then(f, add_one, NULL), add_one, NULL);
  manual_drain(loop);
  ck_assert_uint_eq(vow_error_trail_length(vow_error(a)), 1);
  ck_assert_uint_eq(vow_error_trail_length(vow_error(b)), 2);
  ck_assert_str_eq(vow_error_message(vow_error(b)), "disk");
  vow_drop(a);
  vow_drop(b);
  manual_done(loop);
}

TEST(test_error_pass_without_memory_keeps_the_code) {
  vow_loop_t *loop;
  vow_future_t *f;
  fault_install();
  loop = manual_loop();
  f = vow_then(bad(loop, UV_EIO), add_one, NULL);
  fault_fail_from(1);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f), UV_EIO);
  ck_assert_ptr_null(vow_error(f));
  fault_off();
  ck_assert_ptr_nonnull(vow_error(f));
  vow_drop(f);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- as text --------------------------------------------------------------
 */

TEST(test_error_format_tells_message_origin_trail_and_cause) {
  vow_loop_t *loop = manual_loop();
  char text[1024];
  vow_value_t v = vow_fail_cause(UV_EPROTO, vow_failf(UV_EIO, "disk"), "page");
  vow_future_t *f = vow_then(vow_ready(loop, v), add_one, NULL);
  manual_drain(loop);
  vow_status(f);
  vow_error_format(vow_peek(f), text, sizeof text);
  EXPECT_HAS(text, "page (EPROTO)");
  EXPECT_HAS(text, "at " __FILE__);
  EXPECT_HAS(text, "via " __FILE__);
  EXPECT_HAS(text, "caused by: disk (EIO)");
  vow_drop(f);
  manual_done(loop);
}

TEST(test_error_format_tells_every_error_of_an_aggregate) {
  vow_value_t v, causes[2];
  char text[1024];
  causes[0] = vow_failf(UV_EIO, "one");
  causes[1] = vow_fail(UV_EPIPE);
  v = vow_fail_multi(2, causes, 2);
  vow_error_format(v, text, sizeof text);
  EXPECT_HAS(text, "error 1: one (EIO)");
  EXPECT_HAS(text, "error 2: broken pipe (EPIPE)");
  vow_value_destroy(v);
}

TEST(test_error_format_cuts_to_fit) {
  vow_value_t v = vow_failf(UV_EIO, "0123456789");
  char text[64];
  for (size_t size = 1; size < sizeof text; size++) {
    memset(text, '#', sizeof text);
    ck_assert_ptr_eq(vow_error_format(v, text, size), text);
    ck_assert_uint_lt(strlen(text), size);
    ck_assert_int_eq(text[size], '#');
  }
  text[0] = '#';
  vow_error_format(v, text, 0);
  ck_assert_int_eq(text[0], '#');
  vow_value_destroy(v);
}

TEST(test_error_format_of_no_failure_says_so) {
  char text[64];
  ck_assert_str_eq(vow_error_format(vow_int(1), text, sizeof text),
                   "no failure");
}

/* ---- the last misuse ------------------------------------------------------
 */

TEST(test_error_fail_last_gives_the_record_once) {
  vow_value_t v;
  vow_value_destroy(vow_fail_last());
  ck_assert_str_eq(vow_last_message(), "");
  ck_assert_ptr_null(vow_get(NULL, &type_once));
  EXPECT_HAS(vow_last_message(), "vow_get: the future is NULL");
  v = vow_fail_last();
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  EXPECT_HAS(vow_error_message(vow_value_error(v)), "vow_get");
  vow_value_destroy(v);
  v = vow_fail_last();
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  ck_assert_ptr_null(vow_value_error(v));
  ck_assert_str_eq(vow_last_message(), "");
}

/* ---- causes added later ----------------------------------------------------
 */

TEST(test_error_because_is_added_behind_the_causes_there_are) {
  vow_value_t cause, v = vow_fail_cause(UV_EIO, vow_fail(UV_EPIPE), "read");
  v = vow_fail_because(v, vow_failf(UV_EPROTO, "third"));
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  ck_assert(vow_error_cause(vow_value_error(v), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EPIPE);
  ck_assert(vow_error_cause(vow_value_error(cause), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EPROTO);
  vow_value_destroy(v);
}

TEST(test_error_because_takes_the_place_of_a_bare_cancellation) {
  vow_value_t cause, v = vow_fail_because(vow_fail(UV_EIO), vow_cancelled(0));
  v = vow_fail_because(v, vow_fail(UV_ETIMEDOUT));
  ck_assert(vow_error_cause(vow_value_error(v), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_ETIMEDOUT);
  vow_value_destroy(v);
}

TEST(test_error_because_ends_at_16_causes) {
  vow_value_t cause, v = vow_fail(UV_EIO);
  int n = 0;
  for (int i = 0; i < 40; i++)
    v = vow_fail_because(v, vow_failf(UV_EPIPE, "%d", i));
  cause = v;
  while (vow_error_cause(vow_value_error(cause), &cause)) n++;
  ck_assert_int_eq(n, 16);
  vow_value_destroy(v);
}

TEST(test_error_because_of_no_failure_changes_nothing) {
  vow_value_t v = vow_fail_because(vow_int(3), vow_failf(UV_EIO, "x"));
  ck_assert_int_eq(v.as.i, 3);
  v = vow_fail_because(vow_fail(UV_EIO), once());
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  ck_assert_int_eq(things_live, 0);
  vow_value_destroy(v);
}

/* ---- texts that cannot be made --------------------------------------------- */

/* The C locale has no such character. */
TEST(test_error_whose_message_cannot_be_made_keeps_its_code) {
  vow_loop_t *loop = manual_loop();
  vow_value_t v = vow_failf(UV_EPROTO, "%ls", L"\u20ac");
  ck_assert_int_eq(vow_value_code(v), UV_EPROTO);
  vow_value_destroy(v);
  v = vow_stringf("%ls", L"\u20ac");
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  vow_value_destroy(v);
  manual_done(loop);
}

SUITE(core_error) {
  ADD(test_error_names_and_texts_of_codes);
  ADD(test_error_fail_of_no_failure_is_einval);
  ADD(test_error_cancellation_is_told_by_state);
  ADD(test_error_timeout_is_never_a_cancellation);
  ADD(test_error_failf_carries_code_message_and_site);
  ADD(test_error_failf_without_memory_is_the_plain_code);
  ADD(test_error_readers_accept_null);
  ADD(test_error_cause_is_kept);
  ADD(test_error_cause_that_is_no_failure_is_destroyed);
  ADD(test_error_cause_without_memory_leaves_the_code);
  ADD(test_error_multi_holds_failures_deciding_one_first);
  ADD(test_error_multi_without_a_deciding_one_says_several);
  ADD(test_error_multi_whose_deciding_one_is_no_failure_still_fails);
  ADD(test_error_multi_without_memory_is_the_plain_code);
  ADD(test_error_trail_names_the_sites_passed);
  ADD(test_error_trail_keeps_16_and_counts_all);
  ADD(test_error_trail_of_a_plain_code_begins_where_it_was_made);
  ADD(test_error_trails_of_two_branches_stay_apart);
  ADD(test_error_pass_without_memory_keeps_the_code);
  ADD(test_error_format_tells_message_origin_trail_and_cause);
  ADD(test_error_format_tells_every_error_of_an_aggregate);
  ADD(test_error_format_cuts_to_fit);
  ADD(test_error_format_of_no_failure_says_so);
  ADD(test_error_fail_last_gives_the_record_once);
  ADD(test_error_because_is_added_behind_the_causes_there_are);
  ADD(test_error_because_takes_the_place_of_a_bare_cancellation);
  ADD(test_error_because_ends_at_16_causes);
  ADD(test_error_because_of_no_failure_changes_nothing);
  ADD(test_error_whose_message_cannot_be_made_keeps_its_code);
}

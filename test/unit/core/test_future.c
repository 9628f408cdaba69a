/* SPDX-License-Identifier: MIT */
/* Tests of futures themselves: making settled ones, references, reading. */
#include "unit/core/helpers.h"

TEST(test_future_ready_has_settled) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = ok(loop, 42);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  ck_assert(vow_is_settled(f));
  ck_assert(!vow_is_cancelled(f));
  ck_assert_ptr_eq(vow_loop_of(f), loop);
  EXPECT_HAS(vow_site(f), "helpers.h:");
  EXPECT_INT(f, 42);
  manual_done(loop);
}

TEST(test_future_never_stays_pending_until_cancelled) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_never(loop);
  manual_advance(loop, 1000000);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(vow_status(f), UV_EAGAIN);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  manual_done(loop);
}

TEST(test_future_drop_of_last_reference_destroys_the_value_once) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, once());
  ck_assert_ptr_eq(vow_ref(f), f);
  vow_drop(f);
  ck_assert_int_eq(things_live, 1);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_future_null_is_accepted_by_readers) {
  ck_assert_ptr_null(vow_ref(NULL));
  vow_drop(NULL);
  vow_detach(NULL);
  ck_assert_int_eq(vow_state(NULL), VOW_PENDING);
  ck_assert(!vow_is_settled(NULL));
  ck_assert(!vow_is_cancelled(NULL));
  ck_assert_int_eq(vow_status(NULL), UV_EINVAL);
  ck_assert_ptr_null(vow_error(NULL));
  ck_assert_ptr_null(vow_peek(NULL).type);
  ck_assert_ptr_null(vow_get(NULL, &type_once));
  ck_assert_ptr_null(vow_take(NULL, &type_once));
  ck_assert_int_eq(vow_get_int(NULL), 0);
  ck_assert_double_eq(vow_get_double(NULL), 0);
  ck_assert_ptr_null(vow_get_string(NULL));
  ck_assert_ptr_null(vow_loop_of(NULL));
  ck_assert_str_eq(vow_site(NULL), "(null)");
  ck_assert_int_eq(vow_cancel(NULL), UV_EINVAL);
}

/* ---- reading --------------------------------------------------------------
 */

TEST(test_future_get_borrows_every_type) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *d = vow_ready(loop, vow_double(1.5));
  vow_future_t *c = vow_ready(loop, vow_cstr("static"));
  vow_future_t *s = vow_ready(loop, vow_string("owned"));
  vow_future_t *p = vow_ready(loop, once());
  ck_assert_double_eq(vow_get_double(d), 1.5);
  ck_assert_str_eq(vow_get_string(c), "static");
  ck_assert_str_eq(vow_get_string(s), "owned");
  ck_assert_ptr_nonnull(vow_get(p, &type_once));
  ck_assert_ptr_eq(vow_get(p, &type_once), vow_get(p, &type_once));
  vow_drop(d);
  vow_drop(c);
  vow_drop(s);
  vow_drop(p);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_future_get_as_wrong_type_names_both) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, once());
  vow_value_t v;
  ck_assert_ptr_null(vow_get(f, &type_many));
  v = vow_fail_last();
  ck_assert_int_eq(vow_value_code(v), VOW_ETYPE);
  EXPECT_HAS(vow_error_message(vow_value_error(v)), "'once'");
  EXPECT_HAS(vow_error_message(vow_value_error(v)), "'many'");
  EXPECT_HAS(vow_error_message(vow_value_error(v)), "vow_get:");
  vow_value_destroy(v);
  ck_assert_int_eq(vow_get_int(f), 0);
  EXPECT_HAS(vow_last_message(), "'int'");
  ck_assert_double_eq(vow_get_double(f), 0);
  EXPECT_HAS(vow_last_message(), "'double'");
  ck_assert_ptr_null(vow_get_string(f));
  EXPECT_HAS(vow_last_message(), "'string'");
  ck_assert_ptr_null(vow_take(f, &vow_type_string));
  EXPECT_HAS(vow_last_message(), "vow_take:");
  vow_drop(f);
  f = vow_ready(loop, vow_nil());
  ck_assert_int_eq(vow_get_int(f), 0);
  EXPECT_HAS(vow_last_message(), "'nil'");
  vow_drop(f);
  manual_done(loop);
}

TEST(test_future_get_while_pending_says_so) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_value_t v;
  ck_assert_ptr_null(vow_get(x.f, &type_once));
  EXPECT_HAS(vow_last_message(), "pending");
  v = vow_fail_last();
  ck_assert_int_eq(vow_value_code(v), UV_EAGAIN);
  vow_value_destroy(v);
  ck_assert_int_eq(vow_take_value(x.f, &v), UV_EAGAIN);
  ck_assert_int_eq(vow_value_code(vow_outcome(x.f)), UV_EAGAIN);
  ck_assert_ptr_null(vow_peek(x.f).type);
  ck_assert_ptr_null(vow_error(x.f));
  vow_promise_finish(x.p, vow_int(1));
  vow_drop(x.f);
  manual_done(loop);
}

TEST(test_future_get_of_failure_says_which) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, vow_failf(UV_EIO, "disk"));
  vow_value_t v;
  ck_assert_int_eq(vow_get_int(f), 0);
  EXPECT_HAS(vow_last_message(), "disk");
  v = vow_fail_last();
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  vow_value_destroy(v);
  ck_assert_int_eq(vow_take_value(f, &v), UV_EIO);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_future_error_is_made_on_demand_for_a_plain_code) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = bad(loop, UV_EIO), *g = ok(loop, 1);
  ck_assert_ptr_null(vow_value_error(vow_peek(f)));
  ck_assert_int_eq(vow_error_code(vow_error(f)), UV_EIO);
  ck_assert_str_eq(vow_error_site(vow_error(f)), vow_site(f));
  ck_assert_ptr_eq(vow_error(f), vow_error(f));
  ck_assert_ptr_null(vow_error(g));
  vow_drop(f);
  vow_drop(g);
  manual_done(loop);
}

TEST(test_future_error_of_a_cancellation_is_released_with_it) {
  vow_loop_t *loop;
  vow_future_t *f;
  fault_install();
  loop = manual_loop();
  f = vow_ready(loop, vow_cancelled(UV_EINTR));
  ck_assert_int_eq(vow_error_code(vow_error(f)), UV_EINTR);
  vow_drop(f);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- moving out -----------------------------------------------------------
 */

TEST(test_future_take_as_only_holder_moves) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, once());
  thing_t *t = vow_take(f, &type_once);
  ck_assert_ptr_nonnull(t);
  ck_assert_ptr_null(vow_get(f, &type_once));
  EXPECT_HAS(vow_last_message(), "moved out");
  ck_assert_ptr_null(vow_take(f, &type_once));
  ck_assert_int_eq(vow_value_code(vow_outcome(f)), VOW_EMOVED);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  vow_drop(f);
  ck_assert_int_eq(things_live, 1);
  thing_destroy(t);
  manual_done(loop);
}

TEST(test_future_take_of_shared_goes_through_ref) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ref(vow_ready(loop, many()));
  thing_t *t = vow_take(f, &type_many);
  ck_assert_int_eq(t->holders, 2);
  ck_assert_ptr_eq(vow_get(f, &type_many), t);
  vow_drop(f);
  vow_drop(f);
  ck_assert_int_eq(things_live, 1);
  thing_destroy(t);
  manual_done(loop);
}

TEST(test_future_take_of_shared_without_ref_says_moved) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ref(vow_ready(loop, once()));
  vow_value_t v = vow_int(9);
  ck_assert_ptr_null(vow_take(f, &type_once));
  EXPECT_HAS(vow_last_message(), "others are interested");
  ck_assert_int_eq(vow_take_value(f, &v), VOW_EMOVED);
  ck_assert_int_eq(v.as.i, 9);
  v = vow_outcome(f);
  ck_assert_int_eq(vow_value_code(v), VOW_EMOVED);
  vow_value_destroy(v);
  ck_assert_ptr_nonnull(vow_get(f, &type_once));
  vow_drop(f);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_future_take_whose_ref_fails_says_no_memory) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ref(vow_ready(loop, thing_of(&type_poor, 0)));
  vow_value_t v;
  ck_assert_ptr_null(vow_take(f, &type_poor));
  EXPECT_HAS(vow_last_message(), "memory");
  v = vow_fail_last();
  ck_assert_int_eq(vow_value_code(v), UV_ENOMEM);
  vow_value_destroy(v);
  vow_drop(f);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_future_take_value_serves_any_type) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, once()), *g = ok(loop, 3);
  vow_value_t v;
  ck_assert_int_eq(vow_take_value(f, &v), 0);
  ck_assert_ptr_eq(v.type, &type_once);
  vow_value_destroy(v);
  ck_assert_int_eq(vow_take_value(f, &v), VOW_EMOVED);
  ck_assert_int_eq(vow_take_value(g, &v), 0);
  ck_assert_int_eq(v.as.i, 3);
  ck_assert_int_eq(vow_take_value(NULL, &v), UV_EINVAL);
  ck_assert_int_eq(vow_take_value(g, NULL), UV_EINVAL);
  vow_drop(f);
  vow_drop(g);
  manual_done(loop);
}

TEST(test_future_outcome_moves_values_and_shares_failures) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, once());
  vow_value_t v = vow_outcome(f);
  ck_assert_ptr_eq(v.type, &type_once);
  vow_value_destroy(v);
  vow_drop(f);
  f = vow_ready(loop, vow_failf(UV_EIO, "disk"));
  v = vow_outcome(f);
  ck_assert_int_eq(vow_value_code(v), UV_EIO);
  ck_assert_int_eq(vow_status(f), UV_EIO);
  vow_drop(f);
  ck_assert_str_eq(vow_error_message(vow_value_error(v)), "disk");
  vow_value_destroy(v);
  v = vow_outcome(NULL);
  ck_assert_int_eq(vow_value_code(v), UV_EINVAL);
  vow_value_destroy(v);
  manual_done(loop);
}

static vow_value_t take_it(vow_future_t *in, void *arg) {
  *(thing_t **)arg = vow_take(in, &type_once);
  return *(thing_t **)arg != NULL ? vow_nil() : vow_fail_last();
}

TEST(test_future_callback_may_move_out_what_it_alone_was_given) {
  vow_loop_t *loop = manual_loop();
  thing_t *t = NULL;
  vow_future_t *f = vow_then(vow_ready(loop, once()), take_it, &t);
  manual_drain(loop);
  ck_assert_ptr_nonnull(t);
  vow_drop(f);
  thing_destroy(t);
  manual_done(loop);
}

TEST(test_future_callback_cannot_move_out_while_others_wait) {
  vow_loop_t *loop = manual_loop();
  thing_t *t = NULL, *u = NULL;
  vow_future_t *f = vow_ready(loop, once());
  vow_future_t *a = vow_then(vow_ref(f), take_it, &t);
  vow_future_t *b = vow_then(f, take_it, &u);
  manual_drain(loop);
  EXPECT_FAILED(a, VOW_EMOVED);
  ck_assert_ptr_null(t);
  ck_assert_ptr_nonnull(u); /* it was the last to be interested */
  EXPECT_HAS(vow_site(b), "test_future.c");
  vow_drop(b);
  thing_destroy(u);
  manual_done(loop);
}

TEST(test_future_passing_on_what_cannot_be_shared_fails_naming_its_site) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_ready(loop, once());
  vow_future_t *a = vow_catch(vow_ref(f), same, NULL);
  manual_drain(loop);
  EXPECT_HAS(vow_error_message(vow_error(a)), vow_site(f));
  EXPECT_FAILED(a, VOW_EMOVED);
  vow_drop(f);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

/* What stands behind a reader: a promise that is finished, but kept, while its
 * failure has been moved on. */
static void read_all(vow_future_t *f, const char *what, const char *site,
                     vow_state_t state, void *arg) {
  (void)what;
  (void)site;
  ck_assert_int_eq(vow_state(f), state);
  if (state != VOW_FAILED) return;
  ck_assert_int_eq(vow_status(f), UV_EIO);
  ck_assert_int_eq(vow_error_code(vow_error(f)), UV_EIO);
  ++*(int *)arg;
}

TEST(test_future_failure_moved_on_can_still_be_read) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *f = vow_then(x.f, add_one, NULL);
  int failed = 0;
  vow_resolve(x.p, vow_failf(UV_EIO, "disk"));
  manual_drain(loop);
  vow_loop_each(loop, read_all, &failed);
  ck_assert_int_eq(failed, 2);
  vow_promise_drop(x.p);
  vow_drop(f);
  manual_done(loop);
}

SUITE(core_future) {
  ADD(test_future_ready_has_settled);
  ADD(test_future_never_stays_pending_until_cancelled);
  ADD(test_future_drop_of_last_reference_destroys_the_value_once);
  ADD(test_future_null_is_accepted_by_readers);
  ADD(test_future_get_borrows_every_type);
  ADD(test_future_get_as_wrong_type_names_both);
  ADD(test_future_get_while_pending_says_so);
  ADD(test_future_get_of_failure_says_which);
  ADD(test_future_error_is_made_on_demand_for_a_plain_code);
  ADD(test_future_error_of_a_cancellation_is_released_with_it);
  ADD(test_future_take_as_only_holder_moves);
  ADD(test_future_take_of_shared_goes_through_ref);
  ADD(test_future_take_of_shared_without_ref_says_moved);
  ADD(test_future_take_whose_ref_fails_says_no_memory);
  ADD(test_future_take_value_serves_any_type);
  ADD(test_future_outcome_moves_values_and_shares_failures);
  ADD(test_future_callback_may_move_out_what_it_alone_was_given);
  ADD(test_future_callback_cannot_move_out_while_others_wait);
  ADD(test_future_passing_on_what_cannot_be_shared_fails_naming_its_site);
  ADD(test_future_failure_moved_on_can_still_be_read);
}

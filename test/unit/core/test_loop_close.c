/* SPDX-License-Identifier: MIT */
/* Tests of closing a loop: rule 22, and what may be done after it. */
#include "unit/core/helpers.h"

#include <vow/op.h>
#include <vow/time.h>
#include <vow/token.h>

/* Rule 22: closing cancels all, awaits, and returns 0. */
TEST(test_loop_close_cancels_everything_pending) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_nil()), b = returns(vow_nil()), c = returns(vow_nil());
  vow_future_t *f = vow_then(vow_sleep(loop, 1000), arg_run, &a, arg_drop);
  vow_future_t *g = vow_finally(vow_never(loop), arg_run, &b, arg_drop);
  vow_future_t *h = vow_handle(vow_sleep(loop, 0), arg_run, &c, arg_drop);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  EXPECT_SKIPPED(a);
  EXPECT_RAN(b);
  EXPECT_RAN(c);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  EXPECT_CANCELLED(g, UV_ECANCELED);
  vow_drop(h);
}

static uint64_t seen_ms;

static vow_value_t see_time(vow_future_t *in, void *arg) {
  (void)arg;
  seen_ms = vow_loop_now_ms(vow_loop_of(in));
  return vow_nil();
}

/* Rule 22: what several share is cancelled, too, and without delay. */
TEST(test_loop_close_does_not_wait_for_what_was_shared) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *root = vow_handle(vow_never(loop), see_time, NULL);
  vow_future_t *a = vow_then(vow_ref(root), add_one, NULL);
  vow_future_t *b = vow_then(vow_ref(root), add_one, NULL);
  seen_ms = 0;
  ck_assert_int_eq(vow_loop_close(loop, 5000), 0);
  ck_assert_uint_eq(seen_ms, 1000);
  vow_drop(root);
  EXPECT_CANCELLED(a, UV_ECANCELED);
  EXPECT_CANCELLED(b, UV_ECANCELED);
}

/* Rule 22: it awaits what unwinds within the grace time. */
TEST(test_loop_close_awaits_cleanup_that_sleeps) {
  vow_loop_t *loop = manual_loop();
  arg_t a = returns(vow_follow(vow_sleep(loop, 50))), b = returns(vow_nil());
  vow_future_t *f = vow_finally(ok(loop, 1), arg_run, &a, arg_drop);
  vow_detach(vow_finally(f, arg_run, &b, arg_drop));
  manual_drain(loop);
  ck_assert_int_eq(b.runs, 0); /* the first one sleeps */
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
  EXPECT_RAN(a);
  EXPECT_RAN(b);
}

static vow_value_t start_cleanup(vow_future_t *in, void *arg) {
  vow_future_t *f = vow_sleep(vow_loop_of(in), 50);
  (void)arg;
  return vow_follow(vow_then(f, note_run, "cleaned"));
}

/* Rule 22: clean-up that starts new work is waited for. */
TEST(test_loop_close_awaits_new_work_of_cleanup) {
  vow_loop_t *loop = manual_loop();
  vow_detach(vow_finally(vow_never(loop), start_cleanup, NULL));
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
  EXPECT_EVENTS("cleaned");
}

/* Rule 22: what needs no waiting is done though there is no grace time. */
TEST(test_loop_close_without_grace_unwinds_long_chains) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_never(loop);
  for (int i = 0; i < 20000; i++) f = vow_finally(f, same, NULL);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  EXPECT_CANCELLED(f, UV_ECANCELED);
}

static vow_value_t close_token(vow_future_t *in, void *arg) {
  (void)in;
  return vow_follow(vow_token_close(arg));
}

/* Rule 22: a future that waits for its own token to be quiet, which waits for
 * the future. */
TEST(test_loop_close_ends_a_ring_of_futures) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_future_t *f = vow_then(vow_sleep(loop, 1), close_token, t);
  f = vow_with_token(f, t);
  manual_advance(loop, 5);
  ck_assert_int_eq(vow_loop_close(loop, 100), 0);
  ck_assert(vow_is_settled(f));
  vow_status(f);
  vow_drop(f);
  vow_token_free(t);
}

/* ---- what will not end ----------------------------------------------------
 */

typedef struct stuck_list {
  int count;
  char text[512];
} stuck_list_t;

static void note_stuck(const char *what, const char *site, void *arg) {
  stuck_list_t *list = arg;
  size_t length = strlen(list->text);
  list->count++;
  snprintf(list->text + length, sizeof list->text - length, "%s@%s ", what,
           site);
}

/* Rule 22: what will not end is listed by site, with UV_EBUSY; the loop stays
 * usable, and closes once that has ended. */
TEST(test_loop_close_lists_what_is_stuck_then_succeeds) {
  vow_loop_options_t options = {0};
  stuck_list_t list = {0, ""};
  vow_loop_t *loop;
  int asked = 0;
  pair_t x;
  vow_future_t *f, *g;
  options.on_stuck = note_stuck;
  options.on_stuck_arg = &list;
  loop = manual_loop_with(&options);
  x = slow_pair(loop, &asked);
  f = vow_then(x.f, add_one, NULL);
  ck_assert_int_eq(vow_loop_close(loop, 100), UV_EBUSY);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(list.count, 2);
  EXPECT_HAS(list.text, "promise@");
  EXPECT_HAS(list.text, "helpers.h:");
  EXPECT_HAS(list.text, "then@");
  EXPECT_HAS(list.text, "test_loop_close.c:");
  g = vow_then(ok(loop, 1), add_one, NULL);
  manual_drain(loop);
  EXPECT_INT(g, 2);
  vow_promise_drop(x.p);
  ck_assert_int_eq(vow_loop_close(loop, 100), 0);
  ck_assert_int_eq(list.count, 2);
  EXPECT_CANCELLED(f, UV_ECANCELED);
}

typedef struct deaf_op {
  vow_op_t op;
} deaf_op_t;

static const vow_op_class_t deaf_class = {
    "deaf", sizeof(deaf_op_t), NULL, NULL, NULL, NULL};

/* Rule 22: an operation that cannot be cancelled, or is pinned, is busy. */
TEST(test_loop_close_lists_operations_by_class) {
  vow_loop_options_t options = {0};
  stuck_list_t list = {0, ""};
  vow_loop_t *loop;
  deaf_op_t *op;
  options.on_stuck = note_stuck;
  options.on_stuck_arg = &list;
  loop = manual_loop_with(&options);
  op = vow_op_new_at("here:1", loop, &deaf_class);
  vow_op_pin(op);
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  ck_assert_str_eq(list.text, "deaf@here:1 ");
  vow_op_settle(op, vow_nil());
  vow_drop(vow_op_future(op));
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY); /* libuv holds it */
  ck_assert_int_eq(list.count, 2);
  vow_op_unpin(op);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
}

/* Rule 22 */
TEST(test_loop_close_waits_no_longer_than_the_grace_time) {
  vow_loop_options_t options = {0};
  stuck_list_t list = {0, ""};
  vow_loop_t *loop;
  vow_future_t *f;
  options.on_stuck = note_stuck;
  options.on_stuck_arg = &list;
  loop = manual_loop_with(&options);
  f = vow_finally(vow_never(loop), start_cleanup, NULL);
  ck_assert_int_eq(vow_loop_close(loop, 20), UV_EBUSY);
  ck_assert_uint_eq(vow_loop_now_ms(loop), 1020);
  ck_assert_int_gt(list.count, 0);
  ck_assert_int_eq(vow_loop_close(loop, 40), 0);
  EXPECT_EVENTS("cleaned");
  EXPECT_CANCELLED(f, UV_ECANCELED);
}

/* ---- afterwards -----------------------------------------------------------
 */

TEST(test_loop_close_settled_futures_may_be_read_and_dropped_after_it) {
  vow_loop_t *loop;
  vow_future_t *f, *g, *h;
  fault_install();
  loop = manual_loop();
  f = vow_ready(loop, once());
  g = vow_ready(loop, vow_failf(UV_EIO, "disk"));
  h = vow_never(loop);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_ptr_nonnull(vow_get(f, &type_once));
  ck_assert_ptr_eq(vow_ref(f), f);
  vow_drop(f);
  ck_assert_int_eq(vow_cancel(f), 0);
  thing_destroy(vow_take(f, &type_once));
  vow_drop(f);
  ck_assert_str_eq(vow_error_message(vow_error(g)), "disk");
  vow_detach(g);
  EXPECT_CANCELLED(h, UV_ECANCELED);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_loop_close_new_futures_fail_with_shutdown) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *kept = vow_ref(ok(loop, 1)), *f;
  arg_t a = returns(vow_nil());
  vow_promise_t *p;
  pair_t x = pair(loop);
  vow_token_t *t = vow_token_new(loop);
  vow_value_t v;
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  EXPECT_FAILED(vow_ready(loop, once()), VOW_ESHUTDOWN);
  EXPECT_HAS(vow_last_message(), "closed");
  EXPECT_FAILED(vow_never(loop), VOW_ESHUTDOWN);
  EXPECT_FAILED(vow_sleep(loop, 1), VOW_ESHUTDOWN);
  EXPECT_FAILED(vow_promise_new(loop, &p), VOW_ESHUTDOWN);
  ck_assert_ptr_null(p);
  f = vow_then(kept, arg_run, &a, arg_drop);
  EXPECT_SKIPPED(a);
  EXPECT_FAILED(f, VOW_ESHUTDOWN);
  EXPECT_FAILED(vow_token_close(t), VOW_ESHUTDOWN);
  EXPECT_FAILED(vow_token_future(t), VOW_ESHUTDOWN);
  EXPECT_FAILED(vow_with_token(vow_ref(kept), t), VOW_ESHUTDOWN);
  ck_assert_ptr_null(vow_token_new(loop));
  ck_assert_ptr_null(vow_token_child(t));
  ck_assert_int_eq(vow_loop_run(loop), VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_loop_run_until(loop, kept), VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_loop_close(loop, 0), VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_resolve(x.p, once()), VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_promise_on_cancel(x.p, raise_count, NULL),
                   VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_await_blocking(vow_ref(kept), &v), VOW_ESHUTDOWN);
  ck_assert_int_eq(things_live, 0);
  vow_token_cancel(t, UV_EINTR);
  ck_assert_int_eq(vow_token_reason(t), UV_EINTR);
  vow_token_free(t);
  vow_promise_drop(x.p);
  vow_drop(x.f);
  vow_drop(kept);
}

TEST(test_loop_close_leaves_watches_to_their_tokens) {
  vow_loop_t *loop;
  vow_token_t *t, *late;
  fault_install();
  loop = manual_loop();
  t = vow_token_new(loop);
  late = vow_token_deadline(t, 100);
  vow_token_watch(t, note_watch, "t", note_drop);
  vow_token_watch(late, note_watch, "late", note_drop);
  ck_assert_int_eq(vow_loop_close(loop, 1000), 0);
  EXPECT_EVENTS("");
  vow_token_free(late);
  vow_token_free(t);
  EXPECT_EVENTS("-late -t");
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_loop_close_with_nothing_to_do_twice_on_two_loops) {
  vow_loop_t *a = vow_loop_ref(manual_loop()), *b = manual_loop();
  vow_future_t *f = ok(b, 1);
  ck_assert_int_eq(vow_loop_close(a, 0), 0);
  f = vow_then(f, add_one, NULL);
  manual_drain(b);
  EXPECT_MISUSE(vow_never(a), VOW_ESHUTDOWN, "closed"); /* lives on b */
  vow_loop_unref(a);
  EXPECT_INT(f, 2);
  manual_done(b);
}

TEST(test_loop_close_of_many_chains_cancels_all) {
  vow_loop_t *loop = manual_loop();
  size_t n = test_scale(10000);
  vow_future_t **f = malloc(n * sizeof *f);
  for (size_t i = 0; i < n; i++) {
    f[i] = i % 3 == 0 ? vow_sleep(loop, i) : vow_never(loop);
    for (size_t k = 0; k < i % 7; k++)
      f[i] = vow_finally(vow_then(f[i], add_one, NULL), same, NULL);
  }
  ck_assert_int_eq(vow_loop_close(loop, 100), 0);
  for (size_t i = 0; i < n; i++) {
    ck_assert(vow_is_settled(f[i]));
    vow_drop(f[i]);
  }
  free(f);
}

SUITE(core_loop_close) {
  ADD(test_loop_close_cancels_everything_pending);
  ADD(test_loop_close_does_not_wait_for_what_was_shared);
  ADD(test_loop_close_awaits_cleanup_that_sleeps);
  ADD(test_loop_close_awaits_new_work_of_cleanup);
  ADD(test_loop_close_without_grace_unwinds_long_chains);
  ADD(test_loop_close_ends_a_ring_of_futures);
  ADD(test_loop_close_lists_what_is_stuck_then_succeeds);
  ADD(test_loop_close_lists_operations_by_class);
  ADD(test_loop_close_waits_no_longer_than_the_grace_time);
  ADD(test_loop_close_settled_futures_may_be_read_and_dropped_after_it);
  ADD(test_loop_close_new_futures_fail_with_shutdown);
  ADD(test_loop_close_leaves_watches_to_their_tokens);
  ADD(test_loop_close_with_nothing_to_do_twice_on_two_loops);
  ADD(test_loop_close_of_many_chains_cancels_all);
}

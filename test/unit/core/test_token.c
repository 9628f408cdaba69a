/* SPDX-License-Identifier: MIT */
/* Tests of the tree of tokens: cancelling, watches, linking, freeing. Rules 11
 * to 14; what is bound is in test_token_bind.c. */
#include "unit/core/helpers.h"

#include <vow/token.h>

/* Rule 11: from parent to child only. */
TEST(test_token_cancel_goes_down_and_never_up) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *top = vow_token_new(loop), *mid = vow_token_child(top);
  vow_token_t *low = vow_token_child(mid), *side = vow_token_child(top);
  ck_assert_int_eq(vow_token_cancel(mid, UV_EINTR), 0);
  ck_assert(vow_token_is_cancelled(mid));
  ck_assert(vow_token_is_cancelled(low));
  ck_assert_int_eq(vow_token_reason(low), UV_EINTR);
  ck_assert(!vow_token_is_cancelled(top));
  ck_assert(!vow_token_is_cancelled(side));
  ck_assert_int_eq(vow_token_reason(top), 0);
  vow_token_free(top);
  vow_token_free(mid);
  vow_token_free(low);
  vow_token_free(side);
  manual_done(loop);
}

/* Rule 11: the first reason wins; a second cancel is a no-op. */
TEST(test_token_first_reason_wins) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *top = vow_token_new(loop), *low = vow_token_child(top);
  vow_token_watch(low, note_watch, "low");
  vow_token_cancel(low, UV_EINTR);
  ck_assert_int_eq(vow_token_cancel(low, UV_EIO), 0);
  vow_token_cancel(top, UV_EPIPE);
  ck_assert_int_eq(vow_token_reason(low), UV_EINTR);
  ck_assert_int_eq(vow_token_reason(top), UV_EPIPE);
  manual_drain(loop);
  EXPECT_EVENTS("low");
  vow_token_free(top);
  vow_token_free(low);
  manual_done(loop);
}

TEST(test_token_reason_that_is_no_error_means_cancelled) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_token_cancel(t, 0);
  ck_assert_int_eq(vow_token_reason(t), UV_ECANCELED);
  vow_token_free(t);
  manual_done(loop);
}

/* ---- Rule 12: two phases, and their order ---------------------------------
 */

static vow_token_t *tree[8];

static void check_all_marked(int reason, void *arg) {
  for (size_t i = 0; i < 8; i++)
    if (tree[i] != NULL) ck_assert_int_eq(vow_token_reason(tree[i]), reason);
  note(arg);
}

/* Rule 12: the whole subtree is marked before any callback runs. */
TEST(test_token_subtree_is_marked_before_any_callback) {
  vow_loop_t *loop = manual_loop();
  tree[0] = vow_token_new(loop);
  for (size_t i = 1; i < 8; i++) tree[i] = vow_token_child(tree[(i - 1) / 2]);
  for (size_t i = 0; i < 8; i++)
    vow_token_watch(tree[i], check_all_marked, ".");
  vow_token_cancel(tree[0], UV_EINTR);
  manual_drain(loop);
  EXPECT_EVENTS(". . . . . . . .");
  for (size_t i = 0; i < 8; i++) vow_token_free(tree[i]);
  memset(tree, 0, sizeof tree);
  manual_done(loop);
}

/* Rule 12: own ones first, in registration order; children depth first, in
 * creation order. */
TEST(test_token_callbacks_run_own_first_then_depth_first) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *a, *b, *aa, *ab;
  a = vow_token_child(t);
  b = vow_token_child(t);
  aa = vow_token_child(a);
  ab = vow_token_child(a);
  vow_token_watch(b, note_watch, "b");
  vow_token_watch(ab, note_watch, "ab");
  vow_token_watch(aa, note_watch, "aa");
  vow_token_watch(a, note_watch, "a1");
  vow_token_watch(a, note_watch, "a2");
  vow_token_watch(t, note_watch, "t1");
  vow_token_watch(t, note_watch, "t2");
  vow_token_cancel(t, UV_EINTR);
  EXPECT_EVENTS(""); /* Rule 1 */
  manual_drain(loop);
  EXPECT_EVENTS("t1 t2 a1 a2 aa ab b");
  vow_token_free(aa);
  vow_token_free(ab);
  vow_token_free(a);
  vow_token_free(b);
  vow_token_free(t);
  manual_done(loop);
}

typedef struct scene {
  vow_token_t *t, *child;
  vow_watch_t *self, *later, *on_child;
} scene_t;

static void free_everything(int reason, void *arg) {
  scene_t *s = arg;
  ck_assert_int_eq(reason, UV_EINTR);
  note("first");
  vow_token_unwatch(s->later);
  vow_token_unwatch(s->on_child);
  vow_token_cancel(s->t, UV_EIO);
  vow_token_cancel(s->child, UV_EIO);
  vow_token_watch(s->t, note_watch, "late", note_drop);
  vow_token_free(s->t);
  vow_token_free(s->child);
}

/* Rule 12: a callback may cancel, register, unregister or free anything. */
TEST(test_token_callback_may_do_anything) {
  vow_loop_t *loop = manual_loop();
  scene_t s;
  s.t = vow_token_new(loop);
  s.child = vow_token_child(s.t);
  s.self = vow_token_watch(s.t, free_everything, &s);
  s.later = vow_token_watch(s.t, note_watch, "later", note_drop);
  s.on_child = vow_token_watch(s.child, note_watch, "child", note_drop);
  vow_token_cancel(s.t, UV_EINTR);
  manual_drain(loop);
  EXPECT_EVENTS("first -later -child late -late");
  manual_done(loop);
}

/* ---- Rule 13: registering, unregistering, birth ---------------------------
 */

/* Rule 13: on a cancelled token the callback is queued, exactly once. */
TEST(test_token_watch_on_a_cancelled_token_is_queued_once) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_token_cancel(t, UV_EINTR);
  ck_assert_ptr_nonnull(vow_token_watch(t, note_watch, "w", note_drop));
  EXPECT_EVENTS("");
  manual_drain(loop);
  vow_token_cancel(t, UV_EIO);
  manual_drain(loop);
  EXPECT_EVENTS("w -w");
  vow_token_free(t);
  manual_done(loop);
}

/* Rule 13: what was unregistered does not run, even if it was queued. */
TEST(test_token_unwatched_never_runs) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_watch_t *a = vow_token_watch(t, note_watch, "a", note_drop);
  vow_watch_t *b = vow_token_watch(t, note_watch, "b", note_drop);
  vow_watch_t *c;
  vow_token_unwatch(a);
  EXPECT_EVENTS("-a");
  vow_token_cancel(t, UV_EINTR);
  vow_token_unwatch(b);
  c = vow_token_watch(t, note_watch, "c", note_drop);
  vow_token_unwatch(c);
  EXPECT_EVENTS("-b -c");
  manual_drain(loop);
  EXPECT_EVENTS("");
  vow_token_unwatch(NULL);
  vow_token_free(t);
  manual_done(loop);
}

static void unwatch_itself(int reason, void *arg) {
  (void)reason;
  note("w");
  vow_token_unwatch(*(vow_watch_t **)arg);
}

/* Rule 12: itself included. */
TEST(test_token_unwatch_from_within_the_callback_does_nothing) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_watch_t *w = vow_token_watch(t, unwatch_itself, &w);
  vow_token_cancel(t, UV_EINTR);
  manual_drain(loop);
  EXPECT_EVENTS("w");
  vow_token_free(t);
  manual_done(loop);
}

/* Rule 13: a child of a cancelled token is born cancelled. */
TEST(test_token_child_of_cancelled_is_born_cancelled) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *child, *deadline;
  vow_token_cancel(t, UV_EINTR);
  child = vow_token_child(t);
  deadline = vow_token_deadline(t, 10);
  ck_assert_int_eq(vow_token_reason(child), UV_EINTR);
  manual_advance(loop, 20);
  ck_assert_int_eq(vow_token_reason(deadline), UV_EINTR);
  vow_token_free(t);
  vow_token_free(child);
  vow_token_free(deadline);
  manual_done(loop);
}

/* Rule 13: linked tokens are cancelled by any source, with its reason. */
TEST(test_token_linked_is_cancelled_by_any_source) {
  vow_loop_t *loop = manual_loop();
  for (size_t by = 0; by < 3; by++) {
    vow_token_t *source[3], *t;
    for (size_t i = 0; i < 3; i++) source[i] = vow_token_new(loop);
    t = vow_token_linked(3, source);
    vow_token_watch(t, note_watch, "w");
    ck_assert(!vow_token_is_cancelled(t));
    vow_token_cancel(source[by], UV_EINTR - (int)by);
    ck_assert_int_eq(vow_token_reason(t), UV_EINTR - (int)by);
    for (size_t i = 0; i < 3; i++) {
      ck_assert_int_eq(vow_token_is_cancelled(source[i]), i == by);
      vow_token_cancel(source[i], UV_EIO);
    }
    manual_drain(loop);
    EXPECT_EVENTS("w");
    for (size_t i = 0; i < 3; i++) vow_token_free(source[i]);
    vow_token_free(t);
  }
  manual_done(loop);
}

/* Rule 13 */
TEST(test_token_linked_to_a_cancelled_one_is_born_cancelled) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *source[2], *t;
  source[0] = vow_token_new(loop);
  source[1] = vow_token_new(loop);
  vow_token_cancel(source[1], UV_EINTR);
  t = vow_token_linked(2, source);
  ck_assert_int_eq(vow_token_reason(t), UV_EINTR);
  vow_token_free(source[0]);
  vow_token_free(source[1]);
  vow_token_free(t);
  manual_done(loop);
}

/* Rule 13 */
TEST(test_token_linked_outlives_its_sources) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *source[2], *t, *child;
  source[0] = vow_token_new(loop);
  source[1] = vow_token_new(loop);
  t = vow_token_linked(2, source);
  child = vow_token_child(t);
  vow_token_free(source[0]);
  vow_token_free(t); /* a ghost until its child goes */
  vow_token_cancel(source[1], UV_EINTR);
  ck_assert_int_eq(vow_token_reason(child), UV_EINTR);
  vow_token_free(source[1]);
  vow_token_free(child);
  manual_done(loop);
}

/* ---- Rule 14: freeing -----------------------------------------------------
 */

/* Rule 14: freeing cancels nothing; watches are forgotten. */
TEST(test_token_free_cancels_nothing) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *child = vow_token_child(t);
  vow_token_watch(t, note_watch, "t", note_drop);
  vow_token_watch(child, note_watch, "child", note_drop);
  vow_token_free(t);
  EXPECT_EVENTS("-t");
  ck_assert(!vow_token_is_cancelled(child));
  vow_token_cancel(child, UV_EINTR);
  manual_drain(loop);
  EXPECT_EVENTS("child -child");
  vow_token_free(child);
  vow_token_free(NULL);
  manual_done(loop);
}

/* Rule 14: a middle node's children go to its parent, in its place. */
TEST(test_token_free_of_middle_hands_children_to_the_parent) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *a = vow_token_child(t);
  vow_token_t *mid = vow_token_child(t), *z = vow_token_child(t);
  vow_token_t *m1 = vow_token_child(mid), *m2 = vow_token_child(mid);
  vow_token_watch(m2, note_watch, "m2");
  vow_token_watch(m1, note_watch, "m1");
  vow_token_watch(z, note_watch, "z");
  vow_token_watch(a, note_watch, "a");
  vow_token_free(mid);
  ck_assert(!vow_token_is_cancelled(m1));
  vow_token_cancel(t, UV_EINTR);
  manual_drain(loop);
  EXPECT_EVENTS("a m1 m2 z");
  vow_token_free(t);
  vow_token_free(a);
  vow_token_free(m1);
  vow_token_free(m2);
  vow_token_free(z);
  manual_done(loop);
}

TEST(test_token_free_of_queued_watchs_token_does_not_take_it_back) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_token_watch(t, note_watch, "w", note_drop);
  vow_token_cancel(t, UV_EINTR);
  vow_token_free(t);
  manual_drain(loop);
  EXPECT_EVENTS("w -w");
  manual_done(loop);
}

TEST(test_token_deep_tree_does_not_recurse) {
  vow_loop_t *loop = manual_loop();
  size_t n = test_scale(100000);
  vow_token_t **t = malloc(n * sizeof *t);
  t[0] = vow_token_new(loop);
  for (size_t i = 1; i < n; i++) t[i] = vow_token_child(t[i - 1]);
  vow_token_cancel(t[0], UV_EINTR);
  ck_assert_int_eq(vow_token_reason(t[n - 1]), UV_EINTR);
  for (size_t i = 0; i < n; i++) vow_token_free(t[(i * 7919) % n]);
  free(t);
  manual_done(loop);
}

SUITE(core_token) {
  ADD(test_token_cancel_goes_down_and_never_up);
  ADD(test_token_first_reason_wins);
  ADD(test_token_reason_that_is_no_error_means_cancelled);
  ADD(test_token_subtree_is_marked_before_any_callback);
  ADD(test_token_callbacks_run_own_first_then_depth_first);
  ADD(test_token_callback_may_do_anything);
  ADD(test_token_watch_on_a_cancelled_token_is_queued_once);
  ADD(test_token_unwatched_never_runs);
  ADD(test_token_unwatch_from_within_the_callback_does_nothing);
  ADD(test_token_child_of_cancelled_is_born_cancelled);
  ADD(test_token_linked_is_cancelled_by_any_source);
  ADD(test_token_linked_to_a_cancelled_one_is_born_cancelled);
  ADD(test_token_linked_outlives_its_sources);
  ADD(test_token_free_cancels_nothing);
  ADD(test_token_free_of_middle_hands_children_to_the_parent);
  ADD(test_token_free_of_queued_watchs_token_does_not_take_it_back);
  ADD(test_token_deep_tree_does_not_recurse);
}

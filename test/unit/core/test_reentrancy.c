/* SPDX-License-Identifier: MIT */
/* Tests of what destructors, ref hooks and arg_drops may do while the engine is
 * at work: free, drop, settle, look around. Only the core and the dump. */
#include "unit/core/helpers.h"

#include <vow/debug.h>
#include <vow/time.h>
#include <vow/token.h>

/* ---- values ---------------------------------------------------------------
 */

typedef struct holder {
  vow_promise_t *p;
} holder_t;

static int holders_ended;

static void holder_destroy(void *v) {
  holder_t *h = v;
  holders_ended++;
  vow_promise_drop(h->p);
  free(h);
}

static const vow_type_t type_holder = {"holder", holder_destroy, NULL, NULL};

static vow_future_t *new_holder(vow_loop_t *loop, holder_t **ret_holder) {
  holder_t *h = malloc(sizeof *h);
  ck_assert_ptr_nonnull(h);
  holders_ended = 0;
  *ret_holder = h;
  return vow_promise_new_at("made:1", loop, &h->p);
}

/* The value owns the promise that refuses it. */
TEST(test_reentrancy_refused_value_may_drop_the_promise) {
  vow_loop_t *loop = manual_loop();
  holder_t *h;
  vow_drop(new_holder(loop, &h));
  ck_assert_int_eq(vow_resolve(h->p, vow_ptr(h, &type_holder)), UV_ECANCELED);
  ck_assert_int_eq(holders_ended, 1);
  EXPECT_HAS(vow_last_message(), "made:1");
  manual_done(loop);
}

TEST(test_reentrancy_value_refused_after_settling_may_drop_the_promise) {
  vow_loop_t *loop = manual_loop();
  holder_t *h;
  vow_future_t *f = new_holder(loop, &h);
  ck_assert_int_eq(vow_resolve(h->p, vow_int(1)), 0);
  vow_drop(f);
  ck_assert_int_eq(vow_resolve(h->p, vow_ptr(h, &type_holder)), VOW_ESETTLED);
  ck_assert_int_eq(holders_ended, 1);
  EXPECT_HAS(vow_last_message(), "made:1");
  manual_done(loop);
}

static vow_promise_t *target;
static int inner_err, copies;

static void copy_destroy(void *p) {
  (void)p;
  copies--;
}

static void *copy_ref(void *p) {
  copies++;
  inner_err = vow_resolve(target, vow_string("first"));
  return p;
}

static const vow_type_t type_resolves = {"resolves", copy_destroy, copy_ref,
                                         NULL};

/* The ref hook runs while the promise is being settled by following. */
TEST(test_reentrancy_ref_that_resolves_the_same_promise_comes_too_late) {
  vow_loop_t *loop;
  pair_t x;
  vow_future_t *shared;
  fault_install();
  loop = manual_loop();
  x = pair(loop);
  copies = 1;
  inner_err = 0;
  shared = vow_ready(loop, vow_ptr(&copies, &type_resolves));
  target = x.p;
  ck_assert_int_eq(vow_resolve(x.p, vow_follow(vow_ref(shared))), 0);
  ck_assert_int_eq(inner_err, VOW_ESETTLED);
  ck_assert_int_eq(copies, 2);
  ck_assert_ptr_nonnull(vow_get(x.f, &type_resolves));
  vow_drop(shared);
  vow_promise_drop(x.p);
  vow_drop(x.f);
  ck_assert_int_eq(copies, 0);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- args of continuations ------------------------------------------------
 */

static vow_loop_t *dumped;
static vow_future_t *dropped;
static int dumps, dump_lines;

static void count_line(const char *line, void *arg) {
  (void)arg;
  ck_assert_ptr_nonnull(line);
  dump_lines++;
}

static void dump_all(void *arg) {
  (void)arg;
  dumps++;
  vow_dump(dumped, count_line, NULL);
}

static vow_value_t drop_itself_and_follow(vow_future_t *in, void *arg) {
  vow_future_t *f = vow_sleep(vow_loop_of(in), 10);
  vow_drop(dropped);
  return vow_follow(vow_then(f, same, arg, dump_all));
}

/* The one that runs has let go of its source by then. */
TEST(test_reentrancy_arg_drop_may_dump_while_a_callback_ends) {
  vow_loop_t *loop = dumped = manual_loop();
  dumps = dump_lines = 0;
  dropped = vow_then(ok(loop, 1), drop_itself_and_follow, NULL);
  manual_drain(loop);
  ck_assert_int_eq(dumps, 1);
  ck_assert_int_ge(dump_lines, 1);
  manual_done(loop);
}

/* ---- watches and tokens ---------------------------------------------------
 */

static vow_watch_t *own;

static void unwatch_itself(int reason, void *arg) {
  ck_assert_int_eq(reason, UV_EINTR);
  note(arg);
  vow_token_unwatch(own);
  note("on");
}

/* Its arg stays until the callback has returned. */
TEST(test_reentrancy_watch_that_unwatches_itself_is_released_once) {
  vow_loop_t *loop;
  vow_token_t *t;
  fault_install();
  loop = manual_loop();
  t = vow_token_new(loop);
  own = vow_token_watch(t, unwatch_itself, "w", note_drop);
  vow_token_cancel(t, UV_EINTR);
  manual_drain(loop);
  EXPECT_EVENTS("w on -w");
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  vow_token_free(t);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static void free_token(void *token) {
  note("freed");
  vow_token_free(token);
}

static vow_token_t *sibling;

static void free_sibling(void *token) {
  free_token(token);
  vow_token_free(sibling);
}

/* As when a session, released with its watch, owns a token below. */
TEST(test_reentrancy_token_free_may_free_tokens_below_it) {
  vow_loop_t *loop;
  vow_token_t *root, *child, *grandchild;
  fault_install();
  loop = manual_loop();
  root = vow_token_new(loop);
  child = vow_token_child(root);
  sibling = vow_token_child(root);
  grandchild = vow_token_child(child);
  vow_token_watch(root, note_watch, child, free_sibling);
  vow_token_watch(root, note_watch, "second", note_drop);
  vow_token_free(root);
  EXPECT_EVENTS("freed -second");
  ck_assert_int_eq(vow_token_cancel(grandchild, 0), 0);
  vow_token_free(grandchild);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_reentrancy_token_freed_with_its_only_child) {
  vow_loop_t *loop;
  vow_token_t *root;
  fault_install();
  loop = manual_loop();
  root = vow_token_new(loop);
  vow_token_watch(root, note_watch, vow_token_child(root), free_token);
  vow_token_free(root);
  EXPECT_EVENTS("freed");
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(core_reentrancy) {
  ADD(test_reentrancy_refused_value_may_drop_the_promise);
  ADD(test_reentrancy_value_refused_after_settling_may_drop_the_promise);
  ADD(test_reentrancy_ref_that_resolves_the_same_promise_comes_too_late);
  ADD(test_reentrancy_arg_drop_may_dump_while_a_callback_ends);
  ADD(test_reentrancy_watch_that_unwatches_itself_is_released_once);
  ADD(test_reentrancy_token_free_may_free_tokens_below_it);
  ADD(test_reentrancy_token_freed_with_its_only_child);
}

/* SPDX-License-Identifier: MIT */
/* Tests of bad input: each gives a clear error that names the function and
 * what was wrong, and consumes what it was given. What is misuse only a debug
 * build looks for aborts there, naming the site. */
#include "unit/core/helpers.h"

#include <pthread.h>
#include <signal.h>

#include <vow/op.h>
#include <vow/time.h>
#include <vow/token.h>

typedef vow_future_t *(*chain_fn)(const char *site, vow_future_t *f,
                                  vow_then_cb cb, void *arg, vow_drop_cb drop);

static const struct {
  chain_fn fn;
  const char *name;
} kinds[] = {{vow_then_at, "vow_then"},
             {vow_catch_at, "vow_catch"},
             {vow_handle_at, "vow_handle"},
             {vow_finally_at, "vow_finally"}};

TEST(test_misuse_chaining_on_null_fails_naming_the_function) {
  vow_loop_t *loop = manual_loop();
  for (size_t i = 0; i < 4; i++) {
    arg_t a = returns(vow_nil());
    char text[64];
    vow_future_t *f = kinds[i].fn(VOW_SITE, NULL, arg_run, &a, arg_drop);
    snprintf(text, sizeof text, "%s: the future is NULL", kinds[i].name);
    EXPECT_SKIPPED(a);
    EXPECT_MISUSE(f, UV_EINVAL, text);
  }
  manual_done(loop);
}

TEST(test_misuse_null_callback_fails_and_consumes_the_input) {
  vow_loop_t *loop = manual_loop();
  for (size_t i = 0; i < 4; i++) {
    arg_t a = returns(vow_nil());
    char text[64];
    vow_future_t *f =
        kinds[i].fn(VOW_SITE, vow_ready(loop, once()), NULL, &a, arg_drop);
    snprintf(text, sizeof text, "%s: the callback is NULL", kinds[i].name);
    ck_assert_int_eq(things_live, 0);
    EXPECT_SKIPPED(a);
    EXPECT_MISUSE(f, UV_EINVAL, text);
  }
  manual_done(loop);
}

TEST(test_misuse_null_loop_fails_naming_the_function) {
  vow_loop_t *loop = manual_loop(); /* gives the failures a home */
  vow_promise_t *p;
  EXPECT_MISUSE(vow_ready(NULL, once()), UV_EINVAL, "vow_ready");
  ck_assert_int_eq(things_live, 0);
  EXPECT_MISUSE(vow_never(NULL), UV_EINVAL, "vow_never: the loop is NULL");
  EXPECT_MISUSE(vow_sleep(NULL, 1), UV_EINVAL, "vow_sleep: the loop is NULL");
  EXPECT_MISUSE(vow_sleep_until(NULL, 1), UV_EINVAL, "vow_sleep_until");
  EXPECT_MISUSE(vow_promise_new(NULL, &p), UV_EINVAL, "vow_promise_new");
  ck_assert_ptr_null(p);
  EXPECT_MISUSE(vow_promise_new(loop, NULL), UV_EINVAL, "ret_promise is NULL");
  ck_assert_int_eq(vow_loop_run(NULL), UV_EINVAL);
  EXPECT_HAS(vow_last_message(), "vow_loop_run: the loop is NULL");
  ck_assert_int_eq(vow_loop_run_until(NULL, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_loop_close(NULL, 0), UV_EINVAL);
  EXPECT_HAS(vow_last_message(), "vow_loop_close: the loop is NULL");
  ck_assert_ptr_null(vow_loop_driver(NULL));
  manual_done(loop);
}

TEST(test_misuse_without_any_loop_gives_an_immortal_failure) {
  vow_future_t *f = vow_ready(NULL, once()), *g;
  arg_t a = returns(vow_nil());
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  ck_assert_int_eq(vow_state(f), VOW_FAILED);
  ck_assert_ptr_null(vow_loop_of(f));
  ck_assert_ptr_null(vow_error(f));
  ck_assert_ptr_eq(vow_ref(f), f);
  ck_assert_int_eq(vow_cancel(f), 0);
  vow_drop(f);
  vow_detach(f);
  g = vow_finally(vow_then(f, arg_run, &a, arg_drop), arg_run, NULL);
  EXPECT_SKIPPED(a);
  ck_assert_int_eq(vow_status(g), UV_EINVAL);
  for (int i = 0; i < 10; i++) vow_drop(g);
}

TEST(test_misuse_failure_without_a_loop_is_handled_on_the_threads_loop) {
  vow_future_t *immortal = vow_ready(NULL, vow_nil()), *f;
  vow_loop_t *loop = manual_loop();
  for (size_t i = 1; i < 4; i++) {
    arg_t a = returns(vow_int(4));
    f = kinds[i].fn(VOW_SITE, immortal, arg_run, &a, arg_drop);
    manual_drain(loop);
    EXPECT_RAN(a);
    ck_assert_int_eq(a.status, UV_EINVAL);
    ck_assert_int_eq(vow_status(f), i == 3 ? UV_EINVAL : 0);
    vow_drop(f);
  }
  for (size_t i = 0; i < 4; i += 3) { /* followed */
    arg_t a = returns(vow_follow(immortal));
    f = kinds[i].fn(VOW_SITE, ok(loop, 1), arg_run, &a, arg_drop);
    manual_drain(loop);
    EXPECT_FAILED(f, UV_EINVAL);
  }
  manual_done(loop);
}

TEST(test_misuse_future_of_another_loop_is_refused) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  vow_token_t *t = vow_token_new(other), *both[2];
  vow_future_t *f = vow_never(loop);
  both[0] = t;
  both[1] = vow_token_new(loop);
  EXPECT_MISUSE(vow_with_token(vow_ready(loop, once()), t), UV_EINVAL,
                "vow_with_token: future and token are of different loops");
  ck_assert_int_eq(things_live, 0);
  ck_assert_ptr_null(vow_token_linked(2, both));
  EXPECT_HAS(vow_last_message(), "vow_token_linked: token 1 is of another");
  ck_assert_int_eq(vow_loop_run_until(other, f), UV_EINVAL);
  EXPECT_HAS(vow_last_message(), "vow_loop_run_until");
  vow_drop(f);
  vow_token_free(both[0]);
  vow_token_free(both[1]);
  manual_done(loop);
  manual_done(other);
}

TEST(test_misuse_tokens_say_what_was_wrong) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *some[2];
  arg_t a = {0};
  some[0] = t;
  some[1] = NULL;
  ck_assert_ptr_null(vow_token_new(NULL));
  EXPECT_HAS(vow_last_message(), "vow_token_new: the loop is NULL");
  ck_assert_ptr_null(vow_token_child(NULL));
  EXPECT_HAS(vow_last_message(), "vow_token_child: the parent is NULL");
  ck_assert_ptr_null(vow_token_deadline(NULL, 1));
  ck_assert_ptr_null(vow_token_linked(2, some));
  EXPECT_HAS(vow_last_message(), "token 1 is NULL");
  ck_assert_ptr_null(vow_token_linked(0, some));
  ck_assert_ptr_null(vow_token_linked(1, NULL));
  EXPECT_HAS(vow_last_message(), "vow_token_linked: no tokens");
  ck_assert_int_eq(vow_token_cancel(NULL, 0), UV_EINVAL);
  EXPECT_HAS(vow_last_message(), "vow_token_cancel: the token is NULL");
  ck_assert_ptr_null(vow_token_watch(NULL, note_watch, &a, arg_drop));
  ck_assert_ptr_null(vow_token_watch(t, NULL, &a, arg_drop));
  EXPECT_HAS(vow_last_message(), "vow_token_watch: the callback is NULL");
  ck_assert_int_eq(a.drops, 2);
  ck_assert(!vow_token_is_cancelled(NULL));
  ck_assert_int_eq(vow_token_reason(NULL), 0);
  ck_assert_ptr_null(vow_token_ref(NULL));
  vow_token_unref(NULL);
  EXPECT_MISUSE(vow_with_token(NULL, t), UV_EINVAL, "the future is NULL");
  EXPECT_MISUSE(vow_with_token(ok(loop, 1), NULL), UV_EINVAL,
                "vow_with_token: the token is NULL");
  EXPECT_MISUSE(vow_token_future(NULL), UV_EINVAL, "vow_token_future");
  EXPECT_MISUSE(vow_token_close(NULL), UV_EINVAL, "vow_token_close");
  vow_token_free(t);
  manual_done(loop);
}

/* Counts that cannot be: nothing is read, nothing is allocated for them. */
TEST(test_misuse_huge_counts_are_refused) {
  vow_loop_t *loop;
  vow_token_t *t;
  fault_install();
  loop = manual_loop();
  t = vow_token_new(loop);
  ck_assert_ptr_null(vow_token_linked(SIZE_MAX, &t));
  EXPECT_HAS(vow_last_message(), "count that cannot be");
  ck_assert_ptr_null(vow_token_linked(SIZE_MAX / 64, &t));
  vow_token_free(t);
  manual_done(loop);
  fault_remove();
}

TEST(test_misuse_driver_without_a_loop_or_a_place_is_refused) {
  vow_loop_t *loop = manual_loop(), *other = NULL;
  ck_assert_int_eq(vow_loop_new_driver(NULL, NULL, &other), UV_EINVAL);
  ck_assert_int_eq(vow_loop_new_driver(vow_loop_driver(loop), NULL, NULL),
                   UV_EINVAL);
  ck_assert_ptr_null(other);
  manual_done(loop);
}

/* ---- on another thread ----------------------------------------------------
 */

typedef struct visitor {
  vow_loop_t *loop;
  vow_future_t *future;
  vow_future_t *extra[2]; /* references to give up there */
  vow_promise_t *promise;
  vow_token_t *token;
  int drops;
} visitor_t;

static void drop_counted(void *arg) {
  ++*(int *)arg;
}

static void *visit(void *arg) {
  visitor_t *v = arg;
  vow_promise_t *p;
  vow_value_t value;
  EXPECT_FAILED(vow_ready(v->loop, once()), VOW_ETHREAD);
  EXPECT_HAS(vow_last_message(), "vow_ready: called on another thread");
  EXPECT_FAILED(vow_never(v->loop), VOW_ETHREAD);
  EXPECT_FAILED(vow_sleep(v->loop, 1), VOW_ETHREAD);
  EXPECT_FAILED(vow_promise_new(v->loop, &p), VOW_ETHREAD);
  ck_assert_ptr_null(p);
  ck_assert_int_eq(vow_resolve(v->promise, once()), VOW_ETHREAD);
  EXPECT_HAS(vow_last_message(), "vow_resolve");
  ck_assert_int_eq(vow_promise_on_cancel(v->promise, raise_count, NULL),
                   VOW_ETHREAD);
  ck_assert_int_eq(vow_cancel(v->future), VOW_ETHREAD);
  ck_assert_int_eq(vow_loop_run(v->loop), VOW_ETHREAD);
  ck_assert_int_eq(vow_loop_run_until(v->loop, v->future), VOW_ETHREAD);
  ck_assert_int_eq(vow_loop_close(v->loop, 0), VOW_ETHREAD);
  ck_assert_ptr_null(vow_token_new(v->loop));
  ck_assert_ptr_null(vow_token_child(v->token));
  EXPECT_HAS(vow_last_message(), "another thread");
  ck_assert_int_eq(vow_token_cancel(v->token, 0), VOW_ETHREAD);
  ck_assert_ptr_null(
      vow_token_watch(v->token, note_watch, &v->drops, drop_counted));
  EXPECT_FAILED(vow_token_future(v->token), VOW_ETHREAD);
  EXPECT_FAILED(vow_token_close(v->token), VOW_ETHREAD);
  EXPECT_FAILED(vow_with_token(v->extra[0], v->token), VOW_ETHREAD);
  ck_assert_int_eq(vow_await_blocking(v->extra[1], &value), VOW_ETHREAD);
#ifndef VOW_DEBUG
  EXPECT_FAILED(vow_then(v->future, add_one, &v->drops, drop_counted),
                VOW_ETHREAD);
  EXPECT_HAS(vow_last_message(), "vow_then: called on another thread");
  v->future = NULL;
#endif
  return NULL;
}

TEST(test_misuse_on_another_thread_is_an_error) {
  vow_loop_t *loop = manual_loop();
  visitor_t v = {loop, NULL, {NULL, NULL}, NULL, vow_token_new(loop), 0};
  vow_future_t *kept = vow_promise_new(loop, &v.promise);
  pthread_t thread;
  v.future = vow_then(vow_ref(kept), add_one, NULL);
  v.extra[0] = vow_ref(kept);
  v.extra[1] = vow_ready(loop, once());
  ck_assert_int_eq(pthread_create(&thread, NULL, visit, &v), 0);
  pthread_join(thread, NULL);
  manual_drain(loop);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(v.drops, v.future == NULL ? 2 : 1);
  ck_assert_int_eq(vow_state(kept), VOW_PENDING);
  ck_assert(!vow_token_is_cancelled(v.token));
  vow_token_free(v.token);
  vow_drop(v.future);
  vow_drop(kept);
  vow_promise_drop(v.promise);
  manual_done(loop);
}

/* ---- what debug builds catch ----------------------------------------------
 */

#ifdef VOW_DEBUG
static void *chain_here(void *arg) {
  vow_drop(vow_then(arg, add_one, NULL));
  return NULL;
}

static void *ref_here(void *arg) {
  vow_ref(arg);
  return NULL;
}

static void *drop_here(void *arg) {
  vow_drop(arg);
  return NULL;
}

/* Runs fn on another thread, with the message out of sight. */
static void abuse(void *(*fn)(void *)) {
  vow_loop_t *loop = manual_loop();
  pthread_t thread;
  if (freopen("/dev/null", "w", stderr) == NULL) return;
  pthread_create(&thread, NULL, fn, vow_never(loop));
  pthread_join(thread, NULL);
}

TEST(test_misuse_chaining_on_another_thread_aborts) {
  abuse(chain_here);
}

TEST(test_misuse_ref_on_another_thread_aborts) {
  abuse(ref_here);
}

TEST(test_misuse_drop_on_another_thread_aborts) {
  abuse(drop_here);
}

TEST(test_misuse_promise_dropped_twice_aborts) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  if (freopen("/dev/null", "w", stderr) == NULL) return;
  vow_promise_drop(x.p);
  vow_promise_drop(x.p);
}
#endif

SUITE(core_misuse) {
  ADD(test_misuse_chaining_on_null_fails_naming_the_function);
  ADD(test_misuse_null_callback_fails_and_consumes_the_input);
  ADD(test_misuse_null_loop_fails_naming_the_function);
  ADD(test_misuse_without_any_loop_gives_an_immortal_failure);
  ADD(test_misuse_failure_without_a_loop_is_handled_on_the_threads_loop);
  ADD(test_misuse_future_of_another_loop_is_refused);
  ADD(test_misuse_tokens_say_what_was_wrong);
  ADD(test_misuse_huge_counts_are_refused);
  ADD(test_misuse_driver_without_a_loop_or_a_place_is_refused);
  ADD(test_misuse_on_another_thread_is_an_error);
#ifdef VOW_DEBUG
  if (may_abort()) {
#define ADD_ABORT(name) tcase_add_test_raise_signal(test_tcase, name, SIGABRT)
    ADD_ABORT(test_misuse_chaining_on_another_thread_aborts);
    ADD_ABORT(test_misuse_ref_on_another_thread_aborts);
    ADD_ABORT(test_misuse_drop_on_another_thread_aborts);
    ADD_ABORT(test_misuse_promise_dropped_twice_aborts);
  }
#endif
}

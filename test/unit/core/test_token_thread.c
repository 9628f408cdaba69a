/* SPDX-License-Identifier: MIT */
/* Tests of tokens seen from other threads: rule 16. */
#include "unit/core/helpers.h"

#include <pthread.h>

#include <vow/token.h>

static pthread_t start(void *(*fn)(void *), void *arg) {
  pthread_t thread;
  ck_assert_int_eq(pthread_create(&thread, NULL, fn, arg), 0);
  return thread;
}

static void finish(pthread_t thread) {
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* Rule 16: is_cancelled may be read from any thread. */
static void *spin_until_cancelled(void *arg) {
  vow_token_t *t = arg;
  while (!vow_token_is_cancelled(t)) {
  }
  ck_assert_int_eq(vow_token_reason(t), UV_EINTR);
  vow_token_unref(t);
  return NULL;
}

TEST(test_token_thread_is_read_from_another_thread) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop), *child = vow_token_child(t);
  pthread_t thread = start(spin_until_cancelled, vow_token_ref(child));
  vow_token_cancel(t, UV_EINTR);
  vow_token_free(child);
  vow_token_free(t);
  manual_done(loop);
  finish(thread);
}

static void *cancel_posted(void *arg) {
  ck_assert_int_eq(vow_token_cancel_post(arg, UV_EINTR), 0);
  return NULL;
}

TEST(test_token_thread_is_cancelled_from_another_thread) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_future_t *f = vow_with_token(vow_never(loop), t);
  pthread_t thread = start(cancel_posted, t);
  finish(thread);
  ck_assert(!vow_token_is_cancelled(t));
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_EINTR);
  vow_token_free(t);
  manual_done(loop);
}

TEST(test_token_thread_cancel_that_comes_too_late_is_harmless) {
  vow_loop_t *loop = manual_loop();
  vow_token_t *t = vow_token_new(loop);
  vow_token_ref(t);
  ck_assert_int_eq(vow_token_cancel_post(t, UV_EINTR), 0);
  vow_token_free(t);
  manual_drain(loop);
  ck_assert(!vow_token_is_cancelled(t)); /* as it was freed before */
  vow_token_unref(t);
  t = vow_token_new(loop);
  manual_close(loop);
  ck_assert_int_eq(vow_token_cancel_post(t, UV_EINTR), VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_token_cancel_post(NULL, UV_EINTR), UV_EINVAL);
  vow_token_free(t);
}

SUITE(core_token_thread) {
  ADD(test_token_thread_is_read_from_another_thread);
  ADD(test_token_thread_is_cancelled_from_another_thread);
  ADD(test_token_thread_cancel_that_comes_too_late_is_harmless);
}

/* SPDX-License-Identifier: MIT */
/* Tests of what happens late in a close: while the driver closes, when it says
 * no, and what it prints. Rule 22. */
#include "unit/core/helpers.h"

#include <vow/token.h>

static int (*driver_close)(vow_driver_t *d, vow_stuck_cb stuck, void *arg);
static vow_loop_t *closing;
static vow_remote_t *remote;
static vow_token_t *token;
static vow_future_t *settled;

static void hook_close(vow_loop_t *loop,
                       int (*hook)(vow_driver_t *, vow_stuck_cb, void *)) {
  closing = loop;
  driver_close = vow_loop_driver(loop)->close;
  vow_loop_driver(loop)->close = hook;
}

static void note_post(vow_loop_t *loop, void *arg) {
  (void)loop;
  note(arg);
}

static int say_no(vow_driver_t *d, vow_stuck_cb stuck, void *arg) {
  (void)d;
  stuck("uv handle tcp", "somewhere", arg);
  return UV_EBUSY;
}

static void count_stuck(const char *what, const char *site, void *arg) {
  ck_assert_str_eq(what, "uv handle tcp");
  ck_assert_str_eq(site, "somewhere");
  ++*(int *)arg;
}

/* Rule 22: the loop stays open and usable, and closes the next time. */
TEST(test_loop_close_that_the_driver_refuses_leaves_it_usable) {
  vow_loop_options_t options = {0};
  vow_loop_t *loop;
  pair_t x;
  int stuck = 0;
  options.on_stuck = count_stuck;
  options.on_stuck_arg = &stuck;
  loop = manual_loop_with(&options);
  x = pair(loop);
  remote = vow_promise_remote(x.p);
  hook_close(loop, say_no);
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  ck_assert_int_eq(stuck, 1);
  ck_assert_int_eq(vow_post(loop, note_post, "posted", note_drop), 0);
  ck_assert_int_eq(vow_remote_settle(remote, once()), 0);
  manual_drain(loop);
  EXPECT_EVENTS("posted -posted");
  ck_assert_int_eq(things_live, 0); /* its future was cancelled */
  EXPECT_CANCELLED(x.f, UV_ECANCELED);
  EXPECT_INT(ok(loop, 1), 1);
  vow_loop_driver(loop)->close = driver_close;
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
}

static int settle_late(vow_driver_t *d, vow_stuck_cb stuck, void *arg) {
  ck_assert_int_eq(vow_post(closing, note_post, "late", note_drop),
                   VOW_ESHUTDOWN);
  vow_loop_receive(closing); /* as from a wake-up still under way */
  ck_assert_int_eq(vow_post(closing, note_post, "later", note_drop),
                   VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_remote_settle(remote, once()), VOW_ESHUTDOWN);
  return driver_close(d, stuck, arg);
}

/* What other threads send from then on is refused, and destroyed there. */
TEST(test_loop_close_refuses_posts_while_the_driver_closes) {
  vow_loop_t *loop = manual_loop();
  pair_t x = pair(loop);
  vow_future_t *f = vow_then(x.f, add_one, NULL);
  remote = vow_promise_remote(x.p);
  hook_close(loop, settle_late);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  EXPECT_EVENTS("-late -later");
  ck_assert_int_eq(things_live, 0);
  EXPECT_CANCELLED(f, UV_ECANCELED);
}

static int cancel_late(vow_driver_t *d, vow_stuck_cb stuck, void *arg) {
  vow_token_cancel(token, UV_EINTR);
  return driver_close(d, stuck, arg);
}

static void chain_late(void *arg) {
  note_drop(arg);
  vow_detach(vow_then(settled, note_run, "chained"));
}

TEST(test_loop_close_forgets_watches_that_nothing_runs_any_more) {
  vow_loop_t *loop = manual_loop();
  token = vow_token_new(loop);
  settled = ok(loop, 1);
  vow_token_watch(token, note_watch, "a", note_drop);
  vow_token_watch(token, note_watch, "b", chain_late);
  hook_close(loop, cancel_late);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  EXPECT_EVENTS("-a -b chained");
  vow_token_free(token);
}

TEST(test_loop_close_frees_detached_futures_by_the_slab) {
  vow_loop_t *loop;
  fault_install();
  loop = manual_loop();
  for (int i = 0; i < 5000; i++) vow_detach(vow_never(loop));
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* By default what is stuck is printed when VOW_DEBUG is set. */
TEST(test_loop_close_default_hook_prints_when_asked) {
  vow_loop_t *loop = manual_loop();
  pair_t x = slow_pair(loop, NULL);
  capture_t c;
  char text[512];
  unsetenv("VOW_DEBUG");
  capture_begin(&c);
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  setenv("VOW_DEBUG", "1", 1);
  ck_assert_int_eq(vow_loop_close(loop, 0), UV_EBUSY);
  unsetenv("VOW_DEBUG");
  capture_end(&c, text, sizeof text);
  EXPECT_HAS(text, "vow: still not ended: promise, made at");
  ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
  vow_promise_drop(x.p);
  vow_drop(x.f);
  manual_done(loop);
}

SUITE(core_loop_close_late) {
  ADD(test_loop_close_that_the_driver_refuses_leaves_it_usable);
  ADD(test_loop_close_refuses_posts_while_the_driver_closes);
  ADD(test_loop_close_forgets_watches_that_nothing_runs_any_more);
  ADD(test_loop_close_frees_detached_futures_by_the_slab);
  ADD(test_loop_close_default_hook_prints_when_asked);
}

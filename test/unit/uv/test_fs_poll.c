/* SPDX-License-Identifier: MIT */
/* Watching by looking. */
#include <vow/fs_poll.h>

#include "support/manual.h"
#include "unit/uv/uv_support.h"

#include <fcntl.h>
#include <unistd.h>

/* A file of its own, and a poll that has looked at it once. */
typedef struct watch {
  vow_loop_t *loop;
  char path[32];
  int fd;
  vow_fs_poll_t *p;
} watch_t;

/* Until a look that began after this call is over: a look is a timer that
 * fires and a request that ends, and each turn waits for one of them. */
static void look(vow_loop_t *loop) {
  vow_future_t *alive = vow_sleep(loop, 100000); /* so that turns happen */
  int i;
  for (i = 0; i < 16; i++) uv_run(vow_loop_uv(loop), UV_RUN_ONCE);
  vow_drop(alive);
}

static watch_t watch_file(vow_loop_t *loop) {
  watch_t w = {loop, "/tmp/vow-test-XXXXXX", -1, NULL};
  w.fd = mkstemp(w.path);
  ck_assert_int_ge(w.fd, 0);
  return w;
}

static watch_t watch_open(vow_loop_t *loop) {
  watch_t w = watch_file(loop);
  ck_assert_int_eq(vow_fs_poll_new(loop, w.path, 1, &w.p), 0);
  look(loop);
  return w;
}

static void watch_end(watch_t *w) {
  vow_fs_poll_free(w->p);
  close(w->fd);
  unlink(w->path);
}

static void watch_done(watch_t *w) {
  watch_end(w);
  loop_done(w->loop);
}

static void append(const watch_t *w) {
  ck_assert_int_eq(write(w->fd, "x", 1), 1);
}

static void expect_sizes(vow_future_t *f, unsigned before, unsigned after) {
  const vow_fs_diff_t *diff = vow_fs_diff_get(f);
  ck_assert_ptr_nonnull(diff);
  ck_assert_uint_eq(diff->before.st_size, before);
  ck_assert_uint_eq(diff->after.st_size, after);
  vow_drop(f);
}

/* Waits for f. A look in the midst of the write sees the new time and the old
 * size; then the next one brings the size. */
static void expect_growth(const watch_t *w, vow_future_t *f, unsigned before,
                          unsigned after) {
  int looks;
  for (looks = 0; looks < 3; looks++) {
    ck_assert_int_eq(settle(w->loop, f), 0);
    if (vow_fs_diff_get(f)->after.st_size != before) break;
    vow_drop(f);
    f = vow_fs_poll_next(w->p);
  }
  expect_sizes(f, before, after);
}

/* Waits for f. A look in the midst of the unlink sees a file without a name. */
static void expect_loss(const watch_t *w, vow_future_t *f) {
  if (settle(w->loop, f) == 0 && vow_fs_diff_get(f)->after.st_nlink == 0) {
    vow_drop(f);
    f = vow_fs_poll_next(w->p);
  }
  ck_assert_int_eq(settle_drop(w->loop, f), UV_ENOENT);
}

TEST(test_fs_poll_gives_before_and_after) {
  watch_t w = watch_open(loop_open());
  vow_future_t *f = vow_fs_poll_next(w.p);
  append(&w);
  expect_growth(&w, f, 0, 1);
  watch_done(&w);
}

TEST(test_fs_poll_changes_that_nobody_took_come_as_one) {
  watch_t w = watch_open(loop_open());
  vow_future_t *f;
  append(&w);
  look(w.loop);
  append(&w);
  look(w.loop);
  f = vow_fs_poll_next(w.p);
  ck_assert_int_eq(vow_state(f), VOW_SUCCEEDED);
  expect_sizes(f, 0, 2);
  f = vow_fs_poll_next(w.p);
  look(w.loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_drop(f);
  watch_done(&w);
}

TEST(test_fs_poll_lost_file_fails_once_and_looking_goes_on) {
  watch_t w = watch_open(loop_open());
  vow_future_t *f = vow_fs_poll_next(w.p);
  unlink(w.path);
  expect_loss(&w, f);
  f = vow_fs_poll_next(w.p);
  look(w.loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  close(w.fd);
  w.fd = open(w.path, O_CREAT | O_WRONLY, 0600);
  ck_assert_int_eq(settle_drop(w.loop, f), 0);
  unlink(w.path);
  look(w.loop);
  f = vow_fs_poll_next(w.p); /* kept while nobody asked */
  ck_assert(vow_is_settled(f));
  expect_loss(&w, f);
  watch_done(&w);
}

TEST(test_fs_poll_cancelled_next_leaves_the_change_to_the_next) {
  watch_t w = watch_open(loop_open());
  vow_future_t *a = vow_fs_poll_next(w.p), *b = vow_fs_poll_next(w.p);
  ck_assert_int_eq(vow_cancel(a), 0);
  ck_assert(vow_is_cancelled(a));
  append(&w);
  expect_growth(&w, b, 0, 1);
  vow_drop(a);
  watch_done(&w);
}

TEST(test_fs_poll_keeps_the_loop_alive_only_while_a_next_pends) {
  watch_t w = watch_open(loop_open());
  vow_future_t *f;
  ck_assert_int_eq(vow_loop_run(w.loop), 0);
  f = vow_fs_poll_next(w.p);
  ck_assert(uv_loop_alive(vow_loop_uv(w.loop)));
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(w.loop), 0);
  watch_done(&w);
}

TEST(test_fs_poll_free_fails_pending_nexts) {
  watch_t w = watch_open(loop_open());
  vow_future_t *f = vow_fs_poll_next(w.p);
  vow_fs_poll_free(w.p);
  vow_fs_poll_free(NULL);
  w.p = NULL;
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  watch_done(&w);
}

TEST(test_rule_22_close_right_after_fs_poll_free_waits_for_the_look) {
  int i;
  for (i = 0; i < 20; i++) {
    watch_t w;
    fault_install();
    w = watch_file(loop_open_probe());
    ck_assert_int_eq(vow_fs_poll_new(w.loop, w.path, 1, &w.p), 0);
    watch_end(&w); /* its first look is under way */
    ck_assert_int_eq(vow_loop_close(w.loop, 5000), 0);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
}

TEST(test_rule_22_close_with_an_fs_poll_names_it) {
  watch_t w = watch_open(loop_open());
  vow_future_t *f = vow_fs_poll_next(w.p);
  ck_assert_int_eq(vow_loop_close(w.loop, 0), UV_EBUSY);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  watch_done(&w);
}

TEST(test_fs_poll_on_an_attached_loop_may_be_freed_after_close) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  watch_t w;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  w = watch_open(loop);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  watch_end(&w);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
}

TEST(test_fs_poll_bad_arguments_give_codes) {
  vow_loop_t *loop = loop_open(), *manual = manual_loop();
  vow_fs_poll_t *p = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_fs_poll_new(NULL, "/tmp", 1, &p), UV_EINVAL);
  ck_assert_int_eq(vow_fs_poll_new(loop, NULL, 1, &p), UV_EINVAL);
  ck_assert_int_eq(vow_fs_poll_new(loop, "/tmp", 1, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_fs_poll_new(manual, "/tmp", 1, &p), UV_ENOTSUP);
  ck_assert_ptr_null(p);
  f = vow_fs_poll_next(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  manual_done(manual);
  loop_done(loop);
}

TEST(test_fs_poll_out_of_memory_loses_nothing) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    watch_t w;
    vow_future_t *f = NULL;
    int err;
    fault_install();
    w = watch_file(loop_open_probe());
    fault_fail_at(n);
    err = vow_fs_poll_new(w.loop, w.path, 1, &w.p);
    if (err == 0) {
      look(w.loop);
      f = vow_fs_poll_next(w.p);
      append(&w);
      err = vow_is_settled(f) ? vow_status(f) : settle(w.loop, f);
      vow_drop(f);
    }
    failed = fault_failed() > 0;
    fault_off();
    /* The sleep in look may be what failed. */
    ck_assert(err == 0 || (failed && err == UV_ENOMEM));
    if (err != 0 && w.p != NULL) { /* it is still there for the asking */
      append(&w);
      f = vow_fs_poll_next(w.p);
      ck_assert_int_eq(settle_drop(w.loop, f), 0);
    }
    watch_done(&w);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_gt(n, 4);
}

TEST(test_fs_poll_change_that_cannot_be_told_waits_for_the_next_next) {
  watch_t w;
  vow_future_t *f;
  fault_install();
  w = watch_open(loop_open());
  append(&w);
  look(w.loop);
  fault_fail_from(1);
  f = vow_fs_poll_next(w.p);
  ck_assert_int_eq(vow_status(f), UV_ENOMEM);
  vow_drop(f);
  fault_off();
  f = vow_fs_poll_next(w.p);
  ck_assert(vow_is_settled(f));
  expect_sizes(f, 0, 1);
  watch_done(&w);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

SUITE(uv_fs_poll) {
  ADD(test_fs_poll_gives_before_and_after);
  ADD(test_fs_poll_changes_that_nobody_took_come_as_one);
  ADD(test_fs_poll_lost_file_fails_once_and_looking_goes_on);
  ADD(test_fs_poll_cancelled_next_leaves_the_change_to_the_next);
  ADD(test_fs_poll_keeps_the_loop_alive_only_while_a_next_pends);
  ADD(test_fs_poll_free_fails_pending_nexts);
  ADD(test_rule_22_close_right_after_fs_poll_free_waits_for_the_look);
  ADD(test_rule_22_close_with_an_fs_poll_names_it);
  ADD(test_fs_poll_on_an_attached_loop_may_be_freed_after_close);
  ADD(test_fs_poll_bad_arguments_give_codes);
  ADD(test_fs_poll_out_of_memory_loses_nothing);
  ADD(test_fs_poll_change_that_cannot_be_told_waits_for_the_next_next);
}

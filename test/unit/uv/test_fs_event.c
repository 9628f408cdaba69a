/* SPDX-License-Identifier: MIT */
/* Watching by what the kernel tells. */
#include <vow/fs_event.h>

#include "support/manual.h"
#include "unit/uv/uv_support.h"

#include <fcntl.h>
#include <unistd.h>

/* A folder of its own, and a watch on it. */
typedef struct watch {
  vow_loop_t *loop;
  char folder[32];
  vow_fs_event_t *e;
} watch_t;

static watch_t watch_open(vow_loop_t *loop) {
  watch_t w = {loop, "/tmp/vow-test-XXXXXX", NULL};
  ck_assert_ptr_nonnull(mkdtemp(w.folder));
  ck_assert_int_eq(vow_fs_event_new(loop, w.folder, 0, &w.e), 0);
  return w;
}

static void watch_done(watch_t *w) {
  vow_fs_event_free(w->e);
  rmdir(w->folder);
  loop_done(w->loop);
}

/* Makes and removes a file: two changes. */
static void touch(const watch_t *w, const char *name) {
  char path[300];
  int fd;
  snprintf(path, sizeof path, "%s/%s", w->folder, name);
  fd = open(path, O_CREAT | O_WRONLY, 0600);
  ck_assert_int_ge(fd, 0);
  close(fd);
  unlink(path);
}

static void expect_change(vow_future_t *f, const char *name) {
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(vow_fs_change_get(f)->events, UV_RENAME);
  ck_assert_str_eq(vow_fs_change_get(f)->name, name);
  vow_drop(f);
}

TEST(test_fs_event_gives_changes_in_order_also_those_that_waited) {
  watch_t w = watch_open(loop_open());
  vow_future_t *a = vow_fs_event_next(w.e);
  touch(&w, "first");
  touch(&w, "second");
  ck_assert_int_eq(settle(w.loop, a), 0);
  expect_change(a, "first");
  a = vow_fs_event_next(w.e);
  ck_assert_int_eq(vow_state(a), VOW_SUCCEEDED);
  expect_change(a, "first");
  expect_change(vow_fs_event_next(w.e), "second");
  expect_change(vow_fs_event_next(w.e), "second");
  a = vow_fs_event_next(w.e);
  turns(w.loop, 2);
  ck_assert_int_eq(vow_state(a), VOW_PENDING);
  vow_drop(a);
  watch_done(&w);
}

TEST(test_fs_event_cancelled_next_leaves_its_change_to_the_next) {
  watch_t w = watch_open(loop_open());
  vow_future_t *a = vow_fs_event_next(w.e), *b = vow_fs_event_next(w.e);
  ck_assert_int_eq(vow_cancel(a), 0);
  ck_assert(vow_is_cancelled(a));
  touch(&w, "it");
  ck_assert_int_eq(settle(w.loop, b), 0);
  expect_change(b, "it");
  vow_drop(a);
  watch_done(&w);
}

TEST(test_fs_event_too_many_waiting_are_lost_and_that_is_told_once) {
  watch_t w = watch_open(loop_open());
  vow_future_t *alive = vow_sleep(w.loop, 100000); /* so that turns happen */
  vow_future_t *f;
  int i;
  for (i = 0; i < 600; i++) { /* the kernel keeps 16384 */
    touch(&w, i % 2 ? "a" : "b");
    if (i % 100 == 0) turns(w.loop, 1);
  }
  turns(w.loop, 5);
  for (i = 0; i < 1024; i++) {
    f = vow_fs_event_next(w.e);
    ck_assert_int_eq(vow_status(f), 0);
    vow_drop(f);
  }
  f = vow_fs_event_next(w.e);
  ck_assert_int_eq(vow_status(f), UV_ENOBUFS);
  vow_drop(f);
  f = vow_fs_event_next(w.e);
  touch(&w, "again");
  ck_assert_int_eq(settle(w.loop, f), 0);
  expect_change(f, "again");
  vow_drop(alive);
  watch_done(&w);
}

TEST(test_fs_event_keeps_the_loop_alive_only_while_a_next_pends) {
  watch_t w = watch_open(loop_open());
  vow_future_t *f;
  ck_assert_int_eq(vow_loop_run(w.loop), 0);
  f = vow_fs_event_next(w.e);
  ck_assert(uv_loop_alive(vow_loop_uv(w.loop)));
  vow_drop(f);
  ck_assert_int_eq(vow_loop_run(w.loop), 0);
  watch_done(&w);
}

static vow_value_t free_it(vow_future_t *in, void *arg) {
  watch_t *w = arg;
  (void)in;
  vow_fs_event_free(w->e);
  w->e = NULL;
  return vow_nil();
}

TEST(test_fs_event_may_be_freed_by_its_own_continuation) {
  watch_t w = watch_open(loop_open());
  vow_future_t *f = vow_then(vow_fs_event_next(w.e), free_it, &w);
  touch(&w, "a");
  touch(&w, "b");
  ck_assert_int_eq(settle_drop(w.loop, f), 0);
  watch_done(&w);
}

TEST(test_fs_event_free_fails_pending_nexts) {
  watch_t w = watch_open(loop_open());
  vow_future_t *f = vow_fs_event_next(w.e);
  vow_fs_event_free(w.e);
  vow_fs_event_free(NULL);
  w.e = NULL;
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  watch_done(&w);
}

TEST(test_rule_22_close_with_an_fs_event_names_it) {
  watch_t w = watch_open(loop_open());
  ck_assert_int_eq(vow_loop_close(w.loop, 0), UV_EBUSY);
  watch_done(&w);
}

TEST(test_fs_event_on_an_attached_loop_may_be_freed_after_close) {
  uv_loop_t uv;
  vow_loop_t *loop = NULL;
  watch_t w;
  vow_future_t *f;
  ck_assert_int_eq(uv_loop_init(&uv), 0);
  ck_assert_int_eq(vow_loop_attach(&uv, NULL, &loop), 0);
  w = watch_open(loop);
  f = vow_fs_event_next(w.e);
  ck_assert_int_eq(vow_loop_close(loop, 0), 0);
  ck_assert(vow_is_cancelled(f));
  vow_drop(f);
  touch(&w, "unseen");
  uv_run(&uv, UV_RUN_NOWAIT);
  vow_fs_event_free(w.e);
  uv_run(&uv, UV_RUN_DEFAULT);
  ck_assert_int_eq(uv_loop_close(&uv), 0);
  rmdir(w.folder);
}

TEST(test_fs_event_bad_arguments_give_codes) {
  vow_loop_t *loop = loop_open(), *manual = manual_loop();
  vow_fs_event_t *e = NULL;
  vow_future_t *f;
  ck_assert_int_eq(vow_fs_event_new(NULL, "/tmp", 0, &e), UV_EINVAL);
  ck_assert_int_eq(vow_fs_event_new(loop, NULL, 0, &e), UV_EINVAL);
  ck_assert_int_eq(vow_fs_event_new(loop, "/tmp", 0, NULL), UV_EINVAL);
  ck_assert_int_eq(vow_fs_event_new(manual, "/tmp", 0, &e), UV_ENOTSUP);
  ck_assert_int_eq(vow_fs_event_new(loop, "/no/such", 0, &e), UV_ENOENT);
  ck_assert_ptr_null(e);
  f = vow_fs_event_next(NULL);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  vow_drop(f);
  manual_done(manual);
  loop_done(loop);
}

TEST(test_fs_event_out_of_memory_is_told) {
  size_t n;
  bool failed = true;
  char folder[] = "/tmp/vow-test-XXXXXX";
  ck_assert_ptr_nonnull(mkdtemp(folder));
  for (n = 1; failed; n++) {
    watch_t w;
    vow_future_t *f = NULL;
    int err;
    fault_install();
    w.loop = loop_open_probe();
    w.e = NULL;
    memcpy(w.folder, folder, sizeof folder);
    fault_fail_at(n);
    err = vow_fs_event_new(w.loop, folder, 0, &w.e);
    if (err == 0) {
      f = vow_fs_event_next(w.e);
      touch(&w, "it");
      err = vow_is_settled(f) ? vow_status(f) : settle(w.loop, f);
      vow_drop(f);
    }
    failed = fault_failed() > 0;
    fault_off();
    /* The second change of touch may be what failed. */
    ck_assert(err == 0 || (failed && (err == UV_ENOMEM || err == UV_ENOBUFS)));
    vow_fs_event_free(w.e);
    loop_done(w.loop);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_gt(n, 4);
  rmdir(folder);
}

SUITE(uv_fs_event) {
  ADD(test_fs_event_gives_changes_in_order_also_those_that_waited);
  ADD(test_fs_event_cancelled_next_leaves_its_change_to_the_next);
  ADD(test_fs_event_too_many_waiting_are_lost_and_that_is_told_once);
  ADD(test_fs_event_keeps_the_loop_alive_only_while_a_next_pends);
  ADD(test_fs_event_may_be_freed_by_its_own_continuation);
  ADD(test_fs_event_free_fails_pending_nexts);
  ADD(test_rule_22_close_with_an_fs_event_names_it);
  ADD(test_fs_event_on_an_attached_loop_may_be_freed_after_close);
  ADD(test_fs_event_bad_arguments_give_codes);
  ADD(test_fs_event_out_of_memory_is_told);
}

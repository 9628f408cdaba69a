/* SPDX-License-Identifier: MIT */
/* Tests of views: an object with a next as an iterator. */
#include "support/fault.h"
#include "support/manual.h"
#include "support/test.h"

#include <uv.h>
#include <vow/iter_class.h>
#include <vow/time.h>

/* An object whose nexts are promises of the test's. */
typedef struct well {
  vow_loop_t *loop;
  vow_promise_t *pending; /* the last next's */
  vow_future_t *ready;    /* given instead of a promise */
  bool null;              /* gives NULL */
  int nexts;
  int closes;
  vow_future_t *end; /* what close gives */
} well_t;

static vow_future_t *well_next(const char *site, void *source) {
  well_t *w = source;
  vow_future_t *f = w->ready;
  w->nexts++;
  w->ready = NULL;
  if (w->null) return NULL;
  if (f != NULL) return f;
  vow_promise_drop(w->pending);
  return vow_promise_new_at(site, w->loop, &w->pending);
}

static vow_future_t *well_close(void *source) {
  well_t *w = source;
  w->closes++;
  return w->end;
}

static const vow_iter_view_t well_view = {"well", well_next, well_close,
                                          VOW_EIDLE};

static void expect_code(vow_future_t *f, int code) {
  ck_assert_int_eq(vow_status(f), code);
  vow_drop(f);
}

TEST(test_iter_view_gives_what_the_object_does) {
  vow_loop_t *loop = manual_loop();
  well_t w = {.loop = loop};
  vow_iter_t *it = vow_iter_view(loop, &w, &well_view);
  vow_future_t *f = vow_iter_next(it);
  vow_resolve(w.pending, vow_int(3));
  manual_drain(loop);
  ck_assert_int_eq(vow_get_int(f), 3);
  vow_drop(f);
  w.ready = vow_ready(loop, vow_fail(UV_EIO));
  expect_code(vow_iter_next(it), UV_EIO);
  f = vow_iter_next(it);
  vow_resolve(w.pending, vow_fail(UV_EOF));
  manual_drain(loop);
  expect_code(f, UV_EOF);
  expect_code(vow_iter_next(it), UV_EOF);
  ck_assert_int_eq(w.nexts, 3);
  expect_code(vow_iter_close(it), 0);
  ck_assert_int_eq(w.closes, 1);
  vow_iter_free(it);
  ck_assert_int_eq(w.closes, 1);
  vow_promise_drop(w.pending);
  manual_done(loop);
}

TEST(test_iter_view_end_code_is_the_end) {
  vow_loop_t *loop = manual_loop();
  well_t w = {.loop = loop, .ready = vow_ready(loop, vow_fail(VOW_EIDLE))};
  vow_iter_t *it = vow_iter_view(loop, &w, &well_view);
  expect_code(vow_iter_next(it), UV_EOF);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_view_cancelled_next_is_cancelled_in_the_object) {
  vow_loop_t *loop = manual_loop();
  well_t w = {.loop = loop};
  vow_iter_t *it = vow_iter_view(loop, &w, &well_view);
  vow_future_t *f = vow_iter_next(it);
  vow_cancel(f);
  vow_drop(f);
  ck_assert(!vow_promise_is_wanted(w.pending));
  f = vow_iter_next(it);
  ck_assert_int_eq(w.nexts, 2);
  vow_resolve(w.pending, vow_int(1)); /* settled, but not handed on yet */
  vow_drop(f);
  f = vow_iter_next(it);
  ck_assert_int_eq(w.nexts, 2);
  manual_drain(loop);
  ck_assert_int_eq(vow_get_int(f), 1);
  vow_drop(f);
  vow_iter_free(it);
  vow_promise_drop(w.pending);
  manual_done(loop);
}

static void note(vow_promise_t *p, void *arg) {
  (void)p;
  ++*(int *)arg;
}

TEST(test_iter_view_close_awaits_the_next_and_then_the_end) {
  vow_loop_t *loop = manual_loop();
  well_t w = {.loop = loop};
  vow_iter_t *it = vow_iter_view(loop, &w, &well_view);
  vow_future_t *f = vow_iter_next(it), *end;
  vow_promise_t *p;
  int asked = 0;
  w.end = vow_promise_new(loop, &p);
  vow_promise_on_cancel(w.pending, note, &asked);
  end = vow_iter_close(it);
  expect_code(f, UV_ECANCELED);
  manual_drain(loop);
  ck_assert_int_eq(asked, 1);
  ck_assert_int_eq(w.closes, 0); /* its next unwinds */
  vow_promise_finish(w.pending, vow_int(1));
  manual_drain(loop);
  ck_assert_int_eq(w.closes, 1);
  ck_assert_int_eq(vow_state(end), VOW_PENDING);
  vow_promise_finish(p, vow_fail(UV_EIO));
  manual_drain(loop);
  expect_code(end, UV_EIO);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_view_end_that_is_cancelled_is_no_failure) {
  vow_loop_t *loop = manual_loop();
  well_t w = {.loop = loop, .end = vow_ready(loop, vow_cancelled(UV_EIO))};
  vow_iter_t *it = vow_iter_view(loop, &w, &well_view);
  vow_future_t *end = vow_iter_close(it);
  manual_drain(loop);
  expect_code(end, 0);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_view_bad_futures_of_the_object_fail_the_next) {
  vow_loop_t *loop = manual_loop(), *other = manual_loop();
  well_t w = {.loop = loop, .ready = vow_never(other)};
  vow_iter_t *it = vow_iter_view(loop, &w, &well_view);
  expect_code(vow_iter_next(it), UV_EINVAL);
  w.null = true;
  expect_code(vow_iter_next(it), UV_EINVAL);
  w.end = vow_never(other);
  expect_code(vow_iter_close(it), 0);
  vow_iter_free(it);
  manual_done(loop);
  manual_done(other);
}

TEST(test_iter_view_bad_arguments_close_the_object) {
  static const vow_iter_view_t bare = {"bare", NULL, well_close, 0};
  vow_loop_t *loop = manual_loop();
  well_t w = {.loop = loop};
  vow_iter_t *it = vow_iter_view(loop, &w, &bare);
  expect_code(vow_iter_next(it), UV_EINVAL);
  vow_iter_free(it);
  it = vow_iter_view(NULL, &w, &well_view);
  expect_code(vow_iter_next(it), UV_EINVAL);
  vow_iter_free(it);
  ck_assert_int_eq(w.closes, 2);
  it = vow_iter_view(loop, NULL, &well_view);
  expect_code(vow_iter_next(it), UV_EINVAL);
  vow_iter_free(it);
  it = vow_iter_view(loop, &w, NULL); /* nobody could close it */
  expect_code(vow_iter_next(it), UV_EINVAL);
  vow_iter_free(it);
  manual_done(loop);
}

TEST(test_iter_view_is_closed_with_its_loop) {
  vow_loop_t *loop = manual_loop();
  well_t w = {.loop = loop};
  vow_iter_t *it = vow_iter_view(loop, &w, &well_view);
  vow_future_t *f = vow_iter_next(it);
  manual_close(loop);
  ck_assert_int_eq(w.closes, 1);
  expect_code(f, UV_ECANCELED);
  vow_iter_free(it);
  vow_promise_drop(w.pending);
}

TEST(test_iter_view_out_of_memory_closes_the_object) {
  vow_loop_t *loop;
  well_t w = {0};
  vow_iter_t *it;
  fault_install();
  loop = manual_loop_probe();
  fault_fail_at(1);
  it = vow_iter_view(loop, &w, &well_view);
  fault_off();
  ck_assert_int_eq(w.closes, 1);
  expect_code(vow_iter_next(it), UV_ENOMEM);
  vow_iter_free(it);
  manual_done(loop);
  fault_remove();
}

SUITE(core_iter_view) {
  ADD(test_iter_view_gives_what_the_object_does);
  ADD(test_iter_view_end_code_is_the_end);
  ADD(test_iter_view_cancelled_next_is_cancelled_in_the_object);
  ADD(test_iter_view_close_awaits_the_next_and_then_the_end);
  ADD(test_iter_view_end_that_is_cancelled_is_no_failure);
  ADD(test_iter_view_bad_futures_of_the_object_fail_the_next);
  ADD(test_iter_view_bad_arguments_close_the_object);
  ADD(test_iter_view_is_closed_with_its_loop);
  ADD(test_iter_view_out_of_memory_closes_the_object);
}

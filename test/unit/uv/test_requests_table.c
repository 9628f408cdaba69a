/* SPDX-License-Identifier: MIT */
/* The same situations for every wrapper of a libuv request: success, dropped
 * unseen, cancelled before, during and after, loop closed, out of memory. The
 * rows are in rows_*.c; what libuv may say instead is in
 * test_requests_faults.c, and what only one of them does in the file of its
 * area. */
#include <vow/dns.h>
#include <vow/work.h>

#include "unit/uv/place.h"

static void close_clean(place_t *at) {
  place_close(at);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_request_undisturbed_succeeds) {
  const request_t *r = request_at(_i);
  place_t *at = request_place(r, false);
  vow_future_t *f = request_begin(r, at);
  ck_assert_msg(!vow_is_settled(f), "%s settled at once", r->name);
  ck_assert_msg(settle(at->loop, f) == 0, "%s: %s", r->name,
                vow_error_message(vow_error(f)));
  vow_drop(f);
  place_close(at);
}

TEST(test_request_names_itself_while_pending) {
  const request_t *r = request_at(_i);
  place_t *at = request_place(r, false);
  vow_future_t *f = request_begin(r, at);
  ck_assert_ptr_nonnull(strstr(vow_site(f), "test/unit/uv/"));
  vow_drop(f);
  place_close(at);
}

TEST(test_request_with_nothing_there_names_itself) {
  const request_t *r = request_at(_i);
  place_t *at;
  vow_future_t *f;
  const char *message;
  if (r->missing == 0) return;
  at = request_place(r, false);
  place_clear(at);
  f = request_begin(r, at);
  ck_assert_msg(settle(at->loop, f) == r->missing, "%s: %d", r->name,
                vow_status(f));
  message = vow_error_message(vow_error(f));
  ck_assert_ptr_eq(strstr(message, r->name), message);
  if (r->missing == UV_ENOENT)
    ck_assert_ptr_nonnull(strstr(message, at->folder->path));
  ck_assert_ptr_nonnull(strstr(vow_error_site(vow_error(f)), "rows_files.c:"));
  vow_drop(f);
  place_close(at);
}

TEST(test_request_dropped_unseen_leaves_nothing) {
  const request_t *r = request_at(_i);
  place_t *at;
  fault_install();
  at = request_place(r, true);
  vow_drop(request_begin(r, at));
  close_clean(at);
  /* What cannot be cancelled may fail later, when its handle is closed. */
  if (r->cancel != NEVER) ck_assert_int_eq(place_unseen(), 0);
}

/* ---- cancelled ----------------------------------------------------------- */

static void expect_cancelled(const request_t *r, place_t *at, vow_future_t *f) {
  int status;
  ck_assert_int_eq(vow_cancel(f), 0);
  if (r->cancel == AT_ONCE)
    ck_assert_msg(vow_is_cancelled(f), "%s still pending", r->name);
  else
    ck_assert_msg(!vow_is_settled(f), "%s settled early", r->name);
  status = settle(at->loop, f);
  if (r->cancel == AT_ONCE) ck_assert_int_eq(status, UV_ECANCELED);
  if (r->cancel == NEVER) ck_assert_int_eq(status, 0);
  if (r->cancel == WAITS) ck_assert(status == 0 || vow_is_cancelled(f));
}

/* What was made for one who cancelled is gone. */
static void expect_unmade(const request_t *r, place_t *at) {
  place_calm(at);
  if (r->files) ck_assert_int_eq(count_names(at->folder, "fresh-"), 0);
}

TEST(test_request_cancelled_before_a_turn_settles_as_its_kind_says) {
  const request_t *r = request_at(_i);
  place_t *at;
  vow_future_t *f;
  fault_install();
  at = request_place(r, true);
  f = request_begin(r, at);
  expect_cancelled(r, at, f);
  vow_drop(f);
  expect_unmade(r, at);
  close_clean(at);
}

TEST(test_request_cancelled_during_a_turn_leaves_nothing) {
  const request_t *r = request_at(_i);
  place_t *at;
  vow_future_t *f;
  fault_install();
  at = request_place(r, true);
  f = request_begin(r, at);
  turns(at->loop, 1);
  if (!vow_is_settled(f)) expect_cancelled(r, at, f);
  vow_drop(f);
  close_clean(at);
}

/* By then a thread has done it; the callback has not run. */
TEST(test_request_cancelled_when_done_gives_back_what_it_made) {
  const request_t *r = request_at(_i);
  place_t *at;
  vow_future_t *f;
  if (!r->pooled) return;
  fault_install();
  at = request_place(r, true);
  f = request_begin(r, at);
  uv_sleep(2);
  expect_cancelled(r, at, f);
  vow_drop(f);
  expect_unmade(r, at);
  close_clean(at);
}

TEST(test_request_cancelled_after_it_settled_keeps_its_outcome) {
  const request_t *r = request_at(_i);
  place_t *at = request_place(r, false);
  vow_future_t *f = request_begin(r, at);
  ck_assert_int_eq(settle(at->loop, f), 0);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  place_close(at);
}

/* Every thread of the pool is busy with a fifo that nobody else opens: libuv
 * takes the request back. */
TEST(test_request_cancelled_in_the_queue_never_runs) {
  const request_t *r = request_at(_i);
  char fifo[] = "/tmp/vow-test-XXXXXX";
  vow_future_t *blockers[4], *f;
  place_t *at;
  int i, fd;
  if (!r->pooled || r->cancel == NEVER) return;
  at = request_place(r, false);
  close(mkstemp(fifo));
  unlink(fifo);
  ck_assert_int_eq(mkfifo(fifo, 0600), 0);
  for (i = 0; i < 4; i++)
    blockers[i] = vow_fs_open(at->loop, fifo, O_RDONLY, 0);
  uv_sleep(5);
  f = request_begin(r, at);
  ck_assert_int_eq(vow_cancel(f), 0);
  fd = open(fifo, O_RDWR); /* lets the threads go */
  ck_assert_int_eq(settle_drop(at->loop, f), UV_ECANCELED);
  for (i = 0; i < 4; i++)
    ck_assert_int_eq(settle_drop(at->loop, blockers[i]), 0);
  close(fd);
  unlink(fifo);
  if (r->files) {
    ck_assert_int_eq(count_names(at->folder, "fresh"), 0);
    expect_content(in(at->folder, "file"), "0123456789");
  }
  place_close(at);
}

/* ---- the loop, memory ---------------------------------------------------- */

TEST(test_rule_22_loop_closed_while_request_pends_waits_for_it) {
  const request_t *r = request_at(_i);
  place_t *at;
  vow_future_t *f;
  fault_install();
  at = request_place(r, true);
  f = request_begin(r, at);
  if (!r->files) place_free_handles(at);
  ck_assert_int_eq(vow_loop_close(at->loop, 5000), 0);
  ck_assert(vow_is_settled(f));
  vow_status(f);
  vow_drop(f);
  if (r->files) place_free_handles(at);
  place_free(at);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* The nth allocation fails, with the rest as well when from is set; false when
 * there are not so many. */
static bool ends_with_enomem(const request_t *r, size_t n, bool from) {
  place_t *at;
  vow_future_t *f;
  int status;
  bool failed;
  fault_install();
  at = request_place(r, true);
  if (from)
    fault_fail_from(n);
  else
    fault_fail_at(n);
  f = request_begin(r, at);
  ck_assert_ptr_nonnull(f);
  status = vow_is_settled(f) ? vow_status(f) : settle(at->loop, f);
  failed = fault_failed() > 0;
  fault_off();
  ck_assert_msg(status == UV_ENOMEM || status == 0, "%s: %d", r->name, status);
  if (!failed) ck_assert_int_eq(status, 0);
  vow_drop(f);
  if (status != 0) expect_unmade(r, at);
  if (strcmp(r->name, "queue_work") == 0) ck_assert_int_eq(at->drops, 1);
  close_clean(at);
  return failed;
}

static void expect_enomem(const request_t *r, bool from) {
  size_t n;
  for (n = 1; ends_with_enomem(r, n, from); n++) ck_assert_uint_lt(n, 50);
  ck_assert_uint_ge(n, 2);
}

TEST(test_request_nth_allocation_fails_gives_enomem) {
  expect_enomem(request_at(_i), false);
}

TEST(test_request_out_of_memory_for_good_gives_enomem) {
  expect_enomem(request_at(_i), true);
}

/* ---- not of the table ---------------------------------------------------- */

static vow_value_t compute(void *arg) {
  (void)arg;
  return vow_nil();
}

TEST(test_request_after_loop_closed_or_null_fails_clearly) {
  vow_loop_t *loop = loop_open();
  vow_loop_t *kept = vow_loop_ref(loop);
  vow_loop_t *other = loop_open(); /* a failure with a message needs a loop */
  int drops = 0;
  vow_future_t *f[5];
  int i;
  loop_done(loop);
  f[0] = vow_getaddrinfo(kept, "a", NULL, NULL);
  f[1] = vow_queue_work(kept, compute, &drops, count_drop);
  f[2] = vow_fs_stat(kept, "/");
  f[3] = vow_fs_open(NULL, "/", 0, 0);
  f[4] = vow_queue_work(NULL, compute, &drops, count_drop);
  for (i = 0; i < 5; i++) {
    ck_assert_int_eq(vow_status(f[i]), i < 3 ? VOW_ESHUTDOWN : UV_EINVAL);
    ck_assert_msg(strstr(vow_error_message(vow_error(f[i])), "loop is") != NULL,
                  "%d: %s", i, vow_error_message(vow_error(f[i])));
    vow_drop(f[i]);
  }
  ck_assert_int_eq(drops, 2);
  loop_done(other);
  vow_loop_unref(kept);
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, request_count())

SUITE(uv_requests_table) {
  EACH(test_request_undisturbed_succeeds);
  EACH(test_request_names_itself_while_pending);
  EACH(test_request_with_nothing_there_names_itself);
  EACH(test_request_dropped_unseen_leaves_nothing);
  EACH(test_request_cancelled_before_a_turn_settles_as_its_kind_says);
  EACH(test_request_cancelled_during_a_turn_leaves_nothing);
  EACH(test_request_cancelled_when_done_gives_back_what_it_made);
  EACH(test_request_cancelled_after_it_settled_keeps_its_outcome);
  EACH(test_request_cancelled_in_the_queue_never_runs);
  EACH(test_rule_22_loop_closed_while_request_pends_waits_for_it);
  EACH(test_request_nth_allocation_fails_gives_enomem);
  EACH(test_request_out_of_memory_for_good_gives_enomem);
  ADD(test_request_after_loop_closed_or_null_fails_clearly);
}

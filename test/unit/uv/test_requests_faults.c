/* SPDX-License-Identifier: MIT */
/* What libuv may say to a request, at once or in its callback, for every row of
 * rows_*.c: one clear failure, nothing left behind, and the handle as good as
 * before. */
#include "unit/uv/place.h"

static int fds; /* before the place was opened */

static place_t *open_faulty(const request_t *r) {
  loop_done(loop_open()); /* libuv keeps some descriptors of its first loop */
  fds = count_fds();
  fault_install();
  vow__shim_on();
  return request_place(r, true);
}

static void close_faulty(place_t *at) {
  vow__shim_off();
  place_close(at);
  ck_assert_int_eq(count_fds(), fds);
  ck_assert_int_eq(place_unseen(), 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* f has failed with code, and says so in the name of r. */
static void expect_failure(const request_t *r, vow_future_t *f, int code) {
  const char *message = vow_error_message(vow_error(f));
  ck_assert_msg(vow_status(f) == code, "%s: %d, not %d", r->name, vow_status(f),
                code);
  ck_assert_msg(strstr(message, r->name) == message, "%s: \"%s\"", r->name,
                message);
  ck_assert_msg(strstr(message, vow_strerror(code)) != NULL, "%s: \"%s\"",
                r->name, message);
  ck_assert_ptr_nonnull(strstr(vow_error_site(vow_error(f)), "/unit/uv/"));
}

/* ---- the call fails ------------------------------------------------------ */

static void refuse(const request_t *r, const char *call, int code) {
  place_t *at = open_faulty(r);
  vow_future_t *f;
  if (r->prepare != NULL) r->prepare(at);
  vow__shim_fail(call, 1, code);
  f = r->start(at);
  ck_assert_uint_ge(vow__shim_hits(), 1);
  ck_assert_msg(vow_is_settled(f), "%s waits", r->name);
  expect_failure(r, f, code);
  vow_drop(f);
  /* The same again: as if nothing had been. */
  place_calm(at);
  f = request_begin(r, at);
  ck_assert_msg(settle(at->loop, f) == 0, "%s then: %d", r->name,
                vow_status(f));
  vow_drop(f);
  close_faulty(at);
}

TEST(test_request_refused_fails_at_once_and_changes_nothing) {
  const request_t *r = request_at(_i);
  const int *code;
  for (code = r->fails; code != NULL && *code != 0; code++)
    refuse(r, r->call, *code);
}

TEST(test_request_try_refused_fails_at_once_and_changes_nothing) {
  const request_t *r = request_at(_i);
  const int *code;
  for (code = r->try_fails; code != NULL && *code != 0; code++) {
    if (*code != UV_ENOBUFS) refuse(r, r->try_call, *code);
  }
}

/* "Not now" is no failure: what is to go is queued. */
static void try_again(const request_t *r, int code) {
  place_t *at = open_faulty(r);
  vow_future_t *f;
  if (r->prepare != NULL) r->prepare(at);
  vow__shim_fail(r->try_call, 1, code);
  f = r->start(at);
  ck_assert_uint_eq(vow__shim_hits(), 1);
  ck_assert(!vow_is_settled(f));
  ck_assert_int_eq(settle_drop(at->loop, f), 0);
  close_faulty(at);
}

TEST(test_request_try_told_later_is_queued) {
  const request_t *r = request_at(_i);
  if (r->try_call == NULL) return;
  try_again(r, UV_EAGAIN);
  try_again(r, UV_ENOBUFS);
}

TEST(test_request_refused_unseen_is_reported_once) {
  const request_t *r = request_at(_i);
  place_t *at;
  if (r->fails == NULL) return;
  at = open_faulty(r);
  if (r->prepare != NULL) r->prepare(at);
  vow__shim_fail(r->call, 1, r->fails[0]);
  vow_drop(r->start(at));
  place_calm(at);
  ck_assert_int_eq(place_unseen(), 1);
  close_faulty(at);
}

/* Refused, and no memory to say more than that. */
static bool refuse_without_memory(const request_t *r, size_t n) {
  place_t *at = open_faulty(r);
  vow_future_t *f;
  bool failed;
  if (r->prepare != NULL) r->prepare(at);
  vow__shim_fail(r->call, 1, r->fails[0]);
  fault_fail_from(n);
  f = r->start(at);
  failed = fault_failed() > 0;
  fault_off();
  ck_assert(vow_is_settled(f));
  ck_assert(vow_status(f) == r->fails[0] || vow_status(f) == UV_ENOMEM);
  vow_drop(f);
  close_faulty(at);
  return failed;
}

TEST(test_request_refused_out_of_memory_fails_all_the_same) {
  const request_t *r = request_at(_i);
  size_t n;
  if (r->fails == NULL) return;
  for (n = 1; refuse_without_memory(r, n); n++) ck_assert_uint_lt(n, 20);
}

/* ---- the callback is told a code ----------------------------------------- */

static place_t *begin_doomed(const request_t *r, int code,
                             vow_future_t **ret_f) {
  place_t *at = open_faulty(r);
  if (r->prepare != NULL) r->prepare(at);
  vow__shim_report(r->call, 1, code);
  *ret_f = r->start(at);
  ck_assert_msg(!vow_is_settled(*ret_f), "%s settled at once", r->name);
  return at;
}

TEST(test_request_told_a_code_fails_with_it) {
  const request_t *r = request_at(_i);
  const int *code;
  for (code = r->reports; code != NULL && *code != 0; code++) {
    vow_future_t *f;
    place_t *at = begin_doomed(r, *code, &f);
    settle(at->loop, f);
    ck_assert_uint_ge(vow__shim_hits(), 1);
    expect_failure(r, f, *code);
    vow_drop(f);
    if (r->files) ck_assert_int_eq(count_names(at->folder, "fresh-"), 0);
    close_faulty(at);
  }
}

TEST(test_request_cancelled_and_told_a_code_settles_as_its_kind_says) {
  const request_t *r = request_at(_i);
  vow_future_t *f;
  place_t *at;
  if (r->reports == NULL) return;
  at = begin_doomed(r, r->reports[0], &f);
  ck_assert_int_eq(vow_cancel(f), 0);
  if (r->cancel == AT_ONCE)
    ck_assert(vow_is_cancelled(f));
  else
    ck_assert(!vow_is_settled(f));
  settle(at->loop, f);
  if (r->cancel != AT_ONCE) expect_failure(r, f, r->reports[0]);
  vow_drop(f);
  close_faulty(at);
}

TEST(test_request_dropped_and_told_a_code_leaves_nothing) {
  const request_t *r = request_at(_i);
  vow_future_t *f;
  place_t *at;
  if (r->reports == NULL) return;
  at = begin_doomed(r, r->reports[0], &f);
  vow_drop(f);
  place_calm(at);
  /* Nobody was told of what ran on. */
  ck_assert_int_eq(place_unseen(), r->cancel == AT_ONCE ? 0 : 1);
  close_faulty(at);
}

TEST(test_request_told_a_code_while_the_loop_closes_settles) {
  const request_t *r = request_at(_i);
  vow_future_t *f;
  place_t *at;
  if (r->reports == NULL) return;
  at = begin_doomed(r, r->reports[0], &f);
  if (!r->files) place_free_handles(at);
  ck_assert_int_eq(vow_loop_close(at->loop, 5000), 0);
  vow__shim_off();
  ck_assert(vow_is_settled(f));
  ck_assert_int_lt(vow_status(f), 0);
  vow_drop(f);
  if (r->files) place_free_handles(at);
  place_free(at);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- it runs, and cannot be taken back ----------------------------------- */

TEST(test_request_that_libuv_does_not_cancel_gives_back_what_it_made) {
  const request_t *r = request_at(_i);
  vow_future_t *f;
  place_t *at;
  if (!r->pooled) return;
  at = open_faulty(r);
  vow__shim_fail_from("uv_cancel", 1, UV_EBUSY);
  f = request_begin(r, at);
  ck_assert_int_eq(vow_cancel(f), 0);
  if (r->cancel == AT_ONCE)
    ck_assert(vow_is_cancelled(f));
  else
    ck_assert_int_eq(settle(at->loop, f), 0);
  vow_drop(f);
  place_calm(at);
  if (r->files) ck_assert_int_eq(count_names(at->folder, "fresh-"), 0);
  close_faulty(at);
}

/* ---- not of the table ---------------------------------------------------- */

/* The folder was given to it, and nobody else can close it any more. */
TEST(test_fs_closedir_refused_behind_a_read_closes_all_the_same) {
  place_t *at;
  vow_future_t *read, *f;
  loop_done(loop_open());
  fds = count_fds();
  fault_install();
  vow__shim_on();
  at = place_open(true, true);
  vow__shim_fail("uv_fs_closedir", 1, UV_ENOMEM);
  read = vow_fs_readdir(at->loop, at->dir, 10);
  f = vow_fs_closedir(at->loop, at->dir);
  at->dir = NULL;
  ck_assert_int_eq(settle_drop(at->loop, read), 0);
  settle(at->loop, f);
  ck_assert_int_eq(vow_status(f), UV_ENOMEM);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), "fs_closedir"));
  vow_drop(f);
  close_faulty(at);
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, request_count())

SUITE(uv_requests_faults) {
  EACH(test_request_refused_fails_at_once_and_changes_nothing);
  EACH(test_request_try_refused_fails_at_once_and_changes_nothing);
  EACH(test_request_try_told_later_is_queued);
  EACH(test_request_refused_unseen_is_reported_once);
  EACH(test_request_refused_out_of_memory_fails_all_the_same);
  EACH(test_request_told_a_code_fails_with_it);
  EACH(test_request_cancelled_and_told_a_code_settles_as_its_kind_says);
  EACH(test_request_dropped_and_told_a_code_leaves_nothing);
  EACH(test_request_told_a_code_while_the_loop_closes_settles);
  EACH(test_request_that_libuv_does_not_cancel_gives_back_what_it_made);
  ADD(test_fs_closedir_refused_behind_a_read_closes_all_the_same);
}

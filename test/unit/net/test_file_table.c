/* SPDX-License-Identifier: MIT */
/* The same situations for everything of <vow/file.h>: dropped, cancelled at
 * any step, loop closed, out of memory; descriptors and memory come back. */
#include <vow/file.h>

#include "unit/uv/fs_support.h"

typedef struct where {
  folder_t *t;
  vow_lines_t *lines;
  vow_walk_t *walk;
} where_t;

static vow_future_t *start_read(where_t *at) {
  return vow_file_read_all(at->t->loop, in(at->t, "file"), 100);
}

static vow_future_t *start_write(where_t *at) {
  return vow_file_write_all(at->t->loop, in(at->t, "new"), "abc", 3, O_TRUNC,
                            0600);
}

static vow_future_t *start_write_borrowed(where_t *at) {
  return vow_file_write_all_borrowed(at->t->loop, in(at->t, "new"), "abc", 3,
                                     O_TRUNC, 0600);
}

static vow_future_t *start_replace(where_t *at) {
  return vow_file_replace(at->t->loop, in(at->t, "file"), "new content", 11,
                          -1);
}

static vow_future_t *start_lines(where_t *at) {
  return vow_lines_next(at->lines);
}

static vow_future_t *start_walk(where_t *at) {
  return vow_walk_next(at->walk);
}

typedef struct request {
  const char *name;
  vow_future_t *(*start)(where_t *at);
} request_t;

static const request_t requests[] = {
    {"file_read_all", start_read},
    {"file_write_all", start_write},
    {"file_write_all_borrowed", start_write_borrowed},
    {"file_replace", start_replace},
    {"lines_next", start_lines},
    {"walk_next", start_walk},
};

#define REQUESTS ((int)(sizeof requests / sizeof requests[0]))

static where_t where_open(bool probe) {
  where_t at = {folder_open(probe ? loop_open_probe() : loop_open()), NULL,
                NULL};
  ck_assert_int_eq(vow_file_lines(at.t->loop, in(at.t, "file"), 100, &at.lines),
                   0);
  ck_assert_int_eq(vow_dir_walk(at.t->loop, at.t->path, 0, &at.walk), 0);
  return at;
}

static void where_close(where_t *at) {
  vow_lines_free(at->lines);
  vow_walk_free(at->walk);
  ck_assert_int_eq(count_names(at->t, ".vow-"), 0);
  folder_close(at->t);
}

TEST(test_file_request_undisturbed_succeeds) {
  where_t at = where_open(false);
  vow_future_t *f = requests[_i].start(&at);
  ck_assert(!vow_is_settled(f));
  ck_assert_ptr_nonnull(strstr(vow_site(f), "test_file_table.c:"));
  ck_assert_int_eq(settle_drop(at.t->loop, f), 0);
  where_close(&at);
}

TEST(test_file_request_dropped_unseen_leaves_nothing) {
  where_t at;
  fault_install();
  at = where_open(true);
  vow_drop(requests[_i].start(&at));
  ck_assert_int_eq(vow_loop_run(at.t->loop), 0);
  expect_content(in(at.t, "file"), "0123456789");
  where_close(&at);
  ck_assert_int_eq(unseen, 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* Cancelled after more and more turns, until it is too late. */
TEST(test_file_request_cancelled_at_any_step_leaves_nothing) {
  int steps, left = 5;
  for (steps = 0; left > 0; steps++) {
    where_t at;
    vow_future_t *f;
    int i, status;
    ck_assert_int_lt(steps, 300);
    fault_install();
    at = where_open(true);
    f = requests[_i].start(&at);
    for (i = 0; i < steps; i++) {
      turns(at.t->loop, 1);
      if (i % 4 == 3) uv_sleep(1);
    }
    if (vow_is_settled(f)) left--;
    ck_assert_int_eq(vow_cancel(f), 0);
    status = settle(at.t->loop, f);
    ck_assert(status == 0 || (status == UV_ECANCELED && vow_is_cancelled(f)));
    ck_assert_int_eq(count_names(at.t, ".vow-"), 0);
    if (requests[_i].start == start_replace)
      expect_content(in(at.t, "file"),
                     status == 0 ? "new content" : "0123456789");
    vow_drop(f);
    ck_assert_int_eq(vow_loop_run(at.t->loop), 0);
    where_close(&at);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
}

TEST(test_file_request_loop_closed_while_it_pends_unwinds) {
  int steps;
  for (steps = 0; steps < 20; steps++) {
    where_t at;
    vow_future_t *f;
    int i;
    fault_install();
    at = where_open(true);
    f = requests[_i].start(&at);
    for (i = 0; i < steps; i++) turns(at.t->loop, 1);
    ck_assert_int_eq(vow_loop_close(at.t->loop, 5000), 0);
    ck_assert(vow_is_settled(f));
    vow_status(f);
    vow_drop(f);
    ck_assert_int_eq(count_names(at.t, ".vow-"), 0);
    vow_lines_free(at.lines);
    vow_walk_free(at.walk);
    folder_free(at.t);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
}

static void expect_enomem(const request_t *r, bool from) {
  size_t n;
  bool failed = true;
  for (n = 1; failed; n++) {
    where_t at;
    vow_future_t *f;
    int status;
    ck_assert_uint_lt(n, 100);
    fault_install();
    at = where_open(true);
    if (from)
      fault_fail_from(n);
    else
      fault_fail_at(n);
    f = r->start(&at);
    status = vow_is_settled(f) ? vow_status(f) : settle(at.t->loop, f);
    failed = fault_failed() > 0;
    fault_off();
    ck_assert_msg(status == UV_ENOMEM || status == 0, "%s: %d", r->name,
                  status);
    if (!failed) ck_assert_int_eq(status, 0);
    ck_assert_int_eq(count_names(at.t, ".vow-"), 0);
    vow_drop(f);
    where_close(&at);
    ck_assert_int_eq(fault_live(), 0);
    fault_remove();
  }
  ck_assert_uint_gt(n, 4);
}

TEST(test_file_request_nth_allocation_fails_gives_enomem) {
  expect_enomem(&requests[_i], false);
}

TEST(test_file_request_out_of_memory_for_good_gives_enomem) {
  expect_enomem(&requests[_i], true);
}

TEST(test_file_bad_arguments_give_einval) {
  vow_loop_t *loop = loop_open();
  vow_lines_t *lines = NULL;
  vow_walk_t *walk = NULL;
  vow_future_t *f[8];
  int i;
  f[0] = vow_file_read_all(loop, NULL, 1);
  f[1] = vow_file_read_all(NULL, "a", 1);
  f[2] = vow_file_write_all(loop, NULL, "", 0, 0, 0);
  f[3] = vow_file_write_all(loop, "a", NULL, 1, 0, 0);
  f[4] = vow_file_write_all_borrowed(loop, "a", NULL, 1, 0, 0);
  f[5] = vow_file_replace(loop, NULL, "", 0, 0);
  f[6] = vow_lines_next(NULL);
  f[7] = vow_walk_next(NULL);
  for (i = 0; i < 8; i++) {
    ck_assert_msg(vow_status(f[i]) == UV_EINVAL, "%d", i);
    vow_drop(f[i]);
  }
  ck_assert_int_eq(vow_file_lines(loop, NULL, 1, &lines), UV_EINVAL);
  ck_assert_int_eq(vow_file_lines(NULL, "a", 1, &lines), UV_EINVAL);
  ck_assert_int_eq(vow_dir_walk(loop, NULL, 0, &walk), UV_EINVAL);
  ck_assert_int_eq(vow_dir_walk(loop, "a", 8, &walk), UV_EINVAL);
  ck_assert_ptr_null(lines);
  ck_assert_ptr_null(walk);
  vow_lines_free(NULL);
  vow_walk_free(NULL);
  loop_done(loop);
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, REQUESTS)

SUITE(net_file_table) {
  EACH(test_file_request_undisturbed_succeeds);
  EACH(test_file_request_dropped_unseen_leaves_nothing);
  EACH(test_file_request_cancelled_at_any_step_leaves_nothing);
  EACH(test_file_request_loop_closed_while_it_pends_unwinds);
  EACH(test_file_request_nth_allocation_fails_gives_enomem);
  EACH(test_file_request_out_of_memory_for_good_gives_enomem);
  ADD(test_file_bad_arguments_give_einval);
}

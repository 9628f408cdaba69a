/* SPDX-License-Identifier: MIT */
/* What libuv may say to a source, when it is started and in its callbacks, for
 * every row of rows_sources.c: said once, and it goes on where it can. */
#include "unit/uv/sources.h"

static int fds; /* before the place was opened */

static spring_t new_faulty(const source_t *r) {
  loop_done(loop_open()); /* libuv keeps some descriptors of its first loop */
  fds = count_fds();
  fault_install();
  vow__shim_on();
  return spring_new(r, true);
}

static spring_t open_faulty(const source_t *r) {
  spring_t s = new_faulty(r);
  if (r->open != NULL) ck_assert_int_eq(r->open(&s), 0);
  return s;
}

static void done_faulty(const source_t *r, spring_t *s) {
  vow__shim_off();
  spring_done(r, s);
  ck_assert_int_eq(count_fds(), fds);
  ck_assert_int_eq(place_unseen(), 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

static void expect_code(const source_t *r, vow_future_t *f, int code) {
  ck_assert_msg(vow_status(f) == code, "%s: %d, not %d", r->name, vow_status(f),
                code);
  ck_assert_ptr_nonnull(
      strstr(vow_error_message(vow_error(f)), vow_strerror(code)));
  vow_drop(f);
}

/* Its callback is called. */
static void stir(const source_t *r, spring_t *s) {
  if (r->stir != NULL)
    r->stir(s);
  else
    r->poke(s);
}

/* Something comes, and who waits gets it. */
static void expect_more(const source_t *r, spring_t *s) {
  vow_future_t *f = r->next(s);
  r->poke(s);
  spring_gives(r, s, f);
}

/* ---- it cannot be started ------------------------------------------------ */

static void refuse_opening(const source_t *r, int code) {
  spring_t s = new_faulty(r);
  vow__shim_fail(r->call, 1, code);
  ck_assert_int_eq(r->open(&s), code);
  ck_assert_ptr_null(s.it);
  ck_assert_uint_eq(vow__shim_hits(), 1);
  turns(s.loop, 2);
  ck_assert_int_eq(r->open(&s), 0);
  expect_more(r, &s);
  done_faulty(r, &s);
}

static void refuse_next(const source_t *r, int code) {
  spring_t s = open_faulty(r);
  vow_future_t *f;
  vow__shim_fail(r->call, 1, code);
  f = r->next(&s);
  ck_assert_uint_eq(vow__shim_hits(), 1);
  ck_assert_msg(vow_is_settled(f), "%s waits", r->name);
  ck_assert_ptr_eq(strstr(vow_error_message(vow_error(f)), r->name),
                   vow_error_message(vow_error(f)));
  expect_code(r, f, code);
  expect_more(r, &s);
  done_faulty(r, &s);
}

TEST(test_source_that_cannot_be_started_says_so_and_may_be_tried_again) {
  const source_t *r = &sources[_i];
  const int *code;
  for (code = r->fails; code != NULL && *code != 0; code++) {
    if (r->early)
      refuse_opening(r, *code);
    else
      refuse_next(r, *code);
  }
}

/* ---- it is told a code --------------------------------------------------- */

static void tell(const source_t *r, int code) {
  spring_t s = open_faulty(r);
  vow_future_t *f = r->next(&s);
  vow__shim_report(r->call, 1, code);
  stir(r, &s);
  settle(s.loop, f);
  ck_assert_uint_eq(vow__shim_hits(), 1);
  expect_code(r, f, code);
  if (r->eat != NULL) r->eat(&s);
  if (r->ends)
    expect_code(r, r->next(&s), code);
  else
    expect_more(r, &s);
  done_faulty(r, &s);
}

TEST(test_source_told_a_code_fails_a_next_with_it) {
  const source_t *r = &sources[_i];
  const int *code;
  for (code = r->told; code != NULL && *code != 0; code++) tell(r, *code);
}

/* Of several only as many fail as were told; at the end all do. */
TEST(test_source_told_a_code_with_several_waiting) {
  const source_t *r = &sources[_i];
  spring_t s;
  vow_future_t *f, *g;
  if (r->told == NULL) return;
  s = open_faulty(r);
  f = r->next(&s);
  g = r->next(&s);
  vow__shim_report(r->call, 1, r->told[0]);
  stir(r, &s);
  settle(s.loop, f);
  expect_code(r, f, r->told[0]);
  if (r->ends || r->eat != NULL) {
    expect_code(r, g, r->told[0]);
  } else { /* what came is told to the second */
    spring_gives(r, &s, g);
  }
  done_faulty(r, &s);
}

/* It came before somebody asked: told later, or forgotten, but it goes on. */
TEST(test_source_told_a_code_with_nobody_waiting_goes_on) {
  const source_t *r = &sources[_i];
  spring_t s;
  vow_future_t *f;
  if (r->told == NULL) return;
  s = open_faulty(r);
  f = r->next(&s);
  ck_assert_int_eq(vow_cancel(f), 0);
  vow_drop(f);
  vow__shim_report(r->call, 1, r->told[0]);
  stir(r, &s);
  turns(s.loop, 3);
  f = r->next(&s);
  settle(s.loop, f);
  if (vow_status(f) != 0) {
    expect_code(r, f, r->told[0]);
    f = r->next(&s);
    if (r->ends)
      expect_code(r, f, r->told[0]);
    else
      spring_gives(r, &s, f);
  } else {
    ck_assert_msg(!r->ends, "%s lost the end", r->name);
    vow_drop(f);
    if (r->eat != NULL) r->eat(&s);
  }
  done_faulty(r, &s);
}

/* Told while it is freed. */
TEST(test_source_told_a_code_with_its_future_dropped_leaves_nothing) {
  const source_t *r = &sources[_i];
  spring_t s;
  if (r->told == NULL) return;
  s = open_faulty(r);
  vow__shim_report_from(r->call, 1, r->told[0]);
  vow_drop(r->next(&s));
  stir(r, &s);
  turns(s.loop, 3);
  done_faulty(r, &s);
}

/* By its own continuation, with libuv's callback below. */
typedef struct freed {
  const source_t *row;
  spring_t *spring;
} freed_t;

static vow_value_t free_it(vow_future_t *in, void *arg) {
  const freed_t *who = arg;
  void *it = who->spring->it;
  (void)vow_status(in);
  who->spring->it = NULL;
  if (it != NULL) who->row->free(it);
  return vow_nil();
}

TEST(test_source_told_a_code_may_be_freed_by_its_continuation) {
  const source_t *r = &sources[_i];
  spring_t s;
  freed_t who = {r, &s};
  vow_future_t *f;
  if (r->told == NULL) return;
  s = open_faulty(r);
  vow__shim_report(r->call, 1, r->told[0]);
  f = vow_handle(r->next(&s), free_it, &who);
  stir(r, &s);
  ck_assert_int_eq(settle_drop(s.loop, f), 0);
  ck_assert_ptr_null(s.it);
  done_faulty(r, &s);
}

/* ---- reading: nothing yet, byte by byte ---------------------------------- */

static bool reads(const source_t *r) {
  return r->call != NULL && strcmp(r->call, "uv_read_start") == 0;
}

TEST(test_source_told_nothing_yet_goes_on_waiting) {
  const source_t *r = &sources[_i];
  spring_t s;
  if (!reads(r)) return;
  s = open_faulty(r);
  vow__shim_report_from(r->call, 1, 0);
  expect_more(r, &s);
  expect_more(r, &s);
  ck_assert_uint_eq(vow__shim_hits(), 2);
  done_faulty(r, &s);
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, source_count)

SUITE(uv_sources_faults) {
  EACH(test_source_that_cannot_be_started_says_so_and_may_be_tried_again);
  EACH(test_source_told_a_code_fails_a_next_with_it);
  EACH(test_source_told_a_code_with_several_waiting);
  EACH(test_source_told_a_code_with_nobody_waiting_goes_on);
  EACH(test_source_told_a_code_with_its_future_dropped_leaves_nothing);
  EACH(test_source_told_a_code_may_be_freed_by_its_continuation);
  EACH(test_source_told_nothing_yet_goes_on_waiting);
}

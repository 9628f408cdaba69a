/* SPDX-License-Identifier: MIT */
/* The same situations for everything that libuv tells again and again: waited
 * for before and after it comes, cancelled, dropped, freed, closed, out of
 * memory. What only one of them does is tested in the file of its area. */
#include "unit/uv/sources.h"

static spring_t open_counted(const source_t *r) {
  fault_install();
  return spring_open(r, true);
}

static void done_clean(const source_t *r, spring_t *s) {
  spring_done(r, s);
  ck_assert_int_eq(place_unseen(), 0);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

TEST(test_source_next_waits_for_what_comes) {
  const source_t *r = &sources[_i];
  spring_t s = open_counted(r);
  int i;
  for (i = 0; i < 3; i++) {
    vow_future_t *f = r->next(&s);
    ck_assert_msg(!vow_is_settled(f) || r->timed, "%s settled at once",
                  r->name);
    ck_assert_ptr_nonnull(strstr(vow_site(f), "/rows_sources.c:"));
    r->poke(&s);
    spring_gives(r, &s, f);
  }
  done_clean(r, &s);
}

TEST(test_source_keeps_what_comes_while_nobody_waits) {
  const source_t *r = &sources[_i];
  spring_t s;
  vow_future_t *f;
  if (r->forgets) return;
  s = open_counted(r);
  f = r->next(&s); /* some begin with the first next */
  r->poke(&s);
  spring_gives(r, &s, f);
  r->poke(&s);
  turns(s.loop, 3);
  spring_gives(r, &s, r->next(&s));
  done_clean(r, &s);
}

TEST(test_source_serves_nexts_in_order) {
  const source_t *r = &sources[_i];
  spring_t s = open_counted(r);
  vow_future_t *first = r->next(&s), *second = r->next(&s);
  r->poke(&s);
  ck_assert_int_eq(settle(s.loop, first), 0);
  spring_gives(r, &s, first);
  if (!vow_is_settled(second)) r->poke(&s);
  if (r->eat == NULL) spring_gives(r, &s, second);
  /* One that is told for as long as it lasts may have been told twice. */
  if (r->eat != NULL) ck_assert_int_eq(settle_drop(s.loop, second), 0);
  done_clean(r, &s);
}

TEST(test_source_cancelled_next_leaves_what_comes_to_the_next) {
  const source_t *r = &sources[_i];
  spring_t s = open_counted(r);
  vow_future_t *f = r->next(&s);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert(vow_is_cancelled(f) || r->timed);
  vow_drop(f);
  f = r->next(&s);
  r->poke(&s);
  spring_gives(r, &s, f);
  done_clean(r, &s);
}

TEST(test_source_dropped_next_leaves_what_comes_to_the_next) {
  const source_t *r = &sources[_i];
  spring_t s = open_counted(r);
  vow_future_t *f;
  vow_drop(r->next(&s));
  turns(s.loop, 1);
  f = r->next(&s);
  r->poke(&s);
  spring_gives(r, &s, f);
  done_clean(r, &s);
}

TEST(test_source_next_cancelled_after_it_settled_keeps_its_outcome) {
  const source_t *r = &sources[_i];
  spring_t s = open_counted(r);
  vow_future_t *f = r->next(&s);
  r->poke(&s);
  ck_assert_int_eq(settle(s.loop, f), 0);
  ck_assert_int_eq(vow_cancel(f), 0);
  ck_assert_int_eq(vow_status(f), 0);
  vow_drop(f);
  done_clean(r, &s);
}

TEST(test_source_unused_leaves_nothing) {
  const source_t *r = &sources[_i];
  spring_t s = open_counted(r);
  done_clean(r, &s);
}

TEST(test_source_freed_with_something_waiting_leaves_nothing) {
  const source_t *r = &sources[_i];
  spring_t s = open_counted(r);
  vow_future_t *f = r->next(&s);
  r->poke(&s);
  spring_gives(r, &s, f);
  if (!r->forgets) r->poke(&s);
  turns(s.loop, 3);
  done_clean(r, &s);
}

/* ---- the end ------------------------------------------------------------- */

TEST(test_source_freed_fails_pending_nexts) {
  const source_t *r = &sources[_i];
  spring_t s;
  vow_future_t *f, *g;
  if (r->free == NULL) return;
  s = open_counted(r);
  f = r->next(&s);
  g = r->next(&s);
  r->free(s.it);
  s.it = NULL;
  ck_assert(vow_status(f) == VOW_ESHUTDOWN || r->timed);
  ck_assert(vow_status(g) == VOW_ESHUTDOWN || r->timed);
  vow_drop(f);
  vow_drop(g);
  done_clean(r, &s);
}

TEST(test_source_closed_handle_fails_nexts) {
  const source_t *r = &sources[_i];
  spring_t s;
  vow_future_t *f;
  if (r->handle == NULL) return;
  s = open_counted(r);
  f = r->next(&s);
  ck_assert_int_eq(settle_drop(s.loop, vow_close(r->handle(&s))), 0);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  f = r->next(&s);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  vow_drop(f);
  done_clean(r, &s);
}

/* A loop that users' handles keep from closing says so, but no next pends any
 * more. */
TEST(test_rule_22_loop_closed_while_a_next_pends_cancels_it) {
  const source_t *r = &sources[_i];
  spring_t s = open_counted(r);
  vow_future_t *f = r->next(&s);
  int err = vow_loop_close(s.loop, 1000);
  ck_assert_int_eq(err, UV_EBUSY);
  ck_assert_msg(vow_is_cancelled(f) || r->timed, "%s: %d", r->name,
                vow_status(f));
  vow_drop(f);
  done_clean(r, &s);
}

/* ---- memory -------------------------------------------------------------- */

static bool is_want(int status) {
  return status == UV_ENOMEM || status == UV_ENOBUFS;
}

/* Opens, waits and is told while the nth allocation fails: that is said, and
 * who asks again gets what comes. False when there are not so many. */
static bool ends_well(const source_t *r, size_t n, bool from) {
  spring_t s;
  vow_future_t *f;
  bool failed;
  int err = 0, tries = 0;
  fault_install();
  s = spring_new(r, true);
  if (from)
    fault_fail_from(n);
  else
    fault_fail_at(n);
  if (r->open != NULL) err = r->open(&s);
  ck_assert(err == 0 || err == UV_ENOMEM);
  if (err == 0) {
    f = r->next(&s);
    r->poke(&s);
    if (!vow_is_settled(f)) turns(s.loop, 3);
    failed = fault_failed() > 0;
    fault_off();
    for (; vow_is_settled(f) && is_want(vow_status(f)); tries++) {
      ck_assert_int_lt(tries, 3);
      vow_drop(f);
      f = r->next(&s);
      r->poke(&s); /* what was there may be lost with the memory */
    }
    spring_gives(r, &s, f);
  } else {
    failed = true;
    ck_assert_ptr_null(s.it);
  }
  fault_off();
  done_clean(r, &s);
  return failed;
}

TEST(test_source_nth_allocation_fails_is_told) {
  size_t n;
  for (n = 1; ends_well(&sources[_i], n, false); n++) ck_assert_uint_lt(n, 50);
  ck_assert_uint_ge(n, 2);
}

TEST(test_source_out_of_memory_for_good_is_told) {
  size_t n;
  for (n = 1; ends_well(&sources[_i], n, true); n++) ck_assert_uint_lt(n, 50);
  ck_assert_uint_ge(n, 2);
}

#define EACH(name) tcase_add_loop_test(test_tcase, name, 0, source_count)

SUITE(uv_sources_table) {
  EACH(test_source_next_waits_for_what_comes);
  EACH(test_source_keeps_what_comes_while_nobody_waits);
  EACH(test_source_serves_nexts_in_order);
  EACH(test_source_cancelled_next_leaves_what_comes_to_the_next);
  EACH(test_source_dropped_next_leaves_what_comes_to_the_next);
  EACH(test_source_next_cancelled_after_it_settled_keeps_its_outcome);
  EACH(test_source_unused_leaves_nothing);
  EACH(test_source_freed_with_something_waiting_leaves_nothing);
  EACH(test_source_freed_fails_pending_nexts);
  EACH(test_source_closed_handle_fails_nexts);
  EACH(test_rule_22_loop_closed_while_a_next_pends_cancels_it);
  EACH(test_source_nth_allocation_fails_is_told);
  EACH(test_source_out_of_memory_for_good_is_told);
}

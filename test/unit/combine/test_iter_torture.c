/* SPDX-License-Identifier: MIT */
/* All iterator tools on top of each other, cancelled, dropped, closed with
 * their loop, and starved at every step: items, resources and memory balance
 * afterwards. */
#include "unit/combine/iter_helpers.h"

#include <vow/using.h>

static int opened, closed; /* sources with a clean-up */

/* ---- the parts ----------------------------------------------------------- */

static vow_value_t later(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_outcome(in);
}

/* v, after so many turns of the ready queue. */
static vow_value_t after_turns(vow_loop_t *loop, int turns, vow_value_t v) {
  vow_future_t *f = vow_ready(loop, v);
  while (turns-- > 0) f = vow_then(f, later, NULL);
  return vow_follow(f);
}

static vow_value_t make_item(vow_loop_t *loop, uint64_t i, void *arg) {
  (void)arg;
  if (i == 12) return vow_fail(UV_EOF);
  switch (i % 3) {
  case 0:
    return thing();
  case 1:
    return after_turns(loop, 2, thing());
  default:
    return vow_follow(
        vow_then(vow_sleep(loop, 1), later, NULL)); /* nil, in time */
  }
}

static vow_value_t clean_up(vow_loop_t *loop, void *arg) {
  (void)arg;
  closed++;
  return after_turns(loop, 2, vow_nil());
}

static vow_iter_t *source(vow_loop_t *loop) {
  vow_iter_t *it = vow_iter_from(loop, make_item, clean_up, NULL, count_drop);
  if (vow_iter_failure(it) == NULL) opened++;
  return it;
}

static vow_value_t pass_on(vow_future_t *in, void *arg) {
  vow_value_t v;
  int err = vow_take_value(in, &v);
  if (err != 0) return vow_fail(err);
  return arg != NULL ? after_turns(arg, 1, v) : v;
}

static vow_value_t yes(vow_future_t *in, void *arg) {
  (void)in;
  return arg != NULL ? after_turns(arg, 1, vow_int(1)) : vow_int(1);
}

/* ---- the scenes: each gives a future that ends --------------------------- */

static vow_future_t *straight(vow_loop_t *loop) {
  vow_iter_t *it = source(loop);
  it = vow_iter_map(it, pass_on, loop, count_drop);
  it = vow_iter_filter(it, yes, loop, count_drop);
  it = vow_iter_skip(it, 1);
  it = vow_iter_take_while(it, yes, NULL, count_drop);
  it = vow_iter_timeout(it, 50);
  it = vow_iter_chunk(it, 3);
  return vow_iter_each(it, yes, loop, count_drop);
}

static vow_future_t *cut_short(vow_loop_t *loop) {
  vow_iter_t *it = vow_iter_map(source(loop), pass_on, NULL, count_drop);
  return vow_iter_collect(vow_iter_take(vow_iter_skip(it, 1), 4), SIZE_MAX);
}

static vow_future_t *ordered(vow_loop_t *loop) {
  vow_iter_t *it =
      vow_iter_buffered(source(loop), 3, pass_on, loop, count_drop);
  return vow_iter_collect(vow_iter_take(it, 7), 9);
}

static vow_future_t *unordered(vow_loop_t *loop) {
  vow_iter_t *it =
      vow_iter_buffered_unordered(source(loop), 2, pass_on, loop, count_drop);
  return vow_iter_collect(vow_iter_chunk(it, 2), 9);
}

static vow_future_t *joined(vow_loop_t *loop) {
  vow_iter_t *it =
      vow_iter_merge_of(loop, source(loop), upto(loop, 3),
                        vow_iter_chain_of(loop, source(loop), upto(loop, 2),
                                          vow_iter_take(source(loop), 2)));
  return vow_iter_each(vow_iter_take(it, 20), yes, NULL, count_drop);
}

typedef vow_future_t *(*scene_t)(vow_loop_t *loop);

static const struct {
  scene_t run;
  int drops; /* of args */
} scenes[] = {
    {straight, 5}, {cut_short, 2}, {ordered, 2}, {unordered, 2}, {joined, 4}};

#define SCENES (sizeof(scenes) / sizeof(scenes[0]))

/* ---- running them -------------------------------------------------------- */

static void begin(void) {
  things_live = arg_drops = opened = closed = 0;
}

static void balance(size_t scene, bool all_drops) {
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(closed, opened);
  if (all_drops) ck_assert_int_eq(arg_drops, scenes[scene].drops);
}

/* One continuation, or else the next timers; false when there is nothing. */
static bool step(vow_loop_t *loop) {
  uint64_t next_ms = vow_loop_next_ms(loop);
  if (vow_loop_step(loop)) return true;
  if (next_ms == UINT64_MAX) return false;
  manual_advance(loop, next_ms - vow_loop_now_ms(loop));
  return true;
}

/* Runs the scene for so many steps; false when it had ended before. */
static bool run_steps(vow_loop_t *loop, vow_future_t *f, size_t steps) {
  while (steps-- > 0 && step(loop))
    if (vow_is_settled(f)) return false;
  return !vow_is_settled(f);
}

static void run_out(vow_loop_t *loop) {
  while (step(loop)) {
  }
}

TEST(test_iter_scenes_end_well_undisturbed) {
  for (size_t k = 0; k < SCENES; k++) {
    vow_loop_t *loop = counting_loop(false);
    vow_future_t *f;
    begin();
    f = scenes[k].run(loop);
    run_out(loop);
    ck_assert_int_eq(vow_status(f), 0);
    vow_drop(f);
    balance(k, true);
    ck_assert_int_ge(opened, 1);
    ck_assert_int_eq(unhandled, 0);
    manual_done(loop);
  }
}

TEST(test_iter_scenes_cancelled_or_dropped_at_every_step_balance) {
  for (size_t k = 0; k < SCENES; k++) {
    bool more = true;
    for (size_t n = 0; more; n++) {
      vow_loop_t *loop = counting_loop(false);
      vow_future_t *f;
      begin();
      f = scenes[k].run(loop);
      more = run_steps(loop, f, n / 2);
      if (n % 2 == 0) vow_cancel(f);
      if (n % 2 == 0) run_out(loop);
      if (n % 2 == 0) ck_assert(vow_is_settled(f));
      vow_drop(f);
      run_out(loop);
      balance(k, true);
      ck_assert_int_eq(unhandled, 0);
      manual_done(loop);
    }
  }
}

/* Rule 21: when it has settled nothing is left to be waited for. */
TEST(test_iter_scenes_settle_only_when_all_has_closed) {
  for (size_t k = 0; k < SCENES; k++) {
    bool more = true;
    for (size_t n = 0; more; n++) {
      vow_loop_t *loop = counting_loop(false);
      vow_future_t *f;
      begin();
      f = scenes[k].run(loop);
      more = run_steps(loop, f, n);
      vow_cancel(f);
      while (!vow_is_settled(f)) ck_assert(step(loop));
      vow_drop(f);
      balance(k, true);
      ck_assert_uint_eq(vow_loop_live(loop), 0);
      manual_done(loop);
    }
  }
}

TEST(test_iter_scenes_closed_with_their_loop_at_every_step_balance) {
  for (size_t k = 0; k < SCENES; k++) {
    bool more = true;
    for (size_t n = 0; more; n++) {
      vow_loop_t *loop = counting_loop(false);
      vow_future_t *f;
      begin();
      f = scenes[k].run(loop);
      more = run_steps(loop, f, n);
      manual_close(loop);
      ck_assert(vow_is_settled(f));
      (void)vow_status(f);
      vow_drop(f);
      balance(k, true);
    }
  }
}

/* Nexts that are given up again and again take no item away. */
TEST(test_iter_nexts_dropped_at_every_step_lose_nothing) {
  for (size_t n = 1; n < 12; n++) {
    vow_loop_t *loop = counting_loop(false);
    vow_iter_t *it;
    vow_future_t *f;
    int got = 0, code = 0;
    begin();
    it = vow_iter_merge_of(
        loop, vow_iter_map(source(loop), pass_on, loop),
        vow_iter_chain_of(
            loop, vow_iter_buffered(source(loop), 2, pass_on, loop),
            vow_iter_timeout(vow_iter_skip(source(loop), 2), 50)));
    it = vow_iter_take(vow_iter_filter(it, yes, loop), 1000);
    while (code == 0) {
      f = vow_iter_next(it);
      for (size_t i = 0; i < n && !vow_is_settled(f); i++) step(loop);
      if (vow_is_settled(f)) {
        code = vow_status(f);
        got += code == 0;
      }
      vow_drop(f);
      if (n < 4) step(loop); /* or it would never get anywhere */
    }
    ck_assert_int_eq(code, UV_EOF);
    ck_assert_int_eq(got, 12 + 12 + 10);
    vow_iter_free(it);
    run_out(loop);
    balance(0, false);
    manual_done(loop);
  }
}

static scene_t starved_scene;

static void starved(vow_loop_t *loop) {
  vow_future_t *f;
  opened = closed = 0;
  f = starved_scene(loop);
  run_out(loop);
  ck_assert(vow_is_settled(f));
  (void)vow_status(f);
  vow_drop(f);
  ck_assert_int_eq(closed, opened);
}

TEST(test_iter_scenes_out_of_memory_balance) {
  for (size_t k = 0; k < SCENES; k++) {
    starved_scene = scenes[k].run;
    starve(starved, scenes[k].drops);
  }
}

/* ---- circles ------------------------------------------------------------- */

static vow_future_t *awaited;

static vow_value_t await_it(vow_loop_t *loop, uint64_t i, void *arg) {
  (void)loop;
  (void)arg;
  return i == 0 ? vow_follow(vow_ref(awaited)) : vow_fail(UV_EOF);
}

static vow_value_t await_too(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_follow(vow_ref(awaited));
}

static vow_future_t *seen_next(const char *site, void *source) {
  (void)site;
  (void)source;
  return vow_ref(awaited);
}

static vow_future_t *seen_close(void *source) {
  (void)source;
  return NULL;
}

/* Something that waits for awaited, by number; *ret_it is to be freed. */
static vow_future_t *wait_through(vow_loop_t *loop, int way,
                                  vow_iter_t **ret_it) {
  static const vow_iter_view_t view = {"seen", seen_next, seen_close, 0};
  vow_iter_t *it = vow_iter_from(loop, await_it, NULL, NULL);
  switch (way) {
  case 0:
    break;
  case 1:
    it = vow_iter_skip(it, 1);
    break;
  case 2:
    it = vow_iter_merge_of(loop, upto(loop, 0), it);
    break;
  case 3:
    it = vow_iter_chain_of(loop, it, upto(loop, 0));
    break;
  case 4:
    it = vow_iter_buffered(it, 2, yes, NULL);
    break;
  case 5: /* the work waits, not the source */
    vow_iter_free(it);
    it = vow_iter_buffered_unordered(upto(loop, 1), 2, await_too, NULL);
    break;
  case 6:
    vow_iter_free(it);
    it = vow_iter_view(loop, loop, &view);
    break;
  case 7:
    vow_iter_free(it);
    it = vow_completed_iter(vow_as_completed_of(loop, vow_ref(awaited)));
    break;
  case 8:
    return vow_iter_collect(it, 9);
  case 9:
    vow_iter_free(it);
    return vow_iter_each(upto(loop, 1), await_too, NULL);
  case 10:
    vow_iter_free(it);
    return vow_using(vow_ref(awaited), await_too, await_too, NULL);
  default:
    vow_iter_free(it);
    return NULL;
  }
  *ret_it = it;
  return vow_iter_next(it);
}

TEST(test_iter_circle_through_any_tool_is_found) {
  vow_future_t *f;
  int way = 0;
  do {
    vow_loop_t *loop = fresh_loop();
    vow_iter_t *it = NULL;
    pair_t p = pair(loop);
    awaited = p.f;
    f = wait_through(loop, way, &it);
    manual_drain(loop);
    vow_promise_finish(p.p, f != NULL ? vow_follow(vow_ref(f)) : vow_nil());
    if (f != NULL) ck_assert_int_eq(vow_status(p.f), VOW_ECYCLE);
    manual_drain(loop);
    if (f != NULL) ck_assert(vow_is_settled(f));
    (void)vow_status(f);
    vow_drop(f);
    vow_drop(p.f);
    vow_iter_free(it);
    manual_drain(loop);
    manual_done(loop);
    way++;
  } while (f != NULL);
  ck_assert_int_eq(way, 12);
}

/* ---- memory -------------------------------------------------------------- */

static vow_value_t to_number(vow_future_t *in, void *arg) {
  int64_t i = vow_get_int(in);
  return i % 2 ? vow_int(i) : vow_follow(vow_ready(arg, vow_int(i)));
}

TEST(test_iter_million_items_through_all_tools_leave_memory_flat) {
  int64_t n = (int64_t)test_scale(1000000);
  vow_loop_t *loop;
  vow_iter_t *it;
  vow_future_t *f;
  long most = 0;
  fault_install();
  loop = fresh_loop();
  it = vow_iter_map(upto(loop, n), to_number, loop);
  it = vow_iter_filter(it, yes, NULL);
  it = vow_iter_skip(it, 1);
  it = vow_iter_timeout(it, 1000);
  it = vow_iter_buffered(it, 8, to_number, loop);
  it = vow_iter_buffered_unordered(it, 8, to_number, loop);
  it = vow_iter_merge_of(loop, it);
  it = vow_iter_chain_of(loop, it);
  it = vow_iter_take_while(it, yes, NULL);
  it = vow_iter_chunk(it, 10);
  it = vow_iter_take(it, UINT64_MAX);
  f = vow_iter_each(it, yes, NULL);
  for (int i = 0; i < 1000; i++) vow_loop_step(loop);
  most = fault_live_bytes();
  for (size_t k = 0; vow_loop_step(loop); k++)
    if (k % 1024 == 0) ck_assert_int_le(fault_live_bytes(), most + 65536);
  EXPECT_INT(f, n / 10);
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* A source that is always ready does not starve others. */
TEST(test_iter_each_leaves_turns_to_others) {
  vow_loop_t *loop = fresh_loop();
  vow_future_t *f = vow_iter_each(upto(loop, 1000000), yes, NULL),
               *g = vow_sleep(loop, 0);
  for (int i = 0; i < 10; i++) vow_loop_step(loop);
  ck_assert(vow_is_settled(g));
  ck_assert(!vow_is_settled(f));
  vow_drop(g);
  vow_drop(f);
  manual_drain(loop);
  manual_done(loop);
}

SUITE(combine_iter_torture) {
  ADD(test_iter_scenes_end_well_undisturbed);
  ADD(test_iter_scenes_cancelled_or_dropped_at_every_step_balance);
  ADD(test_iter_scenes_settle_only_when_all_has_closed);
  ADD(test_iter_scenes_closed_with_their_loop_at_every_step_balance);
  ADD(test_iter_nexts_dropped_at_every_step_lose_nothing);
  ADD(test_iter_scenes_out_of_memory_balance);
  ADD(test_iter_circle_through_any_tool_is_found);
  ADD(test_iter_million_items_through_all_tools_leave_memory_flat);
  ADD(test_iter_each_leaves_turns_to_others);
}

/* SPDX-License-Identifier: MIT */
/* Tests of timers and sleeps: rule 10, and the timers against a plain model. */
#include "unit/core/helpers.h"

#include <vow/op.h>
#include <vow/time.h>

static vow_future_t *noted_sleep(vow_loop_t *loop, uint64_t ms, char *word) {
  return vow_then(vow_sleep(loop, ms), note_run, word);
}

/* Rule 10: equal deadlines fire in arming order. */
TEST(test_timer_equal_deadlines_fire_in_arming_order) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f[6];
  f[0] = noted_sleep(loop, 20, "c");
  f[1] = noted_sleep(loop, 10, "a");
  f[2] = noted_sleep(loop, 20, "d");
  f[3] = noted_sleep(loop, 10, "b");
  manual_advance(loop, 5);
  f[4] = noted_sleep(loop, 15, "e");
  f[5] = vow_then(vow_sleep_until(loop, 1020), note_run, "f");
  manual_advance(loop, 100);
  EXPECT_EVENTS("a b c d e f");
  for (int i = 0; i < 6; i++) vow_drop(f[i]);
  manual_done(loop);
}

/* Rule 10: also between one armed long before and one armed shortly. */
TEST(test_timer_equal_deadlines_far_and_near_fire_in_arming_order) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f[4];
  f[0] = noted_sleep(loop, 5000, "far1");
  f[1] = noted_sleep(loop, 5000, "far2");
  manual_advance(loop, 4500);
  f[2] = noted_sleep(loop, 500, "near1");
  manual_advance(loop, 499);
  f[3] = noted_sleep(loop, 1, "near2");
  manual_advance(loop, 1);
  EXPECT_EVENTS("far1 far2 near1 near2");
  for (int i = 0; i < 4; i++) vow_drop(f[i]);
  manual_done(loop);
}

/* All too far away for the wheel. The last one armed takes the place of the one
 * that is cancelled, and is earlier than what stands above that. */
TEST(test_timer_far_ones_fire_in_order_after_a_cancel) {
  static const uint64_t delays[] = {0, 100, 10, 20, 30, 101, 102, 103, 104, 11};
  vow_loop_t *loop = manual_loop();
  vow_future_t *f[10];
  int i;
  for (i = 0; i < 10; i++) f[i] = vow_sleep(loop, 5000 + delays[i]);
  vow_drop(f[5]);
  manual_advance(loop, 5000 + 11);
  for (i = 0; i < 10; i++)
    if (i != 5) ck_assert_int_eq(vow_is_settled(f[i]), delays[i] <= 11);
  manual_advance(loop, 100);
  for (i = 0; i < 10; i++)
    if (i != 5) vow_drop(f[i]);
  manual_done(loop);
}

/* Rule 10: never early. */
TEST(test_timer_sleep_never_ends_early) {
  static const uint64_t delays[] = {1, 63, 64, 1023, 1024, 1025, 100000};
  vow_loop_t *loop = manual_loop();
  for (size_t i = 0; i < sizeof delays / sizeof delays[0]; i++) {
    vow_future_t *f = vow_sleep(loop, delays[i]);
    ck_assert_uint_eq(manual_wish_ms(loop), vow_loop_now_ms(loop) + delays[i]);
    manual_advance(loop, delays[i] - 1);
    ck_assert_int_eq(vow_state(f), VOW_PENDING);
    manual_advance(loop, 1);
    ck_assert_int_eq(vow_status(f), 0);
    vow_drop(f);
  }
  manual_done(loop);
}

/* A driver whose clock is between two milliseconds. */
static uint64_t fake_ns;

static uint64_t fake_now_ns(vow_driver_t *d) {
  (void)d;
  return fake_ns;
}

/* Rule 10: never early, from a clock refreshed when armed. */
TEST(test_timer_delay_counts_from_now_rounded_up) {
  vow_loop_t *loop = manual_loop();
  uint64_t (*old)(vow_driver_t *) = vow_loop_driver(loop)->now_ns;
  vow_future_t *f, *g;
  vow_loop_driver(loop)->now_ns = fake_now_ns;
  fake_ns = 2000000001u;
  ck_assert_uint_eq(vow_loop_now_ms(loop), 2000);
  ck_assert_uint_eq(vow_deadline_ms(loop, 5), 2006);
  f = vow_sleep(loop, 5);
  fake_ns = 2003000000u; /* read afresh, no turn between */
  g = vow_sleep(loop, 5);
  ck_assert_uint_eq(vow_loop_next_ms(loop), 2006);
  fake_ns = 2005999999u;
  vow_loop_expire(loop);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  fake_ns = 2006000000u;
  vow_loop_expire(loop);
  ck_assert_int_eq(vow_status(f), 0);
  ck_assert_int_eq(vow_state(g), VOW_PENDING);
  ck_assert_uint_eq(vow_loop_next_ms(loop), 2008);
  vow_drop(f);
  vow_drop(g);
  vow_loop_driver(loop)->now_ns = old;
  manual_done(loop);
}

/* Rule 10: a zero sleep goes through the ready queue. */
TEST(test_timer_zero_sleep_goes_through_the_ready_queue) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *a = vow_then(ok(loop, 1), note_run, "before"), *f, *b;
  f = vow_sleep(loop, 0);
  b = vow_then(ok(loop, 1), note_run, "after");
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_uint_eq(vow_loop_next_ms(loop), UINT64_MAX);
  f = vow_then(f, note_run, "slept");
  manual_drain(loop);
  EXPECT_EVENTS("before after slept");
  vow_drop(a);
  vow_drop(b);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_timer_zero_sleep_cancelled_or_dropped_never_succeeds) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_sleep(loop, 0);
  vow_cancel(f);
  manual_drain(loop);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  vow_drop(vow_sleep(loop, 0));
  ck_assert_uint_eq(vow_loop_live(loop), 0);
  manual_done(loop);
}

TEST(test_timer_sleep_until_the_past_ends_at_once) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_sleep_until(loop, 999), *g = vow_sleep_until(loop, 0);
  vow_future_t *h = vow_sleep_until(loop, 1000), *later;
  later = vow_sleep_until(loop, 1001);
  manual_drain(loop);
  ck_assert_int_eq(vow_status(f) | vow_status(g) | vow_status(h), 0);
  ck_assert_int_eq(vow_state(later), VOW_PENDING);
  vow_drop(f);
  vow_drop(g);
  vow_drop(h);
  vow_drop(later);
  manual_done(loop);
}

TEST(test_timer_huge_delays_are_taken_as_the_largest) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f[4];
  f[0] = vow_sleep(loop, UINT64_MAX);
  f[1] = vow_sleep(loop, VOW_MS_MAX);
  f[2] = vow_sleep_until(loop, UINT64_MAX);
  f[3] = vow_sleep(loop, VOW_MS_MAX - 1000);
  ck_assert_uint_eq(vow_loop_next_ms(loop), VOW_MS_MAX);
  ck_assert_uint_eq(vow_deadline_ms(loop, UINT64_MAX), VOW_MS_MAX);
  manual_advance(loop, 1000000);
  for (int i = 0; i < 4; i++) {
    ck_assert_int_eq(vow_state(f[i]), VOW_PENDING);
    vow_drop(f[i]);
  }
  manual_done(loop);
}

TEST(test_timer_cancelled_sleep_leaves_no_timer) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f = vow_sleep(loop, 10), *g = vow_sleep(loop, 20);
  vow_cancel(f);
  ck_assert_uint_eq(vow_loop_next_ms(loop), 1020);
  ck_assert_uint_eq(manual_wish_ms(loop), 1020);
  EXPECT_CANCELLED(f, UV_ECANCELED);
  vow_drop(g);
  ck_assert_uint_eq(vow_loop_next_ms(loop), UINT64_MAX);
  ck_assert_uint_eq(manual_wish_ms(loop), UINT64_MAX);
  manual_done(loop);
}

TEST(test_timer_without_memory_fails_the_sleep) {
  vow_loop_t *loop;
  vow_future_t *f[80];
  fault_install();
  loop = manual_loop();
  vow_drop(vow_sleep(loop, 1)); /* so that cells are there */
  fault_fail_from(1);
  for (int i = 0; i < 80; i++) f[i] = vow_sleep(loop, 5000);
  ck_assert_int_eq(vow_status(f[79]), UV_ENOMEM);
  fault_off();
  for (int i = 0; i < 80; i++) {
    vow_status(f[i]);
    vow_drop(f[i]);
  }
  manual_done(loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* ---- timers of operations -------------------------------------------------
 */

static int fired;

static void on_fire(vow_timer_t *t) {
  (void)t;
  fired++;
}

TEST(test_timer_started_again_is_moved) {
  vow_loop_t *loop = manual_loop();
  vow_timer_t t;
  memset(&t, 0, sizeof t);
  fired = 0;
  vow_timer_start(loop, &t, 1010, on_fire);
  vow_timer_start(loop, &t, 9000, on_fire);
  manual_advance(loop, 100);
  ck_assert_int_eq(fired, 0);
  vow_timer_start(loop, &t, 1101, on_fire);
  manual_advance(loop, 1);
  ck_assert_int_eq(fired, 1);
  vow_timer_stop(loop, &t);
  vow_timer_stop(loop, &t);
  manual_advance(loop, 10000);
  ck_assert_int_eq(fired, 1);
  manual_done(loop);
}

typedef struct own_timer {
  vow_timer_t timer;
  vow_loop_t *loop;
  struct own_timer *other;
  int fires;
} own_timer_t;

static void stop_other_and_restart(vow_timer_t *t) {
  own_timer_t *o = (own_timer_t *)(void *)t; /* its first member */
  vow_timer_stop(o->loop, &o->other->timer);
  if (++o->fires < 3)
    vow_timer_start(o->loop, t, vow_loop_now_ms(o->loop), /* past at once */
                    stop_other_and_restart);
}

TEST(test_timer_callback_may_stop_others_and_start_itself) {
  vow_loop_t *loop = manual_loop();
  own_timer_t a, b;
  memset(&a, 0, sizeof a);
  memset(&b, 0, sizeof b);
  a.loop = b.loop = loop;
  a.other = &b;
  b.other = &a;
  vow_timer_start(loop, &a.timer, 1010, stop_other_and_restart);
  vow_timer_start(loop, &b.timer, 1010, stop_other_and_restart);
  manual_advance(loop, 10);
  ck_assert_int_eq(a.fires, 3);
  ck_assert_int_eq(b.fires, 0);
  manual_done(loop);
}

/* ---- against a model ------------------------------------------------------
 */

#define MODEL 300

typedef struct model {
  vow_timer_t timer[MODEL];
  uint64_t deadline_ms[MODEL]; /* 0: idle */
  uint64_t order[MODEL];
  uint64_t orders;
  vow_loop_t *loop;
} model_t;

static model_t m;

static size_t model_first(void) {
  size_t best = MODEL;
  for (size_t i = 0; i < MODEL; i++) {
    if (m.deadline_ms[i] == 0) continue;
    if (best == MODEL || m.deadline_ms[i] < m.deadline_ms[best] ||
        (m.deadline_ms[i] == m.deadline_ms[best] && m.order[i] < m.order[best]))
      best = i;
  }
  return best;
}

static void model_fired(vow_timer_t *t) {
  size_t i = (size_t)(t - m.timer);
  ck_assert_uint_eq(i, model_first());
  ck_assert_uint_le(m.deadline_ms[i], vow_loop_now_ms(m.loop));
  m.deadline_ms[i] = 0;
}

static uint32_t random_below(uint32_t n) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 33) % n;
}

static void model_step(void) {
  static const uint32_t spans[] = {3, 70, 1100, 5000};
  size_t i = random_below(MODEL);
  uint32_t what = random_below(10);
  uint64_t now_ms = vow_loop_now_ms(m.loop);
  if (what < 6) {
    m.deadline_ms[i] = now_ms + random_below(spans[random_below(4)]);
    if (random_below(20) == 0) m.deadline_ms[i] = now_ms - random_below(9);
    m.order[i] = m.orders++;
    vow_timer_start(m.loop, &m.timer[i], m.deadline_ms[i], model_fired);
  } else if (what < 8) {
    vow_timer_stop(m.loop, &m.timer[i]);
    m.deadline_ms[i] = 0;
  } else {
    manual_advance(m.loop, random_below(spans[random_below(4)]));
  }
  i = model_first();
  ck_assert_uint_eq(vow_loop_next_ms(m.loop),
                    i < MODEL ? m.deadline_ms[i] : UINT64_MAX);
}

/* Rule 10 */
TEST(test_timer_order_agrees_with_a_plain_model) {
  size_t n = test_scale(200000);
  memset(&m, 0, sizeof m);
  m.loop = manual_loop();
  for (size_t i = 0; i < n; i++) model_step();
  manual_advance(m.loop, 10000);
  ck_assert_uint_eq(model_first(), MODEL);
  manual_done(m.loop);
}

SUITE(core_timer) {
  ADD(test_timer_equal_deadlines_fire_in_arming_order);
  ADD(test_timer_equal_deadlines_far_and_near_fire_in_arming_order);
  ADD(test_timer_far_ones_fire_in_order_after_a_cancel);
  ADD(test_timer_sleep_never_ends_early);
  ADD(test_timer_delay_counts_from_now_rounded_up);
  ADD(test_timer_zero_sleep_goes_through_the_ready_queue);
  ADD(test_timer_zero_sleep_cancelled_or_dropped_never_succeeds);
  ADD(test_timer_sleep_until_the_past_ends_at_once);
  ADD(test_timer_huge_delays_are_taken_as_the_largest);
  ADD(test_timer_cancelled_sleep_leaves_no_timer);
  ADD(test_timer_without_memory_fails_the_sleep);
  ADD(test_timer_started_again_is_moved);
  ADD(test_timer_callback_may_stop_others_and_start_itself);
  ADD(test_timer_order_agrees_with_a_plain_model);
}

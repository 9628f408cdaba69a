/* SPDX-License-Identifier: MIT */
/* Tests of using: resources that are opened and closed asynchronously. */
#include "unit/combine/helpers.h"

#include <vow/using.h>

static vow_loop_t *fresh_loop(void) {
  things_live = arg_drops = 0;
  return manual_loop();
}

/* What the callbacks do, and saw. */
typedef struct scene {
  vow_loop_t *loop;
  int uses;
  int closes;
  vow_promise_t *use; /* of what use followed */
  vow_promise_t *close;
  int asked; /* how often one of them was asked to end */
  bool use_follows;
  bool close_follows;
  int use_code;
  int close_code;
  vow_future_t *cancels; /* use cancels this */
  vow_future_t *drops;   /* use drops this */
} scene_t;

static vow_value_t follow_new(scene_t *s, vow_promise_t **ret_p) {
  vow_future_t *f = vow_promise_new(s->loop, ret_p);
  vow_promise_on_cancel(*ret_p, note_cancel, &s->asked);
  return vow_follow(f);
}

static vow_value_t use(vow_future_t *in, void *arg) {
  scene_t *s = arg;
  s->uses++;
  ck_assert_ptr_nonnull(vow_get(in, &type_thing));
  ck_assert_ptr_null(vow_take(in, &type_thing)); /* it is not use's */
  if (s->cancels != NULL) vow_cancel(s->cancels);
  vow_drop(s->drops);
  if (s->use_code != 0) return vow_fail(s->use_code);
  return s->use_follows ? follow_new(s, &s->use) : vow_int(5);
}

static vow_value_t close_it(vow_future_t *in, void *arg) {
  scene_t *s = arg;
  s->closes++;
  ck_assert_ptr_nonnull(vow_get(in, &type_thing));
  ck_assert_int_eq(things_live, 1);
  if (s->close_code != 0) return vow_fail(s->close_code);
  return s->close_follows ? follow_new(s, &s->close) : vow_int(9);
}

static vow_future_t *with_thing(scene_t *s) {
  return vow_using(vow_ready(s->loop, thing()), use, close_it, s, count_drop);
}

/* After any scene: closed once, nothing left. */
static void all_over(scene_t *s, int closes) {
  ck_assert_int_eq(s->closes, closes);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(arg_drops, 1);
  manual_done(s->loop);
}

TEST(test_using_opens_uses_and_closes) {
  scene_t s = {.loop = fresh_loop()};
  vow_future_t *f = with_thing(&s);
  ck_assert_int_eq(s.uses, 0); /* never within a call */
  manual_drain(s.loop);
  EXPECT_INT(f, 5);
  ck_assert_int_eq(s.uses, 1);
  all_over(&s, 1);
}

TEST(test_using_awaits_use_and_then_close) {
  scene_t s = {
      .loop = fresh_loop(), .use_follows = true, .close_follows = true};
  pair_t open = pair(s.loop);
  vow_future_t *f = vow_using(open.f, use, close_it, &s, count_drop);
  manual_drain(s.loop);
  ck_assert_int_eq(s.uses, 0);
  vow_promise_finish(open.p, thing());
  manual_drain(s.loop);
  ck_assert_int_eq(s.uses, 1);
  ck_assert_int_eq(s.closes, 0);
  vow_promise_finish(s.use, vow_int(6));
  manual_drain(s.loop);
  ck_assert_int_eq(s.closes, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  ck_assert_int_eq(things_live, 1);
  ck_assert_int_eq(arg_drops, 0);
  vow_promise_finish(s.close, vow_nil());
  manual_drain(s.loop);
  EXPECT_INT(f, 6);
  all_over(&s, 1);
}

static vow_value_t take_it(vow_future_t *in, void *arg) {
  (void)arg;
  ck_assert_ptr_nonnull(vow_take(in, &type_thing));
  things_live--;
  return vow_nil();
}

TEST(test_using_close_may_take_the_resource) {
  scene_t s = {.loop = fresh_loop()};
  vow_future_t *f =
      vow_using(vow_ready(s.loop, thing()), use, take_it, &s, count_drop);
  manual_drain(s.loop);
  EXPECT_INT(f, 5);
  all_over(&s, 0);
}

TEST(test_using_failed_use_closes_and_fails) {
  scene_t s = {.loop = fresh_loop(), .use_code = UV_EIO};
  vow_future_t *f = with_thing(&s);
  manual_drain(s.loop);
  EXPECT_FAILED(f, UV_EIO);
  all_over(&s, 1);
}

TEST(test_using_failed_close_wins_with_the_failure_of_use_as_cause) {
  scene_t s = {
      .loop = fresh_loop(), .use_code = UV_EIO, .close_code = UV_EPIPE};
  vow_future_t *f = with_thing(&s);
  vow_value_t cause;
  manual_drain(s.loop);
  ck_assert_int_eq(vow_status(f), UV_EPIPE);
  ck_assert(vow_error_cause(vow_error(f), &cause));
  ck_assert_int_eq(vow_value_code(cause), UV_EIO);
  vow_drop(f);
  all_over(&s, 1);
}

static vow_value_t use_to_thing(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return shared_thing();
}

static vow_value_t close_fails(vow_future_t *in, void *arg) {
  scene_t *s = arg;
  (void)in;
  s->closes++;
  return follow_new(s, &s->close);
}

TEST(test_using_failed_close_destroys_the_value_of_use) {
  scene_t s = {.loop = fresh_loop()};
  vow_future_t *f = vow_using(vow_ready(s.loop, thing()), use_to_thing,
                              close_fails, &s, count_drop);
  manual_drain(s.loop);
  ck_assert_int_eq(things_live, 2);
  vow_promise_finish(s.close, vow_fail(UV_EPIPE));
  manual_drain(s.loop);
  EXPECT_FAILED(f, UV_EPIPE);
  all_over(&s, 1);
}

TEST(test_using_failed_open_calls_neither) {
  scene_t s = {.loop = fresh_loop()};
  vow_future_t *f =
      vow_using(bad(s.loop, UV_ENOENT), use, close_it, &s, count_drop);
  manual_drain(s.loop);
  EXPECT_FAILED(f, UV_ENOENT);
  ck_assert_int_eq(s.uses, 0);
  all_over(&s, 0);
}

TEST(test_using_cancelled_while_opening) {
  scene_t s = {.loop = fresh_loop()};
  pair_t open = slow_pair(s.loop, &s.asked);
  vow_future_t *f = vow_using(open.f, use, close_it, &s, count_drop);
  vow_cancel(f);
  manual_drain(s.loop);
  ck_assert_int_eq(s.asked, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(open.p, vow_fail(UV_ECANCELED));
  manual_drain(s.loop);
  EXPECT_CANCELLED(f);
  all_over(&s, 0);
}

TEST(test_using_cancelled_but_opened_all_the_same_is_closed_unused) {
  scene_t s = {.loop = fresh_loop(), .close_follows = true};
  pair_t open = slow_pair(s.loop, &s.asked);
  vow_future_t *f = vow_using(open.f, use, close_it, &s, count_drop);
  vow_cancel(f);
  vow_promise_finish(open.p, thing());
  manual_drain(s.loop);
  ck_assert_int_eq(s.closes, 1);
  ck_assert_int_eq(vow_state(f), VOW_PENDING);
  vow_promise_finish(s.close, vow_nil());
  manual_drain(s.loop);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(s.uses, 0);
  all_over(&s, 1);
}

TEST(test_using_cancelled_when_opened_but_not_used_yet) {
  scene_t s = {.loop = fresh_loop()};
  vow_future_t *f = with_thing(&s);
  vow_cancel(f);
  manual_drain(s.loop);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(s.uses, 0);
  all_over(&s, 1);
}

TEST(test_using_cancelled_in_use_awaits_it_and_closes) {
  scene_t s = {.loop = fresh_loop(), .use_follows = true};
  vow_future_t *f = with_thing(&s);
  manual_drain(s.loop);
  vow_cancel(f);
  manual_drain(s.loop);
  ck_assert_int_eq(s.asked, 1);
  ck_assert_int_eq(s.closes, 0);
  vow_promise_finish(s.use, vow_fail(UV_ECANCELED));
  manual_drain(s.loop);
  EXPECT_CANCELLED(f);
  all_over(&s, 1);
}

TEST(test_using_use_that_succeeds_all_the_same_is_delivered) {
  scene_t s = {.loop = fresh_loop(), .use_follows = true};
  vow_future_t *f = with_thing(&s);
  manual_drain(s.loop);
  vow_cancel(f);
  vow_promise_finish(s.use, vow_int(3));
  manual_drain(s.loop);
  EXPECT_INT(f, 3);
  all_over(&s, 1);
}

TEST(test_using_close_is_shielded) {
  scene_t s = {.loop = fresh_loop(), .close_follows = true};
  vow_future_t *f = with_thing(&s);
  manual_drain(s.loop);
  ck_assert_int_eq(s.closes, 1);
  vow_cancel(f);
  manual_drain(s.loop);
  ck_assert_int_eq(s.asked, 0);
  vow_drop(f);
  manual_drain(s.loop);
  ck_assert_int_eq(s.asked, 0);
  vow_promise_finish(s.close, vow_nil());
  manual_drain(s.loop);
  all_over(&s, 1);
}

TEST(test_using_dropped_in_use_closes) {
  scene_t s = {.loop = fresh_loop(), .use_follows = true};
  vow_future_t *f = with_thing(&s);
  manual_drain(s.loop);
  vow_drop(f);
  manual_drain(s.loop);
  vow_promise_finish(s.use, vow_int(1));
  manual_drain(s.loop);
  all_over(&s, 1);
}

static vow_value_t close_any(vow_future_t *in, void *arg) {
  (void)in;
  ((scene_t *)arg)->closes++;
  return vow_nil();
}

TEST(test_using_cancelled_or_dropped_by_use_itself) {
  for (int way = 0; way < 4; way++) {
    scene_t s = {.loop = fresh_loop(), .use_follows = way % 2};
    vow_future_t *f =
        vow_using(vow_ready(s.loop, thing()), use, close_any, &s, count_drop);
    arg_drops = 0;
    if (way < 2)
      s.cancels = f;
    else
      s.drops = f;
    manual_drain(s.loop);
    ck_assert_int_eq(s.asked, way % 2);
    ck_assert_int_eq(s.closes, way % 2 == 0);
    if (way % 2) vow_promise_finish(s.use, vow_fail(UV_ECANCELED));
    manual_drain(s.loop);
    if (way == 0) EXPECT_INT(f, 5); /* it had succeeded */
    if (way == 1) EXPECT_CANCELLED(f);
    all_over(&s, 1);
  }
}

TEST(test_using_open_that_others_share_is_left_to_them) {
  scene_t s = {.loop = fresh_loop()};
  pair_t open = pair(s.loop);
  vow_future_t *f = vow_using(vow_ref(open.f), use, close_it, &s, count_drop);
  vow_cancel(f);
  manual_drain(s.loop);
  EXPECT_CANCELLED(f);
  ck_assert(vow_promise_is_wanted(open.p));
  vow_promise_drop(open.p);
  (void)vow_status(open.f);
  vow_drop(open.f);
  all_over(&s, 0);
}

static vow_future_t *shared_use;

static vow_value_t use_shared(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_follow(vow_ref(shared_use));
}

TEST(test_using_use_that_others_share_is_left_to_them) {
  scene_t s = {.loop = fresh_loop()};
  pair_t x = pair(s.loop);
  vow_future_t *f;
  shared_use = x.f;
  f = vow_using(vow_ready(s.loop, thing()), use_shared, close_it, &s,
                count_drop);
  manual_drain(s.loop);
  vow_cancel(f);
  ck_assert_int_eq(s.closes, 0); /* no callback in a cancel */
  manual_drain(s.loop);
  EXPECT_CANCELLED(f);
  ck_assert(vow_promise_is_wanted(x.p));
  vow_drop(x.f);
  vow_promise_drop(x.p);
  all_over(&s, 1);
}

static vow_value_t cancel_and_share(vow_future_t *in, void *arg) {
  vow_cancel(((scene_t *)arg)->cancels);
  return use_shared(in, arg);
}

TEST(test_using_cancelled_by_use_that_follows_what_others_share) {
  scene_t s = {.loop = fresh_loop()};
  pair_t x = pair(s.loop);
  vow_future_t *f = vow_using(vow_ready(s.loop, thing()), cancel_and_share,
                              close_it, &s, count_drop);
  shared_use = x.f;
  s.cancels = f;
  manual_drain(s.loop);
  EXPECT_CANCELLED(f);
  ck_assert(vow_promise_is_wanted(x.p));
  vow_drop(x.f);
  vow_promise_drop(x.p);
  all_over(&s, 1);
}

TEST(test_using_failure_of_no_loop_is_handed_on) {
  vow_future_t *f = vow_ready(NULL, vow_nil());
  arg_drops = 0;
  ck_assert_ptr_null(vow_loop_of(f));
  ck_assert_ptr_eq(vow_using(f, use, close_it, NULL, count_drop), f);
  ck_assert_int_eq(vow_status(f), UV_EINVAL);
  ck_assert_int_eq(arg_drops, 1);
  vow_drop(f);
}

TEST(test_using_closed_with_its_loop_closes_and_waits) {
  scene_t s = {.loop = fresh_loop()};
  vow_future_t *f = vow_using(vow_ready(s.loop, thing()), use_shared, close_it,
                              &s, count_drop);
  shared_use = vow_never(s.loop);
  manual_drain(s.loop);
  vow_drop(shared_use);
  manual_close(s.loop);
  EXPECT_CANCELLED(f);
  ck_assert_int_eq(s.closes, 1);
  ck_assert_int_eq(things_live, 0);
  ck_assert_int_eq(arg_drops, 1);
}

static vow_future_t *own;

static vow_value_t follow_own(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_follow(vow_ref(own));
}

TEST(test_using_callbacks_that_wait_for_the_result_are_cycles) {
  scene_t s = {.loop = fresh_loop()};
  own = vow_using(vow_ready(s.loop, thing()), follow_own, close_it, &s,
                  count_drop);
  manual_drain(s.loop);
  EXPECT_FAILED(own, VOW_ECYCLE);
  arg_drops = 0;
  own = vow_using(vow_ready(s.loop, thing()), use, follow_own, &s, count_drop);
  manual_drain(s.loop);
  EXPECT_FAILED(own, VOW_ECYCLE);
  all_over(&s, 1);
}

TEST(test_using_bad_arguments_consume_all) {
  scene_t s = {.loop = fresh_loop()};
  EXPECT_MISUSE(
      vow_using(vow_ready(s.loop, thing()), NULL, close_it, &s, count_drop),
      "a callback is NULL");
  EXPECT_MISUSE(
      vow_using(vow_ready(s.loop, thing()), use, NULL, &s, count_drop),
      "a callback is NULL");
  EXPECT_MISUSE(vow_using(NULL, use, close_it, &s, count_drop),
                "the future is NULL");
  ck_assert_int_eq(arg_drops, 3);
  arg_drops = 1;
  all_over(&s, 0);
}

static vow_value_t use_sleep(vow_future_t *in, void *arg) {
  (void)in;
  return vow_follow(vow_sleep(arg, 5));
}

static int starved_opens, starved_closes;

static vow_value_t opened(vow_future_t *in, void *arg) {
  (void)arg;
  starved_opens++;
  return vow_outcome(in);
}

static vow_value_t close_sleep(vow_future_t *in, void *arg) {
  (void)in;
  starved_closes++;
  return vow_follow(vow_sleep(arg, 5));
}

static void starved_using(vow_loop_t *loop) {
  vow_future_t *f = vow_then(vow_ready(loop, thing()), opened, NULL);
  starved_opens = starved_closes = 0;
  f = vow_using(f, use_sleep, close_sleep, loop, count_drop);
  manual_advance(loop, 20);
  (void)vow_status(f);
  vow_drop(f);
}

TEST(test_using_out_of_memory_closes_what_was_opened) {
  starve(starved_using, 1);
}

/* Whichever allocation fails: what came to use is closed. */
TEST(test_using_close_needs_no_memory) {
  for (size_t n = 1; n < 20; n++) {
    vow_loop_t *loop;
    fault_install();
    loop = counting_loop(true);
    fault_fail_from(n);
    starved_using(loop);
    ck_assert_int_eq(starved_closes, starved_opens);
    fault_off();
    manual_drain(loop);
    manual_done(loop);
    fault_remove();
  }
}

SUITE(combine_using) {
  ADD(test_using_opens_uses_and_closes);
  ADD(test_using_awaits_use_and_then_close);
  ADD(test_using_close_may_take_the_resource);
  ADD(test_using_failed_use_closes_and_fails);
  ADD(test_using_failed_close_wins_with_the_failure_of_use_as_cause);
  ADD(test_using_failed_close_destroys_the_value_of_use);
  ADD(test_using_failed_open_calls_neither);
  ADD(test_using_cancelled_while_opening);
  ADD(test_using_cancelled_but_opened_all_the_same_is_closed_unused);
  ADD(test_using_cancelled_when_opened_but_not_used_yet);
  ADD(test_using_cancelled_in_use_awaits_it_and_closes);
  ADD(test_using_use_that_succeeds_all_the_same_is_delivered);
  ADD(test_using_close_is_shielded);
  ADD(test_using_dropped_in_use_closes);
  ADD(test_using_cancelled_or_dropped_by_use_itself);
  ADD(test_using_open_that_others_share_is_left_to_them);
  ADD(test_using_use_that_others_share_is_left_to_them);
  ADD(test_using_cancelled_by_use_that_follows_what_others_share);
  ADD(test_using_failure_of_no_loop_is_handed_on);
  ADD(test_using_closed_with_its_loop_closes_and_waits);
  ADD(test_using_callbacks_that_wait_for_the_result_are_cycles);
  ADD(test_using_bad_arguments_consume_all);
  ADD(test_using_out_of_memory_closes_what_was_opened);
  ADD(test_using_close_needs_no_memory);
}

/* SPDX-License-Identifier: MIT */
/* Tests of broadcast channels: who reads what, and what happens to those who
 * lag behind. */
#include "unit/sync/items.h"

#include <vow/broadcast.h>

static void sent(vow_broadcast_t *b, int number) {
  ck_assert_int_eq(vow_broadcast_try_send(b, copied(number)), 0);
}

/** What s reads now, or the error. */
static int next(vow_subscription_t *s) {
  vow_value_t v;
  int err = vow_subscription_try_next(s, &v);
  return err == 0 ? number_of(v) : err;
}

/* ---- reading --------------------------------------------------------------
 */

TEST(test_broadcast_every_reader_gets_every_value_in_order) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 3, VOW_LAG_SKIP);
  vow_subscription_t *s[3];
  for (int i = 0; i < 3; i++) s[i] = vow_broadcast_subscribe(b);
  for (int round = 0; round < 4; round++) {
    for (int k = 0; k < 3; k++) sent(b, k);
    ck_assert_uint_eq(vow_broadcast_length(b), 3);
    for (int i = 0; i < 3; i++) {
      for (int k = 0; k < 3; k++) ck_assert_int_eq(next(s[i]), k);
      ck_assert_int_eq(next(s[i]), UV_EAGAIN);
    }
    ck_assert_uint_eq(vow_broadcast_length(b), 0);
    ck_assert_int_eq(things_live, 0);
  }
  for (int i = 0; i < 3; i++) vow_subscription_free(s[i]);
  vow_broadcast_free(b);
  manual_done(loop);
}

TEST(test_broadcast_without_readers_values_go) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 1, VOW_LAG_WAIT);
  sent(b, 1);
  EXPECT_OK(vow_broadcast_send(b, copied(2)));
  ck_assert_int_eq(things_live, 0);
  ck_assert_uint_eq(vow_broadcast_readers(b), 0);
  vow_broadcast_free(b);
  manual_done(loop);
}

TEST(test_broadcast_late_subscriber_starts_at_the_tail) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 4, VOW_LAG_SKIP);
  vow_subscription_t *early = vow_broadcast_subscribe(b), *late;
  sent(b, 1);
  late = vow_broadcast_subscribe(b);
  ck_assert_uint_eq(vow_broadcast_readers(b), 2);
  sent(b, 2);
  ck_assert_int_eq(next(late), 2);
  ck_assert_int_eq(next(late), UV_EAGAIN);
  ck_assert_int_eq(next(early), 1);
  ck_assert_int_eq(next(early), 2);
  ck_assert_uint_eq(vow_subscription_missed(late), 0);
  vow_subscription_free(early);
  vow_subscription_free(late);
  vow_broadcast_free(b);
  manual_done(loop);
}

/* Rule 20 */
TEST(test_broadcast_rule20_nexts_that_wait_are_served_in_order) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 1, VOW_LAG_FAIL);
  vow_subscription_t *s = vow_broadcast_subscribe(b);
  vow_subscription_t *other = vow_broadcast_subscribe(b);
  vow_future_t *f[3], *g = vow_subscription_next(other);
  for (int i = 0; i < 3; i++) f[i] = vow_subscription_next(s);
  sent(b, 0);
  ck_assert_str_eq(states(f, 3), "S..");
  EXPECT_ITEM(g, 0);
  g = vow_subscription_next(other);
  sent(b, 1);
  EXPECT_ITEM(g, 1);
  for (int i = 2; i < 9; i++) { /* other lags, s does not */
    sent(b, i);
    if (i > 2) ck_assert_int_eq(next(s), i);
  }
  for (int i = 0; i < 3; i++) EXPECT_ITEM(f[i], i);
  vow_subscription_free(s);
  vow_subscription_free(other);
  vow_broadcast_free(b);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_broadcast_cancelled_next_takes_nothing) {
  for (int i = 0; i < 6; i++) {
    vow_loop_t *loop = manual_loop();
    vow_broadcast_t *b = vow_broadcast_new(loop, 4, VOW_LAG_SKIP);
    vow_subscription_t *s = vow_broadcast_subscribe(b);
    vow_future_t *f[3];
    int n = 0;
    for (int k = 0; k < 3; k++) f[k] = vow_subscription_next(s);
    if (i < 3) vow_cancel(f[i]);
    drop_at(f, (size_t)i % 3);
    for (int k = 0; k < 3; k++) sent(b, k);
    for (int k = 0; k < 3; k++)
      if (f[k] != NULL) EXPECT_ITEM(f[k], n++);
    ck_assert_int_eq(next(s), 2);
    vow_subscription_free(s);
    vow_broadcast_free(b);
    manual_done(loop);
  }
}

TEST(test_broadcast_all_nexts_cancelled_and_the_value_stays) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 4, VOW_LAG_SKIP);
  vow_subscription_t *s = vow_broadcast_subscribe(b);
  vow_drop(vow_subscription_next(s));
  sent(b, 1);
  ck_assert_uint_eq(vow_broadcast_length(b), 1);
  EXPECT_ITEM(vow_subscription_next(s), 1);
  vow_subscription_free(s);
  vow_broadcast_free(b);
  manual_done(loop);
}

/* ---- lag ------------------------------------------------------------------
 */

TEST(test_broadcast_lag_skip_drops_the_oldest_and_counts) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 2, VOW_LAG_SKIP);
  vow_subscription_t *slow = vow_broadcast_subscribe(b);
  vow_subscription_t *fast = vow_broadcast_subscribe(b);
  for (int i = 0; i < 5; i++) {
    sent(b, i);
    ck_assert_int_eq(next(fast), i);
  }
  ck_assert_int_eq(things_live, 2);
  ck_assert_uint_eq(vow_subscription_missed(slow), 3);
  ck_assert_uint_eq(vow_subscription_missed(slow), 0);
  sent(b, 5);
  ck_assert_int_eq(next(slow), 4);
  ck_assert_uint_eq(vow_subscription_missed(slow), 1);
  ck_assert_int_eq(next(slow), 5);
  ck_assert_uint_eq(vow_subscription_missed(fast), 0);
  ck_assert_int_eq(next(fast), 5);
  ck_assert_int_eq(things_live, 0);
  vow_subscription_free(slow);
  vow_subscription_free(fast);
  vow_broadcast_free(b);
  manual_done(loop);
}

TEST(test_broadcast_lag_wait_holds_the_sender) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 2, VOW_LAG_WAIT);
  vow_subscription_t *slow = vow_broadcast_subscribe(b);
  vow_subscription_t *fast = vow_broadcast_subscribe(b);
  vow_value_t v = copied(9);
  vow_future_t *f[2], *waiting;
  sent(b, 0);
  sent(b, 1);
  ck_assert_int_eq(vow_broadcast_try_send(b, v), UV_EAGAIN);
  ck_assert_int_eq(number_of(v), 9);
  f[0] = vow_broadcast_send(b, copied(2));
  f[1] = vow_broadcast_send(b, copied(3));
  ck_assert_int_eq(next(fast), 0);
  ck_assert_int_eq(next(fast), 1);
  waiting = vow_subscription_next(fast);
  ck_assert_str_eq(states(f, 2), "..");
  ck_assert_int_eq(next(slow), 0);
  ck_assert_str_eq(states(f, 2), "S.");
  EXPECT_ITEM(waiting, 2);
  for (int i = 1; i <= 3; i++) ck_assert_int_eq(next(slow), i);
  ck_assert_str_eq(states(f, 2), "SS");
  ck_assert_int_eq(next(fast), 3);
  drop_all(f, 2);
  vow_subscription_free(slow);
  vow_subscription_free(fast);
  vow_broadcast_free(b);
  manual_done(loop);
}

TEST(test_broadcast_slow_reader_that_goes_lets_senders_in) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 1, VOW_LAG_WAIT);
  vow_subscription_t *slow = vow_broadcast_subscribe(b);
  vow_subscription_t *fast = vow_broadcast_subscribe(b);
  vow_future_t *f[2];
  sent(b, 0);
  ck_assert_int_eq(next(fast), 0);
  f[0] = vow_broadcast_send(b, copied(1));
  f[1] = vow_broadcast_send(b, copied(2));
  vow_subscription_free(slow);
  ck_assert_str_eq(states(f, 2), "S.");
  ck_assert_int_eq(things_live, 2);
  vow_subscription_free(fast);
  ck_assert_str_eq(states(f, 2), "SS");
  ck_assert_int_eq(things_live, 0);
  drop_all(f, 2);
  vow_broadcast_free(b);
  manual_done(loop);
}

/* Rule 21, for sends */
TEST(test_broadcast_rule21_cancelled_send_gives_the_value_back) {
  for (int i = 0; i < 3; i++) {
    vow_loop_t *loop = manual_loop();
    vow_broadcast_t *b = vow_broadcast_new(loop, 1, VOW_LAG_WAIT);
    vow_subscription_t *s = vow_broadcast_subscribe(b);
    vow_future_t *f[3];
    sent(b, 9);
    for (int k = 0; k < 3; k++) f[k] = vow_broadcast_send(b, copied(k));
    vow_cancel(f[i]);
    EXPECT_RECLAIM(f[i], i);
    f[i] = NULL;
    ck_assert_int_eq(next(s), 9);
    for (int k = 0; k < 3; k++)
      if (k != i) ck_assert_int_eq(next(s), k);
    drop_all(f, 3);
    vow_subscription_free(s);
    vow_broadcast_free(b);
    manual_done(loop);
  }
}

TEST(test_broadcast_lag_fail_fails_the_slow_reader_only) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 2, VOW_LAG_FAIL);
  vow_subscription_t *slow = vow_broadcast_subscribe(b);
  vow_subscription_t *fast = vow_broadcast_subscribe(b);
  for (int i = 0; i < 3; i++) {
    sent(b, i);
    ck_assert_int_eq(next(fast), i);
  }
  EXPECT_SAYS(vow_subscription_next(slow), UV_ENOBUFS, "slower");
  ck_assert_int_eq(things_live, 0);
  ck_assert_uint_eq(vow_broadcast_readers(b), 1);
  sent(b, 3);
  ck_assert_int_eq(next(slow), UV_ENOBUFS);
  ck_assert_uint_eq(vow_subscription_missed(slow), 0);
  ck_assert_int_eq(next(fast), 3);
  vow_subscription_free(slow);
  vow_subscription_free(fast);
  vow_broadcast_free(b);
  manual_done(loop);
}

/* ---- sharing --------------------------------------------------------------
 */

TEST(test_broadcast_value_that_cannot_be_shared_is_refused) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 2, VOW_LAG_SKIP);
  vow_value_t v = item(1);
  vow_future_t *f;
  ck_assert_int_eq(vow_broadcast_try_send(b, v), VOW_EMOVED);
  f = vow_broadcast_send(b, v);
  ck_assert_int_eq(vow_status(f), VOW_EMOVED);
  ck_assert_ptr_nonnull(strstr(vow_error_message(vow_error(f)), "numbered"));
  EXPECT_RECLAIM(f, 1);
  vow_broadcast_free(b);
  manual_done(loop);
}

static bool ref_fails;

static void *picky_ref(void *p) {
  return ref_fails ? NULL : numbered_ref(p);
}

static const vow_type_t type_picky = {"picky", numbered_destroy, picky_ref,
                                      NULL};

TEST(test_broadcast_ref_that_fails_leaves_the_value) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 2, VOW_LAG_SKIP);
  vow_subscription_t *s = vow_broadcast_subscribe(b);
  vow_subscription_t *t = vow_broadcast_subscribe(b);
  vow_future_t *f[2];
  vow_value_t v;
  f[0] = vow_subscription_next(s);
  f[1] = vow_subscription_next(s);
  ref_fails = true;
  ck_assert_int_eq(vow_broadcast_try_send(b, numbered(1, &type_picky)), 0);
  EXPECT_FAILED(f[0], UV_ENOMEM);
  EXPECT_FAILED(f[1], UV_ENOMEM);
  ck_assert_int_eq(vow_subscription_try_next(s, &v), UV_ENOMEM);
  ref_fails = false;
  ck_assert_int_eq(vow_subscription_try_next(s, &v), 0);
  vow_value_destroy(v);
  ref_fails = true; /* the last one needs no ref */
  ck_assert_int_eq(vow_subscription_try_next(t, &v), 0);
  vow_value_destroy(v);
  ck_assert_int_eq(things_live, 0);
  vow_subscription_free(s);
  vow_subscription_free(t);
  vow_broadcast_free(b);
  manual_done(loop);
}

/* ---- the end --------------------------------------------------------------
 */

TEST(test_broadcast_close_lets_readers_drain) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 2, VOW_LAG_WAIT);
  vow_subscription_t *s = vow_broadcast_subscribe(b), *late;
  vow_subscription_t *ahead = vow_broadcast_subscribe(b);
  vow_future_t *f, *g;
  sent(b, 1);
  sent(b, 2);
  f = vow_broadcast_send(b, copied(3));
  ck_assert_int_eq(next(ahead), 1);
  ck_assert_int_eq(next(ahead), 2);
  g = vow_subscription_next(ahead);
  ck_assert_int_eq(vow_broadcast_close(b), 0);
  ck_assert_int_eq(vow_status(f), VOW_ESHUTDOWN);
  EXPECT_RECLAIM(f, 3);
  EXPECT_SAYS(g, VOW_ESHUTDOWN, "the channel was closed");
  ck_assert_int_eq(vow_broadcast_try_send(b, vow_nil()), VOW_ESHUTDOWN);
  EXPECT_FAILED(vow_broadcast_send(b, vow_nil()), VOW_ESHUTDOWN);
  late = vow_broadcast_subscribe(b);
  ck_assert_int_eq(next(late), VOW_ESHUTDOWN);
  vow_subscription_free(late);
  vow_subscription_free(ahead);
  vow_broadcast_free(b); /* closes again */
  ck_assert_int_eq(next(s), 1);
  EXPECT_ITEM(vow_subscription_next(s), 2);
  EXPECT_SAYS(vow_subscription_next(s), VOW_ESHUTDOWN, "was closed");
  vow_subscription_free(s);
  manual_done(loop);
}

TEST(test_broadcast_subscription_freed_with_nexts_fails_them) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 2, VOW_LAG_SKIP);
  vow_subscription_t *s = vow_broadcast_subscribe(b);
  vow_future_t *f[2];
  f[0] = vow_subscription_next(s);
  f[1] = vow_subscription_next(s);
  vow_subscription_free(s);
  EXPECT_SAYS(f[0], VOW_ESHUTDOWN, "the subscription was freed");
  EXPECT_FAILED(f[1], VOW_ESHUTDOWN);
  sent(b, 1);
  ck_assert_int_eq(things_live, 0);
  vow_subscription_free(NULL);
  vow_broadcast_free(NULL);
  vow_broadcast_free(b);
  manual_done(loop);
}

/* A value whose ref or destructor does something to the channel. */
static vow_broadcast_t *meddled;
static vow_subscription_t *meddled_sub, *meddled_other;
static vow_future_t *meddled_next;
static int meddle_kind;

static void meddle(void) {
  int kind = meddle_kind;
  vow_value_t v;
  meddle_kind = -1;
  switch (kind) {
  case 0: /* others come first: what was to be read goes */
    for (int i = 0; i < 3; i++) sent(meddled, 100 + i);
    break;
  case 1:
    vow_subscription_free(meddled_sub);
    meddled_sub = NULL;
    break;
  case 2:
    vow_drop(meddled_next);
    meddled_next = NULL;
    break;
  case 3: /* reads it before us */
    if (vow_subscription_try_next(meddled_sub, &v) == 0) vow_value_destroy(v);
    break;
  case 4: /* leaves the value to us alone */
    (void)next(meddled_other);
    break;
  case 5:
    vow_broadcast_free(meddled);
    meddled = NULL;
    break;
  default:
    break;
  }
}

static void *meddling_ref(void *p) {
  numbered_ref(p);
  meddle();
  return p;
}

static void meddling_destroy(void *p) {
  numbered_destroy(p);
  meddle();
}

static const vow_type_t type_ref = {"meddling ref", numbered_destroy,
                                    meddling_ref, NULL};
static const vow_type_t type_end = {"meddling end", meddling_destroy,
                                    numbered_ref, NULL};

static void run_meddle(int kind, const vow_type_t *type, bool waits,
                       vow_lag_t lag) {
  vow_loop_t *loop = manual_loop();
  vow_future_t *f;
  vow_value_t v;
  meddled = vow_broadcast_new(loop, 2, lag);
  meddled_sub = vow_broadcast_subscribe(meddled);
  meddled_other = vow_broadcast_subscribe(meddled);
  meddled_next = waits ? vow_subscription_next(meddled_sub) : NULL;
  meddle_kind = kind;
  ck_assert_int_eq(vow_broadcast_try_send(meddled, numbered(1, type)), 0);
  if (meddled_sub != NULL && vow_subscription_try_next(meddled_sub, &v) == 0)
    vow_value_destroy(v);
  f = meddled_next;
  meddled_next = NULL;
  (void)vow_status(f);
  vow_drop(f);
  while (vow_subscription_try_next(meddled_other, &v) == 0)
    vow_value_destroy(v);
  meddle_kind = -1;
  vow_subscription_free(meddled_sub);
  vow_subscription_free(meddled_other);
  vow_broadcast_free(meddled);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

TEST(test_broadcast_values_that_meddle_do_no_harm) {
  for (int kind = 0; kind < 6; kind++)
    for (int i = 0; i < 8; i++) {
      const vow_type_t *type = i & 1 ? &type_ref : &type_end;
      vow_lag_t lag = i & 4 ? VOW_LAG_SKIP : VOW_LAG_FAIL;
      run_meddle(kind, type, i & 2, lag);
    }
}

TEST(test_broadcast_loop_close_cancels_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 1, VOW_LAG_WAIT);
  vow_subscription_t *s = vow_broadcast_subscribe(b);
  vow_subscription_t *t = vow_broadcast_subscribe(b);
  vow_future_t *f[2];
  sent(b, 1);
  f[0] = vow_broadcast_send(b, copied(2));
  ck_assert_int_eq(next(t), 1);
  f[1] = vow_subscription_next(t);
  manual_close(loop);
  ck_assert_str_eq(states(f, 2), "CC");
  EXPECT_RECLAIM(f[0], 2);
  vow_drop(f[1]);
  EXPECT_FAILED(vow_subscription_next(s), VOW_ESHUTDOWN);
  ck_assert_int_eq(next(s), 1);
  vow_subscription_free(s);
  vow_subscription_free(t);
  vow_broadcast_free(b);
  ck_assert_int_eq(things_live, 0);
}

TEST(test_broadcast_bad_arguments_are_refused_by_name) {
  vow_loop_t *loop = manual_loop();
  vow_value_t v;
  ck_assert_ptr_null(vow_broadcast_new(NULL, 1, VOW_LAG_SKIP));
  ck_assert_ptr_null(vow_broadcast_new(loop, 0, VOW_LAG_SKIP));
  ck_assert_str_eq(vow_last_message(), "vow_broadcast_new: the capacity is 0");
  ck_assert_ptr_null(vow_broadcast_new(loop, SIZE_MAX, VOW_LAG_SKIP));
  ck_assert_ptr_null(vow_broadcast_new(loop, 1, (vow_lag_t)9));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "lag policy 9"));
  ck_assert_ptr_null(vow_broadcast_subscribe(NULL));
  EXPECT_MISUSE(vow_broadcast_send(NULL, copied(1)),
                "vow_broadcast_send: the channel is NULL");
  EXPECT_MISUSE(vow_subscription_next(NULL),
                "vow_subscription_next: the subscription is NULL");
  ck_assert_int_eq(vow_broadcast_try_send(NULL, vow_nil()), UV_EINVAL);
  ck_assert_int_eq(vow_subscription_try_next(NULL, &v), UV_EINVAL);
  ck_assert_int_eq(vow_broadcast_close(NULL), UV_EINVAL);
  ck_assert_uint_eq(vow_broadcast_length(NULL) + vow_broadcast_readers(NULL) +
                        vow_subscription_missed(NULL),
                    0);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

static void starved_broadcast(vow_loop_t *loop) {
  vow_broadcast_t *b = vow_broadcast_new(loop, 1, VOW_LAG_WAIT);
  vow_subscription_t *s = NULL, *t = NULL;
  vow_future_t *f[5] = {NULL};
  if (b == NULL) return;
  s = vow_broadcast_subscribe(b);
  t = vow_broadcast_subscribe(b);
  if (s != NULL) f[0] = vow_subscription_next(s);
  f[1] = vow_broadcast_send(b, shared_thing());
  f[2] = vow_broadcast_send(b, shared_thing());
  if (t != NULL) f[3] = vow_subscription_next(t);
  f[4] = vow_broadcast_send(b, thing());
  for (int i = 0; i < 5; i++) (void)vow_status(f[i]);
  vow_broadcast_free(b);
  vow_subscription_free(s);
  vow_subscription_free(t);
  for (int i = 0; i < 5; i++) {
    ck_assert(f[i] == NULL || vow_is_settled(f[i]));
    (void)vow_status(f[i]);
  }
  drop_all(f, 5);
}

TEST(test_broadcast_out_of_memory_loses_nothing) {
  starve(starved_broadcast, 0);
}

SUITE(sync_broadcast) {
  ADD(test_broadcast_every_reader_gets_every_value_in_order);
  ADD(test_broadcast_without_readers_values_go);
  ADD(test_broadcast_late_subscriber_starts_at_the_tail);
  ADD(test_broadcast_rule20_nexts_that_wait_are_served_in_order);
  ADD(test_broadcast_cancelled_next_takes_nothing);
  ADD(test_broadcast_all_nexts_cancelled_and_the_value_stays);
  ADD(test_broadcast_lag_skip_drops_the_oldest_and_counts);
  ADD(test_broadcast_lag_wait_holds_the_sender);
  ADD(test_broadcast_slow_reader_that_goes_lets_senders_in);
  ADD(test_broadcast_rule21_cancelled_send_gives_the_value_back);
  ADD(test_broadcast_lag_fail_fails_the_slow_reader_only);
  ADD(test_broadcast_value_that_cannot_be_shared_is_refused);
  ADD(test_broadcast_ref_that_fails_leaves_the_value);
  ADD(test_broadcast_close_lets_readers_drain);
  ADD(test_broadcast_subscription_freed_with_nexts_fails_them);
  ADD(test_broadcast_values_that_meddle_do_no_harm);
  ADD(test_broadcast_loop_close_cancels_those_who_wait);
  ADD(test_broadcast_bad_arguments_are_refused_by_name);
  ADD(test_broadcast_out_of_memory_loses_nothing);
}

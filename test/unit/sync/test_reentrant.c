/* SPDX-License-Identifier: MIT */
/* Destructors of values that call back into the object that ends them, or free
 * it: those of a put that lost in a select which nobody refers to, and of what
 * a channel has no reader for any more. */
#include "unit/sync/items.h"

#include <vow/select.h>

/* ---- a value whose destructor calls a function ------------------------------
 */

typedef struct call {
  void (*fn)(void *arg);
  void *arg;
} call_t;

static void call_destroy(void *p) {
  call_t call = *(call_t *)p;
  free(p);
  things_live--;
  call.fn(call.arg);
}

static const vow_type_t type_call = {"call", call_destroy, NULL, NULL};

static vow_value_t call_of(void (*fn)(void *arg), void *arg) {
  call_t *call = malloc(sizeof *call);
  ck_assert_ptr_nonnull(call);
  call->fn = fn;
  call->arg = arg;
  things_live++;
  return vow_ptr(call, &type_call);
}

/* ---- latest ----------------------------------------------------------------
 */

static void free_latest(void *arg) {
  vow_latest_free(arg);
}

TEST(test_reentrant_latest_freed_by_one_who_is_told_tells_the_others) {
  vow_loop_t *loop = manual_loop();
  vow_latest_t *l = vow_latest_new(loop, item(1));
  vow_queue_t *full = vow_queue_new(loop, VOW_FIFO, 0);
  vow_detach(vow_select_of(loop, vow_case_changed(l, 0),
                           vow_case_put(full, call_of(free_latest, l))));
  vow_future_t *f = vow_latest_changed(l, 0);
  ck_assert_int_eq(vow_latest_set(l, item(2)), 0);
  ck_assert_int_eq(things_live, 0);
  EXPECT_INT(f, 1);
  vow_queue_free(full);
  manual_done(loop);
}

/* ---- channels --------------------------------------------------------------
 */

static int send_status;

static void send_99(void *arg) {
  vow_value_t v = copied(99);
  send_status = vow_broadcast_try_send(arg, v);
  if (send_status != 0) vow_value_destroy(v);
}

/** What s reads now, or the error. */
static int next(vow_subscription_t *s) {
  vow_value_t v;
  int err = vow_subscription_try_next(s, &v);
  return err == 0 ? number_of(v) : err;
}

TEST(test_reentrant_channel_that_waits_keeps_room_for_the_admitted) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = vow_broadcast_new(loop, 1, VOW_LAG_WAIT);
  vow_subscription_t *s = vow_broadcast_subscribe(b);
  vow_queue_t *full = vow_queue_new(loop, VOW_FIFO, 0);
  ck_assert_int_eq(vow_broadcast_try_send(b, copied(1)), 0);
  vow_detach(vow_select_of(loop, vow_case_send(b, copied(2)),
                           vow_case_put(full, call_of(send_99, b))));
  ck_assert_int_eq(next(s), 1);
  ck_assert_int_eq(send_status, UV_EAGAIN);
  ck_assert_int_eq(next(s), 2); /* Rule 20 */
  ck_assert_int_eq(next(s), UV_EAGAIN);
  vow_subscription_free(s);
  vow_broadcast_free(b);
  vow_queue_free(full);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

static vow_broadcast_t *channel;

static void sender_destroy(void *p) {
  numbered_t *n = p;
  if (--n->refs > 0) return;
  free(n);
  things_live--;
  send_99(channel);
}

static const vow_type_t type_sender = {"sender", sender_destroy, numbered_ref,
                                       NULL};

TEST(test_reentrant_channel_nobody_overtakes_from_a_destructor) {
  vow_loop_t *loop = manual_loop();
  vow_broadcast_t *b = channel = vow_broadcast_new(loop, 1, VOW_LAG_WAIT);
  vow_subscription_t *s = vow_broadcast_subscribe(b);
  vow_subscription_t *last = vow_broadcast_subscribe(b);
  ck_assert_int_eq(vow_broadcast_try_send(b, numbered(1, &type_sender)), 0);
  vow_future_t *f = vow_broadcast_send(b, copied(2));
  vow_value_t v;
  ck_assert_int_eq(vow_subscription_try_next(s, &v), 0);
  vow_value_destroy(v);
  vow_subscription_free(last); /* nobody reads value 1 any more */
  ck_assert_int_eq(send_status, UV_EAGAIN);
  EXPECT_OK(f);
  ck_assert_int_eq(next(s), 2);
  ck_assert_int_eq(next(s), UV_EAGAIN);
  vow_subscription_free(s);
  vow_broadcast_free(b);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

/* ---- queues ----------------------------------------------------------------
 */

static void free_queue(void *arg) {
  vow_queue_free(arg);
}

static void put_7(void *arg) {
  send_status = vow_queue_try_put(arg, vow_int(7));
}

TEST(test_reentrant_queue_freed_by_what_a_shutdown_destroys) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 4);
  for (int i = 0; i < 3; i++) {
    vow_value_t v = i == 1 ? call_of(free_queue, q) : item(i);
    ck_assert_int_eq(vow_queue_try_put(q, v), 0);
  }
  vow_future_t *f = vow_queue_join(q);
  ck_assert_int_eq(vow_queue_shutdown_now(q), 0);
  ck_assert_int_eq(things_live, 0);
  ck_assert(vow_is_settled(f));
  (void)vow_status(f);
  vow_drop(f);
  manual_done(loop);
}

TEST(test_reentrant_queue_put_from_what_a_shutdown_destroys_is_refused) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_PRIORITY, VOW_UNBOUNDED);
  for (int i = 0; i < 20; i++) {
    vow_value_t v = call_of(put_7, q);
    ck_assert_int_eq(vow_queue_try_put(q, v), 0);
  }
  ck_assert_int_eq(vow_queue_shutdown_now(q), 0);
  ck_assert_int_eq(send_status, VOW_ESHUTDOWN);
  ck_assert_uint_eq(vow_queue_unfinished(q), 0);
  ck_assert_int_eq(things_live, 0);
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_reentrant_queue_freed_by_an_item_that_nobody_takes) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 4);
  vow_detach(vow_queue_get(q));
  vow_future_t *f = vow_queue_get(q), *g;
  g = vow_queue_put(q, call_of(free_queue, q));
  EXPECT_OK(g);
  EXPECT_SAYS(f, VOW_ESHUTDOWN, "shut down");
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

SUITE(sync_reentrant) {
  ADD(test_reentrant_latest_freed_by_one_who_is_told_tells_the_others);
  ADD(test_reentrant_channel_that_waits_keeps_room_for_the_admitted);
  ADD(test_reentrant_channel_nobody_overtakes_from_a_destructor);
  ADD(test_reentrant_queue_freed_by_what_a_shutdown_destroys);
  ADD(test_reentrant_queue_put_from_what_a_shutdown_destroys_is_refused);
  ADD(test_reentrant_queue_freed_by_an_item_that_nobody_takes);
}

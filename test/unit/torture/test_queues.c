/* SPDX-License-Identifier: MIT */
/* Queues, channels, latest values and select: each item is got, given back or
 * destroyed, once. */
#include "unit/torture/torture.h"

#define GO(g, body) \
  VOW_TRY_CODE(vow_group_go((g), (body), thing_arg(), thing_drop))

#define ITEMS 4

static struct {
  vow_loop_t *loop;
  vow_queue_t *queue, *other;
  vow_broadcast_t *channel;
  vow_subscription_t *reader;
  vow_latest_t *latest;
  int got;
} at;

/* ---- queues ---------------------------------------------------------------- */

static vow_value_t end_queue(void *q) {
  ck_assert_uint_eq(vow_queue_gets_waiting(q), 0);
  ck_assert_uint_eq(vow_queue_puts_waiting(q), 0);
  vow_queue_free(q);
  return vow_nil();
}

static vow_value_t put_items(void *arg) {
  int i;
  (void)arg;
  for (i = 0; i < ITEMS; i++) VOW_TRY_CODE(vow_await_put(at.queue, thing()));
  return vow_nil();
}

/* What could not be put is there to be put elsewhere. */
static vow_value_t put_or_reclaim(void *arg) {
  vow_future_t *f = vow_queue_put(at.queue, thing());
  vow_value_t item;
  (void)arg;
  (void)vow_await_status(vow_timeout(vow_ref(f), 1));
  vow_cancel(f);
  if (vow_reclaim(f, &item) == 0) {
    ck_assert_ptr_eq(item.type, &torture_thing);
    vow_value_destroy(item);
    at.got++;
  }
  vow_drop(f);
  return vow_nil();
}

static vow_value_t get_items(void *arg) {
  int i;
  (void)arg;
  for (i = 0; i < ITEMS; i++) {
    vow_value_t v = i % 2 == 0 ? vow_await_get(at.queue)
                               : vow_await(vow_queue_get(at.queue));
    if (vow_value_is_failure(v)) return v;
    vow_value_destroy(v);
    at.got++;
    vow_queue_task_done(at.queue);
    VOW_TRY_NIL(vow_sleep(at.loop, 1));
  }
  return vow_nil();
}

static void drain(vow_queue_t *q) {
  vow_value_t v;
  while (vow_queue_try_get(q, &v) == 0) {
    vow_value_destroy(v);
    at.got++;
    vow_queue_task_done(q);
  }
}

SCENE(test_torture_bounded_queue_passes_all) {
  vow_group_t *g;
  at.loop = loop;
  at.got = 0;
  NEED(at.queue = vow_queue_new(loop, VOW_FIFO, 2));
  LATER(end_queue, at.queue);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  GO(g, put_items);
  GO(g, get_items);
  GO(g, put_or_reclaim);
  VOW_TRY_NIL(vow_group_join(g));
  drain(at.queue);
  VOW_TRY_NIL(vow_queue_join(at.queue));
  CALMLY(at.got == ITEMS + 1);
  return vow_nil();
}

SCENE(test_torture_unbounded_priority_queue_keeps_all) {
  vow_future_t *f;
  int i;
  at.got = 0;
  NEED(at.queue = vow_queue_new(loop, VOW_PRIORITY, VOW_UNBOUNDED));
  LATER(end_queue, at.queue);
  for (i = 0; i < 9; i++) {
    vow_value_t v = thing();
    if (vow_queue_try_put_priority(at.queue, v, -i) != 0) vow_value_destroy(v);
    vow_drop(vow_queue_put_priority(at.queue, thing(), i));
  }
  for (i = 0; i < 3; i++) VOW_TRY_NIL(vow_queue_get(at.queue));
  f = vow_queue_join(at.queue);
  vow_queue_shutdown(at.queue);
  CALMLY(vow_queue_length(at.queue) == 15);
  vow_cancel(f);
  CALMLY(vow_await_status(f) == UV_ECANCELED);
  vow_queue_shutdown_now(at.queue);
  CALMLY(vow_await_status(vow_queue_get(at.queue)) == VOW_ESHUTDOWN);
  return vow_nil();
}

/* ---- channels and latest values --------------------------------------------- */

ENDER(end_channel, vow_broadcast_t, vow_broadcast_free)
ENDER(end_reader, vow_subscription_t, vow_subscription_free)
ENDER(end_latest, vow_latest_t, vow_latest_free)

static vow_value_t send_items(void *arg) {
  int i;
  (void)arg;
  for (i = 0; i < ITEMS; i++)
    VOW_TRY_NIL(vow_broadcast_send(at.channel, shared_thing()));
  return vow_nil();
}

static vow_value_t read_items(void *arg) {
  vow_subscription_t *s = vow_broadcast_subscribe(at.channel);
  int i;
  (void)arg;
  NEED(s);
  LATER(end_reader, s);
  for (i = 0; i < ITEMS; i++) VOW_TRY_NIL(vow_subscription_next(s));
  at.got++;
  return vow_nil();
}

SCENE(test_torture_channel_comes_to_all) {
  vow_group_t *g;
  vow_value_t v = shared_thing();
  at.loop = loop;
  at.got = 0;
  at.channel = vow_broadcast_new(loop, 2, VOW_LAG_WAIT);
  if (vow_broadcast_try_send(at.channel, v) != 0) vow_value_destroy(v);
  NEED(at.channel);
  LATER(end_channel, at.channel);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  GO(g, read_items);
  GO(g, read_items);
  GO(g, send_items);
  VOW_TRY_NIL(vow_group_join(g));
  CALMLY(at.got == 2);
  return vow_nil();
}

static vow_value_t set_often(void *arg) {
  int i;
  (void)arg;
  for (i = 0; i < 3; i++) {
    vow_latest_set(at.latest, thing());
    VOW_TRY_NIL(vow_sleep(at.loop, 1));
  }
  vow_latest_close(at.latest);
  return vow_nil();
}

static vow_value_t see_changes(void *arg) {
  uint64_t seen = 0;
  (void)arg;
  for (;;) {
    int err = vow_await_status(vow_latest_changed(at.latest, seen));
    if (err == VOW_ESHUTDOWN) return vow_nil();
    VOW_TRY_CODE(err);
    (void)vow_latest_get(at.latest, &seen);
  }
}

SCENE(test_torture_latest_value_is_seen) {
  vow_group_t *g;
  at.loop = loop;
  NEED(at.latest = vow_latest_new(loop, thing()));
  LATER(end_latest, at.latest);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  GO(g, see_changes);
  GO(g, see_changes);
  GO(g, set_often);
  VOW_TRY_NIL(vow_group_join(g));
  return vow_nil();
}

/* ---- select ----------------------------------------------------------------- */

/* One of everything; none is ready before something happens. */
static vow_future_t *select_all(void) {
  return vow_select_of(
      at.loop, vow_case_get(at.queue), vow_case_put(at.other, thing()),
      vow_case_put_priority(at.other, thing(), 1), vow_case_next(at.reader),
      vow_case_send(at.channel, shared_thing()), vow_case_changed(at.latest, 0),
      vow_case_future(thing_in(at.loop, 30)),
      vow_case_future(vow_finally(vow_never(at.loop), pause_a_moment,
                                  thing_arg(), thing_drop)));
}

static vow_value_t wait_select(size_t wanted) {
  size_t which;
  vow_value_t v = vow_await(select_all()), item;
  while (vow_selected_reclaim(v, &item) == 0) {
    at.got++;
    vow_value_destroy(item);
  }
  v = vow_selected(v, &which);
  CALMLY(which == wanted);
  if (vow_value_is_failure(v)) return v;
  vow_value_destroy(v);
  return vow_nil();
}

static vow_value_t select_twice(void *arg) {
  vow_value_t v = wait_select(0);
  (void)arg;
  return vow_value_is_failure(v) ? v : wait_select(5);
}

static vow_value_t make_objects(vow_loop_t *loop) {
  vow_value_t v;
  at.loop = loop;
  NEED(at.queue = vow_queue_new(loop, VOW_FIFO, 1));
  LATER(end_queue, at.queue);
  at.other = vow_queue_new(loop, VOW_LIFO, 1);
  v = thing();
  if (vow_queue_try_put(at.other, v) != 0) vow_value_destroy(v);
  NEED(at.other);
  LATER(end_queue, at.other);
  NEED(at.channel = vow_broadcast_new(loop, 1, VOW_LAG_WAIT));
  LATER(end_channel, at.channel);
  NEED(at.reader = vow_broadcast_subscribe(at.channel));
  LATER(end_reader, at.reader);
  NEED(at.latest = vow_latest_new(loop, vow_nil()));
  LATER(end_latest, at.latest);
  return vow_nil();
}

SCENE(test_torture_select_takes_one) {
  vow_subscription_t *slow;
  vow_group_t *g;
  vow_value_t v = make_objects(loop), unread = shared_thing();
  at.got = 0;
  if (vow_value_is_failure(v)) {
    vow_value_destroy(unread);
    return v;
  }
  slow = vow_broadcast_subscribe(at.channel);
  if (vow_broadcast_try_send(at.channel, unread) != 0)
    vow_value_destroy(unread);
  NEED(slow);
  LATER(end_reader, slow);
  if (vow_subscription_try_next(at.reader, &v) == 0) vow_value_destroy(v);
  NEED(g = vow_group_open(VOW_GROUP_ALL));
  GO(g, select_twice);
  VOW_TRY_NIL(vow_sleep(loop, 1));
  VOW_TRY_NIL(vow_queue_put(at.queue, thing()));
  VOW_TRY_NIL(vow_sleep(loop, 1));
  vow_latest_set(at.latest, thing());
  VOW_TRY_NIL(vow_group_join(g));
  CALMLY(at.got == 6);
  return vow_nil();
}

SUITE(torture_queues) {
  ADD(test_torture_bounded_queue_passes_all);
  ADD(test_torture_unbounded_priority_queue_keeps_all);
  ADD(test_torture_channel_comes_to_all);
  ADD(test_torture_latest_value_is_seen);
  ADD(test_torture_select_takes_one);
}

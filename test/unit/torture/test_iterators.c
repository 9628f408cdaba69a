/* SPDX-License-Identifier: MIT */
/* Iterators: each is closed however its walk ends, and every item is given or
 * destroyed. */
#include "unit/torture/torture.h"

/* ---- sources -------------------------------------------------------------- */

#define ITEMS 6

static int opened, closed; /* sources with a close of their own */

static vow_value_t next_thing(vow_loop_t *loop, uint64_t i, void *arg) {
  (void)arg;
  if (i >= ITEMS) return vow_fail(UV_EOF);
  return i % 2 == 0 ? thing() : vow_follow(thing_in(loop, 1));
}

static vow_value_t close_things(vow_loop_t *loop, void *arg) {
  (void)arg;
  closed++;
  return vow_follow(vow_sleep(loop, 1));
}

/* When it could not be made, it is not closed either. */
static vow_iter_t *things(vow_loop_t *loop) {
  vow_iter_t *it =
      vow_iter_from(loop, next_thing, close_things, thing_arg(), thing_drop);
  if (vow_iter_failure(it) == NULL) opened++;
  return it;
}

static vow_value_t expect_closed(void *arg) {
  (void)arg;
  vow_await_status(vow_sleep(vow_task_loop(), 50));
  if (vow_check_alloc_failures() == 0) ck_assert_int_eq(opened, closed);
  return vow_nil();
}

#define COUNTED        \
  opened = closed = 0; \
  LATER(expect_closed, NULL)

/* ---- what is put on top --------------------------------------------------- */

static vow_value_t is_kept(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_int(vow_get(in, &torture_thing) != NULL);
}

static vow_value_t swap_slowly(vow_future_t *in, void *arg) {
  vow_value_destroy(vow_outcome(in));
  (void)arg;
  return vow_follow(thing_in(vow_loop_of(in), 1));
}

SCENE(test_torture_adaptors_give_all) {
  vow_iter_t *it;
  COUNTED;
  it = vow_iter_map(things(loop), swap_slowly, thing_arg(), thing_drop);
  it = vow_iter_filter(it, is_kept, thing_arg(), thing_drop);
  it = vow_iter_skip(it, 1);
  it = vow_iter_timeout(it, 20);
  it = vow_iter_take(it, 4);
  it = vow_iter_chunk(it, 2);
  OWN(list, vow_iter_collect(it, SIZE_MAX));
  CALMLY(vow_list_length(vow_value_list(list)) == 2);
  return vow_nil();
}

SCENE(test_torture_buffers_give_all) {
  vow_iter_t *it;
  COUNTED;
  it = vow_iter_buffered(things(loop), 2, swap_slowly, thing_arg(), thing_drop);
  it = vow_iter_buffered_unordered(it, 3, swap_slowly, thing_arg(), thing_drop);
  it = vow_iter_take_while(it, is_kept, thing_arg(), thing_drop);
  OWN(list, vow_iter_collect(it, ITEMS));
  CALMLY(vow_list_length(vow_value_list(list)) == ITEMS);
  return vow_nil();
}

static vow_value_t stop_at_third(vow_future_t *in, void *arg) {
  int *n = arg;
  (void)vow_status(in);
  return ++*n == 3 ? vow_iter_stop() : vow_nil();
}

SCENE(test_torture_chain_and_merge_are_closed) {
  static int n;
  vow_iter_t *it;
  COUNTED;
  n = 0;
  it = vow_iter_chain_of(loop, things(loop), things(loop));
  it = vow_iter_merge_of(loop, it, things(loop));
  VOW_TRY_NIL(vow_iter_each(it, stop_at_third, &n));
  CALMLY(n == 3);
  it = vow_iter_chain_of(loop, things(loop), vow_iter_range(loop, 3, 0, -1));
  OWN(list, vow_iter_collect(it, SIZE_MAX));
  CALMLY(vow_list_length(vow_value_list(list)) == ITEMS + 3);
  return vow_nil();
}

/* ---- other sources -------------------------------------------------------- */

static vow_list_t *list_of_things(void) {
  vow_list_t *list = vow_list_new(2);
  vow_list_set(list, 0, thing());
  vow_list_set(list, 1, thing());
  return list;
}

SCENE(test_torture_lists_and_completed_are_walked) {
  vow_list_t *list = list_of_things();
  vow_completed_t *completed;
  vow_value_t failure;
  int n = 0;
  NEED(list);
  VOW_FOR(step, vow_iter_of_list(loop, list), &failure) {
    n++;
    vow_value_destroy(vow_step_take(&step));
  }
  if (vow_value_is_failure(failure)) return failure;
  completed = vow_as_completed_of(loop, thing_in(loop, 2), thing_in(loop, 1),
                                  vow_never(loop));
  VOW_FOR(step, vow_completed_iter(completed), &failure) {
    if (++n == 4) break;
  }
  CALMLY(n == 4);
  return failure;
}

static vow_value_t free_iter(void *it) {
  int err = vow_await_status(vow_iter_close(it));
  vow_iter_free(it);
  (void)err;
  return vow_nil();
}

SCENE(test_torture_next_by_hand_takes_nothing_away) {
  vow_iter_t *it;
  vow_future_t *f;
  int n;
  COUNTED;
  it = things(loop);
  LATER(free_iter, it);
  for (n = 0; n < 3; n++) VOW_TRY_NIL(vow_iter_next(it));
  f = vow_iter_next(it);
  vow_cancel(f);
  vow_drop(f);
  for (n = 3; n < ITEMS; n++) VOW_TRY_NIL(vow_iter_next(it));
  f = vow_iter_next(it);
  (void)vow_await_status(vow_ref(f));
  CALMLY(vow_iter_is_end(f));
  vow_drop(f);
  return vow_nil();
}

/* ---- tasks ---------------------------------------------------------------- */

static vow_value_t release_thing(void *p) {
  thing_drop(p);
  return vow_nil();
}

static vow_value_t emit_things(void *arg) {
  int i;
  (void)arg;
  LATER(release_thing, thing_arg());
  for (i = 0; i < 4; i++) {
    if (vow_emit(thing()) != 0) break;
    VOW_TRY_NIL(vow_sleep(vow_task_loop(), 1));
  }
  return vow_nil();
}

SCENE(test_torture_generator_is_closed) {
  vow_value_t failure;
  int n = 0;
  VOW_FOR(step, vow_generator(loop, emit_things, thing_arg(), thing_drop),
          &failure) {
    if (++n == 3) break;
  }
  if (vow_value_is_failure(failure)) return failure;
  VOW_FOR(step, vow_generator(loop, emit_things, thing_arg(), thing_drop),
          &failure) {
    n++;
  }
  CALMLY(n == 7);
  return failure;
}

/* ---- locks' ---------------------------------------------------------------- */

ENDER(end_queue, vow_queue_t, vow_queue_free)
ENDER(end_broadcast, vow_broadcast_t, vow_broadcast_free)

SCENE(test_torture_queues_and_channels_are_walked) {
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 4);
  vow_broadcast_t *b;
  vow_subscription_t *s;
  vow_value_t failure, v;
  int i, n = 0;
  NEED(q);
  LATER(end_queue, q);
  for (i = 0; i < 3; i++) {
    v = thing();
    if (vow_queue_try_put(q, v) != 0) vow_value_destroy(v);
  }
  vow_queue_shutdown(q);
  VOW_FOR(step, vow_queue_iter(q), &failure) n++;
  if (vow_value_is_failure(failure)) return failure;
  NEED(b = vow_broadcast_new(loop, 4, VOW_LAG_WAIT));
  LATER(end_broadcast, b);
  NEED(s = vow_broadcast_subscribe(b));
  for (i = 0; i < 3; i++) {
    v = shared_thing();
    if (vow_broadcast_try_send(b, v) != 0) vow_value_destroy(v);
  }
  vow_broadcast_close(b);
  VOW_FOR(step, vow_subscription_iter(s), &failure) n++;
  CALMLY(n == 6);
  return failure;
}

SUITE(torture_iterators) {
  ADD(test_torture_adaptors_give_all);
  ADD(test_torture_buffers_give_all);
  ADD(test_torture_chain_and_merge_are_closed);
  ADD(test_torture_lists_and_completed_are_walked);
  ADD(test_torture_next_by_hand_takes_nothing_away);
  ADD(test_torture_generator_is_closed);
  ADD(test_torture_queues_and_channels_are_walked);
}

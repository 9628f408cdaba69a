/* SPDX-License-Identifier: MIT */
/* Tests of how queues end: task_done and join, shutting down, freeing, closing
 * the loop, want of memory. Rule 21. */
#include "unit/sync/items.h"

/* ---- join -----------------------------------------------------------------
 */

/* Rule 21 */
TEST(test_queue_rule21_join_waits_until_all_is_done) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 4);
  vow_future_t *f[2], *get;
  EXPECT_OK(vow_queue_join(q)); /* nothing to do */
  put(q, 1);
  put(q, 2);
  f[0] = vow_queue_join(q);
  f[1] = vow_queue_join(q);
  ck_assert_int_eq(got(q), 1);
  ck_assert_int_eq(got(q), 2);
  ck_assert_int_eq(vow_queue_task_done(q), 0);
  ck_assert_str_eq(states(f, 2), "..");
  get = vow_queue_get(q);
  put(q, 3); /* handed over: unfinished as well */
  EXPECT_ITEM(get, 3);
  ck_assert_int_eq(vow_queue_task_done(q), 0);
  ck_assert_str_eq(states(f, 2), "..");
  ck_assert_int_eq(vow_queue_task_done(q), 0);
  ck_assert_str_eq(states(f, 2), "SS");
  drop_all(f, 2);
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_join_counts_puts_that_were_admitted_only) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 0);
  vow_future_t *put1 = vow_queue_put(q, item(1));
  EXPECT_OK(vow_queue_join(q));
  ck_assert_int_eq(got(q), 1);
  ck_assert_uint_eq(vow_queue_unfinished(q), 1);
  ck_assert_int_eq(vow_queue_task_done(q), 0);
  EXPECT_OK(put1);
  vow_queue_free(q);
  manual_done(loop);
}

/* Rule 21: more task_done than items is an error */
TEST(test_queue_rule21_task_done_too_often_is_an_error) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 4);
  ck_assert_int_eq(vow_queue_task_done(q), UV_EINVAL);
  put(q, 1); /* nobody has got it */
  ck_assert_int_eq(vow_queue_task_done(q), UV_EINVAL);
  ck_assert_str_eq(vow_last_message(),
                   "vow_queue_task_done: every item that was got is done "
                   "already");
  ck_assert_int_eq(got(q), 1);
  ck_assert_int_eq(vow_queue_task_done(q), 0);
  ck_assert_int_eq(vow_queue_task_done(q), UV_EINVAL);
  ck_assert_int_eq(vow_queue_task_done(NULL), UV_EINVAL);
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_join_cancelled_and_dropped_leaves_the_others) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 4);
  vow_future_t *f[3];
  put(q, 1);
  for (int i = 0; i < 3; i++) f[i] = vow_queue_join(q);
  vow_cancel(f[0]);
  drop_at(f, 1);
  ck_assert_int_eq(got(q), 1);
  ck_assert_int_eq(vow_queue_task_done(q), 0);
  ck_assert_str_eq(states(f, 3), "C S");
  drop_all(f, 3);
  vow_queue_free(q);
  manual_done(loop);
}

/* ---- shutting down --------------------------------------------------------
 */

/* Rule 21: graceful */
TEST(test_queue_rule21_shutdown_lets_gets_drain) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 2);
  vow_value_t v = item(4);
  vow_future_t *waiting, *join;
  put(q, 1);
  put(q, 2);
  waiting = vow_queue_put(q, item(3));
  join = vow_queue_join(q);
  ck_assert(!vow_queue_is_shut_down(q));
  ck_assert_int_eq(vow_queue_shutdown(q), 0);
  ck_assert(vow_queue_is_shut_down(q));
  ck_assert_int_eq(vow_status(waiting), VOW_ESHUTDOWN);
  EXPECT_RECLAIM(waiting, 3);
  ck_assert_int_eq(vow_queue_try_put(q, v), VOW_ESHUTDOWN);
  waiting = vow_queue_put(q, v);
  ck_assert_int_eq(vow_status(waiting), VOW_ESHUTDOWN);
  EXPECT_RECLAIM(waiting, 4);
  ck_assert_int_eq(got(q), 1);
  EXPECT_ITEM(vow_queue_get(q), 2);
  ck_assert_int_eq(try_get_error(q), VOW_ESHUTDOWN);
  EXPECT_SAYS(vow_queue_get(q), VOW_ESHUTDOWN, "the queue was shut down");
  ck_assert_int_eq(vow_queue_task_done(q), 0);
  ck_assert_int_eq(vow_queue_task_done(q), 0);
  EXPECT_OK(join);
  ck_assert_int_eq(vow_queue_shutdown(q), 0); /* again: nothing */
  vow_queue_free(q);
  manual_done(loop);
}

/* Rule 21 */
TEST(test_queue_rule21_shutdown_fails_gets_that_wait) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_PRIORITY, 2);
  vow_future_t *f[2];
  f[0] = vow_queue_get(q);
  f[1] = vow_queue_get(q);
  ck_assert_int_eq(vow_queue_shutdown(q), 0);
  EXPECT_SAYS(f[0], VOW_ESHUTDOWN, "the queue was shut down");
  EXPECT_FAILED(f[1], VOW_ESHUTDOWN);
  vow_queue_free(q);
  manual_done(loop);
}

/* Rule 21: immediate */
TEST(test_queue_rule21_shutdown_now_destroys_and_wakes_joins) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_LIFO, 3);
  vow_future_t *join, *waiting;
  for (int i = 0; i < 3; i++) put(q, i);
  waiting = vow_queue_put(q, item(3));
  join = vow_queue_join(q);
  ck_assert_int_eq(vow_queue_shutdown_now(q), 0);
  ck_assert_int_eq(things_live, 1); /* the one that was never put */
  EXPECT_RECLAIM(waiting, 3);
  ck_assert_uint_eq(vow_queue_unfinished(q), 0);
  EXPECT_OK(join);
  ck_assert_int_eq(try_get_error(q), VOW_ESHUTDOWN);
  vow_queue_free(q);
  manual_done(loop);
}

TEST(test_queue_shutdown_now_leaves_what_was_got_unfinished) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 3);
  vow_future_t *join;
  for (int i = 0; i < 3; i++) put(q, i);
  ck_assert_int_eq(got(q), 0);
  join = vow_queue_join(q);
  ck_assert_int_eq(vow_queue_shutdown(q), 0);
  ck_assert_int_eq(vow_queue_shutdown_now(q), 0); /* after the graceful one */
  ck_assert_int_eq(things_live, 0);
  ck_assert(!vow_is_settled(join));
  ck_assert_int_eq(vow_queue_task_done(q), 0);
  EXPECT_OK(join);
  vow_queue_free(q);
  manual_done(loop);
}

/* ---- freeing --------------------------------------------------------------
 */

TEST(test_queue_free_with_all_kinds_waiting_fails_them) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 1);
  vow_future_t *f[3];
  put(q, 1);
  f[0] = vow_queue_put(q, item(2));
  ck_assert_int_eq(got(q), 1);
  f[1] = vow_queue_put(q, item(3));
  f[2] = vow_queue_join(q);
  vow_queue_free(q);
  ck_assert_str_eq(states(f, 3), "SFF");
  EXPECT_RECLAIM(f[1], 3);
  f[1] = NULL;
  EXPECT_SAYS(f[2], VOW_ESHUTDOWN, "the queue was freed");
  f[2] = NULL;
  drop_all(f, 3);
  ck_assert_int_eq(things_live, 0);
  q = vow_queue_new(loop, VOW_FIFO, 1);
  f[0] = vow_queue_get(q);
  vow_queue_free(q);
  EXPECT_FAILED(f[0], VOW_ESHUTDOWN);
  vow_queue_free(NULL);
  manual_done(loop);
}

/* An item that does something to its queue when it is destroyed. */
static vow_queue_t *attacked;
static vow_future_t *attack_get;
static int attack_kind, attack_result;

static void attack_destroy(void *p) {
  (void)p;
  things_live--;
  switch (attack_kind) {
  case 0:
    attack_result = vow_queue_try_put(attacked, vow_int(1));
    break;
  case 1:
    attack_result = vow_queue_shutdown_now(attacked);
    break;
  case 2:
    vow_drop(attack_get);
    attack_get = NULL;
    break;
  case 3:
    vow_queue_free(attacked);
    attacked = NULL;
    break;
  default:
    break;
  }
  attack_kind = -1;
}

static const vow_type_t type_attack = {"attack", attack_destroy, NULL, NULL};

static vow_value_t attack(int kind) {
  attack_kind = kind;
  attack_result = 0;
  things_live++;
  return vow_ptr(&attack_kind, &type_attack);
}

TEST(test_queue_items_that_meddle_when_destroyed_do_no_harm) {
  for (int kind = 0; kind < 4; kind++) {
    vow_loop_t *loop = manual_loop();
    attacked = vow_queue_new(loop, VOW_FIFO, 4);
    attack_get = vow_queue_join(attacked);
    ck_assert_int_eq(vow_queue_try_put(attacked, attack(kind)), 0);
    put(attacked, 1);
    ck_assert_int_eq(vow_queue_shutdown_now(attacked), 0);
    ck_assert_int_eq(things_live, 0);
    ck_assert_int_eq(attack_result, kind == 0 ? VOW_ESHUTDOWN : 0);
    vow_drop(attack_get);
    vow_queue_free(attacked);
    manual_done(loop);
  }
}

TEST(test_queue_detached_get_whose_item_frees_the_queue) {
  vow_loop_t *loop = manual_loop();
  attacked = vow_queue_new(loop, VOW_FIFO, 4);
  vow_detach(vow_queue_get(attacked));
  ck_assert_int_eq(vow_queue_try_put(attacked, attack(3)), 0);
  ck_assert_ptr_null(attacked);
  attacked = vow_queue_new(loop, VOW_FIFO, 4);
  vow_detach(vow_queue_get(attacked));
  EXPECT_OK(vow_queue_put(attacked, attack(3)));
  ck_assert_ptr_null(attacked);
  manual_done(loop);
}

static void free_attacked(vow_future_t *f, void *arg) {
  (void)arg;
  (void)vow_status(f);
  vow_queue_free(attacked);
  attacked = NULL;
}

TEST(test_queue_freed_by_the_hook_of_one_who_is_shut_out) {
  vow_loop_options_t options = {.on_unhandled = free_attacked};
  vow_loop_t *loop = manual_loop_with(&options);
  vow_future_t *second;
  attacked = vow_queue_new(loop, VOW_FIFO, 4);
  vow_detach(vow_queue_get(attacked));
  second = vow_queue_get(attacked);
  ck_assert_int_eq(vow_queue_shutdown(attacked), 0);
  ck_assert_ptr_null(attacked);
  EXPECT_FAILED(second, VOW_ESHUTDOWN);
  attacked = vow_queue_new(loop, VOW_FIFO, 0);
  vow_detach(vow_queue_put(attacked, item(1)));
  ck_assert_int_eq(vow_queue_shutdown(attacked), 0);
  ck_assert_ptr_null(attacked);
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

/* ---- the loop -------------------------------------------------------------
 */

TEST(test_queue_loop_close_cancels_those_who_wait) {
  vow_loop_t *loop = manual_loop();
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 0);
  vow_queue_t *full = vow_queue_new(loop, VOW_FIFO, 1);
  vow_future_t *f[3];
  f[0] = vow_queue_get(q);
  put(full, 1);
  f[1] = vow_queue_put(full, item(2));
  f[2] = vow_queue_join(full);
  manual_close(loop);
  ck_assert_str_eq(states(f, 3), "CCC");
  EXPECT_RECLAIM(f[1], 2);
  f[1] = NULL;
  drop_all(f, 3);
  ck_assert_int_eq(vow_status(f[0] = vow_queue_get(q)), VOW_ESHUTDOWN);
  ck_assert_int_eq(vow_status(f[1] = vow_queue_put(q, item(3))), VOW_ESHUTDOWN);
  drop_all(f, 2);
  ck_assert_int_eq(got(full), 1);
  put(full, 4);
  ck_assert_int_eq(things_live, 1);
  vow_queue_free(q);
  vow_queue_free(full);
  ck_assert_int_eq(things_live, 0);
}

/* ---- bad arguments, no memory ---------------------------------------------
 */

TEST(test_queue_bad_arguments_are_refused_by_name) {
  vow_loop_t *loop = manual_loop();
  vow_value_t v;
  ck_assert_ptr_null(vow_queue_new(NULL, VOW_FIFO, 1));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "vow_queue_new"));
  ck_assert_ptr_null(vow_queue_new(loop, (vow_queue_order_t)7, 1));
  ck_assert_str_eq(vow_last_message(), "vow_queue_new: there is no order 7");
  ck_assert_ptr_null(vow_queue_new(loop, VOW_LIFO, SIZE_MAX - 1));
  ck_assert_ptr_nonnull(strstr(vow_last_message(), "too large"));
  EXPECT_MISUSE(vow_queue_get(NULL), "vow_queue_get: the queue is NULL");
  EXPECT_MISUSE(vow_queue_join(NULL), "vow_queue_join: the queue is NULL");
  EXPECT_MISUSE(vow_queue_put(NULL, item(1)), "vow_queue_put: the queue");
  ck_assert_int_eq(vow_queue_try_put(NULL, vow_int(1)), UV_EINVAL);
  ck_assert_int_eq(vow_queue_try_put_priority(NULL, vow_int(1), 1), UV_EINVAL);
  ck_assert_int_eq(vow_queue_try_get(NULL, &v), UV_EINVAL);
  ck_assert_int_eq(vow_queue_shutdown(NULL), UV_EINVAL);
  ck_assert_int_eq(vow_queue_shutdown_now(NULL), UV_EINVAL);
  ck_assert_uint_eq(vow_queue_length(NULL) + vow_queue_capacity(NULL) +
                        vow_queue_unfinished(NULL) +
                        vow_queue_gets_waiting(NULL) +
                        vow_queue_puts_waiting(NULL),
                    0);
  ck_assert(!vow_queue_is_shut_down(NULL));
  ck_assert_int_eq(things_live, 0);
  manual_done(loop);
}

static void starved_queue(vow_loop_t *loop) {
  vow_queue_t *q = vow_queue_new(loop, VOW_FIFO, 1);
  vow_queue_t *p = vow_queue_new(loop, VOW_PRIORITY, VOW_UNBOUNDED);
  vow_future_t *f[6] = {NULL};
  vow_value_t v = thing();
  if (p != NULL && vow_queue_try_put_priority(p, v, 3) == 0) v = vow_nil();
  vow_value_destroy(v);
  if (p != NULL) f[0] = vow_queue_get(p);
  if (q != NULL) {
    f[1] = vow_queue_put(q, thing());
    f[2] = vow_queue_put(q, thing());
    f[3] = vow_queue_get(q);
    f[4] = vow_queue_join(q);
    (void)vow_queue_shutdown(q);
    f[5] = vow_queue_put(q, thing());
  }
  for (int i = 0; i < 6; i++) (void)vow_status(f[i]);
  vow_queue_free(q);
  vow_queue_free(p);
  for (int i = 0; i < 6; i++) {
    ck_assert(f[i] == NULL || vow_is_settled(f[i]));
    (void)vow_status(f[i]);
  }
  drop_all(f, 6);
}

TEST(test_queue_out_of_memory_loses_nothing) {
  starve(starved_queue, 0);
}

/* A get that cannot be made takes no item. */
TEST(test_queue_get_without_memory_leaves_the_item) {
  vow_loop_t *loop;
  vow_queue_t *q;
  vow_future_t *f;
  fault_install();
  loop = manual_loop_probe();
  q = vow_queue_new(loop, VOW_FIFO, 1);
  put(q, 1);
  fault_fail_from(1);
  f = vow_queue_get(q);
  fault_off();
  EXPECT_FAILED(f, UV_ENOMEM);
  ck_assert_int_eq(got(q), 1);
  vow_queue_free(q);
  manual_done(loop);
  fault_remove();
}

SUITE(sync_queue_end) {
  ADD(test_queue_rule21_join_waits_until_all_is_done);
  ADD(test_queue_join_counts_puts_that_were_admitted_only);
  ADD(test_queue_rule21_task_done_too_often_is_an_error);
  ADD(test_queue_join_cancelled_and_dropped_leaves_the_others);
  ADD(test_queue_rule21_shutdown_lets_gets_drain);
  ADD(test_queue_rule21_shutdown_fails_gets_that_wait);
  ADD(test_queue_rule21_shutdown_now_destroys_and_wakes_joins);
  ADD(test_queue_shutdown_now_leaves_what_was_got_unfinished);
  ADD(test_queue_free_with_all_kinds_waiting_fails_them);
  ADD(test_queue_items_that_meddle_when_destroyed_do_no_harm);
  ADD(test_queue_detached_get_whose_item_frees_the_queue);
  ADD(test_queue_freed_by_the_hook_of_one_who_is_shut_out);
  ADD(test_queue_loop_close_cancels_those_who_wait);
  ADD(test_queue_bad_arguments_are_refused_by_name);
  ADD(test_queue_out_of_memory_loses_nothing);
  ADD(test_queue_get_without_memory_leaves_the_item);
}

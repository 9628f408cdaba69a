/* SPDX-License-Identifier: MIT */
/* The program that test_balance.c disturbs: three producers, each walking a
 * generator, a queue, two consumers that have each item handled on a thread and
 * count it under a mutex, one that waits for the count, a channel with two
 * readers, a writer with a resource that is opened and closed, one that ends
 * it all, and a group of them all. */
#ifndef VOW_TEST_TASK_BALANCE_H
#define VOW_TEST_TASK_BALANCE_H

#include "support/fault.h"
#include "support/test.h"

#include <vow/condition.h>
#include <vow/driver.h>
#include <vow/group.h>
#include <vow/rwlock.h>
#include <vow/select.h>
#include <vow/task_iter.h>
#include <vow/task_sync.h>
#include <vow/thread_pool.h>
#include <vow/using.h>
#include <vow/uv.h>
#include <vow/virtual.h>

enum {
  PRODUCER,
  CONSUMER = PRODUCER + 3,
  WAITER = CONSUMER + 2,
  WRITER,
  READER,
  FINISHER = READER + 2,
  ROOT,
  TASKS
};

enum {
  PRODUCERS = CONSUMER - PRODUCER,
  EACH = 3,
  ITEMS = PRODUCERS * EACH,
  READERS = 2,
  PERMITS = 3,
  WRITES = 3
};

typedef struct world {
  vow_loop_t *loop;
  vow_thread_pool_t *pool; /* of several worlds */
  vow_mutex_t *mutex;
  vow_condition_t *condition;
  vow_rwlock_t *rwlock;
  vow_semaphore_t *semaphore;
  vow_queue_t *queue;
  vow_broadcast_t *channel;
  vow_future_t *tasks[TASKS];
  bool over;
  int handled; /* items; guarded by mutex */
  int inside;  /* holders of mutex */
  int heard;   /* values, by readers */
  int opened, closed;
  int generators; /* that run */
} world_t;

/* ---- items ---------------------------------------------------------------- */

static int items_made, items_freed;

typedef struct item {
  int refs;
} item_t;

static inline void item_destroy(void *p) {
  item_t *item = p;
  if (--item->refs > 0) return;
  items_freed++;
  free(item);
}

static inline void *item_ref(void *p) {
  ((item_t *)p)->refs++;
  return p;
}

static const vow_type_t type_item = {"item", item_destroy, NULL, NULL};
static const vow_type_t type_news = {"news", item_destroy, item_ref, NULL};

static inline vow_value_t item_new(const vow_type_t *type) {
  item_t *item = malloc(sizeof(*item));
  ck_assert_ptr_nonnull(item);
  item->refs = 1;
  items_made++;
  return vow_ptr(item, type);
}

static inline void ignore_unhandled(vow_future_t *f, void *arg) {
  (void)f;
  (void)arg;
}

static inline vow_future_t *nap(uint64_t ms) {
  return vow_sleep(vow_task_loop(), ms);
}

/* ---- producers ------------------------------------------------------------ */

static inline vow_value_t generator_ends(void *arg) {
  world_t *w = arg;
  (void)vow_await_status(nap(1));
  w->generators--;
  return vow_nil();
}

static inline vow_value_t generate(void *arg) {
  world_t *w = arg;
  w->generators++;
  VOW_TRY_CODE(vow_defer(generator_ends, w));
  for (int i = 0; i < EACH; i++) {
    VOW_TRY(permit, vow_rwlock_read(w->rwlock));
    int code = vow_await_status(nap(1));
    vow_value_destroy(permit);
    VOW_TRY_CODE(code);
    VOW_TRY_CODE(vow_emit(item_new(&type_item)));
  }
  return vow_nil();
}

/* By a select, which keeps the item when it is too late for it. */
static inline int put_in_time(world_t *w, vow_value_t item) {
  size_t which;
  vow_case_t cases[2] = {vow_case_put(w->queue, item),
                         vow_case_future(nap(100))};
  vow_value_t v =
      vow_selected(vow_await(vow_select(w->loop, 2, cases)), &which);
  int code = vow_value_code(v);
  vow_value_destroy(v);
  return which == 1 && code == 0 ? UV_ETIMEDOUT : code;
}

static inline vow_value_t produce(void *arg) {
  world_t *w = arg;
  vow_value_t failure;
  size_t n = 2;
  VOW_FOR(step, vow_generator(w->loop, generate, w), &failure) {
    VOW_TRY_CODE(vow_await_permits(w->semaphore, n));
    int code =
        vow_await_status(vow_broadcast_send(w->channel, item_new(&type_news)));
    if (code == 0) {
      vow_value_t item = vow_step_take(&step);
      code = n == 1 ? put_in_time(w, item) : vow_await_put(w->queue, item);
    }
    ck_assert_int_eq(vow_semaphore_release(w->semaphore, n), 0);
    VOW_TRY_CODE(code);
    n = n % PERMITS + 1;
  }
  return failure;
}

/* ---- consumers, and who waits for them -------------------------------------
 */

static inline vow_value_t leave_mutex(void *arg) {
  world_t *w = arg;
  ck_assert_int_eq(w->inside--, 1);
  ck_assert_int_eq(vow_mutex_release(w->mutex), 0);
  return vow_nil();
}

/* 0: until the end of the scope. */
static inline int enter_mutex(world_t *w) {
  int code = vow_await_lock(w->mutex);
  if (code != 0) return code;
  ck_assert_int_eq(w->inside++, 0);
  return vow_defer(leave_mutex, w);
}

static inline vow_value_t count_one(void *arg) {
  world_t *w = arg;
  VOW_TRY_CODE(enter_mutex(w));
  VOW_TRY_CODE(vow_yield());
  w->handled++;
  vow_condition_notify(w->condition, 1);
  return vow_nil();
}

static inline vow_value_t on_a_thread(vow_job_t *job, void *arg) {
  item_t *item = arg;
  (void)job;
  return vow_int(item->refs);
}

static inline vow_value_t handle_one(world_t *w, vow_value_t item) {
  VOW_TRY(refs, vow_thread_pool_run(w->pool, w->loop, on_a_thread, item.as.p,
                                    item_destroy));
  ck_assert_int_eq(refs.as.i, 1);
  VOW_TRY_NIL(nap(6));
  return vow_scope(count_one, w);
}

/* An item, or a failure; nil when there was none for long. */
static inline vow_value_t get_in_time(world_t *w) {
  vow_case_t cases[2] = {vow_case_get(w->queue), vow_case_future(nap(100))};
  return vow_selected(vow_await(vow_select(w->loop, 2, cases)), NULL);
}

static inline vow_value_t consume(world_t *w, bool in_time) {
  for (;;) {
    vow_value_t item = in_time ? get_in_time(w) : vow_await_get(w->queue);
    if (vow_value_code(item) == VOW_ESHUTDOWN) {
      vow_value_destroy(item);
      return vow_nil();
    }
    if (item.type != &type_item) return item;
    vow_value_t v = handle_one(w, item);
    ck_assert_int_eq(vow_queue_task_done(w->queue), 0);
    if (vow_value_is_failure(v)) return v;
  }
}

static inline vow_value_t consume_in_time(void *arg) {
  return consume(arg, true);
}

static inline vow_value_t consume_all(void *arg) {
  return consume(arg, false);
}

/* Holds the mutex whenever it runs, whatever came of its waiting. */
static inline vow_value_t await_count(void *arg) {
  world_t *w = arg;
  VOW_TRY_CODE(enter_mutex(w));
  while (w->handled < ITEMS && !w->over) {
    ck_assert_int_eq(w->inside--, 1);
    int code = vow_await_status(vow_condition_wait(w->condition, w->mutex));
    ck_assert_int_eq(w->inside++, 0);
    VOW_TRY_CODE(code);
  }
  return vow_nil();
}

/* ---- readers --------------------------------------------------------------- */

typedef struct reader {
  world_t *w;
  vow_subscription_t *s;
} reader_t;

static inline void reader_free(void *arg) {
  reader_t *r = arg;
  vow_subscription_free(r->s);
  free(r);
}

static inline vow_value_t read_news(void *arg) {
  reader_t *r = arg;
  for (;;) {
    vow_value_t v = vow_await(vow_subscription_next(r->s));
    int code = vow_value_code(v);
    if (vow_value_is_failure(v) && code != VOW_ESHUTDOWN) return v;
    vow_value_destroy(v);
    if (code != 0) return vow_nil();
    r->w->heard++;
    VOW_TRY_NIL(nap(1));
  }
}

/* ---- a writer, and its resource ---------------------------------------------
 */

static inline vow_value_t has_opened(vow_future_t *in, void *arg) {
  (void)in;
  ((world_t *)arg)->opened++;
  return item_new(&type_item);
}

static inline vow_value_t use(vow_future_t *open, void *arg) {
  world_t *w = arg;
  ck_assert_ptr_nonnull(vow_get(open, &type_item));
  return vow_follow(vow_sleep(w->loop, 2));
}

static inline vow_value_t close_it(vow_future_t *open, void *arg) {
  world_t *w = arg;
  ck_assert_ptr_nonnull(vow_get(open, &type_item));
  w->closed++;
  return vow_follow(vow_sleep(w->loop, 1));
}

static inline vow_value_t write_once(void *arg) {
  world_t *w = arg;
  vow_value_t permit = vow_defer_value(vow_await(vow_rwlock_write(w->rwlock)));
  if (vow_value_is_failure(permit)) return permit;
  ck_assert_uint_eq(vow_rwlock_readers(w->rwlock), 0);
  return vow_await(
      vow_using(vow_then(nap(1), has_opened, w), use, close_it, w));
}

static inline vow_value_t write_often(void *arg) {
  for (int i = 0; i < WRITES; i++) {
    vow_value_t v = vow_scope(write_once, arg);
    if (vow_value_is_failure(v)) return v;
    vow_value_destroy(v);
  }
  return vow_nil();
}

/* ---- the end, and the whole ------------------------------------------------
 */

static inline vow_value_t end_it(void *arg) {
  world_t *w = arg;
  w->over = true;
  (void)vow_queue_shutdown(w->queue);
  (void)vow_broadcast_close(w->channel);
  vow_condition_notify_all(w->condition);
  return vow_nil();
}

static inline vow_value_t finish(void *arg) {
  world_t *w = arg;
  VOW_TRY_CODE(vow_defer(end_it, w));
  for (int i = 0; i < PRODUCERS; i++)
    VOW_TRY_NIL(vow_ref(w->tasks[PRODUCER + i]));
  return vow_await(vow_queue_join(w->queue));
}

static inline vow_value_t root(void *arg) {
  world_t *w = arg;
  vow_group_t *g = vow_group_open(VOW_GROUP_SETTLED);
  if (g == NULL) return vow_fail(UV_ENOMEM);
  for (size_t i = 0; i < ROOT; i++)
    VOW_TRY_CODE(vow_group_add(g, vow_ref(w->tasks[i])));
  return vow_await(vow_group_join(g));
}

static inline vow_future_t *reader_begin(world_t *w) {
  reader_t *r = malloc(sizeof(*r));
  ck_assert_ptr_nonnull(r);
  r->w = w;
  r->s = vow_broadcast_subscribe(w->channel);
  return vow_go(w->loop, read_news, r, reader_free);
}

static inline void tasks_begin(world_t *w) {
  vow_future_t **t = w->tasks;
  for (int i = 0; i < PRODUCERS; i++)
    t[PRODUCER + i] = vow_go(w->loop, produce, w);
  for (int i = 0; i < 2; i++) {
    t[CONSUMER + i] =
        vow_go(w->loop, i == 0 ? consume_in_time : consume_all, w);
    t[READER + i] = reader_begin(w);
  }
  t[WAITER] = vow_go(w->loop, await_count, w);
  t[WRITER] = vow_go(w->loop, write_often, w);
  t[FINISHER] = vow_go(w->loop, finish, w);
  t[ROOT] = vow_go(w->loop, root, w);
}

static inline void tasks_drop(world_t *w) {
  for (size_t i = 0; i < TASKS; i++) {
    (void)vow_status(w->tasks[i]);
    vow_drop(w->tasks[i]);
    w->tasks[i] = NULL;
  }
}

/** False for want of memory; world_free all the same. */
static inline bool world_begin(world_t *w, vow_loop_t *loop,
                               vow_thread_pool_t *pool) {
  memset(w, 0, sizeof(*w));
  w->loop = loop;
  w->pool = pool;
  w->mutex = vow_mutex_new(loop);
  w->condition = vow_condition_new(loop);
  w->rwlock = vow_rwlock_new(loop);
  w->semaphore = vow_semaphore_new(loop, PERMITS);
  w->queue = vow_queue_new(loop, VOW_FIFO, 1);
  w->channel = vow_broadcast_new(loop, 1, VOW_LAG_WAIT);
  return w->mutex != NULL && w->condition != NULL && w->rwlock != NULL &&
         w->semaphore != NULL && w->queue != NULL && w->channel != NULL;
}

static inline void world_free(world_t *w) {
  vow_mutex_free(w->mutex);
  vow_condition_free(w->condition);
  vow_rwlock_free(w->rwlock);
  vow_semaphore_free(w->semaphore);
  vow_queue_free(w->queue);
  vow_broadcast_free(w->channel);
}

#endif

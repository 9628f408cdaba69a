/* SPDX-License-Identifier: MIT */
/* Queues. Who waits to get finds the store empty, who waits to put finds it
 * full; so what is there goes to the first in line at once, and the calls that
 * need no waiting have little to look at. */
#include "sync/slot.h"
#include "sync/store.h"

#include "base/errno.h"

struct vow_queue {
  vow_op_t cell;
  vow__store_t items;
  bool put_is_plain; /* a bounded ring */
  bool get_is_plain; /* the same, and first in, first out */
  bool shut;
  size_t capacity; /* while it is open; then 0 */
  size_t unfinished;
  vow__link_t getters; /* not empty only while there is no item */
  vow__link_t putters; /* not empty only while there is no room */
  vow__link_t joins;
  size_t asked_capacity;
};

static const char shut_down[] = "the queue was shut down";

static void queue_destroy(void *op) {
  vow_queue_t *q = op;
  vow__store_done(&q->items);
}

static const vow_op_class_t queue_class = {
    .name = "queue",
    .size_bytes = sizeof(vow_queue_t),
    .destroy = queue_destroy,
};

static vow_queue_t *refuse(vow_future_t *why) {
  (void)vow_status(why); /* it is recorded, and of no other use */
  vow_drop(why);
  return NULL;
}

vow_queue_t *vow_queue_new_at(const char *site, vow_loop_t *loop,
                              vow_queue_order_t order, size_t capacity) {
  static const char fn[] = "vow_queue_new";
  vow_queue_t *q;
  int err;
  if (order != VOW_FIFO && order != VOW_LIFO && order != VOW_PRIORITY)
    return refuse(vow_misuse_at(site, loop, UV_EINVAL,
                                "%s: there is no order %d", fn, (int)order));
  q = vow__lock_new(site, loop, &queue_class, fn);
  if (q == NULL) return NULL;
  vow__list_init(&q->getters);
  vow__list_init(&q->putters);
  vow__list_init(&q->joins);
  q->capacity = q->asked_capacity = capacity;
  err = vow__store_init(&q->items, order, capacity);
  q->put_is_plain = q->items.bounded && order != VOW_PRIORITY;
  q->get_is_plain = q->items.bounded && order == VOW_FIFO;
  if (err == 0) return q;
  vow__lock_unref(q);
  if (err == UV_ENOMEM) return refuse(vow_op_failed(site, loop, fn));
  return refuse(vow_misuse_at(
      site, loop, err, "%s: a capacity of %zu is too large", fn, capacity));
}

/* ---- putting --------------------------------------------------------------
 */

static VOW__NOINLINE int put_slow(vow_queue_t *q, vow_value_t v,
                                  int64_t priority) {
  vow__slot_t *getter;
  int err;
  if (q == NULL) return UV_EINVAL;
  if (q->shut) return VOW_ESHUTDOWN;
  if ((getter = vow__slot_pop(&q->getters)) != NULL) {
    q->unfinished++;
    vow__slot_end(getter, v);
    return 0;
  }
  if (q->items.count >= q->capacity) return UV_EAGAIN;
  if ((err = vow__store_reserve(&q->items)) != 0) return err;
  q->unfinished++;
  vow__store_push(&q->items, v, priority);
  return 0;
}

int vow_queue_try_put(vow_queue_t *q, vow_value_t v) {
  if (VOW__LIKELY(q != NULL && q->put_is_plain &&
                  q->items.count < q->capacity &&
                  vow__list_empty(&q->getters))) {
    vow__ring_push(&q->items, v);
    q->unfinished++;
    return 0;
  }
  return put_slow(q, v, 0);
}

int vow_queue_try_put_priority(vow_queue_t *q, vow_value_t v,
                               int64_t priority) {
  return put_slow(q, v, priority);
}

static vow_value_t failure(vow_queue_t *q, int err) {
  return err == VOW_ESHUTDOWN ? vow__slot_shut(q, shut_down) : vow_fail(err);
}

static bool put_now(void *object, vow__slot_t *slot, vow_value_t *ret_outcome) {
  vow_queue_t *q = object;
  int err = put_slow(q, slot->item, slot->number);
  if (err == UV_EAGAIN) return false;
  if (err == 0) (void)vow__slot_take(slot);
  *ret_outcome = err == 0 ? vow_nil() : failure(q, err);
  return true;
}

static void put_wait(void *object, vow__slot_t *slot) {
  vow_queue_t *q = object;
  vow__list_append(&q->putters, &slot->link);
}

const vow__case_class_t vow__put_class = {
    .op = VOW__WAIT_OP("queue put"),
    .fn = "vow_queue_put",
    .what = "queue",
    .now = put_now,
    .wait = put_wait,
};

vow_future_t *vow_queue_put_at(const char *site, vow_queue_t *q, vow_value_t v,
                               int64_t priority) {
  return vow__wait_bringing(site, &vow__put_class, q, v, priority);
}

/* ---- getting --------------------------------------------------------------
 */

/* An item has gone: if anybody waits for room, there is some for one. */
static void admit(vow_queue_t *q) {
  vow__slot_t *putter = vow__slot_pop(&q->putters);
  if (putter == NULL) return;
  q->unfinished++;
  vow__store_push(&q->items, vow__slot_take(putter), putter->number);
  vow__slot_end(putter, vow_nil());
}

static VOW__NOINLINE int get_slow(vow_queue_t *q, vow_value_t *ret_item) {
  vow__slot_t *putter;
  if (q == NULL || ret_item == NULL) return UV_EINVAL;
  if (q->items.count > 0) {
    *ret_item = vow__store_pop(&q->items);
    admit(q);
    return 0;
  }
  /* Nothing is stored: from hand to hand. */
  if ((putter = vow__slot_pop(&q->putters)) != NULL) {
    q->unfinished++;
    *ret_item = vow__slot_take(putter);
    vow__slot_end(putter, vow_nil());
    return 0;
  }
  return q->shut ? VOW_ESHUTDOWN : UV_EAGAIN;
}

int vow_queue_try_get(vow_queue_t *q, vow_value_t *ret_item) {
  if (VOW__LIKELY(q != NULL && ret_item != NULL && q->get_is_plain &&
                  q->items.count > 0 && vow__list_empty(&q->putters))) {
    *ret_item = vow__ring_pop(&q->items);
    return 0;
  }
  return get_slow(q, ret_item);
}

static bool get_now(void *object, vow__slot_t *slot, vow_value_t *ret_outcome) {
  vow_queue_t *q = object;
  int err = get_slow(q, ret_outcome);
  (void)slot;
  if (err == UV_EAGAIN) return false;
  if (err != 0) *ret_outcome = failure(q, err);
  return true;
}

static void get_wait(void *object, vow__slot_t *slot) {
  vow_queue_t *q = object;
  vow__list_append(&q->getters, &slot->link);
}

static const vow__case_class_t get_class = {
    .op = VOW__WAIT_OP("queue get"),
    .fn = "vow_queue_get",
    .what = "queue",
    .now = get_now,
    .wait = get_wait,
};

vow_future_t *vow_queue_get_at(const char *site, vow_queue_t *q) {
  return vow__wait_for(site, &get_class, q, 0);
}

/* ---- the end of items, and of the queue ------------------------------------
 */

static void wake_joins(vow_queue_t *q) {
  vow__slot_t *slot;
  if (q->unfinished > 0) return;
  while ((slot = vow__slot_pop(&q->joins)) != NULL)
    vow__slot_end(slot, vow_nil());
}

int vow_queue_task_done(vow_queue_t *q) {
  static const char fn[] = "vow_queue_task_done";
  if (q == NULL) return vow__lock_misuse(q, fn, "the queue is NULL");
  if (q->unfinished == q->items.count)
    return vow__lock_misuse(q, fn, "every item that was got is done already");
  q->unfinished--;
  if (q->unfinished == 0) wake_joins(q);
  return 0;
}

static bool join_now(void *object, vow__slot_t *slot,
                     vow_value_t *ret_outcome) {
  const vow_queue_t *q = object;
  (void)slot;
  *ret_outcome = vow_nil();
  return q->unfinished == 0;
}

static void join_wait(void *object, vow__slot_t *slot) {
  vow_queue_t *q = object;
  vow__list_append(&q->joins, &slot->link);
}

static const vow__case_class_t join_class = {
    .op = VOW__WAIT_OP("queue join"),
    .fn = "vow_queue_join",
    .what = "queue",
    .now = join_now,
    .wait = join_wait,
};

vow_future_t *vow_queue_join_at(const char *site, vow_queue_t *q) {
  return vow__wait_for(site, &join_class, q, 0);
}

static void shut(vow_queue_t *q) {
  q->shut = true;
  q->capacity = 0;
  vow__slot_end_all(&q->putters, q, shut_down);
  vow__slot_end_all(&q->getters, q, shut_down);
}

/* A destructor may do anything to the queue but put into it. */
static void destroy_items(vow_queue_t *q) {
  while (q->items.count > 0) {
    vow_value_t v = vow__store_pop(&q->items);
    q->unfinished--;
    vow_value_destroy(v);
  }
  wake_joins(q);
}

int vow_queue_shutdown(vow_queue_t *q) {
  if (q == NULL) return UV_EINVAL;
  vow__lock_ref(q);
  if (!q->shut) shut(q);
  vow__lock_unref(q);
  return 0;
}

int vow_queue_shutdown_now(vow_queue_t *q) {
  if (q == NULL) return UV_EINVAL;
  vow__lock_ref(q);
  if (!q->shut) shut(q);
  destroy_items(q);
  vow__lock_unref(q);
  return 0;
}

void vow_queue_free(vow_queue_t *q) {
  if (q == NULL) return;
  (void)vow_queue_shutdown_now(q);
  vow__slot_end_all(&q->joins, q, "the queue was freed");
  vow__lock_unref(q);
}

/* ---- looking ---------------------------------------------------------------
 */

size_t vow_queue_length(const vow_queue_t *q) {
  return q != NULL ? q->items.count : 0;
}

size_t vow_queue_capacity(const vow_queue_t *q) {
  return q != NULL ? q->asked_capacity : 0;
}

size_t vow_queue_unfinished(const vow_queue_t *q) {
  return q != NULL ? q->unfinished : 0;
}

size_t vow_queue_gets_waiting(const vow_queue_t *q) {
  return q != NULL ? vow__line_length(&q->getters) : 0;
}

size_t vow_queue_puts_waiting(const vow_queue_t *q) {
  return q != NULL ? vow__line_length(&q->putters) : 0;
}

bool vow_queue_is_shut_down(const vow_queue_t *q) {
  return q != NULL && q->shut;
}

/* ---- as cases of a select ---------------------------------------------------
 */

vow_case_t vow_case_get(vow_queue_t *q) {
  vow_case_t c = {.vow__cls = &get_class, .vow__object = q};
  return c;
}

vow_case_t vow_case_put(vow_queue_t *q, vow_value_t v) {
  return vow_case_put_priority(q, v, 0);
}

vow_case_t vow_case_put_priority(vow_queue_t *q, vow_value_t v,
                                 int64_t priority) {
  vow_case_t c = {&vow__put_class, q, v, priority};
  return c;
}

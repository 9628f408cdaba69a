/* SPDX-License-Identifier: MIT */
/* Producers and consumers: two make orders, three work on them, and at most ten
 * wait between. A full queue slows the producers down; a join tells when the
 * last order has been worked on; a shutdown sends the consumers home. */
#include "pattern.h"

#include <vow/task_sync.h>

enum { ORDERS_EACH = 12, ROOM = 10 };

typedef struct worker {
  const char *name;
  vow_queue_t *orders;
  uint64_t pause_ms;
} worker_t;

static vow_value_t produce(void *arg) {
  const worker_t *w = arg;
  for (int64_t i = 1; i <= ORDERS_EACH; i++) {
    VOW_TRY_NIL(vow_sleep(vow_task_loop(), w->pause_ms));
    if (vow_queue_length(w->orders) == ROOM)
      say("%s: full, order %" PRId64 " waits", w->name, i);
    int rc = vow_await_put(w->orders, vow_int(i));
    if (rc != 0) return vow_fail(rc);
  }
  say("%s: all are ordered", w->name);
  return vow_nil();
}

/* Goes home when the queue is shut down and empty. A failure that was awaited
 * is ours, as a value is: what is not passed on has to be destroyed. */
static vow_value_t consume(void *arg) {
  const worker_t *w = arg;
  int64_t done = 0;
  for (;;) {
    vow_value_t order = vow_await_get(w->orders);
    if (vow_value_is_failure(order)) {
      if (vow_value_code(order) != VOW_ESHUTDOWN) return order;
      vow_value_destroy(order);
      break;
    }
    VOW_TRY_NIL(vow_sleep(vow_task_loop(), w->pause_ms));
    vow_queue_task_done(w->orders);
    done++;
  }
  say("%s: worked on %" PRId64, w->name, done);
  return vow_nil();
}

/* First the producers, then what they have ordered, then the consumers. */
static vow_value_t produce_all(void *arg) {
  vow_queue_t *orders = arg;
  vow_loop_t *loop = vow_task_loop();
  worker_t ann = {"Ann", orders, 10}, bob = {"Bob", orders, 15};
  VOW_TRY_NIL(vow_gather_of(loop, vow_go(loop, produce, &ann),
                            vow_go(loop, produce, &bob)));
  say("%zu orders are unfinished", vow_queue_unfinished(orders));
  VOW_TRY_NIL(vow_queue_join(orders));
  say("all are finished");
  vow_queue_shutdown(orders);
  return vow_nil();
}

/* The workers stand on this stack, and may: the await below ends when all of
 * them have, also if one fails or this task is cancelled. */
static vow_value_t run(void *arg) {
  vow_loop_t *loop = vow_task_loop();
  vow_queue_t *orders = vow_queue_new(loop, VOW_FIFO, ROOM);
  (void)arg;
  if (orders == NULL) return vow_fail_last();
  worker_t cid = {"Cid", orders, 50}, dee = {"Dee", orders, 50};
  worker_t eve = {"Eve", orders, 80};
  vow_value_t v = vow_await(vow_gather_of(
      loop, vow_go(loop, consume, &cid), vow_go(loop, consume, &dee),
      vow_go(loop, consume, &eve), vow_go(loop, produce_all, orders)));
  vow_queue_free(orders);
  return v;
}

int main(void) {
  vow_loop_t *loop = pattern_loop();
  int rc = vow_await_blocking(vow_go(loop, run, NULL), NULL);
  return pattern_done(loop, rc);
}

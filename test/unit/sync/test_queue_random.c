/* SPDX-License-Identifier: MIT */
/* Random programs over queues, with selects, cancels, drops and detached
 * futures. After each step nobody may wait who need not; after each program
 * every item must be got, given back or destroyed, exactly once. The seed of
 * one that fails is printed; VOW_SEED=seed runs that one alone. */
#include "support/seeds.h"
#include "unit/sync/items.h"

#include <vow/select.h>

#define QUEUES 3
#define POOL   24
#define ITEMS  800

enum { UNBORN, ABROAD, GOT, BACK, DESTROYED };

static struct {
  uint64_t seed;
  vow_loop_t *loop;
  vow_queue_t *q[QUEUES];
  size_t capacity[QUEUES];
  vow_queue_order_t order[QUEUES];
  size_t owed[QUEUES]; /* items got and not done */
  vow_future_t *pool[POOL];
  vow_promise_t *promise[POOL]; /* of no particular future */
  int fate[ITEMS];
  size_t items;
} r;

static uint32_t below(uint32_t n) {
  return next_below(&r.seed, n);
}

static void tracked_destroy(void *p) {
  int *fate = p;
  ck_assert_int_eq(*fate, ABROAD);
  *fate = DESTROYED;
}

static const vow_type_t type_tracked = {"tracked", tracked_destroy, NULL, NULL};

static vow_value_t new_item(void) {
  int *fate = &r.fate[r.items++];
  ck_assert_uint_le(r.items, ITEMS);
  *fate = ABROAD;
  return vow_ptr(fate, &type_tracked);
}

/* v has come to us, in this way; other values are destroyed. */
static void received(vow_value_t v, int how) {
  if (v.type == &type_tracked) {
    ck_assert_int_eq(*(int *)v.as.p, ABROAD);
    *(int *)v.as.p = how;
  } else {
    vow_value_destroy(v);
  }
}

/* ---- the pool -------------------------------------------------------------
 */

static void open_outcome(vow_future_t *f) {
  vow_value_t v = vow_outcome(f), lost;
  if (v.type == &vow_type_selected) {
    while (below(2) && vow_selected_reclaim(v, &lost) == 0)
      received(lost, BACK);
    v = vow_selected(v, NULL);
  }
  received(v, GOT);
}

/* Looks at a settled one, or not, and drops it. */
static void finish_with(size_t i) {
  vow_future_t *f = r.pool[i];
  vow_value_t v;
  r.pool[i] = NULL;
  if (f == NULL) return;
  if (vow_state(f) == VOW_SUCCEEDED && below(4))
    open_outcome(f);
  else if (vow_is_settled(f) && below(2))
    while (vow_reclaim(f, &v) == 0) received(v, BACK);
  (void)vow_status(f);
  if (below(10))
    vow_drop(f);
  else
    vow_detach(f);
}

static void keep(vow_future_t *f) {
  size_t i = below(POOL);
  finish_with(i);
  r.pool[i] = f;
}

/* ---- steps ----------------------------------------------------------------
 */

static vow_case_t random_case(void) {
  vow_queue_t *q = r.q[below(QUEUES)];
  size_t i = below(POOL);
  switch (below(5)) {
  case 0:
  case 1:
    return vow_case_get(q);
  case 2:
    if (r.promise[i] == NULL)
      return vow_case_future(vow_promise_new(r.loop, &r.promise[i]));
    return vow_case_future(vow_ready(r.loop, new_item()));
  default:
    return vow_case_put_priority(q, new_item(), below(4));
  }
}

static vow_future_t *random_select(void) {
  vow_case_t c[4];
  size_t n = 1 + below(4);
  for (size_t i = 0; i < n; i++) c[i] = random_case();
  return vow_select(r.loop, n, c);
}

static void try_put(vow_queue_t *q) {
  vow_value_t v = new_item();
  int err = below(2) ? vow_queue_try_put(q, v)
                     : vow_queue_try_put_priority(q, v, below(4));
  if (err == 0) return;
  ck_assert(err == UV_EAGAIN || err == UV_ENOMEM || err == VOW_ESHUTDOWN ||
            q == NULL);
  received(v, BACK);
}

static void try_get(vow_queue_t *q) {
  vow_value_t v;
  size_t length = vow_queue_length(q);
  int err = vow_queue_try_get(q, &v);
  ck_assert(err == 0 || length == 0);
  if (err == 0) received(v, GOT);
}

static void renew(size_t i) {
  if (below(4)) {
    (void)(below(2) ? vow_queue_shutdown(r.q[i])
                    : vow_queue_shutdown_now(r.q[i]));
    return;
  }
  vow_queue_free(r.q[i]);
  r.order[i] = (vow_queue_order_t)below(3);
  r.capacity[i] = below(5) ? below(4) : VOW_UNBOUNDED;
  r.q[i] = vow_queue_new(r.loop, r.order[i], r.capacity[i]);
}

static void settle_promise(size_t i) {
  vow_promise_t *p = r.promise[i];
  r.promise[i] = NULL;
  if (p != NULL && below(4))
    (void)vow_promise_finish(p, new_item());
  else
    vow_promise_drop(p);
}

static void step(void) {
  size_t i = below(QUEUES);
  vow_queue_t *q = r.q[i];
  switch (below(20)) {
  case 0:
  case 1:
  case 2:
    keep(vow_queue_put_priority(q, new_item(), below(4)));
    break;
  case 3:
  case 4:
  case 5:
    keep(vow_queue_get(q));
    break;
  case 6:
  case 7:
    try_put(q);
    break;
  case 8:
  case 9:
    try_get(q);
    break;
  case 10:
  case 11:
  case 12:
    keep(random_select());
    break;
  case 13:
    keep(vow_queue_join(q));
    break;
  case 14:
    (void)vow_queue_task_done(q);
    break;
  case 15:
    vow_cancel(r.pool[below(POOL)]);
    break;
  case 16:
    settle_promise(below(POOL));
    break;
  case 17:
    if (below(8) == 0) renew(i);
    break;
  case 18:
    manual_drain(r.loop);
    break;
  default:
    finish_with(below(POOL));
  }
}

/* Nobody waits who need not. A place in line whose select is about to be won
 * by a future counts as one; it is passed over. */
static void check(void) {
  for (size_t i = 0; i < QUEUES; i++) {
    const vow_queue_t *q = r.q[i];
    size_t length;
    if (q == NULL) continue;
    length = vow_queue_length(q);
    ck_assert_uint_le(length, r.capacity[i]);
    ck_assert_uint_ge(vow_queue_unfinished(q), length);
    if (length > 0) ck_assert_uint_eq(vow_queue_gets_waiting(q), 0);
    if (length < r.capacity[i] || vow_queue_is_shut_down(q))
      ck_assert_uint_eq(vow_queue_puts_waiting(q), 0);
    if (vow_queue_is_shut_down(q))
      ck_assert_uint_eq(vow_queue_gets_waiting(q), 0);
  }
}

static void wind_up(void) {
  bool by_closing = below(4) == 0;
  if (by_closing) {
    for (size_t i = 0; i < POOL; i++) settle_promise(i);
    manual_close(r.loop);
  }
  for (size_t i = 0; i < QUEUES; i++) vow_queue_free(r.q[i]);
  for (size_t i = 0; i < POOL; i++) finish_with(i);
  for (size_t i = 0; i < POOL; i++) settle_promise(i);
  if (!by_closing) manual_done(r.loop);
}

static void ignore_unhandled(vow_future_t *f, void *arg) {
  (void)f;
  (void)arg;
}

static void run_program(uint64_t seed, const void *arg) {
  vow_loop_options_t options = {0};
  size_t n;
  (void)arg;
  memset(&r, 0, sizeof r);
  r.seed = seed;
  fault_install();
  options.probe_cells = below(8) == 0;
  options.on_unhandled = ignore_unhandled;
  r.loop = manual_loop_with(&options);
  for (size_t i = 0; i < QUEUES; i++) {
    r.order[i] = (vow_queue_order_t)below(3);
    r.capacity[i] = below(5) ? below(4) : VOW_UNBOUNDED;
    r.q[i] = vow_queue_new(r.loop, r.order[i], r.capacity[i]);
  }
  if (options.probe_cells) fault_fail_at(1 + below(200));
  n = 10 + below(150);
  while (n-- > 0) {
    step();
    check();
  }
  fault_off();
  wind_up();
  for (size_t i = 0; i < r.items; i++)
    ck_assert_msg(r.fate[i] > ABROAD, "item %zu is lost", i);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* Rules 17, 20, 21: items put = got + given back + destroyed */
TEST(test_queue_random_programs_lose_no_item) {
  seeds_run(test_scale(5000), run_program, NULL);
}

SUITE(sync_queue_random) {
  SEEDS_FIXTURE();
  ADD(test_queue_random_programs_lose_no_item);
}

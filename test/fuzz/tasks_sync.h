/* SPDX-License-Identifier: MIT */
/* Instructions of fuzz_tasks.c: locks, events, queues, channels, select. */
#ifndef VOW_TEST_FUZZ_TASKS_SYNC_H
#define VOW_TEST_FUZZ_TASKS_SYNC_H

#include "fuzz/tasks_world.h"

/* ---- locks ----------------------------------------------------------------
 */

/* A mutex that somebody waits to have back from a condition is not freed: who
 * holds it then could not be told. */
static void free_mutex(size_t i) {
  if (m.condition_waits[i] > 0) return;
  vow_mutex_free(m.mutex[i]);
  m.mutex[i] = NULL;
}

static void lock_by_hand(frame_t *fr, size_t i) {
  vow_mutex_t *mutex = mutex_at(i);
  bool got = false;
  if (fr->held != NULL) return;
  if (!fr->in_task)
    got = vow_mutex_try_acquire(mutex);
  else
    got = vow_await_lock(mutex) == 0;
  if (!got) return;
  REQUIRE(vow_mutex_is_held(mutex));
  fr->held = mutex;
  fr->held_slot = i;
}

/* Whatever comes of it, the mutex is held again. */
static void wait_for_notify(frame_t *fr, size_t i) {
  vow_mutex_t *mutex = fr->held;
  size_t slot = fr->held_slot;
  int err;
  if (!fr->in_task || mutex == NULL || m.mutex[slot] != mutex) return;
  m.condition_waits[slot]++;
  err = vow_await_status(vow_condition_wait(condition_at(i), mutex));
  m.condition_waits[slot]--;
  if (err == VOW_ESHUTDOWN && m.mutexes_gone)
    fr->held = NULL;
  else
    REQUIRE(vow_mutex_is_held(mutex));
}

/* By then the condition may be another, or none. */
static vow_value_t on_permit(vow_future_t *in, void *arg) {
  vow_condition_t **at = arg;
  return vow_follow(vow_condition_wait_permit(*at, vow_outcome(in)));
}

static void do_mutex(frame_t *fr, unsigned op, unsigned arg) {
  size_t i = arg & 1;
  vow_future_t *f;
  switch (op % 8) {
  case 0:
  case 1:
    lock_by_hand(fr, i);
    break;
  case 2:
    if (fr->held != NULL) REQUIRE(vow_mutex_release(fr->held) == 0);
    fr->held = NULL;
    break;
  case 3:
    use(fr, arg, vow_mutex_acquire(mutex_at(i)));
    break;
  case 4:
    wait_for_notify(fr, arg >> 1 & 1);
    break;
  case 5:
    if (condition_at(i) == NULL) break;
    f = vow_mutex_acquire(mutex_at(arg >> 1 & 1));
    use(fr, arg, vow_then(f, on_permit, &m.condition[i]));
    break;
  case 6:
    (void)vow_condition_notify(condition_at(i), 1 + (arg >> 1 & 1));
    break;
  default:
    if (arg >> 5 != 0) (void)vow_condition_notify_all(condition_at(i));
    if (arg >> 5 == 0) free_mutex(i);
    break;
  }
}

static void do_semaphore(frame_t *fr, unsigned op, unsigned arg) {
  vow_semaphore_t *s = semaphore_at(arg & 1);
  size_t n = 1 + (arg >> 1) % 4; /* 4 are more than there are */
  switch (op % 4) {
  case 0:
    use(fr, arg, vow_semaphore_acquire(s, n));
    break;
  case 1:
    if (fr->permits > 0) break;
    fr->permits_of = s;
    if (!fr->in_task)
      fr->permits = vow_semaphore_try_acquire(s, n) ? n : 0;
    else
      fr->permits = vow_await_permits(s, n) == 0 ? n : 0;
    break;
  case 2:
    if (fr->permits == 0) break;
    REQUIRE(vow_semaphore_release(fr->permits_of, 1) == 0);
    fr->permits--;
    break;
  default:
    if (arg >> 4 != 0) break;
    vow_semaphore_free(s);
    m.semaphore[arg & 1] = NULL;
    break;
  }
}

static void do_event(frame_t *fr, unsigned op, unsigned arg) {
  vow_event_t *e = event_at(arg & 1);
  switch (op % 4) {
  case 0:
    use(fr, arg, vow_event_wait(e));
    break;
  case 1:
    vow_event_set(e);
    REQUIRE(e == NULL || vow_event_is_set(e));
    break;
  case 2:
    vow_event_clear(e);
    break;
  default:
    if (arg >> 4 != 0) break;
    vow_event_free(e);
    m.event[arg & 1] = NULL;
    break;
  }
}

/* ---- queues ---------------------------------------------------------------
 */

static void try_get(size_t i) {
  vow_value_t v;
  if (vow_queue_try_get(m.queue[i], &v) != 0) return;
  if (i == VOW_FIFO) item_in_order(v, &m.queue_seen[i]);
  vow_value_destroy(v);
  REQUIRE(vow_queue_task_done(m.queue[i]) == 0);
}

static void try_put(vow_queue_t *q, unsigned arg) {
  vow_value_t v = item_new(&item_type);
  if (vow_queue_try_put_priority(q, v, arg >> 4) != 0) vow_value_destroy(v);
}

static void end_queue(size_t i, unsigned arg) {
  if (arg >> 6 == 0) (void)vow_queue_shutdown(m.queue[i]);
  if (arg >> 6 == 1) (void)vow_queue_shutdown_now(m.queue[i]);
  if (arg >> 6 != 2 || m.queue_kept[i]) return;
  vow_queue_free(m.queue[i]);
  m.queue[i] = NULL;
}

static void do_queue(frame_t *fr, unsigned op, unsigned arg) {
  size_t i = arg % FEW;
  vow_queue_t *q = queue_at(i, arg);
  switch (op % 8) {
  case 0:
    use(fr, arg, vow_queue_get(q));
    break;
  case 1:
    if (fr->in_task) end_value(vow_await_get(q));
    break;
  case 2:
    use(fr, arg,
        vow_queue_put_priority(q, item_new(&item_type), (arg >> 3) % 4));
    break;
  case 3:
    if (fr->in_task) (void)vow_await_put(q, item_new(&item_type));
    break;
  case 4:
    try_get(i);
    break;
  case 5:
    try_put(q, arg);
    break;
  case 6:
    if (arg & 32) (void)vow_queue_task_done(q);
    if ((arg & 32) == 0) use(fr, arg, vow_queue_join(q));
    break;
  default:
    end_queue(i, arg);
    break;
  }
}

/* ---- channels -------------------------------------------------------------
 */

static void try_next(size_t i) {
  vow_value_t v;
  if (vow_subscription_try_next(m.subscription[i], &v) != 0) return;
  item_in_order(v, &m.subscription_seen[i]);
  vow_value_destroy(v);
}

static void free_subscription(size_t i) {
  vow_subscription_free(m.subscription[i]);
  m.subscription[i] = NULL;
}

static void do_broadcast(frame_t *fr, unsigned op, unsigned arg) {
  size_t i = arg % FEW;
  vow_broadcast_t *b;
  vow_value_t v;
  switch (op % 8) {
  case 0:
  case 1:
    use(fr, arg, vow_subscription_next(subscription_at(i, arg)));
    break;
  case 2:
  case 3:
    b = broadcast_at(i, arg);
    use(fr, arg, vow_broadcast_send(b, item_new(&shared_type)));
    break;
  case 4:
    (void)subscription_at(i, arg);
    try_next(i);
    break;
  case 5:
    v = item_new(arg >> 5 == 0 ? &item_type : &shared_type);
    if (vow_broadcast_try_send(broadcast_at(i, arg), v) != 0)
      vow_value_destroy(v);
    break;
  case 6:
    free_subscription(i);
    m.no_refs = arg >> 6 == 3;
    break;
  default:
    if (arg >> 5 == 0) (void)vow_broadcast_close(m.broadcast[i]);
    if (arg >> 5 != 1) break;
    vow_broadcast_free(m.broadcast[i]);
    m.broadcast[i] = NULL;
    break;
  }
}

static void do_latest(frame_t *fr, unsigned op, unsigned arg) {
  vow_latest_t *l = latest_at();
  uint64_t version = 0, again = 0;
  switch (op % 4) {
  case 0:
    use(fr, arg, vow_latest_changed(l, (arg >> 3) % 4));
    break;
  case 1:
    (void)vow_latest_get(l, &version);
    if (vow_latest_set(l, item_new(&shared_type)) != 0) break;
    (void)vow_latest_get(l, &again);
    REQUIRE(again == version + 1);
    break;
  case 2:
    (void)vow_latest_get(l, &version);
    use(fr, arg, vow_latest_changed(l, version));
    break;
  default:
    if (arg >> 5 == 0) (void)vow_latest_close(l);
    if (arg >> 5 != 1) break;
    vow_latest_free(l);
    m.latest = NULL;
    break;
  }
}

/* ---- select ---------------------------------------------------------------
 */

static vow_case_t case_of(unsigned kind, unsigned bits) {
  size_t i = bits % FEW;
  vow_future_t *f;
  switch (kind % 8) {
  case 0:
  case 1:
    return vow_case_get(queue_at(i, bits));
  case 2:
  case 3:
    return vow_case_put_priority(queue_at(i, bits), item_new(&item_type),
                                 bits >> 4);
  case 4:
    return vow_case_next(subscription_at(i, bits));
  case 5:
    return vow_case_send(broadcast_at(i, bits), item_new(&shared_type));
  case 6:
    return vow_case_changed(latest_at(), (bits >> 3) % 4);
  default:
    f = take_slot(bits);
    return vow_case_future(f != NULL ? f : vow_sleep(m.loop, bits % 4));
  }
}

/* Behind it stands a byte for each case. */
static void do_select(frame_t *fr, unsigned op, unsigned arg) {
  vow_case_t cases[4];
  size_t n = op % 5;
  for (size_t i = 0; i < n; i++) {
    unsigned byte = fuzz_byte(&fr->in);
    cases[i] = case_of(byte & 7, byte >> 3);
  }
  use(fr, arg, vow_select(m.loop, n, cases));
}

#endif

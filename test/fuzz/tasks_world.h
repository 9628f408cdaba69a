/* SPDX-License-Identifier: MIT */
/* The world that the programs of fuzz_tasks.c act in: objects in slots, items
 * that are counted, and the one who reads the program. Objects are made when
 * they are first used, and are NULL when that failed. */
#ifndef VOW_TEST_FUZZ_TASKS_WORLD_H
#define VOW_TEST_FUZZ_TASKS_WORLD_H

#include "fuzz/fuzz.h"

#include <string.h>
#include <uv.h>

#define FUTURES   8
#define FEW       3
#define STEPS_MAX 256
#define TASKS_MAX 48
#define PERMITS   3

/** The machine; there is one at a time. */
typedef struct machine {
  vow_loop_t *loop;
  fuzz_input_t in;
  size_t steps; /* of all who execute */
  size_t tasks_started;
  long tasks;    /* under way */
  long args;     /* given and not released */
  long items;    /* made and not destroyed */
  uint64_t last; /* number given to an item, in the order of asking */
  bool no_refs;  /* items cannot be shared, as if for want of memory */
  bool detached; /* something goes on that nobody has */
  bool ending;
  bool mutexes_gone;

  vow_future_t *future[FUTURES];
  vow_future_t *word[FEW]; /* of started tasks; not for them to await */
  vow_token_t *token[FEW];
  bool token_kept[FEW]; /* a future of the token needs it until the end */
  vow_group_t *group[FEW];
  vow_iter_t *iter[FEW];

  vow_mutex_t *mutex[2];
  size_t condition_waits[2]; /* with that mutex */
  vow_semaphore_t *semaphore[2];
  vow_event_t *event[2];
  vow_condition_t *condition[2];
  vow_queue_t *queue[FEW];
  bool queue_kept[FEW]; /* it has had an iterator */
  uint64_t queue_seen[FEW];
  vow_broadcast_t *broadcast[FEW];
  vow_subscription_t *subscription[FEW];
  uint64_t subscription_seen[FEW];
  vow_latest_t *latest;
} machine_t;

static machine_t m;

/* ---- items ----------------------------------------------------------------
 */

typedef struct item {
  uint64_t number;
  long refs;
} item_t;

/* Once too often is a use after free, which the sanitizer sees. */
static void item_destroy(void *p) {
  item_t *item = p;
  if (--item->refs > 0) return;
  m.items--;
  free(item);
}

static void *item_ref(void *p) {
  if (m.no_refs) return NULL;
  ((item_t *)p)->refs++;
  return p;
}

static const vow_type_t item_type = {"item", item_destroy, NULL, NULL};
static const vow_type_t shared_type = {"shared item", item_destroy, item_ref,
                                       NULL};

static vow_value_t item_new(const vow_type_t *type) {
  item_t *item = malloc(sizeof *item);
  REQUIRE(item != NULL);
  item->number = ++m.last;
  item->refs = 1;
  m.items++;
  return vow_ptr(item, type);
}

/* v came behind what the number stands for. */
static void item_in_order(vow_value_t v, uint64_t *seen) {
  const item_t *item = v.as.p;
  if (v.type != &item_type && v.type != &shared_type) return;
  REQUIRE(item->number > *seen);
  *seen = item->number;
}

/* ---- who executes ---------------------------------------------------------
 */

/** What a task or a clean-up is given: where its program begins. */
typedef struct arg {
  size_t at;
  unsigned budget;
  unsigned depth; /* scopes and clean-ups around it */
  bool in_generator;
  vow_group_t *group; /* whose member it is, or NULL */
} arg_t;

static arg_t *arg_new(size_t at, unsigned budget, vow_group_t *group) {
  arg_t *a = malloc(sizeof *a);
  REQUIRE(a != NULL);
  a->at = at;
  a->budget = budget;
  a->depth = 0;
  a->in_generator = false;
  a->group = group;
  m.args++;
  return a;
}

static void arg_drop(void *p) {
  m.args--;
  free(p);
}

/** Who executes: the main program, a task's body, a scope, a clean-up. What it
 *  holds by hand it releases at its end. */
typedef struct frame {
  fuzz_input_t in;
  unsigned budget, depth;
  bool in_task, in_generator, in_starter, in_cleanup;
  vow_group_t *group;  /* whose member it is */
  vow_group_t *opened; /* vow_group_open's */
  vow_mutex_t *held;
  size_t held_slot;
  vow_semaphore_t *permits_of;
  size_t permits;
} frame_t;

static void frame_release(frame_t *f) {
  if (f->held != NULL) REQUIRE(vow_mutex_release(f->held) == 0);
  if (f->permits > 0)
    REQUIRE(vow_semaphore_release(f->permits_of, f->permits) == 0);
  f->held = NULL;
  f->permits = 0;
}

/* ---- futures --------------------------------------------------------------
 */

static vow_future_t *take_slot(unsigned bits) {
  vow_future_t *f = m.future[bits % FUTURES];
  m.future[bits % FUTURES] = NULL;
  return f;
}

static void put_slot(unsigned bits, vow_future_t *f) {
  vow_future_t *former = m.future[bits % FUTURES];
  REQUIRE(f != NULL);
  m.future[bits % FUTURES] = f;
  vow_drop(former);
}

/** Ends a value that an await or a slot has given. */
static void end_value(vow_value_t v) {
  vow_value_t item;
  size_t which;
  if (v.type != &vow_type_selected) {
    vow_value_destroy(v);
    return;
  }
  if (vow_selected_reclaim(v, &item) == 0) vow_value_destroy(item);
  v = vow_selected(v, &which);
  REQUIRE(which != SIZE_MAX);
  vow_value_destroy(v);
}

static vow_value_t await_body(void *p) {
  return vow_await(p);
}

/** What becomes of f: it goes into a slot, is awaited, awaited whatever
 *  happens, or dropped. */
static void use(frame_t *fr, unsigned bits, vow_future_t *f) {
  REQUIRE(f != NULL);
  switch (bits >> 6) {
  case 0:
    put_slot(bits, f);
    break;
  case 1:
    if (fr->in_task)
      end_value(vow_await(f));
    else
      put_slot(bits, f);
    break;
  case 2:
    if (fr->in_task && (bits & 32) != 0)
      end_value(vow_shielded(await_body, f));
    else if (fr->in_task)
      (void)vow_await_status(f);
    else
      put_slot(bits, f);
    break;
  default:
    vow_drop(f);
    break;
  }
}

/* ---- objects --------------------------------------------------------------
 */

static vow_mutex_t *mutex_at(size_t i) {
  if (m.mutex[i] == NULL && !m.ending) m.mutex[i] = vow_mutex_new(m.loop);
  return m.mutex[i];
}

static vow_semaphore_t *semaphore_at(size_t i) {
  if (m.semaphore[i] == NULL && !m.ending)
    m.semaphore[i] = vow_semaphore_new(m.loop, PERMITS);
  return m.semaphore[i];
}

static vow_event_t *event_at(size_t i) {
  if (m.event[i] == NULL && !m.ending) m.event[i] = vow_event_new(m.loop);
  return m.event[i];
}

static vow_condition_t *condition_at(size_t i) {
  if (m.condition[i] == NULL && !m.ending)
    m.condition[i] = vow_condition_new(m.loop);
  return m.condition[i];
}

/* One of each order. */
static vow_queue_t *queue_at(size_t i, unsigned bits) {
  static const size_t capacities[] = {0, 1, 2, VOW_UNBOUNDED};
  if (m.queue[i] == NULL && !m.ending) {
    m.queue[i] = vow_queue_new(m.loop, (vow_queue_order_t)i,
                               capacities[(bits >> 3) % 4]);
    m.queue_seen[i] = 0;
  }
  return m.queue[i];
}

/* One of each way to treat readers that lag. */
static vow_broadcast_t *broadcast_at(size_t i, unsigned bits) {
  if (m.broadcast[i] == NULL && !m.ending)
    m.broadcast[i] =
        vow_broadcast_new(m.loop, 1 + (bits >> 3) % 3, (vow_lag_t)i);
  return m.broadcast[i];
}

static vow_subscription_t *subscription_at(size_t i, unsigned bits) {
  if (m.subscription[i] == NULL && !m.ending &&
      broadcast_at((bits >> 4) % FEW, bits) != NULL) {
    m.subscription[i] = vow_broadcast_subscribe(m.broadcast[(bits >> 4) % FEW]);
    m.subscription_seen[i] = 0;
  }
  return m.subscription[i];
}

static vow_latest_t *latest_at(void) {
  if (m.latest == NULL && !m.ending)
    m.latest = vow_latest_new(m.loop, item_new(&shared_type));
  return m.latest;
}

#endif

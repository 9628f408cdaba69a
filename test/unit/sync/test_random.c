/* SPDX-License-Identifier: MIT */
/* Random programs on locks, compared after each step with a model that is a
 * plain array. A mutex is a semaphore of one permit to the model, a read-write
 * lock one of very many, of which a writer takes all. The seed of a program
 * that fails is printed; VOW_SEED=seed runs that one alone. */
#include "support/seeds.h"
#include "unit/sync/helpers.h"

#include <vow/condition.h>
#include <vow/rwlock.h>
#include <vow/semaphore.h>

#define PLACES 24
#define STEPS  200

typedef enum phase {
  GONE,
  SLEEPING, /* for a condition */
  IN_LINE,
  GRANTED,
  ENDED /* cancelled or failed */
} phase_t;

/* What the model knows of the future at the same place in the pool. */
typedef struct entry {
  phase_t phase;
  size_t n;
  uint64_t ticket; /* the order in its line */
  bool counts;     /* a notify is to be passed on */
} entry_t;

static struct {
  uint64_t state;
  vow_loop_t *loop;
  vow_future_t *f[PLACES];
  entry_t model[PLACES];
  size_t capacity;
  size_t available;
  uint64_t tickets;
  size_t by_hand[PLACES]; /* permits each, of those taken out */
} r;

static uint32_t below(uint32_t n) {
  return next_below(&r.state, n);
}

/* ---- the model ------------------------------------------------------------ */

static entry_t *model_first(phase_t phase) {
  entry_t *first = NULL;
  for (size_t i = 0; i < PLACES; i++) {
    entry_t *e = &r.model[i];
    if (e->phase == phase && (first == NULL || e->ticket < first->ticket))
      first = e;
  }
  return first;
}

static void model_serve(void) {
  entry_t *e;
  while ((e = model_first(IN_LINE)) != NULL && e->n <= r.available) {
    e->phase = GRANTED;
    r.available -= e->n;
  }
}

static void model_enter(entry_t *e, phase_t phase, size_t n) {
  *e = (entry_t){.phase = phase, .n = n, .ticket = r.tickets++};
  model_serve();
}

static void model_give_back(size_t n) {
  r.available += n;
  model_serve();
}

static void model_notify(size_t n, bool counts) {
  entry_t *e;
  while (n-- > 0 && (e = model_first(SLEEPING)) != NULL) {
    model_enter(e, IN_LINE, 1);
    e->counts = counts;
  }
}

/* Leaves its line when it waits; gone: gives back what it was granted. */
static void model_leave(entry_t *e, bool gone) {
  phase_t was = e->phase;
  if (was == SLEEPING || was == IN_LINE) e->phase = ENDED;
  if (was == IN_LINE && e->counts) model_notify(1, true);
  if (gone) {
    e->phase = GONE;
    if (was == GRANTED) model_give_back(e->n);
  }
  model_serve();
}

static void compare(void) {
  static const vow_state_t state[] = {[SLEEPING] = VOW_PENDING,
                                      [IN_LINE] = VOW_PENDING,
                                      [GRANTED] = VOW_SUCCEEDED,
                                      [ENDED] = VOW_CANCELLED};
  /* An assertion each would be most of the time that a program takes. */
  for (size_t i = 0; i < PLACES; i++) {
    phase_t phase = r.model[i].phase;
    if (phase == GONE ? r.f[i] != NULL : vow_state(r.f[i]) != state[phase])
      ck_abort_msg("place %zu: phase %d, but state %d", i, phase,
                   vow_state(r.f[i]));
  }
}

/* ---- locks seen as semaphores --------------------------------------------- */

typedef struct binding {
  size_t capacity;
  size_t most; /* that is asked for */
  void *(*make)(vow_loop_t *loop);
  vow_future_t *(*acquire)(void *lock, size_t n);
  bool (*try_acquire)(void *lock, size_t n);
  void (*release)(void *lock, size_t n);
  void *(*hold)(vow_value_t v);
  size_t (*waiting)(void *lock);
  void (*free)(void *lock);
} binding_t;

static void *mutex_make(vow_loop_t *loop) {
  return vow_mutex_new(loop);
}

static vow_future_t *mutex_acquire(void *lock, size_t n) {
  (void)n;
  return vow_mutex_acquire(lock);
}

static bool mutex_try(void *lock, size_t n) {
  (void)n;
  return vow_mutex_try_acquire(lock);
}

static void mutex_release(void *lock, size_t n) {
  (void)n;
  ck_assert_int_eq(vow_mutex_release(lock), 0);
}

static void *mutex_hold(vow_value_t v) {
  return vow_mutex_hold(v);
}

static size_t mutex_waiting(void *lock) {
  return vow_mutex_waiting(lock);
}

static void mutex_free(void *lock) {
  vow_mutex_free(lock);
}

#define BINDING(name, all, largest)                         \
  static const binding_t name = {.capacity = (all),         \
                                 .most = (largest),         \
                                 .make = name##_make,       \
                                 .acquire = name##_acquire, \
                                 .try_acquire = name##_try, \
                                 .release = name##_release, \
                                 .hold = name##_hold,       \
                                 .waiting = name##_waiting, \
                                 .free = name##_free}

BINDING(mutex, 1, 1);

#define SEMAPHORE_PERMITS 5

static void *semaphore_make(vow_loop_t *loop) {
  return vow_semaphore_new(loop, SEMAPHORE_PERMITS);
}

static vow_future_t *semaphore_acquire(void *lock, size_t n) {
  return vow_semaphore_acquire(lock, n);
}

static bool semaphore_try(void *lock, size_t n) {
  return vow_semaphore_try_acquire(lock, n);
}

static void semaphore_release(void *lock, size_t n) {
  ck_assert_int_eq(vow_semaphore_release(lock, n), 0);
}

static void *semaphore_hold(vow_value_t v) {
  return vow_semaphore_hold(v, NULL);
}

static size_t semaphore_waiting(void *lock) {
  ck_assert_uint_eq(vow_semaphore_available(lock), r.available);
  return vow_semaphore_waiting(lock);
}

static void semaphore_free(void *lock) {
  vow_semaphore_free(lock);
}

BINDING(semaphore, SEMAPHORE_PERMITS, SEMAPHORE_PERMITS);

#define ALL (size_t)1000

static void *rwlock_make(vow_loop_t *loop) {
  return vow_rwlock_new(loop);
}

static vow_future_t *rwlock_acquire(void *lock, size_t n) {
  return n == ALL ? vow_rwlock_write(lock) : vow_rwlock_read(lock);
}

static bool rwlock_try(void *lock, size_t n) {
  return n == ALL ? vow_rwlock_try_write(lock) : vow_rwlock_try_read(lock);
}

static void rwlock_release(void *lock, size_t n) {
  if (n == ALL)
    ck_assert_int_eq(vow_rwlock_release_write(lock), 0);
  else
    ck_assert_int_eq(vow_rwlock_release_read(lock), 0);
}

static void *rwlock_hold(vow_value_t v) {
  return vow_rwlock_hold(v, NULL);
}

static size_t rwlock_waiting(void *lock) {
  ck_assert_uint_eq(ALL - (vow_rwlock_is_written(lock) ? ALL : 0u) -
                        vow_rwlock_readers(lock),
                    r.available);
  return vow_rwlock_waiting(lock);
}

static void rwlock_free(void *lock) {
  vow_rwlock_free(lock);
}

BINDING(rwlock, ALL, 1);

/* ---- programs of one lock ------------------------------------------------- */

static size_t amount(const binding_t *b) {
  if (b->capacity == ALL) return below(3) == 0 ? ALL : 1;
  return 1 + below((uint32_t)b->most);
}

static void give_up(size_t i, bool gone) {
  if (r.f[i] == NULL) return;
  if (gone)
    drop_at(r.f, i);
  else
    vow_cancel(r.f[i]);
  model_leave(&r.model[i], gone);
}

static void take_by_hand(const binding_t *b, void *lock, size_t i) {
  size_t n = amount(b);
  if (r.by_hand[i] > 0) {
    n = r.by_hand[i];
    r.by_hand[i] = 0;
    b->release(lock, n);
    model_give_back(n);
  } else if (r.f[i] != NULL && r.model[i].phase == GRANTED) {
    ck_assert_ptr_eq(b->hold(vow_outcome(r.f[i])), lock);
    drop_at(r.f, i);
    r.model[i].phase = GONE;
    r.by_hand[i] = r.model[i].n;
  } else {
    bool may = model_first(IN_LINE) == NULL && n <= r.available;
    ck_assert_int_eq(b->try_acquire(lock, n), may);
    if (!may) return;
    r.by_hand[i] = n;
    r.available -= n;
  }
}

static void lock_step(const binding_t *b, void *lock) {
  size_t i = below(PLACES), n;
  switch (below(8)) {
  case 0:
    give_up(i, false);
    break;
  case 1:
  case 2:
    give_up(i, true);
    break;
  case 3:
  case 4:
    take_by_hand(b, lock, i);
    break;
  case 5:
    manual_drain(r.loop);
    break;
  default:
    if (r.f[i] != NULL) return;
    n = amount(b);
    r.f[i] = b->acquire(lock, n);
    model_enter(&r.model[i], IN_LINE, n);
  }
}

static void let_go(const binding_t *b, void *lock, size_t i) {
  (void)vow_status(r.f[i]);
  drop_at(r.f, i);
  if (r.by_hand[i] > 0) b->release(lock, r.by_hand[i]);
  r.by_hand[i] = 0;
}

/* Everything is given up, in any order; or the lock is freed first. */
static void lock_end(const binding_t *b, void *lock) {
  bool freed = below(2) == 0;
  if (freed) b->free(lock);
  for (size_t n = PLACES; n > 0; n--) let_go(b, lock, below(PLACES));
  for (size_t i = 0; i < PLACES; i++) let_go(b, lock, i);
  if (freed) return;
  r.available = r.capacity;
  ck_assert_uint_eq(b->waiting(lock), 0);
  ck_assert(b->try_acquire(lock, b->capacity)); /* rule 20: all are back */
  b->release(lock, b->capacity);
  b->free(lock);
}

static void begin(uint64_t seed, size_t capacity) {
  memset(&r, 0, sizeof r);
  r.state = seed;
  r.loop = manual_loop();
  r.capacity = r.available = capacity;
}

static void lock_program(uint64_t seed, const void *arg) {
  const binding_t *b = arg;
  void *lock;
  begin(seed, b->capacity);
  lock = b->make(r.loop);
  for (int step = 0; step < STEPS; step++) {
    size_t waiting = 0;
    lock_step(b, lock);
    compare();
    for (size_t i = 0; i < PLACES; i++) waiting += r.model[i].phase == IN_LINE;
    ck_assert_uint_eq(b->waiting(lock), waiting);
  }
  lock_end(b, lock);
  manual_done(r.loop);
}

/* ---- programs of a mutex and a condition ---------------------------------- */

static void go_to_sleep(vow_condition_t *c, size_t i) {
  vow_value_t permit = vow_outcome(r.f[i]);
  vow_drop(r.f[i]);
  r.f[i] = vow_condition_wait_permit(c, permit);
  model_enter(&r.model[i], SLEEPING, 1);
  model_give_back(1);
}

static void condition_step(vow_mutex_t *m, vow_condition_t *c) {
  size_t i = below(PLACES), n = below(4);
  switch (below(8)) {
  case 0:
    give_up(i, false);
    break;
  case 1:
    give_up(i, true);
    break;
  case 2:
    vow_condition_notify(c, n);
    model_notify(n, true);
    break;
  case 3:
    if (n > 0) break;
    vow_condition_notify_all(c);
    model_notify(PLACES, false);
    break;
  case 4:
    manual_drain(r.loop);
    break;
  default:
    if (r.f[i] == NULL) {
      r.f[i] = vow_mutex_acquire(m);
      model_enter(&r.model[i], IN_LINE, 1);
    } else if (r.model[i].phase == GRANTED) {
      go_to_sleep(c, i);
    }
  }
}

/* Rule 21: who is woken, and by whom a notify is inherited. */
static void condition_program(uint64_t seed, const void *arg) {
  vow_mutex_t *m;
  vow_condition_t *c;
  (void)arg;
  begin(seed, 1);
  m = vow_mutex_new(r.loop);
  c = vow_condition_new(r.loop);
  for (int step = 0; step < STEPS; step++) {
    size_t asleep = 0;
    condition_step(m, c);
    compare();
    for (size_t i = 0; i < PLACES; i++) asleep += r.model[i].phase == SLEEPING;
    ck_assert_uint_eq(vow_condition_waiting(c), asleep);
    ck_assert_int_eq(vow_mutex_is_held(m), r.available == 0);
  }
  for (size_t i = 0; i < PLACES; i++) give_up(i, true);
  ck_assert(!vow_mutex_is_held(m));
  vow_condition_free(c);
  vow_mutex_free(m);
  manual_done(r.loop);
}

/* ---- the tests ------------------------------------------------------------ */

TEST(test_random_mutex_programs_do_as_the_model_does) {
  seeds_run(test_scale(2000), lock_program, &mutex);
}

TEST(test_random_semaphore_programs_do_as_the_model_does) {
  seeds_run(test_scale(2000), lock_program, &semaphore);
}

TEST(test_random_rwlock_programs_do_as_the_model_does) {
  seeds_run(test_scale(2000), lock_program, &rwlock);
}

TEST(test_random_condition_programs_do_as_the_model_does) {
  seeds_run(test_scale(2000), condition_program, NULL);
}

SUITE(sync_random) {
  SEEDS_FIXTURE();
  ADD(test_random_mutex_programs_do_as_the_model_does);
  ADD(test_random_semaphore_programs_do_as_the_model_does);
  ADD(test_random_rwlock_programs_do_as_the_model_does);
  ADD(test_random_condition_programs_do_as_the_model_does);
}

/* SPDX-License-Identifier: MIT */
/* The manual driver. Nothing in here reads a real clock.
 *
 * How this works: turn() does the first of these that applies: take in what
 * other threads posted; drain what is ready; jump to the next deadline; sleep
 * until another thread posts. So a loop that only waits for timers runs
 * through hours at once. */
#include "support/manual.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef VOW_NO_CHECK
#define REQUIRE(cond)                                                    \
  do {                                                                   \
    if (!(cond)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
      abort();                                                           \
    }                                                                    \
  } while (0)
#else
#include "support/test.h"
#define REQUIRE(cond) ck_assert(cond)
#endif

#define START_MS    UINT64_C(1000)
#define NS_PER_MS   UINT64_C(1000000)
#define CLOSE_GRACE 1000

typedef struct manual_driver {
  vow_driver_t base;
  vow_loop_t *loop; /* set right after the loop exists */
  uint64_t now_ms;
  uint64_t wish_ms;
  size_t soon_count;
  atomic_size_t remote_count;
  pthread_mutex_t lock; /* guards posted */
  pthread_cond_t wake;
  bool posted;
} manual_driver_t;

static manual_driver_t *of(vow_driver_t *d) {
  return (manual_driver_t *)(void *)d;
}

static manual_driver_t *driver_of(vow_loop_t *loop) {
  return of(vow_loop_driver(loop));
}

static uint64_t manual_now_ns(vow_driver_t *d) {
  return of(d)->now_ms * NS_PER_MS;
}

static void manual_wake_at(vow_driver_t *d, uint64_t deadline_ms) {
  of(d)->wish_ms = deadline_ms;
}

static void manual_wake_soon(vow_driver_t *d) {
  of(d)->soon_count++;
}

static void manual_wake_remote(vow_driver_t *d) {
  manual_driver_t *m = of(d);
  atomic_fetch_add(&m->remote_count, 1);
  pthread_mutex_lock(&m->lock);
  m->posted = true;
  pthread_cond_signal(&m->wake);
  pthread_mutex_unlock(&m->lock);
}

/* True when another thread posted since the last call; waits for it if asked
 * to. */
static bool take_posted(manual_driver_t *m, bool wait) {
  bool posted;
  pthread_mutex_lock(&m->lock);
  while (wait && !m->posted) pthread_cond_wait(&m->wake, &m->lock);
  posted = m->posted;
  m->posted = false;
  pthread_mutex_unlock(&m->lock);
  return posted;
}

static void receive(manual_driver_t *m) {
  vow_loop_receive(m->loop);
  vow_loop_drain(m->loop);
}

static void jump_to(manual_driver_t *m, uint64_t deadline_ms) {
  if (deadline_ms > m->now_ms) m->now_ms = deadline_ms;
  vow_loop_expire(m->loop);
  vow_loop_drain(m->loop);
}

static bool manual_turn(vow_driver_t *d, bool wait, bool remote) {
  manual_driver_t *m = of(d);
  uint64_t next_ms;
  if (take_posted(m, false)) {
    receive(m);
    return true;
  }
  if (vow_loop_has_ready(m->loop)) {
    vow_loop_drain(m->loop);
    return true;
  }
  next_ms = vow_loop_next_ms(m->loop);
  if (next_ms != UINT64_MAX) {
    if (wait || next_ms <= m->now_ms) jump_to(m, next_ms);
    return true;
  }
  if (!remote) return false;
  if (wait && take_posted(m, true)) receive(m);
  return true;
}

static int manual_driver_close(vow_driver_t *d, vow_stuck_cb stuck, void *arg) {
  (void)d;
  (void)stuck;
  (void)arg;
  return 0;
}

static void manual_destroy(vow_driver_t *d) {
  manual_driver_t *m = of(d);
  pthread_cond_destroy(&m->wake);
  pthread_mutex_destroy(&m->lock);
  free(m);
}

static manual_driver_t *driver_new(void) {
  manual_driver_t *m = calloc(1, sizeof *m);
  REQUIRE(m != NULL);
  m->base.now_ns = manual_now_ns;
  m->base.wake_at = manual_wake_at;
  m->base.wake_soon = manual_wake_soon;
  m->base.wake_remote = manual_wake_remote;
  m->base.turn = manual_turn;
  m->base.close = manual_driver_close;
  m->base.destroy = manual_destroy;
  m->now_ms = START_MS;
  m->wish_ms = UINT64_MAX;
  pthread_mutex_init(&m->lock, NULL);
  pthread_cond_init(&m->wake, NULL);
  return m;
}

vow_loop_t *manual_loop_with(const vow_loop_options_t *options) {
  manual_driver_t *m = driver_new();
  if (vow_loop_new_driver(&m->base, options, &m->loop) != 0) {
    manual_destroy(&m->base);
    return NULL;
  }
  return m->loop;
}

vow_loop_t *manual_loop(void) {
  vow_loop_t *loop = manual_loop_with(NULL);
  REQUIRE(loop != NULL);
  return loop;
}

vow_loop_t *manual_loop_probe(void) {
  vow_loop_options_t options = {0};
  options.probe_cells = true;
  return manual_loop_with(&options);
}

void manual_drain(vow_loop_t *loop) {
  manual_driver_t *m = driver_of(loop);
  for (;;) {
    if (take_posted(m, false)) {
      receive(m);
    } else if (vow_loop_has_ready(loop)) {
      vow_loop_drain(loop);
    } else {
      return;
    }
  }
}

void manual_advance(vow_loop_t *loop, uint64_t ms) {
  manual_driver_t *m = driver_of(loop);
  uint64_t end_ms = m->now_ms + ms;
  uint64_t next_ms;
  manual_drain(loop);
  while ((next_ms = vow_loop_next_ms(loop)) <= end_ms) {
    jump_to(m, next_ms);
    manual_drain(loop);
  }
  m->now_ms = end_ms;
}

void manual_close(vow_loop_t *loop) {
  REQUIRE(vow_loop_close(loop, CLOSE_GRACE) == 0);
}

void manual_done(vow_loop_t *loop) {
  manual_drain(loop);
  REQUIRE(vow_loop_live(loop) == 0);
  manual_close(loop);
}

size_t manual_soon_count(vow_loop_t *loop) {
  return driver_of(loop)->soon_count;
}

size_t manual_remote_count(vow_loop_t *loop) {
  return atomic_load(&driver_of(loop)->remote_count);
}

uint64_t manual_wish_ms(vow_loop_t *loop) {
  return driver_of(loop)->wish_ms;
}

/* SPDX-License-Identifier: MIT */
/* What a test leaves behind, and what went unseen. */
#include "check/kit.h"

#include <vow/time.h>

#include <stdlib.h>

#define TOLD_MAX    20
#define GRACE_MS    1000
#define REAL_ROUNDS 50 /* of a millisecond, by the clock of the wall */
#define NET_ROUNDS  1000
#define THREADS_MS  2000

/* ---- clean-up of the test's helpers --------------------------------------- */

struct vow__at_end {
  vow__at_end_t *next;
  void (*fn)(void *arg);
  void *arg;
};

void vow_check_at_end_at(const char *site, void (*fn)(void *arg), void *arg) {
  vow__kit_t *k = vow__kit();
  vow__at_end_t *e;
  if (k == NULL) vow__kit_fail(site, "vow_check_at_end: no test runs");
  e = vow__kit_alloc(sizeof *e);
  e->next = k->at_end;
  e->fn = fn;
  e->arg = arg;
  k->at_end = e;
}

void vow__at_end_run(vow__kit_t *k) {
  while (k->at_end != NULL) {
    vow__at_end_t *e = k->at_end, now = *e;
    k->at_end = now.next;
    free(e);
    now.fn(now.arg); /* an assertion does not come back */
  }
}

/* ---- the loop's hooks ----------------------------------------------------- */

static void on_unhandled(vow_future_t *f, void *arg) {
  vow__kit_t *k = arg;
  char story[2048];
  if (vow__kit_is_disturbed(k)) return;
  vow__memory_pause();
  (void)vow_error(f); /* gives a plain code its origin */
  vow__memory_resume();
  vow_error_format(vow_peek(f), story, sizeof story);
  vow_check_complain(k->site,
                     "nobody saw this failure, last held by the future made "
                     "at %s: %s",
                     vow_site(f), story);
}

/* Collects into k->complaints, which has its heading. */
static void on_stuck(const char *what, const char *site, void *arg) {
  vow__kit_t *k = arg;
  vow__text_add(&k->complaints, "\n  %s, made at %s", what, site);
}

static void on_leak(vow_future_t *f, const char *what, const char *site,
                    void *arg) {
  (void)f;
  (void)what;
  (void)site;
  (void)arg; /* told before the loop was closed */
}

void vow__left_options(vow__kit_t *k, vow_loop_options_t *o) {
  o->on_unhandled = on_unhandled;
  o->on_unhandled_arg = k;
  o->on_stuck = on_stuck;
  o->on_stuck_arg = k;
  o->on_leak = on_leak;
}

/* ---- other loops ---------------------------------------------------------- */

static void on_other_unhandled(vow_future_t *f, void *arg) {
  (void)arg;
  if (vow__kit() != NULL) on_unhandled(f, vow__kit());
}

static void on_other_stuck(const char *what, const char *site, void *arg) {
  (void)arg;
  vow_check_complain(site,
                     "a loop of the test's leaves what does not end: %s, "
                     "made at %s",
                     what, site);
}

static void on_other_leak(vow_future_t *f, const char *what, const char *site,
                          void *arg) {
  (void)f;
  (void)arg;
  vow_check_complain(site,
                     "a loop of the test's leaves a future: %s, made at "
                     "%s",
                     what, site);
}

void vow_check_watch_loop_at(const char *site, vow_loop_options_t *options) {
  if (vow__kit() == NULL)
    vow__kit_fail(site, "vow_check_watch_loop: no test runs");
  options->on_unhandled = on_other_unhandled;
  options->on_unhandled_arg = NULL;
  options->on_stuck = on_other_stuck;
  options->on_stuck_arg = NULL;
  options->on_leak = on_other_leak;
  options->on_leak_arg = NULL;
}

/* ---- futures -------------------------------------------------------------- */

typedef struct listing {
  vow__text_t *text;
  size_t count;
} listing_t;

static void add_future(vow_future_t *f, const char *what, const char *site,
                       vow_state_t state, void *arg) {
  static const char *const states[] = {"pending", "succeeded", "failed",
                                       "cancelled"};
  listing_t *l = arg;
  (void)f;
  if (l->count++ < TOLD_MAX)
    vow__text_add(l->text, "\n  %s, %s, made at %s", what, states[state], site);
}

static void find_futures(vow__kit_t *k) {
  listing_t l = {&k->complaints, 0};
  if (vow_loop_live(k->loop) == 0) return;
  vow_check_complain(k->site, "%s leaves futures:", k->name);
  vow_loop_each(k->loop, add_future, &l);
  if (l.count > TOLD_MAX)
    vow__text_add(&k->complaints, "\n  %zu more", l.count - TOLD_MAX);
}

/* ---- the end -------------------------------------------------------------- */

typedef struct pause {
  vow_timer_t timer;
  vow__kit_t *kit;
} pause_t;

static void on_passed(vow_timer_t *t) {
  vow__kit_over(((pause_t *)(void *)t)->kit);
}

/* Until so much time has passed, or nothing can happen while the clock is held.
 * False: the watchdog barked, or another thread has failed. */
static bool pass(vow__kit_t *k, uint64_t ms) {
  vow_future_t *over = vow_promise_new_at(VOW__KIT_SITE, k->loop, &k->over);
  pause_t *p = vow__kit_alloc(sizeof *p); /* an assertion leaves it */
  p->kit = k;
  if (vow_timer_start(k->loop, &p->timer, vow_deadline_ms(k->loop, ms),
                      on_passed) != 0)
    abort(); /* the kit's memory does not fail */
  (void)vow_loop_run_until(k->loop, over);
  vow_timer_stop(k->loop, &p->timer);
  free(p);
  if (k->parked) return false;
  if (k->over != NULL) vow__kit_over(k);
  vow_drop(over);
  return true;
}

/* Until all that is under way has ended and nothing is ready: real work of
 * libuv's holds a virtual clock. Then, until what was sent has arrived. */
static void quiet(vow__kit_t *k) {
  int rounds = k->options.real_time ? REAL_ROUNDS : 1;
  uint64_t ms;
  if (!k->options.real_time) vow_loop_hold_clock(k->loop, true);
  while (rounds-- > 0 && pass(k, 1) && vow_loop_live(k->loop) > 0) {
  }
  if (!k->options.real_time) vow_loop_hold_clock(k->loop, false);
  for (rounds = 0; rounds < NET_ROUNDS; rounds++) {
    ms = k->parked ? 0 : vow__nets_busy_ms(k);
    if (ms == 0 || !pass(k, ms)) return;
  }
}

static int close_loop(vow__kit_t *k) {
  size_t before = k->complaints.length;
  int err;
  vow__watchdog_stop(k);
  if (before == 0) k->complaints_site = k->site;
  vow__text_add(&k->complaints,
                "%s%s leaves what does not end:", before > 0 ? "\n" : "",
                k->name);
  err = vow_loop_close(k->loop, GRACE_MS);
  if (err == 0 || k->failed) { /* then it is the failure's doing */
    k->complaints.length = before;
    k->complaints.data[before] = '\0';
  }
  return err;
}

/* Threads that are about to end may have some: those of a pool, which the last
 * of them frees. */
static void wait_for_threads(void) {
  uint64_t end_ns =
      uv_hrtime() + vow__scaled_ms(THREADS_MS) * UINT64_C(1000000);
  while (vow__memory_is_left() && vow__count_threads() > 1 &&
         uv_hrtime() < end_ns)
    uv_sleep(1);
}

static void find_memory(vow__kit_t *k) {
  vow__text_t list = {NULL, 0, 0};
  if (k->options.keeps_memory) return;
  vow_task_trim();
  wait_for_threads();
  vow__memory_left(&list);
  if (list.length > 0)
    vow_check_complain(k->site, "%s leaves memory:%s", k->name,
                       vow__text_str(&list));
  vow__text_free(&list);
}

void vow__left_find(vow__kit_t *k) {
  vow__memory_pause();
  quiet(k);
  vow__at_end_run(k);
  vow__thread_end();
  if (k->failed || k->parked) { /* the watchdog, or another thread */
    k->loop = NULL;
    return;
  }
  find_futures(k);
  if (close_loop(k) == 0 && k->complaints.length == 0) find_memory(k);
  k->loop = NULL;
}

void vow__left_forget(vow__kit_t *k) {
  vow__memory_pause();
  vow__thread_end();
  vow__at_end_run(k);
  if (!k->parked) (void)close_loop(k);
  k->loop = NULL;
}

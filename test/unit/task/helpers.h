/* SPDX-License-Identifier: MIT */
/* What the tests of tasks share: bodies, the loop at hand, counted args. */
#ifndef VOW_TEST_TASK_HELPERS_H
#define VOW_TEST_TASK_HELPERS_H

#include "unit/core/helpers.h"

#include <vow/task.h>

/** Of the test at hand. */
static vow_loop_t *loop;

static inline void begin(void) {
  loop = manual_loop();
}

/** Checks that no future is left; then no stack is, either. */
static inline void done(void) {
  manual_done(loop);
  vow_task_trim();
}

/* ---- args that count their release ---------------------------------------- */

static int drops;

static inline void count_drop(void *arg) {
  (void)arg;
  drops++;
}

/* ---- bodies --------------------------------------------------------------- */

static inline vow_value_t give_seven(void *arg) {
  (void)arg;
  return vow_int(7);
}

/** Awaits its arg, a future. */
static inline vow_value_t await_arg(void *arg) {
  return vow_await(arg);
}

/** Notes its arg. */
static inline vow_value_t note_arg(void *arg) {
  note(arg);
  return vow_nil();
}

static inline vow_future_t *nap(uint64_t ms) {
  return vow_sleep(vow_task_loop(), ms);
}

/** Sleeps *arg ms. */
static inline vow_value_t sleep_for(void *arg) {
  uint64_t *ms = arg;
  VOW_TRY_NIL(nap(*ms));
  return vow_nil();
}

/** Clean-up that takes 50 ms, then notes arg, or "disturbed". */
static inline vow_value_t note_slowly(void *arg) {
  int code = vow_await_status(nap(50));
  note(code == 0 ? arg : "disturbed");
  return vow_nil();
}

/** A task with a handle of its own: what vow_go gave, for it to use. */
typedef struct self {
  vow_future_t *f;
  int codes[8];
  size_t n;
} self_t;

static inline void keep_code(self_t *s, int code) {
  ck_assert_uint_lt(s->n, 8);
  s->codes[s->n++] = code;
}

/* ---- what is pending ------------------------------------------------------ */

typedef struct listed {
  const char *what, *site;
  int count;
} listed_t;

/** A vow_stuck_cb, and for vow_loop_each. */
static inline void list_stuck(const char *what, const char *site, void *arg) {
  listed_t *l = arg;
  l->what = what;
  l->site = site;
  l->count++;
}

static inline void list_each(vow_future_t *f, const char *what,
                             const char *site, vow_state_t state, void *arg) {
  (void)f;
  if (state == VOW_PENDING) list_stuck(what, site, arg);
}

#endif

/* SPDX-License-Identifier: MIT */
/* What the tests of the core share: counted values and args, promises in
 * pairs, a written order of events, checks of an outcome. Only public headers
 * come in here. */
#ifndef VOW_TEST_CORE_HELPERS_H
#define VOW_TEST_CORE_HELPERS_H

#include "support/capture.h"
#include "support/fault.h"
#include "support/manual.h"
#include "support/test.h"

#include <unistd.h>
#include <uv.h>

/* ---- values that are counted ----------------------------------------------
 */

/** Counted; a second destroy of the same one is a double free. */
typedef struct thing {
  int holders;
  int tag;
} thing_t;

static int things_live;

static inline void thing_destroy(void *p) {
  thing_t *t = p;
  if (--t->holders > 0) return;
  things_live--;
  free(t);
}

static inline void *thing_ref(void *p) {
  ((thing_t *)p)->holders++;
  return p;
}

static inline void *thing_no_ref(void *p) {
  (void)p;
  return NULL;
}

/** Cannot be shared; can be; could be, but for want of memory is not. */
static const vow_type_t type_once = {"once", thing_destroy, NULL, NULL};
static const vow_type_t type_many = {"many", thing_destroy, thing_ref, NULL};
static const vow_type_t type_poor = {"poor", thing_destroy, thing_no_ref, NULL};

static inline vow_value_t thing_of(const vow_type_t *type, int tag) {
  thing_t *t = malloc(sizeof *t);
  ck_assert_ptr_nonnull(t);
  t->holders = 1;
  t->tag = tag;
  things_live++;
  return vow_ptr(t, type);
}

static inline vow_value_t once(void) {
  return thing_of(&type_once, 0);
}

static inline vow_value_t many(void) {
  return thing_of(&type_many, 0);
}

/* ---- the order of events --------------------------------------------------
 */

static char events[1024];

/** Appends word to events, behind a blank. */
static inline void note(const char *word) {
  size_t length = strlen(events);
  snprintf(events + length, sizeof events - length, "%s%s",
           length > 0 ? " " : "", word);
}

/** Checks what happened since the last look. */
#define EXPECT_EVENTS(text)           \
  do {                                \
    ck_assert_str_eq(events, (text)); \
    events[0] = '\0';                 \
  } while (0)

/** Callbacks whose arg is the word to note. */
static inline vow_value_t note_run(vow_future_t *in, void *arg) {
  (void)in;
  note(arg);
  return vow_nil();
}

static inline void note_drop(void *arg) {
  char text[32];
  snprintf(text, sizeof text, "-%s", (const char *)arg);
  note(text);
}

static inline void note_watch(int reason, void *arg) {
  (void)reason;
  note(arg);
}

/* ---- args that watch over their callback ----------------------------------
 */

typedef struct arg {
  int runs;
  int drops;
  vow_state_t seen; /* of the callback's input */
  int status;
  int64_t number;     /* the input's, when it is one */
  vow_value_t result; /* what the callback returns */
} arg_t;

static inline vow_value_t arg_run(vow_future_t *in, void *p) {
  arg_t *a = p;
  ck_assert_int_eq(a->drops, 0);
  a->runs++;
  a->seen = vow_state(in);
  a->status = vow_status(in);
  if (vow_peek(in).type == &vow_type_int) a->number = vow_get_int(in);
  return a->result;
}

static inline void arg_drop(void *p) {
  ((arg_t *)p)->drops++;
}

/** An arg whose callback returns v. */
static inline arg_t returns(vow_value_t v) {
  arg_t a = {0};
  a.result = v;
  return a;
}

#define EXPECT_RAN(a)               \
  do {                              \
    ck_assert_int_eq((a).runs, 1);  \
    ck_assert_int_eq((a).drops, 1); \
  } while (0)

#define EXPECT_SKIPPED(a)           \
  do {                              \
    ck_assert_int_eq((a).runs, 0);  \
    ck_assert_int_eq((a).drops, 1); \
  } while (0)

/* ---- futures --------------------------------------------------------------
 */

typedef struct pair {
  vow_future_t *f;
  vow_promise_t *p;
} pair_t;

static inline pair_t pair(vow_loop_t *loop) {
  pair_t x;
  x.f = vow_promise_new(loop, &x.p);
  return x;
}

static inline void raise_count(vow_promise_t *p, void *arg) {
  (void)p;
  if (arg != NULL) ++*(int *)arg;
}

/** A promise that ends only when the test says so; being cancelled raises
 *  *ret_asked. */
static inline pair_t slow_pair(vow_loop_t *loop, int *ret_asked) {
  pair_t x = pair(loop);
  vow_promise_on_cancel(x.p, raise_count, ret_asked);
  return x;
}

static inline vow_future_t *ok(vow_loop_t *loop, int64_t i) {
  return vow_ready(loop, vow_int(i));
}

static inline vow_future_t *bad(vow_loop_t *loop, int code) {
  return vow_ready(loop, vow_fail(code));
}

static inline vow_value_t add_one(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_int(vow_get_int(in) + 1);
}

static inline vow_value_t same(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_outcome(in);
}

/* ---- outcomes; each consumes f --------------------------------------------
 */

#define EXPECT_INT(f, i)                    \
  do {                                      \
    vow_future_t *f_ = (f);                 \
    ck_assert_int_eq(vow_status(f_), 0);    \
    ck_assert_int_eq(vow_get_int(f_), (i)); \
    vow_drop(f_);                           \
  } while (0)

#define EXPECT_FAILED(f, code)                   \
  do {                                           \
    vow_future_t *f_ = (f);                      \
    ck_assert_int_eq(vow_status(f_), (code));    \
    ck_assert_int_eq(vow_state(f_), VOW_FAILED); \
    vow_drop(f_);                                \
  } while (0)

#define EXPECT_CANCELLED(f, code)                   \
  do {                                              \
    vow_future_t *f_ = (f);                         \
    ck_assert_int_eq(vow_state(f_), VOW_CANCELLED); \
    ck_assert_int_eq(vow_status(f_), (code));       \
    vow_drop(f_);                                   \
  } while (0)

#define EXPECT_HAS(text, part)                                             \
  ck_assert_msg(strstr((text), (part)) != NULL, "'%s' lacks '%s'", (text), \
                (part))

/** Fails with code, and its message has part in it. */
#define EXPECT_MISUSE(f, code, part)                      \
  do {                                                    \
    vow_future_t *m_ = (f);                               \
    ck_assert_int_eq(vow_status(m_), (code));             \
    EXPECT_HAS(vow_error_message(vow_error(m_)), (part)); \
    vow_drop(m_);                                         \
  } while (0)

/* ---- loops ----------------------------------------------------------------
 */

static int unhandled; /* failures reported since hooked_loop */
static int unhandled_code;

static inline void count_unhandled(vow_future_t *f, void *arg) {
  (void)arg;
  unhandled++;
  unhandled_code = vow_status(f);
}

/** A loop that counts failures nobody saw. */
static inline vow_loop_t *hooked_loop(bool probe_cells) {
  vow_loop_options_t options = {0};
  options.probe_cells = probe_cells;
  options.on_unhandled = count_unhandled;
  unhandled = 0;
  unhandled_code = 0;
  return manual_loop_with(&options);
}

/** True when a test that must abort can be run: not in one process. */
static inline bool may_abort(void) {
  const char *fork = getenv("CK_FORK");
  return fork == NULL || strcmp(fork, "no") != 0;
}

#endif

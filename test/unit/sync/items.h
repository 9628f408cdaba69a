/* SPDX-License-Identifier: MIT */
/* Items for the tests of queues and channels, each with a number, counted in
 * things_live; and checks of those that are got. */
#ifndef VOW_TEST_SYNC_ITEMS_H
#define VOW_TEST_SYNC_ITEMS_H

#include "unit/sync/helpers.h"

#include <vow/queue.h>

typedef struct numbered {
  int number;
  int refs;
} numbered_t;

static inline void numbered_destroy(void *p) {
  numbered_t *n = p;
  if (--n->refs > 0) return;
  things_live--;
  free(n);
}

static inline void *numbered_ref(void *p) {
  ((numbered_t *)p)->refs++;
  return p;
}

static const vow_type_t type_numbered = {"numbered", numbered_destroy, NULL,
                                         NULL};
static const vow_type_t type_copied = {"copied", numbered_destroy, numbered_ref,
                                       NULL};

static inline vow_value_t numbered(int number, const vow_type_t *type) {
  numbered_t *n = malloc(sizeof *n);
  ck_assert_ptr_nonnull(n);
  n->number = number;
  n->refs = 1;
  things_live++;
  return vow_ptr(n, type);
}

/** An item that cannot be shared; one that can. */
static inline vow_value_t item(int number) {
  return numbered(number, &type_numbered);
}

static inline vow_value_t copied(int number) {
  return numbered(number, &type_copied);
}

/** The number of an item, which is destroyed; -1 for another value. */
static inline int number_of(vow_value_t v) {
  int number = -1;
  if (v.type == &type_numbered || v.type == &type_copied)
    number = ((numbered_t *)v.as.p)->number;
  vow_value_destroy(v);
  return number;
}

/** Succeeded with item number n; consumes f. */
#define EXPECT_ITEM(f, n)                              \
  do {                                                 \
    vow_future_t *i_ = (f);                            \
    ck_assert_int_eq(vow_status(i_), 0);               \
    ck_assert_int_eq(number_of(vow_outcome(i_)), (n)); \
    vow_drop(i_);                                      \
  } while (0)

/** Gives its item back, number n; consumes f. */
#define EXPECT_RECLAIM(f, n)                           \
  do {                                                 \
    vow_future_t *r_ = (f);                            \
    vow_value_t v_;                                    \
    ck_assert_int_eq(vow_reclaim(r_, &v_), 0);         \
    ck_assert_int_eq(number_of(v_), (n));              \
    ck_assert_int_eq(vow_reclaim(r_, &v_), UV_ENOENT); \
    vow_drop(r_);                                      \
  } while (0)

static inline void put(vow_queue_t *q, int number) {
  ck_assert_int_eq(vow_queue_try_put(q, item(number)), 0);
}

static inline int got(vow_queue_t *q) {
  vow_value_t v;
  ck_assert_int_eq(vow_queue_try_get(q, &v), 0);
  return number_of(v);
}

static inline int try_get_error(vow_queue_t *q) {
  vow_value_t v;
  return vow_queue_try_get(q, &v);
}

#endif

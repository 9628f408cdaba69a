/* SPDX-License-Identifier: MIT */
/* What the tests of locks share: lines of futures, and checks of who has been
 * let in. */
#ifndef VOW_TEST_SYNC_HELPERS_H
#define VOW_TEST_SYNC_HELPERS_H

#include "unit/combine/helpers.h"

#include <vow/timeout.h>
#include <vow/token.h>

/** Fails with code, a failure or a cancellation, and its message has text in
 *  it. */
#define EXPECT_SAYS(f, code, text)                                          \
  do {                                                                      \
    vow_future_t *s_ = (f);                                                 \
    ck_assert_int_eq(vow_status(s_), (code));                               \
    ck_assert_msg(strstr(vow_error_message(vow_error(s_)), (text)) != NULL, \
                  "'%s' lacks '%s'", vow_error_message(vow_error(s_)),      \
                  (text));                                                  \
    vow_drop(s_);                                                           \
  } while (0)

#define EXPECT_OK(f)                     \
  do {                                   \
    vow_future_t *o_ = (f);              \
    ck_assert_int_eq(vow_status(o_), 0); \
    vow_drop(o_);                        \
  } while (0)

/** A settled one is a letter, a pending one a dot, one that is gone a blank:
 *  S succeeded, F failed, C cancelled. */
static inline const char *states(vow_future_t **f, size_t n) {
  static char text[128];
  static const char letter[] = {[VOW_PENDING] = '.',
                                [VOW_SUCCEEDED] = 'S',
                                [VOW_FAILED] = 'F',
                                [VOW_CANCELLED] = 'C'};
  ck_assert_uint_lt(n, sizeof text);
  for (size_t i = 0; i < n; i++)
    text[i] = f[i] == NULL ? ' ' : letter[vow_state(f[i])];
  text[n] = '\0';
  return text;
}

static inline void drop_all(vow_future_t **f, size_t n) {
  for (size_t i = 0; i < n; i++) {
    vow_drop(f[i]);
    f[i] = NULL;
  }
}

static inline void drop_at(vow_future_t **f, size_t i) {
  vow_drop(f[i]);
  f[i] = NULL;
}

/** splitmix64, for random programs. */
static inline uint32_t next_below(uint64_t *state, uint32_t n) {
  uint64_t z = *state += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (uint32_t)((z ^ (z >> 31)) >> 32) % n;
}

#endif

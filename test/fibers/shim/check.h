/* SPDX-License-Identifier: MIT */
/* As much of libcheck as the tests use, for machines that have none: all in
 * one process, and the first failure ends it. */
#ifndef VOW_TEST_FIBERS_CHECK_H
#define VOW_TEST_FIBERS_CHECK_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*TFun)(int);

typedef struct TCase {
  const char *name;
  TFun fns[256];
  int count;
} TCase;

typedef TCase Suite;

typedef struct SRunner {
  TCase *cases[256];
  int count;
} SRunner;

#define CK_ENV 0

#define START_TEST(name) static void name(int _i __attribute__((unused)))
#define END_TEST

static inline void check_fail(const char *file, int line, const char *what) {
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
  exit(1);
}

#define ck_assert_msg(cond, ...)             \
  do {                                       \
    if (!(cond)) {                           \
      fprintf(stderr, __VA_ARGS__);          \
      check_fail(__FILE__, __LINE__, #cond); \
    }                                        \
  } while (0)
#define ck_assert(cond) \
  ((cond) ? (void)0 : check_fail(__FILE__, __LINE__, #cond))

#define CHECK_NUMBERS(type, format, a, op, b)                                \
  do {                                                                       \
    type check_a = (type)(a), check_b = (type)(b);                           \
    ck_assert_msg(check_a op check_b, "%" format ", %" format "\n", check_a, \
                  check_b);                                                  \
  } while (0)
#define ck_assert_int_eq(a, b)  CHECK_NUMBERS(intmax_t, PRIdMAX, a, ==, b)
#define ck_assert_int_ne(a, b)  CHECK_NUMBERS(intmax_t, PRIdMAX, a, !=, b)
#define ck_assert_int_lt(a, b)  CHECK_NUMBERS(intmax_t, PRIdMAX, a, <, b)
#define ck_assert_int_le(a, b)  CHECK_NUMBERS(intmax_t, PRIdMAX, a, <=, b)
#define ck_assert_int_gt(a, b)  CHECK_NUMBERS(intmax_t, PRIdMAX, a, >, b)
#define ck_assert_int_ge(a, b)  CHECK_NUMBERS(intmax_t, PRIdMAX, a, >=, b)
#define ck_assert_uint_eq(a, b) CHECK_NUMBERS(uintmax_t, PRIuMAX, a, ==, b)
#define ck_assert_uint_ne(a, b) CHECK_NUMBERS(uintmax_t, PRIuMAX, a, !=, b)
#define ck_assert_uint_lt(a, b) CHECK_NUMBERS(uintmax_t, PRIuMAX, a, <, b)
#define ck_assert_uint_le(a, b) CHECK_NUMBERS(uintmax_t, PRIuMAX, a, <=, b)
#define ck_assert_uint_gt(a, b) CHECK_NUMBERS(uintmax_t, PRIuMAX, a, >, b)
#define ck_assert_uint_ge(a, b) CHECK_NUMBERS(uintmax_t, PRIuMAX, a, >=, b)

#define ck_assert_ptr_eq(a, b)    ck_assert((const void *)(a) == (const void *)(b))
#define ck_assert_ptr_ne(a, b)    ck_assert((const void *)(a) != (const void *)(b))
#define ck_assert_ptr_null(a)     ck_assert((a) == NULL)
#define ck_assert_ptr_nonnull(a)  ck_assert((a) != NULL)
#define ck_assert_mem_eq(a, b, n) ck_assert(memcmp((a), (b), (n)) == 0)
#define ck_assert_str_eq(a, b)                                            \
  do {                                                                    \
    const char *check_a = (a), *check_b = (b);                            \
    ck_assert_msg(strcmp(check_a, check_b) == 0, "'%s', '%s'\n", check_a, \
                  check_b);                                               \
  } while (0)

#define ck_assert_str_ne(a, b)    ck_assert(strcmp((a), (b)) != 0)
#define ck_assert_mem_ne(a, b, n) ck_assert(memcmp((a), (b), (n)) != 0)
#define ck_assert_double_eq(a, b) ck_assert((double)(a) == (double)(b))
#define ck_abort_msg(...)         ck_assert_msg(0, __VA_ARGS__)

static inline TCase *tcase_create(const char *name) {
  TCase *t = calloc(1, sizeof *t);
  if (t == NULL) abort();
  t->name = name;
  return t;
}

static inline void tcase_add_test(TCase *t, TFun fn) {
  if (t->count == 256) abort();
  t->fns[t->count++] = fn;
}

#define tcase_set_timeout(tcase, seconds)              ((void)(seconds))
#define tcase_add_exit_test(tcase, fn, status)         ((void)(fn))
#define tcase_add_test_raise_signal(tcase, fn, number) ((void)(fn))

#define suite_create(name) tcase_create(name)

static inline void suite_add_tcase(Suite *s, TCase *t) {
  memcpy(s, t, sizeof *s);
  free(t);
}

static inline SRunner *srunner_create(Suite *s) {
  SRunner *r = calloc(1, sizeof *r);
  if (r == NULL) abort();
  if (s != NULL) r->cases[r->count++] = s;
  return r;
}

static inline void srunner_add_suite(SRunner *r, Suite *s) {
  if (r->count == 256) abort();
  r->cases[r->count++] = s;
}

static inline void srunner_run_all(SRunner *r, int mode) {
  const char *only = getenv("CK_RUN_SUITE");
  int count = 0;
  (void)mode;
  for (int i = 0; i < r->count; i++) {
    if (only != NULL && strcmp(only, r->cases[i]->name) != 0) continue;
    for (int k = 0; k < r->cases[i]->count; k++, count++)
      r->cases[i]->fns[k](0);
  }
  printf("100%%: Checks: %d, Failures: 0, Errors: 0\n", count);
}

#define srunner_ntests_failed(r) ((void)(r), 0)

static inline void srunner_free(SRunner *r) {
  for (int i = 0; i < r->count; i++) free(r->cases[i]);
  free(r);
}

#endif

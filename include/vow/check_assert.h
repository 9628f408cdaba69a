/* SPDX-License-Identifier: MIT */
/* Assertions on futures. Each tells what was expected, what came instead, the
 * expression, where the future was made, and a failure's origin and trail. They
 * are made for the bodies of VOW_TEST and other tasks, which await; outside of
 * a task they run the future's loop. */
#ifndef VOW_CHECK_ASSERT_H
#define VOW_CHECK_ASSERT_H

#include <vow/bytes.h>
#include <vow/check_test.h>

VOW_BEGIN_DECLS

/* ---- how it settles -------------------------------------------------------- */

/** vow_assert_ok(f), vow_assert_nil(f)
 *  Awaits f, which must succeed: with anything, which is destroyed; with nil.
 *  Ownership: consumes f.
 *  Errors: fails the test; so does a NULL.
 *  Thread: the loop's. Callbacks run in this call. */
#define vow_assert_ok(f)  vow_assert_ok_at(VOW_SITE, #f, (f))
#define vow_assert_nil(f) vow_assert_nil_at(VOW_SITE, #f, (f))
VOW_EXPORT void vow_assert_ok_at(const char *site, const char *expr,
                                 vow_future_t *f);
VOW_EXPORT void vow_assert_nil_at(const char *site, const char *expr,
                                  vow_future_t *f);

/** vow_assert_int(f, expected), vow_assert_double(f, expected)
 *  Awaits f, which must succeed with that number, as that type. Doubles must
 *  be equal to the last digit, which is shown; NAN is equal to NAN only.
 *  Ownership, Errors, Thread: as vow_assert_ok. */
#define vow_assert_int(f, expected) \
  vow_assert_int_at(VOW_SITE, #f, (f), (expected))
#define vow_assert_double(f, expected) \
  vow_assert_double_at(VOW_SITE, #f, (f), (expected))
VOW_EXPORT void vow_assert_int_at(const char *site, const char *expr,
                                  vow_future_t *f, int64_t expected);
VOW_EXPORT void vow_assert_double_at(const char *site, const char *expr,
                                     vow_future_t *f, double expected);

/** vow_assert_string(f, expected)
 *  vow_assert_bytes(f, expected, length)
 *  Awaits f, which must succeed with that text, be it a string or bytes
 *  (vow_bytes_t); with those bytes. What is not printable is shown as in C; of
 *  what is long, 200 bytes around the first that differs.
 *  Ownership, Thread: as vow_assert_ok; expected is only read.
 *  Errors: as there; NULL is never expected, but with a length of 0. */
#define vow_assert_string(f, expected) \
  vow_assert_string_at(VOW_SITE, #f, (f), (expected))
#define vow_assert_bytes(f, expected, length) \
  vow_assert_bytes_at(VOW_SITE, #f, (f), (expected), (length))
VOW_EXPORT void vow_assert_string_at(const char *site, const char *expr,
                                     vow_future_t *f, const char *expected);
VOW_EXPORT void vow_assert_bytes_at(const char *site, const char *expr,
                                    vow_future_t *f, const void *expected,
                                    size_t length);

/** vow_assert_ptr(f, expected)
 *  Awaits f, which must succeed with that very pointer, of any type.
 *  Ownership, Errors, Thread: as vow_assert_ok; expected is only compared. */
#define vow_assert_ptr(f, expected) \
  vow_assert_ptr_at(VOW_SITE, #f, (f), (expected))
VOW_EXPORT void vow_assert_ptr_at(const char *site, const char *expr,
                                  vow_future_t *f, const void *expected);

/** vow_assert_take(f, type)
 *  Awaits f, which must succeed with a pointer of that type, and gives it.
 *  Ownership: consumes f; the caller owns the result, as from vow_take.
 *  Errors, Thread: as vow_assert_ok; a NULL type fails the test, too. */
#define vow_assert_take(f, type) vow_assert_take_at(VOW_SITE, #f, (f), (type))
VOW_EXPORT void *vow_assert_take_at(const char *site, const char *expr,
                                    vow_future_t *f, const vow_type_t *type);

/** vow_assert_fails(f, code), vow_assert_fails_with(f, code, part)
 *  Awaits f, which must fail, or be cancelled, with that code; with a message
 *  that has part in it.
 *  Ownership, Errors, Thread: as vow_assert_ok. */
#define vow_assert_fails(f, code) \
  vow_assert_fails_at(VOW_SITE, #f, (f), (code), NULL)
#define vow_assert_fails_with(f, code, part) \
  vow_assert_fails_at(VOW_SITE, #f, (f), (code), (part))
VOW_EXPORT void vow_assert_fails_at(const char *site, const char *expr,
                                    vow_future_t *f, int code,
                                    const char *part);

/** vow_assert_cancelled(f)
 *  Awaits f, which must end as cancelled, for whatever reason.
 *  Ownership, Errors, Thread: as vow_assert_ok. */
#define vow_assert_cancelled(f) vow_assert_cancelled_at(VOW_SITE, #f, (f))
VOW_EXPORT void vow_assert_cancelled_at(const char *site, const char *expr,
                                        vow_future_t *f);

/* ---- when ------------------------------------------------------------------ */

/** vow_assert_pending(f)
 *  f must be pending when everything has happened that needs no time
 *  (vow_check_settle; outside of a task f is just looked at).
 *  Ownership: f is borrowed.
 *  Errors, Thread: as vow_assert_ok. */
#define vow_assert_pending(f) vow_assert_pending_at(VOW_SITE, #f, (f))
VOW_EXPORT void vow_assert_pending_at(const char *site, const char *expr,
                                      vow_future_t *f);

/** vow_assert_within(f, ms), vow_assert_not_before(f, ms)
 *  Awaits f, which must settle, with whatever outcome, at most ms from now; not
 *  earlier than ms from now. Gives f, settled:
 *    vow_assert_int(vow_assert_within(f, 100), 42);
 *  Ownership: consumes f; the caller owns the result.
 *  Errors, Thread: as vow_assert_ok. */
#define vow_assert_within(f, ms) vow_assert_within_at(VOW_SITE, #f, (f), (ms))
#define vow_assert_not_before(f, ms) \
  vow_assert_not_before_at(VOW_SITE, #f, (f), (ms))
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_assert_within_at(const char *site,
                                                           const char *expr,
                                                           vow_future_t *f,
                                                           uint64_t ms);
VOW_EXPORT VOW_MUST_USE vow_future_t *vow_assert_not_before_at(const char *site,
                                                               const char *expr,
                                                               vow_future_t *f,
                                                               uint64_t ms);

/* ---- in which order -------------------------------------------------------- */

/** vow_check_event(fmt, ...)
 *  Notes that something has happened, with its time, for vow_assert_events.
 *  Ownership: the arguments are only read.
 *  Errors: nothing is noted when no VOW_TEST runs.
 *  Thread: the loop's. */
VOW_EXPORT void vow_check_event(const char *fmt, ...) VOW_PRINTF(1, 2);

/** vow_assert_events("first", "second", ...), vow_assert_no_events()
 *  The events noted since the test began, or since the last of these, must be
 *  those, in that order; none at all. They are forgotten then.
 *  Ownership: the strings are only read.
 *  Errors: fails the test, with both lists, and the times.
 *  Thread: the loop's. */
#ifdef __cplusplus /* which has no compound literals */
#define vow_assert_events(...)                             \
  do {                                                     \
    const char *const vow__events[] = {__VA_ARGS__, NULL}; \
    vow_assert_events_at(VOW_SITE, vow__events);           \
  } while (0)
#define vow_assert_no_events()                   \
  do {                                           \
    const char *const vow__events[] = {NULL};    \
    vow_assert_events_at(VOW_SITE, vow__events); \
  } while (0)
#else
#define vow_assert_events(...) \
  vow_assert_events_at(VOW_SITE, (const char *const[]){__VA_ARGS__, NULL})
#define vow_assert_no_events() \
  vow_assert_events_at(VOW_SITE, (const char *const[]){NULL})
#endif
VOW_EXPORT void vow_assert_events_at(const char *site,
                                     const char *const expected[]);

VOW_END_DECLS
#endif

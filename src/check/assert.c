/* SPDX-License-Identifier: MIT */
/* Assertions on futures: waiting for them, and comparing. */
#include <vow/check_assert.h>

#include <vow/timeout.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check/text.h"

/* ---- waiting -------------------------------------------------------------- */

static vow_value_t nothing(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_nil();
}

/* Until f has settled. It stays the caller's; in a task by way of a future that
 * tells no more than that. */
static int wait_for(const char *site, vow_future_t *f) {
  vow_future_t *settled;
  if (vow_is_settled(f)) return 0;
  if (vow_task_current() == NULL) return vow_loop_run_until(vow_loop_of(f), f);
  vow__memory_pause();
  settled = vow_handle_at(site, vow_ref(f), nothing, NULL, NULL);
  vow__memory_resume();
  return vow_await_status_at(site, settled);
}

/* ---- telling -------------------------------------------------------------- */

/* Of what is no text nothing differs at a byte. */
#define NO_BYTE SIZE_MAX

/* Texts are shown from byte from on. */
static void add_outcome(vow__text_t *t, vow_future_t *f, size_t from) {
  char story[2048];
  vow_value_t v = vow_peek(f);
  if (!vow_is_settled(f)) {
    vow__text_add(t, "it is pending");
  } else if (vow_value_is_failure(v)) {
    (void)vow_error(f); /* gives a plain code its origin */
    v = vow_peek(f);
    vow__text_add(t, "%s %s",
                  vow_value_is_cancelled(v) ? "it was cancelled:"
                                            : "it failed:",
                  vow_error_format(v, story, sizeof story));
  } else if (v.type == &vow_type_bytes) {
    vow__text_add(t, "bytes ");
    vow__text_add_bytes_from(t, vow_bytes_data(v.as.p),
                             vow_bytes_length(v.as.p), from);
  } else if (v.type == &vow_type_string || v.type == &vow_type_cstr) {
    vow__text_add(t, "string ");
    vow__text_add_bytes_from(t, v.as.cp, strlen(v.as.cp), from);
  } else if (v.type == &vow_type_double) {
    vow__text_add(t, "double ");
    vow__text_add_double(t, v.as.d);
  } else {
    vow__text_add(t, "%s%s%s", v.type != NULL ? v.type->name : "",
                  v.type != NULL ? " " : "",
                  vow_value_describe(v, story, sizeof story));
  }
}

/* Fails the test with what was expected in *want, which is freed. Texts differ
 * at byte at. */
static void differs(const char *site, const char *expr, vow_future_t *f,
                    vow__text_t *want, size_t at) __attribute__((noreturn));
static void differs(const char *site, const char *expr, vow_future_t *f,
                    vow__text_t *want, size_t at) {
  size_t from = at != NO_BYTE ? vow__shown_from(at) : 0;
  vow__text_t t = {NULL, 0, 0};
  char story[4096];
  vow__memory_pause();
  vow__text_add(&t, "%s\n  expected %s\n  got ", expr, vow__text_str(want));
  add_outcome(&t, f, from);
  if (from > 0) vow__text_add(&t, "\n  they differ at byte %zu", at);
  vow__text_add(&t, "\n  the future was made at %s", vow_site(f));
  if (!vow_is_settled(f) && vow_loop_of(f) != NULL) {
    vow__text_add(&t, "\n  what waits for what:");
    vow__kit_graph(&t, vow_loop_of(f));
  }
  snprintf(story, sizeof story, "%s", vow__text_str(&t));
  vow__text_free(&t);
  vow__text_free(want);
  vow_drop(f);
  vow__memory_resume();
  vow__kit_fail(site, "%s", story);
}

static void differs_from(const char *site, const char *expr, vow_future_t *f,
                         const char *fmt, ...) __attribute__((noreturn))
VOW_PRINTF(4, 5);
static void differs_from(const char *site, const char *expr, vow_future_t *f,
                         const char *fmt, ...) {
  vow__text_t want = {NULL, 0, 0};
  va_list ap;
  va_start(ap, fmt);
  vow__text_addv(&want, fmt, ap);
  va_end(ap);
  differs(site, expr, f, &want, NO_BYTE);
}

/* Fails the test when what is expected is NULL. */
static void need(const char *site, const char *expr, vow_future_t *f,
                 const void *expected, const char *what) {
  if (expected != NULL) return;
  if (vow_is_settled(f)) (void)vow_status(f);
  vow_drop(f);
  vow__kit_fail(site, "%s: the %s that is expected is NULL", expr, what);
}

/* Awaits f, or says why that cannot be. */
static void settle(const char *site, const char *expr, vow_future_t *f,
                   const char *want) {
  int err;
  if (f == NULL) vow__kit_fail(site, "%s is NULL", expr);
  err = wait_for(site, f);
  if (vow_is_settled(f)) {
    (void)vow_status(f); /* the failure was seen */
    return;
  }
  if (err == VOW_EIDLE) differs_from(site, expr, f, "%s", want);
  if (vow_task_reason() != 0) {
    vow_drop(f);
    vow__kit_fail(site, "%s: the task that waits was cancelled (%s)", expr,
                  vow_err_name(vow_task_reason()));
  }
  vow_drop(f);
  vow__kit_fail(site, "%s cannot be waited for: %s", expr, vow_strerror(err));
}

/* ---- how it settles -------------------------------------------------------- */

void vow_assert_ok_at(const char *site, const char *expr, vow_future_t *f) {
  settle(site, expr, f, "success");
  if (vow_state(f) != VOW_SUCCEEDED) differs_from(site, expr, f, "success");
  vow_drop(f);
}

void vow_assert_nil_at(const char *site, const char *expr, vow_future_t *f) {
  settle(site, expr, f, "nil");
  if (vow_state(f) != VOW_SUCCEEDED || vow_peek(f).type != NULL)
    differs_from(site, expr, f, "nil");
  vow_drop(f);
}

/* Whether f succeeded with that type. */
static bool has_type(vow_future_t *f, const vow_type_t *type) {
  return vow_state(f) == VOW_SUCCEEDED && vow_peek(f).type == type;
}

void vow_assert_int_at(const char *site, const char *expr, vow_future_t *f,
                       int64_t expected) {
  settle(site, expr, f, "a number");
  if (!has_type(f, &vow_type_int) || vow_peek(f).as.i != expected)
    differs_from(site, expr, f, "int %lld", (long long)expected);
  vow_drop(f);
}

/* What is no number equals itself here. */
static bool are_same(double a, double b) {
  if (isnan(a) || isnan(b)) return isnan(a) && isnan(b);
  return islessequal(a, b) && isgreaterequal(a, b);
}

void vow_assert_double_at(const char *site, const char *expr, vow_future_t *f,
                          double expected) {
  vow__text_t want = {NULL, 0, 0};
  settle(site, expr, f, "a number");
  if (!has_type(f, &vow_type_double) || !are_same(vow_peek(f).as.d, expected)) {
    vow__text_add(&want, "double ");
    vow__text_add_double(&want, expected);
    differs(site, expr, f, &want, NO_BYTE);
  }
  vow_drop(f);
}

/* The text or bytes that f succeeded with; NULL: it is none. */
static const char *text_of(vow_future_t *f, size_t *ret_length) {
  vow_value_t v = vow_peek(f);
  if (has_type(f, &vow_type_bytes)) {
    *ret_length = vow_bytes_length(v.as.p);
    return vow_bytes_data(v.as.p);
  }
  if (!has_type(f, &vow_type_string) && !has_type(f, &vow_type_cstr))
    return NULL;
  *ret_length = strlen(v.as.cp);
  return v.as.cp;
}

void vow_assert_bytes_at(const char *site, const char *expr, vow_future_t *f,
                         const void *expected, size_t length) {
  vow__text_t want = {NULL, 0, 0};
  const char *got;
  size_t got_length = 0, at;
  if (length > 0) need(site, expr, f, expected, "text");
  settle(site, expr, f, "bytes");
  got = text_of(f, &got_length);
  if (got == NULL || got_length != length ||
      (length > 0 && memcmp(got, expected, length) != 0)) {
    at = got != NULL ? vow__bytes_part(got, got_length, expected, length)
                     : NO_BYTE;
    vow__text_add_bytes_from(&want, expected, length,
                             got != NULL ? vow__shown_from(at) : 0);
    differs(site, expr, f, &want, at);
  }
  vow_drop(f);
}

void vow_assert_string_at(const char *site, const char *expr, vow_future_t *f,
                          const char *expected) {
  need(site, expr, f, expected, "text");
  vow_assert_bytes_at(site, expr, f, expected, strlen(expected));
}

static bool is_scalar(const vow_type_t *type) {
  return type == NULL || type == &vow_type_int || type == &vow_type_double;
}

void vow_assert_ptr_at(const char *site, const char *expr, vow_future_t *f,
                       const void *expected) {
  settle(site, expr, f, "a pointer");
  if (vow_state(f) != VOW_SUCCEEDED || is_scalar(vow_peek(f).type) ||
      vow_peek(f).as.cp != expected)
    differs_from(site, expr, f, "the pointer %p", expected);
  vow_drop(f);
}

void *vow_assert_take_at(const char *site, const char *expr, vow_future_t *f,
                         const vow_type_t *type) {
  void *p;
  need(site, expr, f, type, "type");
  settle(site, expr, f, type->name);
  if (!has_type(f, type))
    differs_from(site, expr, f, "a value of type %s", type->name);
  p = vow_take(f, type);
  if (p == NULL && vow_peek(f).as.p != NULL)
    differs_from(site, expr, f, "a value of type %s to take (%s)", type->name,
                 vow_last_message());
  vow_drop(f);
  return p;
}

static const char *message_of(vow_future_t *f) {
  const vow_error_t *e;
  vow__memory_pause();
  e = vow_error(f);
  vow__memory_resume();
  return e != NULL ? vow_error_message(e) : "";
}

void vow_assert_fails_at(const char *site, const char *expr, vow_future_t *f,
                         int code, const char *part) {
  settle(site, expr, f, "a failure");
  if (vow_status(f) != code || code >= 0)
    differs_from(site, expr, f, "the failure %s (%d)", vow_err_name(code),
                 code);
  if (part != NULL && strstr(message_of(f), part) == NULL)
    differs_from(site, expr, f, "the failure %s with \"%s\" in its message",
                 vow_err_name(code), part);
  vow_drop(f);
}

void vow_assert_cancelled_at(const char *site, const char *expr,
                             vow_future_t *f) {
  settle(site, expr, f, "a cancellation");
  if (!vow_is_cancelled(f)) differs_from(site, expr, f, "a cancellation");
  vow_drop(f);
}

/* ---- when ------------------------------------------------------------------ */

void vow_assert_pending_at(const char *site, const char *expr,
                           vow_future_t *f) {
  if (f == NULL) vow__kit_fail(site, "%s is NULL", expr);
  if (vow_task_current() != NULL) vow_check_settle();
  if (vow_is_settled(f))
    differs_from(site, expr, vow_ref(f), "it to be pending (after %llu ms)",
                 (unsigned long long)vow_check_now_ms());
}

static uint64_t now_of(vow_future_t *f) {
  return vow_loop_now_ms(vow_loop_of(f));
}

/* The outcome stays f's: this only waits, and not for ever. */
static void wait_at_most(const char *site, vow_future_t *f, uint64_t ms) {
  int64_t delay_ms = ms < INT64_MAX ? (int64_t)ms : INT64_MAX;
  vow_future_t *settled;
  vow__memory_pause();
  settled = vow_handle_at(site, vow_ref(f), nothing, NULL, NULL);
  settled = vow_timeout_at(site, settled, delay_ms);
  vow__memory_resume();
  if (vow_task_current() != NULL) {
    (void)vow_await_status_at(site, settled);
    return;
  }
  (void)vow_loop_run_until(vow_loop_of(f), settled);
  (void)vow_status(settled);
  vow_drop(settled);
}

vow_future_t *vow_assert_within_at(const char *site, const char *expr,
                                   vow_future_t *f, uint64_t ms) {
  if (f == NULL) vow__kit_fail(site, "%s is NULL", expr);
  if (!vow_is_settled(f)) wait_at_most(site, f, ms);
  /* At that very instant others may be in front of it. */
  if (!vow_is_settled(f) && vow_task_current() != NULL) vow_check_settle();
  if (!vow_is_settled(f))
    differs_from(site, expr, f, "it to settle within %llu ms",
                 (unsigned long long)ms);
  return f;
}

vow_future_t *vow_assert_not_before_at(const char *site, const char *expr,
                                       vow_future_t *f, uint64_t ms) {
  uint64_t begin_ms, spent_ms;
  if (f == NULL) vow__kit_fail(site, "%s is NULL", expr);
  begin_ms = now_of(f);
  settle(site, expr, f, "it to settle");
  spent_ms = now_of(f) - begin_ms;
  if (spent_ms < ms)
    differs_from(site, expr, f,
                 "it not to settle before %llu ms, which it did after %llu ms",
                 (unsigned long long)ms, (unsigned long long)spent_ms);
  return f;
}

/* SPDX-License-Identifier: MIT */
/* Failures: plain codes and error objects, the codes' names, and the record
 * of the last misuse on a thread. Printing them is in error_format.c.
 *
 * An object is immutable once a second holder has it: what adds to one copies
 * it first when its count says so. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- codes ----------------------------------------------------------------
 */

static const struct {
  int code;
  const char *name;
  const char *text;
} codes[] = {
#define ROW(name, text) {UV_##name, #name, text},
    UV_ERRNO_MAP(ROW)
#undef ROW
        {VOW_EBROKEN, "EBROKEN", "broken promise"},
    {VOW_ETYPE, "ETYPE", "value is of another type"},
    {VOW_EMOVED, "EMOVED", "value was moved out"},
    {VOW_ESHUTDOWN, "ESHUTDOWN", "loop or source is closed"},
    {VOW_EMULTI, "EMULTI", "several errors"},
    {VOW_ECYCLE, "ECYCLE", "future follows itself"},
    {VOW_ESETTLED, "ESETTLED", "settled already"},
    {VOW_ETHREAD, "ETHREAD", "used on another thread than its loop's"},
    {VOW_EIDLE, "EIDLE", "nothing is left that could settle the future"},
};

#define N_CODES (sizeof(codes) / sizeof(codes[0]))

const char *vow_strerror(int code) {
  for (size_t i = 0; i < N_CODES; i++)
    if (codes[i].code == code) return codes[i].text;
  return "unknown error";
}

const char *vow_err_name(int code) {
  for (size_t i = 0; i < N_CODES; i++)
    if (codes[i].code == code) return codes[i].name;
  return "UNKNOWN";
}

/* ---- plain codes ------------------------------------------------------------
 */

#define CANCEL_BIT ((uint64_t)1 << 32)

static vow_value_t code_value(int code, bool cancelled) {
  vow_value_t v;
  v.as.i = (int64_t)((uint64_t)(uint32_t)code | (cancelled ? CANCEL_BIT : 0));
  v.type = &vow__type_code;
  return v;
}

vow_value_t vow_fail(int code) {
  if (code >= 0) code = UV_EINVAL;
  return code_value(code, code == UV_ECANCELED);
}

vow_value_t vow_cancelled(int reason) {
  if (reason >= 0) reason = UV_ECANCELED;
  return code_value(reason, reason != UV_ETIMEDOUT);
}

static vow_error_t *object_of(vow_value_t v) {
  return v.type == &vow__type_error ? v.as.p : NULL;
}

int vow_value_code(vow_value_t v) {
  if (v.type == &vow__type_code) return (int)(uint32_t)(uint64_t)v.as.i;
  return v.type == &vow__type_error ? object_of(v)->code : 0;
}

uint8_t vow__failure_state(vow_value_t v) {
  bool cancelled = v.type == &vow__type_code
                       ? ((uint64_t)v.as.i & CANCEL_BIT) != 0
                       : object_of(v)->cancelled;
  return cancelled ? VOW__CANCELLED : VOW__FAILED;
}

bool vow_value_is_cancelled(vow_value_t v) {
  return vow__is_failure(v) && vow__failure_state(v) == VOW__CANCELLED;
}

const vow_error_t *vow_value_error(vow_value_t v) {
  return object_of(v);
}

/* ---- objects
 * ------------------------------------------------------------------ */

static void *error_ref(void *p) {
  ((vow_error_t *)p)->refs++;
  return p;
}

/* Gives up a failure; an object that this was the last holder of goes onto the
 * list. */
static vow_error_t *bury(vow_value_t v, vow_error_t *list) {
  vow_error_t *e = object_of(v);
  if (e == NULL || --e->refs > 0) return list;
  e->next_dead = list;
  return e;
}

/* Causes may hang on each other a million deep: no recursion. */
static void error_destroy(void *p) {
  vow_error_t *list = bury(vow_ptr(p, &vow__type_error), NULL);
  while (list != NULL) {
    vow_error_t *e = list;
    list = bury(e->cause, e->next_dead);
    for (size_t i = 0; i < e->count; i++) list = bury(e->nth[i], list);
    vow_release(e->message);
    vow_release(e);
  }
}

static void error_describe(const void *p, char *buf, size_t size_bytes) {
  const vow_error_t *e = p;
  snprintf(buf, size_bytes, "%s: %s", vow_err_name(e->code),
           vow_error_message(e));
}

const vow_type_t vow__type_code = {"failure", NULL, NULL, NULL};
const vow_type_t vow__type_error = {"failure", error_destroy, error_ref,
                                    error_describe};

static vow_error_t *error_new(int code, bool cancelled, const char *site,
                              size_t count) {
  vow_error_t *e;
  if (count > SIZE_MAX / sizeof(vow_value_t) - sizeof(*e)) return NULL;
  e = vow_alloc(sizeof(*e) + count * sizeof(vow_value_t));
  if (e == NULL) return NULL;
  memset(e, 0, sizeof(*e));
  e->refs = 1;
  e->code = code;
  e->cancelled = cancelled;
  e->site = site;
  e->count = count;
  return e;
}

static vow_value_t error_value(vow_error_t *e) {
  return vow_ptr(e, &vow__type_error);
}

static char *format_text(const char *fmt, va_list ap) {
  char *text;
  va_list again;
  va_copy(again, ap);
  int length = vsnprintf(NULL, 0, fmt, again);
  va_end(again);
  if (length < 0) return NULL;
  text = vow_alloc((size_t)length + 1);
  if (text != NULL) vsnprintf(text, (size_t)length + 1, fmt, ap);
  return text;
}

static vow_value_t fail_text(const char *site, int code, const char *fmt,
                             va_list ap) {
  vow_error_t *e;
  if (code >= 0) code = UV_EINVAL;
  e = error_new(code, code == UV_ECANCELED, site, 0);
  if (e == NULL) return vow_fail(code);
  e->message = format_text(fmt, ap);
  return error_value(e);
}

vow_value_t vow_failf_at(const char *site, int code, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vow_value_t v = fail_text(site, code, fmt, ap);
  va_end(ap);
  return v;
}

vow_value_t vow_fail_cause_at(const char *site, int code, vow_value_t cause,
                              const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vow_value_t v = fail_text(site, code, fmt, ap);
  va_end(ap);
  return vow__error_because(v, site, cause);
}

vow_value_t vow_fail_multi_at(const char *site, size_t n, vow_value_t *causes,
                              size_t first) {
  bool decided = first < n && vow__is_failure(causes[first]);
  int code = decided ? vow_value_code(causes[first]) : VOW_EMULTI;
  bool cancelled = first < n && vow__is_failure(causes[first]) &&
                   vow__failure_state(causes[first]) == VOW__CANCELLED;
  vow_error_t *e = error_new(code, cancelled, site, n);
  size_t count = 0;
  if (e != NULL && decided && object_of(causes[first]) != NULL) {
    const char *text = object_of(causes[first])->message;
    vow_value_t copy = text != NULL ? vow_string(text) : vow_nil();
    if (copy.type == &vow_type_string) e->message = copy.as.p;
    e->site = object_of(causes[first])->site;
  }
  /* The deciding one first, the others in their order. */
  for (size_t k = 0; k <= n; k++) {
    size_t i = k == 0 ? first : k - 1;
    if (i >= n || (k > 0 && i == first)) continue;
    if (e != NULL && vow__is_failure(causes[i]))
      e->nth[count++] = causes[i];
    else
      vow__value_destroy(causes[i]);
  }
  if (e == NULL) return cancelled ? vow_cancelled(code) : vow_fail(code);
  e->count = count;
  return error_value(e);
}

/* A copy to add to: what v is when nobody else holds it. Consumes v; NULL for
 * want of memory, v is untouched then. */
static vow_error_t *own(vow_value_t v, const char *origin) {
  vow_error_t *old = object_of(v), *e;
  if (old != NULL && old->refs == 1) return old;
  e = error_new(vow_value_code(v), vow__failure_state(v) == VOW__CANCELLED,
                old != NULL ? old->site : origin, old != NULL ? old->count : 0);
  if (e == NULL || old == NULL) return e;
  memcpy(e->trail, old->trail, sizeof(e->trail));
  e->trail_length = old->trail_length;
  if (old->message != NULL) {
    vow_value_t text = vow_string(old->message);
    if (text.type == &vow_type_string) e->message = text.as.p;
  }
  vow_value_share(old->cause, &e->cause);
  for (size_t i = 0; i < old->count; i++)
    vow_value_share(old->nth[i], &e->nth[i]);
  old->refs--;
  return e;
}

vow_value_t vow__error_passed(vow_value_t v, const char *origin,
                              const char *site) {
  vow_error_t *e;
  if (vow__failure_state(v) == VOW__CANCELLED && object_of(v) == NULL) return v;
  e = own(v, origin);
  if (e == NULL) return v;
  if (e->trail_length < VOW__TRAIL_MAX) e->trail[e->trail_length] = site;
  e->trail_length++;
  return error_value(e);
}

vow_value_t vow__error_object(vow_value_t v, const char *origin) {
  vow_error_t *e = object_of(v) != NULL ? object_of(v) : own(v, origin);
  return e != NULL ? error_value(e) : v;
}

static vow_value_t because(vow_value_t v, const char *site, vow_value_t cause,
                           int depth) {
  vow_error_t *e = vow__is_failure(cause) && depth > 0 ? own(v, site) : NULL;
  if (e == NULL) {
    vow__value_destroy(cause);
    return v;
  }
  /* A bare "it was cancelled" says less than any other cause. */
  if (vow__is_failure(e->cause) &&
      (vow__failure_state(e->cause) != VOW__CANCELLED ||
       vow_value_error(e->cause) != NULL)) {
    e->cause = because(e->cause, site, cause, depth - 1);
  } else {
    vow__value_destroy(e->cause);
    e->cause = cause;
  }
  return error_value(e);
}

vow_value_t vow__error_because(vow_value_t v, const char *site,
                               vow_value_t cause) {
  return because(v, site, cause, 16);
}

vow_value_t vow_fail_because_at(const char *site, vow_value_t v,
                                vow_value_t cause) {
  if (vow__is_failure(v)) return vow__error_because(v, site, cause);
  vow__value_destroy(cause);
  return v;
}

/* ---- reading
 * -------------------------------------------------------------------- */

int vow_error_code(const vow_error_t *e) {
  return e != NULL ? e->code : 0;
}

const char *vow_error_message(const vow_error_t *e) {
  if (e == NULL) return "";
  return e->message != NULL ? e->message : vow_strerror(e->code);
}

const char *vow_value_message(vow_value_t v) {
  if (!vow__is_failure(v)) return NULL;
  return object_of(v) != NULL ? vow_error_message(object_of(v))
                              : vow_strerror(vow_value_code(v));
}

const char *vow_error_site(const vow_error_t *e) {
  return e != NULL && e->site != NULL ? e->site : "(unknown)";
}

bool vow_error_cause(const vow_error_t *e, vow_value_t *ret_cause) {
  if (e == NULL || e->cause.type == NULL) return false;
  *ret_cause = e->cause;
  return true;
}

const char *vow_error_trail(const vow_error_t *e, size_t i) {
  if (e == NULL || i >= e->trail_length || i >= VOW__TRAIL_MAX) return NULL;
  return e->trail[i];
}

size_t vow_error_trail_length(const vow_error_t *e) {
  return e != NULL ? e->trail_length : 0;
}

size_t vow_error_count(const vow_error_t *e) {
  return e != NULL ? e->count : 0;
}

vow_value_t vow_error_nth(const vow_error_t *e, size_t i) {
  return e != NULL && i < e->count ? e->nth[i] : vow_nil();
}

/* ---- the last misuse
 * --------------------------------------------------------------- */

static _Thread_local struct {
  int code;
  const char *site;
  char text[256];
} last;

void vow__record(int code, const char *site, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(last.text, sizeof(last.text), fmt, ap);
  va_end(ap);
  last.code = code;
  last.site = site;
}

vow_value_t vow_fail_last(void) {
  vow_value_t v;
  if (last.code == 0) return vow_fail(UV_EINVAL);
  v = vow_failf_at(last.site, last.code, "%s", last.text);
  last.code = 0;
  last.text[0] = '\0';
  return v;
}

const char *vow_last_message(void) {
  return last.text;
}

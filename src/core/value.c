/* SPDX-License-Identifier: MIT */
/* Values and vow's own types. Failures are in error.c. */
#include "core/loop.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void describe_int(const void *p, char *buf, size_t size_bytes) {
  snprintf(buf, size_bytes, "%" PRIdPTR, (intptr_t)p);
}

static void describe_cstr(const void *p, char *buf, size_t size_bytes) {
  snprintf(buf, size_bytes, "\"%s\"", p != NULL ? (const char *)p : "");
}

static void *string_ref(void *p) {
  size_t size = strlen(p) + 1;
  char *copy = vow_alloc(size);
  if (copy != NULL) memcpy(copy, p, size);
  return copy;
}

static void follow_destroy(void *p) {
  vow_drop(p);
}

const vow_type_t vow_type_int = {"int", NULL, NULL, describe_int};
const vow_type_t vow_type_double = {"double", NULL, NULL, NULL};
const vow_type_t vow_type_cstr = {"static string", NULL, NULL, describe_cstr};
const vow_type_t vow_type_string = {"string", vow_release, string_ref,
                                    describe_cstr};
const vow_type_t vow__type_follow = {"followed future", follow_destroy, NULL,
                                     NULL};
const vow_type_t vow__type_moved = {"moved", NULL, NULL, NULL};

vow_value_t vow_string(const char *s) {
  char *copy;
  if (s == NULL)
    return vow_failf_at(VOW_SITE, UV_EINVAL, "vow_string: the string is NULL");
  copy = string_ref((void *)(uintptr_t)s);
  return copy != NULL ? vow_ptr(copy, &vow_type_string) : vow_fail(UV_ENOMEM);
}

vow_value_t vow_stringf(const char *fmt, ...) {
  va_list ap;
  int length;
  char *text;
  va_start(ap, fmt);
  length = vsnprintf(NULL, 0, fmt, ap);
  va_end(ap);
  if (length < 0) return vow_fail(UV_EINVAL);
  text = vow_alloc((size_t)length + 1);
  if (text == NULL) return vow_fail(UV_ENOMEM);
  va_start(ap, fmt);
  vsnprintf(text, (size_t)length + 1, fmt, ap);
  va_end(ap);
  return vow_ptr(text, &vow_type_string);
}

void vow_value_destroy(vow_value_t v) {
  vow__value_destroy(v);
}

int vow_value_share(vow_value_t v, vow_value_t *ret_copy) {
  void *p;
  /* What needs no destroying is copied: numbers, codes, static strings. */
  if (v.type == NULL ||
      (v.type->destroy == NULL && v.type != &vow__type_moved) ||
      (v.as.p == NULL && v.type != &vow__type_moved)) {
    *ret_copy = v;
    return 0;
  }
  if (v.type->ref == NULL) return VOW_EMOVED;
  p = v.type->ref(v.as.p);
  if (p == NULL) return UV_ENOMEM;
  *ret_copy = vow_ptr(p, v.type);
  return 0;
}

const char *vow_value_describe(vow_value_t v, char *buf, size_t size_bytes) {
  if (size_bytes == 0) return buf;
  if (v.type == NULL)
    snprintf(buf, size_bytes, "nil");
  else if (v.type == &vow_type_double)
    snprintf(buf, size_bytes, "%g", v.as.d);
  else if (v.type == &vow__type_code)
    snprintf(buf, size_bytes, "%s: %s", vow_err_name(vow_value_code(v)),
             vow_strerror(vow_value_code(v)));
  else if (v.type->describe != NULL)
    v.type->describe(v.as.p, buf, size_bytes);
  else
    snprintf(buf, size_bytes, "%s %p", v.type->name, v.as.p);
  buf[size_bytes - 1] = '\0';
  return buf;
}

static bool is_of(const char *fn, vow_value_t v, const vow_type_t *type) {
  if (type != NULL && v.type == type) return true;
  vow__record(
      VOW_ETYPE, "(value)", "%s: the value is of type '%s', asked for '%s'", fn,
      v.type != NULL ? v.type->name : "nil", type != NULL ? type->name : "nil");
  return false;
}

void *vow_value_get(vow_value_t v, const vow_type_t *type) {
  return is_of("vow_value_get", v, type) ? v.as.p : NULL;
}

int64_t vow_value_int(vow_value_t v) {
  return is_of("vow_value_int", v, &vow_type_int) ? v.as.i : 0;
}

double vow_value_double(vow_value_t v) {
  return is_of("vow_value_double", v, &vow_type_double) ? v.as.d : 0;
}

const char *vow_value_string(vow_value_t v) {
  if (v.type == &vow_type_cstr) return v.as.cp;
  return is_of("vow_value_string", v, &vow_type_string) ? v.as.p : NULL;
}

bool vow_value_is_failure(vow_value_t v) {
  return vow__is_failure(v);
}

/* SPDX-License-Identifier: MIT */
/* Texts that grow, and the kit's own memory. */
#include "check/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX    200
#define SHOWN_BEFORE 40 /* what differs, when it is too far behind */

void *vow__kit_alloc(size_t size_bytes) {
  void *p = calloc(1, size_bytes);
  if (p != NULL) return p;
  fprintf(stderr, "vow_check: out of memory\n");
  abort();
}

static void reserve(vow__text_t *t, size_t more) {
  size_t need = t->length + more + 1;
  if (need <= t->capacity) return;
  t->capacity = need < 256 ? 256 : need * 2;
  t->data = realloc(t->data, t->capacity);
  if (t->data != NULL) return;
  fprintf(stderr, "vow_check: out of memory\n");
  abort();
}

void vow__text_addv(vow__text_t *t, const char *fmt, va_list ap) {
  va_list again;
  int n;
  va_copy(again, ap);
  n = vsnprintf(NULL, 0, fmt, ap);
  if (n > 0) {
    reserve(t, (size_t)n);
    vsnprintf(t->data + t->length, (size_t)n + 1, fmt, again);
    t->length += (size_t)n;
  }
  va_end(again);
}

void vow__text_add(vow__text_t *t, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  vow__text_addv(t, fmt, ap);
  va_end(ap);
}

void vow__text_append(vow__text_t *t, const char *data, size_t length) {
  reserve(t, length);
  memcpy(t->data + t->length, data, length);
  t->length += length;
  t->data[t->length] = '\0';
}

static void add_char(vow__text_t *t, unsigned char c) {
  static const char plain[] = "abtnvfr";
  if (c == '"' || c == '\\')
    vow__text_add(t, "\\%c", c);
  else if (c >= '\a' && c <= '\r')
    vow__text_add(t, "\\%c", plain[c - '\a']);
  else if (c < 0x20 || c > 0x7e)
    vow__text_add(t, "\\%03o", c);
  else
    vow__text_add(t, "%c", c);
}

void vow__text_add_bytes_from(vow__text_t *t, const void *data, size_t length,
                              size_t from) {
  const unsigned char *at = data;
  size_t i, end;
  if (from > length) from = length;
  end = length - from < SHOWN_MAX ? length : from + SHOWN_MAX;
  if (from > 0) vow__text_add(t, "from byte %zu on ", from);
  vow__text_add(t, "\"");
  for (i = from; i < end; i++) add_char(t, at[i]);
  vow__text_add(t, end < length ? "\"..." : "\"");
  if (from > 0 || end < length) vow__text_add(t, " (%zu bytes)", length);
}

size_t vow__bytes_part(const void *a, size_t a_length, const void *b,
                       size_t b_length) {
  const char *p = a, *q = b;
  size_t i = 0, n = a_length < b_length ? a_length : b_length;
  while (i < n && p[i] == q[i]) i++;
  return i;
}

size_t vow__shown_from(size_t at) {
  return at < SHOWN_MAX - SHOWN_BEFORE ? 0 : at - SHOWN_BEFORE;
}

void vow__text_add_double(vow__text_t *t, double d) {
  static const int digits[] = {6, 15, 16, 17};
  char text[40];
  size_t i;
  for (i = 0; i < sizeof digits / sizeof *digits; i++) {
    double back;
    snprintf(text, sizeof text, "%.*g", digits[i], d);
    back = strtod(text, NULL);
    if (islessequal(back, d) && isgreaterequal(back, d)) break;
  }
  vow__text_add(t, "%s", text);
}

void vow__text_add_line(const char *line, void *arg) {
  vow__text_add(arg, "\n  %s", line);
}

const char *vow__text_str(const vow__text_t *t) {
  return t->data != NULL ? t->data : "";
}

void vow__text_free(vow__text_t *t) {
  free(t->data);
  memset(t, 0, sizeof *t);
}

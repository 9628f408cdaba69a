/* SPDX-License-Identifier: MIT */
/* The whole story of a failure as text. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>

/* A buffer that is filled from the left and never overrun. */
typedef struct text {
  char *at;
  size_t room_bytes;
} text_t;

static void put(text_t *t, const char *fmt, ...) VOW_PRINTF(2, 3);

static void put(text_t *t, const char *fmt, ...) {
  va_list ap;
  int n;
  if (t->room_bytes <= 1) return;
  va_start(ap, fmt);
  n = vsnprintf(t->at, t->room_bytes, fmt, ap);
  va_end(ap);
  if (n < 0) return;
  if ((size_t)n >= t->room_bytes) n = (int)t->room_bytes - 1;
  t->at += n;
  t->room_bytes -= (size_t)n;
}

static void put_failure(text_t *t, vow_value_t v, int depth) {
  const vow_error_t *e = vow_value_error(v);
  int code = vow_value_code(v);
  int indent = 2 * depth;
  put(t, "%s (%s)", e != NULL ? vow_error_message(e) : vow_strerror(code),
      vow_err_name(code));
  if (e == NULL) return;
  put(t, "\n%*s  at %s", indent, "", vow_error_site(e));
  for (size_t i = 0; vow_error_trail(e, i) != NULL; i++)
    put(t, "\n%*s  via %s", indent, "", vow_error_trail(e, i));
  if (e->trail_length > VOW__TRAIL_MAX)
    put(t, "\n%*s  via %zu more", indent, "", e->trail_length - VOW__TRAIL_MAX);
  if (depth >= 8) return;
  if (e->cause.type != NULL) {
    put(t, "\n%*s  caused by: ", indent, "");
    put_failure(t, e->cause, depth + 1);
  }
  for (size_t i = 0; i < e->count; i++) {
    put(t, "\n%*s  error %zu: ", indent, "", i + 1);
    put_failure(t, e->nth[i], depth + 1);
  }
}

const char *vow_error_format(vow_value_t v, char *buf, size_t size_bytes) {
  text_t t = {buf, size_bytes};
  if (size_bytes == 0) return buf;
  buf[0] = '\0';
  if (vow__is_failure(v))
    put_failure(&t, v, 0);
  else
    put(&t, "no failure");
  return buf;
}

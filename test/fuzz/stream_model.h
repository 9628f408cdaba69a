/* SPDX-License-Identifier: MIT */
/* What reads of a stream must give, said plainly over one array of bytes: the
 * reference that fuzz_stream.c compares with. Nothing of vow's own parsers in
 * here. */
#ifndef VOW_TEST_FUZZ_STREAM_MODEL_H
#define VOW_TEST_FUZZ_STREAM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <uv.h>

typedef enum shape { SOME, EXACTLY, UNTIL, LINE, TO_END, PEEK } shape_t;

/** A read: its shape, its number (wanted, or the most), its delimiter. */
typedef struct wish {
  shape_t shape;
  size_t n;
  const char *delimiter;
} wish_t;

/** What is there to be read: bytes, and what comes behind them (0: that is not
 *  known yet). */
typedef struct rest {
  const char *data;
  size_t length;
  int end;
} rest_t;

typedef enum how { WAITS, GIVES, FAILS } how_t;

typedef struct verdict {
  how_t how;
  size_t length; /* of what it gives; the most, for SOME */
  size_t taken;  /* how many bytes go from the stream */
  int code;      /* what it fails with */
} verdict_t;

static inline verdict_t model_waits(void) {
  verdict_t v = {WAITS, 0, 0, 0};
  return v;
}

static inline verdict_t model_gives(size_t length, size_t taken) {
  verdict_t v = {GIVES, length, taken, 0};
  return v;
}

static inline verdict_t model_fails(int code) {
  verdict_t v = {FAILS, 0, 0, code};
  return v;
}

/* Fails when the end is known. */
static inline verdict_t model_ends(const rest_t *r) {
  return r->end != 0 ? model_fails(r->end) : model_waits();
}

static inline verdict_t model_until(const wish_t *w, const rest_t *r) {
  size_t length = strlen(w->delimiter), i;
  for (i = 0; i + length <= r->length && i + length <= w->n; i++)
    if (r->data[i] == *w->delimiter &&
        memcmp(r->data + i, w->delimiter, length) == 0)
      return model_gives(i + length, i + length);
  return r->length >= w->n ? model_fails(UV_EMSGSIZE) : model_ends(r);
}

static inline verdict_t model_line(const wish_t *w, const rest_t *r) {
  size_t end = 0, length;
  while (end < r->length && r->data[end] != '\n') end++;
  length = end;
  if (end < r->length) { /* a whole line */
    if (length > 0 && r->data[length - 1] == '\r') length--;
    return length <= w->n ? model_gives(length, end + 1)
                          : model_fails(UV_EMSGSIZE);
  }
  if (r->end != 0) {
    if (length > w->n) return model_fails(UV_EMSGSIZE);
    return r->end == UV_EOF && length > 0 ? model_gives(length, length)
                                          : model_fails(r->end);
  }
  /* A last \r may belong to the end of the line. */
  if (length > 0 && r->data[length - 1] == '\r') length--;
  return length > w->n ? model_fails(UV_EMSGSIZE) : model_waits();
}

static inline verdict_t model_to_end(const wish_t *w, const rest_t *r) {
  if (r->length > w->n) return model_fails(UV_EMSGSIZE);
  if (r->end == UV_EOF) return model_gives(r->length, r->length);
  return model_ends(r);
}

static inline verdict_t model_peek(const wish_t *w, const rest_t *r) {
  if (r->length >= w->n) return model_gives(w->n, 0);
  if (r->end != 0 && r->length > 0) return model_gives(r->length, 0);
  return model_ends(r);
}

/** What a read that is the first in line comes to. */
static inline verdict_t model_read(const wish_t *w, const rest_t *r) {
  size_t most = w->n > 0 && w->n < r->length ? w->n : r->length;
  switch (w->shape) {
  case SOME:
    return r->length > 0 ? model_gives(most, most) : model_ends(r);
  case EXACTLY:
    return r->length >= w->n ? model_gives(w->n, w->n) : model_ends(r);
  case UNTIL:
    return model_until(w, r);
  case LINE:
    return model_line(w, r);
  case TO_END:
    return model_to_end(w, r);
  default:
    return model_peek(w, r);
  }
}

#endif

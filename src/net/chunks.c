/* SPDX-License-Identifier: MIT */
/* The queue of pieces, and looking through it. */
#include "net/chunks.h"

#include <vow/op.h>

#include <string.h>
#include <uv.h>

#define RING_FIRST  ((size_t)4)
#define SMALL_BYTES ((size_t)4096)
/* So many pieces may be as they came. */
#define AS_CAME ((size_t)8)

typedef struct vow__chunks_ring ring_t;

struct vow__chunks_ring {
  size_t head;
  size_t count;
  size_t capacity;
  size_t room; /* at the end of the last piece, which is ours if not 0 */
  vow_bytes_t *pieces[];
};

typedef struct run {
  const char *data;
  size_t length;
} run_t;

/* ---- the ring ------------------------------------------------------------ */

static vow_bytes_t **place(ring_t *r, size_t i) {
  size_t at = r->head + i;
  return &r->pieces[at < r->capacity ? at : at - r->capacity];
}

static size_t count_of(const vow__chunks_t *c) {
  if (c->first == NULL) return 0;
  return 1 + (c->more != NULL ? c->more->count : 0);
}

/* Piece i as far as it counts. */
static run_t run_of(const vow__chunks_t *c, size_t i) {
  run_t run;
  const vow_bytes_t *b = i == 0 ? c->first : *place(c->more, i - 1);
  run.data = vow_bytes_data(b);
  run.length = vow_bytes_length(b);
  if (i == 0) {
    run.data += c->offset;
    run.length -= c->offset;
  } else if (i == c->more->count) {
    run.length -= c->more->room;
  }
  return run;
}

int vow__chunks_reserve(vow__chunks_t *c) {
  ring_t *old = c->more;
  ring_t *r;
  size_t capacity, i;
  if (c->first == NULL || (old != NULL && old->count < old->capacity)) return 0;
  capacity = old != NULL ? old->capacity * 2 : RING_FIRST;
  r = vow_alloc(sizeof *r + capacity * sizeof(vow_bytes_t *));
  if (r == NULL) return UV_ENOMEM;
  r->head = 0;
  r->count = old != NULL ? old->count : 0;
  r->room = old != NULL ? old->room : 0;
  r->capacity = capacity;
  for (i = 0; i < r->count; i++) r->pieces[i] = *place(old, i);
  vow_release(old);
  c->more = r;
  return 0;
}

/* The end of the last piece stays unused. */
static void close_room(ring_t *r) {
  vow_bytes_t *last;
  if (r->room == 0) return;
  last = *place(r, r->count - 1);
  vow_bytes_shorten(last, vow_bytes_length(last) - r->room);
  r->room = 0;
}

/* Copies b into the room at the end; false when it does not fit. */
static bool join(ring_t *r, const vow_bytes_t *b) {
  size_t length = vow_bytes_length(b);
  vow_bytes_t *last;
  if (r->room < length) return false;
  last = *place(r, r->count - 1);
  memcpy((char *)(uintptr_t)vow_bytes_data(last) + vow_bytes_length(last) -
             r->room,
         vow_bytes_data(b), length);
  r->room -= length;
  return true;
}

/* A larger piece that begins with the bytes of b; NULL for want of memory. */
static vow_bytes_t *with_room(const vow_bytes_t *b) {
  char *to;
  vow_bytes_t *large = vow_bytes_new(SMALL_BYTES, &to);
  if (large != NULL) memcpy(to, vow_bytes_data(b), vow_bytes_length(b));
  return large;
}

static void append(ring_t *r, vow_bytes_t *b) {
  size_t length = vow_bytes_length(b);
  vow_bytes_t *large = NULL;
  close_room(r);
  if (r->count >= AS_CAME && length < SMALL_BYTES / 2) large = with_room(b);
  *place(r, r->count) = large != NULL ? large : b;
  r->count++;
  if (large == NULL) return;
  r->room = SMALL_BYTES - length;
  vow_bytes_unref(b);
}

int vow__chunks_push(vow__chunks_t *c, vow_bytes_t *b) {
  size_t length = vow_bytes_length(b);
  if (length > 0 && c->first == NULL) {
    c->first = b;
  } else if (length == 0 || (c->more != NULL && join(c->more, b))) {
    vow_bytes_unref(b);
  } else {
    int err = vow__chunks_reserve(c);
    if (err != 0) return err;
    append(c->more, b);
  }
  c->total_bytes += length;
  return 0;
}

/* The first piece has been used up, or is yours. */
static void next_piece(vow__chunks_t *c) {
  ring_t *r = c->more;
  c->offset = 0;
  c->first = NULL;
  if (r == NULL) return;
  if (r->count == 1) close_room(r);
  if (r->count > 0) {
    c->first = *place(r, 0);
    r->head = r->head + 1 == r->capacity ? 0 : r->head + 1;
    r->count--;
  } else {
    vow_release(r);
    c->more = NULL;
  }
}

/* ---- taking -------------------------------------------------------------- */

size_t vow__chunks_run(const vow__chunks_t *c) {
  return c->first != NULL ? run_of(c, 0).length : 0;
}

static vow_bytes_t *copy_out(const vow__chunks_t *c, size_t n) {
  char *to;
  size_t i;
  vow_bytes_t *b = vow_bytes_new(n, &to);
  if (b == NULL) return NULL;
  for (i = 0; n > 0; i++) {
    run_t run = run_of(c, i);
    size_t part = run.length < n ? run.length : n;
    memcpy(to, run.data, part);
    to += part;
    n -= part;
  }
  return b;
}

vow_bytes_t *vow__chunks_peek(vow__chunks_t *c, size_t n) {
  if (n > vow__chunks_run(c) || n == 0) return copy_out(c, n);
  if (c->offset == 0 && n == vow_bytes_length(c->first))
    return vow_bytes_ref(c->first);
  return vow_bytes_slice(c->first, c->offset, n);
}

vow_bytes_t *vow__chunks_take(vow__chunks_t *c, size_t n) {
  vow_bytes_t *b = c->first;
  if (b != NULL && c->offset == 0 && n == vow_bytes_length(b)) {
    c->total_bytes -= n;
    next_piece(c);
    return b;
  }
  b = vow__chunks_peek(c, n);
  if (b != NULL) vow__chunks_skip(c, n);
  return b;
}

void vow__chunks_skip(vow__chunks_t *c, size_t n) {
  c->total_bytes -= n;
  while (n > 0) {
    size_t run = vow__chunks_run(c);
    if (n < run) {
      c->offset += n;
      return;
    }
    n -= run;
    vow_bytes_unref(c->first);
    next_piece(c);
  }
}

void vow__chunks_clear(vow__chunks_t *c) {
  vow__chunks_skip(c, c->total_bytes);
}

/* ---- looking ------------------------------------------------------------- */

char vow__chunks_at(const vow__chunks_t *c, size_t at) {
  size_t i = 0;
  run_t run = run_of(c, 0);
  while (at >= run.length) {
    at -= run.length;
    run = run_of(c, ++i);
  }
  return run.data[at];
}

/* Whether what goes on in piece i, at `at`. */
static bool matches(const vow__chunks_t *c, size_t i, size_t at,
                    const char *what, size_t length) {
  size_t count = count_of(c);
  for (; i < count; i++) {
    run_t run = run_of(c, i);
    size_t part = run.length - at;
    if (part > length) part = length;
    if (memcmp(run.data + at, what, part) != 0) return false;
    what += part;
    length -= part;
    if (length == 0) return true;
    at = 0;
  }
  return false;
}

size_t vow__chunks_find(const vow__chunks_t *c, size_t from, const char *what,
                        size_t length) {
  size_t count = count_of(c);
  size_t i, base = 0;
  for (i = 0; i < count; i++) {
    run_t run = run_of(c, i);
    size_t at = from > base ? from - base : 0;
    while (at < run.length) {
      const char *hit = memchr(run.data + at, what[0], run.length - at);
      if (hit == NULL) break;
      at = (size_t)(hit - run.data);
      if (length == 1 || matches(c, i, at, what, length)) return base + at;
      at++;
    }
    base += run.length;
  }
  return SIZE_MAX;
}

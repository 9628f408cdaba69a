/* SPDX-License-Identifier: MIT */
/* The lines of a file, as slices of large chunks.
 *
 * How this works. A chunk holds what was read: lines that were given out, the
 * line that begins at `at`, and room for more. A read goes into that room. When
 * there is little, the begun line moves to the chunk's front, if nobody has
 * lines of it any more, and else into a new chunk. Chunks grow while reads fill
 * them, and with the line, so that a long one is copied a few times only. */
#include <vow/file.h>

#include "net/file.h"
#include "net/pull.h"

#include <fcntl.h>
#include <string.h>

#define CHUNK_MIN ((size_t)64 * 1024)
#define CHUNK_MAX ((size_t)1024 * 1024)

struct vow_lines {
  vow__pull_t pull; /* first */
  char *path;
  uv_file file;
  size_t max;
  vow_bytes_t *chunk; /* NULL until the first read */
  char *data;         /* its memory */
  size_t capacity;
  size_t wanted;       /* what a new chunk would have, beside a begun line */
  size_t at;           /* where the next line begins */
  size_t scanned;      /* no newline from at to here */
  size_t end;          /* of what was read */
  vow_value_t failure; /* to be given next, or nil */
  int error;           /* what comes for ever after the lines; 0: nothing yet */
};

static vow_lines_t *lines_of(vow__pull_t *p) {
  return (vow_lines_t *)(void *)p;
}

/* ---- giving -------------------------------------------------------------- */

/* The length bytes at `at` as a value; skip: of a newline. */
static vow_value_t take_line(vow_lines_t *l, size_t length, size_t skip) {
  vow_bytes_t *b;
  if (length > l->max) {
    l->error = UV_EMSGSIZE;
    l->at = l->scanned = l->end;
    return vow_failf_at(l->pull.site, UV_EMSGSIZE,
                        "lines_next %s: a line has more than %zu bytes",
                        l->path, l->max);
  }
  b = vow_bytes_slice(l->chunk, l->at, length);
  if (b == NULL) return vow_fail(UV_ENOMEM);
  l->at += length + skip;
  l->scanned = l->at;
  return vow_ptr(b, &vow_type_bytes);
}

static vow_value_t take_failure(vow_lines_t *l) {
  vow_value_t v = l->failure;
  l->failure = vow_nil();
  return vow_value_is_failure(v) ? v : vow_fail(l->error);
}

static bool lines_give(vow__pull_t *p, vow_value_t *ret_v) {
  vow_lines_t *l = lines_of(p);
  const char *newline = NULL;
  if (l->end > l->scanned)
    newline = memchr(l->data + l->scanned, '\n', l->end - l->scanned);
  if (newline != NULL) {
    *ret_v = take_line(l, (size_t)(newline - l->data) - l->at, 1);
    return true;
  }
  l->scanned = l->end;
  if (l->end - l->at > l->max || (l->error == UV_EOF && l->end > l->at)) {
    *ret_v = take_line(l, l->end - l->at, 0);
    return true;
  }
  if (l->error == 0 && !vow_value_is_failure(l->failure)) return false;
  *ret_v = take_failure(l);
  return true;
}

/* ---- reading ------------------------------------------------------------- */

/* The begun line is now at the front of data. */
static void restart(vow_lines_t *l) {
  l->end -= l->at;
  l->scanned -= l->at;
  l->at = 0;
}

static int new_chunk(vow_lines_t *l) {
  size_t rest = l->end - l->at;
  char *data;
  vow_bytes_t *chunk = vow_bytes_new(l->wanted + 2 * rest, &data);
  if (chunk == NULL) return UV_ENOMEM;
  if (rest > 0) memcpy(data, l->data + l->at, rest);
  vow_bytes_unref(l->chunk);
  l->chunk = chunk;
  l->data = data;
  l->capacity = l->wanted + 2 * rest;
  restart(l);
  return 0;
}

/* Room for a read behind l->end: UV_ENOMEM or 0. */
static int make_room(vow_lines_t *l) {
  size_t rest = l->end - l->at;
  if (l->capacity < l->wanted) return new_chunk(l);
  if (l->at > 0 && rest <= l->capacity / 2 && !vow_bytes_is_shared(l->chunk)) {
    memmove(l->data, l->data + l->at, rest);
    restart(l);
  }
  return l->capacity - l->end >= l->wanted / 4 ? 0 : new_chunk(l);
}

/* Also after a cancellation: what was read all the same is kept. */
static void on_read(vow__steps_t *s, vow_future_t *f) {
  vow_lines_t *l = lines_of(vow__pull_of(s));
  if (vow_status(f) != 0) {
    vow__steps_finish(s, vow_outcome(f));
    return;
  }
  l->end += (size_t)vow_get_int(f);
  if (vow_get_int(f) == 0) l->error = UV_EOF;
  if (l->end == l->capacity && l->wanted < CHUNK_MAX) l->wanted *= 2;
  vow__steps_finish(s, vow_nil());
}

static void read_more(vow_lines_t *l, vow__steps_t *s) {
  size_t n;
  if (make_room(l) < 0) {
    vow__steps_finish(s, vow_fail(UV_ENOMEM));
    return;
  }
  n = l->capacity - l->end;
  if (n > VOW__FILE_STEP) n = VOW__FILE_STEP;
  vow__steps_await(s,
                   vow_fs_read_into_at(l->pull.site, l->pull.loop, l->file,
                                       l->data + l->end, n, -1),
                   VOW__STEP_ANY, on_read);
}

static void on_open(vow__steps_t *s, vow_future_t *f) {
  vow_lines_t *l = lines_of(vow__pull_of(s));
  l->file = vow_file_take(f);
  read_more(l, s);
}

static void lines_fill(vow__pull_t *p, vow__steps_t *s) {
  vow_lines_t *l = lines_of(p);
  if (l->file >= 0)
    read_more(l, s);
  else
    vow__steps_await(s, vow_fs_open_at(p->site, p->loop, l->path, O_RDONLY, 0),
                     0, on_open);
}

static void lines_filled(vow__pull_t *p, vow_value_t v) {
  vow_lines_t *l = lines_of(p);
  int err = vow_value_code(v);
  if (err == 0 || err == UV_ECANCELED) {
    vow_value_destroy(v);
    return;
  }
  vow_value_destroy(l->failure);
  l->failure = v;
  if (err != UV_ENOMEM) l->error = err; /* that may be better next time */
}

/* ---- the object ---------------------------------------------------------- */

static void lines_destroy(vow__pull_t *p) {
  vow_lines_t *l = lines_of(p);
  (void)vow__file_close_now(l->file);
  vow_bytes_unref(l->chunk);
  vow_value_destroy(l->failure);
  vow_release(l->path);
  vow_release(l);
}

static const vow__pull_kind_t lines_kind = {VOW__PULL_CLASS("lines_next"),
                                            lines_give, lines_fill,
                                            lines_filled, lines_destroy};

int vow_file_lines_at(const char *site, vow_loop_t *loop, const char *path,
                      size_t max_line_bytes, vow_lines_t **ret_lines) {
  vow_lines_t *l;
  size_t length;
  if (loop == NULL || path == NULL || ret_lines == NULL) return UV_EINVAL;
  length = strlen(path);
  l = vow_alloc(sizeof *l);
  if (l == NULL) return UV_ENOMEM;
  memset(l, 0, sizeof *l);
  vow__pull_init(&l->pull, site, loop, &lines_kind);
  l->file = -1;
  l->max = max_line_bytes;
  l->wanted = CHUNK_MIN;
  l->path = vow_alloc(length + 1);
  if (l->path == NULL) {
    vow_release(l);
    return UV_ENOMEM;
  }
  memcpy(l->path, path, length + 1);
  *ret_lines = l;
  return 0;
}

vow_future_t *vow_lines_next_at(const char *site, vow_lines_t *lines) {
  return vow__pull_next(site, lines != NULL ? &lines->pull : NULL, &lines_kind);
}

void vow_lines_free(vow_lines_t *lines) {
  if (lines != NULL) vow__pull_free(&lines->pull);
}

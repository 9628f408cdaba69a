/* SPDX-License-Identifier: MIT */
/* A whole file into memory: open, fstat, read to the end, close. */
#include <vow/file.h>

#include "net/file.h"

#include <fcntl.h>
#include <string.h>

#define FIRST_BYTES ((size_t)4096)

typedef struct reader {
  vow__steps_t steps;
  uv_file file;
  size_t max;
  vow_bytes_t *bytes; /* NULL until the file is open */
  char *room;
  size_t used;
  size_t capacity;
} reader_t;

static void reader_destroy(void *op) {
  vow_bytes_unref(((reader_t *)op)->bytes);
}

static void reader_unwind(vow__steps_t *s) {
  reader_t *r = (reader_t *)(void *)s;
  if (!vow__file_close_unwinding(s, &r->file)) vow__steps_end(s);
}

static void too_big(reader_t *r) {
  vow__steps_t *s = &r->steps;
  vow__steps_finish(s,
                    vow_failf_at(vow__steps_site(s), UV_EFBIG,
                                 "file_read_all: more than %zu bytes", r->max));
}

/* One byte more than the limit shows that there is more. */
static size_t limit(const reader_t *r) {
  return r->max < SIZE_MAX ? r->max + 1 : SIZE_MAX;
}

static int grow(reader_t *r, size_t capacity) {
  vow_bytes_t *b;
  char *room;
  if (capacity > limit(r)) capacity = limit(r);
  b = vow_bytes_new(capacity, &room);
  if (b == NULL) return UV_ENOMEM;
  if (r->used > 0) memcpy(room, r->room, r->used);
  vow_bytes_unref(r->bytes);
  r->bytes = b;
  r->room = room;
  r->capacity = capacity;
  return 0;
}

static void on_read(vow__steps_t *s, vow_future_t *f);

static void read_more(reader_t *r) {
  vow__steps_t *s = &r->steps;
  size_t n = r->capacity - r->used;
  if (n > VOW__FILE_STEP) n = VOW__FILE_STEP;
  vow__steps_await(s,
                   vow_fs_read_into_at(vow__steps_site(s), vow__steps_loop(s),
                                       r->file, r->room + r->used, n, -1),
                   0, on_read);
}

static void at_end(reader_t *r) {
  vow_bytes_t *b = r->bytes;
  r->bytes = NULL;
  r->steps.committed = true;
  vow_bytes_shorten(b, r->used);
  vow__steps_finish(&r->steps, vow_ptr(b, &vow_type_bytes));
}

static void on_read(vow__steps_t *s, vow_future_t *f) {
  reader_t *r = (reader_t *)(void *)s;
  size_t n = (size_t)vow_get_int(f);
  r->used += n;
  if (n == 0)
    at_end(r);
  else if (r->used > r->max)
    too_big(r);
  else if (r->used == r->capacity && grow(r, r->capacity * 2) < 0)
    vow__steps_finish(s, vow_fail(UV_ENOMEM));
  else
    read_more(r);
}

static void on_stat(vow__steps_t *s, vow_future_t *f) {
  reader_t *r = (reader_t *)(void *)s;
  uint64_t size_bytes = vow_stat_get(f)->st_size;
  if (size_bytes > r->max)
    too_big(r);
  else if (grow(r, size_bytes < FIRST_BYTES ? FIRST_BYTES
                                            : (size_t)size_bytes + 1) < 0)
    vow__steps_finish(s, vow_fail(UV_ENOMEM));
  else
    read_more(r);
}

static void on_open(vow__steps_t *s, vow_future_t *f) {
  reader_t *r = (reader_t *)(void *)s;
  r->file = vow_file_take(f);
  vow__steps_await(
      s, vow_fs_fstat_at(vow__steps_site(s), vow__steps_loop(s), r->file),
      VOW__STEP_FIRM, on_stat);
}

static const vow_op_class_t reader_class =
    VOW__STEPS_CLASS("file_read_all", reader_t, reader_destroy);

vow_future_t *vow_file_read_all_at(const char *site, vow_loop_t *loop,
                                   const char *path, size_t max_bytes) {
  reader_t *r;
  if (path == NULL)
    return vow_misuse_at(site, loop, UV_EINVAL,
                         "file_read_all: the path is NULL");
  r = vow_op_new_at(site, loop, &reader_class);
  if (r == NULL) return vow_op_failed(site, loop, reader_class.name);
  r->steps.unwind = reader_unwind;
  r->file = -1;
  r->max = max_bytes;
  vow__steps_await(&r->steps, vow_fs_open_at(site, loop, path, O_RDONLY, 0), 0,
                   on_open);
  return vow_op_future(r);
}

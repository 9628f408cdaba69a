/* SPDX-License-Identifier: MIT */
/* Reads: what each shape waits for, and serving them in order.
 *
 * How this works. A read that can be served from what waits settles in the
 * call; otherwise it goes into the stream's ring. Whatever changes (bytes, the
 * end, a read) ends in vow__stream_serve, which tries the first read again and
 * then decides whether the transport is to read. An attempt takes bytes only
 * when it has the memory for the result, so a failure loses none. */
#include "net/stream.h"

#include <string.h>

#define FEW_BYTES sizeof(char *)

typedef enum kind { SOME, EXACTLY, UNTIL, LINE, TO_END, PEEK } kind_t;

struct vow__read {
  vow_op_t op;
  vow__stream_t *stream; /* NULL when it is in no ring */
  vow__read_t *next;
  size_t n;       /* wanted, or the most */
  size_t scanned; /* no delimiter begins before */
  union {
    char few[FEW_BYTES];
    char *many;
  } delimiter;
  uint32_t delimiter_length;
};

static void read_cancel(void *op);
static void read_destroy(void *op);
static void read_ready(void *op, vow_waiter_t *w);
static void adjust(vow__stream_t *s);

#define READ_CLASS(name) \
  { (name), sizeof(vow__read_t), read_cancel, read_destroy, read_ready, NULL }

/* By kind. */
static const vow_op_class_t classes[] = {
    READ_CLASS("stream_read"),        READ_CLASS("stream_read_exactly"),
    READ_CLASS("stream_read_until"),  READ_CLASS("stream_read_line"),
    READ_CLASS("stream_read_to_end"), READ_CLASS("stream_peek")};

static kind_t kind_of(const vow__read_t *r) {
  return (kind_t)(r->op.cls - classes);
}

static const char *delimiter_of(const vow__read_t *r) {
  return r->delimiter_length > FEW_BYTES ? r->delimiter.many : r->delimiter.few;
}

static const char *site_of(vow__read_t *r) {
  return vow_site(vow_op_future(r));
}

/* ---- the ring ------------------------------------------------------------ */

static void append(vow__stream_t *s, vow__read_t *r) {
  r->stream = s;
  r->next = s->last != NULL ? s->last->next : r;
  if (s->last != NULL) s->last->next = r;
  s->last = r;
}

static void unlink_behind(vow__read_t *before, vow__read_t *r) {
  vow__stream_t *s = r->stream;
  before->next = r->next;
  if (s->last == r) s->last = before != r ? before : NULL;
  r->stream = NULL;
}

/* What waits may do for the read behind it, but not in this call: that one is
 * perhaps cancelled next, and takes nothing then. */
static void read_cancel(void *op) {
  vow__read_t *r = op;
  vow__read_t *before = r;
  vow__stream_t *s = r->stream;
  bool first;
  if (s != NULL) {
    while (before->next != r) before = before->next;
    first = before == s->last;
    unlink_behind(before, r);
    if (first && before != r) vow_op_wake(before->next);
    /* Without a read less is welcome. */
    if (s->last == NULL && s->reading) adjust(s);
  }
  vow_op_settle(r, vow_cancelled(UV_ECANCELED));
}

static void read_destroy(void *op) {
  vow__read_t *r = op;
  if (r->delimiter_length > FEW_BYTES) vow_release(r->delimiter.many);
}

static void settle_first(vow__stream_t *s, vow_value_t v) {
  vow__read_t *r = s->last->next;
  unlink_behind(s->last, r);
  vow_op_settle(r, v);
}

/* A failure that nobody waits for is told at once, to somebody who may give the
 * stream up: so settling holds it. */
void vow__stream_fail_reads(vow__stream_t *s, int code) {
  s->refs++;
  while (s->last != NULL) settle_first(s, vow_fail(code));
  vow_stream_unref(vow__stream_public(s));
}

/* ---- attempts: each gives a value, or type &waiting ---------------------- */

static const vow_type_t waiting = {"waiting", NULL, NULL, NULL};

static vow_value_t wait_on(void) {
  return vow_ptr(NULL, &waiting);
}

static vow_value_t bytes_or_enomem(vow_bytes_t *b) {
  return b != NULL ? vow_ptr(b, &vow_type_bytes) : vow_fail(UV_ENOMEM);
}

static vow_value_t take(vow__stream_t *s, size_t n) {
  return bytes_or_enomem(vow__chunks_take(&s->chunks, n));
}

static vow_value_t too_long(vow__read_t *r, const char *what) {
  return vow_failf_at(site_of(r), UV_EMSGSIZE,
                      "%s: %s within the limit of %zu bytes", r->op.cls->name,
                      what, r->n);
}

/* The stream has ended before r had what it wants: of total bytes, or 0. */
static vow_value_t ended(vow__stream_t *s, vow__read_t *r, size_t total) {
  size_t have = s->chunks.total_bytes;
  const char *how = s->end == UV_EOF ? "ended" : vow_strerror(s->end);
  if (total > 0)
    return vow_failf_at(site_of(r), s->end, "%s: %s after %zu of %zu bytes",
                        r->op.cls->name, how, have, total);
  if (have == 0) return vow_fail(s->end);
  return vow_failf_at(site_of(r), s->end, "%s: %s after %zu bytes",
                      r->op.cls->name, how, have);
}

static vow_value_t try_some(vow__stream_t *s, vow__read_t *r) {
  size_t run = vow__chunks_run(&s->chunks);
  if (run > 0) return take(s, r->n > 0 && r->n < run ? r->n : run);
  return s->end != 0 ? ended(s, r, 0) : wait_on();
}

static vow_value_t try_exactly(vow__stream_t *s, vow__read_t *r) {
  if (s->chunks.total_bytes >= r->n) return take(s, r->n);
  return s->end != 0 ? ended(s, r, r->n) : wait_on();
}

static vow_value_t try_until(vow__stream_t *s, vow__read_t *r) {
  size_t total = s->chunks.total_bytes, length = r->delimiter_length;
  size_t at = vow__chunks_find(&s->chunks, r->scanned, delimiter_of(r), length);
  if (at != SIZE_MAX && at <= r->n - length) return take(s, at + length);
  if (at != SIZE_MAX || total >= r->n) return too_long(r, "no delimiter");
  if (s->end != 0) return ended(s, r, 0);
  r->scanned = total >= length ? total - length + 1 : 0;
  return wait_on();
}

/* The end of the stream, or none yet. */
static vow_value_t try_last_line(vow__stream_t *s, vow__read_t *r) {
  size_t total = s->chunks.total_bytes;
  if (total > r->n && (total - r->n > 1 || s->end != 0 ||
                       vow__chunks_at(&s->chunks, total - 1) != '\r'))
    return too_long(r, "no end of the line");
  if (s->end == UV_EOF && total > 0) return take(s, total);
  if (s->end != 0) return ended(s, r, 0);
  r->scanned = total;
  return wait_on();
}

static vow_value_t try_line(vow__stream_t *s, vow__read_t *r) {
  size_t at = vow__chunks_find(&s->chunks, r->scanned, "\n", 1);
  size_t length = at;
  vow_bytes_t *b;
  if (at == SIZE_MAX) return try_last_line(s, r);
  if (at > 0 && vow__chunks_at(&s->chunks, at - 1) == '\r') length--;
  if (length > r->n) return too_long(r, "no end of the line");
  b = vow__chunks_peek(&s->chunks, length);
  if (b != NULL) vow__chunks_skip(&s->chunks, at + 1);
  return bytes_or_enomem(b);
}

static vow_value_t try_to_end(vow__stream_t *s, vow__read_t *r) {
  size_t total = s->chunks.total_bytes;
  if (total > r->n) return too_long(r, "no end");
  if (s->end == UV_EOF) return take(s, total);
  return s->end != 0 ? ended(s, r, 0) : wait_on();
}

static vow_value_t try_peek(vow__stream_t *s, vow__read_t *r) {
  size_t n = s->chunks.total_bytes;
  if (n >= r->n)
    n = r->n;
  else if (s->end == 0)
    return wait_on();
  if (n == 0) return ended(s, r, 0);
  return bytes_or_enomem(vow__chunks_peek(&s->chunks, n));
}

static vow_value_t attempt(vow__stream_t *s, vow__read_t *r) {
  switch (kind_of(r)) {
  case SOME:
    return try_some(s, r);
  case EXACTLY:
    return try_exactly(s, r);
  case UNTIL:
    return try_until(s, r);
  case LINE:
    return try_line(s, r);
  case TO_END:
    return try_to_end(s, r);
  default:
    return try_peek(s, r);
  }
}

/* ---- serving ------------------------------------------------------------- */

size_t vow__stream_need(const vow__stream_t *s) {
  const vow__read_t *r = s->last != NULL ? s->last->next : NULL;
  if (r == NULL) return 0;
  switch (kind_of(r)) {
  case SOME:
    return 1;
  case LINE: /* and its end */
    return r->n < SIZE_MAX - 2 ? r->n + 2 : SIZE_MAX;
  case TO_END: /* and one more, which fails it */
    return r->n < SIZE_MAX ? r->n + 1 : SIZE_MAX;
  default:
    return r->n;
  }
}

/* Begins or pauses reading; read_start may push, and so come here again. */
static void adjust(vow__stream_t *s) {
  vow_stream_t *stream = vow__stream_public(s);
  size_t total = s->chunks.total_bytes;
  int err;
  if (s->end != 0) return;
  if (s->reading) {
    if (s->last != NULL || total < s->high_water_bytes) return;
    s->reading = false;
    s->cls->read_stop(stream);
  } else if (s->last != NULL ||
             (s->begun && total <= s->high_water_bytes / 2)) {
    s->reading = true;
    err = s->cls->read_start(stream);
    if (err == 0) return;
    s->reading = false;
    vow__stream_fail_reads(s, err);
  }
}

void vow__stream_serve(vow__stream_t *s) {
  s->refs++; /* as above */
  while (s->last != NULL) {
    vow_value_t v = attempt(s, s->last->next);
    if (v.type == &waiting) break;
    settle_first(s, v);
  }
  adjust(s);
  vow_stream_unref(vow__stream_public(s));
}

static void read_ready(void *op, vow_waiter_t *w) {
  vow__read_t *r = op;
  vow__stream_t *s = r->stream;
  (void)w;
  if (s == NULL) return;
  /* A transport that saw no room for r may have it for who is next. */
  if (s->reading) {
    s->reading = false;
    s->cls->read_stop(vow__stream_public(s));
  }
  vow__stream_serve(s);
}

/* ---- the user's side ----------------------------------------------------- */

/* The cell comes first, so that no byte is lost for want of one. NULL with a
 * failure in *ret_failed. */
static vow__read_t *read_new(const char *site, vow_stream_t *stream,
                             kind_t kind, size_t n, vow_future_t **ret_failed) {
  const vow_op_class_t *cls = &classes[kind];
  vow__stream_t *s = vow__stream_of(stream);
  vow__read_t *r;
  *ret_failed = vow__stream_refusal(site, stream, cls->name);
  if (*ret_failed != NULL) return NULL;
  r = vow_op_new_at(site, s->loop, cls);
  if (r == NULL) {
    *ret_failed = vow_op_failed(site, s->loop, cls->name);
    return NULL;
  }
  r->n = n;
  return r;
}

static vow_future_t *read_begin(vow_stream_t *stream, vow__read_t *r) {
  vow__stream_t *s = vow__stream_of(stream);
  s->begun = true;
  if (s->last == NULL) {
    vow_value_t v = attempt(s, r);
    if (v.type != &waiting) {
      vow_op_settle(r, v);
      if (!s->reading) adjust(s);
      return vow_op_future(r);
    }
  }
  append(s, r);
  if (!s->reading) adjust(s);
  return vow_op_future(r);
}

static vow_future_t *read_of(const char *site, vow_stream_t *stream,
                             kind_t kind, size_t n) {
  vow_future_t *failed;
  vow__read_t *r = read_new(site, stream, kind, n, &failed);
  return r != NULL ? read_begin(stream, r) : failed;
}

vow_future_t *vow_stream_read_at(const char *site, vow_stream_t *stream,
                                 size_t max_bytes) {
  return read_of(site, stream, SOME, max_bytes);
}

vow_future_t *vow_stream_read_exactly_at(const char *site, vow_stream_t *stream,
                                         size_t n) {
  return read_of(site, stream, EXACTLY, n);
}

vow_future_t *vow_stream_read_line_at(const char *site, vow_stream_t *stream,
                                      size_t max_bytes) {
  return read_of(site, stream, LINE, max_bytes);
}

vow_future_t *vow_stream_read_to_end_at(const char *site, vow_stream_t *stream,
                                        size_t max_bytes) {
  return read_of(site, stream, TO_END, max_bytes);
}

vow_future_t *vow_stream_peek_at(const char *site, vow_stream_t *stream,
                                 size_t n) {
  if (n == 0)
    return vow_misuse_at(site, vow_stream_loop(stream), UV_EINVAL,
                         "stream_peek: n is 0");
  return read_of(site, stream, PEEK, n);
}

static int set_delimiter(vow__read_t *r, const void *delimiter, size_t length) {
  char *to = r->delimiter.few;
  if (length > FEW_BYTES) {
    to = vow_alloc(length);
    if (to == NULL) return UV_ENOMEM;
    r->delimiter.many = to;
  }
  memcpy(to, delimiter, length);
  r->delimiter_length = (uint32_t)length;
  return 0;
}

vow_future_t *vow_stream_read_until_at(const char *site, vow_stream_t *stream,
                                       const void *delimiter, size_t length,
                                       size_t max_bytes) {
  vow_future_t *failed;
  vow__read_t *r;
  if (delimiter == NULL || length == 0 || length > max_bytes ||
      length > UINT32_MAX)
    return vow_misuse_at(site, NULL, UV_EINVAL,
                         "stream_read_until: no delimiter that fits into %zu "
                         "bytes",
                         max_bytes);
  r = read_new(site, stream, UNTIL, max_bytes, &failed);
  if (r == NULL) return failed;
  if (set_delimiter(r, delimiter, length) != 0) {
    vow_op_settle(r, vow_fail(UV_ENOMEM));
    return vow_op_future(r);
  }
  return read_begin(stream, r);
}

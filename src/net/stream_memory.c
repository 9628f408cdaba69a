/* SPDX-License-Identifier: MIT */
/* Pairs of streams in memory.
 *
 * How this works. What is written waits as entries on the writing end, and is
 * pushed into the other's queue as far as that has room: at the write, and
 * whenever the other begins to read again. Capacity is the other's high-water
 * mark. An entry without bytes is the end. The end that is closed first cuts
 * the two apart. */
#include "net/stream.h"

#include <string.h>

#define CAPACITY_BYTES ((size_t)64 * 1024)

typedef struct entry entry_t;
typedef struct entry_op entry_op_t;

struct entry {
  entry_t *next;
  entry_op_t *op;     /* who waits; NULL when nobody does */
  vow_bytes_t *bytes; /* NULL: the end */
  size_t offset;      /* how much has been pushed */
};

struct entry_op {
  vow_op_t op;
  entry_t *entry; /* NULL once it has settled */
};

typedef struct memory_transport {
  vow_stream_t base;
  struct memory_transport *peer; /* NULL once one of them is closed */
  entry_t *first;
  entry_t **end;
  int error;     /* what writes fail with when there is no peer */
  bool shut;     /* no more writes */
  bool flushing; /* pushing is on the stack */
} end_t;

static end_t *end_of(const vow_stream_t *s) {
  return (end_t *)(uintptr_t)s;
}

/* ---- entries ------------------------------------------------------------- */

static void entry_op_cancel(void *p) {
  entry_op_t *op = p;
  if (op->entry != NULL) op->entry->op = NULL; /* which goes all the same */
  op->entry = NULL;
  vow_op_settle(op, vow_cancelled(UV_ECANCELED));
}

static const vow_op_class_t write_class = {
    "stream_write", sizeof(entry_op_t), entry_op_cancel, NULL, NULL, NULL};
static const vow_op_class_t shutdown_class = {
    "stream_shutdown", sizeof(entry_op_t), entry_op_cancel, NULL, NULL, NULL};

/* Takes the first entry out and tells who waits for it. */
static void entry_done(end_t *e, vow_value_t v) {
  entry_t *entry = e->first;
  entry_op_t *op = entry->op;
  e->first = entry->next;
  if (e->first == NULL) e->end = &e->first;
  if (op != NULL) {
    op->entry = NULL;
    vow_op_settle(op, v);
  }
  vow_bytes_unref(entry->bytes);
  vow_release(entry);
}

static void fail_entries(end_t *e, int code) {
  while (e->first != NULL) entry_done(e, vow_fail(code));
}

/* As much of the first entry as there is room for. */
static int push_some(end_t *e, vow_stream_t *to, size_t room) {
  entry_t *entry = e->first;
  size_t rest = vow_bytes_length(entry->bytes) - entry->offset;
  size_t part = rest < room ? rest : room;
  vow_bytes_t *b = part == rest && entry->offset == 0
                       ? vow_bytes_ref(entry->bytes)
                       : vow_bytes_slice(entry->bytes, entry->offset, part);
  if (b == NULL || vow_stream_reserve(to) != 0) {
    vow_bytes_unref(b);
    return UV_ENOMEM;
  }
  entry->offset += part;
  vow_stream_push(to, b);
  return 0;
}

/* Pushing may make the other read, which comes here again. */
static int flush(end_t *e) {
  int err = 0;
  if (e->flushing) return 0;
  e->flushing = true;
  (void)vow_stream_ref(&e->base);
  while (err == 0 && e->first != NULL && e->peer != NULL) {
    vow_stream_t *to = &e->peer->base;
    size_t room = vow_stream_room(to);
    if (e->first->bytes == NULL) {
      entry_done(e, vow_nil());
      vow_stream_end(to, UV_EOF);
      continue;
    }
    if (room == 0) break;
    err = push_some(e, to, room);
    /* Who was told of a failure may have closed either end. */
    if (err == 0 && e->first != NULL &&
        e->first->offset == vow_bytes_length(e->first->bytes))
      entry_done(e, vow_int((int64_t)e->first->offset));
  }
  e->flushing = false;
  vow_stream_unref(&e->base);
  return err;
}

/* ---- the hooks ----------------------------------------------------------- */

static int read_start(vow_stream_t *s) {
  end_t *e = end_of(s);
  return e->peer != NULL ? flush(e->peer) : 0;
}

static void read_stop(vow_stream_t *s) {
  (void)s; /* room says so */
}

/* Queues b, which is consumed, or the end, after which nothing is written. */
static vow_future_t *queue(const char *site, end_t *e,
                           const vow_op_class_t *cls, vow_bytes_t *b) {
  vow_loop_t *loop = vow_stream_loop(&e->base);
  entry_op_t *op = vow_op_new_at(site, loop, cls);
  entry_t *entry = op != NULL ? vow_alloc(sizeof *entry) : NULL;
  if (entry == NULL) {
    vow_bytes_unref(b);
    if (op == NULL) return vow_op_failed(site, loop, cls->name);
    vow_op_settle(op, vow_fail(UV_ENOMEM));
    return vow_op_future(op);
  }
  entry->next = NULL;
  entry->op = op;
  entry->bytes = b;
  entry->offset = 0;
  op->entry = entry;
  *e->end = entry;
  e->end = &entry->next;
  e->shut = b == NULL;
  (void)vow_stream_ref(&e->base);
  if (flush(e) != 0 && e->peer != NULL)
    vow_stream_stall(&e->peer->base, UV_ENOMEM); /* asking again helps */
  vow_stream_unref(&e->base);
  return vow_op_future(op);
}

/* Why e cannot be written to; 0 when it can. */
static int write_error(const end_t *e) {
  if (e->shut) return UV_EPIPE;
  return e->peer == NULL ? e->error : 0;
}

static vow_future_t *refused(const char *site, end_t *e, int code) {
  return vow_ready_at(
      site, vow_stream_loop(&e->base),
      vow_failf_at(site, code, "stream_write: %s", vow_strerror(code)));
}

static vow_future_t *write_bytes(const char *site, vow_stream_t *s,
                                 vow_bytes_t *b) {
  end_t *e = end_of(s);
  int err = write_error(e);
  if (err != 0) return refused(site, e, err);
  return queue(site, e, &write_class, vow_bytes_ref(b));
}

static vow_future_t *write_copied(const char *site, vow_stream_t *s,
                                  const uv_buf_t bufs[], unsigned n) {
  end_t *e = end_of(s);
  int err = write_error(e);
  size_t total = 0;
  unsigned i;
  vow_bytes_t *b;
  char *to;
  if (err != 0) return refused(site, e, err);
  for (i = 0; i < n; i++) total += bufs[i].len;
  b = vow_bytes_new(total, &to);
  if (b == NULL)
    return vow_ready_at(site, vow_stream_loop(s), vow_fail(UV_ENOMEM));
  for (i = 0; i < n; i++) {
    if (bufs[i].len > 0) memcpy(to, bufs[i].base, bufs[i].len);
    to += bufs[i].len;
  }
  return queue(site, e, &write_class, b);
}

static vow_future_t *shut(const char *site, vow_stream_t *s) {
  end_t *e = end_of(s);
  if (e->shut || e->peer == NULL)
    return vow_ready_at(site, vow_stream_loop(s), vow_fail(UV_ENOTCONN));
  return queue(site, e, &shutdown_class, NULL);
}

static vow_future_t *close_end(const char *site, vow_stream_t *s, int code) {
  end_t *e = end_of(s), *peer = e->peer;
  e->peer = NULL;
  if (peer != NULL) { /* apart first: who is told of a failure may close it */
    (void)vow_stream_ref(&peer->base);
    peer->peer = NULL;
    peer->error = code != 0 ? code : UV_EPIPE;
  }
  fail_entries(e, VOW_ESHUTDOWN);
  if (peer != NULL) {
    fail_entries(peer, peer->error);
    vow_stream_end(&peer->base, code != 0 ? code : UV_EOF);
    vow_stream_unref(&peer->base);
  }
  if (site == NULL) return NULL;
  return vow_ready_at(site, vow_stream_loop(s), vow_nil());
}

static const vow_stream_class_t memory_class = {
    "memory",    sizeof(end_t), read_start, read_stop, write_copied, NULL,
    write_bytes, shut,          close_end,  NULL,      NULL};

/* ---- making -------------------------------------------------------------- */

static end_t *end_new(vow_loop_t *loop, size_t capacity_bytes) {
  end_t *e = end_of(vow_stream_new(loop, &memory_class));
  if (e == NULL) return NULL;
  e->end = &e->first;
  e->error = UV_EPIPE;
  vow_stream_set_high_water(&e->base, capacity_bytes > 0 ? capacity_bytes
                                                         : CAPACITY_BYTES);
  return e;
}

int vow_stream_pair_at(const char *site, vow_loop_t *loop,
                       size_t capacity_bytes, vow_stream_t **ret_a,
                       vow_stream_t **ret_b) {
  end_t *a, *b;
  (void)site;
  if (loop == NULL || ret_a == NULL || ret_b == NULL) return UV_EINVAL;
  a = end_new(loop, capacity_bytes);
  b = a != NULL ? end_new(loop, capacity_bytes) : NULL;
  if (b == NULL) {
    if (a != NULL) vow_stream_unref(&a->base);
    return UV_ENOMEM;
  }
  a->peer = b;
  b->peer = a;
  *ret_a = &a->base;
  *ret_b = &b->base;
  return 0;
}

/* SPDX-License-Identifier: MIT */
/* From one stream to another: read, write, and so on, one piece at a time. */
#include <vow/op.h>
#include <vow/stream.h>

/* So many pieces are copied without going back to the loop. */
#define BUDGET 16

typedef struct copy_op {
  vow_op_t op;
  vow_waiter_t waiter;
  vow_stream_t *from;
  vow_stream_t *to;
  uint64_t limit_bytes;
  uint64_t copied_bytes;
  bool writing; /* what is awaited is a write */
} copy_t;

static void copy_destroy(void *op) {
  copy_t *c = op;
  vow_stream_unref(c->from);
  vow_stream_unref(c->to);
}

static void finish(copy_t *c) {
  vow_op_settle(c, vow_int((int64_t)c->copied_bytes));
}

static void fail(copy_t *c, vow_future_t *f) {
  const char *site = vow_site(vow_op_future(c));
  vow_op_settle(c, vow_fail_cause_at(site, vow_status(f), vow_outcome(f),
                                     "stream_copy: %s after %llu bytes",
                                     vow_strerror(vow_status(f)),
                                     (unsigned long long)c->copied_bytes));
}

static vow_future_t *begin_write(copy_t *c, vow_future_t *read) {
  vow_bytes_t *b = vow_bytes_get(read);
  return vow_stream_write_bytes_at(vow_site(vow_op_future(c)), c->to, b);
}

static vow_future_t *begin_read(copy_t *c) {
  uint64_t rest = c->limit_bytes - c->copied_bytes;
  return vow_stream_read_at(vow_site(vow_op_future(c)), c->from,
                            rest < SIZE_MAX ? (size_t)rest : 0);
}

/* f has settled: the next future to be awaited, or NULL at the end. */
static vow_future_t *step(copy_t *c, vow_future_t *f) {
  if (vow_status(f) != 0) {
    if (!c->writing && vow_status(f) == UV_EOF)
      finish(c);
    else
      fail(c, f);
    return NULL;
  }
  c->writing = !c->writing;
  if (c->writing) return begin_write(c, f);
  c->copied_bytes += (uint64_t)vow_get_int(f);
  if (c->copied_bytes < c->limit_bytes) return begin_read(c);
  finish(c);
  return NULL;
}

static void go_on(copy_t *c, vow_future_t *f) {
  int budget = BUDGET;
  while (vow_is_settled(f) && budget-- > 0) {
    vow_future_t *next = step(c, f);
    vow_drop(f);
    if (next == NULL) return;
    f = next;
  }
  vow_waiter_start(&c->waiter, c, f);
}

static void copy_ready(void *op, vow_waiter_t *w) {
  go_on(op, vow_waiter_take(w));
}

/* What was read goes, even so; the future of that write is nobody's. */
static void copy_cancel(void *op) {
  copy_t *c = op;
  vow_future_t *f = vow_waiter_take(&c->waiter);
  if (!c->writing && vow_is_settled(f) && vow_status(f) == 0) {
    vow_future_t *last = begin_write(c, f);
    vow_status(last);
    vow_drop(last);
  }
  vow_drop(f);
  vow_op_settle(c, vow_cancelled(UV_ECANCELED));
}

static void copy_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                         void *arg) {
  copy_t *c = op;
  if (vow_waiter_future(&c->waiter) != NULL)
    visit(vow_waiter_future(&c->waiter), arg);
}

static const vow_op_class_t copy_class = {"stream_copy", sizeof(copy_t),
                                          copy_cancel,   copy_destroy,
                                          copy_ready,    copy_sources};

vow_future_t *vow_stream_copy_at(const char *site, vow_stream_t *from,
                                 vow_stream_t *to, uint64_t limit_bytes) {
  vow_loop_t *loop = vow_stream_loop(from);
  copy_t *c;
  if (from == NULL || to == NULL || vow_stream_loop(to) != loop)
    return vow_misuse_at(site, loop, UV_EINVAL, "stream_copy: %s",
                         from == NULL || to == NULL
                             ? "a stream is NULL"
                             : "the streams are of two loops");
  if (limit_bytes == 0) return vow_ready_at(site, loop, vow_int(0));
  c = vow_op_new_at(site, loop, &copy_class);
  if (c == NULL) return vow_op_failed(site, loop, copy_class.name);
  c->from = vow_stream_ref(from);
  c->to = vow_stream_ref(to);
  c->limit_bytes = limit_bytes;
  go_on(c, begin_read(c));
  return vow_op_future(c);
}

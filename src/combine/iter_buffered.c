/* SPDX-License-Identifier: MIT */
/* buffered and buffered_unordered: a callback for each item, several at a time.
 *
 * How this works: a slot for each item from when it came until it is given; an
 * item that has no slot is not asked for. The slots in use stand in a line, in
 * the order of the items (buffered), or of those whose result is there (not
 * ordered). What a future gave stays in its slot's waiter, unread. */
#include "combine/iter_call.h"

#include "base/errno.h"
#include <vow/iter_class.h>
#include <vow/iter_tools.h>

#include <string.h>

typedef struct slot slot_t;
struct slot {
  vow_waiter_t waiter; /* what the callback follows, if anything */
  vow_value_t value;   /* what it gave at once */
  slot_t *next;        /* in the line, or among the free */
  bool done;
};

typedef struct buffered {
  vow_iter_t it;
  vow_waiter_t source_waiter; /* source's next; or its end */
  vow_iter_t *source;
  slot_t *slots;
  slot_t *free;
  slot_t *first, **last; /* the line */
  size_t n;
  size_t used;
  size_t unwinding; /* closing: slots whose end is awaited */
  vow_then_cb cb;
  void *arg;
  vow_drop_cb arg_drop;
  bool ordered;
  bool source_ended;
  bool closing_source;
} buffered_t;

static const char *name_of(const buffered_t *b) {
  return b->ordered ? "vow_iter_buffered" : "vow_iter_buffered_unordered";
}

static const char *site_of(buffered_t *b) {
  return vow_site(vow_op_future(b));
}

/* ---- slots --------------------------------------------------------------- */

static slot_t *take_slot(buffered_t *b) {
  slot_t *s = b->free;
  b->free = s->next;
  b->used++;
  s->next = NULL;
  s->done = false;
  return s;
}

static void free_slot(buffered_t *b, slot_t *s) {
  s->next = b->free;
  b->free = s;
  b->used--;
}

static void append(buffered_t *b, slot_t *s) {
  *b->last = s;
  b->last = &s->next;
}

/* The result of the first in the line, which goes. */
static vow_value_t pop(buffered_t *b) {
  slot_t *s = b->first;
  vow_future_t *f = vow_waiter_take(&s->waiter);
  vow_value_t v = s->value;
  s->value = vow_nil();
  b->first = s->next;
  if (b->first == NULL) b->last = &b->first;
  free_slot(b, s);
  if (f == NULL) return v;
  return vow__call_item(b, name_of(b), vow_op_consume(site_of(b), f));
}

/* ---- asking, giving ------------------------------------------------------ */

static void pump(buffered_t *b) {
  if (b->source_ended || b->free == NULL || vow_iter_is_closing(&b->it) ||
      vow_waiter_future(&b->source_waiter) != NULL)
    return;
  vow_waiter_start(&b->source_waiter, b,
                   vow_iter_next_at(site_of(b), b->source));
}

static void serve(buffered_t *b) {
  vow_value_t v;
  if (!vow_iter_is_asked(&b->it)) return;
  if (b->first != NULL && b->first->done) {
    v = pop(b);
    pump(b);
    vow_iter_give(&b->it, v);
  } else if (b->source_ended && b->used == 0) {
    vow_iter_give(&b->it, vow_fail(UV_EOF));
  }
}

static void done(buffered_t *b, slot_t *s) {
  s->done = true;
  if (!b->ordered) append(b, s);
}

/* Takes an outcome of source, not the end, into a slot. */
static void begin(buffered_t *b, vow_future_t *f) {
  slot_t *s = take_slot(b);
  vow_future_t *inner = NULL;
  if (b->ordered) append(b, s);
  if (vow_state(f) != VOW_SUCCEEDED) {
    s->value = vow_op_consume(site_of(b), f);
  } else {
    vow_value_t v = b->cb(f, b->arg);
    vow_drop(f);
    inner = vow__iter_followed(&b->it, name_of(b), &v);
    s->value = vow__call_item(b, name_of(b), v);
  }
  if (inner != NULL)
    vow_waiter_start(&s->waiter, b, inner);
  else
    done(b, s);
}

static void source_ready(buffered_t *b) {
  vow_future_t *f = vow_waiter_take(&b->source_waiter);
  if (vow_iter_is_end(f)) {
    b->source_ended = true;
    vow_drop(f);
  } else {
    begin(b, f);
    pump(b);
  }
}

static void buffered_next(vow_iter_t *it) {
  buffered_t *b = (buffered_t *)(void *)it;
  pump(b);
  serve(b);
}

static bool buffered_unasked(vow_iter_t *it) {
  buffered_t *b = (buffered_t *)(void *)it;
  if (!vow_is_settled(vow_waiter_future(&b->source_waiter)))
    vow_waiter_release(&b->source_waiter);
  return true;
}

/* ---- closing ------------------------------------------------------------- */

static void close_source(buffered_t *b) {
  b->closing_source = true;
  vow_waiter_start(&b->source_waiter, b, vow_iter_close(b->source));
}

static void buffered_close(vow_iter_t *it) {
  buffered_t *b = (buffered_t *)(void *)it;
  vow__call_forget(&b->source_waiter);
  b->unwinding = 1; /* until the loop below has ended */
  for (size_t i = 0; i < b->n; i++) {
    vow_value_t v = b->slots[i].value;
    b->slots[i].value = vow_nil();
    if (vow__call_cancel(&b->slots[i].waiter)) b->unwinding++;
    vow_value_destroy(v);
  }
  if (--b->unwinding == 0) close_source(b);
}

static void finish(buffered_t *b) {
  vow_value_t failure =
      vow__call_failure(b, vow_waiter_take(&b->source_waiter));
  vow_iter_t *source = b->source;
  vow_drop_cb arg_drop = b->arg_drop;
  b->source = NULL;
  b->arg_drop = NULL;
  vow_iter_free(source);
  if (arg_drop != NULL) arg_drop(b->arg);
  vow_iter_closed(&b->it, failure);
}

static void unwound(buffered_t *b, vow_waiter_t *w) {
  vow_drop(vow_waiter_take(w));
  if (--b->unwinding == 0) close_source(b);
}

static void buffered_ready(vow_iter_t *it, vow_waiter_t *w) {
  buffered_t *b = (buffered_t *)(void *)it;
  if (b->closing_source) {
    finish(b);
  } else if (vow_iter_is_closing(it)) {
    unwound(b, w);
  } else {
    if (w == &b->source_waiter)
      source_ready(b);
    else
      done(b, (slot_t *)(void *)w);
    serve(b);
  }
}

static void buffered_destroy(void *op) {
  buffered_t *b = op;
  vow_release(b->slots);
}

static void buffered_sources(void *op,
                             void (*visit)(vow_future_t *f, void *arg),
                             void *arg) {
  const buffered_t *b = op;
  if (vow_waiter_future(&b->source_waiter) != NULL)
    visit(vow_waiter_future(&b->source_waiter), arg);
  for (size_t i = 0; b->slots != NULL && i < b->n; i++)
    if (vow_waiter_future(&b->slots[i].waiter) != NULL)
      visit(vow_waiter_future(&b->slots[i].waiter), arg);
}

static const vow_iter_class_t buffered_class = {
    .op = VOW_ITER_OP("iter_buffered", buffered_t, buffered_destroy,
                      buffered_sources),
    .next = buffered_next,
    .unasked = buffered_unasked,
    .ready = buffered_ready,
    .close = buffered_close,
};

/* ---- making -------------------------------------------------------------- */

static buffered_t *buffered_new(const char *site, vow_iter_t *source,
                                size_t n) {
  slot_t *slots = vow_alloc(n * sizeof(*slots));
  buffered_t *b = NULL;
  if (slots != NULL)
    b = vow_iter_new_at(site, vow_iter_loop(source), &buffered_class);
  if (b == NULL) {
    vow_release(slots);
    return NULL;
  }
  memset(slots, 0, n * sizeof(*slots));
  for (size_t i = 0; i + 1 < n; i++) slots[i].next = &slots[i + 1];
  b->slots = b->free = slots;
  b->n = n;
  b->last = &b->first;
  b->source = source;
  return b;
}

static vow_iter_t *start(const char *site, vow_iter_t *it, size_t n,
                         vow_then_cb cb, void *arg, vow_drop_cb arg_drop,
                         const char *fn, bool ordered) {
  const char *wrong = NULL;
  vow_future_t *why = NULL;
  buffered_t *b = NULL;
  if (n == 0) wrong = "the number is 0";
  if (n > (size_t)PTRDIFF_MAX / sizeof(slot_t)) wrong = "too many at a time";
  if (cb == NULL) wrong = "the callback is NULL";
  if (it == NULL) wrong = "the iterator is NULL";
  if (vow_iter_failure(it) == NULL) {
    if (wrong != NULL)
      why = vow_misuse_at(site, vow_iter_loop(it), UV_EINVAL, "%s: %s", fn,
                          wrong);
    else if ((b = buffered_new(site, it, n)) == NULL)
      why = vow_op_failed(site, vow_iter_loop(it), fn);
  }
  if (b == NULL) {
    if (why != NULL) vow_iter_free(it);
    if (arg_drop != NULL) arg_drop(arg);
    return why != NULL ? vow_iter_failed(why) : it;
  }
  b->cb = cb;
  b->arg = arg;
  b->arg_drop = arg_drop;
  b->ordered = ordered;
  return &b->it;
}

vow_iter_t *vow_iter_buffered_at(const char *site, vow_iter_t *it, size_t n,
                                 vow_then_cb cb, void *arg,
                                 vow_drop_cb arg_drop) {
  return start(site, it, n, cb, arg, arg_drop, "vow_iter_buffered", true);
}

vow_iter_t *vow_iter_buffered_unordered_at(const char *site, vow_iter_t *it,
                                           size_t n, vow_then_cb cb, void *arg,
                                           vow_drop_cb arg_drop) {
  return start(site, it, n, cb, arg, arg_drop, "vow_iter_buffered_unordered",
               false);
}

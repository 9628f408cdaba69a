/* SPDX-License-Identifier: MIT */
/* The graph of what is pending, as text. Reads the cells, changes nothing. */
#include <vow/debug.h>

#include <stdio.h>

#include "core/loop.h"

#define MAX_DEPTH 64

/* Operations within operations that are gone through below that. */
#define MAX_HIDDEN 1000

/* Set in a cell's state while a dump is under way: it was shown. */
#define SHOWN 0x80u

typedef struct dump {
  vow_line_cb line;
  void *arg;
  int depth;
} dump_t;

static bool is_pending(const vow_future_t *f) {
  unsigned state = f->node.state & ~SHOWN;
  return state == VOW__PENDING || state == VOW__RUNNING;
}

static void show(dump_t *d, const vow_future_t *f) {
  bool again = f->node.state & SHOWN;
  char text[256];
  snprintf(text, sizeof(text), "%*s%s %s%s%s%s%s", 2 * d->depth, "",
           vow__what(f), f->site, is_pending(f) ? "" : ", settled",
           f->node.flags & VOW__F_CANCEL ? ", cancelled" : "",
           f->node.flags & VOW__F_DETACHED ? ", detached"
           : f->node.refs == 0             ? ", dropped"
                                           : "",
           again && is_pending(f) ? ", see above" : "");
  d->line(text, d->arg);
}

/* What is too deep down must not be told as if it were at the top. */
static void hide(vow_future_t *f, void *arg) {
  dump_t *d = arg;
  while (f != NULL && !(f->node.flags & VOW__F_STATIC) &&
         f->node.state == VOW__PENDING) {
    vow_op_t *op = (vow_op_t *)(void *)f;
    f->node.state |= SHOWN;
    if (f->node.kind != VOW__OP) {
      f = f->node.source;
      continue;
    }
    if (op->cls->sources != NULL && d->depth < MAX_HIDDEN) {
      d->depth++;
      op->cls->sources(op, hide, d);
      d->depth--;
    }
    return;
  }
}

static void show_up(vow_future_t *f, void *arg) {
  dump_t *d = arg;
  bool go_on;
  if (d->depth >= MAX_DEPTH) {
    hide(f, d);
    return;
  }
  if (f == NULL || (f->node.flags & VOW__F_STATIC)) return;
  show(d, f);
  go_on = !(f->node.state & SHOWN) && f->node.state == VOW__PENDING;
  f->node.state |= SHOWN;
  if (!go_on) return;
  d->depth++;
  if (f->node.kind == VOW__OP) {
    vow_op_t *op = (vow_op_t *)(void *)f;
    if (op->cls->sources != NULL) op->cls->sources(op, show_up, d);
  } else {
    show_up(f->node.source, d);
  }
  d->depth--;
}

/* First those that nobody waits for, then what is left: rings. */
static void show_roots(vow_loop_t *loop, dump_t *d, bool rings) {
  vow__slab_t *slab = NULL;
  char *at = NULL;
  vow_future_t *f;
  while (vow__cells_next(loop, &slab, &at, &f)) {
    if (!is_pending(f) || (f->node.state & SHOWN) ||
        f->node.kind == VOW__WATCH || (!rings && f->waiters != NULL))
      continue;
    show_up(f, d);
  }
}

void vow_dump(vow_loop_t *loop, vow_line_cb line, void *arg) {
  dump_t d = {line, arg, 0};
  vow__slab_t *slab = NULL;
  char *at = NULL;
  vow_future_t *f;
  if (loop == NULL || line == NULL) return;
  show_roots(loop, &d, false);
  show_roots(loop, &d, true);
  while (vow__cells_next(loop, &slab, &at, &f))
    f->node.state &= (uint8_t)~SHOWN;
}

static void print_line(const char *text, void *arg) {
  (void)arg;
  fprintf(stderr, "%s\n", text);
}

void vow_dump_stderr(vow_loop_t *loop) {
  vow_dump(loop, print_line, NULL);
}

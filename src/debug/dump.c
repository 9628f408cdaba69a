/* SPDX-License-Identifier: MIT */
/* The graph of what is pending, as text. Reads the cells, changes nothing. */
#include <vow/debug.h>

#include <stdio.h>

#include "core/loop.h"

#define MAX_DEPTH 64

typedef struct dump {
  vow_line_cb line;
  void *arg;
  int depth;
} dump_t;

static void show(dump_t *d, const vow_future_t *f) {
  char text[256];
  snprintf(text, sizeof(text), "%*s%s %s%s%s%s", 2 * d->depth, "", vow__what(f),
           f->site, vow__settled(f) ? ", settled" : "",
           f->node.flags & VOW__F_CANCEL ? ", cancelled" : "",
           f->node.flags & VOW__F_DETACHED ? ", detached"
           : f->node.refs == 0             ? ", dropped"
                                           : "");
  d->line(text, d->arg);
}

static void show_up(vow_future_t *f, void *arg) {
  dump_t *d = arg;
  if (f == NULL || d->depth >= MAX_DEPTH) return;
  show(d, f);
  if (vow__settled(f)) return;
  d->depth++;
  if (f->node.kind == VOW__OP) {
    vow_op_t *op = (vow_op_t *)(void *)f;
    if (op->cls->sources != NULL) op->cls->sources(op, show_up, d);
  } else {
    show_up(f->node.source, d);
  }
  d->depth--;
}

void vow_dump(vow_loop_t *loop, vow_line_cb line, void *arg) {
  dump_t d = {line, arg, 0};
  vow__slab_t *slab = NULL;
  char *at = NULL;
  vow_future_t *f;
  if (loop == NULL || line == NULL) return;
  while (vow__cells_next(loop, &slab, &at, &f)) {
    if (vow__settled(f) || f->waiters != NULL || f->node.kind == VOW__WATCH)
      continue;
    show_up(f, &d);
  }
}

static void print_line(const char *text, void *arg) {
  (void)arg;
  fprintf(stderr, "%s\n", text);
}

void vow_dump_stderr(vow_loop_t *loop) {
  vow_dump(loop, print_line, NULL);
}

/* SPDX-License-Identifier: MIT */
/* What a loop tells its user unasked: failures that nobody saw, continuations
 * that block it, what would not end, what was not dropped. Only here does the
 * library print, and only by default or when VOW_DEBUG asks. */
#include "core/loop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DEBUG_LIMIT_MS 100

/* ---- printing -------------------------------------------------------------- */

static void print_unhandled(vow_future_t *f, void *arg) {
  char text[2048];
  (void)arg;
  vow_error(f); /* gives a plain code its origin */
  vow_error_format(vow_peek(f), text, sizeof(text));
  fprintf(stderr, "vow: nobody saw this failure: %s\n  last held by %s at %s\n",
          text, vow__what(f), f->site);
}

static void print_stuck(const char *what, const char *site, void *arg) {
  (void)arg;
  if (getenv("VOW_DEBUG") != NULL)
    fprintf(stderr, "vow: still not ended: %s, made at %s\n", what, site);
}

static void print_blocked(const char *what, const char *site,
                          uint64_t blocked_ms, void *arg) {
  (void)arg;
  fprintf(stderr,
          "vow: %s made at %s kept the loop from everything else for %" PRIu64
          " ms\n",
          what, site, blocked_ms);
}

static void print_leak(vow_future_t *f, const char *what, const char *site,
                       void *arg) {
  (void)f;
  (void)arg;
  if (getenv("VOW_DEBUG") != NULL)
    fprintf(stderr,
            "vow: never awaited, or never dropped: %s, made at %s; the loop "
            "has closed\n",
            what, site);
}

static uint32_t default_limit_ms(void) {
  return getenv("VOW_DEBUG") != NULL ? DEBUG_LIMIT_MS : VOW_NO_BLOCK_LIMIT;
}

void vow__watch_defaults(vow_loop_options_t *o) {
  if (o->on_unhandled == NULL) o->on_unhandled = print_unhandled;
  if (o->on_stuck == NULL) o->on_stuck = print_stuck;
  if (o->on_blocked == NULL) o->on_blocked = print_blocked;
  if (o->on_leak == NULL) o->on_leak = print_leak;
  if (o->block_limit_ms == 0) o->block_limit_ms = default_limit_ms();
}

/* ---- continuations that block ---------------------------------------------- */

static uint64_t wall_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Whose step n is; the watch of a token is its own. */
static vow_future_t *runner_of(vow__node_t *n) {
  if (n->kind == VOW__WAITER)
    return (vow_future_t *)(void *)((vow__waiter_t *)(void *)n)->owner;
  return (vow_future_t *)(void *)n;
}

void vow__run_watched(vow_loop_t *loop, uint32_t budget) {
  uint64_t limit_ns = (uint64_t)loop->options.block_limit_ms * 1000000u;
  uint64_t start = wall_ns();
  char what[64];
  while (budget-- > 0 && vow_loop_has_ready(loop)) {
    vow_future_t *f;
    const char *site;
    uint64_t end;
    if (loop->options.shuffle_seed != 0) vow__shuffle(loop);
    f = runner_of(loop->ready.next);
    site = f->site;
    snprintf(what, sizeof(what), "%s",
             vow__what(f)); /* f and its name may go */
    vow__run_ready(loop, 1);
    end = wall_ns();
    if (VOW__UNLIKELY(end - start > limit_ns))
      loop->options.on_blocked(what, site, (end - start) / 1000000u,
                               loop->options.on_blocked_arg);
    start = end;
  }
}

/* ---- what was not dropped -------------------------------------------------- */

void vow__report_leaks(vow_loop_t *loop) {
  vow__slab_t *slab = NULL;
  char *at = NULL;
  vow_future_t *f;
  while (vow__cells_next(loop, &slab, &at, &f))
    if (f->node.kind != VOW__WATCH && f->node.refs > 0)
      loop->options.on_leak(f, vow__what(f), f->site,
                            loop->options.on_leak_arg);
}

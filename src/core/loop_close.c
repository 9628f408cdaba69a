/* SPDX-License-Identifier: MIT */
/* Closing a loop: cancel, wait, close the driver, let the memory go. */
#include "core/loop.h"

#define LATE_ROUNDS 1000

/* Rounds without the clock moving, after which it never will: a virtual one,
 * while something feeds itself. */
#define STILL_ROUNDS 20000

/* Cancels what nobody waits for, or all: from there the request runs up the
 * chains, past what is shared and around clean-up. Restarts after each, for a
 * cancel may free any cell. Returns whether it found any. */
static bool cancel_ends(vow_loop_t *loop, bool all) {
  bool found = false, again = true;
  while (again) {
    vow__slab_t *slab = NULL;
    char *at = NULL;
    vow_future_t *f;
    again = false;
    /* A slab may go only when its last cell does: hold the one at hand. */
    while (vow__cells_next(loop, &slab, &at, &f)) {
      if (vow__settled(f) || (f->waiters != NULL && !all) ||
          (f->node.flags & VOW__F_CANCEL) || f->node.kind == VOW__WATCH)
        continue;
      found = true;
      slab->live++;
      f->node.pins++;
      vow__cancel(f);
      f->node.pins--;
      vow__reap(f);
      if (--slab->live == 0) {
        vow__cell_free_slow(loop, slab);
        again = true;
        break;
      }
    }
  }
  return found;
}

/* Not settled, or settled with libuv still holding the memory. */
static bool is_busy(const vow_future_t *f) {
  if (f->node.kind == VOW__WATCH) return false;
  if (!vow__settled(f)) return true;
  return (f->node.flags & VOW__F_OP) && f->node.pins > 0;
}

static bool any_busy(vow_loop_t *loop) {
  vow__slab_t *slab = NULL;
  char *at = NULL;
  vow_future_t *f;
  while (vow__cells_next(loop, &slab, &at, &f))
    if (is_busy(f)) return true;
  return false;
}

static void list_busy(vow_loop_t *loop) {
  vow__slab_t *slab = NULL;
  char *at = NULL;
  vow_future_t *f;
  while (vow__cells_next(loop, &slab, &at, &f))
    if (is_busy(f))
      loop->options.on_stuck(vow__what(f), f->site, loop->options.on_stuck_arg);
}

static void grace_over(vow_timer_t *t) {
  (void)t; /* wakes the driver, that is all */
}

/* Waits for something to happen, at most until end_ms; false when nothing can.
 */
static bool wait_for_more(vow_loop_t *loop, uint64_t end_ms) {
  vow_timer_t timer = {NULL, 0, NULL, NULL, 0};
  bool alive;
  if (vow_timer_start(loop, &timer, end_ms, grace_over) != 0) return false;
  alive = loop->driver->turn(loop->driver, true, false);
  vow_timer_stop(loop, &timer);
  return alive;
}

/* Cancels and runs until nothing is busy or the time is up. What needs no
 * waiting is done even when there is no time, but for chains that feed
 * themselves. */
static void unwind(vow_loop_t *loop, uint64_t grace_ms) {
  uint64_t end_ms = vow_deadline_ms(loop, grace_ms);
  uint64_t seen_ms = 0;
  int late_rounds = 0, still_rounds = 0;
  for (;;) {
    bool found = cancel_ends(loop, false);
    uint64_t now_ms = vow_loop_now_ms(loop);
    vow_loop_receive(loop);
    vow_loop_drain(loop);
    still_rounds = now_ms == seen_ms ? still_rounds + 1 : 0;
    seen_ms = now_ms;
    if (still_rounds > STILL_ROUNDS) break;
    if ((found || vow_loop_has_ready(loop)) &&
        (now_ms < end_ms || ++late_rounds < LATE_ROUNDS))
      continue;
    if (!any_busy(loop)) break;
    /* Nothing can happen any more: a ring of futures that wait for each other,
     * in which each has a waiter. Ask them all. */
    if (!loop->driver->turn(loop->driver, false, false) &&
        cancel_ends(loop, true))
      continue;
    if (!any_busy(loop) || vow_loop_now_ms(loop) >= end_ms) break;
    if (!wait_for_more(loop, end_ms)) break;
  }
}

/* Queued watches that the grace time left no time for; other nodes are here
 * only when the arg of one set something off. */
static void forget_watches(vow_loop_t *loop) {
  while (vow_loop_has_ready(loop)) {
    if (loop->ready.next->kind == VOW__WATCH)
      vow__watch_forget((vow_future_t *)(void *)loop->ready.next);
    else
      vow_loop_drain(loop);
  }
}

static void leave_thread(vow_loop_t *loop) {
  vow_loop_t **at = &vow__thread_loop;
  while (*at != loop) at = &(*at)->thread_next;
  *at = loop->thread_next;
}

static void release_reserves(vow_loop_t *loop) {
  vow_future_t *enomem = loop->enomem, *cancelled = loop->cancelled;
  loop->enomem = loop->cancelled = NULL;
  vow__release(enomem);
  vow__release(cancelled);
}

int vow_loop_close(vow_loop_t *loop, uint64_t grace_ms) {
  vow__post_t *posts;
  int err = vow__loop_refusal(loop, "vow_loop_close");
  if (err != 0) return err;
  if (loop->running || loop->draining) {
    vow__record(UV_EBUSY, "(loop)", "vow_loop_close: the loop is running");
    return UV_EBUSY;
  }
  loop->running = true;
  unwind(loop, grace_ms);
  if (any_busy(loop)) {
    list_busy(loop);
    loop->running = false;
    return UV_EBUSY;
  }
  vow__remotes_close(loop);
  posts = vow__mailbox_close(loop);
  err = loop->driver->close(loop->driver, loop->options.on_stuck,
                            loop->options.on_stuck_arg);
  if (err != 0) {
    vow__mailbox_reopen(loop, posts);
    loop->running = false;
    return err;
  }
  vow__mailbox_drop(loop, posts);
  forget_watches(loop);
  vow__timers_close(loop);
  release_reserves(loop);
  loop->running = false;
  vow__report_leaks(loop);
  leave_thread(loop);
  loop->thread = NULL;
  vow__cells_close(loop);
  return 0;
}

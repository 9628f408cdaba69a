/* SPDX-License-Identifier: MIT */
/* Barriers. Nobody leaves the line unless it is given up as a whole, so a
 * party's place in it is its number. */
#include "sync/line.h"

#include "base/errno.h"
#include <vow/barrier.h>

struct vow_barrier {
  vow_op_t cell;
  vow__link_t line;
  size_t parties;
  size_t waiting; /* the length of the line */
  bool broken;
};

static void give_up(vow_barrier_t *b, const char *why) {
  b->waiting = 0;
  vow__line_fail(&b->line, VOW_EBROKEN, why);
}

/* The barrier may be freed in here. */
static void wait_cancel(void *op) {
  vow_barrier_t *b = ((vow__ask_t *)op)->owner;
  vow__ask_cancel(op);
  if (b == NULL) return;
  b->broken = true;
  give_up(b, "the barrier is broken: a party was cancelled");
}

static const vow_op_class_t barrier_class = {
    .name = "barrier",
    .size_bytes = sizeof(vow_barrier_t),
};

static const vow_op_class_t wait_class = {
    .name = "barrier wait",
    .size_bytes = sizeof(vow__ask_t),
    .cancel = wait_cancel,
};

vow_barrier_t *vow_barrier_new_at(const char *site, vow_loop_t *loop,
                                  size_t parties) {
  const char *fn = "vow_barrier_new";
  vow_barrier_t *b;
  if (parties == 0) {
    (void)vow__lock_misuse(NULL, fn, "the number of parties is 0");
    return NULL;
  }
  b = vow__lock_new(site, loop, &barrier_class, fn);
  if (b == NULL) return NULL;
  vow__list_init(&b->line);
  b->parties = parties;
  return b;
}

void vow_barrier_free(vow_barrier_t *b) {
  if (b == NULL) return;
  b->broken = true; /* nobody lines up any more */
  vow__line_fail(&b->line, VOW_ESHUTDOWN, "the barrier was freed");
  vow__lock_unref(b);
}

static void let_through(vow_barrier_t *b) {
  vow__ask_t *a;
  int64_t number = 0;
  b->waiting = 0;
  while ((a = vow__line_first(&b->line)) != NULL) {
    vow__list_remove(&a->link);
    vow_op_settle(a, vow_int(number++));
  }
}

vow_future_t *vow_barrier_wait_at(const char *site, vow_barrier_t *b) {
  const char *fn = "vow_barrier_wait";
  void *a;
  if (b == NULL) return vow__lock_refuse(site, b, fn, "the barrier is NULL");
  if (b->broken)
    return vow_ready_at(
        site, vow_op_loop(b),
        vow_failf_at(site, VOW_EBROKEN, "the barrier is broken"));
  a = vow__ask_new(site, b, &wait_class, &b->line);
  if (a == NULL) return vow__ask_failed(site, b, fn);
  if (++b->waiting == b->parties) let_through(b);
  return vow_op_future(a);
}

void vow_barrier_abort(vow_barrier_t *b) {
  if (b == NULL) return;
  b->broken = true;
  give_up(b, "the barrier is broken: it was aborted");
}

void vow_barrier_reset(vow_barrier_t *b) {
  if (b == NULL) return;
  b->broken = false;
  give_up(b, "the barrier was reset");
}

size_t vow_barrier_parties(const vow_barrier_t *b) {
  return b != NULL ? b->parties : 0;
}

size_t vow_barrier_waiting(const vow_barrier_t *b) {
  return b != NULL ? b->waiting : 0;
}

bool vow_barrier_is_broken(const vow_barrier_t *b) {
  return b != NULL && b->broken;
}

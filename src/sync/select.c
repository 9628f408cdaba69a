/* SPDX-License-Identifier: MIT */
/* Select. What a case waits for is known to its class only; futures are all
 * that is special here.
 *
 * How this works: the cases stand in one block, each with a slot for an object's
 * line or a waiter for a future. What wins takes all slots out of their lines
 * in the same call, so that nothing else can win. The futures that lost are
 * asked to end later, from the ready queue: that may run a user's code, and
 * the winner may stand in the midst of an object's doings. left counts the
 * futures whose end is awaited. The block becomes the value. */
#include "sync/slot.h"

#include "base/errno.h"

#include <string.h>

typedef struct select select_t;

typedef struct item {
  vow__slot_t slot; /* idle for a future */
  const vow__case_class_t *cls;
  select_t *select;
  vow_waiter_t waiter;
} item_t;

typedef struct selected {
  size_t index;
  vow_value_t outcome; /* while it unwinds after a cancel: the first failure */
  size_t n;
  item_t items[];
} selected_t;

enum {
  RUNNING,
  DECIDED,  /* outcome is the winner's; futures that lost unwind */
  CANCELLED /* all futures unwind */
};

struct select {
  vow_op_t op;
  selected_t *block; /* NULL once it is the value */
  size_t left;
  uint8_t phase;
};

static const vow__case_class_t future_class = {.what = "future"};

/* ---- the block -------------------------------------------------------------
 */

static void selected_destroy(void *p) {
  selected_t *b = p;
  for (size_t i = 0; i < b->n; i++) vow__slot_empty(&b->items[i].slot);
  vow_value_destroy(b->outcome);
  vow_release(b);
}

const vow_type_t vow_type_selected = {"selected", selected_destroy, NULL, NULL};

vow_value_t vow_selected(vow_value_t selected, size_t *ret_index) {
  selected_t *b;
  vow_value_t v;
  if (ret_index != NULL) *ret_index = SIZE_MAX;
  if (vow_value_is_failure(selected)) return selected;
  if ((b = vow_value_get(selected, &vow_type_selected)) == NULL) {
    vow_value_destroy(selected);
    return vow_fail_last();
  }
  if (ret_index != NULL) *ret_index = b->index;
  v = b->outcome;
  b->outcome = vow_nil();
  selected_destroy(b);
  return v;
}

static int block_reclaim(selected_t *b, vow_value_t *ret_item) {
  for (size_t i = 0; i < b->n; i++) {
    if (!b->items[i].slot.full) continue;
    *ret_item = vow__slot_take(&b->items[i].slot);
    return 0;
  }
  return UV_ENOENT;
}

int vow_selected_reclaim(vow_value_t selected, vow_value_t *ret_item) {
  selected_t *b = vow_value_get(selected, &vow_type_selected);
  return b != NULL ? block_reclaim(b, ret_item) : UV_EINVAL;
}

/* ---- winning ---------------------------------------------------------------
 */

static void finish(select_t *s) {
  selected_t *b = s->block;
  vow_value_t v;
  if (s->phase == DECIDED) {
    s->block = NULL;
    vow_op_settle(s, vow_ptr(b, &vow_type_selected));
    return;
  }
  v = vow_fail(UV_ECANCELED);
  if (vow_value_is_failure(b->outcome)) {
    v = vow_fail_cause_at(vow_site(vow_op_future(s)), UV_ECANCELED, b->outcome,
                          "cancelled, and an input failed while it unwound");
    b->outcome = vow_nil();
  }
  vow_op_settle(s, v);
}

static void leave_lines(select_t *s) {
  selected_t *b = s->block;
  for (size_t i = 0; i < b->n; i++) vow__list_remove(&b->items[i].slot.link);
}

static void decide(select_t *s, item_t *winner) {
  s->phase = DECIDED;
  s->block->index = (size_t)(winner - s->block->items);
  leave_lines(s);
}

static item_t *item_of(vow__slot_t *slot) {
  return vow__container_of(slot, item_t, slot);
}

static void slot_end(vow__slot_t *slot, vow_value_t outcome) {
  item_t *winner = item_of(slot);
  select_t *s = winner->select;
  decide(s, winner);
  s->block->outcome = outcome;
  if (s->left == 0)
    finish(s);
  else
    vow_op_wake(s);
}

/* A future has settled before, and is on its way to us. */
static bool slot_wants(const vow__slot_t *slot) {
  const item_t *item = vow__container_of((uintptr_t)slot, item_t, slot);
  const selected_t *b = item->select->block;
  for (size_t i = 0; item->select->left > 0 && i < b->n; i++)
    if (vow_is_settled(vow_waiter_future(&b->items[i].waiter))) return false;
  return true;
}

static const vow__slot_class_t select_slot = {slot_wants, slot_end};

/* ---- futures ---------------------------------------------------------------
 */

/* True when w's future unwinds: its end will come to ready. */
static bool stop_loser(vow_waiter_t *w) {
  vow_future_t *f = vow_waiter_future(w);
  if (vow_is_settled(f)) (void)vow_status(f);
  if (!vow_waiter_cancel(w)) return false;
  if (!vow_is_settled(f)) return true;
  (void)vow_status(f);
  vow_waiter_release(w);
  return false;
}

static void stop_losers(select_t *s) {
  selected_t *b = s->block;
  s->left++; /* nothing settles us before the end of this function */
  for (size_t i = 0; i < b->n; i++) {
    vow_waiter_t *w = &b->items[i].waiter;
    if (vow_waiter_future(w) != NULL && !stop_loser(w)) s->left--;
  }
  if (--s->left == 0) finish(s);
}

static item_t *of_waiter(vow_waiter_t *w) {
  return vow__container_of(w, item_t, waiter);
}

static void future_wins(select_t *s, vow_waiter_t *w) {
  vow_future_t *f = vow_waiter_take(w);
  decide(s, of_waiter(w));
  s->block->outcome = vow_outcome(f);
  vow_drop(f);
  s->left--;
  stop_losers(s);
}

/* A loser, or one of all, has unwound. */
static void future_unwound(select_t *s, vow_waiter_t *w) {
  vow_future_t *f = vow_waiter_take(w);
  if (s->phase == CANCELLED && s->block->outcome.type == NULL &&
      vow_state(f) == VOW_FAILED)
    s->block->outcome = vow_outcome(f);
  vow_drop(f);
  if (--s->left == 0) finish(s);
}

static void select_ready(void *op, vow_waiter_t *w) {
  select_t *s = op;
  if (w == NULL)
    stop_losers(s);
  else if (s->phase == RUNNING)
    future_wins(s, w);
  else
    future_unwound(s, w);
}

static void select_cancel(void *op) {
  select_t *s = op;
  selected_t *b = s->block;
  if (s->phase != RUNNING) return;
  s->phase = CANCELLED;
  leave_lines(s);
  s->left++; /* nothing settles us before the end of this function */
  for (size_t i = 0; i < b->n; i++) {
    vow_waiter_t *w = &b->items[i].waiter;
    if (vow_waiter_future(w) != NULL && !vow_waiter_cancel(w)) s->left--;
  }
  if (--s->left == 0) finish(s);
}

static void select_destroy(void *op) {
  select_t *s = op;
  if (s->block != NULL) selected_destroy(s->block);
}

static void select_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                           void *arg) {
  const select_t *s = op;
  for (size_t i = 0; s->block != NULL && i < s->block->n; i++)
    if (vow_waiter_future(&s->block->items[i].waiter) != NULL)
      visit(vow_waiter_future(&s->block->items[i].waiter), arg);
}

static const vow_op_class_t select_class = {
    .name = "select",
    .size_bytes = sizeof(select_t),
    .cancel = select_cancel,
    .destroy = select_destroy,
    .ready = select_ready,
    .sources = select_sources,
};

int vow__select_reclaim(vow_future_t *f, vow_value_t *ret_item) {
  select_t *s = vow_op_of(f, &select_class);
  if (s == NULL || s->block == NULL) return UV_ENOENT;
  return block_reclaim(s->block, ret_item);
}

/* ---- beginning -------------------------------------------------------------
 */

static bool is_future(const vow_case_t *c) {
  return c->vow__cls == &future_class;
}

static bool brings(const vow_case_t *c) {
  return c->vow__cls == &vow__put_class || c->vow__cls == &vow__send_class;
}

/* Ends what the cases own. */
static void discard(size_t n, const vow_case_t *cases) {
  for (size_t i = 0; cases != NULL && i < n; i++) {
    if (is_future(&cases[i])) vow_op_discard(cases[i].vow__object);
    if (brings(&cases[i])) vow_value_destroy(cases[i].vow__item);
  }
}

static bool fits(const vow_case_t *c, const vow_loop_t *loop) {
  if (c->vow__cls == NULL || c->vow__object == NULL) return false;
  return is_future(c) ? vow_op_check(c->vow__object, loop) == 0
                      : vow_op_loop(c->vow__object) == loop;
}

/* NULL when all is well. */
static vow_future_t *refuse(const char *site, vow_loop_t *loop, size_t n,
                            const vow_case_t *cases) {
  const size_t max = (size_t)PTRDIFF_MAX / sizeof(item_t) - 1;
  const char *wrong;
  size_t i = 0;
  if (loop == NULL)
    wrong = "the loop is NULL";
  else if (n == 0)
    wrong = "there is no case";
  else if (cases == NULL)
    wrong = "the array is NULL";
  else
    wrong = n > max ? "there are too many cases" : NULL;
  if (wrong != NULL)
    return vow_misuse_at(site, loop, UV_EINVAL, "vow_select: %s", wrong);
  while (i < n && fits(&cases[i], loop)) i++;
  if (i == n) return NULL;
  return vow_misuse_at(
      site, loop, UV_EINVAL, "vow_select: case %zu: the %s %s", i,
      cases[i].vow__cls != NULL ? cases[i].vow__cls->what : "case",
      cases[i].vow__object == NULL ? "is NULL" : "is of another loop");
}

static void fill(item_t *item, select_t *s, const vow_case_t *c) {
  memset(item, 0, sizeof *item);
  vow__list_init(&item->slot.link);
  item->slot.cls = &select_slot;
  item->slot.item = c->vow__item;
  item->slot.number = c->vow__number;
  item->slot.full = brings(c);
  item->cls = c->vow__cls;
  item->select = s;
}

static selected_t *block_new(select_t *s, size_t n, const vow_case_t *cases) {
  selected_t *b = vow_alloc(sizeof *b + n * sizeof(item_t));
  if (b == NULL) return NULL;
  b->index = SIZE_MAX;
  b->outcome = vow_nil();
  b->n = n;
  for (size_t i = 0; i < n; i++) fill(&b->items[i], s, &cases[i]);
  return b;
}

/* NULL for want of memory or of an open loop. */
static select_t *select_new(const char *site, vow_loop_t *loop, size_t n,
                            const vow_case_t *cases) {
  select_t *s = vow_op_new_at(site, loop, &select_class);
  if (s == NULL) return NULL;
  s->block = block_new(s, n, cases);
  if (s->block != NULL) return s;
  vow_op_settle(s, vow_nil());
  vow_drop(vow_op_future(s));
  return NULL;
}

/* Whether a case can be had now; then it has been. */
static bool try_one(select_t *s, item_t *item, void *object) {
  vow_value_t outcome;
  if (item->cls == &future_class) {
    if (!vow_is_settled(object)) return false;
    outcome = vow_outcome(object);
    vow_drop(object);
  } else if (!item->cls->now(object, &item->slot, &outcome)) {
    return false;
  }
  decide(s, item);
  s->block->outcome = outcome;
  return true;
}

static bool try_all(select_t *s, size_t n, const vow_case_t *cases) {
  for (size_t i = 0; i < n; i++)
    if (try_one(s, &s->block->items[i], cases[i].vow__object)) return true;
  return false;
}

/* Takes up the futures, but for a winner; and the lines, when there is none. */
static void wait_for_all(select_t *s, size_t n, const vow_case_t *cases) {
  for (size_t i = 0; i < n; i++) {
    item_t *item = &s->block->items[i];
    if (item->cls != &future_class) {
      if (s->phase == RUNNING)
        item->cls->wait(cases[i].vow__object, &item->slot);
    } else if (i != s->block->index) {
      s->left++;
      vow_waiter_start(&item->waiter, s, cases[i].vow__object);
    }
  }
}

vow_future_t *vow_select_at(const char *site, vow_loop_t *loop, size_t n,
                            const vow_case_t *cases) {
  vow_future_t *bad = refuse(site, loop, n, cases);
  select_t *s = bad == NULL ? select_new(site, loop, n, cases) : NULL;
  if (s == NULL) {
    if (bad == NULL) bad = vow_op_failed(site, loop, "vow_select");
    discard(n, cases);
    return bad;
  }
  (void)try_all(s, n, cases);
  wait_for_all(s, n, cases);
  if (s->phase == DECIDED) stop_losers(s);
  return vow_op_future(s);
}

vow_case_t vow_case_future(vow_future_t *f) {
  vow_case_t c = {.vow__cls = &future_class, .vow__object = f};
  return c;
}

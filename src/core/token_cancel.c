/* SPDX-License-Identifier: MIT */
/* Cancelling a token: first the whole subtree is marked, then its watches are
 * queued and what is bound to it is asked to end.
 *
 * How this works: the walk is a list through walk_next. Marking inserts a
 * token's fresh children right behind it, in creation order, which is depth
 * first without a stack. Asking futures to end may free any token; the list
 * holds a reference to each, and vow_token_free leaves a walking one alone. */
#include "core/token.h"

static void mark(vow_token_t *first, int reason) {
  atomic_store(&first->reason, reason);
  vow_token_ref(first);
  first->walking = true;
  first->walk_next = NULL;
  for (vow_token_t *t = first; t != NULL; t = t->walk_next) {
    vow_token_t *behind = t;
    VOW__LIST_EACH (it, &t->children) {
      vow_token_t *child = vow__container_of(it, vow__edge_t, link)->token;
      if (vow_token_is_cancelled(child)) continue;
      atomic_store(&child->reason, reason);
      vow_token_ref(child);
      child->walking = true;
      child->walk_next = behind->walk_next;
      behind->walk_next = child;
      behind = child;
    }
  }
}

/* A time-out counts as no cancellation, so operations hear of one like others;
 * who bound f to the token hears of the time. */
void vow__token_withdraw(vow_token_t *t, vow_future_t *f) {
  int reason = vow_token_reason(t);
  vow__cancel_because(f, reason == UV_ETIMEDOUT ? UV_ECANCELED : reason);
}

static void cancel_bound(vow_token_t *t) {
  while (!vow__list_empty(&t->bound)) {
    vow_future_t *f = vow__bound_cell(t->bound.next);
    f->u.bound.prev->next = f->u.bound.next;
    f->u.bound.next->prev = f->u.bound.prev;
    f->u.unwinding.null = NULL;
    f->u.unwinding.token = t;
    t->unwinding++;
    vow__token_withdraw(t, f);
  }
}

void vow__token_cancel(vow_token_t *t, int reason) {
  if (vow_token_is_cancelled(t)) return;
  mark(t, reason);
  for (vow_token_t *it = t; it != NULL; it = it->walk_next) {
    vow_timer_stop(it->loop, &it->timer);
    while (!vow__list_empty(&it->watches)) {
      vow__link_t *link = it->watches.next;
      vow_future_t *watch = (vow_future_t *)(void *)link;
      vow__list_remove(link);
      watch->u.value.as.i = reason;
      watch->node.flags |= VOW__F_QUEUED;
      vow__ready_push(it->loop, &watch->node);
    }
    cancel_bound(it);
  }
  while (t != NULL) {
    vow_token_t *next = t->walk_next;
    t->walking = false;
    vow__token_changed(t);
    vow_token_unref(t);
    t = next;
  }
}

int vow_token_cancel(vow_token_t *t, int reason) {
  int err;
  if (t == NULL) {
    vow__record(UV_EINVAL, "(token)", "vow_token_cancel: the token is NULL");
    return UV_EINVAL;
  }
  if (t->loop->closed) {
    if (!vow_token_is_cancelled(t))
      atomic_store(&t->reason, reason < 0 ? reason : UV_ECANCELED);
    return 0;
  }
  err = vow__loop_refusal(t->loop, "vow_token_cancel");
  if (err == 0) vow__token_cancel(t, reason < 0 ? reason : UV_ECANCELED);
  return err;
}

/* ---- from another thread
 * ----------------------------------------------------------- */

typedef struct posted {
  vow_token_t *token;
  int reason;
} posted_t;

static void posted_run(vow_loop_t *loop, void *arg) {
  posted_t *p = arg;
  (void)loop;
  if (!p->token->freed) vow__token_cancel(p->token, p->reason);
}

static void posted_drop(void *arg) {
  posted_t *p = arg;
  vow_token_unref(p->token);
  vow_release(p);
}

int vow_token_cancel_post(vow_token_t *t, int reason) {
  posted_t *p;
  if (t == NULL) return UV_EINVAL;
  p = vow_alloc(sizeof(*p));
  if (p == NULL) return UV_ENOMEM;
  p->token = vow_token_ref(t);
  p->reason = reason < 0 ? reason : UV_ECANCELED;
  return vow_post_drop(t->loop, posted_run, p, posted_drop);
}

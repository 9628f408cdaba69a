/* SPDX-License-Identifier: MIT */
/* The tree of tokens: making, linking, freeing. Cancelling is in
 * token_cancel.c, what hangs on a token in token_bind.c.
 *
 * How this works: a freed token hands what it has to its parent and goes. It
 * stays, freed, as long as it cannot do so: when something it cancelled has
 * not unwound, or when it is linked to several sources and still has something
 * below it. */
#include "core/token.h"

#include <string.h>

static vow_token_t *token_new(vow_loop_t *loop, size_t n_up) {
  vow_token_t *t = vow_alloc(sizeof(*t) + n_up * sizeof(vow__edge_t));
  if (t == NULL) {
    vow__record(UV_ENOMEM, "(token)", "out of memory for a token");
    return NULL;
  }
  memset(t, 0, sizeof(*t) + n_up * sizeof(vow__edge_t));
  atomic_init(&t->refs, 1);
  atomic_init(&t->reason, 0);
  t->loop = loop;
  atomic_fetch_add(&loop->refs, 1);
  vow__list_init(&t->children);
  vow__list_init(&t->bound);
  vow__list_init(&t->watches);
  vow__list_init(&t->closers);
  t->deadline_ms = UINT64_MAX;
  t->n_up = n_up;
  return t;
}

vow_token_t *vow_token_ref(vow_token_t *t) {
  if (t != NULL) atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
  return t;
}

void vow_token_unref(vow_token_t *t) {
  if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1) return;
  vow__loop_release(t->loop);
  vow_release(t);
}

static void edge_join(vow__edge_t *e, vow_token_t *source, vow_token_t *token) {
  e->source = source;
  e->token = token;
  vow__list_append(&source->children, &e->link);
}

static void inherit(vow_token_t *t, const vow_token_t *source) {
  int reason = vow_token_reason(source);
  if (reason != 0 && vow_token_reason(t) == 0) atomic_store(&t->reason, reason);
}

vow_token_t *vow_token_new(vow_loop_t *loop) {
  if (vow__loop_refusal(loop, "vow_token_new") != 0) return NULL;
  return token_new(loop, 0);
}

vow_token_t *vow_token_linked(size_t n, vow_token_t *const *tokens) {
  vow_token_t *t;
  const char *wrong = NULL;
  if (tokens == NULL || n == 0 || n > SIZE_MAX / (4 * sizeof(vow__edge_t))) {
    vow__record(UV_EINVAL, "(token)",
                "vow_token_linked: no tokens, or a count "
                "that cannot be");
    return NULL;
  }
  for (size_t i = 0; i < n && wrong == NULL; i++) {
    if (tokens[i] == NULL)
      wrong = "is NULL";
    else if (tokens[i]->loop != tokens[0]->loop)
      wrong = "is of another loop";
    if (wrong != NULL)
      vow__record(UV_EINVAL, "(token)", "vow_token_linked: token %zu %s", i,
                  wrong);
  }
  if (wrong != NULL ||
      vow__loop_refusal(tokens[0]->loop, "vow_token_linked") != 0)
    return NULL;
  t = token_new(tokens[0]->loop, n);
  if (t == NULL) return NULL;
  for (size_t i = 0; i < n; i++) {
    edge_join(&t->up[i], tokens[i], t);
    inherit(t, tokens[i]);
  }
  return t;
}

vow_token_t *vow_token_child(vow_token_t *parent) {
  if (parent == NULL) {
    vow__record(UV_EINVAL, "(token)", "vow_token_child: the parent is NULL");
    return NULL;
  }
  return vow_token_linked(1, &parent);
}

static void deadline_due(vow_timer_t *timer) {
  vow__token_cancel(vow__container_of(timer, vow_token_t, timer), UV_ETIMEDOUT);
}

vow_token_t *vow_token_deadline(vow_token_t *parent, uint64_t delay_ms) {
  vow_token_t *t = vow_token_child(parent);
  if (t == NULL) return NULL;
  t->deadline_ms = vow_deadline_ms(t->loop, delay_ms);
  if (vow_token_is_cancelled(t)) return t;
  if (vow_timer_start(t->loop, &t->timer, t->deadline_ms, deadline_due) != 0) {
    vow__record(UV_ENOMEM, "(token)", "out of memory for a deadline");
    vow_token_free(t);
    return NULL;
  }
  return t;
}

/* Up through all sources, breadth first: the tokens met are a list, each in it
 * once, however many ways lead to it. */
uint64_t vow_token_deadline_ms(const vow_token_t *first) {
  vow_token_t *t = (vow_token_t *)(uintptr_t)first, *last = t;
  uint64_t least = UINT64_MAX;
  if (t == NULL) return least;
  t->asked = ++t->loop->deadlines_asked;
  t->asked_next = NULL;
  for (; t != NULL; t = t->asked_next) {
    if (t->deadline_ms < least && !t->freed) least = t->deadline_ms;
    for (size_t i = 0; i < t->n_up; i++) {
      vow_token_t *source = t->up[i].source;
      if (source == NULL || source->asked == t->asked) continue;
      source->asked = t->asked;
      source->asked_next = NULL;
      last = last->asked_next = source;
    }
  }
  return least;
}

bool vow_token_is_cancelled(const vow_token_t *t) {
  return vow_token_reason(t) != 0;
}

int vow_token_reason(const vow_token_t *t) {
  return t != NULL
             ? atomic_load_explicit(&((vow_token_t *)(uintptr_t)t)->reason,
                                    memory_order_acquire)
             : 0;
}

/* ---- freeing
 * --------------------------------------------------------------------- */

/* Leaves the tree. The sources are told, for what t counted there, but for one,
 * which is returned with a reference: a husk if there is one, as that may have
 * to leave, too. */
static vow_token_t *token_leave(vow_token_t *t) {
  vow_token_t *next = NULL;
  for (size_t i = 0; i < t->n_up; i++) {
    vow_token_t *source = t->up[i].source;
    if (source == NULL) continue;
    vow__list_remove(&t->up[i].link);
    t->up[i].source = NULL;
    if (t->busy) source->busy_children--;
    if (next == NULL) {
      next = vow_token_ref(source); /* telling others may end it */
      continue;
    }
    if (!next->freed && source->freed) {
      vow_token_t *alive = next;
      next = vow_token_ref(source);
      vow__token_changed(alive);
      vow_token_unref(alive);
      continue;
    }
    vow__token_changed(source);
  }
  t->n_up = 0;
  t->gone = true;
  vow_token_unref(t);
  return next;
}

static bool has_nothing(const vow_token_t *t) {
  return vow__list_empty(&t->children) && vow__list_empty(&t->bound) &&
         vow__list_empty(&t->closers) && t->unwinding == 0;
}

/* One level of vow__token_changed; returns the next, referenced, or NULL. */
static vow_token_t *token_look(vow_token_t *t) {
  bool busy =
      !vow__list_empty(&t->bound) || t->unwinding > 0 || t->busy_children > 0;
  bool turned = busy != t->busy;
  vow_token_t *up = NULL;
  if (t->gone) return NULL;
  t->busy = busy;
  for (size_t i = 0; turned && i < t->n_up; i++) {
    vow_token_t *source = t->up[i].source;
    if (source == NULL) continue;
    source->busy_children += busy ? 1 : (size_t)-1;
    if (i > 0) vow__token_changed(source);
  }
  if (!busy) vow__token_quiet(t);
  if (t->freed && !t->walking && has_nothing(t)) return token_leave(t);
  if (turned && t->n_up > 0) up = t->up[0].source;
  return vow_token_ref(up);
}

void vow__token_changed(vow_token_t *t) {
  t = vow_token_ref(t);
  while (t != NULL) {
    vow_token_t *next = token_look(t);
    vow_token_unref(t);
    t = next;
  }
}

/* Puts t's children in its own place among the parent's. */
static void hand_over_children(vow_token_t *t, vow_token_t *parent) {
  vow__link_t *at = &t->up[0].link;
  while (!vow__list_empty(&t->children)) {
    vow__link_t *link = t->children.next;
    vow__edge_t *e = vow__container_of(link, vow__edge_t, link);
    vow__list_remove(link);
    e->source = parent;
    vow__list_append(at, link); /* just before t */
    if (!e->token->busy) continue;
    t->busy_children--;
    parent->busy_children++;
  }
}

static void forget_children(vow_token_t *t) {
  while (!vow__list_empty(&t->children)) {
    vow__link_t *link = t->children.next;
    vow__edge_t *e = vow__container_of(link, vow__edge_t, link);
    vow__list_remove(link);
    e->source = NULL;
  }
  t->busy_children = 0;
}

/* Their futures go on, bound to nothing. */
static void forget_bound(vow_token_t *t) {
  while (!vow__list_empty(&t->bound)) {
    vow_future_t *f = vow__bound_cell(t->bound.next);
    vow__list_remove(&f->u.bound);
    f->u.unwinding.null = NULL;
    f->u.unwinding.token = NULL;
  }
}

void vow_token_free(vow_token_t *t) {
  vow_token_t *parent;
  if (t == NULL) return;
  vow__debug_check(!t->freed, "token freed twice", "(token)");
  if (!t->loop->closed) vow_timer_stop(t->loop, &t->timer);
  /* Their args' destructors may free tokens below: t must not look gone yet. */
  while (!vow__list_empty(&t->watches))
    vow__watch_forget((vow_future_t *)(void *)t->watches.next);
  t->freed = true;
  if (t->walking) return; /* the walk will come back to this */
  parent = t->n_up == 1 ? t->up[0].source : NULL;
  if (parent != NULL) {
    hand_over_children(t, parent);
    vow__list_splice(&parent->bound, &t->bound);
    vow__token_changed(parent);
  } else if (t->n_up <= 1) {
    forget_children(t);
    forget_bound(t);
  }
  vow__token_changed(t);
}

/* SPDX-License-Identifier: MIT */
/* Conditions: an operation that stands first in the condition's line, then in
 * its mutex's.
 *
 * How this works: there are two kinds of waits. One owns a permit and gives one
 * again; as a failure has no room for a permit it may leave at any time. The
 * other works for a hold by hand and must come back with the mutex, however it
 * ends: code keeps the failure until then. When nobody holds a reference to
 * such a wait as it settles, its caller has gone, and the mutex is released.
 * Each wait refers to its condition and its mutex until it ends. */
#include "sync/mutex.h"

#include "base/errno.h"
#include <vow/condition.h>

struct vow_condition {
  vow_op_t cell;
  vow__link_t line;
};

typedef struct wait {
  vow__mutex_ask_t at;
  vow_condition_t *condition;
  vow_mutex_t *mutex;
  bool *ret_gone; /* set by destroy */
  int code;       /* the failure to settle with; 0: none */
  bool by_value;  /* of vow_condition_wait_permit */
  bool woken;     /* waits for its mutex */
  bool counts;    /* by a notify that is to be passed on */
} wait_t;

static const char freed[] = "the condition was freed";

static wait_t *wait_of(void *ask) {
  return ask;
}

static vow_value_t failure_of(const wait_t *w, const char *text) {
  const char *site = vow_site(vow_op_future((void *)(uintptr_t)w));
  if (w->code != VOW_ESHUTDOWN) return vow_fail(w->code);
  return vow_failf_at(site, VOW_ESHUTDOWN, "%s", text);
}

/* Settles; false when nobody was there to see it. */
static bool end(wait_t *w, vow_value_t v) {
  vow_condition_t *c = w->condition;
  vow_mutex_t *m = w->mutex;
  bool gone = false;
  w->ret_gone = &gone;
  vow_op_settle(w, v);
  if (!gone) w->ret_gone = NULL;
  vow__lock_unref(c);
  vow__lock_unref(m);
  return !gone;
}

static void wait_destroy(void *op) {
  wait_t *w = op;
  if (w->ret_gone != NULL) *w->ret_gone = true;
}

/* The mutex is held for w. */
static void wait_granted(vow__mutex_ask_t *a) {
  wait_t *w = wait_of(a);
  vow_mutex_t *m = w->mutex;
  if (w->by_value) {
    (void)end(w, vow_mutex_permit(m));
    return;
  }
  vow__lock_ref(m);
  if (!end(w, w->code == 0 ? vow_nil() : failure_of(w, freed)))
    (void)vow_mutex_release(m);
  vow__lock_unref(m);
}

/* The mutex was freed. */
static void wait_refused(vow__mutex_ask_t *a) {
  wait_t *w = wait_of(a);
  w->code = VOW_ESHUTDOWN;
  (void)end(w, failure_of(w, "the mutex was freed"));
}

/* Ends the wait, which is in no line, with code. */
static void leave(wait_t *w, int code) {
  w->code = code;
  if (w->by_value) {
    (void)end(w, failure_of(w, freed));
    return;
  }
  w->woken = true;
  vow__mutex_contend(w->mutex, &w->at);
}

static size_t wake(vow_condition_t *c, size_t n, bool counts) {
  vow__ask_t *a;
  size_t woken = 0;
  vow__lock_ref(c);
  while (woken < n && (a = vow__line_first(&c->line)) != NULL) {
    wait_t *w = wait_of(a);
    vow__list_remove(&a->link);
    w->woken = true;
    w->counts = counts;
    woken++;
    vow__mutex_contend(w->mutex, &w->at);
  }
  vow__lock_unref(c);
  return woken;
}

static void wait_cancel(void *op) {
  wait_t *w = op;
  vow_condition_t *c;
  if (!w->woken) {
    vow__list_remove(&w->at.ask.link);
    leave(w, UV_ECANCELED);
    return;
  }
  if (w->code != 0) return; /* on its way back already */
  c = w->counts ? w->condition : NULL;
  if (c != NULL) vow__lock_ref(c);
  w->code = UV_ECANCELED;
  if (w->by_value) {
    vow__list_remove(&w->at.ask.link);
    (void)end(w, vow_fail(UV_ECANCELED));
  }
  if (c == NULL) return;
  (void)wake(c, 1, true);
  vow__lock_unref(c);
}

static const vow_op_class_t condition_class = {
    .name = "condition",
    .size_bytes = sizeof(vow_condition_t),
};

static const vow_op_class_t wait_class = {
    .name = "condition wait",
    .size_bytes = sizeof(wait_t),
    .cancel = wait_cancel,
    .destroy = wait_destroy,
};

vow_condition_t *vow_condition_new_at(const char *site, vow_loop_t *loop) {
  vow_condition_t *c =
      vow__lock_new(site, loop, &condition_class, "vow_condition_new");
  if (c != NULL) vow__list_init(&c->line);
  return c;
}

void vow_condition_free(vow_condition_t *c) {
  vow__link_t going;
  vow__ask_t *a;
  if (c == NULL) return;
  vow__list_init(&going);
  vow__list_splice(&going, &c->line);
  while ((a = vow__line_first(&going)) != NULL) {
    vow__list_remove(&a->link);
    leave(wait_of(a), VOW_ESHUTDOWN);
  }
  vow__lock_unref(c);
}

/* A wait for m, which is held, is released now; NULL: nothing was done. */
static wait_t *wait_new(const char *site, vow_condition_t *c, vow_mutex_t *m,
                        bool by_value) {
  wait_t *w = vow__ask_new(site, c, &wait_class, &c->line);
  if (w == NULL) return NULL;
  w->at.granted = wait_granted;
  w->at.refused = wait_refused;
  w->condition = c;
  w->mutex = m;
  w->by_value = by_value;
  vow__lock_ref(c);
  vow__lock_ref(m);
  (void)vow_mutex_release(m);
  if (m->closed) {
    vow__list_remove(&w->at.ask.link);
    wait_refused(&w->at);
  }
  return w;
}

static const char *wrong_with(const vow_condition_t *c, const vow_mutex_t *m) {
  if (c == NULL) return "the condition is NULL";
  if (m == NULL) return "the mutex is NULL";
  if (!m->held) return "the mutex is not held";
  if (vow_op_loop(c) != vow_op_loop(m))
    return "condition and mutex are of different loops";
  return NULL;
}

vow_future_t *vow_condition_wait_at(const char *site, vow_condition_t *c,
                                    vow_mutex_t *m) {
  const char *fn = "vow_condition_wait", *wrong = wrong_with(c, m);
  wait_t *w;
  if (wrong != NULL) return vow__lock_refuse(site, c, fn, wrong);
  w = wait_new(site, c, m, false);
  return w != NULL ? vow_op_future(w) : vow__ask_failed(site, c, fn);
}

vow_future_t *vow_condition_wait_permit_at(const char *site, vow_condition_t *c,
                                           vow_value_t permit) {
  const char *fn = "vow_condition_wait_permit", *wrong = NULL;
  vow_mutex_t *m = NULL;
  vow_future_t *f;
  wait_t *w = NULL;
  if (permit.type == &vow_type_mutex_permit)
    wrong = wrong_with(c, m = permit.as.p);
  else if (c == NULL)
    wrong = "the condition is NULL";
  else if (!vow_value_is_failure(permit))
    wrong = "the value is no mutex permit";
  else
    return vow_ready_at(site, vow_op_loop(c), permit);
  if (wrong == NULL) w = wait_new(site, c, m, true);
  if (w != NULL) return vow_op_future(w);
  f = wrong != NULL ? vow__lock_refuse(site, c, fn, wrong)
                    : vow__ask_failed(site, c, fn);
  vow_value_destroy(permit);
  return f;
}

size_t vow_condition_notify(vow_condition_t *c, size_t n) {
  return c != NULL ? wake(c, n, true) : 0;
}

size_t vow_condition_notify_all(vow_condition_t *c) {
  return c != NULL ? wake(c, vow__line_length(&c->line), false) : 0;
}

size_t vow_condition_waiting(const vow_condition_t *c) {
  return c != NULL ? vow__line_length(&c->line) : 0;
}

/* SPDX-License-Identifier: MIT */
/* Mutexes. The two calls that an uncontended hold costs are a few instructions
 * each; whatever is unusual is left to a function called last. */
#include "sync/mutex.h"

#include "base/errno.h"

static const char freed[] = "the mutex was freed";

static const vow_op_class_t mutex_class = {
    .name = "mutex",
    .size_bytes = sizeof(vow_mutex_t),
};

static const vow_op_class_t acquire_class = {
    .name = "mutex acquire",
    .size_bytes = sizeof(vow__mutex_ask_t),
    .cancel = vow__ask_cancel,
};

static void permit_destroy(void *p) {
  (void)vow_mutex_release(p);
}

const vow_type_t vow_type_mutex_permit = {"mutex permit", permit_destroy, NULL,
                                          NULL};

vow_mutex_t *vow_mutex_new_at(const char *site, vow_loop_t *loop) {
  vow_mutex_t *m = vow__lock_new(site, loop, &mutex_class, "vow_mutex_new");
  if (m == NULL) return NULL;
  vow__list_init(&m->line);
  m->owned = true;
  return m;
}

static void disown(vow_mutex_t *m) {
  if (!m->closed || m->held || !m->owned) return;
  m->owned = false;
  vow__lock_unref(m);
}

static void grant(vow_mutex_t *m, vow__mutex_ask_t *a) {
  m->held = true;
  if (a->granted != NULL)
    a->granted(a);
  else
    vow_op_settle(a, vow_mutex_permit(m));
}

static vow__mutex_ask_t *pop(vow_mutex_t *m) {
  vow__ask_t *a = vow__line_first(&m->line);
  if (a != NULL) vow__list_remove(&a->link);
  return (vow__mutex_ask_t *)(void *)a;
}

/* Hands over, or lets go of a mutex that was freed. Who is granted it may have
 * been given up by everybody: then it comes back while we are here. */
static VOW__NOINLINE int release_slow(vow_mutex_t *m) {
  vow__mutex_ask_t *a;
  if (m->serving) return 0;
  m->serving = true;
  vow__lock_ref(m);
  while (!m->held && !m->closed && (a = pop(m)) != NULL) grant(m, a);
  m->serving = false;
  disown(m);
  vow__lock_unref(m);
  return 0;
}

void vow_mutex_free(vow_mutex_t *m) {
  vow__mutex_ask_t *a;
  if (m == NULL) return;
  m->closed = true;
  vow__lock_ref(m);
  while ((a = pop(m)) != NULL) {
    if (a->refused != NULL)
      a->refused(a);
    else
      vow_op_settle(a, vow_failf_at(vow_site(vow_op_future(a)), VOW_ESHUTDOWN,
                                    "%s", freed));
  }
  disown(m);
  vow__lock_unref(m);
}

vow_future_t *vow_mutex_acquire_at(const char *site, vow_mutex_t *m) {
  void *a;
  if (m == NULL)
    return vow__lock_refuse(site, m, "vow_mutex_acquire", "the mutex is NULL");
  if (!m->held) {
    m->held = true;
    return vow_ready_at(site, vow_op_loop(m), vow_mutex_permit(m));
  }
  if (m->closed) return vow__lock_freed(site, m, freed);
  a = vow__ask_new(site, m, &acquire_class, &m->line);
  return a != NULL ? vow_op_future(a)
                   : vow__ask_failed(site, m, "vow_mutex_acquire");
}

void vow__mutex_contend(vow_mutex_t *m, vow__mutex_ask_t *a) {
  if (m->closed)
    a->refused(a);
  else if (m->held)
    vow__list_append(&m->line, &a->ask.link);
  else
    grant(m, a);
}

bool vow_mutex_try_acquire(vow_mutex_t *m) {
  if (VOW__UNLIKELY(m == NULL) || m->held) return false;
  m->held = true;
  return true;
}

static VOW__NOINLINE int release_refused(vow_mutex_t *m) {
  return vow__lock_misuse(m, "vow_mutex_release",
                          m == NULL ? "the mutex is NULL"
                                    : "the mutex is not held");
}

/* Straight to the first who waits for a future: no user's code runs in that,
 * unless the future was left to itself; then m comes back to be released. */
static VOW__NOINLINE int hand_over(vow_mutex_t *m) {
  vow__mutex_ask_t *a = (vow__mutex_ask_t *)(void *)vow__line_first(&m->line);
  if (a == NULL || a->granted != NULL || m->closed || m->serving)
    return release_slow(m);
  vow__list_remove(&a->ask.link);
  m->held = m->serving = true;
  vow_op_settle(a, vow_mutex_permit(m));
  m->serving = false;
  return VOW__LIKELY(m->held) ? 0 : release_slow(m);
}

int vow_mutex_release(vow_mutex_t *m) {
  if (VOW__UNLIKELY(m == NULL || !m->held)) return release_refused(m);
  m->held = false;
  if (!vow__list_empty(&m->line) || m->closed) return hand_over(m);
  return 0;
}

vow_mutex_t *vow_mutex_hold(vow_value_t permit) {
  vow_mutex_t *m = vow_value_get(permit, &vow_type_mutex_permit);
  if (m == NULL) vow_value_destroy(permit);
  return m;
}

bool vow_mutex_is_held(const vow_mutex_t *m) {
  return m != NULL && m->held;
}

size_t vow_mutex_waiting(const vow_mutex_t *m) {
  return m != NULL ? vow__line_length(&m->line) : 0;
}

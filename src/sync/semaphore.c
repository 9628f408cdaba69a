/* SPDX-License-Identifier: MIT */
/* Semaphores. What an acquire succeeds with is a permits_t: the one inside the
 * semaphore stands for a single permit, however often it is out; of several
 * there is one allocated, at the time of asking, so that granting cannot fail.
 */
#include "sync/line.h"

#include "base/errno.h"
#include <vow/semaphore.h>

typedef struct permits {
  vow_semaphore_t *semaphore;
  size_t n;
} permits_t;

struct vow_semaphore {
  vow_op_t cell;
  vow__link_t line; /* of ask_t */
  size_t capacity;
  size_t available;
  permits_t one;
  bool closed;  /* freed; nobody is let in any more */
  bool serving; /* serve, or _free, is on the stack */
};

typedef struct ask {
  vow__ask_t at;
  size_t n;
  permits_t *permits; /* NULL for a single one, and once they are granted */
} ask_t;

static const char freed[] = "the semaphore was freed";

/* For several. */
static permits_t *permits_new(vow_semaphore_t *s, size_t n) {
  permits_t *p = vow_alloc(sizeof(*p));
  if (p == NULL) return NULL;
  p->semaphore = s;
  p->n = n;
  return p;
}

static void permits_free(permits_t *p) {
  if (p->n > 1) vow_release(p);
}

/* Takes n permits, for which p was allocated when they are several. */
static vow_value_t take(vow_semaphore_t *s, size_t n, permits_t *p) {
  s->available -= n;
  return vow_ptr(p != NULL ? p : &s->one, &vow_type_semaphore_permit);
}

static void permits_destroy(void *p) {
  vow_semaphore_t *s = ((permits_t *)p)->semaphore;
  size_t n = ((permits_t *)p)->n;
  permits_free(p);
  (void)vow_semaphore_release(s, n);
}

const vow_type_t vow_type_semaphore_permit = {"semaphore permit",
                                              permits_destroy, NULL, NULL};

static void serve(vow_semaphore_t *s);

/* What was too large may have held up others. */
static void ask_cancel(void *op) {
  vow_semaphore_t *s = ((vow__ask_t *)op)->owner;
  vow__ask_cancel(op);
  if (s != NULL) serve(s);
}

static void ask_destroy(void *op) {
  vow_release(((ask_t *)op)->permits);
}

static const vow_op_class_t semaphore_class = {
    .name = "semaphore",
    .size_bytes = sizeof(vow_semaphore_t),
};

static const vow_op_class_t acquire_class = {
    .name = "semaphore acquire",
    .size_bytes = sizeof(ask_t),
    .cancel = ask_cancel,
    .destroy = ask_destroy,
};

vow_semaphore_t *vow_semaphore_new_at(const char *site, vow_loop_t *loop,
                                      size_t capacity) {
  const char *fn = "vow_semaphore_new";
  vow_semaphore_t *s;
  if (capacity == 0) {
    (void)vow__lock_misuse(NULL, fn, "the capacity is 0");
    return NULL;
  }
  s = vow__lock_new(site, loop, &semaphore_class, fn);
  if (s == NULL) return NULL;
  vow__list_init(&s->line);
  s->capacity = s->available = capacity;
  s->one.semaphore = s;
  s->one.n = 1;
  return s;
}

/* Lets in whoever may come in, in their order. What is granted may come back
 * at once, when nobody has a reference to that ask. */
static void serve(vow_semaphore_t *s) {
  ask_t *a;
  if (s->serving) return;
  s->serving = true;
  while (!s->closed && (a = (ask_t *)vow__line_first(&s->line)) != NULL &&
         a->n <= s->available) {
    permits_t *p = a->permits;
    vow__list_remove(&a->at.link);
    a->permits = NULL;
    vow_op_settle(a, take(s, a->n, p));
  }
  s->serving = false;
}

static void released(vow_semaphore_t *s, size_t n) {
  s->available += n;
  if (s->serving) return;
  if (s->closed) {
    if (s->available == s->capacity) vow__lock_unref(s);
  } else if (!vow__list_empty(&s->line)) {
    serve(s);
  }
}

void vow_semaphore_free(vow_semaphore_t *s) {
  if (s == NULL) return;
  s->closed = true;
  s->serving = true; /* nothing that is released meanwhile is the last */
  vow__line_fail(&s->line, VOW_ESHUTDOWN, freed);
  s->serving = false;
  released(s, 0);
}

vow_future_t *vow_semaphore_acquire_at(const char *site, vow_semaphore_t *s,
                                       size_t n) {
  const char *fn = "vow_semaphore_acquire", *wrong = NULL;
  permits_t *p = NULL;
  ask_t *a;
  if (s == NULL)
    wrong = "the semaphore is NULL";
  else if (n == 0)
    wrong = "no permits are asked for";
  else if (n > s->capacity)
    wrong = "more permits are asked for than there are";
  if (wrong != NULL) return vow__lock_refuse(site, s, fn, wrong);
  if (s->closed) return vow__lock_freed(site, s, freed);
  if (n > 1 && (p = permits_new(s, n)) == NULL)
    return vow__ask_failed(site, s, fn);
  if (vow__list_empty(&s->line) && n <= s->available)
    return vow_ready_at(site, vow_op_loop(s), take(s, n, p));
  a = vow__ask_new(site, s, &acquire_class, &s->line);
  if (a == NULL) {
    vow_release(p);
    return vow__ask_failed(site, s, fn);
  }
  a->n = n;
  a->permits = p;
  return vow_op_future(a);
}

bool vow_semaphore_try_acquire(vow_semaphore_t *s, size_t n) {
  if (s == NULL || n == 0 || n > s->available || s->closed ||
      !vow__list_empty(&s->line))
    return false;
  s->available -= n;
  return true;
}

int vow_semaphore_release(vow_semaphore_t *s, size_t n) {
  const char *wrong = NULL;
  if (s == NULL)
    wrong = "the semaphore is NULL";
  else if (n == 0 || n > s->capacity - s->available)
    wrong = "no permits, or more than are held";
  if (wrong != NULL) return vow__lock_misuse(s, "vow_semaphore_release", wrong);
  released(s, n);
  return 0;
}

vow_semaphore_t *vow_semaphore_hold(vow_value_t permit, size_t *ret_n) {
  permits_t *p = vow_value_get(permit, &vow_type_semaphore_permit);
  vow_semaphore_t *s;
  if (p == NULL) {
    vow_value_destroy(permit);
    return NULL;
  }
  s = p->semaphore;
  if (ret_n != NULL) *ret_n = p->n;
  permits_free(p);
  return s;
}

size_t vow_semaphore_capacity(const vow_semaphore_t *s) {
  return s != NULL ? s->capacity : 0;
}

size_t vow_semaphore_available(const vow_semaphore_t *s) {
  return s != NULL ? s->available : 0;
}

size_t vow_semaphore_waiting(const vow_semaphore_t *s) {
  return s != NULL ? vow__line_length(&s->line) : 0;
}

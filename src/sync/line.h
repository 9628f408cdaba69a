/* SPDX-License-Identifier: MIT */
/* What every lock is made of: a line of those who wait, first come, first
 * served, and the lock's own cell. What is handed out, and when, is up to the
 * lock.
 *
 * How this works: a lock is an operation that has settled. So it has a site,
 * keeps its loop's memory, and is counted by references: one is its owner's
 * and goes when the lock was freed and nothing of it is held any more. Who
 * waits is a pending operation, an ask, in the lock's list. Settling one runs
 * a user's code in one case only: nobody holds a reference to it, and it fails;
 * then the loop's hook may do anything, the freeing of the lock included. */
#ifndef VOW_SYNC_LINE_H
#define VOW_SYNC_LINE_H

#include "base/check.h"
#include "base/list.h"

#include <vow/op.h>

typedef struct vow__ask {
  vow_op_t op;
  vow__link_t link; /* in the line; points at itself when in none */
  void *owner;      /* the lock; NULL when it was turned away */
} vow__ask_t;

static inline vow__ask_t *vow__ask_of(vow__link_t *link) {
  return vow__container_of(link, vow__ask_t, link);
}

/** The first who waits, or NULL. */
static inline vow__ask_t *vow__line_first(const vow__link_t *line) {
  return vow__list_empty(line) ? NULL : vow__ask_of(line->next);
}

size_t vow__line_length(const vow__link_t *line);

/** Turns away all who wait: they fail with code and the text. New ones who
 *  come meanwhile stay. */
void vow__line_fail(vow__link_t *line, int code, const char *text);

/** An ask at the end of the line; NULL for want of memory or of an open loop:
 *  return vow__ask_failed then. */
static inline void *vow__ask_new(const char *site, void *owner,
                                 const vow_op_class_t *cls, vow__link_t *line) {
  vow__ask_t *a = vow_op_new_at(site, vow_op_loop(owner), cls);
  if (VOW__UNLIKELY(a == NULL)) return NULL;
  a->owner = owner;
  vow__list_append(line, &a->link);
  return a;
}
vow_future_t *vow__ask_failed(const char *site, void *owner, const char *fn);

/** A cancel hook: leaves the line. */
void vow__ask_cancel(void *op);

/** A lock of class cls, zeroed behind its head; NULL, and recorded. */
void *vow__lock_new(const char *site, vow_loop_t *loop,
                    const vow_op_class_t *cls, const char *fn);

/** References to a lock. */
static inline void vow__lock_ref(void *lock) {
  (void)vow_ref(vow_op_future(lock));
}
static inline void vow__lock_unref(void *lock) {
  vow_drop(vow_op_future(lock));
}

/** Bad arguments: a failed future; the code, recorded for vow_fail_last. lock
 *  may be NULL. */
vow_future_t *vow__lock_refuse(const char *site, void *lock, const char *fn,
                               const char *what);
int vow__lock_misuse(void *lock, const char *fn, const char *what);

/** A future that says that the lock was freed. */
vow_future_t *vow__lock_freed(const char *site, void *lock, const char *text);

#endif

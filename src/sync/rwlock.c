/* SPDX-License-Identifier: MIT */
/* Read-write locks: one line for readers and writers; the class of an ask says
 * which it is. */
#include "sync/line.h"

#include "base/errno.h"
#include <vow/rwlock.h>

struct vow_rwlock {
  vow_op_t cell;
  vow__link_t line;
  size_t readers;
  bool writing;
  bool closed;  /* freed; nobody is let in any more */
  bool serving; /* serve, or _free, is on the stack */
};

static const char freed[] = "the read-write lock was freed";

static void serve(vow_rwlock_t *l);

/* A writer that leaves may have been all that kept readers out. */
static void ask_cancel(void *op) {
  vow_rwlock_t *l = ((vow__ask_t *)op)->owner;
  vow__ask_cancel(op);
  if (l != NULL) serve(l);
}

static const vow_op_class_t rwlock_class = {
    .name = "rwlock",
    .size_bytes = sizeof(vow_rwlock_t),
};

static const vow_op_class_t read_class = {
    .name = "rwlock read",
    .size_bytes = sizeof(vow__ask_t),
    .cancel = ask_cancel,
};

static const vow_op_class_t write_class = {
    .name = "rwlock write",
    .size_bytes = sizeof(vow__ask_t),
    .cancel = ask_cancel,
};

static void read_destroy(void *p) {
  (void)vow_rwlock_release_read(p);
}

static void write_destroy(void *p) {
  (void)vow_rwlock_release_write(p);
}

const vow_type_t vow_type_read_permit = {"read permit", read_destroy, NULL,
                                         NULL};
const vow_type_t vow_type_write_permit = {"write permit", write_destroy, NULL,
                                          NULL};

vow_rwlock_t *vow_rwlock_new_at(const char *site, vow_loop_t *loop) {
  vow_rwlock_t *l = vow__lock_new(site, loop, &rwlock_class, "vow_rwlock_new");
  if (l != NULL) vow__list_init(&l->line);
  return l;
}

/* ---- taking -------------------------------------------------------------- */

static bool is_free(const vow_rwlock_t *l) {
  return !l->writing && l->readers == 0;
}

static bool may(const vow_rwlock_t *l, bool write) {
  return write ? is_free(l) : !l->writing;
}

static vow_value_t take(vow_rwlock_t *l, bool write) {
  if (write)
    l->writing = true;
  else
    l->readers++;
  return vow_ptr(l, write ? &vow_type_write_permit : &vow_type_read_permit);
}

/* Lets in whoever may come in, in their order. What is granted may come back
 * at once, when nobody has a reference to that ask. */
static void serve(vow_rwlock_t *l) {
  vow__ask_t *a;
  if (l->serving) return;
  l->serving = true;
  while (!l->closed && (a = vow__line_first(&l->line)) != NULL) {
    bool write = a->op.cls == &write_class;
    if (!may(l, write)) break;
    vow__list_remove(&a->link);
    vow_op_settle(a, take(l, write));
  }
  l->serving = false;
}

static int released(vow_rwlock_t *l) {
  if (l->serving) return 0;
  if (l->closed) {
    if (is_free(l)) vow__lock_unref(l);
  } else if (!vow__list_empty(&l->line)) {
    serve(l);
  }
  return 0;
}

void vow_rwlock_free(vow_rwlock_t *l) {
  if (l == NULL) return;
  l->closed = true;
  l->serving = true; /* nothing that is released meanwhile is the last */
  vow__line_fail(&l->line, VOW_ESHUTDOWN, freed);
  l->serving = false;
  (void)released(l);
}

static vow_future_t *acquire(const char *site, vow_rwlock_t *l, bool write) {
  const char *fn = write ? "vow_rwlock_write" : "vow_rwlock_read";
  void *a;
  if (l == NULL) return vow__lock_refuse(site, l, fn, "the lock is NULL");
  if (l->closed) return vow__lock_freed(site, l, freed);
  if (vow__list_empty(&l->line) && may(l, write))
    return vow_ready_at(site, vow_op_loop(l), take(l, write));
  a = vow__ask_new(site, l, write ? &write_class : &read_class, &l->line);
  return a != NULL ? vow_op_future(a) : vow__ask_failed(site, l, fn);
}

vow_future_t *vow_rwlock_read_at(const char *site, vow_rwlock_t *l) {
  return acquire(site, l, false);
}

vow_future_t *vow_rwlock_write_at(const char *site, vow_rwlock_t *l) {
  return acquire(site, l, true);
}

static bool try_acquire(vow_rwlock_t *l, bool write) {
  if (l == NULL || l->closed || !vow__list_empty(&l->line) || !may(l, write))
    return false;
  (void)take(l, write);
  return true;
}

bool vow_rwlock_try_read(vow_rwlock_t *l) {
  return try_acquire(l, false);
}

bool vow_rwlock_try_write(vow_rwlock_t *l) {
  return try_acquire(l, true);
}

/* ---- giving back --------------------------------------------------------- */

int vow_rwlock_release_read(vow_rwlock_t *l) {
  if (l == NULL || l->readers == 0)
    return vow__lock_misuse(l, "vow_rwlock_release_read",
                            l == NULL ? "the lock is NULL"
                                      : "the lock is held by no reader");
  l->readers--;
  return released(l);
}

int vow_rwlock_release_write(vow_rwlock_t *l) {
  if (l == NULL || !l->writing)
    return vow__lock_misuse(l, "vow_rwlock_release_write",
                            l == NULL ? "the lock is NULL"
                                      : "the lock is held by no writer");
  l->writing = false;
  return released(l);
}

vow_rwlock_t *vow_rwlock_hold(vow_value_t permit, bool *ret_write) {
  bool write = permit.type == &vow_type_write_permit;
  vow_rwlock_t *l = vow_value_get(permit, write ? &vow_type_write_permit
                                                : &vow_type_read_permit);
  if (l == NULL)
    vow_value_destroy(permit);
  else if (ret_write != NULL)
    *ret_write = write;
  return l;
}

/* ---- looking ------------------------------------------------------------- */

size_t vow_rwlock_readers(const vow_rwlock_t *l) {
  return l != NULL ? l->readers : 0;
}

bool vow_rwlock_is_written(const vow_rwlock_t *l) {
  return l != NULL && l->writing;
}

size_t vow_rwlock_waiting(const vow_rwlock_t *l) {
  return l != NULL ? vow__line_length(&l->line) : 0;
}

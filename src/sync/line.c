/* SPDX-License-Identifier: MIT */
/* Lines of those who wait, and the cells of locks. */
#include "sync/line.h"

#include "base/errno.h"

size_t vow__line_length(const vow__link_t *line) {
  size_t n = 0;
  VOW__LIST_EACH (it, line) n++;
  return n;
}

void vow__line_fail(vow__link_t *line, int code, const char *text) {
  vow__link_t going;
  vow__ask_t *a;
  vow__list_init(&going);
  vow__list_splice(&going, line);
  VOW__LIST_EACH (it, &going) vow__ask_of(it)->owner = NULL;
  while ((a = vow__line_first(&going)) != NULL) {
    const char *site = vow_site(vow_op_future(a));
    vow__list_remove(&a->link);
    vow_op_settle(a, vow_failf_at(site, code, "%s", text));
  }
}

vow_future_t *vow__ask_failed(const char *site, void *owner, const char *fn) {
  return vow_op_failed(site, vow_op_loop(owner), fn);
}

void vow__ask_cancel(void *op) {
  vow__ask_t *a = op;
  vow__list_remove(&a->link);
  vow_op_settle(a, vow_fail(UV_ECANCELED));
}

/* A failure that was recorded, and is of no use as a future. */
static int forget(vow_future_t *failed) {
  int err = vow_status(failed);
  vow_drop(failed);
  return err;
}

void *vow__lock_new(const char *site, vow_loop_t *loop,
                    const vow_op_class_t *cls, const char *fn) {
  void *lock = vow_op_new_at(site, loop, cls);
  if (lock == NULL) {
    (void)forget(vow_op_failed(site, loop, fn));
    return NULL;
  }
  vow_op_settle(lock, vow_nil());
  return lock;
}

vow_future_t *vow__lock_refuse(const char *site, void *lock, const char *fn,
                               const char *what) {
  vow_loop_t *loop = lock != NULL ? vow_op_loop(lock) : NULL;
  return vow_misuse_at(site, loop, UV_EINVAL, "%s: %s", fn, what);
}

int vow__lock_misuse(void *lock, const char *fn, const char *what) {
  const char *site = lock != NULL ? vow_site(vow_op_future(lock)) : "(null)";
  (void)forget(vow__lock_refuse(site, lock, fn, what));
  return UV_EINVAL;
}

vow_future_t *vow__lock_freed(const char *site, void *lock, const char *text) {
  return vow_ready_at(site, vow_op_loop(lock),
                      vow_failf_at(site, VOW_ESHUTDOWN, "%s", text));
}

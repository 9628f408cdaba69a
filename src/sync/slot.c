/* SPDX-License-Identifier: MIT */
/* Lines of slots, and the futures that have one. What is waited for is none of
 * this file's business. */
#include "sync/slot.h"

#include "base/errno.h"

void vow__slot_empty(vow__slot_t *slot) {
  if (slot->full) vow_value_destroy(vow__slot_take(slot));
}

vow__slot_t *vow__slot_pop(vow__link_t *line) {
  while (!vow__list_empty(line)) {
    vow__slot_t *slot = vow__slot_of(line->next);
    vow__list_remove(&slot->link);
    if (slot->cls->wants == NULL || slot->cls->wants(slot)) return slot;
  }
  return NULL;
}

vow_value_t vow__slot_shut(void *object, const char *text) {
  return vow_failf_at(vow_site(vow_op_future(object)), VOW_ESHUTDOWN, "%s",
                      text);
}

void vow__slot_end_all(vow__link_t *line, void *object, const char *text) {
  vow__link_t going;
  vow__slot_t *slot;
  vow__list_init(&going);
  vow__list_splice(&going, line);
  vow__lock_ref(object);
  while ((slot = vow__slot_pop(&going)) != NULL)
    vow__slot_end(slot, vow__slot_shut(object, text));
  vow__lock_unref(object);
}

/* ---- futures --------------------------------------------------------------
 */

static vow__wait_t *wait_of(vow__slot_t *slot) {
  return vow__container_of(slot, vow__wait_t, slot);
}

static void wait_end(vow__slot_t *slot, vow_value_t outcome) {
  vow_op_settle(wait_of(slot), outcome);
}

static const vow__slot_class_t wait_slot = {.end = wait_end};

void vow__wait_cancel(void *op) {
  vow__wait_t *w = op;
  vow__list_remove(&w->slot.link);
  vow_op_settle(w, vow_fail(UV_ECANCELED));
}

void vow__wait_destroy(void *op) {
  vow__wait_t *w = op;
  vow__slot_empty(&w->slot);
}

static vow__wait_t *wait_new(const char *site, const vow__case_class_t *cls,
                             void *object) {
  vow__wait_t *w;
  if (object == NULL) return NULL;
  w = vow_op_new_at(site, vow_op_loop(object), &cls->op);
  if (w == NULL) return NULL;
  vow__list_init(&w->slot.link);
  w->slot.cls = &wait_slot;
  return w;
}

static vow_future_t *wait_failed(const char *site, const vow__case_class_t *cls,
                                 void *object) {
  if (object != NULL) return vow_op_failed(site, vow_op_loop(object), cls->fn);
  return vow_misuse_at(site, NULL, UV_EINVAL, "%s: the %s is NULL", cls->fn,
                       cls->what);
}

static vow_future_t *begin(vow__wait_t *w, const vow__case_class_t *cls,
                           void *object) {
  vow_value_t outcome;
  if (cls->now(object, &w->slot, &outcome))
    vow_op_settle(w, outcome);
  else
    cls->wait(object, &w->slot);
  return vow_op_future(w);
}

vow_future_t *vow__wait_for(const char *site, const vow__case_class_t *cls,
                            void *object, int64_t number) {
  vow__wait_t *w = wait_new(site, cls, object);
  if (w == NULL) return wait_failed(site, cls, object);
  w->slot.number = number;
  return begin(w, cls, object);
}

vow_future_t *vow__wait_bringing(const char *site, const vow__case_class_t *cls,
                                 void *object, vow_value_t v, int64_t number) {
  vow__wait_t *w = wait_new(site, cls, object);
  if (w == NULL) {
    vow_future_t *f = wait_failed(site, cls, object);
    vow_value_destroy(v);
    return f;
  }
  w->slot.number = number;
  w->slot.item = v;
  w->slot.full = true;
  return begin(w, cls, object);
}

static vow__wait_t *bringer(vow_future_t *f) {
  vow__wait_t *w = vow_op_of(f, &vow__put_class.op);
  return w != NULL ? w : vow_op_of(f, &vow__send_class.op);
}

int vow_reclaim(vow_future_t *f, vow_value_t *ret_item) {
  vow__wait_t *w;
  if (f == NULL || ret_item == NULL) return UV_EINVAL;
  if (!vow_is_settled(f)) return UV_EAGAIN;
  (void)vow_status(f); /* seen */
  if ((w = bringer(f)) == NULL) return vow__select_reclaim(f, ret_item);
  if (!w->slot.full) return UV_ENOENT;
  *ret_item = vow__slot_take(&w->slot);
  return 0;
}

/* SPDX-License-Identifier: MIT */
/* Events. */
#include "sync/line.h"

#include "base/errno.h"
#include <vow/event.h>

struct vow_event {
  vow_op_t cell;
  vow__link_t line; /* empty while it is set */
  bool set;
};

static const vow_op_class_t event_class = {
    .name = "event",
    .size_bytes = sizeof(vow_event_t),
};

static const vow_op_class_t wait_class = {
    .name = "event wait",
    .size_bytes = sizeof(vow__ask_t),
    .cancel = vow__ask_cancel,
};

vow_event_t *vow_event_new_at(const char *site, vow_loop_t *loop) {
  vow_event_t *e = vow__lock_new(site, loop, &event_class, "vow_event_new");
  if (e != NULL) vow__list_init(&e->line);
  return e;
}

void vow_event_free(vow_event_t *e) {
  if (e == NULL) return;
  vow__line_fail(&e->line, VOW_ESHUTDOWN, "the event was freed");
  vow__lock_unref(e);
}

vow_future_t *vow_event_wait_at(const char *site, vow_event_t *e) {
  void *a;
  if (e == NULL)
    return vow__lock_refuse(site, e, "vow_event_wait", "the event is NULL");
  if (e->set) return vow_ready_at(site, vow_op_loop(e), vow_nil());
  a = vow__ask_new(site, e, &wait_class, &e->line);
  return a != NULL ? vow_op_future(a)
                   : vow__ask_failed(site, e, "vow_event_wait");
}

void vow_event_set(vow_event_t *e) {
  vow__ask_t *a;
  if (e == NULL) return;
  e->set = true;
  while ((a = vow__line_first(&e->line)) != NULL) {
    vow__list_remove(&a->link);
    vow_op_settle(a, vow_nil());
  }
}

void vow_event_clear(vow_event_t *e) {
  if (e != NULL) e->set = false;
}

bool vow_event_is_set(const vow_event_t *e) {
  return e != NULL && e->set;
}

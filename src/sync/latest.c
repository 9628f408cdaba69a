/* SPDX-License-Identifier: MIT */
/* A value of which only the latest counts. Who waits has seen the version that
 * is there, so a set tells all who wait. */
#include "sync/slot.h"

#include "base/errno.h"

struct vow_latest {
  vow_op_t cell;
  vow_value_t value;
  uint64_t version;
  vow__link_t line;
  bool closed;
};

static const char closed[] = "the value was closed";

static void latest_destroy(void *op) {
  vow_latest_t *l = op;
  vow_value_destroy(l->value);
}

static const vow_op_class_t latest_class = {
    .name = "latest value",
    .size_bytes = sizeof(vow_latest_t),
    .destroy = latest_destroy,
};

vow_latest_t *vow_latest_new_at(const char *site, vow_loop_t *loop,
                                vow_value_t initial) {
  vow_latest_t *l = vow__lock_new(site, loop, &latest_class, "vow_latest_new");
  if (l == NULL) {
    vow_value_destroy(initial);
    return NULL;
  }
  vow__list_init(&l->line);
  l->value = initial;
  return l;
}

int vow_latest_close(vow_latest_t *l) {
  if (l == NULL) return UV_EINVAL;
  l->closed = true;
  vow__slot_end_all(&l->line, l, closed);
  return 0;
}

void vow_latest_free(vow_latest_t *l) {
  if (vow_latest_close(l) == 0) vow__lock_unref(l);
}

static vow_value_t version_of(const vow_latest_t *l) {
  return vow_int((int64_t)l->version);
}

/* Who is told may free l; all who waited are told the same. */
static void tell(vow_latest_t *l) {
  vow_value_t version = version_of(l);
  vow__link_t going;
  vow__slot_t *slot;
  vow__list_init(&going);
  vow__list_splice(&going, &l->line);
  while ((slot = vow__slot_pop(&going)) != NULL) vow__slot_end(slot, version);
}

int vow_latest_set(vow_latest_t *l, vow_value_t v) {
  vow_value_t former = v;
  int err = 0;
  if (l == NULL) {
    err = UV_EINVAL;
  } else if (l->closed) {
    err = VOW_ESHUTDOWN;
  } else {
    former = l->value;
    l->value = v;
    l->version++;
    tell(l);
  }
  vow_value_destroy(former); /* may do anything, to l as well */
  return err;
}

vow_value_t vow_latest_get(const vow_latest_t *l, uint64_t *ret_version) {
  if (l == NULL) return vow_nil();
  if (ret_version != NULL) *ret_version = l->version;
  return l->value;
}

static bool changed_now(void *object, vow__slot_t *slot,
                        vow_value_t *ret_outcome) {
  vow_latest_t *l = object;
  bool changed = (uint64_t)slot->number != l->version;
  if (!changed && !l->closed) return false;
  *ret_outcome = changed ? version_of(l) : vow__slot_shut(l, closed);
  return true;
}

static void changed_wait(void *object, vow__slot_t *slot) {
  vow_latest_t *l = object;
  vow__list_append(&l->line, &slot->link);
}

static const vow__case_class_t changed_class = {
    .op = VOW__WAIT_OP("change"),
    .fn = "vow_latest_changed",
    .what = "value",
    .now = changed_now,
    .wait = changed_wait,
};

vow_future_t *vow_latest_changed_at(const char *site, vow_latest_t *l,
                                    uint64_t seen) {
  return vow__wait_for(site, &changed_class, l, (int64_t)seen);
}

vow_case_t vow_case_changed(vow_latest_t *l, uint64_t seen) {
  vow_case_t c = {.vow__cls = &changed_class,
                  .vow__object = l,
                  .vow__number = (int64_t)seen};
  return c;
}

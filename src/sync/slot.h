/* SPDX-License-Identifier: MIT */
/* Places in a line: what queues, channels and the like see of those who wait
 * for them. Who that is, a future or a select, the slot's class knows.
 *
 * How this works: to ask an object for something is to try it now, and to line
 * up when that cannot be. The object ends a slot when it has something for it,
 * or is shut down: the slot leaves the line, and its end is called with the
 * outcome. A select has a slot in several lines and takes the first outcome
 * only; when it has one, or is cancelled, its slots leave their lines, and who
 * is in no line is never ended: so the others lose nothing.
 *
 * An end settles a future. That runs a user's code in one case only: when the
 * future is detached, its value is destroyed right there. So after an end an
 * object is not touched any more, or a reference to it is held. */
#ifndef VOW_SYNC_SLOT_H
#define VOW_SYNC_SLOT_H

#include "sync/line.h"

#include <vow/select.h>

typedef struct vow__slot vow__slot_t;

typedef struct vow__slot_class {
  /** False: is ready by something else, and is to be passed over. NULL: always
   *  true. Runs no user's code. */
  bool (*wants)(const vow__slot_t *slot);
  /** Takes the outcome; the slot is in no line. */
  void (*end)(vow__slot_t *slot, vow_value_t outcome);
} vow__slot_class_t;

struct vow__slot {
  vow__link_t link; /* in the line; points at itself when in none */
  const vow__slot_class_t *cls;
  vow_value_t item; /* what is brought, as long as full is true */
  int64_t number;   /* the item's priority; the version that was seen */
  bool full;
};

typedef struct vow_case_class vow__case_class_t;

struct vow_case_class {
  vow_op_class_t op; /* of a future that waits for this alone */
  const char *fn;    /* what the call that makes one is named */
  const char *what;  /* the object: "queue" */
  /** When it can be had now: true, and the outcome; what was brought is taken
   *  from the slot if it was put. A user's code runs only if the result is
   *  true. */
  bool (*now)(void *object, vow__slot_t *slot, vow_value_t *ret_outcome);
  /** Puts the slot, which is in no line, at the end of one. Runs no user's
   *  code. */
  void (*wait)(void *object, vow__slot_t *slot);
};

static inline vow__slot_t *vow__slot_of(vow__link_t *link) {
  return vow__container_of(link, vow__slot_t, link);
}

/** What the slot brings belongs to the caller from now on. */
static inline vow_value_t vow__slot_take(vow__slot_t *slot) {
  slot->full = false;
  return slot->item;
}

/** Ends what the slot brings, if it is still there. */
void vow__slot_empty(vow__slot_t *slot);

static inline void vow__slot_end(vow__slot_t *slot, vow_value_t outcome) {
  slot->cls->end(slot, outcome);
}

/** The first in line who still wants anything, taken out of it; NULL. Those who
 *  do not leave it, too. */
vow__slot_t *vow__slot_pop(vow__link_t *line);

/** Ends all in line with vow__slot_shut(object, text). Who comes meanwhile
 *  stays. */
void vow__slot_end_all(vow__link_t *line, void *object, const char *text);

/** A failure VOW_ESHUTDOWN that arose where object was made. */
vow_value_t vow__slot_shut(void *object, const char *text);

/* ---- futures that wait for one thing -------------------------------------- */

typedef struct vow__wait {
  vow_op_t op;
  vow__slot_t slot;
} vow__wait_t;

#define VOW__WAIT_OP(label)                                  \
  {                                                          \
    .name = (label), .size_bytes = sizeof(vow__wait_t),      \
    .cancel = vow__wait_cancel, .destroy = vow__wait_destroy \
  }

void vow__wait_cancel(void *op);
void vow__wait_destroy(void *op);

/** Tries now, or waits. Bringing v, with number: consumes v. */
vow_future_t *vow__wait_for(const char *site, const vow__case_class_t *cls,
                            void *object, int64_t number);
vow_future_t *vow__wait_bringing(const char *site, const vow__case_class_t *cls,
                                 void *object, vow_value_t v, int64_t number);

/* Those that bring something: for vow_reclaim. */
extern const vow__case_class_t vow__put_class, vow__send_class;

/** vow_reclaim for a select: 0, UV_ENOENT. */
int vow__select_reclaim(vow_future_t *f, vow_value_t *ret_item);

#endif

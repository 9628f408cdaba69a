/* SPDX-License-Identifier: MIT */
/* What limiters and onces are made of: an operation that waits for its turn,
 * then calls a user's function from the ready queue, and then waits for the
 * future it gives. */
#ifndef VOW_SYNC_TURN_H
#define VOW_SYNC_TURN_H

#include "sync/line.h"

typedef vow_future_t *(*vow__start_cb)(vow_loop_t *loop, void *arg);

enum {
  VOW__TURN_WAITING,  /* in the line */
  VOW__TURN_KICKED,   /* its waiter brings it to the ready queue */
  VOW__TURN_STARTING, /* start is on the stack */
  VOW__TURN_RUNNING,  /* its waiter has the future of start, until that ends */
  VOW__TURN_ENDED     /* about to settle */
};

/** The user's function, and the destructor of arg, may do anything to the
 *  operation; but it stays pending, and with it its memory, until
 *  vow__turn_end. */
typedef struct vow__turn {
  vow__ask_t ask;
  vow_waiter_t waiter;
  vow__start_cb start;
  void *arg;
  vow_drop_cb arg_drop;
  uint8_t phase;
  bool cancelled; /* asked to end */
} vow__turn_t;

static inline vow__turn_t *vow__turn_first(const vow__link_t *line) {
  return (vow__turn_t *)(void *)vow__line_first(line);
}

/** A call at the end of the line; NULL for want of memory or of an open loop.
 *  arg is consumed in any case. */
void *vow__turn_new(const char *site, void *owner, const vow_op_class_t *cls,
                    vow__link_t *line, vow__start_cb start, void *arg,
                    vow_drop_cb arg_drop);

/** Takes the call out of the line, and has ready called soon. */
void vow__turn_kick(vow__turn_t *c);

/** Calls start. What it gave, or a failure instead: to be given to adopt. */
vow_future_t *vow__turn_start(vow__turn_t *c, const char *fn);
void vow__turn_adopt(vow__turn_t *c, vow_future_t *f);

/** Asks the future of start to end; false when others share it: the call is to
 *  be ended then. One that has settled is on its way. */
bool vow__turn_stop(vow__turn_t *c);

/** Releases arg and settles with v. c may be gone afterwards. */
void vow__turn_end(vow__turn_t *c, vow_value_t v);

void vow__turn_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                       void *arg);

#endif

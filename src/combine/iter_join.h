/* SPDX-License-Identifier: MIT */
/* What iterators over several others have in common: checking the array, and
 * closing all of them. */
#ifndef VOW_COMBINE_ITER_JOIN_H
#define VOW_COMBINE_ITER_JOIN_H

#include "combine/iter_call.h"

#include <vow/iter_class.h>

/** One of the others. */
typedef struct vow__lane {
  vow_waiter_t waiter; /* its next, or its end */
  vow_iter_t *source;  /* NULL once it has closed */
  size_t next_done;    /* merge: in the list of those that have an item */
  uint8_t phase;
} vow__lane_t;

enum {
  VOW__LANE_IDLE,
  VOW__LANE_ASKING, /* the waiter holds its next, pending */
  VOW__LANE_READY,  /* settled, to be given */
  VOW__LANE_CLOSING /* the waiter holds its end */
};

typedef struct vow__join {
  vow_iter_t it;
  size_t n;
  size_t left; /* lanes that have not closed */
  vow__lane_t *lanes;
  vow_value_t failure; /* of what was closed when it is closing */
} vow__join_t;

/** An iterator of class cls over n others; or the future to make a failed one
 *  of in *ret_other, and all is consumed. */
void *vow__join_new(const char *site, vow_loop_t *loop, const char *fn,
                    const vow_iter_class_t *cls, size_t n,
                    vow_iter_t *const *its, vow_iter_t **ret_other);

/** Asks lane's source; its outcome comes through the ready queue. */
void vow__join_ask(vow__join_t *j, vow__lane_t *lane);
/** Closes lane's source. */
void vow__join_close_lane(vow__join_t *j, vow__lane_t *lane);
/** That has come: frees the source; the failure, or nil. */
vow_value_t vow__join_lane_closed(vow__join_t *j, vow__lane_t *lane);

/** Gives up lane's next unless it has settled. */
void vow__join_unask(vow__lane_t *lane);

/** The class's close and sources, and its ready while it is closing. */
void vow__join_close(vow_iter_t *it);
void vow__join_unwound(vow__join_t *j, vow__lane_t *lane);
void vow__join_destroy(void *op);
void vow__join_sources(void *op, void (*visit)(vow_future_t *f, void *arg),
                       void *arg);

#endif

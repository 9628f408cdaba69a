/* SPDX-License-Identifier: MIT */
/* The inside of a mutex, for conditions, which wait for one in their own way.
 */
#ifndef VOW_SYNC_MUTEX_H
#define VOW_SYNC_MUTEX_H

#include "sync/line.h"

#include <vow/mutex.h>

struct vow_mutex {
  vow_op_t cell;
  vow__link_t line; /* of vow__mutex_ask_t; not empty only while held */
  bool held;
  bool closed;  /* freed; nobody is let in any more */
  bool owned;   /* the owner's reference is still there */
  bool serving; /* release_slow is on the stack */
};

typedef struct vow__mutex_ask vow__mutex_ask_t;
struct vow__mutex_ask {
  vow__ask_t ask;
  /* Called, out of the line, when the mutex is held for it; when it was freed.
   * NULL: settle with a permit; with a failure. */
  void (*granted)(vow__mutex_ask_t *a);
  void (*refused)(vow__mutex_ask_t *a);
};

/** Lines up an ask that is in no line and has both hooks; one of them may be
 *  called at once. */
void vow__mutex_contend(vow_mutex_t *m, vow__mutex_ask_t *a);

#endif

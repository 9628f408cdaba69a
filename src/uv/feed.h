/* SPDX-License-Identifier: MIT */
/* What libuv delivers repeatedly, as futures: values that wait for a next, or
 * nexts that wait for a value, never both. Every source has one of these. */
#ifndef VOW_UV_FEED_H
#define VOW_UV_FEED_H

#include <uv.h>
#include <vow/op.h>

typedef struct vow__feed vow__feed_t;
typedef struct vow__next vow__next_t;

/** A next that is pending. A source's class of nexts is made with
 *  VOW__NEXT_CLASS. */
struct vow__next {
  vow_op_t op;
  vow__feed_t *feed; /* NULL when it is in no list */
  vow__next_t *next;
  vow__next_t **link;
};

#define VOW__FEED_INLINE 4

struct vow__feed {
  vow_loop_t *loop;
  const vow_op_class_t *cls;
  /** Called when the last pending next was cancelled; may be NULL. */
  void (*unwanted)(vow__feed_t *feed);
  vow__next_t *first;
  vow__next_t **end;
  /* A ring; values stays on few until it outgrows it. */
  vow_value_t *values;
  size_t head;
  size_t count;
  size_t capacity;
  vow_value_t few[VOW__FEED_INLINE];
  int error; /* what comes after the values, 0: nothing yet */
};

void vow__next_cancel(void *op);
#define VOW__NEXT_CLASS(name) \
  { (name), sizeof(vow__next_t), vow__next_cancel, NULL, NULL, NULL }

void vow__feed_init(vow__feed_t *feed, vow_loop_t *loop,
                    const vow_op_class_t *cls);
/** The next value: a settled future when one waits or the feed has ended. */
vow_future_t *vow__feed_next(const char *site, vow__feed_t *feed);
/** The first value, borrowed; nil when none waits. */
vow_value_t vow__feed_peek(const vow__feed_t *feed);
static inline bool vow__feed_is_wanted(const vow__feed_t *feed) {
  return feed->first != NULL;
}
/** Makes sure that one push will not fail: UV_ENOMEM or 0. */
int vow__feed_reserve(vow__feed_t *feed);
/** Gives v to the first next, or keeps it; the room must be reserved. Returns
 *  true when it is kept. */
bool vow__feed_push(vow__feed_t *feed, vow_value_t v);
/** Fails the first pending next alone; false when there is none. */
bool vow__feed_fail_one(vow__feed_t *feed, vow_value_t v);
/** Fails all that are pending. The feed is not touched any more when the first
 *  is told: that may free it. */
void vow__feed_fail_all(vow__feed_t *feed, int code);
/** The end: pending nexts, and those to come once the values are taken, fail
 *  with code. The first end counts. */
void vow__feed_end(vow__feed_t *feed, int code);
/** The end at once: values that wait are destroyed. */
void vow__feed_close(vow__feed_t *feed, int code);

#endif

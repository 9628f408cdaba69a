/* SPDX-License-Identifier: MIT */
/* Feeds: first in, first out on both sides. Nothing of libuv in here. */
#include "uv/feed.h"

#include <string.h>

void vow__feed_init(vow__feed_t *feed, vow_loop_t *loop,
                    const vow_op_class_t *cls) {
  memset(feed, 0, sizeof *feed);
  feed->loop = loop;
  feed->cls = cls;
  feed->end = &feed->first;
  feed->values = feed->few;
  feed->capacity = VOW__FEED_INLINE;
}

/* ---- nexts --------------------------------------------------------------- */

static void append(vow__feed_t *feed, vow__next_t *n) {
  n->feed = feed;
  n->next = NULL;
  n->link = feed->end;
  *feed->end = n;
  feed->end = &n->next;
}

static void unlink_next(vow__next_t *n) {
  *n->link = n->next;
  if (n->next != NULL)
    n->next->link = n->link;
  else
    n->feed->end = n->link;
  n->feed = NULL;
}

void vow__next_cancel(void *op) {
  vow__next_t *n = op;
  vow__feed_t *feed = n->feed;
  if (feed != NULL) {
    unlink_next(n);
    if (feed->first == NULL && feed->unwanted != NULL) feed->unwanted(feed);
  }
  vow_op_settle(op, vow_cancelled(UV_ECANCELED));
}

static vow_value_t pop(vow__feed_t *feed) {
  vow_value_t v = feed->values[feed->head];
  feed->head = feed->head + 1 == feed->capacity ? 0 : feed->head + 1;
  feed->count--;
  return v;
}

vow_future_t *vow__feed_next(const char *site, vow__feed_t *feed) {
  /* The cell comes first, so that no value is lost for want of one. */
  vow__next_t *n = vow_op_new_at(site, feed->loop, feed->cls);
  if (n == NULL) return vow_op_failed(site, feed->loop, feed->cls->name);
  if (feed->count > 0)
    vow_op_settle(n, pop(feed));
  else if (feed->error != 0)
    vow_op_settle(n, vow_fail(feed->error));
  else
    append(feed, n);
  return vow_op_future(n);
}

/* ---- values -------------------------------------------------------------- */

vow_value_t vow__feed_peek(const vow__feed_t *feed) {
  return feed->count > 0 ? feed->values[feed->head] : vow_nil();
}

int vow__feed_reserve(vow__feed_t *feed) {
  vow_value_t *values;
  size_t i;
  size_t count = feed->count;
  if (feed->first != NULL || count < feed->capacity) return 0;
  values = vow_alloc(feed->capacity * 2 * sizeof *values);
  if (values == NULL) return UV_ENOMEM;
  for (i = 0; i < count; i++) values[i] = pop(feed);
  if (feed->values != feed->few) vow_release(feed->values);
  feed->values = values;
  feed->capacity *= 2;
  feed->head = 0;
  feed->count = count;
  return 0;
}

bool vow__feed_push(vow__feed_t *feed, vow_value_t v) {
  size_t at;
  if (vow__feed_fail_one(feed, v)) return false;
  at = feed->head + feed->count;
  if (at >= feed->capacity) at -= feed->capacity;
  feed->values[at] = v;
  feed->count++;
  return true;
}

bool vow__feed_fail_one(vow__feed_t *feed, vow_value_t v) {
  vow__next_t *n = feed->first;
  if (n == NULL) return false;
  unlink_next(n);
  vow_op_settle(n, v);
  return true;
}

void vow__feed_fail_all(vow__feed_t *feed, int code) {
  vow__next_t *going = feed->first, *n, *next;
  feed->first = NULL;
  feed->end = &feed->first;
  for (n = going; n != NULL; n = n->next) {
    n->feed = NULL;
    vow_op_pin(n); /* one that is told may drop another */
  }
  for (n = going; n != NULL; n = next) {
    next = n->next;
    vow_op_settle(n, vow_fail(code));
    vow_op_unpin(n);
  }
}

void vow__feed_end(vow__feed_t *feed, int code) {
  if (feed->error == 0) feed->error = code;
  vow__feed_fail_all(feed, code);
}

void vow__feed_close(vow__feed_t *feed, int code) {
  feed->error = code;
  while (feed->count > 0) vow_value_destroy(pop(feed));
  if (feed->values != feed->few) vow_release(feed->values);
  feed->values = feed->few;
  feed->capacity = VOW__FEED_INLINE;
  feed->head = 0;
  vow__feed_fail_all(feed, code); /* last: who is told may free the feed */
}

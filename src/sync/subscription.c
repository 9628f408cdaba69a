/* SPDX-License-Identifier: MIT */
/* Readers of broadcast channels: where each stands, and reading. */
#include "sync/broadcast.h"

#include "base/errno.h"

struct vow_subscription {
  vow_op_t cell;
  vow_broadcast_t *channel;
  uint64_t at; /* number of the value that is read next */
  uint64_t missed;
  vow__link_t nexts; /* slots; not empty only while all is read */
  vow__link_t link;  /* in the channel's line, while there are nexts */
  int error;         /* was too slow; was freed */
};

static const char freed[] = "the subscription was freed";

static void subscription_destroy(void *op) {
  vow_subscription_t *s = op;
  if (s->channel != NULL) vow__lock_unref(s->channel);
}

static const vow_op_class_t subscription_class = {
    .name = "broadcast subscription",
    .size_bytes = sizeof(vow_subscription_t),
    .destroy = subscription_destroy,
};

vow_subscription_t *vow_broadcast_subscribe_at(const char *site,
                                               vow_broadcast_t *b) {
  static const char fn[] = "vow_broadcast_subscribe";
  vow_subscription_t *s;
  if (b == NULL) {
    (void)vow__lock_misuse(NULL, fn, "the channel is NULL");
    return NULL;
  }
  s = vow__lock_new(site, vow_op_loop(b), &subscription_class, fn);
  if (s == NULL) return NULL;
  vow__list_init(&s->nexts);
  vow__list_init(&s->link);
  vow__lock_ref(b);
  s->channel = b;
  s->at = b->tail;
  b->readers++;
  return s;
}

/* s reads nothing any more; error says why. */
static void leave(vow_subscription_t *s, int error) {
  vow_broadcast_t *b = s->channel;
  uint64_t at = s->at < b->head ? b->head : s->at;
  s->error = error;
  b->readers--;
  for (; at < b->tail; at++) vow__sent(b, at)->unread--;
  vow__broadcast_advance(b);
}

void vow_subscription_free(vow_subscription_t *s) {
  if (s == NULL) return;
  vow__list_remove(&s->link);
  if (s->error == 0)
    leave(s, VOW_ESHUTDOWN);
  else
    s->error = VOW_ESHUTDOWN;
  vow__slot_end_all(&s->nexts, s, freed);
  vow__lock_unref(s);
}

/* Past what has gone, unread. */
static void skip(vow_subscription_t *s) {
  const vow_broadcast_t *b = s->channel;
  if (b->lag != VOW_LAG_SKIP || s->at >= b->head) return;
  s->missed += b->head - s->at;
  s->at = b->head;
}

uint64_t vow_subscription_missed(vow_subscription_t *s) {
  uint64_t missed;
  if (s == NULL) return 0;
  if (s->error == 0) skip(s);
  missed = s->missed;
  s->missed = 0;
  return missed;
}

/* ---- reading --------------------------------------------------------------
 */

/* 0 when there is a value to read. */
static int look(vow_subscription_t *s) {
  const vow_broadcast_t *b = s->channel;
  if (s->error != 0) return s->error;
  skip(s);
  if (s->at < b->head) {
    leave(s, UV_ENOBUFS);
    return UV_ENOBUFS;
  }
  if (s->at < b->tail) return 0;
  return b->closed ? VOW_ESHUTDOWN : UV_EAGAIN;
}

/* What s reads next, as a value of one's own; *ret_moved: it is the value
 * itself, as there is no other reader to come. UV_EAGAIN: a ref has changed
 * all; look again. */
static int copy(vow_subscription_t *s, vow_value_t *ret_v, bool *ret_moved) {
  const vow_broadcast_t *b = s->channel;
  const vow__sent_t *e = vow__sent(b, s->at);
  uint64_t at = s->at;
  int err;
  *ret_v = e->v;
  *ret_moved = e->unread == 1;
  if (*ret_moved) return 0;
  vow__lock_ref(s);
  err = vow_value_share(e->v, ret_v);
  if (s->error != 0 || s->at != at || b->head > at) {
    if (err == 0) vow_value_destroy(*ret_v);
    err = UV_EAGAIN;
  }
  vow__lock_unref(s);
  return err;
}

/* What was copied is read. */
static void pass(vow_subscription_t *s, bool moved) {
  vow__sent_t *e = vow__sent(s->channel, s->at++);
  e->unread--;
  if (moved) e->v = vow_nil();
}

int vow_subscription_try_next(vow_subscription_t *s, vow_value_t *ret_value) {
  int err;
  bool moved;
  if (s == NULL || ret_value == NULL) return UV_EINVAL;
  vow__lock_ref(s);
  while ((err = look(s)) == 0)
    if ((err = copy(s, ret_value, &moved)) != UV_EAGAIN) break;
  if (err == 0) {
    pass(s, moved);
    vow__broadcast_advance(s->channel);
  }
  vow__lock_unref(s);
  return err;
}

static vow_value_t failure(vow_subscription_t *s, int err) {
  if (s->error == VOW_ESHUTDOWN) return vow__slot_shut(s, freed);
  if (err == VOW_ESHUTDOWN) return vow__broadcast_shut(s->channel);
  if (err != UV_ENOBUFS) return vow_fail(err);
  return vow_failf_at(vow_site(vow_op_future(s)), err,
                      "the reader was slower than the channel's capacity");
}

static vow_subscription_t *of_link(vow__link_t *link) {
  return vow__container_of(link, vow_subscription_t, link);
}

static void line_up(vow_subscription_t *s) {
  vow__list_remove(&s->link);
  vow__list_append(&s->channel->waiting, &s->link);
}

static bool next_now(void *object, vow__slot_t *slot,
                     vow_value_t *ret_outcome) {
  vow_subscription_t *s = object;
  int err;
  (void)slot;
  vow__lock_ref(s);
  err = vow_subscription_try_next(s, ret_outcome);
  if (err != 0 && err != UV_EAGAIN) *ret_outcome = failure(s, err);
  vow__lock_unref(s);
  return err != UV_EAGAIN;
}

static void next_wait(void *object, vow__slot_t *slot) {
  vow_subscription_t *s = object;
  vow__list_append(&s->nexts, &slot->link);
  line_up(s);
}

static const vow__case_class_t next_class = {
    .op = VOW__WAIT_OP("broadcast next"),
    .fn = "vow_subscription_next",
    .what = "subscription",
    .now = next_now,
    .wait = next_wait,
};

vow_future_t *vow_subscription_next_at(const char *site,
                                       vow_subscription_t *s) {
  return vow__wait_for(site, &next_class, s, 0);
}

vow_case_t vow_case_next(vow_subscription_t *s) {
  vow_case_t c = {.vow__cls = &next_class, .vow__object = s};
  return c;
}

/* ---- those who wait --------------------------------------------------------
 */

static void fail_first(vow_subscription_t *s, int err) {
  vow__slot_t *slot = vow__slot_pop(&s->nexts);
  if (slot != NULL) vow__slot_end(slot, failure(s, err));
}

/* One step: false when there is nothing for those who wait. */
static bool serve_first(vow_subscription_t *s) {
  vow__slot_t *slot;
  vow_value_t v;
  bool moved;
  int err = look(s);
  if (err == UV_EAGAIN) return false;
  if (err == 0) err = copy(s, &v, &moved);
  if (err == UV_EAGAIN) return true;
  if (err != 0) {
    fail_first(s, err);
    return true;
  }
  if ((slot = vow__slot_pop(&s->nexts)) == NULL) { /* nobody wants it now */
    if (!moved) vow_value_destroy(v);
    return false;
  }
  pass(s, moved);
  vow__slot_end(slot, v);
  return true;
}

void vow__readers_serve(vow_broadcast_t *b) {
  vow__link_t going;
  vow__list_init(&going);
  vow__list_splice(&going, &b->waiting);
  while (!vow__list_empty(&going)) {
    vow_subscription_t *s = of_link(going.next);
    vow__list_remove(&s->link);
    vow__lock_ref(s);
    while (!vow__list_empty(&s->nexts) && serve_first(s)) continue;
    if (!vow__list_empty(&s->nexts)) line_up(s);
    vow__lock_unref(s);
  }
}

void vow__readers_end(vow_broadcast_t *b) {
  while (!vow__list_empty(&b->waiting)) {
    vow_subscription_t *s = of_link(b->waiting.next);
    vow__list_remove(&s->link);
    vow__lock_ref(s);
    while (!vow__list_empty(&s->nexts)) fail_first(s, VOW_ESHUTDOWN);
    vow__lock_unref(s);
  }
}

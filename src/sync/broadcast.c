/* SPDX-License-Identifier: MIT */
/* Broadcast channels: what is kept, for whom, and sending. Reading is in
 * subscription.c.
 *
 * How this works: values are numbered in the order of sending; those from head
 * to tail are in the ring, each with the number of readers that have yet to
 * read it. A reader is the number of the value that it reads next. One that no
 * reader wants any more goes when it is the oldest, and makes room. Readers
 * that wait have read everything; so a value that comes is read for them at
 * once. Refs and destructors of values are a user's code: after one, nothing
 * is taken for granted but what is held by a reference. */
#include "sync/broadcast.h"

#include "base/errno.h"

static const char closed[] = "the channel was closed";

static void broadcast_destroy(void *op) {
  vow_broadcast_t *b = op;
  vow_release(b->ring);
}

static const vow_op_class_t broadcast_class = {
    .name = "broadcast channel",
    .size_bytes = sizeof(vow_broadcast_t),
    .destroy = broadcast_destroy,
};

static vow_broadcast_t *refuse(vow_future_t *why) {
  (void)vow_status(why); /* it is recorded, and of no other use */
  vow_drop(why);
  return NULL;
}

static vow__sent_t *ring_new(size_t capacity, size_t *ret_mask) {
  size_t places = 1;
  while (places < capacity) places *= 2;
  *ret_mask = places - 1;
  return vow_alloc(places * sizeof(vow__sent_t));
}

vow_broadcast_t *vow_broadcast_new_at(const char *site, vow_loop_t *loop,
                                      size_t capacity, vow_lag_t lag) {
  static const char fn[] = "vow_broadcast_new";
  vow_broadcast_t *b;
  if (lag != VOW_LAG_SKIP && lag != VOW_LAG_WAIT && lag != VOW_LAG_FAIL)
    return refuse(vow_misuse_at(site, loop, UV_EINVAL,
                                "%s: there is no lag policy %d", fn, (int)lag));
  if (capacity == 0 || capacity > (size_t)PTRDIFF_MAX / sizeof(vow__sent_t) / 2)
    return refuse(vow_misuse_at(site, loop, UV_EINVAL,
                                "%s: the capacity is %zu", fn, capacity));
  b = vow__lock_new(site, loop, &broadcast_class, fn);
  if (b == NULL) return NULL;
  vow__list_init(&b->senders);
  vow__list_init(&b->waiting);
  b->capacity = capacity;
  b->lag = lag;
  b->ring = ring_new(capacity, &b->mask);
  if (b->ring != NULL) return b;
  vow__lock_unref(b);
  return refuse(vow_op_failed(site, loop, fn));
}

int vow_broadcast_close(vow_broadcast_t *b) {
  if (b == NULL) return UV_EINVAL;
  b->closed = true;
  vow__lock_ref(b);
  vow__slot_end_all(&b->senders, b, closed);
  vow__readers_end(b);
  vow__lock_unref(b);
  return 0;
}

void vow_broadcast_free(vow_broadcast_t *b) {
  if (vow_broadcast_close(b) == 0) vow__lock_unref(b);
}

vow_value_t vow__broadcast_shut(vow_broadcast_t *b) {
  return vow__slot_shut(b, closed);
}

/* ---- sending ---------------------------------------------------------------
 */

static bool full(const vow_broadcast_t *b) {
  return b->tail - b->head >= b->capacity;
}

/* v is the newest; the oldest makes room, if it must, and is given back. */
static vow_value_t append(vow_broadcast_t *b, vow_value_t v) {
  vow_value_t oldest = vow_nil();
  vow__sent_t *e;
  if (full(b)) oldest = vow__sent(b, b->head++)->v;
  e = vow__sent(b, b->tail++);
  e->v = v;
  e->unread = b->readers;
  return oldest;
}

void vow__broadcast_advance(vow_broadcast_t *b) {
  vow__slot_t *sender;
  vow__lock_ref(b);
  for (;;) {
    while (b->head < b->tail && vow__sent(b, b->head)->unread == 0)
      vow_value_destroy(vow__sent(b, b->head++)->v);
    if (full(b) || (sender = vow__slot_pop(&b->senders)) == NULL) break;
    (void)append(b, vow__slot_take(sender)); /* there is room */
    vow__slot_end(sender, vow_nil());
    vow__readers_serve(b);
  }
  vow__lock_unref(b);
}

static bool shareable(vow_value_t v) {
  return v.type == NULL || v.type->destroy == NULL || v.type->ref != NULL;
}

/* Whether v would have to wait: while a destructor runs there may be room, and
 * others who are to have it. */
static bool must_wait(const vow_broadcast_t *b) {
  return b->lag == VOW_LAG_WAIT && (full(b) || !vow__list_empty(&b->senders));
}

int vow_broadcast_try_send(vow_broadcast_t *b, vow_value_t v) {
  vow_value_t gone;
  if (b == NULL) return UV_EINVAL;
  if (b->closed) return VOW_ESHUTDOWN;
  if (!shareable(v)) return VOW_EMOVED;
  if (must_wait(b)) return UV_EAGAIN;
  vow__lock_ref(b);
  gone = append(b, v);
  vow__readers_serve(b);
  vow_value_destroy(gone);
  vow__broadcast_advance(b);
  vow__lock_unref(b);
  return 0;
}

static bool send_now(void *object, vow__slot_t *slot,
                     vow_value_t *ret_outcome) {
  vow_broadcast_t *b = object;
  int err = vow_broadcast_try_send(b, slot->item);
  if (err == UV_EAGAIN) return false;
  if (err == 0)
    *ret_outcome = vow_nil();
  else if (err == VOW_ESHUTDOWN)
    *ret_outcome = vow__broadcast_shut(b);
  else
    *ret_outcome =
        vow_failf_at(vow_site(vow_op_future(b)), err,
                     "a value of type '%s' cannot be shared by its readers",
                     slot->item.type->name);
  if (err == 0) (void)vow__slot_take(slot);
  return true;
}

static void send_wait(void *object, vow__slot_t *slot) {
  vow_broadcast_t *b = object;
  vow__list_append(&b->senders, &slot->link);
}

const vow__case_class_t vow__send_class = {
    .op = VOW__WAIT_OP("broadcast send"),
    .fn = "vow_broadcast_send",
    .what = "channel",
    .now = send_now,
    .wait = send_wait,
};

vow_future_t *vow_broadcast_send_at(const char *site, vow_broadcast_t *b,
                                    vow_value_t v) {
  return vow__wait_bringing(site, &vow__send_class, b, v, 0);
}

vow_case_t vow_case_send(vow_broadcast_t *b, vow_value_t v) {
  vow_case_t c = {
      .vow__cls = &vow__send_class, .vow__object = b, .vow__item = v};
  return c;
}

size_t vow_broadcast_length(const vow_broadcast_t *b) {
  return b != NULL ? (size_t)(b->tail - b->head) : 0;
}

size_t vow_broadcast_readers(const vow_broadcast_t *b) {
  return b != NULL ? b->readers : 0;
}

/* SPDX-License-Identifier: MIT */
/* A lane: bytes under way in one direction. */
#include "check/net.h"

#include <vow/time.h>

#include <stdlib.h>
#include <string.h>

#define CAPACITY_BYTES ((size_t)64 * 1024)
#define PACKET_BYTES   1460 /* as they share a wire */
#define JITTER_MS      3
#define RATE_MAX       (UINT64_C(1) << 62)
#define RANDOM_MAX     64 /* bytes that come at once, mostly */

struct vow__piece {
  vow__piece_t *next;
  uint64_t due_ms;
  void *op; /* who waits until this was taken; NULL: nobody */
  int64_t op_bytes;
  int end_code; /* not 0: no bytes, but this */
  bool over;
  size_t length, at; /* at: how much was delivered */
  char data[];
};

void vow__lane_init(vow__lane_t *l, vow_check_net_t *net) {
  l->net = net;
  l->last = &l->first;
}

/* ---- who waits ------------------------------------------------------------ */

static void piece_settle(vow__piece_t *p, vow_value_t v) {
  void *op = p->op;
  p->op = NULL;
  if (op != NULL) vow_op_settle(op, v);
}

/* As much as fits into the wire was taken. */
static void settle_taken(vow__lane_t *l) {
  size_t capacity = l->net->wire.capacity_bytes;
  vow__piece_t *p;
  if (capacity == 0) capacity = CAPACITY_BYTES;
  while ((p = l->untaken) != NULL) {
    size_t left = p->length - p->at;
    if (l->taken_bytes > capacity || left > capacity - l->taken_bytes) return;
    l->taken_bytes += left;
    l->untaken = p->next;
    piece_settle(p, vow_int(p->op_bytes));
  }
}

/* n bytes of the first piece are under way no more. */
static void take_off(vow__lane_t *l, size_t n) {
  l->first->at += n;
  if (l->first != l->untaken) l->taken_bytes -= n;
}

void vow__lane_forget_op(vow__lane_t *l, const void *op) {
  vow__piece_t *p;
  for (p = l->first; p != NULL; p = p->next)
    if (p->op == op) p->op = NULL;
}

static void pop(vow__lane_t *l) {
  vow__piece_t *p = l->first;
  take_off(l, p->length - p->at);
  if (l->untaken == p) l->untaken = p->next;
  l->first = p->next;
  if (l->first == NULL) l->last = &l->first;
  piece_settle(p, vow_int(p->op_bytes));
  free(p);
}

/* ---- sending -------------------------------------------------------------- */

/* How long the wire is taken by that many bytes. What is less than a
 * microsecond is kept for the next of them. */
static uint64_t service_us(vow__lane_t *l, size_t length) {
  uint64_t rate = l->net->wire.bytes_per_s, work;
  if (rate > RATE_MAX) rate = RATE_MAX;
  if (rate != l->busy_rate) l->busy_rest = 0;
  l->busy_rate = rate;
  work = length * UINT64_C(1000000) + l->busy_rest;
  l->busy_rest = work % rate;
  return work / rate;
}

/* When what is sent now arrives. */
static uint64_t arrival_ms(vow__lane_t *l, size_t length) {
  const vow_check_wire_t *w = &l->net->wire;
  uint64_t now_ms = vow_loop_now_ms(l->net->loop), jitter_ms = w->jitter_ms;
  uint64_t leaves_us = now_ms * 1000, due_ms;
  if (w->bytes_per_s > 0) {
    if (l->busy_us >= leaves_us)
      leaves_us = l->busy_us;
    else
      l->busy_rest = 0;
    leaves_us += service_us(l, length);
    l->busy_us = leaves_us;
  }
  if (jitter_ms == 0) jitter_ms = JITTER_MS;
  if (w->delivery == VOW_CHECK_RANDOM)
    leaves_us += 1000 * vow_check_random(jitter_ms + 1);
  due_ms = (leaves_us + 999) / 1000 + w->latency_ms;
  return due_ms < VOW_MS_MAX ? due_ms : VOW_MS_MAX;
}

static vow__piece_t *add_piece(vow__lane_t *l, size_t length) {
  vow__piece_t *p = vow__kit_alloc(sizeof *p + length);
  p->length = length;
  p->due_ms = arrival_ms(l, length);
  if (p->due_ms < l->last_due_ms) p->due_ms = l->last_due_ms; /* in order */
  l->last_due_ms = p->due_ms;
  *l->last = p;
  l->last = &p->next;
  if (l->untaken == NULL) l->untaken = p;
  return p;
}

void vow__lane_send(vow__lane_t *l, const uv_buf_t bufs[], unsigned n,
                    void *op) {
  size_t limit = l->net->wire.bytes_per_s > 0 ? PACKET_BYTES : SIZE_MAX;
  size_t total = 0;
  vow__piece_t *p = NULL;
  unsigned i;
  for (i = 0; i < n; i++) {
    const char *from = bufs[i].base;
    size_t left = bufs[i].len;
    total += left;
    while (left > 0) {
      size_t part = left < limit ? left : limit;
      p = add_piece(l, part);
      memcpy(p->data, from, part);
      from += part;
      left -= part;
    }
  }
  if (p == NULL) p = add_piece(l, 0);
  p->op = op;
  p->op_bytes = (int64_t)total;
  settle_taken(l);
  vow__lane_pump(l);
}

void vow__lane_send_end(vow__lane_t *l, int code, bool over) {
  vow__piece_t *p = add_piece(l, 0);
  p->end_code = code;
  p->over = over;
  vow__lane_pump(l);
}

void vow__lane_abandon(vow__lane_t *l, int code) {
  vow__piece_t **at = &l->first, *p;
  /* A write goes in whole pieces: all up to the last that was taken stay. */
  if (l->pumping && *at != NULL) { /* the first is in use */
    piece_settle(*at, vow_fail(code));
    at = &(*at)->next;
  }
  while (*at != NULL && (*at)->op == NULL) at = &(*at)->next;
  l->last = at;
  p = *at;
  *at = NULL;
  for (at = &l->first; *at != NULL && *at != l->untaken; at = &(*at)->next) {
  }
  l->untaken = *at; /* NULL: it goes */
  while (p != NULL) {
    vow__piece_t *next = p->next;
    piece_settle(p, vow_fail(code));
    free(p);
    p = next;
  }
}

void vow__lane_clear(vow__lane_t *l, int code) {
  while (l->first != NULL) {
    piece_settle(l->first, vow_fail(code));
    pop(l);
  }
  if (!l->net->freed) vow_timer_stop(l->net->loop, &l->timer);
}

/* ---- delivering ----------------------------------------------------------- */

static void on_timer(vow_timer_t *t) {
  vow__lane_t *l =
      (vow__lane_t *)(void *)((char *)t - offsetof(vow__lane_t, timer));
  l->due = true;
  vow__lane_pump(l);
}

static void arm(vow__lane_t *l, uint64_t deadline_ms) {
  vow__net_timer(l->net, &l->timer, deadline_ms, on_timer);
}

/* How many of n bytes come now. */
static size_t portion(vow__lane_t *l, size_t n) {
  uint64_t most;
  switch (l->net->wire.delivery) {
  case VOW_CHECK_BYTEWISE:
    return 1;
  case VOW_CHECK_RANDOM:
    most = vow_check_random(8) == 0 ? n : RANDOM_MAX;
    most = 1 + vow_check_random(most);
    return most < n ? (size_t)most : n;
  default:
    return n;
  }
}

/* Delivers some of the first piece; false when there is no room. */
static bool deliver(vow__lane_t *l) {
  vow__piece_t *p = l->first;
  size_t room, n = p->length - p->at;
  if (p->end_code != 0) {
    int code = p->end_code;
    bool over = p->over;
    pop(l);
    if (l->sink != NULL) l->sink->end(l->side, code, over);
    return true;
  }
  if (l->sink != NULL && n > 0) {
    room = l->sink->room(l->side);
    if (room == 0) return false;
    n = portion(l, n < room ? n : room);
    take_off(l, n);
    l->sink->bytes(l->side, p->data + p->at - n, n);
  } else {
    take_off(l, n);
  }
  if (p->at == p->length) pop(l);
  settle_taken(l);
  return true;
}

uint64_t vow__lane_busy_ms(const vow__lane_t *l) {
  uint64_t now_ms = vow_loop_now_ms(l->net->loop);
  if (l->first == NULL || l->cut || l->sink == NULL ||
      (l->first->end_code == 0 && l->sink->room(l->side) == 0))
    return 0;
  return l->last_due_ms > now_ms ? l->last_due_ms - now_ms : 1;
}

void vow__lane_pump(vow__lane_t *l) {
  if (l->pumping || l->net->freed) return;
  l->pumping = true;
  while (l->first != NULL && !l->cut) {
    bool at_once = l->net->wire.delivery == VOW_CHECK_IMMEDIATE;
    if (l->first->due_ms > vow_loop_now_ms(l->net->loop) ||
        (!at_once && !l->due)) {
      arm(l, l->first->due_ms);
      break;
    }
    if (!at_once) l->due = false; /* the next one: not in this call */
    if (!deliver(l)) break;       /* who makes room pumps */
  }
  l->pumping = false;
}

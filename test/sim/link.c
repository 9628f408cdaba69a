/* SPDX-License-Identifier: MIT */
/* Connections of a client: a pool of them, each with a task that reads and one
 * that looks whether the other side is there. */
#include "sim/link.h"

#include <stdlib.h>
#include <string.h>

#define CONNECT_MS 150
#define PULSE_MS   120 /* between heartbeats */
#define PONG_MS    200

typedef struct pending {
  struct pending *next;
  sim_link_t *link;
  uint32_t id; /* 0: a heartbeat */
  uint32_t attempt;
  vow_promise_t *promise;
} pending_t;

struct sim_link {
  unsigned refs;
  sim_client_t *client;
  int number;
  size_t slot;
  vow_stream_t *stream;
  vow_token_t *gone; /* cancelled when it is */
  pending_t *pending;
  uint32_t pulses;
  int64_t tick_ms;
  bool dead;
};

/* ---- counting ---------------------------------------------------------------- */

static sim_link_t *link_ref(sim_link_t *l) {
  l->refs++;
  return l;
}

static void link_unref(sim_link_t *l) {
  if (--l->refs > 0) return;
  MUST(l->dead && l->pending == NULL);
  vow_token_free(l->gone);
  vow_stream_unref(l->stream);
  free(l);
}
VOW_DEFINE_SHARED_TYPE(sim_link, sim_link_t, link_unref, link_ref);

static void drop_link(void *l) {
  link_unref(l);
}

/* ---- who waits for a reply ---------------------------------------------------- */

static void pending_free(void *arg) {
  pending_t *p = arg, **at = &p->link->pending;
  while (*at != p) at = &(*at)->next;
  *at = p->next;
  vow_promise_drop(p->promise);
  link_unref(p->link);
  free(p);
}

/* The reply to that attempt. */
static vow_future_t *expect(sim_link_t *l, uint32_t id, uint32_t attempt) {
  pending_t *p = calloc(1, sizeof *p);
  vow_future_t *f;
  MUST(p != NULL);
  p->link = link_ref(l);
  p->id = id;
  p->attempt = attempt;
  p->next = l->pending;
  l->pending = p;
  f = vow_promise_new(sim.loop, &p->promise);
  return vow_keep(f, p, pending_free);
}

static void resolve(sim_link_t *l, const sim_frame_t *f) {
  uint32_t id = f->kind == SIM_KIND_PONG ? 0 : f->id;
  pending_t *p = l->pending;
  while (p != NULL && (p->id != id || p->attempt != f->attempt)) p = p->next;
  sim_note(p != NULL ? SIM_REPLY : SIM_LATE, l->number, id, f->attempt);
  if (p != NULL) vow_resolve(p->promise, vow_int(f->number));
}

void sim_link_fail(sim_link_t *l, int code) {
  pending_t *p;
  if (l->dead) return;
  MUST(!sim.fair || code == VOW_ESHUTDOWN);
  l->dead = true;
  sim_note(SIM_LINK_END, l->client->number, l->number, code);
  for (p = l->pending; p != NULL; p = p->next) vow_reject(p->promise, code);
  vow_token_cancel(l->gone, code);
  sim_ignore(vow_stream_reset(l->stream, 0));
  MUST(l->client->links[l->slot] == l);
  l->client->links[l->slot] = NULL;
  link_unref(l);
}

/* ---- its two tasks --------------------------------------------------------------- */

static vow_value_t read_replies(void *arg) {
  sim_link_t *l = arg;
  for (;;) {
    sim_frame_t f;
    vow_value_t v = sim_frame_await(l->stream, l->tick_ms);
    int code = vow_value_code(v);
    if (code == 0) f = sim_frame_parse(vow_value_get(v, &vow_type_bytes));
    vow_value_destroy(v);
    if (code != 0) {
      sim_link_fail(l, code);
      return vow_nil();
    }
    MUST(f.kind == SIM_KIND_REPLY || f.kind == SIM_KIND_PONG);
    resolve(l, &f);
  }
}

static vow_value_t on_written(vow_future_t *in, void *l) {
  if (vow_status(in) != 0) sim_link_fail(l, vow_status(in));
  return vow_nil();
}

/* A write that fails half-way must not be followed by another. */
static void send_frame(sim_link_t *l, const sim_frame_t *frame) {
  vow_bytes_t *b = sim_frame_write(frame);
  vow_future_t *f;
  if (b == NULL) {
    sim_link_fail(l, UV_ENOMEM);
    return;
  }
  f = sim_frame_send(l->stream, b);
  vow_bytes_unref(b);
  f = vow_handle(f, on_written, link_ref(l), drop_link);
  if (vow_is_settled(f) && vow_status(f) != 0) sim_link_fail(l, UV_ENOMEM);
  vow_detach(f);
}

static vow_value_t beat(void *arg) {
  sim_link_t *l = arg;
  for (;;) {
    sim_frame_t ping = {.kind = SIM_KIND_PING};
    vow_future_t *pong;
    int err = vow_await_status(
        vow_with_token(vow_sleep(sim.loop, PULSE_MS), l->gone));
    if (err != 0 || l->dead) { /* it may have ended as the sleep did */
      sim_link_fail(l, err);
      return vow_nil();
    }
    ping.attempt = ++l->pulses;
    sim_note(SIM_PULSE, l->client->number, l->number, ping.attempt);
    pong = expect(l, 0, ping.attempt);
    send_frame(l, &ping);
    err = vow_await_status(vow_timeout(pong, PONG_MS));
    if (err != 0) sim_link_fail(l, err);
  }
}

/* ---- making -------------------------------------------------------------------- */

static sim_link_t *link_new(sim_client_t *c, size_t slot, vow_stream_t *s) {
  sim_link_t *l = calloc(1, sizeof *l);
  MUST(l != NULL);
  l->refs = 1; /* the pool's */
  l->client = c;
  l->slot = slot;
  l->number = ++c->links_made;
  l->stream = s;
  l->tick_ms = 5 + (int64_t)sim_below(100);
  c->links[slot] = l;
  sim_note(SIM_LINK, c->number, l->number, 0);
  l->gone = vow_token_new(sim.loop);
  if (l->gone == NULL ||
      vow_group_go(c->tasks, read_replies, link_ref(l), drop_link) != 0 ||
      vow_group_go(c->tasks, beat, link_ref(l), drop_link) != 0)
    sim_link_fail(l, UV_ENOMEM);
  return c->links[slot];
}

static vow_value_t dial(sim_client_t *c, size_t slot) {
  vow_value_t v;
  sim_link_t *l;
  sim_note(SIM_DIAL, c->number, (int64_t)slot, 0);
  v = vow_await(vow_timeout(
      vow_check_connect(sim.loop, SIM_HOST, SIM_SERVICE, sim.net), CONNECT_MS));
  if (vow_value_is_failure(v)) return v;
  l = link_new(c, slot, v.as.p);
  return l != NULL ? sim_link_value(link_ref(l)) : vow_fail(UV_ENOMEM);
}

typedef struct visit {
  sim_client_t *client;
  size_t slot;
} visit_t;

/* Those who came first may have connected. */
static vow_value_t dial_in_turn(void *arg) {
  const visit_t *v = arg;
  sim_client_t *c = v->client;
  vow_value_t permit =
      vow_defer_value(vow_await(vow_mutex_acquire(c->dialling)));
  if (vow_value_is_failure(permit)) return permit;
  return c->links[v->slot] != NULL ? sim_link_value(link_ref(c->links[v->slot]))
                                   : dial(c, v->slot);
}

vow_value_t sim_link_find(sim_client_t *c) {
  visit_t v = {c, sim_below(SIM_POOL)};
  if (c->links[v.slot] != NULL)
    return sim_link_value(link_ref(c->links[v.slot]));
  return vow_scope(dial_in_turn, &v);
}

/* ---- requests -------------------------------------------------------------------- */

vow_future_t *sim_link_exchange(sim_link_t *l, sim_request_t *r) {
  sim_frame_t frame = {SIM_KIND_REQUEST, r->id, 0, r->number, r->padding_bytes};
  vow_future_t *f;
  if (l->dead) return vow_ready(sim.loop, vow_fail(UV_EPIPE));
  frame.attempt = ++r->sent;
  sim_note(SIM_SEND, l->number, r->id, frame.attempt);
  f = expect(l, r->id, frame.attempt);
  send_frame(l, &frame);
  return f;
}

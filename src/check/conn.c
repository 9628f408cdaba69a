/* SPDX-License-Identifier: MIT */
/* Connections, and streams as their sides: a transport of its own. */
#include <string.h>

#include "check/net.h"

#include <stdlib.h>

struct vow__end {
  vow_stream_t base;
  vow__conn_t *conn;
  int side;
  int write_error; /* 0: writes go */
  bool shut;
};

typedef struct write_op {
  vow_op_t op;
  vow__lane_t *lane;
} write_op_t;

static vow__end_t *end_of(vow_stream_t *s) {
  return (vow__end_t *)(void *)s;
}

/* The lane away from e, and the one to it. */
static vow__lane_t *away(vow__end_t *e) {
  return &e->conn->lane[e->side];
}

static vow__lane_t *towards(vow__end_t *e) {
  return &e->conn->lane[1 - e->side];
}

/* ---- what arrives --------------------------------------------------------- */

static size_t end_room(void *side) {
  return vow_stream_room(&((vow__end_t *)side)->base);
}

static void end_bytes(void *side, const char *data, size_t length) {
  vow__end_t *e = side;
  vow_bytes_t *b;
  vow__memory_pause();
  b = vow_bytes_copy(data, length);
  if (b == NULL || vow_stream_push(&e->base, b) != 0) {
    vow_bytes_unref(b);
    vow_stream_end(&e->base, UV_ENOMEM);
  }
  vow__memory_resume();
}

static void end_end(void *side, int code, bool over) {
  vow__end_t *e = side;
  vow_stream_end(&e->base, code);
  if (!over) return;
  e->write_error = code == UV_EOF ? UV_EPIPE : code;
  vow__lane_abandon(away(e), e->write_error);
}

static const vow__sink_t end_sink = {end_room, end_bytes, end_end};

/* ---- the transport's hooks ------------------------------------------------ */

static int read_start(vow_stream_t *s) {
  vow__lane_pump(towards(end_of(s)));
  return 0;
}

static void read_stop(vow_stream_t *s) {
  (void)s; /* room says so */
}

static void write_cancel(void *p) {
  write_op_t *op = p;
  vow__lane_forget_op(op->lane, op);
  vow_op_settle(op, vow_cancelled(UV_ECANCELED));
}

static const vow_op_class_t write_class = {
    "stream_write", sizeof(write_op_t), write_cancel, NULL, NULL, NULL};

static vow_future_t *write_bufs(const char *site, vow_stream_t *s,
                                const uv_buf_t bufs[], unsigned n) {
  vow__end_t *e = end_of(s);
  vow_loop_t *loop = vow_stream_loop(s);
  int err = e->shut ? UV_EPIPE : e->write_error;
  write_op_t *op;
  if (err != 0)
    return vow_ready_at(
        site, loop,
        vow_failf_at(site, err, "stream_write: %s", vow_strerror(err)));
  op = vow_op_new_at(site, loop, &write_class);
  if (op == NULL) return vow_op_failed(site, loop, write_class.name);
  op->lane = away(e);
  vow__lane_send(op->lane, bufs, n, op);
  return vow_op_future(op);
}

static vow_future_t *shut(const char *site, vow_stream_t *s) {
  vow__end_t *e = end_of(s);
  vow_future_t *f;
  if (e->shut || e->write_error != 0)
    return vow_ready_at(site, vow_stream_loop(s), vow_fail(UV_ENOTCONN));
  f = vow_ready_at(site, vow_stream_loop(s), vow_nil());
  if (vow_status(f) != 0) return f; /* for want of memory: try again */
  e->shut = true;
  vow__lane_send_end(away(e), UV_EOF, false);
  return f;
}

/* What was written and taken still arrives. */
static vow_future_t *close_end(const char *site, vow_stream_t *s, int code) {
  vow__end_t *e = end_of(s);
  towards(e)->sink = NULL;
  e->conn->end[e->side] = NULL;
  vow__lane_abandon(away(e), VOW_ESHUTDOWN);
  if (!e->conn->net->freed) {
    vow__lane_send_end(away(e), code != 0 ? code : UV_EOF, true);
    vow__lane_pump(towards(e)); /* into nowhere */
  }
  return site != NULL ? vow_ready_at(site, vow_stream_loop(s), vow_nil())
                      : NULL;
}

/* What nobody holds any more goes; a script is asked at the net's end. */
static void destroy(vow_stream_t *s) {
  vow__conn_t *c = end_of(s)->conn;
  vow__conn_unref(c->refs == 2 && c->script == NULL && !c->net->freed ? c
                                                                      : NULL);
  vow__conn_unref(c);
}

static const vow_stream_class_t end_class = {
    "memory", sizeof(vow__end_t), read_start, read_stop, write_bufs, NULL, NULL,
    shut,     close_end,          NULL,       destroy};

/* ---- making and ending ---------------------------------------------------- */

vow__conn_t *vow__conn_new(const char *site, vow_check_net_t *net,
                           const char *address) {
  vow__conn_t *c = vow__kit_alloc(sizeof *c), **at = &net->conns;
  int i;
  c->site = site;
  c->net = net;
  c->address = vow__kit_copy(address);
  c->refs = 1;
  net->refs++;
  for (i = 0; i < 2; i++) {
    vow__lane_init(&c->lane[i], net);
    c->lane[i].cut = vow__net_is_cut(net, address);
  }
  while (*at != NULL) at = &(*at)->next;
  *at = c;
  return c;
}

vow_stream_t *vow__conn_stream(vow__conn_t *c, int i) {
  vow__end_t *e;
  vow__memory_pause();
  e = end_of(vow_stream_new(c->net->loop, &end_class));
  vow__memory_resume();
  if (e == NULL) vow__kit_fail(c->site, "no memory for a stream");
  e->conn = c;
  e->side = i;
  c->refs++;
  c->end[i] = e;
  c->lane[1 - i].sink = &end_sink;
  c->lane[1 - i].side = e;
  return &e->base;
}

void vow__conn_kill(vow__conn_t *c, int code) {
  int i;
  if (c->script != NULL) vow__script_stop(c->script);
  for (i = 0; i < 2; i++) {
    vow__lane_clear(&c->lane[i], code);
    if (c->end[i] == NULL) continue;
    c->end[i]->write_error = code;
    vow_stream_end(&c->end[i]->base, code);
  }
}

void vow__conn_unref(vow__conn_t *c) {
  vow__conn_t **at;
  int i;
  if (c == NULL || --c->refs > 0) return;
  at = &c->net->conns;
  while (*at != NULL && *at != c) at = &(*at)->next;
  if (*at != NULL) *at = c->next;
  for (i = 0; i < 2; i++) vow__lane_clear(&c->lane[i], VOW_ESHUTDOWN);
  vow__net_unref(c->net);
  free(c->address);
  free(c);
}

/* SPDX-License-Identifier: MIT */
/* The inside of the network in memory.
 *
 * How this works. A connection has two sides, each a stream or a script, and a
 * lane in each direction: a queue of pieces, each with the time at which it
 * arrives. One timer per lane delivers; timers run no user's callback, and what
 * they push into streams is served from the ready queue. */
#ifndef VOW_CHECK_INSIDE_NET_H
#define VOW_CHECK_INSIDE_NET_H

#include <vow/check_net.h>
#include <vow/op.h>
#include <vow/stream_class.h>

#include "check/text.h"

typedef struct vow__conn vow__conn_t;
typedef struct vow__lane vow__lane_t;
typedef struct vow__piece vow__piece_t;
typedef struct vow__script vow__script_t;
typedef struct vow__cut vow__cut_t;
typedef struct vow__dial vow__dial_t;

struct vow_check_net {
  vow_check_net_t *next; /* of the same test */
  vow_loop_t *loop;
  vow_check_wire_t wire;
  bool freed;  /* its streams may outlive it, with nothing to do */
  size_t refs; /* the owner, and each connection */
  vow__conn_t *conns;
  vow__script_t *scripts; /* in order; those that are played, too */
  vow_check_listener_t *listeners;
  vow__cut_t *cuts;
  vow__dial_t *dials; /* who is connecting, in order */
};

/* ---- lane.c --------------------------------------------------------------- */

/** Who a lane leads to; hooks may end anything but the lane itself. */
typedef struct vow__sink {
  size_t (*room)(void *side);
  void (*bytes)(void *side, const char *data, size_t length);
  /** Behind them comes an end, UV_EOF or an error; when all is over nothing
   *  that is sent back arrives either. */
  void (*end)(void *side, int code, bool over);
} vow__sink_t;

struct vow__lane {
  vow_check_net_t *net;
  const vow__sink_t *sink; /* NULL: nobody, bytes are lost */
  void *side;
  vow__piece_t *first, **last;
  vow__piece_t *untaken; /* the first that does not fit; NULL: all do */
  size_t taken_bytes;    /* under way, of those before it */
  vow_timer_t timer;
  uint64_t last_due_ms;
  uint64_t busy_us; /* until when the wire is taken, on the loop's clock, */
  uint64_t busy_rest, busy_rate; /* and busy_rest / busy_rate more */
  bool cut;
  bool due; /* the timer has come: a piece may be delivered */
  bool pumping;
};

void vow__lane_init(vow__lane_t *l, vow_check_net_t *net);
/** Sends bytes; op, which may be NULL, settles when they were taken. */
void vow__lane_send(vow__lane_t *l, const uv_buf_t bufs[], unsigned n,
                    void *op);
void vow__lane_send_end(vow__lane_t *l, int code, bool over);
/** Who sends is gone: what was not taken yet is lost, and its ops fail. */
void vow__lane_abandon(vow__lane_t *l, int code);
/** op does not wait any more. */
void vow__lane_forget_op(vow__lane_t *l, const void *op);
/** Delivers what is due, as far as there is room. */
void vow__lane_pump(vow__lane_t *l);
/** How long something is under way that will arrive; 0: nothing is. */
uint64_t vow__lane_busy_ms(const vow__lane_t *l);
/** Loses everything. */
void vow__lane_clear(vow__lane_t *l, int code);

/* ---- conn.c --------------------------------------------------------------- */

typedef struct vow__end vow__end_t;

struct vow__conn {
  vow_check_net_t *net;
  vow__conn_t *next;
  char *address;
  const char *site;
  size_t refs;           /* the net, and each stream */
  vow__lane_t lane[2];   /* lane[i] leads away from side i */
  vow__end_t *end[2];    /* streams; NULL: gone, or never one */
  vow__script_t *script; /* on side 1 */
};

/** A connection without sides, on the net's list. */
vow__conn_t *vow__conn_new(const char *site, vow_check_net_t *net,
                           const char *address);
/** Makes side i a stream. */
vow_stream_t *vow__conn_stream(vow__conn_t *c, int i);
/** Both sides end with code. */
void vow__conn_kill(vow__conn_t *c, int code);
void vow__conn_unref(vow__conn_t *c);

/* ---- script.c ------------------------------------------------------------- */

struct vow__script {
  vow__script_t *next;
  const char *site;
  char *address;
  vow_check_step_t *steps;
  size_t count, at;  /* at == count: played */
  vow__conn_t *conn; /* NULL: none yet, or no more */
  bool taken;
  bool ignoring, got_end, waiting;
  int end_code;    /* of that end: UV_EOF, or how the connection was reset */
  vow__text_t got; /* and not looked at yet */
  vow_timer_t timer;
};

/** Makes side 1 of c the script, and begins. */
void vow__script_start(vow__script_t *s, vow__conn_t *c);
/** Its connection is gone. */
void vow__script_stop(vow__script_t *s);
/** Complains when it was not played to its end; frees it. */
void vow__script_finish(vow__script_t *s);

/* ---- net.c ---------------------------------------------------------------- */

void vow__net_unref(vow_check_net_t *net);
bool vow__net_is_cut(const vow_check_net_t *net, const char *address);
/** Arms t so that its fn is called, without memory of vow's planned to fail. */
void vow__net_timer(vow_check_net_t *net, vow_timer_t *t, uint64_t deadline_ms,
                    void (*fn)(vow_timer_t *t));
char *vow__kit_copy(const char *text);

/* ---- dial.c --------------------------------------------------------------- */

/** Connects all that are due and not cut off. */
void vow__dials_look(vow_check_net_t *net);
void vow__dials_end(vow_check_net_t *net);

/* ---- listen.c ------------------------------------------------------------- */

/** Gives the other end of a new connection to who listens at address. NULL:
 *  nobody does. Otherwise the near end. */
vow_stream_t *vow__listeners_connect(vow_check_net_t *net, const char *address,
                                     const char *site);

#endif

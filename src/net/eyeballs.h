/* SPDX-License-Identifier: MIT */
/* Connecting to the first of several addresses that answers: the operation
 * behind every vow_connect. What the winner becomes is the owner's affair.
 *
 * How this works. The addresses, in the order of trying, each have an attempt:
 * a handle, and a waiter on its connecting and then, unless it won, on its
 * closing. left counts the attempts that have a handle, but for the winner;
 * the operation settles when it is decided and left is 0, so no socket of its
 * is open but the one it succeeds with. */
#ifndef VOW_NET_EYEBALLS_H
#define VOW_NET_EYEBALLS_H

#include <vow/connect.h>
#include <vow/op.h>

#include "net/address.h"

typedef struct vow__connect vow__connect_t;

typedef struct vow__attempt {
  vow_waiter_t waiter;
  uv_stream_t *handle; /* NULL before and after */
  bool closing;
  vow__address_t addr; /* zeroed for a pipe */
} vow__attempt_t;

struct vow__connect {
  vow_op_t op;
  vow_waiter_t resolving;
  vow_timer_t timer; /* the next attempt's turn */
  vow__attempt_t *attempts;
  vow_value_t *causes; /* of each attempt, nil so far; behind the attempts */
  size_t n;
  size_t started;
  size_t connecting;
  size_t left;
  vow__attempt_t *winner;
  vow_value_t failure; /* what stopped all of it, before the attempts */
  unsigned phase;

  uint64_t delay_ms;
  vow__address_t source; /* of family 0: any */
  bool nodelay;
  unsigned keepalive_s;
  const char *path; /* of a pipe; borrowed while it is started */
  /** The value to succeed with; consumes handle, also when that is a
   *  failure. */
  vow_value_t (*wrap)(const char *site, uv_stream_t *handle);
};

/** An operation without addresses; options, which may be NULL, are valid.
 *  NULL: vow_op_failed. */
vow__connect_t *vow__connect_new(const char *site, vow_loop_t *loop,
                                 const vow_connect_options_t *options);
/** Waits for the list that resolved, which is consumed, succeeds with. */
void vow__connect_resolve(vow__connect_t *c, vow_future_t *resolved);
/** Begins to try the n addresses, which fit. */
void vow__connect_start(vow__connect_t *c, size_t n,
                        const struct sockaddr *const addrs[]);
/** Begins with the pipe called c->path. */
void vow__connect_start_pipe(vow__connect_t *c);

#endif

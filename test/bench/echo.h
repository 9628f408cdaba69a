/* SPDX-License-Identifier: MIT */
/* What the echo servers share: a listener on a thread of its own, and the
 * load that the main thread puts on it. */
#ifndef VOW_TEST_BENCH_ECHO_H
#define VOW_TEST_BENCH_ECHO_H

#include "bench/bench.h"

#include <uv.h>

#define ECHO_CONNECTIONS 100

/** A server: serves what it accepts until every connection has ended. */
typedef struct echo_server {
  /** Runs in the server's thread from its begin to its end. */
  void (*run)(struct echo_server *server);
  /** Starts on a connection that waits on the listener. */
  void (*on_connection)(struct echo_server *server);
  vow_loop_t *vow; /* NULL in the server by hand */
  uv_tcp_t listener;
  uv_sem_t listening;
  size_t size_bytes; /* of a message */
  int port;
  int accepted;
  int ended;
  uint64_t start_ns; /* of the thread's CPU, when all are accepted */
  uint64_t end_ns;   /* when the last has ended */
} echo_server_t;

/** Server side: listens on a free port of the loopback address. */
void echo_listen(echo_server_t *server, uv_loop_t *loop);

/** Server side: a connection was accepted, has ended. */
void echo_accepted(echo_server_t *server);
void echo_ended(echo_server_t *server);

/** What `run` is in the servers with vow. */
void echo_run_vow(echo_server_t *server);

/** Main thread: each of the connections sends a message of size_bytes, waits
 *  for its echo, and so on, times times. Returns when all have closed. */
void echo_load(int port, size_t size_bytes, size_t times);

/** The servers: by hand, vow on raw handles, vow's streams. */
extern const echo_server_t echo_server_hand;
extern const echo_server_t echo_server_vow;
extern const echo_server_t echo_server_stream;

#endif

/* SPDX-License-Identifier: MIT */
/* Memory of an idle connection, beyond libuv's own handle: all that vow asks
 * its allocator for, a share in its tables included. */
#define _GNU_SOURCE
#include "bench/bench.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* With the listening one vow's table of handles has just doubled: the worst
 * moment. */
#define CONNECTIONS 512

/* ---- what is allocated --------------------------------------------------- */

static size_t live_bytes;

/* With what malloc adds to it. */
static size_t cost_of(void *ptr) {
  return ptr != NULL ? malloc_usable_size(ptr) + sizeof(size_t) : 0;
}

static void *count_alloc(size_t size_bytes, void *arg) {
  void *ptr = malloc(size_bytes);
  (void)arg;
  live_bytes += cost_of(ptr);
  return ptr;
}

static void *count_alloc_aligned(size_t align_bytes, size_t size_bytes,
                                 void *arg) {
  void *ptr = aligned_alloc(align_bytes, size_bytes);
  (void)arg;
  live_bytes += cost_of(ptr);
  return ptr;
}

static void count_release(void *ptr, void *arg) {
  (void)arg;
  live_bytes -= cost_of(ptr);
  free(ptr);
}

/* What the handle costs who allocates it himself. */
static size_t handle_cost(void) {
  void *ptr = bench_malloc(sizeof(uv_tcp_t));
  size_t cost = cost_of(ptr);
  free(ptr);
  return cost;
}

/* ---- connections --------------------------------------------------------- */

typedef struct conn {
  int client;
  vow_stream_t *stream;
  vow_reader_t *reader;
  uv_tcp_t *tcp;
  vow_future_t *waiting; /* for the next message; NULL: nobody does */
} conn_t;

typedef struct place {
  vow_loop_t *loop;
  uv_tcp_t *listening;
  vow_listener_t *listener;
  struct sockaddr_in address;
  conn_t conns[CONNECTIONS];
} place_t;

static place_t *place_open(void) {
  place_t *s = bench_malloc(sizeof *s);
  int length = sizeof s->address;
  s->loop = bench_loop_new();
  uv_ip4_addr("127.0.0.1", 0, &s->address);
  BENCH_REQUIRE(vow_tcp_new(s->loop, &s->listening) == 0);
  BENCH_REQUIRE(uv_tcp_bind(s->listening, (struct sockaddr *)&s->address, 0) ==
                0);
  BENCH_REQUIRE(vow_listen(s->listening, 512, &s->listener) == 0);
  uv_tcp_getsockname(s->listening, (struct sockaddr *)&s->address, &length);
  return s;
}

static vow_future_t *settled(place_t *s, vow_future_t *f) {
  BENCH_REQUIRE(vow_loop_run_until(s->loop, f) == 0);
  BENCH_REQUIRE(vow_status(f) == 0);
  return f;
}

static void conn_open(place_t *s, conn_t *c) {
  vow_future_t *f;
  c->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  BENCH_REQUIRE(connect(c->client, (struct sockaddr *)&s->address,
                        sizeof s->address) == 0);
  f = settled(s, vow_accept(s->listener));
  c->tcp = vow_tcp_take(f);
  vow_drop(f);
  c->stream = NULL;
  c->reader = NULL;
  c->waiting = NULL;
}

static void conn_close(conn_t *c) {
  vow_drop(c->waiting);
  vow_stream_unref(c->stream);
  vow_reader_free(c->reader);
  vow_tcp_free(c->tcp);
  close(c->client);
}

/* Sends a byte, which a connection reads before it falls idle. */
static void client_send(const conn_t *c) {
  BENCH_REQUIRE(send(c->client, "x", 1, 0) == 1);
}

static void be_stream(place_t *s, conn_t *c) {
  BENCH_REQUIRE(vow_stream_from_uv((uv_stream_t *)c->tcp, VOW_STREAM_OWNED,
                                   &c->stream) == 0);
  c->tcp = NULL; /* the stream's now */
  client_send(c);
  vow_drop(settled(s, vow_stream_read_exactly(c->stream, 1)));
}

static void be_waiting_stream(place_t *s, conn_t *c) {
  be_stream(s, c);
  c->waiting = vow_stream_read_exactly(c->stream, 1);
}

static void be_reader(place_t *s, conn_t *c) {
  BENCH_REQUIRE(vow_reader_new((uv_stream_t *)c->tcp, 0, &c->reader) == 0);
  client_send(c);
  vow_drop(settled(s, vow_reader_next(c->reader)));
}

/* ---- rounds -------------------------------------------------------------- */

static void place_close(place_t *s) {
  for (int i = 0; i < CONNECTIONS; i++) conn_close(&s->conns[i]);
  vow_listener_free(s->listener);
  vow_tcp_free(s->listening);
  BENCH_REQUIRE(vow_loop_run(s->loop) == 0);
  bench_loop_done(s->loop);
  free(s);
}

/* A first connection does not count: it makes the loop's pool of buffers. */
static double bytes_of(void (*be)(place_t *s, conn_t *c)) {
  const vow_allocator_t counting = {count_alloc, count_alloc_aligned,
                                    count_release, NULL};
  place_t *s;
  size_t before, handles = CONNECTIONS * handle_cost();
  double bytes;
  BENCH_REQUIRE(vow_set_allocator(&counting) == 0);
  s = place_open();
  conn_open(s, &s->conns[0]);
  be(s, &s->conns[0]);
  conn_close(&s->conns[0]);
  BENCH_REQUIRE(uv_run(vow_loop_uv(s->loop), UV_RUN_NOWAIT) != 0);
  before = live_bytes;
  for (int i = 0; i < CONNECTIONS; i++) {
    conn_open(s, &s->conns[i]);
    be(s, &s->conns[i]);
  }
  bytes = (double)(live_bytes - before - handles) / CONNECTIONS;
  place_close(s);
  BENCH_REQUIRE(live_bytes == 0);
  BENCH_REQUIRE(vow_set_allocator(NULL) == 0);
  return bytes;
}

static double idle_stream(void) {
  return bytes_of(be_stream);
}

static double idle_waiting(void) {
  return bytes_of(be_waiting_stream);
}

static double idle_reader(void) {
  return bytes_of(be_reader);
}

const bench_figure_t bench_idle_figures[] = {
    {.name = "idle",
     .unit = "bytes/connection",
     .at_most = 256,
     .vow = idle_stream,
     .what =
         "of an idle stream beyond libuv's handle, malloc's share included"},
    {.name = "idle-pending",
     .unit = "bytes/connection",
     .vow = idle_waiting,
     .what = "the same with a read pending on it"},
    {.name = "idle-reader",
     .unit = "bytes/connection",
     .vow = idle_reader,
     .what = "of a raw handle with a vow_reader_t"},
    {.name = NULL}};

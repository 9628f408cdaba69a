/* SPDX-License-Identifier: MIT */
/* Ten thousand clients at a time, from another process: all are served, by a
 * server of streams and by the echo server of the samples, and then nothing of
 * them is left. And more clients than there are descriptors. */
#include <vow/poll.h>

#include "unit/net/crowd.h"
#include "unit/net/serve_support.h"

/* Samples are programs of their own; their parts are tested from inside. */
#include "../../../samples/10_echo_server/echo.c"

#define MANY      10000
#define SPARE     200 /* descriptors beside those of the connections */
#define AT_A_TIME 200 /* fewer than a backlog */
/* What a loop keeps for the next burst: four slabs of 64 KiB for each size of
 * cells, and blocks to read into. */
#define KEPT_BYTES (1536 * 1024)

/* ---- how many there can be ----------------------------------------------- */

static struct rlimit former;

/* Lets both processes have n connections, or as many as may be. */
static size_t make_room(size_t n) {
  struct rlimit limit;
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &former), 0);
  limit = former;
  limit.rlim_cur = limit.rlim_max;
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= n + SPARE) return n;
  n = limit.rlim_max > SPARE ? (size_t)limit.rlim_max - SPARE : 0;
  fprintf(stderr,
          "test_crowd: %zu connections, more descriptors than that "
          "are not allowed\n",
          n);
  ck_assert_uint_gt(n, 0);
  return n;
}

static void give_back_room(void) {
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &former), 0);
}

/* ---- two servers --------------------------------------------------------- */

typedef struct hall {
  service_t service; /* of streams */
  uv_tcp_t *tcp;     /* or of raw handles, as the sample has it */
  vow_listener_t *listener;
  vow_future_t *serving;
  vow_loop_t *loop;
  crowd_t crowd;
  vow_poll_t *poll; /* of what the crowd says */
  int before;       /* sockets */
} hall_t;

static void open_streams(hall_t *h) {
  h->service.loop = h->loop;
  service_start(&h->service, echo);
}

static void open_sample(hall_t *h) {
  h->tcp = bound_tcp(h->loop);
  ck_assert_int_eq(vow_listen(h->tcp, 511, &h->listener), 0);
  h->serving = echo_serve(h->loop, h->listener);
}

static int port_of_hall(const hall_t *h) {
  return h->tcp != NULL ? port_of(h->tcp)
                        : vow_server_port(h->service.server, 0);
}

/* The server keeps a pointer into *h. */
static void hall_open(hall_t *h, void (*open_server)(hall_t *h)) {
  memset(h, 0, sizeof *h);
  h->crowd = crowd_start();
  fault_install();
  h->loop = loop_open();
  open_server(h);
  ck_assert_int_eq(vow_poll_new(h->loop, h->crowd.fd, UV_READABLE, &h->poll),
                   0);
  h->before = sockets();
}

static void hall_close(hall_t *h) {
  vow_poll_free(h->poll);
  turns(h->loop, 1);
  crowd_end(&h->crowd);
  if (h->service.server != NULL) service_end(&h->service);
  if (h->serving != NULL) vow_drop(h->serving);
  vow_listener_free(h->listener);
  vow_tcp_free(h->tcp);
  loop_done(h->loop);
  ck_assert_int_eq(fault_live(), 0);
  fault_remove();
}

/* Serves until the crowd says something. */
static crowd_report_t listen_to_crowd(hall_t *h) {
  crowd_report_t r;
  /* libuv makes it non-blocking. */
  ck_assert_int_eq(settle_drop(h->loop, vow_poll_next(h->poll)), 0);
  r = crowd_hear(&h->crowd);
  ck_assert_msg(r.error == 0, "a client: %s", strerror(r.error));
  return r;
}

/* Until those who left are gone here as well. */
static void await_quiet(hall_t *h) {
  int i;
  for (i = 0; i < 10000 && sockets() > h->before; i++) {
    turns(h->loop, 5);
    if (sockets() > h->before) pass_ms(1);
  }
  ck_assert_int_eq(sockets(), h->before);
  turns(h->loop, 3);
}

/* ---- all at a time ------------------------------------------------------- */

static void gather(hall_t *h, size_t n) {
  crowd_report_t r;
  crowd_send(&h->crowd, port_of_hall(h), n, AT_A_TIME, CROWD_STAYS);
  r = listen_to_crowd(h);
  ck_assert_uint_eq(r.served, n);
  ck_assert_int_eq(sockets(), h->before + (int)n); /* all of them at once */
}

static void disperse(hall_t *h, bool orderly) {
  crowd_leave(&h->crowd, orderly);
  (void)listen_to_crowd(h);
  await_quiet(h);
}

static void serve_all(void (*open_server)(hall_t *h), bool orderly) {
  size_t n = make_room(test_scale(MANY));
  hall_t h;
  long idle, after;
  hall_open(&h, open_server);
  gather(&h, 1);
  disperse(&h, orderly);
  idle = fault_live_bytes();
  gather(&h, n);
  ck_assert_int_ge(fault_live_bytes(), idle + (long)n * 100);
  disperse(&h, orderly);
  after = fault_live_bytes();
  ck_assert_int_le(after, idle + KEPT_BYTES);
  gather(&h, n);
  disperse(&h, orderly);
  ck_assert_int_le(fault_live_bytes(), after); /* and no more than that */
  hall_close(&h);
  give_back_room();
}

TEST(test_crowd_of_ten_thousand_is_served_by_streams) {
  serve_all(open_streams, false);
}

TEST(test_crowd_of_ten_thousand_is_served_by_the_sample) {
  serve_all(open_sample, true);
}

/* ---- more than there are descriptors ------------------------------------- */

/* A limit with room for some more than there are now; what it was before. */
static struct rlimit lower_limit(int room) {
  struct rlimit before, low;
  int fd = dup(0);
  ck_assert_int_ge(fd, 0);
  close(fd);
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
  low = before;
  low.rlim_cur = (rlim_t)(fd + room);
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
  return before;
}

static void run_short(void (*open_server)(hall_t *h)) {
  size_t n = make_room(test_is_quick() ? 100 : 500);
  struct rlimit room;
  hall_t h;
  crowd_report_t r;
  hall_open(&h, open_server);
  room = lower_limit(40);
  crowd_send(&h.crowd, port_of_hall(&h), n, n, CROWD_PASSES);
  r = listen_to_crowd(&h);
  ck_assert_uint_eq(r.served, n);
  await_quiet(&h);
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &room), 0);
  gather(&h, n / 10); /* as before */
  disperse(&h, true);
  hall_close(&h);
  give_back_room();
}

TEST(test_crowd_beyond_the_descriptors_is_served_by_streams) {
  run_short(open_streams);
}

TEST(test_crowd_beyond_the_descriptors_is_served_by_the_sample) {
  run_short(open_sample);
}

SUITE(net_crowd) {
  ADD(test_crowd_of_ten_thousand_is_served_by_streams);
  ADD(test_crowd_of_ten_thousand_is_served_by_the_sample);
  ADD(test_crowd_beyond_the_descriptors_is_served_by_streams);
  ADD(test_crowd_beyond_the_descriptors_is_served_by_the_sample);
}

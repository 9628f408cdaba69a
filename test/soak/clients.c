/* SPDX-License-Identifier: MIT */
/* The clients' process: each client is a task that connects again and again,
 * exchanges frames, idles, and leaves in one of many ways. */
#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#include "soak/soak.h"

#define RAMP_MS    8000 /* by then all have come */
#define CONNECT_MS 10000
#define REPLY_MS   10000
#define IDLE_MS    4000 /* between two exchanges, at most */
#define AWAY_MS    300  /* between two visits, at most */
#define EXCHANGES  20   /* of a visit, at most */
#define SLOW_MS    1500
#define PER_SOURCE 250 /* an address has too few ports for all */

typedef struct client {
  vow_loop_t *loop;
  struct sockaddr_in from, to;
} client_t;

/* ---- one exchange -------------------------------------------------------------- */

static vow_future_t *send_frame(vow_stream_t *s, const soak_frame_t *f) {
  vow_bytes_t *b = soak_frame_write(f);
  vow_future_t *sent;
  if (b == NULL) return vow_ready(vow_stream_loop(s), vow_fail(UV_ENOMEM));
  sent = vow_stream_write_bytes(s, b);
  vow_bytes_unref(b);
  return sent;
}

static soak_frame_t some_frame(bool slow) {
  soak_frame_t f = {.length = 1 + (uint32_t)soak_below(100)};
  if (soak_below(20) == 0)
    f.length = 1 + (uint32_t)soak_below(SOAK_LIMIT_BYTES);
  if (slow) f.delay_ms = 1 + (uint32_t)soak_below(SLOW_MS);
  return f;
}

static vow_value_t exchange(vow_stream_t *s) {
  soak_frame_t f = some_frame(false), got;
  VOW_TRY_NIL(send_frame(s, &f));
  VOW_TRY_NIL(vow_timeout(soak_frame_read(s, &got), REPLY_MS));
  if (got.length != f.length || got.delay_ms != 0) soak_counts.wrong++;
  soak_counts.exchanges++;
  return vow_nil();
}

/* ---- ways to leave --------------------------------------------------------------- */

/* The answer comes too late. */
static vow_value_t time_out(vow_stream_t *s) {
  soak_frame_t f = some_frame(true), got;
  vow_value_t v;
  VOW_TRY_NIL(send_frame(s, &f));
  v = vow_await(
      vow_timeout(soak_frame_read(s, &got), (int64_t)soak_below(SLOW_MS)));
  if (vow_value_code(v) == UV_ETIMEDOUT) soak_counts.timeouts++;
  vow_value_destroy(v);
  return vow_nil();
}

static void free_token(void *t) {
  vow_token_free(t);
}

static vow_value_t cancel(void *t) {
  soak_pause(vow_task_loop(), soak_below(SLOW_MS));
  vow_token_cancel(t, UV_ECANCELED);
  return vow_nil();
}

/* A token ends the wait for the answer. */
static vow_value_t be_cancelled(vow_stream_t *s) {
  vow_loop_t *loop = vow_task_loop();
  vow_token_t *t = vow_token_new(loop);
  soak_frame_t f = some_frame(true), got;
  vow_future_t *reply, *later;
  if (t == NULL) return vow_fail(UV_ENOMEM);
  reply = vow_with_token(soak_frame_read(s, &got), t);
  later = vow_go(loop, cancel, t, free_token);
  (void)vow_await_status(send_frame(s, &f));
  (void)vow_await_status(reply);
  vow_cancel(later);
  (void)vow_await_status(later);
  return vow_nil();
}

static vow_value_t leave_half_way(vow_stream_t *s) {
  static const char half[SOAK_HEAD_BYTES + 10] = {100};
  VOW_TRY_NIL(vow_stream_write(s, half, 1 + soak_below(sizeof half)));
  return vow_nil();
}

static vow_value_t reset(vow_stream_t *s) {
  VOW_TRY_NIL(vow_stream_reset(s, 0));
  return vow_nil();
}

static vow_value_t say_good_bye(vow_stream_t *s) {
  VOW_TRY_NIL(vow_stream_shutdown(s));
  VOW_TRY_NIL(vow_timeout(vow_stream_read_to_end(s, 1000), REPLY_MS));
  VOW_TRY_NIL(vow_stream_close(s));
  return vow_nil();
}

static vow_value_t leave(vow_stream_t *s) {
  switch (soak_below(6)) {
  case 0:
    return time_out(s);
  case 1:
    return be_cancelled(s);
  case 2:
    return leave_half_way(s);
  case 3:
    return reset(s);
  case 4:
    return say_good_bye(s);
  default:
    return vow_nil(); /* just so */
  }
}

/* ---- clients ----------------------------------------------------------------------- */

static vow_value_t gone(void *arg) {
  (void)arg;
  soak_counts.connected--;
  return vow_nil();
}

static vow_value_t visit(void *arg) {
  const client_t *c = arg;
  const struct sockaddr *to = (const struct sockaddr *)&c->to;
  vow_connect_options_t options = {.source = (const struct sockaddr *)&c->from,
                                   .nodelay = true};
  vow_value_t v = vow_defer_value(vow_await(vow_timeout(
      vow_connect_addresses(c->loop, 1, &to, &options), CONNECT_MS)));
  uint64_t n = 1 + soak_below(EXCHANGES);
  if (vow_value_is_failure(v)) return v;
  soak_counts.visits++;
  soak_counts.connected++;
  if (vow_defer(gone, NULL) != 0) return vow_fail(UV_ENOMEM);
  while (n-- > 0) {
    vow_value_t outcome;
    VOW_TRY_NIL(vow_sleep(c->loop, soak_below(IDLE_MS)));
    outcome = exchange(v.as.p);
    if (vow_value_is_failure(outcome)) return outcome;
  }
  return leave(v.as.p);
}

static vow_value_t client(void *arg) {
  client_t *c = arg;
  soak_pause(c->loop, soak_below(RAMP_MS));
  while (vow_task_reason() == 0) {
    vow_value_t v = vow_scope(visit, c);
    if (vow_value_is_failure(v) && !vow_value_is_cancelled(v)) {
      soak_counts.failures++;
      if (vow_value_code(v) == UV_ETIMEDOUT) soak_counts.timeouts++;
    }
    vow_value_destroy(v);
    soak_pause(c->loop, soak_below(AWAY_MS));
  }
  return vow_nil();
}

/* ---- the process ---------------------------------------------------------------------- */

typedef struct crowd {
  vow_loop_t *loop;
  const soak_t *soak;
  int port;
  vow_group_t *clients;
} crowd_t;

static void free_client(void *c) {
  vow_release(c);
}

static void begin_client(const crowd_t *crowd, size_t i) {
  client_t *c = vow_alloc(sizeof *c);
  if (c == NULL) return;
  memset(c, 0, sizeof *c);
  c->loop = crowd->loop;
  c->from.sin_family = c->to.sin_family = AF_INET;
  c->from.sin_addr.s_addr =
      htonl(INADDR_LOOPBACK + 1 + (uint32_t)(i / PER_SOURCE));
  c->to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  c->to.sin_port = htons((uint16_t)crowd->port);
  (void)vow_group_go(crowd->clients, client, c, free_client);
}

static vow_value_t watch(void *arg) {
  const crowd_t *c = arg;
  uint64_t begin_ms = vow_loop_now_ms(c->loop), next_ms = begin_ms;
  uint64_t over_ms = begin_ms + c->soak->seconds * 1000;
  while (next_ms + SOAK_INTERVAL_MS < over_ms) {
    next_ms += SOAK_INTERVAL_MS;
    soak_pause(c->loop, next_ms - vow_loop_now_ms(c->loop));
    soak_gauge_note(c->loop);
  }
  soak_pause(c->loop, over_ms - vow_loop_now_ms(c->loop));
  return vow_nil();
}

static void run(crowd_t *c) {
  vow_future_t *storm;
  size_t i;
  int err;
  for (i = 0; i < c->soak->connections; i++) begin_client(c, i);
  storm = vow_go(c->loop, soak_storm, c->loop);
  err = vow_await_blocking(vow_go(c->loop, watch, c), NULL);
  if (err != 0) soak_complain("watching", err);
  vow_cancel(storm);
  (void)vow_await_blocking(storm, NULL);
  vow_group_cancel(c->clients, UV_ECANCELED);
  err = vow_await_blocking(vow_group_join(c->clients), NULL);
  if (err != 0) soak_complain("the clients' end", err);
}

bool soak_visit(const soak_t *soak, int port_fd) {
  crowd_t c = {.soak = soak};
  bool told = read(port_fd, &c.port, sizeof c.port) == (ssize_t)sizeof c.port;
  close(port_fd);
  if (!told || vow_loop_new(NULL, &c.loop) != 0) return false;
  c.clients = vow_group_new(c.loop, VOW_GROUP_BACKGROUND);
  if (c.clients != NULL) run(&c);
  soak_close(c.loop);
  return true;
}

/* SPDX-License-Identifier: MIT */
/* The server's process: gives frames back, every second connection in a task,
 * the others in a chain; and looks at its gauges meanwhile. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak/soak.h"

#define IDLE_MS  20000 /* who says nothing for so long is sent away */
#define GRACE_MS 3000
#define LATE_S   60 /* after the time is over the clients have so long to end */
#define LOOK_MS  200

typedef struct hall {
  vow_loop_t *loop;
  const soak_t *soak;
  vow_server_t *server;
  int child;
  int child_status;
  bool child_ended;
} hall_t;

/* ---- a connection ------------------------------------------------------------ */

typedef struct guest {
  vow_stream_t *stream;
  soak_frame_t frame;
} guest_t;

static void guest_free(void *arg) {
  vow_stream_unref(((guest_t *)arg)->stream);
  soak_counts.connected--;
  vow_release(arg);
}

static vow_future_t *next_frame(guest_t *g) {
  return vow_timeout(soak_frame_read(g->stream, &g->frame), IDLE_MS);
}

static vow_future_t *answer(const guest_t *g) {
  vow_bytes_t *b = soak_frame_write(&g->frame);
  vow_future_t *f;
  if (b == NULL)
    return vow_ready(vow_stream_loop(g->stream), vow_fail(UV_ENOMEM));
  f = vow_stream_write_bytes(g->stream, b);
  vow_bytes_unref(b);
  return f;
}

/* In a task. */
static vow_value_t serve(void *arg) {
  guest_t *g = arg;
  for (;;) {
    VOW_TRY_NIL(next_frame(g));
    if (g->frame.delay_ms > 0)
      VOW_TRY_NIL(vow_sleep(vow_task_loop(), g->frame.delay_ms));
    VOW_TRY_NIL(answer(g));
    soak_counts.exchanges++;
  }
}

/* In a chain that follows itself. */
static vow_future_t *serve_next(guest_t *g);

static vow_value_t on_answered(vow_future_t *in, void *g) {
  (void)in;
  soak_counts.exchanges++;
  return vow_follow(serve_next(g));
}

static vow_value_t on_waited(vow_future_t *in, void *g) {
  (void)in;
  return vow_follow(answer(g));
}

static vow_value_t on_frame(vow_future_t *in, void *arg) {
  const guest_t *g = arg;
  if (g->frame.delay_ms == 0) return vow_follow(answer(g));
  return vow_follow(
      vow_then(vow_sleep(vow_loop_of(in), g->frame.delay_ms), on_waited, arg));
}

static vow_future_t *serve_next(guest_t *g) {
  return vow_then(vow_then(next_frame(g), on_frame, g), on_answered, g);
}

static vow_future_t *welcome(vow_stream_t *stream, void *arg) {
  hall_t *h = arg;
  guest_t *g = vow_alloc(sizeof *g);
  if (g == NULL) return vow_ready(h->loop, vow_fail(UV_ENOMEM));
  g->stream = vow_stream_ref(stream);
  soak_counts.connected++;
  if (soak_counts.visits++ % 2 == 0)
    return vow_go(h->loop, serve, g, guest_free);
  return vow_keep(serve_next(g), g, guest_free);
}

static void on_failure(vow_server_t *server, vow_value_t failure, void *arg) {
  (void)server;
  (void)arg;
  if (vow_value_code(failure) == UV_EOF) return;
  if (vow_value_code(failure) == UV_ETIMEDOUT) soak_counts.timeouts++;
  soak_counts.failures++;
}

/* ---- the process ---------------------------------------------------------------- */

static bool open_server(hall_t *h, int port_fd) {
  const vow_serve_on_t on = {.host = "127.0.0.1"};
  vow_serve_options_t options = {.on_error = on_failure, .nodelay = true};
  int port, err = vow_serve(h->loop, 1, &on, welcome, h, &options, &h->server);
  if (err != 0) {
    printf("soak: the server cannot listen: %s\n", vow_last_message());
    return false;
  }
  port = vow_server_port(h->server, 0);
  return write(port_fd, &port, sizeof port) == (ssize_t)sizeof port;
}

static void look_at_child(hall_t *h, uint64_t now_ms, uint64_t end_ms) {
  if (waitpid(h->child, &h->child_status, WNOHANG) == h->child) {
    h->child_ended = true;
  } else if (now_ms > end_ms) {
    soak_complain("the clients do not end", h->child);
    kill(h->child, SIGKILL);
    waitpid(h->child, &h->child_status, 0);
    h->child_ended = true;
  }
}

/* Notes while the clients are to be there, and waits for their end. */
static vow_value_t watch(void *arg) {
  hall_t *h = arg;
  uint64_t begin_ms = vow_loop_now_ms(h->loop), next_ms = begin_ms;
  uint64_t over_ms = begin_ms + h->soak->seconds * 1000, now_ms;
  while (!h->child_ended) {
    soak_pause(h->loop, LOOK_MS);
    now_ms = vow_loop_now_ms(h->loop);
    if (now_ms >= next_ms + SOAK_INTERVAL_MS && now_ms < over_ms) {
      next_ms += SOAK_INTERVAL_MS;
      soak_gauge_note(h->loop);
    }
    look_at_child(h, now_ms, over_ms + LATE_S * 1000);
  }
  return vow_nil();
}

static void run(hall_t *h) {
  vow_future_t *storm = vow_go(h->loop, soak_storm, h->loop);
  int err = vow_await_blocking(vow_go(h->loop, watch, h), NULL);
  if (err != 0) soak_complain("watching", err);
  vow_cancel(storm);
  (void)vow_await_blocking(storm, NULL);
  err = vow_await_blocking(vow_server_shutdown(h->server, GRACE_MS), NULL);
  if (err != 0) soak_complain("the server's shutdown", err);
  vow_server_free(h->server);
}

bool soak_serve(const soak_t *soak, int port_fd, int child) {
  hall_t h = {.soak = soak, .child = child};
  bool listens;
  if (vow_loop_new(NULL, &h.loop) != 0) return false;
  listens = open_server(&h, port_fd);
  close(port_fd);
  if (listens) run(&h);
  soak_close(h.loop);
  if (!h.child_ended || h.child_status != 0)
    soak_complain("the clients' process failed", h.child_status);
  return listens;
}

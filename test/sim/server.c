/* SPDX-License-Identifier: MIT */
/* The server: a task that accepts, a task for each connection, and in it one for
 * each request, so that replies come in any order; they pass a queue to the one
 * that writes. */
#include "sim/sim.h"

#include <stdlib.h>

#define IDLE_MS    700 /* a connection without a frame for so long is closed */
#define AT_A_TIME  4   /* requests of a connection */
#define REPLIES    1   /* that wait to be written */
#define ACCEPT_MS  5   /* between attempts to accept */
#define PROMPT_MS  10  /* all that ends without being waited for */
#define DRAIN_PART 2   /* of the grace: what a connection uses */

struct sim_server {
  vow_check_listener_t *listener;
  vow_token_t *stop;
  vow_group_t *conns;
  vow_future_t *accepting;
  uint64_t grace_ms;
  int accepted;
  int open;
};

typedef struct conn {
  sim_server_t *server;
  vow_stream_t *stream;
  int number;
  vow_queue_t *replies;
  vow_semaphore_t *room;
  vow_group_t *jobs;
  vow_future_t *writer;
  unsigned put, taken; /* of the replies */
  bool broken;         /* the writer has given up */
} conn_t;

/* ---- replies ---------------------------------------------------------------- */

/* Nothing is written behind what could not be. */
static vow_value_t give_up(conn_t *c) {
  c->broken = true;
  sim_ignore(vow_stream_reset(c->stream, 0)); /* the reader hears of it */
  return vow_nil();
}

static vow_value_t write_replies(void *arg) {
  conn_t *c = arg;
  for (;;) {
    vow_value_t v = vow_await_get(c->replies);
    int err = vow_value_code(v);
    if (err == VOW_ESHUTDOWN) {
      vow_value_destroy(v);
      return vow_nil();
    }
    if (err == 0) {
      c->taken++;
      err = vow_await_status(
          sim_frame_send(c->stream, vow_value_get(v, &vow_type_bytes)));
      sim_note(SIM_REPLIED, c->number, err, 0);
    }
    vow_value_destroy(v);
    if (err != 0) return give_up(c);
  }
}

static void reply(conn_t *c, const sim_frame_t *f) {
  vow_bytes_t *b = sim_frame_write(f);
  if (b == NULL)
    sim_ignore(vow_stream_reset(c->stream, 0));
  else if (vow_await_put(c->replies, vow_ptr(b, &vow_type_bytes)) == 0)
    c->put++;
}

/* ---- requests ---------------------------------------------------------------- */

typedef struct job {
  conn_t *conn;
  sim_frame_t frame;
  vow_value_t permit;
} job_t;

static void job_free(void *arg) {
  job_t *j = arg;
  vow_value_destroy(j->permit);
  vow_release(j);
}

static void execute(const conn_t *c, const sim_frame_t *f, sim_request_t *r) {
  if (r->op == SIM_ECHO) return;
  if (r->op == SIM_ADD && r->executed > 0) return; /* known */
  r->executed++;
  sim_note(SIM_EXECUTE, c->number, f->id, f->attempt);
  MUST(r->executed <= (r->op == SIM_MARK ? r->sent : 1));
}

static vow_value_t run_job(void *arg) {
  job_t *j = arg;
  sim_frame_t answer = j->frame;
  sim_request_t *r;
  MUST(j->frame.id >= 1);
  MUST(j->frame.id <= sim.n_requests);
  r = &sim.requests[j->frame.id - 1];
  MUST(j->frame.number == r->number);
  if (r->work_ms > 0 && vow_await_status(vow_sleep(sim.loop, r->work_ms)) != 0)
    return vow_nil();
  execute(j->conn, &j->frame, r);
  answer.kind = SIM_KIND_REPLY;
  answer.number = sim_answer(r);
  reply(j->conn, &answer);
  return vow_nil();
}

/* False: no more. */
static bool take_request(conn_t *c, const sim_frame_t *f) {
  vow_value_t permit = vow_await(vow_semaphore_acquire(c->room, 1));
  job_t *j = vow_value_is_failure(permit) ? NULL : vow_alloc(sizeof *j);
  if (j == NULL) {
    vow_value_destroy(permit);
    return false;
  }
  j->conn = c;
  j->frame = *f;
  j->permit = permit;
  return vow_group_go(c->jobs, run_job, j, job_free) == 0;
}

static bool take_frame(conn_t *c, const sim_frame_t *f) {
  sim_frame_t pong = *f;
  if (f->kind == SIM_KIND_REQUEST) return take_request(c, f);
  MUST(f->kind == SIM_KIND_PING);
  pong.kind = SIM_KIND_PONG;
  reply(c, &pong);
  return true;
}

/* ---- connections --------------------------------------------------------------- */

static int read_frames(conn_t *c) {
  for (;;) {
    sim_frame_t f;
    vow_value_t v = vow_await(vow_timeout(
        vow_with_token(sim_frame_read(c->stream), c->server->stop), IDLE_MS));
    int code = vow_value_code(v);
    if (code == 0) f = sim_frame_parse(vow_value_get(v, &vow_type_bytes));
    vow_value_destroy(v);
    if (code != 0) return code;
    sim_note(SIM_CONN_READ, c->number, f.id, f.attempt);
    if (!take_frame(c, &f)) return UV_ENOMEM;
  }
}

/* What was asked is answered, if that can be done in time. */
static void drain(conn_t *c) {
  int64_t half_ms = (int64_t)c->server->grace_ms / DRAIN_PART;
  vow_future_t *f = vow_timeout(vow_group_join(c->jobs), half_ms);
  if (vow_await_status(f) != 0) return;
  vow_queue_shutdown(c->replies);
  f = vow_timeout(vow_ref(c->writer), half_ms);
  if (vow_await_status(f) != 0) return;
  MUST(c->taken == c->put || c->broken);
  (void)vow_await_status(vow_stream_shutdown(c->stream));
}

static vow_value_t close_conn(void *arg) {
  conn_t *c = arg;
  vow_queue_free(c->replies);
  c->replies = NULL;
  if (c->writer != NULL) {
    vow_cancel(c->writer);
    (void)vow_await_status(c->writer);
    c->writer = NULL;
  }
  vow_semaphore_free(c->room);
  c->room = NULL;
  (void)vow_await_status(vow_stream_close(c->stream));
  return vow_nil();
}

static vow_value_t serve_conn(void *arg) {
  conn_t *c = arg;
  int code;
  c->replies = vow_queue_new(sim.loop, VOW_FIFO, REPLIES);
  c->room = vow_semaphore_new(sim.loop, AT_A_TIME);
  c->writer = vow_go(sim.loop, write_replies, c);
  if (vow_defer(close_conn, c) != 0) return vow_nil(); /* it has run */
  c->jobs = vow_group_open(VOW_GROUP_BACKGROUND);
  if (c->replies == NULL || c->room == NULL || c->jobs == NULL ||
      vow_is_settled(c->writer))
    return vow_nil();
  code = read_frames(c);
  sim_note(SIM_CONN_END, c->number, code, 0);
  if (vow_token_is_cancelled(c->server->stop)) drain(c);
  return vow_nil();
}

static void conn_free(void *arg) {
  conn_t *c = arg;
  c->server->open--;
  sim_note(SIM_CONN_GONE, c->number, 0, 0);
  vow_stream_unref(c->stream);
  free(c);
}

/* ---- accepting ------------------------------------------------------------------- */

static void begin_conn(sim_server_t *s, vow_stream_t *stream) {
  conn_t *c = calloc(1, sizeof *c);
  MUST(c != NULL);
  c->server = s;
  c->stream = stream;
  c->number = ++s->accepted;
  s->open++;
  sim_note(SIM_ACCEPT, c->number, 0, 0);
  (void)vow_group_go(s->conns, serve_conn, c, conn_free);
}

static vow_value_t accept_all(void *arg) {
  sim_server_t *s = arg;
  int code = 0;
  while (code != VOW_ESHUTDOWN && !vow_token_is_cancelled(s->stop)) {
    vow_value_t v =
        vow_await(vow_with_token(vow_check_accept(s->listener), s->stop));
    code = vow_value_code(v);
    if (code == 0) {
      begin_conn(s, v.as.p);
      continue;
    }
    sim_note(SIM_ACCEPT_FAILS, code, 0, 0);
    vow_value_destroy(v);
    if (code != VOW_ESHUTDOWN &&
        vow_await_status(vow_sleep(sim.loop, ACCEPT_MS)) != 0)
      vow_yield();
  }
  return vow_nil();
}

sim_server_t *sim_server_open(void) {
  sim_server_t *s = calloc(1, sizeof *s);
  MUST(s != NULL);
  s->listener = vow_check_listen(sim.net, SIM_ADDRESS);
  s->stop = vow_token_new(sim.loop);
  s->conns = vow_group_new(sim.loop, VOW_GROUP_BACKGROUND);
  MUST(s->stop != NULL && s->conns != NULL);
  s->accepting = vow_go(sim.loop, accept_all, s);
  sim_note(SIM_LISTEN, 0, 0, 0);
  return s;
}

void sim_server_close(sim_server_t *s, uint64_t grace_ms) {
  uint64_t began_ms = vow_check_now_ms();
  int err;
  sim_note(SIM_STOP, (int64_t)grace_ms, s->open, 0);
  s->grace_ms = grace_ms;
  vow_check_unlisten(s->listener);
  vow_token_cancel(s->stop, VOW_ESHUTDOWN);
  vow_assert_ok(s->accepting);
  err = vow_await_status(
      vow_timeout(vow_group_join(s->conns), (int64_t)grace_ms));
  sim_note(SIM_STOPPED, err, s->open, 0);
  MUST(s->open == 0);
  MUST(vow_check_now_ms() - began_ms <= grace_ms + PROMPT_MS);
  vow_token_free(s->stop);
  free(s);
}

/* SPDX-License-Identifier: MIT */
/* The client: one task that connects and talks, and a queue of questions. */
#include "client.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

struct client {
  unsigned refs;
  vow_loop_t *loop;
  client_options_t options;
  vow_queue_t *questions;
  vow_future_t *task;
  unsigned connections;
};

/* ---- questions ---------------------------------------------------------- */

typedef struct question {
  vow_promise_t *answer;
  size_t length;
  char line[];
} question_t;

static void question_free(question_t *q) {
  vow_promise_drop(q->answer);
  free(q);
}
VOW_DEFINE_TYPE(question, question_t, question_free);

vow_future_t *client_ask(client_t *c, const char *question) {
  size_t length = strlen(question);
  question_t *q = malloc(sizeof *q + length + 1);
  vow_future_t *f;
  int err;
  if (q == NULL) return vow_ready(c->loop, vow_fail(UV_ENOMEM));
  memcpy(q->line, question, length);
  q->line[length] = '\n';
  q->length = length + 1;
  f = vow_promise_new(c->loop, &q->answer);
  err = vow_queue_try_put(c->questions, question_value(q));
  if (err != 0) {
    vow_reject(q->answer, err);
    question_free(q);
  }
  return f;
}

/* ---- talking, in the task ----------------------------------------------- */

/* Sends a line, and gives the line that comes back. */
static vow_value_t exchange(client_t *c, vow_stream_t *s, const char *line,
                            size_t length) {
  VOW_TRY_NIL(
      vow_timeout(vow_stream_write(s, line, length), c->options.timeout_ms));
  return vow_await(vow_timeout(vow_stream_read_line(s, LINE_MAX_BYTES),
                               c->options.timeout_ms));
}

/* The same with a line that must come back. */
static int expect(client_t *c, vow_stream_t *s, const char *line,
                  const char *wanted) {
  vow_value_t v = exchange(c, s, line, strlen(line));
  const vow_bytes_t *b = vow_value_get(v, &vow_type_bytes);
  int err = vow_value_code(v);
  if (err == 0 && (vow_bytes_length(b) != strlen(wanted) ||
                   memcmp(vow_bytes_data(b), wanted, strlen(wanted)) != 0))
    err = UV_EPROTO;
  vow_value_destroy(v);
  return err;
}

static int answer(client_t *c, vow_stream_t *s, question_t *q) {
  vow_value_t v;
  int err = 0;
  if (vow_promise_is_wanted(q->answer)) {
    v = exchange(c, s, q->line, q->length);
    err = vow_value_code(v);
    vow_resolve(q->answer, v);
  }
  question_free(q);
  return err;
}

/* A question, or PING when none comes. */
static int next_thing(client_t *c, vow_stream_t *s) {
  vow_value_t v = vow_await(
      vow_timeout(vow_queue_get(c->questions), c->options.heartbeat_ms));
  int err = vow_value_code(v);
  if (err == 0) return answer(c, s, vow_value_get(v, &question_type));
  vow_value_destroy(v);
  return err == UV_ETIMEDOUT ? expect(c, s, "PING\n", "PONG") : err;
}

/* Until the connection is lost. */
static void talk(client_t *c, vow_stream_t *s) {
  int err = expect(c, s, "HELLO\n", "OK");
  if (err == 0) c->connections++;
  while (err == 0) err = next_thing(c, s);
}

static vow_value_t run(void *arg) {
  client_t *c = arg;
  const client_options_t *o = &c->options;
  uint64_t pause_ms = o->pause_ms;
  while (vow_task_reason() == 0) {
    unsigned before = c->connections;
    vow_value_t s = vow_await(
        vow_timeout(o->connect(c->loop, o->host, o->service, o->connect_arg),
                    o->timeout_ms));
    if (!vow_value_is_failure(s)) talk(c, s.as.p);
    vow_value_destroy(s);
    if (c->connections != before) pause_ms = o->pause_ms;
    VOW_TRY_NIL(vow_sleep(c->loop, pause_ms));
    pause_ms = 2 * pause_ms < o->pause_max_ms ? 2 * pause_ms : o->pause_max_ms;
  }
  return vow_nil();
}

/* ---- beginning and end -------------------------------------------------- */

static void client_unref(client_t *c) {
  if (--c->refs > 0) return;
  vow_queue_free(c->questions);
  free(c);
}

/* The task has ended, or will never begin: nobody answers any more. */
static void on_task_end(void *arg) {
  client_t *c = arg;
  vow_queue_shutdown_now(c->questions);
  client_unref(c);
}

client_t *client_new(vow_loop_t *loop, const client_options_t *options) {
  static const vow_task_options_t task = {.name = "client"};
  client_t *c = calloc(1, sizeof *c);
  if (c == NULL) return NULL;
  c->refs = 2; /* the caller's and the task's */
  c->loop = loop;
  c->options = *options;
  c->questions = vow_queue_new(loop, VOW_FIFO, VOW_UNBOUNDED);
  if (c->questions == NULL) {
    free(c);
    return NULL;
  }
  c->task = vow_go_with(loop, &task, run, c, on_task_end);
  return c;
}

unsigned client_connections(const client_t *c) {
  return c->connections;
}

vow_future_t *client_close(client_t *c) {
  vow_future_t *task = c->task;
  vow_cancel(task);
  client_unref(c);
  return task;
}

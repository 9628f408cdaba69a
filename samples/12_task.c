/* SPDX-License-Identifier: MIT */
/* A task: straight-line code that waits, here both ends of a conversation over
 * TCP. VOW_TRY awaits, and returns on a failure; vow_defer cleans up on every
 * way out. More of this in samples/patterns. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <vow.h>

enum { LINE_MAX_BYTES = 100 };

/* The server's side of a connection: until the visitor hangs up, which fails
 * the read. */
static vow_value_t greet(void *arg) {
  vow_stream_t *client = arg;
  char answer[LINE_MAX_BYTES + 20];
  for (;;) {
    VOW_TRY(v, vow_stream_read_line(client, LINE_MAX_BYTES));
    vow_bytes_t *name = vow_value_get(v, &vow_type_bytes);
    int n = snprintf(answer, sizeof answer, "hello, %.*s\n",
                     (int)vow_bytes_length(name), vow_bytes_data(name));
    vow_value_destroy(v); /* what was awaited is ours */
    VOW_TRY_NIL(vow_stream_write(client, answer, (size_t)n));
  }
}

/* That is the good end. */
static vow_value_t expect_end(vow_future_t *in, void *arg) {
  (void)arg;
  return vow_status(in) == UV_EOF ? vow_nil() : vow_outcome(in);
}

/* One task for each connection, which vow_serve closes behind it. A task is a
 * future: it chains, too. */
static vow_future_t *serve(vow_stream_t *client, void *arg) {
  (void)arg;
  vow_future_t *f = vow_go(vow_stream_loop(client), greet, client);
  return vow_catch(f, expect_end, NULL);
}

/* Clean-up may wait as well, even when the task was cancelled. */
static vow_value_t hang_up(void *arg) {
  vow_stream_t *server = arg;
  int rc = vow_await_status(vow_stream_close(server));
  puts("visitor: hung up");
  vow_stream_unref(server);
  return rc == 0 ? vow_nil() : vow_fail(rc);
}

/* Any function that a task calls may await. */
static vow_value_t introduce(vow_stream_t *server, const char *line) {
  VOW_TRY_NIL(vow_stream_write(server, line, strlen(line)));
  VOW_TRY(v, vow_stream_read_line(server, LINE_MAX_BYTES));
  vow_bytes_t *answer = vow_value_get(v, &vow_type_bytes);
  printf("server: %.*s\n", (int)vow_bytes_length(answer),
         vow_bytes_data(answer));
  vow_value_destroy(v);
  return vow_nil();
}

static vow_value_t visit(void *arg) {
  VOW_TRY(v, vow_connect(vow_task_loop(), "127.0.0.1", arg, NULL));
  vow_stream_t *server = vow_value_get(v, &vow_type_stream);
  int rc = vow_defer(hang_up, server);
  if (rc != 0) return vow_fail(rc); /* no memory: hung up already */

  v = introduce(server, "Ann\n");
  if (vow_value_is_failure(v)) return v;
  return introduce(server, "Bob\n");
}

int main(void) {
  const vow_serve_on_t on = {.host = "127.0.0.1"};
  vow_server_t *server = NULL;
  vow_loop_t *loop;
  char port[8];
  signal(SIGPIPE, SIG_IGN);
  int rc = vow_loop_new(NULL, &loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }

  rc = vow_serve(loop, 1, &on, serve, NULL, NULL, &server);
  if (rc == 0) {
    /* A task is started with vow_go, and is a future like any other: here with
     * a limit in time. It runs when the loop does. */
    snprintf(port, sizeof port, "%d", vow_server_port(server, 0));
    vow_future_t *f = vow_timeout(vow_go(loop, visit, port), 60000);
    rc = vow_await_blocking(f, NULL);
  }
  if (rc != 0) fprintf(stderr, "no visit: %s\n", vow_strerror(rc));

  vow_server_free(server);
  if (vow_loop_close(loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/* Step 4 of 4: the file server as one would write it with vow from the start.
 * The loop is vow's, a client is a byte stream, and vow_serve accepts clients,
 * counts them, closes them and ends them with grace. */
#include <signal.h>
#include <vow.h>

#include "request.h"

typedef struct server {
  vow_loop_t *loop;
  vow_server_t *serving;
  vow_signal_t *signals[2];
  options_t options;
} server_t;

typedef struct client {
  const server_t *server;
  vow_stream_t *stream; /* vow_serve closes it */
  request_t request;
  uv_file file; /* -1: none */
  uint64_t size_bytes, sent_bytes;
  char chunk[CHUNK_BYTES];
} client_t;

/* What each wait for the client is limited to. */
static vow_future_t *limit(const client_t *c, vow_future_t *f) {
  return vow_timeout(f, (int64_t)c->server->options.timeout_ms);
}

/* ---- the request ---------------------------------------------------------- */

/* Who asks too slowly or too much is told so; other failures end the client. */
static vow_value_t on_request(vow_future_t *in, void *arg) {
  client_t *c = arg;
  request_t *r = &c->request;
  const vow_bytes_t *bytes;
  switch (vow_status(in)) {
  case 0:
    bytes = vow_bytes_get(in);
    r->length = vow_bytes_length(bytes);
    memcpy(r->head, vow_bytes_data(bytes), r->length);
    request_parse(r, c->server->options.root);
    return vow_nil();
  case UV_EMSGSIZE:
    r->status = 400;
    return vow_nil();
  case UV_ETIMEDOUT:
    r->status = 408;
    return vow_nil();
  default:
    r->length = vow_stream_buffered(c->stream);
    return vow_outcome(in);
  }
}

static vow_future_t *read_request(client_t *c) {
  vow_future_t *f =
      vow_stream_read_until(c->stream, "\r\n\r\n", 4, REQUEST_MAX);
  return vow_handle(limit(c, f), on_request, c);
}

/* ---- the file ------------------------------------------------------------- */

static vow_value_t on_stat(vow_future_t *in, void *arg) {
  client_t *c = arg;
  const uv_stat_t *stat = vow_stat_get(in);
  if (!S_ISREG(stat->st_mode)) return vow_fail(UV_ENOENT);
  c->size_bytes = stat->st_size;
  return vow_follow(
      vow_fs_open(c->server->loop, c->request.path, OPEN_FLAGS, 0));
}

static vow_value_t on_opened(vow_future_t *in, void *arg) {
  client_t *c = arg;
  c->file = vow_file_take(in);
  return vow_nil();
}

/* That there is no such file is an answer, too. */
static vow_value_t on_missing(vow_future_t *in, void *arg) {
  client_t *c = arg;
  c->request.status = request_status_of(vow_status(in));
  return vow_nil();
}

static vow_value_t open_file(vow_future_t *in, void *arg) {
  client_t *c = arg;
  (void)in;
  if (c->request.status != 200) return vow_nil();
  vow_future_t *f = vow_fs_stat(c->server->loop, c->request.path);
  f = vow_then(f, on_stat, c);
  f = vow_then(f, on_opened, c);
  return vow_follow(vow_catch(f, on_missing, c));
}

static vow_value_t close_file(vow_future_t *in, void *arg) {
  client_t *c = arg;
  (void)in;
  if (c->file < 0) return vow_nil();
  return vow_follow(vow_fs_close(c->server->loop, c->file));
}

/* ---- the answer ----------------------------------------------------------- */

/* Writes the first length bytes of the chunk. What the kernel does not take at
 * once is copied: so the time limit may give the write up. */
static vow_future_t *client_write(client_t *c, size_t length) {
  return limit(c, vow_stream_write(c->stream, c->chunk, length));
}

static vow_value_t send_head(vow_future_t *in, void *arg) {
  client_t *c = arg;
  int status = c->request.status;
  (void)in;
  return vow_follow(client_write(
      c, status == 200 ? answer_head(c->chunk, status, c->size_bytes)
                       : answer_error(c->chunk, status)));
}

static vow_value_t on_chunk(vow_future_t *in, void *arg) {
  client_t *c = arg;
  size_t n = (size_t)vow_get_int(in);
  if (n == 0) return vow_fail(UV_EIO); /* it has become shorter */
  c->sent_bytes += n;
  return vow_follow(client_write(c, n));
}

static vow_value_t again(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_again();
}

/* Reads a chunk only when the one before has gone: a client that reads slowly
 * costs one chunk of memory, not the whole file. */
static vow_future_t *send_chunk(vow_loop_t *loop, uint64_t i, void *arg) {
  client_t *c = arg;
  uint64_t left = c->size_bytes - c->sent_bytes;
  size_t n = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
  (void)i;
  if (c->file < 0 || n == 0) return vow_ready(loop, vow_nil());
  vow_future_t *f =
      vow_fs_read_into(loop, c->file, c->chunk, n, (int64_t)c->sent_bytes);
  f = vow_then(f, on_chunk, c);
  return vow_then(f, again, NULL);
}

static vow_value_t send_file(vow_future_t *in, void *arg) {
  client_t *c = arg;
  (void)in;
  return vow_follow(vow_repeat(c->server->loop, send_chunk, c));
}

/* ---- a client, from beginning to end -------------------------------------- */

static vow_value_t read_on(vow_future_t *in, void *arg) {
  client_t *c = arg;
  (void)in;
  return vow_follow(limit(c, vow_stream_read_to_end(c->stream, 1 << 20)));
}

static vow_value_t forget(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_nil();
}

/* Closing while bytes of the client's are unread would reset the connection,
 * and with it what is on its way: so it reads until the client has closed. */
static vow_value_t on_answered(vow_future_t *in, void *arg) {
  client_t *c = arg;
  int code = vow_status(in);
  request_log(&c->request, code);
  if (code != 0) return vow_nil();
  vow_future_t *f = vow_stream_shutdown(c->stream);
  f = vow_then(f, read_on, c);
  return vow_follow(vow_catch(f, forget, NULL));
}

static vow_future_t *on_client(vow_stream_t *stream, void *arg) {
  const server_t *server = arg;
  client_t *c = calloc(1, sizeof *c);
  if (c == NULL) return vow_ready(server->loop, vow_fail(UV_ENOMEM));
  c->server = server;
  c->stream = stream;
  c->file = -1;
  vow_future_t *f = read_request(c);
  f = vow_then(f, open_file, c);
  f = vow_then(f, send_head, c);
  f = vow_then(f, send_file, c);
  f = vow_finally(f, close_file, c);
  f = vow_handle(f, on_answered, c);
  return vow_keep(f, c, free);
}

/* ---- the server ----------------------------------------------------------- */

static vow_future_t *next_signal(server_t *server) {
  return vow_race_of(server->loop, vow_signal_next(server->signals[0]),
                     vow_signal_next(server->signals[1]));
}

static vow_value_t on_second_signal(vow_future_t *in, void *arg) {
  server_t *server = arg;
  (void)in;
  return vow_follow(vow_server_shutdown(server->serving, 0));
}

/* The first signal lets the clients finish; the second one does not, nor does
 * the end of the grace. */
static vow_value_t on_signal(vow_future_t *in, void *arg) {
  server_t *server = arg;
  (void)in;
  vow_future_t *end =
      vow_server_shutdown(server->serving, server->options.grace_ms);
  puts("shutting down");
  return vow_follow(
      vow_race_of(server->loop, end,
                  vow_then(next_signal(server), on_second_signal, server)));
}

static int server_start(server_t *server) {
  vow_serve_on_t on = {.host = "127.0.0.1", .port = server->options.port};
  vow_serve_options_t options = {.backlog = BACKLOG};
  int rc = vow_signal_new(server->loop, SIGINT, &server->signals[0]);
  if (rc == 0) rc = vow_signal_new(server->loop, SIGTERM, &server->signals[1]);
  if (rc == 0)
    rc = vow_serve(server->loop, 1, &on, on_client, server, &options,
                   &server->serving);
  return rc;
}

static int server_run(server_t *server) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("%d\n", vow_server_port(server->serving, 0));
  return vow_await_blocking(vow_then(next_signal(server), on_signal, server),
                            NULL);
}

int main(int argc, char **argv) {
  static server_t server;
  if (!options_read(argc, argv, &server.options)) return 2;
  /* Writing to a client that has gone shall be an error and not a signal. */
  signal(SIGPIPE, SIG_IGN);
  int rc = vow_loop_new(NULL, &server.loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }
  rc = server_start(&server);
  if (rc != 0) {
    fprintf(stderr, "cannot start: %s\n", vow_strerror(rc));
  } else {
    rc = server_run(&server);
  }
  vow_server_free(server.serving);
  vow_signal_free(server.signals[0]);
  vow_signal_free(server.signals[1]);
  if (vow_loop_close(server.loop, 1000) != 0) return 1;
  return rc == 0 ? 0 : 1;
}

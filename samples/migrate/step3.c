/* SPDX-License-Identifier: MIT */
/* Step 3 of 4: every operation of the file server is a future, and a client is
 * one chain from its request to its close. The loop and the handles are still
 * raw, and uv_run still runs the program: whatever of it was not moved, or
 * never will be, goes on beside this. */
#include <signal.h>
#include <vow.h>

#include "request.h"

typedef struct server {
  uv_loop_t uv;
  vow_loop_t *loop; /* on uv */
  uv_tcp_t listener;
  vow_listener_t *accepting;
  vow_signal_t *signals[2];
  options_t options;
  vow_token_t *token; /* every client is bound to it */
  size_t clients;
  vow_promise_t *idle; /* NULL until somebody waits for no clients */
} server_t;

typedef struct client {
  server_t *server;
  uv_tcp_t *tcp;
  vow_reader_t *reader;
  request_t request;
  uv_file file; /* -1: none */
  uint64_t size_bytes, sent_bytes;
  char chunk[CHUNK_BYTES];
} client_t;

static vow_value_t again(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_again();
}

static vow_value_t forget(vow_future_t *in, void *arg) {
  (void)in;
  (void)arg;
  return vow_nil();
}

/* What each wait for the client is limited to. */
static vow_future_t *limit(client_t *c, vow_future_t *f) {
  return vow_timeout(f, (int64_t)c->server->options.timeout_ms);
}

/* ---- the request ---------------------------------------------------------- */

static vow_value_t add_piece(vow_future_t *in, void *arg) {
  client_t *c = arg;
  request_t *r = &c->request;
  const vow_bytes_t *bytes = vow_bytes_get(in);
  size_t n = vow_bytes_length(bytes);
  if (n > REQUEST_MAX - r->length) n = REQUEST_MAX - r->length;
  memcpy(r->head + r->length, vow_bytes_data(bytes), n);
  r->length += n;
  if (!request_has_ended(r) && r->length < REQUEST_MAX) return vow_again();
  request_parse(r, c->server->options.root);
  return vow_nil();
}

static vow_future_t *read_piece(vow_loop_t *loop, uint64_t i, void *arg) {
  client_t *c = arg;
  (void)loop;
  (void)i;
  return vow_then(vow_reader_next(c->reader), add_piece, c);
}

/* Who asks too slowly is told so; other failures end the client. */
static vow_value_t on_no_request(vow_future_t *in, void *arg) {
  client_t *c = arg;
  if (vow_status(in) != UV_ETIMEDOUT) return vow_outcome(in);
  c->request.status = 408;
  return vow_nil();
}

static vow_future_t *read_request(client_t *c) {
  vow_future_t *f = vow_repeat(c->server->loop, read_piece, c);
  return vow_catch(limit(c, f), on_no_request, c);
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
  uv_buf_t buf = uv_buf_init(c->chunk, (unsigned)length);
  return limit(c, vow_write((uv_stream_t *)c->tcp, &buf, 1));
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

/* ---- the end of a client -------------------------------------------------- */

static vow_future_t *drop_piece(vow_loop_t *loop, uint64_t i, void *arg) {
  client_t *c = arg;
  (void)loop;
  (void)i;
  return vow_then(vow_reader_next(c->reader), again, NULL);
}

static vow_value_t read_on(vow_future_t *in, void *arg) {
  client_t *c = arg;
  (void)in;
  return vow_follow(limit(c, vow_repeat(c->server->loop, drop_piece, c)));
}

/* Closing while bytes of the client's are unread would reset the connection,
 * and with it what is on its way: so it reads until the client has closed. */
static vow_value_t on_answered(vow_future_t *in, void *arg) {
  client_t *c = arg;
  int code = vow_status(in);
  request_log(&c->request, code);
  if (code != 0) return vow_nil();
  vow_future_t *f = vow_shutdown((uv_stream_t *)c->tcp);
  f = vow_then(f, read_on, c);
  return vow_follow(vow_catch(f, forget, NULL)); /* its end is a failure */
}

static vow_value_t hang_up(vow_future_t *in, void *arg) {
  client_t *c = arg;
  (void)in;
  return vow_follow(vow_close((uv_handle_t *)c->tcp));
}

static void client_free(void *arg) {
  client_t *c = arg;
  server_t *server = c->server;
  vow_reader_free(c->reader);
  vow_tcp_free(c->tcp);
  free(c);
  /* Does nothing while nobody waits: NULL is no promise. */
  if (--server->clients == 0) vow_resolve(server->idle, vow_nil());
}

/* ---- clients -------------------------------------------------------------- */

/* tcp is the client's, even when this fails. */
static client_t *client_new(server_t *server, uv_tcp_t *tcp) {
  client_t *c = calloc(1, sizeof *c);
  if (c == NULL) {
    vow_tcp_free(tcp);
    return NULL;
  }
  server->clients++;
  c->server = server;
  c->tcp = tcp;
  c->file = -1;
  if (vow_reader_new((uv_stream_t *)tcp, 0, &c->reader) == 0) return c;
  client_free(c);
  return NULL;
}

static vow_value_t on_connection(vow_future_t *in, void *arg) {
  server_t *server = arg;
  client_t *c = client_new(server, vow_tcp_take(in));
  if (c == NULL) return vow_fail(UV_ENOMEM);
  vow_future_t *f = read_request(c);
  f = vow_then(f, open_file, c);
  f = vow_then(f, send_head, c);
  f = vow_then(f, send_file, c);
  f = vow_finally(f, close_file, c);
  f = vow_handle(f, on_answered, c);
  f = vow_finally(f, hang_up, c, client_free);
  /* Nobody waits for it here: the next client comes first. */
  vow_detach(vow_with_token(f, server->token));
  return vow_again();
}

/* One failure does not end a server; but the next may be near, when there are
 * no descriptors left, say. */
static vow_value_t take_breath(vow_future_t *in, void *arg) {
  server_t *server = arg;
  fprintf(stderr, "accept: %s\n", vow_strerror(vow_status(in)));
  return vow_follow(vow_then(vow_sleep(server->loop, 100), again, NULL));
}

static vow_future_t *accept_one(vow_loop_t *loop, uint64_t i, void *arg) {
  server_t *server = arg;
  (void)loop;
  (void)i;
  vow_future_t *f = vow_accept(server->accepting);
  f = vow_then(f, on_connection, server);
  return vow_catch(f, take_breath, server);
}

/* ---- beginning and end ---------------------------------------------------- */

static vow_future_t *next_signal(server_t *server) {
  return vow_race_of(server->loop, vow_signal_next(server->signals[0]),
                     vow_signal_next(server->signals[1]));
}

static vow_future_t *no_clients(server_t *server) {
  if (server->clients == 0) return vow_ready(server->loop, vow_nil());
  return vow_promise_new(server->loop, &server->idle);
}

/* The first signal lets the clients finish; the second one does not, nor does
 * the end of the grace. */
static vow_value_t on_signal(vow_future_t *in, void *arg) {
  server_t *server = arg;
  (void)in;
  vow_detach(vow_close((uv_handle_t *)&server->listener));
  puts("shutting down");
  return vow_follow(
      vow_race_of(server->loop, no_clients(server), next_signal(server),
                  vow_sleep(server->loop, server->options.grace_ms)));
}

static vow_value_t end_clients(vow_future_t *in, void *arg) {
  server_t *server = arg;
  (void)in;
  return vow_follow(vow_token_close(server->token));
}

static vow_future_t *server_run(server_t *server) {
  vow_future_t *f =
      vow_race_of(server->loop, vow_repeat(server->loop, accept_one, server),
                  next_signal(server));
  f = vow_then(f, on_signal, server);
  return vow_then(f, end_clients, server);
}

static int server_listen(server_t *server) {
  struct sockaddr_in addr;
  int length = sizeof addr;
  int rc = uv_ip4_addr("127.0.0.1", server->options.port, &addr);
  uv_tcp_init(&server->uv, &server->listener);
  if (rc == 0) {
    rc = uv_tcp_bind(&server->listener, (const struct sockaddr *)&addr, 0);
  }
  if (rc == 0) rc = vow_listen(&server->listener, BACKLOG, &server->accepting);
  if (rc == 0) {
    rc = uv_tcp_getsockname(&server->listener, (struct sockaddr *)&addr,
                            &length);
  }
  server->options.port = ntohs(addr.sin_port);
  return rc;
}

static int server_start(server_t *server) {
  int rc = server_listen(server);
  server->token = vow_token_new(server->loop);
  if (rc == 0 && server->token == NULL) rc = UV_ENOMEM;
  if (rc == 0) rc = vow_signal_new(server->loop, SIGINT, &server->signals[0]);
  if (rc == 0) rc = vow_signal_new(server->loop, SIGTERM, &server->signals[1]);
  if (rc != 0) {
    fprintf(stderr, "cannot start: %s\n", vow_strerror(rc));
    vow_detach(vow_close((uv_handle_t *)&server->listener));
    return rc;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("%d\n", server->options.port);
  vow_detach(server_run(server));
  return 0;
}

static void server_free(server_t *server) {
  vow_promise_drop(server->idle);
  vow_token_free(server->token);
  vow_signal_free(server->signals[0]);
  vow_signal_free(server->signals[1]);
  vow_listener_free(server->accepting);
}

int main(int argc, char **argv) {
  static server_t server;
  if (!options_read(argc, argv, &server.options)) return 2;
  /* Writing to a client that has gone shall be an error and not a signal. */
  signal(SIGPIPE, SIG_IGN);
  int rc = uv_loop_init(&server.uv);
  if (rc == 0) rc = vow_loop_attach(&server.uv, NULL, &server.loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", vow_strerror(rc));
    return 1;
  }
  rc = server_start(&server);
  uv_run(&server.uv, UV_RUN_DEFAULT);
  server_free(&server);
  if (vow_loop_close(server.loop, 1000) != 0) return 1;
  if (uv_loop_close(&server.uv) != 0) return 1;
  return rc == 0 ? 0 : 1;
}

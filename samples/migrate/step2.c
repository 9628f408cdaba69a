/* SPDX-License-Identifier: MIT */
/* Step 2 of 4: the file server whose calls to the file system, once a callback
 * each, are a chain of futures. Around it everything is as it was: the loop and
 * the handles are the program's own, and clients come, ask, are timed out and
 * closed in callbacks. Writing still ends in a callback, too, which settles a
 * promise: so the chain can wait for it. */
#include <signal.h>
#include <vow.h>

#include "request.h"

typedef struct client client_t;

typedef struct server {
  uv_loop_t uv;
  vow_loop_t *loop; /* on uv */
  uv_tcp_t listener;
  uv_signal_t signals[2];
  uv_timer_t grace;
  options_t options;
  client_t *clients;
  bool is_stopping;
} server_t;

struct client {
  server_t *server;
  client_t *previous, *next;
  uv_tcp_t tcp;
  uv_timer_t timer;
  uv_write_t write;
  uv_shutdown_t shutdown;
  vow_promise_t *written;  /* settled by on_written */
  vow_future_t *answering; /* the chain; NULL before it begins */
  unsigned holds;   /* what will still call back: tcp, timer, answering */
  bool is_answered; /* and logged */
  bool is_closing;
  request_t request;
  uv_file file; /* -1: none */
  uint64_t size_bytes, sent_bytes;
  char chunk[CHUNK_BYTES];
};

static void server_end_if_idle(server_t *server);

/* ---- the end of a client -------------------------------------------------- */

/* Whoever calls this lets go of c, and may be the last. */
static void client_release(client_t *c) {
  server_t *server = c->server;
  if (--c->holds > 0) return;
  if (c->next != NULL) c->next->previous = c->previous;
  if (c->previous != NULL) c->previous->next = c->next;
  if (server->clients == c) server->clients = c->next;
  vow_drop(c->answering);
  free(c);
  server_end_if_idle(server);
}

static void on_closed(uv_handle_t *handle) {
  client_release(handle->data);
}

static void client_log(client_t *c, int code) {
  if (!c->is_answered) request_log(&c->request, code);
  c->is_answered = true;
}

/* From here on c's callbacks still come, but do nothing any more: they must
 * look at is_closing first. Those of the chain need not: cancelled, it calls
 * none but its clean-up. */
static void client_close(client_t *c, int code) {
  if (c->is_closing) return;
  c->is_closing = true;
  client_log(c, code);
  uv_close((uv_handle_t *)&c->tcp, on_closed);
  uv_close((uv_handle_t *)&c->timer, on_closed);
  if (c->answering != NULL) vow_cancel(c->answering);
}

/* ---- writing -------------------------------------------------------------- */

static void on_timeout(uv_timer_t *timer);

static void client_await(client_t *c) {
  uv_timer_start(&c->timer, on_timeout, c->server->options.timeout_ms, 0);
}

/* A callback as it was, but for its last line. No hook tells it of a cancel:
 * nobody but client_close cancels, and with the handle closed this is called,
 * before on_closed, and c and the chunk are there until then. */
static void on_written(uv_write_t *req, int status) {
  client_t *c = req->handle->data;
  uv_timer_stop(&c->timer);
  vow_promise_finish(c->written, status == 0 ? vow_nil() : vow_fail(status));
}

/* Writes the first length bytes of the chunk. */
static vow_future_t *client_write(client_t *c, size_t length) {
  uv_buf_t buf = uv_buf_init(c->chunk, (unsigned)length);
  vow_future_t *f = vow_promise_new(c->server->loop, &c->written);
  if (c->written == NULL) return f; /* failed already: out of memory */
  int rc = uv_write(&c->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written);
  if (rc != 0) {
    vow_promise_finish(c->written, vow_fail(rc));
  } else {
    client_await(c);
  }
  return f;
}

static void on_shut_down(uv_shutdown_t *req, int status) {
  client_t *c = req->handle->data;
  if (status != 0) client_close(c, status);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret_buf);
static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf);

/* Closing while bytes of the client's are unread would reset the connection,
 * and with it what is on its way: so it reads until the client has closed. */
static void client_finish(client_t *c) {
  int rc;
  client_log(c, 0);
  rc = uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shut_down);
  if (rc == 0) rc = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
  if (rc != 0) {
    client_close(c, rc);
  } else {
    client_await(c);
  }
}

/* ---- the file, and all that is answered ----------------------------------- */

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

static vow_future_t *open_file(client_t *c) {
  vow_future_t *f = vow_fs_stat(c->server->loop, c->request.path);
  f = vow_then(f, on_stat, c);
  f = vow_then(f, on_opened, c);
  return vow_catch(f, on_missing, c);
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

static vow_value_t close_file(vow_future_t *in, void *arg) {
  client_t *c = arg;
  (void)in;
  if (c->file < 0) return vow_nil();
  return vow_follow(vow_fs_close(c->server->loop, c->file));
}

/* From the chain back to the callbacks: nothing of it is left now. */
static vow_value_t on_answered(vow_future_t *in, void *arg) {
  client_t *c = arg;
  int code = vow_status(in);
  if (code == 0 && !c->is_closing) {
    client_finish(c);
  } else {
    client_close(c, code); /* does nothing when that is why it has ended */
  }
  return vow_nil();
}

/* Comes after on_answered, and if that could not be called. */
static void let_go(void *arg) {
  client_t *c = arg;
  if (!c->is_answered) client_close(c, UV_ENOMEM);
  client_release(c);
}

/* Answers with the file, or with what is wrong. */
static void client_answer(client_t *c) {
  vow_future_t *f = c->request.status == 200
                        ? open_file(c)
                        : vow_ready(c->server->loop, vow_nil());
  f = vow_then(f, send_head, c);
  f = vow_then(f, send_file, c);
  f = vow_finally(f, close_file, c);
  c->holds++;
  c->answering = vow_handle(f, on_answered, c, let_go);
}

/* ---- the request ---------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *ret_buf) {
  client_t *c = handle->data;
  (void)size;
  if (c->is_answered) {
    *ret_buf = uv_buf_init(c->chunk, CHUNK_BYTES); /* thrown away */
  } else {
    *ret_buf = uv_buf_init(c->request.head + c->request.length,
                           (unsigned)(REQUEST_MAX - c->request.length));
  }
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf) {
  client_t *c = stream->data;
  (void)buf;
  if (nread < 0) {
    client_close(c, (int)nread);
  } else if (!c->is_answered) {
    c->request.length += (size_t)nread;
    if (!request_has_ended(&c->request) && c->request.length < REQUEST_MAX)
      return;
    uv_timer_stop(&c->timer);
    uv_read_stop(stream);
    request_parse(&c->request, c->server->options.root);
    client_answer(c);
  }
}

/* The timer runs in three states, and means something else in each. */
static void on_timeout(uv_timer_t *timer) {
  client_t *c = timer->data;
  if (c->request.status == 0) {
    uv_read_stop((uv_stream_t *)&c->tcp);
    c->request.status = 408;
    client_answer(c);
  } else {
    client_close(c, UV_ETIMEDOUT);
  }
}

/* ---- beginning and end ---------------------------------------------------- */

static void client_new(server_t *server) {
  client_t *c = calloc(1, sizeof *c);
  if (c == NULL) abort(); /* libuv accepts no more until this one is taken */
  c->server = server;
  c->file = -1;
  c->next = server->clients;
  if (c->next != NULL) c->next->previous = c;
  server->clients = c;
  uv_tcp_init(&server->uv, &c->tcp);
  uv_timer_init(&server->uv, &c->timer);
  c->tcp.data = c->timer.data = c;
  c->holds = 2;
  int rc = uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&c->tcp);
  if (rc == 0) rc = uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
  if (rc != 0) {
    client_close(c, rc);
  } else {
    client_await(c);
  }
}

static void on_connection(uv_stream_t *listener, int status) {
  if (status != 0) {
    fprintf(stderr, "accept: %s\n", uv_strerror(status));
  } else {
    client_new(listener->data);
  }
}

static void server_end_if_idle(server_t *server) {
  if (!server->is_stopping || server->clients != NULL) return;
  if (uv_is_closing((uv_handle_t *)&server->grace)) return;
  uv_close((uv_handle_t *)&server->grace, NULL);
  uv_close((uv_handle_t *)&server->signals[0], NULL);
  uv_close((uv_handle_t *)&server->signals[1], NULL);
}

static void server_close_clients(server_t *server) {
  for (client_t *c = server->clients; c != NULL; c = c->next)
    client_close(c, UV_ECANCELED);
}

static void on_grace(uv_timer_t *timer) {
  server_close_clients(timer->data);
}

/* The first signal lets the clients finish, the second one does not. */
static void on_signal(uv_signal_t *handle, int signum) {
  server_t *server = handle->data;
  (void)signum;
  if (server->is_stopping) {
    server_close_clients(server);
    return;
  }
  server->is_stopping = true;
  uv_close((uv_handle_t *)&server->listener, NULL);
  uv_timer_start(&server->grace, on_grace, server->options.grace_ms, 0);
  puts("shutting down");
  server_end_if_idle(server);
}

static int server_listen(server_t *server) {
  struct sockaddr_in addr;
  int length = sizeof addr;
  int rc = uv_ip4_addr("127.0.0.1", server->options.port, &addr);
  uv_tcp_init(&server->uv, &server->listener);
  server->listener.data = server;
  if (rc == 0) {
    rc = uv_tcp_bind(&server->listener, (const struct sockaddr *)&addr, 0);
  }
  if (rc == 0) {
    rc = uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
  }
  if (rc == 0) {
    rc = uv_tcp_getsockname(&server->listener, (struct sockaddr *)&addr,
                            &length);
  }
  server->options.port = ntohs(addr.sin_port);
  return rc;
}

static int server_start(server_t *server) {
  static const int signums[2] = {SIGINT, SIGTERM};
  int rc = server_listen(server);
  uv_timer_init(&server->uv, &server->grace);
  server->grace.data = server;
  for (int i = 0; i < 2; i++) {
    uv_signal_init(&server->uv, &server->signals[i]);
    server->signals[i].data = server;
    if (rc == 0)
      rc = uv_signal_start(&server->signals[i], on_signal, signums[i]);
  }
  if (rc != 0) {
    fprintf(stderr, "cannot start: %s\n", uv_strerror(rc));
    server->is_stopping = true;
    uv_close((uv_handle_t *)&server->listener, NULL);
    server_end_if_idle(server);
    return rc;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  printf("%d\n", server->options.port);
  return 0;
}

int main(int argc, char **argv) {
  static server_t server;
  if (!options_read(argc, argv, &server.options)) return 2;
  /* Writing to a client that has gone shall be an error and not a signal. */
  signal(SIGPIPE, SIG_IGN);
  int rc = uv_loop_init(&server.uv);
  if (rc == 0) rc = vow_loop_attach(&server.uv, NULL, &server.loop);
  if (rc != 0) {
    fprintf(stderr, "cannot make a loop: %s\n", uv_strerror(rc));
    return 1;
  }
  rc = server_start(&server);
  uv_run(&server.uv, UV_RUN_DEFAULT);
  if (vow_loop_close(server.loop, 1000) != 0) return 1;
  if (uv_loop_close(&server.uv) != 0) return 1;
  return rc == 0 ? 0 : 1;
}
